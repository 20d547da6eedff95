//! Names of fields that hold card verification data, track data or a PIN.

use std::ops::Range;

/// A name has no more words than these; what comes after is not looked at.
const WORDS_MAX: usize = 16;
/// Longer names are no names of fields.
const NAME_BYTES_MAX: usize = 256;

/// Words in a row that name such data whatever stands around them.
const ANYWHERE: [&[&str]; 13] = [
    &["cvv"],
    &["icvv"],
    &["dcvv"],
    &["cvc"],
    &["cvn"],
    &["c", "v", "v"],
    &["c", "v", "c"],
    &["cav", "2"],
    &["card", "verification", "value"],
    &["pin", "block"],
    &["magstripe"],
    &["mag", "stripe"],
    &["magnetic", "stripe"],
];

/// Words in a row that name such data when they are the whole name, aside from words such as `code`, and
/// beside a word for a card.
const ALONE: [&[&str]; 9] = [
    &["csc"],
    &["cvd"],
    &["cav"],
    &["security", "code"],
    &["verification", "value"],
    &["track", "1"],
    &["track", "2"],
    &["track", "3"],
    &["track", "data"],
];

/// Words that have other meanings, so that they name such data only beside a word for a card: customers
/// have a `cid`, addresses in India a `pin_code`, and a `verification_code` is mostly one for a login.
const BESIDE_CARD: [&[&str]; 4] = [
    &["cid"],
    &["pin"],
    &["verification", "code"],
    &["verification", "number"],
];

/// Words for a card.
const CARD: [&str; 10] = [
    "card",
    "cards",
    "cc",
    "creditcard",
    "debitcard",
    "cardholder",
    "amex",
    "visa",
    "mastercard",
    "atm",
];

const FILLERS: [&str; 9] = [
    "code",
    "number",
    "num",
    "no",
    "value",
    "val",
    "data",
    "digits",
    "equivalent",
];

/// Words before such a name that say that it only tells whether the data was there.
const ABOUT_BEFORE: [&str; 2] = ["has", "is"];

/// Words after such a name that say that it tells whether the data was there, or what its check said.
const ABOUT_AFTER: [&str; 41] = [
    "attempt",
    "attempts",
    "available",
    "bypassed",
    "capability",
    "check",
    "checked",
    "checks",
    "count",
    "enabled",
    "entered",
    "error",
    "errors",
    "fail",
    "failed",
    "failure",
    "flag",
    "indicator",
    "length",
    "match",
    "matched",
    "matches",
    "method",
    "mismatch",
    "missing",
    "mode",
    "outcome",
    "passed",
    "presence",
    "present",
    "provided",
    "required",
    "resp",
    "response",
    "result",
    "results",
    "retries",
    "status",
    "supplied",
    "valid",
    "verified",
];

/// Whether a field of this name would hold what may not be stored after authorisation (PCI DSS 3.3.1): a
/// verification code, track data or a PIN.
///
/// A name is read word by word, however they are joined: `card_cvv2`, `cardCvv2` and `card[cvv2]` are the same.
/// A name about such data, such as `cvc_check` or `cvv_result_code`, is none.
#[must_use]
pub fn is_forbidden_name(name: &str) -> bool {
    if !(3..=NAME_BYTES_MAX).contains(&name.len()) || !may_be_forbidden(name.as_bytes()) {
        return false;
    }
    // Capitals start words, unless they are there for another reason, as in `CvV`.
    let has_capitals = name.bytes().any(|b| b.is_ascii_uppercase());
    Words::of(name, false).name_forbidden()
        || has_capitals && Words::of(name, true).name_forbidden()
}

/// Whether the start of one of the words is there: almost all names end here.
fn may_be_forbidden(name: &[u8]) -> bool {
    name.windows(3).any(|letters| {
        let [a, b, c] = letters else { return false };
        match (a | 0x20, b | 0x20, c | 0x20) {
            (b'c', b'v', b'v' | b'c' | b'n' | b'd') => true,
            (b'c', b's', b'c') | (b'c', b'a', b'v') | (b'c', b'i', b'd') => true,
            (b'p', b'i', b'n') | (b't', b'r', b'a') | (b'm', b'a', b'g') => true,
            (b's', b'e', b'c') | (b'v', b'e', b'r') => true,
            (b'c', _, b'v') => !b.is_ascii_alphanumeric(),
            _ => false,
        }
    })
}

/// The words and numbers of a name.
struct Words<'a> {
    words: [&'a str; WORDS_MAX],
    used: usize,
}

impl<'a> Words<'a> {
    fn of(name: &'a str, capitals_start_words: bool) -> Self {
        let mut words = Self {
            words: [""; WORDS_MAX],
            used: 0,
        };
        let bytes = name.as_bytes();
        let mut start = 0;
        for (at, byte) in bytes.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| bytes.get(at));
            let next_is_small = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            let starts_word = before.is_some_and(|before| {
                kind(*before) != kind(*byte)
                    || capitals_start_words
                        && byte.is_ascii_uppercase()
                        && (before.is_ascii_lowercase() || next_is_small)
            });
            if starts_word {
                words.push(name.get(start..at).unwrap_or_default());
                start = at;
            }
        }
        words.push(name.get(start..).unwrap_or_default());
        words
    }

    /// Takes a word, apart where two are written as one, as in `cardcvv` and `securitycode`.
    fn push(&mut self, word: &'a str) {
        if !word.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return;
        }
        if let Some((start, end)) = word.split_at_checked(4)
            && start.eq_ignore_ascii_case("card")
            && end.len() > 2
        {
            self.push_one(start);
            return self.push(end);
        }
        for end in ["code", "number", "value", "data", "block", "security"] {
            if let Some((start, rest)) = word.split_at_checked(word.len().saturating_sub(end.len()))
                && !start.is_empty()
                && rest.eq_ignore_ascii_case(end)
            {
                self.push(start);
                return self.push_one(rest);
            }
        }
        if let Some((start, rest)) = word.split_at_checked(12)
            && start.eq_ignore_ascii_case("verification")
            && !rest.is_empty()
        {
            self.push_one(start);
            return self.push_one(rest);
        }
        self.push_one(word);
    }

    fn push_one(&mut self, word: &'a str) {
        if let Some(slot) = self.words.get_mut(self.used) {
            *slot = word;
            self.used += 1;
        }
    }

    fn words(&self) -> &[&'a str] {
        self.words.get(..self.used).unwrap_or_default()
    }

    fn name_forbidden(&self) -> bool {
        let words = self.words();
        let beside_card = || words.iter().any(|word| is_one_of(word, &CARD));
        let alone = |place: &Range<usize>| {
            let others = words.iter().enumerate();
            let mut others = others.filter(|(at, _)| !place.contains(at));
            others.all(|(_, word)| is_one_of(word, &FILLERS))
        };
        let place = self
            .place_of(&ANYWHERE)
            .or_else(|| {
                self.place_of(&ALONE)
                    .filter(|place| beside_card() || alone(place))
            })
            .or_else(|| {
                self.place_of(&BESIDE_CARD)
                    .filter(|_| beside_card() || is_same(words, &["pin"]))
            });
        place.is_some_and(|place| {
            let before = words.get(..place.start).unwrap_or_default();
            let after = words.get(place.end..).unwrap_or_default();
            !before.iter().any(|word| is_one_of(word, &ABOUT_BEFORE))
                && !after.iter().any(|word| is_one_of(word, &ABOUT_AFTER))
        })
    }

    /// Where the first of the phrases that the name has stands in it.
    fn place_of(&self, phrases: &[&[&str]]) -> Option<Range<usize>> {
        phrases.iter().find_map(|phrase| {
            let mut windows = self.words().windows(phrase.len());
            let start = windows.position(|words| is_same(words, phrase))?;
            Some(start..start + phrase.len())
        })
    }
}

fn is_same(words: &[&str], phrase: &[&str]) -> bool {
    words.len() == phrase.len()
        && words
            .iter()
            .zip(phrase)
            .all(|(word, expected)| word.eq_ignore_ascii_case(expected))
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// Letters, digits and what joins words.
fn kind(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' | b'A'..=b'Z' => 1,
        _ => 2,
    }
}
