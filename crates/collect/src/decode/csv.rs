//! Comma-separated values, their relatives, and fixed-width text.

use std::collections::HashMap;
use std::ops::Range;

use tillwatch_event::suggest;

use super::bytes::{Line, Lines, without_mark};
use super::cell::{Input, Row, convert};
use super::fault::Fault;
use super::forbidden::Forbidden;
use super::format::{CsvOptions, Delimiter, Format};
use super::quotes::Place;
use super::{DecodeError, Run};

/// Decodes a body of rows.
pub(super) fn decode(
    run: &mut Run<'_>,
    options: &CsvOptions,
    body: &[u8],
) -> Result<(), DecodeError> {
    let body = without_mark(body);
    match options.delimiter {
        Delimiter::Byte(byte) => decode_separated(run, options, byte, body),
        Delimiter::Whitespace => decode_whitespace(run, options, body),
    }
}

/// Which cell each field is read from.
struct Layout {
    /// For each field its cell; `None` for an optional field without a column.
    cells: Vec<Option<usize>>,
    /// Cells of a whole row.
    width: usize,
    /// Cells that no field reads.
    unknown: u64,
    forbidden: Forbidden,
}

impl Layout {
    fn new(run: &Run<'_>, names: &[String], delimiter: Delimiter) -> Result<Self, DecodeError> {
        let header = |reason: String| DecodeError::CsvHeader(reason);
        if names.len() > run.limits.csv_columns_max {
            let max = run.limits.csv_columns_max;
            return Err(header(format!(
                "it has more than {max} columns (limit csv_columns_max)"
            )));
        }
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, name) in names.iter().enumerate() {
            places.entry(name.as_str()).or_default().push(at);
        }
        let mut missing = Vec::new();
        let mut cells = Vec::with_capacity(run.plan.columns.len());
        for column in &run.plan.columns {
            match places.get(&*column.source).map(Vec::as_slice) {
                Some([at]) => cells.push(Some(*at)),
                Some(_) => {
                    return Err(header(format!(
                        "the column '{}' is there twice",
                        column.source
                    )));
                }
                None if column.optional => cells.push(None),
                None => missing.push(&*column.source),
            }
        }
        if !missing.is_empty() {
            return Err(header(missing_columns(&missing, names)));
        }
        let mut read: Vec<usize> = cells.iter().flatten().copied().collect();
        read.sort_unstable();
        read.dedup();
        let unknown = (names.len() - read.len()) as u64;
        Ok(Self {
            cells,
            width: names.len(),
            unknown,
            forbidden: Forbidden::among(names, delimiter),
        })
    }
}

fn missing_columns(missing: &[&str], names: &[String]) -> String {
    let list: Vec<String> = missing
        .iter()
        .map(
            |name| match suggest::closest(name, names.iter().map(String::as_str)) {
                Some(near) => format!("'{name}' (did you mean '{near}'? set `from`)"),
                None => format!("'{name}'"),
            },
        )
        .collect();
    format!("these columns are missing: {}", list.join(", "))
}

/// The columns' names when no header gives them.
fn declared_names(run: &Run<'_>, options: &CsvOptions) -> Vec<String> {
    match &options.columns {
        Some(names) => names.clone(),
        None => run
            .plan
            .columns
            .iter()
            .map(|column| column.source.to_string())
            .collect(),
    }
}

fn decode_separated(
    run: &mut Run<'_>,
    options: &CsvOptions,
    delimiter: u8,
    body: &[u8],
) -> Result<(), DecodeError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(body);
    let mut record = csv::ByteRecord::new();
    let names = if options.header {
        if !read(&mut reader, &mut record)? {
            return Ok(());
        }
        header_names(&record)
    } else {
        declared_names(run, options)
    };
    run.again = Format::of_rows(&names, options.delimiter);
    let layout = Layout::new(run, &names, options.delimiter)?;
    let mut rows = Rows::new(run, layout);
    let mut ranges = Vec::new();
    while read(&mut reader, &mut record)? {
        let position = record.position();
        let start = position.map_or(0, |p| usize::try_from(p.byte()).unwrap_or(usize::MAX));
        let end = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        let raw = body.get(start..end).unwrap_or_default();
        // The reader counts blank lines, and the second byte of the line end before, to the row behind them.
        let blank = raw
            .iter()
            .take_while(|b| matches!(b, b'\r' | b'\n'))
            .count();
        let (blank, raw) = raw.split_at_checked(blank).unwrap_or((&[], raw));
        let line_ends = blank.iter().filter(|b| **b == b'\n').count() as u64;
        let line = position.map_or(0, csv::Position::line) + line_ends;
        ranges.clear();
        ranges.extend((0..record.len()).map(|at| record.range(at).unwrap_or_default()));
        let unclosed = end >= body.len() && Place::ends_quoted(raw, delimiter);
        rows.row(run, line, raw, record.as_slice(), &ranges, unclosed)?;
    }
    Ok(())
}

fn read(
    reader: &mut csv::Reader<&[u8]>,
    record: &mut csv::ByteRecord,
) -> Result<bool, DecodeError> {
    // Reading bytes from memory, of any number of cells, has no way to fail.
    reader
        .read_byte_record(record)
        .map_err(|e| DecodeError::CsvHeader(e.to_string()))
}

pub(super) fn header_names(record: &csv::ByteRecord) -> Vec<String> {
    record
        .iter()
        .map(|cell| String::from_utf8_lossy(cell).trim().to_owned())
        .collect()
}

fn decode_whitespace(
    run: &mut Run<'_>,
    options: &CsvOptions,
    body: &[u8],
) -> Result<(), DecodeError> {
    let mut lines = Lines::new(body).filter(|line| !line.bytes.trim_ascii().is_empty());
    let names: Vec<String> = if options.header {
        let Some(first) = lines.next() else {
            return Ok(());
        };
        cells_of(first.bytes)
            .map(|range| {
                let cell = first.bytes.get(range).unwrap_or_default();
                String::from_utf8_lossy(cell).into_owned()
            })
            .collect()
    } else {
        declared_names(run, options)
    };
    run.again = Format::of_rows(&names, options.delimiter);
    let layout = Layout::new(run, &names, options.delimiter)?;
    let mut rows = Rows::new(run, layout);
    let mut ranges = Vec::new();
    for Line { number, bytes, .. } in lines {
        ranges.clear();
        ranges.extend(cells_of(bytes));
        rows.row(run, number, bytes, bytes, &ranges, false)?;
    }
    Ok(())
}

/// The runs of bytes between spaces and tabs.
pub(super) fn cells_of(line: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = line.get(at..)?;
        let start = at + rest.iter().position(|b| !b.is_ascii_whitespace())?;
        let tail = line.get(start..)?;
        let length = tail
            .iter()
            .position(u8::is_ascii_whitespace)
            .unwrap_or(tail.len());
        at = start + length;
        Some(start..at)
    })
}

/// Makes rows of cells; its buffers are used again for each.
struct Rows {
    layout: Layout,
    row: Row,
}

impl Rows {
    fn new(run: &Run<'_>, layout: Layout) -> Self {
        Self {
            layout,
            row: Row::new(run.plan.columns.len()),
        }
    }

    /// One row: `raw` as it stands in the body, `source` with its cells at `ranges`.
    fn row(
        &mut self,
        run: &mut Run<'_>,
        line: u64,
        raw: &[u8],
        source: &[u8],
        ranges: &[Range<usize>],
        unclosed: bool,
    ) -> Result<(), DecodeError> {
        run.lines += 1;
        let outcome = if unclosed {
            Err(Fault::line("a quote that is opened here is never closed"))
        } else if raw.len() > run.limits.line_bytes_max {
            Err(Fault::line(format!(
                "the row has {} bytes, more than {} (limit line_bytes_max)",
                raw.len(),
                run.limits.line_bytes_max
            )))
        } else {
            match simdutf8::basic::from_utf8(source) {
                Ok(text) => self.fill(run, text, ranges).map(|()| text),
                Err(_) => Err(Fault::line("the row is not UTF-8")),
            }
        };
        match outcome {
            Ok(text) => {
                run.unknown_fields += self.layout.unknown;
                run.take(text, &self.row)
            }
            Err(fault) => {
                let raw = raw.trim_ascii_end();
                let kept = self.layout.forbidden.kept_cells(raw, source, ranges);
                run.rejections.add_kept(line, fault, kept);
                Ok(())
            }
        }
    }

    fn fill(&mut self, run: &Run<'_>, text: &str, ranges: &[Range<usize>]) -> Result<(), Fault> {
        if ranges.len() != self.layout.width {
            let reason = format!(
                "has {} cells where {} are expected",
                ranges.len(),
                self.layout.width
            );
            return Err(Fault::line(reason));
        }
        self.row.clear();
        for (index, (column, cell)) in run.plan.columns.iter().zip(&self.layout.cells).enumerate() {
            let Some(range) = cell.and_then(|at| ranges.get(at)) else {
                continue;
            };
            // Cells that lie side by side may be UTF-8 only together: each must be so by itself.
            let value = text
                .get(range.clone())
                .ok_or_else(|| Fault::field(&column.name, "is not UTF-8"))?;
            let input = Input::Plain {
                text: value,
                at: range.start,
            };
            let cell = convert(column, input, &mut self.row.scratch)?;
            self.row.set(index, cell);
        }
        self.row.complete(&run.plan.columns)
    }
}
