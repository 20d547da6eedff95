//! The answer in words and figures.

use super::Direction;
use super::Options;
use super::leaves::{Canonical, Counts, Dimension};
use super::rates::Rates;
use super::search::{Chosen, Found};

/// Dimensions and values that pick a part of a metric; none picks all of it.
pub type Values = Vec<(String, Option<String>)>;

/// A part of a metric that changed alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// The dimension values that name it.
    pub values: Values,
    /// What was expected of it: the sum of its forecasts, or the rate its attempts would have had.
    pub expected: f64,
    /// What came: a sum, or a rate.
    pub actual: f64,
    /// Share of the whole change that is the element's own; beyond 1 where other parts went the other way.
    pub share: f64,
    /// How many leaves it has.
    pub leaves: usize,
    /// How much is affected: the sum that is missing (below 0) or too much, or successes too few or too many.
    pub affected: f64,
    /// Attempts of a rate; `None` of a sum.
    pub attempts: Option<f64>,
    /// Nats that it saves in its set.
    pub score: f64,
}

/// Another set that explains the change, not as well.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    /// Its elements.
    pub elements: Vec<Values>,
    /// Nats that it saves.
    pub score: f64,
}

/// A rate that moved because traffic moved between parts whose rates differ, though the parts kept
/// theirs.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    /// The rate by the traffic of before.
    pub before: f64,
    /// The rate that today's traffic would have, did each leaf have its normal rate.
    pub expected: f64,
    /// The rate that came.
    pub actual: f64,
    /// The part whose share of the traffic moved the rate most.
    pub values: Values,
    /// Its share of the attempts before.
    pub share_before: f64,
    /// Its share of the attempts now.
    pub share_now: f64,
}

impl Mix {
    /// What the shift of traffic changed of the rate.
    #[must_use]
    pub fn shift(&self) -> f64 {
        self.expected - self.before
    }

    /// What the leaves' own rates changed of it.
    #[must_use]
    pub fn within(&self) -> f64 {
        self.actual - self.expected
    }
}

/// What explains a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The elements of the best set, the greatest share first. None where nothing is anomalous.
    pub elements: Vec<Element>,
    /// Which way they went.
    pub direction: Option<Direction>,
    /// Nats that the set saves: the logarithm of how much more probable the leaves are with it.
    pub score: f64,
    /// Next best sets, best first.
    pub alternatives: Vec<Alternative>,
    /// The sum expected of all, or the rate that all attempts would have had.
    pub expected: f64,
    /// The sum, or the rate, of all that came.
    pub actual: f64,
    /// Of a rate, what is due to a shift of traffic rather than to the elements.
    pub mix: Option<Mix>,
}

pub(super) fn of_sums(
    canonical: &Canonical,
    expected: &[f64],
    actual: &[f64],
    found: &[Found],
    options: &Options,
) -> Explanation {
    let (all_expected, all_actual): (f64, f64) = (expected.iter().sum(), actual.iter().sum());
    let element = |chosen: &Chosen| {
        let (f, v) = (total(chosen, expected), total(chosen, actual));
        Element {
            values: values(&canonical.dimensions, chosen),
            expected: f,
            actual: v,
            share: share(v - f, all_actual - all_expected),
            leaves: chosen.leaves.len(),
            affected: v - f,
            attempts: None,
            score: chosen.score,
        }
    };
    told(
        canonical,
        found,
        options,
        element,
        [all_expected, all_actual],
        None,
    )
}

pub(super) fn of_rates(
    canonical: &Canonical,
    model: &Rates,
    before: &[Counts],
    now: &[Counts],
    found: &[Found],
    options: &Options,
) -> Explanation {
    let normal: Vec<f64> = (0..canonical.leaves)
        .map(|leaf| 1.0 - model.normal_failures(leaf))
        .collect();
    let expected: Vec<f64> = now
        .iter()
        .zip(&normal)
        .map(|(c, p)| c.attempts * p)
        .collect();
    let successes: Vec<f64> = now.iter().map(|c| c.successes).collect();
    let attempts: Vec<f64> = now.iter().map(|c| c.attempts).collect();
    let [all_expected, all_successes, all_attempts] =
        [&expected, &successes, &attempts].map(|column| column.iter().sum::<f64>());
    let element = |chosen: &Chosen| {
        let n = total(chosen, &attempts);
        let (f, v) = (total(chosen, &expected), total(chosen, &successes));
        Element {
            values: values(&canonical.dimensions, chosen),
            expected: share(f, n),
            actual: share(v, n),
            share: share(v - f, all_successes - all_expected),
            leaves: chosen.leaves.len(),
            affected: v - f,
            attempts: Some(n),
            score: chosen.score,
        }
    };
    let whole = [
        share(all_expected, all_attempts),
        share(all_successes, all_attempts),
    ];
    let mix = mix(canonical, before, &attempts, &normal, whole);
    told(canonical, found, options, element, whole, mix)
}

fn told(
    canonical: &Canonical,
    found: &[Found],
    options: &Options,
    element: impl Fn(&Chosen) -> Element,
    [expected, actual]: [f64; 2],
    mix: Option<Mix>,
) -> Explanation {
    let (best, others) = match found.split_first() {
        Some((best, others)) if best.score > 0.0 => (Some(best), others),
        _ => (None, found),
    };
    let mut elements: Vec<Element> =
        best.map_or_else(Vec::new, |set| set.elements.iter().map(element).collect());
    elements.sort_by(|a, b| {
        b.share
            .total_cmp(&a.share)
            .then_with(|| a.values.cmp(&b.values))
    });
    let alternatives = others
        .iter()
        .filter(|set| set.score > 0.0)
        .map(|set| Alternative {
            elements: set
                .elements
                .iter()
                .map(|e| values(&canonical.dimensions, e))
                .collect(),
            score: set.score,
        })
        .take(options.alternatives_max)
        .collect();
    Explanation {
        elements,
        direction: best.map(|set| set.direction),
        score: best.map_or(0.0, |set| set.score),
        alternatives,
        expected,
        actual,
        mix,
    }
}

/// Smallest part of a rate's movement that a shift of traffic must make to be told.
const MIX_SHARE_MIN: f64 = 0.1;

/// What the shift of traffic did to the rate: the difference between the normal rates weighted by
/// today's attempts and by those of before (Kitagawa's decomposition).
fn mix(
    canonical: &Canonical,
    before: &[Counts],
    now: &[f64],
    normal: &[f64],
    [expected, actual]: [f64; 2],
) -> Option<Mix> {
    let all_before: f64 = before.iter().map(|c| c.attempts).sum();
    let all_now: f64 = now.iter().sum();
    if all_before <= 0.0 || all_now <= 0.0 {
        return None;
    }
    let weighted: f64 = before
        .iter()
        .zip(normal)
        .map(|(c, p)| c.attempts / all_before * p)
        .sum();
    let (shift, within) = (expected - weighted, actual - expected);
    if shift == 0.0 || shift.abs() < MIX_SHARE_MIN * (shift.abs() + within.abs()) {
        return None;
    }
    let mut best: Option<(f64, Mix)> = None;
    for dimension in &canonical.dimensions {
        let mut parts = vec![[0.0_f64; 3]; dimension.values.len()];
        for (((code, before), now), p) in dimension.codes.iter().zip(before).zip(now).zip(normal) {
            if let Some([share_before, share_now, moved]) = parts.get_mut(*code as usize) {
                let (a, b) = (before.attempts / all_before, now / all_now);
                *share_before += a;
                *share_now += b;
                *moved += (b - a) * (p - weighted);
            }
        }
        for (value, [share_before, share_now, moved]) in dimension.values.iter().zip(parts) {
            let moved = moved * shift.signum();
            if moved > 0.0 && best.as_ref().is_none_or(|(most, _)| moved > *most) {
                let values = vec![(dimension.name.clone(), value.clone())];
                let mix = Mix {
                    before: weighted,
                    expected,
                    actual,
                    values,
                    share_before,
                    share_now,
                };
                best = Some((moved, mix));
            }
        }
    }
    best.map(|(_, mix)| mix)
}

fn values(dimensions: &[Dimension], chosen: &Chosen) -> Values {
    dimensions
        .iter()
        .enumerate()
        .filter(|(position, _)| chosen.mask >> position & 1 == 1)
        .map(|(_, d)| {
            let code = d.codes.get(chosen.first as usize).copied().unwrap_or(0);
            (
                d.name.clone(),
                d.values.get(code as usize).cloned().flatten(),
            )
        })
        .collect()
}

fn total(chosen: &Chosen, column: &[f64]) -> f64 {
    chosen
        .leaves
        .iter()
        .filter_map(|leaf| column.get(*leaf as usize))
        .sum()
}

fn share(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}
