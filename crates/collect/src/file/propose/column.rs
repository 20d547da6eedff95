//! One column of a file: which types all its values have.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use tillwatch_event::{FieldType, TimeFormat, currency, decimal, guard};

use super::times::{self, DATES, TIMESTAMPS};

/// Distinct values that are counted; a column with more has "many".
const DISTINCT_MAX: usize = 65_536;
/// Distinct texts that may stand for "no value" in a column that otherwise has a type.
const NULL_TEXTS_MAX: usize = 4;
/// Distinct values kept to show.
const SHOWN_MAX: usize = 6;
const SHOWN_CHARS_MAX: usize = 30;

/// What all values of a column may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    /// A date in one of [`DATES`].
    Date(usize),
    /// A time in one of [`TIMESTAMPS`].
    Timestamp(usize),
    Epoch,
    Int,
    Decimal,
    Float,
    Currency,
    Json,
}

/// A type the column may have, until too many values are against it.
#[derive(Debug)]
struct Candidate {
    kind: Kind,
    /// Distinct values that fit.
    fitting: usize,
    /// Distinct texts that do not; at most [`NULL_TEXTS_MAX`].
    others: Vec<String>,
    /// Smallest and largest value, for dates and times, in days and microseconds.
    range: Option<(i64, i64)>,
}

/// Digits of the numbers seen.
#[derive(Debug, Clone, Copy, Default)]
struct Digits {
    before_point: usize,
    after_point: usize,
}

/// One column as it is gone through.
pub(super) struct Column {
    /// Its name in the file, or none.
    pub(super) source: Option<String>,
    /// Cells that were empty, null or absent.
    pub(super) empty: u64,
    /// Cells that held something.
    pub(super) filled: u64,
    /// Some distinct values, card numbers masked.
    pub(super) shown: Vec<String>,
    candidates: Vec<Candidate>,
    hasher: RandomState,
    distinct: HashSet<u64>,
    /// All values' hashes, as long as each was new.
    unique: Option<HashSet<u64>>,
    digits: Digits,
    marked: Marked,
    /// The type that the file itself declares.
    fixed: Option<FieldType>,
}

/// How the values of a JSON key are written, as a decoder takes each type in some ways only.
#[derive(Debug, Clone, Copy, Default)]
struct Marked {
    text: bool,
    number: bool,
    bool: bool,
    nested: bool,
}

/// How a JSON value is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mark {
    Text,
    Number,
    Bool,
    Nested,
}

/// What a column is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) kind: FieldType,
    pub(super) format: Option<TimeFormat>,
    /// Texts that mean "no value".
    pub(super) nulls: Vec<String>,
    /// Another pattern that all values fit as well.
    pub(super) also: Option<&'static str>,
    /// First and last day or microsecond.
    pub(super) range: Option<(i64, i64)>,
}

impl Column {
    pub(super) fn new(source: Option<String>) -> Self {
        let dates = (0..DATES.len()).map(Kind::Date);
        let times = (0..TIMESTAMPS.len()).map(Kind::Timestamp);
        let first = [Kind::Bool].into_iter();
        let numbers = [
            Kind::Epoch,
            Kind::Int,
            Kind::Decimal,
            Kind::Float,
            Kind::Currency,
            Kind::Json,
        ];
        let kinds = first.chain(dates).chain(times).chain(numbers);
        let candidate = |kind| Candidate {
            kind,
            fitting: 0,
            others: Vec::new(),
            range: None,
        };
        Self {
            source,
            empty: 0,
            filled: 0,
            shown: Vec::new(),
            candidates: kinds.map(candidate).collect(),
            hasher: RandomState::new(),
            distinct: HashSet::new(),
            unique: Some(HashSet::new()),
            digits: Digits::default(),
            marked: Marked::default(),
            fixed: None,
        }
    }

    /// A column whose type the file declares.
    pub(super) fn declared(source: String, kind: FieldType) -> Self {
        Self {
            fixed: Some(kind),
            ..Self::new(Some(source))
        }
    }

    /// Takes a JSON value.
    pub(super) fn push_marked(&mut self, text: &str, mark: Mark) {
        match mark {
            Mark::Text => self.marked.text = true,
            Mark::Number => self.marked.number = true,
            Mark::Bool => self.marked.bool = true,
            Mark::Nested => self.marked.nested = true,
        }
        self.push(text);
    }

    /// Takes a cell with a value.
    pub(super) fn push(&mut self, text: &str) {
        self.filled += 1;
        let hash = self.hasher.hash_one(text);
        if self.unique.as_mut().is_some_and(|all| !all.insert(hash)) {
            self.unique = None;
        }
        if self.distinct.contains(&hash) {
            return;
        }
        if self.distinct.len() < DISTINCT_MAX {
            self.distinct.insert(hash);
        }
        if self.shown.len() < SHOWN_MAX {
            self.shown.push(
                guard::mask_line(text)
                    .chars()
                    .take(SHOWN_CHARS_MAX)
                    .collect(),
            );
        }
        self.candidates.retain_mut(|candidate| candidate.take(text));
        self.measure(text);
    }

    /// Distinct values, counted up to a limit.
    pub(super) fn distinct(&self) -> usize {
        self.distinct.len()
    }

    /// Whether there are more distinct values than are counted.
    pub(super) fn many(&self) -> bool {
        self.distinct.len() >= DISTINCT_MAX
    }

    /// Whether every cell has a value of its own.
    pub(super) fn unique(&self) -> bool {
        self.unique.is_some() && self.empty == 0 && self.filled > 0
    }

    /// The column's type; `None` when no type takes all its values.
    pub(super) fn verdict(&self, hints: Hints) -> Option<Verdict> {
        if let Some(kind) = &self.fixed {
            return Some(Verdict {
                kind: kind.clone(),
                ..Verdict::text()
            });
        }
        let chosen = self
            .candidates
            .iter()
            .filter(|c| c.holds() && hints.allow(c.kind, self) && self.marked.allow(c.kind))
            .min_by_key(|candidate| candidate.others.len());
        let Some(chosen) = chosen else {
            return self.marked.allow_text().then(Verdict::text);
        };
        let (kind, format) = match chosen.kind {
            Kind::Bool => (FieldType::Bool, None),
            Kind::Date(form) => (FieldType::Date, format_of(&DATES, form)),
            Kind::Timestamp(form) => (FieldType::Timestamp, format_of(&TIMESTAMPS, form)),
            Kind::Epoch => (FieldType::Timestamp, None),
            Kind::Int if hints.money => (self.decimal(2), None),
            Kind::Int => (FieldType::Int64, None),
            Kind::Decimal => (self.decimal(if hints.money { 2 } else { 0 }), None),
            Kind::Float => (FieldType::Float64, None),
            Kind::Currency => (FieldType::Currency, None),
            Kind::Json => (FieldType::Json, None),
        };
        let also = self
            .candidates
            .iter()
            .find_map(|other| match (chosen.kind, other.kind) {
                (Kind::Date(a), Kind::Date(b))
                    if a != b && other.others.len() == chosen.others.len() =>
                {
                    DATES.get(b)?.pattern
                }
                (Kind::Timestamp(a), Kind::Timestamp(b))
                    if a != b && other.others.len() == chosen.others.len() =>
                {
                    TIMESTAMPS.get(b)?.pattern
                }
                _ => None,
            });
        Some(Verdict {
            kind,
            format,
            nulls: chosen.others.clone(),
            also,
            range: chosen.range,
        })
    }

    /// A decimal with room for amounts ten thousand times as large.
    fn decimal(&self, scale_min: usize) -> FieldType {
        let scale = self.digits.after_point.max(scale_min).min(18);
        let needed = self.digits.before_point + scale + 4;
        let precision = needed.clamp(18, 38);
        FieldType::Decimal {
            precision: u8::try_from(precision).unwrap_or(38),
            scale: i8::try_from(scale).unwrap_or(18),
        }
    }

    fn measure(&mut self, text: &str) {
        if decimal::parse(text.as_bytes(), 38, 18).is_err() || text.contains(['e', 'E']) {
            return;
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let whole = whole.trim_start_matches(['-', '+', '0']);
        self.digits.before_point = self.digits.before_point.max(whole.len());
        self.digits.after_point = self.digits.after_point.max(fraction.len());
    }
}

impl Marked {
    fn allow(self, kind: Kind) -> bool {
        match kind {
            Kind::Bool => !self.text && !self.number,
            Kind::Float => !self.text && !self.bool,
            Kind::Json => !self.text && !self.number && !self.bool,
            Kind::Currency => !self.number,
            Kind::Date(form) => {
                !self.number || DATES.get(form).is_some_and(|form| form.pattern.is_some())
            }
            _ => !self.bool && !self.nested,
        }
    }

    fn allow_text(self) -> bool {
        !self.number && !self.bool && !self.nested
    }
}

impl Candidate {
    /// Notes a distinct value; `false` when the column cannot be of this type any more.
    fn take(&mut self, text: &str) -> bool {
        match fits(self.kind, text) {
            Some(place) => {
                self.fitting += 1;
                let (first, last) = self.range.unwrap_or((place, place));
                self.range = Some((first.min(place), last.max(place)));
                true
            }
            None => {
                let stands_for_nothing = self.others.len() < NULL_TEXTS_MAX
                    && match self.kind {
                        Kind::Bool | Kind::Json => false,
                        // Among codes a word may be another code.
                        Kind::Currency => is_word_for_nothing(text),
                        _ => is_null_text(text),
                    };
                if stands_for_nothing {
                    self.others.push(text.to_owned());
                }
                stands_for_nothing
            }
        }
    }

    /// Whether enough values fit for the others to be exceptions.
    fn holds(&self) -> bool {
        self.fitting >= 1 && (self.others.is_empty() || self.fitting >= 2 * self.others.len())
    }
}

/// What the column's name and place suggest.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hints {
    /// Named like a time.
    pub(super) time: bool,
    /// Named like an amount of money.
    pub(super) money: bool,
    /// Named like an id, a code or a count: numbers in it are no dates.
    pub(super) identity: bool,
}

impl Hints {
    fn allow(self, kind: Kind, column: &Column) -> bool {
        match kind {
            Kind::Date(form) => {
                let bare_number = DATES.get(form).is_some_and(|f| f.pattern == Some("%Y%m%d"));
                !bare_number || (!self.identity && !self.money)
            }
            Kind::Timestamp(form) => {
                let bare_number = TIMESTAMPS
                    .get(form)
                    .is_some_and(|f| f.pattern == Some("%Y%m%d%H%M%S"));
                !bare_number || (!self.identity && !self.money)
            }
            Kind::Epoch => self.time && !self.identity,
            // A card number that is a number cannot be masked, so its events would be refused.
            Kind::Float => {
                column.digits.after_point > 0 || column.distinct.is_empty() || !self.identity
            }
            _ => true,
        }
    }
}

impl Verdict {
    fn text() -> Self {
        Self {
            kind: FieldType::String,
            format: None,
            nulls: Vec::new(),
            also: None,
            range: None,
        }
    }
}

fn format_of(forms: &[times::Form], form: usize) -> Option<TimeFormat> {
    let pattern = forms.get(form)?.pattern?;
    Some(TimeFormat {
        pattern: Some(pattern.to_owned()),
        zone: None,
    })
}

/// The value's place on a line if it is of that kind (0 where there is none), `None` if it is not.
fn fits(kind: Kind, text: &str) -> Option<i64> {
    let when = |fitting: bool| fitting.then_some(0);
    match kind {
        Kind::Bool => when(matches!(text, "true" | "false")),
        Kind::Date(form) => DATES.get(form)?.date(text),
        Kind::Timestamp(form) => TIMESTAMPS.get(form)?.timestamp(text),
        Kind::Epoch => times::epoch(text),
        Kind::Int => {
            let plain = is_plain_number(text) && !text.contains('.');
            let value = text.parse::<i64>().ok().filter(|_| plain)?;
            when(!guard::integer_is_card_number(value))
        }
        Kind::Decimal => {
            let plain = is_plain_number(text) && !guard::number_has_card_number(text.as_bytes());
            // More digits than this come from floating point, not from money.
            let fraction = text
                .split_once('.')
                .map_or(0, |(_, fraction)| fraction.len());
            when(plain && fraction <= 10 && decimal::parse(text.as_bytes(), 34, 10).is_ok())
        }
        Kind::Float => {
            let value = text.parse::<f64>().ok()?;
            let number = text
                .bytes()
                .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
            let keeps = !has_leading_zero(text) && !guard::number_has_card_number(text.as_bytes());
            when(
                value.is_finite() && number && keeps && text.contains(['.', 'e', 'E'])
                    || is_short_int(text),
            )
        }
        Kind::Currency => when(currency::is_code(text.as_bytes())),
        Kind::Json => {
            let begins = text.starts_with(['{', '[']);
            when(begins && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
        }
    }
}

/// Whole numbers that a double holds exactly.
fn is_short_int(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    (1..=15).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !has_leading_zero(text)
        && !text.parse::<i64>().is_ok_and(guard::integer_is_card_number)
}

/// Digits with an optional minus and point. A leading zero belongs to a code (00501), not to a number.
fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole) && all_digits(fraction) && !has_leading_zero(text)
}

fn has_leading_zero(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    matches!(digits.as_bytes(), [b'0', next, ..] if next.is_ascii_digit())
}

/// Whether a text among numbers or dates may stand for "no value": words or signs, short, without digits.
fn is_null_text(text: &str) -> bool {
    text.len() <= 60
        && !text.bytes().any(|b| b.is_ascii_digit())
        && !text.contains(['"', '{', '[', '\n'])
        && text.trim() == text
}

fn is_word_for_nothing(text: &str) -> bool {
    let words = [
        "n/a", "na", "-", "--", "?", "none", "null", "nil", "unknown",
    ];
    words.contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests;
