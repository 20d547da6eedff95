mod dialects;
mod over_http;
mod targets;

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::decode::{DecodeLimits, Decoder, Delimiter};
use crate::file::{Dialect, FileFormat};
use tillwatch_event::{Field, FieldType, StreamSchema};

/// A server as far as a sink sees it: takes each key once, and fails as it is told.
struct Shop {
    decoder: Decoder,
    name: String,
    seen: Mutex<BTreeMap<String, u64>>,
    rows: Mutex<Vec<(i64, String)>>,
    sent: AtomicU64,
    faults: Mutex<Vec<SinkError>>,
    faults_of_target: Mutex<Vec<SinkError>>,
    /// After so many chunks it takes them and never answers.
    mute_after: AtomicU64,
    news: tokio::sync::Notify,
}

fn schema() -> Arc<StreamSchema> {
    Arc::new(StreamSchema {
        name: "notes".to_owned(),
        id: None,
        time: "day".to_owned(),
        dedup: Duration::from_secs(86_400),
        fields: vec![
            Field::new("n", FieldType::Int64, false),
            Field::new("day", FieldType::Date, false),
            Field::new("text", FieldType::String, true),
        ],
    })
}

impl Shop {
    fn new() -> Arc<Self> {
        Self::named("shop")
    }

    fn named(name: &str) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            decoder: Decoder::new(schema(), DecodeLimits::default()).unwrap(),
            seen: Mutex::default(),
            rows: Mutex::default(),
            sent: AtomicU64::new(0),
            faults: Mutex::default(),
            faults_of_target: Mutex::default(),
            mute_after: AtomicU64::new(u64::MAX),
            news: tokio::sync::Notify::new(),
        })
    }

    fn numbers(&self) -> Vec<i64> {
        let mut numbers: Vec<i64> = self.rows.lock().unwrap().iter().map(|(n, _)| *n).collect();
        numbers.sort_unstable();
        numbers
    }

    fn fail_with(&self, faults: Vec<SinkError>) {
        *self.faults.lock().unwrap() = faults;
    }
}

impl Sink for Shop {
    async fn target(&self) -> Result<String, SinkError> {
        match self.faults_of_target.lock().unwrap().pop() {
            Some(fault) => Err(fault),
            None => Ok(self.name.clone()),
        }
    }

    async fn send(&self, parcel: &Parcel) -> Result<Answer, SinkError> {
        use arrow::array::AsArray;
        use arrow::datatypes::Int64Type;
        if let Some(fault) = self.faults.lock().unwrap().pop() {
            return Err(fault);
        }
        let sent = self.sent.fetch_add(1, Ordering::SeqCst);
        let decoded = self
            .decoder
            .decode(
                &parcel
                    .format
                    .chunk_format(self.decoder.csv(), parcel.chunk.repeated),
                &parcel.chunk.body,
            )
            .map_err(|error| SinkError::Refused(error.to_string()))?;
        let rows = decoded.batch.num_rows() as u64;
        let known = self
            .seen
            .lock()
            .unwrap()
            .insert(parcel.idempotency_key.clone(), rows)
            .is_some();
        if !known {
            let numbers = decoded.batch.column(0).as_primitive::<Int64Type>();
            let texts = decoded.batch.column(2).as_string_view();
            let taken = numbers
                .values()
                .iter()
                .zip(texts)
                .map(|(n, t)| (*n, t.unwrap_or("").to_owned()));
            self.rows.lock().unwrap().extend(taken);
        }
        self.news.notify_one();
        if sent >= self.mute_after.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let (accepted, duplicates) = if known { (0, rows) } else { (rows, 0) };
        let rejections = decoded.rejections;
        Ok(Answer {
            accepted,
            duplicates,
            rejected: decoded.rejected,
            rejections,
        })
    }
}

struct Bench {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Bench {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.csv");
        std::fs::write(&path, text).unwrap();
        Self { folder, path }
    }

    fn numbered(lines: u64) -> Self {
        let mut text = "n,day,text\n".to_owned();
        for n in 0..lines {
            text.push_str(&format!("{n},2026-01-01,\"line\n{n}\"\n"));
        }
        Self::new(&text)
    }

    fn options(&self) -> IngestOptions {
        let mut options = IngestOptions::new(self.folder.path().join("state"));
        options.read.chunk_bytes = 100;
        options.retry_wait_min = Duration::from_millis(1);
        options.retry_wait_max = Duration::from_millis(4);
        options
    }

    async fn load(&self, shop: &Arc<Shop>) -> Result<Outcome, IngestError> {
        self.load_with(shop, &self.options()).await
    }

    async fn load_with(
        &self,
        shop: &Arc<Shop>,
        options: &IngestOptions,
    ) -> Result<Outcome, IngestError> {
        ingest(
            &self.path,
            "notes",
            Arc::clone(shop),
            options,
            Arc::new(|_| {}),
        )
        .await
    }

    fn rejected(&self) -> Vec<serde_json::Value> {
        let path = self.folder.path().join("notes.csv.rejected.ndjson");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

#[tokio::test]
async fn a_file_is_loaded_in_chunks_and_not_a_second_time() {
    let bench = Bench::numbered(50);
    let shop = Shop::new();
    let outcome = bench.load(&shop).await.unwrap();
    assert_eq!(outcome.progress.accepted, 50);
    assert_eq!(outcome.progress.bytes_done, outcome.progress.bytes_total);
    assert_eq!(shop.numbers(), (0..50).collect::<Vec<_>>());
    assert!(
        shop.rows
            .lock()
            .unwrap()
            .contains(&(7, "line\n7".to_owned()))
    );
    let sent = shop.sent.load(Ordering::SeqCst);
    assert!(sent > 5, "{sent} chunks");
    let again = bench.load(&shop).await.unwrap();
    assert!(again.done_before);
    assert_eq!(again.progress, outcome.progress);
    assert_eq!(shop.sent.load(Ordering::SeqCst), sent);
    let restart = IngestOptions {
        restart: true,
        ..bench.options()
    };
    let anew = bench.load_with(&shop, &restart).await.unwrap();
    assert_eq!((anew.progress.accepted, anew.progress.duplicates), (0, 50));
}

#[tokio::test]
async fn a_file_corrected_in_its_middle_is_another_file() {
    let mut text = "n,day,text\n".to_owned();
    for n in 0..300 {
        text.push_str(&format!("{n},2026-01-01,{:>10000}\n", "."));
    }
    let bench = Bench::new(&text);
    let shop = Shop::new();
    let restart = IngestOptions {
        restart: true,
        ..IngestOptions::new(bench.folder.path().join("state"))
    };
    bench.load_with(&shop, &restart).await.unwrap();
    std::fs::write(&bench.path, text.replace("\n150,", "\n999,")).unwrap();
    for options in [
        IngestOptions {
            restart: false,
            ..restart.clone()
        },
        restart,
    ] {
        let corrected = bench.load_with(&shop, &options).await.unwrap();
        assert!(!corrected.done_before);
        assert!(shop.numbers().contains(&999));
    }
}

#[tokio::test]
async fn a_load_that_broke_off_goes_on_and_counts_nothing_twice() {
    for answered in 0..12 {
        let bench = Bench::numbered(60);
        let shop = Shop::new();
        shop.mute_after.store(answered, Ordering::SeqCst);
        // The loader dies while chunks are taken and not answered.
        let progress = Arc::new(AtomicU64::new(0));
        let noted = Arc::clone(&progress);
        let options = bench.options();
        let listener: Listener = Arc::new(move |event| {
            if let Event::Progress(p) = event {
                noted.store(p.accepted, Ordering::SeqCst);
            }
        });
        let load = ingest(&bench.path, "notes", Arc::clone(&shop), &options, listener);
        let dying = async {
            while shop.sent.load(Ordering::SeqCst) <= answered + 2 {
                shop.news.notified().await;
            }
        };
        tokio::select! {
            _ = load => panic!("it cannot end"),
            () = dying => {}
        }
        shop.mute_after.store(u64::MAX, Ordering::SeqCst);
        let outcome = bench.load(&shop).await.unwrap();
        assert_eq!(
            shop.numbers(),
            (0..60).collect::<Vec<_>>(),
            "after {answered} answers"
        );
        assert_eq!(outcome.progress.accepted + outcome.progress.duplicates, 60);
        assert_eq!(
            outcome.resumed_from.is_some(),
            progress.load(Ordering::SeqCst) > 0
        );
    }
}

#[tokio::test]
async fn overload_and_failures_are_waited_out() {
    let bench = Bench::numbered(30);
    let shop = Shop::new();
    let busy = || SinkError::Overloaded {
        reason: "the server is overloaded".to_owned(),
        retry_after: Duration::from_millis(2),
    };
    let down = || SinkError::Unavailable("the server failed: 503".to_owned());
    shop.fail_with(
        (0..40)
            .map(|n| if n % 2 == 0 { busy() } else { down() })
            .collect(),
    );
    let waits = Arc::new(Mutex::new(HashSet::new()));
    let noted = Arc::clone(&waits);
    let listener: Listener = Arc::new(move |event| {
        if let Event::Waiting { reason, .. } = event {
            noted.lock().unwrap().insert(reason);
        }
    });
    let options = IngestOptions {
        failures_max: 40,
        ..bench.options()
    };
    let outcome = ingest(&bench.path, "notes", Arc::clone(&shop), &options, listener)
        .await
        .unwrap();
    assert_eq!(
        (outcome.progress.accepted, outcome.progress.duplicates),
        (30, 0)
    );
    assert_eq!(waits.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_server_that_stays_away_ends_the_load_in_a_state_that_goes_on() {
    let bench = Bench::numbered(30);
    let shop = Shop::new();
    shop.fail_with(vec![
        SinkError::Unavailable(
            "no connection; is it running?".to_owned()
        );
        400
    ]);
    let options = IngestOptions {
        failures_max: 3,
        ..bench.options()
    };
    let error = bench.load_with(&shop, &options).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "stopped before line 2: no connection; is it running?; run the same command again to go on from there"
    );
    shop.fail_with(Vec::new());
    assert_eq!(bench.load(&shop).await.unwrap().progress.accepted, 30);
    assert_eq!(shop.numbers(), (0..30).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_overload_without_end_ends_the_load() {
    let bench = Bench::numbered(3);
    let shop = Shop::new();
    let busy = SinkError::Overloaded {
        reason: "busy".to_owned(),
        retry_after: Duration::from_millis(1),
    };
    shop.fail_with(vec![busy; 10_000]);
    let options = IngestOptions {
        overload_max: Duration::from_millis(20),
        ..bench.options()
    };
    let error = bench.load_with(&shop, &options).await.unwrap_err();
    assert!(
        error.to_string().starts_with("stopped before line 2: busy"),
        "{error}"
    );
}

#[tokio::test]
async fn a_refusal_ends_the_load_at_once() {
    let bench = Bench::numbered(30);
    let shop = Shop::new();
    shop.fail_with(vec![SinkError::Refused(
        "the server refused: 404 unknown stream".to_owned(),
    )]);
    let error = bench.load(&shop).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "stopped before line 2: the server refused: 404 unknown stream"
    );
}

#[tokio::test]
async fn rejected_lines_are_written_whole_with_their_line_of_the_file() {
    let text = "n,day,text\r\n1,2026-01-01,a\r\nx,2026-01-01,\"two\r\nlines\"\r\n2,2026-01-01,b\r\n\
                3,yesterday,4111 1111 1111 1111\r\n4,2026-01-01\r\n5,2026-01-01,c";
    for chunk_bytes in [20, 60, 10_000] {
        let bench = Bench::new(text);
        let shop = Shop::new();
        let mut options = bench.options();
        options.read.chunk_bytes = chunk_bytes;
        let outcome = bench.load_with(&shop, &options).await.unwrap();
        assert_eq!(shop.numbers(), [1, 2, 5], "chunks of {chunk_bytes}");
        assert_eq!(outcome.progress.rejected, 3);
        assert!(
            outcome
                .rejected_path
                .unwrap()
                .ends_with("notes.csv.rejected.ndjson")
        );
        let rejected = bench.rejected();
        let told: Vec<_> = rejected
            .iter()
            .map(|r| {
                (
                    r["line"].as_u64().unwrap(),
                    r["field"].as_str(),
                    r["raw"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (3, Some("n"), "x,2026-01-01,\"two\r\nlines\""),
                (6, Some("day"), "3,yesterday,4111 11** **** 1111"),
                (7, None, "4,2026-01-01"),
            ],
            "chunks of {chunk_bytes}"
        );
    }
}

#[tokio::test]
async fn a_verification_code_is_not_written_with_a_rejected_row() {
    let cases = [
        (
            Delimiter::Byte(b','),
            "n,day,card,CVV,text\nx,2026-01-01,4111111111111111,123,\"a,b\"\n1,2026-01-01,,77,777\n2,123\n",
            [
                (2, "x,2026-01-01,\"411111******1111\",***,\"a,b\""),
                (4, "***,***"),
            ]
            .as_slice(),
        ),
        (
            Delimiter::Byte(b';'),
            "n;day;card cvc;text\n1;never;\"12\n3\";t\n2;\"unclosed;456;t\n",
            &[(2, "1;never;***;t"), (4, "***;***")],
        ),
        (
            Delimiter::Byte(b'\t'),
            "n\tday\ttext\tpin_block\nx\t2026-01-01\tt\t0123456789ABCDEF\n",
            &[(2, "x\t2026-01-01\tt\t***")],
        ),
        (
            Delimiter::Whitespace,
            "n day        cvv2 text\nx 2026-01-01 123  t\n6 2026-01-01 123\n",
            &[(2, "x 2026-01-01 *** t"), (3, "*** *** ***")],
        ),
    ];
    for (delimiter, text, expected) in cases {
        let bench = Bench::new(text);
        let mut options = bench.options();
        options.read.csv = Some(Dialect {
            delimiter,
            header: true,
        });
        bench.load_with(&Shop::new(), &options).await.unwrap();
        let rejected = bench.rejected();
        let told: Vec<_> = rejected
            .iter()
            .map(|r| (r["line"].as_i64().unwrap(), r["raw"].as_str().unwrap()))
            .collect();
        assert_eq!(told, expected, "{text}");
    }
}

#[tokio::test]
async fn rejected_lines_are_written_once_however_often_the_load_breaks_off() {
    let mut text = "n,day,text\n".to_owned();
    for n in 0..40 {
        text.push_str(&format!(
            "{n},{},\n",
            if n % 3 == 0 { "never" } else { "2026-01-01" }
        ));
    }
    let bench = Bench::new(&text);
    let shop = Shop::new();
    let options = IngestOptions {
        failures_max: 1,
        in_flight_max: 1,
        ..bench.options()
    };
    for _ in 0..200 {
        // Every second chunk fails.
        shop.fail_with(Vec::new());
        let down = SinkError::Unavailable("down".to_owned());
        let sent = shop.sent.load(Ordering::SeqCst);
        let faulty = Arc::clone(&shop);
        let listener: Listener = Arc::new(move |_| {
            if faulty.sent.load(Ordering::SeqCst) > sent {
                faulty.fail_with(vec![down.clone()]);
            }
        });
        if ingest(&bench.path, "notes", Arc::clone(&shop), &options, listener)
            .await
            .is_ok()
        {
            break;
        }
    }
    let lines: Vec<u64> = bench
        .rejected()
        .iter()
        .map(|r| r["line"].as_u64().unwrap())
        .collect();
    assert_eq!(
        lines,
        (0..40)
            .filter(|n| n % 3 == 0)
            .map(|n| n + 2)
            .collect::<Vec<_>>()
    );
    assert_eq!(shop.numbers().len(), 26);
}

#[tokio::test]
async fn what_a_server_does_not_list_is_counted() {
    struct Terse(Arc<Shop>);
    impl Sink for Terse {
        async fn target(&self) -> Result<String, SinkError> {
            self.0.target().await
        }
        async fn send(&self, parcel: &Parcel) -> Result<Answer, SinkError> {
            let mut answer = self.0.send(parcel).await?;
            answer.rejections.truncate(1);
            Ok(answer)
        }
    }
    let bench = Bench::new("n,day,text\na,,\nb,,\nc,,\n");
    let options = bench.options();
    let sink = Arc::new(Terse(Shop::new()));
    ingest(&bench.path, "notes", sink, &options, Arc::new(|_| {}))
        .await
        .unwrap();
    let rejected = bench.rejected();
    assert_eq!(rejected[0]["line"], 2);
    assert_eq!(
        (
            rejected[1]["unlisted"].as_u64(),
            rejected[1]["last_line"].as_u64()
        ),
        (Some(2), Some(4))
    );
}

#[tokio::test]
async fn files_that_hold_nothing_are_done_at_once() {
    for text in ["", "n,day,text", "n,day,text\r\n", "\u{feff}n,day,text\n"] {
        let bench = Bench::new(text);
        let shop = Shop::new();
        let outcome = bench.load(&shop).await.unwrap();
        // Whether a first row is a header or an event is for the other side to say.
        let rows = u64::from(!text.is_empty());
        assert_eq!(
            (outcome.progress.accepted, shop.sent.load(Ordering::SeqCst)),
            (0, rows),
            "{text:?}"
        );
    }
}

#[tokio::test]
async fn a_file_that_was_begun_in_another_form_is_not_mixed() {
    let bench = Bench::numbered(30);
    let shop = Shop::new();
    shop.fail_with(vec![SinkError::Refused("no".to_owned())]);
    bench.load(&shop).await.unwrap_err();
    // The state is written with the first chunk that is acknowledged.
    let mut options = bench.options();
    options.in_flight_max = 1;
    let faulty = Arc::clone(&shop);
    let listener: Listener = Arc::new(move |event| {
        if matches!(event, Event::Progress(p) if p.accepted > 0) {
            faulty.fail_with(vec![SinkError::Refused("no".to_owned())]);
        }
    });
    ingest(&bench.path, "notes", Arc::clone(&shop), &options, listener)
        .await
        .unwrap_err();
    options.read.format = Some(FileFormat::Ndjson);
    let error = bench.load_with(&shop, &options).await.unwrap_err();
    assert!(matches!(error, IngestError::OtherForm { .. }), "{error}");
}

#[test]
fn a_copy_is_the_same_file_and_a_changed_one_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Fingerprint::of(&path).unwrap()
    };
    let large = vec![7; 3 << 20];
    let first = write("a", &large);
    assert_eq!(write("b", &large), first);
    assert_ne!(write("c", &large[1..]), first);
    let mut changed = large.clone();
    *changed.last_mut().unwrap() = 8;
    assert_ne!(write("d", &changed), first);
    let mut corrected = large.clone();
    corrected[3 << 19] = 8;
    assert_ne!(write("e", &corrected), first);
}
