//! The question for a metric's forecast, as its query parameters put it.

use tillwatch_analyse::{forecast_step_us, is_zone, nearest_zone};

use crate::limits::Limits;
use crate::ports::{ForecastQuery, Horizon, Period};
use crate::problem::Problem;
use crate::request::params::{Params, nearest};
use crate::request::series::{Askable, dimensions, filters, instant};
use crate::request::time::{DAY, parse_duration_us, shorten};
use crate::request::windows::{is_multiple, listed, names, usual_us};

/// The parameters of a forecast, in the order they are documented.
pub(crate) const PARAMETERS: &[&str] = &["horizon", "step", "zone", "at", "by", "where", "limit"];

/// A forecast without `horizon` goes so far ahead.
const HORIZON_DEFAULT_US: i64 = DAY;

/// Reads and checks the parameters of a question for one metric.
pub(crate) fn read(
    params: &Params,
    askable: Askable<'_>,
    limits: &Limits,
    now_us: i64,
) -> Result<ForecastQuery, Problem> {
    let at_us = instant(params, "at")?.map_or(now_us, |at| at.resolve_us(now_us));
    if at_us > now_us {
        return Err(Problem::parameter(
            "at",
            "'at' must not be in the future: it is the time that the forecast is made for, and 'horizon' says how far \
             it goes from there.",
        ));
    }
    let by = dimensions(params, askable)?;
    let mut filters = filters(params, askable)?;
    filters.sort();
    filters.dedup();
    let step_us = step(params, askable.bucket_us)?;
    let (horizon, ahead_us) = horizon(params)?;
    check_points(ahead_us, step_us, limits)?;
    Ok(ForecastQuery {
        metric: askable.metric.to_owned(),
        at_us,
        step_us: Some(step_us),
        horizon,
        zone: zone(params)?,
        by,
        filters,
        limit_series: Some(params.count(
            "limit",
            limits.forecast_series_default,
            limits.forecast_series_max,
        )?),
    })
}

fn step(params: &Params, bucket_us: i64) -> Result<i64, Problem> {
    let Some(text) = params.one("step")? else {
        return Ok(forecast_step_us(bucket_us));
    };
    if Period::parse(text).is_some() {
        let detail = format!(
            "The steps of a forecast have a fixed length, such as '1h' or '1d', and '{text}' has none."
        );
        return Err(Problem::parameter("step", detail));
    }
    let step_us =
        parse_duration_us(text).map_err(|fault| Problem::parameter("step", format!("{fault}.")))?;
    is_multiple("step", text, step_us, bucket_us)?;
    Ok(step_us)
}

/// How far it goes ahead, and the most that can be, in microseconds.
fn horizon(params: &Params) -> Result<(Horizon, i64), Problem> {
    let Some(text) = params.one("horizon")? else {
        return Ok((Horizon::For(HORIZON_DEFAULT_US), HORIZON_DEFAULT_US));
    };
    if let Some(period) = Period::parse(text) {
        return Ok((Horizon::Until(period), usual_us(period)));
    }
    let horizon_us = parse_duration_us(text).map_err(|fault| {
        let detail = format!("{fault}; or {} for the rest of it.", listed());
        Problem::parameter("horizon", detail).suggesting(nearest(text, names()))
    })?;
    Ok((Horizon::For(horizon_us), horizon_us))
}

/// Whether all steps can be answered, also when the period has just begun.
fn check_points(ahead_us: i64, step_us: i64, limits: &Limits) -> Result<(), Problem> {
    let points = ahead_us
        .unsigned_abs()
        .div_ceil(step_us.unsigned_abs().max(1));
    if points <= limits.forecast_points_max {
        return Ok(());
    }
    Err(Problem::parameter(
        "horizon",
        format!(
            "The horizon has {points} steps; at most {} are forecast. Ask with a wider 'step'.",
            limits.forecast_points_max
        ),
    ))
}

fn zone(params: &Params) -> Result<Option<String>, Problem> {
    let Some(text) = params.one("zone")? else {
        return Ok(None);
    };
    if is_zone(text) {
        return Ok(Some(text.to_owned()));
    }
    let detail = if text.starts_with("dim:") {
        "A forecast has one zone: write a name such as 'Europe/Berlin'.".to_owned()
    } else {
        format!(
            "There is no time zone '{}': write a name such as 'Europe/Berlin'.",
            shorten(text)
        )
    };
    let nearest = nearest_zone(&shorten(text));
    Err(Problem::parameter("zone", detail).suggesting(nearest.as_deref()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::request::time::SECOND;

    const NOW_US: i64 = 1_700_000_000 * SECOND;
    const HOUR_US: i64 = 3_600 * SECOND;

    fn ask(query: &str) -> Result<ForecastQuery, Problem> {
        let dimensions = ["psp".to_owned(), "method".to_owned()];
        let askable = Askable {
            metric: "payments",
            dimensions: &dimensions,
            bucket_us: 10 * SECOND,
        };
        let params = Params::read(Some(query), PARAMETERS)?;
        read(&params, askable, &Limits::default(), NOW_US)
    }

    #[test]
    fn a_bare_question_is_the_next_day_by_the_hour() {
        let question = ask("").unwrap();
        assert_eq!(question.horizon, Horizon::For(DAY));
        assert_eq!(question.step_us, Some(HOUR_US));
        assert_eq!((question.at_us, question.zone), (NOW_US, None));
        assert_eq!(question.limit_series, Some(8));
    }

    #[test]
    fn questions_are_read_in_all_documented_forms() {
        let question = ask("horizon=7d&step=30m&by=psp&where=method:card&limit=3").unwrap();
        assert_eq!(question.horizon, Horizon::For(7 * DAY));
        assert_eq!(question.step_us, Some(HOUR_US / 2));
        assert_eq!(question.by, ["psp"]);
        assert_eq!(question.filters, [("method".to_owned(), "card".to_owned())]);
        assert_eq!(question.limit_series, Some(3));
        let question = ask("horizon=day&zone=Asia/Kolkata&at=-2d").unwrap();
        assert_eq!(question.horizon, Horizon::Until(Period::Day));
        assert_eq!(question.zone.as_deref(), Some("Asia/Kolkata"));
        assert_eq!(question.at_us, NOW_US - 2 * DAY);
    }

    #[test]
    fn wrong_parameters_are_named() {
        let cases = [
            ("horzion=7d", "horzion", Some("horizon")),
            ("from=-1h", "from", None),
            ("horizon=1d&horizon=2d", "horizon", None),
            ("horizon=soon", "horizon", None),
            ("horizon=mnth", "horizon", Some("month")),
            ("horizon=0h", "horizon", None),
            ("horizon=-1h", "horizon", None),
            ("horizon=90d", "horizon", None),
            ("horizon=day&step=10s", "horizon", None),
            ("step=day", "step", None),
            ("step=15s", "step", None),
            ("step=0s", "step", None),
            ("step=fast", "step", None),
            ("zone=Europe/Berln", "zone", Some("Europe/Berlin")),
            ("zone=dim:psp", "zone", None),
            ("zone=", "zone", None),
            ("at=tomorrow", "at", None),
            ("at=now%2B1h", "at", None),
            ("at=2023-11-15T00:00:00Z", "at", None),
            ("by=pps", "by", Some("psp")),
            ("by=psp&by=psp", "by", None),
            ("where=psp", "where", None),
            ("limit=0", "limit", None),
            ("limit=51", "limit", None),
        ];
        for (query, parameter, suggestion) in cases {
            let document = ask(query).unwrap_err().document();
            assert_eq!(document["parameter"], parameter, "{query}");
            if suggestion.is_some() {
                assert_eq!(document["suggestion"].as_str(), suggestion, "{query}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_query_string_is_read_or_refused_without_a_panic(query in "\\PC{0,80}") {
            let _ = ask(&query);
        }
    }
}
