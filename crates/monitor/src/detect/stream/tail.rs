//! How rare is a statistic as large as this one, given what the same series has shown before?
//!
//! The tail of a distribution is kept as its largest independent peaks over a threshold, and
//! continued beyond them by a generalised Pareto distribution (Pickands 1975):
//! P(Z > z) = k ÷ n · (1 + ξ·(z − u) ÷ σ)^(−1/ξ), where u is the least of k peaks among n values.
//! No shape is assumed of the rest, so that the p-value of a series full of spikes is as honest as
//! that of a calm one. Peaks are what is counted, so that it is a rate of episodes, not of values.

use serde::{Deserialize, Serialize};

/// Peaks kept. More of them would reach into the body of the distribution, which says little about
/// its tail; fewer would leave its shape to chance.
const PEAKS_MAX: usize = 16;
const PEAKS_MIN: usize = 5;
/// One stretch in so many may hold a peak: early on, few peaks are the tail.
const STRETCHES_PER_PEAK: f32 = 3.0;
/// The shape ξ is drawn towards a moderately heavy tail, as if so many peaks had shown it.
const SHAPE_PRIOR: (f64, f64) = (16.0, 0.25);
/// Lightest tail believed in; a bounded one would call every new record impossible.
const SHAPE_MIN: f64 = 0.03;
/// The scale σ is at least this share of u: peaks of equal size do not make a slightly larger one
/// improbable.
const SCALE_MIN: f64 = 0.03;
/// A peak counts at most this many σ above u, so that one absurd value does not blind the tail.
const PEAK_MAX: f32 = 100.0;
/// Below the least peak P(Z > z) is taken to rise by this power, up to 1. Nothing is decided there.
const BODY_POWER: f64 = 1.5;

/// The upper tail of one statistic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    /// The largest peaks, descending.
    peaks: Vec<f32>,
    /// Values the peaks stand for.
    seen: f32,
    /// The peak of the present stretch, which may still grow, and the stretch's age in values. It
    /// counts only when the stretch is over: what creeps up must not be compared with itself.
    growing: Option<(f32, u32)>,
    /// ξ and σ of the peaks.
    shape: f32,
    scale: f32,
}

impl Tail {
    /// Probability that one value starts an episode of `z` or more.
    #[must_use]
    pub fn p_value(&self, z: f64) -> f64 {
        let Some(least) = self.peaks.last().copied().map(f64::from) else {
            // Never yet: Laplace's rule of succession.
            return 1.0 / (f64::from(self.seen) + 1.0);
        };
        let count = self.peaks.len() as f64;
        let share = count / (f64::from(self.seen) + 1.0).max(count);
        let excess = z - least;
        if excess <= 0.0 {
            return (share * (least / z.max(1e-12)).powf(BODY_POWER)).min(1.0);
        }
        let (shape, scale) = (f64::from(self.shape), f64::from(self.scale));
        (share * (1.0 + shape * excess / scale).powf(-1.0 / shape)).min(1.0)
    }

    /// Takes one value into account. The largest of a stretch of `apart` values, from one that may
    /// be a peak, is a peak. About `memory` values are remembered.
    pub fn learn(&mut self, z: f64, apart: u32, memory: f32) {
        let value = z as f32;
        self.seen += 1.0;
        if self.seen > memory {
            self.forget();
        }
        if let Some((peak, age)) = self.growing {
            let grown = peak.max(value);
            if age < apart {
                self.growing = Some((grown, age + 1));
            } else {
                self.growing = None;
                self.insert(grown, apart);
            }
            return;
        }
        let among = self.peaks.len() < self.room(apart)
            || self.peaks.last().is_some_and(|least| value > *least);
        if among && value > 0.0 {
            self.growing = Some((value, 1));
        }
    }

    fn room(&self, apart: u32) -> usize {
        let stretches = self.seen / apart.max(1) as f32;
        ((stretches / STRETCHES_PER_PEAK) as usize).clamp(PEAKS_MIN, PEAKS_MAX)
    }

    /// Halves what is remembered, evenly over the ranks; the record stays.
    fn forget(&mut self) {
        self.seen /= 2.0;
        let mut rank = 0_usize;
        self.peaks.retain(|_| {
            rank += 1;
            rank % 2 == 1
        });
        self.fit();
    }

    fn insert(&mut self, value: f32, apart: u32) {
        let least = self.peaks.last().copied().unwrap_or(f32::INFINITY);
        let value = value.min(least + PEAK_MAX * self.scale);
        let at = self.peaks.partition_point(|peak| *peak > value);
        self.peaks.insert(at, value);
        self.peaks.truncate(self.room(apart));
        self.fit();
    }

    /// ξ by probability-weighted moments (Hosking and Wallis 1987), drawn towards its prior; σ half
    /// by the mean excess and half by the median one, so that one past outage does not hide the next.
    fn fit(&mut self) {
        let least = f64::from(self.peaks.last().copied().unwrap_or(0.0));
        let count = self.peaks.len().max(1) as f64;
        let (mut mean, mut weighted) = (0.0, 0.0);
        for (rank, peak) in self.peaks.iter().enumerate() {
            let excess = f64::from(*peak) - least;
            mean += excess / count;
            weighted += excess * (rank as f64 + 0.65) / (count * count);
        }
        let moments = if mean > 0.0 {
            2.0 - mean / (mean - 2.0 * weighted).max(1e-9 * mean)
        } else {
            0.0
        };
        let (weight, prior) = SHAPE_PRIOR;
        let shape =
            ((count * moments.clamp(-0.5, 1.0) + weight * prior) / (count + weight)).max(SHAPE_MIN);
        // That few peaks tell the scale only roughly makes the predictive tail heavier.
        let shape = shape + 1.0 / count;
        let middle =
            f64::from(self.peaks.get(self.peaks.len() / 2).copied().unwrap_or(0.0)) - least;
        let by_mean = mean * (1.0 - shape).max(0.1);
        let by_median = middle * shape / (shape.exp2() - 1.0);
        let scale = f64::midpoint(by_mean, by_median)
            .max(SCALE_MIN * least)
            .max(1e-9);
        self.shape = shape as f32;
        self.scale = scale as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of a known distribution, from its quantile function, in a scrambled order.
    fn learned(points: u32, quantile: impl Fn(f64) -> f64) -> Tail {
        let mut tail = Tail::default();
        for point in 0..points {
            let unit = f64::from(point.wrapping_mul(2_654_435_761)) / f64::from(u32::MAX);
            tail.learn(quantile(unit.clamp(1e-6, 1.0 - 1e-6)), 1, 1e9);
        }
        tail
    }

    #[test]
    fn exponential_and_power_tails_are_continued_within_a_factor() {
        let exponential = learned(20_000, |u| -(1.0 - u).ln());
        for (z, p) in [(8.0_f64, (-8.0_f64).exp()), (11.0, (-11.0_f64).exp())] {
            let ratio = exponential.p_value(z) / p;
            assert!((0.2..12.0).contains(&ratio), "z={z}: {ratio}");
        }
        let power = learned(20_000, |u| (1.0 - u).powf(-0.5));
        for z in [50.0_f64, 200.0] {
            let ratio = power.p_value(z) * z * z;
            assert!((0.05..5.0).contains(&ratio), "z={z}: {ratio}");
        }
    }

    #[test]
    fn larger_is_never_less_rare() {
        let tail = learned(5_000, |u| u);
        let mut last = 1.0;
        for step in 0..300 {
            let p = tail.p_value(f64::from(step) / 100.0);
            assert!(p <= last && p > 0.0, "{step}: {p} after {last}");
            last = p;
        }
    }

    #[test]
    fn an_episode_is_one_peak() {
        let mut tail = Tail::default();
        for point in 0..1000 {
            let z = if (500..540).contains(&point) {
                50.0
            } else {
                1.0 + 0.001 * f64::from(point % 7)
            };
            tail.learn(z, 50, 1e9);
        }
        assert_eq!(
            tail.peaks.iter().filter(|peak| **peak > 2.0).count(),
            1,
            "{:?}",
            tail.peaks
        );
    }
}
