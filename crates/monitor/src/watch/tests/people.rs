//! What people do: acknowledge, resolve, silence, edit definitions; and who is told.

use super::traffic::{BEGIN, DAY, MINUTE, SECOND};
use super::{Bench, rate_monitor};
use crate::MonitorError;
use crate::catalogue::outbox;
use crate::figure::Slice;
use crate::incident::{IncidentState, TimelineKind};
use crate::watch::ActionNote;

/// Half a day of history is enough here, and soon drawn.
const LIVE: i64 = BEGIN + DAY / 2;

/// Twenty bad minutes, twenty good ones and twenty bad ones, nothing judged yet.
fn quiet() -> Bench {
    let bench = Bench::new(21, vec![rate_monitor(&["psp"])]);
    let psp = Slice::from([("psp", "adyen")]);
    bench.traffic.steady(&psp, BEGIN, LIVE, 60.0, 0.88);
    bench
        .traffic
        .steady(&psp, LIVE, LIVE + 20 * MINUTE, 60.0, 0.3);
    bench
        .traffic
        .steady(&psp, LIVE + 20 * MINUTE, LIVE + 40 * MINUTE, 60.0, 0.88);
    bench
        .traffic
        .steady(&psp, LIVE + 40 * MINUTE, LIVE + 60 * MINUTE, 60.0, 0.3);
    bench
}

/// Ten bad minutes, judged, with the incident open.
fn broken() -> Bench {
    let bench = quiet();
    bench.judge(LIVE, LIVE + 10 * MINUTE);
    assert_eq!(bench.only_incident().state, IncidentState::Open);
    bench
}

fn note(text: &str) -> ActionNote {
    ActionNote {
        by: Some("ada".to_owned()),
        note: Some(text.to_owned()),
    }
}

#[test]
fn an_acknowledged_incident_stays_so_until_it_is_over() {
    let bench = broken();
    let id = bench.only_incident().id;
    let now = LIVE + 10 * MINUTE + SECOND;
    let taken = bench
        .watch
        .acknowledge(id.as_str(), &note("on it"), now)
        .unwrap();
    assert_eq!(taken.state, IncidentState::Acknowledged);
    assert_eq!(
        taken.timeline.last().unwrap().text,
        "acknowledged by ada: on it"
    );
    let again = bench
        .watch
        .acknowledge(id.as_str(), &ActionNote::default(), now)
        .unwrap();
    assert_eq!(again, taken, "taking it twice changes nothing");
    bench.judge(LIVE + 10 * MINUTE, LIVE + 15 * MINUTE);
    assert_eq!(bench.only_incident().state, IncidentState::Acknowledged);
    bench.judge(LIVE + 15 * MINUTE, LIVE + 30 * MINUTE);
    assert_eq!(bench.only_incident().state, IncidentState::Resolved);
    let refused = bench
        .watch
        .acknowledge(id.as_str(), &ActionNote::default(), now)
        .unwrap_err();
    assert!(
        matches!(
            refused,
            MonitorError::WrongState {
                state: "resolved",
                ..
            }
        ),
        "{refused}"
    );
}

#[test]
fn an_unknown_incident_is_an_error_of_its_own() {
    let bench = broken();
    let refused = bench
        .watch
        .resolve("inc_x", &ActionNote::default(), LIVE)
        .unwrap_err();
    assert!(matches!(refused, MonitorError::UnknownIncident(id) if id == "inc_x"));
}

#[test]
fn an_incident_resolved_by_a_person_is_not_told_again_while_the_same_trouble_lasts() {
    let bench = broken();
    let id = bench.only_incident().id;
    bench
        .watch
        .resolve(id.as_str(), &note("known"), LIVE + 10 * MINUTE)
        .unwrap();
    bench.judge(LIVE + 10 * MINUTE, LIVE + 38 * MINUTE);
    let resolved = bench.only_incident();
    assert_eq!(resolved.state, IncidentState::Resolved);
    assert_eq!(
        resolved.timeline.last().unwrap().text,
        "resolved by ada: known"
    );
    bench.judge(LIVE + 38 * MINUTE, LIVE + 50 * MINUTE);
    assert_eq!(bench.incidents().len(), 2, "new trouble is told");
}

#[test]
fn every_transition_is_put_into_the_outbox_once_with_its_state_of_then() {
    let bench = broken();
    bench.judge(LIVE + 10 * MINUTE, LIVE + 30 * MINUTE);
    let messages = bench.catalogue.read(outbox::waiting).unwrap();
    let bodies: Vec<serde_json::Value> = messages
        .iter()
        .map(|m| serde_json::from_str(&m.body).unwrap())
        .collect();
    assert_eq!(bodies.len(), 2, "{bodies:?}");
    let id = bench.only_incident().id;
    for (number, (kind, state)) in [("opened", "open"), ("resolved", "resolved")]
        .iter()
        .enumerate()
    {
        let body = &bodies[number];
        assert_eq!(body["version"], 1);
        assert_eq!(body["kind"], *kind);
        assert_eq!(body["incident"]["state"], *state);
        assert_eq!(body["link"], "https://till.example/");
        assert_eq!(
            messages[number].idempotency_key(),
            format!("{id}:{}", number + 1)
        );
    }
}

#[test]
fn a_silenced_incident_goes_on_but_nobody_is_told() {
    let bench = broken();
    let id = bench.only_incident().id;
    let (now, until) = (LIVE + 10 * MINUTE, LIVE + 45 * MINUTE);
    let silenced = bench
        .watch
        .silence(id.as_str(), until, &note("deploy"), now)
        .unwrap();
    assert_eq!(silenced.silenced_until_us, Some(until));
    assert_eq!(
        silenced.timeline.last().unwrap().kind,
        TimelineKind::Updated
    );
    bench.judge(now, LIVE + 30 * MINUTE);
    assert_eq!(bench.only_incident().state, IncidentState::Resolved);
    assert_eq!(
        bench.catalogue.pending().unwrap(),
        1,
        "only the opening was told"
    );
    bench.judge(LIVE + 30 * MINUTE, LIVE + 50 * MINUTE);
    assert_eq!(
        bench.catalogue.pending().unwrap(),
        1,
        "its return within the silence was not"
    );
}

/// The kinds of all messages that wait, in order.
fn told(bench: &Bench) -> Vec<String> {
    let messages = bench.catalogue.read(outbox::waiting).unwrap();
    let kind = |message: &crate::catalogue::Message| {
        let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
        body["kind"].as_str().unwrap().to_owned()
    };
    messages.iter().map(kind).collect()
}

/// Everything is silenced from the start until `until_us`.
fn silenced(until_us: i64) -> Bench {
    let bench = quiet();
    let silence = crate::catalogue::Silence {
        monitor: "drop".to_owned(),
        slice: Slice::whole(),
        until_us,
    };
    bench.catalogue.silence(&silence, LIVE).unwrap();
    bench
}

#[test]
fn an_incident_that_opened_in_a_silence_is_announced_when_it_ends() {
    for restarts in [false, true] {
        let mut bench = silenced(LIVE + 12 * MINUTE);
        bench.judge(LIVE, LIVE + 11 * MINUTE);
        assert_eq!(bench.only_incident().state, IncidentState::Open);
        assert!(told(&bench).is_empty(), "{:?}", told(&bench));
        if restarts {
            bench.restart(vec![rate_monitor(&["psp"])], LIVE + 11 * MINUTE);
        }
        bench.judge(LIVE + 12 * MINUTE, LIVE + 15 * MINUTE);
        assert_eq!(told(&bench), ["opened"], "once");
        bench.judge(LIVE + 15 * MINUTE, LIVE + 30 * MINUTE);
        assert_eq!(told(&bench), ["opened", "resolved"]);
    }
}

#[test]
fn an_incident_that_began_and_ended_in_a_silence_is_never_told() {
    let bench = silenced(LIVE + 32 * MINUTE);
    bench.judge(LIVE, LIVE + 36 * MINUTE);
    assert_eq!(bench.only_incident().state, IncidentState::Resolved);
    assert!(told(&bench).is_empty(), "{:?}", told(&bench));
}

#[test]
fn who_heard_of_an_incident_hears_of_its_end_when_the_silence_ends() {
    let bench = broken();
    let id = bench.only_incident().id;
    let (now, until) = (LIVE + 10 * MINUTE, LIVE + 32 * MINUTE);
    bench
        .watch
        .silence(id.as_str(), until, &note("deploy"), now)
        .unwrap();
    bench.judge(now, until - SECOND);
    assert_eq!(bench.only_incident().state, IncidentState::Resolved);
    assert_eq!(told(&bench), ["opened"]);
    bench.judge(until, LIVE + 36 * MINUTE);
    assert_eq!(told(&bench), ["opened", "resolved"]);
}

#[test]
fn a_silence_that_is_ended_tells_what_it_kept_back() {
    for restarts in [false, true] {
        let mut bench = silenced(LIVE + 40 * MINUTE);
        bench.judge(LIVE, LIVE + 11 * MINUTE);
        let now = LIVE + 11 * MINUTE;
        let id = bench.only_incident().id;
        bench
            .watch
            .silence(id.as_str(), LIVE + 30 * MINUTE, &note("deploy"), now)
            .unwrap();
        let kept = bench.catalogue.silences(now, 10).unwrap();
        let of: Vec<_> = kept.iter().map(|one| one.origin.incident.clone()).collect();
        assert_eq!(
            of,
            [Some(id.to_string()), None],
            "the one that ends first is first"
        );
        assert_eq!(kept[0].origin.by.as_deref(), Some("ada"));
        assert_eq!(kept[0].origin.note.as_deref(), Some("deploy"));
        assert_eq!(kept[0].origin.created_at_us, Some(now));
        if restarts {
            bench.restart(vec![rate_monitor(&["psp"])], now);
        }
        let end = |at: usize| {
            bench
                .watch
                .end_silence(kept[at].id, &note("done"), now)
                .unwrap()
        };
        // The wider one goes on: nobody is told yet, and the incident says until when.
        assert!(end(0));
        assert_eq!(
            bench.only_incident().silenced_until_us,
            Some(LIVE + 40 * MINUTE)
        );
        bench.judge(now, now + MINUTE);
        assert!(told(&bench).is_empty(), "{:?}", told(&bench));
        assert!(end(1));
        let incident = bench.only_incident();
        assert_eq!(incident.silenced_until_us, None);
        let last = incident.timeline.last().unwrap();
        assert_eq!(last.text, "silence ended by ada: done");
        assert!(!end(0) && !end(1), "they are over");
        assert!(bench.catalogue.silences(now, 10).unwrap().is_empty());
        bench.judge(now + MINUTE, now + 2 * MINUTE);
        assert_eq!(told(&bench), ["opened"], "once");
        bench.judge(now + 2 * MINUTE, LIVE + 30 * MINUTE);
        assert_eq!(told(&bench), ["opened", "resolved"]);
        assert_eq!(bench.only_incident().silenced_until_us, None);
    }
}

#[test]
fn a_silence_that_is_over_by_itself_is_neither_listed_nor_ended() {
    let bench = silenced(LIVE + MINUTE);
    let kept = bench.catalogue.silences(LIVE, 10).unwrap();
    assert_eq!(kept.len(), 1);
    let after = LIVE + MINUTE;
    assert!(bench.catalogue.silences(after, 10).unwrap().is_empty());
    assert!(
        !bench
            .watch
            .end_silence(kept[0].id, &note("done"), after)
            .unwrap()
    );
    assert!(!bench.watch.end_silence(-1, &note("done"), LIVE).unwrap());
}

#[test]
fn an_edited_or_removed_monitor_leaves_no_stale_incident() {
    for (edited, why) in [
        (true, "the monitor was changed"),
        (false, "the monitor was removed"),
    ] {
        let mut bench = broken();
        let mut definitions = vec![];
        if edited {
            definitions.push(rate_monitor(&["issuer"]));
        }
        bench.restart(definitions, LIVE + 11 * MINUTE);
        let closed = bench.only_incident();
        assert_eq!(closed.state, IncidentState::Resolved);
        assert_eq!(closed.timeline.last().unwrap().text, why);
        assert_eq!(
            bench.catalogue.pending().unwrap(),
            2,
            "who heard of it hears of its end"
        );
    }
}

#[test]
fn changing_who_is_told_keeps_the_incident_open() {
    let mut bench = broken();
    let mut quieter = rate_monitor(&["psp"]);
    quieter.notify.clear();
    quieter.severity = crate::definition::Severity::Info;
    bench.restart(vec![quieter], LIVE + 11 * MINUTE);
    assert_eq!(bench.only_incident().state, IncidentState::Open);
}

#[test]
fn subscribers_hear_of_every_transition() {
    let bench = broken();
    let mut feed = bench.watch.subscribe();
    let id = bench.only_incident().id;
    bench
        .watch
        .acknowledge(id.as_str(), &ActionNote::default(), LIVE + 10 * MINUTE)
        .unwrap();
    bench.judge(LIVE + 10 * MINUTE, LIVE + 30 * MINUTE);
    let mut kinds = Vec::new();
    while let Ok(event) = feed.try_recv() {
        assert_eq!(event.incident.id, id);
        kinds.push(event.kind);
    }
    assert_eq!(kinds.first(), Some(&TimelineKind::Acknowledged));
    assert_eq!(kinds.last(), Some(&TimelineKind::Resolved));
    assert!(
        kinds.contains(&TimelineKind::Updated),
        "figures move between transitions"
    );
}

#[test]
fn of_two_states_of_an_incident_the_later_one_never_looks_older() {
    let bench = broken();
    let mut feed = bench.watch.subscribe();
    let id = bench.only_incident().id;
    // Somebody acts by the clock, and judging lags fifteen minutes behind it.
    let now = LIVE + 25 * MINUTE;
    bench
        .watch
        .acknowledge(id.as_str(), &ActionNote::default(), now)
        .unwrap();
    bench.judge(LIVE + 10 * MINUTE, LIVE + 24 * MINUTE);
    let mut told = Vec::new();
    while let Ok(event) = feed.try_recv() {
        told.push((event.kind, event.incident.updated_at_us));
    }
    assert_eq!(told[0], (TimelineKind::Acknowledged, now));
    let (last, at) = told[told.len() - 1];
    assert_eq!(last, TimelineKind::Resolved);
    assert_eq!(at, now);
    assert!(told.is_sorted_by_key(|(_, at)| *at), "{told:?}");
    assert_eq!(bench.only_incident().updated_at_us, now);
}

#[test]
fn notes_are_kept_whatever_state_an_incident_is_in_and_nobody_is_told() {
    let bench = broken();
    let incident = bench.only_incident();
    let id = incident.id.as_str();
    let told = |bench: &Bench| bench.catalogue.read(outbox::waiting).unwrap().len();
    let now = LIVE + 10 * MINUTE + SECOND;
    let messages = told(&bench);
    bench
        .watch
        .note(id, &note("the PSP confirms"), now)
        .unwrap();
    assert_eq!(told(&bench), messages);
    bench.watch.resolve(id, &note("mended"), now + 1).unwrap();
    let noted = bench.watch.note(id, &note("and pays"), now + 2).unwrap();
    let texts: Vec<&str> = noted
        .timeline
        .iter()
        .filter(|entry| entry.kind == TimelineKind::Note)
        .map(|entry| entry.text.as_str())
        .collect();
    assert_eq!(
        texts,
        ["noted by ada: the PSP confirms", "noted by ada: and pays"]
    );
    assert_eq!(noted.state, IncidentState::Resolved);
}

#[test]
fn what_people_say_of_incidents_is_learned_from_and_kept() {
    let mut bench = broken();
    let incident = bench.only_incident();
    let before = incident.figures.probability.unwrap();
    let now = LIVE + 10 * MINUTE + SECOND;
    let id = incident.id.as_str();
    let told = |bench: &Bench| bench.catalogue.read(outbox::waiting).unwrap().len();
    let messages = told(&bench);
    let said = bench
        .watch
        .feedback(id, false, &note("a test"), now)
        .unwrap();
    assert_eq!(said.is_real, Some(false));
    let last = said.timeline.last().unwrap();
    assert_eq!(last.kind, TimelineKind::Feedback);
    assert_eq!(last.text, "called a false alarm by ada: a test");
    assert_eq!(told(&bench), messages, "channels are not told");
    let surety = |bench: &Bench| bench.watch.monitors()[0].feedback;
    assert_eq!((surety(&bench).real, surety(&bench).false_alarms), (0, 1));
    // The next judgement of the same evidence is less sure, and after a restart it is the same.
    bench.judge(LIVE + 10 * MINUTE, LIVE + 11 * MINUTE);
    let after = bench.only_incident();
    assert!(after.figures.evidence >= incident.figures.evidence);
    assert!(after.figures.probability.unwrap() <= before, "{after:?}");
    let brier = surety(&bench).brier.unwrap();
    bench.restart(vec![rate_monitor(&["psp"])], now);
    assert_eq!(surety(&bench).brier, Some(brier));
    // Who changes his mind is heard, also when it is over.
    bench.judge(LIVE + 11 * MINUTE, LIVE + 30 * MINUTE);
    assert_eq!(bench.only_incident().state, IncidentState::Resolved);
    let real = bench
        .watch
        .feedback(id, true, &ActionNote::default(), now)
        .unwrap();
    assert_eq!(
        (real.is_real, real.state),
        (Some(true), IncidentState::Resolved)
    );
    assert_eq!((surety(&bench).real, surety(&bench).false_alarms), (1, 0));
    assert!(matches!(
        bench
            .watch
            .feedback("inc_none", true, &ActionNote::default(), now),
        Err(MonitorError::UnknownIncident(_))
    ));
}
