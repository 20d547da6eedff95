use super::*;
use proptest::prelude::*;

const MIB: usize = 1 << 20;

/// Takes a byte-sized step after step until refused.
fn exhaust(budget: &MemoryBudget, part: MemoryPart, step: usize) -> MemoryShare {
    let mut share = budget.share(part);
    while share.grow(step).is_ok() {}
    share
}

fn held(budget: &MemoryBudget) -> usize {
    budget.status().bytes
}

#[test]
fn what_queries_take_up_leaves_ingest_its_part_and_the_other_way_round() {
    for (greedy, other) in [
        (MemoryPart::Queries, MemoryPart::Ingest),
        (MemoryPart::Ingest, MemoryPart::Queries),
    ] {
        let budget = MemoryBudget::new(100 * MIB);
        let all = exhaust(&budget, greedy, MIB);
        assert_eq!(all.bytes(), 75 * MIB);
        let part = exhaust(&budget, other, MIB);
        assert_eq!(part.bytes(), 25 * MIB);
        assert_eq!(held(&budget), 100 * MIB);
        let short = budget.reserve(greedy, MIB).unwrap_err();
        assert_eq!(
            short.to_string(),
            format!(
                "the memory for {} is used up: 1048576 bytes more were asked for, and 104857600 of 104857600 are taken (memory.bytes_max)",
                greedy.name()
            )
        );
        drop((all, part));
        assert_eq!(held(&budget), 0);
    }
}

#[test]
fn what_stays_lowers_what_the_others_may_take() {
    let budget = MemoryBudget::new(100 * MIB);
    budget.measured(MemoryPart::Cubes, 50 * MIB);
    budget.measured(MemoryPart::Dedup, 10 * MIB);
    let queries = exhaust(&budget, MemoryPart::Queries, MIB);
    assert_eq!(queries.bytes(), 30 * MIB);
    assert_eq!(exhaust(&budget, MemoryPart::Ingest, MIB).bytes(), 10 * MIB);
    drop(queries);
    // When it has taken everything, a little is left to say so with.
    budget.measured(MemoryPart::Cubes, 200 * MIB);
    assert_eq!(exhaust(&budget, MemoryPart::Ingest, MIB).bytes(), 3 * MIB);
    assert_eq!(exhaust(&budget, MemoryPart::Caches, MIB).bytes(), 0);
    budget.measured(MemoryPart::Ingest, 5);
    budget.measured(MemoryPart::Cubes, 0);
    budget.measured(MemoryPart::Dedup, 0);
    assert_eq!(held(&budget), 0);
}

#[test]
fn what_nobody_accounts_for_is_seen_in_the_whole_process() {
    let budget = MemoryBudget::new(100 * MIB);
    let share = budget.reserve(MemoryPart::Ingest, 10 * MIB).unwrap();
    budget.measured(MemoryPart::Cubes, 5 * MIB);
    budget.measured_process(40 * MIB);
    assert_eq!(held(&budget), 40 * MIB);
    budget.measured_process(40 * MIB);
    assert_eq!(held(&budget), 40 * MIB, "not counted twice");
    drop(share);
    budget.measured_process(3 * MIB);
    assert_eq!(held(&budget), 5 * MIB);
}

struct Cache {
    entries: Mutex<Vec<MemoryShare>>,
    asked: Mutex<Vec<usize>>,
}

impl Yielding for Cache {
    fn yield_bytes(&self, bytes: usize) {
        self.asked.lock().unwrap().push(bytes);
        let mut left = bytes;
        let mut entries = self.entries.lock().unwrap();
        while left > 0
            && let Some(entry) = entries.pop()
        {
            left = left.saturating_sub(entry.bytes());
        }
    }
}

#[test]
fn caches_give_way_by_as_much_as_is_needed_and_never_take_from_others() {
    let budget = MemoryBudget::new(100 * MIB);
    let caches: Vec<_> = (0..2)
        .map(|_| {
            let entries = (0..25).map_while(|_| budget.reserve(MemoryPart::Caches, MIB).ok());
            let cache = Arc::new(Cache {
                entries: Mutex::new(entries.collect()),
                asked: Mutex::default(),
            });
            let weak = Arc::downgrade(&cache);
            budget.register(weak);
            cache
        })
        .collect();
    // Half is set aside for ingest and queries.
    assert_eq!(held(&budget), 50 * MIB);
    assert!(budget.reserve(MemoryPart::Caches, MIB).is_err());
    let queries = budget.reserve(MemoryPart::Queries, 25 * MIB).unwrap();
    assert!(caches[0].asked.lock().unwrap().is_empty());
    let more = budget.reserve(MemoryPart::Queries, 10 * MIB).unwrap();
    assert_eq!(*caches[0].asked.lock().unwrap(), [10 * MIB]);
    assert!(caches[1].asked.lock().unwrap().is_empty());
    let most = budget.reserve(MemoryPart::Queries, 40 * MIB).unwrap();
    assert_eq!(budget.status().parts[2].bytes, 0);
    assert!(budget.reserve(MemoryPart::Queries, MIB).is_err());
    drop((queries, more, most, caches));
    assert_eq!(held(&budget), 0);
    assert_eq!(budget.status().parts[1].refused, 1);
}

#[test]
fn threads_never_hold_more_than_the_budget_together_and_give_all_back() {
    let budget = MemoryBudget::new(10_000);
    std::thread::scope(|scope| {
        for thread in 0..8_usize {
            let budget = &budget;
            scope.spawn(move || {
                let part = [MemoryPart::Ingest, MemoryPart::Queries][thread % 2];
                for round in 0..2_000 {
                    let share = budget.reserve(part, 700 + (round * 37 + thread) % 1_900);
                    assert!(held(budget) <= 10_000);
                    drop(share);
                }
            });
        }
    });
    assert_eq!(held(&budget), 0);
}

proptest! {
    /// An oracle that keeps a list: never over the budget, never a refusal within a part's own.
    #[test]
    fn never_over_the_budget_and_always_its_own_part(
        bytes_max in 100_usize..10_000,
        steps in proptest::collection::vec((0_usize..3, 0_usize..4_000, any::<bool>()), 1..200),
    ) {
        let budget = MemoryBudget::new(bytes_max);
        let mut shares: Vec<MemoryShare> = Vec::new();
        for (part, bytes, give) in steps {
            if give && !shares.is_empty() {
                shares.swap_remove(bytes % shares.len());
                continue;
            }
            let part = MemoryPart::ALL[part];
            let mine: usize = shares.iter().filter(|s| s.part == part).map(MemoryShare::bytes).sum();
            match budget.reserve(part, bytes) {
                Ok(share) => shares.push(share),
                Err(_) => prop_assert!(part == MemoryPart::Caches || mine + bytes > bytes_max / OWN_PART),
            }
            let total: usize = shares.iter().map(MemoryShare::bytes).sum();
            prop_assert_eq!(held(&budget), total);
            prop_assert!(total <= bytes_max);
        }
        shares.clear();
        prop_assert_eq!(held(&budget), 0);
    }
}
