//! The journal knows where it begins.

use std::collections::BTreeMap;

use tillwatch_journal::{Journal, JournalError, Offset, Storage};
use tillwatch_testkit::fault::disk::Disk;
use tillwatch_testkit::fault::steps::at_every_step;

use crate::{numbered, open, payloads, try_open};

const SEGMENTS: u64 = 4;
const FRAMES: u64 = 3 * SEGMENTS;

/// Four segments of three frames.
fn filled(disk: &Disk) -> (Journal, Vec<Offset>) {
    let (mut journal, _) = open(disk);
    let places = (0..FRAMES)
        .map(|n| journal.append(&numbered(n, 250)).unwrap())
        .collect();
    journal.sync().unwrap();
    assert_eq!(journal.segments().len() as u64, SEGMENTS);
    (journal, places)
}

fn expected(from: u64) -> Vec<Vec<u8>> {
    (from..FRAMES).map(|n| numbered(n, 250)).collect()
}

fn segment(number: u64) -> String {
    format!("{number:020}.segment")
}

/// What a journal is on the disk whose oldest two segments were removed, and those two.
fn shortened() -> (BTreeMap<String, Vec<u8>>, BTreeMap<String, Vec<u8>>) {
    let disk = Disk::default();
    let (mut journal, places) = filled(&disk);
    let mut removed = disk.contents();
    removed.retain(|name, _| *name == segment(1) || *name == segment(2));
    assert_eq!(journal.remove_segments_before(places[6]).unwrap(), 2);
    (disk.contents(), removed)
}

#[test]
fn a_missing_oldest_segment_is_named() {
    let disk = Disk::default();
    drop(filled(&disk));
    let mut contents = disk.contents();
    let mut names = (1..=SEGMENTS).map(segment);
    for missing in 1..=SEGMENTS {
        contents.remove(&names.next().unwrap());
        let error = try_open(&Disk::with_contents(&contents)).err().unwrap();
        assert!(
            matches!(error, JournalError::MissingSegment { segment: 1 }),
            "without {missing} segments: {error}"
        );
    }
}

#[test]
fn a_missing_oldest_segment_is_named_in_a_shortened_journal() {
    let (mut contents, _) = shortened();
    contents.remove(&segment(3));
    let error = try_open(&Disk::with_contents(&contents)).err().unwrap();
    assert_eq!(error.to_string(), "segment 3 of the journal is missing");
}

#[test]
fn a_journal_without_the_file_starts_with_its_first_segment() {
    let disk = Disk::default();
    drop(filled(&disk));
    let mut contents = disk.contents();
    contents.remove("start").unwrap();
    let older = Disk::with_contents(&contents);
    let (journal, _) = open(&older);
    assert_eq!(payloads(&journal).unwrap(), expected(0));
    assert_eq!(older.contents(), disk.contents(), "it has the file now");
    contents.remove(&segment(1));
    let error = try_open(&Disk::with_contents(&contents)).err().unwrap();
    assert_eq!(error.to_string(), "segment 1 of the journal is missing");
}

#[test]
fn segments_that_a_removal_left_over_are_removed_when_opening() {
    let (contents, removed) = shortened();
    for left in [vec![1], vec![2], vec![1, 2]] {
        let mut contents = contents.clone();
        for number in &left {
            contents.insert(segment(*number), removed[&segment(*number)].clone());
        }
        let disk = Disk::with_contents(&contents);
        let (journal, recovery) = open(&disk);
        assert_eq!((recovery.segments, recovery.frames), (2, 6), "{left:?}");
        assert_eq!(payloads(&journal).unwrap(), expected(6));
        drop(journal);
        disk.crash(0);
        assert!(!disk.contents().contains_key(&segment(left[0])), "{left:?}");
    }
}

/// Removes segments with a fault at each step, by `arm`, and looks at what a restart finds, after a power cut or without.
fn remove_with_a_fault(arm: fn(&Disk, u64), power_cut: Option<u64>) -> u64 {
    at_every_step(|step| {
        let disk = Disk::default();
        let (mut journal, places) = filled(&disk);
        arm(&disk, step);
        let first = journal.remove_segments_before(places[4]);
        let second = first.and_then(|_| journal.remove_segments_before(places[9]));
        let met = disk.met_fault();
        assert_eq!(second.is_err(), met, "step {step}");
        drop(journal);
        match power_cut {
            Some(seed) => disk.crash(seed),
            None => disk.heal(),
        }
        // Nothing is missed and nothing is left over: the journal begins with one of its segments.
        let (mut journal, recovery) = open(&disk);
        let found = payloads(&journal).unwrap();
        let oldest = FRAMES - found.len() as u64;
        assert!([0, 3, 9].contains(&oldest), "step {step}: {oldest}");
        assert_eq!(found, expected(oldest), "step {step}");
        let files = disk.contents();
        let segments = files.keys().filter(|name| name.ends_with(".segment"));
        assert_eq!(segments.count() as u64, recovery.segments, "step {step}");
        // And it goes on.
        journal.remove_segments_before(places[9]).unwrap();
        assert_eq!(payloads(&journal).unwrap(), expected(9), "step {step}");
        drop(journal);
        disk.crash(step);
        let (journal, _) = open(&disk);
        assert_eq!(payloads(&journal).unwrap(), expected(9), "step {step}");
        met
    })
}

#[test]
fn a_crash_at_any_step_of_a_removal_leaves_a_journal_that_opens() {
    for seed in 0..60 {
        let steps = remove_with_a_fault(Disk::power_off_after, Some(seed));
        assert_eq!(steps, 9, "two statements, three removals, two folder syncs");
    }
}

#[test]
fn a_failure_at_any_step_of_a_removal_leaves_a_journal_that_opens() {
    remove_with_a_fault(Disk::fail_once_after, None);
    for seed in 0..60 {
        remove_with_a_fault(Disk::fail_once_after, Some(seed));
    }
}

#[test]
fn a_crash_at_any_step_of_opening_a_journal_without_the_file_costs_nothing() {
    let disk = Disk::default();
    drop(filled(&disk));
    let mut contents = disk.contents();
    contents.remove("start").unwrap();
    for seed in 0..30 {
        at_every_step(|step| {
            let disk = Disk::with_contents(&contents);
            disk.power_off_after(step);
            let opened = try_open(&disk);
            let met = disk.met_fault();
            assert_eq!(opened.is_err(), met, "step {step}");
            drop(opened);
            disk.crash(seed);
            let (journal, _) = open(&disk);
            assert_eq!(payloads(&journal).unwrap(), expected(0), "step {step}");
            met
        });
    }
}

#[test]
fn a_full_disk_lets_old_segments_be_removed() {
    let disk = Disk::default();
    let (mut journal, places) = filled(&disk);
    disk.set_bytes_max(Some(disk.bytes()));
    let full = journal.append(&numbered(FRAMES, 250));
    assert!(matches!(full, Err(JournalError::StorageFull { .. })));
    assert_eq!(journal.remove_segments_before(places[11]).unwrap(), 3);
    journal.append(&numbered(FRAMES, 250)).unwrap();
    journal.sync().unwrap();
    disk.crash(1);
    assert_eq!(payloads(&open(&disk).0).unwrap().len(), 4);
}

#[test]
fn a_full_disk_keeps_no_journal_without_the_file_from_being_opened() {
    let disk = Disk::default();
    drop(filled(&disk));
    disk.remove("start").unwrap();
    disk.set_bytes_max(Some(disk.bytes()));
    let (mut journal, _) = open(&disk);
    assert_eq!(payloads(&journal).unwrap(), expected(0));
    let error = journal
        .remove_segments_before(Offset::new(3, 0))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "no room left on the journal's storage, while trying to note where the journal starts"
    );
    disk.set_bytes_max(None);
    assert_eq!(
        journal.remove_segments_before(Offset::new(3, 0)).unwrap(),
        2
    );
}

#[test]
fn every_flipped_bit_of_the_file_is_noticed_or_makes_no_difference() {
    let (contents, _) = shortened();
    let (mut refused, mut same) = (0, 0);
    for page in [0, 4096] {
        for bit in 0..64 * 8 {
            let mut flipped = contents.clone();
            flipped.get_mut("start").unwrap()[page + bit / 8] ^= 1 << (bit % 8);
            match try_open(&Disk::with_contents(&flipped)) {
                Ok((journal, _)) => {
                    assert_eq!(payloads(&journal).unwrap(), expected(6));
                    same += 1;
                }
                // The older statement is left, by which segment 1 is missing.
                Err(JournalError::MissingSegment { segment: 1 }) => refused += 1,
                Err(error) => panic!("bit {bit} of page {page}: {error}"),
            }
        }
    }
    assert_eq!((refused, same), (64 * 8, 64 * 8));
}

#[test]
fn a_file_cut_at_any_byte_is_refused_or_makes_no_difference() {
    let (contents, _) = shortened();
    for bytes in 0..contents["start"].len() {
        let mut cut = contents.clone();
        cut.get_mut("start").unwrap().truncate(bytes);
        match try_open(&Disk::with_contents(&cut)) {
            Err(JournalError::StartDamaged) => assert!(bytes < 64, "cut at {bytes}"),
            Err(JournalError::MissingSegment { segment: 1 }) => {
                assert!(bytes >= 64, "cut at {bytes}");
            }
            Err(error) => panic!("cut at {bytes}: {error}"),
            Ok(_) => panic!("cut at {bytes} is not noticed"),
        }
    }
}
