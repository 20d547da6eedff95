//! What a topic and its clients hold, against what the series call answers, under random traffic.

use std::collections::BTreeMap;

use super::covered::{Covered, Next};
use super::hub::pause;
use super::state::{Meta, State, document};
use crate::documents::{Figure, Metric, SeriesDocument};
use crate::ports::{Figures, Period, Span, Windows};
use crate::request::series::Question;
use crate::request::time::{Instant, MS, SECOND};
use crate::tests::parts::Counts;

#[test]
fn what_computes_long_rests_longer_but_not_so_long_that_changes_are_seen_late() {
    let ms = std::time::Duration::from_millis;
    for (took, least, wanted) in [
        (0, 50, 50),
        (5, 50, 50),
        (20, 50, 60),
        (60, 50, 90),
        (90, 50, 60),
        (90, 400, 400),
    ] {
        assert_eq!(
            pause(ms(took), ms(least)),
            ms(wanted),
            "{took} ms, at least {least}"
        );
    }
    // A change just after one computation has looked is in the next.
    for took in 0..=100 {
        let seen = pause(ms(took), ms(50)).max(ms(took)) + ms(took);
        assert!(
            seen <= ms(150).max(2 * ms(took)),
            "{took} ms, seen after {seen:?}"
        );
    }
}

const START_US: i64 = 1_790_000_000 * SECOND;

/// Numbers that a seed alone decides (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((z ^ (z >> 31)) % end.unsigned_abs()).unwrap()
    }

    fn one_in(&mut self, n: i64) -> bool {
        self.below(n) == 0
    }

    fn question(&mut self) -> Question {
        let step_us = [1, 5, 60][self.below(3) as usize] * SECOND;
        let window_us = step_us * [1, 4, 15][self.below(3) as usize];
        let (from, to) = match self.below(4) {
            0 => (Instant::At(START_US), Instant::At(START_US + window_us)),
            1 if window_us > step_us => (Instant::At(START_US - window_us), Instant::FromNow(0)),
            _ => (Instant::FromNow(-window_us), Instant::FromNow(0)),
        };
        Question {
            metric: "payments".into(),
            from,
            to,
            step_us,
            windows: Windows {
                span: match self.below(4) {
                    0 => Span::Trailing(step_us * (2 + self.below(9))),
                    1 => Span::Since(Period::Day),
                    _ => Span::Step,
                },
                ..Windows::default()
            },
            by: if self.one_in(3) {
                Vec::new()
            } else {
                vec!["psp".into()]
            },
            filters: if self.one_in(3) {
                vec![("psp".into(), "adyen".into())]
            } else {
                Vec::new()
            },
            limit: if self.one_in(4) { 2 } else { 50 },
        }
    }
}

/// The points by slice and begin of the bucket.
type Shown = BTreeMap<String, BTreeMap<i64, Option<Figure>>>;

fn shown(document: &SeriesDocument) -> Shown {
    let of = |points: &[crate::documents::Point]| {
        points.iter().map(|p| (p.at_ms, p.value.clone())).collect()
    };
    document
        .series
        .iter()
        .map(|one| (format!("{:?}", one.by), of(&one.points)))
        .collect()
}

/// What a client makes of what it is told.
#[derive(Default)]
struct Client(Shown);

impl Client {
    fn update(&mut self, update: &SeriesDocument) {
        for (slice, points) in shown(update) {
            self.0.entry(slice).or_default().extend(points);
        }
    }

    fn drop_before(&mut self, us: i64) {
        for points in self.0.values_mut() {
            *points = points.split_off(&us.div_euclid(MS));
        }
        self.0.retain(|_, points| !points.is_empty());
    }

    /// A bucket that nobody knows anything of may be missing; that says the same.
    fn figures(&self) -> Shown {
        without_unknown(self.0.clone())
    }
}

fn without_unknown(mut shown: Shown) -> Shown {
    for points in shown.values_mut() {
        points.retain(|_, figure| figure.is_some());
    }
    // Without a split there is one series even of nothing.
    shown.retain(|_, points| !points.is_empty());
    shown
}

/// Drives one question through random traffic; answers how many parts were merged.
fn drive(seed: u64) -> usize {
    let mut dice = Dice(seed);
    let question = dice.question();
    let counts = Counts::new("payments");
    let metric: Metric = counts.metrics().remove(0);
    let mut now_us = START_US;
    let (mut covered, mut state, mut client) =
        (Covered::default(), State::default(), Client::default());
    let mut last_range = None;
    let mut merged = 0;
    for round in 0..80 {
        now_us += match dice.below(12) {
            0 => dice.below(40) * question.step_us,
            1..=3 => dice.below(2 * question.step_us),
            _ => dice.below(SECOND / 2),
        };
        for _ in 0..dice.below(4) {
            let at_us = now_us
                + match dice.below(8) {
                    0 => -dice.below(30 * question.step_us),
                    1 => dice.below(3 * question.step_us),
                    _ => -dice.below(2 * question.step_us),
                };
            counts.add(
                ["adyen", "stripe", "checkout"][dice.below(3) as usize],
                at_us,
            );
        }
        // As the task of a topic does it.
        let version = counts.version("payments");
        let changed = counts.changed_since("payments", covered.version());
        let meta = Meta::new(&question, &metric, now_us);
        let whole = meta.whole(&question);
        let next = covered.next(&meta, &question, changed, state.takes_parts());
        let replace = |state: &mut State| {
            state.replace(counts.answer(&whole), meta.dropped_before_us(&question))
        };
        let delta = match &next {
            Next::Nothing => None,
            Next::Whole => Some(replace(&mut state)),
            Next::Part(part) => {
                let delta = state.merge(counts.answer(part));
                merged += usize::from(delta.is_some());
                Some(delta.unwrap_or_else(|| replace(&mut state)))
            }
        };
        covered.done(version, changed, delta.as_ref().map(|_| &whole));
        if let Some(delta) = delta {
            if round == 0 || delta.needs_snapshot {
                client.0 = shown(&state.snapshot(&meta));
            } else if !delta.is_empty() {
                client.update(&state.update(&meta, delta));
            }
            client.drop_before(meta.dropped_before_us(&question).max(0));
            last_range = Some((whole.from_us, whole.to_us));
        }
        if last_range != Some((whole.from_us, whole.to_us)) {
            // The clock has moved the range, but nothing has happened: the next event brings all.
            continue;
        }
        let answer = document(&meta, counts.answer(&whole));
        let context = format!("seed {seed}, round {round}, {next:?}, {question:?}");
        let held = state.snapshot(&meta);
        assert_eq!(shown(&held), shown(&answer), "the topic, {context}");
        assert_eq!(held.truncated, answer.truncated, "{context}");
        assert_eq!(
            client.figures(),
            without_unknown(shown(&answer)),
            "a client, {context}"
        );
    }
    merged
}

#[test]
fn live_state_and_clients_have_what_the_series_call_answers() {
    let seed: u64 = match std::env::var("TILLWATCH_SEED") {
        Ok(text) => text.parse().unwrap(),
        Err(_) => rand::random(),
    };
    println!("seed {seed}; TILLWATCH_SEED={seed} repeats it");
    let merged: usize = (0..400_u64).map(|i| drive(seed.wrapping_add(i))).sum();
    assert!(merged > 1_000, "parts are merged in most rounds: {merged}");
}

#[test]
fn the_first_event_after_a_silence_longer_than_the_range_is_told() {
    let counts = Counts::new("payments");
    let metric = counts.metrics().remove(0);
    for (window_us, by) in [
        (900, Vec::new()),
        (10, Vec::new()),
        (900, vec!["psp".to_owned()]),
    ] {
        let question = Question {
            metric: "payments".into(),
            from: Instant::FromNow(-window_us * SECOND),
            to: Instant::FromNow(0),
            step_us: 10 * SECOND,
            windows: Windows::default(),
            by,
            filters: Vec::new(),
            limit: 50,
        };
        let (mut covered, mut state) = (Covered::default(), State::default());
        let mut told = Vec::new();
        for now_us in [START_US, START_US + 960 * SECOND, START_US + 970 * SECOND] {
            counts.add("adyen", now_us - SECOND);
            let version = counts.version("payments");
            let changed = counts.changed_since("payments", covered.version());
            let meta = Meta::new(&question, &metric, now_us);
            assert_eq!(covered.next(&meta, &question, changed, true), Next::Whole);
            let whole = meta.whole(&question);
            let delta = state.replace(counts.answer(&whole), meta.dropped_before_us(&question));
            covered.done(version, changed, Some(&whole));
            let document = if delta.needs_snapshot {
                state.snapshot(&meta)
            } else {
                state.update(&meta, delta)
            };
            told.push(
                without_unknown(shown(&document))
                    .values()
                    .map(BTreeMap::len)
                    .sum::<usize>(),
            );
        }
        assert!(told.iter().all(|n| *n > 0), "{told:?} {question:?}");
    }
}
