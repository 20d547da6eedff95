//! Parquet files to rows.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use object_store::path::Path;
use parquet::DecodeResult;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::push_decoder::{ParquetPushDecoder, ParquetPushDecoderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    PageIndexPolicy, ParquetMetaData, ParquetMetaDataPushDecoder, RowGroupMetaData,
};
use parquet::file::statistics::Statistics;

use super::{DAY_US, DataFile};
use crate::HistoryError;
use crate::store::Place;
use crate::types::{convert, same_in_files};

/// Most rows in one batch.
const BATCH_ROWS_MAX: usize = 8192;
/// Bytes at the end of a file that are read at once: most often all that describes it.
const FOOTER_BYTES: u64 = 64 << 10;

/// What is read of a file, and as what.
pub(crate) struct RowsPlan<'a> {
    pub(crate) place: &'a Place,
    pub(crate) table: &'a str,
    /// The file's path in the store.
    pub(crate) path: Path,
    pub(crate) file: &'a DataFile,
    /// The columns as they are wanted; none to give all as the file has them.
    pub(crate) schema: Option<&'a SchemaRef>,
    pub(crate) time: &'a str,
    pub(crate) columns: Option<&'a [String]>,
    /// Columns that are given too unless the file shows that they are without nulls.
    pub(crate) required: &'a [String],
    pub(crate) range: Option<(i64, i64)>,
}

/// The rows of one file, in its order: an iterator over batches.
///
/// It holds at most one row group, encoded, and one batch. After an error it ends.
#[derive(Debug)]
pub struct Rows {
    place: Place,
    table: String,
    path: Path,
    /// None when all is read.
    decoder: Option<ParquetPushDecoder>,
    /// For each column that is given: where the file's batches have it.
    source: Vec<usize>,
    schema: SchemaRef,
    unproven: Vec<String>,
}

impl Rows {
    /// Of the columns that were required, those that the file does not show to be without nulls, or has
    /// not at all.
    #[must_use]
    pub fn unproven(&self) -> &[String] {
        &self.unproven
    }

    /// The columns of the batches.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(crate) fn open(plan: &RowsPlan<'_>) -> Result<Self, HistoryError> {
        let failed = |source| HistoryError::File {
            table: plan.table.to_owned(),
            path: plan.file.path.clone(),
            source,
        };
        let metadata = footer(plan.place, plan.table, &plan.path, plan.file.bytes)?;
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let reader =
            ArrowReaderMetadata::try_new(Arc::clone(&metadata), options.clone()).map_err(failed)?;
        let reader = match as_views(reader.schema(), plan.schema) {
            None => reader,
            Some(schema) => {
                let options = options.with_schema(schema);
                ArrowReaderMetadata::try_new(Arc::clone(&metadata), options).map_err(failed)?
            }
        };
        let in_file = reader.schema();
        let (wanted, unproven): (Vec<usize>, Vec<String>) = match plan.columns {
            None => ((0..in_file.fields().len()).collect(), Vec::new()),
            Some(names) => {
                let unproven = plan.required.iter();
                let unproven: Vec<String> = unproven
                    .filter(|name| !is_without_nulls(&metadata, name))
                    .cloned()
                    .collect();
                let more = unproven.iter().filter(|name| !names.contains(name));
                let all = names.iter().chain(more);
                let wanted = all.filter_map(|name| in_file.index_of(name).ok());
                (wanted.collect(), unproven)
            }
        };
        let fields = wanted.iter().filter_map(|at| in_file.fields().get(*at));
        let fields = fields.map(|field| {
            let spec = plan
                .schema
                .and_then(|schema| schema.column_with_name(field.name()));
            spec.map_or_else(|| Arc::clone(field), |(_, spec)| Arc::new(spec.clone()))
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<Arc<Field>>>()));
        // The decoder gives columns in the file's order.
        let mut sorted = wanted.clone();
        sorted.sort_unstable();
        sorted.dedup();
        let source = wanted.iter().filter_map(|at| sorted.binary_search(at).ok());
        let source = source.collect();
        let groups = match plan.range {
            None => (0..metadata.num_row_groups()).collect(),
            Some(range) => groups_in(&metadata, in_file, plan.time, range),
        };
        let mask = ProjectionMask::roots(metadata.file_metadata().schema_descr(), sorted);
        let decoder = ParquetPushDecoderBuilder::new_with_metadata(reader)
            .with_batch_size(BATCH_ROWS_MAX)
            .with_projection(mask)
            .with_row_groups(groups)
            .build()
            .map_err(failed)?;
        Ok(Self {
            place: plan.place.clone(),
            table: plan.table.to_owned(),
            path: plan.path.clone(),
            decoder: Some(decoder),
            source,
            schema,
            unproven,
        })
    }

    fn advance(&mut self) -> Result<Option<RecordBatch>, HistoryError> {
        while let Some(decoder) = &mut self.decoder {
            match decoder.try_decode() {
                Ok(DecodeResult::NeedsData(ranges)) => {
                    let parts = read(&self.place, &self.table, &self.path, ranges.clone())?;
                    let pushed = decoder.push_ranges(ranges, parts);
                    pushed.map_err(|error| self.failed(error))?;
                }
                Ok(DecodeResult::Data(batch)) => return self.as_wanted(&batch).map(Some),
                Ok(DecodeResult::Finished) => self.decoder = None,
                Err(error) => return Err(self.failed(error)),
            }
        }
        Ok(None)
    }

    fn as_wanted(&self, batch: &RecordBatch) -> Result<RecordBatch, HistoryError> {
        let columns = self.source.iter().zip(self.schema.fields());
        let columns = columns.filter_map(|(at, field)| {
            let column = batch.columns().get(*at)?;
            Some(convert(column, field.data_type()))
        });
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        columns
            .collect::<Result<Vec<ArrayRef>, _>>()
            .and_then(|columns| {
                RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &rows)
            })
            .map_err(|source| HistoryError::Arrow {
                table: self.table.clone(),
                source,
            })
    }

    fn failed(&self, source: ParquetError) -> HistoryError {
        HistoryError::File {
            table: self.table.clone(),
            path: self.path.to_string(),
            source,
        }
    }
}

impl Iterator for Rows {
    type Item = Result<RecordBatch, HistoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance();
        if next.is_err() {
            self.decoder = None;
        }
        next.transpose()
    }
}

/// The file's columns, those that are wanted as views read as such at once; none when none are.
fn as_views(in_file: &SchemaRef, wanted: Option<&SchemaRef>) -> Option<SchemaRef> {
    let mut any = false;
    let fields = in_file.fields().iter().map(|field| {
        let wanted = wanted.and_then(|schema| schema.column_with_name(field.name()));
        match wanted {
            Some((_, wanted)) if same_in_files(wanted.data_type(), field.data_type()) => {
                any = true;
                let data_type = wanted.data_type().clone();
                Arc::new(field.as_ref().clone().with_data_type(data_type))
            }
            _ => Arc::clone(field),
        }
    });
    let fields: Vec<Arc<Field>> = fields.collect();
    any.then(|| Arc::new(Schema::new(fields)))
}

/// Whether the file has a column of that name and says that nothing in it is null.
fn is_without_nulls(metadata: &ParquetMetaData, name: &str) -> bool {
    metadata.row_groups().iter().all(|group| {
        let mut columns = group.columns().iter();
        let column = columns.find(|column| column.column_path().parts() == [name]);
        let nulls = column
            .and_then(|column| column.statistics())
            .and_then(Statistics::null_count_opt);
        nulls == Some(0)
    })
}

/// The row groups that may hold a time in `from..to`.
fn groups_in(
    metadata: &ParquetMetaData,
    schema: &SchemaRef,
    time: &str,
    (from, to): (i64, i64),
) -> Vec<usize> {
    // Columns before that of time may be nested and so have several leaves.
    let leaf = |group: &RowGroupMetaData| {
        let mut columns = group.columns().iter();
        let column = columns.find(|column| column.column_path().parts() == [time])?;
        bounds(
            column.statistics()?,
            schema.field_with_name(time).ok()?.data_type(),
        )
    };
    let groups = metadata.row_groups().iter().enumerate();
    groups
        .filter(|(_, group)| leaf(group).is_none_or(|(min, max)| min < to && max >= from))
        .map(|(at, _)| at)
        .collect()
}

/// The least and the greatest time of a column, in microseconds.
fn bounds(statistics: &Statistics, data_type: &DataType) -> Option<(i64, i64)> {
    match (statistics, data_type) {
        (Statistics::Int64(values), DataType::Timestamp(..)) => {
            Some((*values.min_opt()?, *values.max_opt()?))
        }
        (Statistics::Int32(values), DataType::Date32) => {
            let us = |day: i32| i64::from(day) * DAY_US;
            Some((us(*values.min_opt()?), us(*values.max_opt()?)))
        }
        _ => None,
    }
}

/// What a file says of itself.
pub(crate) fn footer(
    place: &Place,
    table: &str,
    path: &Path,
    bytes: u64,
) -> Result<Arc<ParquetMetaData>, HistoryError> {
    let failed = |source| HistoryError::File {
        table: table.to_owned(),
        path: path.to_string(),
        source,
    };
    let mut decoder = ParquetMetaDataPushDecoder::try_new(bytes)
        .map_err(failed)?
        .with_page_index_policy(PageIndexPolicy::Skip);
    let end = bytes.saturating_sub(FOOTER_BYTES)..bytes;
    let mut wanted = Vec::from([end]);
    loop {
        let parts = read(place, table, path, wanted.clone())?;
        decoder.push_ranges(wanted, parts).map_err(failed)?;
        match decoder.try_decode().map_err(failed)? {
            DecodeResult::NeedsData(ranges) => wanted = ranges,
            DecodeResult::Data(metadata) => return Ok(Arc::new(metadata)),
            DecodeResult::Finished => {
                return Err(failed(ParquetError::EOF("the file ends early".to_owned())));
            }
        }
    }
}

fn read(
    place: &Place,
    table: &str,
    path: &Path,
    ranges: Vec<Range<u64>>,
) -> Result<Vec<Bytes>, HistoryError> {
    place
        .read(path, ranges)?
        .map_err(|source| HistoryError::Store {
            table: table.to_owned(),
            doing: format!("reading {path}"),
            source,
        })
}
