//! Cells of a row that may not be kept, not even with a rejected row.

use std::borrow::Cow;
use std::ops::Range;

use tillwatch_event::guard;

use super::bytes::{Lines, without_mark};
use super::csv::{cells_of, header_names};
use super::format::Delimiter;

const STRUCK: &[u8] = b"***";

/// The columns whose names say that they hold what may not be stored, such as `cvv`.
pub(crate) struct Forbidden {
    cells: Vec<usize>,
    /// Cells of a whole row.
    width: usize,
    delimiter: Delimiter,
}

impl Forbidden {
    /// Among columns of these names.
    pub(super) fn among(names: &[String], delimiter: Delimiter) -> Self {
        let cells = names.iter().enumerate();
        let cells = cells.filter(|(_, name)| guard::is_forbidden_name(name));
        Self {
            cells: cells.map(|(at, _)| at).collect(),
            width: names.len(),
            delimiter,
        }
    }

    /// Among the columns that the header of a body names, read as the decoder reads it.
    pub(crate) fn in_header_of(body: &[u8], delimiter: Delimiter) -> Self {
        let body = without_mark(body);
        let names = match delimiter {
            Delimiter::Byte(byte) => rows_of(body, byte)
                .next()
                .map(|record| header_names(&record)),
            Delimiter::Whitespace => Lines::new(body)
                .find(|line| !line.bytes.trim_ascii().is_empty())
                .map(|line| {
                    cells_of(line.bytes)
                        .map(|range| text_of(line.bytes, range))
                        .collect()
                }),
        };
        Self::among(&names.unwrap_or_default(), delimiter)
    }

    /// The row without what may not be kept, from its text.
    pub(crate) fn kept<'r>(&self, raw: &'r [u8]) -> Cow<'r, [u8]> {
        if self.cells.is_empty() {
            return Cow::Borrowed(raw);
        }
        match self.delimiter {
            Delimiter::Byte(byte) => {
                let records: Vec<csv::ByteRecord> = rows_of(raw, byte).collect();
                let cells: Vec<&[u8]> = records.iter().flatten().collect();
                Cow::Owned(self.struck(&cells))
            }
            Delimiter::Whitespace => {
                let ranges: Vec<_> = cells_of(raw).collect();
                self.kept_cells(raw, raw, &ranges)
            }
        }
    }

    /// The row without what may not be kept, from its text `raw` and its cells, which lie in `source`.
    pub(super) fn kept_cells<'r>(
        &self,
        raw: &'r [u8],
        source: &[u8],
        ranges: &[Range<usize>],
    ) -> Cow<'r, [u8]> {
        if self.cells.is_empty() {
            return Cow::Borrowed(raw);
        }
        let cell = |range: &Range<usize>| source.get(range.clone()).unwrap_or_default();
        let cells: Vec<&[u8]> = ranges.iter().map(cell).collect();
        Cow::Owned(self.struck(&cells))
    }

    /// The row written again. In a row of another width nobody knows which cell is which, so none is kept.
    fn struck(&self, cells: &[&[u8]]) -> Vec<u8> {
        let known = cells.len() == self.width;
        let kept = cells.iter().enumerate().map(|(at, cell)| {
            if known && !self.cells.contains(&at) {
                cell
            } else {
                STRUCK
            }
        });
        match self.delimiter {
            Delimiter::Whitespace => kept.collect::<Vec<_>>().join(b" ".as_slice()),
            Delimiter::Byte(byte) => {
                let mut writer = csv::WriterBuilder::new()
                    .delimiter(byte)
                    .from_writer(vec![]);
                // Writing to memory has no way to fail; if it did, nothing would be kept.
                let written = writer.write_record(kept).is_ok();
                let row = writer.into_inner().ok().filter(|_| written);
                let mut row = row.unwrap_or_default();
                // The end of the line.
                row.pop();
                row
            }
        }
    }
}

fn rows_of(text: &[u8], delimiter: u8) -> impl Iterator<Item = csv::ByteRecord> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text)
        .into_byte_records()
        .map_while(Result::ok)
}

fn text_of(line: &[u8], range: Range<usize>) -> String {
    String::from_utf8_lossy(line.get(range).unwrap_or_default()).into_owned()
}
