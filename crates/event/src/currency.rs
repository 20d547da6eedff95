//! ISO 4217 currency codes and their minor units.

use std::sync::LazyLock;

use iso_currency::Currency;

/// One bit for each of the 26³ three-letter codes: a check is one load, on the decoder's hot path.
static KNOWN: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let mut bits = vec![0_u64; (26 * 26 * 26_usize).div_ceil(64)];
    let letters = 'A'..='Z';
    for a in letters.clone() {
        for b in letters.clone() {
            for c in letters.clone() {
                let code = String::from_iter([a, b, c]);
                if Currency::from_code(&code).is_some()
                    && let Some(at) = position(code.as_bytes())
                    && let Some(word) = bits.get_mut(at / 64)
                {
                    *word |= 1 << (at % 64);
                }
            }
        }
    }
    bits
});

fn position(code: &[u8]) -> Option<usize> {
    let &[a, b, c] = code else { return None };
    let letter = |byte: u8| byte.is_ascii_uppercase().then(|| usize::from(byte - b'A'));
    Some((letter(a)? * 26 + letter(b)?) * 26 + letter(c)?)
}

/// Whether `code` is an ISO 4217 alphabetic code, written in capitals.
#[must_use]
pub fn is_code(code: &[u8]) -> bool {
    position(code)
        .and_then(|at| KNOWN.get(at / 64).map(|word| word >> (at % 64) & 1 == 1))
        .unwrap_or(false)
}

/// The number of digits after the point in the currency's own amounts; `None` for an unknown code
/// and for codes without a minor unit, such as gold.
///
/// This is what payment providers mean by minor units, so MGA has none although ISO lists the
/// iraimbilanja (a fifth of an ariary) as two.
#[must_use]
pub fn minor_digits(code: &str) -> Option<u8> {
    if code == "MGA" {
        return Some(0);
    }
    let currency = Currency::from_code(code)?;
    currency
        .exponent()
        .and_then(|digits| u8::try_from(digits).ok())
}

/// The code the writer may have meant: the capitals of a lower-case code, without its spaces.
#[must_use]
pub fn suggestion(code: &str) -> Option<&'static str> {
    Currency::from_code(&code.trim().to_ascii_uppercase()).map(|currency| currency.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_codes_pass_and_others_do_not() {
        for code in ["EUR", "USD", "JPY", "KWD", "CNY", "XOF", "CHF"] {
            assert!(is_code(code.as_bytes()), "{code}");
        }
        for code in ["eur", "EU", "EURO", "XYZ", "", "E R", "ÉUR", "AAA"] {
            assert!(!is_code(code.as_bytes()), "{code}");
        }
    }

    #[test]
    fn minor_digits_are_those_of_the_payment_world() {
        for code in [
            "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND",
            "VUV", "XAF", "XOF", "XPF",
        ] {
            assert_eq!(minor_digits(code), Some(0), "{code}");
        }
        for code in ["BHD", "JOD", "KWD", "OMR", "TND"] {
            assert_eq!(minor_digits(code), Some(3), "{code}");
        }
        for code in ["EUR", "USD", "CNY", "GBP", "ISK"] {
            assert!(minor_digits(code).is_some(), "{code}");
        }
        assert_eq!(minor_digits("EUR"), Some(2));
        assert_eq!(minor_digits("ZZZ"), None);
    }

    #[test]
    fn a_lower_case_code_suggests_its_capitals() {
        assert_eq!(suggestion(" eur "), Some("EUR"));
        assert_eq!(suggestion("nope"), None);
    }
}
