use proptest::prelude::*;
use tillwatch_testkit::oracle::{Decimal, OracleError, Recount};

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn sums_are_exact_where_doubles_are_not() {
    let mut sum = Decimal::default();
    for _ in 0..10 {
        sum += decimal("0.1");
    }
    assert_eq!(sum, decimal("1"));
    assert_eq!(sum.to_string(), "1");
    assert_eq!(decimal("-0.050").to_string(), "-0.05");
}

#[test]
fn what_is_no_decimal_is_refused() {
    for text in [
        "",
        ".5",
        "1e3",
        "1.2.3",
        "+1",
        "--1",
        "1.0000000000001",
        "NaN",
        "1 000",
        "9999999999999999999999999999999999999999",
    ] {
        assert_eq!(
            text.parse::<Decimal>(),
            Err(OracleError::Decimal(text.to_owned()))
        );
    }
}

#[test]
fn division_rounds_half_away_from_zero() {
    assert_eq!(
        decimal("1").divide(decimal("3"), 4),
        Some(decimal("0.3333"))
    );
    assert_eq!(
        decimal("2").divide(decimal("3"), 4),
        Some(decimal("0.6667"))
    );
    assert_eq!(decimal("0.5").divide(decimal("1"), 0), Some(decimal("1")));
    assert_eq!(decimal("-0.5").divide(decimal("1"), 0), Some(decimal("-1")));
    assert_eq!(decimal("1").divide(decimal("0"), 2), None);
}

#[test]
fn slices_and_buckets_are_told_apart() {
    let mut recount = Recount::new("at", 60_000_000)
        .by(&["psp", "currency"])
        .count("status")
        .sum("amount");
    recount
        .add_ndjson(
            br#"{"at":"2026-11-02T12:00:59.999Z","psp":"a","currency":"EUR","status":"approved","amount":"1.10"}
{"at":"2026-11-02T12:01:00Z","psp":"a","currency":"EUR","status":"declined","amount":"2.20"}
{"at":"2026-11-02T12:01:30Z","psp":"b","currency":"JPY","status":"approved","amount":"500"}
{"at":"2026-11-02T12:01:31Z","psp":"b","currency":"JPY","status":null}
"#,
        )
        .unwrap();
    assert_eq!(recount.slices().len(), 3);
    let of_b = recount.total_where(|_, slice| slice[0] == "b");
    assert_eq!(of_b.rate("status", "approved"), (1, 2));
    assert_eq!(of_b.sums["amount"], decimal("500"));
    let euros = recount.total_where(|_, slice| slice[1] == "EUR");
    assert_eq!(euros.sums["amount"], decimal("3.3"));
}

#[test]
fn a_bad_line_leaves_the_recount_as_it_was() {
    let mut recount = Recount::new("at", 1_000_000).id("id").sum("amount");
    for line in [
        "[]".as_bytes(),
        br#"{"at":"2026-11-02T12:00:00Z"}"#,
        br#"{"id":"a","at":"yesterday"}"#,
        br#"{"id":"a","at":"2026-11-02T12:00:00Z","amount":"x"}"#,
        br#"{"id":"a","#,
    ] {
        assert!(recount.add(line).is_err());
    }
    assert_eq!(recount.total().events, 0);
    recount
        .add(br#"{"id":"a","at":"2026-11-02T12:00:00Z","amount":"1"}"#)
        .unwrap();
    assert_eq!(recount.total().events, 1);
}

proptest! {
    #[test]
    fn decimals_are_read_as_they_are_written(units in any::<i64>()) {
        let text = format!("{}{}.{:03}", if units < 0 { "-" } else { "" }, units.unsigned_abs() / 1000, units.unsigned_abs() % 1000);
        let read: Decimal = text.parse().unwrap();
        let again: Decimal = read.to_string().parse().unwrap();
        prop_assert_eq!(read, again);
    }
}
