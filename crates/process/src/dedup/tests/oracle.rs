//! Random work against the oracle: time jumps, checkpoints, merges, spills, loads from any checkpoint.

use std::collections::{HashSet, VecDeque};

use super::super::{DedupMerged, remove_unneeded};
use super::disk::{Disk, Random};
use super::*;

/// Ids that come in one run of the test.
const UNIVERSE: usize = 40_000;

/// The next batch: mostly soon after the last, sometimes much later or earlier.
pub fn random_batch(random: &mut Random, now: &mut i64, rows_max: usize) -> Batch {
    *now += match random.below(20) {
        0 => HOUR / 9,
        1 => HOUR * 9 / 10,
        2 if random.below(3) == 0 => HOUR + HOUR / 40,
        3 if random.below(4) == 0 => 5 * HOUR,
        _ => random.below(HOUR as usize / 100) as i64,
    };
    let back = if random.below(10) == 0 { HOUR / 3 } else { 0 };
    // Of a moving part, so that there are new ids as well as old ones.
    let rows = random.below(rows_max) + 1;
    let ids = (0..rows).map(|_| match random.below(50) {
        0 => None,
        _ => Some(random.below(UNIVERSE) as i64),
    });
    Batch {
        ids: ids.collect(),
        received_at_us: (*now - back).max(0),
    }
}

fn run(seed: u64) {
    let mut random = Random(seed);
    let disk = Disk::default();
    // Far too little, room for about a third of the ids, and enough.
    let budget = [0, 400_000, 900_000, AMPLE][random.below(4)];
    let mut dedup = create(&disk, budget).unwrap();
    let mut oracle = Oracle::default();
    let mut now = 0;
    let mut log: Vec<(Batch, Vec<bool>)> = Vec::new();
    let mut checkpoints = VecDeque::from([(0, DedupCheckpoint::default())]);
    let mut merged: Option<DedupMerged> = None;
    for step in 0..60 {
        let next = random_batch(&mut random, &mut now, 3_000);
        let expected = oracle.take(&next);
        let found = give(&mut dedup, &next).unwrap();
        assert!(found == expected, "step {step}");
        log.push((next, expected));
        match random.below(8) {
            0 | 1 => {
                checkpoints.push_back((log.len(), dedup.freeze().unwrap()));
                if random.below(2) == 0 && checkpoints.len() > 2 {
                    checkpoints.pop_front();
                }
                let needed = checkpoints.iter().flat_map(|(_, c)| &c.runs);
                let mut keep: HashSet<_> = needed.map(|run| run.file.clone()).collect();
                keep.extend(dedup.files());
                remove_unneeded(&disk, &keep).unwrap();
            }
            2 => dedup.merge_all().unwrap(),
            3 => match merged.take() {
                Some(merged) => dedup.adopt(merged).unwrap(),
                None => merged = dedup.merge().unwrap().map(|job| job.run().unwrap()),
            },
            4 => {
                // A restart: what came after the checkpoint is decided as the first time.
                let (from, checkpoint) = &checkpoints[random.below(checkpoints.len())];
                merged = None;
                dedup = load(&disk, budget, checkpoint).unwrap();
                for (batch, expected) in &log[*from..] {
                    assert!(give(&mut dedup, batch).unwrap() == *expected, "step {step}");
                }
                // What the life before wrote is named by none of the later ones.
                let from = *from;
                checkpoints.retain(|(at, _)| *at <= from);
            }
            _ => {}
        }
    }
}

#[test]
fn every_row_is_decided_as_the_oracle_does_over_restarts_merges_and_spills() {
    for seed in seeds(60) {
        println!("TILLWATCH_SEED={seed}");
        run(seed);
    }
}
