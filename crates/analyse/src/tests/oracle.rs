//! Series against plain SQL over the raw events, and how gaps are filled.

use std::collections::BTreeMap;

use super::fixture::{BUCKET_US, Fixture, SECOND_US, START_US};
use crate::{PointValue, QueryLimits, Series, SeriesQuery};

const MINUTE_US: i64 = 60 * SECOND_US;

fn query(metric: &str, step_us: i64, by: &[&str]) -> SeriesQuery {
    SeriesQuery {
        metric: metric.to_owned(),
        from_us: START_US,
        to_us: START_US + 30 * MINUTE_US,
        step_us,
        by: by.iter().map(|name| (*name).to_owned()).collect(),
        ..SeriesQuery::default()
    }
}

/// Non-empty points of a series as (values of `by`, step) → JSON.
fn points(series: &Series) -> BTreeMap<(Vec<Option<String>>, i64), serde_json::Value> {
    let mut all = BTreeMap::new();
    for one in &series.series {
        let key: Vec<_> = one.by.iter().map(|(_, value)| value.clone()).collect();
        for (at, value) in &one.points {
            all.insert((key.clone(), *at), serde_json::to_value(value).unwrap());
        }
    }
    all
}

/// Exactly, but for the last digit of a float, which reading JSON may round.
fn equal(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= a.abs() * 4.0 * f64::EPSILON,
        _ => a == b,
    }
}

#[tokio::test]
async fn series_equal_sql_over_the_raw_events() {
    let fixture = Fixture::new();
    let rate = "count(*) filter (where status = 'approved') / cast(count(*) as double)";
    for (metric, sql, by) in [
        ("attempt_count", "count(*)", vec!["psp"]),
        ("payment_volume", "sum(amount)", vec!["psp", "issuer"]),
        ("authorization_rate", rate, vec!["issuer"]),
        ("latency_mean", "avg(latency_ms)", vec!["retry"]),
        ("average_ticket", "sum(amount) / count(*)", vec![]),
    ] {
        for step_us in [BUCKET_US, 3 * BUCKET_US, 5 * MINUTE_US] {
            let answer = fixture
                .analyst
                .series(&query(metric, step_us, &by))
                .await
                .unwrap();
            let found = points(&answer);
            let keys: Vec<String> = by
                .iter()
                .map(|name| format!("cast({name} as varchar), "))
                .collect();
            let raw = fixture
                .rows(&format!(
                    "select {} cast(arrow_cast(date_bin(interval '{} seconds', occurred_at), 'Timestamp(Microsecond, Some(\"UTC\"))') as bigint), {sql} \
                     from payments group by all",
                    keys.concat(),
                    step_us / SECOND_US
                ))
                .await;
            let rows = raw.as_array().unwrap();
            assert!(rows.len() > 5);
            for row in rows {
                let row = row.as_array().unwrap();
                let key: Vec<Option<String>> = row[..by.len()]
                    .iter()
                    .map(|v| v.as_str().map(str::to_owned))
                    .collect();
                let at = row[by.len()].as_i64().unwrap();
                assert!(
                    equal(&found[&(key, at)], &row[by.len() + 1]),
                    "{metric} {row:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn gaps_are_zero_for_counts_and_null_for_rates_within_what_is_known() {
    let fixture = Fixture::new();
    let mut asked = query("attempt_count", MINUTE_US, &["psp"]);
    asked.from_us -= 5 * MINUTE_US;
    asked.to_us += 5 * MINUTE_US;
    let counts = fixture.analyst.series(&asked).await.unwrap();
    let worldpay = counts
        .series
        .iter()
        .find(|one| one.by[0].1.as_deref() == Some("worldpay"))
        .unwrap();
    assert_eq!(worldpay.points.len(), 40);
    assert_eq!(
        worldpay.points[0].1,
        PointValue::Null,
        "before the first event nothing is known"
    );
    assert_eq!(
        worldpay.points[39].1,
        PointValue::Null,
        "after the last event nothing is known"
    );
    assert_eq!(
        worldpay.points[5 + 7].1,
        PointValue::Int(0),
        "it stopped, the others did not"
    );
    assert_eq!(
        worldpay.points[5 + 11].1,
        PointValue::Int(0),
        "nobody paid, and that is known"
    );
    assert_eq!(counts.empty, PointValue::Int(0));
    assert_eq!(counts.known_us, Some((START_US, START_US + 29 * MINUTE_US)));

    let rates = fixture
        .analyst
        .series(&query("authorization_rate", MINUTE_US, &[]))
        .await
        .unwrap();
    assert_eq!(rates.series[0].points[11].1, PointValue::Null);
    assert!(matches!(rates.series[0].points[3].1, PointValue::Float(_)));
    assert_eq!(rates.empty, PointValue::Null);
    // A sum of nothing is no money, also where there were events but none declined.
    let share = fixture
        .analyst
        .series(&query("payment_volume", MINUTE_US, &[]))
        .await
        .unwrap();
    assert_eq!(
        share.series[0].points[11].1,
        PointValue::Text("0.00".into())
    );
}

#[tokio::test]
async fn steps_that_are_no_whole_older_buckets_are_not_figures_but_unknown() {
    let fixture = Fixture::new();
    let ask = async |from_us: i64, to_us: i64, step_us: i64| {
        let mut asked = query("aging_count", step_us, &[]);
        (asked.from_us, asked.to_us) = (from_us, to_us);
        crate::Series::clone(&fixture.analyst.series(&asked).await.unwrap())
    };
    let all = query("aging_count", BUCKET_US, &[]);
    let (from, to) = (all.from_us, all.to_us);
    let is_null = |(_, value): &(i64, PointValue)| *value == PointValue::Null;
    let total = |points: &[(i64, PointValue)]| -> f64 {
        points.iter().filter_map(|(_, value)| value.as_f64()).sum()
    };

    // Minutes are whole everywhere, and every event is in one of them.
    let minutes = ask(from, to, MINUTE_US).await.series.remove(0).points;
    assert!(!minutes.iter().any(is_null));
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let expected = super::fixture::PAYMENTS as f64;
    assert_eq!(total(&minutes), expected);

    // Shorter steps, and such that begin or end within a minute, have none of a minute's events.
    let short = ask(from, to, BUCKET_US).await.series.remove(0).points;
    assert!(short[..60].iter().all(is_null));
    let new = &short[short.len() - 18..short.len() - 6];
    assert!(!new.iter().any(is_null), "{new:?}");
    let crooked = ask(from, to, 90 * SECOND_US).await.series.remove(0).points;
    for (at, value) in crooked.iter().take(8) {
        assert_eq!(*value, PointValue::Null, "{at}");
    }

    // One figure moves to whole minutes when that keeps its length, and is unknown when it does not.
    let one = ask(
        from + BUCKET_US,
        from + BUCKET_US + 2 * MINUTE_US,
        2 * MINUTE_US,
    )
    .await;
    assert_eq!(
        (one.from_us, one.to_us),
        (from + MINUTE_US, from + 3 * MINUTE_US)
    );
    assert_eq!(total(&one.series[0].points), total(&minutes[1..3]));
    let one = ask(from, from + 90 * SECOND_US, 90 * SECOND_US).await;
    assert_eq!(one.series[0].points, [(from, PointValue::Null)]);
    // Of recent buckets it stays where it was asked for.
    let end = to - 10 * BUCKET_US;
    let one = ask(end - 9 * BUCKET_US, end, 9 * BUCKET_US).await;
    assert_eq!((one.from_us, one.to_us), (end - 9 * BUCKET_US, end));
    assert!(!is_null(&one.series[0].points[0]));
}

#[tokio::test]
async fn conditions_are_values_and_never_sql() {
    let fixture = Fixture::new();
    let name = "o'neil\"; drop table payments --";
    let mut asked = query("attempt_count", 30 * MINUTE_US, &[]);
    asked.filters = vec![("psp".to_owned(), name.to_owned())];
    let one = fixture.analyst.series(&asked).await.unwrap();
    let raw = fixture
        .rows("select count(*) from payments where psp like 'o''neil%'")
        .await;
    assert_eq!(
        one.series[0].points[0].1,
        PointValue::Int(raw[0][0].as_i64().unwrap())
    );

    // Two values of one dimension are alternatives, two dimensions hold together.
    asked.filters = vec![
        ("psp".to_owned(), "adyen".to_owned()),
        ("psp".to_owned(), "stripe".to_owned()),
        ("retry".to_owned(), "1".to_owned()),
        ("issuer".to_owned(), String::new()),
    ];
    let some = fixture.analyst.series(&asked).await.unwrap();
    let raw = fixture
        .rows("select count(*) from payments where psp in ('adyen', 'stripe') and retry = 1 and issuer is null")
        .await;
    assert_eq!(
        some.series[0].points[0].1,
        PointValue::Int(raw[0][0].as_i64().unwrap())
    );
}

#[tokio::test]
async fn few_series_are_the_heaviest_in_a_fixed_order() {
    let fixture = Fixture::new();
    let mut asked = query("attempt_count", 30 * MINUTE_US, &["psp", "issuer"]);
    let all = fixture.analyst.series(&asked).await.unwrap();
    assert!(!all.truncated);
    asked.limit_series = Some(3);
    let few = fixture.analyst.series(&asked).await.unwrap();
    assert!(few.truncated);
    assert_eq!(few.series, all.series[..3]);
    let sizes: Vec<f64> = all
        .series
        .iter()
        .map(|one| one.points[0].1.as_f64().unwrap())
        .collect();
    assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
}

#[tokio::test]
async fn questions_that_make_no_sense_are_explained() {
    let fixture = Fixture::with(QueryLimits {
        points_max: 100,
        ..QueryLimits::default()
    });
    let refusal = async |change: &dyn Fn(&mut SeriesQuery)| {
        let mut asked = query("attempt_count", MINUTE_US, &[]);
        change(&mut asked);
        fixture
            .analyst
            .series(&asked)
            .await
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refusal(&|q| q.metric = "attempt_cont".to_owned()).await,
        "there is no metric 'attempt_cont'; did you mean 'attempt_count'?"
    );
    assert_eq!(
        refusal(&|q| q.by = vec!["pspp".to_owned()]).await,
        "the cube 'payment_attempts' has no dimension 'pspp'; did you mean 'psp'?"
    );
    assert_eq!(
        refusal(&|q| q.step_us = 15 * SECOND_US).await,
        "a step of 15s is no multiple of the cube's bucket of 10s; use 10s or 20s"
    );
    assert_eq!(
        refusal(&|q| q.step_us = BUCKET_US).await,
        "the range has 180 steps; at most 100 are answered; use a step of 20s or more"
    );
    assert_eq!(
        refusal(&|q| q.to_us = q.from_us).await,
        "the range is empty: 'from' must be before 'to'"
    );
    assert_eq!(
        refusal(&|q| q.filters = vec![("retry".to_owned(), "many".to_owned())]).await,
        "'many' is no int64, which the dimension 'retry' is"
    );
    assert_eq!(
        refusal(&|q| q.by = vec!["psp".to_owned(), "psp".to_owned()]).await,
        "'psp' is named twice in 'by'"
    );
}
