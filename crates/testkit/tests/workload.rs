use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use tillwatch_testkit::workload::{
    FAILING_MERCHANT, LATE_US_MAX, MERCHANTS, OUT_OF_ORDER_US_MAX, Workload, WorkloadConfig,
    WorkloadError, Written,
};

use crate::{HOUR_US, at_us, fnv, share, text};

fn write(config: WorkloadConfig) -> (Vec<u8>, Written) {
    let mut file = Vec::new();
    let mut told = 0;
    let workload = Workload::new(config).unwrap();
    let written = workload.write(&mut file, |more| told += more).unwrap();
    assert_eq!(told, config.events);
    assert_eq!(written.bytes, file.len() as u64);
    (file, written)
}

fn config(events: u64, seed: u64) -> WorkloadConfig {
    WorkloadConfig {
        events,
        seed,
        ..WorkloadConfig::default()
    }
}

#[test]
fn the_same_seed_gives_the_bytes_it_gave_when_this_was_written() {
    let (file, _) = write(config(20_000, 42));
    assert_eq!(format!("{} {:016x}", file.len(), fnv(&file)), GOLDEN);
    assert_ne!(file, write(config(20_000, 43)).0);
}

/// Changes with anything that changes the workload; figures taken before do not compare with those after.
const GOLDEN: &str = "6007391 704c11da43449be8";

#[test]
fn shares_of_repeated_disordered_and_late_events_hold() {
    let config = config(100_000, 7);
    let (file, written) = write(config);
    let lines: Vec<&[u8]> = file.split_inclusive(|b| *b == b'\n').collect();
    assert_eq!(lines.len(), 100_000);
    let bytes = file.len() / lines.len();
    assert!((280..=330).contains(&bytes), "{bytes} bytes an event");

    let mut seen: HashMap<String, &[u8]> = HashMap::new();
    let (mut repeated, mut late, mut disordered) = (0, 0, 0);
    for (number, line) in (0..).zip(&lines) {
        let event: Value = serde_json::from_slice(line).unwrap();
        if let Some(first) = seen.insert(text(&event, "event_id").to_owned(), line) {
            assert_eq!(first, *line, "a repeated event is the same line");
            repeated += 1;
            continue;
        }
        let arrived_us = config.from_us + number * config.span_us / 100_000;
        let delay_us = arrived_us - at_us(&event);
        assert!((0..=LATE_US_MAX + 1_000).contains(&delay_us));
        // Times are written in milliseconds.
        late += u32::from(delay_us > OUT_OF_ORDER_US_MAX + 1_000);
        disordered += u32::from((1_000..=OUT_OF_ORDER_US_MAX + 1_000).contains(&delay_us));
    }
    assert_eq!(repeated, written.repeated);
    let of_all = |count: u32| f64::from(count) / seen.len() as f64;
    let repeated = repeated as f64 / 100_000.0;
    assert!((0.018..0.021).contains(&repeated), "{repeated} repeated");
    assert!((0.047..0.053).contains(&of_all(disordered)), "{disordered}");
    assert!((0.0016..0.0024).contains(&of_all(late)), "{late} late");
}

#[test]
fn no_line_looks_as_if_it_had_a_card_number() {
    let (file, _) = write(config(100_000, 1));
    let text = String::from_utf8(file).unwrap();
    for line in text.lines() {
        assert_eq!(tillwatch_event::guard::mask_line(line), line);
    }
}

#[test]
fn merchants_follow_zipf_and_each_sells_in_one_currency() {
    let (file, _) = write(config(100_000, 3));
    let events = crate::parse(&file);
    let mut merchants: BTreeMap<&str, (u32, &str)> = BTreeMap::new();
    for event in &events {
        let currency = text(event, "currency");
        let entry = merchants
            .entry(text(event, "merchant_id"))
            .or_insert((0, currency));
        entry.0 += 1;
        assert_eq!(entry.1, currency);
    }
    let count = |name| f64::from(merchants[name].0);
    let ratio = count("m00001") / count("m00010");
    assert!((9.0..11.0).contains(&ratio), "{ratio}");
    assert!(merchants.len() > 4_000 && merchants.len() as u64 <= MERCHANTS);
    let methods: std::collections::BTreeSet<_> =
        events.iter().map(|event| text(event, "method")).collect();
    assert_eq!(methods.len(), 5);
    let declined = share(&events, |event| text(event, "status") == "declined");
    assert!((0.10..0.12).contains(&declined), "{declined}");
    for event in &events {
        assert_eq!(
            text(event, "status") == "declined",
            event.get("decline_code").is_some()
        );
        let (_, cents) = text(event, "amount").split_once('.').unwrap();
        assert_eq!(cents.len(), 2);
    }
    let mut latencies: Vec<i64> = events
        .iter()
        .map(|event| event["latency_ms"].as_i64().unwrap())
        .collect();
    latencies.sort_unstable();
    let (middle, tail) = (latencies[50_000], latencies[95_000]);
    assert!((330..350).contains(&middle), "median {middle}");
    // exp(0.7 × 1.645) times the median.
    assert!((1_030..1_120).contains(&tail), "p95 {tail}");
}

#[test]
fn one_merchant_fails_from_half_to_three_quarters_of_the_span() {
    let config = config(100_000, 5);
    let (file, _) = write(config);
    let name = format!("m{FAILING_MERCHANT:05}");
    let events = crate::parse(&file);
    let declined = |from: f64, to: f64| {
        let hour = HOUR_US as f64;
        let within = events.iter().filter(|event| {
            let at = (at_us(event) - config.from_us) as f64 / hour;
            text(event, "merchant_id") == name && (from..to).contains(&at)
        });
        share(within, |event| text(event, "status") == "declined")
    };
    let figures = [declined(0.0, 0.5), declined(0.5, 0.75), declined(0.75, 1.0)];
    assert!(
        figures[0] < 0.2 && figures[1] > 0.5 && figures[2] < 0.2,
        "{figures:?}"
    );
}

#[test]
fn what_cannot_be_is_refused() {
    let base = WorkloadConfig::default();
    for (config, error) in [
        (WorkloadConfig { span_us: 0, ..base }, WorkloadError::Span),
        (
            WorkloadConfig {
                span_us: i64::MAX,
                ..base
            },
            WorkloadError::Span,
        ),
        (
            WorkloadConfig {
                from_us: -1,
                ..base
            },
            WorkloadError::From,
        ),
    ] {
        assert_eq!(Workload::new(config).unwrap_err(), error);
    }
    let (file, written) = write(config(0, 1));
    assert!(file.is_empty());
    assert_eq!(written, Written::default());
}
