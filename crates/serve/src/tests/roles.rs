//! What tokens of each role may do, while they are made, revoked and over.

use std::sync::{Arc, Mutex};

use axum::http::HeaderMap;
use serde_json::{Value, json};
use tillwatch_monitor::catalogue::{Catalogue, KeptToken, NewToken, TokenRole};

use super::stand::{Stand, problem, read_events, read_events_with, until};
use crate::adapters::KeptTokens;
use crate::ports::Tokens;
use crate::problem::Slug;
use crate::{Access, AccessError, IssuedToken, Limits};

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";
const INGEST: TokenRole = TokenRole::Ingest;
const READ: TokenRole = TokenRole::Read;
const OPERATE: TokenRole = TokenRole::Operate;
const ADMIN: TokenRole = TokenRole::Admin;

/// Tokens that can be changed at will.
#[derive(Default)]
struct Ring {
    kept: Mutex<Vec<KeptToken>>,
    used: Mutex<Vec<(i64, i64)>>,
    fails: Mutex<bool>,
}

impl Ring {
    /// Makes a token named as its role.
    fn make(&self, role: TokenRole) -> String {
        let issued = IssuedToken::make().unwrap();
        let mut kept = self.kept.lock().unwrap();
        let id = kept.len() as i64 + 1;
        kept.push(KeptToken {
            id,
            token: NewToken {
                name: role.name().to_owned(),
                role,
                hash: issued.hash(),
                expires_at_us: None,
            },
            created_at_us: 1,
            last_used_at_us: None,
            revoked_at_us: None,
        });
        issued.reveal().to_owned()
    }

    fn change(&self, change: impl Fn(&mut KeptToken)) {
        self.kept.lock().unwrap().iter_mut().for_each(change);
    }
}

impl Tokens for Ring {
    fn all(&self) -> Result<Vec<KeptToken>, String> {
        // As long as they cannot change.
        let kept = self.kept.lock().unwrap();
        if *self.fails.lock().unwrap() {
            return Err("the disk is gone".to_owned());
        }
        Ok(kept.clone())
    }

    fn used(&self, used: &[(i64, i64)]) -> Result<(), String> {
        self.used.lock().unwrap().extend_from_slice(used);
        Ok(())
    }
}

fn access(ring: &Arc<Ring>) -> Access {
    let tokens = Arc::clone(ring) as Arc<dyn Tokens>;
    Access::with_kept("127.0.0.1:0".parse().unwrap(), [], [], tokens).unwrap()
}

async fn stand(ring: &Arc<Ring>) -> Stand {
    let stand = Stand::recovering(Limits::default(), access(ring)).await;
    stand.open(stand.counts.clone());
    stand
}

async fn slug_of(stand: &Stand, path: &str, token: &str) -> String {
    let request = stand.client.get(stand.url(path)).bearer_auth(token);
    problem(request.send().await.unwrap()).await.1
}

/// A method, an address, a body in JSON, and the roles that may.
type Call = (
    &'static str,
    &'static str,
    &'static str,
    &'static [TokenRole],
);

/// One of each kind of call.
const CALLS: [Call; 27] = [
    ("GET", "/v1/access", "", &TokenRole::ALL),
    ("GET", "/v1/nothing", "", &TokenRole::ALL),
    (
        "POST",
        "/v1/streams/payments/events",
        "{}",
        &[INGEST, OPERATE, ADMIN],
    ),
    ("GET", "/v1/status", "", &[READ, OPERATE, ADMIN]),
    ("GET", "/v1/metrics", "", &[READ, OPERATE, ADMIN]),
    ("GET", "/v1/metrics/payments", "", &[READ, OPERATE, ADMIN]),
    ("GET", "/v1/series?q=payments", "", &[READ, OPERATE, ADMIN]),
    ("GET", "/v1/live?q=nothing", "", &[READ, OPERATE, ADMIN]),
    ("GET", "/v1/incidents", "", &[READ, OPERATE, ADMIN]),
    ("GET", "/v1/monitors", "", &[READ, OPERATE, ADMIN]),
    ("GET", "/v1/silences", "", &[READ, OPERATE, ADMIN]),
    ("GET", "/v1/annotations", "", &[READ, OPERATE, ADMIN]),
    (
        "POST",
        "/v1/annotations",
        r#"{"title": "checkout 4.12.0"}"#,
        &[OPERATE, ADMIN],
    ),
    ("DELETE", "/v1/annotations/999", "", &[OPERATE, ADMIN]),
    ("GET", "/v1/boards/payments", "", &[READ, OPERATE, ADMIN]),
    (
        "GET",
        "/v1/streams/payments/quarantine",
        "",
        &[READ, OPERATE, ADMIN],
    ),
    ("GET", "/metrics", "", &[READ, OPERATE, ADMIN]),
    ("GET", "/v1/verify", "", &[READ, OPERATE, ADMIN]),
    (
        "POST",
        "/v1/sql",
        r#"{"sql":"select"}"#,
        &[READ, OPERATE, ADMIN],
    ),
    (
        "POST",
        "/v1/monitors/none/backtest",
        "{}",
        &[READ, OPERATE, ADMIN],
    ),
    (
        "POST",
        "/v1/incidents/i-1/acknowledge",
        "{}",
        &[OPERATE, ADMIN],
    ),
    (
        "POST",
        "/v1/streams/payments/quarantine/replay",
        "",
        &[OPERATE, ADMIN],
    ),
    (
        "PUT",
        "/v1/boards/mine",
        r#"{"title":{"en":"Mine"}}"#,
        &[OPERATE, ADMIN],
    ),
    ("DELETE", "/v1/silences/9", "", &[OPERATE, ADMIN]),
    ("POST", "/v1/verify", "{}", &[ADMIN]),
    ("POST", "/v1/maintain", "", &[ADMIN]),
    ("POST", "/v1/backup", "{}", &[ADMIN]),
];

#[tokio::test]
async fn each_role_does_what_it_may_and_nothing_else() {
    let ring = Arc::new(Ring::default());
    let tokens = TokenRole::ALL.map(|role| (role, ring.make(role)));
    let stand = stand(&ring).await;
    stand.cases.open("i-1");
    for (method, path, body, may) in CALLS {
        for (role, token) in &tokens {
            let request = stand
                .client
                .request(method.parse().unwrap(), stand.url(path))
                .header(
                    "content-type",
                    if path.ends_with("/events") {
                        NDJSON
                    } else {
                        JSON
                    },
                )
                .body(body)
                .bearer_auth(token);
            let response = request.send().await.unwrap();
            let what = format!("{method} {path} as {role:?}");
            if may.contains(role) {
                let status = response.status().as_u16();
                assert!(![401, 403, 500].contains(&status), "{what}: {status}");
                continue;
            }
            let (status, slug, document) = problem(response).await;
            assert_eq!(
                (status, slug.as_str()),
                (403, "role-insufficient"),
                "{what}"
            );
            assert_eq!(document["role"], role.name(), "{what}");
            let needed = document["role_needed"].as_str().unwrap();
            let needed = TokenRole::from_name(needed).unwrap();
            assert!(may.contains(&needed), "{what}: {document}");
        }
        let nobody = stand
            .client
            .request(method.parse().unwrap(), stand.url(path));
        let (status, slug, _) = problem(nobody.send().await.unwrap()).await;
        assert_eq!((status, slug.as_str()), (401, "token-missing"), "{path}");
    }
    // There is nothing at the address, whatever is asked of it and whoever asks.
    for (role, token) in &tokens {
        for method in ["OPTIONS", "PATCH", "TRACE"] {
            let request = stand
                .client
                .request(method.parse().unwrap(), stand.url("/v1/nothing"));
            let answer = request.bearer_auth(token).send().await.unwrap();
            let (status, slug, _) = problem(answer).await;
            assert_eq!(
                (status, slug.as_str()),
                (404, "not-found"),
                "{method} as {role:?}"
            );
        }
    }
    // Refused before the body is looked at: nothing was done.
    assert_eq!(stand.lines.taken.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn everybody_is_told_who_they_are_and_what_they_may() {
    let ring = Arc::new(Ring::default());
    let stand = stand(&ring).await;
    let everything = json!(["read", "ingest", "operate", "define", "administer"]);
    assert_eq!(
        stand.json("/v1/access").await,
        json!({"required": false, "name": null, "role": "admin", "may": everything, "expires_at": null})
    );
    let token = ring.make(OPERATE);
    ring.change(|kept| kept.token.expires_at_us = Some(4_102_444_800_000_000));
    stand.app.inner().access.refresh();
    let (status, slug, _) = problem(stand.get("/v1/access").await).await;
    assert_eq!((status, slug.as_str()), (401, "token-missing"));
    let request = stand
        .client
        .get(stand.url("/v1/access"))
        .bearer_auth(&token);
    let told: Value =
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
    let expected = json!({
        "required": true, "name": "operate", "role": "operate",
        "may": ["read", "ingest", "operate"], "expires_at": "2100-01-01T00:00:00Z",
    });
    assert_eq!(told, expected);
    let wrong = IssuedToken::make().unwrap();
    assert_eq!(
        slug_of(&stand, "/v1/access", wrong.reveal()).await,
        "token-wrong"
    );
}

#[tokio::test]
async fn live_streams_end_with_their_token_and_others_go_on() {
    for (over, slug) in [
        ("revoked", "token-revoked"),
        ("expired", "token-expired"),
        ("gone", "token-wrong"),
    ] {
        let ring = Arc::new(Ring::default());
        let (token, other) = (ring.make(READ), ring.make(ADMIN));
        let stand = stand(&ring).await;
        for path in [
            "/v1/metrics/payments/live",
            "/v1/live?q=payments",
            "/v1/incidents/live",
        ] {
            assert_eq!(
                stand
                    .client
                    .get(stand.url(path))
                    .send()
                    .await
                    .unwrap()
                    .status(),
                401
            );
        }
        let mut series =
            read_events_with(&stand.url("/v1/metrics/payments/live"), Some(&token)).await;
        let mut several = read_events_with(&stand.url("/v1/live?q=payments"), Some(&token)).await;
        let mut incidents = read_events_with(&stand.url("/v1/incidents/live"), Some(&token)).await;
        let mut others = read_events_with(&stand.url("/v1/incidents/live"), Some(&other)).await;
        for events in [&mut series, &mut several, &mut incidents, &mut others] {
            events.told().await;
        }
        match over {
            "gone" => ring
                .kept
                .lock()
                .unwrap()
                .retain(|kept| kept.token.role != READ),
            _ => ring.change(|kept| match (kept.token.role, over) {
                (READ, "revoked") => kept.revoked_at_us = Some(7_000_000),
                (READ, _) => kept.token.expires_at_us = Some(7_000_000),
                _ => {}
            }),
        }
        // Nobody but the server itself looks again.
        for events in [&mut series, &mut several, &mut incidents] {
            while events.next().await.is_some() {}
        }
        assert_eq!(slug_of(&stand, "/v1/status", &token).await, slug);
        stand.cases.open("i-9");
        assert_eq!(others.told().await.data["id"], "i-9", "{over}");
    }
}

#[tokio::test]
async fn a_token_made_while_serving_is_known_and_with_the_last_one_nothing_falls_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalogue.sqlite");
    let catalogue = Arc::new(Catalogue::open(&path).unwrap());
    let kept = Arc::new(KeptTokens::new(catalogue));
    let access = Access::with_kept("127.0.0.1:0".parse().unwrap(), [], [], kept).unwrap();
    let stand = Stand::recovering(Limits::default(), access).await;
    stand.open(stand.counts.clone());
    assert_eq!(stand.get("/v1/status").await.status(), 200);
    let mut anybody = read_events(&stand.url("/v1/incidents/live")).await;
    anybody.told().await;
    // As another process does.
    let command = Catalogue::open(&path).unwrap();
    let issued = IssuedToken::make().unwrap();
    let new = NewToken {
        name: "ann".to_owned(),
        role: READ,
        hash: issued.hash(),
        expires_at_us: None,
    };
    command.create_token(&new, 9, 1).unwrap();
    let access = &stand.app.inner().access;
    until("the server knows the token", || access.is_required()).await;
    // What began while no token was required does not outlast that.
    while anybody.next().await.is_some() {}
    let status = stand.client.get(stand.url("/v1/status"));
    let status = status.bearer_auth(issued.reveal()).send().await.unwrap();
    assert_eq!(status.status(), 200);
    until("its use is noted", || {
        command.tokens().unwrap()[0].last_used_at_us.is_some()
    })
    .await;
    command.revoke_token("ann", 2).unwrap();
    access.refresh();
    assert_eq!(
        slug_of(&stand, "/v1/status", issued.reveal()).await,
        "token-revoked"
    );
    let (status, slug, _) = problem(stand.get("/v1/status").await).await;
    assert_eq!((status, slug.as_str()), (401, "token-missing"));
}

#[tokio::test]
async fn use_is_noted_once_a_minute_and_a_catalogue_that_fails_changes_nothing() {
    let ring = Arc::new(Ring::default());
    let token = ring.make(READ);
    let stand = stand(&ring).await;
    let status = async || {
        let request = stand
            .client
            .get(stand.url("/v1/status"))
            .bearer_auth(&token);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(status().await, 200);
    until("its use is noted", || !ring.used.lock().unwrap().is_empty()).await;
    let (id, at_us) = ring.used.lock().unwrap()[0];
    assert_eq!(id, 1);
    ring.change(|kept| kept.last_used_at_us = Some(at_us));
    stand.app.inner().access.refresh();
    ring.used.lock().unwrap().clear();
    for _ in 0..3 {
        assert_eq!(status().await, 200);
        stand.app.inner().access.refresh();
    }
    assert!(ring.used.lock().unwrap().is_empty());
    *ring.fails.lock().unwrap() = true;
    ring.change(|kept| kept.revoked_at_us = Some(1));
    stand.app.inner().access.refresh();
    assert_eq!(status().await, 200);
    *ring.fails.lock().unwrap() = false;
    stand.app.inner().access.refresh();
    assert_eq!(status().await, 401);
}

#[tokio::test]
async fn the_token_that_acted_is_recorded_unless_the_call_names_somebody() {
    let ring = Arc::new(Ring::default());
    let token = ring.make(OPERATE);
    let stand = stand(&ring).await;
    stand.cases.open("i-1");
    let summary = async |body: &str| {
        let request = stand.post("/v1/incidents/i-1/silence", JSON, body);
        let answer = request.bearer_auth(&token).send().await.unwrap();
        let incident: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        incident["summary"].as_str().unwrap().to_owned()
    };
    assert_eq!(summary("{}").await, r#"None by Some("operate")"#);
    assert_eq!(summary(r#"{"by":"ada"}"#).await, r#"None by Some("ada")"#);
    let end = stand.client.delete(stand.url("/v1/silences/0"));
    assert_eq!(end.bearer_auth(&token).send().await.unwrap().status(), 204);
    let ended = stand.cases.cases.lock().unwrap()[0].summary.clone();
    assert_eq!(ended, r#"ended by Some("operate")"#);
    let board = stand.put("/v1/boards/mine", JSON, r#"{"title":{"en":"Mine"}}"#);
    let saved = board.bearer_auth(&token).send().await.unwrap();
    let saved: Value = serde_json::from_str(&saved.text().await.unwrap()).unwrap();
    assert_eq!(saved["by"], "operate");
    let list = stand
        .client
        .get(stand.url("/v1/boards"))
        .bearer_auth(&token);
    let list: Value =
        serde_json::from_str(&list.send().await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(list["boards"][1]["by"], "operate", "{list}");
}

#[test]
fn beyond_loopback_an_admin_token_of_the_data_folder_will_do() {
    let beyond = "0.0.0.0:7878".parse().unwrap();
    let ring = Arc::new(Ring::default());
    let start = || Access::with_kept(beyond, [], [], Arc::clone(&ring) as Arc<dyn Tokens>);
    assert_eq!(start().unwrap_err(), AccessError::TokenRequired(beyond));
    ring.make(OPERATE);
    assert_eq!(start().unwrap_err(), AccessError::TokenRequired(beyond));
    ring.make(ADMIN);
    assert!(start().unwrap().is_required());
    ring.change(|kept| kept.token.expires_at_us = Some(1));
    assert_eq!(start().unwrap_err(), AccessError::TokenRequired(beyond));
    *ring.fails.lock().unwrap() = true;
    assert!(matches!(start().unwrap_err(), AccessError::Unreadable(_)));
}

#[test]
fn a_token_of_the_data_folder_is_no_admins_because_the_environment_has_it() {
    let ring = Arc::new(Ring::default());
    let token = ring.make(READ);
    let start = |address: &str| {
        let tokens = Arc::clone(&ring) as Arc<dyn Tokens>;
        Access::with_kept(address.parse().unwrap(), [token.as_str()], [], tokens)
    };
    let headers = [(
        "authorization".parse().unwrap(),
        format!("Bearer {token}").parse().unwrap(),
    )];
    let headers = HeaderMap::from_iter(headers);
    let caller = start("127.0.0.1:1").unwrap().identify(&headers).unwrap();
    assert_eq!((caller.role, caller.name.as_deref()), (READ, Some("read")));
    let refused = start("0.0.0.0:1").unwrap_err();
    assert!(matches!(refused, AccessError::TokenRequired(_)));
    ring.change(|kept| kept.revoked_at_us = Some(1));
    let refused = start("127.0.0.1:1").unwrap().identify(&headers);
    assert_eq!(refused.unwrap_err().slug(), Slug::TokenRevoked);
}
