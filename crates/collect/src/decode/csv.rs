//! Comma-separated values, their relatives, and fixed-width text.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use tillwatch_event::suggest;

use super::bytes::{Line, Lines, without_mark};
use super::cell::{Input, Row, convert};
use super::fault::Fault;
use super::forbidden::Forbidden;
use super::format::{CsvOptions, Delimiter, Format};
use super::quotes::{self, Place, Records};
use super::{DecodeError, Run};

const NEVER_CLOSED: &str = "a quote that is opened here is never closed";

/// Decodes a body of rows.
pub(super) fn decode(
    run: &mut Run<'_>,
    options: &CsvOptions,
    body: &[u8],
) -> Result<(), DecodeError> {
    let body = without_mark(body);
    let declared = First::of(body, options.delimiter, run.limits.line_bytes_max);
    let guessed = options
        .guess
        .filter(|guess| *guess != options.delimiter)
        .map(|guess| First::of(body, guess, run.limits.line_bytes_max));
    // What is declared holds unless the fields' names stand there in another way.
    let first = match guessed {
        Some(guessed) if options.header && !declared.names_all(run) && guessed.names_all(run) => {
            guessed
        }
        _ => declared,
    };
    let named = options.header || options.columns.is_none() && first.names_most(run);
    let names = if named {
        if first.text.is_empty() {
            return Ok(());
        }
        if first.open {
            let reason = "a quote that is opened in it is never closed";
            return Err(DecodeError::CsvHeader(reason.to_owned()));
        }
        first.cells
    } else {
        declared_names(run, options)
    };
    run.again = Format::of_rows(&names, first.delimiter);
    let layout = Layout::new(run, &names, first.delimiter)?;
    let from = if named || options.repeated {
        first.text.end
    } else {
        0
    };
    let rest = body.get(from..).unwrap_or_default();
    let before = line_ends(body.get(..from).unwrap_or_default());
    let mut rows = Rows::new(run, layout);
    match first.delimiter {
        Delimiter::Byte(byte) => rows.separated(run, byte, rest, before),
        Delimiter::Whitespace => rows.by_whitespace(run, rest, before),
    }
}

/// The first row of a body that is not blank.
struct First {
    delimiter: Delimiter,
    cells: Vec<String>,
    /// Where it lies, with its end and the blank lines before it.
    text: Range<usize>,
    /// A quote that is opened in it is not closed.
    open: bool,
}

impl First {
    fn of(body: &[u8], delimiter: Delimiter, bytes_max: usize) -> Self {
        let blank = body
            .iter()
            .take_while(|b| matches!(b, b'\r' | b'\n'))
            .count();
        let rest = body.get(blank..).unwrap_or_default();
        let (cells, bytes, open) = match delimiter {
            Delimiter::Byte(byte) => {
                let record = Records::new(rest, byte, bytes_max, true).next();
                let open = record.as_ref().is_some_and(|record| record.open);
                let end = record.map_or(0, |record| record.range.end);
                let (cells, bytes) = first_row(rest.get(..end).unwrap_or_default(), byte);
                (cells, if open { end } else { bytes }, open)
            }
            Delimiter::Whitespace => {
                let found = Lines::new(rest).find(|line| !line.bytes.trim_ascii().is_empty());
                let end = found.as_ref().map_or(0, |line| {
                    let end = line.start + line.bytes.len();
                    let tail = rest.get(end..).unwrap_or_default();
                    end + memchr::memchr(b'\n', tail).map_or(tail.len(), |at| at + 1)
                });
                let cells = found.map(|line| words(line.bytes));
                (cells.unwrap_or_default(), end, false)
            }
        };
        Self {
            delimiter,
            cells,
            text: 0..if bytes == 0 { 0 } else { blank + bytes },
            open,
        }
    }

    /// Whether every field that must be there has its column.
    fn names_all(&self, run: &Run<'_>) -> bool {
        let cells = self.names();
        let mut required = run.plan.columns.iter().filter(|column| !column.optional);
        required.all(|column| cells.contains(&*column.source))
    }

    /// Whether more than half of the cells, or of the fields, are columns of fields by their names: no row of
    /// values looks like that.
    fn names_most(&self, run: &Run<'_>) -> bool {
        let (cells, fields) = (self.names(), &run.plan.columns);
        let named = fields.iter().filter(|f| cells.contains(&*f.source)).count();
        named * 2 > fields.len().min(self.cells.len())
    }

    fn names(&self) -> HashSet<&str> {
        self.cells.iter().map(String::as_str).collect()
    }
}

/// The cells of the first row of some text, and the bytes up to its end.
fn first_row(text: &[u8], delimiter: u8) -> (Vec<String>, usize) {
    let mut reader = reader(text, delimiter);
    let mut record = csv::ByteRecord::new();
    match reader.read_byte_record(&mut record) {
        Ok(true) => {
            let bytes = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
            (header_names(&record), bytes.min(text.len()))
        }
        _ => (Vec::new(), 0),
    }
}

fn line_ends(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

fn words(line: &[u8]) -> Vec<String> {
    cells_of(line)
        .map(|range| String::from_utf8_lossy(line.get(range).unwrap_or_default()).into_owned())
        .collect()
}

fn reader(text: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text)
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
            let mut reason = missing_columns(&missing, names);
            if cells.iter().all(Option::is_none) {
                reason.push_str(
                    "; no column has the name of a field: if the first row is no header, say so with the stream's `csv: {header: false}`",
                );
            }
            return Err(header(reason));
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

    /// The rows of `text`, which begins behind `before` lines of the body.
    fn separated(
        &mut self,
        run: &mut Run<'_>,
        delimiter: u8,
        text: &[u8],
        before: u64,
    ) -> Result<(), DecodeError> {
        let Some(trouble) = self.rows(run, delimiter, text, before, false)? else {
            return Ok(());
        };
        // From here on each quote is looked at before the rows are, so that what is open costs its line only.
        let (done, rest) = text.split_at_checked(trouble).unwrap_or((text, &[]));
        let mut line = before + line_ends(done);
        for piece in quotes::runs(rest, delimiter, run.limits.line_bytes_max) {
            let bytes = rest.get(piece.range.clone()).unwrap_or_default();
            if piece.open {
                let behind = rest.len() - piece.range.start.min(rest.len());
                self.open_row(run, line + 1, bytes, behind);
            } else {
                self.rows(run, delimiter, bytes, line, true)?;
            }
            line += line_ends(bytes);
        }
        Ok(())
    }

    /// The rows of `text`. Unless it is `settled` that all quotes are closed, it ends at the first row with
    /// one that perhaps is not, and gives its place.
    fn rows(
        &mut self,
        run: &mut Run<'_>,
        delimiter: u8,
        text: &[u8],
        before: u64,
        settled: bool,
    ) -> Result<Option<usize>, DecodeError> {
        let mut reader = reader(text, delimiter);
        let mut record = csv::ByteRecord::new();
        let mut ranges = Vec::new();
        while read(&mut reader, &mut record)? {
            let position = record.position();
            let start = position.map_or(0, |p| usize::try_from(p.byte()).unwrap_or(usize::MAX));
            let end = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
            let raw = text.get(start..end).unwrap_or_default();
            // The reader counts blank lines, and the second byte of the line end before, to the row behind them.
            let blank = raw
                .iter()
                .take_while(|b| matches!(b, b'\r' | b'\n'))
                .count();
            let (blank, raw) = raw.split_at_checked(blank).unwrap_or((&[], raw));
            let unclosed = end >= text.len() && Place::ends_quoted(raw, delimiter);
            let long = raw.len() > run.limits.line_bytes_max;
            if !settled && (unclosed || long && raw.trim_ascii_end().contains(&b'\n')) {
                return Ok(Some(start + blank.len()));
            }
            let line = before + position.map_or(0, csv::Position::line) + line_ends(blank);
            ranges.clear();
            ranges.extend((0..record.len()).map(|at| record.range(at).unwrap_or_default()));
            self.row(run, line, raw, record.as_slice(), &ranges, unclosed)?;
        }
        Ok(None)
    }

    /// A line with a quote that is not closed in the `behind` bytes from there on, or not soon enough.
    fn open_row(&mut self, run: &mut Run<'_>, line: u64, bytes: &[u8], behind: usize) {
        run.lines += 1;
        let max = run.limits.line_bytes_max;
        let fault = if behind > max {
            Fault::line(format!(
                "a quote that is opened here is not closed within {max} bytes (limit line_bytes_max)"
            ))
        } else {
            Fault::line(NEVER_CLOSED)
        };
        let kept = self.layout.forbidden.kept(bytes.trim_ascii_end());
        run.rejections.add(line, fault, &kept);
    }

    fn by_whitespace(
        &mut self,
        run: &mut Run<'_>,
        text: &[u8],
        before: u64,
    ) -> Result<(), DecodeError> {
        let mut ranges = Vec::new();
        let lines = Lines::new(text).filter(|line| !line.bytes.trim_ascii().is_empty());
        for Line { number, bytes, .. } in lines {
            ranges.clear();
            ranges.extend(cells_of(bytes));
            self.row(run, before + number, bytes, bytes, &ranges, false)?;
        }
        Ok(())
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
            Err(Fault::line(NEVER_CLOSED))
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
