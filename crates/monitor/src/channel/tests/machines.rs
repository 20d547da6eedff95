//! PagerDuty and Alertmanager.

use serde_json::Value;

use super::*;
use crate::definition::{AlertmanagerDefinition, PagerDutyDefinition};
use crate::incident::IncidentState;

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// The example incident as it is after a transition.
fn after(transition: u32, state: IncidentState) -> Incident {
    let mut incident = example();
    incident.transition = transition;
    incident.state = state;
    if state == IncidentState::Resolved {
        incident.resolved_at_us = Some(NOW + 60 * SECOND);
    }
    incident
}

/// Its life, with the kind of each transition.
fn life() -> [(Incident, TimelineKind); 3] {
    [
        (after(1, IncidentState::Open), TimelineKind::Opened),
        (
            after(2, IncidentState::Acknowledged),
            TimelineKind::Acknowledged,
        ),
        (after(3, IncidentState::Resolved), TimelineKind::Resolved),
    ]
}

async fn deliver_all(courier: &Courier, catalogue: &Catalogue) {
    for second in 0..20 {
        courier.deliver_due(NOW + second * SECOND).await.unwrap();
        if catalogue.pending().unwrap() == 0 {
            return;
        }
    }
    panic!("{} messages wait", catalogue.pending().unwrap());
}

/// What the Events API v2 refuses.
fn check_event(event: &Value) {
    let text = |value: &Value, most: usize| {
        let text = value.as_str().unwrap();
        assert!((1..=most).contains(&text.chars().count()), "{text}");
        text.to_owned()
    };
    assert_eq!(event["routing_key"], KEY);
    text(&event["dedup_key"], 255);
    match event["event_action"].as_str().unwrap() {
        "trigger" => {
            let payload = &event["payload"];
            text(&payload["summary"], 1024);
            text(&payload["source"], 1024);
            let severities = ["critical", "error", "warning", "info"];
            assert!(severities.contains(&payload["severity"].as_str().unwrap()));
            payload["timestamp"]
                .as_str()
                .unwrap()
                .parse::<jiff::Timestamp>()
                .unwrap();
            assert!(payload["custom_details"].is_object());
            assert!(event.to_string().len() <= 512 * 1024);
        }
        "acknowledge" | "resolve" => assert!(event.get("payload").is_none()),
        other => panic!("PagerDuty has no action `{other}`"),
    }
}

#[tokio::test]
async fn pagerduty_hears_of_one_incident_by_one_key_through_its_life() {
    let receiver = Receiver::start(&[Reply::Say("202 Accepted", "{\"status\":\"success\"}")]);
    let duty = PagerDutyDefinition {
        url: receiver.url(),
        routing_key: Secret::issued(KEY),
        allow_private: true,
    };
    let channel = ChannelDefinition::new("team", ChannelKind::PagerDuty(duty));
    let catalogue = with_transitions(&life());
    deliver_all(&courier_of(&catalogue, channel.clone()), &catalogue).await;
    let hostile = with_transitions(&[(hostile(), TimelineKind::Opened)]);
    deliver_all(&courier_of(&hostile, channel), &hostile).await;
    let events: Vec<Value> = receiver.requests().iter().map(Received::json).collect();
    events.iter().for_each(check_event);
    let actions: Vec<&str> = events
        .iter()
        .map(|event| event["event_action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["trigger", "acknowledge", "resolve", "trigger"]);
    let id = example().id;
    assert!(events.iter().all(|event| event["dedup_key"] == id.as_str()));
    let payload = &events[0]["payload"];
    assert_eq!(payload["severity"], "critical");
    assert_eq!(payload["component"], "authorization_rate");
    assert_eq!(payload["custom_details"]["slice.psp"], "adyen");
    assert_eq!(events[0]["client_url"], "https://till.example/");
    assert_eq!(
        last_entry(&catalogue).1,
        "team: delivered (202), attempt 1",
        "the key is in no timeline"
    );
}

fn manager(receiver: &Receiver) -> ChannelDefinition {
    let manager = AlertmanagerDefinition {
        url: format!("http://127.0.0.1:{}/prefix/", receiver.port),
        user: Some("till".to_owned()),
        password: Some(Secret::issued("hunter2")),
        allow_private: true,
    };
    ChannelDefinition::new("team", ChannelKind::Alertmanager(manager))
}

#[tokio::test]
async fn alertmanager_gets_an_alert_that_lives_five_minutes_and_ends_with_the_incident() {
    let receiver = Receiver::start(&[OK]);
    let catalogue = with_transitions(&life());
    deliver_all(&courier_of(&catalogue, manager(&receiver)), &catalogue).await;
    let requests = receiver.requests();
    assert_eq!(requests.len(), 3);
    let mut alerts = Vec::new();
    for request in &requests {
        assert_eq!(request.target, "/prefix/api/v2/alerts");
        assert_eq!(request.header("authorization"), "Basic dGlsbDpodW50ZXIy");
        let body = request.json();
        assert_eq!(body.as_array().unwrap().len(), 1);
        alerts.push(body[0].clone());
    }
    let labels = serde_json::json!({
        "issuer": "bank_17",
        "psp": "adyen",
        "alertname": "authorization_drop",
        "metric": "authorization_rate",
        "severity": "critical",
        "incident": example().id.as_str(),
        "direction": "down",
    });
    assert!(
        alerts.iter().all(|alert| alert["labels"] == labels),
        "{alerts:#?}"
    );
    let at = |alert: &Value, name: &str| -> i64 {
        let at = alert[name].as_str().unwrap();
        at.parse::<jiff::Timestamp>().unwrap().as_microsecond()
    };
    assert_eq!(at(&alerts[0], "startsAt"), example().started_at_us);
    assert_eq!(at(&alerts[0], "endsAt"), NOW + 300 * SECOND);
    assert_eq!(at(&alerts[2], "endsAt"), NOW + 60 * SECOND);
    assert_eq!(alerts[0]["generatorURL"], "https://till.example/");
}

#[tokio::test]
async fn labels_of_ours_are_no_dimensions_and_a_missing_value_is_a_label_too() {
    let receiver = Receiver::start(&[OK]);
    let mut incident = example();
    let pairs = [
        ("severity", Some("x")),
        ("country", None),
        ("psp", Some("a\nb")),
    ];
    incident.slice = pairs.into_iter().collect();
    let catalogue = with_transitions(&[(incident, TimelineKind::Opened)]);
    deliver_all(&courier_of(&catalogue, manager(&receiver)), &catalogue).await;
    let labels = receiver.requests()[0].json()[0]["labels"].clone();
    assert_eq!(labels["severity"], "critical");
    assert_eq!(labels["slice_severity"], "x");
    assert_eq!(labels["country"], "(none)");
    assert_eq!(labels["psp"], "a b");
}

#[tokio::test]
async fn what_is_sent_again_and_fails_lapses_without_a_trace_in_the_timeline() {
    let receiver = Receiver::start(&[Reply::Answer("503 Service Unavailable", ""), OK]);
    let catalogue = Arc::new(Catalogue::in_memory().unwrap());
    let again = |repeat| {
        catalogue
            .write(|db| {
                incidents::put(db, &example(), &["team".to_owned()])?;
                let kind = TimelineKind::Repeated;
                let body = crate::watch::message::body(&example(), kind, None).unwrap();
                outbox::enqueue_again(db, &example(), "team", repeat, &body, NOW)
            })
            .unwrap();
    };
    let courier = courier_of(&catalogue, manager(&receiver));
    again(1);
    assert_eq!(courier.deliver_due(NOW).await.unwrap(), FAILED);
    again(2);
    assert_eq!(courier.deliver_due(NOW).await.unwrap(), DELIVERED);
    let keys: Vec<String> = receiver
        .requests()
        .iter()
        .map(|request| request.header("idempotency-key").to_owned())
        .collect();
    let id = example().id;
    assert_eq!(keys, [format!("{id}:1:1"), format!("{id}:1:2")]);
    assert!(catalogue.incident(id.as_str()).unwrap().timeline.is_empty());
    assert_eq!(catalogue.deliveries().unwrap(), [], "none of them is kept");
}
