//! Masking in JSON text, so that it stays JSON.

use std::borrow::Cow;

use super::pan::is_card_number;
use super::{is_forbidden_name, text};

/// See [`super::mask_json`].
pub(super) fn mask_json(source: &str) -> Cow<'_, str> {
    let digits = source.bytes().filter(u8::is_ascii_digit).count();
    // A verification code has three digits; with fewer there is nothing to hide.
    if digits < 3 {
        return Cow::Borrowed(source);
    }
    let plain = unescape_digits(source);
    let mut walk = Walk {
        text: &plain,
        at: 0,
        out: String::new(),
        copied: 0,
    };
    walk.run();
    if walk.copied == 0 {
        return plain;
    }
    let mut out = walk.out;
    out.push_str(plain.get(walk.copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// `\u0034` is the digit 4: written as an escape it would hide a card number from the search.
fn unescape_digits(source: &str) -> Cow<'_, str> {
    if !source.contains("\\u003") {
        return Cow::Borrowed(source);
    }
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let digit = escape
            .strip_prefix("\\u003")
            .and_then(|tail| tail.chars().next())
            .filter(char::is_ascii_digit);
        let taken = if let Some(digit) = digit {
            out.push(digit);
            6
        } else {
            // An escape is copied with the character after it, so that `\\u0034` is left alone.
            let length = escape.chars().take(2).map(char::len_utf8).sum();
            out.push_str(escape.get(..length).unwrap_or_default());
            length
        };
        rest = escape.get(taken..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Goes over the tokens of a JSON text; `out` holds what was rewritten of the first `copied` bytes.
struct Walk<'a> {
    text: &'a str,
    at: usize,
    out: String,
    copied: usize,
}

impl Walk<'_> {
    fn run(&mut self) {
        while let Some(byte) = self.text.as_bytes().get(self.at) {
            match byte {
                b'"' => self.string(),
                b'0'..=b'9' => self.number(),
                _ => self.at += 1,
            }
        }
    }

    fn replace(&mut self, from: usize, to: usize, with: &str) {
        self.out
            .push_str(self.text.get(self.copied..from).unwrap_or_default());
        self.out.push_str(with);
        self.copied = to;
        self.at = to;
    }

    /// A string: a key that may not be kept loses its value, any other is masked as text.
    fn string(&mut self) {
        let start = self.at + 1;
        let end = string_end(self.text.as_bytes(), start);
        let inner = self.text.get(start..end).unwrap_or_default();
        self.at = (end + 1).min(self.text.len());
        let colon = skip_space(self.text.as_bytes(), self.at);
        if self.text.as_bytes().get(colon) == Some(&b':') && is_forbidden_name(inner) {
            let value = skip_space(self.text.as_bytes(), colon + 1);
            let after = value_end(self.text.as_bytes(), value);
            if after > value {
                self.replace(value, after, "null");
            }
            return;
        }
        if let Cow::Owned(masked) = text::mask(inner) {
            self.replace(start, end, &masked);
            self.at = (end + 1).min(self.text.len());
        }
    }

    fn number(&mut self) {
        let bytes = self.text.as_bytes();
        let rest = bytes.get(self.at..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|b| !matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
            .unwrap_or(rest.len());
        let whole = rest
            .iter()
            .position(|b| !b.is_ascii_digit())
            .unwrap_or(rest.len());
        let is_card = rest.get(..whole).is_some_and(is_card_number);
        if is_card {
            let number = self.text.get(self.at..self.at + whole).unwrap_or_default();
            let masked = format!("\"{}\"", text::mask(number));
            self.replace(self.at, self.at + length, &masked);
        } else {
            self.at += length.max(1);
        }
    }
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn skip_space(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|b| b.is_ascii_whitespace()).count()
}

/// The end of the JSON value at `from`, with everything nested in it.
fn value_end(bytes: &[u8], from: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at + 1),
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
        if depth == 0 && matches!(byte, b'"' | b'}' | b']') {
            return at.min(bytes.len());
        }
    }
    bytes.len()
}
