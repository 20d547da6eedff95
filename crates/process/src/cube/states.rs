//! Batches of states: their range, what of them is within one, the memory behind them.

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroUsize;

use datafusion::arrow::array::{Array, ArrayData, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::{filter_record_batch, not};
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use datafusion::arrow::error::ArrowError;

/// The first and the last bucket start, µs; none when there are no rows.
pub(super) fn bounds(states: &RecordBatch) -> Option<(i64, i64)> {
    let starts = starts(states)?;
    let min_us = starts.iter().copied().min()?;
    let max_us = starts.iter().copied().max()?;
    Some((min_us, max_us))
}

/// A settled chunk is in order of time, so its rows of a range are one slice; others go as a whole
/// when they lie inside and are otherwise left to the reader's own filter on `bucket`.
pub(super) fn within(
    states: &RecordBatch,
    from: i64,
    to: i64,
    bucket_us: i64,
    (min, max): (i64, i64),
) -> RecordBatch {
    let inside = min.saturating_add(bucket_us) > from && max < to;
    let Some(values) = starts(states).filter(|_| !inside) else {
        return states.clone();
    };
    if values.is_sorted() {
        let start = values.partition_point(|b| b.saturating_add(bucket_us) <= from);
        let end = values.partition_point(|b| *b < to);
        return states.slice(start, end.saturating_sub(start));
    }
    let keep: BooleanArray = values
        .iter()
        .map(|b| Some(b.saturating_add(bucket_us) > from && *b < to))
        .collect();
    filter_record_batch(states, &keep).unwrap_or_else(|_| states.clone())
}

/// Stretches `from ≤ start < to` that together hold all states, each of about `rows_max` rows, or of one
/// bucket that has more.
pub(super) fn stretches(states: &[RecordBatch], rows_max: usize) -> Vec<(i64, i64)> {
    let rows: usize = states.iter().map(RecordBatch::num_rows).sum();
    if rows <= rows_max {
        return vec![(i64::MIN, i64::MAX)];
    }
    let mut by_start = BTreeMap::<i64, usize>::new();
    for start in states.iter().filter_map(starts).flatten() {
        *by_start.entry(*start).or_default() += 1;
    }
    let mut stretches = Vec::new();
    let (mut from, mut rows) = (i64::MIN, 0);
    for (start, more) in by_start {
        if rows > 0 && rows + more > rows_max {
            stretches.push((from, start));
            (from, rows) = (start, 0);
        }
        rows += more;
    }
    stretches.push((from, i64::MAX));
    stretches
}

/// The states whose buckets start in `from ≤ start < to`.
///
/// # Errors
/// They cannot be cut. All of them instead would count some twice.
pub(crate) fn starting_within(
    states: &RecordBatch,
    from: i64,
    to: i64,
) -> Result<RecordBatch, ArrowError> {
    let (Some(starts), Some((first, last))) = (starts(states), bounds(states)) else {
        return Ok(states.clone());
    };
    let within = |start: i64| start >= from && (start < to || to == i64::MAX);
    if within(first) && within(last) {
        return Ok(states.clone());
    }
    let keep: BooleanArray = starts.iter().map(|start| Some(within(*start))).collect();
    filter_record_batch(states, &keep)
}

/// The states whose buckets start as `wanted` says, and the others; none where there are none.
///
/// # Errors
/// They cannot be cut.
pub(super) fn parted(
    states: &RecordBatch,
    wanted: impl Fn(i64) -> bool,
) -> Result<(Option<RecordBatch>, Option<RecordBatch>), ArrowError> {
    let marks: Vec<bool> = starts(states)
        .unwrap_or_default()
        .iter()
        .map(|start| wanted(*start))
        .collect();
    let count = marks.iter().filter(|mark| **mark).count();
    if count == marks.len() {
        return Ok((Some(states.clone()), None));
    }
    if count == 0 {
        return Ok((None, Some(states.clone())));
    }
    let marks = BooleanArray::from(marks);
    let others = not(&marks)?;
    Ok((
        Some(filter_record_batch(states, &marks)?),
        Some(filter_record_batch(states, &others)?),
    ))
}

/// The starts of the states' buckets, µs.
pub(super) fn starts(states: &RecordBatch) -> Option<&[i64]> {
    let buckets = states
        .columns()
        .first()?
        .as_primitive_opt::<TimestampMicrosecondType>()?;
    Some(buckets.values())
}

/// The memory behind some states, each allocation once, however many arrays are cut from it.
pub(crate) fn memory_bytes<'a>(states: impl Iterator<Item = &'a RecordBatch>) -> u64 {
    let mut seen = HashSet::new();
    states
        .flat_map(|batch| batch.columns())
        .map(|column| new_bytes(&column.to_data(), &mut seen))
        .sum()
}

/// The memory behind an array, each allocation once.
pub(super) fn array_bytes(array: &dyn Array) -> u64 {
    new_bytes(&array.to_data(), &mut HashSet::new())
}

/// The bytes of an array's allocations that have not been `seen`, by their addresses.
fn new_bytes(data: &ArrayData, seen: &mut HashSet<NonZeroUsize>) -> u64 {
    let nulls = data.nulls().map(|nulls| nulls.inner().inner());
    let own: usize = data
        .buffers()
        .iter()
        .chain(nulls)
        .filter(|buffer| seen.insert(buffer.data_ptr().addr()))
        .map(|buffer| buffer.capacity())
        .sum();
    let children = data.child_data().iter();
    own as u64 + children.map(|child| new_bytes(child, seen)).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{
        Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    };

    use super::{bounds, memory_bytes, parted, starting_within, starts, stretches};

    fn of(starts: &[i64]) -> RecordBatch {
        let starts = TimestampMicrosecondArray::from_iter_values(starts.iter().copied());
        RecordBatch::try_from_iter([("bucket", Arc::new(starts) as _)]).unwrap()
    }

    #[test]
    fn stretches_hold_every_state_once_and_no_more_rows_than_wanted() {
        let states = [of(&[5, 1, 3, 3, 9]), of(&[3, 3, 2]), of(&[7, 7, 8])];
        assert_eq!(stretches(&states, 11), [(i64::MIN, i64::MAX)]);
        let cut = stretches(&states, 3);
        let rows = |(from, to): (i64, i64)| {
            let parts = states.iter();
            let parts = parts.map(|batch| starting_within(batch, from, to).unwrap());
            let parts: Vec<_> = parts.filter(|batch| batch.num_rows() > 0).collect();
            assert!(
                parts
                    .iter()
                    .filter_map(bounds)
                    .all(|(a, b)| a >= from && b < to)
            );
            parts.iter().map(RecordBatch::num_rows).sum::<usize>()
        };
        let rows: Vec<_> = cut.into_iter().map(rows).collect();
        // Four rows start at 3, and stay together.
        assert_eq!(rows, [2, 4, 3, 2]);
    }

    #[test]
    fn parting_gives_every_state_to_one_side() {
        let states = of(&[5, 1, 3, 3, 9]);
        let parts = |wanted: fn(i64) -> bool| {
            let (wanted, others) = parted(&states, wanted).unwrap();
            let starts = |part: Option<RecordBatch>| {
                part.map(|part| starts(&part).unwrap_or_default().to_vec())
            };
            (starts(wanted), starts(others))
        };
        assert_eq!(
            parts(|start| start < 4),
            (Some(vec![1, 3, 3]), Some(vec![5, 9]))
        );
        assert_eq!(parts(|start| start < 10), (Some(vec![5, 1, 3, 3, 9]), None));
        assert_eq!(parts(|_| false), (None, Some(vec![5, 1, 3, 3, 9])));
    }

    #[test]
    fn memory_that_chunks_share_is_counted_once() {
        let numbers = Int64Array::from_iter((0..10_000).map(|n| (n % 7 > 0).then_some(n)));
        let names = StringArray::from_iter_values((0..10_000).map(|n| format!("bank_{n}")));
        let whole = RecordBatch::try_from_iter([
            ("n", Arc::new(numbers) as _),
            ("name", Arc::new(names) as _),
        ])
        .unwrap();
        let bytes = memory_bytes([&whole].into_iter());
        // Numbers of 8 bytes, names of at least 6 with offsets of 4, and a bit for each null.
        assert!((180_000..600_000).contains(&bytes), "{bytes}");
        let pieces: Vec<_> = (0..10).map(|at| whole.slice(at * 1_000, 1_000)).collect();
        assert_eq!(memory_bytes(pieces.iter()), bytes);
    }
}
