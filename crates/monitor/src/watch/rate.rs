//! One round of a rate monitor: the newest buckets of every slice, judged step by step.

mod above;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use self::above::Wide;
use super::above::{Off, above};
use super::baselines::{Baselines, LeftOut};
use super::state::{Finding, Findings, SliceState, Step};
use crate::definition::{MonitorDefinition, RateDetect};
use crate::detect::baseline::{Baseline, Counts};
use crate::detect::hysteresis::Verdict;
use crate::detect::rate::{Length, RateScore, RateSettings, change_point, lengths, score};
use crate::detect::{discovery, recovery};
use crate::figure::{FigureQuery, FigureSource, Slice};
use crate::group::Evidence;
use crate::incident::Deviation;

const WEEK_US: f64 = 7.0 * 24.0 * 3600.0 * 1e6;
/// A slice points the same way as a firing one from this p-value, with at least that many samples.
const LEANING: (f64, u64) = (0.05, 5);

/// The figures of one round.
pub(super) struct RateRound {
    from_us: i64,
    step_us: i64,
    stretches: Vec<Length>,
    settings: RateSettings,
    /// Share of false ones tolerated among what fires at one step.
    discovery_rate: f64,
    baselines: Arc<Baselines>,
    /// Those that the monitor splits into, and after them those above.
    slices: Vec<Slice>,
    /// How many the monitor splits into.
    narrow: usize,
    /// Their places, one by one.
    places: Vec<usize>,
    above: Vec<Wide>,
    /// Per slice, what is normal for it, where that is known.
    normal: Vec<Option<Baseline>>,
    index: HashMap<Slice, usize>,
    /// Per slice, counts of all steps before the i-th: a stretch is one subtraction.
    sums: Vec<Vec<Counts>>,
    /// Figures that could not be judged.
    left_out: LeftOut,
    /// Whether its steps are not complete yet.
    is_ahead: bool,
}

/// What was tested at a step.
#[derive(Clone, Copy)]
struct Tested {
    at: usize,
    score: RateScore,
    /// The rate to be expected of it.
    expected: f64,
}

impl RateRound {
    /// Reads what the steps from `first` to `last` need.
    pub fn fetch(
        source: &dyn FigureSource,
        definition: &MonitorDefinition,
        detect: &RateDetect,
        baselines: Arc<Baselines>,
        (first, last): (Step, Step),
        states: &HashMap<Slice, SliceState>,
    ) -> Result<Self, String> {
        let step_us = first.end_us - first.start_us;
        let longest = longest_steps(detect, step_us);
        let from_us = first.end_us - longest as i64 * step_us;
        let query = FigureQuery {
            metric: definition.metric.clone(),
            by: definition.by.clone(),
            within: Slice::whole(),
            from_us,
            to_us: last.end_us,
            step_us,
            over_us: None,
        };
        let steps = usize::try_from((last.end_us - from_us) / step_us).unwrap_or(0);
        let budget = detect.sensitivity.false_alerts_per_week();
        let discovery_rate = budget * step_us as f64 / WEEK_US;
        let mut round = Self {
            from_us,
            step_us,
            stretches: lengths(longest),
            settings: RateSettings {
                direction: definition.direction,
                min_samples: detect.min_samples,
                min_change: detect.min_change,
                exact_upto: discovery_rate,
            },
            discovery_rate,
            baselines,
            slices: Vec::new(),
            narrow: 0,
            places: Vec::new(),
            above: Vec::new(),
            normal: Vec::new(),
            index: HashMap::new(),
            sums: Vec::new(),
            left_out: LeftOut::default(),
            is_ahead: false,
        };
        let found = source.figures(&query)?;
        // Where slices may be lacking, nobody knows what those above them hold.
        let is_whole = found.len() < source.slices_max(steps as i64);
        for figures in found {
            let mut steps = vec![Counts::default(); steps];
            for bucket in &figures.buckets {
                let at = usize::try_from((bucket.start_us - from_us).div_euclid(step_us));
                if let Some(cell) = at.ok().and_then(|at| steps.get_mut(at))
                    && let Some(counts) = round.left_out.counts(&figures.slice, bucket)
                {
                    *cell = cell.plus(counts);
                }
            }
            let mut sum = Counts::default();
            let running = steps.into_iter().map(|step| {
                sum = sum.plus(step);
                sum
            });
            round
                .sums
                .push(std::iter::once(Counts::default()).chain(running).collect());
            round
                .index
                .insert(figures.slice.clone(), round.slices.len());
            round.normal.push(round.baselines.of(&figures.slice));
            round.slices.push(figures.slice);
        }
        round.narrow = round.slices.len();
        round.places = (0..round.narrow).collect();
        let kept = |slice: &Slice| states.contains_key(slice);
        for mut wide in above(&definition.by, &round.slices, kept) {
            wide.is_tested &= is_whole;
            if wide.is_tested || kept(&wide.slice) {
                round.add_above(wide, steps);
            }
        }
        Ok(round)
    }

    /// The same for a step that is not complete yet, which is looked at every so often and may raise such a share of the
    /// false alarms that are tolerated.
    pub fn ahead(self, every_us: i64, share: f64) -> Self {
        let looks_a_step = self.step_us as f64 / every_us as f64;
        Self {
            discovery_rate: self.discovery_rate * share / looks_a_step,
            is_ahead: true,
            ..self
        }
    }

    /// What could not be judged, in a sentence for the status page.
    pub fn note(&self) -> Option<String> {
        let recent = self.left_out.note("the last minutes");
        recent.or_else(|| self.baselines.left_out.note("the history"))
    }

    /// Judges one step of every slice that has figures or a state. One that is not complete says nothing of slices that fire:
    /// only complete buckets tell that something is over.
    pub fn judge(&self, step: Step, states: &mut HashMap<Slice, SliceState>) -> Findings {
        let mut findings = Vec::new();
        let mut tested: Vec<Tested> = Vec::new();
        let gone: Vec<Slice> = states
            .keys()
            .filter(|slice| !self.index.contains_key(*slice))
            .cloned()
            .collect();
        // Before any of them moves on: what is off is left out of what lies above it.
        let off = Off::of(states, self.from_us, |slice| self.parts(slice));
        for (at, slice) in self.slices.iter().enumerate() {
            let wide = self.wide(at);
            let state = states.get_mut(slice);
            if let Some(state) = state.filter(|state| state.hysteresis.is_firing()) {
                if self.is_ahead {
                    continue;
                }
                findings.push(match wide {
                    // What was found ahead had not begun yet.
                    _ if step.end_us <= state.started_us => unjudged(slice, step),
                    None => self.recovering(at, step, state),
                    Some(wide) => self.recovering_above(wide, step, state, &off),
                });
                continue;
            }
            let ignore_before_us = states.get(slice).map_or(0, |state| state.ignore_before_us);
            let found = match wide {
                None => self.tested(at, step, ignore_before_us),
                Some(wide) if wide.of.is_tested => {
                    self.tested_above(wide, step, ignore_before_us, &off.within(&wide.of))
                }
                Some(_) => None,
            };
            match found {
                Some(found) => tested.push(found),
                None if states.contains_key(slice) => findings.push(unjudged(slice, step)),
                None => {}
            }
        }
        findings.extend(gone.iter().map(|slice| unjudged(slice, step)));
        // What a part of it explains is no fault of a slice above, and would only make room for others.
        let own = |one: &Tested| {
            let slice = self.slices.get(one.at);
            let ignored = slice.and_then(|slice| states.get(slice));
            let ignored = ignored.map_or(0, |state| state.ignore_before_us);
            let explained = one.score.p_value <= self.discovery_rate
                && !self.stands_out(one, &tested, step, (ignored, &off));
            if explained { 1.0 } else { one.score.p_value }
        };
        let p_values: Vec<f64> = tested.iter().map(own).collect();
        let cut_off = discovery::cut_off(&p_values, self.discovery_rate);
        let mut normal = 0;
        for (one, p_value) in tested.iter().zip(&p_values) {
            let anomalous = cut_off.is_some_and(|cut_off| *p_value <= cut_off);
            let slice = self.slices.get(one.at);
            if !anomalous && slice.is_none_or(|slice| !states.contains_key(slice)) {
                normal += usize::from(one.at < self.narrow);
                continue;
            }
            findings.extend(self.finding(one, step, anomalous, &off));
        }
        Findings {
            told: findings,
            normal,
        }
    }

    /// Whether a slice points `deviation`'s way at this step, and how much traffic it has.
    pub fn leaning(&self, step: Step, deviation: Deviation) -> Vec<Evidence> {
        let settings = RateSettings {
            min_samples: LEANING.1,
            exact_upto: 1.0,
            ..self.settings
        };
        let leans = |(at, slice): (usize, &Slice)| {
            let score = self.score(at, step, 0, &settings)?;
            let leaning = score.p_value <= LEANING.0 && score.deviation == deviation;
            let longest = self.longest_stretch();
            Some(Evidence {
                slice: slice.clone(),
                weight: self.recent(at, step, longest, 0).attempts,
                firing: false,
                leaning,
                judged: true,
            })
        };
        let narrow = self.slices.iter().take(self.narrow);
        narrow.enumerate().filter_map(leans).collect()
    }

    fn tested(&self, at: usize, step: Step, ignore_before_us: i64) -> Option<Tested> {
        let score = self.score(at, step, ignore_before_us, &self.settings)?;
        let expected = self.baseline(at)?.mean;
        Some(Tested {
            at,
            score,
            expected,
        })
    }

    fn score(
        &self,
        at: usize,
        step: Step,
        ignore_before_us: i64,
        settings: &RateSettings,
    ) -> Option<RateScore> {
        let baseline = self.baseline(at)?;
        let recent = |steps| self.recent(at, step, steps, ignore_before_us);
        score(recent, &self.stretches, &baseline, settings)
    }

    fn finding(&self, one: &Tested, step: Step, anomalous: bool, off: &Off) -> Option<Finding> {
        let Tested {
            at,
            score,
            expected,
        } = *one;
        let slice = self.slices.get(at)?;
        let observed = score.counts.rate();
        let started_us = if anomalous {
            let steps = match self.wide(at) {
                None => self.steps(at, step),
                Some(wide) => self.steps_of_rest(wide, step, off),
            };
            self.started_us(step, &steps, expected, observed.unwrap_or(expected))
        } else {
            step.start_us
        };
        Some(Finding {
            slice: slice.clone(),
            verdict: if anomalous {
                Verdict::Anomalous
            } else {
                Verdict::Normal
            },
            deviation: score.deviation,
            seen: self.recent(at, step, 1, 0).attempts > 0.0,
            p_value: Some(score.p_value),
            expected,
            observed,
            started_us,
        })
    }

    /// The verdict on a firing slice: only new events count, against the rate before it fired.
    fn recovering(&self, at: usize, step: Step, state: &mut SliceState) -> Finding {
        let new = self.recent(at, step, 1, 0);
        recovery::advance(&mut state.evidence, new, state.expected, state.observed);
        let now = self.score(at, step, state.ignore_before_us, &self.settings);
        self.recovered(at, new, state, now)
    }

    /// Whether the evidence for a recovery is enough, with the new events and the score of now.
    fn recovered(
        &self,
        at: usize,
        new: Counts,
        state: &mut SliceState,
        now: Option<RateScore>,
    ) -> Finding {
        let normal = recovery::is_normal(state.evidence);
        // The longer it lasts, the surer it is.
        if let Some(now) = now
            && Some(now.deviation) == state.deviation
        {
            state.p_value = Some(state.p_value.map_or(now.p_value, |p| p.min(now.p_value)));
        }
        Finding {
            slice: self.slices.get(at).cloned().unwrap_or_default(),
            verdict: if normal {
                Verdict::Normal
            } else {
                Verdict::Between
            },
            deviation: state.deviation.unwrap_or(Deviation::Down),
            seen: new.attempts > 0.0,
            p_value: None,
            expected: state.expected,
            observed: new.rate(),
            started_us: state.started_us,
        }
    }

    /// The counts of each step of the longest stretch.
    fn steps(&self, at: usize, step: Step) -> Vec<Counts> {
        let of = |i: usize| self.sum(at, i + 1).minus(self.sum(at, i));
        self.longest(step).map(of).collect()
    }

    /// How many steps the longest stretch has.
    fn longest_stretch(&self) -> usize {
        self.stretches.first().map_or(1, |longest| longest.buckets)
    }

    /// The positions of the longest stretch.
    fn longest(&self, step: Step) -> Range<usize> {
        let longest = self.longest_stretch();
        let end = self.position(step);
        end.saturating_sub(longest)..end
    }

    /// When the bad time of a longest stretch with these counts began.
    fn started_us(&self, step: Step, steps: &[Counts], expected: f64, observed: f64) -> i64 {
        let first = self.longest(step).start + change_point(steps, expected, observed);
        self.from_us + first as i64 * self.step_us
    }

    fn baseline(&self, at: usize) -> Option<Baseline> {
        self.normal.get(at).copied().flatten()
    }

    /// Counts of the last `steps` steps up to the end of `step`, without those before a time.
    fn recent(&self, at: usize, step: Step, steps: usize, ignore_before_us: i64) -> Counts {
        let begin = self.begin(step, steps, ignore_before_us);
        self.sum(at, self.position(step)).minus(self.sum(at, begin))
    }

    /// Where the last `steps` steps up to the end of `step` begin, without those before a time.
    fn begin(&self, step: Step, steps: usize, ignore_before_us: i64) -> usize {
        let end = self.position(step);
        let ignored = self.places_before(ignore_before_us);
        end.saturating_sub(steps).max(ignored).min(end)
    }

    /// How many steps lie before a time.
    fn places_before(&self, at_us: i64) -> usize {
        let steps = at_us.saturating_sub(self.from_us).div_euclid(self.step_us);
        usize::try_from(steps).unwrap_or(0)
    }

    /// How many steps lie before the end of `step`.
    fn position(&self, step: Step) -> usize {
        usize::try_from((step.end_us - self.from_us) / self.step_us).unwrap_or(0)
    }

    fn sum(&self, at: usize, position: usize) -> Counts {
        self.sums
            .get(at)
            .and_then(|sums| sums.get(position))
            .copied()
            .unwrap_or_default()
    }
}

/// Length of the longest stretch, in steps.
pub(super) fn longest_steps(detect: &RateDetect, step_us: i64) -> usize {
    let window_us = i64::try_from(detect.window.as_micros()).unwrap_or(i64::MAX);
    usize::try_from(window_us / step_us).unwrap_or(1).max(1)
}

/// A slice without enough events to say anything.
pub(super) fn unjudged(slice: &Slice, step: Step) -> Finding {
    Finding {
        slice: slice.clone(),
        verdict: Verdict::Between,
        deviation: Deviation::Down,
        seen: false,
        p_value: None,
        expected: 0.0,
        observed: None,
        started_us: step.start_us,
    }
}
