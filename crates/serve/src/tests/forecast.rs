//! Forecasts over the real parts, and what is asked of them.

use serde_json::{Value, json};

use super::real::{Till, event};
use super::stand::{Stand, problem};
use crate::ports::Horizon;
use crate::request::time::{MS, SECOND, rfc3339};

const HOUR_US: i64 = 3_600 * SECOND;
/// Monday, 6 January 2020: before any test runs.
const START_US: i64 = 1_578_268_800 * SECOND;
const HOURS: i64 = 15 * 24;

/// Payments of an hour: more by day than by night, fewer at weekends.
fn payments(hour: i64) -> i64 {
    let of_day = hour % 24;
    let by_day = if (8..20).contains(&of_day) { 9 } else { 4 };
    let weekend = (hour / 24) % 7 >= 5;
    by_day - i64::from(weekend) * 2 + (hour * 7) % 3
}

/// Fifteen days of payments, of which one in four is declined.
async fn till() -> Till {
    let till = Till::start().await;
    let mut body = String::new();
    let mut id = 0;
    for hour in 0..HOURS {
        for n in 0..payments(hour) {
            let at = rfc3339(START_US + hour * HOUR_US + n * 5 * 60 * SECOND);
            let psp = if id % 3 == 0 { "stripe" } else { "adyen" };
            let status = if id % 4 == 0 { "declined" } else { "approved" };
            body += &event(id, &at, psp, status, "10.25");
            id += 1;
        }
    }
    let receipt = till.send(&body).await;
    assert_eq!(receipt["accepted"], id);
    till
}

fn at(hours: i64, minutes: i64) -> String {
    rfc3339(START_US + hours * HOUR_US + minutes * 60 * SECOND)
}

fn figures(point: &Value) -> [f64; 5] {
    ["lower_95", "lower_80", "value", "upper_80", "upper_95"]
        .map(|name| point[name].as_f64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metric_has_a_forecast_with_intervals_and_an_expected_total_of_the_day() {
    let till = till().await;
    let now = 14 * 24 + 10;
    let path = format!("forecast?at={}&zone=UTC", at(now, 30));
    let answer = till.json(&format!("/v1/metrics/payments/{path}")).await;
    assert_eq!(answer["metric"], "payments");
    assert_eq!(answer["levels"], json!([0.8, 0.95]));
    assert_eq!(answer["step_ms"], 3_600_000);
    assert_eq!(answer["from"], (START_US + now * HOUR_US) / MS);
    assert_eq!(answer["to"], (START_US + (now + 24) * HOUR_US) / MS);
    let [one] = &answer["forecasts"].as_array().unwrap()[..] else {
        panic!("{answer}")
    };
    assert_eq!(
        (&one["status"], &one["footing"]),
        (&json!("ready"), &json!("full"))
    );
    assert_eq!(one["periods_ms"], json!([86_400_000, 7 * 86_400_000]));
    let weight: f64 = one["methods"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["weight"].as_f64().unwrap())
        .sum();
    assert!((weight - 1.0).abs() < 1e-9, "{one}");
    let points = one["points"].as_array().unwrap();
    assert_eq!(points.len(), 24);
    let mut off = 0.0;
    for (hour, point) in (now..).zip(points) {
        assert_eq!(point["start"], (START_US + hour * HOUR_US) / MS);
        let figures = figures(point);
        assert!(figures.is_sorted() && figures[0] >= 0.0, "{point}");
        off += (figures[2] - payments(hour) as f64).abs() / 24.0;
    }
    assert!(off < 1.2, "{off}");

    // The half hour that is over counts as it came; the other half is expected.
    let day = &one["day"];
    let begin = 14 * 24;
    let so_far: i64 = (begin..now).map(payments).sum::<i64>() + payments(now).min(6);
    assert_eq!(day["so_far"], so_far);
    assert_eq!(
        day["complete_to"],
        (START_US + now * HOUR_US) / MS + 1_800_000
    );
    let came: i64 = (begin..begin + 24).map(payments).sum();
    let total = figures(day);
    assert!(total.is_sorted() && total[0] >= so_far as f64, "{day}");
    assert!(
        (total[2] - came as f64).abs() < 0.1 * came as f64,
        "{day} {came}"
    );

    // Amounts: what came is exact, what is expected is a number.
    let volume = till
        .json(&format!("/v1/metrics/payment_volume/{path}&by=psp"))
        .await;
    let slices = volume["forecasts"].as_array().unwrap();
    assert_eq!(slices[0]["by"], json!({"psp": "adyen"}));
    let cents: i64 = slices
        .iter()
        .map(|slice| {
            slice["day"]["so_far"]
                .as_str()
                .unwrap()
                .replace('.', "")
                .parse::<i64>()
                .unwrap()
        })
        .sum();
    assert_eq!(cents, so_far * 1_025);
    // A rate stays one, and has no total.
    let rate = till
        .json(&format!(
            "/v1/metrics/authorization_rate/{path}&horizon=day"
        ))
        .await;
    let one = &rate["forecasts"][0];
    assert_eq!(
        (&one["day"], one["points"].as_array().unwrap().len()),
        (&Value::Null, 14)
    );
    for point in one["points"].as_array().unwrap() {
        let figures = figures(point);
        assert!(figures[0] >= 0.0 && figures[4] <= 1.0, "{point}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_history_is_answered_with_how_much_is_missing() {
    let till = till().await;
    let answer = till
        .json(&format!("/v1/metrics/payments/forecast?at={}", at(5, 0)))
        .await;
    let one = &answer["forecasts"][0];
    assert_eq!(
        (&one["status"], &one["known_steps"], &one["needed_steps"]),
        (&json!("learning"), &json!(4), &json!(10))
    );
    assert_eq!(one["points"], json!([]));
    assert!(
        one["reason"]
            .as_str()
            .unwrap()
            .ends_with("6 more are missing."),
        "{one}"
    );
    let answer = till
        .json("/v1/metrics/payments/forecast?at=1990-01-01T00:00:00Z&where=psp:adyen")
        .await;
    assert_eq!(answer["forecasts"][0]["known_steps"], 0);
    let quick = till
        .json(&format!(
            "/v1/metrics/payments/forecast?at={}&step=10m&horizon=1h",
            at(5, 0)
        ))
        .await;
    assert_eq!(quick["forecasts"][0]["footing"], "cold_start");
    assert_eq!(quick["forecasts"][0]["points"].as_array().unwrap().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forecast_is_a_table_in_sql() {
    let till = till().await;
    let answer = till.sql("select start, value, lower_80, upper_80, lower_95, upper_95 from forecast(payments, interval '7 days') order by start limit 1").await;
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let row = answer["rows"][0].as_array().unwrap();
    // Events end long before now: it begins where they do.
    assert_eq!(row[0], "2020-01-20T23:00:00Z");
    assert!(
        row[4].as_f64() <= row[2].as_f64() && row[5].as_f64() >= row[3].as_f64(),
        "{row:?}"
    );
    let refused = till.sql("select * from forecast(paymens)").await;
    let (status, slug, document) = problem(refused).await;
    assert_eq!((status, slug.as_str()), (400, "bad-query"));
    assert_eq!(document["suggestion"], "did you mean 'payments'?");
}

#[tokio::test]
async fn a_question_reaches_the_figures_as_it_was_asked() {
    let stand = Stand::start().await;
    let path = "/v1/metrics/payments/forecast?horizon=day&zone=Asia/Shanghai&by=psp&where=psp:b&where=psp:a&limit=3&at=-1d";
    let answer = stand.json(path).await;
    assert_eq!(answer["forecasts"][0]["points"][0]["value"], 7.0);
    let asked = stand.counts.forecasts.lock().unwrap().pop().unwrap();
    assert_eq!(
        asked.horizon,
        Horizon::Until(tillwatch_analyse::Period::Day)
    );
    assert_eq!(asked.zone.as_deref(), Some("Asia/Shanghai"));
    assert_eq!(
        asked.filters,
        [
            ("psp".to_owned(), "a".to_owned()),
            ("psp".to_owned(), "b".to_owned())
        ]
    );
    assert_eq!(
        (asked.step_us, asked.limit_series),
        (Some(HOUR_US), Some(3))
    );
}
