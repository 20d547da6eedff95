//! `measure()` in every place an aggregate may stand, against the same figures from raw events.

use super::fixture::Fixture;

/// Both queries give the same rows.
async fn same(fixture: &Fixture, cube: &str, raw: &str) {
    let cube_rows = fixture.rows(cube).await;
    let raw_rows = fixture.rows(raw).await;
    assert!(
        !raw_rows.as_array().unwrap().is_empty(),
        "{raw}: no rows to compare"
    );
    assert_eq!(cube_rows, raw_rows, "{cube}\n{raw}");
}

#[tokio::test]
async fn figures_of_a_cube_equal_those_of_its_events() {
    let fixture = Fixture::new();
    let rate = "count(*) filter (where status = 'approved') / cast(count(*) as double)";
    for (cube, raw) in [
        (
            "select measure(attempts), measure(volume), measure(authorization_rate) from payment_attempts".to_owned(),
            format!("select count(*), sum(amount), {rate} from payments"),
        ),
        (
            "select psp, measure(authorization_rate) from payment_attempts group by psp order by psp".to_owned(),
            format!("select psp, {rate} from payments group by psp order by psp"),
        ),
        (
            "select p.psp, measure(p.volume) as v from payment_attempts as p where p.issuer is not null \
             group by 1 having measure(attempts) > 20 order by measure(volume) desc".to_owned(),
            "select psp, sum(amount) from payments where issuer is not null group by 1 \
             having count(*) > 20 order by sum(amount) desc".to_owned(),
        ),
        (
            "select date_bin(interval '5 minutes', bucket) as t, measure(attempts), measure(slowest) \
             from payment_attempts group by t order by t".to_owned(),
            "select date_bin(interval '5 minutes', occurred_at) as t, count(*), max(latency_ms) \
             from payments group by t order by t".to_owned(),
        ),
        (
            "select upper(psp), measure(declined_volume) from payment_attempts \
             where bucket >= timestamp '2026-03-01T12:05:00Z' and bucket < '2026-03-01T12:20:00Z' \
             group by upper(psp) order by 1".to_owned(),
            "select upper(psp), sum(amount) filter (where status = 'declined') from payments \
             where occurred_at >= timestamp '2026-03-01T12:05:00Z' and occurred_at < '2026-03-01T12:20:00Z' \
             group by upper(psp) order by 1".to_owned(),
        ),
        (
            "select measure(attempts) filter (where retry = 0), measure(average_ticket) \
             from payment_attempts".to_owned(),
            "select count(*) filter (where retry = 0), sum(amount) / count(*) from payments".to_owned(),
        ),
        (
            "with recent as (select * from payment_attempts where retry < 2), \
             by_psp as (select psp, measure(attempts) as n from recent group by psp) \
             select cast(sum(n) as bigint), (select measure(attempts) from payment_attempts) from by_psp".to_owned(),
            "select count(*) filter (where retry < 2), count(*) from payments".to_owned(),
        ),
        (
            "select a.psp, a.n, b.measure_of_shipped from \
             (select psp, measure(attempts) as n from payment_attempts group by psp) a join \
             (select psp, measure(shipped) as measure_of_shipped from deliveries group by psp) b \
             on a.psp = b.psp order by a.psp".to_owned(),
            "select a.psp, a.n, b.s from (select psp, count(*) as n from payments group by psp) a join \
             (select psp, count(*) as s from shipments group by psp) b on a.psp = b.psp order by a.psp".to_owned(),
        ),
        (
            "select measure(attempts) from payment_attempts where psp = 'adyen' union all \
             select measure(shipped) from deliveries order by 1".to_owned(),
            "select count(*) from payments where psp = 'adyen' union all select count(*) from shipments order by 1".to_owned(),
        ),
        (
            "select round(measure(authorization_rate), 3) from payment_attempts".to_owned(),
            format!("select round({rate}, 3) from payments"),
        ),
    ] {
        same(&fixture, &cube, &raw).await;
    }
}

#[tokio::test]
async fn a_measure_keeps_a_readable_column_name() {
    let fixture = Fixture::new();
    let result = fixture
        .sql(
            "select psp, measure(authorization_rate), round(measure(volume), 1), \
             measure(attempts) as n from payment_attempts group by psp",
        )
        .await
        .unwrap();
    let names: Vec<&str> = result
        .schema
        .fields()
        .iter()
        .map(|f| f.name().as_str())
        .collect();
    assert_eq!(
        names,
        [
            "psp",
            "authorization_rate",
            "round(measure(volume), 1)",
            "n"
        ]
    );
}

#[tokio::test]
async fn nothing_counts_as_zero_and_has_no_rate() {
    let fixture = Fixture::new();
    let rows = fixture
        .rows(
            "select measure(attempts), measure(volume), measure(authorization_rate), \
             measure(average_ticket) from payment_attempts where psp = 'nobody'",
        )
        .await;
    assert_eq!(rows, serde_json::json!([[0, null, null, null]]));
}

#[tokio::test]
async fn a_sketch_answers_within_its_error() {
    let fixture = Fixture::new();
    let cube = fixture
        .rows(
            "select measure(latency_p95), quantile_at(measure(latency), 0.5) from payment_attempts",
        )
        .await;
    let raw = fixture
        .rows("select percentile_cont(0.95) within group (order by latency_ms), median(cast(latency_ms as double)) from payments")
        .await;
    for at in 0..2 {
        let (sketch, exact) = (cube[0][at].as_f64().unwrap(), raw[0][at].as_f64().unwrap());
        assert!(
            (sketch / exact - 1.0).abs() < 0.03,
            "{sketch} instead of {exact}"
        );
    }
}

#[tokio::test]
async fn every_wrong_use_is_explained() {
    let fixture = Fixture::new();
    for (sql, message) in [
        (
            "select measure(authorisation_rate) from payment_attempts",
            "'payment_attempts' has no metric or measure 'authorisation_rate' (line 1, column 8); \
             did you mean 'authorization_rate'?",
        ),
        (
            "select psp,\n  measure(on_time_rate) from payment_attempts group by psp",
            "the metric 'on_time_rate' is of the cube 'deliveries', not of 'payment_attempts' \
             (line 2, column 3); select it from deliveries",
        ),
        (
            "select measure(authorization_rate) from payments",
            "measure(authorization_rate) needs a cube in the 'from' of the same select \
             (line 1, column 8); 'authorization_rate' is a metric of the cube 'payment_attempts'",
        ),
        (
            "select measure(attempts) from payment_attempts a join deliveries d on a.psp = d.psp",
            "a join of two cubes would count rows several times (line 1, column 8); \
             group each cube in a subquery and join the answers",
        ),
        (
            "select psp from payment_attempts where measure(attempts) > 5",
            "measure() cannot stand in where; filter by it with having (line 1, column 40)",
        ),
        (
            "select measure(attempts + 1) from payment_attempts",
            "measure() takes the name of one metric or measure (line 1, column 8); \
             write measure(name)",
        ),
        (
            "select measure(attempts) over () from payment_attempts",
            "measure() takes no 'over', 'within group' or 'nulls' (line 1, column 8)",
        ),
        (
            "select attempts from payment_attempts",
            "'attempts' is a measure or metric, not a column (line 1, column 8); \
             write measure(attempts)",
        ),
        (
            "select isuer from payment_attempts",
            "there is no column 'isuer' (line 1, column 8); did you mean 'issuer'?",
        ),
        (
            "select psp from payment_attempt",
            "there is no table 'payment_attempt' (line 1, column 17); \
             did you mean 'payment_attempts'?",
        ),
        (
            "select rounds(1.5)",
            "there is no function 'rounds' (line 1, column 8); did you mean 'round'?",
        ),
        (
            "select measure(attempts) from (select psp from payment_attempts)",
            "the inner query does not hand on the measure 'attempts' (line 1, column 8); \
             select * in the inner query, or measure it there",
        ),
    ] {
        assert_eq!(fixture.refusal(sql).await, message, "{sql}");
    }
}
