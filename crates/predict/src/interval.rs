//! How far off forecasts have been, and so how far off they may be.
//!
//! Split conformal prediction (Vovk, Gammerman and Shafer, 2005) with locally weighted scores: the
//! errors of the tried-out forecasts are divided by what is usual at their time of day and lead, the
//! quantile of the quotients is taken over all of them, and multiplied back. Errors of one day are
//! alike, so the quantile is widened as if only that many days were known (Student).

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::cycle::Cycle;
use crate::history::History;
use crate::numbers::{at, mean, quantile};
use crate::pool::Pool;

/// The shares of values that intervals shall hold.
pub(crate) const LEVELS: [f64; 2] = [0.80, 0.95];

/// Half-widths of the two intervals.
pub(crate) type Halves = [f64; 2];

/// Errors of the past, summed up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spread {
    cycle: Cycle,
    /// Error usual at each position of the short period, relative to the mean.
    by_position: Vec<f64>,
    /// Error usual at each lead, never falling.
    by_lead: Vec<f64>,
    /// Quantiles of the quotients.
    factors: Halves,
    /// No interval is narrower: what a cold start does not know.
    least: Halves,
    /// Leads at which cumulated errors were kept.
    cumulated_leads: Vec<usize>,
    /// Cumulated errors, one row per origin; rows end where the history ends.
    cumulated: Vec<Vec<f64>>,
    /// Steps in which forecasts were tried out.
    span: f64,
    /// How many independent stretches the errors are worth.
    stretches: f64,
}

impl Spread {
    pub(crate) fn of(pool: &Pool, history: &History, cold: bool) -> Self {
        let cycle = history.cycles.short;
        let horizon = pool.horizon;
        let first = pool.origins.first().copied().unwrap_or(0);
        let span = (history.len() - first) as f64;
        // Within a day errors are alike, and those of far leads for longer. How much longer was
        // measured: with this share intervals hold what they promise on the held-back parts of M4.
        let alike = (ALIKE_SHARE * horizon as f64).max(cycle.lag() as f64);
        let stretches = (span / alike).max(2.0);
        let cells: Vec<(usize, usize, f64)> = pool
            .errors
            .iter()
            .enumerate()
            .filter_map(|(cell, error)| {
                let lead = cell % horizon;
                let origin = pool.origins.get(cell / horizon)?;
                Some((cycle.position(origin + lead), lead, (*error)?))
            })
            .collect();
        let by_position = relative_by_position(&cells, cycle);
        let by_lead = usual_by_lead(&cells, &by_position, horizon);
        let mut quotients: Vec<f64> = cells
            .iter()
            .map(|(position, lead, error)| {
                let usual = at(&by_position, *position) * at(&by_lead, *lead);
                if usual > 0.0 {
                    error.abs() / usual
                } else {
                    0.0
                }
            })
            .collect();
        quotients.sort_unstable_by(f64::total_cmp);
        let factors = LEVELS.map(|level| {
            quantile(&quotients, level) * student(level, stretches) / student(level, f64::INFINITY)
        });
        let (cumulated_leads, cumulated) = cumulate(pool, history.len());
        Self {
            cycle,
            by_position,
            by_lead,
            factors,
            least: if cold { unknown(history) } else { [0.0; 2] },
            cumulated_leads,
            cumulated,
            span,
            stretches,
        }
    }

    /// Half-widths at a lead whose target is step `t`.
    pub(crate) fn at(&self, lead: usize, t: usize) -> Halves {
        let last = self.by_lead.len();
        let usual = if lead <= last {
            at(&self.by_lead, lead - 1)
        } else {
            // Beyond what was tried out errors are taken to go on like a random walk's.
            self.by_lead.last().copied().unwrap_or(0.0) * (lead as f64 / last.max(1) as f64).sqrt()
        };
        let scale = usual * at(&self.by_position, self.cycle.position(t));
        let mut halves = self.factors.map(|factor| factor * scale);
        for (half, least) in halves.iter_mut().zip(self.least) {
            *half = half.max(least);
        }
        halves
    }

    /// Half-widths of the sum over leads `from..=to`, of which `sum` are the single half-widths
    /// added up.
    pub(crate) fn of_sum(&self, from: usize, to: usize, sum: Halves) -> Halves {
        let tried = self.cumulated_leads.last().copied().unwrap_or(0);
        let (a, b) = if to <= tried { (from, to) } else { (1, tried) };
        let errors: Vec<f64> = self
            .cumulated
            .iter()
            .filter_map(|row| Some(self.cumulated_at(row, b)? - self.cumulated_at(row, a - 1)?))
            .collect();
        if errors.len() < SUMS_MIN {
            return sum;
        }
        // The mean absolute error of a normal distribution is √(2/π) of its standard deviation.
        let deviation = mean(errors.iter().map(|e| e.abs())) * (std::f64::consts::PI / 2.0).sqrt();
        let stretches = (self.span / (b - a + 1) as f64)
            .min(self.stretches)
            .max(3.0);
        let mut halves = LEVELS.map(|level| deviation * student(level, stretches));
        if to > tried {
            // As correlated as over the longest stretch that was tried out.
            let single: f64 = (1..=tried).map(|lead| at(&self.by_lead, lead - 1)).sum();
            for ((half, sum), factor) in halves.iter_mut().zip(sum).zip(self.factors) {
                *half = sum * (*half / (factor * single).max(f64::MIN_POSITIVE)).min(1.0);
            }
        }
        for (half, sum) in halves.iter_mut().zip(sum) {
            *half = half.min(sum);
        }
        halves
    }

    fn cumulated_at(&self, row: &[f64], lead: usize) -> Option<f64> {
        if lead == 0 {
            return Some(0.0);
        }
        let place = self.cumulated_leads.partition_point(|l| *l < lead);
        let high = *self.cumulated_leads.get(place)?;
        let value = *row.get(place)?;
        let (low, before) = match place.checked_sub(1) {
            Some(p) => (self.cumulated_leads.get(p).copied()?, row.get(p).copied()?),
            None => (0, 0.0),
        };
        Some(before + (value - before) * (lead - low) as f64 / (high - low) as f64)
    }
}

/// What a position is believed from the start, as a share of the values it has on average.
const PRIOR_SHARE: f64 = 0.25;
/// No position is taken to be steadier than this share of the mean.
const QUIET_SHARE: f64 = 0.05;
/// A position is taken together with one part in this many of the cycle on either side.
const NEAR_PART: usize = 24;
/// Errors are alike for this share of the horizon.
const ALIKE_SHARE: f64 = 2.0 / 3.0;
/// Sums of errors that an interval of a sum needs.
const SUMS_MIN: usize = 4;
/// Share of the values that may be missing in a stretch whose errors are summed up.
const MISSING_SHARE: f64 = 0.1;

fn student(level: f64, stretches: f64) -> f64 {
    let freedom = (stretches - 1.0).clamp(1.0, 1e6);
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::INFINITY, |t| t.inverse_cdf(0.5 + level / 2.0))
}

/// The spread of the values themselves: all that a season not yet seen may do.
fn unknown(history: &History) -> Halves {
    let known: Vec<f64> = history
        .values
        .iter()
        .zip(&history.known)
        .filter(|(_, known)| **known)
        .map(|(value, _)| *value)
        .collect();
    let centre = mean(known.iter().copied());
    let count = known.len() as f64;
    let variance = known.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    LEVELS.map(|level| student(level, count) * (variance * (1.0 + 1.0 / count)).sqrt())
}

fn relative_by_position(cells: &[(usize, usize, f64)], cycle: Cycle) -> Vec<f64> {
    let positions = cycle.positions();
    let mut sums = vec![(0.0, 0.0); positions];
    for (position, _, error) in cells {
        if let Some(cell) = sums.get_mut(*position) {
            cell.0 += error.abs();
            cell.1 += 1.0;
        }
    }
    let (sum, count) = sums
        .iter()
        .fold((0.0, 0.0), |(s, c), (x, y)| (s + x, c + y));
    if sum <= 0.0 {
        return vec![1.0; positions];
    }
    let overall: f64 = sum / count;
    let reach = (positions / NEAR_PART)
        .max(1)
        .min(positions.saturating_sub(1) / 2);
    // A position is believed as if it had this many values of the overall mean beside its own.
    let prior = PRIOR_SHARE * count / positions as f64 * (2 * reach + 1) as f64;
    let ring: Vec<(f64, f64)> = (0..positions + 2 * reach)
        .scan((0.0, 0.0), |acc, i| {
            let (s, c) = sums
                .get((i + positions - reach) % positions)
                .copied()
                .unwrap_or((0.0, 0.0));
            acc.0 += s;
            acc.1 += c;
            Some(*acc)
        })
        .collect();
    (0..positions)
        .map(|p| {
            let (s1, c1) = ring.get(p + 2 * reach).copied().unwrap_or((0.0, 0.0));
            let (s0, c0) = p
                .checked_sub(1)
                .and_then(|q| ring.get(q).copied())
                .unwrap_or((0.0, 0.0));
            let (s, c) = (s1 - s0, c1 - c0);
            ((s + prior * overall) / (c + prior) / overall).max(QUIET_SHARE)
        })
        .collect()
}

/// Mean relative error of each lead, smoothed and made to rise (pool adjacent violators).
fn usual_by_lead(cells: &[(usize, usize, f64)], by_position: &[f64], horizon: usize) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); horizon];
    for (position, lead, error) in cells {
        if let Some(cell) = sums.get_mut(*lead) {
            cell.0 += error.abs() / at(by_position, *position);
            cell.1 += 1.0;
        }
    }
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for (sum, weight) in sums {
        let mut block = (sum, weight, 1);
        while let Some(last) = blocks.last().copied() {
            // Compares means without dividing by an empty block's weight.
            if last.0 * block.1 <= block.0 * last.1 && last.1 > 0.0 && block.1 > 0.0 {
                break;
            }
            blocks.pop();
            block = (last.0 + block.0, last.1 + block.1, last.2 + block.2);
        }
        blocks.push(block);
    }
    blocks
        .into_iter()
        .flat_map(|(sum, weight, count)| {
            let mean = if weight > 0.0 { sum / weight } else { 0.0 };
            std::iter::repeat_n(mean, count)
        })
        .collect()
}

fn cumulate(pool: &Pool, steps: usize) -> (Vec<usize>, Vec<Vec<f64>>) {
    let rows = pool
        .errors
        .chunks_exact(pool.horizon.max(1))
        .zip(&pool.origins)
        .map(|(row, origin)| {
            let row = row.get(..steps.saturating_sub(*origin)).unwrap_or(row);
            let mut sum = 0.0;
            let mut missing = 0.0;
            let mut kept = Vec::new();
            let mut next = pool.leads.iter().peekable();
            for (i, error) in row.iter().enumerate() {
                sum += error.unwrap_or(0.0);
                missing += if error.is_none() { 1.0 } else { 0.0 };
                if missing > 1.0 + MISSING_SHARE * (i + 1) as f64 {
                    break;
                }
                if next.next_if(|lead| **lead == i + 1).is_some() {
                    kept.push(sum);
                }
            }
            kept
        })
        .collect();
    (pool.leads.clone(), rows)
}
