//! How much each method counts, at each lead.
//!
//! Combining beats choosing (Bates and Granger, 1969). Weights follow the inverse of a power of the
//! mean absolute error; what is much worse than the best is left out. Each kind of method counts as
//! one, however many of it are in the pool, so that near copies do not outvote the others.

use crate::expert::Trial;
use crate::history::History;
use crate::numbers::at;

/// Power of the inverse error.
const POWER: f64 = 4.0;
/// Methods with less than this share of the best one's weight get none.
const WEIGHT_LEAST: f64 = 0.1;
/// Errors of a lead are taken together with those of the leads around it, this share of all.
const REACH_SHARE: f64 = 1.0;

/// Weights of methods at each lead of a trial; they add up to 1. Each method is given by the number
/// of its kind and its forecasts: as many as there are leads for each origin, NaN where there is none.
pub(crate) fn weights(
    methods: &[(usize, &[f64])],
    history: &History,
    trial: &Trial,
) -> Vec<Vec<f64>> {
    let width = trial.leads.len();
    let errors: Vec<Vec<f64>> = methods
        .iter()
        .map(|(_, forecasts)| errors_by_lead(forecasts, history, trial))
        .collect();
    let mut all = vec![vec![0.0; width]; methods.len()];
    for lead in 0..width {
        let of_lead = || errors.iter().map(|e| at(e, lead));
        let best = of_lead().fold(f64::INFINITY, f64::min);
        let mut raw: Vec<f64> = of_lead().map(|error| relative(best, error)).collect();
        let mut sizes: Vec<f64> = Vec::new();
        for ((kind, _), weight) in methods.iter().zip(&raw) {
            if sizes.len() <= *kind {
                sizes.resize(kind + 1, 0.0);
            }
            if let Some(size) = sizes.get_mut(*kind).filter(|_| *weight > 0.0) {
                *size += 1.0;
            }
        }
        for ((kind, _), weight) in methods.iter().zip(&mut raw) {
            if *weight > 0.0 {
                *weight /= at(&sizes, *kind);
            }
        }
        let sum: f64 = raw.iter().sum();
        for (weights, weight) in all.iter_mut().zip(raw) {
            if let Some(cell) = weights.get_mut(lead) {
                *cell = weight / sum;
            }
        }
    }
    all
}

/// Weight of a method relative to the best one's.
fn relative(best: f64, error: f64) -> f64 {
    if error.is_infinite() {
        // Nobody could be tried out, or this one could not.
        return if best.is_infinite() { 1.0 } else { 0.0 };
    }
    let ratio = if error > 0.0 { best / error } else { 1.0 };
    let weight = ratio.powf(POWER);
    if weight < WEIGHT_LEAST { 0.0 } else { weight }
}

/// The weight at a lead, which need not be one of the trial's.
pub(crate) fn weight_at(leads: &[usize], weights: &[f64], lead: usize) -> f64 {
    let place = leads.partition_point(|known| *known < lead);
    at(weights, place.min(leads.len().saturating_sub(1)))
}

fn errors_by_lead(forecasts: &[f64], history: &History, trial: &Trial) -> Vec<f64> {
    let width = trial.leads.len();
    let mut sums = vec![(0.0, 0.0); width];
    for (row, origin) in forecasts.chunks_exact(width).zip(&trial.origins) {
        for ((forecast, lead), cell) in row.iter().zip(&trial.leads).zip(&mut sums) {
            let target = origin + lead - 1;
            if history.known.get(target) == Some(&true) && forecast.is_finite() {
                cell.0 += (at(&history.values, target) - forecast).abs();
                cell.1 += 1.0;
            }
        }
    }
    let reach = ((width as f64 * REACH_SHARE) as usize).max(1);
    let near = |lead: usize| {
        let around = lead.saturating_sub(reach)..(lead + reach + 1).min(width);
        let some = sums.get(around).unwrap_or(&[]).iter();
        let (sum, count) = some.fold((0.0, 0.0), |(s, c), (x, y)| (s + x, c + y));
        if count > 0.0 {
            sum / count
        } else {
            f64::INFINITY
        }
    };
    (0..width).map(near).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Options;

    #[test]
    fn better_methods_weigh_more_and_hopeless_ones_nothing() {
        let values: Vec<Option<f64>> = (0..20).map(|t| Some(f64::from(t))).collect();
        let history = History::of(&values, Duration::MAX, &[], &Options::default()).unwrap();
        let trial = Trial {
            origins: vec![10, 12],
            leads: vec![1, 3],
        };
        // Truth is the number of the target: 10, 12, 12, 14.
        let off = |by: f64| vec![10.0 + by, 12.0 + by, 12.0 + by, 14.0 + by];
        let (good, fair, bad) = (off(1.0), off(-1.5), off(50.0));
        let methods = [(0, &good[..]), (1, &fair[..]), (2, &bad[..])];
        for lead in 0..2 {
            let [a, b, c] = [0, 1, 2].map(|m| weights(&methods, &history, &trial)[m][lead]);
            assert!(a > b && b > 0.0 && c == 0.0, "{a} {b} {c}");
            assert!((a + b + c - 1.0).abs() < 1e-12);
        }
        let nothing = [f64::NAN; 4];
        let untried = weights(&[(0, &nothing[..]), (1, &nothing[..])], &history, &trial);
        assert_eq!(untried, [[0.5, 0.5], [0.5, 0.5]]);
    }
}
