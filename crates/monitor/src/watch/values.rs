//! One round of a monitor of values with a season or a forecast: amounts, latencies, averages.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::outages::Outages;
use super::rate::unjudged;
use super::state::{Finding, SliceState, Step};
use crate::definition::{Detect, MonitorDefinition, SeasonalDetect};
use crate::detect::discovery;
use crate::detect::forecast::{Forecast, Walk};
use crate::detect::hysteresis::Verdict;
use crate::detect::season::{DAY_US, Observed, WEEK_US};
use crate::detect::seasonal::{
    LEVEL_VALUES, Normal, SUMMED_VALUES, SeasonalScore, SeasonalSettings,
};
use crate::figure::{FigureQuery, FigureSource, MetricFacts, Slice, all_figures};
use crate::group::Evidence;
use crate::incident::{Deviation, Incident};

/// How long what was learned is used before it is learned again, in microseconds of judged time.
pub(super) const REFRESH_US: i64 = 3600 * 1_000_000;
/// The same of a forecast, which goes on learning by itself.
pub(super) const FORECAST_REFRESH_US: i64 = DAY_US;
/// A slice points the same way as a firing one from this p-value, and is normal again above it.
const LEANING: f64 = 0.05;
/// Steps before the one that is judged that are looked at with it.
pub(super) const STEPS_BACK: i64 = (LEVEL_VALUES + SUMMED_VALUES) as i64;
/// Steps of history that are asked for at once, so that no answer is larger than it may be.
const STEPS_AT_ONCE: i64 = 336;

/// What is normal for a monitor's slices.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Normals {
    /// End of the last step they were learned for.
    pub at_us: i64,
    known: HashMap<Slice, Known>,
}

/// What is normal for a slice.
#[derive(Clone, Debug, PartialEq)]
enum Known {
    Season(Normal),
    /// With the end of the history that it was learned from.
    Forecast(Forecast, i64),
}

impl Known {
    /// Learns from the values of steps between two times, ascending.
    fn learn(
        definition: &MonitorDefinition,
        history: &[Observed],
        (from_us, to_us): (i64, i64),
        step_us: i64,
    ) -> Option<Self> {
        if !matches!(definition.detect, Detect::Forecast(_)) {
            return Normal::learn(history, &definition.calendar).map(Self::Season);
        }
        let values: Vec<Option<f64>> = by_step(history, (from_us, to_us), step_us).collect();
        Forecast::learn(&values, step_us).map(|forecast| Self::Forecast(forecast, to_us))
    }
}

impl Normals {
    /// Reads `history_us` of steps up to `upto_us` and learns from those without `incidents`. None where no slice has
    /// history enough.
    pub fn learn(
        source: &dyn FigureSource,
        definition: &MonitorDefinition,
        facts: &MetricFacts,
        (history_us, step_us): (i64, i64),
        upto_us: i64,
        incidents: &[Incident],
    ) -> Result<Option<Self>, String> {
        let from_us = (upto_us - history_us).div_euclid(step_us) * step_us;
        let values = read_all(source, definition, facts, (from_us, upto_us), step_us)?;
        let mut known = HashMap::new();
        for (slice, history) in values {
            // A slice that was not there yet had no value, not none.
            let is_nothing = |one: &Observed| facts.empty_value == Some(one.value);
            let history = history.into_iter().skip_while(is_nothing);
            let mut history: Vec<Observed> = history.collect();
            let outages = Outages::of(&slice, incidents);
            let calendar = &definition.calendar;
            history.retain(|one| {
                !outages.touch(one.start_us, step_us)
                    && !calendar.is_special(one.start_us)
                    && !calendar.is_special(one.start_us + step_us - 1)
            });
            let span = (upto_us - history_us, upto_us);
            if let Some(learned) = Known::learn(definition, &history, span, step_us) {
                known.insert(slice, learned);
            }
        }
        let found = Self {
            at_us: upto_us,
            known,
        };
        Ok((!found.known.is_empty()).then_some(found))
    }

    /// Keeps what was known of slices that cannot be learned anew, such as those that have been off for long, of forecasts
    /// for as long as there is a history of theirs.
    pub fn keep(&mut self, before: &Normals, since_us: i64) {
        for (slice, known) in &before.known {
            if let Known::Forecast(_, upto_us) = known
                && *upto_us >= since_us
                && !self.known.contains_key(slice)
            {
                self.known.insert(slice.clone(), known.clone());
            }
        }
    }

    /// From where on values are needed to go on with all forecasts, if there are any.
    fn learned_upto_us(&self) -> Option<i64> {
        let upto = self.known.values().filter_map(|known| match known {
            Known::Season(_) => None,
            Known::Forecast(_, upto_us) => Some(*upto_us),
        });
        upto.min()
    }

    /// What is normal for a slice.
    fn of(&self, slice: &Slice) -> Option<&Known> {
        self.known.get(slice)
    }
}

/// The value of every step between two times, of those that are there; none where there is none.
fn by_step(
    values: &[Observed],
    (from_us, to_us): (i64, i64),
    step_us: i64,
) -> impl Iterator<Item = Option<f64>> {
    let from_us = from_us.div_euclid(step_us) * step_us;
    let first = values.partition_point(|one| one.start_us < from_us);
    let mut values = values.iter().skip(first).peekable();
    let steps = usize::try_from(step_us).unwrap_or(usize::MAX);
    (from_us..to_us).step_by(steps).map(move |start_us| {
        let value = values.next_if(|one| one.start_us < start_us + step_us);
        value.map(|one| one.value)
    })
}

/// What a slice without events has in every step of a range: nothing, where nothing is a value.
fn nothing(
    facts: &MetricFacts,
    (from_us, to_us): (i64, i64),
    step_us: i64,
) -> impl Iterator<Item = Observed> {
    let steps = usize::try_from(step_us).unwrap_or(usize::MAX);
    let empty = facts.empty_value;
    let starts = (from_us..to_us).step_by(steps);
    starts.filter_map(move |start_us| {
        Some(Observed {
            start_us,
            value: empty?,
        })
    })
}

/// As [`read`], but a stretch at a time, so that no answer is larger than it may be.
fn read_all(
    source: &dyn FigureSource,
    definition: &MonitorDefinition,
    facts: &MetricFacts,
    (from_us, to_us): (i64, i64),
    step_us: i64,
) -> Result<HashMap<Slice, Vec<Observed>>, String> {
    let mut values: HashMap<Slice, Vec<Observed>> = HashMap::new();
    let mut at_us = from_us;
    while at_us < to_us {
        let end_us = to_us.min(at_us + STEPS_AT_ONCE * step_us);
        let range = (at_us, end_us);
        let mut silent: HashSet<Slice> = values.keys().cloned().collect();
        for (slice, found) in read(source, definition, facts, range, step_us)? {
            silent.remove(&slice);
            let before = || nothing(facts, (from_us, at_us), step_us).collect();
            values.entry(slice).or_insert_with(before).extend(found);
        }
        // One without a single event in all of a stretch is not among its figures.
        for slice in silent {
            let known = values.entry(slice).or_default();
            known.extend(nothing(facts, range, step_us));
        }
        at_us = end_us;
    }
    Ok(values)
}

/// The values of every slice's steps, ascending. Where nothing is a value, steps without events have it.
fn read(
    source: &dyn FigureSource,
    definition: &MonitorDefinition,
    facts: &MetricFacts,
    (from_us, to_us): (i64, i64),
    step_us: i64,
) -> Result<Vec<(Slice, Vec<Observed>)>, String> {
    let query = FigureQuery {
        metric: definition.metric.clone(),
        by: definition.by.clone(),
        within: Slice::whole(),
        from_us,
        to_us,
        step_us,
        over_us: None,
    };
    let mut all = Vec::new();
    for figures in all_figures(source, &query)? {
        let found: BTreeMap<i64, Option<f64>> = figures
            .buckets
            .iter()
            .map(|bucket| {
                (
                    bucket.start_us,
                    bucket.value.filter(|value| value.is_finite()),
                )
            })
            .collect();
        let observed = |start_us: i64| {
            // A bucket without a value is one that is not known, and not one without events.
            let value = found.get(&start_us).copied().unwrap_or(facts.empty_value)?;
            Some(Observed { start_us, value })
        };
        let steps = usize::try_from(step_us).unwrap_or(usize::MAX);
        let values = (from_us..to_us).step_by(steps).filter_map(observed);
        all.push((figures.slice, values.collect()));
    }
    Ok(all)
}

/// The figures of one round.
pub(super) struct ValueRound {
    settings: SeasonalSettings,
    step_us: i64,
    discovery_rate: f64,
    normals: Arc<Normals>,
    slices: Vec<(Slice, Vec<Observed>)>,
}

impl ValueRound {
    /// Reads what the steps from `first` to `last` need.
    pub fn fetch(
        source: &dyn FigureSource,
        definition: &MonitorDefinition,
        facts: &MetricFacts,
        detect: &SeasonalDetect,
        normals: Arc<Normals>,
        (first, last): (Step, Step),
    ) -> Result<Self, String> {
        let step_us = first.end_us - first.start_us;
        // A forecast is walked from where it was learned.
        let from_us = match normals.learned_upto_us() {
            Some(upto_us) => upto_us.min(first.start_us),
            None => first.start_us - STEPS_BACK * step_us,
        };
        let range = (from_us, last.end_us);
        let slices = read_all(source, definition, facts, range, step_us)?;
        let mut slices: Vec<(Slice, Vec<Observed>)> = slices.into_iter().collect();
        // A slice without a single event in all the time is not among the figures.
        let found: HashSet<Slice> = slices.iter().map(|(slice, _)| slice.clone()).collect();
        for slice in normals.known.keys().filter(|slice| !found.contains(slice)) {
            slices.push((slice.clone(), nothing(facts, range, step_us).collect()));
        }
        // A day like no other is no level to judge the next one by.
        for (_, values) in &mut slices {
            let calendar = &definition.calendar;
            values.retain(|one| match definition.detect {
                Detect::Forecast(_) => {
                    !calendar.is_special(one.start_us)
                        && !calendar.is_special(one.start_us + step_us - 1)
                }
                _ => !calendar.is_unknown(one.start_us),
            });
        }
        Ok(Self {
            settings: SeasonalSettings {
                direction: definition.direction,
                min_change: detect.min_change,
                is_change: matches!(definition.detect, Detect::Change(_)),
            },
            step_us,
            discovery_rate: detect.sensitivity.false_alerts_per_week() * step_us as f64
                / WEEK_US as f64,
            normals,
            slices,
        })
    }

    /// Judges one step of every slice that has figures, history or a state.
    pub fn judge(&self, step: Step, states: &mut HashMap<Slice, SliceState>) -> Vec<Finding> {
        let ignore_before_us =
            |slice: &Slice| states.get(slice).map_or(0, |state| state.ignore_before_us);
        let mut tested: Vec<(&Slice, SeasonalScore, f64)> = Vec::new();
        for (slice, values) in &self.slices {
            tested.extend(
                self.score(slice, values, step, ignore_before_us(slice))
                    .map(|(score, value)| (slice, score, value)),
            );
        }
        let found: HashSet<&Slice> = tested.iter().map(|(slice, _, _)| *slice).collect();
        let missing = states.keys().filter(|slice| !found.contains(slice));
        let mut findings: Vec<Finding> = missing.map(|slice| unjudged(slice, step)).collect();
        let is_firing = |slice: &Slice| states.get(slice).is_some_and(|s| s.hysteresis.is_firing());
        let idle = tested.iter().filter(|(slice, _, _)| !is_firing(slice));
        let p_values: Vec<f64> = idle.map(|(_, score, _)| score.p_value).collect();
        let cut_off = discovery::cut_off(&p_values, self.discovery_rate);
        for (slice, score, value) in tested {
            let state = states.get_mut(slice);
            let mut firing = state.filter(|state| state.hysteresis.is_firing());
            let verdict = match &firing {
                None if cut_off.is_some_and(|cut_off| score.p_value <= cut_off) => {
                    Verdict::Anomalous
                }
                None => Verdict::Normal,
                Some(_) => Verdict::Between,
            };
            let is_back = firing
                .as_mut()
                .is_some_and(|state| self.is_back(slice, state, step));
            let verdict = if is_back { Verdict::Normal } else { verdict };
            let expected = firing
                .as_ref()
                .map_or(score.expected, |state| state.expected);
            if let Some(state) = firing
                && Some(score.deviation) == state.deviation
            {
                state.p_value = Some(
                    state
                        .p_value
                        .map_or(score.p_value, |p| p.min(score.p_value)),
                );
            }
            findings.push(Finding {
                slice: slice.clone(),
                verdict,
                deviation: score.deviation,
                seen: true,
                p_value: Some(score.p_value),
                expected,
                observed: Some(value),
                started_us: step.start_us,
            });
        }
        findings
    }

    /// Whether the values of a firing slice are again what they were before it fired.
    fn is_back(&self, slice: &Slice, state: &mut SliceState, step: Step) -> bool {
        let values = self.slices.iter().find(|(one, _)| one == slice);
        let (Some((_, values)), Some(known)) = (values, self.normals.of(slice)) else {
            return false;
        };
        let until = |us: i64| values.partition_point(|one| one.start_us < us);
        let normal = match known {
            Known::Season(normal) => normal,
            Known::Forecast(forecast, upto_us) => {
                // What an incident has made of the values is nothing to forecast by, nor is one before it.
                let from = until(state.ignore_before_us);
                let before = values.get(from..until(state.started_us)).unwrap_or(&[]);
                let value = values.get(until(step.start_us)..until(step.end_us));
                let value = value.and_then(|values| values.last());
                let deviation = state.deviation.unwrap_or(Deviation::Down);
                let walk = self.walk((forecast, *upto_us), before, step);
                return value.is_some_and(|one| walk.is_usual(one.value, deviation));
            }
        };
        if state.evidence == 0.0 {
            // Remembered from its first step on; a level of exactly nothing is as good as next to nothing.
            let before = values.get(..until(state.started_us)).unwrap_or(&[]);
            let level = normal.level(before);
            state.evidence = if level == 0.0 {
                f64::MIN_POSITIVE
            } else {
                level
            };
        }
        let recent = values.get(..until(step.end_us)).unwrap_or(&[]);
        let down = state.deviation == Some(Deviation::Down);
        normal.is_back(recent, state.evidence, down, self.settings.is_change)
    }

    /// Whether a slice points `deviation`'s way at this step.
    pub fn leaning(&self, step: Step, deviation: Deviation) -> Vec<Evidence> {
        let says = |(slice, values): &(Slice, Vec<Observed>)| {
            let (score, _) = self.score(slice, values, step, 0)?;
            Some(Evidence {
                slice: slice.clone(),
                weight: 1.0,
                firing: false,
                leaning: score.p_value <= LEANING && score.deviation == deviation,
                judged: true,
            })
        };
        self.slices.iter().filter_map(says).collect()
    }

    /// The score of a slice at a step, and its value there.
    fn score(
        &self,
        slice: &Slice,
        values: &[Observed],
        step: Step,
        ignore_before_us: i64,
    ) -> Option<(SeasonalScore, f64)> {
        let known = self.normals.of(slice)?;
        let upto = values.partition_point(|one| one.start_us < step.end_us);
        // An incident that is over is no level to judge by.
        let from = values.partition_point(|one| one.start_us < ignore_before_us);
        let recent = values.get(from..upto)?;
        let last = recent.last()?;
        // Only a value of this very step is judged.
        if last.start_us < step.end_us - self.step_us {
            return None;
        }
        let score = match known {
            Known::Season(normal) => normal.score(recent, &self.settings)?,
            Known::Forecast(forecast, upto_us) => {
                let (_, before) = recent.split_last()?;
                (self.walk((forecast, *upto_us), before, step)).score(last.value, &self.settings)
            }
        };
        Some((score, last.value))
    }

    /// A forecast that has walked to a step, past these values.
    fn walk<'a>(
        &self,
        (forecast, learned_upto_us): (&'a Forecast, i64),
        before: &[Observed],
        step: Step,
    ) -> Walk<'a> {
        let mut walk = forecast.walk();
        let span = (learned_upto_us, step.start_us);
        for value in by_step(before, span, self.step_us) {
            walk.pass(value);
        }
        walk
    }
}
