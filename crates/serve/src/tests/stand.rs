//! A server under test.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use serde_json::Value;
use tillwatch_collect::outgoing::http_client;
use tokio::task::JoinHandle;

use super::cases::Cases;
use super::parts::{Counts, Lines, Trials, Vitals};
use super::shelf::{self, Shelf};
use crate::documents::{Board, BoardPlace, GoodDirection, Localized, Tile};
use crate::{Access, App, Assets, Limits, Server, Services};

/// Whatever is waited for must come within this time.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

pub(super) struct Stand {
    pub(super) app: App,
    pub(super) address: SocketAddr,
    pub(super) lines: Arc<Lines>,
    pub(super) counts: Arc<Counts>,
    pub(super) cases: Arc<Cases>,
    pub(super) trials: Arc<Trials>,
    pub(super) vitals: Arc<Vitals>,
    pub(super) client: reqwest::Client,
    pub(super) running: Option<JoinHandle<()>>,
}

impl Stand {
    pub(super) async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    pub(super) async fn with(limits: Limits) -> Self {
        let access = Access::new("127.0.0.1:0".parse().unwrap(), [], []).unwrap();
        let stand = Self::recovering(limits, access).await;
        stand.open(stand.counts.clone());
        stand
    }

    /// A server that is not open yet.
    pub(super) async fn recovering(limits: Limits, access: Access) -> Self {
        let vitals = Arc::new(Vitals::new());
        let app = App::new(limits, access, assets(), vitals.clone());
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), app.clone())
            .await
            .unwrap();
        let address = server.address();
        Self {
            app,
            address,
            lines: Arc::default(),
            counts: Arc::new(Counts::new("payments")),
            cases: Arc::new(Cases::new()),
            trials: Arc::default(),
            vitals,
            client: http_client(|| reqwest::Client::builder().timeout(DEADLINE)).unwrap(),
            running: Some(tokio::spawn(server.run())),
        }
    }

    pub(super) fn open(&self, figures: Arc<Counts>) {
        let title = Localized {
            en: "Payments".into(),
            zh: Some("支付".into()),
        };
        let board = Board {
            name: "payments".into(),
            title: title.clone(),
            tiles: vec![Tile {
                metric: "payments".into(),
                title,
                filter: [("psp".to_owned(), "adyen".to_owned())].into(),
                good: Some(GoodDirection::Up),
            }],
            charts: Vec::new(),
            panels: Vec::new(),
            incidents: true,
            from: BoardPlace::Folder,
            version: None,
            changed_at: None,
            by: None,
        };
        self.app.open(Services {
            collector: self.lines.clone(),
            figures,
            incidents: self.cases.clone(),
            backtests: self.trials.clone(),
            annotations: shelf::annotations(&self.app.inner().limits),
            boards: Shelf::with(vec![board]).kept(&self.app.inner().limits),
        });
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    pub(super) async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "application/json");
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    pub(super) fn post(&self, path: &str, kind: &str, body: &str) -> reqwest::RequestBuilder {
        self.client
            .post(self.url(path))
            .header("content-type", kind)
            .body(body.to_owned())
    }

    /// Sends a board to be saved.
    pub(super) fn put(&self, path: &str, kind: &str, body: &str) -> reqwest::RequestBuilder {
        self.client
            .put(self.url(path))
            .header("content-type", kind)
            .body(body.to_owned())
    }

    pub(super) async fn events(&self, path: &str) -> Events {
        read_events(&self.url(path)).await
    }
}

/// Opens a stream of server-sent events.
pub(super) async fn read_events(url: &str) -> Events {
    read_events_with(url, None).await
}

/// Opens a stream of server-sent events with a token.
pub(super) async fn read_events_with(url: &str, token: Option<&str>) -> Events {
    // A client for streams must have no overall timeout.
    let request = http_client(reqwest::Client::builder).unwrap().get(url);
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{url}");
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    Events {
        body: response.bytes_stream().boxed(),
        text: String::new(),
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.app.stop();
    }
}

/// The problem document of an answer, checked for its standard members.
pub(super) async fn problem(response: reqwest::Response) -> (u16, String, Value) {
    let status = response.status().as_u16();
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json",
        "{status}"
    );
    let document: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(document["status"], status);
    assert!(
        document["title"].is_string() && document["detail"].is_string(),
        "{document}"
    );
    let kind = document["type"].as_str().unwrap();
    let slug = kind
        .strip_prefix("https://tillwatch.dev/problems/")
        .unwrap()
        .to_owned();
    (status, slug, document)
}

/// One server-sent event.
#[derive(Debug)]
pub(super) struct SentEvent {
    pub(super) name: String,
    pub(super) id: Option<String>,
    pub(super) data: Value,
}

/// A stream of server-sent events, read as a browser does.
pub(super) struct Events {
    body: futures::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    text: String,
}

impl Events {
    /// The next event; `None` when the stream has ended. Fails after the deadline.
    pub(super) async fn next(&mut self) -> Option<SentEvent> {
        let read = async {
            loop {
                if let Some((event, rest)) = self.text.split_once("\n\n") {
                    let event = parse(event);
                    self.text = rest.to_owned();
                    return Some(event);
                }
                let chunk = self.body.next().await?.ok()?;
                self.text.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        };
        tokio::time::timeout(DEADLINE, read)
            .await
            .expect("no event within the deadline")
    }

    /// The next event that is no heartbeat.
    pub(super) async fn told(&mut self) -> SentEvent {
        loop {
            let event = self.next().await.expect("the stream has ended");
            if event.name != "heartbeat" {
                return event;
            }
        }
    }
}

fn parse(text: &str) -> SentEvent {
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .map(|v| v.trim().to_owned())
    };
    let data = field("data:").expect("an event without data");
    SentEvent {
        name: field("event:").unwrap_or_default(),
        id: field("id:"),
        data: serde_json::from_str(&data).unwrap(),
    }
}

/// Waits until a condition holds.
pub(super) async fn until(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(DEADLINE, wait)
        .await
        .unwrap_or_else(|_| panic!("waited for: {what}"));
}

fn assets() -> Assets {
    let page = format!("<!doctype html><title>page</title>{}", " ".repeat(2_000));
    let script = "console.log('x');".repeat(100);
    Assets::from_files([
        ("index.html.gz".to_owned(), gzipped(&page)),
        ("assets/main-1a2b3c.js.gz".to_owned(), gzipped(&script)),
        ("favicon.svg".to_owned(), b"<svg/>".to_vec()),
    ])
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}
