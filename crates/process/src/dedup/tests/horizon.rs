//! Another horizon than the one the files were written with.

use super::disk::Disk;
use super::*;

fn reload(disk: &Disk, budget: usize, horizon: Duration, from: &DedupCheckpoint) -> Dedup {
    let budget = DedupBudget::new(budget);
    Dedup::load(horizon, &budget, Arc::new(disk.clone()), STREAM, from).unwrap()
}

#[test]
fn with_another_horizon_no_id_is_forgotten_early_or_kept_for_long() {
    for budget in [AMPLE, 0] {
        for minutes in [7, 30, 59, 61, 300, 100_000] {
            let horizon = minutes * 60_000_000;
            for (first, now) in [(0, 0), (1, 5 * 60_000_000), (HOUR / 2, HOUR), (0, HOUR)] {
                let disk = Disk::default();
                let mut dedup = create(&disk, budget).unwrap();
                assert_eq!(new(&mut dedup, first, 0..3_000), 3_000);
                assert_eq!(new(&mut dedup, now, 5_000..5_001), 1);
                let checkpoint = dedup.freeze().unwrap();
                let duration = Duration::from_micros(horizon as u64);
                // Within the new horizon each is known; one and an eighth later none is.
                let mut dedup = reload(&disk, budget, duration, &checkpoint);
                let known = (first + horizon).max(now);
                let expected = if now - first <= horizon { 0 } else { 3_000 };
                let found = new(&mut dedup, known, 0..3_000);
                if expected == 0 {
                    assert_eq!(found, 0, "{minutes} {first} {now}");
                }
                let mut dedup = reload(&disk, budget, duration, &checkpoint);
                let gone = first + horizon + horizon / 32 + HOUR / 32;
                if gone > now {
                    assert_eq!(
                        new(&mut dedup, gone, 0..3_000),
                        3_000,
                        "{minutes} {first} {now}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_id_is_known_at_both_ends_of_the_horizon_also_from_a_file() {
    for budget in [AMPLE, 0] {
        let disk = Disk::default();
        let mut dedup = create(&disk, budget).unwrap();
        assert_eq!(new(&mut dedup, 5, 0..3_000), 3_000);
        let checkpoint = dedup.freeze().unwrap();
        let mut dedup = load(&disk, budget, &checkpoint).unwrap();
        assert_eq!(new(&mut dedup, HOUR / 2, 0..1_000), 0);
        assert_eq!(new(&mut dedup, HOUR + 5, 0..3_000), 0);
        // Seeing a duplicate does not prolong it.
        assert_eq!(new(&mut dedup, HOUR + HOUR / 32, 0..3_000), 3_000);
    }
}
