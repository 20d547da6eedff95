//! A forecast as the document that is served.

use tillwatch_analyse::{
    DayTotal, ExpectedPoint, Footing, ForecastAnswer, ForecastQuery, Method, MethodKind, Outlook,
};

use super::figures::figure;
use crate::documents::{
    DayForecast, ForecastDocument, ForecastFooting, ForecastMethod, ForecastPoint, ForecastStatus,
    LEVELS, SliceForecast,
};
use crate::request::time::MS;

pub(super) fn document(
    query: &ForecastQuery,
    unit: Option<String>,
    answer: &ForecastAnswer,
) -> ForecastDocument {
    let forecast = &answer.forecast;
    let slices = forecast.slices.iter().zip(&answer.days);
    ForecastDocument {
        metric: query.metric.clone(),
        unit,
        at: query.at_us.div_euclid(MS),
        from: forecast.from_us / MS,
        to: forecast.to_us / MS,
        step_ms: forecast.step_us / MS,
        history_from: forecast.history_from_us / MS,
        zone: query.zone.clone().unwrap_or_else(|| "UTC".to_owned()),
        by: query.by.clone(),
        levels: LEVELS,
        forecasts: slices
            .map(|(slice, day)| self::slice(answer, slice, day.as_ref()))
            .collect(),
        notes: answer.notes.clone(),
        truncated: forecast.truncated,
    }
}

fn slice(
    answer: &ForecastAnswer,
    slice: &tillwatch_analyse::SliceForecast,
    day: Option<&DayTotal>,
) -> SliceForecast {
    let known_steps = slice.known as u64;
    let learning = SliceForecast {
        by: slice.by.iter().cloned().collect(),
        status: ForecastStatus::Learning,
        known_steps,
        needed_steps: None,
        reason: None,
        footing: None,
        periods_ms: Vec::new(),
        methods: Vec::new(),
        points: Vec::new(),
        day: None,
    };
    match &slice.outlook {
        Outlook::Learning { needed } => {
            let needed = *needed as u64;
            let missing = needed.saturating_sub(known_steps);
            SliceForecast {
                needed_steps: Some(needed),
                reason: Some(format!(
                    "History is too short: {known_steps} complete steps have a value, and a forecast needs {needed}; \
                     {missing} more are missing."
                )),
                ..learning
            }
        }
        Outlook::Ready(expected) => {
            let starts = (answer.forecast.from_us..)
                .step_by(usize::try_from(answer.forecast.step_us).unwrap_or(usize::MAX));
            SliceForecast {
                status: ForecastStatus::Ready,
                footing: Some(match expected.footing {
                    Footing::ColdStart => ForecastFooting::ColdStart,
                    Footing::Partial => ForecastFooting::Partial,
                    Footing::Full => ForecastFooting::Full,
                }),
                periods_ms: expected.periods_us.iter().map(|us| us / MS).collect(),
                methods: expected.methods.iter().map(method).collect(),
                points: (starts.zip(&expected.points))
                    .map(|(start_us, expected)| point(start_us, expected))
                    .collect(),
                day: day
                    .zip(answer.day_us)
                    .map(|(day, day_us)| total(answer, day, day_us)),
                ..learning
            }
        }
    }
}

fn method(method: &Method) -> ForecastMethod {
    ForecastMethod {
        method: match method.kind {
            MethodKind::Smoothing => "smoothing",
            MethodKind::Autoregression => "autoregression",
        },
        logarithmic: method.is_logarithmic,
        weight: method.weight,
    }
}

fn point(start_us: i64, expected: &ExpectedPoint) -> ForecastPoint {
    ForecastPoint {
        start: start_us / MS,
        value: expected.mean,
        lower_80: expected.low80,
        upper_80: expected.high80,
        lower_95: expected.low95,
        upper_95: expected.high95,
    }
}

fn total(answer: &ForecastAnswer, day: &DayTotal, (from_us, to_us): (i64, i64)) -> DayForecast {
    DayForecast {
        from: from_us / MS,
        to: to_us / MS,
        complete_to: answer.complete_us / MS,
        so_far: figure(&day.so_far),
        value: day.total.mean,
        lower_80: day.total.low80,
        upper_80: day.total.high80,
        lower_95: day.total.low95,
        upper_95: day.total.high95,
    }
}
