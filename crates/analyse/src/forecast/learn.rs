//! From a metric's history to what is expected of it.

use std::time::Duration;

use tillwatch_predict::{Bounds, ForecastError, Forecaster, Model, Options};

use super::question::{Question, adds_up};
use super::{Expected, Forecast, Outlook, SliceForecast};
use crate::engine::Engine;
use crate::error::AnalyseError;
use crate::metric::{Metric, MetricKind};
use crate::series::{OneSeries, Series, series};

/// Reads history and forecasts every slice. Call it on a worker.
pub(super) async fn learn(engine: &Engine, question: &Question) -> Result<Forecast, AnalyseError> {
    let history = series(engine, &question.history(), &engine.limits).await?;
    let mut slices = Vec::with_capacity(history.series.len());
    for one in &history.series {
        // What nobody waits for any more ends here.
        tokio::task::yield_now().await;
        let values = values(&history, one);
        let known = values.iter().flatten().count();
        slices.push(SliceForecast {
            by: one.by.clone(),
            known,
            outlook: outlook(question, &history.metric, &values)?,
        });
    }
    Ok(Forecast {
        step_us: question.step_us,
        history_from_us: question.history_from_us,
        from_us: question.first_us,
        to_us: question.to_us,
        slices,
        truncated: history.truncated,
        notes: history.notes,
        empty: history.empty,
        version: history.version,
        read_us: history.read_us,
        metric: history.metric,
    })
}

/// One value per step of history, none where it is not known.
fn values(history: &Series, one: &OneSeries) -> Vec<Option<f64>> {
    let Some((first_us, last_us)) = history.known_us else {
        return vec![None; one.points.len()];
    };
    // Of a step in which events begin nobody knows how much is missing.
    let is_cut =
        |at_us: i64| at_us == first_us && first_us > history.from_us && adds_up(&history.metric);
    let value = |(at_us, value): &(i64, crate::series::PointValue)| {
        // All steps are complete: after the last event nothing happened.
        let value = if *at_us > last_us {
            &history.empty
        } else {
            value
        };
        let value = value.as_f64().filter(|value| value.is_finite());
        value.filter(|_| !is_cut(*at_us))
    };
    one.points.iter().map(value).collect()
}

fn outlook(
    question: &Question,
    metric: &Metric,
    values: &[Option<f64>],
) -> Result<Outlook, AnalyseError> {
    let rest = question.rest_steps();
    let ahead = question.ahead();
    // A day has no more steps than are forecast, so the end of its rest is a small number.
    let rest_ends = rest.map_or(0, |(_, to)| to.ceil() as usize);
    let options = Options {
        bounds: bounds(metric, values),
        horizon: ahead.max(rest_ends),
        ..Options::default()
    };
    let step = Duration::from_micros(question.step_us.unsigned_abs());
    match Forecaster::new(options).fit(values, step) {
        Ok(model) => {
            let expected = expected(question, &model, ahead, rest);
            expected.map(Outlook::Ready).map_err(AnalyseError::internal)
        }
        Err(ForecastError::TooShort { needed, .. }) => Ok(Outlook::Learning { needed }),
        Err(error @ ForecastError::TooLarge { .. }) => Err(AnalyseError::invalid(format!(
            "'{}' cannot be forecast: {error}",
            metric.name()
        ))),
        Err(error) => Err(AnalyseError::internal(error)),
    }
}

fn expected(
    question: &Question,
    model: &Model,
    ahead: usize,
    rest: Option<(f64, f64)>,
) -> Result<Expected, ForecastError> {
    let periods = model.periods().into_iter();
    let period_us = |steps: usize| i64::try_from(steps).unwrap_or(0) * question.step_us;
    Ok(Expected {
        footing: model.footing(),
        periods_us: periods.map(period_us).collect(),
        methods: model.methods(),
        points: model.forecast(ahead)?,
        rest: rest.map(|(from, to)| model.rest(from, to)).transpose()?,
    })
}

/// Where the metric can lie, as far as its kind and its history say the same: not below zero where it
/// never was, and a share not above one.
fn bounds(metric: &Metric, values: &[Option<f64>]) -> Bounds {
    let known = || values.iter().flatten().copied();
    let is_never_negative = known().all(|value| value >= 0.0);
    let is_share = metric.kind == MetricKind::Rate && known().all(|value| value <= 1.0);
    Bounds {
        lower: is_never_negative.then_some(0.0),
        upper: is_share.then_some(1.0),
    }
}
