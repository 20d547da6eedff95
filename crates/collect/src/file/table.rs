//! Parquet files, in chunks that are small Parquet files.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};

use super::error::FileError;
use super::reader::{Chunk, Position};
use crate::decode::row_json;

/// A Parquet file, read in batches of a fixed number of rows.
pub(crate) struct Table {
    batches: ParquetRecordBatchReader,
    schema: SchemaRef,
    rows_total: u64,
    next: Position,
}

impl Table {
    /// Opens a file at the row `at`.
    pub(crate) fn open(path: &Path, rows: usize, at: Position) -> Result<Self, FileError> {
        let file = File::open(path).map_err(FileError::io("open", path))?;
        let failed = |error| FileError::malformed(path, at.offset, error);
        let metadata =
            ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(failed)?;
        let rows_total = u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(0);
        let schema = std::sync::Arc::clone(metadata.schema());
        let offset = usize::try_from(at.offset).unwrap_or(usize::MAX);
        let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
            .with_batch_size(rows.max(1))
            .with_offset(offset)
            .build()
            .map_err(failed)?;
        Ok(Self {
            batches,
            schema,
            rows_total,
            next: Position {
                offset: at.offset,
                line: at.offset + 1,
            },
        })
    }

    /// The file's columns.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The part of `bytes` that corresponds to the rows read.
    pub(crate) fn share_of(&self, bytes: u64) -> u64 {
        let share =
            u128::from(bytes) * u128::from(self.next.offset) / u128::from(self.rows_total.max(1));
        u64::try_from(share).unwrap_or(bytes).min(bytes)
    }

    /// The next rows as columns.
    pub(crate) fn next_batch(&mut self, path: &Path) -> Result<Option<RecordBatch>, FileError> {
        let failed = |error| FileError::malformed(path, self.next.offset, error);
        let batch = self.batches.next().transpose().map_err(failed)?;
        let rows = batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
        self.next.offset += rows;
        self.next.line += rows;
        Ok(batch.filter(|batch| batch.num_rows() > 0))
    }

    /// The next rows as a Parquet file of their own.
    pub(crate) fn next_chunk(&mut self, path: &Path) -> Result<Option<Chunk>, FileError> {
        let start = self.next;
        let Some(batch) = self.next_batch(path)? else {
            return Ok(None);
        };
        let failed = |error| FileError::malformed(path, start.offset, error);
        let mut body = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut body, batch.schema(), None).map_err(failed)?;
        writer.write(&batch).map_err(failed)?;
        writer.close().map_err(failed)?;
        let records = batch.num_rows() as u64;
        Ok(Some(Chunk {
            body: body.into(),
            start,
            end: self.next,
            records,
            header_lines: 0,
            repeated: false,
        }))
    }
}

/// The rows of a chunk of a table as JSON, those at `rows`, counted from 1; fewer when it cannot be read.
pub(crate) fn rows_as_json(body: &bytes::Bytes, rows: &[u64]) -> BTreeMap<u64, String> {
    let mut found = BTreeMap::new();
    let reader = ParquetRecordBatchReaderBuilder::try_new(body.clone()).and_then(|b| b.build());
    let mut before = 0;
    for batch in reader.into_iter().flatten().map_while(Result::ok) {
        let end = before + batch.num_rows() as u64;
        for row in rows.iter().filter(|row| **row > before && **row <= end) {
            let at = usize::try_from(row - before - 1).unwrap_or(usize::MAX);
            found.insert(*row, row_json::row(&batch, at));
        }
        before = end;
    }
    found
}
