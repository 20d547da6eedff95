//! Several incidents in one message.

use super::*;
use crate::catalogue::GROUP_MAX;

fn team(receiver: &Receiver, wait_s: u64) -> ChannelDefinition {
    let hook = HookDefinition {
        url: receiver.url(),
        secret: None,
        allow_private: true,
    };
    let mut channel = ChannelDefinition::new("team", ChannelKind::Slack(hook));
    channel.group_wait = Duration::from_secs(wait_s);
    channel
}

/// The example incident under another number.
fn numbered(number: u32) -> Incident {
    let mut incident = example();
    incident.id = IncidentId::new(NOW, "drop", &incident.slice, number);
    incident
}

fn tell(catalogue: &Catalogue, incident: &Incident, kind: TimelineKind, at_us: i64) {
    catalogue
        .write(|db| {
            incidents::put(db, incident, &["team".to_owned()])?;
            let body = crate::watch::message::body(incident, kind, None).unwrap();
            outbox::enqueue(db, incident, "team", kind, &body, at_us)
        })
        .unwrap();
}

/// How many incidents a message tells of.
fn told(request: &Received) -> usize {
    let message = request.json();
    let blocks = message["blocks"].as_array().unwrap();
    let kinds = blocks.iter().filter(|block| block["type"] == "context");
    kinds.count()
}

fn report(delivered: usize, retried: usize) -> DeliveryReport {
    DeliveryReport {
        delivered,
        retried,
        failed: 0,
    }
}

#[tokio::test]
async fn what_comes_within_the_wait_goes_out_as_one_and_stays_together_at_every_attempt() {
    let busy = Reply::Answer("503 Service Unavailable", "");
    let receiver = Receiver::start(&[busy, OK]);
    let catalogue = Arc::new(Catalogue::in_memory().unwrap());
    tell(&catalogue, &numbered(0), TimelineKind::Opened, NOW);
    let courier = courier_of(&catalogue, team(&receiver, 30));
    assert_eq!(
        courier.deliver_due(NOW + 29 * SECOND).await.unwrap(),
        NOTHING
    );
    tell(
        &catalogue,
        &numbered(1),
        TimelineKind::Opened,
        NOW + 29 * SECOND,
    );
    let at = NOW + 30 * SECOND;
    assert_eq!(courier.deliver_due(at).await.unwrap(), report(0, 2));
    // One that comes while they are tried again does not join them.
    tell(&catalogue, &numbered(2), TimelineKind::Opened, at + SECOND);
    drop(courier);
    let courier = courier_of(&catalogue, team(&receiver, 30));
    let mut delivered = 0;
    for second in 1..60 {
        let report = courier.deliver_due(at + second * SECOND).await.unwrap();
        delivered += report.delivered;
    }
    assert_eq!(delivered, 3);
    let requests = receiver.requests();
    let sizes: Vec<usize> = requests.iter().map(told).collect();
    assert_eq!(sizes, [2, 2, 1]);
    let key = |at: usize| requests[at].header("idempotency-key").to_owned();
    assert_eq!(key(0), format!("{}:1", numbered(0).id));
    assert_eq!(key(0), key(1));
    assert_eq!(requests[0].body, requests[1].body);
    for number in 0..3 {
        let incident = catalogue.incident(numbered(number).id.as_str()).unwrap();
        let last = incident.timeline.last().unwrap();
        assert_eq!(last.kind, TimelineKind::Delivered, "{number}");
    }
}

#[tokio::test]
async fn of_one_incident_the_begin_is_told_before_or_with_the_end() {
    let busy = Reply::Answer("503 Service Unavailable", "");
    let receiver = Receiver::start(&[busy, OK]);
    let catalogue = Arc::new(Catalogue::in_memory().unwrap());
    tell(&catalogue, &numbered(0), TimelineKind::Opened, NOW);
    let courier = courier_of(&catalogue, team(&receiver, 1));
    assert_eq!(courier.deliver_due(NOW + SECOND).await.unwrap(), RETRIED);
    let mut over = numbered(0);
    over.transition = 2;
    tell(&catalogue, &over, TimelineKind::Resolved, NOW + 2 * SECOND);
    for second in 3..60 {
        courier.deliver_due(NOW + second * SECOND).await.unwrap();
    }
    let keys: Vec<String> = receiver
        .requests()
        .iter()
        .map(|request| request.header("idempotency-key").to_owned())
        .collect();
    let id = over.id;
    assert_eq!(
        keys,
        [format!("{id}:1"), format!("{id}:1"), format!("{id}:2")]
    );
}

#[tokio::test]
async fn a_message_tells_of_at_most_twenty() {
    let receiver = Receiver::start(&[OK]);
    let catalogue = Arc::new(Catalogue::in_memory().unwrap());
    for number in 0..45 {
        tell(&catalogue, &numbered(number), TimelineKind::Opened, NOW);
    }
    let courier = courier_of(&catalogue, team(&receiver, 1));
    let mut delivered = 0;
    for second in 1..10 {
        delivered += courier
            .deliver_due(NOW + second * SECOND)
            .await
            .unwrap()
            .delivered;
    }
    assert_eq!(delivered, 45);
    let sizes: Vec<usize> = receiver.requests().iter().map(told).collect();
    assert_eq!(sizes, [GROUP_MAX, GROUP_MAX, 5]);
}
