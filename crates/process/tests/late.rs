//! Late events: histograms, the watermark of several sources, and buckets that change after they were complete,
//! against a naive recomputation over all that came.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use tillwatch_collect::{Downstream, JournalRecord};
use tillwatch_process::{
    EventClock, LAG_BOUNDS_US, ProcessOptions, Processor, QUARANTINE, Revision, Revisions,
};

use crate::support::{Event, cube, rates, record, stream};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 86_400 * SECOND;
/// 2023-11-14T22:13:20Z.
const BEGIN: i64 = 1_700_000_000 * SECOND;

const BUCKETS_S: [u64; 2] = [10, 3_600];
const SOURCES: [Option<&str>; 4] = [None, Some("poll"), Some("file"), Some(QUARANTINE)];

fn options(buckets_max: usize) -> ProcessOptions {
    ProcessOptions {
        revised_buckets_max: buckets_max,
        ..ProcessOptions::default()
    }
}

fn processor(buckets_max: usize) -> Processor {
    let cubes = BUCKETS_S
        .map(|s| cube(&format!("every_{s}s"), Duration::from_secs(s), &[]))
        .map(|cube| tillwatch_process::CubeDefinition {
            measures: vec![("events".to_owned(), "count(*)".to_owned())],
            ..cube
        });
    let definitions = vec![stream(None)];
    Processor::new(definitions, cubes.to_vec(), rates(), options(buckets_max)).expect("definitions")
}

/// A record as it comes: its source, its receipt, and the times of its events.
#[derive(Debug, Clone)]
struct Arrival {
    source: Option<&'static str>,
    received_us: i64,
    times_us: Vec<i64>,
}

impl Arrival {
    fn record(&self, position: u64) -> JournalRecord {
        let events: Vec<Event> = (self.times_us.iter())
            .map(|at_us| Event {
                id: 0,
                at_us: *at_us,
                psp: None,
                ok: true,
                amount: None,
                quantity: None,
                x: None,
                y: 0.0,
                user: None,
            })
            .collect();
        JournalRecord {
            source: self.source.map(str::to_owned),
            ..record(position, self.received_us, &events)
        }
    }
}

/// Live records, pauses, late ones, ones of clocks that are ahead, and a file of long ago.
fn arrivals() -> impl Strategy<Value = Vec<Arrival>> {
    let pause = prop_oneof![
        6 => 0..5 * SECOND,
        2 => 0..2 * MINUTE,
        1 => 4 * MINUTE..20 * MINUTE,
    ];
    let behind = prop_oneof![
        6 => 0..3 * SECOND,
        3 => 0..10 * MINUTE,
        1 => 0..40 * DAY,
        1 => -2 * 60 * MINUTE..0,
    ];
    let arrival = (
        pause,
        proptest::sample::select(&SOURCES[..]),
        proptest::collection::vec(behind, 1..6),
    );
    proptest::collection::vec(arrival, 1..60).prop_map(|steps| {
        let mut received_us = BEGIN;
        let arrive = |(pause, source, behind): (i64, _, Vec<i64>)| {
            received_us += pause;
            Arrival {
                source,
                received_us,
                times_us: behind.iter().map(|b| received_us - b).collect(),
            }
        };
        steps.into_iter().map(arrive).collect()
    })
}

/// What must come out, computed at every record from all records before it.
#[derive(Debug, Default, PartialEq)]
struct Expected {
    watermark_us: Option<i64>,
    late: u64,
    lateness: [u64; LAG_BOUNDS_US.len() + 1],
    delay: [u64; LAG_BOUNDS_US.len() + 1],
    revised: [BTreeMap<i64, Revision>; BUCKETS_S.len()],
}

/// The newest event time among records, of those not too far ahead of their receipt.
fn newest<'a>(before: impl Iterator<Item = &'a Arrival>, future_us: i64) -> Option<i64> {
    before
        .flat_map(|a| {
            let times = a.times_us.iter().copied();
            times.filter(move |t| *t <= a.received_us + future_us)
        })
        .max()
}

/// Where the sources of some records have come to at a time, less the lateness.
fn level(before: &[Arrival], now_us: i64, options: &ProcessOptions) -> Option<i64> {
    let newest_us = newest(before.iter(), options.future_max_us)?;
    let idle_us = options.source_idle_us;
    let holding = SOURCES.iter().filter_map(|source| {
        let own = || before.iter().filter(|a| a.source == *source);
        let is_idle = own().next_back()?.received_us <= now_us - idle_us;
        let own_us = newest(own(), options.future_max_us)?;
        let is_past = own_us < newest_us.min(now_us) - idle_us;
        (!is_idle && !is_past && *source != Some(QUARANTINE)).then_some(own_us)
    });
    Some(holding.min().unwrap_or(newest_us) - options.lateness_us)
}

fn expected(arrivals: &[Arrival], options: &ProcessOptions) -> Expected {
    let mut out = Expected::default();
    let bucket = |lag_us: i64| {
        let bound = LAG_BOUNDS_US.iter().position(|b| lag_us.max(0) <= *b);
        bound.unwrap_or(LAG_BOUNDS_US.len())
    };
    for (at, arrival) in arrivals.iter().enumerate() {
        let before = &arrivals[..at];
        let now_us = arrival.received_us;
        out.watermark_us = out.watermark_us.max(level(before, now_us, options));
        let complete_us = out
            .watermark_us
            .map(|w| w.min(now_us - options.lateness_us));
        let newest_us = newest(before.iter(), options.future_max_us);
        for time in &arrival.times_us {
            out.lateness[bucket(newest_us.map_or(0, |n| n - time))] += 1;
            out.delay[bucket(now_us - time)] += 1;
            out.late += u64::from(complete_us.is_some_and(|c| *time < c));
            for (revised, width_s) in out.revised.iter_mut().zip(BUCKETS_S) {
                let width_us = width_s as i64 * SECOND;
                let start = time.div_euclid(width_us) * width_us;
                if complete_us.is_some_and(|c| start + width_us <= c) {
                    let one = revised.entry(start).or_default();
                    one.events += 1;
                    one.revised_at_us = now_us;
                }
            }
        }
        let now = level(&arrivals[..=at], now_us, options);
        out.watermark_us = out.watermark_us.max(now);
    }
    out
}

fn revisions(processor: &Processor, width_s: u64) -> Revisions {
    let cube = processor
        .cube(&format!("every_{width_s}s"))
        .expect("a cube");
    cube.revisions(Clone::clone)
}

fn found(processor: &Processor) -> Expected {
    let status = processor.stream("events").expect("the stream").status();
    let counts = |lags: &tillwatch_process::Lags| -> Vec<u64> {
        lags.buckets().map(|(_, events)| events).collect()
    };
    Expected {
        watermark_us: status.watermark_us,
        late: status.late,
        lateness: counts(status.clock.lateness()).try_into().expect("buckets"),
        delay: counts(status.clock.delay()).try_into().expect("buckets"),
        revised: BUCKETS_S.map(|s| {
            let revisions = revisions(processor, s);
            revisions.within(i64::MIN, i64::MAX).collect()
        }),
    }
}

fn apply(processor: &Processor, arrivals: &[Arrival], group: usize) {
    let records: Vec<_> = (arrivals.iter().zip(1..))
        .map(|(arrival, position)| arrival.record(position))
        .collect();
    for group in records.chunks(group) {
        processor.apply(group);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn late_events_are_counted_and_their_buckets_told_as_a_recount_says(
        arrivals in arrivals(),
        group in 1_usize..9,
    ) {
        let live = processor(usize::MAX);
        apply(&live, &arrivals, group);
        let found = found(&live);
        prop_assert_eq!(&found, &expected(&arrivals, &options(0)));
        let status = live.stream("events").expect("the stream").status();
        prop_assert_eq!(status.clock.lateness().events(), status.events);
        let by_source: u64 = status.clock.sources().iter().map(|s| s.events).sum();
        prop_assert_eq!(by_source, status.events);
        let late: u64 = status.clock.sources().iter().map(|s| s.late).sum();
        prop_assert_eq!(late, status.late);
        // A bucket that had ended held only times that were complete.
        for s in BUCKETS_S {
            prop_assert!(revisions(&live, s).events() <= status.late);
        }
    }

    #[test]
    fn a_watermark_never_moves_back_nor_does_asking_tell_of_more_than_the_next_record_sees(
        arrivals in arrivals(),
    ) {
        let options = options(0);
        let live = processor(0);
        let stream = live.stream("events").expect("the stream");
        let mut seen = None;
        for (arrival, position) in arrivals.iter().zip(1..) {
            let asked = stream.watermark_at(arrival.received_us, &options);
            prop_assert!(asked >= seen);
            live.apply(&[arrival.record(position)]);
            seen = stream.watermark_us();
            prop_assert!(seen >= asked);
        }
    }

    #[test]
    fn a_replay_gives_the_same_and_what_is_kept_of_it_survives_its_text(
        arrivals in arrivals(),
        buckets_max in 0_usize..6,
    ) {
        let live = processor(buckets_max);
        apply(&live, &arrivals, 1);
        let again = processor(buckets_max);
        apply(&again, &arrivals, 1_000);
        prop_assert_eq!(found(&live), found(&again));
        let clock = live.stream("events").expect("the stream").status().clock;
        let text = serde_json::to_string(&clock).expect("a text");
        prop_assert_eq!(&serde_json::from_str::<EventClock>(&text).expect("a clock"), &clock);
        for s in BUCKETS_S {
            let kept = revisions(&live, s);
            prop_assert!(kept.buckets() <= buckets_max);
            prop_assert_eq!(&kept, &revisions(&again, s));
            let text = serde_json::to_string(&kept).expect("a text");
            let read: Revisions = serde_json::from_str(&text).expect("revisions");
            prop_assert_eq!(&read, &kept);
            // Of what is told by name nothing is missing.
            let all = &expected(&arrivals, &options(0)).revised[usize::from(s > 10)];
            let from_us = kept.complete_from_us().unwrap_or(i64::MIN);
            let told: Vec<_> = kept.within(i64::MIN, i64::MAX).collect();
            let wanted: Vec<_> = all.range(from_us..).map(|(at, r)| (*at, *r)).collect();
            prop_assert_eq!(told, wanted);
            prop_assert_eq!(kept.events(), all.values().map(|r| r.events).sum::<u64>());
        }
    }
}

#[test]
fn a_duplicate_revises_nothing_and_is_not_late() {
    let live = Processor::new(vec![stream(Some("id"))], vec![], rates(), options(10))
        .expect("definitions");
    let at = |received_us, times: &[i64]| Arrival {
        source: None,
        received_us,
        times_us: times.to_vec(),
    };
    live.apply(&[at(BEGIN, &[BEGIN]).record(1)]);
    // The same id again, older than the watermark by far.
    live.apply(&[at(BEGIN + MINUTE, &[BEGIN - DAY]).record(2)]);
    let status = live.stream("events").expect("the stream").status();
    assert_eq!((status.events, status.duplicates, status.late), (1, 1, 0));
    assert_eq!(status.clock.lateness().events(), 1);
}
