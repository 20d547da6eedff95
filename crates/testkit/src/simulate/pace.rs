//! Simulated time against a clock, for live traffic.

/// Maps the time of a clock to simulated time. It reads no clock: the caller does, and sleeps.
#[derive(Debug, Clone, Copy)]
pub struct Pacer {
    simulated_us: i64,
    clock_us: i64,
    speed: f64,
}

impl Pacer {
    /// At `clock_us` it is `simulated_us`, and simulated time runs `speed` times as fast (at least 0.001).
    #[must_use]
    pub fn new(simulated_us: i64, clock_us: i64, speed: f64) -> Self {
        Self {
            simulated_us,
            clock_us,
            speed: if speed.is_finite() {
                speed.max(0.001)
            } else {
                1.0
            },
        }
    }

    /// Simulated time when the clock shows `clock_us`: what [`super::Feed::advance`] may be asked for.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "285 years are exact to the microsecond"
    )]
    pub fn simulated_us(&self, clock_us: i64) -> i64 {
        self.simulated_us + ((clock_us - self.clock_us) as f64 * self.speed) as i64
    }

    /// What the clock shows at a simulated time: when to wake.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "285 years are exact to the microsecond"
    )]
    pub fn clock_us(&self, simulated_us: i64) -> i64 {
        self.clock_us + libm::ceil((simulated_us - self.simulated_us) as f64 / self.speed) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::Pacer;

    #[test]
    fn a_pacer_runs_at_its_speed_both_ways() {
        let pacer = Pacer::new(1_000_000, 500, 60.0);
        assert_eq!(pacer.simulated_us(500), 1_000_000);
        assert_eq!(pacer.simulated_us(1_000_500), 61_000_000);
        assert_eq!(pacer.clock_us(61_000_000), 1_000_500);
        assert_eq!(Pacer::new(0, 0, f64::NAN).simulated_us(7), 7);
    }
}
