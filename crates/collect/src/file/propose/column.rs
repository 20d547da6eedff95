//! One column of a file: which types all its values have.

mod fits;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use tillwatch_event::{FieldType, TimeFormat, decimal, guard};

use super::notation::Notation;
use super::times::{self, DATES, TIMESTAMPS};
use fits::{Kind, fits, is_null_text, is_word_for_nothing};

/// Distinct values that are counted; a column with more has "many".
const DISTINCT_MAX: usize = 65_536;
/// Distinct texts that may stand for "no value" in a column that otherwise has a type.
const NULL_TEXTS_MAX: usize = 4;
/// Distinct values kept to show.
const SHOWN_MAX: usize = 6;
const SHOWN_CHARS_MAX: usize = 30;
/// Values that are no times among the first ones of a column that may still be one.
const MISFITS_FIRST: usize = 10;
/// At most one in so many values may be no time.
const MISFITS_SHARE: usize = 10;

/// A type the column may have, until too many values are against it.
#[derive(Debug)]
struct Candidate {
    kind: Kind,
    /// Distinct values that fit.
    fitting: usize,
    /// Distinct texts that do not; at most [`NULL_TEXTS_MAX`].
    others: Vec<String>,
    /// Distinct values that neither fit nor stand for nothing; only times may have some.
    misfits: usize,
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
    /// Digits of the numbers in each notation.
    written: [Digits; Notation::ALL.len()],
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
    /// How the numbers are written, where the column is a text of numbers; and what they are.
    pub(super) written: Option<(Notation, FieldType)>,
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
        let written = Notation::ALL.into_iter().map(Kind::Written);
        let kinds = (first.chain(dates).chain(times).chain(numbers)).chain(written);
        let candidate = |kind| Candidate {
            kind,
            fitting: 0,
            others: Vec::new(),
            misfits: 0,
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
            written: [Digits::default(); Notation::ALL.len()],
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
        Some(self.verdict_of(chosen, hints))
    }

    /// The type of a column of times some of whose values are none, and how many different ones.
    pub(super) fn almost_time(&self, hints: Hints) -> Option<(Verdict, usize)> {
        let able = self.candidates.iter().filter(|c| {
            let enough = c.fitting > 0 && c.off() * MISFITS_SHARE <= c.fitting + c.off();
            c.kind.is_time() && enough && hints.allow(c.kind, self) && self.marked.allow(c.kind)
        });
        let chosen = able.min_by_key(|candidate| candidate.off())?;
        Some((self.verdict_of(chosen, hints), chosen.off()))
    }

    fn verdict_of(&self, chosen: &Candidate, hints: Hints) -> Verdict {
        let written = match chosen.kind {
            Kind::Written(notation) => {
                let [point, comma] = self.written;
                let digits = match notation {
                    Notation::Point => point,
                    Notation::Comma => comma,
                };
                Some((notation, digits.decimal(if hints.money { 2 } else { 0 })))
            }
            _ => None,
        };
        let (kind, format) = match chosen.kind {
            Kind::Bool => (FieldType::Bool, None),
            Kind::Date(form) => (FieldType::Date, format_of(&DATES, form)),
            Kind::Timestamp(form) => (FieldType::Timestamp, format_of(&TIMESTAMPS, form)),
            Kind::Epoch => (FieldType::Timestamp, None),
            Kind::Int if hints.money => (self.digits.decimal(2), None),
            Kind::Int => (FieldType::Int64, None),
            Kind::Decimal => (self.digits.decimal(if hints.money { 2 } else { 0 }), None),
            Kind::Float => (FieldType::Float64, None),
            Kind::Written(_) => (FieldType::String, None),
            Kind::Currency => (FieldType::Currency, None),
            Kind::Json => (FieldType::Json, None),
        };
        let as_well = self
            .candidates
            .iter()
            .filter(|other| other.kind != chosen.kind && other.off() == chosen.off());
        let also = as_well
            .filter_map(|other| match (chosen.kind, other.kind) {
                (Kind::Date(_), Kind::Date(form)) => DATES.get(form)?.pattern,
                (Kind::Timestamp(_), Kind::Timestamp(form)) => TIMESTAMPS.get(form)?.pattern,
                _ => None,
            })
            .next();
        Verdict {
            kind,
            format,
            nulls: chosen.others.clone(),
            written,
            also,
            range: chosen.range,
        }
    }

    fn measure(&mut self, text: &str) {
        for (digits, notation) in self.written.iter_mut().zip(Notation::ALL) {
            if let Some((before, after)) = notation.digits(text) {
                digits.seen(before, after);
            }
        }
        if decimal::parse(text.as_bytes(), 38, 18).is_err() || text.contains(['e', 'E']) {
            return;
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let whole = whole.trim_start_matches(['-', '+', '0']);
        self.digits.seen(whole.len(), fraction.len());
    }
}

impl Digits {
    /// A decimal with room for amounts ten thousand times as large.
    fn decimal(self, scale_min: usize) -> FieldType {
        let scale = self.after_point.max(scale_min).min(18);
        let needed = self.before_point + scale + 4;
        let precision = needed.clamp(18, 38);
        FieldType::Decimal {
            precision: u8::try_from(precision).unwrap_or(38),
            scale: i8::try_from(scale).unwrap_or(18),
        }
    }

    fn seen(&mut self, before_point: usize, after_point: usize) {
        self.before_point = self.before_point.max(before_point);
        self.after_point = self.after_point.max(after_point);
    }
}

impl Marked {
    fn allow(self, kind: Kind) -> bool {
        match kind {
            Kind::Bool => !self.text && !self.number,
            Kind::Float => !self.text && !self.bool,
            Kind::Json => !self.text && !self.number && !self.bool,
            Kind::Currency | Kind::Written(_) => !self.number && !self.bool && !self.nested,
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
                    return true;
                }
                // One wrong day among a thousand costs its line, not the column.
                self.misfits += 1;
                let few = MISFITS_FIRST + self.fitting / MISFITS_SHARE;
                self.kind.is_time() && self.misfits <= few
            }
        }
    }

    /// Distinct values that are not of this kind.
    fn off(&self) -> usize {
        self.others.len() + self.misfits
    }

    /// Whether enough values fit for the others to be exceptions.
    fn holds(&self) -> bool {
        let none_off = self.misfits == 0;
        none_off
            && self.fitting >= 1
            && (self.others.is_empty() || self.fitting >= 2 * self.others.len())
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
            Kind::Written(_) => !self.identity,
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
            written: None,
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
