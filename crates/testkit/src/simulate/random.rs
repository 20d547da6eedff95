//! Randomness that is the same on every platform: ChaCha8 for bits, `libm` for transcendental functions
//! (the platform's own differ in their last digit), nothing from the clock or the operating system.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of random numbers that belongs to one thing, such as one visit.
#[derive(Debug)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream named by these four numbers. Different names give independent streams, because the name is ChaCha's key.
    pub(crate) fn new(seed: u64, source: u64, cell: u64, index: u64) -> Self {
        let mut key = [0_u8; 32];
        let words = [seed, source, cell, index];
        for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        unit(self.bits())
    }

    /// True with probability `p`.
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// A whole number in `low..high`, uniform; `low` when the range is empty.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u128::from(high.saturating_sub(low).max(1).unsigned_abs());
        let offset = (u128::from(self.bits()) * span) >> 64;
        low.saturating_add(i64::try_from(offset).unwrap_or(0))
    }

    /// Standard normal, by Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(core::f64::consts::TAU * self.unit())
    }

    /// Log-normal with this median and this sigma of the logarithm.
    pub(crate) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * libm::exp(sigma * self.normal())
    }

    /// Pareto: above `least`, with tail exponent `alpha`.
    pub(crate) fn pareto(&mut self, least: f64, alpha: f64) -> f64 {
        least * libm::exp(-libm::log(1.0 - self.unit()) / alpha)
    }
}

/// 64 bits to [0, 1) with 53 bits of resolution.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
pub(crate) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// A one-to-one mixing of 64 bits: neighbours in, unrelated numbers out, and no two inputs share an output.
pub(crate) fn mix(mut x: u64) -> u64 {
    x ^= x >> 30;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 27;
    x = x.wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The Poisson distribution of one mean as a table, so that a draw is one search.
#[derive(Debug, Clone)]
pub(crate) struct Poisson {
    least: u64,
    cumulative: Vec<f64>,
}

impl Poisson {
    /// The table for this mean; all but 10⁻²⁰ of the probability lies within ten standard deviations.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "means are limited by the configuration to far below 2^52"
    )]
    pub(crate) fn new(mean: f64) -> Self {
        if mean <= 0.0 {
            return Self {
                least: 0,
                cumulative: Vec::new(),
            };
        }
        let reach = 10.0 * libm::sqrt(mean) + 20.0;
        let least = libm::floor((mean - reach).max(0.0)) as u64;
        let most = libm::ceil(mean + reach) as u64;
        let mut sum = 0.0;
        let mut cumulative = Vec::new();
        for k in least..=most {
            let k = k as f64;
            sum += libm::exp(k * libm::log(mean) - mean - libm::lgamma(k + 1.0));
            cumulative.push(sum);
        }
        Self { least, cumulative }
    }

    /// One draw.
    pub(crate) fn draw(&self, unit: f64) -> u64 {
        let above = self.cumulative.partition_point(|c| *c <= unit);
        self.least + above.min(self.cumulative.len().saturating_sub(1)) as u64
    }
}

/// Things to pick from by weight.
#[derive(Debug, Clone)]
pub(crate) struct Weighted<T> {
    others: Vec<(f64, T)>,
    last: Option<T>,
}

impl<T: Copy> Weighted<T> {
    /// A table of these things; weights need not sum to one.
    pub(crate) fn new(items: impl IntoIterator<Item = (f64, T)>) -> Self {
        let items: Vec<_> = items
            .into_iter()
            .filter(|(weight, _)| *weight > 0.0)
            .collect();
        let total: f64 = items.iter().map(|(weight, _)| weight).sum();
        let mut sum = 0.0;
        let others = items
            .iter()
            .map(|(weight, item)| {
                sum += weight / total;
                (sum, *item)
            })
            .collect();
        Self {
            others,
            last: items.last().map(|(_, item)| *item),
        }
    }

    /// The thing at this point of [0, 1); none only for an empty table.
    pub(crate) fn pick(&self, unit: f64) -> Option<T> {
        self.others
            .iter()
            .find(|(upto, _)| unit < *upto)
            .map(|(_, item)| *item)
            .or(self.last)
    }

    /// Each thing with its share of the whole.
    pub(crate) fn shares(&self) -> impl Iterator<Item = (f64, T)> + '_ {
        self.others.iter().scan(0.0, |before, (upto, item)| {
            let share = upto - *before;
            *before = *upto;
            Some((share, *item))
        })
    }
}
