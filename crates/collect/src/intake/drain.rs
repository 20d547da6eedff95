//! How fast what waits is answered, and so how long a caller should wait.

use std::time::Duration;

/// Over about this time the rate is taken. Long enough to see several groups, short enough to follow a
/// change of load.
const WINDOW_S: f64 = 5.0;

/// Bytes answered per second, newer ones counting more: an exponential average over [`WINDOW_S`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DrainRate {
    /// Bytes, each less by how long ago it was.
    weighed_bytes: f64,
    /// When the first and the last were counted, seconds of the caller's clock.
    first_s: Option<f64>,
    last_s: f64,
}

impl DrainRate {
    /// Counts bytes that were answered at `now`.
    pub(super) fn answered(&mut self, bytes: usize, now: Duration) {
        let now_s = now.as_secs_f64();
        self.weighed_bytes = self.weighed(now_s) + bytes as f64;
        self.first_s.get_or_insert(now_s);
        self.last_s = self.last_s.max(now_s);
    }

    /// How long `bytes` take to be answered at this rate; none when nothing was answered yet.
    pub(super) fn time_for(&self, bytes: usize, now: Duration) -> Option<Duration> {
        let now_s = now.as_secs_f64();
        // Of a time shorter than the window only a part of the weights is there.
        let seen_s = now_s - self.first_s?;
        let weights = WINDOW_S * (1.0 - (-seen_s / WINDOW_S).exp());
        let per_second = self.weighed(now_s) / weights.max(0.001);
        let seconds = bytes as f64 / per_second;
        // At a rate of nothing it takes for ever, which the caller bounds.
        Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
    }

    fn weighed(&self, now_s: f64) -> f64 {
        self.weighed_bytes * (-(now_s - self.last_s).max(0.0) / WINDOW_S).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_steady_rate_is_known_soon_and_stays() {
        let mut rate = DrainRate::default();
        assert_eq!(rate.time_for(1, at(0)), None);
        for step in 1..=600_u64 {
            rate.answered(10_000, at(step * 100));
            if step >= 10 {
                // 100 kB a second: a megabyte takes ten seconds.
                let time = rate.time_for(1_000_000, at(step * 100)).unwrap();
                let off = (time.as_secs_f64() - 10.0).abs();
                assert!(off < 1.5, "{time:?} after {step} steps");
            }
        }
    }

    #[test]
    fn a_stall_makes_the_time_longer_and_never_fails() {
        let mut rate = DrainRate::default();
        for step in 1..=100_u64 {
            rate.answered(10_000, at(step * 100));
        }
        let before = rate.time_for(100_000, at(10_000)).unwrap();
        let later = rate.time_for(100_000, at(20_000)).unwrap();
        assert!(later > 4 * before, "{before:?} {later:?}");
        assert_eq!(rate.time_for(1, at(1_000_000_000)), Some(Duration::MAX));
    }
}
