//! Secrets: what must never reach a log, a message or the status.

use std::fmt;

use super::DefinitionFault;

/// A signing key, a password or a token. It never shows itself in `Debug` output, so that it cannot
/// reach a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// Shortest signing key that is taken: shorter ones can be guessed from one signed body.
const SECRET_BYTES_MIN: usize = 16;

impl Secret {
    /// Reads a signing key from `env:NAME` in the environment through `lookup` (normally
    /// `|n| std::env::var(n).ok()`). A secret written into the definition itself is refused:
    /// definitions are checked into git.
    ///
    /// # Errors
    /// A fault that names the variable, never its value.
    pub fn resolve(
        text: &str,
        lookup: impl FnOnce(&str) -> Option<String>,
    ) -> Result<Self, DefinitionFault> {
        let (name, value) = from_environment("secret", text, lookup)?;
        Self::from_bytes(value.into_bytes()).map_err(|short| {
            let reason = format!("environment variable `{name}`: {}", short.reason);
            DefinitionFault::new("secret", reason)
        })
    }

    /// Reads what somebody else has issued, such as a password or a routing key, and whose length is
    /// therefore not ours to judge. `field` is where it stands in the definition.
    ///
    /// # Errors
    /// A fault that names the variable, never its value.
    pub fn resolve_issued(
        field: &str,
        text: &str,
        lookup: impl FnOnce(&str) -> Option<String>,
    ) -> Result<Self, DefinitionFault> {
        let (name, value) = from_environment(field, text, lookup)?;
        if value.is_empty() {
            let reason = format!("environment variable `{name}` is empty");
            return Err(DefinitionFault::new(field, reason));
        }
        Ok(Self(value.into_bytes()))
    }

    /// A signing key from its bytes.
    ///
    /// # Errors
    /// A fault where there are fewer than 16 bytes.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Self, DefinitionFault> {
        let bytes = bytes.into();
        if bytes.len() < SECRET_BYTES_MIN {
            let reason = format!("a secret needs at least {SECRET_BYTES_MIN} bytes");
            return Err(DefinitionFault::new("secret", reason));
        }
        Ok(Self(bytes))
    }

    /// What somebody else has issued, of any length.
    #[must_use]
    pub fn issued(text: impl Into<String>) -> Self {
        Self(text.into().into_bytes())
    }

    /// The key itself, for the signature only.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The secret as text, for a password or token that goes out as such.
    pub(crate) fn expose_text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

fn from_environment<'t>(
    field: &str,
    text: &'t str,
    lookup: impl FnOnce(&str) -> Option<String>,
) -> Result<(&'t str, String), DefinitionFault> {
    let Some(name) = text.strip_prefix("env:") else {
        let reason = "must be `env:NAME`, the name of an environment variable";
        return Err(DefinitionFault::new(field, reason));
    };
    let value = lookup(name).ok_or_else(|| {
        DefinitionFault::new(field, format!("environment variable `{name}` is not set"))
    })?;
    Ok((name, value))
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_from_the_environment_and_never_shows_itself() {
        let secret = Secret::resolve("env:KEY", |name| {
            (name == "KEY").then(|| "0123456789abcdef".into())
        })
        .unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        let missing = Secret::resolve("env:KEY", |_| None).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "secret: environment variable `KEY` is not set"
        );
        let inline = Secret::resolve("0123456789abcdef", |_| None).unwrap_err();
        assert!(!inline.reason.contains("0123"), "{inline}");
        let short = Secret::resolve("env:KEY", |_| Some("hunter2".into())).unwrap_err();
        assert!(short.reason.contains("at least 16 bytes") && !short.reason.contains("hunter2"));
    }

    #[test]
    fn what_others_issued_may_be_short_but_not_empty_and_comes_from_the_environment_too() {
        let issued = |text: &str, value: &str| {
            Secret::resolve_issued("password", text, |_| Some(value.to_owned()))
        };
        assert_eq!(issued("env:P", "x").unwrap().expose_text(), "x");
        let empty = issued("env:P", "").unwrap_err();
        assert_eq!(
            empty.to_string(),
            "password: environment variable `P` is empty"
        );
        let inline = issued("hunter2", "x").unwrap_err();
        assert_eq!(inline.field, "password");
        assert!(!inline.reason.contains("hunter2"), "{inline}");
    }
}
