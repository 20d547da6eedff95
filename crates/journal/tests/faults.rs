//! A disk that fails or is full.

use tillwatch_journal::JournalError;
use tillwatch_testkit::fault::disk::Disk;

use crate::{numbered, open, payloads, try_open};

#[test]
fn a_failed_fsync_poisons_the_journal_until_it_is_reopened() {
    let disk = Disk::default();
    let (mut journal, _) = open(&disk);
    let at = journal.append(b"one").unwrap();
    journal.sync().unwrap();
    journal.append(b"two").unwrap();
    disk.fail_syncs(1);
    assert!(matches!(journal.sync(), Err(JournalError::Poisoned { .. })));
    assert!(
        matches!(journal.sync(), Err(JournalError::Poisoned { .. })),
        "no second try"
    );
    assert!(matches!(
        journal.append(b"three"),
        Err(JournalError::Poisoned { .. })
    ));
    let reason = journal.poisoned().unwrap();
    assert_eq!(reason, "fsync of segment 1: fsync failed");
    assert_eq!(
        journal.reader().read_at(at).unwrap(),
        b"one",
        "durable frames stay readable"
    );
    assert_eq!(payloads(&journal).unwrap(), [b"one"]);
}

#[test]
fn reopening_after_a_failed_fsync_makes_durable_what_it_shows() {
    for seed in 0..50 {
        let disk = Disk::default();
        let (mut journal, _) = open(&disk);
        journal.append(b"one").unwrap();
        journal.sync().unwrap();
        journal.append(b"two").unwrap();
        disk.fail_syncs(1);
        journal.sync().unwrap_err();
        drop(journal);
        // The cache still holds "two" and counts it as clean, so an fsync alone would not write it.
        let (journal, _) = open(&disk);
        let shown = payloads(&journal).unwrap();
        drop(journal);
        disk.crash(seed);
        let (journal, _) = open(&disk);
        assert_eq!(payloads(&journal).unwrap(), shown, "seed {seed}");
    }
}

#[test]
fn a_failed_write_poisons_the_journal() {
    let disk = Disk::default();
    let (mut journal, _) = open(&disk);
    disk.fail_writes(1);
    let error = journal.append(b"one").unwrap_err();
    let expected =
        "the journal is closed after a failure: write to segment 1: the controller went away";
    assert_eq!(error.to_string(), expected);
    assert!(matches!(
        journal.append(b"one"),
        Err(JournalError::Poisoned { .. })
    ));
}

#[test]
fn a_full_disk_refuses_the_frame_and_keeps_everything_before_it() {
    let disk = Disk::default();
    let (mut journal, _) = open(&disk);
    journal.append(&numbered(0, 50)).unwrap();
    let before = disk.contents();
    for room in 0..82 {
        disk.set_bytes_max(Some(disk.bytes() + room));
        let error = journal.append(&numbered(1, 50)).unwrap_err();
        assert!(
            matches!(error, JournalError::StorageFull { action: "append" }),
            "{error}"
        );
        assert_eq!(disk.contents(), before, "room for {room} bytes");
    }
    disk.set_bytes_max(None);
    journal.append(&numbered(1, 50)).unwrap();
    journal.sync().unwrap();
    disk.crash(1);
    let (journal, _) = open(&disk);
    assert_eq!(
        payloads(&journal).unwrap(),
        [numbered(0, 50), numbered(1, 50)]
    );
}

#[test]
fn a_disk_too_full_for_another_segment_lets_the_journal_go_on_when_there_is_room() {
    let disk = Disk::default();
    let (mut journal, _) = open(&disk);
    journal.append(&numbered(0, 800)).unwrap();
    let before = disk.contents();
    for room in 0..48 {
        disk.set_bytes_max(Some(disk.bytes() + room));
        let error = journal.append(&numbered(1, 800)).unwrap_err();
        assert!(
            matches!(
                error,
                JournalError::StorageFull {
                    action: "start a segment"
                }
            ),
            "{error}"
        );
        assert_eq!(disk.contents(), before);
    }
    disk.set_bytes_max(None);
    journal.append(&numbered(1, 800)).unwrap();
    journal.sync().unwrap();
    assert_eq!(payloads(&journal).unwrap().len(), 2);
    assert_eq!(journal.segments().len(), 2);
}

#[test]
fn a_group_that_does_not_fit_leaves_none_of_its_frames() {
    let disk = Disk::default();
    let (mut journal, _) = open(&disk);
    journal.append(&numbered(0, 50)).unwrap();
    let before = disk.contents();
    let payloads_of = |count: u64| (1..=count).map(|n| numbered(n, 50)).collect::<Vec<_>>();
    let (three, one) = (payloads_of(3), payloads_of(1));
    let group: Vec<&[u8]> = three.iter().map(Vec::as_slice).collect();
    for room in 0..3 * 82 {
        disk.set_bytes_max(Some(disk.bytes() + room));
        let error = journal.append_group(&group).unwrap_err();
        assert!(matches!(error, JournalError::StorageFull { .. }), "{error}");
        assert_eq!(disk.contents(), before, "room for {room} bytes");
    }
    disk.set_bytes_max(None);
    journal.append(&one[0]).unwrap();
    journal.sync().unwrap();
    disk.crash(1);
    let (mut journal, _) = open(&disk);
    assert_eq!(
        payloads(&journal).unwrap(),
        [numbered(0, 50), one[0].clone()]
    );
    // A group larger than a segment has one of its own.
    let large: Vec<Vec<u8>> = (2..5).map(|n| numbered(n, 700)).collect();
    let group: Vec<&[u8]> = large.iter().map(Vec::as_slice).collect();
    let places = journal.append_group(&group).unwrap();
    assert!(places.iter().all(|at| at.segment == 2), "{places:?}");
    journal.append(&numbered(5, 50)).unwrap();
    journal.sync().unwrap();
    assert_eq!(payloads(&journal).unwrap().len(), 6);
    assert_eq!(journal.segments().len(), 3);
}

#[test]
fn a_crash_within_a_group_leaves_all_of_it_or_nothing() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let disk = Disk::default();
        let (mut journal, _) = open(&disk);
        journal.append(&numbered(0, 50)).unwrap();
        journal.sync().unwrap();
        let group: Vec<Vec<u8>> = (1..4).map(|n| numbered(n, 50)).collect();
        let group: Vec<&[u8]> = group.iter().map(Vec::as_slice).collect();
        journal.append_group(&group).unwrap();
        drop(journal);
        disk.crash(seed);
        let (mut journal, _) = open(&disk);
        let found = payloads(&journal).unwrap().len();
        assert!(found == 1 || found == 4, "{found} frames, seed {seed}");
        seen.insert(found);
        journal.append(&numbered(found as u64, 50)).unwrap();
        journal.sync().unwrap();
        assert_eq!(payloads(&journal).unwrap().len(), found + 1);
    }
    assert_eq!(seen.len(), 2, "both happen");
}

#[test]
fn a_half_written_frame_that_cannot_be_taken_back_poisons_the_journal() {
    let disk = Disk::default();
    let (mut journal, _) = open(&disk);
    journal.append(&numbered(0, 50)).unwrap();
    journal.sync().unwrap();
    disk.set_bytes_max(Some(disk.bytes() + 40));
    disk.fail_truncates(1);
    assert!(matches!(
        journal.append(&numbered(1, 50)),
        Err(JournalError::Poisoned { .. })
    ));
    assert!(matches!(journal.sync(), Err(JournalError::Poisoned { .. })));
    drop(journal);
    disk.heal();
    let (journal, recovery) = open(&disk);
    assert_eq!(recovery.torn_bytes_dropped, 40);
    assert_eq!(payloads(&journal).unwrap(), [numbered(0, 50)]);
}

#[test]
fn a_frame_taken_back_does_not_come_back_in_a_segment_that_was_left() {
    for seed in 0..50 {
        let disk = Disk::default();
        let (mut journal, _) = open(&disk);
        journal.append(&numbered(0, 500)).unwrap();
        journal.sync().unwrap();
        disk.set_bytes_max(Some(disk.bytes() + 150));
        journal.append(&numbered(1, 200)).unwrap_err();
        disk.set_bytes_max(None);
        journal.append(&numbered(1, 800)).unwrap();
        journal.sync().unwrap();
        assert_eq!(journal.segments().len(), 2);
        disk.crash(seed);
        let (journal, _) = open(&disk);
        assert_eq!(
            payloads(&journal).unwrap(),
            [numbered(0, 500), numbered(1, 800)]
        );
    }
}

#[test]
fn a_crash_while_a_segment_is_begun_leaves_a_journal_that_opens() {
    for operations in 0..8 {
        for seed in 0..20 {
            let disk = Disk::default();
            let (mut journal, _) = open(&disk);
            journal.append(&numbered(0, 800)).unwrap();
            journal.sync().unwrap();
            disk.power_off_after(operations);
            let _ = journal.append(&numbered(1, 800));
            drop(journal);
            disk.crash(seed);
            let (mut journal, _) = open(&disk);
            let found = payloads(&journal).unwrap();
            assert_eq!(
                found[0],
                numbered(0, 800),
                "{operations} operations, seed {seed}"
            );
            journal.append(&numbered(found.len() as u64, 800)).unwrap();
            journal.sync().unwrap();
        }
    }
}

#[test]
fn one_fsync_covers_a_group_and_none_is_spent_on_nothing() {
    let disk = Disk::default();
    let (mut journal, _) = open(&disk);
    let before = disk.syncs();
    for n in 0..5 {
        journal.append(&numbered(n, 20)).unwrap();
    }
    let end = journal.sync().unwrap();
    assert_eq!(journal.sync().unwrap(), end);
    assert_eq!(disk.syncs(), before + 1);
}

#[test]
fn a_journal_that_is_open_is_not_opened_again() {
    let disk = Disk::default();
    let (journal, _) = open(&disk);
    let error = try_open(&disk).err().unwrap();
    let expected =
        "the journal in the simulated disk is in use by process 42; stop that process first";
    assert_eq!(error.to_string(), expected);
    drop(journal);
    open(&disk);
}
