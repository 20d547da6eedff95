//! What history promises, tried on real folders, in memory, and on a disk that forgets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod basics;
mod columns;
mod crash;
mod disk;
mod log;
mod readers;

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{
    DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
};
use proptest::prelude::*;
use tillwatch_history::{History, HistoryOptions, Location, Table, TableSpec};

/// 2026-11-29T12:00:00Z in microseconds.
const NOON_US: i64 = 1_795_953_600_000_000;
const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;

fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// Time, a number that says which row it is, and a text.
fn simple_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("at", time_type(), false),
        Field::new("number", DataType::Int64, false),
        Field::new("psp", DataType::Utf8, true),
    ]))
}

fn simple_spec(name: &str) -> TableSpec {
    TableSpec {
        name: name.to_owned(),
        schema: simple_schema(),
        time: "at".to_owned(),
        sort: vec!["psp".to_owned()],
        description: "Rows of a test".to_owned(),
        app: "journal-1".to_owned(),
    }
}

/// Rows of (time, number); the text follows from the number.
fn rows(rows: &[(i64, i64)]) -> RecordBatch {
    let at = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.0));
    let number = Int64Array::from_iter_values(rows.iter().map(|row| row.1));
    let psp = rows.iter().map(|row| psp_of(row.1));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(at.with_timezone("UTC")),
        Arc::new(number),
        Arc::new(psp.collect::<StringArray>()),
    ];
    RecordBatch::try_new(simple_schema(), columns).unwrap()
}

fn psp_of(number: i64) -> Option<String> {
    (number % 5 != 0).then(|| format!("psp-{}", number % 7))
}

/// All rows of a table's present version as (time, number), sorted.
fn contents(table: &Table) -> Vec<(i64, i64)> {
    let mut found = Vec::new();
    for file in table.view().files.iter() {
        found.extend(rows_of(table.read(file, None, None).unwrap()));
    }
    found.sort_unstable();
    found
}

fn rows_of(rows: tillwatch_history::Rows) -> Vec<(i64, i64)> {
    rows.flat_map(|batch| pairs(&batch.unwrap())).collect()
}

/// (time, number) of a batch.
fn pairs(batch: &RecordBatch) -> Vec<(i64, i64)> {
    let at = batch["at"]
        .as_primitive::<TimestampMicrosecondType>()
        .values();
    let number = batch["number"].as_primitive::<Int64Type>().values();
    at.iter().copied().zip(number.iter().copied()).collect()
}

/// The seeds of a random test: any, or `TILLWATCH_SEED` to run one again.
fn seeds() -> BoxedStrategy<u64> {
    match chosen_seed() {
        Some(seed) => Just(seed).boxed(),
        None => any::<u64>().boxed(),
    }
}

/// How often a random test runs.
fn cases(usual: u32) -> u32 {
    chosen_seed().map_or(usual, |_| 1)
}

fn chosen_seed() -> Option<u64> {
    let seed = std::env::var("TILLWATCH_SEED").ok()?;
    Some(seed.parse().expect("TILLWATCH_SEED is a number"))
}

fn in_folder(folder: &std::path::Path, options: HistoryOptions) -> Arc<History> {
    History::open(Location::Folder(folder.to_owned()), options).unwrap()
}
