//! Removing what is no longer needed.

use tillwatch_journal::{Journal, JournalError, Offset};
use tillwatch_testkit::fault::disk::Disk;

use crate::{numbered, open, payloads};

fn filled(disk: &Disk) -> (Journal, Vec<Offset>) {
    let (mut journal, _) = open(disk);
    let places = (0..12)
        .map(|n| journal.append(&numbered(n, 250)).unwrap())
        .collect();
    journal.sync().unwrap();
    assert_eq!(journal.segments().len(), 4);
    (journal, places)
}

#[test]
fn segments_before_an_offset_are_removed_and_stay_so_after_a_crash() {
    let disk = Disk::default();
    let (mut journal, places) = filled(&disk);
    let reader = journal.reader();
    assert_eq!(journal.remove_segments_before(places[7]).unwrap(), 2);
    assert_eq!(
        reader.start(),
        places[6],
        "the segment with the offset stays whole"
    );
    assert!(matches!(
        reader.read_at(places[5]),
        Err(JournalError::Removed { first: 3, .. })
    ));
    assert!(matches!(
        reader.iter_from(places[0]).next(),
        Some(Err(JournalError::Removed { first: 3, .. }))
    ));
    drop(journal);
    disk.crash(3);
    let (journal, recovery) = open(&disk);
    assert_eq!((recovery.frames, recovery.segments), (6, 2));
    let expected: Vec<_> = (6..12).map(|n| numbered(n, 250)).collect();
    assert_eq!(payloads(&journal).unwrap(), expected);
}

#[test]
fn the_segment_being_written_is_never_removed() {
    let disk = Disk::default();
    let (mut journal, places) = filled(&disk);
    assert_eq!(
        journal.remove_segments_before(Offset::new(99, 0)).unwrap(),
        3
    );
    assert_eq!(payloads(&journal).unwrap().len(), 3);
    let at = journal.append(b"next").unwrap();
    assert!(at > places[11]);
}

#[test]
fn a_reader_in_the_middle_of_a_removed_segment_finishes_it_and_then_says_so() {
    let disk = Disk::default();
    let (mut journal, places) = filled(&disk);
    let mut frames = journal.reader().iter_from(Offset::START);
    frames.next().unwrap().unwrap();
    journal.remove_segments_before(places[9]).unwrap();
    assert_eq!(frames.next().unwrap().unwrap().0, places[1]);
    assert_eq!(frames.next().unwrap().unwrap().0, places[2]);
    assert!(matches!(
        frames.next(),
        Some(Err(JournalError::Removed { first: 4, .. }))
    ));
    assert!(frames.next().is_none());
}
