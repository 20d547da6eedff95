//! The whole way over the real parts: a body comes in over HTTP and its figure goes out.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tillwatch_analyse::{Analyst, MetricDefinition, QueryLimits};
use tillwatch_collect::decode::Delimiter;
use tillwatch_collect::outgoing::http_client;
use tillwatch_collect::{CsvOptions, DecodeLimits, Decoder, Intake, IntakeLimits, SystemClock};
use tillwatch_event::{Field, FieldType, StreamSchema};
use tillwatch_journal::{DiskStorage, Journal, JournalOptions};
use tillwatch_monitor::catalogue::Catalogue;
use tillwatch_monitor::figure::{FigureQuery, FigureSource, MetricFacts, Revised, SliceFigures};
use tillwatch_monitor::watch::{AnnounceRules, Feed, Watch, WatchOptions};
use tillwatch_process::{CubeDefinition, ProcessOptions, Processor, Rates, StreamDefinition};

use super::parts::Trials;
use super::shelf::{self, Shelf};
use super::stand::{Events, problem, read_events};
use crate::adapters::{AnalystFigures, JournalCollector, RunningHealth, WatchIncidents};
use crate::request::time::{now_us, rfc3339};
use crate::{Access, App, Assets, Limits, Server, Services};

/// Names and values of a request's headers.
type Headers = Vec<(&'static str, &'static str)>;

const NDJSON: &str = "application/x-ndjson";
const EVENTS: &str = "/v1/streams/payments/events";

pub(super) struct Till {
    app: App,
    address: SocketAddr,
    pub(super) client: reqwest::Client,
    pub(super) intake: Arc<Intake>,
    _folder: tempfile::TempDir,
}

impl Drop for Till {
    fn drop(&mut self) {
        self.app.stop();
        self.intake.stop();
    }
}

/// No figures at all: these tests judge nothing.
struct NoFigures;

impl FigureSource for NoFigures {
    fn facts(&self, metric: &str) -> Result<MetricFacts, String> {
        Err(format!("there is no metric '{metric}'"))
    }

    fn figures(&self, _query: &FigureQuery) -> Result<Vec<SliceFigures>, String> {
        Ok(Vec::new())
    }

    fn revised(&self, _: &str, _: i64, _: i64) -> Result<Option<Revised>, String> {
        Ok(None)
    }
}

pub(super) fn schema() -> Arc<StreamSchema> {
    let money = FieldType::Decimal {
        precision: 18,
        scale: 2,
    };
    let field = |name: &str, kind, optional| Field::new(name, kind, optional);
    Arc::new(StreamSchema {
        name: "payments".into(),
        id: Some("event_id".into()),
        time: "occurred_at".into(),
        dedup: Duration::from_secs(86_400),
        fields: vec![
            field("event_id", FieldType::String, false),
            field("occurred_at", FieldType::Timestamp, false),
            field("psp", FieldType::String, false),
            field("status", FieldType::String, false),
            field("amount", money, true),
        ],
    })
}

fn cube() -> CubeDefinition {
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    CubeDefinition {
        name: "attempts_by_psp".into(),
        from: "payments".into(),
        bucket: Duration::from_secs(1),
        dimensions: vec![pair("psp", "psp")],
        measures: vec![
            pair("attempts", "count(*)"),
            pair("approved", "count(*) filter (where status = 'approved')"),
            pair("volume", "sum(amount)"),
        ],
        keep: Vec::new(),
    }
}

fn metrics() -> Vec<MetricDefinition> {
    let metric = |name: &str, expr: &str, unit: &str| MetricDefinition {
        name: name.into(),
        of: "attempts_by_psp".into(),
        expr: expr.into(),
        unit: Some(unit.into()),
        ..MetricDefinition::default()
    };
    vec![
        metric("payments", "attempts", "count"),
        metric("authorization_rate", "approved / attempts", "percent"),
        metric("payment_volume", "volume", "EUR"),
    ]
}

impl Till {
    pub(super) async fn start() -> Self {
        Self::with(Limits::default(), IntakeLimits::default()).await
    }

    async fn with(limits: Limits, intake_limits: IntakeLimits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let storage = Arc::new(DiskStorage::open(folder.path()).unwrap());
        let (journal, _) = Journal::open(storage, JournalOptions::default()).unwrap();
        let reader = journal.reader();
        let stream = StreamDefinition {
            schema: schema(),
            derive: Vec::new(),
            keep: None,
            quarantine_keep: None,
        };
        let options = ProcessOptions::default();
        let processor =
            Processor::new(vec![stream], vec![cube()], Arc::new(Rates::none()), options).unwrap();
        let processor = Arc::new(processor);
        let clock = Arc::new(SystemClock);
        let intake = Intake::start(journal, processor.clone(), intake_limits, clock).unwrap();
        let intake = Arc::new(intake);
        let analyst =
            Arc::new(Analyst::new(&processor, &reader, metrics(), QueryLimits::default()).unwrap());
        let catalogue = Arc::new(Catalogue::in_memory().unwrap());
        let watch = Watch::start(
            Vec::new(),
            AnnounceRules::default(),
            catalogue,
            Arc::new(NoFigures),
            Feed::default(),
            WatchOptions::default(),
            now_us(),
        )
        .unwrap();
        let health = Arc::new(RunningHealth::new());
        health.set_processor(processor.clone());
        health.set_intake(intake.clone());
        let access = Access::new("127.0.0.1:0".parse().unwrap(), [], []).unwrap();
        let app = App::new(limits.clone(), access, Assets::default(), health);
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), app.clone())
            .await
            .unwrap();
        let address = server.address();
        tokio::spawn(server.run());
        let csv = CsvOptions {
            delimiter: Delimiter::Byte(b';'),
            ..CsvOptions::default()
        };
        let decoder = Decoder::new(schema(), DecodeLimits::default())
            .unwrap()
            .with_csv(csv);
        let decoder = Arc::new(decoder);
        let order: Vec<String> = metrics().into_iter().map(|m| m.name).collect();
        app.open(Services {
            collector: Arc::new(JournalCollector::new(
                intake.clone(),
                processor.clone(),
                [decoder],
                &limits,
            )),
            figures: Arc::new(AnalystFigures::new(analyst, processor, &order)),
            incidents: Arc::new(WatchIncidents::new(Arc::new(watch))),
            backtests: Arc::new(Trials::default()),
            annotations: shelf::annotations(&Limits::default()),
            boards: Shelf::default().kept(&Limits::default()),
        });
        Self {
            app,
            address,
            client: http_client(reqwest::Client::builder).unwrap(),
            intake,
            _folder: folder,
        }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn post(
        &self,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> reqwest::Response {
        let mut request = self.client.post(self.url(EVENTS)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    pub(super) async fn send(&self, body: &str) -> Value {
        let response = self
            .post(&[("content-type", NDJSON)], body.to_owned())
            .await;
        let text = response.text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub(super) async fn json(&self, path: &str) -> Value {
        let response = self.client.get(self.url(path)).send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// A figure of the exposition, by its name without `tillwatch_`.
    pub(super) async fn counter(&self, name: &str) -> u64 {
        let response = self.client.get(self.url("/metrics")).send().await.unwrap();
        let text = response.text().await.unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("tillwatch_{name} ")));
        line.unwrap_or_else(|| panic!("there is no {name}"))
            .parse()
            .unwrap()
    }

    pub(super) async fn sql(&self, sql: &str) -> reqwest::Response {
        let body = json!({"sql": sql}).to_string();
        let request = self
            .client
            .post(self.url("/v1/sql"))
            .header("content-type", "application/json");
        request.body(body).send().await.unwrap()
    }

    pub(super) async fn events(&self, path: &str) -> Events {
        read_events(&self.url(path)).await
    }
}

pub(super) fn event(id: u32, at: &str, psp: &str, status: &str, amount: &str) -> String {
    format!(
        r#"{{"event_id":"e{id}","occurred_at":"{at}","psp":"{psp}","status":"{status}","amount":"{amount}"}}"#
    ) + "\n"
}

pub(super) const AT: &str = "2026-11-22T14:00:00Z";

#[tokio::test(flavor = "multi_thread")]
async fn events_are_counted_once_and_money_is_exact() {
    let till = Till::start().await;
    let body = event(1, AT, "adyen", "approved", "0.10")
        + &event(2, AT, "adyen", "declined", "0.20")
        + "{\"event_id\":\"e3\"}\n"
        + &event(1, AT, "adyen", "approved", "0.10");
    let receipt = till.send(&body).await;
    assert_eq!(
        (
            &receipt["accepted"],
            &receipt["duplicates"],
            &receipt["rejected"]
        ),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!(receipt["rejections"][0]["line"], 3);
    let again = till.send(&body).await;
    assert_eq!(
        (&again["accepted"], &again["duplicates"]),
        (&json!(0), &json!(3))
    );
    let range = "from=2026-11-22T14:00:00Z&to=2026-11-22T14:00:01Z&step=1s&by=psp";
    let volume = till
        .json(&format!("/v1/metrics/payment_volume?{range}"))
        .await;
    assert_eq!(volume["series"][0]["points"][0][1], "0.30");
    let rate = till
        .json(&format!("/v1/metrics/authorization_rate?{range}"))
        .await;
    assert_eq!(rate["series"][0]["points"][0][1], 0.5);
    assert_eq!(rate["unit"], "percent");
    let answer = till
        .sql("select psp, count(*) as n, sum(amount) as total from payments group by psp")
        .await;
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(answer["rows"], json!([["adyen", 2, "0.30"]]));
    let status = till.json("/v1/status").await;
    assert_eq!(status["streams"][0]["events"], 2);
    assert_eq!(status["streams"][0]["duplicates"], 4);
    assert_eq!(status["journal"]["state"], "writable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_figure_is_pushed_within_200_ms_of_its_acknowledgement() {
    let till = Till::start().await;
    let path = "/v1/metrics/payments/live?from=-1m&step=1s&by=psp";
    till.send(&event(
        0,
        &rfc3339(now_us() - 5_000_000),
        "adyen",
        "approved",
        "1.00",
    ))
    .await;
    let mut events = till.events(path).await;
    assert_eq!(events.told().await.name, "snapshot");
    let mut took = Vec::new();
    for id in 1..=20 {
        let at = rfc3339(now_us() - 2_000_000);
        till.send(&event(id, &at, "adyen", "approved", "1.00"))
            .await;
        let acknowledged = Instant::now();
        assert_eq!(events.told().await.name, "update");
        took.push(acknowledged.elapsed());
    }
    took.sort();
    // The median, since this machine may be busy with other tests; the bench has the whole distribution.
    assert!(took[10] < Duration::from_millis(200), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_live_tells_adds_up_to_what_the_series_says() {
    let till = Till::start().await;
    let begin = now_us() - 50_000_000;
    let question = format!("from={}&to=now&step=1s&by=psp", begin / 1_000);
    let mut events = till
        .events(&format!("/v1/metrics/payments/live?{question}"))
        .await;
    let mut id = 0;
    let mut held = std::collections::BTreeMap::new();
    for round in 0..12_i64 {
        let mut body = String::new();
        for offset in 0..5_i64 {
            id += 1;
            // Late ones, new slices, and gaps between buckets.
            let at = begin + ((round * 7 + offset * 3) % 40) * 1_000_000;
            let psp = ["adyen", "stripe", "worldpay"]
                [usize::try_from((round + offset) % (1 + round.min(2))).unwrap()];
            body += &event(id, &rfc3339(at), psp, "approved", "1.00");
        }
        till.send(&body).await;
    }
    let expected =
        |document: &Value, into: &mut std::collections::BTreeMap<(String, i64), Value>| {
            for series in document["series"].as_array().unwrap() {
                let psp = series["by"]["psp"].as_str().unwrap_or_default().to_owned();
                for point in series["points"].as_array().unwrap() {
                    into.insert((psp.clone(), point[0].as_i64().unwrap()), point[1].clone());
                }
            }
        };
    let deadline = Instant::now() + super::stand::DEADLINE;
    loop {
        let event = events.told().await;
        if event.name == "snapshot" {
            held.clear();
        }
        expected(&event.data, &mut held);
        let total: i64 = held.values().filter_map(Value::as_i64).sum();
        if total == i64::from(id) {
            break;
        }
        assert!(Instant::now() < deadline, "{total} of {id} have arrived");
    }
    let mut whole = std::collections::BTreeMap::new();
    expected(
        &till.json(&format!("/v1/metrics/payments?{question}")).await,
        &mut whole,
    );
    // Beyond the last bucket with events nothing is known; whether it is told as null or not at all is the same.
    held.retain(|_, value| !value.is_null());
    whole.retain(|_, value| !value.is_null());
    assert_eq!(held, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_come_in_all_formats_and_encodings() {
    let till = Till::start().await;
    let line = |id| event(id, AT, "adyen", "approved", "1.00");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(line(1).as_bytes()).unwrap();
    let cases: Vec<(Headers, Vec<u8>)> = vec![
        (
            vec![("content-type", NDJSON), ("content-encoding", "gzip")],
            gzip.finish().unwrap(),
        ),
        (
            vec![("content-type", "application/json")],
            line(2).into_bytes(),
        ),
        (
            vec![("content-type", "application/json; charset=utf-8")],
            format!("[{},{}]", line(3), line(4)).into_bytes(),
        ),
        (
            vec![("content-type", "text/csv; delimiter=comma")],
            format!("event_id,occurred_at,psp,status,amount\ne5,{AT},adyen,approved,1.00\n")
                .into_bytes(),
        ),
        // As the stream's definition says that its CSV is cut.
        (
            vec![("content-type", "text/csv")],
            format!("event_id;occurred_at;psp;status;amount\ne6;{AT};adyen;approved;1.00\n")
                .into_bytes(),
        ),
    ];
    for (headers, body) in cases {
        let response = till.post(&headers, body).await;
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, 200, "{headers:?}: {text}");
        assert!(
            text.starts_with("{\"accepted\":1") || text.starts_with("{\"accepted\":2"),
            "{text}"
        );
    }
    assert_eq!(till.json("/v1/status").await["streams"][0]["events"], 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_bodies_get_their_exact_answers() {
    let till = Till::start().await;
    let bomb = {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..70 {
            gzip.write_all(&vec![b' '; 1 << 20]).unwrap();
        }
        gzip.finish().unwrap()
    };
    let ndjson = ("content-type", NDJSON);
    let json = ("content-type", "application/json");
    #[rustfmt::skip]
    let cases: Vec<(Headers, Vec<u8>, u16, &str)> = vec![
        (vec![], b"{}".to_vec(), 415, "unsupported-content-type"),
        (vec![("content-type", "application/x-www-form-urlencoded")], b"{}".to_vec(), 415, "unsupported-content-type"),
        (vec![("content-type", "text/csv; header=maybe")], b"a\n".to_vec(), 400, "bad-header"),
        (vec![ndjson, ("content-encoding", "br")], b"{}".to_vec(), 415, "unsupported-content-encoding"),
        (vec![ndjson, ("content-encoding", "gzip")], b"{}".to_vec(), 400, "body-unreadable"),
        (vec![ndjson, ("content-encoding", "zstd")], b"{}".to_vec(), 400, "body-unreadable"),
        (vec![ndjson, ("content-encoding", "gzip")], bomb, 413, "body-too-large"),
        (vec![ndjson], b"".to_vec(), 400, "body-unreadable"),
        (vec![json], b"{".to_vec(), 400, "body-unreadable"),
        (vec![json], b"[{}".to_vec(), 400, "body-unreadable"),
        (vec![json], b"true".to_vec(), 400, "body-unreadable"),
        (vec![ndjson], b"{\"event_id\":1}\n\xff\xfe\n".to_vec(), 422, "nothing-accepted"),
        (vec![ndjson], b"nonsense".to_vec(), 422, "nothing-accepted"),
        (vec![json], "[".repeat(100_000).into_bytes(), 400, "body-unreadable"),
        (vec![("content-type", "application/vnd.apache.parquet")], b"PAR1".to_vec(), 400, "body-unreadable"),
        (vec![("content-type", "application/vnd.apache.arrow.stream")], b"x".to_vec(), 400, "body-unreadable"),
    ];
    for (headers, body, status, slug) in cases {
        let shown = String::from_utf8_lossy(&body)
            .chars()
            .take(20)
            .collect::<String>();
        let (got, kind, document) = problem(till.post(&headers, body).await).await;
        assert_eq!(
            (got, kind.as_str()),
            (status, slug),
            "{headers:?} {shown}: {document}"
        );
    }
    assert_eq!(till.json("/v1/status").await["streams"][0]["events"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_sql_says_where_and_why() {
    let till = Till::start().await;
    let cases = [
        ("selec 1", 400, "bad-query"),
        ("select * from paymets", 400, "bad-query"),
        ("drop table payments", 400, "bad-query"),
        ("select * from '/etc/passwd'", 400, "bad-query"),
        ("select 1; select 2", 400, "bad-query"),
        ("", 400, "bad-query"),
    ];
    for (sql, status, slug) in cases {
        let (got, kind, document) = problem(till.sql(sql).await).await;
        assert_eq!((got, kind.as_str()), (status, slug), "{sql}: {document}");
    }
    let long = format!("select '{}'", "x".repeat(100_000));
    assert_eq!(problem(till.sql(&long).await).await.0, 422);
    let (_, _, document) =
        problem(till.sql("select *\nfrom payments where pspp = 'x'").await).await;
    assert!(
        document["detail"].as_str().unwrap().contains("pspp"),
        "{document}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn overload_is_a_429_with_a_time_to_come_again() {
    let limits = IntakeLimits {
        queue_batches_max: 1,
        ..IntakeLimits::default()
    };
    let till = Till::with(Limits::default(), limits).await;
    let mut refused = 0;
    let mut accepted = 0;
    for round in 0..200_u32 {
        let sends = (0..16).map(|i| {
            let body = event(round * 16 + i, AT, "adyen", "approved", "1.00");
            till.post(&[("content-type", NDJSON)], body)
        });
        for response in futures::future::join_all(sends).await {
            match response.status().as_u16() {
                200 => accepted += 1,
                429 => {
                    assert_eq!(response.headers()["retry-after"], "1");
                    refused += 1;
                }
                other => panic!("status {other}"),
            }
        }
        if refused > 0 && accepted > 0 {
            break;
        }
    }
    assert!(
        refused > 0 && accepted > 0,
        "{refused} refused, {accepted} accepted"
    );
    assert_eq!(
        till.json("/v1/status").await["streams"][0]["events"],
        accepted,
        "only what was acknowledged"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_intake_has_stopped_nothing_is_acknowledged() {
    let till = Till::start().await;
    till.send(&event(1, AT, "adyen", "approved", "1.00")).await;
    let intake = till.intake.clone();
    tokio::task::spawn_blocking(move || intake.stop())
        .await
        .unwrap();
    let response = till
        .post(
            &[("content-type", NDJSON)],
            event(2, AT, "adyen", "approved", "1.00"),
        )
        .await;
    assert_eq!(problem(response).await.1, "stopping");
    assert_eq!(
        till.json("/v1/metrics").await["metrics"][0]["name"],
        "payments",
        "questions still are"
    );
}
