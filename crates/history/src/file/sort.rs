//! The order of rows in files.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Date32Type, TimestampMicrosecondType};
use arrow::row::{RowConverter, Rows, SortField};

use super::DAY_US;
use crate::HistoryError;
use crate::table::Shape;

/// A row: its batch, and its place in the batch.
pub(crate) type RowAt = (usize, usize);

/// The rows of batches by day, each day's sorted by time and then by the columns the definition names.
///
/// `batches` are columns in the definition's order; `times` those of time in microseconds.
pub(crate) fn by_day(
    shape: &Shape,
    batches: &[Vec<ArrayRef>],
    times: &[Vec<i64>],
) -> Result<BTreeMap<i32, Vec<RowAt>>, HistoryError> {
    let mut days: BTreeMap<i32, Vec<RowAt>> = BTreeMap::new();
    for (batch, times) in times.iter().enumerate() {
        // Rows of one day mostly come one behind the other.
        let mut current: Option<(i32, Vec<RowAt>)> = None;
        for (row, time) in times.iter().enumerate() {
            let day = day_of(*time);
            match &mut current {
                Some((of, rows)) if *of == day => rows.push((batch, row)),
                _ => {
                    if let Some((of, rows)) = current.take() {
                        days.entry(of).or_default().extend(rows);
                    }
                    current = Some((day, vec![(batch, row)]));
                }
            }
        }
        if let Some((of, rows)) = current {
            days.entry(of).or_default().extend(rows);
        }
    }
    let ties = ties(shape, batches)?;
    let time = |(batch, row): RowAt| times.get(batch).and_then(|times| times.get(row));
    for rows in days.values_mut() {
        // A stable sort takes what is sorted already in runs.
        rows.sort_by(|a, b| {
            time(*a)
                .cmp(&time(*b))
                .then_with(|| match (ties.get(a.0), ties.get(b.0)) {
                    (Some(x), Some(y)) => x.row(a.1).cmp(&y.row(b.1)),
                    _ => Ordering::Equal,
                })
        });
    }
    Ok(days)
}

/// The columns to sort by besides time, in a form that compares as bytes; nothing when there are none.
fn ties(shape: &Shape, batches: &[Vec<ArrayRef>]) -> Result<Vec<Rows>, HistoryError> {
    if shape.sort.is_empty() {
        return Ok(Vec::new());
    }
    let failed = |source| HistoryError::Arrow {
        table: shape.name().to_owned(),
        source,
    };
    let fields = shape.sort.iter().map(|at| {
        let field = shape.spec.schema.field(*at);
        SortField::new(field.data_type().clone())
    });
    let converter = RowConverter::new(fields.collect()).map_err(failed)?;
    let rows = batches.iter().map(|columns| {
        let columns = shape.sort.iter().filter_map(|at| columns.get(*at).cloned());
        converter.convert_columns(&columns.collect::<Vec<_>>())
    });
    rows.collect::<Result<_, _>>().map_err(failed)
}

/// The times of a column in microseconds, or none when one is null.
pub(crate) fn times_of(column: &ArrayRef) -> Option<Vec<i64>> {
    if column.null_count() > 0 {
        return None;
    }
    match column.data_type() {
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>().values();
            Some(days.iter().map(|day| i64::from(*day) * DAY_US).collect())
        }
        DataType::Timestamp(..) => {
            let times = column.as_primitive_opt::<TimestampMicrosecondType>()?;
            Some(times.values().to_vec())
        }
        _ => None,
    }
}

/// The day of a time, in days since 1970.
fn day_of(time_us: i64) -> i32 {
    // All of an i64's microseconds are within 107 million days.
    i32::try_from(time_us.div_euclid(DAY_US)).unwrap_or(if time_us < 0 {
        i32::MIN
    } else {
        i32::MAX
    })
}
