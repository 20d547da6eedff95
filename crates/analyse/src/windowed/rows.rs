//! A cube's rows, once for every window that holds their bucket.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, StringViewArray, TimestampMicrosecondArray, UInt32Array,
};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, SchemaRef, TimestampMicrosecondType};
use datafusion::common::{DataFusionError, Result};
use jiff::tz::TimeZone;

use super::kind::{Kind, Windows};
use crate::calendar;
use crate::error::{AnalyseError, Fault};
use crate::limits::BATCH_ROWS;
use crate::tables::{BUCKET, TimeRange};

/// Whose calendar it is.
#[derive(Debug, Clone)]
pub(super) enum Zone {
    /// This one.
    Named(TimeZone),
    /// Of every row the one that a dimension names.
    Dimension(String),
}

/// What is needed to put rows into windows.
#[derive(Debug)]
pub(super) struct Spreading {
    /// The cube's columns, and the windows' two.
    pub(super) schema: SchemaRef,
    pub(super) kind: Kind,
    pub(super) zone: Zone,
    /// What is read; other buckets are left out.
    pub(super) range: TimeRange,
    /// The widths of buckets by age, newest first, and that of the cube.
    pub(super) widths_us: Vec<(i64, i64)>,
    pub(super) bucket_us: i64,
    pub(super) rows_max: usize,
}

impl Spreading {
    /// Hands on pieces of rows until `send` wants no more.
    pub(super) fn run(
        &self,
        states: impl Iterator<Item = Result<RecordBatch>>,
        mut send: impl FnMut(RecordBatch) -> bool,
    ) -> Result<()> {
        let mut zones = HashMap::new();
        let mut rows = 0;
        for states in states {
            let states = states?;
            let mut piece = Piece::default();
            let buckets = self.buckets(&states)?;
            let names = self.names(&states)?;
            for row in 0..states.num_rows() {
                let at_us = buckets.value(row);
                if !self.is_read(at_us) {
                    continue;
                }
                let name = names.as_ref().map(|names| {
                    let is_there = names.is_valid(row);
                    if is_there { names.value(row) } else { "" }
                });
                let Some(windows) = self.windows(&mut zones, name) else {
                    // A zone that nobody knows: the row is in no window, and is seen.
                    piece.push(row, None);
                    continue;
                };
                for window in windows.of(at_us, self.width_us(at_us)).map_err(external)? {
                    piece.push(row, Some(window));
                    if piece.rows.len() == BATCH_ROWS {
                        rows += piece.rows.len();
                        self.check(rows)?;
                        if !send(std::mem::take(&mut piece).batch(&self.schema, &states)?) {
                            return Ok(());
                        }
                    }
                }
            }
            rows += piece.rows.len();
            self.check(rows)?;
            if !piece.rows.is_empty() && !send(piece.batch(&self.schema, &states)?) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn check(&self, rows: usize) -> Result<()> {
        if rows <= self.rows_max {
            return Ok(());
        }
        let fault = Fault::new(format!(
            "the windows are made of more than {} rows of the cube",
            self.rows_max
        ));
        let advice = "use a wider step or fewer buckets, with where bucket >= …";
        Err(external(AnalyseError::TooLarge(
            fault.suggest(Some(advice.to_owned())),
        )))
    }

    fn buckets(&self, states: &RecordBatch) -> Result<TimestampMicrosecondArray> {
        let at = self.schema.index_of(BUCKET)?;
        let buckets = states.columns().get(at);
        let buckets =
            buckets.and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>());
        let wrong = || DataFusionError::Internal("states without a bucket".to_owned());
        buckets.cloned().ok_or_else(wrong)
    }

    fn names(&self, states: &RecordBatch) -> Result<Option<StringViewArray>> {
        let Zone::Dimension(name) = &self.zone else {
            return Ok(None);
        };
        let at = self.schema.index_of(name)?;
        let wrong = || DataFusionError::Internal("states without a zone".to_owned());
        let names = cast(
            states.columns().get(at).ok_or_else(wrong)?,
            &DataType::Utf8View,
        )?;
        Ok(Some(names.as_string_view().clone()))
    }

    /// The windows of a row's zone; none where there is no such zone.
    fn windows<'a>(
        &self,
        zones: &'a mut HashMap<String, Option<Windows>>,
        name: Option<&str>,
    ) -> Option<&'a mut Windows> {
        let name = name.unwrap_or_default();
        if !zones.contains_key(name) {
            let zone = match &self.zone {
                Zone::Named(zone) => Some(zone.clone()),
                Zone::Dimension(_) => calendar::zone(name),
            };
            let windows = zone.map(|zone| Windows::new(self.kind, zone));
            zones.insert(name.to_owned(), windows);
        }
        zones.get_mut(name)?.as_mut()
    }

    fn is_read(&self, at_us: i64) -> bool {
        let TimeRange { from_us, to_us } = self.range;
        from_us.is_none_or(|from_us| at_us >= from_us) && to_us.is_none_or(|to_us| at_us < to_us)
    }

    fn width_us(&self, at_us: i64) -> i64 {
        let known = self.widths_us.iter().find(|(start, _)| *start <= at_us);
        known.map_or(self.bucket_us, |(_, width)| *width)
    }
}

fn external(fault: AnalyseError) -> DataFusionError {
    DataFusionError::External(Box::new(fault))
}

/// Rows of a batch with their windows.
#[derive(Debug, Default)]
struct Piece {
    rows: Vec<u32>,
    starts: Vec<Option<i64>>,
    ends: Vec<Option<i64>>,
}

impl Piece {
    fn push(&mut self, row: usize, window: Option<(i64, i64)>) {
        self.rows.push(u32::try_from(row).unwrap_or(u32::MAX));
        self.starts.push(window.map(|(start_us, _)| start_us));
        self.ends.push(window.map(|(_, end_us)| end_us));
    }

    fn batch(self, schema: &SchemaRef, states: &RecordBatch) -> Result<RecordBatch> {
        let rows = UInt32Array::from(self.rows);
        let mut columns = states
            .columns()
            .iter()
            .map(|column| Ok(take(column.as_ref(), &rows, None)?))
            .collect::<Result<Vec<ArrayRef>>>()?;
        for times in [self.starts, self.ends] {
            let times = TimestampMicrosecondArray::from(times).with_timezone("UTC");
            columns.push(Arc::new(times));
        }
        Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
    }
}
