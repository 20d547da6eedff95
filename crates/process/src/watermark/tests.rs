use super::*;

fn waits() -> Waits {
    Waits::new(&ProcessOptions {
        lateness_us: 60,
        future_max_us: 3_600,
        source_idle_us: 300,
        ..Default::default()
    })
}

/// A clock and the time of its last record.
struct Bench {
    clock: EventClock,
    now_us: i64,
}

impl Bench {
    fn new() -> Self {
        Self {
            clock: EventClock::default(),
            now_us: 0,
        }
    }

    /// Takes a record of a source; returns the late ones.
    fn take(&mut self, source: &str, now_us: i64, times: &[i64]) -> u64 {
        self.now_us = now_us;
        let source = Some(source).filter(|name| *name != PUSHED);
        self.clock.take(source, times, now_us, &waits()).late
    }

    fn at(&self) -> Option<i64> {
        self.clock.watermark_us()
    }

    fn later(&self, now_us: i64) -> Option<i64> {
        self.clock.watermark_at(now_us, &waits())
    }
}

#[test]
fn events_older_than_the_watermark_are_late_and_never_move_it_back() {
    let mut b = Bench::new();
    assert_eq!(b.take(PUSHED, 1_000, &[1_000, 500]), 0);
    assert_eq!(b.at(), Some(940));
    assert_eq!(b.take(PUSHED, 1_001, &[939, 940, 941]), 1);
    assert_eq!(b.at(), Some(940));
}

#[test]
fn an_event_far_in_the_future_does_not_make_the_others_late() {
    let mut b = Bench::new();
    b.take(PUSHED, 1_000, &[1_000, 1_000 + 3_601]);
    assert_eq!(b.at(), Some(940));
    b.take(PUSHED, 1_000, &[1_000 + 3_600]);
    assert_eq!(b.at(), Some(4_540));
    // The watermark is ahead of the clock; what comes in time by the clock is not late.
    assert_eq!(b.take(PUSHED, 1_100, &[1_039, 1_040, 1_100]), 1);
}

#[test]
fn the_stream_has_come_as_far_as_the_source_that_is_behind_most() {
    let mut b = Bench::new();
    b.take("a", 10_000, &[10_000]);
    assert_eq!(b.at(), Some(9_940));
    // It is behind the others by less than what makes a source idle, so it is waited for.
    assert_eq!(b.take("b", 10_001, &[9_900]), 1, "the watermark was there");
    b.take("a", 10_100, &[10_100]);
    assert_eq!(b.at(), Some(9_940), "never back, and on only with both");
    b.take("b", 10_101, &[10_020]);
    assert_eq!(b.at(), Some(9_960));
    b.take("b", 10_102, &[10_150]);
    assert_eq!(b.at(), Some(10_040));
}

#[test]
fn a_source_that_falls_silent_holds_nobody_back() {
    let mut b = Bench::new();
    b.take("a", 10_000, &[10_000]);
    b.take("b", 10_000, &[10_000]);
    b.take("a", 10_299, &[10_299]);
    assert_eq!(b.at(), Some(9_940), "a second too early");
    b.take("a", 10_300, &[10_300]);
    assert_eq!(b.at(), Some(10_240));
    // When it comes back it is waited for again, and nothing moves back.
    assert_eq!(b.take("b", 10_301, &[10_239, 10_260]), 1);
    assert_eq!(b.at(), Some(10_240));
    b.take("a", 10_400, &[10_400]);
    assert_eq!(b.at(), Some(10_240));
}

#[test]
fn a_silence_is_seen_without_a_record_and_counts_before_the_next() {
    let mut b = Bench::new();
    b.take("slow", 10_000, &[10_000]);
    b.take("fast", 10_200, &[10_200]);
    assert_eq!(b.later(10_299), Some(9_940));
    assert_eq!(b.later(10_300), Some(10_140), "the slow one is idle");
    // Nobody is there: what has come is all there is.
    assert_eq!(b.later(99_999), Some(10_140));
    assert_eq!(b.at(), Some(9_940), "asking changes nothing");
    // Whoever judged by 10_140 did so without this event.
    assert_eq!(b.take("slow", 10_310, &[10_100]), 1);
}

#[test]
fn a_backfill_neither_holds_the_watermark_back_nor_moves_it() {
    let mut b = Bench::new();
    b.take(PUSHED, 1_000_000, &[1_000_000]);
    for n in 0..100 {
        let now = 1_000_000 + n;
        assert_eq!(b.take("old.csv", now, &[n * 10]), 1, "they are late");
        b.take(PUSHED, now, &[now]);
        assert_eq!(b.at(), Some(now - 60));
    }
    // When it has come up to now, it is one source among others.
    b.take("old.csv", 1_000_100, &[1_000_050]);
    b.take(PUSHED, 1_000_200, &[1_000_200]);
    assert_eq!(b.at(), Some(1_000_039));
}

#[test]
fn lines_tried_again_hold_nothing_back() {
    let mut b = Bench::new();
    b.take(PUSHED, 10_000, &[10_000]);
    b.take(QUARANTINE, 10_000, &[9_990]);
    b.take(PUSHED, 10_100, &[10_100]);
    assert_eq!(b.at(), Some(10_040));
}

#[test]
fn a_source_whose_clock_is_ahead_is_not_what_others_are_measured_by() {
    let mut b = Bench::new();
    b.take("ahead", 10_000, &[13_000]);
    b.take(PUSHED, 10_000, &[10_000]);
    b.take("ahead", 10_200, &[13_200]);
    b.take(PUSHED, 10_200, &[10_200]);
    let at = b.at();
    b.take("ahead", 10_210, &[13_210]);
    assert_eq!((at, b.at()), (Some(12_940), Some(12_940)), "set before");
    assert_eq!(
        b.take(PUSHED, 10_211, &[10_152, 10_211]),
        0,
        "in time by the clock"
    );
}

#[test]
fn sources_beyond_the_limit_share_one() {
    let mut b = Bench::new();
    for n in 0..200 {
        b.take(&format!("source_{n}"), 10_000, &[10_000]);
    }
    let sources = b.clock.sources();
    assert_eq!(sources.len(), SOURCES_MAX + 1);
    let shared = sources.last().unwrap();
    assert_eq!((shared.name.as_str(), shared.events), (OTHER, 200 - 64));
    assert_eq!(sources.iter().map(|s| s.events).sum::<u64>(), 200);
}
