//! Which record of the body each accepted row was.

use arrow::array::UInt64Array;

/// Counts accepted rows, and notes where rejected records make rows and records differ.
#[derive(Debug, Default)]
pub(super) struct Places {
    rows: u64,
    /// From a row on, so many records before it were rejected.
    rejected: Vec<(u64, u64)>,
}

impl Places {
    /// Notes that the next accepted row is this record of the body, counted from 0.
    #[inline]
    pub(super) fn take(&mut self, record: u64) {
        let rejected = record.saturating_sub(self.rows);
        if rejected != self.rejected_so_far() {
            self.rejected.push((self.rows, rejected));
        }
        self.rows += 1;
    }

    #[inline]
    fn rejected_so_far(&self) -> u64 {
        self.rejected.last().map_or(0, |(_, rejected)| *rejected)
    }

    /// The record of each row; none when row `i` is record `i` throughout.
    pub(super) fn finish(self) -> Option<UInt64Array> {
        if self.rejected.is_empty() {
            return None;
        }
        let mut rejected = 0;
        let mut changes = self.rejected.into_iter().peekable();
        let records = (0..self.rows).map(|row| {
            if let Some((_, more)) = changes.next_if(|(from, _)| *from == row) {
                rejected = more;
            }
            row + rejected
        });
        Some(UInt64Array::from_iter_values(records))
    }
}
