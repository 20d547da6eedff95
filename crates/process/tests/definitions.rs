//! Definitions that cannot work, and what is said about them.

use std::time::Duration;

use tillwatch_process::{CubeDefinition, ProcessOptions, Processor};

use crate::support::{cube, rates, stream};

fn with_measure(sql: &str) -> CubeDefinition {
    CubeDefinition {
        measures: vec![("m".to_owned(), sql.to_owned())],
        ..cube("c", Duration::from_secs(60), &[("psp", "psp")])
    }
}

fn faults(cubes: Vec<CubeDefinition>, derive: &[(&str, &str)]) -> Vec<String> {
    let mut stream = stream(Some("id"));
    stream.derive.extend(
        derive
            .iter()
            .map(|(n, e)| ((*n).to_owned(), (*e).to_owned())),
    );
    match Processor::plan(vec![stream], cubes, &rates(), ProcessOptions::default()) {
        Ok(_) => vec![],
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn measures_that_cannot_work_are_refused_with_the_reason() {
    for (sql, reason) in [
        ("sum(nothing)", "nothing"),
        ("amount", "a measure is an aggregate"),
        ("sum(amount) as total", "'as total'"),
        (
            "sum(amount) / count(*)",
            "a formula over aggregates is a metric",
        ),
        ("summ(amount)", "summ"),
        ("sum(psp)", "sum takes numbers"),
        ("count(*) filter (where quantity)", "filter"),
        ("sum(amount", "sum(amount"),
        ("first_value(amount)", "order of arrival"),
        ("array_agg(amount)", "order of arrival"),
        ("sum(amount order by at)", "order"),
        ("median(x)", "distinct(x) or quantile(x)"),
        ("count(distinct psp)", "distinct(x) or quantile(x)"),
        ("sum(random())", "replay"),
        (
            "count(*) filter (where psp ~ shopper)",
            "a pattern must be a text",
        ),
        ("count(*) filter (where at > now())", "replay"),
        ("sum(amount) over ()", "window"),
        ("sum((select 1))", "subquery"),
        ("quantile(psp)", "numbers"),
        ("quantile(x, 0.5)", "quantile_at"),
        ("sum(convert(x, currency, 'EUR'))", "never a float"),
        ("sum(convert(amount, currency, 'CHF'))", "no rate for 'CHF'"),
        (
            "count(*) filter (where date_trunc('fortnight', at) < at)",
            "Unsupported date_trunc granularity: 'fortnight'",
        ),
        ("sum(date_part('foo', at))", "Date part 'foo' not supported"),
    ] {
        let found = faults(vec![with_measure(sql)], &[]);
        assert_eq!(found.len(), 1, "{sql}: {found:?}");
        assert!(
            found[0].starts_with("cube 'c', measure 'm': "),
            "{sql}: {found:?}"
        );
        assert!(found[0].contains(reason), "{sql}: {found:?}");
    }
}

#[test]
fn an_expression_that_fails_for_every_event_is_refused_and_one_that_fails_for_some_is_not() {
    for (derived, expected) in [
        ("date_trunc('fortnight', at)", 1),
        ("date_bin(interval '0 minutes', at)", 1),
        ("1 / (quantity - quantity)", 0),
        ("cast(coalesce(psp, '') as int)", 0),
        ("quantity / coalesce(quantity, 0)", 0),
        ("decode(psp, 'base64')", 0),
        ("cast(coalesce(split_part(psp, '-', 2), '') as bigint)", 0),
        (
            "make_date(2024, case when psp = 'a' then 2 else 13 end, 1)",
            0,
        ),
        ("at at time zone 'Europe/Berlin'", 0),
        ("at at time zone 'Europe/Berln'", 1),
        ("date_trunc('week', at)", 0),
    ] {
        let found = faults(vec![], &[("d", derived)]);
        assert_eq!(found.len(), expected, "{derived}: {found:?}");
    }
}

#[test]
fn money_is_not_added_over_currencies() {
    let derive = &[
        ("net", "amount - 0.30"),
        ("share", "amount / abs(amount)"),
        ("cur", "lower(currency)"),
        (
            "region",
            "case when currency = 'EUR' then 'eu' else 'rest' end",
        ),
    ];
    for sql in [
        "sum(amount)",
        "avg(amount)",
        "sum(net)",
        "sum(coalesce(-amount, 0)) filter (where ok)",
        "sum(amount * quantity)",
        "sum(case when ok then net else 0 end)",
        "sum(cast(amount as decimal(30, 4)))",
        "sum(try_cast(amount as decimal(30, 4)))",
        "sum(cast(quantity as decimal(18, 2)) / 100)",
        "sum(amount * amount)",
        "sum(amount / (1 + abs(amount)))",
        "sum(greatest(amount, 0))",
        "regr_avgx(quantity, amount)",
        "sum(amount) filter (where currency is not null)",
        "sum(amount) filter (where currency <> 'EUR')",
        "sum(amount) filter (where currency = 'EUR' or ok)",
        "sum(convert(amount, currency, 'EUR') + amount)",
        "sum(coalesce(convert(amount, currency, 'EUR'), amount))",
        "sum(case when currency <> 'EUR' then amount end)",
        "sum(case when currency = 'EUR' then 0 else amount end)",
        "sum(amount) filter (where region = 'rest')",
    ] {
        let found = faults(vec![with_measure(sql)], derive);
        assert_eq!(found.len(), 1, "{sql}: {found:?}");
        assert!(
            found[0].contains("amounts in several currencies would be added"),
            "{sql}: {found:?}"
        );
    }
    for sql in [
        "sum(convert(amount, currency, 'EUR'))",
        "sum(amount_eur)",
        "sum(double_eur)",
        "sum(amount) filter (where currency = 'EUR')",
        "sum(amount) filter (where ok and cur = 'eur')",
        "sum(case when currency = 'EUR' then amount end)",
        "sum(case currency when 'EUR' then amount else 0 end)",
        "avg(share)",
        "avg(net / amount)",
        "sum(cast(amount as double))",
        "sum(quantity)",
        "count(amount)",
        "max(amount)",
    ] {
        assert_eq!(
            faults(vec![with_measure(sql)], derive),
            Vec::<String>::new(),
            "{sql}"
        );
    }
    // A query need not split by a dimension, so that alone does not keep currencies apart.
    let mut split = with_measure("sum(amount)");
    split.dimensions = vec![("money".to_owned(), "currency".to_owned())];
    assert_eq!(faults(vec![split], derive).len(), 1);
    // Measures that tell whether a figure is of one currency do.
    let mut told = with_measure("sum(amount)");
    told.measures
        .push(("first".to_owned(), "min(currency)".to_owned()));
    assert_eq!(faults(vec![told.clone()], derive).len(), 1);
    // A slip in the measure that is to tell is one fault.
    let mut slip = told.clone();
    slip.measures
        .push(("last".to_owned(), "max(curency)".to_owned()));
    assert_eq!(faults(vec![slip], derive).len(), 1);
    told.measures
        .push(("last".to_owned(), "max(currency)".to_owned()));
    assert_eq!(faults(vec![told], derive), Vec::<String>::new());
}

#[test]
fn cubes_and_derived_columns_that_cannot_work_are_refused_with_the_reason() {
    let base = || cube("c", Duration::from_secs(60), &[("psp", "psp")]);
    for (cube, reason) in [
        (
            CubeDefinition {
                bucket: Duration::from_millis(999),
                ..base()
            },
            "between 1s and 1d",
        ),
        (
            CubeDefinition {
                bucket: Duration::from_secs(86_401),
                ..base()
            },
            "between 1s and 1d",
        ),
        (
            CubeDefinition {
                measures: vec![],
                ..base()
            },
            "at least one measure",
        ),
        (
            CubeDefinition {
                from: "nowhere".to_owned(),
                ..base()
            },
            "no stream 'nowhere'",
        ),
        (
            CubeDefinition {
                name: "events".to_owned(),
                ..base()
            },
            "already defined",
        ),
        (
            cube("c", Duration::from_secs(60), &[("bucket", "psp")]),
            "name of the time column",
        ),
        (
            cube("c", Duration::from_secs(60), &[("events", "psp")]),
            "already has that name",
        ),
        (
            cube("c", Duration::from_secs(60), &[("d", "x")]),
            "a dimension is",
        ),
        (
            cube("c", Duration::from_secs(60), &[("d", "count(*)")]),
            "belongs into a cube's measures",
        ),
        (
            cube("c", Duration::from_secs(60), &[("d", "unknown")]),
            "unknown",
        ),
    ] {
        let found = faults(vec![cube], &[]);
        assert!(
            found.len() == 1 && found[0].contains(reason),
            "{reason}: {found:?}"
        );
    }
    for (name, sql, reason) in [
        ("d", "amount + nothing", "nothing"),
        ("amount", "1", "already has a column"),
        ("d", "now()", "replay"),
        ("d", "1 / 0", "zero"),
        ("d", "null", "always null"),
        ("d", "psp like shopper", "a pattern must be a text"),
        (
            "d",
            "regexp_replace(psp, shopper, '')",
            "a pattern must be a text",
        ),
        (
            "d",
            "repeat('x', 1000000000)",
            "at most 1048576 are allowed",
        ),
    ] {
        let found = faults(vec![], &[(name, sql)]);
        assert!(
            found.len() == 1 && found[0].to_lowercase().contains(reason),
            "{sql}: {found:?}"
        );
    }
}

#[test]
fn all_faults_are_reported_at_once() {
    let mut bad = cube(
        "c",
        Duration::from_secs(60),
        &[("a", "nope"), ("b", "nope")],
    );
    bad.measures = vec![
        ("m".to_owned(), "sum(nope)".to_owned()),
        ("n".to_owned(), "count(*)".to_owned()),
    ];
    assert_eq!(faults(vec![bad, with_measure("nope(1)")], &[]).len(), 4);
}
