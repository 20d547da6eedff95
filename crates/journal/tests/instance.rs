//! Telling one journal from another.

use tillwatch_journal::{Journal, Storage};
use tillwatch_testkit::fault::disk::Disk;

use crate::{numbered, open};

fn id(disk: &Disk) -> String {
    open(disk).0.instance().unwrap()
}

#[test]
fn a_journal_keeps_its_id_and_no_other_has_it() {
    let disk = Disk::default();
    let first = id(&disk);
    assert_eq!(first.len(), 32);
    let (mut journal, _): (Journal, _) = open(&disk);
    journal.append(&numbered(1, 100)).unwrap();
    journal.sync().unwrap();
    assert_eq!(journal.instance().unwrap(), first);
    drop(journal);
    assert_eq!(id(&disk), first);
    assert_ne!(id(&Disk::default()), first);
}

#[test]
fn an_id_that_is_not_whole_is_made_anew() {
    let disk = Disk::default();
    let first = id(&disk);
    disk.open("instance").unwrap().truncate(10).unwrap();
    let second = id(&disk);
    assert_ne!(first, second);
    assert_eq!(second.len(), 32);
    assert_eq!(id(&disk), second);
}
