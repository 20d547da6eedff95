//! One round of a monitor of counts: the newest steps of every slice, judged against what is normal at the time.
//!
//! Two detectors share it. `count` tests stretches that end now; `silence` asks how improbable it is that a slice has
//! had no event since its last one.

mod above;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use self::above::Wide;
use super::above::Off;
use super::rate::unjudged;
use super::state::{Finding, Findings, SliceState, Step};
use super::volumes::Volumes;
use crate::definition::{CountDetect, Detect, MonitorDefinition, SilenceDetect};
use crate::detect::count::{
    CountScore, CountSettings, Stretch, change_point, is_normal, recover, score, silence,
};
use crate::detect::discovery;
use crate::detect::hysteresis::Verdict;
use crate::detect::rate::ladder;
use crate::detect::season::WEEK_US;
use crate::detect::volume::Volume;
use crate::figure::{FigureQuery, FigureSource, Slice, all_figures};
use crate::group::Evidence;
use crate::incident::Deviation;

/// A slice points the same way as a firing one from this p-value.
const LEANING: f64 = 0.05;

/// What is asked of each slice.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Question {
    /// Whether the count of a stretch is improbable.
    Count(CountSettings),
    /// Whether the time since the last event is.
    Silence,
}

/// The figures of one round.
pub(super) struct VolumeRound {
    question: Question,
    from_us: i64,
    step_us: i64,
    stretches: Vec<usize>,
    /// Share of false ones tolerated among what fires at one step.
    discovery_rate: f64,
    volumes: Arc<Volumes>,
    /// Those that the monitor splits into, and after them those above.
    slices: Vec<Slice>,
    /// How many the monitor splits into.
    narrow: usize,
    /// Their places, one by one.
    places: Vec<usize>,
    above: Vec<Wide>,
    index: HashMap<Slice, usize>,
    /// Per slice, what is normal for it, where that is known.
    normal: Vec<Option<Arc<Volume>>>,
    /// Per slice, events of all steps before the i-th: a stretch is one subtraction.
    sums: Vec<Vec<f64>>,
    /// Per slice, how many of the first steps are not all known.
    unknown: Vec<usize>,
}

/// How long a detector of counts looks back at a step, in microseconds. None for the others.
pub(super) fn tested_us(detect: &Detect) -> Option<i64> {
    let window = match detect {
        Detect::Count(detect) => detect.window,
        Detect::Silence(detect) => detect.window,
        _ => return None,
    };
    Some(i64::try_from(window.as_micros()).unwrap_or(i64::MAX / 4))
}

impl VolumeRound {
    /// Reads what the steps from `first` to `last` need to test counts.
    pub fn count(
        source: &dyn FigureSource,
        definition: &MonitorDefinition,
        detect: &CountDetect,
        volumes: Arc<Volumes>,
        steps: (Step, Step),
        states: &HashMap<Slice, SliceState>,
    ) -> Result<Self, String> {
        let settings = CountSettings {
            direction: definition.direction,
            min_samples: detect.min_samples,
            min_change: detect.min_change,
        };
        let budget = detect.sensitivity.false_alerts_per_week();
        let asked = (Question::Count(settings), budget);
        let mut round = Self::fetch(source, definition, asked, volumes, steps)?;
        round.look_above(&definition.by, |slice| states.contains_key(slice));
        Ok(round)
    }

    /// Reads what the steps from `first` to `last` need to look for silence.
    pub fn silence(
        source: &dyn FigureSource,
        definition: &MonitorDefinition,
        detect: &SilenceDetect,
        volumes: Arc<Volumes>,
        steps: (Step, Step),
    ) -> Result<Self, String> {
        // A slice above is silent when all within it are, so they need not be looked at.
        let asked = (
            Question::Silence,
            detect.sensitivity.false_alerts_per_week(),
        );
        Self::fetch(source, definition, asked, volumes, steps)
    }

    fn fetch(
        source: &dyn FigureSource,
        definition: &MonitorDefinition,
        (question, budget): (Question, f64),
        volumes: Arc<Volumes>,
        (first, last): (Step, Step),
    ) -> Result<Self, String> {
        let step_us = first.end_us - first.start_us;
        let window_us = tested_us(&definition.detect).unwrap_or(step_us);
        let longest = usize::try_from(window_us / step_us).unwrap_or(1).max(1);
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
        let mut round = Self {
            question,
            from_us,
            step_us,
            stretches: ladder(longest),
            discovery_rate: budget * step_us as f64 / WEEK_US as f64,
            volumes,
            slices: Vec::new(),
            narrow: 0,
            places: Vec::new(),
            above: Vec::new(),
            index: HashMap::new(),
            normal: Vec::new(),
            sums: Vec::new(),
            unknown: Vec::new(),
        };
        for figures in all_figures(source, &query)? {
            let mut events = vec![0.0; steps];
            let mut unknown = 0;
            for bucket in &figures.buckets {
                let at = usize::try_from((bucket.start_us - from_us).div_euclid(step_us));
                let Some((at, cell)) = at.ok().and_then(|at| Some((at, events.get_mut(at)?)))
                else {
                    continue;
                };
                // A bucket without a value is one that is not known, as where old ones were joined.
                match bucket.value.filter(|value| value.is_finite()) {
                    Some(value) => *cell += value.max(0.0),
                    None => unknown = unknown.max(at + 1),
                }
            }
            round.push(figures.slice, &events, unknown);
        }
        // Slices without a single event are what this is about.
        let volumes = Arc::clone(&round.volumes);
        let nothing = vec![0.0; steps];
        for slice in volumes.slices() {
            if !round.index.contains_key(slice) {
                round.push(slice.clone(), &nothing, 0);
            }
        }
        round.narrow = round.slices.len();
        round.places = (0..round.narrow).collect();
        Ok(round)
    }

    fn push(&mut self, slice: Slice, events: &[f64], unknown: usize) {
        self.unknown.push(unknown);
        self.normal.push(self.volumes.of(&slice).cloned());
        let mut sum = 0.0;
        let running = events.iter().map(|events| {
            sum += events;
            sum
        });
        self.sums
            .push(std::iter::once(0.0).chain(running).collect());
        self.index.insert(slice.clone(), self.slices.len());
        self.slices.push(slice);
    }

    /// Judges one step of every slice that has figures, history or a state.
    pub fn judge(&self, step: Step, states: &mut HashMap<Slice, SliceState>) -> Findings {
        let mut findings = Vec::new();
        let mut tested: Vec<(usize, CountScore)> = Vec::new();
        // Before any of them moves on: what is off is left out of what lies above it.
        let off = Off::of(states, self.from_us, |slice| self.parts(slice));
        for (at, slice) in self.slices.iter().enumerate() {
            let wide = self.wide(at);
            let state = states.get_mut(slice);
            if let Some(state) = state.filter(|state| state.hysteresis.is_firing()) {
                findings.push(match wide {
                    None => self.recovering(at, step, state),
                    Some(wide) => self.recovering_above(wide, step, state, &off),
                });
                continue;
            }
            let ignore_before_us = states.get(slice).map_or(0, |state| state.ignore_before_us);
            let found = match wide {
                None => self.score(at, step, ignore_before_us),
                Some(wide) if wide.of.is_tested => {
                    self.score_above(wide, step, ignore_before_us, &off.within(&wide.of))
                }
                Some(_) => None,
            };
            match found {
                Some(score) => tested.push((at, score)),
                None if states.contains_key(slice) => findings.push(unjudged(slice, step)),
                None => {}
            }
        }
        let gone = states.keys();
        let gone = gone.filter(|slice| !self.index.contains_key(*slice));
        findings.extend(gone.map(|slice| unjudged(slice, step)));
        // What a part of it explains is no fault of a slice above, and would only make room for others.
        let own = |(at, score): &(usize, CountScore)| {
            let slice = self.slices.get(*at);
            let ignored = slice.and_then(|slice| states.get(slice));
            let ignored = ignored.map_or(0, |state| state.ignore_before_us);
            let explained = score.p_value <= self.discovery_rate
                && !self.stands_out((*at, score), &tested, step, (ignored, &off));
            if explained { 1.0 } else { score.p_value }
        };
        let p_values: Vec<f64> = tested.iter().map(own).collect();
        let cut_off = discovery::cut_off(&p_values, self.discovery_rate);
        let mut normal = 0;
        for ((at, score), p_value) in tested.iter().zip(&p_values) {
            let anomalous = cut_off.is_some_and(|cut_off| *p_value <= cut_off);
            let slice = self.slices.get(*at);
            if !anomalous && slice.is_none_or(|slice| !states.contains_key(slice)) {
                normal += usize::from(*at < self.narrow);
                continue;
            }
            findings.extend(self.finding((*at, score), step, anomalous, &off));
        }
        Findings {
            told: findings,
            normal,
        }
    }

    /// Whether a slice points `deviation`'s way at this step, and how much traffic it has.
    pub fn leaning(&self, step: Step, deviation: Deviation) -> Vec<Evidence> {
        let longest = self.stretches.first().copied().unwrap_or(1);
        let says = |(at, slice): (usize, &Slice)| {
            let whole = self.stretch(at, step, longest, 0)?;
            let score = self.score(at, step, 0);
            let leaning = score.is_some_and(|s| s.p_value <= LEANING && s.deviation == deviation);
            Some(Evidence {
                slice: slice.clone(),
                weight: whole.expected.max(whole.seen),
                firing: false,
                leaning,
                judged: score.is_some(),
            })
        };
        let narrow = self.slices.iter().take(self.narrow);
        narrow.enumerate().filter_map(says).collect()
    }

    fn score(&self, at: usize, step: Step, ignore_before_us: i64) -> Option<CountScore> {
        match &self.question {
            Question::Count(settings) => {
                let stretches = self.stretches.iter();
                let stretches =
                    stretches.filter_map(|n| self.stretch(at, step, *n, ignore_before_us));
                score(stretches, self.dispersion(at)?, settings)
            }
            Question::Silence => self.silent(at, step, self.volume(at)?, ignore_before_us),
        }
    }

    /// How improbable it is that there was nothing since the last event, or since the time looked back.
    fn silent(
        &self,
        at: usize,
        step: Step,
        volume: &Volume,
        ignore_before_us: i64,
    ) -> Option<CountScore> {
        let end = self.position(step);
        let longest = self.stretches.first().copied().unwrap_or(1);
        let first = end
            .saturating_sub(longest)
            .max(self.ignored(at, ignore_before_us))
            .min(end);
        let mut begin = end;
        while begin > first && self.sum(at, begin - 1) == self.sum(at, end) {
            begin -= 1;
        }
        let from_us = self.from_us + begin as i64 * self.step_us;
        let (p_value, expected) = silence(volume, from_us, step.end_us);
        Some(CountScore {
            p_value,
            deviation: Deviation::Down,
            stretch: Stretch {
                steps: end - begin,
                seen: 0.0,
                expected,
            },
        })
    }

    /// Begin of the last step with events, of those that were read.
    fn last_event_us(&self, at: usize, step: Step) -> Option<i64> {
        let mut steps = (0..self.position(step)).rev();
        let last = steps.find(|i| self.sum(at, i + 1) > self.sum(at, *i))?;
        Some(self.from_us + last as i64 * self.step_us)
    }

    fn finding(
        &self,
        (at, score): (usize, &CountScore),
        step: Step,
        anomalous: bool,
        off: &Off,
    ) -> Option<Finding> {
        let slice = self.slices.get(at)?;
        let Stretch { seen, expected, .. } = score.stretch;
        let started_us = match self.question {
            _ if !anomalous => step.start_us,
            Question::Silence => step.end_us - score.stretch.steps as i64 * self.step_us,
            Question::Count(_) => {
                let steps = match self.wide(at) {
                    None => self.steps(at, step),
                    Some(wide) => self.steps_of_rest(wide, step, off),
                };
                self.started_us(step, &steps, seen / expected.max(1e-9))
            }
        };
        Some(Finding {
            slice: slice.clone(),
            verdict: if anomalous {
                Verdict::Anomalous
            } else {
                Verdict::Normal
            },
            deviation: score.deviation,
            seen: self.seen(at, step),
            p_value: Some(score.p_value),
            expected,
            observed: Some(seen),
            started_us,
        })
    }

    /// The verdict on a firing slice: only new events count.
    fn recovering(&self, at: usize, step: Step, state: &mut SliceState) -> Finding {
        let new = self.stretch(at, step, 1, 0).unwrap_or(Stretch {
            steps: 1,
            seen: 0.0,
            expected: 0.0,
        });
        let is_back = match self.question {
            // Events have come, and the silence since the last of them is not itself improbable. That little is expected
            // of the night ends nothing.
            Question::Silence => {
                let since = self.score(at, step, 0);
                let last_us = self.last_event_us(at, step);
                last_us.is_some_and(|last_us| last_us >= state.started_us)
                    && since.is_some_and(|since| since.p_value > LEANING)
            }
            Question::Count(_) => {
                let ratio = state.observed / state.expected.max(1e-9);
                let dispersion = self.dispersion(at).unwrap_or(0.0);
                recover(&mut state.evidence, new, ratio, dispersion);
                is_normal(state.evidence)
            }
        };
        let now = self.score(at, step, state.ignore_before_us);
        self.recovered((at, step), new, state, (is_back, now))
    }

    /// A firing slice with its new step and the score of now.
    fn recovered(
        &self,
        (at, step): (usize, Step),
        new: Stretch,
        state: &mut SliceState,
        (is_back, now): (bool, Option<CountScore>),
    ) -> Finding {
        // The longer it lasts, the surer it is.
        if let Some(now) = now
            && Some(now.deviation) == state.deviation
        {
            state.p_value = Some(state.p_value.map_or(now.p_value, |p| p.min(now.p_value)));
        }
        Finding {
            slice: self.slices.get(at).cloned().unwrap_or_default(),
            verdict: if is_back {
                Verdict::Normal
            } else {
                Verdict::Between
            },
            deviation: state.deviation.unwrap_or(Deviation::Down),
            // That there are none is the incident; a slice that nobody expects anything of any more is none.
            seen: self.seen(at, step) || new.expected > 0.0,
            p_value: None,
            expected: state.expected,
            observed: Some(new.seen),
            started_us: state.started_us,
        }
    }

    /// Each step of the longest stretch.
    fn steps(&self, at: usize, step: Step) -> Vec<Stretch> {
        let of = |i: usize| self.between(at, i, i + 1);
        self.longest(step).filter_map(of).collect()
    }

    /// The positions of the longest stretch.
    fn longest(&self, step: Step) -> Range<usize> {
        let longest = self.stretches.first().copied().unwrap_or(1);
        let end = self.position(step);
        end.saturating_sub(longest)..end
    }

    /// When the bad time of a longest stretch with these steps began.
    fn started_us(&self, step: Step, steps: &[Stretch], ratio: f64) -> i64 {
        let first = self.longest(step).start + change_point(steps, ratio);
        self.from_us + first as i64 * self.step_us
    }

    fn volume(&self, at: usize) -> Option<&Volume> {
        self.normal.get(at)?.as_deref()
    }

    fn seen(&self, at: usize, step: Step) -> bool {
        let end = self.position(step);
        self.sum(at, end) > self.sum(at, end.saturating_sub(1))
    }

    /// The last `steps` steps up to the end of `step`, without those before a time.
    fn stretch(
        &self,
        at: usize,
        step: Step,
        steps: usize,
        ignore_before_us: i64,
    ) -> Option<Stretch> {
        let end = self.position(step);
        let ignored = self.ignored(at, ignore_before_us);
        let begin = end.saturating_sub(steps).max(ignored).min(end);
        self.between(at, begin, end)
    }

    fn between(&self, at: usize, begin: usize, end: usize) -> Option<Stretch> {
        let at_us = |position: usize| self.from_us + position as i64 * self.step_us;
        let expected = match self.wide(at) {
            Some(wide) => wide.expected(begin, end)?,
            None => self.volume(at)?.expected(at_us(begin), at_us(end)),
        };
        Some(Stretch {
            steps: end - begin,
            seen: self.sum(at, end) - self.sum(at, begin),
            expected,
        })
    }

    /// How many of the first steps of a slice do not count.
    fn ignored(&self, at: usize, ignore_before_us: i64) -> usize {
        let ignored = ignore_before_us.saturating_sub(self.from_us);
        let ignored = ignored.div_euclid(self.step_us);
        let unknown = self.unknown.get(at).copied().unwrap_or(0);
        usize::try_from(ignored).unwrap_or(0).max(unknown)
    }

    /// How many steps lie before the end of `step`.
    fn position(&self, step: Step) -> usize {
        usize::try_from((step.end_us - self.from_us) / self.step_us).unwrap_or(0)
    }

    fn sum(&self, at: usize, position: usize) -> f64 {
        let sums = self.sums.get(at);
        sums.and_then(|sums| sums.get(position))
            .copied()
            .unwrap_or(0.0)
    }
}
