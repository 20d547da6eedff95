//! Money and times as they were written, whatever the engine counts in.

use datafusion::arrow::datatypes::DataType;
use serde_json::json;
use tillwatch_process::Processor;

use super::fixture::{Fixture, metric};
use crate::processed::parts;
use crate::{Analyst, QueryLimits};

#[tokio::test]
async fn amounts_compare_and_compute_with_the_numbers_as_written() {
    let fixture = Fixture::new();
    let amounts = "(values (cast('9999999999999999.98' as decimal(18,2))), \
                   (cast('9999999999999999.97' as decimal(18,2)))) as t(total)";
    assert_eq!(
        fixture
            .rows(&format!(
                "select total from {amounts} where total = 9999999999999999.98"
            ))
            .await,
        json!([["9999999999999999.98"]])
    );
    assert_eq!(
        fixture
            .rows(&format!(
                "select count(*) from {amounts} where total > 9999999999999999.97"
            ))
            .await,
        json!([[1]])
    );
    assert_eq!(
        fixture
            .rows(&format!(
                "select total + 0.01, total - 9999999999999999.96 from {amounts} where total in (9999999999999999.98)"
            ))
            .await,
        json!([["9999999999999999.99", "0.02"]])
    );
    assert_eq!(
        fixture
            .rows("select a * 0.029 + 0.30 from (select cast('123.45' as decimal(18,2)) as a)")
            .await,
        json!([["3.88005"]])
    );
    assert_eq!(
        fixture
            .rows("select sum(amount) - sum(amount * 1.00) = 0, sum(amount * 0.5) * 2 = sum(amount) from payments")
            .await,
        json!([[true, true]])
    );
}

#[tokio::test]
async fn numbers_with_exponents_and_arguments_of_functions_are_floats() {
    let fixture = Fixture::new();
    assert_eq!(
        fixture
            .rows("select 1e3, 25e-1 + 1, sqrt(6.25), power(2.0, 0.5) > 1.4, linear(2, 0.5, 0.25), logistic(0, 1.5, 0.0)")
            .await,
        json!([[1000.0, 3.5, 2.5, true, 1.25, 0.5]])
    );
    assert_eq!(
        fixture
            .rows("select approx_percentile_cont(value, 0.5) between 40 and 60, percentile_cont(value, 0.5) = 50 from generate_series(1, 99)")
            .await,
        json!([[true, true]])
    );
    assert_eq!(
        fixture
            .rows("select count(*) > 0 from payments where latency_ms * 0.5 > 20.5 and latency_ms < 1e3")
            .await,
        json!([[true]])
    );
    assert_eq!(
        fixture
            .rows("select quantile_at(quantile(value), 0.95) > 90 from generate_series(1, 99)")
            .await,
        json!([[true]])
    );
}

#[tokio::test]
async fn a_metric_without_amounts_stays_a_number_and_one_with_amounts_exact() {
    let fixture = Fixture::new();
    let cube = "payment_attempts";
    let definitions = vec![
        metric("rate", cube, "100.0 * approved / attempts", "percent"),
        metric("rest", cube, "1.0 - approved / attempts", "percent"),
        metric("p95", cube, "quantile_at(latency, 0.95)", "ms"),
        metric("line", cube, "linear(mean_latency, 0.5, 1.25)", ""),
        metric("fees", cube, "volume * 0.029 + attempts * 0.30", "EUR"),
        metric("share", cube, "100.0 * declined_volume / volume", "percent"),
    ];
    let processor: &std::sync::Arc<Processor> = &fixture.processor;
    let analyst =
        Analyst::over(parts(processor, None, definitions, QueryLimits::default())).unwrap();
    let kind = |name: &str| analyst.metric(name).unwrap().result_type().clone();
    for name in ["rate", "rest", "p95", "line", "share"] {
        assert_eq!(kind(name), DataType::Float64, "{name}");
    }
    assert!(kind("fees").is_decimal(), "{}", kind("fees"));
}

/// A row of now and one far ahead, as a column of a stream has them.
const TIMES: &str = "(select arrow_cast(at, 'Timestamp(Microsecond, Some(\"UTC\"))') as at from (values \
     (timestamp '2026-11-22 14:03:05'), (timestamp '3000-08-19T14:03:05'), (timestamp '9999-12-31 23:59:59')) as v(at))";

#[tokio::test]
async fn a_time_far_ahead_has_a_text_and_does_not_stop_the_others() {
    let fixture = Fixture::new();
    let rows = |what: &'static str| {
        let fixture = &fixture;
        async move {
            fixture
                .rows(&format!("select {what} from {TIMES} order by at"))
                .await
        }
    };
    assert_eq!(
        rows("at").await,
        json!([
            ["2026-11-22T14:03:05Z"],
            ["3000-08-19T14:03:05Z"],
            ["9999-12-31T23:59:59Z"]
        ])
    );
    assert_eq!(
        rows("date_trunc('hour', at)").await,
        json!([
            ["2026-11-22T14:00:00Z"],
            ["3000-08-19T14:00:00Z"],
            ["9999-12-31T23:00:00Z"]
        ])
    );
    assert_eq!(
        rows("date_trunc('month', at)").await,
        json!([
            ["2026-11-01T00:00:00Z"],
            ["3000-08-01T00:00:00Z"],
            ["9999-12-01T00:00:00Z"]
        ])
    );
    assert_eq!(
        rows("date_bin(interval '1 hour', at)").await,
        json!([["2026-11-22T14:00:00Z"], [null], [null]])
    );
    assert_eq!(
        rows("at at time zone 'Europe/Berlin' is null").await,
        json!([[false], [true], [true]])
    );
    assert_eq!(
        rows("date_part('year', at), at > now() - interval '100 years'").await[0],
        json!([2026, true])
    );
    assert_eq!(rows("to_char(at, '%Y')").await[0], json!(["2026"]));
    let count = |condition: &'static str| {
        let fixture = &fixture;
        async move {
            fixture
                .rows(&format!("select count(*) from {TIMES} where {condition}"))
                .await
        }
    };
    assert_eq!(count("at < timestamp '2500-01-01'").await, json!([[1]]));
    assert_eq!(count("at >= '3000-01-01'").await, json!([[2]]));
    assert_eq!(
        count("at = timestamp '9999-12-31T23:59:59Z'").await,
        json!([[1]])
    );
    assert_eq!(
        count("date_bin(interval '1 day', at) = timestamp '2026-11-22'").await,
        json!([[1]])
    );
}

#[tokio::test]
async fn a_quotient_of_a_number_with_a_point_keeps_its_digits() {
    let fixture = Fixture::new();
    let rows = fixture
        .rows(
            "select 1 / 30000.0, 2.5 / 4, sum(n) / 3000.0, 1 / (3.0 * 10000), 1 / -(2 * 1.5 + 0), \
                    100.0 * count(*) / 7, sum(n) / count(*), sum(n) / (count(*) * 1.5) \
             from (values (1), (2)) as t(n)",
        )
        .await;
    let third = -1.0 / 3.0;
    assert_eq!(
        rows,
        serde_json::json!([[
            1.0 / 30_000.0,
            0.625,
            0.001,
            1.0 / 30_000.0,
            third,
            200.0 / 7.0,
            1.5,
            1.0
        ]])
    );
}
