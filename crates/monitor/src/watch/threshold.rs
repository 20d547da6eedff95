//! One round of a threshold monitor.

use std::collections::{HashMap, HashSet};

use super::rate::unjudged;
use super::state::{Finding, SliceState, Step};
use crate::definition::{MonitorDefinition, ThresholdDetect};
use crate::detect::hysteresis::Verdict;
use crate::detect::threshold::score;
use crate::figure::{Bucket, FigureQuery, FigureSource, Slice};
use crate::incident::Deviation;

/// The figures of one round: one value per slice and step.
pub(super) struct ThresholdRound {
    detect: ThresholdDetect,
    metric: String,
    windows: HashMap<i64, Vec<(Slice, Bucket)>>,
}

impl ThresholdRound {
    /// Reads the steps from `first` to `last`.
    pub fn fetch(
        source: &dyn FigureSource,
        definition: &MonitorDefinition,
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
            windows,
        })
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
    pub fn judge(&self, step: Step, states: &HashMap<Slice, SliceState>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (slice, bucket) in self.windows.get(&step.start_us).into_iter().flatten() {
            let Some(score) = score(bucket, &self.detect) else {
                continue;
            };
            let state = states.get(slice);
            // While it fires, it resolves against the limit it broke, not against the nearer one.
            let limit = state
                .filter(|s| s.hysteresis.is_firing())
                .map_or(score.limit, |s| s.expected);
            findings.push(Finding {
                slice: slice.clone(),
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
        let missing: Vec<Finding> = states
            .keys()
            .filter(|slice| !found.contains(slice))
            .map(|slice| unjudged(slice, step))
            .collect();
        findings.extend(missing);
        findings
    }

    /// Whether a slice is beyond the limit at this step, and how much traffic it has.
    pub fn leaning(&self, step: Step, deviation: Deviation) -> Vec<(Slice, bool, f64)> {
        let windows = self.windows.get(&step.start_us).into_iter().flatten();
        let leans = |(slice, bucket): &(Slice, Bucket)| {
            let score = score(bucket, &self.detect)?;
            score.value?;
            let leaning = score.verdict == Verdict::Anomalous && score.deviation == deviation;
            Some((slice.clone(), leaning, bucket.denominator.unwrap_or(1.0)))
        };
        windows.filter_map(leans).collect()
    }
}
