//! The card-number guard: no card number, verification code or track data gets past it.
//!
//! It runs on every text of every event before the journal, and on every rejected line before it
//! is shown or kept. A card number (PAN) is masked to its first six and last four digits, which is
//! the most that may be displayed (PCI DSS 3.4.1); verification codes and track data are removed
//! (PCI DSS 3.3.1). A number counts as a card number only when its length, its issuer range and
//! its Luhn digit all match, so that ids, times and epoch numbers stay as they are.
//!
//! Text without 13 digits and without a name of a verification code is passed after one look at its bytes.

mod codes;
mod context;
mod groups;
mod json;
mod names;
mod number;
mod pan;
mod text;
mod track;

use std::borrow::Cow;

pub use names::is_forbidden_name;
pub use number::number_has_card_number;
pub use pan::{integer_is_card_number, is_card_number, luhn, whole_is_card_number};
pub use text::{MASKED_DIGITS_MIN, mask};

/// Masks card numbers in JSON text, which stays JSON: a bare number that is a card number becomes
/// a masked string, and the value of a key such as `cvv` becomes `null`.
///
/// Digits written as escapes (`\u0034`) are written plainly first. Text that is not well-formed
/// JSON is masked as far as it can be read and then as plain text.
#[must_use]
pub fn mask_json(text: &str) -> Cow<'_, str> {
    json::mask_json(text)
}

/// Masks a line of unknown form (JSON, CSV, anything) for a log, an answer or the quarantine.
#[must_use]
pub fn mask_line(line: &str) -> Cow<'_, str> {
    match json::mask_json(line) {
        Cow::Borrowed(line) => mask(line),
        Cow::Owned(line) => Cow::Owned(mask(&line).into_owned()),
    }
}

#[cfg(test)]
mod tests;
