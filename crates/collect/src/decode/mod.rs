//! The bytes of a request or file become columns by the stream's schema.
//!
//! A line is taken whole or rejected with a reason; a bad line never harms another. Card numbers are
//! masked here, before anything else sees the values, also in what is reported of rejected lines.
//!
//! JSON is read by a scanner that knows the schema: it goes over the bytes once, compares keys with
//! those expected next, and writes values into the columns without a tree or a copy between.

mod again;
mod batch;
mod bytes;
mod cell;
mod columns;
mod compress;
mod csv;
mod fault;
pub(crate) mod forbidden;
mod format;
pub(crate) mod json;
mod places;
mod plan;
pub(crate) mod quotes;
pub(crate) mod row_json;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::{RecordBatch, UInt64Array};
use serde::{Deserialize, Serialize};
use tillwatch_event::{SchemaError, StreamSchema};

pub(crate) use json::find as json_text;

pub use again::Again;
pub use compress::{Encoding, decompress};
pub use format::{CsvOptions, Delimiter, Format};

use cell::Row;
use columns::Columns;
use fault::Rejections;
use places::Places;
use plan::Plan;

/// Limits of decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DecodeLimits {
    /// Bytes of a body after decompression. Default 64 MiB.
    pub body_bytes_max: usize,
    /// Bytes of one line, array element or CSV record. Default 1 MiB.
    pub line_bytes_max: usize,
    /// How deep JSON may be nested. Default 32; never more than 128.
    pub depth_max: usize,
    /// Bytes of the columns made from one body; it bounds what a body of many tiny lines becomes.
    /// Default 512 MiB.
    pub columns_bytes_max: usize,
    /// Rejected lines kept with their text for the quarantine; more are counted. Default 10 000.
    pub rejections_max: usize,
    /// Bytes kept of a rejected line; a longer one can be read in the quarantine, but not replayed.
    /// Default 8 KiB.
    pub raw_bytes_max: usize,
    /// Columns of a CSV header. Default 4096.
    pub csv_columns_max: usize,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self {
            body_bytes_max: 64 << 20,
            line_bytes_max: 1 << 20,
            depth_max: 32,
            columns_bytes_max: 512 << 20,
            rejections_max: 10_000,
            raw_bytes_max: 8 << 10,
            csv_columns_max: 4096,
        }
    }
}

/// A line that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The line of the body, the element of the array or the row of the file, counted from 1. The
    /// header of a CSV is line 1.
    pub line: u64,
    /// The field at fault; none when the line as a whole is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
    /// What is wrong and what would be right, card numbers masked.
    pub reason: String,
    /// The line, card numbers masked, cut to [`DecodeLimits::raw_bytes_max`].
    pub raw: String,
}

/// What became of a body.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The accepted events, in the columns of [`StreamSchema::arrow_schema`].
    pub batch: RecordBatch,
    /// Which line, element or row of the body each row of `batch` was, counted from 0 among those that held
    /// something; none when no rejected one stands before an accepted one, so that row `i` was number `i`.
    pub places: Option<UInt64Array>,
    /// The rejected lines, at most [`DecodeLimits::rejections_max`].
    pub rejections: Vec<Rejection>,
    /// How those are read once more; none when they were not kept as they came.
    pub again: Option<Again>,
    /// How many lines were rejected in all.
    pub rejected: u64,
    /// Lines, elements or rows that held something: accepted and rejected.
    pub lines: u64,
    /// Keys or cells of accepted events that no field reads.
    pub unknown_fields: u64,
}

/// Why a body as a whole was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Larger than the limit, perhaps only after decompression.
    #[error("the body has more than {bytes_max} bytes after decompression (limit body_bytes_max)")]
    BodyTooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// The columns would be larger than the limit.
    #[error(
        "the body makes more than {bytes_max} bytes of columns (limit columns_bytes_max); send fewer events at once"
    )]
    ColumnsTooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// The compressed bytes are damaged or cut short.
    #[error("the body is not valid {encoding}: {reason}")]
    Compression {
        /// `gzip` or `zstd`.
        encoding: &'static str,
        /// What the decompressor said.
        reason: String,
    },
    /// A `Content-Encoding` that is not known.
    #[error("unknown Content-Encoding '{0}'; use gzip, zstd or none")]
    UnknownEncoding(String),
    /// A `Content-Type` that is not known.
    #[error(
        "unknown Content-Type '{0}'; use application/x-ndjson, application/json, text/csv, application/vnd.apache.parquet or application/vnd.apache.arrow.stream"
    )]
    UnknownFormat(String),
    /// A `Content-Type` with a charset that is not read.
    #[error("the charset '{0}' is not read; send UTF-8")]
    UnknownCharset(String),
    /// A parameter of the format that cannot be used.
    #[error("{0}")]
    FormatParameter(String),
    /// A JSON body that does not hold events.
    #[error("the body is not a JSON array or object of events: {reason} (at byte {at})")]
    Json {
        /// What is wrong.
        reason: String,
        /// Where, counted from 0.
        at: usize,
    },
    /// A body that is not UTF-8 and cannot be split into lines.
    #[error("the body is not UTF-8 (at byte {at})")]
    Utf8 {
        /// Where, counted from 0.
        at: usize,
    },
    /// A CSV header that cannot be used.
    #[error("the CSV header cannot be used: {0}")]
    CsvHeader(String),
    /// A Parquet or Arrow body that cannot be read.
    #[error("the body is not valid {format}: {reason}")]
    Columnar {
        /// `Parquet` or `Arrow IPC`.
        format: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Columns of the body do not fit the schema.
    #[error("the column '{column}' cannot be read as the field '{field}': {reason}")]
    Column {
        /// The field.
        field: String,
        /// The column in the body.
        column: String,
        /// What is wrong.
        reason: String,
    },
}

/// Decodes bodies for one stream. Cheap to share; holds no state between bodies.
#[derive(Debug)]
pub struct Decoder {
    schema: Arc<StreamSchema>,
    plan: Plan,
    limits: DecodeLimits,
    csv: CsvOptions,
}

impl Decoder {
    /// A decoder for a stream. The schema should have no [faults](StreamSchema::faults).
    ///
    /// # Errors
    /// When a time format or zone cannot be used.
    pub fn new(schema: Arc<StreamSchema>, limits: DecodeLimits) -> Result<Self, SchemaError> {
        let plan = Plan::new(&schema)?;
        let limits = DecodeLimits {
            depth_max: limits.depth_max.min(128),
            ..limits
        };
        Ok(Self {
            schema,
            plan,
            limits,
            csv: CsvOptions::default(),
        })
    }

    /// The same decoder for a stream whose CSV is cut another way than usual.
    #[must_use]
    pub fn with_csv(mut self, csv: CsvOptions) -> Self {
        self.csv = csv;
        self
    }

    /// How CSV of this stream is cut where a body does not say.
    #[must_use]
    pub fn csv(&self) -> &CsvOptions {
        &self.csv
    }

    /// The stream's schema.
    #[must_use]
    pub fn schema(&self) -> &Arc<StreamSchema> {
        &self.schema
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &DecodeLimits {
        &self.limits
    }

    /// Decodes a body. This is CPU work of up to seconds: not for an async thread.
    ///
    /// # Errors
    /// When the body as a whole cannot be taken; faults of single lines are in the result.
    pub fn decode(&self, format: &Format, body: &[u8]) -> Result<Decoded, DecodeError> {
        if body.len() > self.limits.body_bytes_max {
            return Err(DecodeError::BodyTooLarge {
                bytes_max: self.limits.body_bytes_max,
            });
        }
        let mut run = Run::new(self, body);
        match format {
            Format::Ndjson => {
                run.again = Some(Format::Ndjson);
                json::decode_lines(&mut run, body)?;
            }
            Format::Json => {
                run.again = Some(Format::Json);
                json::decode_document(&mut run, body)?;
            }
            Format::Csv(options) => csv::decode(&mut run, options, body)?,
            Format::Parquet => batch::decode_parquet(&mut run, body)?,
            Format::ArrowStream => batch::decode_arrow_stream(&mut run, body)?,
        }
        run.finish()
    }
}

/// The state of decoding one body.
struct Run<'d> {
    plan: &'d Plan,
    schema: &'d StreamSchema,
    limits: &'d DecodeLimits,
    columns: Columns,
    places: Places,
    rejections: Rejections,
    /// The form of one rejected line.
    again: Option<Format>,
    /// Lines, elements or rows so far, with the one that is being read.
    lines: u64,
    unknown_fields: u64,
}

impl<'d> Run<'d> {
    fn new(decoder: &'d Decoder, body: &[u8]) -> Self {
        // Short texts take more room as views than as text: columns are often wider than their lines.
        let room_bytes = body.len().saturating_mul(2);
        let rows = bytes::estimate_rows(body);
        let limits = &decoder.limits;
        Self {
            plan: &decoder.plan,
            schema: &decoder.schema,
            limits: &decoder.limits,
            columns: Columns::new(&decoder.schema, limits.columns_bytes_max, rows, room_bytes),
            places: Places::default(),
            rejections: Rejections::new(&decoder.limits),
            again: None,
            lines: 0,
            unknown_fields: 0,
        }
    }

    /// Takes a row that is complete, of the line that is being read; texts lie in `source` or the row's
    /// scratch.
    #[inline]
    fn take(&mut self, source: &str, row: &Row) -> Result<(), DecodeError> {
        self.places.take(self.lines.saturating_sub(1));
        self.columns.push(source, row)
    }

    fn finish(self) -> Result<Decoded, DecodeError> {
        let (rejections, whole, rejected) = self.rejections.finish();
        Ok(Decoded {
            batch: self.columns.finish(self.schema)?,
            places: self.places.finish(),
            rejections,
            again: self.again.map(|format| Again { format, whole }),
            rejected,
            lines: self.lines,
            unknown_fields: self.unknown_fields,
        })
    }
}
