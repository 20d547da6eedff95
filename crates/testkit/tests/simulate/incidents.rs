use serde_json::Value;
use tillwatch_testkit::simulate::{IncidentKind, Scenario, SimulateError};

use crate::{
    HOUR_US, MINUTE_US, MONDAY_US, at_us, events_of, incident, perfect, share, text, with_incidents,
};

/// Monday noon, UTC: busy in Europe.
const NOON_US: i64 = MONDAY_US + 12 * HOUR_US;
const RATE: u64 = 2_000_000;

/// The events of a stream in the half hour of the incident, with it and without it.
fn half_hour(kind: IncidentKind, stream: &str) -> (Vec<Value>, Vec<Value>) {
    let (from_us, to_us) = (NOON_US - 10 * MINUTE_US, NOON_US + 40 * MINUTE_US);
    let inside = |mut events: Vec<Value>| {
        events.retain(|e| (NOON_US..NOON_US + 30 * MINUTE_US).contains(&at_us(e)));
        events
    };
    let with = with_incidents(RATE, 21, vec![incident(NOON_US, 30, kind)]);
    (
        inside(events_of(&with, stream, from_us, to_us)),
        inside(events_of(&perfect(RATE, 21), stream, from_us, to_us)),
    )
}

fn approval<'a>(events: impl IntoIterator<Item = &'a Value>) -> f64 {
    share(events, |e| text(e, "status") == "approved")
}

#[test]
fn an_issuer_decline_shows_at_its_psp_and_issuer_only() {
    let kind = IncidentKind::IssuerDecline {
        psp: "adyen".into(),
        issuer: "bank_17".into(),
        approval: 0.1,
    };
    let (with, without) = half_hour(kind, "payments");
    let slice = |e: &&Value| text(e, "psp") == "adyen" && text(e, "issuer") == "bank_17";
    let hit = approval(with.iter().filter(slice));
    assert!(hit < 0.2, "{hit}");
    assert!(approval(without.iter().filter(slice)) > 0.8);
    // Those who were declined try again elsewhere, with a smaller chance; so it is the first attempts that
    // show nothing elsewhere.
    let first = |e: &&Value| e["attempt"].as_i64() == Some(1);
    let others = approval(with.iter().filter(|e| first(e) && !slice(e)));
    let usual = approval(without.iter().filter(|e| first(e) && !slice(e)));
    assert!((others - usual).abs() < 0.002, "{others} {usual}");
}

#[test]
fn a_psp_outage_shows_as_errors_and_failover() {
    let (with, without) = half_hour(
        IncidentKind::PspOutage {
            psp: "stripe".into(),
            share: 0.9,
        },
        "payments",
    );
    let errors = |events: &[Value]| {
        share(events.iter().filter(|e| text(e, "psp") == "stripe"), |e| {
            text(e, "status") == "error"
        })
    };
    assert!(
        errors(&with) > 0.85 && errors(&without) < 0.02,
        "{} {}",
        errors(&with),
        errors(&without)
    );
    let elsewhere = |events: &[Value]| {
        let retry = |e: &&Value| text(e, "psp") != "stripe" && e["attempt"].as_i64() > Some(1);
        events.iter().filter(retry).count()
    };
    assert!(elsewhere(&with) > 2 * elsewhere(&without));
}

#[test]
fn latency_shows_at_its_psp() {
    let (with, without) = half_hour(
        IncidentKind::Latency {
            psp: "worldpay".into(),
            factor: 8.0,
        },
        "payments",
    );
    let median = |events: &[Value], psp: &str| {
        let mut all: Vec<i64> = events
            .iter()
            .filter(|e| text(e, "psp") == psp)
            .filter_map(|e| e.get("latency_ms").and_then(Value::as_i64))
            .collect();
        all.sort_unstable();
        all[all.len() / 2]
    };
    assert!(median(&with, "worldpay") > 5 * median(&without, "worldpay"));
    assert!(median(&with, "adyen") < 2 * median(&without, "adyen"));
}

#[test]
fn silence_takes_away_a_psp_or_a_stream() {
    let (with, without) = half_hour(
        IncidentKind::Silence {
            psp: Some("nuvei".into()),
            stream: None,
        },
        "payments",
    );
    let of = |events: &[Value]| events.iter().filter(|e| text(e, "psp") == "nuvei").count();
    assert!(of(&with) == 0 && of(&without) > 100);
    assert_eq!(
        with.len() + of(&without),
        without.len(),
        "nothing else is missing"
    );

    let (with, without) = half_hour(
        IncidentKind::Silence {
            psp: None,
            stream: Some("orders".into()),
        },
        "orders",
    );
    assert!(with.is_empty() && without.len() > 100);
}

#[test]
fn card_testing_shows_as_many_small_declines() {
    let kind = IncidentKind::CardTesting {
        country: "US".into(),
        issuer: Some("bank_11".into()),
        per_minute: 120,
    };
    let (with, without) = half_hour(kind, "payments");
    let bank = |events: &[Value]| -> (usize, f64) {
        let of: Vec<&Value> = events
            .iter()
            .filter(|e| text(e, "issuer") == "bank_11")
            .collect();
        let small = |e: &Value| {
            text(e, "status") == "declined" && text(e, "amount").parse::<f64>().unwrap() < 5.0
        };
        (of.len(), share(of.iter().copied(), small))
    };
    let ((many, high), (few, low)) = (bank(&with), bank(&without));
    assert!((3000..4200).contains(&(many - few)), "{many} {few}");
    assert!(high > 0.5 && low < 0.05, "{high} {low}");
    let kept: std::collections::HashSet<&str> = with.iter().map(|e| text(e, "event_id")).collect();
    assert!(
        without.iter().all(|e| kept.contains(text(e, "event_id"))),
        "ordinary traffic is unchanged"
    );
}

#[test]
fn a_price_error_shows_as_a_negative_margin() {
    let kind = IncidentKind::PriceError {
        product: "sku-3001".into(),
        factor: 0.01,
    };
    let (with, without) = half_hour(kind, "order_lines");
    let margin = |events: &[Value], wanted: bool| {
        let (mut amount, mut cost) = (0.0, 0.0);
        for e in events.iter().filter(|e| {
            (text(e, "product") == "sku-3001") == wanted && text(e, "currency") == "EUR"
        }) {
            amount += text(e, "amount").parse::<f64>().unwrap();
            cost += text(e, "cost").parse::<f64>().unwrap();
        }
        (amount - cost) / amount
    };
    // A basket is priced at checkout, so a few lines in the window were priced before it.
    assert!(margin(&with, true) < -3.0, "{}", margin(&with, true));
    assert!(margin(&without, true) > 0.2 && margin(&with, false) > 0.2);
}

#[test]
fn a_scenario_is_read_and_given_its_place_in_time() {
    let scenario = Scenario::from_yaml(
        "
incidents:
  - start: +90s
    duration: 10m
    kind: {psp_outage: {psp: stripe}}
  - start: 2026-11-02T13:00:00Z
    duration: 2h
    kind: {silence: {stream: payments}}
",
    )
    .unwrap();
    let resolved = scenario.resolve(NOON_US).unwrap();
    assert_eq!(resolved[0].from_us, NOON_US + 90_000_000);
    assert_eq!(resolved[0].to_us, NOON_US + 690_000_000);
    assert_eq!(
        resolved[0].kind,
        IncidentKind::PspOutage {
            psp: "stripe".into(),
            share: 1.0
        }
    );
    assert_eq!(resolved[1].from_us, NOON_US + HOUR_US);
    let schema = serde_json::to_value(schemars::schema_for!(Scenario)).unwrap();
    assert!(schema.to_string().contains("card_testing"));
}

#[test]
fn a_scenario_that_makes_no_sense_says_where() {
    let fault = |start: &str, duration: &str, kind: &str| {
        let text =
            format!("incidents:\n  - start: {start}\n    duration: {duration}\n    kind: {kind}\n");
        Scenario::from_yaml(&text)
            .and_then(|s| s.resolve(0))
            .unwrap_err()
            .to_string()
    };
    let outage = "{psp_outage: {psp: adyen}}";
    assert!(fault("tomorrow", "5m", outage).contains("incident 1: cannot read 'tomorrow'"));
    assert!(fault("+5m", "long", outage).contains("cannot read 'long' as a duration"));
    assert!(fault("+99999999999999999d", "5m", outage).contains("cannot read"));
    assert!(
        fault("+5m", "5m", "{psp_outage: {psp: adjen}}")
            .contains("no PSP 'adjen'; there are adyen, stripe")
    );
    assert!(
        fault("+5m", "5m", "{psp_outage: {psp: adyen, share: 2}}")
            .contains("share must be 0 to 1, not 2")
    );
    assert!(fault("+5m", "5m", "{silence: {}}").contains("needs a psp, a stream or both"));
    assert!(fault("+5m", "5m", "{silence: {stream: paymnts}}").contains("no stream 'paymnts'"));
    assert!(
        fault("+5m", "5m", "{price_error: {product: sku-1, factor: 2}}")
            .contains("no product 'sku-1'")
    );
    assert!(
        fault("+5m", "5m", "{card_testing: {country: XX, per_minute: 5}}")
            .contains("no country 'XX'")
    );
    assert!(
        fault(
            "+5m",
            "5m",
            "{issuer_decline: {psp: adyen, issuer: bank_99, approval: 0}}"
        )
        .contains("bank_99")
    );
    assert!(fault("+5m", "5m", "{earthquake: {}}").contains("earthquake"));
    assert!(matches!(
        Scenario::from_yaml("incidents: 5").unwrap_err(),
        SimulateError::Scenario(_)
    ));
}

#[test]
fn the_busiest_slice_is_busy_in_fact() {
    let simulator = perfect(RATE, 22);
    let loads = simulator.loads(NOON_US + 30 * MINUTE_US);
    let first = &loads[0];
    let attempts = events_of(&simulator, "payments", NOON_US, NOON_US + HOUR_US);
    let of = |e: &&Value| {
        text(e, "psp") == first.psp
            && text(e, "issuer") == first.issuer
            && e["attempt"] == 1
            && matches!(text(e, "method"), "card" | "wallet")
    };
    let seen = attempts.iter().filter(of).count() as f64 / 60.0;
    assert!(
        (0.9..1.1).contains(&(seen / first.attempts_per_minute)),
        "{first:?} {seen}"
    );
    assert!(loads.is_sorted_by(|a, b| a.attempts_per_minute >= b.attempts_per_minute));
}
