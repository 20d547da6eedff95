//! How long to wait after failures.

use std::time::Duration;

/// Exponential back-off with jitter: after the n-th failure in a row a random time from `base` to
/// `base · 2ⁿ`, at most `max`. The jitter keeps many clients of one failed server from coming back
/// together, and none comes back sooner than it would have without a failure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    pub(super) base: Duration,
    /// At least `base`.
    pub(super) max: Duration,
}

impl Backoff {
    /// The wait after `failures` failures in a row; `random` is uniform in 0 to 1.
    pub(super) fn delay(&self, failures: u32, random: f64) -> Duration {
        let room = self.ceiling(failures).saturating_sub(self.base);
        self.base + room.mul_f64(random.clamp(0.0, 1.0))
    }

    fn ceiling(&self, failures: u32) -> Duration {
        let factor = 2_u32.saturating_pow(failures.min(31));
        self.base.saturating_mul(factor).min(self.max)
    }
}

/// The wait that a `Retry-After` asks for: seconds, or a date (RFC 9110 section 10.2.3).
pub(super) fn retry_after(value: &str, now_us: i64) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(value)
        .ok()?
        .timestamp()
        .as_microsecond();
    Some(Duration::from_micros(
        u64::try_from(at.saturating_sub(now_us)).unwrap_or(0),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BACKOFF: Backoff = Backoff {
        base: Duration::from_secs(5),
        max: Duration::from_secs(300),
    };

    #[test]
    fn the_ceiling_doubles_up_to_the_most() {
        for (failures, seconds) in [
            (1, 10),
            (2, 20),
            (3, 40),
            (6, 300),
            (60, 300),
            (u32::MAX, 300),
        ] {
            assert_eq!(
                BACKOFF.delay(failures, 1.0),
                Duration::from_secs(seconds),
                "{failures}"
            );
        }
    }

    #[test]
    fn a_retry_is_never_sooner_than_the_interval() {
        for failures in [1, 5, 60] {
            assert_eq!(BACKOFF.delay(failures, 0.0), Duration::from_secs(5));
        }
        let slow = Backoff {
            base: Duration::from_secs(600),
            max: Duration::from_secs(600),
        };
        assert_eq!(slow.delay(1, 0.0), slow.delay(9, 1.0));
        assert_eq!(slow.delay(9, 1.0), Duration::from_secs(600));
    }

    proptest! {
        #[test]
        fn a_delay_is_always_within_its_bounds(failures in any::<u32>(), random in 0.0..=1.0_f64) {
            let delay = BACKOFF.delay(failures, random);
            prop_assert!(delay >= BACKOFF.base && delay <= BACKOFF.max);
        }
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        let now = 1_795_356_180_000_000;
        assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
        assert_eq!(
            retry_after("Sun, 22 Nov 2026 14:04:00 GMT", now),
            Some(Duration::from_secs(60))
        );
        assert_eq!(
            retry_after("Sun, 22 Nov 2026 14:00:00 GMT", now),
            Some(Duration::ZERO)
        );
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-5", now), None);
    }
}
