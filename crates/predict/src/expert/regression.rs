//! Autoregression on the last steps and on the same time of earlier periods.
//!
//! Ridge regression (Hoerl and Kennard, 1970), with Huber's weights (1964) against outlying rows.
//! A forecast feeds on itself: the value of one step ahead is a regressor of the steps after it.

use serde::{Deserialize, Serialize};

use super::{Track, Trial};
use crate::numbers::{at, mean, median};

/// Beyond this many robust standard deviations a row weighs the less the further it is off.
const HUBER: f64 = 2.0;
/// A forecast stays within the range of the history, widened by this share on either side.
const RANGE_SHARE: f64 = 0.5;
/// Rows per coefficient that a fit needs.
const ROWS_PER_COEFFICIENT: usize = 5;
/// Rows that a fit looks at; of longer series the newest.
const ROWS_MAX: usize = 40_000;

/// Regressors: each is the mean of the values at some lags.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recipe {
    /// Lags of each regressor.
    pub(crate) regressors: Vec<Vec<usize>>,
    /// Weight of the penalty, as a share of the rows' own.
    pub(crate) ridge: f64,
}

/// A fitted autoregression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Regression {
    /// What is added in each step, such as a drift.
    intercept: f64,
    /// Coefficient of each lag.
    terms: Vec<(usize, f64)>,
    /// Range that forecasts are held in.
    range: (f64, f64),
}

impl Regression {
    /// Fits to the first `steps` of a track; `None` where they are too few.
    pub(crate) fn fit(track: &Track, steps: usize, recipe: &Recipe) -> Option<Self> {
        let values = track.values.get(..steps)?;
        let farthest = recipe.regressors.iter().flatten().copied().max()?;
        let width = recipe.regressors.len();
        let first = farthest.max(steps.saturating_sub(ROWS_MAX));
        if steps < first + ROWS_PER_COEFFICIENT * width {
            return None;
        }
        let mut rows: Vec<f64> = Vec::with_capacity((steps - first) * width);
        let mut targets: Vec<f64> = Vec::with_capacity(steps - first);
        for t in first..steps {
            if track.known.get(t) != Some(&true) {
                continue;
            }
            targets.push(at(values, t));
            let regressors = recipe.regressors.iter();
            rows.extend(regressors.map(|lags| mean(lags.iter().map(|lag| at(values, t - lag)))));
        }
        if targets.len() < ROWS_PER_COEFFICIENT * width {
            return None;
        }
        let mut weights = vec![1.0; targets.len()];
        let plain = Fit::of(&rows, &targets, &weights, recipe.ridge, width)?;
        plain.weigh(&rows, &targets, &mut weights);
        let robust = Fit::of(&rows, &targets, &weights, recipe.ridge, width)?;
        let mut terms: Vec<(usize, f64)> = Vec::new();
        for (lags, coefficient) in recipe.regressors.iter().zip(&robust.coefficients) {
            for lag in lags {
                let share = coefficient / lags.len() as f64;
                match terms.iter_mut().find(|(known, _)| known == lag) {
                    Some((_, sum)) => *sum += share,
                    None => terms.push((*lag, share)),
                }
            }
        }
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let margin = RANGE_SHARE * (high - low);
        Some(Self {
            intercept: robust.intercept,
            terms,
            range: (low - margin, high + margin),
        })
    }

    /// How many of the last values a forecast needs.
    pub(crate) fn memory(&self) -> usize {
        self.terms.iter().map(|(lag, _)| *lag).max().unwrap_or(1)
    }

    /// Adds `steps` forecasts to values that hold [`Self::memory`] steps at least.
    pub(crate) fn extend(&self, path: &mut Vec<f64>, steps: usize) {
        for _ in 0..steps {
            let now = path.len();
            let sum: f64 = self
                .terms
                .iter()
                .map(|(lag, share)| share * at(path, now.saturating_sub(*lag)))
                .sum();
            path.push((self.intercept + sum).clamp(self.range.0, self.range.1));
        }
    }

    /// Forecasts at those origins of a trial for which `wanted` holds, as [`super::smoothing`] does.
    pub(crate) fn run(
        &self,
        track: &Track,
        trial: &Trial,
        wanted: impl Fn(usize) -> bool,
        mut put: impl FnMut(usize, usize, f64),
    ) {
        let memory = self.memory();
        let farthest = trial.leads.last().copied().unwrap_or(0);
        let mut path = Vec::with_capacity(memory + farthest);
        for (number, origin) in trial.origins.iter().copied().enumerate() {
            let Some(recent) = origin.checked_sub(memory) else {
                continue;
            };
            if !wanted(origin) {
                continue;
            }
            path.clear();
            path.extend(track.values.iter().take(origin).skip(recent));
            let steps = farthest.min(track.short.len().saturating_sub(origin));
            self.extend(&mut path, steps);
            for (i, lead) in trial.leads.iter().copied().enumerate() {
                if lead > steps {
                    break;
                }
                put(number, i, at(&path, memory + lead - 1));
            }
        }
    }
}

/// Coefficients that minimise Σ w·(y − a − x·b)² + ridge·n·v·Σ b², where v is the mean variance of
/// the regressors.
struct Fit {
    intercept: f64,
    coefficients: Vec<f64>,
}

impl Fit {
    fn of(
        rows: &[f64],
        targets: &[f64],
        weights: &[f64],
        ridge: f64,
        width: usize,
    ) -> Option<Self> {
        let all = || rows.chunks_exact(width).zip(targets).zip(weights);
        // Centred on their means, so that the intercept is not held down by the penalty, and large
        // values with small swings lose no digits.
        let total: f64 = weights.iter().sum();
        let mut means = vec![0.0; width];
        let mut mean_target = 0.0;
        for ((row, target), weight) in all() {
            let share = weight / total;
            mean_target += share * target;
            means.iter_mut().zip(row).for_each(|(m, x)| *m += share * x);
        }
        let mut normal = vec![0.0; width * width];
        let mut right = vec![0.0; width];
        let mut centred = vec![0.0; width];
        for ((row, target), weight) in all() {
            for ((cell, x), m) in centred.iter_mut().zip(row).zip(&means) {
                *cell = x - m;
            }
            let lines = normal.chunks_exact_mut(width).zip(&mut right);
            for (x, (line, sum)) in centred.iter().zip(lines) {
                let weighted = x * weight;
                *sum += weighted * (target - mean_target);
                let cells = line.iter_mut().zip(&centred);
                cells.for_each(|(cell, z)| *cell += weighted * z);
            }
        }
        let trace: f64 = normal.iter().step_by(width + 1).sum();
        // A constant series has nothing to regress on.
        if trace.is_nan() || trace <= 0.0 {
            return None;
        }
        let penalty = (ridge + 1e-9) * trace / width as f64;
        let diagonal = normal.iter_mut().step_by(width + 1);
        diagonal.for_each(|cell| *cell += penalty);
        let coefficients = solve(normal, right)?;
        let shift: f64 = means.iter().zip(&coefficients).map(|(m, b)| m * b).sum();
        Some(Self {
            intercept: mean_target - shift,
            coefficients,
        })
    }

    /// Huber's weights of the rows.
    fn weigh(&self, rows: &[f64], targets: &[f64], weights: &mut [f64]) {
        let lines = rows.chunks_exact(self.coefficients.len()).zip(targets);
        let residuals: Vec<f64> = lines
            .map(|(row, target)| {
                let sum: f64 = row.iter().zip(&self.coefficients).map(|(x, b)| x * b).sum();
                (target - self.intercept - sum).abs()
            })
            .collect();
        // 1.4826 makes the median absolute deviation estimate a standard deviation.
        let limit = HUBER * 1.4826 * median(&mut residuals.clone()).unwrap_or(0.0);
        for (weight, residual) in weights.iter_mut().zip(residuals) {
            *weight = if residual > limit && limit > 0.0 {
                limit / residual
            } else {
                1.0
            };
        }
    }
}

/// Solves a symmetric positive definite system by Cholesky's decomposition.
fn solve(mut matrix: Vec<f64>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let n = right.len();
    let cell = |m: &[f64], i: usize, j: usize| at(m, i * n + j);
    for j in 0..n {
        let squares: f64 = (0..j).map(|k| cell(&matrix, j, k).powi(2)).sum();
        let pivot = cell(&matrix, j, j) - squares;
        if pivot.is_nan() || pivot <= 0.0 {
            return None;
        }
        let root = pivot.sqrt();
        for i in j..n {
            let dot: f64 = (0..j)
                .map(|k| cell(&matrix, i, k) * cell(&matrix, j, k))
                .sum();
            let value = if i == j {
                root
            } else {
                (cell(&matrix, i, j) - dot) / root
            };
            *matrix.get_mut(i * n + j)? = value;
        }
    }
    for i in 0..n {
        let dot: f64 = (0..i).map(|k| cell(&matrix, i, k) * at(&right, k)).sum();
        *right.get_mut(i)? = (at(&right, i) - dot) / cell(&matrix, i, i);
    }
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n)
            .map(|k| cell(&matrix, k, i) * at(&right, k))
            .sum();
        *right.get_mut(i)? = (at(&right, i) - dot) / cell(&matrix, i, i);
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_solved() {
        let solution = solve(vec![4.0, 2.0, 2.0, 3.0], vec![10.0, 9.0]).unwrap();
        assert!((solution[0] - 1.5).abs() < 1e-12 && (solution[1] - 2.0).abs() < 1e-12);
        assert_eq!(solve(vec![0.0], vec![1.0]), None);
        assert_eq!(solve(vec![1.0, 2.0, 2.0, 1.0], vec![1.0, 1.0]), None);
    }
}
