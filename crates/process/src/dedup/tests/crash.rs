//! Power cuts at every operation, full disks and failed syncs: no decision ever changes.

use std::collections::HashSet;

use super::super::remove_unneeded;
use super::disk::{Disk, Random};
use super::oracle::random_batch;
use super::*;

/// Works until the power is off. Gives the last checkpoint that was taken, and the batches after it that were
/// decided. Only what failed for want of power may fail.
struct Work {
    checkpoint: (usize, DedupCheckpoint),
    done: usize,
}

fn work(disk: &Disk, budget: usize, batches: &[(Batch, Vec<bool>)], start: Work) -> Work {
    let mut state = start;
    let off = |error: ProcessError| assert!(disk.is_off(), "{error}");
    let (from, checkpoint) = state.checkpoint.clone();
    let loaded = load(disk, budget, &checkpoint);
    let mut dedup = match loaded {
        Ok(dedup) => dedup,
        Err(error) => {
            off(error);
            return state;
        }
    };
    for (index, (batch, expected)) in batches.iter().enumerate().skip(from) {
        match give(&mut dedup, batch) {
            Ok(found) => assert!(found == *expected, "batch {index}"),
            Err(error) => {
                off(error);
                return state;
            }
        }
        state.done = state.done.max(index + 1);
        if index % 3 == 2 {
            match dedup.freeze() {
                Ok(checkpoint) => state.checkpoint = (index + 1, checkpoint),
                Err(error) => off(error),
            }
            let mut keep: HashSet<_> = dedup.files().collect();
            let named = state.checkpoint.1.runs.iter();
            keep.extend(named.map(|run| run.file.clone()));
            if let Err(error) = remove_unneeded(disk, &keep) {
                off(error);
            }
            if let Err(error) = dedup.merge_all() {
                off(error);
            }
        }
    }
    state
}

fn batches(seed: u64, count: usize, rows_max: usize) -> Vec<(Batch, Vec<bool>)> {
    let mut random = Random(seed);
    let mut oracle = Oracle::default();
    let mut now = 0;
    let batches = (0..count).map(|_| {
        let batch = random_batch(&mut random, &mut now, rows_max);
        let expected = oracle.take(&batch);
        (batch, expected)
    });
    batches.collect()
}

fn nothing() -> Work {
    Work {
        checkpoint: (0, DedupCheckpoint::default()),
        done: 0,
    }
}

#[test]
fn a_power_cut_at_any_operation_changes_no_decision() {
    for seed in seeds(2) {
        println!("TILLWATCH_SEED={seed}");
        // Without spilling, and with.
        for budget in [AMPLE, 0] {
            let batches = batches(seed, 48, 1_500);
            let whole = Disk::default();
            assert_eq!(work(&whole, budget, &batches, nothing()).done, 48);
            let operations = whole.state().operations;
            assert!(operations > 100, "{operations}");
            for cut in 0..operations {
                let disk = Disk::default();
                disk.state().operations_max = Some(cut);
                let state = work(&disk, budget, &batches, nothing());
                disk.crash(seed ^ cut);
                let state = work(&disk, budget, &batches, state);
                assert_eq!(state.done, 48, "cut at {cut}");
            }
        }
    }
}

#[test]
fn a_failed_sync_writes_the_ids_again_under_another_name() {
    let disk = Disk::default();
    let mut dedup = create(&disk, AMPLE).unwrap();
    assert_eq!(new(&mut dedup, 0, 0..5_000), 5_000);
    disk.state().failing_syncs = 1;
    let error = dedup.freeze().unwrap_err().to_string();
    assert!(error.contains("sync payments-"), "{error}");
    assert_eq!(disk.names(), Vec::<String>::new());
    let checkpoint = dedup.freeze().unwrap();
    assert_eq!(disk.names(), ["payments-00000000000000000002.ids"]);
    disk.crash(1);
    let mut dedup = load(&disk, AMPLE, &checkpoint).unwrap();
    assert_eq!(new(&mut dedup, 1, 0..6_000), 1_000);
}

#[test]
fn after_a_failed_sync_of_the_folder_no_checkpoint_is_taken_until_a_restart() {
    let disk = Disk::default();
    let mut dedup = create(&disk, AMPLE).unwrap();
    let before = dedup.freeze().unwrap();
    assert_eq!(new(&mut dedup, 0, 0..5_000), 5_000);
    disk.state().failing_folder_syncs = 1;
    dedup.freeze().unwrap_err();
    dedup.freeze().unwrap_err();
    assert_eq!(new(&mut dedup, 0, 0..5_001), 1);
    let mut dedup = load(&disk, AMPLE, &before).unwrap();
    assert_eq!(new(&mut dedup, 0, 0..5_000), 5_000);
    dedup.freeze().unwrap();
}

#[test]
fn on_a_full_disk_ids_stay_in_memory_and_leave_it_when_there_is_room() {
    let disk = Disk::default();
    disk.state().bytes_max = Some(100_000);
    let mut dedup = create(&disk, 200_000).unwrap();
    for part in 0..40 {
        let ids = part * 1_000..(part + 1) * 1_000;
        assert_eq!(new(&mut dedup, 0, ids), 1_000);
    }
    assert_eq!(new(&mut dedup, 0, 0..40_000), 0);
    dedup.freeze().unwrap_err();
    disk.state().bytes_max = None;
    dedup.freeze().unwrap();
    assert!(dedup.spilled_ids() > 30_000, "{}", dedup.spilled_ids());
    assert_eq!(new(&mut dedup, 0, 0..40_001), 1);
}

#[test]
fn a_batch_whose_ids_cannot_be_looked_up_is_as_if_it_never_came() {
    let disk = Disk::default();
    let mut dedup = create(&disk, 0).unwrap();
    assert_eq!(new(&mut dedup, 0, 0..20_000), 20_000);
    dedup.freeze().unwrap();
    disk.state().failing_reads = 1;
    let mixed = batch(0, (30_000..31_000).chain(0..10));
    give(&mut dedup, &mixed).unwrap_err();
    assert_eq!(new(&mut dedup, 0, 30_000..31_000), 1_000);
    assert_eq!(new(&mut dedup, 0, 0..10), 0);
}
