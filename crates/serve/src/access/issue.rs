//! Making tokens.

use sha2::{Digest, Sha256};
use tillwatch_event::guard::mask;

/// What every token begins with that is made here: who scans texts for secrets knows one by it.
pub const TOKEN_PREFIX: &str = "twt_";

/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;

/// Why a token cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The name is no name of a token.
    #[error(
        "a token's name has 1 to {chars_max} characters (limits.http.token_name_chars_max), of letters, digits and -_.@, the first a letter or a digit; and it is no card number"
    )]
    BadName {
        /// Characters it may have.
        chars_max: usize,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    NoRandomness(String),
}

/// A token as it is shown to the one who asked for it, once. It cannot be printed by accident.
pub struct IssuedToken {
    text: String,
}

impl IssuedToken {
    /// Makes a token out of 256 random bits of the system.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn make() -> Result<Self, IssueError> {
        let mut bytes = [0_u8; TOKEN_BYTES];
        getrandom::getrandom(&mut bytes)
            .map_err(|cause| IssueError::NoRandomness(cause.to_string()))?;
        let mut text = TOKEN_PREFIX.to_owned();
        for byte in bytes {
            text.push_str(&format!("{byte:02x}"));
        }
        Ok(Self { text })
    }

    /// What the one who asked for it is shown.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        token_hash(&self.text)
    }
}

/// What is kept of a token, and what one that is sent is compared by.
///
/// A slow hash such as Argon2 protects what people choose, by making each guess dear. These tokens are 256 random bits: no
/// number of guesses finds one, however fast each is, while a slow hash on every call would let anybody keep the server busy
/// by sending wrong ones.
#[must_use]
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Whether a text can be the name of a token. Names are shown and logged, so they are plain and short.
///
/// # Errors
/// It is none.
pub fn check_token_name(name: &str, chars_max: usize) -> Result<(), IssueError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    let fits = name.len() <= chars_max
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(legal)
        && mask(name) == name;
    if fits {
        Ok(())
    } else {
        Err(IssueError::BadName { chars_max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_random_and_known_by_their_beginning() {
        let (one, other) = (IssuedToken::make().unwrap(), IssuedToken::make().unwrap());
        assert_ne!(one.reveal(), other.reveal());
        assert_ne!(one.hash(), other.hash());
        let digits = one.reveal().strip_prefix(TOKEN_PREFIX).unwrap();
        assert_eq!(digits.len(), 64);
        assert!(digits.bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(one.hash(), token_hash(one.reveal()));
    }

    #[test]
    fn names_are_plain_short_and_no_card_numbers() {
        for name in [
            "a",
            "ci-bot",
            "ann@shop.example",
            "9_lives",
            &"x".repeat(64),
        ] {
            check_token_name(name, 64).unwrap();
        }
        for name in [
            "",
            "-x",
            "a b",
            "a\nb",
            "é",
            "<b>",
            "4111111111111111",
            &"x".repeat(65),
        ] {
            let refused = check_token_name(name, 64).unwrap_err();
            assert!(refused.to_string().contains("64"), "{name:?}");
        }
    }
}
