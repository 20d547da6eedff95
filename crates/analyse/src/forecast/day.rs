//! The day's expected total: what has come so far, and what is expected of the rest.

use std::collections::HashMap;
use std::sync::Arc;

use tillwatch_predict::Point;

use super::question::Plan;
use super::{Expected, Forecast, ForecastAnswer, Outlook, SliceForecast};
use crate::series::{PointValue, Series, SeriesQuery, Windows};

/// What a day is expected to come to.
#[derive(Debug, Clone, PartialEq)]
pub struct DayTotal {
    /// What has come so far, exactly.
    pub so_far: PointValue,
    /// What is expected of the rest.
    pub rest: Point,
    /// Both together.
    pub total: Point,
}

impl Plan<'_> {
    /// The question for what the day has come to so far; none before anything of it is complete.
    pub(crate) fn so_far(&self) -> Option<SeriesQuery> {
        let (start_us, _) = self.day_us?;
        self.question.rest_us?;
        let step_us = self
            .complete_us
            .checked_sub(start_us)
            .filter(|us| *us > 0)?;
        Some(SeriesQuery {
            metric: self.question.metric.clone(),
            from_us: start_us,
            to_us: self.complete_us,
            // One figure for exactly this stretch.
            step_us,
            windows: Windows::default(),
            by: self.question.by.clone(),
            filters: self.question.filters.clone(),
            limit_series: None,
        })
    }

    /// The share of the first step to come, counted from the start of the day if that lies in it,
    /// that is complete already.
    fn passed(&self) -> f64 {
        let Some((from_us, _)) = self.question.rest_us else {
            return 0.0;
        };
        let passed_us = self.complete_us.saturating_sub(from_us).max(0);
        passed_us as f64 / self.question.step_us as f64
    }
}

/// The forecast with the day's totals. `so_far` answers [`Plan::so_far`].
pub(crate) fn answer(
    plan: &Plan<'_>,
    forecast: Arc<Forecast>,
    so_far: Option<&Series>,
) -> ForecastAnswer {
    let mut notes = forecast.notes.clone();
    notes.extend(plan.untold.map(str::to_owned));
    for note in so_far.into_iter().flat_map(|series| &series.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    let figures: HashMap<_, _> = (so_far.into_iter())
        .flat_map(|series| &series.series)
        .filter_map(|one| Some((one.by.as_slice(), &one.points.last()?.1)))
        .collect();
    let is_cut = so_far.is_some_and(|series| series.truncated);
    let figure = |slice: &SliceForecast| match figures.get(slice.by.as_slice()) {
        Some(PointValue::Null) if is_known_to_be_nothing(so_far) => forecast.empty.clone(),
        Some(figure) => (*figure).clone(),
        None if is_cut => PointValue::Null,
        None => forecast.empty.clone(),
    };
    let days = forecast.slices.iter().map(|slice| match &slice.outlook {
        Outlook::Ready(expected) => day(expected, figure(slice), plan.passed()),
        Outlook::Learning { .. } => None,
    });
    ForecastAnswer {
        days: days.collect(),
        complete_us: plan.complete_us,
        day_us: plan.day_us,
        notes,
        forecast,
    }
}

/// Whether the day has no event of any slice so far, though it is complete.
fn is_known_to_be_nothing(so_far: Option<&Series>) -> bool {
    so_far.is_some_and(|series| series.known_us.is_none())
}

fn day(expected: &Expected, so_far: PointValue, passed: f64) -> Option<DayTotal> {
    let rest = expected.rest?.after(passed);
    let known = so_far.as_f64()?;
    let total = Point {
        mean: known + rest.mean,
        low80: known + rest.low80,
        high80: known + rest.high80,
        low95: known + rest.low95,
        high95: known + rest.high95,
    };
    Some(DayTotal {
        so_far,
        rest,
        total,
    })
}
