//! The steps and windows of a question for a series, as its query parameters put them.

use tillwatch_analyse::{is_zone, nearest_zone};

use crate::limits::Limits;
use crate::ports::{Period, Span, Windows, Zone};
use crate::problem::Problem;
use crate::request::params::{Params, nearest};
use crate::request::series::{Askable, STEPS_S, default_step, known_dimension};
use crate::request::time::{DAY, SECOND, parse_duration_us, shorten};

/// The step in microseconds and the windows. Of a calendar's steps it is the usual length.
pub(super) fn read(
    params: &Params,
    askable: Askable<'_>,
    range_us: i64,
    limits: &Limits,
) -> Result<(i64, Windows), Problem> {
    let width_us = width(params, askable.bucket_us)?;
    let since = since(params)?;
    if width_us.is_some() && since.is_some() {
        let detail = "Either 'window' or 'since' says what a point stands for, not both.";
        return Err(Problem::parameter("since", detail));
    }
    let (step, step_us) = match params.one("step")? {
        Some(text) => written_step(text, askable.bucket_us)?,
        None => (
            None,
            unwritten_step(askable.bucket_us, range_us, width_us, limits),
        ),
    };
    check_points(params, step_us, range_us, limits)?;
    let span = match (width_us, since) {
        (Some(width_us), _) => trailing(params, width_us, step, step_us)?,
        (None, Some(period)) => Span::Since(period),
        (None, None) => Span::Step,
    };
    let mut windows = Windows {
        step,
        span,
        zone: Zone::Utc,
    };
    if let Some(text) = params.one("zone")? {
        if !windows.has_calendar() {
            let detail =
                "'zone' says whose days are meant, and needs 'since' or a 'step' such as 'day'.";
            return Err(Problem::parameter("zone", detail));
        }
        windows.zone = zone(text, askable)?;
    }
    Ok((step_us, windows))
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    Period::ALL.into_iter().map(Period::name)
}

pub(super) fn listed() -> String {
    names().collect::<Vec<_>>().join(", ")
}

fn width(params: &Params, bucket_us: i64) -> Result<Option<i64>, Problem> {
    let Some(text) = params.one("window")? else {
        return Ok(None);
    };
    if Period::parse(text).is_some() {
        let detail = format!(
            "'window' is a duration, such as '5m'; 'since={text}' counts since the start of the {text}."
        );
        return Err(Problem::parameter("window", detail));
    }
    let width = parse_duration_us(text);
    let width_us = width.map_err(|fault| Problem::parameter("window", format!("{fault}.")))?;
    is_multiple("window", text, width_us, bucket_us)?;
    Ok(Some(width_us))
}

fn since(params: &Params) -> Result<Option<Period>, Problem> {
    let Some(text) = params.one("since")? else {
        return Ok(None);
    };
    let period = Period::parse(text).ok_or_else(|| {
        let detail = format!("'{}' is no period; there are {}.", shorten(text), listed());
        Problem::parameter("since", detail).suggesting(nearest(text, names()))
    });
    period.map(Some)
}

/// About how long the steps of a calendar are, in microseconds.
pub(super) fn usual_us(period: Period) -> i64 {
    match period {
        Period::Day => DAY,
        Period::Week => 7 * DAY,
        Period::Month => 30 * DAY,
        Period::Quarter => 91 * DAY,
        Period::Year => 365 * DAY,
    }
}

fn written_step(text: &str, bucket_us: i64) -> Result<(Option<Period>, i64), Problem> {
    if let Some(period) = Period::parse(text) {
        return Ok((Some(period), usual_us(period)));
    }
    let step_us = parse_duration_us(text).map_err(|fault| {
        let detail = format!("{fault}; or {}.", listed());
        Problem::parameter("step", detail).suggesting(nearest(text, names()))
    })?;
    is_multiple("step", text, step_us, bucket_us)?;
    Ok((None, step_us))
}

/// The readable step for a range; with a window, one that divides it.
fn unwritten_step(bucket_us: i64, range_us: i64, width_us: Option<i64>, limits: &Limits) -> i64 {
    let wanted_us = default_step(bucket_us, range_us, limits.series_points_default);
    let Some(width_us) = width_us else {
        return wanted_us;
    };
    let readable = STEPS_S.iter().map(|s| s * SECOND).chain([wanted_us]);
    let fits = readable.filter(|step| step % bucket_us == 0 && width_us % step == 0);
    fits.filter(|step| *step >= wanted_us)
        .min()
        .unwrap_or(width_us)
}

/// Whether a duration consists of whole buckets.
pub(super) fn is_multiple(name: &str, text: &str, us: i64, bucket_us: i64) -> Result<(), Problem> {
    if us % bucket_us == 0 {
        return Ok(());
    }
    let detail = format!(
        "'{}' is no multiple of the cube's bucket of {} s.",
        shorten(text),
        bucket_us / SECOND
    );
    Err(Problem::parameter(name, detail).with("bucket_ms", bucket_us / 1_000))
}

fn check_points(
    params: &Params,
    step_us: i64,
    range_us: i64,
    limits: &Limits,
) -> Result<(), Problem> {
    let points = range_us.unsigned_abs() / step_us.unsigned_abs().max(1);
    if points <= limits.series_points_max {
        return Ok(());
    }
    let step = match params.one("step")? {
        Some(text) => format!("A step of '{}'", shorten(text)),
        None => "A step that divides 'window'".to_owned(),
    };
    Err(Problem::parameter(
        "step",
        format!(
            "{step} makes {points} points of this range; at most {} are given.",
            limits.series_points_max
        ),
    ))
}

fn trailing(
    params: &Params,
    width_us: i64,
    step: Option<Period>,
    step_us: i64,
) -> Result<Span, Problem> {
    if let Some(period) = step {
        let name = period.name();
        let detail = format!(
            "'window' needs a step of a fixed length, such as '1d', not the step '{name}'; 'since' counts \
             since the start of a period."
        );
        return Err(Problem::parameter("window", detail));
    }
    if width_us % step_us != 0 {
        let text = params.one("window")?.unwrap_or_default();
        let detail = format!(
            "'{}' is no multiple of the step of {} s.",
            shorten(text),
            step_us / SECOND
        );
        return Err(Problem::parameter("window", detail).with("step_ms", step_us / 1_000));
    }
    Ok(if width_us == step_us {
        Span::Step
    } else {
        Span::Trailing(width_us)
    })
}

fn zone(text: &str, askable: Askable<'_>) -> Result<Zone, Problem> {
    if let Some(dimension) = text.strip_prefix("dim:") {
        return known_dimension(dimension, "zone", askable).map(Zone::Dimension);
    }
    if is_zone(text) {
        return Ok(Zone::Named(text.to_owned()));
    }
    let detail = format!(
        "There is no time zone '{}': write a name such as 'Europe/Berlin', or 'dim:' and a dimension that \
         names each event's zone.",
        shorten(text)
    );
    let nearest = nearest_zone(&shorten(text));
    Err(Problem::parameter("zone", detail).suggesting(nearest.as_deref()))
}
