//! Numbers as people and spreadsheets write them: with separated thousands, a decimal comma, a sign of
//! a currency. No field takes them, but a derivation reads them out of a text.

use tillwatch_event::{currency, guard};

/// Signs that stand before or behind an amount.
const SIGNS: [char; 6] = ['$', '€', '£', '¥', '₹', '%'];
/// Between groups of digits: apostrophe, and the spaces that do not break a line.
const THIN_SEPARATORS: [char; 5] = [' ', '\'', '’', '\u{a0}', '\u{202f}'];

/// What stands beside a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    None,
    /// One of [`SIGNS`].
    Symbol(char),
    /// An ISO 4217 code.
    Code([u8; 3]),
}

/// A number as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    /// Digits before and behind the decimal separator.
    pub(super) before: usize,
    pub(super) after: usize,
    pub(super) sign: Sign,
    /// As accountants write what is owed: `(12.50)`.
    pub(super) in_brackets: bool,
}

/// A number without what stands around it.
fn bare<'t>(text: &'t str, sign: &mut Sign) -> &'t str {
    let blank = |c: char| c.is_whitespace();
    let text = text.trim_matches(blank);
    for (code, rest) in [
        text.get(..3).zip(text.get(3..)),
        text.len()
            .checked_sub(3)
            .and_then(|at| text.get(at..).zip(text.get(..at))),
    ]
    .into_iter()
    .flatten()
    {
        if let (true, [a, b, c]) = (currency::is_code(code.as_bytes()), code.as_bytes()) {
            *sign = Sign::Code([*a, *b, *c]);
            return rest.trim_matches(blank);
        }
    }
    let symbol = |c: Option<char>| c.filter(|c| SIGNS.contains(c));
    if let Some(found) = symbol(text.chars().next()).or_else(|| symbol(text.chars().last())) {
        *sign = Sign::Symbol(found);
    }
    text.trim_matches(|c: char| SIGNS.contains(&c) || c.is_whitespace())
}

/// One way to write numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    /// `1,234.50`
    Point,
    /// `1.234,50`
    Comma,
}

impl Notation {
    pub(super) const ALL: [Self; 2] = [Self::Point, Self::Comma];

    pub(super) fn other(self) -> Self {
        match self {
            Self::Point => Self::Comma,
            Self::Comma => Self::Point,
        }
    }

    /// What `text` is as a number in this notation.
    pub(super) fn read(self, text: &str) -> Option<Written> {
        let in_brackets = text
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'));
        let mut sign = Sign::None;
        let number = bare(in_brackets.unwrap_or(text), &mut sign);
        let number = match in_brackets {
            Some(_) => number,
            None => number.strip_prefix(['-', '+']).unwrap_or(number),
        };
        // A sign may stand on either side of the minus.
        let number = bare(number, &mut sign);
        let (decimal, group) = match self {
            Self::Point => ('.', ','),
            Self::Comma => (',', '.'),
        };
        let (whole, fraction) = match number.split_once(decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (number, None),
        };
        let digits_only = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if fraction.is_some_and(|fraction| !digits_only(fraction)) {
            return None;
        }
        // Without a fraction, digits between spaces may as well be a telephone number.
        let separates = |c: char| c == group || fraction.is_some() && THIN_SEPARATORS.contains(&c);
        let mut groups = whole.split(separates);
        let first = groups.next().filter(|first| digits_only(first))?;
        let mut before = first.len();
        for following in groups {
            let thousands = first.len() <= 3 && !first.starts_with('0');
            if !thousands || following.len() != 3 || !digits_only(following) {
                return None;
            }
            before += following.len();
        }
        let is_code = first.len() > 1 && first.starts_with('0');
        let is_card = guard::mask_line(text) != text;
        let after = fraction.map_or(0, str::len);
        (!is_code && !is_card && before <= 15 && after <= 10).then_some(Written {
            before,
            after,
            sign,
            in_brackets: in_brackets.is_some(),
        })
    }

    /// The expression that reads the number out of the text `column` (as SQL).
    pub(super) fn reading(self, column: &str, kind: &str, brackets: bool) -> String {
        let text = if brackets {
            format!("regexp_replace({column}, '^[(]', '-')")
        } else {
            column.to_owned()
        };
        match self {
            Self::Point => format!("cast(regexp_replace({text}, '[^0-9.-]', '', 'g') as {kind})"),
            Self::Comma => format!(
                "cast(replace(regexp_replace({text}, '[^0-9,-]', '', 'g'), ',', '.') as {kind})"
            ),
        }
    }

    /// How one number is read, for a comment.
    pub(super) fn example(self) -> &'static str {
        match self {
            Self::Point => "1,234.50 is read as 1234.50",
            Self::Comma => "1.234,50 is read as 1234.50",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_what_only_looks_like_them() {
        for (text, point, comma) in [
            ("1,234.50", Some((4, 2)), None),
            ("1.234,50", None, Some((4, 2))),
            ("-12,5", None, Some((2, 1))),
            ("1,234,567", Some((7, 0)), None),
            ("1,234", Some((4, 0)), Some((1, 3))),
            ("12", Some((2, 0)), Some((2, 0))),
            ("$1,234.50", Some((4, 2)), None),
            ("-$0.50", Some((1, 2)), None),
            ("1.234,50 €", None, Some((4, 2))),
            ("0,125", None, Some((1, 3))),
            ("(1,234.50)", Some((4, 2)), None),
            ("(1,234.50", None, None),
            ("EUR 5,00", None, Some((1, 2))),
            ("5.00 USD", Some((1, 2)), None),
            ("ABC 5.00", None, None),
            ("1 234,50", None, Some((4, 2))),
            ("1'234.50", Some((4, 2)), None),
            ("1234,567.8", None, None),
            ("12,34.5", None, None),
            ("030 123 456", None, None),
            ("123 456 789", None, None),
            ("00,5", None, None),
            ("1.2.3", None, None),
            ("1,", None, None),
            (",5", None, None),
            ("", None, None),
            ("$", None, None),
            ("abc", None, None),
            ("4,111,111,111,111,111.00", None, None),
        ] {
            let digits = |notation: Notation| notation.read(text).map(|n| (n.before, n.after));
            let found = (digits(Notation::Point), digits(Notation::Comma));
            assert_eq!(found, (point, comma), "{text:?}");
        }
        let sign = |text| Notation::Point.read(text).unwrap().sign;
        assert_eq!(sign("-$1.5"), Sign::Symbol('$'));
        assert_eq!(sign("5.00 USD"), Sign::Code(*b"USD"));
        assert_eq!(sign("5.00"), Sign::None);
        assert!(Notation::Point.read("(5.00)").unwrap().in_brackets);
    }
}
