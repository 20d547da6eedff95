//! What is normal for a rate: its mean and how much it varies, from blocks of history.
//!
//! Only a few numbers per slice are kept; the blocks are read, summed up and let go.

/// Successes among attempts, of one stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Events that went right.
    pub successes: f64,
    /// All events.
    pub attempts: f64,
}

impl Counts {
    /// Both counts, added up.
    #[must_use]
    pub fn plus(self, other: Counts) -> Counts {
        Counts {
            successes: self.successes + other.successes,
            attempts: self.attempts + other.attempts,
        }
    }

    /// Both counts, less those of `other`.
    #[must_use]
    pub fn minus(self, other: Counts) -> Counts {
        Counts {
            successes: self.successes - other.successes,
            attempts: self.attempts - other.attempts,
        }
    }

    /// Successes ÷ attempts; `None` without attempts.
    #[must_use]
    pub fn rate(self) -> Option<f64> {
        (self.attempts > 0.0).then(|| self.successes / self.attempts)
    }

    /// How many did not succeed.
    #[must_use]
    pub fn failures(self) -> f64 {
        (self.attempts - self.successes).max(0.0)
    }
}

/// A history in a few numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct History {
    /// All that was counted, without outlying blocks.
    pub total: Counts,
    /// Correlation ρ of two attempts of one block: 0 for a constant rate. Estimated by moments.
    pub correlation: f64,
    /// Standard error of `correlation`; infinite where nothing can be said.
    pub correlation_error: f64,
    /// How many independent attempts the history is worth.
    pub effective_attempts: f64,
}

/// What a test needs of the past: X of n attempts is beta-binomial with this mean and concentration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Baseline {
    /// Expected rate p₀.
    pub mean: f64,
    /// Concentration m of the rate around `mean`: how much it varies from stretch to stretch, and
    /// how little is known of it.
    pub concentration: f64,
    /// Correlation ρ of attempts of one stretch, for slices that have less history.
    pub correlation: f64,
}

/// A block is an outlier beyond this many robust standard deviations: an outage nobody marked.
const OUTLIER_DEVIATIONS: f64 = 6.0;
/// Fewer blocks than this are not searched for outliers.
const OUTLIER_BLOCKS_MIN: usize = 8;
/// Correlation assumed of a metric without any history, and how uncertain that is.
const PRIOR_CORRELATION: (f64, f64) = (0.002, 0.01);
/// How far a slice's correlation may lie from its parent's, on top of the parent's own size.
const CORRELATION_SPREAD: f64 = 0.005;
/// Nothing in commerce is steadier than this.
const CONCENTRATION_MAX: f64 = 5000.0;
/// Bounds of the concentration of slices around their parent.
const BETWEEN: (f64, f64) = (4.0, 400.0);
/// A sparse slice gets half an observation of either kind, so that no rate is exactly 0 or 1.
const JEFFREYS: f64 = 0.5;

impl History {
    /// Sums up blocks of history. Blocks that lie far outside are left out, so that a past outage
    /// neither lowers the expected rate nor hides the next one behind a wide spread.
    #[must_use]
    pub fn of(blocks: impl IntoIterator<Item = Counts>) -> Self {
        let blocks = blocks.into_iter();
        let used: Vec<Counts> = blocks.filter(|block| block.attempts > 0.0).collect();
        let kept = without_outliers(used);
        let total = kept
            .iter()
            .fold(Counts::default(), |sum, block| sum.plus(*block));
        let (correlation, correlation_error) = correlation(&kept, total);
        let worth = |block: &Counts| block.attempts / (1.0 + (block.attempts - 1.0) * correlation);
        let effective_attempts = kept.iter().map(worth).sum();
        Self {
            total,
            correlation,
            correlation_error,
            effective_attempts,
        }
    }
}

impl Baseline {
    /// The baseline of a metric as a whole, which has no parent. `None` without any history.
    #[must_use]
    pub fn of_whole(history: &History) -> Option<Self> {
        let Counts {
            successes,
            attempts,
        } = history.total;
        if attempts <= 0.0 {
            return None;
        }
        let mean = (successes + JEFFREYS) / (attempts + 2.0 * JEFFREYS);
        Some(Self::with_prior(
            history,
            mean,
            2.0 * JEFFREYS,
            PRIOR_CORRELATION,
        ))
    }

    /// The baseline of a slice, drawn towards its parent's the less history it has:
    /// p₀ = (x + m·p_parent) ÷ (n + m), where m is the concentration `between` the parent's slices.
    #[must_use]
    pub fn of_slice(history: &History, parent: &Baseline, between: f64) -> Self {
        let Counts {
            successes,
            attempts,
        } = history.total;
        let mean = (successes + between * parent.mean) / (attempts + between);
        let prior = (parent.correlation, parent.correlation + CORRELATION_SPREAD);
        Self::with_prior(history, mean, between, prior)
    }

    /// The same, less sure by how little is known of each of its parts, which have these weights.
    #[must_use]
    pub fn with_parts(self, parts: &[(f64, Baseline)]) -> Self {
        let total: f64 = parts.iter().map(|(weight, _)| weight).sum();
        if total <= 0.0 {
            return self;
        }
        let unknown = parts.iter().map(|(weight, part)| {
            let share = weight / total;
            share * share / (part.concentration + 1.0)
        });
        let correlation = (self.concentration + 1.0).recip() + unknown.sum::<f64>();
        Self {
            concentration: (correlation.recip() - 1.0).clamp(1.0, CONCENTRATION_MAX),
            ..self
        }
    }

    /// The baseline of slices taken together, each with its weight, where their own history together is not known: as if all
    /// of them strayed the same way at the same time, so that the square root of the correlation is the mean of theirs. None
    /// without any weight.
    #[must_use]
    pub fn of_parts(parts: &[(f64, Baseline)]) -> Option<Self> {
        let total: f64 = parts.iter().map(|(weight, _)| weight).sum();
        if total <= 0.0 {
            return None;
        }
        let mean = |of: &dyn Fn(&Baseline) -> f64| {
            let weighed = parts.iter().map(|(weight, part)| weight * of(part));
            weighed.sum::<f64>() / total
        };
        let root = mean(&|part| (part.concentration + 1.0).recip().sqrt());
        let concentration = (root * root).recip() - 1.0;
        let correlation = mean(&|part| part.correlation.max(0.0).sqrt()).powi(2);
        Some(Self {
            mean: mean(&|part| part.mean),
            concentration: concentration.clamp(1.0, CONCENTRATION_MAX),
            correlation,
        })
    }

    /// Variance of the rate = variance over time + variance of not knowing the mean exactly.
    fn with_prior(history: &History, mean: f64, prior_attempts: f64, prior: (f64, f64)) -> Self {
        let (prior_mean, prior_error) = prior;
        let own = history.correlation_error.powi(-2);
        let borrowed = prior_error.powi(-2);
        let correlation = (history.correlation * own + prior_mean * borrowed) / (own + borrowed);
        // One standard error up: too narrow a spread raises false alarms, too wide a one only
        // delays true ones.
        let upper = correlation + (own + borrowed).sqrt().recip();
        let unknown = 1.0 / (history.effective_attempts + prior_attempts + 1.0);
        let concentration = (1.0 / (upper + unknown) - 1.0).clamp(1.0, CONCENTRATION_MAX);
        Self {
            mean,
            concentration,
            correlation,
        }
    }
}

/// How closely the slices of one parent lie around it: the concentration that their totals show.
#[must_use]
pub fn between_slices(totals: &[Counts]) -> f64 {
    let used: Vec<Counts> = totals
        .iter()
        .copied()
        .filter(|b| b.attempts > 1.0)
        .collect();
    let total = used
        .iter()
        .fold(Counts::default(), |sum, block| sum.plus(*block));
    let (correlation, error) = correlation(&used, total);
    if !error.is_finite() {
        return BETWEEN.0;
    }
    (1.0 / (correlation + error).max(1e-9) - 1.0).clamp(BETWEEN.0, BETWEEN.1)
}

fn without_outliers(blocks: Vec<Counts>) -> Vec<Counts> {
    let Some(median) = weighted_median(&blocks) else {
        return blocks;
    };
    if blocks.len() < OUTLIER_BLOCKS_MIN {
        return blocks;
    }
    // A median of exactly 0 or 1 would make every other block infinitely unlikely.
    let p = median.clamp(0.01, 0.99);
    let deviation = |block: &Counts| {
        (block.successes - block.attempts * p) / (block.attempts * p * (1.0 - p)).sqrt()
    };
    let sizes: Vec<f64> = blocks.iter().map(|block| deviation(block).abs()).collect();
    let mut unordered = sizes.clone();
    let middle = unordered.len() / 2;
    let (_, middle, _) = unordered.select_nth_unstable_by(middle, f64::total_cmp);
    // 1.4826 makes the median absolute deviation estimate a standard deviation.
    let limit = OUTLIER_DEVIATIONS * (1.4826 * *middle).max(1.0);
    let kept = blocks.into_iter().zip(sizes);
    let kept = kept.filter(|(_, size)| *size <= limit);
    kept.map(|(block, _)| block).collect()
}

/// The rate that half of all attempts were in blocks below, or at. Found by halves, as putting thousands of blocks in order
/// would be most of the work of learning.
fn weighted_median(blocks: &[Counts]) -> Option<f64> {
    let mut rates: Vec<(f64, f64)> = blocks
        .iter()
        .filter_map(|block| Some((block.rate()?, block.attempts)))
        .collect();
    let weigh = |rates: &[(f64, f64)]| rates.iter().map(|(_, weight)| weight).sum::<f64>();
    let half = weigh(&rates) / 2.0;
    let (mut rest, mut below) = (rates.as_mut_slice(), 0.0);
    while !rest.is_empty() {
        let middle = rest.len() / 2;
        let (low, at, high) = rest.select_nth_unstable_by(middle, |a, b| a.0.total_cmp(&b.0));
        let (rate, weight) = *at;
        let before = below + weigh(low);
        if before >= half && !low.is_empty() {
            rest = low;
        } else if before + weight >= half {
            return Some(rate);
        } else {
            below = before + weight;
            rest = high;
        }
    }
    None
}

/// Moment estimate of ρ and its standard error: the expected sum of squared residuals is
/// p·(1−p)·Σ nᵢ·(1 + (nᵢ−1)·ρ).
fn correlation(blocks: &[Counts], total: Counts) -> (f64, f64) {
    let Some(p) = total.rate() else {
        return (0.0, f64::INFINITY);
    };
    let p = p.clamp(1e-4, 1.0 - 1e-4);
    let squares: f64 = blocks
        .iter()
        .map(|block| (block.successes - block.attempts * p).powi(2))
        .sum();
    let pairs: f64 = blocks
        .iter()
        .map(|block| block.attempts * (block.attempts - 1.0))
        .sum();
    if blocks.len() < 2 || pairs <= 0.0 {
        return (0.0, f64::INFINITY);
    }
    let count = blocks.len() as f64;
    // The mean is estimated from the same blocks, which takes one degree of freedom.
    let squares = squares * count / (count - 1.0);
    let rho = ((squares / (p * (1.0 - p)) - total.attempts) / pairs).clamp(0.0, 0.99);
    let mean_size = pairs / total.attempts + 1.0;
    let inflation = 1.0 + (mean_size - 1.0) * rho;
    let error = (2.0 / (count - 1.0)).sqrt() * inflation / (mean_size - 1.0);
    (rho, error)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;
    use crate::detect::simulation::{beta, binomial};

    fn blocks(seed: u64, count: usize, attempts: u64, mean: f64, m: Option<f64>) -> Vec<Counts> {
        let mut rng = StdRng::seed_from_u64(seed);
        let block = |_| {
            let p = m.map_or(mean, |m| beta(&mut rng, m * mean, m * (1.0 - mean)));
            let successes = binomial(&mut rng, attempts, p) as f64;
            Counts {
                successes,
                attempts: attempts as f64,
            }
        };
        (0..count).map(block).collect()
    }

    #[test]
    fn mean_and_overdispersion_of_history_are_found() {
        for (m, low, high) in [(50.0, 0.015, 0.025), (200.0, 0.0035, 0.0065)] {
            let history = History::of(blocks(1, 1000, 200, 0.88, Some(m)));
            assert!((history.total.rate().unwrap() - 0.88).abs() < 0.01);
            assert!(
                (low..high).contains(&history.correlation),
                "m={m}: {}",
                history.correlation
            );
        }
    }

    #[test]
    fn a_constant_rate_has_a_large_concentration() {
        let whole = Baseline::of_whole(&History::of(blocks(2, 600, 300, 0.9, None))).unwrap();
        assert!(whole.concentration > 1000.0, "{whole:?}");
    }

    #[test]
    fn an_outage_in_history_changes_neither_the_mean_nor_the_spread_by_much() {
        let clean = blocks(3, 600, 200, 0.88, Some(300.0));
        let mut damaged = clean.clone();
        for block in damaged.iter_mut().take(12) {
            block.successes = block.attempts * 0.3;
        }
        let before = Baseline::of_whole(&History::of(clean)).unwrap();
        let after = Baseline::of_whole(&History::of(damaged)).unwrap();
        assert!(
            (before.mean - after.mean).abs() < 0.002,
            "{before:?} {after:?}"
        );
        assert!(
            after.concentration > before.concentration * 0.9,
            "{before:?} {after:?}"
        );
    }

    #[test]
    fn the_weighted_median_is_that_of_blocks_in_order() {
        let in_order = |blocks: &[Counts]| {
            let mut blocks = blocks.to_vec();
            blocks.sort_by(|a, b| a.rate().unwrap().total_cmp(&b.rate().unwrap()));
            let all: f64 = blocks.iter().map(|block| block.attempts).sum();
            let mut seen = 0.0;
            blocks.into_iter().find_map(|block| {
                seen += block.attempts;
                (seen >= all / 2.0).then(|| block.rate().unwrap())
            })
        };
        let mut rng = StdRng::seed_from_u64(6);
        for count in (0..40).chain([500, 2_520]) {
            for most in [1_u32, 3, 400] {
                let mut block = || {
                    let attempts = rng.random_range(1..=most);
                    Counts {
                        successes: f64::from(rng.random_range(0..=attempts)),
                        attempts: f64::from(attempts),
                    }
                };
                let blocks: Vec<Counts> = (0..count).map(|_| block()).collect();
                assert_eq!(weighted_median(&blocks), in_order(&blocks), "{blocks:?}");
            }
        }
    }

    #[test]
    fn a_slice_without_history_takes_its_parents_rate_and_one_with_much_its_own() {
        let parent = Baseline {
            mean: 0.9,
            concentration: 1000.0,
            correlation: 0.001,
        };
        let new = Baseline::of_slice(&History::of([]), &parent, 50.0);
        assert!((new.mean - 0.9).abs() < 1e-12);
        // What is not known of the new slice is what slices differ by, not more and not less.
        assert!((20.0..52.0).contains(&new.concentration), "{new:?}");
        let old = History::of(blocks(4, 500, 100, 0.6, None));
        let own = Baseline::of_slice(&old, &parent, 50.0);
        assert!((own.mean - 0.6).abs() < 0.01, "{own:?}");
        let few = History::of([Counts {
            successes: 30.0,
            attempts: 50.0,
        }]);
        let half = Baseline::of_slice(&few, &parent, 50.0);
        assert!(
            (half.mean - 0.75).abs() < 1e-12,
            "(30 + 50·0.9) ÷ (50 + 50), not {}",
            half.mean
        );
    }

    #[test]
    fn slices_that_differ_say_little_of_each_other() {
        let mut rng = StdRng::seed_from_u64(5);
        let mut totals = |spread: f64| -> Vec<Counts> {
            let slice = |_| {
                let p = 0.8 + spread * (rng.random::<f64>() - 0.5);
                Counts {
                    successes: 1000.0 * p,
                    attempts: 1000.0,
                }
            };
            (0..50).map(slice).collect()
        };
        let (alike, different) = (between_slices(&totals(0.01)), between_slices(&totals(0.3)));
        assert!(alike > 200.0 && different < 40.0, "{alike} {different}");
    }

    #[test]
    fn no_history_is_no_baseline() {
        assert_eq!(Baseline::of_whole(&History::of([])), None);
        let empty = [Counts::default(); 20];
        assert_eq!(Baseline::of_whole(&History::of(empty)), None);
    }
}
