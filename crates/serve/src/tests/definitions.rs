//! The definitions folder over HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;

use super::stand::{Stand, problem};
use crate::documents::{
    CalendarList, DefinitionChanged, DefinitionItem, DefinitionList, ProposalDocument,
};
use crate::ports::{
    DefinitionChange, DefinitionPlace, Definitions, FileSample, Precondition, TaggedText,
};
use crate::{Limits, Problem, Slug};

const YAML: &str = "application/yaml";

/// Texts in a drawer, whose tags are their lengths. A file `full.yaml` finds no room, and a text of `fault` is none.
#[derive(Default)]
pub(super) struct Drawer {
    texts: Arc<Mutex<BTreeMap<String, String>>>,
    changes: Arc<Mutex<Vec<DefinitionChange>>>,
    samples: Arc<Mutex<Vec<FileSample>>>,
}

fn key(place: &DefinitionPlace) -> String {
    match place {
        DefinitionPlace::File(file) => file.clone(),
        DefinitionPlace::Item { section, name } => format!("{section}/{name}"),
    }
}

fn unknown(what: &str) -> Problem {
    Problem::new(Slug::UnknownDefinition, format!("There is no '{what}'."))
}

impl Definitions for Drawer {
    fn list(&self) -> Result<DefinitionList, Problem> {
        Ok(DefinitionList {
            writable: true,
            ..DefinitionList::default()
        })
    }

    fn file(&self, file: &str) -> Result<TaggedText, Problem> {
        let texts = self.texts.lock().unwrap();
        let text = texts.get(file).ok_or_else(|| unknown(file))?.clone();
        let tag = text.len().to_string();
        Ok(TaggedText { text, tag })
    }

    fn pack_file(&self, pack: &str, file: &str) -> Result<TaggedText, Problem> {
        Ok(TaggedText {
            text: format!("# {pack} {file}\n"),
            tag: "p".to_owned(),
        })
    }

    fn item(&self, section: &str, name: &str) -> Result<DefinitionItem, Problem> {
        let yaml = self.file(&format!("{section}/{name}"))?;
        Ok(DefinitionItem {
            etag: format!("\"{}\"", yaml.tag),
            yaml: yaml.text,
            ..DefinitionItem::default()
        })
    }

    fn change(
        &self,
        change: DefinitionChange,
    ) -> BoxFuture<'static, Result<(DefinitionChanged, bool), Problem>> {
        let (texts, changes) = (Arc::clone(&self.texts), Arc::clone(&self.changes));
        async move {
            changes.lock().unwrap().push(change.clone());
            let mut texts = texts.lock().unwrap();
            let name = key(&change.place);
            let now = texts.get(&name).map(|text| text.len().to_string());
            if !change.dry_run && !change.precondition.holds(now.as_deref()) {
                return Err(Problem::new(Slug::PreconditionFailed, "It is another."));
            }
            if name == "full.yaml" {
                return Err(Problem::new(Slug::JournalFull, "The disk is full."));
            }
            if change.text.as_deref() == Some("fault") {
                let problem = Problem::new(Slug::BadDefinition, "It is at fault.");
                return Err(problem.with("faults", serde_json::json!([{"line": 1}])));
            }
            let changed = DefinitionChanged {
                file: name.clone(),
                etag: change
                    .text
                    .as_ref()
                    .map(|text| format!("\"{}\"", text.len())),
                in_force: !change.dry_run,
                ..DefinitionChanged::default()
            };
            if !change.dry_run {
                match change.text {
                    Some(text) => texts.insert(name, text),
                    None => texts.remove(&name),
                };
            }
            Ok((changed, now.is_none()))
        }
        .boxed()
    }

    fn calendars(&self) -> Result<CalendarList, Problem> {
        Ok(CalendarList::default())
    }

    fn propose(&self, sample: &FileSample) -> Result<ProposalDocument, Problem> {
        self.samples.lock().unwrap().push(sample.clone());
        Err(Problem::new(Slug::NothingProposed, "No column has a time."))
    }
}

async fn opened(limits: Limits) -> (Stand, Arc<Drawer>) {
    let stand = Stand::with(limits).await;
    let drawer = Arc::new(Drawer::default());
    stand.app.set_definitions(Arc::clone(&drawer) as Arc<_>);
    (stand, drawer)
}

async fn read(response: reqwest::Response) -> (u16, Option<String>, Value) {
    let status = response.status().as_u16();
    let tag = response.headers().get("etag");
    let tag = tag.map(|tag| tag.to_str().unwrap().to_owned());
    let text = response.text().await.unwrap();
    (status, tag, serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn a_file_is_made_read_changed_and_removed_by_its_tag() {
    let (stand, _) = opened(Limits::default()).await;
    let path = "/v1/definitions/files/teams/shop.yaml";
    let put = |text: &str| stand.put(path, YAML, text);
    let remove = || stand.client.delete(stand.url(path));
    let bare = put("a: 1").send().await.unwrap();
    assert_eq!(problem(bare).await.1, "precondition-required");
    let made = put("a: 1").header("if-none-match", "*").send().await;
    let (status, tag, document) = read(made.unwrap()).await;
    assert_eq!((status, tag.as_deref()), (201, Some("\"4\"")));
    assert_eq!(
        (&document["file"], &document["in_force"]),
        (&"teams/shop.yaml".into(), &true.into())
    );
    let found = stand.get(path).await;
    assert_eq!(found.headers()["etag"], "\"4\"");
    assert_eq!(
        found.headers()["content-type"],
        "application/yaml; charset=utf-8"
    );
    assert_eq!(found.text().await.unwrap(), "a: 1");
    let changed = put("a: 12").header("if-match", "\"4\"").send().await;
    assert_eq!(changed.unwrap().status(), 200);
    let lost = put("a: 13").header("if-match", "\"4\"").send().await;
    assert_eq!(problem(lost.unwrap()).await.0, 412);
    assert_eq!(problem(remove().send().await.unwrap()).await.0, 428);
    let removed = remove().header("if-match", "\"5\"").send().await.unwrap();
    let (status, tag, _) = read(removed).await;
    assert_eq!((status, tag), (200, None));
    assert_eq!(problem(stand.get(path).await).await.1, "unknown-definition");
    let list = stand.json("/v1/definitions").await;
    assert_eq!(list["writable"], true);
    let pack = stand.get("/v1/definitions/packs/payments/a/b.yaml").await;
    assert_eq!(pack.text().await.unwrap(), "# payments a/b.yaml\n");
    assert_eq!(
        stand.json("/v1/calendars").await["maintenance"],
        Value::Array(Vec::new())
    );
}

#[tokio::test]
async fn one_definition_needs_no_condition_and_a_check_makes_nothing() {
    let (stand, drawer) = opened(Limits::default()).await;
    let path = "/v1/definitions/monitors/m";
    let checked = stand.put(&format!("{path}?dry_run=true"), YAML, "a: 1");
    let (status, _, document) = read(checked.send().await.unwrap()).await;
    assert_eq!(
        (status, &document["faults"]),
        (200, &Value::Array(Vec::new()))
    );
    assert_eq!(problem(stand.get(path).await).await.0, 404);
    let made = stand
        .put(path, "application/json", "{}")
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), 201);
    let found = stand.get(path).await;
    assert_eq!(found.headers()["etag"], "\"2\"");
    assert_eq!(read(found).await.2["yaml"], "{}");
    let faulty = stand.put(path, YAML, "fault").send().await.unwrap();
    let (status, slug, document) = problem(faulty).await;
    assert_eq!((status, slug.as_str()), (422, "bad-definition"));
    assert_eq!(document["faults"][0]["line"], 1);
    let full = stand.put("/v1/definitions/files/full.yaml", YAML, "a: 1");
    let full = full.header("if-none-match", "*").send().await.unwrap();
    assert_eq!(problem(full).await.0, 507);
    let changes = drawer.changes.lock().unwrap();
    assert!(changes[0].dry_run && !changes[1].dry_run);
    assert_eq!(changes[0].precondition, Precondition::Always);
}

#[tokio::test]
async fn what_is_no_text_of_definitions_reaches_nobody() {
    let (stand, drawer) = opened(Limits {
        definition_bytes_max: 8,
        propose_bytes_max: 8,
        ..Limits::default()
    })
    .await;
    let path = "/v1/definitions/monitors/m";
    let cases = [
        (path, "text/plain", "a: 1", 415),
        (path, YAML, "a: 123456", 413),
        ("/v1/definitions/monitors/m?dry_run=yes", YAML, "a: 1", 400),
        ("/v1/definitions/monitors/m?other=1", YAML, "a: 1", 400),
    ];
    for (path, kind, text, status) in cases {
        let sent = stand.put(path, kind, text).send().await.unwrap();
        assert_eq!(problem(sent).await.0, status, "{path} {kind} {text}");
    }
    let bytes = stand.put(path, YAML, "").body(vec![0xff, 0xfe]);
    assert_eq!(
        problem(bytes.send().await.unwrap()).await.1,
        "body-unreadable"
    );
    let packed = stand
        .put(path, YAML, "a: 1")
        .header("content-encoding", "gzip");
    assert_eq!(problem(packed.send().await.unwrap()).await.0, 415);
    let both = stand.put(path, YAML, "a: 1").header("if-match", "*");
    let both = both.header("if-none-match", "*").send().await.unwrap();
    assert_eq!(problem(both).await.0, 400);
    let large = stand
        .post("/v1/propose", "text/csv", "a,b\n1,2\n3")
        .send()
        .await
        .unwrap();
    assert_eq!(problem(large).await.0, 413);
    assert!(drawer.changes.lock().unwrap().is_empty());
    assert!(drawer.samples.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_file_to_propose_for_comes_with_its_names() {
    let (stand, drawer) = opened(Limits::default()).await;
    let path = "/v1/propose?file_name=My%20shop.csv&stream=shop&whole=true";
    let sent = stand
        .post(path, "text/csv", "a,b\n1,2\n")
        .send()
        .await
        .unwrap();
    let (status, slug, _) = problem(sent).await;
    assert_eq!((status, slug.as_str()), (422, "nothing-proposed"));
    let sample = FileSample {
        bytes: "a,b\n1,2\n".into(),
        whole: true,
        file_name: Some("My shop.csv".to_owned()),
        stream: Some("shop".to_owned()),
    };
    assert_eq!(*drawer.samples.lock().unwrap(), [sample]);
}
