//! Metric expressions: what they may be, what they give, and why others are refused.

use datafusion::arrow::datatypes::DataType;

use super::fixture::{Fixture, metric};
use crate::{MetricKind, check_metrics};

fn reasons(fixture: &Fixture, exprs: &[&str]) -> Vec<String> {
    exprs
        .iter()
        .map(|expr| {
            let definition = metric("m", "payment_attempts", expr, "");
            let faults = check_metrics(&fixture.processor, vec![definition]);
            match faults.as_slice() {
                [fault] => fault.to_string(),
                other => panic!("{expr}: {other:?}"),
            }
        })
        .collect()
}

#[tokio::test]
async fn metrics_tell_their_kind_type_and_ratio() {
    let fixture = Fixture::new();
    let of = |name: &str| fixture.analyst.metric(name).unwrap();
    let rate = of("authorization_rate");
    assert_eq!(rate.kind(), MetricKind::Rate);
    assert_eq!(rate.result_type(), &DataType::Float64);
    assert_eq!(rate.ratio().unwrap().numerator, "approved");
    assert_eq!(rate.ratio().unwrap().denominator, "attempts");
    assert_eq!(
        of("decline_rate").ratio().unwrap().numerator,
        "attempts - approved"
    );
    assert_eq!(of("attempt_count").kind(), MetricKind::Count);
    assert_eq!(of("payment_volume").kind(), MetricKind::Amount);
    assert_eq!(of("volume_or_none").kind(), MetricKind::Amount);
    assert_eq!(of("average_ticket").kind(), MetricKind::Other);
    assert_eq!(of("volume_or_one").kind(), MetricKind::Other);
    assert_eq!(of("latency_mean").kind(), MetricKind::Other);
    assert!(of("payment_volume").result_type().is_decimal());
    assert!(of("average_ticket").result_type().is_decimal());
    assert_eq!(of("average_ticket").ratio(), None);
    assert_eq!(of("declined_share").result_type(), &DataType::Float64);
    assert_eq!(of("latency_p95").kind(), MetricKind::Other);
    assert_eq!(
        of("latency_p95").measures().collect::<Vec<_>>(),
        ["latency"]
    );
    assert_eq!(fixture.analyst.dimensions(rate), ["psp", "issuer", "retry"]);
    assert_eq!(fixture.analyst.bucket_us(rate), 10_000_000);
}

#[tokio::test]
async fn a_faulty_expression_is_refused_with_the_reason() {
    let fixture = Fixture::new();
    let found = reasons(
        &fixture,
        &[
            "aproved / attempts",
            "sum(attempts)",
            "latency",
            "1 + 2",
            "approved /",
            "attempts * random()",
            "(select 1)",
            "rownd(volume)",
            "psp",
            "attempts > 5",
            "attempts over ()",
            "quantile_at(latency, 2)",
            "approved / attempts + nullif(1, 0) / 0 * cast('x' as int)",
        ],
    );
    let expected = [
        "metric 'm': 'aproved / attempts': there is no measure 'aproved'",
        "metric 'm': 'sum(attempts)': 'sum' aggregates, but measures are aggregated already",
        "metric 'm': 'latency': it is a sketch, not a number; write quantile_at(latency, 0.95)",
        "metric 'm': '1 + 2': it uses no measure; the measures are 'attempts'",
        "metric 'm': 'approved /': ",
        "metric 'm': 'attempts * random()': 'random' gives another value at another time",
        "metric 'm': '(select 1)': ",
        "metric 'm': 'rownd(volume)': there is no function 'rownd'",
        "metric 'm': 'psp': there is no measure 'psp'",
        "metric 'm': 'attempts > 5': it gives bool, not a number",
        "metric 'm': 'attempts over ()': ",
        "metric 'm': 'quantile_at(latency, 2)': quantile_at: q must be from 0 to 1, got 2",
        "metric 'm': 'approved / attempts + nullif(1, 0) / 0 * cast('x' as int)': ",
    ];
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            found.starts_with(expected),
            "{found}\nshould start with\n{expected}"
        );
    }
    assert!(
        found[0].ends_with("; did you mean 'approved'?"),
        "{}",
        found[0]
    );
}

#[tokio::test]
async fn all_faults_are_told_at_once() {
    let fixture = Fixture::new();
    let faults = check_metrics(
        &fixture.processor,
        vec![
            metric("a", "payment_attempt", "attempts", ""),
            metric("b", "payment_attempts", "nothing", ""),
            metric("c", "payment_attempts", "attempts", ""),
            metric("c", "payment_attempts", "attempts", ""),
        ],
    );
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(
        faults[0].contains("there is no cube 'payment_attempt'; did you mean 'payment_attempts'?")
    );
    assert!(faults[2].contains("a metric of this name exists already"));
}

#[tokio::test]
async fn money_by_count_stays_exact_and_zero_divisors_give_null() {
    let fixture = Fixture::new();
    let rows = fixture
        .rows(
            "select measure(average_ticket), measure(volume), measure(attempts) \
             from payment_attempts where psp = 'stripe'",
        )
        .await;
    let text = |at: usize| rows[0][at].as_str().unwrap().to_owned();
    let all = "select measure(volume) = measure(volume_or_none) from payment_attempts";
    assert_eq!(fixture.rows(all).await, serde_json::json!([[true]]));
    // Beside an amount a quotient without one keeps its digits too.
    let half = "select measure(half_share), measure(attempts) from payment_attempts";
    let found = fixture.rows(half).await;
    let attempts = found[0][1].as_f64().unwrap();
    assert_eq!(found[0][0].as_f64().unwrap(), 0.5 / attempts);
    let cents: i128 = text(1).replace('.', "").parse().unwrap();
    let attempts = i128::from(rows[0][2].as_i64().unwrap());
    // Four digits more than the amount's two, cut off.
    let exact = cents * 10_000 / attempts;
    assert_eq!(text(0).replace('.', "").parse::<i128>().unwrap(), exact);
}
