//! Who is told and when: routes, maintenance windows, quiet hours, and telling again.

use std::time::Duration;

use jiff::Timestamp;

use super::traffic::{BEGIN, DAY, MINUTE, SECOND};
use super::*;
use crate::catalogue::outbox;
use crate::definition::{
    AlertmanagerDefinition, MaintenanceDefinition, MaintenanceTime, Once, QuietHours,
    RouteDefinition, Selector, Severity, Weekly,
};
use crate::incident::{IncidentState, TimelineKind};
use crate::watch::ActionNote;

/// Half a day of history is enough here, and soon drawn.
const LIVE: i64 = BEGIN + DAY / 2;

/// Twenty bad minutes and twenty good ones, nothing judged yet.
fn bench(rules: AnnounceRules) -> Bench {
    let traffic = Arc::new(Traffic::new(21));
    let psp = Slice::from([("psp", "adyen")]);
    let bad_upto = LIVE + 20 * MINUTE;
    traffic.steady(&psp, BEGIN, LIVE, 60.0, 0.88);
    traffic.steady(&psp, LIVE, bad_upto, 60.0, 0.3);
    traffic.steady(&psp, bad_upto, bad_upto + 20 * MINUTE, 60.0, 0.88);
    let catalogue = Arc::new(Catalogue::in_memory().unwrap());
    let watch = start_with(
        &traffic,
        &catalogue,
        vec![rate_monitor(&["psp"])],
        rules,
        BEGIN,
    );
    Bench {
        traffic,
        catalogue,
        watch,
    }
}

fn rules(channels: Vec<ChannelDefinition>) -> AnnounceRules {
    AnnounceRules {
        channels,
        ..Default::default()
    }
}

/// Channel and kind of every message that waits, in order.
fn told(bench: &Bench) -> Vec<(String, String)> {
    let messages = bench.catalogue.read(outbox::waiting).unwrap();
    let of = |message: &crate::catalogue::Message| {
        let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
        let kind = body["kind"].as_str().unwrap().to_owned();
        (message.channel.clone(), kind)
    };
    messages.iter().map(of).collect()
}

fn pairs(told: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(channel, kind): &(&str, &str)| ((*channel).to_owned(), (*kind).to_owned());
    told.iter().map(owned).collect()
}

/// Takes every message that waits away as delivered.
fn deliver(bench: &Bench, now_us: i64) {
    let messages = bench.catalogue.read(outbox::waiting).unwrap();
    let outcome = crate::catalogue::Outcome::Delivered("delivered".to_owned());
    bench
        .catalogue
        .attempted(&messages, &outcome, now_us)
        .unwrap();
}

fn route(name: &str, selector: Selector, channels: &[&str]) -> RouteDefinition {
    RouteDefinition {
        name: name.to_owned(),
        selector,
        channels: channels.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// A span of the clock in UTC every day, from `LIVE` plus some minutes on.
fn daily(from_min: i64, to_min: i64) -> Weekly {
    let clock = |minutes: i64| {
        let at = Timestamp::from_microsecond(LIVE + minutes * MINUTE).unwrap();
        at.strftime("%H:%M").to_string()
    };
    Weekly::parse(&[], &clock(from_min), &clock(to_min), None).unwrap()
}

#[test]
fn a_route_adds_channels_to_those_that_the_monitor_names_each_once() {
    let mut psp = Selector::default();
    psp.slices.insert("psp".into(), vec![Some("adyen".into())]);
    let mut other = Selector::default();
    other
        .slices
        .insert("psp".into(), vec![Some("stripe".into())]);
    let urgent = Selector {
        severity: Some(Severity::Critical),
        ..Default::default()
    };
    let mut rules = rules(
        ["on_call", "adyen", "stripe", "urgent"]
            .map(channel)
            .to_vec(),
    );
    rules.routes = vec![
        route("a", psp, &["adyen", "on_call"]),
        route("b", other, &["stripe"]),
        route("c", urgent, &["urgent"]),
    ];
    let bench = bench(rules);
    bench.judge(LIVE, LIVE + 10 * MINUTE);
    let opened = [("on_call", "opened"), ("adyen", "opened")];
    assert_eq!(told(&bench), pairs(&opened));
    deliver(&bench, LIVE + 10 * MINUTE);
    bench.judge(LIVE + 10 * MINUTE, LIVE + 30 * MINUTE);
    let resolved = [("on_call", "resolved"), ("adyen", "resolved")];
    assert_eq!(told(&bench), pairs(&resolved));
}

#[test]
fn a_route_to_no_channel_is_refused() {
    let mut rules = rules(vec![channel("on_call")]);
    rules.routes = vec![route("a", Selector::default(), &["nobody"])];
    let traffic = Arc::new(Traffic::new(1));
    let refused = Watch::start(
        Vec::new(),
        rules,
        Arc::new(Catalogue::in_memory().unwrap()),
        traffic,
        Feed::default(),
        WatchOptions::default(),
        BEGIN,
    );
    let Err(error) = refused else {
        panic!("not refused")
    };
    let text = "route `a`: channels: no channel is named `nobody`";
    assert_eq!(error.to_string(), text);
}

fn maintenance(selector: Selector, time: MaintenanceTime) -> AnnounceRules {
    let mut rules = rules(vec![channel("on_call")]);
    let name = "release".to_owned();
    rules.maintenance = vec![MaintenanceDefinition {
        name,
        selector,
        time,
    }];
    rules
}

#[test]
fn a_maintenance_window_holds_back_what_it_picks_and_tells_of_what_outlives_it() {
    let once = MaintenanceTime::Once(Once {
        from_us: LIVE,
        to_us: LIVE + 12 * MINUTE,
    });
    for time in [once, MaintenanceTime::Weekly(daily(0, 12))] {
        let bench = bench(maintenance(Selector::default(), time));
        bench.judge(LIVE, LIVE + 11 * MINUTE);
        let incident = bench.only_incident();
        assert_eq!(incident.state, IncidentState::Open);
        let note = incident.timeline.last().unwrap();
        let text = "maintenance window `release`: nobody is told before ";
        assert!(note.text.starts_with(text), "{}", note.text);
        assert_eq!(told(&bench), []);
        bench.judge(LIVE + 11 * MINUTE, LIVE + 14 * MINUTE);
        assert_eq!(told(&bench), pairs(&[("on_call", "opened")]));
        bench.judge(LIVE + 14 * MINUTE, LIVE + 30 * MINUTE);
        let all = [("on_call", "opened"), ("on_call", "resolved")];
        assert_eq!(told(&bench), pairs(&all));
    }
}

#[test]
fn what_a_maintenance_window_does_not_pick_is_told_and_what_ends_within_one_never_is() {
    let time = MaintenanceTime::Weekly(daily(0, 35));
    let other = Selector {
        monitors: vec!["other".into()],
        ..Default::default()
    };
    let told_bench = bench(maintenance(other, time.clone()));
    told_bench.judge(LIVE, LIVE + 11 * MINUTE);
    assert_eq!(told(&told_bench), pairs(&[("on_call", "opened")]));
    let bench = bench(maintenance(Selector::default(), time));
    bench.judge(LIVE, LIVE + 38 * MINUTE);
    assert_eq!(bench.only_incident().state, IncidentState::Resolved);
    assert_eq!(told(&bench), []);
}

/// `on_call`, and `team` that is quiet below critical.
fn with_quiet_hours(to_min: i64) -> AnnounceRules {
    let mut team = channel("team");
    team.quiet_hours = Some(QuietHours {
        when: daily(-5, to_min),
        below: Severity::Critical,
    });
    let mut rules = rules(vec![channel("on_call"), team]);
    rules.routes = vec![route("all", Selector::default(), &["team"])];
    rules
}

#[test]
fn a_channel_in_its_quiet_hours_hears_afterwards_of_what_is_still_open() {
    let mut bench = bench(with_quiet_hours(12));
    bench.judge(LIVE, LIVE + 11 * MINUTE);
    assert_eq!(told(&bench), pairs(&[("on_call", "opened")]));
    // Also over a restart, and what somebody did meanwhile makes it no older news.
    let id = bench.only_incident().id;
    let note = ActionNote::default();
    bench
        .watch
        .acknowledge(id.as_str(), &note, LIVE + 11 * MINUTE)
        .unwrap();
    bench.watch = start_with(
        &bench.traffic,
        &bench.catalogue,
        vec![rate_monitor(&["psp"])],
        with_quiet_hours(12),
        LIVE + 11 * MINUTE,
    );
    bench.judge(LIVE + 11 * MINUTE, LIVE + 14 * MINUTE);
    let all = [
        ("on_call", "opened"),
        ("on_call", "acknowledged"),
        ("team", "opened"),
    ];
    assert_eq!(told(&bench), pairs(&all));
}

#[test]
fn quiet_hours_keep_what_ended_in_them_and_hold_nothing_urgent_back() {
    let quiet = bench(with_quiet_hours(35));
    quiet.judge(LIVE, LIVE + 38 * MINUTE);
    let on_call = [("on_call", "opened"), ("on_call", "resolved")];
    assert_eq!(told(&quiet), pairs(&on_call));
    let urgent = bench(with_quiet_hours(35));
    let mut monitor = rate_monitor(&["psp"]);
    monitor.severity = Severity::Critical;
    let watch = start_with(
        &urgent.traffic,
        &urgent.catalogue,
        vec![monitor],
        with_quiet_hours(35),
        BEGIN,
    );
    let urgent = Bench { watch, ..urgent };
    urgent.judge(LIVE, LIVE + 11 * MINUTE);
    let both = [("on_call", "opened"), ("team", "opened")];
    assert_eq!(told(&urgent), pairs(&both));
}

#[test]
fn an_open_incident_is_told_again_until_somebody_takes_it() {
    let mut on_call = channel("on_call");
    on_call.repeat_every = Some(Duration::from_secs(120));
    let bench = bench(rules(vec![on_call]));
    bench.judge(LIVE, LIVE + 10 * MINUTE);
    assert_eq!(
        told(&bench),
        pairs(&[("on_call", "opened")]),
        "not again while the first waits"
    );
    deliver(&bench, LIVE + 10 * MINUTE);
    bench.judge(LIVE + 10 * MINUTE, LIVE + 11 * MINUTE);
    let messages = bench.catalogue.read(outbox::waiting).unwrap();
    assert_eq!(told(&bench), pairs(&[("on_call", "repeated")]));
    let id = bench.only_incident().id;
    assert_eq!(messages[0].idempotency_key(), format!("{id}:1:1"));
    deliver(&bench, LIVE + 11 * MINUTE);
    bench.judge(LIVE + 11 * MINUTE, LIVE + 11 * MINUTE + 50 * SECOND);
    assert_eq!(told(&bench), [], "not before its time");
    bench.judge(LIVE + 12 * MINUTE, LIVE + 13 * MINUTE + 10 * SECOND);
    let messages = bench.catalogue.read(outbox::waiting).unwrap();
    assert_eq!(messages[0].idempotency_key(), format!("{id}:1:2"));
    deliver(&bench, LIVE + 13 * MINUTE);
    let note = ActionNote::default();
    let now = LIVE + 13 * MINUTE + 20 * SECOND;
    bench.watch.acknowledge(id.as_str(), &note, now).unwrap();
    deliver(&bench, now);
    bench.judge(now, LIVE + 19 * MINUTE);
    assert_eq!(told(&bench), []);
    let timeline = bench.only_incident().timeline;
    let delivered = timeline
        .iter()
        .filter(|e| e.kind == TimelineKind::Delivered);
    assert_eq!(
        delivered.count(),
        2,
        "of what is told again the timeline says nothing"
    );
}

#[test]
fn an_alert_is_sent_again_every_minute_also_when_it_is_taken_or_silenced() {
    let manager = AlertmanagerDefinition {
        url: "https://alerts.example.com".into(),
        user: None,
        password: None,
        allow_private: false,
    };
    let kind = ChannelKind::Alertmanager(manager);
    let bench = bench(rules(vec![ChannelDefinition::new("on_call", kind)]));
    bench.judge(LIVE, LIVE + 10 * MINUTE);
    assert_eq!(told(&bench), pairs(&[("on_call", "opened")]));
    let id = bench.only_incident().id;
    let note = ActionNote::default();
    let now = LIVE + 10 * MINUTE;
    bench.watch.acknowledge(id.as_str(), &note, now).unwrap();
    bench
        .watch
        .silence(id.as_str(), LIVE + DAY, &note, now)
        .unwrap();
    deliver(&bench, now);
    let mut again = 0;
    for minute in 11..16 {
        bench.judge(LIVE + (minute - 1) * MINUTE, LIVE + minute * MINUTE);
        again += told(&bench)
            .iter()
            .filter(|(_, kind)| kind == "repeated")
            .count();
        deliver(&bench, LIVE + minute * MINUTE);
    }
    assert!((4..=6).contains(&again), "{again} times in five minutes");
}
