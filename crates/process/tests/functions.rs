//! The functions say what their documentation says.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{Float64Type, Int64Type};
use datafusion::arrow::util::display::array_value_to_string;
use proptest::prelude::*;
use tillwatch_process::function_docs;

use crate::support::{block_on, context};

fn evaluate(sql: &str) -> String {
    let context = context();
    let run = async {
        let batches = context
            .sql(&format!("select {sql} as v"))
            .await?
            .collect()
            .await?;
        Ok::<_, datafusion::error::DataFusionError>(batches)
    };
    match block_on(run) {
        Ok(batches) => array_value_to_string(batches[0].column(0), 0).expect("a value has a text"),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn every_documented_example_gives_what_it_says() {
    for doc in function_docs() {
        assert_eq!(evaluate(doc.example), doc.example_result, "{}", doc.name);
        assert!(doc.signature.starts_with(doc.name), "{}", doc.name);
    }
}

#[test]
fn correlation_keeps_its_digits_over_times() {
    // Milliseconds since 1970 against a line with noise, as a rate over time is.
    let points: Vec<(f64, f64)> = (0..60)
        .map(|i| {
            let noise = f64::from((i * 7_919) % 101) / 10.0;
            (1.78e12 + f64::from(i) * 1_000.0, f64::from(i) * 2.0 + noise)
        })
        .collect();
    let rows: Vec<_> = (points.iter())
        .map(|(x, y)| format!("(1, {x:e}, {y})"))
        .collect();
    let rows = rows.join(", ");
    // The definition in two passes.
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (mx, my) = (mean(|p| p.0), mean(|p| p.1));
    let sum = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>();
    let covariance = sum(&|p| (p.0 - mx) * (p.1 - my));
    let spread = (sum(&|p| (p.0 - mx).powi(2)) * sum(&|p| (p.1 - my).powi(2))).sqrt();
    let want = covariance / spread;
    for grouped in ["", "group by g"] {
        let sql = format!(
            "(select corr(cast(x as double), cast(y as double)) from (values {rows}) as v(g, x, y) {grouped})"
        );
        let got: f64 = evaluate(&sql).parse().expect("a number");
        assert!((got - want).abs() < 1e-9, "{grouped}: {got}, not {want}");
    }
}

#[test]
fn conversion_is_exact_and_rounds_half_to_even_at_the_smallest_unit() {
    let amount = |text: &str, scale: u8| format!("arrow_cast({text}, 'Decimal128(18, {scale})')");
    for (amount, from, to, want) in [
        (amount("108.50", 2), "USD", "EUR", "100.00"),
        (amount("1.00", 2), "EUR", "USD", "1.08"),
        (amount("3.00", 2), "EUR", "USD", "3.26"),
        (amount("-1.00", 2), "EUR", "USD", "-1.08"),
        (amount("1.00", 2), "EUR", "JPY", "163.00"),
        (amount("1.0000", 4), "EUR", "USD", "1.0800"),
        (amount("1", 0), "EUR", "USD", "1"),
        (amount("7.77", 2), "CHF", "CHF", "7.77"),
        (amount("7.77", 2), "CHF", "EUR", ""),
        (amount("7.77", 2), "eur", "EUR", ""),
        ("100".to_owned(), "JPY", "EUR", "1"),
    ] {
        // The target as a column, since an unknown literal is refused when planning.
        let sql = format!("(select convert({amount}, '{from}', t) from (values ('{to}')) as v(t))");
        assert_eq!(evaluate(&sql), want, "{amount} {from} → {to}");
    }
    assert!(
        evaluate("convert(arrow_cast(1.5, 'Decimal128(9, 2)'), 'EUR', 'CHF')")
            .contains("the rates have EUR, JPY, USD")
    );
}

#[test]
fn sums_never_wrap() {
    let max = i64::MAX;
    assert_eq!(
        evaluate(&format!(
            "(select sum(x) from (values ({max}), ({max}), ({max})) as t(x))"
        )),
        "27670116110564327421"
    );
    let huge = "9".repeat(38);
    let cast = format!("arrow_cast('{huge}', 'Decimal128(38, 0)')");
    assert_eq!(
        evaluate(&format!(
            "(select sum(x) from (values ({cast}), ({cast})) as t(x))"
        )),
        "199999999999999999999999999999999999998"
    );
    assert_eq!(
        evaluate("(select sum(x) from (values (1.5::double), (2.25::double)) as t(x))"),
        "3.75"
    );
}

#[test]
fn empty_input_is_zero_for_distinct_and_null_for_quantile() {
    assert_eq!(
        evaluate("(select count_distinct(x) from (values (1)) as t(x) where x > 1)"),
        "0"
    );
    assert_eq!(
        evaluate("(select quantile_at(quantile(x), 0.5) from (values (1.0)) as t(x) where x > 1)"),
        ""
    );
    assert!(evaluate("quantile_at(quantile(1.0), 1.5)").contains("from 0 to 1"));
    assert!(
        evaluate("quantile_at(arrow_cast('abc', 'Binary'), 0.5)").contains("not a quantile sketch")
    );
}

#[test]
fn distinct_stays_within_its_published_error() {
    for n in [1_i64, 10, 100, 1_000, 30_000, 200_000] {
        let got: f64 = evaluate(&format!(
            "(select count_distinct(value) from generate_series(1, {n}))"
        ))
        .parse()
        .expect("a count");
        // Four standard errors, of which one is 1.6 %.
        let error = (got - n as f64).abs() / n as f64;
        assert!(error <= 4.0 * 0.016, "{n}: {got}");
        assert!(n > 400 || got == n as f64, "{n}: {got}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn quantiles_are_within_one_percent_of_the_value_at_their_rank(
        mut values in proptest::collection::vec(prop_oneof![-1e6_f64..1e6, 1e-6_f64..1e-2, Just(0.0)], 1..400),
        q in 0.0_f64..=1.0,
        threads in 1_usize..4,
    ) {
        use std::sync::Arc;
        use datafusion::arrow::array::{Float64Array, Int64Array, RecordBatch};
        use datafusion::arrow::datatypes::{DataType, Field, Schema};
        use datafusion::datasource::MemTable;
        let context = context();
        let schema = Arc::new(Schema::new(vec![
            Field::new("g", DataType::Int64, false),
            Field::new("v", DataType::Float64, false),
        ]));
        let groups: Int64Array = (0..values.len() as i64).map(|i| Some(i % 2)).collect();
        let batch = RecordBatch::try_new(
            Arc::clone(&schema),
            vec![Arc::new(groups), Arc::new(Float64Array::from(values.clone()))],
        ).expect("columns fit");
        let parts: Vec<_> = (0..threads).map(|i| {
            let (from, to) = (batch.num_rows() * i / threads, batch.num_rows() * (i + 1) / threads);
            vec![batch.slice(from, to - from)]
        }).collect();
        context.register_table("t", Arc::new(MemTable::try_new(schema, parts).expect("rows fit"))).expect("registers");
        let sql = format!(
            "select quantile_at(quantile(v), {q}), (select count_distinct(v) from t) from t \
             union all select quantile_at(quantile(v), {q}), 0 from t where g = 0 group by g"
        );
        let batches = block_on(async {
            context.sql(&sql).await.expect("plans").collect().await.expect("runs")
        });
        let mut rows: Vec<(f64, i64)> = batches.iter().flat_map(|b| {
            let got = b.column(0).as_primitive::<Float64Type>().clone();
            let distinct = b.column(1).as_primitive::<Int64Type>().clone();
            (0..b.num_rows()).map(move |i| (got.value(i), distinct.value(i))).collect::<Vec<_>>()
        }).collect();
        rows.sort_by_key(|(_, distinct)| -distinct);
        let mut even: Vec<f64> = values.iter().copied().step_by(2).collect();
        for (list, (got, _)) in [&mut values, &mut even].into_iter().zip(rows) {
            list.sort_by(f64::total_cmp);
            let exact = list[(q * (list.len() - 1) as f64) as usize];
            prop_assert!((got - exact).abs() <= 0.010_001 * exact.abs(), "{q}: {got} for {exact}");
        }
    }
}
