//! One round of a threshold monitor.

use std::collections::{HashMap, HashSet};

use super::figures::over_us;
use super::known::Known;
use super::rate::unjudged;
use super::state::{Finding, Memory, Step};
use crate::definition::{MonitorDefinition, ThresholdDetect};
use crate::detect::hysteresis::Verdict;
use crate::detect::threshold::score;
use crate::figure::{Bucket, FigureQuery, FigureSource, MetricFacts, Slice};
use crate::group::Evidence;
use crate::incident::Deviation;

/// A count so many standard deviations of chance below what has come leads to as much more.
pub(super) const CHANCE: f64 = 2.0;

/// The figures of one round: one value per slice and step.
pub(super) struct ThresholdRound {
    detect: ThresholdDetect,
    metric: String,
    /// The value of a slice without events, where nothing has one.
    empty_value: Option<f64>,
    /// Whether several steps were read at once. Then a slice that has events in one of them comes
    /// with the empty value in all others, also in those before it existed.
    several: bool,
    /// The share of a window that has come, of a count that is not complete; else 1.
    come: f64,
    windows: HashMap<i64, Vec<(Slice, Bucket)>>,
}

impl ThresholdRound {
    /// Reads the steps from `first` to `last`.
    pub fn fetch(
        source: &dyn FigureSource,
        definition: &MonitorDefinition,
        facts: &MetricFacts,
        detect: &ThresholdDetect,
        first: Step,
        last: Step,
    ) -> Result<Self, String> {
        let query = FigureQuery {
            metric: definition.metric.clone(),
            by: definition.by.clone(),
            within: Slice::whole(),
            from_us: first.start_us,
            to_us: last.end_us,
            step_us: first.end_us - first.start_us,
            over_us: over_us(detect),
        };
        let mut windows: HashMap<i64, Vec<(Slice, Bucket)>> = HashMap::new();
        for figures in source.figures(&query)? {
            for bucket in figures.buckets {
                let window = windows.entry(bucket.start_us).or_default();
                window.push((figures.slice.clone(), bucket));
            }
        }
        Ok(Self {
            detect: detect.clone(),
            metric: definition.metric.clone(),
            empty_value: facts.empty_value,
            several: first != last,
            come: 1.0,
            windows,
        })
    }

    /// The same for a step that is not complete yet, the newest event being of a time within it.
    pub fn ahead(self, facts: &MetricFacts, step: Step, newest_us: i64) -> Self {
        if facts.is_rate {
            return self;
        }
        let length_us = over_us(&self.detect).unwrap_or(step.end_us - step.start_us);
        let come_us = length_us - (step.end_us - newest_us).clamp(0, length_us - 1);
        Self {
            come: come_us as f64 / length_us as f64,
            ..self
        }
    }

    /// What is to be expected of a count once its window is complete, so many standard deviations below the mean.
    fn once_complete(&self, bucket: Bucket, chance: f64) -> Bucket {
        let expected = |value: f64| (value - chance * value.max(0.0).sqrt()) / self.come;
        let is_complete = self.come >= 1.0;
        Bucket {
            value: (bucket.value).map(|value| {
                if is_complete {
                    value
                } else {
                    expected(value).max(value)
                }
            }),
            ..bucket
        }
    }

    /// What could not be judged, in a sentence for the status page: a metric that does not tell its
    /// samples never has enough of them.
    pub fn note(&self) -> Option<String> {
        let min_samples = self.detect.min_samples;
        let buckets = self.windows.values().flatten().map(|(_, bucket)| bucket);
        let mut values = buckets.filter(|bucket| bucket.value.is_some()).peekable();
        values.peek()?;
        let never = min_samples > 0 && values.all(|bucket| bucket.denominator.is_none());
        never.then(|| {
            format!(
                "nothing is judged: `min_samples: {min_samples}` needs a metric that is a count ÷ \
                 a count, and `{}` does not tell how many samples are behind a value",
                self.metric
            )
        })
    }

    /// Judges one step of every slice that has figures or a state.
    pub fn judge(&self, step: Step, memory: &mut Memory) -> Vec<Finding> {
        if let Some(known) = &mut memory.known {
            let found = self.windows.get(&step.start_us).into_iter().flatten();
            let had_events = found
                .filter(|(_, bucket)| {
                    bucket.value.is_some() && (!self.several || bucket.value != self.empty_value)
                })
                .map(|(slice, _)| slice);
            known.note(had_events, step.start_us);
        }
        let mut findings = Vec::new();
        for (slice, bucket) in self.window(step, memory.known.as_ref()) {
            let Some(score) = score(&bucket, &self.detect) else {
                continue;
            };
            let state = memory.slices.get(&slice);
            // While it fires, it resolves against the limit it broke, not against the nearer one.
            let limit = state
                .filter(|s| s.hysteresis.is_firing())
                .map_or(score.limit, |s| s.expected);
            findings.push(Finding {
                slice,
                verdict: score.verdict,
                deviation: score.deviation,
                seen: bucket.value.is_some(),
                p_value: None,
                expected: limit,
                observed: score.value,
                started_us: step.start_us,
            });
        }
        let found: HashSet<&Slice> = findings.iter().map(|finding| &finding.slice).collect();
        let missing: Vec<Finding> = memory
            .slices
            .keys()
            .filter(|slice| !found.contains(slice))
            .map(|slice| unjudged(slice, step))
            .collect();
        findings.extend(missing);
        findings
    }

    /// Which slices are beyond the limit at this step, and how much traffic each has; of those with
    /// too few samples to be judged, only the traffic.
    pub fn leaning(
        &self,
        step: Step,
        deviation: Deviation,
        known: Option<&Known>,
    ) -> Vec<Evidence> {
        self.leaning_by(step, deviation, known, CHANCE)
    }

    /// The same, by what is to be expected of counts that are not complete, so many standard deviations below it.
    pub fn leaning_by(
        &self,
        step: Step,
        deviation: Deviation,
        known: Option<&Known>,
        chance: f64,
    ) -> Vec<Evidence> {
        let says = |(slice, bucket): (Slice, Bucket)| {
            let score = score(&self.once_complete(bucket, chance), &self.detect)?;
            bucket.value?;
            Some(Evidence {
                slice,
                weight: bucket.denominator.unwrap_or(1.0),
                firing: false,
                leaning: score.verdict == Verdict::Anomalous && score.deviation == deviation,
                judged: score.value.is_some(),
            })
        };
        let window = self.window(step, known);
        window.into_iter().filter_map(says).collect()
    }

    /// What every slice has at this step. Where nothing is a value, slices that had events lately
    /// have it in a window without.
    fn window(&self, step: Step, known: Option<&Known>) -> Vec<(Slice, Bucket)> {
        let found = self.windows.get(&step.start_us).into_iter().flatten();
        let (Some(known), Some(_)) = (known, self.empty_value) else {
            return found.cloned().collect();
        };
        let is_there = |(slice, bucket): &&(Slice, Bucket)| {
            bucket.value.is_some()
                && (!self.several
                    || bucket.value != self.empty_value
                    || known.has(slice, step.start_us))
        };
        let mut window: Vec<(Slice, Bucket)> = found.filter(is_there).cloned().collect();
        let present: HashSet<&Slice> = window.iter().map(|(slice, _)| slice).collect();
        let nothing = Bucket {
            start_us: step.start_us,
            value: self.empty_value,
            numerator: None,
            denominator: None,
        };
        let silent: Vec<(Slice, Bucket)> = known
            .at(step.start_us)
            .filter(|slice| !present.contains(slice))
            .map(|slice| (slice.clone(), nothing))
            .collect();
        window.extend(silent);
        window
    }
}
