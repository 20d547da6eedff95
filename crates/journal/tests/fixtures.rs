//! Journals as earlier versions wrote them stay readable. `fixtures/` has one folder a form of the format; they are never
//! written anew, and a new form gets a folder of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tillwatch_journal::{DiskStorage, Journal};

use crate::{SMALL, numbered, payloads};

/// Every third frame is alone, the two behind it are a group.
fn frame(number: u64) -> Vec<u8> {
    let bytes = match number % 3 {
        0 => 100 + number as usize,
        1 => 80,
        _ => 90,
    };
    numbered(number, bytes)
}

fn copy_of(fixture: &str, to: &Path) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(fixture);
    let to = to.join(fixture);
    std::fs::create_dir(&to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    to
}

/// Opens a copy twice, and writes to it in between.
fn check(fixture: &str, frames: std::ops::Range<u64>, instance: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = copy_of(fixture, folder.path());
    let open = || Journal::open(Arc::new(DiskStorage::open(&path).unwrap()), SMALL).unwrap();
    let mut expected: Vec<Vec<u8>> = frames.map(frame).collect();
    let (mut journal, recovery) = open();
    assert_eq!(recovery.frames, expected.len() as u64);
    assert_eq!(recovery.torn_bytes_dropped, 0);
    assert_eq!(payloads(&journal).unwrap(), expected);
    assert_eq!(journal.instance().unwrap(), instance);
    journal.append(&frame(12)).unwrap();
    journal.sync().unwrap();
    drop(journal);
    expected.push(frame(12));
    let (journal, _) = open();
    assert_eq!(payloads(&journal).unwrap(), expected);
    assert_eq!(journal.instance().unwrap(), instance);
}

#[test]
fn a_journal_of_version_1_stays_readable() {
    check("version-1", 0..12, "70087072e17d9fe01cd3f00a7b08fa88");
}

#[test]
fn a_shortened_journal_of_version_1_stays_readable() {
    check(
        "version-1-with-start",
        7..12,
        "8f570ea0a1b5a7b9d5c38d44faf98b3b",
    );
}
