//! Rows to Parquet files.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::interleave;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use uuid::Uuid;

use super::sort::{RowAt, by_day, times_of};
use super::stats;
use crate::table::{DAY, Shape};
use crate::{HistoryError, HistoryOptions};

/// Rows that are put in order and encoded at a time.
const CHUNK_ROWS: usize = 8192;
/// Rows that are looked at to tell whether the texts of a column repeat.
const SAMPLE_ROWS: usize = 1024;
/// Fewer tell nothing.
const SAMPLE_ROWS_MIN: usize = 64;

/// A file, encoded.
pub(crate) struct Encoded {
    pub(crate) day: i32,
    pub(crate) bytes: Vec<u8>,
    pub(crate) rows: u64,
    pub(crate) min_us: i64,
    pub(crate) max_us: i64,
    /// The log's statistics, JSON.
    pub(crate) stats: String,
}

/// Encodes rows into files, one after the other, so that one file at a time is held.
pub(crate) struct Encoder<'a> {
    shape: &'a Shape,
    options: &'a HistoryOptions,
    properties: WriterProperties,
    batches: Vec<Vec<ArrayRef>>,
    times: Vec<Vec<i64>>,
    /// The days to come, the next one at the end, each with the rows to come.
    days: Vec<(i32, std::vec::IntoIter<RowAt>)>,
}

impl<'a> Encoder<'a> {
    pub(crate) fn new(
        shape: &'a Shape,
        options: &'a HistoryOptions,
        batches: &[RecordBatch],
    ) -> Result<Self, HistoryError> {
        let rows = batches.iter().filter(|batch| batch.num_rows() > 0);
        let batches = rows
            .map(|batch| shape.arrange(batch))
            .collect::<Result<Vec<_>, _>>()?;
        let times = batches
            .iter()
            .map(|columns| columns.get(shape.time).and_then(times_of))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| HistoryError::Rows {
                table: shape.name().to_owned(),
                reason: format!("there is a row without {}", shape.spec.time),
            })?;
        let days = by_day(shape, &batches, &times)?;
        let days = days
            .into_iter()
            .rev()
            .map(|(day, rows)| (day, rows.into_iter()));
        let level = ZstdLevel::try_new(options.zstd_level).map_err(|error| HistoryError::Spec {
            table: shape.name().to_owned(),
            reason: error.to_string(),
        })?;
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(options.row_group_rows.max(1)))
            .set_created_by(concat!("tillwatch ", env!("CARGO_PKG_VERSION")).to_owned());
        for (at, field) in shape.kept.fields().iter().enumerate() {
            if hardly_repeats(batches.iter().filter_map(|columns| columns.get(at))) {
                let column = ColumnPath::new(vec![field.name().clone()]);
                properties = properties.set_column_dictionary_enabled(column, false);
            }
        }
        let properties = properties.build();
        Ok(Self {
            shape,
            options,
            properties,
            days: days.collect(),
            batches,
            times,
        })
    }

    /// The next file, or none when all rows are in files.
    pub(crate) fn next(&mut self) -> Result<Option<Encoded>, HistoryError> {
        while let Some((day, mut rows)) = self.days.pop() {
            let mut file = match rows.as_slice().first() {
                Some(first) => self.begin(day, *first)?,
                None => continue,
            };
            let rows_max = self.options.file_rows_max.max(1);
            while file.rows < rows_max && file.bytes() < self.options.file_bytes_max {
                let take = CHUNK_ROWS.min(rows_max - file.rows);
                let chunk: Vec<RowAt> = rows.by_ref().take(take).collect();
                let Some(last) = chunk.last() else { break };
                file.max_us = self.time(*last);
                file.write(&self.chunk(&chunk)?)
                    .map_err(|error| self.failed(error))?;
            }
            if !rows.as_slice().is_empty() {
                self.days.push((day, rows));
            }
            return self.end(file).map(Some).map_err(|error| self.failed(error));
        }
        Ok(None)
    }

    fn begin(&self, day: i32, first: RowAt) -> Result<Open, HistoryError> {
        // Arrow's own schema beside Parquet's would say nothing that the definition does not.
        let options = ArrowWriterOptions::new()
            .with_properties(self.properties.clone())
            .with_skip_arrow_metadata(true);
        let schema = Arc::clone(&self.shape.written);
        let writer = ArrowWriter::try_new_with_options(Vec::new(), schema, options)
            .map_err(|error| self.failed(error))?;
        let min_us = self.time(first);
        Ok(Open {
            day,
            writer,
            rows: 0,
            min_us,
            max_us: min_us,
        })
    }

    /// These rows, in this order, as they are kept.
    fn chunk(&self, rows: &[RowAt]) -> Result<RecordBatch, HistoryError> {
        let columns = (0..self.shape.kept.fields().len()).map(|at| {
            let parts = self.batches.iter().filter_map(|columns| columns.get(at));
            let parts: Vec<_> = parts.map(AsRef::as_ref).collect();
            interleave(&parts, rows)
        });
        let columns =
            columns
                .collect::<Result<Vec<_>, _>>()
                .map_err(|source| HistoryError::Arrow {
                    table: self.shape.name().to_owned(),
                    source,
                })?;
        self.shape.keep(&columns)
    }

    fn end(&self, file: Open) -> Result<Encoded, ParquetError> {
        let mut writer = file.writer;
        let metadata = writer.finish()?;
        let stats = stats::to_json(
            &metadata,
            &self.shape.kept,
            self.shape.time,
            self.options.stats_columns_max,
        )?;
        Ok(Encoded {
            day: file.day,
            bytes: std::mem::take(writer.inner_mut()),
            rows: file.rows as u64,
            min_us: file.min_us,
            max_us: file.max_us,
            stats,
        })
    }

    fn time(&self, (batch, row): RowAt) -> i64 {
        let times = self.times.get(batch);
        times
            .and_then(|times| times.get(row))
            .copied()
            .unwrap_or_default()
    }

    fn failed(&self, source: ParquetError) -> HistoryError {
        HistoryError::File {
            table: self.shape.name().to_owned(),
            path: "a new one".to_owned(),
            source,
        }
    }
}

/// Whether a sample of a column of texts says that almost every one is another, such as an id: a dictionary of
/// them would be built, found too large and given up.
fn hardly_repeats<'a>(parts: impl Iterator<Item = &'a ArrayRef>) -> bool {
    let (mut seen, mut values) = (HashSet::new(), 0);
    for part in parts {
        let Some(texts) = part.as_string_view_opt() else {
            return false;
        };
        let step = (texts.len() / SAMPLE_ROWS).max(1);
        let sample = (0..texts.len()).step_by(step).take(SAMPLE_ROWS - values);
        for row in sample.filter(|row| texts.is_valid(*row)) {
            seen.insert(texts.value(row));
            values += 1;
        }
        if values >= SAMPLE_ROWS {
            break;
        }
    }
    values >= SAMPLE_ROWS_MIN && seen.len() * 10 > values * 9
}

/// A file in the making.
struct Open {
    day: i32,
    writer: ArrowWriter<Vec<u8>>,
    rows: usize,
    min_us: i64,
    max_us: i64,
}

impl Open {
    fn write(&mut self, chunk: &RecordBatch) -> Result<(), ParquetError> {
        self.rows += chunk.num_rows();
        self.writer.write(chunk)
    }

    fn bytes(&self) -> usize {
        self.writer.bytes_written() + self.writer.in_progress_size()
    }
}

/// A path for a new file of a day, which nobody else has.
pub(crate) fn file_path(day: &str) -> String {
    format!("{DAY}={day}/part-{}.parquet", Uuid::new_v4())
}
