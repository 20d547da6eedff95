//! A clock that a test sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::random::Random;

const SECOND_US: i64 = 1_000_000;
/// What a clock is off by when somebody took local time for UTC, or the other way round: one hour, in microseconds.
pub const HOUR_US: i64 = 3600 * SECOND_US;

/// 2026-03-29T01:00:00Z: Central European clocks go from 2 to 3. Microseconds since 1970.
pub const SUMMER_TIME_BEGINS_US: i64 = 1_774_746_000 * SECOND_US;
/// 2026-10-25T01:00:00Z: Central European clocks go from 3 back to 2. Microseconds since 1970.
pub const SUMMER_TIME_ENDS_US: i64 = 1_792_890_000 * SECOND_US;
/// 2028-02-29T00:00:00Z. Microseconds since 1970.
pub const LEAP_DAY_US: i64 = 1_835_395_200 * SECOND_US;

/// A clock that stands still until it is moved. Clones are the same clock.
#[derive(Debug, Clone, Default)]
pub struct SimulatedClock {
    now_us: Arc<AtomicI64>,
}

impl SimulatedClock {
    /// A clock at `now_us`, in microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn new(now_us: i64) -> Self {
        Self {
            now_us: Arc::new(AtomicI64::new(now_us)),
        }
    }

    /// A clock shortly before one of the moments at which clocks are known to go wrong, by `random`.
    #[must_use]
    pub fn near_trouble(random: &mut Random) -> Self {
        let moment = match random.below(3) {
            0 => SUMMER_TIME_BEGINS_US,
            1 => SUMMER_TIME_ENDS_US,
            _ => LEAP_DAY_US,
        };
        Self::new(moment - to_us(random, 120))
    }

    /// What it shows, in microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn now_us(&self) -> i64 {
        self.now_us.load(Ordering::SeqCst)
    }

    /// Moves it by `by_us` microseconds, back when negative.
    pub fn jump(&self, by_us: i64) {
        self.now_us.fetch_add(by_us, Ordering::SeqCst);
    }

    /// Lets some time pass, mostly below a minute, by `random`. One time in `jumps_every` it jumps instead: an hour ahead or
    /// an hour back. Gives how far it went, in microseconds.
    pub fn tick(&self, random: &mut Random, jumps_every: u64) -> i64 {
        let by_us = match random.below(jumps_every.max(1)) {
            0 if random.percent(50) => HOUR_US,
            0 => -HOUR_US,
            _ => to_us(random, 60),
        };
        self.jump(by_us);
        by_us
    }
}

/// Up to so many seconds, in microseconds.
fn to_us(random: &mut Random, seconds_max: u32) -> i64 {
    let us = random.below(u64::from(seconds_max) * SECOND_US.unsigned_abs());
    i64::try_from(us).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn the_moments_are_the_ones_they_are_called() {
        let text = |us| Timestamp::from_microsecond(us).unwrap().to_string();
        assert_eq!(text(SUMMER_TIME_BEGINS_US), "2026-03-29T01:00:00Z");
        assert_eq!(text(SUMMER_TIME_ENDS_US), "2026-10-25T01:00:00Z");
        assert_eq!(text(LEAP_DAY_US), "2028-02-29T00:00:00Z");
        let berlin = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        let offset_s = |us| {
            let at = Timestamp::from_microsecond(us).unwrap();
            berlin.to_offset(at).seconds()
        };
        for (moment, change_s) in [(SUMMER_TIME_BEGINS_US, 3600), (SUMMER_TIME_ENDS_US, -3600)] {
            assert_eq!(offset_s(moment) - offset_s(moment - 1), change_s);
        }
    }

    #[test]
    fn a_clock_goes_on_jumps_both_ways_and_repeats_by_its_seed() {
        let run = |seed| {
            let mut random = Random::new(seed);
            let clock = SimulatedClock::near_trouble(&mut random);
            let mut times = vec![clock.now_us()];
            let steps: Vec<i64> = (0..200).map(|_| clock.tick(&mut random, 10)).collect();
            for step in &steps {
                times.push(times[times.len() - 1] + step);
            }
            assert_eq!(times[times.len() - 1], clock.now_us());
            steps
        };
        let steps = run(7);
        assert_eq!(steps, run(7));
        assert!(steps.contains(&HOUR_US) && steps.contains(&-HOUR_US));
    }
}
