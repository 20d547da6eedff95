//! A large request becomes several records.

use arrow::array::{Array, ArrayRef, AsArray, MutableArrayData, RecordBatch, make_array};

use crate::error::CollectError;
use crate::record::{batch_bytes, row_bytes};

/// A piece of a batch, and the row of the batch that its first one is.
pub(super) type Piece = (u64, RecordBatch);

/// Cuts a batch into pieces of at most `bytes_max` bytes, or one row where that has more; their rows are the
/// batch's in order. Each piece but the last is as long as it may be, so two neighbours have more than
/// `bytes_max` together. A batch that need not be cut comes back as it is, without a look at its rows.
///
/// # Errors
/// Never in practice: Arrow checks the pieces against the batch's schema.
pub(super) fn split(batch: RecordBatch, bytes_max: usize) -> Result<Vec<Piece>, CollectError> {
    if batch_bytes(&batch) <= bytes_max {
        return Ok(vec![(0, batch)]);
    }
    let mut pieces = Vec::new();
    let mut from = 0;
    let mut bytes = 0;
    for (row, more) in row_bytes(&batch).enumerate() {
        if row > from && bytes + more > bytes_max {
            pieces.push((from as u64, piece(&batch, from, row)?));
            from = row;
            bytes = 0;
        }
        bytes += more;
    }
    pieces.push((from as u64, piece(&batch, from, batch.num_rows())?));
    Ok(pieces)
}

/// The rows `from..to` by themselves. A slice would keep all of the batch alive, and count as all of it
/// wherever somebody asks Arrow for its size.
fn piece(batch: &RecordBatch, from: usize, to: usize) -> Result<RecordBatch, CollectError> {
    let columns = batch
        .columns()
        .iter()
        .map(|column| copy(&column.slice(from, to - from)))
        .collect::<Result<_, _>>()?;
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

fn copy(slice: &ArrayRef) -> Result<ArrayRef, CollectError> {
    // Copying a column of texts keeps the texts where they lie: those it needs are put together first.
    let data = match slice.as_string_view_opt() {
        Some(texts) => texts.gc().into_data(),
        None => slice.to_data(),
    };
    let mut copy = MutableArrayData::new(vec![&data], false, data.len());
    copy.try_extend(0, 0, data.len())?;
    Ok(make_array(copy.freeze()))
}
