//! The question for a metric's series, as its query parameters put it.

use crate::limits::Limits;
use crate::ports::Windows;
use crate::problem::{Problem, Slug};
use crate::request::params::{Params, nearest};
use crate::request::time::{DAY, Instant, SECOND, shorten};
use crate::request::windows;

/// The parameters of a series, in the order they are documented.
pub(crate) const PARAMETERS: &[&str] = &[
    "from", "to", "step", "window", "since", "zone", "by", "where", "limit",
];

/// What a metric can be asked, as far as checking a question needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Askable<'a> {
    pub(crate) metric: &'a str,
    pub(crate) dimensions: &'a [String],
    pub(crate) bucket_us: i64,
}

/// A checked question; equal questions of several clients are computed once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub(crate) metric: String,
    pub(crate) from: Instant,
    pub(crate) to: Instant,
    /// Of a calendar's steps the usual length, which only says how many there will be.
    pub(crate) step_us: i64,
    pub(crate) windows: Windows,
    pub(crate) by: Vec<String>,
    /// Sorted, so that the order in the address makes no difference.
    pub(crate) filters: Vec<(String, String)>,
    pub(crate) limit: usize,
}

/// A range without `from` is this long.
const RANGE_DEFAULT_US: i64 = 3_600 * SECOND;

/// The steps chosen from when the caller gives none: those that people read easily.
pub(super) const STEPS_S: &[i64] = &[
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200,
    86_400, 604_800,
];

impl Question {
    /// Reads and checks the parameters of a question for one metric.
    pub(crate) fn read(
        params: &Params,
        askable: Askable<'_>,
        limits: &Limits,
        now_us: i64,
    ) -> Result<Self, Problem> {
        let from = instant(params, "from")?.unwrap_or(Instant::FromNow(-RANGE_DEFAULT_US));
        let to = instant(params, "to")?.unwrap_or(Instant::FromNow(0));
        let range_us = to
            .resolve_us(now_us)
            .saturating_sub(from.resolve_us(now_us));
        if range_us <= 0 {
            return Err(Problem::parameter("from", "'from' must be before 'to'."));
        }
        let by = dimensions(params, askable)?;
        let mut filters = filters(params, askable)?;
        filters.sort();
        filters.dedup();
        let (step_us, windows) = windows::read(params, askable, range_us, limits)?;
        Ok(Self {
            metric: askable.metric.to_owned(),
            from,
            to,
            step_us,
            windows,
            by,
            filters,
            limit: params.count("limit", limits.series_default, limits.series_max)?,
        })
    }
}

pub(super) fn instant(params: &Params, name: &str) -> Result<Option<Instant>, Problem> {
    params
        .one(name)?
        .map(|text| {
            Instant::parse(text).map_err(|fault| Problem::parameter(name, format!("{fault}.")))
        })
        .transpose()
}

/// The smallest readable step that is a multiple of the bucket and gives no more points than wanted.
pub(crate) fn default_step(bucket_us: i64, range_us: i64, points: u64) -> i64 {
    let bucket_us = bucket_us.max(1);
    let points = i64::try_from(points).unwrap_or(i64::MAX).max(1);
    let wanted_us = (range_us.saturating_add(points - 1) / points).max(bucket_us);
    let readable = STEPS_S.iter().map(|s| s * SECOND).find(|step_us| {
        // A much longer step than needed would hide what is looked for.
        step_us % bucket_us == 0 && (wanted_us..=wanted_us.saturating_mul(5)).contains(step_us)
    });
    readable.unwrap_or_else(|| {
        let unit_us = if DAY % bucket_us == 0 && wanted_us > DAY {
            DAY
        } else {
            bucket_us
        };
        wanted_us.saturating_add(unit_us - 1) / unit_us * unit_us
    })
}

pub(super) fn dimensions(params: &Params, askable: Askable<'_>) -> Result<Vec<String>, Problem> {
    let mut by: Vec<String> = Vec::new();
    for name in params.all("by") {
        let name = known_dimension(name, "by", askable)?;
        if by.contains(&name) {
            return Err(Problem::parameter(
                "by",
                format!("'by={name}' is given twice."),
            ));
        }
        by.push(name);
    }
    Ok(by)
}

pub(super) fn filters(
    params: &Params,
    askable: Askable<'_>,
) -> Result<Vec<(String, String)>, Problem> {
    params
        .all("where")
        .map(|text| {
            let (name, value) = text.split_once(':').ok_or_else(|| {
                Problem::parameter(
                    "where",
                    format!("'{}' is no filter: write dimension:value.", shorten(text)),
                )
            })?;
            Ok((known_dimension(name, "where", askable)?, value.to_owned()))
        })
        .collect()
}

pub(super) fn known_dimension(
    name: &str,
    parameter: &str,
    askable: Askable<'_>,
) -> Result<String, Problem> {
    if askable.dimensions.iter().any(|d| d == name) {
        return Ok(name.to_owned());
    }
    let known = askable.dimensions.join(", ");
    Err(Problem::parameter(
        parameter,
        format!(
            "'{}' has no dimension '{}'; it has {known}.",
            askable.metric,
            shorten(name)
        ),
    )
    .suggesting(nearest(name, askable.dimensions.iter().map(String::as_str))))
}

/// The problem of a metric that does not exist.
pub(crate) fn unknown_metric<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Problem {
    Problem::new(
        Slug::UnknownMetric,
        format!("There is no metric '{}'.", shorten(name)),
    )
    .suggesting(nearest(name, known))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ports::{Period, Span, Zone};

    const NOW_US: i64 = 1_700_000_000 * SECOND;

    fn ask(query: &str) -> Result<Question, Problem> {
        let dimensions = ["psp".to_owned(), "method".to_owned()];
        let askable = Askable {
            metric: "rate",
            dimensions: &dimensions,
            bucket_us: 10 * SECOND,
        };
        let params = Params::read(Some(query), PARAMETERS)?;
        Question::read(&params, askable, &Limits::default(), NOW_US)
    }

    #[test]
    fn a_bare_question_is_the_last_hour_in_buckets() {
        let question = ask("").unwrap();
        assert_eq!(question.from, Instant::FromNow(-3_600 * SECOND));
        assert_eq!(question.to, Instant::FromNow(0));
        assert_eq!(question.step_us, 10 * SECOND);
        assert_eq!(question.limit, 50);
    }

    #[test]
    fn filters_in_any_order_ask_the_same() {
        let a = ask("where=psp:adyen&where=method:card&by=psp").unwrap();
        let b = ask("by=psp&where=method:card&where=psp:adyen&where=psp:adyen").unwrap();
        assert_eq!(a, b);
    }

    #[test]
    fn a_filter_value_may_hold_colons_and_be_empty() {
        let question = ask("where=psp:a:b&where=method:").unwrap();
        assert_eq!(
            question.filters,
            [
                ("method".to_owned(), String::new()),
                ("psp".to_owned(), "a:b".to_owned())
            ]
        );
    }

    #[test]
    fn the_default_step_keeps_to_the_bucket_and_the_points() {
        assert_eq!(default_step(10 * SECOND, 3_600 * SECOND, 500), 10 * SECOND);
        assert_eq!(default_step(SECOND, 3_600 * SECOND, 500), 10 * SECOND);
        assert_eq!(default_step(10 * SECOND, 30 * DAY, 500), 7_200 * SECOND);
        assert_eq!(default_step(DAY, 3_600 * SECOND, 500), DAY);
        assert_eq!(default_step(7 * SECOND, 3_600 * SECOND, 500), 14 * SECOND);
    }

    #[test]
    fn windows_are_read_in_all_documented_forms() {
        let windows = |query: &str| ask(query).unwrap().windows;
        assert_eq!(windows(""), Windows::default());
        assert_eq!(windows("window=10s&step=10s"), Windows::default());
        let hop = windows("window=5m&step=10s");
        assert_eq!(hop.span, Span::Trailing(300 * SECOND));
        let cumulate = windows("since=day&zone=Asia/Kathmandu");
        assert_eq!(cumulate.span, Span::Since(Period::Day));
        assert_eq!(cumulate.zone, Zone::Named("Asia/Kathmandu".to_owned()));
        let both = windows("step=day&since=month&zone=dim:psp&from=-40d");
        assert_eq!(both.step, Some(Period::Day));
        assert_eq!(both.span, Span::Since(Period::Month));
        assert_eq!(both.zone, Zone::Dimension("psp".to_owned()));
        assert_eq!(windows("step=week&from=-90d").zone, Zone::Utc);
    }

    #[test]
    fn a_window_without_a_step_gets_one_that_divides_it() {
        let step = |query: &str| ask(query).unwrap().step_us / SECOND;
        assert_eq!(step("window=5m"), 10);
        assert_eq!(step("window=5m&from=-7d"), 300, "two thousand points");
        assert_eq!(step("window=70m&from=-7d"), 4_200);
        assert_eq!(step("window=7d&from=-30d"), 7_200);
        assert_eq!(step("window=70s"), 10);
        let refused = ask("window=10s&from=-30d").unwrap_err().document();
        assert_eq!(refused["parameter"], "step");
    }

    #[test]
    fn wrong_parameters_are_named() {
        let cases = [
            ("form=-1h", "form", Some("from")),
            ("from=-1h&from=-2h", "from", None),
            ("from=tomorrow", "from", None),
            ("from=now&to=-1h", "from", None),
            ("step=5s", "step", None),
            ("step=10s&from=-30d", "step", None),
            ("step=fast", "step", None),
            ("step=moth", "step", Some("month")),
            ("step=day&from=-60000d", "step", None),
            ("window=5m&since=day", "since", None),
            ("window=day", "window", None),
            ("window=15s", "window", None),
            ("window=10s&step=1m", "window", None),
            ("window=90s&step=1m", "window", None),
            ("window=7d&step=day", "window", None),
            ("since=dya", "since", Some("day")),
            ("since=5m", "since", None),
            ("zone=Europe/Berlin", "zone", None),
            ("since=day&zone=Europe/Berln", "zone", Some("Europe/Berlin")),
            ("since=day&zone=../../etc/passwd", "zone", None),
            ("since=day&zone=dim:pps", "zone", Some("psp")),
            ("since=day&zone=", "zone", None),
            ("by=pps", "by", Some("psp")),
            ("by=psp&by=psp", "by", None),
            ("where=psp", "where", None),
            ("where=methd:card", "where", Some("method")),
            ("limit=0", "limit", None),
            ("limit=1001", "limit", None),
            ("limit=x", "limit", None),
        ];
        for (query, parameter, suggestion) in cases {
            let document = ask(query).unwrap_err().document();
            assert_eq!(document["parameter"], parameter, "{query}");
            assert_eq!(
                document.get("suggestion").and_then(|s| s.as_str()),
                suggestion,
                "{query}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_default_step_is_a_multiple_of_the_bucket_and_never_gives_too_many_points(
            bucket_s in 1_i64..=86_400,
            range_s in 1_i64..=10_000_000_000,
            points in 1_u64..2_000,
        ) {
            let step_us = default_step(bucket_s * SECOND, range_s * SECOND, points);
            prop_assert!(step_us >= bucket_s * SECOND);
            prop_assert_eq!(step_us % (bucket_s * SECOND), 0);
            prop_assert!(range_s * SECOND / step_us <= i64::try_from(points).unwrap());
        }

        #[test]
        fn any_query_string_is_read_or_refused_without_a_panic(query in "\\PC{0,80}") {
            let _ = ask(&query);
        }
    }
}
