//! Windows in SQL against a naive recount of the events, and against the series.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::sales::{Sale, Sales};
use super::windows::{CHANGES, HOUR_US, ZONES, ask, us};
use crate::{Period, QueryLimits, SeriesQuery, Span, Windows, Zone};

/// Rows of (text, …) from SQL, by luck in any order.
async fn rows(sales: &Sales, sql: &str) -> Vec<Vec<serde_json::Value>> {
    let answer = match sales
        .analyst
        .sql(sql, crate::LimitOverride::default())
        .await
    {
        Ok(answer) => answer,
        Err(error) => panic!("{sql}: {error}"),
    };
    let json: serde_json::Value = serde_json::from_slice(&answer.to_json().unwrap()).unwrap();
    let rows = json["rows"].as_array().unwrap().iter();
    rows.map(|row| row.as_array().unwrap().clone()).collect()
}

#[tokio::test]
async fn windows_in_sql_equal_a_recount_of_the_events() {
    let sales = Sales::around(&CHANGES.map(us), 900, &[]);
    let within =
        "bucket >= timestamp '2026-03-25T00:00:00Z' and bucket < timestamp '2026-04-08T00:00:00Z'";
    let (from_us, to_us) = (us("2026-03-25T00:00:00Z"), us("2026-04-08T00:00:00Z"));
    let events: Vec<&Sale> = (sales.events.iter())
        .filter(|sale| (from_us..to_us).contains(&sale.at_us))
        .collect();
    for (call, zone) in [
        (
            "hop(sales, interval '10 minutes', interval '3 hours')",
            None,
        ),
        ("HOP(sales, interval '1 hour', interval '1 day')", None),
        ("tumble(sales, interval '90 minutes')", None),
        (
            "tumble(sales, 'day', 'Europe/Berlin')",
            Some("Europe/Berlin"),
        ),
        (
            "tumble(sales, 'week', 'Asia/Kathmandu')",
            Some("Asia/Kathmandu"),
        ),
        ("tumble(\"sales\", 'month')", Some("UTC")),
        (
            "cumulate(sales, interval '1 hour', 'day', 'Australia/Lord_Howe')",
            Some("Australia/Lord_Howe"),
        ),
        (
            "cumulate(sales, interval '1 day', 'month', zone)",
            Some("dim"),
        ),
        ("tumble(sales, 'day', zone)", Some("dim")),
    ] {
        let sql = format!(
            "select shop, zone, window_start, window_end, measure(sales), measure(revenue) from {call} \
             where {within} group by all"
        );
        let found = rows(&sales, &sql).await;
        assert!(found.len() > 10, "{call}: {}", found.len());
        let mut counted = 0;
        for row in &found {
            let [shop, sale_zone, start, end, count, amount] = &row[..] else {
                panic!("{row:?}")
            };
            let inside: Vec<&&Sale> = match (start.as_str(), end.as_str()) {
                (Some(start), Some(end)) => {
                    let (start, end) = (us(start), us(end));
                    if let Some(zone) = zone {
                        let zone = if zone == "dim" {
                            sale_zone.as_str().unwrap()
                        } else {
                            zone
                        };
                        let zone = TimeZone::get(zone).unwrap();
                        let midnight =
                            zone.to_datetime(Timestamp::from_microsecond(start).unwrap());
                        // Where midnight was skipped the day begins an hour later.
                        assert!(
                            midnight.hour() <= 1 && midnight.minute() == 0,
                            "{call} {midnight}"
                        );
                    }
                    let events = events.iter();
                    events
                        .filter(|sale| (start..end).contains(&sale.at_us))
                        .collect()
                }
                // Where no zone is known there is no window, and the rows are seen.
                _ => {
                    assert_eq!(zone, Some("dim"), "{call}");
                    assert!(!sale_zone.as_str().is_some_and(|zone| ZONES.contains(&zone)));
                    events.iter().collect()
                }
            };
            let own: Vec<&&&Sale> = (inside.iter())
                .filter(|sale| Some(sale.shop.as_str()) == shop.as_str())
                .collect();
            assert_eq!(
                count.as_i64(),
                i64::try_from(own.len()).ok(),
                "{call} {row:?}"
            );
            let cents: i64 = own.iter().map(|sale| sale.cents).sum();
            assert_eq!(
                amount.as_str().unwrap(),
                format!("{}.{:02}", cents / 100, cents % 100)
            );
            counted += own.len();
        }
        // Every event is in as many windows as it must be.
        if call.starts_with("tumble") {
            assert_eq!(counted, events.len(), "{call}");
        } else if call.starts_with("hop") {
            assert_eq!(counted, events.len() * 18, "{call}");
        } else if call.starts_with("HOP") {
            assert_eq!(counted, events.len() * 24, "{call}");
        }
    }
}

#[tokio::test]
async fn windows_in_sql_agree_with_the_series() {
    let sales = Sales::around(&[us(CHANGES[2])], 900, &[]);
    let query = SeriesQuery {
        from_us: us("2026-03-28T00:00:00Z"),
        to_us: us("2026-03-30T00:00:00Z"),
        step_us: HOUR_US,
        windows: Windows {
            span: Span::Since(Period::Day),
            zone: Zone::Named("Europe/Berlin".to_owned()),
            ..Windows::default()
        },
        ..SeriesQuery::default()
    };
    for metric in ["sales", "latency_p95", "buyers"] {
        let series = ask(&sales, &query, metric).await;
        let sql = format!(
            "select window_end, measure({metric}) from cumulate(sales, interval '1 hour', 'day', 'Europe/Berlin') \
             where window_end > timestamp '2026-03-28T00:00:00Z' and window_end <= timestamp '2026-03-30T00:00:00Z' \
             group by window_start, window_end"
        );
        let found = rows(&sales, &sql).await;
        let by_end: BTreeMap<i64, f64> = (found.iter())
            .map(|row| (us(row[0].as_str().unwrap()), row[1].as_f64().unwrap()))
            .collect();
        assert!(by_end.len() > 30);
        for (at_us, value) in &series.series[0].points {
            let expected = by_end.get(&(at_us + HOUR_US)).copied();
            let found = value.as_f64().filter(|value| *value != 0.0);
            assert_eq!(found, expected, "{metric} {at_us}");
        }
    }
}

#[tokio::test]
async fn windows_in_sql_are_composed_and_bounded_like_everything_else() {
    let limits = QueryLimits {
        window_panes_max: 20_000,
        ..QueryLimits::default()
    };
    let sales = Sales::with(
        &[us(CHANGES[2])],
        300,
        &[(10, 86_400), (3_600, 4_000 * 86_400)],
        limits,
    );
    // A window beside the cube, in one view; a window of a window's figures.
    let joined = rows(
        &sales,
        "with w as (select window_end, measure(sales) as n from hop(sales, interval '1 hour', interval '1 day') as h \
         group by window_end) select max(n) <= (select measure(sales) from sales), count(*) from w",
    )
    .await;
    assert_eq!(joined[0][0], true);
    for (call, message) in [
        (
            "hop(sale, interval '1 hour', interval '1 day')",
            "there is no cube 'sale' for hop; did you mean 'sales'?",
        ),
        (
            "hop(sales, interval '1 hour')",
            "hop() cannot be called like this; write hop(cube, interval '10 seconds', interval '5 minutes'), the step before the size",
        ),
        (
            "hop(sales, interval '1 month', interval '1 year')",
            "hop() cannot be called like this; write hop(cube, interval '10 seconds', interval '5 minutes'), the step before the size",
        ),
        (
            "hop(sales, interval '-1 hour', interval '1 day')",
            "hop() cannot be called like this; write hop(cube, interval '10 seconds', interval '5 minutes'), the step before the size",
        ),
        (
            "hop(sales, interval '7 seconds', interval '70 seconds')",
            "hop() needs a size that is a multiple of the step, and a step that is one of the cube's bucket of 10s",
        ),
        (
            "hop(sales, interval '1 hour', interval '90 minutes')",
            "hop() needs a size that is a multiple of the step, and a step that is one of the cube's bucket of 10s",
        ),
        (
            "hop(sales, interval '10 seconds', interval '365 days')",
            "every bucket would be in 3153600 windows; at most 10000 are allowed; use a wider step",
        ),
        (
            "tumble(sales, 'fortnight')",
            "'fortnight' is no period; there are 'day', 'week', 'month', 'quarter' and 'year'",
        ),
        (
            "tumble(sales, 'day', 'Europe/Berlim')",
            "there is no time zone 'Europe/Berlim'; did you mean 'Europe/Berlin'?",
        ),
        (
            "tumble(sales, 'day', '../../etc/passwd')",
            "there is no time zone '../../etc/passwd'",
        ),
        (
            "tumble(sales, 'day', zon)",
            "there is no dimension 'zon' to tell the zone; did you mean 'zone'?",
        ),
        (
            "tumble(sales, 'day', till)",
            "the dimension 'till' is no text, and names no zone",
        ),
        (
            "tumble(sales, interval '1 day', 'Europe/Berlin')",
            "tumble() cannot be called like this; write tumble(cube, interval '5 minutes') or tumble(cube, 'month', 'Europe/Berlin')",
        ),
        (
            "tumble(sold, 'day')",
            "there is no cube 'sold' for tumble; the cubes are 'sales'",
        ),
        (
            "tumble((select 1), 'day')",
            "tumble() cannot be called like this; write tumble(cube, interval '5 minutes') or tumble(cube, 'month', 'Europe/Berlin')",
        ),
        (
            "cumulate(sales, interval '10 seconds', 'year')",
            "every bucket would be in 3171601 windows; at most 10000 are allowed; use a wider step",
        ),
    ] {
        let sql = format!("select * from {call}");
        let answer = sales
            .analyst
            .sql(&sql, crate::LimitOverride::default())
            .await;
        assert_eq!(answer.unwrap_err().to_string(), message, "{call}");
    }
    let refusal = async |sql: &str| {
        let answer = sales
            .analyst
            .sql(sql, crate::LimitOverride::default())
            .await;
        answer.unwrap_err().to_string()
    };
    // Rolled up to hours, a bucket has no quarter of an hour, and no midnight of Nepal.
    let cut = refusal("select window_start, measure(sales) from tumble(sales, 'day', 'Asia/Kathmandu') group by 1").await;
    assert!(
        cut.starts_with("a window begins or ends within a bucket, which is 3600s wide"),
        "{cut}"
    );
    let newest = rows(
        &sales,
        "select window_start, measure(sales) from tumble(sales, 'day', 'Asia/Kathmandu') \
         where bucket >= timestamp '2026-04-01T06:00:00Z' group by 1",
    )
    .await;
    assert!(!newest.is_empty());
    let many =
        refusal("select count(*) from hop(sales, interval '1 hour', interval '100 days')").await;
    assert!(
        many.starts_with("the windows are made of more than 20000 rows"),
        "{many}"
    );
    assert!(refusal("select hop(1, 2)").await.contains("hop"));
}
