//! Memory: per id, past the budget, and shared between streams.

use super::super::DedupMerge;
use super::disk::Disk;
use super::*;

#[test]
fn an_id_takes_at_most_forty_bytes_of_memory_at_any_moment() {
    let disk = Disk::default();
    let mut dedup = create(&disk, AMPLE).unwrap();
    let mut most = 0.0_f64;
    for part in 0..400 {
        let received = part * (HOUR / 300);
        assert_eq!(
            new(&mut dedup, received, part * 1_000..(part + 1) * 1_000),
            1_000
        );
        if part % 50 == 49 {
            dedup.freeze().unwrap();
            dedup.merge_all().unwrap();
        }
        if part >= 30 {
            most = most.max(dedup.bytes() as f64 / dedup.len() as f64);
        }
    }
    assert!(most <= 30.0, "{most} bytes an id");
    // 301 parts are alive, expired ones leave within an eighth of the horizon.
    assert!(
        (301_000..=350_000).contains(&dedup.len()),
        "{}",
        dedup.len()
    );
}

#[test]
fn past_the_budget_an_id_takes_a_few_bytes_and_nothing_is_forgotten() {
    let disk = Disk::default();
    let budget = 1_500_000;
    let mut dedup = create(&disk, budget).unwrap();
    for part in 0..300 {
        assert_eq!(new(&mut dedup, 0, part * 1_000..(part + 1) * 1_000), 1_000);
        assert!(dedup.bytes() <= budget, "{} bytes at {part}", dedup.bytes());
        if part % 40 == 39 {
            dedup.freeze().unwrap();
            dedup.merge_all().unwrap();
        }
    }
    let in_memory = dedup.len() - dedup.spilled_ids();
    assert!(in_memory < 60_000, "{in_memory}");
    assert!(dedup.disk_bytes() < dedup.spilled_ids() * 19 + 2_000_000);
    for part in (0..300).step_by(7) {
        assert_eq!(new(&mut dedup, 0, part * 1_000..(part + 1) * 1_000), 0);
    }
    assert_eq!(new(&mut dedup, 0, 299_000..301_000), 1_000);
    // Nothing of it is left when the horizon is over, not even on the disk.
    let checkpoint = {
        dedup.advance(3 * HOUR);
        dedup.freeze().unwrap()
    };
    assert_eq!((dedup.len(), checkpoint.runs.len()), (0, 0));
}

#[test]
fn filters_that_would_take_all_the_room_give_way_and_the_ids_are_still_found() {
    let disk = Disk::default();
    let mut dedup = create(&disk, 200_000).unwrap();
    for part in 0..150 {
        assert_eq!(new(&mut dedup, 0, part * 1_000..(part + 1) * 1_000), 1_000);
    }
    assert!(dedup.bytes() < 450_000, "{}", dedup.bytes());
    assert_eq!(new(&mut dedup, 0, (0..151_000).step_by(500)), 2);
}

#[test]
fn a_busy_stream_spills_and_leaves_the_others_in_memory() {
    let disk = Arc::new(Disk::default());
    let budget = DedupBudget::new(3_000_000);
    let stream = |name| Dedup::create(HORIZON, &budget, disk.clone(), name).unwrap();
    let (mut small, mut busy) = (stream("small"), stream("busy"));
    assert_eq!(new(&mut small, 0, 0..30_000), 30_000);
    for part in 0..200 {
        assert_eq!(new(&mut busy, 0, part * 1_000..(part + 1) * 1_000), 1_000);
        assert_eq!(new(&mut small, 0, part..part + 1), 0);
    }
    assert_eq!(small.spilled_ids(), 0);
    assert!(busy.spilled_ids() > 100_000, "{}", busy.spilled_ids());
    assert!(budget.bytes() <= budget.bytes_max());
    drop(busy);
    assert_eq!(budget.bytes(), small.bytes());
}

#[test]
fn runs_stay_few_and_a_merged_file_is_safe_until_it_is_adopted() {
    let disk = Disk::default();
    let mut dedup = create(&disk, AMPLE).unwrap();
    for part in 0..100 {
        assert_eq!(new(&mut dedup, part, part * 300..(part + 1) * 300), 300);
        dedup.freeze().unwrap();
        if let Some(job) = dedup.merge().unwrap() {
            let ids = DedupMerge::ids(&job);
            assert!(ids >= 4 * 300, "{ids}");
            let merged = job.run().unwrap();
            let keep: std::collections::HashSet<_> = dedup.files().collect();
            super::super::remove_unneeded(&disk, &keep).unwrap();
            dedup.adopt(merged).unwrap();
        }
        assert!(dedup.freeze().unwrap().runs.len() <= 16);
    }
    let checkpoint = dedup.freeze().unwrap();
    let mut dedup = load(&disk, AMPLE, &checkpoint).unwrap();
    assert_eq!(dedup.len(), 30_000);
    assert_eq!(new(&mut dedup, 100, 0..30_001), 1);
}
