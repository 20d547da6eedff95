//! Made-up traffic in a real journal, a processor recovered from it, an analyst over both.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tillwatch_collect::{DecodeLimits, Decoder, Format, RecordHead, RecordKind, encode_record};
use tillwatch_event::{Field, MemoryBudget, StreamSchema, schema};
use tillwatch_journal::{DiskStorage, Journal, JournalOptions, JournalReader};
use tillwatch_process::{
    CubeDefinition, ProcessOptions, Processor, Rates, RecoverRange, StreamDefinition,
};

use crate::{AnalyseError, Analyst, LimitOverride, MetricDefinition, QueryLimits, QueryResult};

/// 2026-03-01T12:00:00Z in microseconds, when the traffic starts.
pub(super) const START_US: i64 = 1_772_366_400_000_000;
/// A second in microseconds.
pub(super) const SECOND_US: i64 = 1_000_000;
/// Width of the cube `payment_attempts`' buckets.
pub(super) const BUCKET_US: i64 = 10 * SECOND_US;
/// Events in the stream `payments`.
pub(super) const PAYMENTS: usize = 600;

/// The traffic and the one who answers about it. The journal lives as long as this.
pub(super) struct Fixture {
    pub(super) analyst: Analyst,
    pub(super) processor: Arc<Processor>,
    journal: Journal,
    _folder: tempfile::TempDir,
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self::with(QueryLimits::default())
    }

    pub(super) fn with(limits: QueryLimits) -> Self {
        Self::sharing(limits, MemoryBudget::unbounded())
    }

    /// Queries take their memory out of a budget.
    pub(super) fn sharing(limits: QueryLimits, memory: MemoryBudget) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let storage = Arc::new(DiskStorage::open(folder.path().join("journal")).unwrap());
        let (mut journal, _) = Journal::open(storage, JournalOptions::default()).unwrap();
        for (schema, lines) in [
            (payments(), payment_lines()),
            (shipments(), shipment_lines()),
        ] {
            // Several frames, so that scans and partial states come in pieces.
            for chunk in lines.chunks(97) {
                append(&mut journal, &schema, &chunk.concat());
            }
        }
        journal.sync().unwrap();
        let processor = Arc::new(processor());
        processor
            .recover(&journal.reader(), RecoverRange::default(), &|_| {})
            .unwrap();
        let reader = journal.reader();
        let analyst = Analyst::sharing(&processor, &reader, metrics(), limits, memory).unwrap();
        Self {
            analyst,
            processor,
            journal,
            _folder: folder,
        }
    }

    pub(super) fn reader(&self) -> JournalReader {
        self.journal.reader()
    }

    pub(super) async fn sql(&self, text: &str) -> Result<QueryResult, AnalyseError> {
        self.analyst.sql(text, LimitOverride::default()).await
    }

    /// The rows as JSON.
    pub(super) async fn rows(&self, text: &str) -> serde_json::Value {
        let result = match self.sql(text).await {
            Ok(result) => result,
            Err(error) => panic!("{text}: {error}"),
        };
        let json: serde_json::Value = serde_json::from_slice(&result.to_json().unwrap()).unwrap();
        json["rows"].clone()
    }

    /// The error's text.
    pub(super) async fn refusal(&self, text: &str) -> String {
        match self.sql(text).await {
            Ok(result) => panic!("{text}: answered with {} rows", result.rows()),
            Err(error) => error.to_string(),
        }
    }
}

pub(super) fn append(journal: &mut Journal, schema: &Arc<StreamSchema>, body: &str) {
    append_at(journal, schema, body, START_US + 3_600 * SECOND_US);
}

/// As received at a time; events of later do not count for the watermark.
pub(super) fn append_at(
    journal: &mut Journal,
    schema: &Arc<StreamSchema>,
    body: &str,
    received_at_us: i64,
) {
    let decoder = Decoder::new(Arc::clone(schema), DecodeLimits::default()).unwrap();
    let decoded = decoder.decode(&Format::Ndjson, body.as_bytes()).unwrap();
    assert_eq!(decoded.rejected, 0, "{:?}", decoded.rejections);
    let head = RecordHead {
        kind: RecordKind::Events,
        stream: &schema.name,
        received_at_us,
        idempotency_key: None,
        source: None,
        first_row: 0,
    };
    journal
        .append(&encode_record(&head, &decoded.batch).unwrap())
        .unwrap();
}

pub(super) fn stream(
    name: &str,
    id: &str,
    time: &str,
    fields: &[(&str, &str)],
) -> Arc<StreamSchema> {
    let fields = fields
        .iter()
        .map(|(name, kind)| {
            let (kind, optional) = schema::parse_type(kind).unwrap();
            Field::new(*name, kind, optional)
        })
        .collect();
    Arc::new(StreamSchema {
        name: name.to_owned(),
        id: Some(id.to_owned()),
        time: time.to_owned(),
        dedup: Duration::from_secs(86_400),
        fields,
    })
}

fn payments() -> Arc<StreamSchema> {
    stream(
        "payments",
        "event_id",
        "occurred_at",
        &[
            ("event_id", "string"),
            ("occurred_at", "timestamp"),
            ("status", "string"),
            ("amount", "decimal(18, 2)"),
            ("psp", "string"),
            ("issuer", "string?"),
            ("latency_ms", "int64?"),
            ("retry", "int64"),
        ],
    )
}

fn shipments() -> Arc<StreamSchema> {
    stream(
        "shipments",
        "id",
        "shipped_at",
        &[
            ("id", "string"),
            ("shipped_at", "timestamp"),
            ("psp", "string"),
            ("on_time", "bool"),
        ],
    )
}

/// A small linear congruential generator: the traffic is the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Half an hour of payments. Nothing happens from minute 10 to 12; `worldpay` stops at minute 5;
/// one psp has a name made to break out of quotes.
fn payment_lines() -> Vec<String> {
    let mut dice = Dice(7);
    let psps = [
        "adyen",
        "stripe",
        "worldpay",
        "o'neil\"; drop table payments --",
    ];
    let mut lines = Vec::new();
    for event in 0..PAYMENTS {
        let mut second = dice.roll(1_800);
        if (600..720).contains(&second) {
            second += 120;
        }
        let mut psp = psps[usize::try_from(dice.roll(4)).unwrap()];
        if psp == "worldpay" && second >= 300 {
            psp = "adyen";
        }
        let status = if dice.roll(10) < 8 {
            "approved"
        } else {
            "declined"
        };
        let issuer = match dice.roll(4) {
            0 => "null".to_owned(),
            n => format!("\"bank_{n}\""),
        };
        let latency = match dice.roll(5) {
            0 => "null".to_owned(),
            _ => (20 + dice.roll(400)).to_string(),
        };
        let at_ms = START_US / 1_000 + i64::try_from(second * 1_000 + dice.roll(1_000)).unwrap();
        let mut line = String::new();
        writeln!(
            line,
            "{{\"event_id\":\"e{event}\",\"occurred_at\":{at_ms},\"status\":\"{status}\",\"amount\":\"{}.{:02}\",\"psp\":{},\"issuer\":{issuer},\"latency_ms\":{latency},\"retry\":{}}}",
            1 + dice.roll(500),
            dice.roll(100),
            serde_json::Value::from(psp),
            dice.roll(3),
        )
        .unwrap();
        // Every 50th event comes twice.
        if event % 50 == 0 {
            lines.push(line.clone());
        }
        lines.push(line);
    }
    lines
}

fn shipment_lines() -> Vec<String> {
    (0..40)
        .map(|n| {
            let at_ms = START_US / 1_000 + n * 60_000;
            let psp = if n % 2 == 0 { "adyen" } else { "stripe" };
            format!(
                "{{\"id\":\"s{n}\",\"shipped_at\":{at_ms},\"psp\":\"{psp}\",\"on_time\":{}}}\n",
                n % 5 != 0
            )
        })
        .collect()
}

pub(super) fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter()
        .map(|(name, sql)| ((*name).to_owned(), (*sql).to_owned()))
        .collect()
}

fn processor() -> Processor {
    let streams = vec![
        StreamDefinition {
            schema: payments(),
            derive: pairs(&[("net", "amount - 0.30")]),
            keep: None,
            quarantine_keep: None,
        },
        StreamDefinition {
            schema: shipments(),
            derive: Vec::new(),
            keep: None,
            quarantine_keep: None,
        },
    ];
    let attempts = CubeDefinition {
        name: "payment_attempts".to_owned(),
        from: "payments".to_owned(),
        bucket: Duration::from_secs(10),
        dimensions: pairs(&[("psp", "psp"), ("issuer", "issuer"), ("retry", "retry")]),
        measures: pairs(&[
            ("attempts", "count(*)"),
            ("approved", "count(*) filter (where status = 'approved')"),
            ("volume", "sum(amount)"),
            (
                "declined_volume",
                "sum(amount) filter (where status = 'declined')",
            ),
            ("latency", "quantile(latency_ms)"),
            ("mean_latency", "avg(latency_ms)"),
            ("slowest", "max(latency_ms)"),
            ("banks", "distinct(issuer)"),
        ]),
        keep: Vec::new(),
    };
    let deliveries = CubeDefinition {
        name: "deliveries".to_owned(),
        from: "shipments".to_owned(),
        bucket: Duration::from_secs(60),
        dimensions: pairs(&[("psp", "psp")]),
        measures: pairs(&[
            ("shipped", "count(*)"),
            ("punctual", "count(*) filter (where on_time)"),
        ]),
        keep: Vec::new(),
    };
    let aging = CubeDefinition {
        name: "aging_attempts".to_owned(),
        measures: pairs(&[("tries", "count(*)")]),
        keep: vec![
            (Duration::from_secs(10), Duration::from_secs(300)),
            (Duration::from_secs(60), Duration::from_secs(86_400)),
        ],
        ..attempts.clone()
    };
    let rates = Arc::new(Rates::none());
    Processor::new(
        streams,
        vec![attempts, deliveries, aging],
        rates,
        ProcessOptions::default(),
    )
    .unwrap()
}

pub(super) fn metric(name: &str, of: &str, expr: &str, unit: &str) -> MetricDefinition {
    MetricDefinition {
        name: name.to_owned(),
        of: of.to_owned(),
        expr: expr.to_owned(),
        unit: (!unit.is_empty()).then(|| unit.to_owned()),
        ..MetricDefinition::default()
    }
}

fn metrics() -> Vec<MetricDefinition> {
    let cube = "payment_attempts";
    vec![
        metric("authorization_rate", cube, "approved / attempts", "percent"),
        metric(
            "decline_rate",
            cube,
            "(attempts - approved) / attempts",
            "percent",
        ),
        metric("attempt_count", cube, "attempts", "count"),
        metric("payment_volume", cube, "volume", "EUR"),
        metric(
            "declined_share",
            cube,
            "declined_volume / volume",
            "percent",
        ),
        metric("average_ticket", cube, "volume / attempts", "EUR"),
        metric("half_share", cube, "0.5 / attempts + (volume - volume)", ""),
        metric("volume_or_one", cube, "coalesce(volume, 1)", "EUR"),
        metric("volume_or_none", cube, "coalesce(volume, 0)", "EUR"),
        metric("latency_p95", cube, "quantile_at(latency, 0.95)", "ms"),
        metric("latency_mean", cube, "mean_latency", "ms"),
        metric("aging_count", "aging_attempts", "tries", "count"),
        metric(
            "on_time_rate",
            "deliveries",
            "punctual / shipped",
            "percent",
        ),
    ]
}
