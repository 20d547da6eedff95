//! Answers as JSON, CSV and Arrow.

mod cell;
mod csv;
mod ipc;
mod json;

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use tillwatch_event::MemoryShare;

pub(crate) use cell::{Cell, cells, plain};

use crate::error::AnalyseError;

/// The answer to an SQL query, whole and in memory; limits on rows and bytes bound it.
#[derive(Debug, Clone)]
pub struct QueryResult {
    /// Names and types of the columns.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// Their memory, taken out of what the process shares as long as the answer is there.
    pub(crate) held: Option<Arc<MemoryShare>>,
}

impl QueryResult {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// `{"columns":[{"name","type"}],"rows":[[…]]}`.
    ///
    /// Decimals and integers beyond 2^53 are strings, because JSON readers take numbers as doubles;
    /// timestamps are RFC 3339 in UTC with the digits they have; not-a-number, infinities and
    /// sketches are null.
    ///
    /// # Errors
    /// [`AnalyseError::Internal`] for a column type without a text form.
    pub fn to_json(&self) -> Result<Vec<u8>, AnalyseError> {
        json::encode(self)
    }

    /// RFC 4180 with a header line; null is nothing between the commas, an empty text is `""`.
    ///
    /// # Errors
    /// As [`Self::to_json`].
    pub fn to_csv(&self) -> Result<Vec<u8>, AnalyseError> {
        csv::encode(self)
    }

    /// An Arrow IPC stream, every column in its own type.
    ///
    /// # Errors
    /// [`AnalyseError::Internal`] when a batch cannot be written.
    pub fn to_arrow_stream(&self) -> Result<Vec<u8>, AnalyseError> {
        ipc::encode(self)
    }
}
