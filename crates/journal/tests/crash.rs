//! Random work, random crashes, by seed: every synced frame is there, in order, once, unchanged.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tillwatch_journal::{Journal, JournalError, Offset};

use crate::disk::{Disk, Random};
use crate::{numbered, payloads, try_open};

/// What the journal has to hold.
#[derive(Default)]
struct Expected {
    /// Size and place of every frame that was appended and may be there.
    frames: Vec<(usize, Offset)>,
    /// Frames behind which a group goes on: the journal must not end there.
    within: BTreeSet<usize>,
    /// How many of them have to be there.
    acknowledged: usize,
    /// How many of the oldest may have been removed.
    removable: usize,
}

impl Expected {
    /// Checks what a journal holds after a restart, and takes that as the truth from now on.
    fn check(&mut self, found: &[Vec<u8>]) {
        let first = match found.first() {
            Some(payload) => u64::from_le_bytes(payload[..8].try_into().unwrap()) as usize,
            None => self.removable.min(self.frames.len()),
        };
        assert!(
            first <= self.removable,
            "frame {first} is the oldest, {} were removed",
            self.removable
        );
        let end = first + found.len();
        assert!(
            end >= self.acknowledged,
            "{end} of {} acknowledged frames",
            self.acknowledged
        );
        assert!(end <= self.frames.len(), "frames that nobody wrote");
        assert!(!self.within.contains(&end), "a group was cut at {end}");
        for (number, payload) in (first..end).zip(found) {
            let (bytes, _) = self.frames[number];
            assert!(
                *payload == numbered(number as u64, bytes),
                "frame {number} is not what was written"
            );
        }
        self.frames.truncate(end);
        self.within.retain(|at| *at < end);
        self.acknowledged = end;
    }
}

fn run(seed: u64) {
    let disk = Disk::default();
    let mut random = Random::new(seed);
    let mut expected = Expected::default();
    for _life in 0..6 {
        // Half of the lives end at a random operation, which may be one of the recovery itself.
        if random.below(2) == 0 {
            disk.power_off_after(random.below(60));
        }
        if let Some(mut journal) = start(&disk, &mut expected) {
            live(&disk, &mut journal, &mut expected, &mut random);
        }
        match random.below(3) {
            // The process dies and the system lives on: its cache still holds everything.
            0 if !disk.is_off() => disk.heal(),
            _ => disk.crash(random.below(u64::MAX)),
        }
    }
    disk.crash(random.below(u64::MAX));
    start(&disk, &mut expected).expect("nothing fails any more");
}

/// Opens and checks the journal, unless the power goes off in the middle of that.
fn start(disk: &Disk, expected: &mut Expected) -> Option<Journal> {
    let opened = try_open(disk).and_then(|(journal, _)| Ok((payloads(&journal)?, journal)));
    match opened {
        Ok((found, journal)) => {
            expected.check(&found);
            Some(journal)
        }
        Err(JournalError::Io { .. }) if disk.is_off() => None,
        Err(error) => panic!("{error}"),
    }
}

fn live(disk: &Disk, journal: &mut Journal, expected: &mut Expected, random: &mut Random) {
    for _ in 0..random.below(80) {
        let done = match random.below(40) {
            0 => {
                disk.fail_syncs(1);
                Ok(())
            }
            1 => {
                disk.set_bytes_max(Some(disk.bytes() + random.below(800)));
                Ok(())
            }
            2 => {
                disk.set_bytes_max(None);
                Ok(())
            }
            3 => remove(journal, expected, random),
            4..=12 => journal
                .sync()
                .map(|_| expected.acknowledged = expected.frames.len()),
            13..=20 => append_group(journal, expected, random),
            _ => {
                let bytes = 8 + random.below(300) as usize;
                let number = expected.frames.len() as u64;
                journal
                    .append(&numbered(number, bytes))
                    .map(|at| expected.frames.push((bytes, at)))
            }
        };
        match done {
            Ok(()) | Err(JournalError::StorageFull { .. }) => {}
            Err(_) => return,
        }
    }
}

fn append_group(
    journal: &mut Journal,
    expected: &mut Expected,
    random: &mut Random,
) -> Result<(), JournalError> {
    let first = expected.frames.len();
    // Few sizes, so that what was taken back and what is written over it often lie frame on frame.
    let sizes: Vec<usize> = (0..1 + random.below(4))
        .map(|_| 8 + 50 * random.below(6) as usize)
        .collect();
    let payloads: Vec<Vec<u8>> = (first..)
        .zip(&sizes)
        .map(|(number, bytes)| numbered(number as u64, *bytes))
        .collect();
    let payloads: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
    let places = journal.append_group(&payloads)?;
    expected.frames.extend(sizes.into_iter().zip(places));
    expected.within.extend(first + 1..expected.frames.len());
    Ok(())
}

fn remove(
    journal: &mut Journal,
    expected: &mut Expected,
    random: &mut Random,
) -> Result<(), JournalError> {
    if expected.acknowledged == 0 {
        return Ok(());
    }
    let frame = random.below(expected.acknowledged as u64) as usize;
    let before = expected.frames[frame].1;
    let frames = &expected.frames;
    let removable = frames
        .iter()
        .take_while(|(_, at)| at.segment < before.segment)
        .count();
    expected.removable = expected.removable.max(removable);
    journal.remove_segments_before(before).map(|_| ())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_synced_frame_survives_in_order_and_once(seed in any::<u64>()) {
        run(seed);
    }
}
