//! Annotations over HTTP.

use serde_json::{Value, json};

use super::stand::{Stand, problem};

async fn post(stand: &Stand, body: &Value, key: Option<&str>) -> reqwest::Response {
    let mut request = stand.client.post(stand.url("/v1/annotations"));
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let request = request.header("content-type", "application/json");
    request.body(body.to_string()).send().await.unwrap()
}

async fn read(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn what_is_noted_is_kept_once_found_by_its_time_and_removed() {
    let stand = Stand::start().await;
    let release = json!({
        "kind": "deployment", "title": " checkout 4.12.0 ", "at": "2026-11-01T12:00:00Z",
        "until": "2026-11-01T12:10:00Z", "text": "one\ntwo", "by": "ci", "url": "https://ci.example/7",
        "where": {"psp": "adyen", "method": null},
    });
    let (status, kept) = read(post(&stand, &release, Some("run-7")).await).await;
    assert_eq!(status, 201);
    assert_eq!(
        kept,
        json!({
            "id": kept["id"], "kind": "deployment", "title": "checkout 4.12.0",
            "at": "2026-11-01T12:00:00Z", "until": "2026-11-01T12:10:00Z", "text": "one\ntwo",
            "by": "ci", "url": "https://ci.example/7", "where": {"psp": "adyen", "method": null},
            "created_at": kept["created_at"],
        })
    );
    let again = read(post(&stand, &release, Some("run-7")).await).await;
    assert_eq!(again, (200, kept.clone()));
    let (status, second) = read(post(&stand, &json!({"title": "call"}), None).await).await;
    assert_eq!((status, &second["kind"]), (201, &json!("note")));
    assert!(second["id"].as_i64().unwrap() > kept["id"].as_i64().unwrap());

    let list = async |query: &str| stand.json(&format!("/v1/annotations{query}")).await;
    assert_eq!(list("").await, json!({"annotations": [second]}));
    let within = "?from=2026-11-01T12:05:00Z&to=2026-11-01T12:06:00Z";
    assert_eq!(list(within).await, json!({"annotations": [kept]}));
    let all = "?from=2026-11-01T00:00:00Z";
    assert_eq!(list(all).await["annotations"].as_array().unwrap().len(), 2);
    let of_kind = format!("{all}&kind=campaign");
    assert_eq!(list(&of_kind).await, json!({"annotations": []}));
    let latest = format!("{all}&limit=1");
    assert_eq!(list(&latest).await, json!({"annotations": [second]}));

    let gone = stand.url(&format!("/v1/annotations/{}", kept["id"]));
    let remove = || stand.client.delete(&gone).send();
    assert_eq!(remove().await.unwrap().status(), 204);
    let (status, slug, _) = problem(remove().await.unwrap()).await;
    assert_eq!((status, slug.as_str()), (404, "unknown-annotation"));
    assert_eq!(list(all).await, json!({"annotations": [second]}));
}

#[tokio::test]
async fn what_cannot_be_an_annotation_is_refused_with_the_reason() {
    let stand = Stand::start().await;
    let long = "x".repeat(201);
    for (body, why) in [
        (json!({}), "title"),
        (json!({"title": "  "}), "must say something"),
        (json!({"title": long}), "201 characters"),
        (json!({"title": "a\nb"}), "control characters"),
        (json!({"title": "a\u{0007}b"}), "control characters"),
        (json!({"title": "a", "kind": "deploy"}), "deployment"),
        (json!({"title": "a", "at": "yesterday"}), "'at'"),
        (
            json!({"title": "a", "at": "now", "until": "-1m"}),
            "must not be before",
        ),
        (
            json!({"title": "a", "url": "javascript:alert(1)"}),
            "https://",
        ),
        (json!({"title": "a", "url": "//ci/7"}), "no address"),
        (json!({"title": "a", "url": "https://u:p@ci/"}), "password"),
        (
            json!({"title": "a", "url": "https://ci/4111%201111%201111%201111"}),
            "card number",
        ),
        (
            json!({"title": "a", "url": "https://ci/%34111111111111111"}),
            "card number",
        ),
        (json!({"title": "a", "were": {}}), "were"),
        (json!({"title": "a", "text": "y".repeat(2_001)}), "2001"),
    ] {
        let (status, slug, document) = problem(post(&stand, &body, None).await).await;
        assert_eq!((status, slug.as_str()), (400, "body-unreadable"), "{body}");
        let detail = document["detail"].as_str().unwrap();
        assert!(detail.contains(why), "{body}: {detail}");
    }
    for query in ["kind=deploy", "from=x", "from=now&to=-1h", "limit=0"] {
        let response = stand.get(&format!("/v1/annotations?{query}")).await;
        let (status, slug, _) = problem(response).await;
        assert_eq!((status, slug.as_str()), (400, "bad-parameter"), "{query}");
    }
    let other = stand
        .client
        .post(stand.url("/v1/annotations"))
        .header("content-type", "application/json")
        .header("origin", "https://elsewhere.example")
        .body(r#"{"title":"a"}"#);
    assert_eq!(other.send().await.unwrap().status(), 403);
    let none = stand.json("/v1/annotations").await;
    assert_eq!(none, json!({"annotations": []}));
}

#[tokio::test]
async fn no_card_number_is_kept_in_what_people_write() {
    let stand = Stand::start().await;
    let card = "4111 1111 1111 1111";
    let body = json!({
        "title": format!("refund of {card}"), "text": card, "by": card, "where": {"card": card},
    });
    let (status, kept) = read(post(&stand, &body, None).await).await;
    assert_eq!(status, 201);
    let text = kept.to_string();
    assert!(
        text.contains("411111") || text.contains("4111 11"),
        "{text}"
    );
    assert!(!text.contains("1111 1111 1111"), "{text}");
}
