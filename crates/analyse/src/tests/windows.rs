//! Windows of every kind against a naive recount of the events, in zones whose clocks do odd things.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::sales::{Sale, Sales, Ticket};
use crate::{
    AnalyseError, Period, PointValue, QueryLimits, Series, SeriesQuery, Span, Windows, Zone,
};

const SECOND_US: i64 = 1_000_000;
const MINUTE_US: i64 = 60 * SECOND_US;
pub(super) const HOUR_US: i64 = 60 * MINUTE_US;
const DAY_US: i64 = 24 * HOUR_US;

pub(super) const ZONES: [&str; 6] = [
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "UTC",
];

/// Around these, clocks change in one of the zones.
pub(super) const CHANGES: [&str; 5] = [
    "2018-02-18T02:00:00Z",
    "2018-11-04T03:00:00Z",
    "2026-03-29T01:00:00Z",
    "2026-04-04T15:00:00Z",
    "2026-10-25T01:00:00Z",
];

pub(super) fn us(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_microsecond()
}

fn local(zone: &str, at_us: i64) -> Date {
    let zone = TimeZone::get(zone).unwrap();
    zone.to_datetime(Timestamp::from_microsecond(at_us).unwrap())
        .date()
}

/// Which period of the calendar a local date lies in.
fn period(period: Period, date: Date) -> (i16, i8, i8) {
    match period {
        Period::Day => (date.year(), date.month(), date.day()),
        Period::Week => {
            let week = date.iso_week_date();
            (week.year(), week.week(), 0)
        }
        Period::Month => (date.year(), date.month(), 0),
        Period::Quarter => (date.year(), (date.month() - 1) / 3, 0),
        Period::Year => (date.year(), 0, 0),
    }
}

/// Whether an event is in the window of the point that begins at `at_us`, looked at one by one.
fn is_in(sale: &Sale, query: &SeriesQuery, at_us: i64) -> bool {
    let windows = &query.windows;
    let zone = match &windows.zone {
        Zone::Utc => "UTC",
        Zone::Named(name) => name,
        Zone::Dimension(_) => match sale.zone.as_deref() {
            Some(zone) if ZONES.contains(&zone) => zone,
            _ => return false,
        },
    };
    if let Some(step) = windows.step {
        // A local date is written as one of UTC where each event has its own zone.
        let named = match &windows.zone {
            Zone::Dimension(_) => local("UTC", at_us),
            _ => local(zone, at_us),
        };
        let date = local(zone, sale.at_us);
        return match windows.span {
            Span::Since(since) => {
                let last = last_date(step, named);
                period(since, date) == period(since, last) && date <= last
            }
            _ => period(step, date) == period(step, named),
        };
    }
    let end_us = at_us + query.step_us;
    match windows.span {
        Span::Step => (at_us..end_us).contains(&sale.at_us),
        Span::Trailing(width_us) => (end_us - width_us..end_us).contains(&sale.at_us),
        Span::Since(since) => {
            sale.at_us < end_us
                && period(since, local(zone, sale.at_us)) == period(since, local(zone, end_us - 1))
        }
    }
}

fn last_date(step: Period, first: Date) -> Date {
    let mut last = first;
    while period(step, last.tomorrow().unwrap()) == period(step, first) {
        last = last.tomorrow().unwrap();
    }
    last
}

/// One question of every kind, by luck.
fn question(ticket: &mut Ticket, now_us: i64) -> SeriesQuery {
    let zone = match ticket.draw(8) {
        n @ 0..6 => Zone::Named(ZONES[n].to_owned()),
        _ => Zone::Dimension("zone".to_owned()),
    };
    let by: &[&str] = [&[][..], &["shop"], &["zone"], &["shop", "zone"]][ticket.draw(4)];
    let mut query = SeriesQuery {
        metric: "sales".to_owned(),
        by: by.iter().map(|name| (*name).to_owned()).collect(),
        ..SeriesQuery::default()
    };
    let mut days = 1 + ticket.number(9);
    match ticket.draw(4) {
        0 => {
            query.step_us = [10 * SECOND_US, MINUTE_US, 10 * MINUTE_US, HOUR_US][ticket.draw(4)];
            let width_us = query.step_us * (1 + ticket.number(200));
            query.windows.span = Span::Trailing(width_us);
            days = (days * DAY_US).min(300 * query.step_us) / DAY_US;
        }
        1 => {
            query.step_us = [10 * MINUTE_US, HOUR_US, 90 * MINUTE_US, DAY_US][ticket.draw(4)];
            query.windows.span = Span::Since(Period::ALL[ticket.draw(5)]);
            query.windows.zone = zone;
        }
        2 => {
            let step = Period::ALL[ticket.draw(5)];
            query.windows.step = Some(step);
            query.windows.zone = zone;
            days += if step > Period::Week { 200 } else { 20 };
        }
        _ => {
            query.windows.step = Some(Period::Day);
            query.windows.span = Span::Since(Period::ALL[1 + ticket.draw(4)]);
            query.windows.zone = zone;
        }
    }
    let around_us = us(CHANGES[ticket.draw(5)]).min(now_us);
    let length_us = (days * DAY_US).max(20 * query.step_us);
    query.from_us = around_us - length_us / 2 + ticket.number(3_600) * SECOND_US;
    query.to_us = query.from_us + length_us;
    query
}

type Found = BTreeMap<Vec<Option<String>>, Vec<(i64, PointValue)>>;

fn found(series: Series) -> Found {
    let series = series.series.into_iter();
    series
        .map(|one| {
            let key = one.by.into_iter().map(|(_, value)| value).collect();
            (key, one.points)
        })
        .collect()
}

fn key(sale: &Sale, by: &[String]) -> Vec<Option<String>> {
    by.iter()
        .map(|name| match name.as_str() {
            "shop" => Some(sale.shop.clone()),
            _ => sale.zone.clone(),
        })
        .collect()
}

pub(super) async fn ask(sales: &Sales, query: &SeriesQuery, metric: &str) -> Series {
    let query = SeriesQuery {
        metric: metric.to_owned(),
        ..query.clone()
    };
    match sales.analyst.series(&query).await {
        Ok(series) => Series::clone(&series),
        Err(error) => panic!("{query:?}: {error}"),
    }
}

/// Compares the counts and amounts of a question with a recount; returns points with events in them.
async fn compare(sales: &Sales, query: &SeriesQuery, may_be_null: bool) -> (usize, usize) {
    let counts = found(ask(sales, query, "sales").await);
    let amounts = found(ask(sales, query, "revenue").await);
    let (mut full, mut null) = (0, 0);
    for (slice, points) in &counts {
        let events: Vec<&Sale> = (sales.events.iter())
            .filter(|sale| key(sale, &query.by) == *slice)
            .collect();
        for (at, (at_us, value)) in points.iter().enumerate() {
            let inside: Vec<&&Sale> = events
                .iter()
                .filter(|sale| is_in(sale, query, *at_us))
                .collect();
            let amount = &amounts[slice][at].1;
            if *value == PointValue::Null && (may_be_null || inside.is_empty()) {
                null += usize::from(!inside.is_empty());
                continue;
            }
            let expected = PointValue::Int(i64::try_from(inside.len()).unwrap());
            let when = Timestamp::from_microsecond(*at_us).unwrap();
            assert_eq!(*value, expected, "{slice:?} {when} {query:?}");
            let cents: i64 = inside.iter().map(|sale| sale.cents).sum();
            let expected = PointValue::Text(format!("{}.{:02}", cents / 100, cents % 100));
            assert_eq!(*amount, expected, "{slice:?} {when} {query:?}");
            full += usize::from(!inside.is_empty());
        }
    }
    // No slice with an event in a window is left out, but where a bucket began before all windows.
    for sale in sales.events.iter().filter(|_| !may_be_null) {
        let points = counts.get(&key(sale, &query.by));
        let Some(points) = points.or_else(|| counts.values().next()) else {
            continue;
        };
        let is_in = points.iter().any(|(at_us, _)| is_in(sale, query, *at_us));
        let is_told = counts.contains_key(&key(sale, &query.by));
        assert!(!is_in || is_told, "{sale:?} {query:?}");
    }
    (full, null)
}

#[tokio::test]
async fn windows_of_every_kind_equal_a_recount_of_the_events() {
    let sales = Sales::around(&CHANGES.map(us), 900, &[]);
    let mut ticket = Ticket::new(11);
    let mut full = 0;
    for _ in 0..120 {
        let query = question(&mut ticket, i64::MAX);
        let (points, null) = compare(&sales, &query, false).await;
        assert_eq!(null, 0);
        full += points;
    }
    assert!(full > 5_000, "only {full} points had events");
}

#[tokio::test]
async fn where_older_buckets_are_wider_a_window_is_right_or_unknown_and_the_answer_says_why() {
    let keep = [(10, 86_400), (900, 10 * 86_400), (3_600, 4_000 * 86_400)];
    let sales = Sales::around(&CHANGES.map(us), 900, &keep);
    let mut ticket = Ticket::new(5);
    let (mut full, mut null) = (0, 0);
    for _ in 0..80 {
        let query = question(&mut ticket, i64::MAX);
        let (points, nulls) = compare(&sales, &query, true).await;
        full += points;
        null += nulls;
    }
    assert!(
        full > 1_000 && null > 1_000,
        "{full} with a figure, {null} without"
    );

    let day = |zone: &str| SeriesQuery {
        metric: "sales".to_owned(),
        from_us: us("2026-03-25T00:00:00Z"),
        to_us: us("2026-04-02T00:00:00Z"),
        windows: Windows {
            step: Some(Period::Day),
            zone: Zone::Named(zone.to_owned()),
            ..Windows::default()
        },
        ..SeriesQuery::default()
    };
    // Hours fit into the days of Berlin and not into those of Nepal, a quarter to the hour away.
    let berlin = ask(&sales, &day("Europe/Berlin"), "sales").await;
    assert_eq!(berlin.notes, Vec::<String>::new());
    let days: Vec<i64> = berlin
        .windows
        .iter()
        .map(|window| (window.to_us - window.from_us) / HOUR_US)
        .collect();
    assert_eq!(days, [24, 24, 24, 24, 23, 24, 24, 24, 24]);
    assert_eq!(compare(&sales, &day("Europe/Berlin"), false).await.1, 0);
    let nepal = ask(&sales, &day("Asia/Kathmandu"), "sales").await;
    assert!(
        nepal.series[0]
            .points
            .iter()
            .all(|(_, value)| *value == PointValue::Null)
    );
    assert_eq!(
        nepal.notes,
        [
            "points are null whose window begins or ends within a bucket: buckets are 10s, 15m, 1h wide, \
          the older the wider, as `keep` says"
        ]
    );
    // Of a shop there, the other shops' days are what they are.
    let own = SeriesQuery {
        by: vec!["zone".to_owned()],
        windows: Windows {
            zone: Zone::Dimension("zone".to_owned()),
            ..day("UTC").windows
        },
        ..day("UTC")
    };
    let own = found(ask(&sales, &own, "sales").await);
    let has_figures = |zone: &str| {
        let points = &own[&vec![Some(zone.to_owned())]];
        points
            .iter()
            .any(|(_, value)| value.as_f64().is_some_and(|count| count > 0.0))
    };
    assert!(has_figures("Europe/Berlin"));
    assert!(!has_figures("Asia/Kathmandu"));
}

#[tokio::test]
async fn sketches_means_and_shares_of_a_window_are_the_final_phase_over_all_in_it() {
    let sales = Sales::around(&[us(CHANGES[2])], 3_000, &[]);
    let hop = |step_us, width_us| SeriesQuery {
        from_us: us("2026-03-28T00:00:00Z"),
        to_us: us("2026-03-30T00:00:00Z"),
        step_us,
        windows: Windows {
            span: Span::Trailing(width_us),
            ..Windows::default()
        },
        ..SeriesQuery::default()
    };
    let since = SeriesQuery {
        windows: Windows {
            span: Span::Since(Period::Day),
            zone: Zone::Named("Asia/Kathmandu".to_owned()),
            ..Windows::default()
        },
        ..hop(15 * MINUTE_US, 0)
    };
    for query in [
        hop(HOUR_US, 5 * HOUR_US),
        hop(10 * MINUTE_US, 30 * HOUR_US),
        since,
    ] {
        for metric in [
            "latency_p95",
            "buyers",
            "mean_ticket",
            "big_share",
            "slowest",
        ] {
            let answer = ask(&sales, &query, metric).await;
            let mut compared = 0;
            for ((_, value), window) in answer.series[0]
                .points
                .iter()
                .zip(&answer.windows)
                .step_by(7)
            {
                let whole = SeriesQuery {
                    from_us: window.from_us,
                    to_us: window.to_us,
                    step_us: window.to_us - window.from_us,
                    ..SeriesQuery::default()
                };
                let whole = ask(&sales, &whole, metric).await;
                let whole = &whole.series[0].points[0].1;
                match (value.as_f64(), whole.as_f64()) {
                    // A mean is added up in another order.
                    (Some(a), Some(b)) => {
                        assert!((a - b).abs() <= b.abs() * 1e-12, "{metric} {a} {b}")
                    }
                    (a, b) => assert_eq!(a, b, "{metric} {window:?}"),
                }
                compared += usize::from(value.as_f64().is_some());
            }
            assert!(compared > 3, "{metric}");
        }
        // And the figures are those of the events.
        let quantiles = ask(&sales, &query, "latency_p95").await;
        let buyers = ask(&sales, &query, "buyers").await;
        for (at, window) in quantiles.windows.iter().enumerate() {
            let inside = sales
                .events
                .iter()
                .filter(|sale| (window.from_us..window.to_us).contains(&sale.at_us));
            let mut latencies: Vec<i64> = inside.clone().map(|sale| sale.latency_ms).collect();
            let mut customers: Vec<u64> = inside.map(|sale| sale.customer).collect();
            if latencies.is_empty() {
                continue;
            }
            latencies.sort_unstable();
            customers.sort_unstable();
            customers.dedup();
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let (low, high, different) = (
                latencies[(latencies.len() - 1) * 95 / 100] as f64,
                latencies[((latencies.len() - 1) * 95).div_ceil(100)] as f64,
                customers.len() as f64,
            );
            let p95 = quantiles.series[0].points[at].1.as_f64().unwrap();
            assert!(
                (low * 0.98..=high * 1.02).contains(&p95),
                "{low} {p95} {high}"
            );
            let found = buyers.series[0].points[at].1.as_f64().unwrap();
            assert!(
                (found - different).abs() <= different * 0.06,
                "{found} {different}"
            );
        }
    }
}

#[tokio::test]
async fn events_whose_zone_is_unknown_are_in_no_window_and_that_is_told() {
    let sales = Sales::around(&[us(CHANGES[2])], 400, &[]);
    let mut query = SeriesQuery {
        from_us: us("2026-03-27T00:00:00Z"),
        to_us: us("2026-03-31T00:00:00Z"),
        by: vec!["zone".to_owned()],
        windows: Windows {
            step: Some(Period::Day),
            zone: Zone::Dimension("zone".to_owned()),
            ..Windows::default()
        },
        ..SeriesQuery::default()
    };
    let answer = ask(&sales, &query, "sales").await;
    assert_eq!(
        answer.notes,
        ["events are in no window whose zone is not known: no zone, 'Mars/Olympus <b>'"]
    );
    let by_zone = found(answer);
    for zone in [None, Some("Mars/Olympus <b>".to_owned())] {
        let points = &by_zone[&vec![zone]];
        assert!(points.iter().all(|(_, value)| *value == PointValue::Null));
    }
    query.by.clear();
    assert_eq!(compare(&sales, &query, false).await.1, 0);
}

#[tokio::test]
async fn a_window_of_a_year_at_steps_of_ten_seconds_is_answered_from_few_panes() {
    let sales = Sales::around(&CHANGES.map(us), 900, &[]);
    let mut query = SeriesQuery {
        from_us: us("2026-10-25T00:00:00Z"),
        to_us: us("2026-10-25T02:00:00Z"),
        step_us: 10 * SECOND_US,
        windows: Windows {
            span: Span::Trailing(365 * DAY_US),
            ..Windows::default()
        },
        ..SeriesQuery::default()
    };
    query.by = vec!["shop".to_owned()];
    let (full, null) = compare(&sales, &query, false).await;
    assert!(full > 700 && null == 0, "{full} {null}");
}

#[tokio::test]
async fn windows_that_make_no_sense_are_explained() {
    let limits = QueryLimits {
        points_max: 500,
        window_panes_max: 1_000,
        ..QueryLimits::default()
    };
    let sales = Sales::with(&[us(CHANGES[2])], 300, &[], limits);
    let plain = SeriesQuery {
        metric: "sales".to_owned(),
        from_us: us("2026-03-28T00:00:00Z"),
        to_us: us("2026-03-30T00:00:00Z"),
        step_us: HOUR_US,
        ..SeriesQuery::default()
    };
    let refusal = async |change: &dyn Fn(&mut SeriesQuery)| -> (String, AnalyseError) {
        let mut query = plain.clone();
        change(&mut query);
        let error = sales.analyst.series(&query).await.unwrap_err();
        (error.to_string(), error)
    };
    let zone = |name: &str| Windows {
        step: Some(Period::Day),
        zone: Zone::Named(name.to_owned()),
        ..Windows::default()
    };
    let trailing = |width_us| Windows {
        span: Span::Trailing(width_us),
        ..Windows::default()
    };
    for (change, message) in [
        (
            &(|q: &mut SeriesQuery| q.windows = trailing(90 * MINUTE_US))
                as &dyn Fn(&mut SeriesQuery),
            "a window of 90m is no multiple of the step of 1h; use 1h or 2h",
        ),
        (
            &|q| q.windows = trailing(MINUTE_US),
            "a window of 1m is no multiple of the step of 1h; use 1h",
        ),
        (
            &|q| q.windows = trailing(0),
            "a window of 0d is no multiple of the step of 1h; use 1h",
        ),
        (
            &|q| q.windows = trailing(i64::MIN),
            "a window of -9223372036854775808us is no multiple of the step of 1h; use 1h",
        ),
        (
            &|q| q.windows = zone("Europe/Berlim"),
            "there is no time zone 'Europe/Berlim'; did you mean 'Europe/Berlin'?",
        ),
        (
            &|q| {
                q.windows = Windows {
                    span: Span::Trailing(DAY_US),
                    ..zone("UTC")
                }
            },
            "a trailing window needs steps of a fixed length; use a step such as 1d, or 'since'",
        ),
        (
            &|q| {
                q.windows = Windows {
                    step: None,
                    ..zone("Asia/Tokyo")
                }
            },
            "a zone has no meaning without a step of a calendar or 'since'",
        ),
        (
            &|q| {
                q.windows = Windows {
                    zone: Zone::Dimension("zon".to_owned()),
                    ..zone("")
                }
            },
            "the cube 'sales' has no dimension 'zon'; did you mean 'zone'?",
        ),
        (
            &|q| {
                q.windows = Windows {
                    zone: Zone::Dimension("till".to_owned()),
                    ..zone("")
                }
            },
            "the dimension 'till' is int64; a zone's name is text",
        ),
        (
            &|q| {
                q.windows = zone("UTC");
                q.to_us = q.from_us;
            },
            "the range is empty: 'from' must be before 'to'",
        ),
        (
            &|q| {
                q.windows = zone("UTC");
                q.from_us = i64::MIN;
            },
            "the range is beyond the years that calendars have",
        ),
        (
            &|q| {
                q.windows = zone("UTC");
                q.from_us = us("1900-01-01T00:00:00Z");
            },
            "the range has more than 500 steps, which are answered at most",
        ),
    ] {
        assert_eq!(refusal(change).await.0, message);
    }
    let (message, error) = refusal(&|q| {
        q.step_us = 10 * MINUTE_US;
        q.windows.span = Span::Trailing(DAY_US);
        q.by = vec!["shop".to_owned(), "zone".to_owned()];
    })
    .await;
    assert!(matches!(error, AnalyseError::TooLarge(_)), "{message}");
    assert!(message.contains("at most 1000 are merged"), "{message}");
    // Beyond all years nothing overflows.
    for (from_us, to_us) in [
        (i64::MIN, i64::MIN + HOUR_US),
        (i64::MAX - HOUR_US, i64::MAX),
    ] {
        let _ = refusal(&|q| {
            (q.from_us, q.to_us) = (from_us, to_us);
            q.windows.span = Span::Trailing(i64::MAX / HOUR_US * HOUR_US);
            // An answer, too, would do.
            q.metric = "none".to_owned();
        })
        .await;
    }
}
