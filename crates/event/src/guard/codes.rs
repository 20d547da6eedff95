//! Card verification codes in plain text, found by the words before them.

use super::groups::end_of_digits;
use super::text::Finding;

/// A word that names a code, and whether a `:` or `=` must follow, as the word has other meanings.
const CODE_WORDS: [(&[u8], bool); 6] = [
    (b"cvv", false),
    (b"cvc", false),
    (b"cvn", false),
    (b"csc", false),
    (b"cav2", false),
    (b"cvd", true),
];

/// Words that may stand between the name and the code, as in `CVV code is 123`.
const FILLERS: [&[u8]; 9] = [
    b"code", b"number", b"num", b"no", b"nr", b"value", b"is", b"was", b"the",
];

/// Between the name and the code stand no more bytes than these.
const BETWEEN_BYTES_MAX: usize = 32;

/// Finds `cvv: 123`, `CVC2=1234`, `"cvv":"123"`, `security code is 123` and the like: the digits are removed.
pub(super) fn find_codes(bytes: &[u8], found: &mut Vec<Finding>) {
    for (at, byte) in bytes.iter().enumerate() {
        if !matches!(byte | 0x20, b'c' | b's') {
            continue;
        }
        let Some(rest) = bytes.get(at..) else { return };
        let Some((length, needs_mark)) = code_word(rest) else {
            continue;
        };
        if is_inside_word(bytes, at) {
            continue;
        }
        if let Some(digits) = code_after(bytes, at + length, needs_mark) {
            found.push(Finding::Code(digits));
        }
    }
}

fn starts_with(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// The bytes of the name of a code at the start of `text`, and whether it needs a mark after it.
fn code_word(text: &[u8]) -> Option<(usize, bool)> {
    if starts_with(text, b"security") {
        let rest = text.get(8..)?;
        let gap = usize::from(matches!(rest.first(), Some(b' ' | b'-' | b'_')));
        return starts_with(rest.get(gap..)?, b"code").then_some((8 + gap + 4, false));
    }
    let (word, needs_mark) = CODE_WORDS
        .iter()
        .find(|(word, _)| starts_with(text, word))?;
    // The generation of the code, as in `cvv2`.
    let generation = matches!(text.get(word.len()), Some(b'1'..=b'3'))
        && !text.get(word.len() + 1).is_some_and(u8::is_ascii_digit);
    Some((word.len() + usize::from(generation), *needs_mark))
}

/// Whether the name at `at` is only the end of a longer word; `cardCvv` and `cardcvv` are no such words.
fn is_inside_word(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default();
    let (Some(last), Some(first)) = (before.last(), bytes.get(at)) else {
        return false;
    };
    let hump = last.is_ascii_lowercase() && first.is_ascii_uppercase();
    let card = before
        .get(before.len().saturating_sub(4)..)
        .is_some_and(|word| word.eq_ignore_ascii_case(b"card"));
    last.is_ascii_alphabetic() && !hump && !card
}

/// The three or four digits behind the name of a code that ends at `from`.
fn code_after(bytes: &[u8], from: usize, needs_mark: bool) -> Option<std::ops::Range<usize>> {
    let mut at = from;
    let mut marked = !needs_mark;
    while at - from <= BETWEEN_BYTES_MAX {
        match bytes.get(at)? {
            b'0'..=b'9' => {
                let end = end_of_digits(bytes, at);
                let is_code = marked && (3..=4).contains(&(end - at));
                return is_code.then_some(at..end);
            }
            letter if letter.is_ascii_alphabetic() => {
                let word = bytes.get(at..)?;
                let length = word.iter().take_while(|b| b.is_ascii_alphabetic()).count();
                let word = word.get(..length)?;
                if !FILLERS
                    .iter()
                    .any(|filler| filler.eq_ignore_ascii_case(word))
                {
                    return None;
                }
                at += length;
            }
            b':' | b'=' => {
                marked = true;
                at += 1;
            }
            b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' | b'#' | b'-' | b'\\' | b'_' | b'.'
            | b'(' | b')' | b'[' | b']' | b'>' => at += 1,
            // Spaces, colons and words of other scripts.
            0x80.. => at += 1,
            _ => return None,
        }
    }
    None
}
