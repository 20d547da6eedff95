//! What form a file has, from its first part.

use std::path::Path;

use super::dialect::{Dialect, FileFormat};
use super::error::FileError;
use crate::decode::Delimiter;
use crate::decode::quotes::Records;

/// Records of text that are looked at.
const RECORDS_MAX: usize = 100;
/// Bytes of a record that is looked at.
const RECORD_BYTES_MAX: usize = 1 << 20;
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// The mark some programs put before UTF-8 text.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// The form of a file that begins with `head`; `whole` when that is all of it.
pub(crate) fn format_of(path: &Path, head: &[u8], whole: bool) -> Result<FileFormat, FileError> {
    let unsupported = |found, hint| FileError::Unsupported {
        path: path.to_owned(),
        found,
        hint,
    };
    match head {
        [b'P', b'A', b'R', b'1', ..] => return Ok(FileFormat::Parquet),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            return Err(unsupported("UTF-16 text", "write it as UTF-8"));
        }
        [b'P', b'K', 3, 4, ..] => {
            return Err(unsupported(
                "a ZIP archive or a spreadsheet",
                "unpack it, or export it as CSV",
            ));
        }
        _ => {}
    }
    let text = head.strip_prefix(BOM).unwrap_or(head);
    if text.contains(&0) {
        return Err(unsupported("binary", "give CSV, NDJSON, JSON or Parquet"));
    }
    if text
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"sep="))
    {
        return Err(unsupported(
            "CSV for Excel alone, whose first line is `sep=`",
            "take that line away, for instance with `tail -n +2`",
        ));
    }
    let lines = text.trim_ascii_end();
    if lines.contains(&b'\r')
        && !lines.contains(&b'\n')
        && !text.trim_ascii_start().starts_with(b"{")
    {
        return Err(unsupported(
            "text whose lines end with CR alone",
            "make them end with LF, for instance with `tr '\\r' '\\n'`",
        ));
    }
    Ok(match text.trim_ascii_start() {
        [b'[', ..] if looks_like_json(text) => FileFormat::Json,
        [b'{', ..] => json_format(text, whole),
        _ => FileFormat::Csv(dialect_of(text, whole)),
    })
}

/// A line of a log may begin with `[` too.
fn looks_like_json(text: &[u8]) -> bool {
    let inside = text
        .trim_ascii_start()
        .get(1..)
        .unwrap_or_default()
        .trim_ascii_start();
    matches!(inside, [] | [b'{' | b']' | b'[', ..])
}

/// Whether each line is a value of its own.
fn json_format(text: &[u8], whole: bool) -> FileFormat {
    let trimmed = text.trim_ascii_start();
    let line = match memchr::memchr(b'\n', trimmed) {
        Some(end) => trimmed.get(..end).unwrap_or_default(),
        None if whole => trimmed,
        // One line longer than the head.
        None => return FileFormat::Ndjson,
    };
    match serde_json::from_slice::<serde::de::IgnoredAny>(line) {
        Err(error) if error.is_eof() => FileFormat::Json,
        // A line that is broken in another way spoils only itself.
        _ => FileFormat::Ndjson,
    }
}

/// How the columns of a text are separated and whether they are named.
pub(crate) fn dialect_of(text: &[u8], whole: bool) -> Dialect {
    let mut best: Option<(f64, usize, Delimiter)> = None;
    let candidates = DELIMITERS
        .into_iter()
        .map(Delimiter::Byte)
        .chain([Delimiter::Whitespace]);
    for delimiter in candidates {
        let rows = rows_of(text, delimiter, whole);
        let (share, columns) = agreement(&rows);
        if columns < 2 {
            continue;
        }
        // Blanks separate the words of any text, so they count only when no delimiter does.
        let better = match best {
            None => share >= 0.8,
            Some(_) if delimiter == Delimiter::Whitespace => false,
            Some((best_share, best_columns, _)) => {
                (share - best_share).abs() < 0.05 && columns > best_columns
                    || share > best_share + 0.05
            }
        };
        if better {
            best = Some((share, columns, delimiter));
        }
    }
    let delimiter = best.map_or(Delimiter::Byte(b','), |(_, _, delimiter)| delimiter);
    let header = has_header(&rows_of(text, delimiter, whole));
    Dialect { delimiter, header }
}

/// The share of rows that have the most frequent number of columns, and that number.
fn agreement(rows: &[Vec<String>]) -> (f64, usize) {
    let mut counts = std::collections::BTreeMap::<usize, usize>::new();
    for row in rows {
        *counts.entry(row.len()).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, rows)| *rows);
    most.map_or((0.0, 0), |(columns, count)| {
        (count as f64 / rows.len() as f64, columns)
    })
}

fn rows_of(text: &[u8], delimiter: Delimiter, whole: bool) -> Vec<Vec<String>> {
    let Delimiter::Byte(byte) = delimiter else {
        return words_of(text, whole);
    };
    let mut rows = Vec::new();
    for record in Records::new(text, byte, RECORD_BYTES_MAX, whole).take(RECORDS_MAX) {
        // A line with a quote that is never closed says nothing about the others.
        if !record.open {
            let record = text.get(record.range).unwrap_or_default();
            rows.extend(cells_of(record, byte));
        }
    }
    rows
}

/// The cells of the rows of a record: more than one where old line ends are within it.
fn cells_of(record: &[u8], delimiter: u8) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(record);
    let rows = reader.byte_records().map_while(Result::ok);
    rows.map(|row| row.iter().map(text_of).collect()).collect()
}

fn words_of(text: &[u8], whole: bool) -> Vec<Vec<String>> {
    let lines = text.split_inclusive(|b| *b == b'\n').take(RECORDS_MAX);
    let lines = lines.filter(|line| whole || line.ends_with(b"\n"));
    let rows = lines.map(|line| {
        line.split(u8::is_ascii_whitespace)
            .filter(|cell| !cell.is_empty())
            .map(text_of)
            .collect()
    });
    rows.filter(|row: &Vec<String>| !row.is_empty()).collect()
}

fn text_of(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).into_owned()
}

/// Whether the first row names the columns. It does when a column of numbers or dates begins with a
/// name; otherwise its cells must be distinct texts, none of which is a number or a date, and none is
/// empty but a first one (the unnamed index that some tools write).
fn has_header(rows: &[Vec<String>]) -> bool {
    let Some((first, rest)) = rows.split_first() else {
        return true;
    };
    // A row that is repeated below is a row like the others.
    if rest.contains(first) {
        return false;
    }
    if stands_out(first, rest) {
        return true;
    }
    let mut seen = std::collections::BTreeSet::new();
    first.iter().enumerate().all(|(at, cell)| {
        let name = cell.trim();
        (at == 0 && name.is_empty() && first.len() > 1 || is_name(name)) && seen.insert(name)
    })
}

/// Whether the first row has a name where all rows below have numbers or dates, and has neither itself
/// but years and the like.
fn stands_out(first: &[String], rest: &[Vec<String>]) -> bool {
    let plain = first.iter().all(|cell| {
        let cell = cell.trim();
        let year = cell.len() <= 4 && cell.bytes().all(|b| b.is_ascii_digit());
        year || !has_digits_of_a_value(cell)
    });
    plain
        && first.iter().enumerate().any(|(at, cell)| {
            let mut below = rest
                .iter()
                .filter_map(|row| row.get(at))
                .map(|cell| cell.trim())
                .filter(|cell| !cell.is_empty())
                .peekable();
            is_name(cell.trim()) && below.peek().is_some() && below.all(has_digits_of_a_value)
        })
}

/// A number or a date.
fn has_digits_of_a_value(cell: &str) -> bool {
    cell.bytes().any(|b| b.is_ascii_digit()) && is_value(cell)
}

fn is_name(cell: &str) -> bool {
    let letters = cell.chars().filter(|c| c.is_alphabetic()).count();
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    letters > 0 && letters >= digits && !is_value(cell)
}

/// Texts with letters that are values and not names: dates with month names, numbers with an exponent.
fn is_value(cell: &str) -> bool {
    let lower = cell.to_ascii_lowercase();
    let starts_with_digit = lower.starts_with(|c: char| c.is_ascii_digit());
    let is_date =
        starts_with_digit && (lower.contains('-') || lower.contains(':') || lower.contains('/'));
    is_date
        || cell.parse::<f64>().is_ok()
        || matches!(lower.as_str(), "true" | "false" | "null" | "n/a")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sniffed(text: &str) -> FileFormat {
        format_of(Path::new("x"), text.as_bytes(), true).unwrap()
    }

    #[test]
    fn a_table_of_texts_is_told_apart() {
        let csv = |delimiter, header| FileFormat::Csv(Dialect { delimiter, header });
        let byte = |b| Delimiter::Byte(b);
        for (text, expected) in [
            ("id,name\n1,a\n", csv(byte(b','), true)),
            ("\u{feff}id;name\n1;a,b\n", csv(byte(b';'), true)),
            ("id\tname\n1\ta b\n", csv(byte(b'\t'), true)),
            ("1|2.5|x\n2|3.5|y\n", csv(byte(b'|'), false)),
            (
                " 00001 20210101  1   11.77\n 00002 20210112  5   77.00\n",
                csv(Delimiter::Whitespace, false),
            ),
            (
                "day amount\n20210101 1.5\n20210102 2.5\n",
                csv(Delimiter::Whitespace, true),
            ),
            ("name,note\n\"a\nb\",\"x, y\"\nc,d\n", csv(byte(b','), true)),
            ("amount\n1.5\n2.5\n", csv(byte(b','), true)),
            ("", csv(byte(b','), true)),
            (",value\n0,1.5\n1,2.5\n", csv(byte(b','), true)),
            ("02-Jun-06,Air\n14-Nov-06,Truck\n", csv(byte(b','), false)),
            ("{\"a\":1}\n{\"a\":2}\n", FileFormat::Ndjson),
            ("{\"a\":1}", FileFormat::Ndjson),
            ("{\n \"a\": 1\n}\n", FileFormat::Json),
            ("[{\"a\":1}]", FileFormat::Json),
            ("\n [\n  {\"a\":1}]", FileFormat::Json),
            ("PAR1....", FileFormat::Parquet),
        ] {
            assert_eq!(sniffed(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_name_above_numbers_or_days_makes_the_first_row_a_header_whatever_stands_beside_it() {
        let long = format!(
            "{}, the whole question\tday\nyes\t2026-01-01\n",
            "why ".repeat(60)
        );
        for text in [
            "#,day,tax,amount\na,2026-01-01,0.10,10.00\n",
            "day,amount,amount\n2026-01-01,1,2\n",
            "day,amount,\n2026-01-01,1,\n",
            "region,day,2024,2025\nnorth,2026-01-01,1,2\n",
            "null,true,day\na,b,2026-01-01\n",
            &long,
        ] {
            assert!(dialect_of(text.as_bytes(), true).header, "{text:?}");
        }
        for text in [
            "a,2026-01-01,3\nb,2026-01-02,4\n",
            "a,1.5,n/a\nb,2.5,3\n",
            "2026-01-01,x,1\n2026-01-02,4,1\n",
        ] {
            assert!(!dialect_of(text.as_bytes(), true).header, "{text:?}");
        }
    }

    #[test]
    fn an_open_quote_costs_the_sniffer_no_more_than_a_few_steps_a_byte() {
        use crate::decode::quotes::STEPS;
        let text = format!("a,b\n1,\"oops\n{}", "1,2\n".repeat(100_000));
        STEPS.with(|steps| steps.set(0));
        assert_eq!(dialect_of(text.as_bytes(), true), Dialect::default());
        // Once for each delimiter and once for the header.
        assert!(STEPS.with(std::cell::Cell::get) <= 3 * 6 * text.len());
    }

    #[test]
    fn what_is_not_read_is_named_with_a_way_out() {
        for (bytes, expected) in [
            (
                b"\xff\xfea\0b\0".as_slice(),
                "x is UTF-16 text; write it as UTF-8",
            ),
            (
                b"PK\x03\x04..",
                "x is a ZIP archive or a spreadsheet; unpack it, or export it as CSV",
            ),
            (b"a\0b", "x is binary; give CSV, NDJSON, JSON or Parquet"),
            (
                b"sep=;\nid;at\n",
                "x is CSV for Excel alone, whose first line is `sep=`; take that line away, for instance with `tail -n +2`",
            ),
            (
                b"id,at\r1,2026-01-01\r",
                "x is text whose lines end with CR alone; make them end with LF, for instance with `tr '\\r' '\\n'`",
            ),
        ] {
            let error = format_of(Path::new("x"), bytes, true).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
