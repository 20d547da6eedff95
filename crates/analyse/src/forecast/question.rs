//! What can be asked about the time to come, and what of it makes sense.

use jiff::tz::TimeZone;

use super::{ForecastQuery, Horizon};
use crate::calendar::{Calendar, Period};
use crate::engine::{Cube, Engine};
use crate::error::{AnalyseError, Fault};
use crate::limits::QueryLimits;
use crate::metric::{Metric, MetricKind};
use crate::series::{SeriesQuery, Windows, check_step, duration, metric_of, zone_of};

const HOUR_US: i64 = 3_600_000_000;

/// History has so many steps at least: of days ten weeks.
const HISTORY_STEPS_MIN: i64 = 70;

/// The step of a forecast when none is told: an hour, or as many whole buckets as are needed for one.
#[must_use]
pub fn forecast_step_us(bucket_us: i64) -> i64 {
    let bucket_us = bucket_us.max(1);
    (HOUR_US + bucket_us - 1) / bucket_us * bucket_us
}

/// A question as it is answered: the same for all who ask before another step is complete.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub(super) metric: String,
    pub(super) step_us: i64,
    pub(super) history_from_us: i64,
    /// Start of the first step that is not complete.
    pub(super) first_us: i64,
    /// End of the last step asked for.
    pub(super) to_us: i64,
    /// What is left of the day after `first_us`, for a metric that adds up.
    pub(super) rest_us: Option<(i64, i64)>,
    pub(super) by: Vec<String>,
    pub(super) filters: Vec<(String, String)>,
    pub(super) series_max: usize,
}

/// A checked question, and what of it goes on from one moment to the next.
pub(crate) struct Plan<'a> {
    pub(super) question: Question,
    pub(super) cube: &'a Cube,
    /// Event time up to which whole buckets are complete.
    pub(super) complete_us: i64,
    /// The day asked about, for a metric that adds up.
    pub(super) day_us: Option<(i64, i64)>,
    /// Why the day's total cannot be told.
    pub(super) untold: Option<&'static str>,
}

/// Checks a question. Names of dimensions are checked when its history is read.
pub(crate) fn plan<'a>(
    engine: &'a Engine,
    query: &ForecastQuery,
) -> Result<Plan<'a>, AnalyseError> {
    let limits = &engine.limits;
    let (metric, cube) = metric_of(engine, &query.metric)?;
    let bucket_us = cube.source.bucket_us();
    let step_us = query.step_us.unwrap_or_else(|| forecast_step_us(bucket_us));
    check_step(step_us, bucket_us)?;
    let zone = match &query.zone {
        Some(name) => zone_of(name)?,
        None => TimeZone::UTC,
    };
    let at_us = query.at_us;
    let complete_us = (cube.source.complete_us(at_us)).map_or(at_us, |us| us.min(at_us));
    let first_us = down(complete_us, step_us);
    let now_us = down(at_us, step_us);
    let to_us = match query.horizon {
        Horizon::For(us) if us > 0 => up(now_us.saturating_add(us), step_us),
        Horizon::For(_) => {
            return Err(AnalyseError::invalid(
                "the horizon must be longer than zero",
            ));
        }
        Horizon::Until(period) => {
            let (_, end_us) = period_of(period, &zone, at_us)?;
            up(end_us, step_us)
        }
    };
    let points_max = limits
        .forecast_points_max
        .min(tillwatch_predict::HORIZON_MAX);
    check_count(now_us, to_us, step_us, points_max)?;
    // Where events stopped long ago it begins there, and does not reach as far.
    let ahead_max = i64::try_from(points_max).unwrap_or(i64::MAX);
    let last_us = first_us.saturating_add(step_us.saturating_mul(ahead_max));
    let day_us = adds_up(metric)
        .then(|| period_of(Period::Day, &zone, at_us))
        .transpose()?;
    let untold = day_us.and_then(|(start_us, end_us)| {
        if start_us.rem_euclid(bucket_us) != 0 {
            return Some("the day begins within a bucket in this zone, so its total is not told");
        }
        (end_us > last_us).then_some(
            "the day has more steps than are forecast, so its total is not told: use a wider step",
        )
    });
    let rest_us = day_us
        .filter(|_| untold.is_none())
        .map(|(start_us, end_us)| (start_us.max(first_us), end_us));
    let wanted = query.limit_series.unwrap_or(usize::MAX);
    Ok(Plan {
        question: Question {
            metric: query.metric.clone(),
            step_us,
            history_from_us: first_us
                .saturating_sub(step_us.saturating_mul(history_steps(step_us, limits))),
            first_us,
            to_us: to_us.min(last_us),
            rest_us,
            by: query.by.clone(),
            filters: query.filters.clone(),
            series_max: wanted.min(limits.forecast_series_max).max(1),
        },
        cube,
        complete_us: down(complete_us, bucket_us),
        day_us,
        untold,
    })
}

impl Question {
    /// The series that it is answered from.
    pub(super) fn history(&self) -> SeriesQuery {
        SeriesQuery {
            metric: self.metric.clone(),
            from_us: self.history_from_us,
            to_us: self.first_us,
            step_us: self.step_us,
            windows: Windows::default(),
            by: self.by.clone(),
            filters: self.filters.clone(),
            limit_series: Some(self.series_max),
        }
    }

    /// Steps that are asked for.
    pub(super) fn ahead(&self) -> usize {
        usize::try_from((self.to_us - self.first_us) / self.step_us).unwrap_or(0)
    }

    /// The rest of the day in steps after the end of history.
    pub(super) fn rest_steps(&self) -> Option<(f64, f64)> {
        let (from_us, to_us) = self.rest_us?;
        let steps = |us: i64| (us - self.first_us) as f64 / self.step_us as f64;
        Some((steps(from_us), steps(to_us)))
    }
}

/// Whether the figures of a metric's steps add up to that of the day.
pub(super) fn adds_up(metric: &Metric) -> bool {
    matches!(metric.kind, MetricKind::Count | MetricKind::Amount)
}

/// Five weeks, as set, where that is neither too few steps for days and weeks nor too many.
fn history_steps(step_us: i64, limits: &QueryLimits) -> i64 {
    let count = |limit: usize| i64::try_from(limit).unwrap_or(i64::MAX);
    let history_us = count(limits.forecast_history_ms_max).saturating_mul(1_000);
    let most = limits
        .forecast_steps_max
        .min(tillwatch_predict::HISTORY_MAX);
    (history_us / step_us)
        .max(HISTORY_STEPS_MIN)
        .min(count(most))
        .max(1)
}

fn period_of(period: Period, zone: &TimeZone, at_us: i64) -> Result<(i64, i64), AnalyseError> {
    let calendar = Calendar::new(period, zone.clone());
    let start_us = calendar.start_us(at_us);
    start_us
        .zip(calendar.next_us(at_us))
        .ok_or_else(|| AnalyseError::invalid("the time is beyond the years that calendars have"))
}

fn check_count(
    now_us: i64,
    to_us: i64,
    step_us: i64,
    points_max: usize,
) -> Result<(), AnalyseError> {
    let steps = usize::try_from(to_us.saturating_sub(now_us) / step_us).unwrap_or(usize::MAX);
    if steps <= points_max {
        return Ok(());
    }
    let times = i64::try_from(steps / points_max.max(1) + 1).unwrap_or(i64::MAX);
    let wider = duration(step_us.saturating_mul(times));
    Err(AnalyseError::Invalid(
        Fault::new(format!(
            "the horizon has {steps} steps of {}; at most {points_max} are forecast",
            duration(step_us)
        ))
        .suggest(Some(format!("use a step of {wider} or more"))),
    ))
}

fn down(us: i64, step_us: i64) -> i64 {
    us.div_euclid(step_us).saturating_mul(step_us)
}

fn up(us: i64, step_us: i64) -> i64 {
    down(us.saturating_add(step_us - 1), step_us)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_has_steps_of_an_hour_or_of_the_buckets_that_make_one() {
        let minutes = |bucket: i64| forecast_step_us(bucket * 60_000_000) / 60_000_000;
        assert_eq!(minutes(1), 60);
        assert_eq!(minutes(7), 63);
        assert_eq!(minutes(60), 60);
        assert_eq!(minutes(1_440), 1_440);
    }

    #[test]
    fn history_is_five_weeks_within_what_is_worth_it() {
        let limits = QueryLimits::default();
        let steps = |minutes: i64| history_steps(minutes * 60_000_000, &limits);
        assert_eq!(steps(60), 35 * 24);
        assert_eq!(steps(5), 35 * 288);
        assert_eq!(steps(1), 10_080);
        assert_eq!(steps(1_440), 70);
        let short = QueryLimits {
            forecast_steps_max: 24,
            ..QueryLimits::default()
        };
        assert_eq!(history_steps(HOUR_US, &short), 24);
    }

    #[test]
    fn what_is_too_far_ahead_is_refused_with_a_step_that_is_not() {
        let week_us = 7 * 24 * HOUR_US;
        assert!(check_count(0, week_us, HOUR_US, 168).is_ok());
        assert_eq!(
            check_count(0, week_us, 60_000_000, 2_000)
                .unwrap_err()
                .to_string(),
            "the horizon has 10080 steps of 1m; at most 2000 are forecast; use a step of 6m or more"
        );
    }
}
