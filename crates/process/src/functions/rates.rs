//! The currency table behind `convert(amount, currency, 'EUR')`.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use datafusion::arrow::datatypes::i256;

use crate::error::{Item, ProcessError};

/// Digits a rate may have in all. With 38 digits of amount, products stay within 256 bits.
const RATE_DIGITS_MAX: usize = 16;

/// How many units of each currency one unit of the base buys. Rates are exact decimals.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rates {
    base: String,
    as_of: Option<String>,
    /// Currency → (digits, scale): 1.0850 is (10850, 4).
    per_base: BTreeMap<String, (i128, u8)>,
}

impl Hash for Rates {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.base.hash(state);
        self.per_base.hash(state);
    }
}

impl Rates {
    /// A table without currencies: `convert` then only passes amounts that are already in the
    /// target currency and gives null for every other.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// A table from texts such as `("USD", "1.0850")`, meaning 1 base = 1.0850 USD.
    ///
    /// # Errors
    /// When a code is not three capital letters, or a rate is not a positive decimal of at most
    /// 16 digits.
    pub fn new<'a>(
        base: &str,
        as_of: Option<&str>,
        per_base: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ProcessError> {
        check_code(base)?;
        let mut table = BTreeMap::new();
        table.insert(base.to_owned(), (1, 0));
        for (code, text) in per_base {
            check_code(code)?;
            let rate = parse_rate(text).ok_or_else(|| {
                ProcessError::item(
                    Item::Rates,
                    format!(
                        "the rate of {code} must be a positive decimal of at most \
                         {RATE_DIGITS_MAX} digits, got '{text}'"
                    ),
                )
            })?;
            if code == base && rate != (1, 0) {
                return Err(ProcessError::item(
                    Item::Rates,
                    format!("the rate of the base {base} is 1 by definition, got '{text}'"),
                ));
            }
            table.insert(code.to_owned(), rate);
        }
        Ok(Self {
            base: base.to_owned(),
            as_of: as_of.map(str::to_owned),
            per_base: table,
        })
    }

    /// The base currency; empty for a table without currencies.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The day the rates are of, as written in the definition.
    #[must_use]
    pub fn as_of(&self) -> Option<&str> {
        self.as_of.as_deref()
    }

    /// Whether the table knows this currency.
    #[must_use]
    pub fn knows(&self, code: &str) -> bool {
        self.per_base.contains_key(code)
    }

    /// The known currencies, in alphabetical order.
    pub fn currencies(&self) -> impl Iterator<Item = &str> {
        self.per_base.keys().map(String::as_str)
    }

    /// The factor from one currency to another as a fraction; `None` when either is unknown.
    pub(super) fn factor(&self, from: &str, to: &str) -> Option<Factor> {
        let (from_digits, from_scale) = *self.per_base.get(from)?;
        let (to_digits, to_scale) = *self.per_base.get(to)?;
        // to / from = (to_digits / 10^to_scale) / (from_digits / 10^from_scale)
        let numerator = to_digits.checked_mul(pow10(from_scale)?)?;
        let denominator = from_digits.checked_mul(pow10(to_scale)?)?;
        let common = gcd(numerator, denominator);
        Some(Factor {
            numerator: numerator / common,
            denominator: denominator / common,
        })
    }
}

/// A positive fraction in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Factor {
    numerator: i128,
    denominator: i128,
}

impl Factor {
    /// `unscaled × factor`, rounded half to even at `drop` digits from the right and scaled back.
    /// `None` when the result does not fit an `i128`.
    pub(super) fn apply(self, unscaled: i128, drop: u32) -> Option<i128> {
        let step = 10_i128.checked_pow(drop)?;
        let fast = unscaled
            .checked_mul(self.numerator)
            .zip(self.denominator.checked_mul(step))
            .map(|(n, d)| divide_half_even(n, d));
        let quotient = match fast {
            Some(quotient) => quotient,
            None => {
                let n = i256::from_i128(unscaled).checked_mul(i256::from_i128(self.numerator))?;
                let d = i256::from_i128(self.denominator).checked_mul(i256::from_i128(step))?;
                divide_half_even_wide(n, d)?
            }
        };
        quotient.checked_mul(step)
    }
}

/// `n / d` rounded half to even; `d` is positive.
fn divide_half_even(n: i128, d: i128) -> i128 {
    let (quotient, remainder) = (n / d, n % d);
    let (twice_over, exact_half) = {
        let rest = remainder.unsigned_abs();
        let other = d.unsigned_abs() - rest;
        (rest > other, rest == other)
    };
    if twice_over || (exact_half && quotient % 2 != 0) {
        quotient + n.signum()
    } else {
        quotient
    }
}

fn divide_half_even_wide(n: i256, d: i256) -> Option<i128> {
    let quotient = n.checked_div(d)?;
    let remainder = n.checked_rem(d)?.wrapping_abs();
    let other = d.wrapping_sub(remainder);
    let quotient = quotient.to_i128()?;
    let away = remainder > other || (remainder == other && quotient % 2 != 0);
    if !away {
        return Some(quotient);
    }
    quotient.checked_add(if n.is_negative() { -1 } else { 1 })
}

fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn pow10(exponent: u8) -> Option<i128> {
    10_i128.checked_pow(u32::from(exponent))
}

fn check_code(code: &str) -> Result<(), ProcessError> {
    if code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(ProcessError::item(
        Item::Rates,
        format!("a currency is three capital letters (ISO 4217), got '{code}'"),
    ))
}

fn parse_rate(text: &str) -> Option<(i128, u8)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits = format!("{whole}{fraction}");
    let ok = !whole.is_empty()
        && digits.len() <= RATE_DIGITS_MAX
        && digits.bytes().all(|b| b.is_ascii_digit());
    let value: i128 = ok.then(|| digits.parse().ok()).flatten()?;
    (value > 0).then_some((value, u8::try_from(fraction.len()).ok()?))
}

/// The digits after the point of a currency's smallest unit; 2 when ISO 4217 does not say.
pub(super) fn minor_digits(code: &str) -> u32 {
    iso_currency::Currency::from_code(code)
        .and_then(|c| c.exponent())
        .map_or(2, u32::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_to_the_even_neighbour_on_both_sides_of_zero() {
        for (n, d, want) in [
            (5, 2, 2),
            (7, 2, 4),
            (-5, 2, -2),
            (-7, 2, -4),
            (1, 3, 0),
            (2, 3, 1),
            (-2, 3, -1),
        ] {
            assert_eq!(divide_half_even(n, d), want, "{n}/{d}");
            let wide = divide_half_even_wide(i256::from_i128(n), i256::from_i128(d));
            assert_eq!(wide, Some(want), "{n}/{d} wide");
        }
    }

    #[test]
    fn a_cross_rate_is_one_division_and_not_two() {
        let rates = Rates::new("EUR", None, [("USD", "1.0850"), ("JPY", "163.1")]).expect("rates");
        let factor = rates.factor("USD", "JPY").expect("known");
        // 163.1 / 1.085 = 32620 / 217 = 4660 / 31
        assert_eq!((factor.numerator, factor.denominator), (4660, 31));
        // 100.00 USD = 15032.258… JPY, whole yen, kept at two decimals.
        assert_eq!(factor.apply(10_000, 2), Some(1_503_200));
    }

    #[test]
    fn amounts_near_the_end_of_38_digits_take_the_wide_way_or_say_no() {
        let rates = Rates::new("EUR", None, [("USD", "2"), ("XXX", "0.5")]).expect("rates");
        let huge = 99_999_999_999_999_999_999_999_999_999_999_999_999_i128;
        assert_eq!(
            rates.factor("USD", "EUR").and_then(|f| f.apply(huge, 0)),
            Some(50_000_000_000_000_000_000_000_000_000_000_000_000)
        );
        assert_eq!(
            rates.factor("XXX", "USD").and_then(|f| f.apply(huge, 0)),
            None
        );
    }

    #[test]
    fn wrong_tables_are_refused_with_the_reason() {
        for (base, code, rate) in [
            ("eur", "USD", "1"),
            ("EUR", "US", "1"),
            ("EUR", "USD", "0"),
            ("EUR", "USD", "-1"),
            ("EUR", "USD", "1e3"),
            ("EUR", "USD", ""),
            ("EUR", "EUR", "2"),
            ("EUR", "USD", "12345678901234567"),
        ] {
            assert!(
                Rates::new(base, None, [(code, rate)]).is_err(),
                "{base} {code} {rate}"
            );
        }
    }

    #[test]
    fn minor_units_follow_iso_4217() {
        assert_eq!(
            (
                minor_digits("EUR"),
                minor_digits("JPY"),
                minor_digits("KWD")
            ),
            (2, 0, 3)
        );
    }
}
