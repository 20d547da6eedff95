//! Boards that people save, over HTTP.

use serde_json::{Value, json};

use super::stand::{Stand, problem};
use crate::Limits;

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
const BOARD: &str = r#"{"title":{"en":"Mine"}}"#;

async fn read(response: reqwest::Response) -> (u16, Option<String>, Value) {
    let status = response.status().as_u16();
    let tag = response.headers().get("etag");
    let tag = tag.map(|tag| tag.to_str().unwrap().to_owned());
    let text = response.text().await.unwrap();
    (status, tag, serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn a_board_is_made_read_changed_listed_and_removed() {
    let stand = Stand::start().await;
    let put = |body: &str| stand.put("/v1/boards/mine", JSON, body).send();
    let (status, tag, made) = read(put(BOARD).await.unwrap()).await;
    assert_eq!(status, 201);
    let version = made["version"].as_i64().unwrap();
    assert_eq!(tag, Some(format!("\"{version}\"")));
    assert_eq!(
        (&made["name"], &made["from"]),
        (&json!("mine"), &json!("catalogue"))
    );
    let at: jiff::Timestamp = made["changed_at"].as_str().unwrap().parse().unwrap();
    assert!((jiff::Timestamp::now() - at).get_seconds() < 60);
    let (status, again, found) = read(stand.get("/v1/boards/mine").await).await;
    assert_eq!((status, again, found), (200, tag, made));
    let (status, tag, changed) = read(put(r#"{"title":{"en":"Ours"}}"#).await.unwrap()).await;
    assert_eq!(status, 200);
    assert!(changed["version"].as_i64().unwrap() > version);
    let list = stand.json("/v1/boards").await;
    let names: Vec<_> = list["boards"].as_array().unwrap().iter().collect();
    assert_eq!(
        (names[0]["name"].as_str(), names[0]["from"].as_str()),
        (Some("payments"), Some("folder"))
    );
    let listed = json!({
        "name": "mine", "title": {"en": "Ours"}, "from": "catalogue",
        "version": changed["version"], "changed_at": changed["changed_at"],
    });
    assert_eq!(names[1], &listed);
    assert!(list.get("shadowed").is_none());
    let yaml = stand.client.get(stand.url("/v1/boards/mine"));
    let yaml = yaml.header("accept", YAML).send().await.unwrap();
    assert_eq!(yaml.headers()["content-type"], YAML);
    assert!(yaml.headers()["vary"].to_str().unwrap().contains("accept"));
    assert_eq!(yaml.headers()["etag"].to_str().unwrap(), tag.unwrap());
    assert_eq!(
        yaml.text().await.unwrap(),
        r#"{"boards":{"mine":{"title":{"en":"Ours"}}}}"#
    );
    let remove = || stand.client.delete(stand.url("/v1/boards/mine")).send();
    assert_eq!(remove().await.unwrap().status(), 204);
    assert_eq!(problem(remove().await.unwrap()).await.1, "unknown-board");
    assert_eq!(problem(stand.get("/v1/boards/mine").await).await.0, 404);
}

#[tokio::test]
async fn who_knows_an_older_version_undoes_nothing() {
    let stand = Stand::start().await;
    let put = |header: &'static str, value: &str| {
        let request = stand.put("/v1/boards/mine", JSON, BOARD);
        request.header(header, value).send()
    };
    let (status, slug, _) = problem(put("if-match", "*").await.unwrap()).await;
    assert_eq!((status, slug.as_str()), (412, "precondition-failed"));
    let (status, first, _) = read(put("if-none-match", "*").await.unwrap()).await;
    assert_eq!(status, 201);
    let (status, _, document) = problem(put("if-none-match", "*").await.unwrap()).await;
    assert_eq!(status, 412);
    let first = first.unwrap();
    assert_eq!(first, format!("\"{}\"", document["version"]));
    assert!(document["changed_at"].is_string());
    let (status, second, _) = read(put("if-match", &first).await.unwrap()).await;
    assert_eq!(status, 200);
    assert_eq!(problem(put("if-match", &first).await.unwrap()).await.0, 412);
    let remove = |tag: &str| {
        let request = stand.client.delete(stand.url("/v1/boards/mine"));
        request.header("if-match", tag).send()
    };
    assert_eq!(problem(remove(&first).await.unwrap()).await.0, 412);
    assert_eq!(remove(&second.unwrap()).await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_board_of_the_folder_is_not_changed_and_another_name_is_suggested() {
    let stand = Stand::start().await;
    let (status, tag, board) = read(stand.get("/v1/boards/payments").await).await;
    assert_eq!((status, &board["from"]), (200, &json!("folder")));
    assert!(tag.unwrap().starts_with("\"folder-"));
    assert!(board.get("version").is_none() && board.get("changed_at").is_none());
    let put = |name: &str| stand.put(&format!("/v1/boards/{name}"), JSON, BOARD).send();
    let (status, slug, document) = problem(put("payments").await.unwrap()).await;
    assert_eq!((status, slug.as_str()), (409, "conflict"));
    assert_eq!(document["suggestion"], "payments_2");
    assert_eq!(put("payments_2").await.unwrap().status(), 201);
    let (_, _, document) = problem(put("payments").await.unwrap()).await;
    assert_eq!(document["suggestion"], "payments_3");
    let saved = stand.get("/v1/boards/payments?from=catalogue").await;
    assert_eq!(problem(saved).await.1, "unknown-board");
    let folder = stand.get("/v1/boards/payments_2?from=folder").await;
    assert_eq!(problem(folder).await.1, "unknown-board");
}

#[tokio::test]
async fn every_fault_is_told_with_its_path_and_place() {
    let stand = Stand::start().await;
    let put = stand.put("/v1/boards/mine", YAML, r#"{"fault":1}"#);
    let (status, slug, document) = problem(put.send().await.unwrap()).await;
    assert_eq!((status, slug.as_str()), (422, "bad-definition"));
    let help = "did you mean 'payments'?";
    assert_eq!(
        document["faults"],
        json!([
            {"path": "panels[2].metric", "message": "there is no metric 'paymens'", "suggestion": help, "line": 3, "column": 5},
            {"path": "board", "message": "is odd", "suggestion": help, "line": 3, "column": 5},
        ])
    );
    assert_eq!(document["suggestion"], help);
    assert_eq!(stand.get("/v1/boards/mine").await.status(), 404);
}

#[tokio::test]
async fn boards_are_bounded_in_number_and_size() {
    let stand = Stand::with(Limits {
        boards_saved_max: 2,
        board_bytes_max: 64,
        ..Limits::default()
    })
    .await;
    let put = |name: &str, body: &str| stand.put(&format!("/v1/boards/{name}"), JSON, body).send();
    let long = format!("{{\"title\":{{\"en\":\"{}\"}}}}", "x".repeat(64));
    let (status, slug, document) = problem(put("a", &long).await.unwrap()).await;
    assert_eq!((status, slug.as_str()), (413, "body-too-large"));
    assert_eq!(document["bytes_max"], 64);
    for name in ["a", "b"] {
        assert_eq!(put(name, BOARD).await.unwrap().status(), 201);
    }
    let (status, slug, document) = problem(put("c", BOARD).await.unwrap()).await;
    assert_eq!((status, slug.as_str()), (409, "conflict"));
    assert!(
        document["detail"]
            .as_str()
            .unwrap()
            .contains("boards_saved_max")
    );
    assert_eq!(
        put("b", BOARD).await.unwrap().status(),
        200,
        "one that is there can be changed"
    );
}

#[tokio::test]
async fn of_many_who_save_at_once_one_wins_by_its_version() {
    let stand = Stand::start().await;
    let made = stand
        .put("/v1/boards/mine", JSON, BOARD)
        .send()
        .await
        .unwrap();
    let (_, tag, _) = read(made).await;
    let tag = tag.unwrap();
    let puts = (0..16).map(|_| {
        let request = stand.put("/v1/boards/mine", JSON, BOARD);
        request.header("if-match", &tag).send()
    });
    let answers = futures::future::join_all(puts).await;
    let statuses = answers
        .into_iter()
        .map(|answer| answer.unwrap().status().as_u16());
    let mut statuses: Vec<u16> = statuses.collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert_eq!(statuses[1..], [412; 15]);
}
