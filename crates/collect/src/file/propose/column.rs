//! One column of a file: which types all its values have.

mod candidate;
mod fits;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use tillwatch_event::{FieldType, TimeFormat, decimal, guard};

use super::notation::{Notation, Sign};
use super::times::{self, DATES, TIMESTAMPS};
use candidate::{Candidate, MISFITS_SHARE};
use fits::Kind;

/// Distinct values that are counted; a column with more has "many".
const DISTINCT_MAX: usize = 65_536;
/// Distinct values kept to show.
const SHOWN_MAX: usize = 6;
const SHOWN_CHARS_MAX: usize = 30;
/// Distinct values whose lines are counted.
const COUNTED_MAX: usize = 1_024;

/// Digits of the numbers seen.
#[derive(Debug, Clone, Copy, Default)]
struct Digits {
    before_point: usize,
    after_point: usize,
}

/// What was seen of the numbers in one notation.
#[derive(Debug, Default)]
struct Numbers {
    digits: Digits,
    /// At most three: amounts in several currencies are no one number.
    signs: BTreeSet<Sign>,
    brackets: bool,
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
    /// Lines of the first values.
    lines: HashMap<u64, u64>,
    distinct: HashSet<u64>,
    /// All values' hashes, as long as each was new.
    unique: Option<HashSet<u64>>,
    digits: Digits,
    /// The numbers in each notation.
    written: [Numbers; Notation::ALL.len()],
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
    /// How the numbers are written, where the column is a text of numbers.
    pub(super) written: Option<InText>,
    /// Another pattern that all values fit as well.
    pub(super) also: Option<&'static str>,
    /// First and last day or microsecond.
    pub(super) range: Option<(i64, i64)>,
}

/// Numbers that stand in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InText {
    pub(super) notation: Notation,
    /// What they are.
    pub(super) kind: FieldType,
    /// Whether some stand in brackets, which is a minus.
    pub(super) brackets: bool,
    /// Whether they can be read in the other notation as well.
    pub(super) ambiguous: bool,
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
        Self {
            source,
            empty: 0,
            filled: 0,
            shown: Vec::new(),
            candidates: kinds.map(Candidate::new).collect(),
            hasher: RandomState::new(),
            lines: HashMap::new(),
            distinct: HashSet::new(),
            unique: Some(HashSet::new()),
            digits: Digits::default(),
            written: std::array::from_fn(|_| Numbers::default()),
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
        // Of how many lines a value is; in columns of many values each is of few.
        if self.lines.len() < COUNTED_MAX || self.lines.contains_key(&hash) {
            *self.lines.entry(hash).or_default() += 1;
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
        self.candidates
            .retain_mut(|candidate| candidate.take(text, hash));
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

    /// The type of a column of times some of whose values are none, how many different ones, and
    /// the share of the column's lines that they are in.
    pub(super) fn almost_time(&self, hints: Hints) -> Option<(Verdict, usize, f64)> {
        let able = self.candidates.iter().filter(|c| {
            let enough = c.fitting > 0 && self.share_off(c) * MISFITS_SHARE as f64 <= 1.0;
            c.kind.is_time() && enough && hints.allow(c.kind, self) && self.marked.allow(c.kind)
        });
        let chosen = able.min_by_key(|candidate| candidate.off())?;
        let share = self.share_off(chosen);
        Some((self.verdict_of(chosen, hints), chosen.off(), share))
    }

    /// The share of lines whose value is not of the candidate's kind, or else of distinct values.
    fn share_off(&self, candidate: &Candidate) -> f64 {
        if self.distinct.len() > self.lines.len() {
            return candidate.off() as f64 / self.distinct.len().max(1) as f64;
        }
        let others = candidate
            .others
            .iter()
            .map(|text| self.hasher.hash_one(text.as_str()));
        let off = candidate.misfits.iter().copied().chain(others);
        let lines: u64 = off.filter_map(|hash| self.lines.get(&hash)).sum();
        lines as f64 / self.filled.max(1) as f64
    }

    fn verdict_of(&self, chosen: &Candidate, hints: Hints) -> Verdict {
        let written = match chosen.kind {
            Kind::Written(notation) => Some(self.in_text(notation, hints)),
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

    fn in_text(&self, notation: Notation, hints: Hints) -> InText {
        let seen = self.seen(notation);
        InText {
            notation,
            kind: seen.digits.decimal(if hints.money { 2 } else { 0 }),
            brackets: seen.brackets,
            ambiguous: self.is_written(notation.other()),
        }
    }

    fn seen(&self, notation: Notation) -> &Numbers {
        let [point, comma] = &self.written;
        match notation {
            Notation::Point => point,
            Notation::Comma => comma,
        }
    }

    /// Whether all values are numbers in this notation, some sign that needs it among them.
    fn is_written(&self, notation: Notation) -> bool {
        self.fits(notation) && self.seen(notation).is_one_number(notation)
    }

    /// Whether all values can be read in this notation.
    fn fits(&self, notation: Notation) -> bool {
        let able = |c: &Candidate| c.kind == Kind::Written(notation) && c.holds();
        self.fixed.is_none() && self.candidates.iter().any(able)
    }

    /// The notation that no other explains the values in; `None` when there is no telling.
    pub(super) fn proves(&self, hints: Hints) -> Option<Notation> {
        let verdict = self.verdict(hints)?;
        match verdict.written {
            Some(text) if !text.ambiguous => Some(text.notation),
            // Three digits behind a point may be thousands.
            None if matches!(verdict.kind, FieldType::Decimal { .. } | FieldType::Float64)
                && self.fixed.is_none()
                && !self.fits(Notation::Comma) =>
            {
                Some(Notation::Point)
            }
            _ => None,
        }
    }

    /// The column's verdict where other columns prove how numbers are written.
    pub(super) fn verdict_in(&self, hints: Hints, proven: Option<Notation>) -> Option<Verdict> {
        let verdict = self.verdict(hints)?;
        let number = verdict.written.is_some() || matches!(verdict.kind, FieldType::Decimal { .. });
        let Some(notation) = proven.filter(|_| number) else {
            return Some(verdict);
        };
        let already = match &verdict.written {
            Some(text) => text.notation == notation,
            None => notation == Notation::Point,
        };
        let able = |c: &&Candidate| c.kind == Kind::Written(notation) && c.holds();
        let other = self.candidates.iter().find(able);
        let Some(other) = other.filter(|_| !already && self.marked.allow(Kind::Written(notation)))
        else {
            let written = verdict.written.map(|text| InText {
                ambiguous: false,
                ..text
            });
            return Some(Verdict { written, ..verdict });
        };
        let mut found = self.verdict_of(other, hints);
        found.written = found.written.map(|text| InText {
            ambiguous: false,
            ..text
        });
        Some(found)
    }

    fn measure(&mut self, text: &str) {
        for (seen, notation) in self.written.iter_mut().zip(Notation::ALL) {
            if let Some(number) = notation.read(text) {
                seen.digits.seen(number.before, number.after);
                seen.brackets |= number.in_brackets;
                if seen.signs.len() < 3 {
                    seen.signs.insert(number.sign);
                }
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

impl Numbers {
    /// Whether the numbers are of one kind and need this notation to be read.
    fn is_one_number(&self, notation: Notation) -> bool {
        // Dotted codes are no numbers: a comma is only a decimal one where there are decimals.
        let percent = self.signs.contains(&Sign::Symbol('%'));
        let signs = self
            .signs
            .iter()
            .filter(|sign| percent || **sign != Sign::None);
        signs.count() <= 1 && (notation == Notation::Point || self.digits.after_point > 0)
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
            Kind::Written(notation) => {
                !self.identity && column.seen(notation).is_one_number(notation)
            }
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
