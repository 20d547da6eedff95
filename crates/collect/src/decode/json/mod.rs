//! JSON: one object per line, an array of objects, or one object.

pub(crate) mod find;
pub(crate) mod members;
mod object;
mod scan;
mod token;
pub(super) mod unescape;

pub(super) use token::Token;

use object::{ObjectFault, ObjectReader};
use scan::Scanner;

use super::bytes::{Line, Lines, without_mark};
use super::fault::Fault;
use super::{DecodeError, Run};

/// Nesting allowed in a JSON value that stands in a CSV cell.
const CELL_DEPTH_MAX: usize = 32;

/// Decodes one object per line.
pub(super) fn decode_lines(run: &mut Run<'_>, body: &[u8]) -> Result<(), DecodeError> {
    let body = without_mark(body);
    // One look at the whole body; only when that fails each line is looked at by itself.
    let valid = simdutf8::basic::from_utf8(body).ok();
    let mut reader = ObjectReader::new(run.plan);
    for Line {
        number,
        start,
        bytes: line,
    } in Lines::new(body)
    {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        run.lines += 1;
        if line.len() > run.limits.line_bytes_max {
            let reason = format!(
                "the line has {} bytes, more than {} (limit line_bytes_max)",
                line.len(),
                run.limits.line_bytes_max
            );
            run.rejections.add(number, Fault::line(reason), line);
            continue;
        }
        let text = match valid {
            Some(whole) => whole.get(start..start + line.len()),
            None => simdutf8::basic::from_utf8(line).ok(),
        };
        let Some(text) = text else {
            run.rejections
                .add(number, Fault::line("the line is not UTF-8"), line);
            continue;
        };
        match read_line(&mut reader, text, run.limits.depth_max) {
            Ok(()) => {
                run.unknown_fields += reader.unknown_fields;
                run.take(text, &reader.row)?;
            }
            Err(fault) => run.rejections.add(number, fault, line),
        }
    }
    Ok(())
}

fn read_line(reader: &mut ObjectReader<'_>, line: &str, depth_max: usize) -> Result<(), Fault> {
    let mut scanner = Scanner::new(line, depth_max);
    scanner.space();
    match scanner.peek() {
        Some(b'{') => {}
        Some(b'[') => {
            let reason =
                "expected one object per line, found an array; send arrays as application/json";
            return Err(Fault::line(reason));
        }
        _ => return Err(Fault::line("expected one JSON object per line")),
    }
    match reader.read(&mut scanner) {
        Ok(()) => {}
        Err(ObjectFault::Event(fault)) => return Err(fault),
        Err(ObjectFault::Syntax(syntax)) => {
            let reason = format!("is not JSON at byte {}: {}", syntax.at, syntax.reason);
            return Err(Fault::line(reason));
        }
    }
    scanner.space();
    if scanner.at < line.len() {
        let reason = format!(
            "something follows the object at byte {}; send one object per line",
            scanner.at
        );
        return Err(Fault::line(reason));
    }
    Ok(())
}

/// Decodes an array of objects, or one object.
pub(super) fn decode_document(run: &mut Run<'_>, body: &[u8]) -> Result<(), DecodeError> {
    let body = without_mark(body);
    let text = simdutf8::compat::from_utf8(body).map_err(|error| DecodeError::Utf8 {
        at: error.valid_up_to(),
    })?;
    // The array around the events is not a level of theirs.
    let mut scanner = Scanner::new(text, run.limits.depth_max);
    let mut reader = ObjectReader::new(run.plan);
    scanner.space();
    match scanner.peek() {
        Some(b'{') => element(run, &mut reader, &mut scanner, 1)?,
        Some(b'[') => elements(run, &mut reader, &mut scanner)?,
        None => {
            return Err(document(scan::Syntax {
                reason: "it is empty",
                at: scanner.at,
            }));
        }
        _ => {
            let reason = "expected '[' or '{'; send one object per line as application/x-ndjson";
            return Err(document(scan::Syntax {
                reason,
                at: scanner.at,
            }));
        }
    }
    scanner.space();
    if scanner.at < text.len() {
        let reason = "something follows it; send one object per line as application/x-ndjson";
        return Err(document(scan::Syntax {
            reason,
            at: scanner.at,
        }));
    }
    Ok(())
}

fn elements(
    run: &mut Run<'_>,
    reader: &mut ObjectReader<'_>,
    scanner: &mut Scanner<'_>,
) -> Result<(), DecodeError> {
    scanner.at += 1;
    scanner.space();
    if scanner.peek() == Some(b']') {
        scanner.at += 1;
        return Ok(());
    }
    let mut number = 0;
    loop {
        scanner.space();
        number += 1;
        element(run, reader, scanner, number)?;
        if !scanner.comma(b']').map_err(document)? {
            return Ok(());
        }
    }
}

/// One element of the array. One that is JSON but no event is rejected by itself; after one that is
/// not JSON nothing more can be found, so the whole body is refused.
fn element(
    run: &mut Run<'_>,
    reader: &mut ObjectReader<'_>,
    scanner: &mut Scanner<'_>,
    number: u64,
) -> Result<(), DecodeError> {
    run.lines += 1;
    let start = scanner.at;
    let fault = if scanner.peek() == Some(b'{') {
        match reader.read(scanner) {
            Ok(()) => None,
            Err(ObjectFault::Event(fault)) => Some(fault),
            Err(ObjectFault::Syntax(syntax)) if syntax.reason == scan::TOO_DEEP => {
                Some(Fault::line(syntax.reason))
            }
            Err(ObjectFault::Syntax(syntax)) => return Err(document(syntax)),
        }
    } else {
        Some(Fault::line("expected an object"))
    };
    let bytes_max = run.limits.line_bytes_max;
    let fault = match fault {
        None if scanner.at - start > bytes_max => Some(Fault::line(format!(
            "the element has {} bytes, more than {bytes_max} (limit line_bytes_max)",
            scanner.at - start
        ))),
        fault => fault,
    };
    let Some(fault) = fault else {
        run.unknown_fields += reader.unknown_fields;
        return run.take(scanner.text, &reader.row);
    };
    scanner.at = start;
    skip_rejected(scanner)?;
    if scanner.at == start {
        return Err(document(scan::Syntax {
            reason: "expected a value",
            at: start,
        }));
    }
    let raw = scanner
        .text
        .as_bytes()
        .get(start..scanner.at)
        .unwrap_or_default();
    run.rejections.add(number, fault, raw);
    Ok(())
}

/// Goes over an element that was rejected, however deep it is, by counting brackets outside of strings.
fn skip_rejected(scanner: &mut Scanner<'_>) -> Result<(), DecodeError> {
    let mut depth = 0_usize;
    loop {
        match scanner.peek() {
            Some(b'"') => {
                scanner.string().map_err(document)?;
            }
            Some(b'{' | b'[') => {
                depth += 1;
                scanner.at += 1;
            }
            Some(b'}' | b']') if depth > 0 => {
                depth -= 1;
                scanner.at += 1;
            }
            Some(b',' | b']' | b'}') if depth == 0 => return Ok(()),
            Some(b'-' | b'0'..=b'9') => drop(scanner.number().map_err(document)?),
            Some(b' ' | b'\t' | b'\r' | b'\n' | b',' | b':') => scanner.at += 1,
            _ => drop(scanner.literal().map_err(document)?),
        }
        if depth == 0 {
            return Ok(());
        }
    }
}

fn document(syntax: scan::Syntax) -> DecodeError {
    DecodeError::Json {
        reason: syntax.reason.to_owned(),
        at: syntax.at,
    }
}

/// Checks that a text is one JSON value.
pub(super) fn check_value(text: &str) -> Result<(), String> {
    let mut scanner = Scanner::new(text, CELL_DEPTH_MAX);
    scanner
        .skip(1)
        .map_err(|s| format!("is not JSON at byte {}: {}", s.at, s.reason))?;
    if scanner.at < text.len() {
        return Err(format!(
            "is not JSON at byte {}: something follows the value",
            scanner.at
        ));
    }
    Ok(())
}
