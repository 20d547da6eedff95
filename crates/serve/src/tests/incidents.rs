//! Incidents over HTTP.

use std::sync::Arc;

use serde_json::json;

use super::cases::Cases;
use super::parts::{Counts, Trials};
use super::shelf::{self, Shelf};
use super::stand::{Stand, problem, until};
use crate::{Limits, Services};

#[tokio::test]
async fn incidents_are_listed_shown_and_acted_on() {
    let stand = Stand::start().await;
    stand.cases.open("inc_1");
    stand.cases.open("inc_2");
    let list = stand.json("/v1/incidents?state=open&limit=1").await;
    assert_eq!(list["incidents"][0]["id"], "inc_2");
    assert_eq!(list["incidents"].as_array().unwrap().len(), 1);
    let one = stand.json("/v1/incidents/inc_1").await;
    assert_eq!(one["slice"], json!({"psp": "adyen"}));
    assert_eq!(one["numerator"].to_string(), "128");
    assert_eq!(one["resolved_at"], json!(null));
    let card = "4111 1111 1111 1111";
    let note = format!(r#"{{"note":"refund {card}","by":"{card}"}}"#);
    let request = stand.post("/v1/incidents/inc_1/note", "application/json", &note);
    let noted = request.send().await.unwrap().text().await.unwrap();
    assert!(noted.contains("refund 4111 11"), "{noted}");
    assert!(
        !noted.contains("1111 1111"),
        "card numbers are masked: {noted}"
    );
    let body = r#"{"note":"rerouted","by":"ana"}"#;
    let request = stand.post("/v1/incidents/inc_1/acknowledge", "application/json", body);
    let answer: serde_json::Value =
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(answer["state"], "acknowledged");
    assert_eq!(answer["summary"], r#"Some("rerouted") by Some("ana")"#);
    let silenced = stand
        .client
        .post(stand.url("/v1/incidents/inc_2/silence"))
        .send()
        .await
        .unwrap();
    let text = silenced.text().await.unwrap();
    assert!(
        text.contains("\"silenced_until\":\"3600 s\""),
        "an hour unless told: {text}"
    );
    let resolve = stand.client.post(stand.url("/v1/incidents/inc_1/resolve"));
    assert_eq!(resolve.send().await.unwrap().status(), 200);
    let again = stand
        .client
        .post(stand.url("/v1/incidents/inc_1/acknowledge"))
        .send()
        .await
        .unwrap();
    assert_eq!(problem(again).await.1, "conflict");
}

#[tokio::test]
async fn what_people_say_of_an_incident_is_noted_though_it_is_over() {
    let stand = Stand::start().await;
    stand.cases.open("inc_1");
    let act = |action: &str, body: &'static str| {
        let path = format!("/v1/incidents/inc_1/{action}");
        stand.post(&path, "application/json", body).send()
    };
    let none = act("feedback", "{}").await.unwrap();
    assert_eq!(problem(none).await.1, "body-unreadable");
    let odd = act("feedback", r#"{"verdict":"maybe"}"#).await.unwrap();
    assert_eq!(problem(odd).await.1, "body-unreadable");
    assert_eq!(act("resolve", "{}").await.unwrap().status(), 200);
    for verdict in ["false_alarm", "real"] {
        let body = if verdict == "real" {
            r#"{"verdict":"real","by":"ana"}"#
        } else {
            r#"{"verdict":"false_alarm"}"#
        };
        assert_eq!(act("feedback", body).await.unwrap().status(), 200);
        let now = stand.json("/v1/incidents/inc_1").await;
        assert_eq!(now["verdict"], verdict);
        assert_eq!(now["state"], "resolved");
    }
}

#[tokio::test]
async fn silences_are_listed_and_ended_once() {
    let stand = Stand::start().await;
    stand.cases.open("inc_1");
    stand.cases.open("inc_2");
    assert_eq!(stand.json("/v1/silences").await, json!({"silences": []}));
    for id in ["inc_1", "inc_2"] {
        let path = format!("/v1/incidents/{id}/silence");
        let silenced = stand.client.post(stand.url(&path)).send().await.unwrap();
        assert_eq!(silenced.status(), 200);
    }
    let list = stand.json("/v1/silences").await;
    assert_eq!(list["silences"].as_array().unwrap().len(), 2);
    let first = json!({"id": 0, "monitor": "authorization_drop", "slice": {"psp": "adyen"}, "until": "3600 s", "incident": "inc_1"});
    assert_eq!(list["silences"][0], first);
    let list = stand.json("/v1/silences?limit=1").await;
    assert_eq!(list["silences"].as_array().unwrap().len(), 1);
    let end = |path: &str| stand.client.delete(stand.url(path)).send();
    let ended = end("/v1/silences/0?by=ana").await.unwrap();
    assert_eq!(ended.status(), 204);
    assert_eq!(ended.text().await.unwrap(), "");
    let incident = stand.json("/v1/incidents/inc_1").await;
    assert_eq!(incident["summary"], "ended by Some(\"ana\")");
    assert_eq!(incident["silenced_until"], json!(null));
    let list = stand.json("/v1/silences").await;
    assert_eq!(list["silences"][0]["id"], 1);
    for path in ["0", "-1", "7", "many", "99999999999999999999"] {
        let path = format!("/v1/silences/{path}");
        let (status, slug, _) = problem(end(&path).await.unwrap()).await;
        assert_eq!((status, slug.as_str()), (404, "unknown-silence"), "{path}");
    }
    let long = format!("/v1/silences/1?by={}", "x".repeat(2_001));
    assert_eq!(problem(end(&long).await.unwrap()).await.1, "bad-parameter");
}

#[tokio::test]
async fn incidents_are_pushed_as_they_change() {
    let stand = Stand::start().await;
    stand.cases.open("inc_1");
    let mut events = stand.events("/v1/incidents/live").await;
    let snapshot = events.told().await;
    assert_eq!(snapshot.name, "snapshot");
    assert_eq!(snapshot.data["incidents"][0]["id"], "inc_1");
    stand.cases.open("inc_2");
    let opened = events.told().await;
    assert_eq!(
        (opened.name.as_str(), opened.data["id"].as_str()),
        ("incident", Some("inc_2"))
    );
    let resolve = stand.client.post(stand.url("/v1/incidents/inc_1/resolve"));
    assert_eq!(resolve.send().await.unwrap().status(), 200);
    let resolved = events.told().await;
    assert_eq!(resolved.data["id"], "inc_1");
    assert_eq!(resolved.data["state"], "resolved");
}

#[tokio::test]
async fn a_client_far_behind_gets_the_list_again() {
    let stand = Stand::start().await;
    let mut events = stand.events("/v1/incidents/live").await;
    assert_eq!(events.told().await.data, json!({"incidents": []}));
    // More than the channel of changes holds, at once.
    for i in 0..100 {
        stand.cases.open(&format!("inc_{i}"));
    }
    let mut known = std::collections::HashSet::new();
    while known.len() < 100 {
        let event = events.told().await;
        let of = |incident: &serde_json::Value| incident["id"].as_str().unwrap().to_owned();
        match event.name.as_str() {
            "snapshot" => known.extend(event.data["incidents"].as_array().unwrap().iter().map(of)),
            _ => known.extend([of(&event.data)]),
        }
    }
}

#[tokio::test]
async fn a_stream_goes_on_with_the_parts_of_a_reload_and_lets_the_old_ones_go() {
    let stand = Stand::start().await;
    let services = |cases: &Arc<Cases>| Services {
        collector: stand.lines.clone(),
        figures: Arc::new(Counts::new("payments")),
        incidents: cases.clone(),
        backtests: Arc::new(Trials::default()),
        annotations: shelf::annotations(&Limits::default()),
        boards: Shelf::default().kept(&Limits::default()),
    };
    let old = Arc::new(Cases::new());
    let first = services(&old);
    let figures = Arc::downgrade(&first.figures);
    stand.app.open(first);
    let mut events = stand.events("/v1/incidents/live").await;
    let mut series = stand.events("/v1/metrics/payments/live").await;
    assert_eq!(events.told().await.name, "snapshot");
    assert_eq!(series.told().await.name, "snapshot");
    let new = Arc::new(Cases::new());
    new.open("inc_7");
    stand.app.open(services(&new));
    let snapshot = events.told().await;
    assert_eq!(snapshot.name, "snapshot");
    assert_eq!(snapshot.data["incidents"][0]["id"], "inc_7");
    until("nobody holds the old parts", || {
        Arc::strong_count(&old) == 1 && figures.strong_count() == 0
    })
    .await;
    new.open("inc_8");
    let opened = events.told().await;
    assert_eq!(
        (opened.name.as_str(), &opened.data["id"]),
        ("incident", &json!("inc_8"))
    );
}
