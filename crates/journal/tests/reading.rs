//! What readers see, and where.

use std::sync::Arc;

use tillwatch_journal::{DiskStorage, Journal, JournalError, JournalOptions, Offset};
use tillwatch_testkit::fault::disk::Disk;

use crate::{SMALL, numbered, open, payloads};

#[test]
fn frames_are_invisible_until_they_are_durable() {
    let disk = Disk::default();
    let (mut journal, _) = open(&disk);
    let reader = journal.reader();
    let mut frames = reader.iter_from(Offset::START);
    let at = journal.append(b"one").unwrap();
    assert!(matches!(
        reader.read_at(at),
        Err(JournalError::NotDurable { .. })
    ));
    assert!(frames.next().is_none());
    journal.sync().unwrap();
    assert_eq!(reader.read_at(at).unwrap(), b"one");
    assert_eq!(
        frames.next().unwrap().unwrap(),
        (at, b"one".to_vec()),
        "the iterator goes on"
    );
    assert!(frames.next().is_none());
}

#[test]
fn an_iterator_follows_the_writer_into_new_segments() {
    let disk = Disk::default();
    let (mut journal, _) = open(&disk);
    let mut frames = journal.reader().iter_from(journal.durable());
    for n in 0..30 {
        let at = journal.append(&numbered(n, 200)).unwrap();
        let end = journal.sync().unwrap();
        assert_eq!(frames.next().unwrap().unwrap(), (at, numbered(n, 200)));
        assert!(frames.next().is_none());
        assert_eq!(frames.position(), end);
    }
    assert!(journal.segments().len() > 5);
}

#[test]
fn reading_starts_at_any_frame_and_at_any_durable_end() {
    let disk = Disk::default();
    let (mut journal, _) = open(&disk);
    let mut places = Vec::new();
    for n in 0..20 {
        let at = journal.append(&numbered(n, 200)).unwrap();
        places.push((at, journal.sync().unwrap()));
    }
    let count = |from| journal.reader().iter_from(from).map(Result::unwrap).count();
    for (n, (at, end)) in places.into_iter().enumerate() {
        assert_eq!(count(at), 20 - n);
        assert_eq!(count(end), 19 - n);
    }
    assert_eq!(count(Offset::START), 20);
}

#[test]
fn a_place_where_no_frame_starts_is_refused() {
    let disk = Disk::default();
    let (mut journal, _) = open(&disk);
    let at = journal.append(&numbered(0, 100)).unwrap();
    let end = journal.sync().unwrap();
    let reader = journal.reader();
    for off in 1..132 {
        let at = Offset::new(at.segment, at.position + off);
        let error = reader.read_at(at).unwrap_err();
        assert!(
            matches!(error, JournalError::Damaged { .. }),
            "{at}: {error}"
        );
    }
    for beyond in [
        end,
        Offset::new(end.segment, end.position + 1),
        Offset::new(9, 48),
    ] {
        let error = reader.read_at(beyond).unwrap_err();
        assert!(
            matches!(error, JournalError::NotDurable { .. }),
            "{beyond}: {error}"
        );
    }
}

#[test]
fn a_payload_in_parts_reads_as_one_however_large_the_parts_are() {
    let disk = Disk::default();
    let options = JournalOptions {
        segment_bytes_max: 4 << 20,
        frame_bytes_max: 2 << 20,
        free_bytes_min: None,
    };
    let (mut journal, _) = Journal::open(Arc::new(disk.clone()), options).unwrap();
    let sizes = [
        [0, 0, 0],
        [1, 2, 3],
        [300 << 10, 1, 400 << 10],
        [200 << 10, 200 << 10, 200 << 10],
    ];
    let mut expected = Vec::new();
    for (n, sizes) in sizes.into_iter().enumerate() {
        let parts = sizes.map(|bytes| numbered(n as u64, bytes)[..bytes].to_vec());
        journal
            .append_parts(&parts.each_ref().map(Vec::as_slice))
            .unwrap();
        expected.push(parts.concat());
    }
    journal.sync().unwrap();
    assert_eq!(payloads(&journal).unwrap(), expected);
    drop(journal);
    let (journal, recovery) = Journal::open(Arc::new(disk), options).unwrap();
    assert_eq!(recovery.torn_bytes_dropped, 0);
    assert_eq!(payloads(&journal).unwrap(), expected);
}

#[test]
fn a_frame_over_the_limit_is_refused_and_one_at_the_limit_taken() {
    let disk = Disk::default();
    let (mut journal, _) = open(&disk);
    let limit = SMALL.frame_bytes_max as usize;
    let error = journal.append(&vec![0; limit + 1]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a frame of 4001 bytes is over the limit of 4000 bytes"
    );
    journal.append(&vec![7; limit]).unwrap();
    journal.append(b"small").unwrap();
    journal.sync().unwrap();
    assert_eq!(
        payloads(&journal).unwrap(),
        [vec![7; limit], b"small".to_vec()]
    );
    assert_eq!(
        journal.segments().len(),
        2,
        "a frame larger than a segment has one of its own"
    );
}

#[test]
fn a_journal_on_real_files_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/journal");
    for round in 0..5 {
        let storage = Arc::new(DiskStorage::open(&path).unwrap());
        let (mut journal, recovery) = Journal::open(storage, SMALL).unwrap();
        assert_eq!(recovery.frames, round * 10);
        let on_disk: u64 = std::fs::read_dir(&path)
            .unwrap()
            .map(Result::unwrap)
            .filter(|e| e.file_name().to_string_lossy().ends_with(".segment"))
            .map(|e| e.metadata().unwrap().len())
            .sum();
        assert_eq!((recovery.bytes, journal.bytes()), (on_disk, on_disk));
        for n in round * 10..(round + 1) * 10 {
            journal.append(&numbered(n, 150)).unwrap();
        }
        journal.sync().unwrap();
        let expected: Vec<_> = (0..(round + 1) * 10).map(|n| numbered(n, 150)).collect();
        assert_eq!(payloads(&journal).unwrap(), expected);
    }
}

#[test]
fn readers_in_other_threads_see_only_whole_durable_frames_while_the_writer_writes() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Arc::new(DiskStorage::open(folder.path()).unwrap());
    let (mut journal, _) = Journal::open(storage, SMALL).unwrap();
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let reader = journal.reader();
            std::thread::spawn(move || {
                let mut frames = reader.iter_from(Offset::START);
                let mut seen = 0;
                while seen < 300 {
                    let Some(frame) = frames.next() else {
                        std::thread::yield_now();
                        continue;
                    };
                    assert_eq!(frame.unwrap().1, numbered(seen, 120));
                    seen += 1;
                }
            })
        })
        .collect();
    for n in 0..300 {
        journal.append(&numbered(n, 120)).unwrap();
        if n % 3 == 2 {
            journal.sync().unwrap();
        }
    }
    for reader in readers {
        reader.join().unwrap();
    }
}

#[test]
fn the_last_frame_is_known_after_appends_refusals_restarts_and_removals() {
    let disk = Disk::default();
    let (mut journal, _) = open(&disk);
    assert_eq!(journal.last_frame(), None);
    let first = journal.append(&numbered(0, 50)).unwrap();
    assert_eq!(journal.last_frame(), Some(first));
    disk.set_bytes_max(Some(disk.bytes() + 100));
    journal
        .append_group(&[&numbered(1, 50), &numbered(2, 50)])
        .unwrap_err();
    assert_eq!(
        journal.last_frame(),
        Some(first),
        "none of the group is kept"
    );
    disk.set_bytes_max(None);
    let second = journal.append(&numbered(1, 900)).unwrap();
    journal.sync().unwrap();
    assert_eq!(second.segment, 2);
    // The third segment is begun and its frame refused, so the last frame lies in the one before.
    disk.set_bytes_max(Some(disk.bytes() + 48));
    journal.append(&numbered(2, 900)).unwrap_err();
    assert_eq!(journal.segments().len(), 3);
    drop(journal);
    disk.heal();
    let (mut journal, _) = open(&disk);
    assert_eq!(journal.last_frame(), Some(second));
    journal.remove_segments_before(Offset::new(3, 0)).unwrap();
    assert_eq!(journal.last_frame(), None);
}
