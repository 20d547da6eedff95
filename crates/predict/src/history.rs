//! From what a caller gives to a series without gaps, outages and excluded stretches.
//!
//! What is missing is filled with what stood there a period before and after, and marked, so that
//! nothing learns from the filling. An outage is found by comparing each value with the same time
//! of the neighbouring days and weeks: it differs from all of them, while a weekend, a slow rise or
//! a lasting change of level agrees with one of them at least.

use std::ops::Range;
use std::time::Duration;

use crate::cycle::{Cycle, Cycles};
use crate::error::ForecastError;
use crate::numbers::{at, mean, median};
use crate::options::{HISTORY_MAX, KNOWN_MIN, Options};

/// Larger values would overflow when squared and summed up.
const VALUE_MAX: f64 = 1e120;
/// An outlier differs from each of its references by this many typical differences of its time of day.
const OUTLIER_FACTOR: f64 = 6.0;
/// References that must be there before a value is called an outlier.
const REFERENCES_MIN: usize = 3;
/// A time of day whose values hardly differ is not held to less than this share of what is typical.
const QUIET_SHARE: f64 = 0.25;
/// Beside an outlier half of its factor is enough: the first and last step of an outage are half good.
const BESIDE_SHARE: f64 = 0.5;

/// A series that can be learned from.
#[derive(Clone, Debug)]
pub(crate) struct History {
    /// Values with everything missing filled in; begins at the first known value.
    pub(crate) values: Vec<f64>,
    /// Whether a value is real, and may be learned from.
    pub(crate) known: Vec<bool>,
    /// Steps of the caller's series before `values` begins.
    pub(crate) skipped: usize,
    /// The periods in use.
    pub(crate) cycles: Cycles,
}

impl History {
    pub(crate) fn of(
        given: &[Option<f64>],
        step: Duration,
        excluded: &[Range<usize>],
        options: &Options,
    ) -> Result<Self, ForecastError> {
        options.check()?;
        check_values(given, options)?;
        if step.is_zero() || step.as_micros() == 0 {
            return Err(ForecastError::Options(
                "a step must last a microsecond at least".into(),
            ));
        }
        let left_out = |index: usize| excluded.iter().any(|range| range.contains(&index));
        let kept: Vec<Option<f64>> = given
            .iter()
            .enumerate()
            .map(|(index, value)| value.filter(|_| !left_out(index)))
            .collect();
        let found = kept.iter().flatten().count();
        let skipped = kept.iter().take_while(|value| value.is_none()).count();
        if found < KNOWN_MIN {
            return Err(ForecastError::TooShort {
                found,
                needed: KNOWN_MIN,
            });
        }
        let mut kept: Vec<Option<f64>> = kept.into_iter().skip(skipped).collect();
        let cycles = Cycles::choose(&options.periods, step, kept.len());
        remove_outliers(&mut kept, cycles);
        let known = kept.iter().map(Option::is_some).collect();
        Ok(Self {
            values: filled(&kept, cycles),
            known,
            skipped,
            cycles,
        })
    }

    /// How many steps there are.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }
}

fn check_values(given: &[Option<f64>], options: &Options) -> Result<(), ForecastError> {
    if given.len() > HISTORY_MAX {
        return Err(ForecastError::TooLong {
            found: given.len(),
            limit: HISTORY_MAX,
        });
    }
    for (index, value) in given.iter().enumerate() {
        match *value {
            Some(value) if !value.is_finite() => return Err(ForecastError::NotFinite { index }),
            Some(value) if value.abs() > VALUE_MAX => {
                return Err(ForecastError::TooLarge { index, value });
            }
            Some(value) if !options.bounds.contain(value) => {
                return Err(ForecastError::OutOfBounds { index, value });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The same time of the neighbouring periods, nearest first.
fn references(t: usize, cycles: Cycles) -> impl Iterator<Item = usize> {
    let lags = [cycles.short, cycles.long]
        .into_iter()
        .filter(|c| c.is_some());
    lags.flat_map(|cycle| [cycle.lag(), 2 * cycle.lag()])
        .flat_map(move |lag| [t.checked_sub(lag), t.checked_add(lag)])
        .flatten()
}

fn remove_outliers(kept: &mut [Option<f64>], cycles: Cycles) {
    if !cycles.short.is_some() {
        return;
    }
    let value_at = |t: usize| kept.get(t).copied().flatten();
    // Per step: the smallest difference to any reference, if all lie on one side, and the middle one.
    let mut scratch = Vec::with_capacity(8);
    let mut differences = |t: usize| -> Option<(f64, f64)> {
        let value = value_at(t)?;
        scratch.clear();
        scratch.extend(
            references(t, cycles)
                .filter_map(value_at)
                .map(|r| value - r),
        );
        if scratch.len() < REFERENCES_MIN {
            return None;
        }
        let above = scratch.iter().all(|d| *d > 0.0);
        let below = scratch.iter().all(|d| *d < 0.0);
        scratch.iter_mut().for_each(|d| *d = d.abs());
        let smallest = scratch.iter().copied().fold(f64::INFINITY, f64::min);
        let smallest = if above || below { smallest } else { 0.0 };
        Some((smallest, median(&mut scratch)?))
    };
    let found: Vec<Option<(f64, f64)>> = (0..kept.len()).map(&mut differences).collect();
    let scales = typical_by_position(&found, cycles.short);
    let sizes: Vec<f64> = found
        .iter()
        .enumerate()
        .map(|(t, pair)| {
            let scale = at(&scales, cycles.short.position(t));
            let (smallest, _) = pair.unwrap_or((0.0, 0.0));
            if scale > 0.0 { smallest / scale } else { 0.0 }
        })
        .collect();
    let mut outlying: Vec<bool> = sizes.iter().map(|size| *size > OUTLIER_FACTOR).collect();
    spread(&mut outlying, sizes.iter());
    outlying.reverse();
    spread(&mut outlying, sizes.iter().rev());
    outlying.reverse();
    // What is going on at the end may be an outage or a new level: only the time to come can tell,
    // so it is kept, and each method responds as fast as has paid off in this series.
    outlying
        .iter_mut()
        .rev()
        .take_while(|o| **o)
        .for_each(|o| *o = false);
    for (value, outlying) in kept.iter_mut().zip(outlying) {
        if outlying {
            *value = None;
        }
    }
}

/// Marks what follows an outlier and is rather large too.
fn spread<'a>(outlying: &mut [bool], sizes: impl Iterator<Item = &'a f64>) {
    let mut beside = false;
    for (outlying, size) in outlying.iter_mut().zip(sizes) {
        *outlying |= beside && *size > BESIDE_SHARE * OUTLIER_FACTOR;
        beside = *outlying;
    }
}

/// The typical difference of each position of the cycle, with its neighbours'.
fn typical_by_position(found: &[Option<(f64, f64)>], cycle: Cycle) -> Vec<f64> {
    let positions = cycle.positions();
    let mut by_position: Vec<Vec<f64>> = vec![Vec::new(); positions];
    for (t, pair) in found.iter().enumerate() {
        if let (Some((_, middle)), Some(list)) = (pair, by_position.get_mut(cycle.position(t))) {
            list.push(*middle);
        }
    }
    let mut all: Vec<f64> = by_position.iter().flatten().copied().collect();
    let overall = median(&mut all).unwrap_or(0.0);
    let own: Vec<f64> = by_position
        .iter_mut()
        .map(|list| median(list).unwrap_or(overall))
        .collect();
    (0..positions)
        .map(|p| {
            let near = [p + positions - 1, p, p + 1].map(|q| at(&own, q % positions));
            mean(near).max(QUIET_SHARE * overall)
        })
        .collect()
}

/// Fills each hole with the mean of the same time one long period before and after, or one short
/// one, or with a line between its neighbours.
fn filled(kept: &[Option<f64>], cycles: Cycles) -> Vec<f64> {
    let value_at = |t: Option<usize>| t.and_then(|t| kept.get(t).copied().flatten());
    let mut next_known: Vec<Option<(usize, f64)>> = Vec::with_capacity(kept.len());
    let mut next = None;
    for (t, value) in kept.iter().enumerate().rev() {
        next = value.map(|v| (t, v)).or(next);
        next_known.push(next);
    }
    next_known.reverse();
    let mut last: Option<(usize, f64)> = None;
    let mut values = Vec::with_capacity(kept.len());
    for (t, (value, next)) in kept.iter().zip(next_known).enumerate() {
        if let Some(value) = value {
            last = Some((t, *value));
            values.push(*value);
            continue;
        }
        let around = |cycle: Cycle| {
            let lag = cycle.is_some().then(|| cycle.lag())?;
            let two = [t.checked_sub(lag), Some(t + lag)].map(value_at);
            let there: Vec<f64> = two.into_iter().flatten().collect();
            (!there.is_empty()).then(|| mean(there))
        };
        let line = || match (last, next) {
            (Some((a, x)), Some((b, y))) => x + (y - x) * (t - a) as f64 / (b - a) as f64,
            (Some((_, x)), None) | (None, Some((_, x))) => x,
            (None, None) => 0.0,
        };
        values.push(
            around(cycles.long)
                .or_else(|| around(cycles.short))
                .unwrap_or_else(line),
        );
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// Four weeks of hours with quiet nights, quiet weekends and a little unrest.
    fn four_weeks() -> Vec<Option<f64>> {
        (0..672_usize)
            .map(|t| {
                let hour = (t % 24) as f64;
                let day = if (t / 24) % 7 >= 5 { 40.0 } else { 100.0 };
                let unrest = ((t * 7919) % 13) as f64 / 13.0;
                Some((day * (1.0 - ((hour - 13.0) / 13.0).powi(2)).max(0.0) + unrest).round())
            })
            .collect()
    }

    fn history(values: &[Option<f64>]) -> History {
        History::of(values, HOUR, &[], &Options::default()).unwrap()
    }

    #[test]
    fn a_quiet_weekend_is_no_outage() {
        assert!(history(&four_weeks()).known.iter().all(|known| *known));
    }

    #[test]
    fn an_outage_is_taken_out_and_filled_with_what_is_usual() {
        let clean = four_weeks();
        let mut damaged = clean.clone();
        let outage = 490..496;
        damaged[outage.clone()].fill(Some(0.0));
        let found = history(&damaged);
        let expected: Vec<bool> = (0..672).map(|t| !outage.contains(&t)).collect();
        let touched = outage
            .clone()
            .filter(|t| clean[*t].unwrap() > 25.0)
            .collect::<Vec<_>>();
        assert!(!touched.is_empty());
        for t in touched {
            assert_eq!(found.known[t], expected[t], "step {t}");
            assert!(
                (found.values[t] - clean[t].unwrap()).abs() < 2.0,
                "step {t}"
            );
        }
        assert!(found.known.iter().filter(|known| !**known).count() <= outage.len());
    }

    #[test]
    fn a_lasting_change_of_level_is_no_outage() {
        let shifted: Vec<Option<f64>> = four_weeks()
            .into_iter()
            .enumerate()
            .map(|(t, v)| v.map(|v| if t >= 500 { v * 1.5 + 40.0 } else { v }))
            .collect();
        let lost = history(&shifted).known.iter().filter(|k| !**k).count();
        assert_eq!(lost, 0);
    }

    #[test]
    fn what_goes_on_at_the_end_is_kept() {
        let mut values = four_weeks();
        values[660..].fill(Some(0.0));
        assert!(history(&values).known[660..].iter().all(|known| *known));
    }

    #[test]
    fn gaps_and_excluded_stretches_are_filled_from_the_weeks_around() {
        let clean = four_weeks();
        let mut gaps = clean.clone();
        gaps[200..230].fill(None);
        gaps[300..310].fill(Some(900.0));
        let excluded = 300..310;
        let found = History::of(&gaps, HOUR, &[excluded], &Options::default()).unwrap();
        for t in (200..230).chain(300..310) {
            assert!(!found.known[t]);
            assert!((found.values[t] - clean[t].unwrap()).abs() < 2.0);
        }
    }

    #[test]
    fn what_is_no_number_is_refused_with_its_place() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut values = four_weeks();
            values[17] = Some(bad);
            let error = History::of(&values, HOUR, &[], &Options::default()).unwrap_err();
            assert_eq!(error, ForecastError::NotFinite { index: 17 });
        }
    }
}
