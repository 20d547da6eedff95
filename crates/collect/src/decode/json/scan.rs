//! The scanner: the tokens of JSON text, strictly by RFC 8259, without a tree.

use tillwatch_event::guard;
use tillwatch_event::lanes::{ALL_LANES, LANES, Lanes};

use super::token::Token;

/// A place where the text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Syntax {
    pub(crate) reason: &'static str,
    /// Bytes from the start of the scanned text.
    pub(crate) at: usize,
}

pub(super) const TOO_DEEP: &str = "it is nested too deeply (limit depth_max)";
const CUT_SHORT: &str = "it ends too early";
const NO_VALUE: &str = "expected a value";
const NOT_FINITE: &str = "NaN and Infinity are not numbers in JSON; use null";

/// A token's place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    #[inline]
    pub(super) fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A string, without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quoted {
    pub(super) span: Span,
    /// Whether it has escapes.
    pub(super) escaped: bool,
    /// Whether it is known that the guard would pass it as it is.
    pub(super) harmless: bool,
}

/// What one look at sixteen bytes of a string tells, as sets of lanes.
struct Look {
    ends: u32,
    digits: u32,
    other: u32,
}

impl Look {
    #[inline]
    fn of(lanes: Lanes) -> Self {
        Self {
            ends: lanes.string_ends(),
            digits: lanes.digits(),
            other: lanes.not_ascii(),
        }
    }

    #[inline(never)]
    fn of_short(text: &[u8]) -> Self {
        Self::of(Lanes::of_start(text))
    }
}

/// Whether a string can hold something that the guard masks.
#[derive(Default)]
struct Seen {
    digits: u32,
    suspicious: u32,
}

impl Seen {
    /// A set with three digits or more, digits in two sets, or a byte that is no ASCII.
    #[inline]
    fn add(&mut self, digits: u32, other: u32) {
        const { assert!(guard::MASKED_DIGITS_MIN == 3) };
        let all_but_one = digits & digits.wrapping_sub(1);
        let all_but_two = all_but_one & all_but_one.wrapping_sub(1);
        let again = if self.digits == 0 { 0 } else { digits };
        self.suspicious |= all_but_two | again | other;
        self.digits |= digits;
    }

    #[inline]
    fn is_harmless(&self) -> bool {
        self.suspicious == 0
    }
}

/// Reads tokens from left to right.
#[derive(Debug, Clone)]
pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    depth_max: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, depth_max: usize) -> Self {
        Self {
            text,
            at: 0,
            depth_max,
        }
    }

    pub(super) fn fault<T>(&self, reason: &'static str) -> Result<T, Syntax> {
        let reason = if self.at >= self.text.len() {
            CUT_SHORT
        } else {
            reason
        };
        Err(Syntax {
            reason,
            at: self.at,
        })
    }

    #[inline]
    pub(super) fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    pub(super) fn space(&mut self) {
        if self.peek().is_some_and(|byte| byte > b' ') {
            return;
        }
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    #[inline]
    pub(super) fn expect(&mut self, byte: u8, reason: &'static str) -> Result<(), Syntax> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        self.fault(reason)
    }

    /// Steps over `token` if it stands at the current place.
    #[inline]
    pub(super) fn eat(&mut self, token: &Token) -> bool {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let found = token.starts(rest);
        if found {
            self.at += token.len();
        }
        found
    }

    #[inline]
    pub(super) fn check_depth(&self, depth: usize) -> Result<(), Syntax> {
        if depth > self.depth_max {
            return Err(Syntax {
                reason: TOO_DEEP,
                at: self.at,
            });
        }
        Ok(())
    }

    /// The inside of a string whose opening quote is at the current place.
    ///
    /// Sixteen bytes at a time: the quote is looked for and digits are counted in one go, as almost every text
    /// is short and holds nothing that the guard would have to look at.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Quoted, Syntax> {
        self.expect(b'"', "expected a string")?;
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut seen = Seen::default();
        let mut at = start;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let look = match rest.first_chunk() {
                Some(chunk) => Look::of(Lanes::of(chunk)),
                // Behind the end stand zeros, which end a string as control characters do.
                None => Look::of_short(rest),
            };
            // The bytes before the first that may end the string, all sixteen when none does.
            let before = !look.ends & look.ends.wrapping_sub(1) & ALL_LANES;
            seen.add(look.digits & before, look.other & before);
            if look.ends != 0 {
                at += look.ends.trailing_zeros() as usize;
                break;
            }
            at += LANES;
        }
        self.at = at;
        if bytes.get(at) != Some(&b'"') {
            return self.string_from(start);
        }
        self.at += 1;
        Ok(Quoted {
            span: Span { start, end: at },
            escaped: false,
            harmless: seen.is_harmless(),
        })
    }

    /// The same for a string with escapes or a fault.
    #[inline(never)]
    fn string_from(&mut self, start: usize) -> Result<Quoted, Syntax> {
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        loop {
            loop {
                let rest = bytes.get(self.at..).unwrap_or_default();
                let ends = Look::of_short(rest).ends;
                if ends != 0 {
                    self.at += ends.trailing_zeros() as usize;
                    break;
                }
                self.at += LANES;
            }
            match self.peek() {
                Some(b'"') => {
                    let span = Span {
                        start,
                        end: self.at,
                    };
                    self.at += 1;
                    return Ok(Quoted {
                        span,
                        escaped,
                        harmless: false,
                    });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(0..=0x1f) => return self.fault("a control character must be escaped"),
                Some(_) => self.at += 1,
                None => return self.fault(CUT_SHORT),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Syntax> {
        let bytes = self.text.as_bytes();
        match bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => {
                let digits = bytes.get(self.at + 2..self.at + 6).unwrap_or_default();
                if digits.len() != 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
                    return self.fault("\\u needs four hexadecimal digits");
                }
                self.at += 6;
                Ok(())
            }
            _ => self.fault("unknown escape"),
        }
    }

    /// A number at the current place.
    #[inline]
    pub(super) fn number(&mut self) -> Result<Span, Syntax> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => {
                self.at += 1;
                if self.peek().is_some_and(|b| b.is_ascii_digit()) {
                    return self.fault("a number must not start with 0");
                }
            }
            Some(b'1'..=b'9') => self.digits(),
            Some(b'I') => return self.fault(NOT_FINITE),
            _ => return self.fault("expected a digit"),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.some_digits()?;
        }
        Ok(Span {
            start,
            end: self.at,
        })
    }

    #[inline]
    fn digits(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Result<(), Syntax> {
        let start = self.at;
        self.digits();
        if self.at == start {
            return self.fault("expected a digit");
        }
        Ok(())
    }

    /// `true`, `false` or `null`.
    pub(super) fn literal(&mut self) -> Result<Option<bool>, Syntax> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let (length, value) = match rest {
            [b't', b'r', b'u', b'e', ..] => (4, Some(true)),
            [b'f', b'a', b'l', b's', b'e', ..] => (5, Some(false)),
            [b'n', b'u', b'l', b'l', ..] => (4, None),
            [b'N' | b'I', ..] => return self.fault(NOT_FINITE),
            [b'\'', ..] => return self.fault("text needs double quotes"),
            _ => return self.fault(NO_VALUE),
        };
        self.at += length;
        Ok(value)
    }

    /// Goes over a value, checking all of it. `depth` is that of the value if it is an object or array.
    pub(super) fn skip(&mut self, depth: usize) -> Result<(), Syntax> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number().map(drop),
            Some(b'{') => self.skip_object(depth),
            Some(b'[') => self.skip_array(depth),
            _ => self.literal().map(drop),
        }
    }

    fn skip_object(&mut self, depth: usize) -> Result<(), Syntax> {
        self.check_depth(depth)?;
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            self.string()?;
            self.colon()?;
            self.skip(depth + 1)?;
            if !self.comma(b'}')? {
                return Ok(());
            }
        }
    }

    fn skip_array(&mut self, depth: usize) -> Result<(), Syntax> {
        self.check_depth(depth)?;
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            self.skip(depth + 1)?;
            if !self.comma(b']')? {
                return Ok(());
            }
        }
    }

    #[inline]
    pub(super) fn colon(&mut self) -> Result<(), Syntax> {
        self.space();
        self.expect(b':', "expected ':'")?;
        self.space();
        Ok(())
    }

    /// After a member or element: whether another follows, or `close` ends the object or array.
    #[inline]
    pub(super) fn comma(&mut self, close: u8) -> Result<bool, Syntax> {
        if self.peek() == Some(b',') {
            self.at += 1;
            return Ok(true);
        }
        self.space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => self.fault(if close == b'}' {
                "expected ',' or '}'"
            } else {
                "expected ',' or ']'"
            }),
        }
    }
}
