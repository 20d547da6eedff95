//! Where quoted text begins and ends, as the CSV reader sees it (RFC 4180, and what it takes beyond that),
//! and with that where records begin and end.
//!
//! One rule holds for a request, for a file that is loaded and for one a definition is proposed for: a
//! record goes on over line ends within quotes, for as many bytes as a line may have. A quote that is
//! not closed within that spoils the line it opens in and nothing behind it.

use std::ops::Range;

/// A place in a row, moved on byte by byte.
///
/// A quote opens quoted text only at the start of a cell; elsewhere, as in `5" pipe`, it is text. After
/// quoted text that is followed by more, the cell goes on as plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before the first byte of a cell.
    CellStart,
    /// In text without quotes.
    Plain,
    /// In quoted text, where delimiters and line ends are text.
    Quoted,
    /// Behind a quote in quoted text: its end, or the first half of a doubled one.
    QuoteInQuoted,
}

impl Place {
    /// The place after one more byte.
    #[inline]
    pub(crate) fn after(self, byte: u8, delimiter: u8) -> Self {
        #[cfg(test)]
        STEPS.with(|steps| steps.set(steps.get() + 1));
        match (self, byte) {
            (Self::Quoted, b'"') => Self::QuoteInQuoted,
            (Self::Quoted, _) | (Self::QuoteInQuoted | Self::CellStart, b'"') => Self::Quoted,
            // A carriage return alone ends a row too.
            (_, b'\n' | b'\r') => Self::CellStart,
            (_, byte) if byte == delimiter => Self::CellStart,
            _ => Self::Plain,
        }
    }

    /// Whether a row that begins at the start of `bytes` is still within quotes at their end.
    pub(crate) fn ends_quoted(bytes: &[u8], delimiter: u8) -> bool {
        Self::CellStart.over(bytes, delimiter) == Self::Quoted
    }

    fn over(self, bytes: &[u8], delimiter: u8) -> Self {
        let from = match (self, memchr::memchr(b'"', bytes)) {
            // Without a quote nothing gets into quotes or out of them.
            (Self::Quoted, None) => return Self::Quoted,
            (_, None) => return Self::Plain,
            (Self::Quoted, Some(first)) => first,
            _ => 0,
        };
        let rest = bytes.get(from..).unwrap_or_default();
        rest.iter()
            .fold(self, |place, byte| place.after(*byte, delimiter))
    }
}

#[cfg(test)]
thread_local! {
    /// Bytes that were looked at one by one on this thread: the work that tests count.
    pub(crate) static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its bytes, with the end of its line.
    pub(crate) range: Range<usize>,
    /// A quote is opened in it and not closed in time, so this is a line and no record.
    pub(crate) open: bool,
}

/// Finds the ends of records, going over every byte at most three times, whatever the quotes are.
pub(crate) struct Records<'a> {
    data: &'a [u8],
    delimiter: u8,
    /// Bytes of a record that spans lines.
    bytes_max: usize,
    /// Whether nothing comes behind `data`.
    last: bool,
    at: usize,
    /// Of the lines behind `at` that start before this place, none ends quoted text but `closer`.
    scanned: usize,
    /// The first line behind `at` that ends quoted text which was open at its start.
    closer: Option<Range<usize>>,
}

impl<'a> Records<'a> {
    /// The records of `data`, which begins with one. Unless nothing comes behind it (`last`), they end
    /// before a record whose end cannot be told yet.
    pub(crate) fn new(data: &'a [u8], delimiter: u8, bytes_max: usize, last: bool) -> Self {
        Self {
            data,
            delimiter,
            bytes_max,
            last,
            at: 0,
            scanned: 0,
            closer: None,
        }
    }

    fn line_end(&self, from: usize) -> Option<usize> {
        let rest = self.data.get(from..).filter(|rest| !rest.is_empty())?;
        match memchr::memchr(b'\n', rest) {
            Some(end) => Some(from + end + 1),
            None => self.last.then_some(self.data.len()),
        }
    }

    fn ends_quoted(&self, start: Place, line: &Range<usize>) -> bool {
        // The line end itself belongs to the text when it is within quotes, and else ends the row.
        let line = self.data.get(line.clone()).unwrap_or_default();
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        start.over(text, self.delimiter) == Place::Quoted
    }

    /// Where the text that is open at `from` ends, if that is found before `until`.
    fn closed_by(&mut self, from: usize, until: usize) -> Option<usize> {
        if self.closer.as_ref().is_some_and(|line| line.start >= from) {
            return self.closer.as_ref().map(|line| line.end);
        }
        self.closer = None;
        self.scanned = self.scanned.max(from);
        while self.scanned < until {
            let line = self.scanned..self.line_end(self.scanned)?;
            self.scanned = line.end;
            if !self.ends_quoted(Place::Quoted, &line) {
                let end = line.end;
                self.closer = Some(line);
                return Some(end);
            }
        }
        None
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let start = self.at;
        let line = start..self.line_end(start)?;
        let mut record = Record {
            range: line.clone(),
            open: false,
        };
        if self.ends_quoted(Place::CellStart, &line) {
            let until = start.saturating_add(self.bytes_max);
            match self.closed_by(line.end, until) {
                Some(end) if end <= until => record.range = start..end,
                None if !self.last && self.data.len() <= until => return None,
                _ => record.open = true,
            }
        }
        self.at = record.range.end;
        Some(record)
    }
}

/// Records side by side that a CSV reader takes in one go, or one line with a quote that is not closed.
pub(crate) fn runs(
    data: &[u8],
    delimiter: u8,
    bytes_max: usize,
) -> impl Iterator<Item = Record> + '_ {
    let mut records = Records::new(data, delimiter, bytes_max, true).peekable();
    std::iter::from_fn(move || {
        let mut run = records.next()?;
        while let Some(next) = records.next_if(|next| !run.open && !next.open) {
            run.range.end = next.range.end;
        }
        Some(run)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_quote_at_the_start_of_a_cell_opens_quoted_text() {
        for (row, open) in [
            ("a,b", false),
            ("a,\"b", true),
            ("a,\"b\"", false),
            ("a,\"b\"\"", true),
            ("a,\"b\"\"\"", false),
            ("5\" pipe,1", false),
            ("\"a\"b\"", false),
            ("\"a\n,", true),
        ] {
            assert_eq!(Place::ends_quoted(row.as_bytes(), b','), open, "{row}");
        }
    }

    fn records(text: &str, bytes_max: usize, last: bool) -> Vec<(&str, bool)> {
        let found = Records::new(text.as_bytes(), b',', bytes_max, last);
        found
            .map(|record| (&text[record.range], record.open))
            .collect()
    }

    #[test]
    fn a_quote_that_is_not_closed_in_time_spoils_its_line_only() {
        let whole = |text| (text, false);
        let open = |text| (text, true);
        for (text, last, expected) in [
            (
                "a,\"b\nc\"\nd\n",
                true,
                vec![whole("a,\"b\nc\"\n"), whole("d\n")],
            ),
            (
                "a,\"b\nc\nd",
                true,
                vec![open("a,\"b\n"), whole("c\n"), whole("d")],
            ),
            // The quote is closed, but too far away.
            (
                "\"a\n0123456789\n0123456789\nb\"\nc\n",
                true,
                vec![
                    open("\"a\n"),
                    whole("0123456789\n"),
                    whole("0123456789\n"),
                    whole("b\"\n"),
                    whole("c\n"),
                ],
            ),
            // Whether it is closed is not known yet, and then it is.
            ("a\n\"b\nc\n", false, vec![whole("a\n")]),
            (
                "\"b\n0123456789\n0123456789\n",
                false,
                vec![open("\"b\n"), whole("0123456789\n"), whole("0123456789\n")],
            ),
        ] {
            assert_eq!(records(text, 20, last), expected, "{text:?}");
        }
    }

    #[test]
    fn records_are_found_in_a_few_steps_a_byte_however_the_quotes_stand() {
        for line in ["a,b\n", "a\"b,\"c\n", "\"a\n", "a,\"\"\"\n", "x,\"\n"] {
            for first in ["", "\"oops\n", "a,\"oops\n"] {
                for bytes_max in [100, usize::MAX] {
                    let text = format!("{first}{}", line.repeat(20_000));
                    STEPS.with(|steps| steps.set(0));
                    let found = Records::new(text.as_bytes(), b',', bytes_max, true);
                    let end = found.last().map(|record| record.range.end);
                    assert_eq!(end, Some(text.len()));
                    let steps = STEPS.with(std::cell::Cell::get);
                    assert!(steps <= 3 * text.len(), "{line:?} after {first:?}: {steps}");
                }
            }
        }
    }
}
