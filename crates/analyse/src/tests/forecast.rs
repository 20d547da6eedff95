//! Forecasts of made-up traffic whose course is known, against what came and against the forecaster by itself.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tillwatch_journal::{DiskStorage, Journal, JournalOptions};
use tillwatch_predict::{Bounds, Footing, Forecaster, Options};
use tillwatch_process::{
    CubeDefinition, ProcessOptions, Processor, Rates, RecoverRange, StreamDefinition,
};

use super::fixture::{append_at, metric, pairs, stream};
use super::sales::Ticket;
use super::windows::{HOUR_US, us};
use crate::{
    AnalyseError, Analyst, Expected, ForecastQuery, Horizon, LimitOverride, Outlook, Period,
    PointValue, QueryLimits,
};

const MINUTE_US: i64 = 60_000_000;
const DAY_US: i64 = 24 * HOUR_US;
/// Days of traffic.
const DAYS: i64 = 38;
/// The days that are history where a test asks.
const HISTORY_DAYS: i64 = 35;

/// A Monday, so long ago that it is before any test runs.
fn start_us() -> i64 {
    us("2020-01-06T00:00:00Z")
}

/// How many sales an hour has, but for luck: quiet nights and weekends.
fn usual(hour: i64) -> f64 {
    let weekend = if (hour / 24) % 7 >= 5 { 0.6 } else { 1.0 };
    let of_day = (hour % 24) as f64 - 8.0;
    weekend * (20.0 + 11.0 * (of_day / 24.0 * std::f64::consts::TAU).sin())
}

#[derive(Debug, Clone)]
struct Sale {
    at_us: i64,
    shop: &'static str,
    is_card: bool,
    cents: i64,
}

struct Till {
    analyst: Analyst,
    sales: Vec<Sale>,
    _journal: Journal,
    _folder: tempfile::TempDir,
}

impl Till {
    fn open(limits: QueryLimits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let storage = Arc::new(DiskStorage::open(folder.path().join("journal")).unwrap());
        let (mut journal, _) = Journal::open(storage, JournalOptions::default()).unwrap();
        let schema = stream(
            "sold",
            "id",
            "at",
            &[
                ("id", "string"),
                ("at", "timestamp"),
                ("shop", "string"),
                ("card", "bool"),
                ("amount", "decimal(18, 2)"),
            ],
        );
        let mut ticket = Ticket::new(20_261_130);
        let mut sales = Vec::new();
        for day in 0..DAYS {
            let mut lines = String::new();
            for hour in day * 24..(day + 1) * 24 {
                for _ in 0..count(&mut ticket, hour) {
                    let sale = Sale {
                        at_us: start_us() + hour * HOUR_US + ticket.number(3_600) * 1_000_000,
                        shop: ["a", "a", "b"][ticket.draw(3)],
                        is_card: ticket.draw(20) > 0,
                        cents: 500 + ticket.number(4_000),
                    };
                    writeln!(
                        lines,
                        "{{\"id\":\"s{}\",\"at\":{},\"shop\":\"{}\",\"card\":{},\"amount\":\"{}.{:02}\"}}",
                        sales.len(),
                        sale.at_us / 1_000,
                        sale.shop,
                        sale.is_card,
                        sale.cents / 100,
                        sale.cents % 100
                    )
                    .unwrap();
                    sales.push(sale);
                }
            }
            append_at(
                &mut journal,
                &schema,
                &lines,
                start_us() + (day + 1) * DAY_US,
            );
        }
        journal.sync().unwrap();
        let cube = CubeDefinition {
            name: "sales".to_owned(),
            from: "sold".to_owned(),
            bucket: Duration::from_secs(600),
            dimensions: pairs(&[("shop", "shop")]),
            measures: pairs(&[
                ("count", "count(*)"),
                ("cards", "count(*) filter (where card)"),
                ("amount", "sum(amount)"),
            ]),
            keep: Vec::new(),
        };
        let stream = StreamDefinition {
            schema,
            derive: Vec::new(),
            keep: None,
            quarantine_keep: None,
        };
        let options = ProcessOptions::default();
        let rates = Arc::new(Rates::none());
        let processor = Arc::new(Processor::new(vec![stream], vec![cube], rates, options).unwrap());
        processor
            .recover(&journal.reader(), RecoverRange::default(), &|_| {})
            .unwrap();
        let metrics = vec![
            metric("sales", "sales", "count", "count"),
            metric("revenue", "sales", "amount", "EUR"),
            metric("card_share", "sales", "cards / count", "percent"),
        ];
        let analyst = Analyst::new(&processor, &journal.reader(), metrics, limits).unwrap();
        Self {
            analyst,
            sales,
            _journal: journal,
            _folder: folder,
        }
    }

    fn within(&self, from_us: i64, to_us: i64) -> impl Iterator<Item = &Sale> {
        let inside = move |sale: &&Sale| (from_us..to_us).contains(&sale.at_us);
        self.sales.iter().filter(inside)
    }

    /// The sales of so many hours.
    fn hours(&self, hours: std::ops::Range<i64>) -> Vec<f64> {
        let hour = |hour: i64| {
            let from_us = start_us() + hour * HOUR_US;
            self.within(from_us, from_us + HOUR_US).count() as f64
        };
        hours.map(hour).collect()
    }

    async fn expected(&self, query: &ForecastQuery) -> Expected {
        let answer = self.analyst.forecast(query).await.unwrap();
        match &answer.forecast.slices[..] {
            [one] => match &one.outlook {
                Outlook::Ready(expected) => expected.clone(),
                learning => panic!("{learning:?}"),
            },
            slices => panic!("{} slices", slices.len()),
        }
    }
}

/// The usual number, more or less.
fn count(ticket: &mut Ticket, hour: i64) -> i64 {
    let luck = ticket.number(5) + ticket.number(5) - 4;
    (usual(hour).round() as i64 + luck).max(0)
}

fn query(metric: &str, at_us: i64) -> ForecastQuery {
    ForecastQuery {
        metric: metric.to_owned(),
        at_us,
        step_us: None,
        horizon: Horizon::For(DAY_US),
        zone: None,
        by: Vec::new(),
        filters: Vec::new(),
        limit_series: None,
    }
}

/// Twenty minutes into the first day after what is history.
fn at_us() -> i64 {
    start_us() + HISTORY_DAYS * DAY_US + 20 * MINUTE_US
}

#[tokio::test]
async fn a_forecast_is_near_what_comes_and_its_bands_hold_it() {
    let till = Till::open(QueryLimits::default());
    let two_days = ForecastQuery {
        horizon: Horizon::For(2 * DAY_US),
        ..query("sales", at_us())
    };
    let answer = till.analyst.forecast(&two_days).await.unwrap();
    let forecast = &answer.forecast;
    let first_hour = HISTORY_DAYS * 24;
    assert_eq!(forecast.from_us, start_us() + first_hour * HOUR_US);
    assert_eq!(forecast.to_us, forecast.from_us + 48 * HOUR_US);
    let expected = till.expected(&two_days).await;
    assert_eq!(
        (expected.points.len(), expected.footing),
        (48, Footing::Full)
    );
    assert_eq!(expected.periods_us, [DAY_US, 7 * DAY_US]);

    // What was to come is in the cube already, and makes no difference: the same as from the events before.
    let mut history: Vec<Option<f64>> = till.hours(0..first_hour).into_iter().map(Some).collect();
    // Nobody knows that events begin with the first hour, but that hour is where history begins.
    assert_eq!(forecast.history_from_us, start_us());
    let options = Options {
        bounds: Bounds::NON_NEGATIVE,
        horizon: 48,
        ..Options::default()
    };
    let fit = |history: &[Option<f64>]| {
        let forecaster = Forecaster::new(options.clone());
        forecaster.fit(history, Duration::from_secs(3_600)).unwrap()
    };
    assert_eq!(expected.points, fit(&history).forecast(48).unwrap());
    assert_eq!(forecast.slices[0].known, history.len());

    let (mut off, mut inside) = (0.0, [0.0; 2]);
    let truth = till.hours(first_hour..first_hour + 48);
    for ((hour, came), point) in (first_hour..).zip(&truth).zip(&expected.points) {
        off += (point.mean - usual(hour).round()).abs() / 48.0;
        inside[0] += f64::from(u8::from((point.low80..=point.high80).contains(came))) / 48.0;
        inside[1] += f64::from(u8::from((point.low95..=point.high95).contains(came))) / 48.0;
    }
    println!("off by {off}, within {inside:?}");
    // The luck alone is 1.6 on average, and nobody can tell it in advance.
    assert!(off < 1.2, "{off}");
    assert!(inside[0] > 0.6 && inside[1] > 0.87, "{inside:?}");

    // A history that begins after the first step read begins in the middle of one.
    let later = ForecastQuery {
        at_us: start_us() + 20 * DAY_US,
        ..two_days
    };
    history.truncate(20 * 24);
    history[0] = None;
    let answer = till.analyst.forecast(&later).await.unwrap();
    assert_eq!(answer.forecast.slices[0].known, 20 * 24 - 1);
    let expected = till.expected(&later).await;
    let alone = fit(&history).forecast(48).unwrap();
    for (point, alone) in expected.points.iter().zip(&alone) {
        assert!(
            (point.mean - alone.mean).abs() < 1e-9,
            "{point:?} {alone:?}"
        );
    }
}

#[tokio::test]
async fn the_day_is_what_came_so_far_and_what_is_expected_of_the_rest() {
    let till = Till::open(QueryLimits::default());
    let midnight_us = start_us() + HISTORY_DAYS * DAY_US;
    for (zone, ahead_us) in [
        (None, 0),
        (Some("Asia/Kolkata"), 5 * HOUR_US + 30 * MINUTE_US),
        (Some("America/New_York"), -5 * HOUR_US),
    ] {
        // Ten minutes past ten, local time, and some seconds.
        let at_us = midnight_us - ahead_us + 10 * HOUR_US + 10 * MINUTE_US + 7_000_000;
        let (from_us, to_us) = (midnight_us - ahead_us, midnight_us - ahead_us + DAY_US);
        let asked = ForecastQuery {
            horizon: Horizon::Until(Period::Day),
            zone: zone.map(str::to_owned),
            ..query("revenue", at_us)
        };
        let answer = till.analyst.forecast(&asked).await.unwrap();
        assert_eq!(answer.day_us, Some((from_us, to_us)), "{zone:?}");
        assert_eq!(answer.complete_us, at_us - 7_000_000);
        assert!(answer.forecast.to_us >= to_us && answer.forecast.to_us < to_us + HOUR_US);
        let [Some(day)] = &answer.days[..] else {
            panic!("{zone:?}: {:?}", answer.days)
        };
        let cents =
            |from_us, to_us| -> i64 { till.within(from_us, to_us).map(|sale| sale.cents).sum() };
        let so_far = cents(from_us, answer.complete_us);
        let text = format!("{}.{:02}", so_far / 100, so_far % 100);
        assert_eq!(day.so_far, PointValue::Text(text), "{zone:?}");
        let came = cents(from_us, to_us) as f64 / 100.0;
        let total = day.total;
        println!("{zone:?}: {so_far} so far, {total:?}, came to {came}");
        assert!((total.mean - (so_far as f64 / 100.0 + day.rest.mean)).abs() < 1e-6);
        assert!((total.mean - came).abs() < 0.15 * came, "{total:?} {came}");
        assert!(
            total.low95 <= came && came <= total.high95,
            "{total:?} {came}"
        );
        assert!(total.low95 >= so_far as f64 / 100.0);
        assert!(total.high95 - total.low95 < 0.8 * came, "{total:?}");
    }
    // Buckets of ten minutes have no midnight of Kathmandu.
    let asked = ForecastQuery {
        zone: Some("Asia/Kathmandu".to_owned()),
        ..query("sales", at_us())
    };
    let answer = till.analyst.forecast(&asked).await.unwrap();
    assert_eq!(answer.days, [None]);
    assert!(
        answer.notes[0].contains("within a bucket"),
        "{:?}",
        answer.notes
    );
    // Shares do not add up.
    let answer = till.analyst.forecast(&query("card_share", at_us())).await;
    let answer = answer.unwrap();
    assert_eq!((answer.day_us, &answer.days[..]), (None, &[None][..]));
}

#[tokio::test]
async fn the_end_of_the_day_is_told_better_the_nearer_it_is() {
    let till = Till::open(QueryLimits::default());
    let midnight_us = start_us() + HISTORY_DAYS * DAY_US;
    let came = till.within(midnight_us, midnight_us + DAY_US).count() as f64;
    let mut width = f64::INFINITY;
    for minutes in [10, 6 * 60, 12 * 60, 18 * 60, 23 * 60, 23 * 60 + 50] {
        let asked = query("sales", midnight_us + minutes * MINUTE_US);
        let answer = till.analyst.forecast(&asked).await.unwrap();
        let day = answer.days[0].clone().unwrap();
        let so_far = till.within(midnight_us, midnight_us + minutes * MINUTE_US);
        assert_eq!(day.so_far.as_f64(), Some(so_far.count() as f64));
        let now = day.total.high95 - day.total.low95;
        assert!(now < width, "{minutes}: {now} after {width}");
        width = now;
        assert!(
            (day.total.mean - came).abs() < 0.1 * came,
            "{minutes}: {day:?} {came}"
        );
    }
    assert!(width < 8.0, "{width}");
}

#[tokio::test]
async fn shares_stay_shares_and_counts_stay_above_nothing() {
    let till = Till::open(QueryLimits::default());
    let week = |metric: &str| ForecastQuery {
        horizon: Horizon::For(7 * DAY_US),
        ..query(metric, at_us())
    };
    let share = till.expected(&week("card_share")).await;
    assert_eq!(share.points.len(), 168);
    for point in &share.points {
        assert!(point.low95 >= 0.0 && point.high95 <= 1.0, "{point:?}");
        assert!((0.85..=1.0).contains(&point.mean), "{point:?}");
    }
    let sales = till.expected(&week("sales")).await;
    assert!(sales.points.iter().all(|point| point.low95 >= 0.0));
    let weight: f64 = sales.methods.iter().map(|method| method.weight).sum();
    assert!((weight - 1.0).abs() < 1e-9);
}

#[tokio::test]
async fn too_little_history_is_told_and_is_no_error() {
    let till = Till::open(QueryLimits::default());
    let asked = query("sales", start_us() + 5 * HOUR_US + MINUTE_US);
    let answer = till.analyst.forecast(&asked).await.unwrap();
    // Of the hour in which events begin nobody knows whether it is whole.
    assert_eq!(answer.forecast.slices[0].known, 4);
    assert_eq!(
        answer.forecast.slices[0].outlook,
        Outlook::Learning { needed: 10 }
    );
    assert_eq!(answer.days, [None]);
    let before = query("sales", start_us() - DAY_US);
    let answer = till.analyst.forecast(&before).await.unwrap();
    assert_eq!(answer.forecast.slices[0].known, 0);
    // A day is a little, and is said to be.
    let asked = query("sales", start_us() + DAY_US + MINUTE_US);
    assert_eq!(till.expected(&asked).await.footing, Footing::ColdStart);
}

#[tokio::test]
async fn slices_are_forecast_as_by_themselves() {
    let till = Till::open(QueryLimits::default());
    let split = ForecastQuery {
        by: vec!["shop".to_owned()],
        ..query("sales", at_us() + 9 * HOUR_US)
    };
    let answer = till.analyst.forecast(&split).await.unwrap();
    assert_eq!(answer.forecast.slices.len(), 2);
    for (slice, day) in answer.forecast.slices.iter().zip(&answer.days) {
        let (_, shop) = &slice.by[0];
        let shop = shop.clone().unwrap();
        let alone = ForecastQuery {
            filters: vec![("shop".to_owned(), shop.clone())],
            by: Vec::new(),
            ..split.clone()
        };
        let Outlook::Ready(expected) = &slice.outlook else {
            panic!("{slice:?}")
        };
        assert_eq!(*expected, till.expected(&alone).await, "{shop}");
        let midnight_us = start_us() + HISTORY_DAYS * DAY_US;
        let so_far = till.within(midnight_us, answer.complete_us);
        let so_far = so_far.filter(|sale| sale.shop == shop).count();
        assert_eq!(
            day.as_ref().unwrap().so_far,
            PointValue::Int(i64::try_from(so_far).unwrap())
        );
    }
    let one = ForecastQuery {
        limit_series: Some(1),
        ..split
    };
    let answer = till.analyst.forecast(&one).await.unwrap();
    assert_eq!(
        (answer.forecast.slices.len(), answer.forecast.truncated),
        (1, true)
    );
}

#[tokio::test]
async fn however_many_ask_it_is_computed_once_until_a_step_is_complete() {
    let till = Till::open(QueryLimits::default());
    let computed = || till.analyst.forecasts().computed;
    let asked = query("sales", at_us());
    let many = (0..20).map(|_| till.analyst.forecast(&asked));
    let answers = futures::future::join_all(many).await;
    let first = answers[0].as_ref().unwrap();
    for answer in &answers {
        assert!(Arc::ptr_eq(
            &answer.as_ref().unwrap().forecast,
            &first.forecast
        ));
    }
    assert_eq!(computed(), 1);
    // Half an hour later the same is expected of the time to come, and more has come of the day.
    let later = query("sales", at_us() + 30 * MINUTE_US);
    let answer = till.analyst.forecast(&later).await.unwrap();
    assert!(Arc::ptr_eq(&answer.forecast, &first.forecast));
    assert_eq!(computed(), 1);
    let so_far = |day: &Option<crate::DayTotal>| day.as_ref().unwrap().so_far.as_f64();
    assert!(so_far(&answer.days[0]) > so_far(&first.days[0]));
    let next = query("sales", at_us() + HOUR_US);
    till.analyst.forecast(&next).await.unwrap();
    assert_eq!(computed(), 2);
    let keeping_none = Till::open(QueryLimits {
        forecast_cache_bytes_max: 0,
        ..QueryLimits::default()
    });
    for _ in 0..2 {
        keeping_none.analyst.forecast(&asked).await.unwrap();
    }
    assert_eq!(keeping_none.analyst.forecasts().computed, 2);
}

async fn rows(till: &Till, sql: &str) -> Vec<Vec<serde_json::Value>> {
    let answer = match till.analyst.sql(sql, LimitOverride::default()).await {
        Ok(answer) => answer,
        Err(error) => panic!("{sql}: {error}"),
    };
    let json: serde_json::Value = serde_json::from_slice(&answer.to_json().unwrap()).unwrap();
    let rows = json["rows"].as_array().unwrap().iter();
    rows.map(|row| row.as_array().unwrap().clone()).collect()
}

#[tokio::test]
async fn sql_has_the_same_forecast_as_a_table() {
    let till = Till::open(QueryLimits::default());
    // Events ended long before now: it begins where they did, and goes as far as forecasts go.
    let now_us = jiff::Timestamp::now().as_microsecond();
    let expected = till.expected(&query("sales", now_us)).await;
    let limit = QueryLimits::default().forecast_points_max;
    let first = start_us() + DAYS * DAY_US - HOUR_US;
    for call in [
        "forecast('sales')",
        "forecast(sales, interval '1 day')",
        "FORECAST('sales', interval '24 hours', interval '1 hour')",
        "forecast('sales', 'day', interval '60 minutes', 'Europe/Berlin')",
    ] {
        let found = rows(&till, &format!("select * from {call} order by start")).await;
        assert_eq!(found.len(), limit, "{call}");
        assert_eq!(us(found[0][0].as_str().unwrap()), first, "{call}");
        for (row, point) in found.iter().zip(&expected.points).take(100) {
            let value = |at: usize| row[at].as_f64().unwrap();
            let figures = [
                point.mean,
                point.low80,
                point.high80,
                point.low95,
                point.high95,
            ];
            for (at, figure) in (1..).zip(figures) {
                assert!(
                    (value(at) - figure).abs() <= 1e-9 * figure.abs().max(1.0),
                    "{row:?}"
                );
            }
        }
    }
    // An ordinary table: to be joined, filtered and added up.
    let found = rows(
        &till,
        "with coming as (select date_trunc('day', start) as day, sum(value) as total, count(*) as hours \
         from forecast('sales', interval '7 days') where start >= timestamp '2020-02-14T00:00:00Z' group by 1) \
         select hours, total > 0 from coming where hours = 24 limit 3",
    )
    .await;
    assert_eq!(
        found,
        vec![vec![serde_json::json!(24), serde_json::json!(true)]; 3]
    );
    let columns = rows(&till, "select f.upper_95 >= f.value, f.lower_95 <= f.value from forecast('card_share') as f limit 1").await;
    assert_eq!(
        columns,
        [[serde_json::json!(true), serde_json::json!(true)]]
    );
}

#[tokio::test]
async fn what_cannot_be_forecast_is_refused_with_what_can() {
    let till = Till::open(QueryLimits::default());
    let usage = "forecast() cannot be called like this";
    for (sql, says) in [
        ("select * from forecast('sale')", "did you mean 'sales'?"),
        ("select * from forecast(sale)", "did you mean 'sales'?"),
        ("select * from forecast()", usage),
        ("select * from forecast(7)", usage),
        ("select * from forecast('sales', 24)", usage),
        ("select * from forecast('sales', interval '1 month')", usage),
        ("select * from forecast('sales', interval '-1 hour')", usage),
        (
            "select * from forecast('sales', interval '1 day', '1h')",
            usage,
        ),
        (
            "select * from forecast('sales', 'day', interval '1 hour', 'UTC', 1)",
            usage,
        ),
        (
            "select * from forecast('sales', 'dya')",
            "'dya' is no period; there are 'day'",
        ),
        (
            "select * from forecast('sales', 'day', interval '1 hour', 'Europe/Berln')",
            "did you mean 'Europe/Berlin'?",
        ),
        (
            "select * from forecast('sales', interval '1 day', interval '90 seconds')",
            "no multiple of the cube's bucket",
        ),
        (
            "select * from forecast('sales', interval '3000 days')",
            "at most 2000 are forecast; use a step of 37h or more",
        ),
        (
            "select forecast('sales')",
            "there is no function 'forecast'",
        ),
        (
            "select measure(sales) from forecast('sales')",
            "measure(sales) needs a cube",
        ),
        ("select * from forecasts('sales')", "forecasts"),
        ("select * from read_csv('/etc/passwd')", "read_csv"),
    ] {
        match till.analyst.sql(sql, LimitOverride::default()).await {
            Ok(answer) => panic!("{sql}: answered with {} rows", answer.rows()),
            Err(error) => assert!(error.to_string().contains(says), "{sql}: {error}"),
        }
    }
    let refused = [
        ForecastQuery {
            step_us: Some(0),
            ..query("sales", at_us())
        },
        ForecastQuery {
            horizon: Horizon::For(0),
            ..query("sales", at_us())
        },
        ForecastQuery {
            by: vec!["shp".to_owned()],
            ..query("sales", at_us())
        },
        query("sales", i64::MAX),
        query("sales", i64::MIN),
    ];
    for asked in refused {
        let error = till.analyst.forecast(&asked).await.unwrap_err();
        assert!(
            matches!(error, AnalyseError::Invalid(_) | AnalyseError::Unknown(_)),
            "{asked:?}: {error:?}"
        );
    }
}
