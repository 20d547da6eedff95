//! A type that a column may have.

use super::fits::{Kind, fits, is_null_text, is_word_for_nothing};

/// Distinct texts that may stand for "no value" in a column that otherwise has a type.
const NULL_TEXTS_MAX: usize = 4;
/// Values that are no times among the first ones of a column that may still be one.
const MISFITS_FIRST: usize = 10;
/// At most one in so many values, or of their lines, may be no time.
pub(super) const MISFITS_SHARE: usize = 10;

/// A type the column may have, until too many values are against it.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) kind: Kind,
    /// Distinct values that fit.
    pub(super) fitting: usize,
    /// Distinct texts that do not; at most [`NULL_TEXTS_MAX`].
    pub(super) others: Vec<String>,
    /// Distinct values, hashed, that neither fit nor stand for nothing; only times may have some.
    pub(super) misfits: Vec<u64>,
    /// Smallest and largest value, for dates and times, in days and microseconds.
    pub(super) range: Option<(i64, i64)>,
}

impl Candidate {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            fitting: 0,
            others: Vec::new(),
            misfits: Vec::new(),
            range: None,
        }
    }

    /// Notes a distinct value; `false` when the column cannot be of this type any more.
    pub(super) fn take(&mut self, text: &str, hash: u64) -> bool {
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
                self.misfits.push(hash);
                let few = MISFITS_FIRST + self.fitting / MISFITS_SHARE;
                self.kind.is_time() && self.misfits.len() <= few
            }
        }
    }

    /// Distinct values that are not of this kind.
    pub(super) fn off(&self) -> usize {
        self.others.len() + self.misfits.len()
    }

    /// Whether enough values fit for the others to be exceptions.
    pub(super) fn holds(&self) -> bool {
        let none_off = self.misfits.is_empty();
        none_off
            && self.fitting >= 1
            && (self.others.is_empty() || self.fitting >= 2 * self.others.len())
    }
}
