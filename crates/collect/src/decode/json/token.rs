//! Bytes that are looked for at one place, event after event.

/// Bytes that are compared in one step when they are short.
#[derive(Debug, Default)]
pub(in crate::decode) struct Token {
    bytes: Box<[u8]>,
    /// The first bytes as a number, and which of it count; nothing when the token does not fit.
    word: u128,
    mask: u128,
}

/// What one step compares.
const STEP_BYTES: usize = 16;

impl Token {
    pub(in crate::decode) fn new(bytes: &[u8]) -> Self {
        let mut word = [0; STEP_BYTES];
        let mut mask = [0; STEP_BYTES];
        if bytes.len() <= STEP_BYTES {
            for ((slot, used), byte) in word.iter_mut().zip(&mut mask).zip(bytes) {
                (*slot, *used) = (*byte, 0xff);
            }
        }
        Self {
            bytes: Box::from(bytes),
            word: u128::from_le_bytes(word),
            mask: u128::from_le_bytes(mask),
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether `text` begins with it; nothing begins with an empty one.
    #[inline]
    pub(super) fn starts(&self, text: &[u8]) -> bool {
        match text.first_chunk::<STEP_BYTES>() {
            Some(chunk) if self.mask != 0 => u128::from_le_bytes(*chunk) & self.mask == self.word,
            _ => !self.bytes.is_empty() && text.starts_with(&self.bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn a_token_is_found_where_the_text_begins_with_it() {
        let tokens = [
            "\"a\":",
            "\"sixteen_bytes\":",
            "\"seventeen_bytes\":",
            "\"a_key_of_many_bytes\":",
        ];
        let texts = [
            "\"a\":",
            "\"a\":1,\"b\":2,\"c\":3",
            "\"sixteen_bytes\":",
            "\"sixteen_bytes\":true",
            "\"seventeen_bytes\":true",
            "\"a_key_of_many_bytes\":1",
            "\"a_key",
            "",
        ];
        for token in tokens {
            for text in texts {
                let found = Token::new(token.as_bytes()).starts(text.as_bytes());
                assert_eq!(found, text.starts_with(token), "{token} in {text}");
            }
        }
        assert!(!Token::new(b"").starts(b"\"a\":1,\"b\":2,\"c\":3"));
    }
}
