//! Masking in JSON text, so that it stays JSON.

use std::borrow::Cow;

use super::number::card_number_of;
use super::{is_forbidden_name, text};

/// See [`super::mask_json`].
pub(super) fn mask_json(source: &str) -> Cow<'_, str> {
    let digits = source.bytes().filter(u8::is_ascii_digit).count();
    // A verification code has three digits; with fewer there is nothing to hide.
    if digits < text::CODE_DIGITS_MIN && !text::has_other_digits(source) {
        return Cow::Borrowed(source);
    }
    let mut walk = Walk {
        text: source,
        at: 0,
        out: String::new(),
        copied: 0,
    };
    walk.run();
    if walk.copied == 0 {
        return Cow::Borrowed(source);
    }
    let mut out = walk.out;
    out.push_str(source.get(walk.copied..).unwrap_or_default());
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
                b'0'..=b'9' | b'-' => self.number(),
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
        let inner = unescape(self.text.get(start..end).unwrap_or_default());
        self.at = (end + 1).min(self.text.len());
        let colon = skip_space(self.text.as_bytes(), self.at);
        if self.text.as_bytes().get(colon) == Some(&b':') && is_forbidden_name(&inner) {
            let value = skip_space(self.text.as_bytes(), colon + 1);
            let after = value_end(self.text.as_bytes(), value);
            if after > value {
                self.replace(value, after, "null");
            }
            return;
        }
        if let Cow::Owned(masked) = text::mask(&inner) {
            self.replace(start, end, &escape(&masked));
            self.at = (end + 1).min(self.text.len());
        }
    }

    /// A number; one that is a card number becomes a text, as digits alone can be a number.
    fn number(&mut self) {
        let bytes = self.text.as_bytes();
        let rest = bytes.get(self.at..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|b| !matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
            .unwrap_or(rest.len());
        let number = rest.get(..length).unwrap_or_default();
        let Some(card) = card_number_of(number) else {
            self.long_number(length.max(1));
            return;
        };
        let sign = if number.starts_with(b"-") { "-" } else { "" };
        let digits = String::from_utf8_lossy(card.as_bytes());
        let masked = format!("\"{sign}{}\"", text::mask(&digits));
        self.replace(self.at, self.at + length, &masked);
    }

    /// A number that is no card number, but may have one in it, with an expiry date behind.
    fn long_number(&mut self, length: usize) {
        /// The shortest card number and four digits of a date.
        const DIGITS_MIN: usize = 18;
        let number = self.text.get(self.at..self.at + length);
        match number.filter(|_| length >= DIGITS_MIN).map(text::mask) {
            Some(Cow::Owned(masked)) => {
                self.replace(self.at, self.at + length, &format!("\"{masked}\""));
            }
            _ => self.at += length,
        }
    }
}

/// What the inside of a JSON string says: `\u0034` is the digit 4, `\u002d` a dash, and after the escape of
/// another character its digits must not be taken for those of a card number. Escapes that JSON does not
/// know stay as they are; half a surrogate pair is no character.
fn unescape(inner: &str) -> Cow<'_, str> {
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        let (before, escaped) = rest.split_at(at);
        out.push_str(before);
        let (c, taken) = match escaped.as_bytes() {
            [_, b'u', ..] => match unit(escaped) {
                Some(high @ 0xd800..0xdc00) => match escaped.get(6..).and_then(unit) {
                    Some(low @ 0xdc00..0xe000) => {
                        (0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00), 12)
                    }
                    _ => (0xfffd, 6),
                },
                Some(unit) => (unit, 6),
                None => (u32::from(b'\\'), 1),
            },
            [_, b'n', ..] => (u32::from(b'\n'), 2),
            [_, b'r', ..] => (u32::from(b'\r'), 2),
            [_, b't', ..] => (u32::from(b'\t'), 2),
            [_, b'b', ..] => (0x08, 2),
            [_, b'f', ..] => (0x0c, 2),
            [_, c @ (b'"' | b'\\' | b'/'), ..] => (u32::from(*c), 2),
            _ => (u32::from(b'\\'), 1),
        };
        out.push(char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = escaped.get(taken..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The UTF-16 unit of the escape `\uXXXX` at the start.
fn unit(escaped: &str) -> Option<u32> {
    let hex = escaped.strip_prefix("\\u")?.get(..4)?;
    let digits = hex.bytes().all(|b| b.is_ascii_hexdigit());
    digits.then(|| u32::from_str_radix(hex, 16).ok())?
}

/// The text as the inside of a JSON string.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\0'..' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out
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
