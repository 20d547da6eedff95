//! How a monitor judges the past: by which detector, in which steps, and what it reads for that.

use std::time::Duration;

use serde::Serialize;

use super::STRETCH_US;
use super::eras::Eras;
use crate::definition::{Detect, MonitorDefinition};
use crate::figure::MetricFacts;
use crate::incident::time_text;
use crate::watch::{fitting_slot_us, reach_us, step_us};

/// What values are normal is learned so often over the length of its history: every six hours from four weeks.
const VALUES_REFRESHES: i64 = 112;
/// And no more seldom, in microseconds.
const VALUES_REFRESH_US_MAX: i64 = 6 * 3600 * 1_000_000;

/// Steps of one length over a part of the past.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Resolution {
    /// From when on, as RFC 3339.
    pub from: String,
    /// How long a step is, in seconds.
    pub step_s: f64,
}

/// What is judged, and in which steps.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The monitor with the detector that fits its metric. Nobody is notified.
    pub monitor: MonitorDefinition,
    /// How long buckets are.
    pub eras: Eras,
    /// Begin and end, in microseconds since the epoch.
    pub span: (i64, i64),
    /// The length of the buckets that all steps consist of, where steps of several lengths cannot be compared.
    uniform_us: Option<i64>,
}

impl Plan {
    /// Plans a test over `span`.
    ///
    /// # Errors
    /// The detector cannot judge such a metric.
    pub fn new(
        monitor: &MonitorDefinition,
        facts: &MetricFacts,
        eras: Eras,
        span: (i64, i64),
    ) -> Result<Self, String> {
        let detect = (monitor.detect).for_metric(&monitor.metric, facts.is_rate, facts.is_count)?;
        let mut monitor = MonitorDefinition {
            detect,
            notify: Vec::new(),
            ..monitor.clone()
        };
        let uniform_us = match &mut monitor.detect {
            Detect::Seasonal(_) | Detect::Change(_) | Detect::Forecast(_) => {
                Some(eras.width_us(span.0))
            }
            Detect::Threshold(detect) => detect.over.as_mut().map(|over| {
                // A window over the last five minutes is not known where buckets are an hour long.
                let mut width_us = eras.width_us(span.0 - us(*over));
                let whole = |width_us: i64| (us(*over) + width_us - 1) / width_us * width_us;
                width_us = eras.width_us(span.0 - whole(width_us)).max(width_us);
                *over = Duration::from_micros(whole(width_us).unsigned_abs());
                width_us
            }),
            _ => None,
        };
        Ok(Self {
            monitor,
            eras,
            span,
            uniform_us,
        })
    }

    /// The length of the buckets by which is judged at a time: the shortest that all consists of that is looked at then.
    pub fn bucket_us(&self, now_us: i64) -> i64 {
        if let Some(uniform_us) = self.uniform_us {
            return uniform_us;
        }
        let widths = self.eras.widths_us(i64::MIN, now_us + 1);
        let fits =
            |width_us: &i64| self.eras.width_us(now_us - self.behind_us(*width_us)) <= *width_us;
        let longest = widths.last().copied();
        let found = widths.into_iter().find(fits);
        found.or(longest).unwrap_or(1)
    }

    /// How far before a time is looked when it is judged, history aside, with buckets of a length.
    pub fn behind_us(&self, bucket_us: i64) -> i64 {
        let step_us = step_us(&self.monitor, bucket_us);
        STRETCH_US + reach_us(&self.monitor, step_us) + 2 * step_us
    }

    /// How far back the history is looked at that says what is normal.
    pub fn history_us(&self) -> i64 {
        us(match &self.monitor.detect {
            Detect::Rate(detect) => detect.history,
            Detect::Count(detect) => detect.history,
            Detect::Silence(detect) => detect.history,
            Detect::Seasonal(detect) | Detect::Change(detect) | Detect::Forecast(detect) => {
                detect.history
            }
            Detect::Threshold(_) | Detect::Auto(_) => Duration::ZERO,
        })
    }

    /// How long it is used what values are normal, in microseconds. Weeks of history hardly change from hour to hour, and
    /// learning from them every hour, as live, would be most of the work.
    pub fn values_refresh_us(&self) -> i64 {
        (self.history_us() / VALUES_REFRESHES).clamp(STRETCH_US, VALUES_REFRESH_US_MAX)
    }

    /// Whether figures add up over steps and slices, so that one reading answers all questions.
    pub fn is_additive(&self) -> bool {
        matches!(
            self.monitor.detect,
            Detect::Rate(_) | Detect::Count(_) | Detect::Silence(_)
        )
    }

    /// The lengths of the steps that history is looked at in, as they come up over the test.
    pub fn blocks_us(&self) -> Vec<i64> {
        let mut blocks: Vec<i64> = match &self.monitor.detect {
            Detect::Rate(_) => {
                let lengths = self.changes().into_iter();
                let block =
                    |(_, bucket_us)| reach_us(&self.monitor, step_us(&self.monitor, bucket_us));
                lengths.map(block).collect()
            }
            Detect::Count(_) | Detect::Silence(_) => {
                let from_us = self.span.0 - self.history_us() - self.behind_us(1);
                let widths = self.eras.widths_us(from_us, self.span.1);
                widths.into_iter().filter_map(fitting_slot_us).collect()
            }
            _ => Vec::new(),
        };
        blocks.sort_unstable();
        blocks.dedup();
        blocks
    }

    /// In which steps is judged.
    pub fn resolution(&self) -> Vec<Resolution> {
        let mut parts: Vec<Resolution> = Vec::new();
        for (from_us, bucket_us) in self.changes() {
            let step_s = step_us(&self.monitor, bucket_us) as f64 / 1e6;
            if parts.last().is_none_or(|last| last.step_s != step_s) {
                let from = time_text(from_us);
                parts.push(Resolution { from, step_s });
            }
        }
        parts
    }

    /// When the buckets by which is judged become shorter: a time and the length from then on.
    fn changes(&self) -> Vec<(i64, i64)> {
        let (from_us, to_us) = self.span;
        let mut changes = vec![(from_us, self.bucket_us(from_us))];
        let mut at_us = from_us;
        while at_us < to_us {
            at_us = to_us.min(at_us + STRETCH_US);
            let bucket_us = self.bucket_us(at_us);
            if changes.last().is_some_and(|(_, last)| *last != bucket_us) {
                changes.push((at_us, bucket_us));
            }
        }
        changes
    }
}

/// A time of a definition, in microseconds.
pub(super) fn us(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 4)
}
