//! Monitors over the past, over HTTP and over the monitors' engine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tillwatch_monitor::backtest::BacktestLimits;
use tillwatch_monitor::catalogue::Catalogue;
use tillwatch_monitor::definition::{Detect, Direction, MonitorDefinition, RateDetect};
use tillwatch_monitor::figure::{
    Bucket, FigureQuery, FigureSource, MetricFacts, Revised, Slice, SliceFigures,
};

use super::stand::{Stand, problem, until};
use crate::adapters::{MonitorDefinitions, PastMonitors, ProposalFault};
use crate::documents::{BacktestAnswer, BacktestRequest};
use crate::ports::Backtests;
use crate::problem::{Problem, Slug};
use crate::{Access, Limits};

const JSON: &str = "application/json";
const PATH: &str = "/v1/monitors/drop/backtest";
const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// 2026-11-02T00:00:00Z.
const BEGIN: i64 = 1_793_577_600_000_000;
/// From here on one provider fails for an hour.
const BROKEN: i64 = BEGIN + 8 * DAY + 9 * HOUR;
/// Where all events end.
const END: i64 = BEGIN + 10 * DAY;

#[tokio::test]
async fn a_test_is_asked_for_with_a_body_or_none() {
    let stand = Stand::start().await;
    let none = stand.client.post(stand.url(PATH)).send().await.unwrap();
    assert_eq!(none.status(), 200);
    let answer: Value = serde_json::from_str(&none.text().await.unwrap()).unwrap();
    assert_eq!(answer["monitor"], "drop");
    let body = json!({
        "from": "-30d",
        "monitor": {"metric": "rate", "detect": {"rate": {"min_change": 0.1}}},
        "labels": [{"from": "2026-11-02T10:00:00Z", "to": "2026-11-02T11:00:00Z", "where": {"psp": "adyen"}}],
    });
    let sent = stand
        .post(PATH, JSON, &body.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), 200);
    let asked = stand.trials.asked.lock().unwrap().clone();
    assert_eq!(asked[0], ("drop".to_owned(), BacktestRequest::default()));
    let request = &asked[1].1;
    assert_eq!(request.from.as_deref(), Some("-30d"));
    assert_eq!(
        Value::from(request.monitor.clone().unwrap()),
        body["monitor"]
    );
    let label = serde_json::to_value(&request.labels[0]).unwrap();
    assert_eq!(
        (&label["verdict"], &label["where"]),
        (&json!("real"), &json!({"psp": "adyen"}))
    );
    for (body, says) in [
        (r#"{"form": "-1d"}"#, "form"),
        (r#"{"monitor": []}"#, "map"),
        (r#"{"labels": [{"from": "-1d"}]}"#, "to"),
        (
            r#"{"labels": [{"from": "-2d", "to": "-1d", "verdict": "maybe"}]}"#,
            "maybe",
        ),
    ] {
        let refused = stand.post(PATH, JSON, body).send().await.unwrap();
        let (status, slug, document) = problem(refused).await;
        assert_eq!((status, slug.as_str()), (400, "body-unreadable"), "{body}");
        assert!(
            document["detail"].as_str().unwrap().contains(says),
            "{document}"
        );
    }
    assert_eq!(stand.trials.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_client_that_hangs_up_and_a_server_that_stops_end_a_test() {
    let stand = Stand::start().await;
    let trials = Arc::clone(&stand.trials);
    trials.held.store(true, Ordering::SeqCst);
    let running = || trials.running.load(Ordering::SeqCst);
    let call = tokio::spawn(stand.post(PATH, JSON, "{}").send());
    until("the test runs", || running() == 1).await;
    // Others are answered meanwhile.
    assert_eq!(stand.get("/v1/monitors").await.status(), 200);
    call.abort();
    until("the test has ended", || running() == 0).await;
    let call = tokio::spawn(stand.post(PATH, JSON, "{}").send());
    until("the test runs", || running() == 1).await;
    stand.app.stop();
    until("the test has ended", || running() == 0).await;
    drop(call);
}

#[tokio::test]
async fn nobody_without_a_token_and_nobody_too_early_tests() {
    let token = "0123456789abcdef";
    let access = Access::new("127.0.0.1:0".parse().unwrap(), [token], []).unwrap();
    let stand = Stand::recovering(Limits::default(), access).await;
    let post = || stand.client.post(stand.url(PATH));
    let (status, slug, _) = problem(post().send().await.unwrap()).await;
    assert_eq!((status, slug.as_str()), (401, "token-missing"));
    let early = post().bearer_auth(token).send().await.unwrap();
    let (status, slug, _) = problem(early).await;
    assert_eq!((status, slug.as_str()), (503, "recovering"));
    assert!(stand.trials.asked.lock().unwrap().is_empty());
}

/// Twenty payments a minute at each of two providers, eighteen of which are approved; eight at one of them in the bad hour.
struct Payments {
    watermark_us: Option<i64>,
}

impl FigureSource for Payments {
    fn facts(&self, metric: &str) -> Result<MetricFacts, String> {
        if metric != "rate" {
            return Err(format!("there is no metric '{metric}'"));
        }
        Ok(MetricFacts {
            bucket_us: MINUTE,
            unit: None,
            is_rate: true,
            is_count: false,
            adds_up: false,
            dimensions: vec!["psp".to_owned()],
            watermark_us: self.watermark_us,
            empty_value: None,
            lateness_us: 0,
            revised_events: 0,
        })
    }

    fn figures(&self, query: &FigureQuery) -> Result<Vec<SliceFigures>, String> {
        let mut found: BTreeMap<Slice, BTreeMap<i64, (f64, f64)>> = BTreeMap::new();
        for psp in ["adyen", "stripe"] {
            let slice = Slice::from([("psp", psp)]);
            if !query.within.covers(&slice) {
                continue;
            }
            let key = slice.project(|d| query.by.iter().any(|by| by == d));
            let steps = found.entry(key).or_default();
            let mut at_us = query.from_us.max(BEGIN);
            while at_us < query.to_us.min(END) {
                let is_bad = psp == "adyen" && (BROKEN..BROKEN + HOUR).contains(&at_us);
                let usual = 17.0 + (at_us / MINUTE % 3) as f64;
                let approved = if is_bad { 8.0 } else { usual };
                let step_us = at_us.div_euclid(query.step_us) * query.step_us;
                let sum = steps.entry(step_us).or_default();
                *sum = (sum.0 + approved, sum.1 + 20.0);
                at_us += MINUTE;
            }
        }
        let bucket = |(start_us, (approved, attempts))| Bucket {
            start_us,
            value: Some(approved / attempts),
            numerator: Some(approved),
            denominator: Some(attempts),
        };
        let figures = found.into_iter().map(|(slice, steps)| SliceFigures {
            slice,
            buckets: steps.into_iter().map(bucket).collect(),
        });
        Ok(figures.collect())
    }

    fn revised(&self, _: &str, _: i64, _: i64) -> Result<Option<Revised>, String> {
        Ok(None)
    }
}

/// The monitor `drop`, and whatever is like it with another smallest change.
struct Drops;

fn rate(name: &str, min_change: f64) -> MonitorDefinition {
    let detect = RateDetect {
        min_change,
        history: Duration::from_secs(2 * 86_400),
        ..RateDetect::default()
    };
    let mut monitor = MonitorDefinition::new(name, "rate", Detect::Rate(detect));
    monitor.by = vec!["psp".to_owned()];
    monitor.direction = Direction::Down;
    monitor
}

impl MonitorDefinitions for Drops {
    fn names(&self) -> Vec<String> {
        vec!["drop".to_owned()]
    }

    fn existing(&self, name: &str) -> Option<MonitorDefinition> {
        (name == "drop").then(|| rate(name, 0.02))
    }

    fn proposed(
        &self,
        name: &str,
        written: &Map<String, Value>,
    ) -> Result<MonitorDefinition, Vec<ProposalFault>> {
        let fault = |path: &str, message: &str| ProposalFault {
            path: path.to_owned(),
            place: None,
            message: message.to_owned(),
            suggestion: Some("did you mean 'min_change'?".to_owned()),
        };
        match written.get("min_change").and_then(Value::as_f64) {
            Some(change) => Ok(rate(name, change)),
            None => Err(vec![
                fault("monitor.min", "unknown key 'min'"),
                fault("monitor", "the key 'min_change' is missing"),
            ]),
        }
    }
}

fn past(limits: BacktestLimits, watermark_us: Option<i64>) -> PastMonitors {
    let running = Arc::new(AtomicUsize::new(0));
    sharing(limits, watermark_us, running)
}

fn sharing(
    limits: BacktestLimits,
    watermark_us: Option<i64>,
    running: Arc<AtomicUsize>,
) -> PastMonitors {
    PastMonitors::new(
        Arc::new(Drops),
        Arc::new(Payments { watermark_us }),
        Arc::new(Catalogue::in_memory().unwrap()),
        limits,
        running,
    )
}

fn asked(body: Value) -> BacktestRequest {
    serde_json::from_value(body).unwrap()
}

fn answer(name: &str, body: Value) -> Result<BacktestAnswer, Problem> {
    let past = past(BacktestLimits::default(), Some(END));
    past.run(name, &asked(body), &mut |_| true)
}

fn slug(name: &str, body: Value) -> Slug {
    answer(name, body).unwrap_err().slug()
}

#[test]
fn the_existing_monitor_is_tested_over_all_that_is_complete() {
    let label = json!({"from": "2026-11-10T09:00:00Z", "to": "2026-11-10T10:00:00Z", "where": {"psp": "adyen"}});
    let quiet = json!({"from": "2026-11-05T00:00:00Z", "to": "2026-11-06T00:00:00Z"});
    let answer = answer("drop", json!({"labels": [quiet, label]})).unwrap();
    // Two weeks before the watermark, though events began later.
    assert_eq!(answer.from, "2026-10-29T00:00:00Z");
    assert_eq!(answer.to, "2026-11-12T00:00:00Z");
    assert!(answer.proposed.is_none() && answer.comparison.is_none());
    let run = answer.existing.unwrap();
    assert_eq!(run.incidents.len(), 1, "{run:?}");
    let found = &run.incidents[0];
    assert_eq!(found.incident.slice["psp"].as_deref(), Some("adyen"));
    assert_eq!(found.incident.started_at, "2026-11-10T09:00:00Z");
    assert!((60..900).contains(&found.delay_s), "{found:?}");
    assert_eq!((found.label, found.live.as_ref()), (Some(1), None));
    assert!(found.incident.resolved_at.is_some() && found.incident.affected.is_some());
    let counts = (run.counts.found, run.counts.real, run.counts.missed);
    assert_eq!(counts, (1, 1, 1), "{:?}", run.missed);
    assert_eq!(run.missed[0].label, Some(0));
    assert_eq!(run.resolution[0].step_s, 60.0);
    assert_eq!(run.detect["rate"]["min_change"], 0.02);
    // The four days before the events, and the first hours of them.
    assert!((4 * 24..6 * 24).contains(&run.learning_hours), "{run:?}");
}

#[test]
fn a_proposed_monitor_is_tested_alone_or_compared_with_the_existing_one() {
    let body = json!({"from": "2026-11-08T00:00:00Z", "monitor": {"min_change": 0.9}});
    let both = answer("drop", body.clone()).unwrap();
    let comparison = both.comparison.unwrap();
    let existing = both.existing.unwrap();
    assert_eq!(both.proposed.unwrap().counts.found, 0);
    assert_eq!(
        comparison.only_existing,
        [existing.incidents[0].incident.id.clone()]
    );
    assert!(comparison.both.is_empty() && comparison.only_proposed.is_empty());
    let same = json!({"from": "2026-11-08T00:00:00Z", "monitor": {"min_change": 0.05}});
    let same = answer("drop", same).unwrap().comparison.unwrap();
    assert_eq!((same.both.len(), same.only_existing.len()), (1, 0));
    let new = answer("new", body).unwrap();
    assert!(new.existing.is_none() && new.comparison.is_none());
    assert_eq!(new.proposed.unwrap().counts.found, 0);
}

#[test]
fn what_cannot_be_tested_says_why() {
    let unknown = answer("drob", json!({})).unwrap_err();
    assert_eq!(unknown.slug(), Slug::UnknownMonitor);
    assert_eq!(unknown.document()["suggestion"], "drop");
    let bad = answer("drop", json!({"monitor": {"min": 1}})).unwrap_err();
    assert_eq!(
        (bad.slug(), bad.status().as_u16()),
        (Slug::BadDefinition, 422)
    );
    let document = bad.document();
    assert_eq!(document["faults"][0]["path"], "monitor.min");
    assert_eq!(
        document["faults"][1]["message"],
        "the key 'min_change' is missing"
    );
    assert_eq!(document["suggestion"], "did you mean 'min_change'?");
    for body in [
        json!({"from": "yesterday"}),
        json!({"from": "2026-11-09T00:00:00Z", "to": "2026-11-08T00:00:00Z"}),
        json!({"from": "2026-11-12T00:00:00Z"}),
        json!({"from": "2020-01-01T00:00:00Z"}),
        json!({"labels": [{"from": "now", "to": "now"}]}),
        json!({"labels": [{"from": "x", "to": "now"}]}),
    ] {
        assert_eq!(slug("drop", body.clone()), Slug::BadParameter, "{body}");
    }
    let none = past(BacktestLimits::default(), None);
    let none = none
        .run("drop", &asked(json!({})), &mut |_| true)
        .unwrap_err();
    assert_eq!(none.slug(), Slug::BacktestImpossible);
    assert!(none.detail().contains("no events yet"), "{none:?}");
}

#[test]
fn each_limit_of_back_tests_holds() {
    let run = |limits: BacktestLimits, body: Value| {
        past(limits, Some(END)).run("drop", &asked(body), &mut |_| true)
    };
    let week = json!({"from": "2026-11-05T00:00:00Z"});
    let limits = BacktestLimits::default;
    let short = BacktestLimits {
        days_max: 3,
        ..limits()
    };
    let long = run(short.clone(), week.clone()).unwrap_err();
    assert_eq!(
        (long.slug(), &long.document()["days_max"]),
        (Slug::BadParameter, &json!(3))
    );
    // Unless told it is no longer than what is allowed.
    assert_eq!(run(short, json!({})).unwrap().from, "2026-11-09T00:00:00Z");
    let few = BacktestLimits {
        figures_max: 100,
        ..limits()
    };
    let large = run(few, week.clone()).unwrap_err();
    assert_eq!(large.slug(), Slug::BacktestImpossible);
    assert!(
        large.detail().contains("more than 100 figures"),
        "{large:?}"
    );
    let hasty = BacktestLimits {
        deadline: Duration::ZERO,
        ..limits()
    };
    let late = run(hasty, week.clone()).unwrap_err();
    assert_eq!(late.slug(), Slug::Timeout);
    assert!(late.detail().contains("backtest_deadline_ms"), "{late:?}");
    // One is running already, by definitions that are no longer in force.
    let running = Arc::new(AtomicUsize::new(1));
    let second = sharing(limits(), Some(END), Arc::clone(&running));
    let refused = second
        .run("drop", &asked(week.clone()), &mut |_| true)
        .unwrap_err();
    assert_eq!(refused.slug(), Slug::Overloaded);
    assert_eq!(running.load(Ordering::SeqCst), 1);
    running.store(0, Ordering::SeqCst);
    second
        .run("drop", &asked(week.clone()), &mut |_| true)
        .unwrap();
    assert_eq!(running.load(Ordering::SeqCst), 0);
    // A test that is given up leaves its place, too.
    let given_up = second
        .run("drop", &asked(week), &mut |done| done < 0.5)
        .unwrap_err();
    assert_eq!(given_up.slug(), Slug::Stopping);
    assert_eq!(running.load(Ordering::SeqCst), 0);
}
