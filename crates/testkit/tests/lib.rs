//! Tests of the traffic simulator, the workload to measure with, the oracle and the simulated disk.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets the unexpected has failed"
)]

mod fault;
mod oracle;
mod packs;
mod simulate {
    mod delivery;
    mod determinism;
    mod figures;
    mod incidents;
}
mod workload;

use std::collections::BTreeMap;

use serde_json::Value;
use tillwatch_testkit::simulate::{Delivery, Incident, IncidentKind, Simulator, SimulatorConfig};

/// Monday 2026-11-02T00:00:00Z.
const MONDAY_US: i64 = 1_793_577_600_000_000;
const MINUTE_US: i64 = 60_000_000;
const HOUR_US: i64 = 60 * MINUTE_US;
const DAY_US: i64 = 24 * HOUR_US;

/// A simulator of so many events a day, each delivered once and in order.
fn perfect(events_per_day: u64, seed: u64) -> Simulator {
    with_incidents(events_per_day, seed, Vec::new())
}

fn with_incidents(events_per_day: u64, seed: u64, incidents: Vec<Incident>) -> Simulator {
    let config = SimulatorConfig {
        events_per_day,
        delivery: Delivery::perfect(),
        ..SimulatorConfig::default()
    };
    Simulator::with_incidents(config, seed, incidents).unwrap()
}

fn incident(from_us: i64, minutes: i64, kind: IncidentKind) -> Incident {
    Incident {
        from_us,
        to_us: from_us + minutes * MINUTE_US,
        kind,
    }
}

/// The bytes of each stream that arrive in a window.
fn bytes(simulator: &Simulator, from_us: i64, to_us: i64) -> BTreeMap<&'static str, Vec<u8>> {
    let mut all: BTreeMap<_, Vec<u8>> = BTreeMap::new();
    for batch in simulator.batches(from_us, to_us) {
        assert_eq!(
            batch.events as usize,
            batch.ndjson.iter().filter(|b| **b == b'\n').count()
        );
        all.entry(batch.stream).or_default().extend(batch.ndjson);
    }
    all
}

fn parse(body: &[u8]) -> Vec<Value> {
    body.split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| serde_json::from_slice(l).unwrap())
        .collect()
}

/// The events of each stream that arrive in a window.
fn events(simulator: &Simulator, from_us: i64, to_us: i64) -> BTreeMap<&'static str, Vec<Value>> {
    bytes(simulator, from_us, to_us)
        .into_iter()
        .map(|(stream, body)| (stream, parse(&body)))
        .collect()
}

/// The events of one stream that arrive in a window; far fewer to read than all.
fn events_of(simulator: &Simulator, stream: &str, from_us: i64, to_us: i64) -> Vec<Value> {
    bytes(simulator, from_us, to_us)
        .get(stream)
        .map(|body| parse(body))
        .unwrap_or_default()
}

/// A hash that needs no crate and is the same everywhere.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, b| {
        (hash ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn text<'a>(event: &'a Value, field: &str) -> &'a str {
    event.get(field).and_then(Value::as_str).unwrap_or("")
}

fn at_us(event: &Value) -> i64 {
    text(event, "occurred_at")
        .parse::<jiff::Timestamp>()
        .unwrap()
        .as_microsecond()
}

fn share<'a>(events: impl IntoIterator<Item = &'a Value>, of: impl Fn(&Value) -> bool) -> f64 {
    let (mut all, mut hit) = (0_u32, 0_u32);
    for event in events {
        all += 1;
        hit += u32::from(of(event));
    }
    assert!(all > 0, "a share of nothing");
    f64::from(hit) / f64::from(all)
}
