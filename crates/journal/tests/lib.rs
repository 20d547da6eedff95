//! What the journal promises, tried on real files and on a disk that forgets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod crash;
mod damage;
mod faults;
mod fixtures;
mod instance;
mod processes;
mod reading;
mod retention;
mod start;

use std::sync::Arc;

use tillwatch_journal::{Journal, JournalError, JournalOptions, Offset, Recovery};
use tillwatch_testkit::fault::disk::Disk;

/// Segments of a few frames, so that a short test sees several.
const SMALL: JournalOptions = JournalOptions {
    segment_bytes_max: 1000,
    frame_bytes_max: 4000,
    free_bytes_min: None,
};

fn open(disk: &Disk) -> (Journal, Recovery) {
    try_open(disk).unwrap()
}

fn try_open(disk: &Disk) -> Result<(Journal, Recovery), JournalError> {
    Journal::open(Arc::new(disk.clone()), SMALL)
}

/// All durable payloads, in order.
fn payloads(journal: &Journal) -> Result<Vec<Vec<u8>>, JournalError> {
    journal
        .reader()
        .iter_from(Offset::START)
        .map(|frame| frame.map(|(_, payload)| payload))
        .collect()
}

/// A payload that says which one it is and has every byte of it tell.
fn numbered(number: u64, bytes: usize) -> Vec<u8> {
    let mut payload = number.to_le_bytes().to_vec();
    payload.extend((8..bytes).map(|i| (i as u64).wrapping_mul(number + 7) as u8));
    payload
}
