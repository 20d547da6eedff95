//! Measures events per CPU second through `Processor::apply` for a payments cube.
//!
//! `cargo run --release -p tillwatch-process --example ingest_rate -- [events] [rows per record]`
//!
//! The batches are made beforehand, so the figure is deduplication, derived columns, partial
//! aggregation and merging, without decoding and without the journal.

#![expect(clippy::print_stdout, reason = "a program that prints a figure")]
#![expect(clippy::unwrap_used, reason = "a measurement stops at the first fault")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::arrow::array::{
    ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray,
};
use tillwatch_collect::{Downstream, JournalRecord, RecordKind};
use tillwatch_event::{Field, FieldType, StreamSchema};
use tillwatch_journal::Offset;
use tillwatch_process::{CubeDefinition, ProcessOptions, Processor, Rates, StreamDefinition};

const MEASURES: &[(&str, &[&str])] = &[
    (
        "counts and sums",
        &[
            "count(*)",
            "count(*) filter (where status = 'approved')",
            "sum(amount_eur)",
        ],
    ),
    (
        "with a quantile sketch",
        &[
            "count(*)",
            "count(*) filter (where status = 'approved')",
            "sum(amount_eur)",
            "quantile(latency_ms)",
        ],
    ),
    (
        "with quantile and distinct sketches",
        &[
            "count(*)",
            "count(*) filter (where status = 'approved')",
            "sum(amount_eur)",
            "quantile(latency_ms)",
            "distinct(card_token)",
        ],
    ),
];

fn main() {
    let mut args = std::env::args()
        .skip(1)
        .map(|a| a.parse::<usize>().unwrap());
    let events = args.next().unwrap_or(2_000_000);
    let rows = args.next().unwrap_or(8_192);
    let schema = schema();
    let records: Vec<JournalRecord> = (0..events / rows)
        .map(|part| record(&schema, part, rows))
        .collect();
    measure(
        "no cube: deduplication and derived columns",
        &schema,
        None,
        &records,
    );
    for (name, measures) in MEASURES {
        measure(name, &schema, Some(measures), &records);
    }
}

fn measure(
    name: &str,
    schema: &Arc<StreamSchema>,
    measures: Option<&&[&str]>,
    records: &[JournalRecord],
) {
    let stream = StreamDefinition {
        schema: Arc::clone(schema),
        derive: vec![(
            "amount_eur".to_owned(),
            "convert(amount, currency, 'EUR')".to_owned(),
        )],
        keep: None,
        quarantine_keep: None,
    };
    let cubes = measures.iter().map(|measures| cube(measures)).collect();
    let rates = Arc::new(Rates::new("EUR", None, [("USD", "1.0850"), ("GBP", "0.8430")]).unwrap());
    let processor = Processor::new(vec![stream], cubes, rates, ProcessOptions::default()).unwrap();
    let (cpu, wall) = (cpu_time(), Instant::now());
    let mut accepted = 0;
    for record in records {
        accepted += processor
            .apply(std::slice::from_ref(record))
            .iter()
            .map(|a| a.accepted)
            .sum::<u64>();
    }
    let (cpu, wall) = (cpu_time().saturating_sub(cpu), wall.elapsed());
    let rate = accepted as f64 / cpu.as_secs_f64().max(1e-3);
    println!(
        "{name}: {rate:.0} events per CPU second ({accepted} events, CPU {cpu:.2?}, wall {wall:.2?})"
    );
    for cube in processor.status().cubes {
        println!(
            "  {} states, {} KiB, {} chunks, {} combinations",
            cube.rows,
            cube.bytes / 1024,
            cube.chunks,
            cube.combinations
        );
    }
}

fn schema() -> Arc<StreamSchema> {
    let text = |name: &str| Field::new(name, FieldType::String, false);
    Arc::new(StreamSchema {
        name: "payments".to_owned(),
        id: Some("event_id".to_owned()),
        time: "occurred_at".to_owned(),
        dedup: Duration::from_secs(86_400),
        fields: vec![
            text("event_id"),
            Field::new("occurred_at", FieldType::Timestamp, false),
            text("status"),
            Field::new(
                "amount",
                FieldType::Decimal {
                    precision: 18,
                    scale: 2,
                },
                false,
            ),
            Field::new("currency", FieldType::Currency, false),
            text("psp"),
            text("method"),
            text("issuer"),
            text("country"),
            text("card_token"),
            Field::new("latency_ms", FieldType::Int64, false),
        ],
    })
}

fn cube(measures: &[&str]) -> CubeDefinition {
    let dimensions = ["psp", "method", "issuer", "country", "currency"];
    CubeDefinition {
        name: "payment_attempts".to_owned(),
        from: "payments".to_owned(),
        bucket: Duration::from_secs(10),
        dimensions: dimensions
            .iter()
            .map(|d| ((*d).to_owned(), (*d).to_owned()))
            .collect(),
        measures: measures
            .iter()
            .enumerate()
            .map(|(i, m)| (format!("m{i}"), (*m).to_owned()))
            .collect(),
        keep: vec![],
    }
}

/// 4 PSPs × 3 methods × 40 issuers × 8 countries, issuers and countries skewed; 1 000 events a
/// second of event time.
fn record(schema: &StreamSchema, part: usize, rows: usize) -> JournalRecord {
    let mut state = part as u64 + 1;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut skewed = |below: u64| {
        let (a, b) = (next(below), next(below));
        a * b / below
    };
    let first = part * rows;
    let start_us = 1_700_000_000_000_000_i64;
    let column = |values: Vec<String>| Arc::new(StringViewArray::from(values)) as ArrayRef;
    let mut pick = |prefix: &str, below: u64| {
        column(
            (0..rows)
                .map(|_| format!("{prefix}{}", skewed(below)))
                .collect(),
        )
    };
    let (psp, method, issuer, country) = (
        pick("psp_", 4),
        pick("m", 3),
        pick("bank_", 40),
        pick("C", 8),
    );
    let card = pick("card_token_", 1_000_000);
    let status = pick("s", 5);
    let status = column(
        datafusion::arrow::array::AsArray::as_string_view(&status)
            .iter()
            .map(|s| {
                if s == Some("s0") {
                    "approved"
                } else {
                    "declined"
                }
                .to_owned()
            })
            .collect(),
    );
    let numbers: Vec<i64> = (0..rows)
        .map(|_| 1 + skewed(20_000).cast_signed())
        .collect();
    let amounts: Decimal128Array = numbers.iter().map(|n| Some(i128::from(*n))).collect();
    let currencies = (0..rows).map(|_| {
        ["EUR", "EUR", "USD", "GBP"]
            .get(skewed(4) as usize)
            .unwrap()
            .to_string()
    });
    let columns: Vec<ArrayRef> = vec![
        column(
            (0..rows)
                .map(|i| format!("evt_{:016x}", (first + i) * 7_919))
                .collect(),
        ),
        Arc::new(
            TimestampMicrosecondArray::from_iter_values(
                (0..rows).map(|i| start_us + ((first + i) * 1_000) as i64),
            )
            .with_timezone("UTC"),
        ),
        status,
        Arc::new(amounts.with_precision_and_scale(18, 2).unwrap()),
        column(currencies.collect()),
        psp,
        method,
        issuer,
        country,
        card,
        Arc::new(Int64Array::from(numbers)),
    ];
    JournalRecord {
        offset: Offset {
            segment: 1,
            position: part as u64,
        },
        kind: RecordKind::Events,
        stream: "payments".into(),
        received_at_us: start_us + (first * 1_000) as i64,
        idempotency_key: None,
        source: None,
        first_row: 0,
        batch: RecordBatch::try_new(schema.arrow_schema(), columns).unwrap(),
    }
}

/// CPU time of this process so far, from `/proc`; ticks are hundredths of a second on Linux.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: u64 = [11, 12]
        .iter()
        .map(|i| fields.get(*i).unwrap().parse::<u64>().unwrap())
        .sum();
    Duration::from_millis(ticks * 10)
}
