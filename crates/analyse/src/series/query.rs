//! What can be asked about a metric, and what of it makes sense.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::division::{Course, Divisions, Stretch};
use super::window::{Span, Windows, Zone};
use crate::calendar::{nearest_zone, zone};
use crate::engine::{Cube, Engine};
use crate::error::{AnalyseError, Fault};
use crate::metric::Metric;
use crate::suggest;

/// A question for a metric's series.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SeriesQuery {
    /// The metric's name.
    pub metric: String,
    /// Start of the range, rounded down to a whole step.
    pub from_us: i64,
    /// End of the range, rounded up to a whole step.
    pub to_us: i64,
    /// Width of one point, a multiple of the cube's bucket. Steps are aligned to 1970-01-01T00:00Z,
    /// unless one step is the whole range. Where `keep` has joined older buckets to wider ones, a
    /// step that is no multiple of these has no value. Not looked at where steps are a calendar's.
    pub step_us: i64,
    /// Which stretch of time each point stands for: unless told, its step.
    pub windows: Windows,
    /// Dimensions to split by.
    pub by: Vec<String>,
    /// Conditions on dimensions, as (dimension, value). Several values of one dimension are
    /// alternatives; the empty value also means "no value".
    pub filters: Vec<(String, String)>,
    /// Number of series wanted at most, below the configured limit.
    pub limit_series: Option<usize>,
}

/// A question for the figures of a metric's slices.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SlicesQuery {
    /// The metric, range, step, split and conditions.
    pub series: SeriesQuery,
    /// Further measures of the metric's cube wanted as numbers, such as a sum of money.
    pub measures: Vec<String>,
    /// Of a metric that is a quantile of a sketch: bounds, for each of which is told how many of the sketch's values are
    /// above it.
    pub above: Vec<f64>,
}

/// A checked question.
pub(super) struct Checked<'a> {
    pub(super) metric: Arc<Metric>,
    pub(super) cube: &'a Cube,
    pub(super) from_us: i64,
    pub(super) to_us: i64,
    pub(super) step_us: i64,
    pub(super) windows: &'a Windows,
    pub(super) course: Course,
    pub(super) by: &'a [String],
    pub(super) filters: &'a [(String, String)],
    pub(super) series_max: usize,
    /// Indices into the cube's measures: first the metric's, then the further ones.
    pub(super) measures: Vec<usize>,
    /// Bounds for which is told how many values of the metric's sketch are above them.
    pub(super) above: &'a [f64],
}

impl Checked<'_> {
    /// Whether every pane is in the window of one point only, so that one grouping is all there is to do.
    pub(super) fn is_one_pass(&self) -> bool {
        self.windows.span == Span::Step
            && matches!(self.course.divisions.as_ref(), Divisions::One(_))
    }
}

pub(super) fn check<'a>(
    engine: &'a Engine,
    query: &'a SeriesQuery,
    further: &[String],
) -> Result<Checked<'a>, AnalyseError> {
    let (metric, cube) = metric_of(engine, &query.metric)?;
    check_dimensions(cube, query)?;
    check_windows(cube, query)?;
    // Events that wait may make older buckets wider, and the range is of whole ones.
    cube.source.settle();
    let points_max = engine.limits.points_max;
    let range = range(query, widest_us(query, cube))?;
    if range.from_us >= range.to_us {
        return Err(AnalyseError::invalid(
            "the range is empty: 'from' must be before 'to'",
        ));
    }
    if query.windows.step.is_none() {
        check_count(range, query.step_us, points_max)?;
    }
    let course = Course::new(&query.windows, query.step_us, range, points_max)
        .ok_or_else(out_of_calendar)?;
    let steps = course.steps.len();
    if steps > points_max {
        return Err(AnalyseError::invalid(format!(
            "the range has more than {points_max} steps, which are answered at most"
        )));
    }
    let wanted = query.limit_series.unwrap_or(usize::MAX);
    Ok(Checked {
        series_max: wanted
            .min(engine.limits.series_max)
            .min(points_max / steps.max(1))
            .max(1),
        measures: measures(metric, cube, further)?,
        above: &[],
        metric: Arc::clone(metric),
        cube,
        from_us: range.from_us,
        to_us: range.to_us,
        step_us: query.step_us,
        windows: &query.windows,
        course,
        by: &query.by,
        filters: &query.filters,
    })
}

/// The metric of a name, and its cube.
pub(crate) fn metric_of<'a>(
    engine: &'a Engine,
    name: &str,
) -> Result<(&'a Arc<Metric>, &'a Cube), AnalyseError> {
    let Some(metric) = engine.metrics.get(name) else {
        let known = || engine.metrics.keys().map(String::as_str);
        let suggestion = suggest::did_you_mean(name, known())
            .or_else(|| Some(format!("the metrics are {}", suggest::listed(known()))));
        let message = format!("there is no metric '{name}'");
        return Err(AnalyseError::unknown(message, suggestion));
    };
    let cube = engine
        .cubes
        .get(&metric.definition.of)
        .ok_or(AnalyseError::Internal)?;
    Ok((metric, cube))
}

/// The question as it is known by: its range in whole steps, so that all who ask within the same step, or
/// bucket, ask the same. None when it cannot be asked, which [`check`] explains.
///
/// A step that is the whole range is rounded to the cube's own buckets here: how wide older ones are is a
/// matter of what has been aggregated when the answer is computed, and [`check`] looks it up then.
pub(crate) fn aligned<'a>(
    engine: &'a Engine,
    query: &SeriesQuery,
) -> Option<(SeriesQuery, &'a Cube)> {
    let metric = engine.metrics.get(&query.metric)?;
    let cube = engine.cubes.get(&metric.definition.of)?;
    check_windows(cube, query).ok()?;
    let range = range(query, cube.source.bucket_us()).ok()?;
    let aligned = SeriesQuery {
        from_us: range.from_us,
        to_us: range.to_us,
        ..query.clone()
    };
    Some((aligned, cube))
}

fn check_count(range: Stretch, step_us: i64, points_max: usize) -> Result<(), AnalyseError> {
    let steps = range.to_us.saturating_sub(range.from_us) / step_us;
    let steps = usize::try_from(steps).unwrap_or(usize::MAX);
    if steps <= points_max {
        return Ok(());
    }
    let times = i64::try_from(steps / points_max + 1).unwrap_or(i64::MAX);
    let wider = step_us.saturating_mul(times);
    Err(AnalyseError::Invalid(
        Fault::new(format!(
            "the range has {steps} steps; at most {points_max} are answered"
        ))
        .suggest(Some(format!("use a step of {} or more", duration(wider)))),
    ))
}

fn out_of_calendar() -> AnalyseError {
    AnalyseError::invalid("the range is beyond the years that calendars have")
}

/// The range in whole steps. Steps are counted from 1970 or by the calendar, so that points stay
/// where they are as time goes on. `bucket_us` is what [`plain_range`] rounds to.
fn range(query: &SeriesQuery, bucket_us: i64) -> Result<Stretch, AnalyseError> {
    if query.windows.step.is_some() && query.from_us >= query.to_us {
        return Ok(Stretch {
            from_us: 0,
            to_us: 0,
        });
    }
    let (from_us, to_us) = if query.windows.is_plain() {
        plain_range(query, bucket_us)
    } else {
        query
            .windows
            .whole_us(query.step_us, query.from_us, query.to_us)
            .ok_or_else(out_of_calendar)?
    };
    Ok(Stretch { from_us, to_us })
}

/// The range of plain steps; but a step as long as the range is one figure for exactly that stretch,
/// rounded up to whole buckets of `bucket_us`.
fn plain_range(query: &SeriesQuery, bucket_us: i64) -> (i64, i64) {
    let step = query.step_us;
    let up = |us: i64, to: i64| us.saturating_add(to - 1).div_euclid(to).saturating_mul(to);
    if query.to_us.saturating_sub(query.from_us) == step {
        let to_us = up(query.to_us, bucket_us);
        return (to_us.saturating_sub(step), to_us);
    }
    (
        query.from_us.div_euclid(step).saturating_mul(step),
        up(query.to_us, step),
    )
}

/// The width of the range's buckets. Buckets are wider the older they are, so the range's start has
/// the widest, or the oldest bucket that is kept where the range starts before that; a step that is no
/// multiple of it does not come to consist of whole buckets by moving.
fn widest_us(query: &SeriesQuery, cube: &Cube) -> i64 {
    let widths_us = cube.source.widths_us();
    let oldest = || widths_us.last().map(|(_, width)| *width);
    width_at(&widths_us, query.from_us)
        .or_else(oldest)
        .filter(|width| query.step_us % width == 0)
        .unwrap_or_else(|| cube.source.bucket_us())
}

/// The width of the bucket that a moment falls into; none when `keep` says nothing about it.
fn width_at(widths_us: &[(i64, i64)], us: i64) -> Option<i64> {
    let (_, width) = widths_us.iter().find(|(start, _)| *start <= us)?;
    Some(*width)
}

/// Whether a bucket ends and another begins here.
pub(super) fn is_border(widths_us: &[(i64, i64)], us: i64) -> bool {
    width_at(widths_us, us).is_none_or(|width| us.rem_euclid(width) == 0)
}

fn check_dimensions(cube: &Cube, query: &SeriesQuery) -> Result<(), AnalyseError> {
    let filtered = query.filters.iter().map(|(name, _)| name);
    for name in query.by.iter().chain(filtered) {
        check_dimension(cube, name)?;
    }
    let mut seen = BTreeSet::new();
    match query.by.iter().find(|name| !seen.insert(name.as_str())) {
        Some(twice) => Err(AnalyseError::invalid(format!(
            "'{twice}' is named twice in 'by'"
        ))),
        None => Ok(()),
    }
}

fn check_dimension(cube: &Cube, name: &str) -> Result<(), AnalyseError> {
    let known = || cube.dimensions.iter().map(String::as_str);
    if known().any(|dimension| dimension == name) {
        return Ok(());
    }
    let suggestion = suggest::did_you_mean(name, known())
        .or_else(|| Some(format!("the dimensions are {}", suggest::listed(known()))));
    let message = format!(
        "the cube '{}' has no dimension '{name}'",
        cube.source.name()
    );
    Err(AnalyseError::unknown(message, suggestion))
}

fn check_windows(cube: &Cube, query: &SeriesQuery) -> Result<(), AnalyseError> {
    let windows = &query.windows;
    if windows.step.is_none() {
        check_step(query.step_us, cube.source.bucket_us())?;
    }
    if let Span::Trailing(width_us) = windows.span {
        if windows.step.is_some() {
            return Err(AnalyseError::Invalid(
                Fault::new("a trailing window needs steps of a fixed length")
                    .suggest(Some("use a step such as 1d, or 'since'".to_owned())),
            ));
        }
        check_width(width_us, query.step_us)?;
    }
    match &windows.zone {
        Zone::Utc => Ok(()),
        _ if !windows.has_calendar() => Err(AnalyseError::invalid(
            "a zone has no meaning without a step of a calendar or 'since'",
        )),
        Zone::Named(name) => zone_of(name).map(drop),
        Zone::Dimension(name) => check_zone_dimension(cube, name),
    }
}

/// The time zone of a name.
pub(crate) fn zone_of(name: &str) -> Result<TimeZone, AnalyseError> {
    zone(name).ok_or_else(|| {
        let nearest = nearest_zone(name);
        AnalyseError::unknown(
            format!("there is no time zone '{name}'"),
            nearest.map(|nearest| format!("did you mean '{nearest}'?")),
        )
    })
}

fn check_width(width_us: i64, step_us: i64) -> Result<(), AnalyseError> {
    if width_us >= step_us && width_us % step_us == 0 {
        return Ok(());
    }
    let times = (width_us / step_us).max(1);
    let below = step_us.saturating_mul(times);
    let above = below.saturating_add(step_us);
    let advice = if width_us < below {
        format!("use {}", duration(below))
    } else {
        format!("use {} or {}", duration(below), duration(above))
    };
    Err(AnalyseError::Invalid(
        Fault::new(format!(
            "a window of {} is no multiple of the step of {}",
            duration(width_us),
            duration(step_us)
        ))
        .suggest(Some(advice)),
    ))
}

fn check_zone_dimension(cube: &Cube, name: &str) -> Result<(), AnalyseError> {
    check_dimension(cube, name)?;
    let schema = cube.source.schema();
    let field = schema
        .field_with_name(name)
        .map_err(AnalyseError::internal)?;
    if field.data_type().is_string() {
        return Ok(());
    }
    let kind = crate::friendly::type_name(field.data_type());
    Err(AnalyseError::invalid(format!(
        "the dimension '{name}' is {kind}; a zone's name is text"
    )))
}

/// Whether a step is a positive number of whole buckets.
pub(crate) fn check_step(step_us: i64, bucket_us: i64) -> Result<(), AnalyseError> {
    if step_us <= 0 {
        return Err(AnalyseError::invalid("the step must be longer than zero"));
    }
    if step_us % bucket_us == 0 {
        return Ok(());
    }
    let below = step_us / bucket_us * bucket_us;
    let above = below.saturating_add(bucket_us);
    let advice = if below == 0 {
        format!("use {}", duration(above))
    } else {
        format!("use {} or {}", duration(below), duration(above))
    };
    Err(AnalyseError::Invalid(
        Fault::new(format!(
            "a step of {} is no multiple of the cube's bucket of {}",
            duration(step_us),
            duration(bucket_us)
        ))
        .suggest(Some(advice)),
    ))
}

fn measures(metric: &Metric, cube: &Cube, further: &[String]) -> Result<Vec<usize>, AnalyseError> {
    let index = |name: &str| cube.infos.iter().position(|info| info.name == name);
    let mut found: Vec<usize> = metric.measures().filter_map(index).collect();
    for name in further {
        let Some(at) = index(name) else {
            let known = || cube.infos.iter().map(|info| info.name.as_str());
            let message = format!("the cube '{}' has no measure '{name}'", cube.source.name());
            return Err(AnalyseError::unknown(
                message,
                suggest::did_you_mean(name, known()),
            ));
        };
        found.push(at);
    }
    Ok(found)
}

/// A duration as definitions write it: `90s`, `15m`, `2h`, `1d`.
pub(crate) fn duration(us: i64) -> String {
    for (unit, name) in [
        (86_400_000_000, "d"),
        (3_600_000_000, "h"),
        (60_000_000, "m"),
        (1_000_000, "s"),
        (1_000, "ms"),
    ] {
        if us % unit == 0 {
            return format!("{}{name}", us / unit);
        }
    }
    format!("{us}us")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_as_long_as_the_range_is_one_figure_for_that_stretch() {
        let query = |from_us, to_us| SeriesQuery {
            from_us,
            to_us,
            step_us: 60,
            ..SeriesQuery::default()
        };
        assert_eq!(plain_range(&query(95, 155), 10), (100, 160));
        assert_eq!(plain_range(&query(90, 150), 10), (90, 150));
        assert_eq!(plain_range(&query(95, 156), 10), (60, 180));
        assert_eq!(plain_range(&query(-30, 150), 10), (-60, 180));
    }

    #[test]
    fn a_border_lies_between_two_buckets_of_the_width_of_their_age() {
        let widths = [(600, 10), (0, 60)];
        for us in [600, 610, 540, 0, -7] {
            assert!(is_border(&widths, us), "{us}");
        }
        for us in [605, 590, 30] {
            assert!(!is_border(&widths, us), "{us}");
        }
        assert!(is_border(&[], 7));
    }

    #[test]
    fn a_step_that_is_no_multiple_is_refused_with_the_nearest_ones() {
        assert_eq!(check_step(30_000_000, 10_000_000), Ok(()));
        assert_eq!(
            check_step(25_000_000, 10_000_000).unwrap_err().to_string(),
            "a step of 25s is no multiple of the cube's bucket of 10s; use 20s or 30s"
        );
        assert_eq!(
            check_step(1_500, 60_000_000).unwrap_err().to_string(),
            "a step of 1500us is no multiple of the cube's bucket of 1m; use 1m"
        );
        assert!(check_step(0, 10).is_err());
    }
}
