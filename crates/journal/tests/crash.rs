//! Random work, random crashes, by seed: every synced frame is there, in order, once, unchanged.

use std::collections::BTreeSet;

use tillwatch_journal::{Journal, JournalError, Offset};
use tillwatch_testkit::fault::campaign::{self, Totals};
use tillwatch_testkit::fault::disk::Disk;
use tillwatch_testkit::fault::random::Random;

use crate::{numbered, payloads, try_open};

/// What the journal has to hold.
#[derive(Default)]
struct Expected {
    /// Payload and place of every frame that was appended and may be there.
    frames: Vec<(Vec<u8>, Offset)>,
    /// How many payloads were tried, also those that were refused.
    attempts: u64,
    /// Frames behind which a group goes on: the journal must not end there.
    within: BTreeSet<usize>,
    /// How many of them have to be there.
    acknowledged: usize,
    /// How many of the oldest may have been removed.
    removable: usize,
}

impl Expected {
    /// The payload to try as frame `number`. No two are the same: one that was refused must not come up where
    /// another was taken in its place.
    fn payload(&mut self, number: usize, bytes: usize) -> Vec<u8> {
        self.attempts += 1;
        let mut payload = (number as u64).to_le_bytes().to_vec();
        payload.extend(numbered(self.attempts, bytes.max(8)));
        payload
    }

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
            assert!(
                *payload == self.frames[number].0,
                "frame {number} is not what was written"
            );
        }
        self.frames.truncate(end);
        self.within.retain(|at| *at < end);
        self.acknowledged = end;
    }
}

fn run(seed: u64, totals: &mut Totals) {
    let disk = Disk::default();
    let mut random = Random::new(seed);
    let mut expected = Expected::default();
    for _life in 0..6 {
        match random.below(4) {
            // Half of the lives end at a random operation, which may be one of the recovery itself.
            0 | 1 => disk.power_off_after(random.below(60)),
            // One operation fails, whichever it is.
            2 => disk.fail_once_after(random.below(90)),
            _ => {}
        }
        totals.add("lives", 1);
        if let Some(mut journal) = start(&disk, &mut expected) {
            live(&disk, &mut journal, &mut expected, &mut random, totals);
        }
        match random.below(3) {
            // The process dies and the system lives on: its cache still holds everything.
            0 if !disk.is_off() => {
                totals.add("kills", 1);
                disk.heal();
            }
            _ => {
                totals.add("power cuts", 1);
                disk.crash(random.any());
            }
        }
    }
    disk.crash(random.any());
    start(&disk, &mut expected).expect("nothing fails any more");
    totals.add("frames acknowledged", expected.acknowledged as u64);
}

/// Opens and checks the journal, unless the power goes off or the disk fails in the middle of that.
fn start(disk: &Disk, expected: &mut Expected) -> Option<Journal> {
    let opened = try_open(disk).and_then(|(journal, _)| Ok((payloads(&journal)?, journal)));
    match opened {
        Ok((found, journal)) => {
            expected.check(&found);
            let last = expected.frames.last().map(|(_, at)| *at);
            if !found.is_empty() {
                assert_eq!(journal.last_frame(), last);
            }
            Some(journal)
        }
        Err(JournalError::Io { .. }) if disk.met_fault() => None,
        Err(error) => panic!("{error}"),
    }
}

fn live(
    disk: &Disk,
    journal: &mut Journal,
    expected: &mut Expected,
    random: &mut Random,
    totals: &mut Totals,
) {
    for _ in 0..random.below(80) {
        let done = match random.below(44) {
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
            3 | 4 => remove(journal, expected, random, totals),
            5..=12 => journal
                .sync()
                .map(|_| expected.acknowledged = expected.frames.len()),
            13..=20 => append_group(journal, expected, random),
            21 => {
                match random.below(3) {
                    0 => disk.fail_writes(1),
                    1 => disk.fail_truncates(1),
                    _ => disk.fail_folder_syncs(1),
                }
                Ok(())
            }
            22 | 23 => {
                // A group is taken back, and the room it had is there for the next one.
                disk.set_bytes_max(Some(disk.bytes() + random.below(300)));
                let done = append_group(journal, expected, random);
                disk.set_bytes_max(None);
                done
            }
            _ => {
                let bytes = match random.below(3) {
                    0 => random.below(300) as usize,
                    _ => few_sizes(random),
                };
                let payload = expected.payload(expected.frames.len(), bytes);
                let at = journal.append(&payload);
                at.map(|at| expected.frames.push((payload, at)))
            }
        };
        match done {
            Ok(()) => {}
            Err(JournalError::StorageFull { .. }) => totals.add("full disks", 1),
            Err(_) => return totals.add("failures", 1),
        }
    }
}

/// Few sizes, so that what was taken back and what is written over it often lie frame on frame.
fn few_sizes(random: &mut Random) -> usize {
    8 + 64 * random.below(3) as usize
}

fn append_group(
    journal: &mut Journal,
    expected: &mut Expected,
    random: &mut Random,
) -> Result<(), JournalError> {
    let first = expected.frames.len();
    let count = 1 + random.below(4) as usize;
    let payloads: Vec<Vec<u8>> = (first..first + count)
        .map(|number| expected.payload(number, few_sizes(random)))
        .collect();
    let parts: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
    let places = journal.append_group(&parts)?;
    expected.frames.extend(payloads.into_iter().zip(places));
    expected.within.extend(first + 1..expected.frames.len());
    Ok(())
}

fn remove(
    journal: &mut Journal,
    expected: &mut Expected,
    random: &mut Random,
    totals: &mut Totals,
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
    let removed = journal.remove_segments_before(before)?;
    totals.add("segments removed", removed);
    Ok(())
}

#[test]
fn every_synced_frame_survives_in_order_and_once() {
    let totals = campaign::run("journal on a disk that forgets", run);
    assert!(totals.of("frames acknowledged") > 0);
}
