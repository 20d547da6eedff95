//! The courier against a real HTTP server on this machine.

mod chat;
mod grouping;
mod machines;
mod mail;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Courier, CourierOptions, DeliveryReport, signature};
use crate::MonitorError;
use crate::catalogue::{Catalogue, incidents, outbox};
use crate::definition::{ChannelDefinition, ChannelKind, HookDefinition, Secret};
use crate::incident::{Incident, IncidentId, TimelineKind, example};
use crate::watch::Feed;

const SECOND: i64 = 1_000_000;
const NOW: i64 = 1_795_356_300 * SECOND;
const DELIVERED: DeliveryReport = DeliveryReport {
    delivered: 1,
    retried: 0,
    failed: 0,
};
const RETRIED: DeliveryReport = DeliveryReport {
    delivered: 0,
    retried: 1,
    failed: 0,
};
const FAILED: DeliveryReport = DeliveryReport {
    delivered: 0,
    retried: 0,
    failed: 1,
};
const NOTHING: DeliveryReport = DeliveryReport {
    delivered: 0,
    retried: 0,
    failed: 0,
};

/// What the server does with one request.
#[derive(Clone, Copy)]
enum Reply {
    Answer(&'static str, &'static str),
    /// A body with a status.
    Say(&'static str, &'static str),
    Hang,
}

#[derive(Clone, Debug)]
struct Received {
    /// Path and query.
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Received {
    fn header(&self, name: &str) -> &str {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    fn json(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A server that answers by a script; the last reply is repeated.
struct Receiver {
    port: u16,
    requests: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    fn start(script: &[Reply]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, script) = (Arc::clone(&requests), script.to_vec());
        std::thread::spawn(move || {
            let mut hanging: Vec<TcpStream> = Vec::new();
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                seen.lock().unwrap().push(read_request(&stream));
                match script[number.min(script.len() - 1)] {
                    Reply::Hang => hanging.push(stream),
                    Reply::Say(status, body) => {
                        let length = body.len();
                        let head = format!("Content-Length: {length}\r\nConnection: close\r\n");
                        let answer = format!("HTTP/1.1 {status}\r\n{head}\r\n{body}");
                        stream.write_all(answer.as_bytes()).unwrap();
                    }
                    Reply::Answer(status, headers) => {
                        let close = "Content-Length: 0\r\nConnection: close\r\n\r\n";
                        let answer = format!("HTTP/1.1 {status}\r\n{headers}{close}");
                        stream.write_all(answer.as_bytes()).unwrap();
                    }
                }
            }
        });
        Self { port, requests }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    fn requests(&self) -> Vec<Received> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream) -> Received {
    let mut reader = BufReader::new(stream);
    let mut headers = Vec::new();
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let target = line.strip_prefix("POST ").unwrap();
    let target = target.split(' ').next().unwrap().to_owned();
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        let Some((key, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.push((key.to_owned(), value.to_owned()));
    }
    let mut received = Received {
        target,
        headers,
        body: Vec::new(),
    };
    received.body = vec![0; received.header("content-length").parse().unwrap()];
    reader.read_exact(&mut received.body).unwrap();
    received
}

fn secret() -> Secret {
    Secret::from_bytes("0123456789abcdef").unwrap()
}

fn courier(catalogue: &Arc<Catalogue>, url: String, allow_private: bool) -> Courier {
    let channels = [channel("on_call", url, allow_private)];
    let options = CourierOptions {
        timeout: Duration::from_millis(300),
        patience: Duration::from_secs(30),
        ..Default::default()
    };
    Courier::new(&channels, Arc::clone(catalogue), Feed::default(), options).unwrap()
}

fn channel(name: &str, url: String, allow_private: bool) -> ChannelDefinition {
    let hook = HookDefinition {
        url,
        secret: Some(secret()),
        allow_private,
    };
    ChannelDefinition::new(name, ChannelKind::Webhook(hook))
}

fn with_message(catalogue: &Catalogue) -> Incident {
    let incident = example();
    catalogue
        .write(|db| {
            incidents::put(db, &incident, &["on_call".to_owned()])?;
            let body = "{\"version\":1}";
            outbox::enqueue(db, &incident, "on_call", TimelineKind::Opened, body, NOW)?;
            outbox::enqueue(db, &incident, "on_call", TimelineKind::Opened, "other", NOW)
        })
        .unwrap();
    incident
}

/// A catalogue with a message about each incident's transition to the channel `team`.
fn with_transitions(transitions: &[(Incident, TimelineKind)]) -> Arc<Catalogue> {
    let catalogue = Arc::new(Catalogue::in_memory().unwrap());
    catalogue
        .write(|db| {
            for (incident, kind) in transitions {
                incidents::put(db, incident, &["team".to_owned()])?;
                let link = Some("https://till.example");
                let body = crate::watch::message::body(incident, *kind, link).unwrap();
                outbox::enqueue(db, incident, "team", *kind, &body, NOW)?;
            }
            Ok(())
        })
        .unwrap();
    catalogue
}

/// A courier for one channel of these settings.
fn courier_of(catalogue: &Arc<Catalogue>, channel: ChannelDefinition) -> Courier {
    let options = CourierOptions {
        timeout: Duration::from_secs(5),
        patience: Duration::from_secs(30),
        ..Default::default()
    };
    Courier::new(&[channel], Arc::clone(catalogue), Feed::default(), options).unwrap()
}

/// An incident whose slice holds what an attacker may send in a field.
fn hostile() -> Incident {
    let mut incident = example();
    let long = format!("{}{}", "x*_`\r\n".repeat(10), "y".repeat(10_240));
    let slice = [
        (
            "psp",
            "<img src=x onerror=alert(1)> <!channel> <at id=all></at>",
        ),
        (
            "issuer",
            "[x](javascript:alert(1)) *bold* ![i](http://evil.example/)",
        ),
        ("country", long.as_str()),
    ];
    incident.slice = crate::figure::Slice::from(slice);
    incident
}

fn last_entry(catalogue: &Catalogue) -> (TimelineKind, String) {
    let incident = catalogue.incident(example().id.as_str()).unwrap();
    let last = incident.timeline.last().cloned().unwrap();
    (last.kind, last.text)
}

/// A catalogue with one message, its courier and the server it goes to.
fn bench(script: &[Reply]) -> (Receiver, Arc<Catalogue>, Courier) {
    let receiver = Receiver::start(script);
    let catalogue = Arc::new(Catalogue::in_memory().unwrap());
    with_message(&catalogue);
    let courier = courier(
        &catalogue,
        format!("http://127.0.0.1:{}/hook", receiver.port),
        true,
    );
    (receiver, catalogue, courier)
}

const OK: Reply = Reply::Answer("200 OK", "");

#[tokio::test]
async fn a_message_arrives_signed_once_and_shows_in_the_timeline() {
    let (receiver, catalogue, courier) = bench(&[OK]);
    assert_eq!(courier.deliver_due(NOW).await.unwrap(), DELIVERED);
    assert_eq!(
        courier.deliver_due(NOW + 86_400 * SECOND).await.unwrap(),
        NOTHING
    );
    let requests = receiver.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!(request.target, "/hook");
    assert_eq!(request.body, b"{\"version\":1}");
    let header = request.header("Tillwatch-Signature");
    signature::verify(&secret(), header, &request.body, NOW / SECOND, 0).unwrap();
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(
        request.header("idempotency-key"),
        format!("{}:1", example().id)
    );
    assert!(request.header("user-agent").starts_with("Tillwatch/"));
    let delivered = "on_call: delivered (200), attempt 1".to_owned();
    assert_eq!(last_entry(&catalogue), (TimelineKind::Delivered, delivered));
}

#[tokio::test]
async fn errors_and_timeouts_are_tried_again_with_the_same_key_and_body() {
    let script = [
        Reply::Answer("500 Internal Server Error", ""),
        Reply::Hang,
        OK,
    ];
    let (receiver, catalogue, courier) = bench(&script);
    assert_eq!(courier.deliver_due(NOW).await.unwrap(), RETRIED);
    assert_eq!(
        courier.deliver_due(NOW + SECOND).await.unwrap(),
        NOTHING,
        "not before its time"
    );
    assert_eq!(
        courier.deliver_due(NOW + 6 * SECOND).await.unwrap(),
        RETRIED
    );
    assert_eq!(
        courier.deliver_due(NOW + 30 * SECOND).await.unwrap(),
        DELIVERED
    );
    let requests = receiver.requests();
    assert_eq!(requests.len(), 3);
    for (request, at_s) in requests.iter().zip([0, 6, 30]) {
        assert_eq!(
            request.header("idempotency-key"),
            format!("{}:1", example().id)
        );
        assert_eq!(request.body, requests[0].body);
        let header = request.header("Tillwatch-Signature");
        let now_s = NOW / SECOND + at_s;
        signature::verify(&secret(), header, &request.body, now_s, 0).unwrap();
    }
    assert_eq!(
        last_entry(&catalogue).1,
        "on_call: delivered (200), attempt 3"
    );
}

#[tokio::test]
async fn a_receiver_that_asks_for_a_pause_gets_it() {
    let busy = Reply::Answer("429 Too Many Requests", "Retry-After: 120\r\n");
    let (receiver, _, courier) = bench(&[busy, OK]);
    assert_eq!(courier.deliver_due(NOW).await.unwrap(), RETRIED);
    assert_eq!(
        courier.deliver_due(NOW + 119 * SECOND).await.unwrap(),
        NOTHING
    );
    assert_eq!(
        courier.deliver_due(NOW + 120 * SECOND).await.unwrap(),
        DELIVERED
    );
    assert_eq!(receiver.requests().len(), 2);
}

#[tokio::test]
async fn a_message_waits_through_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalogue.db");
    let receiver = Receiver::start(&[Reply::Answer("503 Service Unavailable", ""), OK]);
    let url = format!("http://127.0.0.1:{}/hook", receiver.port);
    let before = Arc::new(Catalogue::open(&path).unwrap());
    with_message(&before);
    let first = courier(&before, url.clone(), true);
    assert_eq!(first.deliver_due(NOW).await.unwrap(), RETRIED);
    drop((first, before));
    let after = Arc::new(Catalogue::open(&path).unwrap());
    assert_eq!(after.pending().unwrap(), 1);
    let second = courier(&after, url, true);
    assert_eq!(
        second.deliver_due(NOW + 10 * SECOND).await.unwrap(),
        DELIVERED
    );
    let keys: Vec<String> = receiver
        .requests()
        .iter()
        .map(|r| r.header("idempotency-key").to_owned())
        .collect();
    assert_eq!(
        keys,
        [format!("{}:1", example().id), format!("{}:1", example().id)]
    );
    assert_eq!(last_entry(&after).1, "on_call: delivered (200), attempt 2");
}

#[tokio::test]
async fn a_receiver_that_never_answers_well_is_given_up_and_the_timeline_says_so() {
    let (receiver, catalogue, courier) = bench(&[Reply::Answer("404 Not Found", "")]);
    let mut now = NOW;
    let mut total = DeliveryReport::default();
    while total.failed == 0 && now < NOW + 48 * 3600 * SECOND {
        let report = courier.deliver_due(now).await.unwrap();
        total.failed += report.failed;
        total.retried += report.retried;
        now += 1800 * SECOND;
    }
    assert_eq!((total.retried, total.failed), (11, 1));
    assert_eq!(receiver.requests().len(), 12);
    let text = "on_call: answered 404 Not Found; given up after 12 attempts".to_owned();
    assert_eq!(last_entry(&catalogue), (TimelineKind::DeliveryFailed, text));
    assert_eq!(catalogue.pending().unwrap(), 0);
}

#[tokio::test]
async fn a_redirect_is_refused_and_never_followed() {
    let target = Receiver::start(&[OK]);
    let location = format!("Location: http://127.0.0.1:{}/hook\r\n", target.port);
    let location: &'static str = Box::leak(location.into_boxed_str());
    let (receiver, catalogue, courier) = bench(&[Reply::Answer("302 Found", location)]);
    assert_eq!(courier.deliver_due(NOW).await.unwrap(), FAILED);
    assert_eq!(receiver.requests().len(), 1);
    assert!(target.requests().is_empty());
    let text = "on_call: answered 302 Found, and redirects are not followed".to_owned();
    assert_eq!(last_entry(&catalogue), (TimelineKind::DeliveryFailed, text));
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_refused_when_connecting() {
    let receiver = Receiver::start(&[OK]);
    let catalogue = Arc::new(Catalogue::in_memory().unwrap());
    with_message(&catalogue);
    let url = format!("http://localhost:{}/hook", receiver.port);
    let courier = courier(&catalogue, url, false);
    assert_eq!(courier.deliver_due(NOW).await.unwrap(), FAILED);
    assert!(receiver.requests().is_empty());
    let text = "on_call: `localhost` does not lead to a public address".to_owned();
    assert_eq!(last_entry(&catalogue), (TimelineKind::DeliveryFailed, text));
}

#[test]
fn an_address_of_this_machine_is_refused_before_anything_is_sent() {
    let url = "http://127.0.0.1:9/hook".to_owned();
    let hook = HookDefinition {
        url,
        secret: None,
        allow_private: false,
    };
    let channels = [ChannelDefinition::new(
        "on_call",
        ChannelKind::Webhook(hook),
    )];
    let catalogue = Arc::new(Catalogue::in_memory().unwrap());
    let refused = Courier::new(
        &channels,
        catalogue,
        Feed::default(),
        CourierOptions::default(),
    );
    let Err(MonitorError::Definition { item, fault }) = refused else {
        panic!("not refused")
    };
    assert_eq!(item, "channel `on_call`");
    assert!(fault.reason.contains("not a public address"), "{fault}");
}

#[tokio::test]
async fn a_message_to_a_channel_that_is_gone_fails_visibly() {
    let catalogue = Arc::new(Catalogue::in_memory().unwrap());
    with_message(&catalogue);
    let options = CourierOptions::default();
    let courier = Courier::new(&[], Arc::clone(&catalogue), Feed::default(), options).unwrap();
    assert_eq!(courier.deliver_due(NOW).await.unwrap(), FAILED);
    let text = "on_call: the channel is not defined any more".to_owned();
    assert_eq!(last_entry(&catalogue), (TimelineKind::DeliveryFailed, text));
}

#[tokio::test]
async fn a_delivery_is_published_to_subscribers() {
    let receiver = Receiver::start(&[OK]);
    let catalogue = Arc::new(Catalogue::in_memory().unwrap());
    with_message(&catalogue);
    let url = format!("http://127.0.0.1:{}/hook", receiver.port);
    let mut courier = courier(&catalogue, url, true);
    courier.feed = Feed::default();
    let mut events = courier.feed.subscribe();
    courier.deliver_due(NOW).await.unwrap();
    let event = events.try_recv().unwrap();
    assert_eq!(event.kind, TimelineKind::Delivered);
    assert_eq!(event.incident.id, example().id);
}

/// Puts `count` messages about as many incidents of `monitor` into the outbox.
fn enqueue(catalogue: &Catalogue, monitor: &str, channel: &str, count: u32) {
    catalogue
        .write(|db| {
            for number in 0..count {
                let mut incident = example();
                incident.id = IncidentId::new(NOW, monitor, &incident.slice, number);
                incidents::put(db, &incident, &[channel.to_owned()])?;
                outbox::enqueue(db, &incident, channel, TimelineKind::Opened, "{}", NOW)?;
            }
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn a_receiver_that_hangs_keeps_no_other_channel_waiting() {
    let (dead, good) = (Receiver::start(&[Reply::Hang]), Receiver::start(&[OK]));
    let url = |receiver: &Receiver| format!("http://127.0.0.1:{}/hook", receiver.port);
    let catalogue = Arc::new(Catalogue::in_memory().unwrap());
    let channels = [
        channel("dead", url(&dead), true),
        channel("good", url(&good), true),
    ];
    let options = CourierOptions {
        timeout: Duration::from_secs(120),
        patience: Duration::from_millis(300),
        ..Default::default()
    };
    let courier =
        Courier::new(&channels, Arc::clone(&catalogue), Feed::default(), options).unwrap();
    enqueue(&catalogue, "first", "dead", 40);
    enqueue(&catalogue, "second", "good", 6);
    let mut delivered = 0;
    for (call, expected) in [(0, 6), (1, 6), (2, 9)] {
        if call == 2 {
            enqueue(&catalogue, "third", "good", 3);
        }
        // A machine under load may need several calls; a wait for the other would take minutes.
        for _ in 0..100 {
            delivered += courier.deliver_due(NOW).await.unwrap().delivered;
            if delivered >= expected {
                break;
            }
        }
        assert_eq!(delivered, expected, "call {call}");
    }
    assert_eq!(good.requests().len(), 9, "each once");
    let dead = dead.requests();
    assert_eq!(dead.len(), 4, "no more at a time");
    let key = |request: &Received| request.header("idempotency-key").to_owned();
    let mut sent: Vec<String> = dead.iter().map(key).collect();
    sent.sort();
    let first = |n| IncidentId::new(NOW, "first", &example().slice, n);
    let mut due: Vec<String> = (0..4).map(|n| format!("{}:1", first(n))).collect();
    due.sort();
    assert_eq!(sent, due, "the oldest first, none twice");
    assert_eq!(catalogue.pending().unwrap(), 40);
}

#[tokio::test]
async fn messages_about_one_incident_arrive_in_order() {
    let busy = Reply::Answer("503 Service Unavailable", "");
    let (receiver, catalogue, courier) = bench(&[busy, OK]);
    let mut incident = example();
    incident.transition = 2;
    catalogue
        .write(|db| {
            let resolved = TimelineKind::Resolved;
            outbox::enqueue(db, &incident, "on_call", resolved, "over", NOW)
        })
        .unwrap();
    assert_eq!(courier.deliver_due(NOW).await.unwrap(), RETRIED);
    let later = NOW + SECOND;
    assert_eq!(courier.deliver_due(later).await.unwrap(), NOTHING);
    let mut now = NOW + 6 * SECOND;
    while catalogue.pending().unwrap() > 0 {
        assert_eq!(courier.deliver_due(now).await.unwrap(), DELIVERED);
        now += SECOND;
    }
    let key = |request: &Received| request.header("idempotency-key").to_owned();
    let keys: Vec<String> = receiver.requests().iter().map(key).collect();
    let id = incident.id;
    assert_eq!(
        keys,
        [format!("{id}:1"), format!("{id}:1"), format!("{id}:2")]
    );
}

#[tokio::test]
async fn what_is_under_way_can_be_waited_for() {
    let receiver = Receiver::start(&[Reply::Hang]);
    let catalogue = Arc::new(Catalogue::in_memory().unwrap());
    with_message(&catalogue);
    let url = format!("http://127.0.0.1:{}/hook", receiver.port);
    let options = CourierOptions {
        timeout: Duration::from_secs(1),
        patience: Duration::ZERO,
        ..Default::default()
    };
    let channels = [channel("on_call", url, true)];
    let courier =
        Courier::new(&channels, Arc::clone(&catalogue), Feed::default(), options).unwrap();
    assert_eq!(courier.deliver_due(NOW).await.unwrap(), NOTHING);
    assert_eq!(courier.settle(NOW).await.unwrap(), RETRIED);
    assert_eq!(courier.settle(NOW).await.unwrap(), NOTHING);
}
