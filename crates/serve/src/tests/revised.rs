//! Events that come after their bucket was complete, over the real parts.

use serde_json::{Value, json};

use super::real::{AT, Till, event};

/// Two minutes before [`AT`], when the watermark is a minute before it.
const LATE: &str = "2026-11-22T13:58:00Z";
/// [`LATE`] in milliseconds since the epoch.
const LATE_MS: i64 = 1_795_355_880_000;
const RANGE: &str = "from=2026-11-22T13:50:00Z&to=2026-11-22T14:10:00Z&by=psp";

/// A server whose watermark is a minute before [`AT`].
async fn till() -> Till {
    let till = Till::start().await;
    till.send(&event(1, AT, "adyen", "approved", "1.00")).await;
    till
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_event_marks_its_point_as_revised() {
    let till = till().await;
    let ask = |step: &str| format!("/v1/metrics/payments?{RANGE}&step={step}");
    let before = till.json(&ask("1s")).await;
    assert!(before.get("revised").is_none(), "{before}");
    let late = event(2, LATE, "stripe", "approved", "1.00")
        + &event(3, LATE, "stripe", "approved", "1.00")
        // Not yet complete, though in no order.
        + &event(4, "2026-11-22T13:59:30Z", "stripe", "approved", "1.00");
    till.send(&late).await;
    let after = till.json(&ask("1s")).await;
    let revised = after["revised"].as_array().unwrap();
    assert_eq!(revised.len(), 1, "{revised:?}");
    assert_eq!(
        (&revised[0]["at"], &revised[0]["events"]),
        (&json!(LATE_MS), &json!(2))
    );
    assert!(revised[0]["revised_at"].as_i64().unwrap() > LATE_MS);
    // The point has its two events; the shape of points is as ever.
    let stripe = &after["series"].as_array().unwrap();
    let points: Vec<&Value> = (stripe.iter())
        .flat_map(|series| series["points"].as_array().unwrap())
        .filter(|point| point[0] == LATE_MS && point[1] != 0)
        .collect();
    assert_eq!(points, [&json!([LATE_MS, 2])]);
    // A coarser step says so where its buckets do.
    let coarse = till.json(&ask("5m")).await;
    let at = LATE_MS - LATE_MS % 300_000;
    assert_eq!(coarse["revised"][0]["at"], at);
    let status = till.json("/v1/status").await;
    let cube = &status["cubes"][0];
    assert_eq!(
        (
            &cube["revised_buckets"],
            &cube["revised_events"],
            &cube["revised_known_from"]
        ),
        (&json!(1), &json!(2), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_client_is_told_of_revised_points() {
    let till = till().await;
    let path = format!("/v1/metrics/payments/live?{RANGE}&step=1s");
    let mut events = till.events(&path).await;
    let snapshot = events.told().await;
    assert_eq!(snapshot.name, "snapshot");
    assert!(snapshot.data.get("revised").is_none());
    till.send(&event(2, LATE, "adyen", "approved", "1.00"))
        .await;
    let mut told = Value::Null;
    while told.is_null() {
        told = events.told().await.data["revised"].take();
    }
    assert_eq!(
        (&told[0]["at"], &told[0]["events"]),
        (&json!(LATE_MS), &json!(1))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_and_prometheus_tell_how_late_events_come_and_of_which_source() {
    let till = till().await;
    till.send(&event(2, LATE, "adyen", "approved", "1.00"))
        .await;
    let stream = till.json("/v1/status").await["streams"][0].take();
    assert_eq!(
        (&stream["late"], &stream["watermark"]),
        (&json!(1), &json!("2026-11-22T13:59:00Z"))
    );
    let buckets = stream["lateness"]["buckets"].as_array().unwrap();
    let filled: Vec<&Value> = buckets.iter().filter(|b| b["events"] != 0).collect();
    let expected = [
        json!({"upto_ms": 1_000, "events": 1}),
        json!({"upto_ms": 300_000, "events": 1}),
    ];
    assert_eq!(filled, expected.iter().collect::<Vec<_>>());
    assert_eq!(stream["lateness"]["sum_s"], 120.0);
    assert_eq!(buckets.last().unwrap()["upto_ms"], Value::Null);
    let source = &stream["sources"][0];
    assert_eq!(
        (
            &source["name"],
            &source["events"],
            &source["late"],
            &source["idle"],
            &source["lag_ms"]
        ),
        (
            &json!("http"),
            &json!(2),
            &json!(1),
            &json!(false),
            &json!(0)
        )
    );
    assert_eq!(source["last_event_at"], AT);
    let text = till.client.get(till.url("/metrics")).send().await.unwrap();
    let text = text.text().await.unwrap();
    let value = |name: &str, le: Option<&str>| -> f64 {
        let le = le.map(|le| format!("le=\"{le}\""));
        let line = text.lines().find(|line| {
            line.starts_with(&format!("tillwatch_{name}{{"))
                && line.contains("stream=\"payments\"")
                && le.as_ref().is_none_or(|le| line.contains(le))
        });
        line.unwrap().rsplit_once(' ').unwrap().1.parse().unwrap()
    };
    assert!(
        text.contains("# TYPE tillwatch_event_lateness_seconds histogram"),
        "{text}"
    );
    let of = |le| value("event_lateness_seconds_bucket", Some(le));
    assert_eq!((of("60.0"), of("300.0"), of("+Inf")), (1.0, 2.0, 2.0));
    assert_eq!(value("event_lateness_seconds_sum", None), 120.0);
    assert_eq!(value("event_delay_seconds_count", None), 2.0);
}
