use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use tillwatch_testkit::oracle::Decimal;
use tillwatch_testkit::simulate::{Delivery, SeasonFloor, Simulator, SimulatorConfig};

use crate::{
    DAY_US, HOUR_US, MONDAY_US, at_us, bytes, events, events_of, parse, perfect, share, text,
};

#[test]
fn the_daily_number_of_events_is_the_configured_one() {
    let count: u64 = perfect(60_000, 9)
        .batches(MONDAY_US, MONDAY_US + 7 * DAY_US)
        .map(|b| b.events)
        .sum();
    assert!(
        (0.95..1.05).contains(&(count as f64 / (7.0 * 60_000.0))),
        "{count}"
    );
}

#[test]
fn nights_are_quiet_evenings_busy_and_stores_rest_on_sundays() {
    let week = events(&perfect(20_000, 9), MONDAY_US, MONDAY_US + 7 * DAY_US);
    let german_visits_at = |hour: i64| {
        let starts = week["visits"]
            .iter()
            .filter(|e| text(e, "country") == "DE" && text(e, "step") == "visit");
        // Germany is an hour ahead of UTC.
        starts
            .filter(|e| ((at_us(e) - MONDAY_US) / HOUR_US + 1) % 24 == hour)
            .count()
    };
    assert!(
        german_visits_at(20) > 5 * german_visits_at(3),
        "{} {}",
        german_visits_at(20),
        german_visits_at(3)
    );

    let stores_on = |day: i64| {
        let store = week["payments"]
            .iter()
            .filter(|e| text(e, "channel") == "store" && text(e, "country") == "DE");
        store
            .filter(|e| (at_us(e) + HOUR_US - MONDAY_US).div_euclid(DAY_US) == day)
            .count()
    };
    assert!(
        stores_on(5) > 3 * stores_on(6) / 2,
        "{} {}",
        stores_on(5),
        stores_on(6)
    );
}

#[test]
fn a_floor_of_the_season_fills_nights_from_its_minute_on_and_changes_nothing_else() {
    let night_us = MONDAY_US + DAY_US + 2 * HOUR_US;
    let floored = |level: f64| {
        let config = SimulatorConfig {
            events_per_day: 50_000,
            delivery: Delivery::perfect(),
            season_floor: Some(SeasonFloor {
                from_us: night_us,
                level,
            }),
            ..SimulatorConfig::default()
        };
        Simulator::new(config, 9).unwrap()
    };
    let plain = perfect(50_000, 9);
    for level in [1.0, 8.0] {
        let before = (MONDAY_US + DAY_US, night_us);
        assert!(bytes(&plain, before.0, before.1) == bytes(&floored(level), before.0, before.1));
    }
    let ids = |simulator: &Simulator, upto_us: i64| -> BTreeSet<String> {
        let payments = events_of(simulator, "payments", night_us, upto_us);
        payments
            .iter()
            .map(|e| text(e, "event_id").to_owned())
            .collect()
    };
    let (plain_ids, more_ids) = (
        ids(&plain, night_us + HOUR_US),
        ids(&floored(1.0), night_us + HOUR_US),
    );
    assert!(plain_ids.is_subset(&more_ids));
    assert!(
        3 * more_ids.len() > 4 * plain_ids.len(),
        "{} {}",
        plain_ids.len(),
        more_ids.len()
    );
    // Nothing is busier than eight times the average, so all of it is the floor, and visits are as many as it says.
    let eight = ids(&floored(8.0), night_us + HOUR_US).len() as f64;
    assert!(
        (0.9..1.1).contains(&(eight / 8.0 / more_ids.len() as f64)),
        "{eight} {}",
        more_ids.len()
    );
    assert!(
        Simulator::new(
            SimulatorConfig {
                season_floor: Some(SeasonFloor {
                    from_us: 0,
                    level: f64::NAN
                }),
                ..SimulatorConfig::default()
            },
            1
        )
        .is_err()
    );
}

#[test]
fn rates_are_those_of_the_field() {
    let day = events(&perfect(50_000, 11), MONDAY_US, MONDAY_US + DAY_US);
    let payments = &day["payments"];
    let within = |name: &str, value: f64, low: f64, high: f64| {
        assert!((low..high).contains(&value), "{name} {value}");
    };
    within(
        "authorization",
        share(payments, |e| text(e, "status") == "approved"),
        0.83,
        0.91,
    );
    let last: Vec<&Value> = payments
        .iter()
        .filter(|e| e.get("payment_status").is_some())
        .collect();
    within(
        "success",
        share(last.iter().copied(), |e| {
            text(e, "payment_status") == "succeeded"
        }),
        0.9,
        0.97,
    );
    let asked: Vec<&Value> = payments
        .iter()
        .filter(|e| e.get("three_ds").is_some())
        .collect();
    within(
        "frictionless",
        share(asked.iter().copied(), |e| {
            text(e, "three_ds") == "frictionless"
        }),
        0.6,
        0.75,
    );
    within(
        "authenticated",
        share(asked.iter().copied(), |e| {
            text(e, "three_ds_result") == "authenticated"
        }),
        0.9,
        0.98,
    );
    let declined: Vec<&Value> = payments
        .iter()
        .filter(|e| text(e, "status") == "declined")
        .collect();
    within(
        "hard",
        share(declined.iter().copied(), |e| {
            text(e, "decline_kind") == "hard"
        }),
        0.12,
        0.3,
    );

    let steps = |step: &str| {
        day["visits"]
            .iter()
            .filter(|e| text(e, "step") == step)
            .count() as f64
    };
    within("conversion", steps("order") / steps("visit"), 0.06, 0.11);
    within(
        "abandonment",
        1.0 - steps("order") / steps("cart"),
        0.5,
        0.7,
    );

    let mut latencies: Vec<i64> = payments
        .iter()
        .filter(|e| {
            text(e, "psp") == "adyen"
                && text(e, "method") == "card"
                && text(e, "status") == "approved"
        })
        .filter_map(|e| e.get("latency_ms").and_then(Value::as_i64))
        .collect();
    latencies.sort_unstable();
    within("p50", latencies[latencies.len() / 2] as f64, 250.0, 420.0);
    within(
        "p95",
        latencies[latencies.len() * 95 / 100] as f64,
        550.0,
        900.0,
    );
}

#[test]
fn payments_are_consistent_stories() {
    let payments = events_of(
        &perfect(150_000, 12),
        "payments",
        MONDAY_US,
        MONDAY_US + DAY_US,
    );
    let mut stories: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for event in &payments {
        stories
            .entry(text(event, "payment_id"))
            .or_default()
            .push(event);
    }
    let inner = MONDAY_US + HOUR_US..MONDAY_US + 23 * HOUR_US;
    let mut retried = 0;
    for (id, story) in stories
        .iter()
        .filter(|(_, s)| s.iter().all(|e| inner.contains(&at_us(e))))
    {
        let attempts: Vec<i64> = story.iter().filter_map(|e| e["attempt"].as_i64()).collect();
        assert_eq!(
            attempts,
            (1..=attempts.len() as i64).collect::<Vec<_>>(),
            "{id}"
        );
        retried += usize::from(attempts.len() > 1);
        let (last, before) = story.split_last().unwrap();
        assert!(
            before
                .iter()
                .all(|e| e.get("payment_status").is_none() && text(e, "status") != "approved"),
            "{id}"
        );
        assert!(
            before.iter().all(|e| text(e, "decline_kind") != "hard"),
            "a hard decline was retried: {id}"
        );
        let reached = story
            .iter()
            .any(|e| matches!(text(e, "status"), "approved" | "declined"));
        let expected = match (text(last, "status"), reached) {
            ("approved", _) => "succeeded",
            (_, true) => "failed",
            (_, false) => "dropped",
        };
        assert_eq!(text(last, "payment_status"), expected, "{id}");
        let same = |field| story.iter().all(|e| e.get(field) == last.get(field));
        assert!(
            same("amount") && same("currency") && same("issuer") && same("method"),
            "{id}"
        );
    }
    assert!(retried > 500, "{retried}");
}

#[test]
fn orders_add_up_and_their_lines_and_payments_belong_to_them() {
    let day = events(&perfect(50_000, 13), MONDAY_US, MONDAY_US + DAY_US);
    let amount = |e: &Value, field: &str| Decimal::from_json(&e[field]).unwrap();
    let mut goods_of_lines: HashMap<&str, Decimal> = HashMap::new();
    for line in &day["order_lines"] {
        *goods_of_lines.entry(text(line, "order_id")).or_default() += amount(line, "amount");
    }
    let paid: HashMap<&str, &Value> = day["payments"]
        .iter()
        .filter(|e| text(e, "status") == "approved")
        .map(|e| (text(e, "order_id"), e))
        .collect();
    let placed: Vec<&Value> = day["orders"]
        .iter()
        .filter(|e| text(e, "kind") == "placed")
        .collect();
    assert!(placed.len() > 300);
    for order in placed {
        let id = text(order, "order_id");
        assert_eq!(goods_of_lines[id], amount(order, "goods"), "{id}");
        let mut left = amount(order, "goods");
        left += amount(order, "tax");
        left += amount(order, "shipping");
        let mut right = amount(order, "value");
        right += amount(order, "discount");
        assert_eq!(left, right, "{id}");
        // The payment may have been approved just before the window.
        if let Some(payment) = paid.get(id) {
            assert_eq!(amount(payment, "amount"), amount(order, "value"), "{id}");
            assert_eq!(payment["currency"], order["currency"], "{id}");
        }
    }
}

#[test]
fn refunds_and_captures_belong_to_payments_that_were_approved_before() {
    let all = bytes(&perfect(12_000, 14), MONDAY_US, MONDAY_US + 28 * DAY_US);
    let (payments, movements) = (parse(&all["payments"]), parse(&all["payment_movements"]));
    let approved: HashMap<&str, (i64, Decimal)> = payments
        .iter()
        .filter(|e| text(e, "status") == "approved")
        .map(|e| {
            (
                text(e, "payment_id"),
                (at_us(e), Decimal::from_json(&e["amount"]).unwrap()),
            )
        })
        .collect();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut orphans = 0;
    for movement in &movements {
        let (kind, payment) = (text(movement, "kind"), text(movement, "payment_id"));
        *kinds.entry(kind).or_default() += 1;
        assert!(seen.insert((payment, kind)), "{payment} {kind} twice");
        match approved.get(payment) {
            Some((approved_us, paid)) => {
                assert!(*approved_us <= at_us(movement), "{movement}");
                assert!(
                    Decimal::from_json(&movement["amount"]).unwrap() <= *paid,
                    "{movement}"
                );
            }
            // Late movements of the first weeks belong to payments before the window.
            None if at_us(movement) < MONDAY_US + 2 * DAY_US
                || matches!(kind, "refunded" | "disputed") =>
            {
                orphans += 1
            }
            None => panic!("a payment nobody made: {movement}"),
        }
    }
    let refund_share = kinds["refunded"] as f64 / kinds["captured"] as f64;
    assert!((0.012..0.03).contains(&refund_share), "{kinds:?}");
    assert!(kinds["voided"] > 0 && kinds["disputed"] > 0, "{kinds:?}");
    assert!(orphans < kinds["refunded"], "{orphans} {kinds:?}");
    // An authorisation in the window's first half is captured or voided within it.
    for e in movements.iter().filter(|e| text(e, "kind") == "authorised") {
        let id = text(e, "payment_id");
        let settled = seen.contains(&(id, "captured")) || seen.contains(&(id, "voided"));
        assert!(settled || at_us(e) > MONDAY_US + 26 * DAY_US, "{e}");
    }
}
