//! What rows take, however much room their columns hold.
//!
//! Arrow's own figures do not serve: `get_array_memory_size` counts a slice as all it was cut from, and room
//! that was kept for rows that never came.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray};
use arrow::datatypes::DataType;

/// Texts up to this many bytes are kept within their view.
const INLINE_BYTES_MAX: u32 = 12;

/// Bytes of a batch as a record writes them, without what Arrow writes about them. A slice of texts counts as
/// all the texts it was cut from, since that is what would be written.
pub(crate) fn batch_bytes(batch: &RecordBatch) -> usize {
    let texts: usize = texts(batch)
        .flat_map(StringViewArray::data_buffers)
        .map(|buffer| buffer.len())
        .sum();
    (row_bits(batch) * batch.num_rows()).div_ceil(8) + texts
}

/// Bytes of each row of a batch, in order, as [`batch_bytes`] counts them.
pub(crate) fn row_bytes(batch: &RecordBatch) -> impl Iterator<Item = usize> {
    let each = row_bits(batch).div_ceil(8);
    let texts: Vec<&[u128]> = texts(batch).map(|column| &**column.views()).collect();
    (0..batch.num_rows()).map(move |row| {
        let long = |views: &&[u128]| {
            // A view starts with its text's length.
            let length = views.get(row).map_or(0, |view| *view as u32);
            if length > INLINE_BYTES_MAX {
                length as usize
            } else {
                0
            }
        };
        each + texts.iter().map(long).sum::<usize>()
    })
}

fn texts(batch: &RecordBatch) -> impl Iterator<Item = &StringViewArray> {
    batch
        .columns()
        .iter()
        .filter_map(|column| column.as_string_view_opt())
}

/// Bits that every row takes, whatever it holds.
fn row_bits(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(column_bits).sum()
}

fn column_bits(column: &ArrayRef) -> usize {
    let validity = usize::from(column.nulls().is_some());
    let value = match column.data_type() {
        DataType::Boolean => 1,
        DataType::Utf8View => 128,
        // A record has no other types than these, which have a width.
        other => other.primitive_width().unwrap_or(0) * 8,
    };
    validity + value
}
