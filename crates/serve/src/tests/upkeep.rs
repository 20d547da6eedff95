//! Verifying and maintaining the running server.

use std::sync::{Arc, Mutex};

use serde_json::json;

use super::stand::{Stand, problem};
use crate::documents::{MaintainStatus, VerifyReport, VerifyRequest, VerifyStatus};
use crate::ports::{Maintenance, Verification};
use crate::problem::{Problem, Slug};
use crate::{Access, Limits};

const JSON: &str = "application/json";

/// Begins whatever is asked, one at a time, and ends nothing by itself.
#[derive(Default)]
struct Upkeep {
    asked: Mutex<Vec<VerifyRequest>>,
    verify: Mutex<Option<VerifyStatus>>,
    maintain: Mutex<Option<MaintainStatus>>,
}

fn running() -> Problem {
    Problem::new(Slug::Conflict, "Another is running.")
}

impl Verification for Upkeep {
    fn start(&self, request: &VerifyRequest) -> Result<VerifyStatus, Problem> {
        let mut verify = self.verify.lock().unwrap();
        if verify.as_ref().is_some_and(|one| one.state == "running") {
            return Err(running());
        }
        self.asked.lock().unwrap().push(request.clone());
        Ok(verify
            .insert(VerifyStatus {
                state: "running".into(),
                started_at: "2026-11-29T19:05:01Z".into(),
                ..VerifyStatus::default()
            })
            .clone())
    }

    fn last(&self) -> Option<VerifyStatus> {
        self.verify.lock().unwrap().clone()
    }
}

impl Maintenance for Upkeep {
    fn start(&self) -> Result<MaintainStatus, Problem> {
        let mut maintain = self.maintain.lock().unwrap();
        if maintain.as_ref().is_some_and(|one| one.state == "running") {
            return Err(running());
        }
        Ok(maintain
            .insert(MaintainStatus {
                state: "running".into(),
                started_at: "2026-11-29T19:05:01Z".into(),
                ..MaintainStatus::default()
            })
            .clone())
    }

    fn last(&self) -> Option<MaintainStatus> {
        self.maintain.lock().unwrap().clone()
    }
}

async fn stand() -> (Stand, Arc<Upkeep>) {
    let stand = Stand::start().await;
    let upkeep = Arc::new(Upkeep::default());
    stand.app.set_verification(upkeep.clone());
    stand.app.set_maintenance(upkeep.clone());
    (stand, upkeep)
}

#[tokio::test]
async fn a_verification_begins_is_asked_for_and_ends_and_there_is_one_at_a_time() {
    let (stand, upkeep) = stand().await;
    assert_eq!(stand.json("/v1/verify").await, json!({"verify": null}));
    let body = r#"{"sample": 20, "seed": 5}"#;
    let response = stand.post("/v1/verify", JSON, body).send().await.unwrap();
    assert_eq!(response.status(), 202);
    let begun: VerifyStatus = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(begun.state, "running");
    assert_eq!(
        *upkeep.asked.lock().unwrap(),
        [VerifyRequest {
            all: false,
            sample: Some(20),
            seed: Some(5),
        }]
    );
    let second = stand.post("/v1/verify", JSON, "{}").send().await.unwrap();
    let (status, slug, document) = problem(second).await;
    assert_eq!((status, slug.as_str()), (409, "conflict"));
    assert_eq!(document["detail"], "Another is running.");
    *upkeep.verify.lock().unwrap() = Some(VerifyStatus {
        state: "done".into(),
        report: Some(VerifyReport {
            ok: true,
            seed: 5,
            ..VerifyReport::default()
        }),
        ..begun
    });
    let last = stand.json("/v1/verify").await;
    assert_eq!(last["verify"]["report"]["ok"], true, "{last}");
    assert_eq!(last["verify"]["report"]["seed"], 5, "{last}");
    // Without a body it is a sample of the usual size.
    let next = stand.client.post(stand.url("/v1/verify"));
    assert_eq!(next.send().await.unwrap().status(), 202);
    assert_eq!(upkeep.asked.lock().unwrap()[1], VerifyRequest::default());
}

#[tokio::test]
async fn what_to_verify_must_be_clear() {
    let (stand, upkeep) = stand().await;
    let cases = [
        (r#"{"all": true, "sample": 3}"#, "bad-parameter"),
        (r#"{"every": true}"#, "body-unreadable"),
        (r#"{"sample": -1}"#, "body-unreadable"),
        (r#"{"seed": "x"}"#, "body-unreadable"),
    ];
    for (body, expected) in cases {
        let response = stand.post("/v1/verify", JSON, body).send().await.unwrap();
        let (status, slug, _) = problem(response).await;
        assert_eq!((status, slug.as_str()), (400, expected), "{body}");
    }
    assert!(upkeep.asked.lock().unwrap().is_empty());
    let asked = stand.post("/v1/verify?all=true", JSON, "{}");
    assert_eq!(asked.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn maintenance_begins_is_asked_for_and_there_is_one_at_a_time() {
    let (stand, upkeep) = stand().await;
    assert_eq!(stand.json("/v1/maintain").await, json!({"maintain": null}));
    let begin = || stand.client.post(stand.url("/v1/maintain")).send();
    assert_eq!(begin().await.unwrap().status(), 202);
    let (status, slug, _) = problem(begin().await.unwrap()).await;
    assert_eq!((status, slug.as_str()), (409, "conflict"));
    {
        let mut maintain = upkeep.maintain.lock().unwrap();
        let maintain = maintain.as_mut().unwrap();
        maintain.state = "done".into();
        maintain.compactions = 3;
    }
    let last = stand.json("/v1/maintain").await;
    assert_eq!(last["maintain"]["state"], "done", "{last}");
    assert_eq!(last["maintain"]["compactions"], 3, "{last}");
    assert_eq!(begin().await.unwrap().status(), 202);
}

#[tokio::test]
async fn nobody_without_a_token_and_nobody_too_early_begins_either() {
    let token = "0123456789abcdef";
    let access = Access::new("127.0.0.1:0".parse().unwrap(), [token], []).unwrap();
    let stand = Stand::recovering(Limits::default(), access).await;
    let upkeep = Arc::new(Upkeep::default());
    stand.app.set_verification(upkeep.clone());
    stand.app.set_maintenance(upkeep.clone());
    for path in ["/v1/verify", "/v1/maintain"] {
        let post = || stand.client.post(stand.url(path));
        let (status, slug, _) = problem(post().send().await.unwrap()).await;
        assert_eq!((status, slug.as_str()), (401, "token-missing"), "{path}");
        let early = post().bearer_auth(token).send().await.unwrap();
        let (status, slug, _) = problem(early).await;
        assert_eq!((status, slug.as_str()), (503, "recovering"), "{path}");
        assert_eq!(stand.get(path).await.status(), 401, "{path}");
    }
    assert!(upkeep.asked.lock().unwrap().is_empty());
    assert!(upkeep.maintain.lock().unwrap().is_none());
}
