//! Live push.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tillwatch_collect::outgoing::http_client;

use super::parts::{Counts, SECOND};
use super::stand::{DEADLINE, Stand, problem, until};
use crate::Limits;
use crate::request::time::now_us;

/// The figures of a document by provider, without the buckets that have none.
fn figures(document: &Value) -> Value {
    let mut all = serde_json::Map::new();
    for series in document["series"].as_array().unwrap() {
        let name = series["by"]["psp"].as_str().unwrap_or("all").to_owned();
        let points = series["points"].as_array().unwrap();
        let known: Vec<Value> = points.iter().filter(|p| !p[1].is_null()).cloned().collect();
        all.insert(name, known.into());
    }
    Value::Object(all)
}

/// The begin of a bucket some seconds ago, in microseconds and milliseconds.
fn ago(seconds: i64) -> (i64, i64) {
    let us = now_us() - seconds * SECOND;
    let us = us - us.rem_euclid(SECOND);
    (us, us / 1_000)
}

#[tokio::test]
async fn a_change_is_pushed_within_200_ms_and_only_what_changed() {
    let stand = Stand::start().await;
    let (before, before_ms) = ago(20);
    let (after, after_ms) = ago(19);
    stand.counts.add("adyen", before);
    stand.counts.add("stripe", after);
    let mut events = stand
        .events("/v1/metrics/payments/live?from=-1m&step=1s&by=psp")
        .await;
    let snapshot = events.told().await;
    assert_eq!(snapshot.name, "snapshot");
    assert_eq!(
        figures(&snapshot.data),
        json!({"adyen": [[before_ms, 1], [after_ms, 0]], "stripe": [[before_ms, 0], [after_ms, 1]]})
    );
    let mut took = Vec::new();
    for count in 2..=12 {
        let sent = Instant::now();
        stand.counts.add("stripe", after);
        let update = events.told().await;
        took.push(sent.elapsed());
        assert_eq!(update.name, "update");
        assert_eq!(
            figures(&update.data),
            json!({"stripe": [[after_ms, count]]})
        );
    }
    took.sort();
    // The median, since other tests share the machine; the bench measures the whole distribution.
    assert!(took[5] < Duration::from_millis(200), "{took:?}");
}

#[tokio::test]
async fn many_clients_of_one_question_share_its_computations() {
    let stand = Stand::start().await;
    let (at, at_ms) = ago(5);
    stand.counts.add("adyen", at);
    let (from_ms, to_ms) = (at_ms - 30_000, at_ms + 30_000);
    let mut all = Vec::new();
    for i in 0..20 {
        // The same question, written in two ways. Its range does not move, so the clock has no part in what is computed.
        let path = if i % 2 == 0 {
            format!("step=1s&from={from_ms}&to={to_ms}")
        } else {
            format!("to={to_ms}&from={from_ms}&step=1s&limit=50")
        };
        all.push(
            stand
                .events(&format!("/v1/metrics/payments/live?{path}"))
                .await,
        );
    }
    for events in &mut all {
        assert_eq!(events.told().await.name, "snapshot");
    }
    stand.counts.add("adyen", at);
    for events in &mut all {
        assert_eq!(
            figures(&events.told().await.data),
            json!({"all": [[at_ms, 2]]})
        );
    }
    let asked = stand.counts.asked.lock().unwrap().clone();
    // The first covers the range, the second what changed.
    assert_eq!(asked.len(), 2, "computations for 20 clients");
    assert!(
        asked[1].to_us - asked[1].from_us <= 2 * SECOND,
        "only what changed: {:?}",
        asked[1]
    );
    assert_eq!(stand.app.inner().hub.topics(), 1);
}

#[tokio::test]
async fn changes_in_quick_succession_are_put_together() {
    let stand = Stand::start().await;
    let (at, at_ms) = ago(5);
    stand.counts.add("adyen", at);
    let mut events = stand
        .events("/v1/metrics/payments/live?from=-1m&step=1s")
        .await;
    events.told().await;
    for _ in 0..1_000 {
        stand.counts.add("adyen", at);
        tokio::task::yield_now().await;
    }
    loop {
        if figures(&events.told().await.data) == json!({"all": [[at_ms, 1_001]]}) {
            break;
        }
    }
    let computed = stand.app.inner().hub.computed();
    assert!(
        computed < 100,
        "{computed} computations for changes within a moment"
    );
}

#[tokio::test]
async fn a_new_slice_and_an_event_ahead_of_the_clock_appear() {
    let stand = Stand::start().await;
    let (at, at_ms) = ago(5);
    stand.counts.add("adyen", at);
    let mut events = stand
        .events("/v1/metrics/payments/live?from=-1m&step=1s&by=psp")
        .await;
    events.told().await;
    stand.counts.add("stripe", at);
    assert_eq!(
        figures(&events.told().await.data),
        json!({"stripe": [[at_ms, 1]]})
    );
    let (ahead, ahead_ms) = ago(-2);
    stand.counts.add("stripe", ahead);
    let deadline = Instant::now() + DEADLINE;
    loop {
        assert!(
            Instant::now() < deadline,
            "the clock has not brought the event"
        );
        let document = events.told().await.data;
        let points = &figures(&document)["stripe"];
        if points
            .as_array()
            .is_some_and(|p| p.contains(&json!([ahead_ms, 1])))
        {
            break;
        }
    }
}

#[tokio::test]
async fn a_client_that_comes_back_gets_a_snapshot() {
    let stand = Stand::start().await;
    let (at, at_ms) = ago(5);
    stand.counts.add("adyen", at);
    let path = "/v1/metrics/payments/live?from=-1m&step=1s";
    let mut events = stand.events(path).await;
    let first = events.told().await;
    stand.counts.add("adyen", at);
    let update = events.told().await;
    assert_ne!(first.id, update.id);
    drop(events);
    let response = http_client(reqwest::Client::builder)
        .unwrap()
        .get(stand.url(path))
        .header("last-event-id", first.id.unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let mut again = stand.events(path).await;
    let snapshot = again.told().await;
    assert_eq!(snapshot.name, "snapshot");
    assert_eq!(figures(&snapshot.data), json!({"all": [[at_ms, 2]]}));
}

#[tokio::test]
async fn a_client_that_does_not_read_is_given_a_snapshot_of_the_latest() {
    let limits = Limits {
        live_coalesce_ms: 1,
        ..Limits::default()
    };
    let stand = Stand::with(limits).await;
    let (at, at_ms) = ago(5);
    stand.counts.add("adyen", at);
    let path = "/v1/metrics/payments/live?from=-1m&step=1s";
    let mut reader = stand.events(path).await;
    reader.told().await;
    // The slow one is at the same place, but is not read while versions go by.
    let question = stand.counts.asked.lock().unwrap()[0].clone();
    let mut slow = stand
        .app
        .inner()
        .hub
        .subscribe(crate::request::series::Question {
            metric: "payments".into(),
            from: crate::request::time::Instant::FromNow(-60 * SECOND),
            to: crate::request::time::Instant::FromNow(0),
            step_us: question.step_us,
            windows: question.windows.clone(),
            by: Vec::new(),
            filters: Vec::new(),
            limit: 50,
        });
    slow.ready().await.unwrap();
    let (seen, _) = slow.snapshot();
    for count in 2..10 {
        stand.counts.add("adyen", at);
        assert_eq!(
            figures(&reader.told().await.data),
            json!({"all": [[at_ms, count]]})
        );
    }
    slow.frames.changed().await.unwrap();
    let (version, text) = slow.snapshot();
    assert!(version >= seen + 8, "versions went by: {seen} to {version}");
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(figures(&document), json!({"all": [[at_ms, 9]]}));
}

#[tokio::test]
async fn heartbeats_say_that_the_stream_is_alive() {
    let stand = Stand::with(Limits {
        live_heartbeat_ms: 20,
        ..Limits::default()
    })
    .await;
    for path in [
        "/v1/metrics/payments/live",
        "/v1/incidents/live",
        "/v1/live?q=payments",
    ] {
        let mut events = stand.events(path).await;
        assert_eq!(events.next().await.unwrap().name, "snapshot");
        let beat = events.next().await.unwrap();
        assert_eq!(beat.name, "heartbeat");
        let now_ms = now_us() / 1_000;
        assert!((now_ms - beat.data["now"].as_i64().unwrap()).abs() < 10_000);
    }
}

#[tokio::test]
async fn one_stream_carries_several_questions() {
    let stand = Stand::start().await;
    let (at, at_ms) = ago(5);
    stand.counts.add("adyen", at);
    let path = "/v1/live?q=payments%3Ffrom%3D-1m%26step%3D1s&q=payments%3Ffrom%3D-1m%26step%3D1s%26by%3Dpsp";
    let mut events = stand.events(path).await;
    let mut seen = [events.told().await, events.told().await];
    seen.sort_by_key(|event| event.data["query"].as_u64());
    assert_eq!(seen[0].data["query"], 0);
    assert_eq!(figures(&seen[0].data), json!({"all": [[at_ms, 1]]}));
    assert_eq!(seen[1].data["query"], 1);
    assert_eq!(figures(&seen[1].data), json!({"adyen": [[at_ms, 1]]}));
    stand.counts.add("adyen", at);
    let mut updated = [events.told().await, events.told().await];
    updated.sort_by_key(|event| event.data["query"].as_u64());
    assert_eq!(figures(&updated[1].data), json!({"adyen": [[at_ms, 2]]}));
}

#[tokio::test]
async fn live_streams_over_the_limit_are_refused_until_one_ends() {
    let stand = Stand::with(Limits {
        live_clients_max: 2,
        ..Limits::default()
    })
    .await;
    let first = stand.events("/v1/metrics/payments/live").await;
    let _second = stand.events("/v1/incidents/live").await;
    let (status, slug, _) = problem(stand.get("/v1/metrics/payments/live").await).await;
    assert_eq!((status, slug.as_str()), (503, "too-many-live-clients"));
    drop(first);
    until("the place is free again", || stand.app.live_clients() == 1).await;
    stand.events("/v1/metrics/payments/live").await;
}

#[tokio::test]
async fn a_topic_ends_with_its_last_client() {
    let stand = Stand::start().await;
    let events = stand.events("/v1/metrics/payments/live").await;
    assert_eq!(stand.app.inner().hub.topics(), 1);
    drop(events);
    until("the topic has ended", || {
        stand.app.inner().hub.topics() == 0
    })
    .await;
}

#[tokio::test]
async fn a_failed_computation_is_told_and_made_up_for() {
    let stand = Stand::start().await;
    let (at, at_ms) = ago(5);
    stand.counts.add("adyen", at);
    let mut events = stand
        .events("/v1/metrics/payments/live?from=-1m&step=1s")
        .await;
    events.told().await;
    stand.counts.failing.store(true, Ordering::SeqCst);
    stand.counts.add("adyen", at);
    let failed = events.told().await;
    assert_eq!(failed.name, "problem");
    assert_eq!(
        failed.data["type"],
        "https://tillwatch.dev/problems/overloaded"
    );
    stand.counts.failing.store(false, Ordering::SeqCst);
    loop {
        let event = events.told().await;
        if event.name != "problem" {
            assert_eq!(figures(&event.data), json!({"all": [[at_ms, 2]]}));
            break;
        }
    }
    stand.counts.failing.store(true, Ordering::SeqCst);
    let (status, ..) = problem(stand.get("/v1/metrics/payments/live?from=-2m").await).await;
    assert_eq!(
        status, 429,
        "and a first computation that fails is the answer itself"
    );
}

#[tokio::test]
async fn a_reload_goes_on_with_the_new_parts_and_ends_streams_of_what_is_gone() {
    let stand = Stand::start().await;
    let (at, at_ms) = ago(5);
    stand.counts.add("adyen", at);
    let mut events = stand
        .events("/v1/metrics/payments/live?from=-1m&step=1s&by=psp")
        .await;
    events.told().await;
    let reloaded = Arc::new(Counts::new("payments"));
    reloaded.add("stripe", at);
    stand.open(reloaded.clone());
    let snapshot = events.told().await;
    assert_eq!(snapshot.name, "snapshot");
    assert_eq!(figures(&snapshot.data), json!({"stripe": [[at_ms, 1]]}));
    reloaded.add("stripe", at);
    assert_eq!(
        figures(&events.told().await.data),
        json!({"stripe": [[at_ms, 2]]})
    );
    stand.open(Arc::new(Counts::new("other")));
    while let Some(event) = events.next().await {
        assert_eq!(
            event.name, "heartbeat",
            "nothing is told of a metric that is gone"
        );
    }
    let response = stand.get("/v1/metrics/payments/live").await;
    assert_eq!(problem(response).await.1, "unknown-metric");
}

#[tokio::test]
async fn one_stream_carries_only_so_many_questions() {
    let stand = Stand::with(Limits {
        live_queries_per_client_max: 2,
        ..Limits::default()
    })
    .await;
    stand
        .events("/v1/live?q=payments&q=payments%3Fby%3Dpsp")
        .await;
    let path = "/v1/live?q=payments&q=payments&q=payments";
    let (status, slug, document) = problem(stand.get(path).await).await;
    assert_eq!((status, slug.as_str()), (400, "bad-parameter"));
    assert!(document["detail"].as_str().unwrap().contains("1 to 2"));
}

#[tokio::test]
async fn the_first_event_after_a_silence_longer_than_the_range_is_pushed() {
    let stand = Stand::start().await;
    stand.counts.add("adyen", ago(1).0);
    let range = "from=-2s&step=1s";
    let mut whole = stand
        .events(&format!("/v1/metrics/payments/live?{range}"))
        .await;
    let mut split = stand
        .events(&format!("/v1/metrics/payments/live?{range}&by=psp"))
        .await;
    whole.told().await;
    split.told().await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let (at, at_ms) = ago(0);
    stand.counts.add("adyen", at);
    let one = json!([at_ms, 1]);
    for (events, name) in [(&mut whole, "all"), (&mut split, "adyen")] {
        let document = events.told().await.data;
        let points = &figures(&document)[name];
        assert!(
            points.as_array().is_some_and(|p| p.contains(&one)),
            "{document}"
        );
    }
}

#[tokio::test]
async fn a_refused_question_does_not_stop_the_others_of_its_stream() {
    let stand = Stand::start().await;
    let (at, at_ms) = ago(5);
    stand.counts.add("adyen", at);
    let path = "/v1/live?q=nothing&q=payments%3Ffrom%3D-1m%26step%3D1s&q=payments%3Fby%3Dpps";
    let mut events = stand.events(path).await;
    let mut seen = [
        events.told().await,
        events.told().await,
        events.told().await,
    ];
    seen.sort_by_key(|event| event.data["query"].as_u64());
    assert_eq!(seen[0].name, "problem");
    assert_eq!(seen[0].data["status"], 404);
    assert_eq!(
        seen[0].data["type"],
        "https://tillwatch.dev/problems/unknown-metric"
    );
    assert_eq!(seen[1].name, "snapshot");
    assert_eq!(seen[2].data["status"], 400);
    stand.counts.add("adyen", at);
    let update = events.told().await;
    assert_eq!(update.data["query"], 1);
    assert_eq!(figures(&update.data), json!({"all": [[at_ms, 2]]}));
}

#[tokio::test]
async fn a_question_of_a_combined_stream_that_fails_at_first_is_made_up_for() {
    let stand = Stand::start().await;
    let (at, at_ms) = ago(5);
    stand.counts.add("adyen", at);
    stand.counts.failing.store(true, Ordering::SeqCst);
    let mut events = stand
        .events("/v1/live?q=payments%3Ffrom%3D-1m%26step%3D1s")
        .await;
    let failed = events.told().await;
    assert_eq!(failed.name, "problem");
    assert_eq!(failed.data["query"], 0);
    assert_eq!(failed.data["status"], 429);
    stand.counts.failing.store(false, Ordering::SeqCst);
    loop {
        let event = events.told().await;
        if event.name == "snapshot" {
            assert_eq!(figures(&event.data), json!({"all": [[at_ms, 1]]}));
            break;
        }
    }
}

#[tokio::test]
async fn a_combined_stream_says_which_question_a_reload_has_ended() {
    let stand = Stand::start().await;
    let mut events = stand
        .events("/v1/live?q=payments&q=payments%3Fby%3Dpsp")
        .await;
    events.told().await;
    events.told().await;
    stand.open(Arc::new(Counts::new("other")));
    let mut over = Vec::new();
    while let Some(event) = events.next().await {
        if event.name == "problem" {
            assert_eq!(event.data["status"], 404);
            over.push(event.data["query"].as_u64().unwrap());
        }
    }
    over.sort_unstable();
    assert_eq!(over, [0, 1], "and with the last the stream ends");
}
