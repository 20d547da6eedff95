use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use tillwatch_testkit::simulate::{Simulator, SimulatorConfig};

use crate::{DAY_US, HOUR_US, MINUTE_US, MONDAY_US, bytes, events, fnv, perfect, text};

#[test]
fn the_same_seed_gives_the_bytes_it_gave_when_this_was_written() {
    let simulator = Simulator::new(SimulatorConfig::default(), 42).unwrap();
    let hashes: Vec<String> = bytes(
        &simulator,
        MONDAY_US + 12 * HOUR_US,
        MONDAY_US + 13 * HOUR_US,
    )
    .iter()
    .map(|(stream, body)| format!("{stream} {} {:016x}", body.len(), fnv(body)))
    .collect();
    assert_eq!(hashes, GOLDEN);
}

/// Changes with anything that changes what is simulated; a demo's history then differs from what it would continue with.
const GOLDEN: [&str; 5] = [
    "order_lines 136131 590b820c2243be61",
    "orders 117548 15fc0e74a3945b46",
    "payment_movements 1465596 e5fb709fb1b01282",
    "payments 1731092 c426d3be029bba2e",
    "visits 1791697 0c79919023352701",
];

#[test]
fn another_seed_gives_other_events() {
    let window = (MONDAY_US, MONDAY_US + 10 * MINUTE_US);
    assert_ne!(
        bytes(&perfect(400_000, 1), window.0, window.1),
        bytes(&perfect(400_000, 2), window.0, window.1)
    );
}

#[test]
fn an_empty_or_backward_window_holds_nothing() {
    let simulator = perfect(400_000, 1);
    assert_eq!(simulator.batches(MONDAY_US, MONDAY_US).count(), 0);
    assert_eq!(simulator.batches(MONDAY_US, MONDAY_US - HOUR_US).count(), 0);
}

#[test]
fn batches_follow_one_another_without_gap_and_keep_to_their_window() {
    let simulator = perfect(600_000, 1);
    let mut upto = BTreeMap::new();
    for batch in simulator.batches(MONDAY_US, MONDAY_US + 2 * HOUR_US) {
        assert!(batch.from_us < batch.to_us && batch.events > 0);
        let before = upto.insert(batch.stream, batch.to_us);
        assert!(before.is_none_or(|b| b <= batch.from_us));
        for line in batch
            .ndjson
            .split(|b| *b == b'\n')
            .filter(|l| !l.is_empty())
        {
            let event = serde_json::from_slice(line).unwrap();
            // Times are written in milliseconds.
            let at_us = crate::at_us(&event);
            assert!(batch.from_us - 1000 < at_us && at_us < batch.to_us);
        }
    }
    assert_eq!(upto.len(), 5);
}

#[test]
fn every_event_has_an_id_of_its_own() {
    let mut ids = HashSet::new();
    for (stream, events) in events(&perfect(50_000, 5), MONDAY_US, MONDAY_US + DAY_US) {
        for event in events {
            assert!(
                ids.insert(text(&event, "event_id").to_owned()),
                "{stream}: {event}"
            );
        }
    }
    assert!(ids.len() > 30_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn split_windows_put_together_are_the_whole_window(
        seed in any::<u64>(),
        start in 0..6 * HOUR_US,
        mut cuts in prop::collection::vec(0..90 * MINUTE_US, 1..5),
    ) {
        let simulator = Simulator::new(SimulatorConfig { events_per_day: 100_000, ..SimulatorConfig::default() }, seed).unwrap();
        let (from_us, to_us) = (MONDAY_US + start, MONDAY_US + start + 90 * MINUTE_US);
        let whole = bytes(&simulator, from_us, to_us);

        cuts.sort_unstable();
        let borders: Vec<i64> = [from_us].into_iter().chain(cuts.into_iter().map(|c| from_us + c)).chain([to_us]).collect();
        let mut windows: BTreeMap<_, Vec<u8>> = BTreeMap::new();
        let mut live: BTreeMap<_, Vec<u8>> = BTreeMap::new();
        let mut feed = simulator.feed(from_us);
        for window in borders.windows(2) {
            for (stream, body) in bytes(&simulator, window[0], window[1]) {
                windows.entry(stream).or_default().extend(body);
            }
            for batch in feed.advance(window[1]) {
                live.entry(batch.stream).or_default().extend(batch.ndjson);
            }
        }
        prop_assert!(windows == whole, "windows made apart differ from the whole");
        prop_assert!(live == whole, "a feed advanced in steps differs from the whole");
    }
}
