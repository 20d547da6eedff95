//! Leaves of a measure that adds up.
//!
//! What comes differs from its forecast by a part that grows as the forecast (relative error) and
//! one that grows as its root (chance of small counts): Var = σ²x² + φx. Both are read from the
//! leaves themselves, robustly, since most are normal even in an incident. Rises are judged as falls
//! with forecast and actual exchanged, so both directions are treated alike.

use super::Direction;
use super::evidence::{DEVIANCE_MAX, Model};

/// Groups of leaves of like size from which the noise is read.
const NOISE_BINS: usize = 16;
/// Leaves a group needs.
const NOISE_BIN_LEAVES_MIN: usize = 32;
/// How much narrower one side must be than the whole to be taken for it.
const SIDE_MAX: f64 = 0.8;
/// Smallest relative error of a forecast that is believed.
const NOISE_MIN: f64 = 0.01;
/// The median of a standard half-normal distribution.
const HALF_NORMAL_MEDIAN: f64 = 0.674_489_750_196_081_7;
/// By how much effects differ within one element, as a share of the leaf (standard deviation).
const SPREAD: f64 = 0.07;
/// Effects that are tried: shares lost.
const EFFECTS: &[f64] = &[0.06, 0.13, 0.22, 0.34, 0.48, 0.64, 0.82, 1.0];

/// Var = `relative`·x² + `poisson`·x of what is expected to be x.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Noise {
    relative: f64,
    poisson: f64,
}

impl Noise {
    fn variance(&self, x: f64) -> f64 {
        self.relative * x * x + self.poisson * x
    }
}

/// Leaves with forecast and actual, and the noise between them.
pub(super) struct Sums {
    /// Scaled so that the greatest is 1, and turned so that the forecast is not negative.
    pairs: Vec<(f64, f64)>,
    changes: Vec<f64>,
    noise: Noise,
}

impl Sums {
    /// Reads the noise.
    pub(super) fn new(expected: &[f64], actual: &[f64]) -> Self {
        let pairs = expected.iter().zip(actual);
        let greatest = pairs.fold(0.0_f64, |m, (f, v)| m.max(f.abs()).max(v.abs()));
        let scale = if greatest > 0.0 { greatest } else { 1.0 };
        let pairs: Vec<(f64, f64)> = expected
            .iter()
            .zip(actual)
            .map(|(f, v)| (f / scale, v / scale))
            .map(|(f, v)| {
                if f < 0.0 || (f == 0.0 && v < 0.0) {
                    (-f, -v)
                } else {
                    (f, v)
                }
            })
            .collect();
        // A negative sum that comes nearer to zero fell: what counts is how much there is of it.
        let changes = pairs.iter().map(|(f, v)| v - f).collect();
        Self {
            noise: noise(&pairs),
            changes,
            pairs,
        }
    }

    fn pair(&self, leaf: usize) -> (f64, f64) {
        self.pairs.get(leaf).copied().unwrap_or_default()
    }

    /// Variance where nothing is wrong, of the greater of forecast and actual: so it does not matter
    /// which of them is wrong, and a leaf without a forecast has one.
    fn normal_variance(&self, f: f64, v: f64) -> f64 {
        self.noise.variance(f.max(v.abs()))
    }
}

impl Model for Sums {
    fn effects(&self, _: Direction) -> &'static [f64] {
        EFFECTS
    }

    fn is_informative(&self, leaf: usize) -> bool {
        let (f, v) = self.pair(leaf);
        self.normal_variance(f, v) > 0.0
    }

    fn normal(&self, leaf: usize) -> f64 {
        let (f, v) = self.pair(leaf);
        (v - f).powi(2) / (2.0 * self.normal_variance(f, v))
    }

    fn affected(&self, leaf: usize, direction: Direction, effect: f64) -> f64 {
        let (f, v) = self.pair(leaf);
        let (from, to) = match direction {
            Direction::Down => (f, v),
            Direction::Up => (v, f),
        };
        let goal = from * (1.0 - effect);
        let variance = self.noise.variance(goal.abs()) + (SPREAD * from).powi(2);
        if variance <= 0.0 {
            return f64::INFINITY;
        }
        let deviance = (to - goal).powi(2) / (2.0 * variance);
        if deviance > DEVIANCE_MAX {
            return deviance;
        }
        let normaliser = 0.5 * (variance / self.normal_variance(f, v)).ln();
        deviance + normaliser.max(0.0)
    }

    fn change(&self) -> (f64, f64) {
        let change: f64 = self.changes.iter().sum();
        let variances = self.pairs.iter().map(|(f, v)| self.normal_variance(*f, *v));
        (change, variances.sum::<f64>().sqrt())
    }

    fn share_min(&self) -> f64 {
        0.0
    }

    fn change_of(&self, leaf: usize) -> f64 {
        self.changes.get(leaf).copied().unwrap_or(0.0)
    }
}

/// The noise between forecasts and actuals.
///
/// In each group of leaves of like size the spread can be taken three ways: of those that came out
/// below, of those above, and around the median of all. An incident widens one or two of them.
fn noise(pairs: &[(f64, f64)]) -> Noise {
    let mut sized: Vec<(f64, f64)> = pairs
        .iter()
        .filter(|(f, _)| *f > 0.0)
        .map(|(f, v)| (*f, (v - f) / f.max(v.abs())))
        .collect();
    sized.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let bins = (sized.len() / NOISE_BIN_LEAVES_MIN).clamp(1, NOISE_BINS);
    let size = sized.len().div_ceil(bins).max(1);
    // Of each group, 1/x and the three spreads.
    let points: Vec<(f64, [Option<f64>; 3])> = sized
        .chunks(size)
        .filter_map(|bin| {
            let inverse = 1.0 / bin.get(bin.len() / 2)?.0;
            inverse.is_finite().then(|| (inverse, spreads(bin)))
        })
        .collect();
    let spread = |way: usize| {
        let of = |(inverse, spreads): &(f64, [Option<f64>; 3])| {
            let spread = spreads.get(way).copied().flatten()?;
            Some((*inverse, spread.max(NOISE_MIN).powi(2)))
        };
        let found: Vec<(f64, f64)> = points.iter().filter_map(of).collect();
        // A way that most groups do not know is not to be trusted.
        let known = !found.is_empty() && found.len() * 2 >= points.len();
        let mean = found.iter().map(|(_, y)| 0.5 * y.ln()).sum::<f64>() / found.len() as f64;
        known.then(|| (mean.exp(), found))
    };
    let [around, above, below] = [0, 1, 2].map(spread);
    // The spread around the median is of all leaves, so the most exact; one side is better only where
    // an incident has widened it.
    let side = [above, below]
        .into_iter()
        .flatten()
        .min_by(|a, b| a.0.total_cmp(&b.0));
    let chosen = match (around, side) {
        (Some(around), Some(side)) if side.0 < SIDE_MAX * around.0 => Some(side),
        (Some(around), _) => Some(around),
        (None, side) => side,
    };
    fitted(&chosen.map(|(_, found)| found).unwrap_or_default())
}

/// Spreads around the median, above 0 and below 0, as standard deviations of a normal distribution.
fn spreads(bin: &[(f64, f64)]) -> [Option<f64>; 3] {
    let residuals: Vec<f64> = bin.iter().map(|(_, r)| *r).collect();
    let centre = median(residuals.clone()).unwrap_or(0.0);
    let around = median(residuals.iter().map(|r| (r - centre).abs()).collect());
    let side = |sign: f64| {
        let side: Vec<f64> = residuals
            .iter()
            .map(|r| r * sign)
            .filter(|r| *r > 0.0)
            .collect();
        // A side with few leaves is not the noise's half.
        (side.len() * 5 >= residuals.len())
            .then(|| median(side))
            .flatten()
    };
    [around, side(1.0), side(-1.0)].map(|spread| Some(spread? / HALF_NORMAL_MEDIAN))
}

fn median(mut numbers: Vec<f64>) -> Option<f64> {
    let middle = numbers.len() / 2;
    if numbers.is_empty() {
        return None;
    }
    let (_, median, _) = numbers.select_nth_unstable_by(middle, f64::total_cmp);
    Some(*median)
}

/// Least squares of `poisson`/x + `relative` against the relative variance, in relative terms, with
/// neither below zero.
fn fitted(points: &[(f64, f64)]) -> Noise {
    let [mut aa, mut ab, mut bb, mut a1, mut b1] = [0.0; 5];
    // Sizes differ by orders of magnitude: in units of the smallest leaf the sums stay in range.
    let unit = points.iter().map(|(x, _)| *x).fold(0.0_f64, f64::max);
    for (x, y) in points {
        let (a, b) = (x / unit / y, 1.0 / y);
        aa += a * a;
        ab += a * b;
        bb += b * b;
        a1 += a;
        b1 += b;
    }
    let determinant = aa * bb - ab * ab;
    let both = (determinant > 1e-9 * aa * bb).then(|| {
        (
            (a1 * bb - b1 * ab) / determinant,
            (b1 * aa - a1 * ab) / determinant,
        )
    });
    let (poisson, relative) = match both {
        Some((poisson, relative)) if poisson >= 0.0 && relative >= 0.0 => (poisson, relative),
        Some((poisson, _)) if poisson >= 0.0 && aa > 0.0 => (a1 / aa, 0.0),
        _ if bb > 0.0 => (0.0, b1 / bb),
        _ => (0.0, NOISE_MIN * NOISE_MIN),
    };
    Noise {
        relative: relative.max(NOISE_MIN * NOISE_MIN),
        poisson: if unit > 0.0 { poisson / unit } else { 0.0 },
    }
}
