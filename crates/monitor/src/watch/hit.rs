//! How many events an incident has hit, where its metric is no share of two counts.
//!
//! What can be told depends on what the metric is. Of a count, events are missing or too many. Of a quantile, its sketch
//! tells how many values were beyond the bound, or beyond what was to be expected. Of an average, a ratio of sums or a
//! level, no event by itself is good or bad, so that only how many there were is told, by another name.

use super::due::step_us;
use super::figures::missed;
use super::lifecycle::Lifecycle;
use crate::MonitorError;
use crate::definition::Detect;
use crate::figure::{PassedQuery, PassedValues};
use crate::incident::{Deviation, Incident, IncidentFigures};

const DAY_US: i64 = 24 * 3600 * 1_000_000;

impl Lifecycle<'_> {
    /// Says how many events were hit since the incident began, or where that cannot be told, how many there were. `limit` is
    /// the bound, or what was to be expected.
    pub(super) fn count_hit(
        &self,
        figures: &mut IncidentFigures,
        incident: &Incident,
        (limit, bad_until_us): (Option<f64>, i64),
    ) -> Result<(), MonitorError> {
        let span = self.bad_time(incident, bad_until_us);
        if self.facts.is_count {
            figures.affected = self.too_many(incident, limit, span)?.map(f64::round);
        }
        if figures.affected.is_some() {
            return Ok(());
        }
        let query = PassedQuery {
            metric: self.definition.metric.clone(),
            slice: incident.slice.clone(),
            from_us: span.0,
            to_us: span.1,
            above: limit,
        };
        let passed = self.watch.source.passed(&query);
        let passed = passed.map_err(MonitorError::Figures)?;
        let is_bound = matches!(self.definition.detect, Detect::Threshold(_));
        if let Some((affected, values)) = passed
            .values
            .and_then(|values| Some((beyond(&values, incident.direction, is_bound)?, values)))
        {
            figures.affected = Some(affected);
            figures.denominator = Some(values.count);
        } else {
            figures.passed = passed.events;
        }
        Ok(())
    }

    /// By how much a metric that adds up is beyond its bound, or off what it had at other such times; none where there are
    /// no other times.
    pub(super) fn too_many(
        &self,
        incident: &Incident,
        bound: Option<f64>,
        span: (i64, i64),
    ) -> Result<Option<f64>, MonitorError> {
        let detect = &self.definition.detect;
        let Detect::Threshold(_) = detect else {
            return self.off(incident, span);
        };
        let Some(bound) = bound else {
            return Ok(None);
        };
        let step_us = step_us(self.definition, self.facts.bucket_us.max(1));
        let window_us = self.over_us().unwrap_or(step_us);
        let now = self.total(&incident.slice, span.0, span.1)?.value;
        // What the bound allows in a window, for as many windows as it has lasted.
        let allowed = bound * ((span.1 - span.0) as f64 / window_us as f64);
        let beyond = match incident.direction {
            Deviation::Up => now.unwrap_or(0.0) - allowed,
            Deviation::Down => allowed - now.unwrap_or(0.0),
        };
        Ok(Some(beyond.max(0.0)).filter(|beyond| beyond.is_finite()))
    }

    /// How much is missing, or too much, against the same time of the weeks before, or of the days before where there are
    /// none.
    fn off(
        &self,
        incident: &Incident,
        (from_us, to_us): (i64, i64),
    ) -> Result<Option<f64>, MonitorError> {
        for (back_us, count) in [(7 * DAY_US, 4), (DAY_US, 3)] {
            let mut before = Vec::new();
            for nth in 1..=count {
                let back_us = nth * back_us;
                let total = self.total(&incident.slice, from_us - back_us, to_us - back_us)?;
                // Where there is nothing at all, history does not reach back so far.
                before.extend(total.value.filter(|value| *value != 0.0));
            }
            before.sort_unstable_by(f64::total_cmp);
            if let Some(expected) = before.get(before.len() / 2) {
                let now = self.total(&incident.slice, from_us, to_us)?;
                let now = now.value.unwrap_or(0.0);
                let off = match incident.direction {
                    Deviation::Down => expected - now,
                    Deviation::Up => now - expected,
                };
                return Ok(Some(off.max(0.0)).filter(|off| off.is_finite()));
            }
        }
        Ok(None)
    }
}

/// How many of a quantile's values were beyond a limit: beyond a bound all of them, beyond what was to be expected those that
/// are more than the share which always is.
fn beyond(values: &PassedValues, direction: Deviation, is_bound: bool) -> Option<f64> {
    let above = values.above?;
    let (seen, usual) = match direction {
        Deviation::Up => (above, 1.0 - values.quantile),
        Deviation::Down => (values.count - above, values.quantile),
    };
    if is_bound {
        return Some(seen);
    }
    Some(missed(Deviation::Up, seen, usual * values.count))
}
