//! Measures deduplication alone: ids per CPU second, memory per id, and what a checkpoint and a start cost.
//!
//! `cargo run --profile release -p tillwatch-process --example dedup_speed -- [ids] [budget in MiB]`
//!
//! Ids are texts of 24 characters, 5 000 a batch, 2 % of them sent before, evenly over all that are remembered;
//! a checkpoint is written every million. With a small budget most ids are looked up in files.

#![expect(clippy::print_stdout, reason = "a program that prints a figure")]
#![expect(clippy::unwrap_used, reason = "a measurement stops at the first fault")]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::arrow::array::{ArrayRef, StringViewArray};
use tillwatch_journal::{DiskStorage, Storage};
use tillwatch_process::{Dedup, DedupBudget, DedupCheckpoint, remove_unneeded};

const BATCH: u64 = 5_000;
const MILLION: u64 = 1_000_000;
const HORIZON: Duration = Duration::from_secs(24 * 3600);

/// Seconds this thread has spent on a CPU.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let ns: f64 = text.split(' ').next().unwrap().parse().unwrap();
    ns / 1e9
}

/// A batch behind the first `known` ids; of 100 rows so many are repeated.
fn batch(known: u64, repeated: u64) -> ArrayRef {
    let mut state = known;
    let ids = (0..BATCH).map(|row| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let number = if known > 0 && row % 100 < repeated {
            (state >> 16) % known
        } else {
            known + row
        };
        format!("evt_{number:020}")
    });
    Arc::new(StringViewArray::from_iter_values(ids))
}

fn feed(dedup: &mut Dedup, from: u64, to: u64, repeated: u64) -> (f64, u64) {
    let (mut seconds, mut found) = (0.0, 0);
    for known in (from..to).step_by(5_000) {
        let ids = batch(known, repeated);
        let start = cpu();
        // 100 thousand a second.
        dedup.advance(i64::try_from(known * 10).unwrap());
        let marks = dedup.rows_by_id(&ids).unwrap();
        seconds += cpu() - start;
        found += marks.map_or(0, |marks| marks.count_set_bits() as u64);
    }
    (seconds, found)
}

fn tell(dedup: &Dedup) {
    let in_memory = dedup.len() - dedup.spilled_ids();
    println!(
        "      {} ids, {in_memory} in memory; {} MB of memory, {:.1} bytes an id; {} MB on disk",
        dedup.len(),
        dedup.bytes() / 1_000_000,
        dedup.bytes() as f64 / dedup.len() as f64,
        dedup.disk_bytes() / 1_000_000
    );
}

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse().unwrap());
    let ids: u64 = args.next().unwrap_or(10 * MILLION);
    let budget = usize::try_from(args.next().unwrap_or(1_024)).unwrap() << 20;
    let folder = tempfile::tempdir().unwrap();
    let storage: Arc<dyn Storage> = Arc::new(DiskStorage::open(folder.path()).unwrap());
    let shared = DedupBudget::new(budget);
    let mut dedup = Dedup::create(HORIZON, &shared, Arc::clone(&storage), "s").unwrap();
    let mut checkpoint = DedupCheckpoint::default();
    let (mut bytes_max, mut all): (f64, f64) = (0.0, 0.0);
    for from in (0..ids).step_by(MILLION as usize) {
        let to = from + MILLION;
        let (seconds, found) = feed(&mut dedup, from, to, 2);
        all += seconds;
        bytes_max = bytes_max.max(dedup.bytes() as f64 / dedup.len() as f64);
        let start = cpu();
        checkpoint = dedup.freeze().unwrap();
        let froze = cpu() - start;
        let start = cpu();
        dedup.merge_all().unwrap();
        let merged = cpu() - start;
        println!(
            "{:4} M: {:5.1} M ids a CPU second, {found} repeated; frozen in {froze:.3} and merged in {merged:.3} CPU seconds, {} files",
            to / MILLION,
            1.0 / seconds,
            checkpoint.runs.len()
        );
    }
    tell(&dedup);
    println!("      at most {bytes_max:.1} bytes an id");
    println!(
        "      all: {:.1} M ids a CPU second",
        ids as f64 / 1e6 / all
    );
    for (part, repeated) in [(0, 0), (1, 2), (2, 100)] {
        let from = ids + part * 200_000;
        let (seconds, found) = feed(&mut dedup, from, from + 200_000, repeated);
        println!(
            "{repeated:3} % repeated: {:.1} M ids a CPU second, {found} found",
            0.2 / seconds
        );
    }
    checkpoint = dedup.freeze().unwrap_or(checkpoint);
    remove_unneeded(storage.as_ref(), &dedup.files().collect::<HashSet<_>>()).unwrap();
    drop(dedup);
    let (start, began) = (Instant::now(), cpu());
    let dedup = Dedup::load(HORIZON, &shared, storage, "s", &checkpoint).unwrap();
    println!(
        "loaded in {:.3?}, {:.3} CPU seconds",
        start.elapsed(),
        cpu() - began
    );
    tell(&dedup);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    println!(
        "{}, most memory of the whole program",
        peak.unwrap_or_default()
    );
}
