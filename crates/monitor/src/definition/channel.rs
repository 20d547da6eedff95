//! Channels: where an incident is announced.

use std::fmt;

use super::DefinitionFault;

/// A named place where incidents are announced.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelDefinition {
    /// Name, unique among channels; monitors name it under `notify`.
    pub name: String,
    /// What kind of place.
    pub kind: ChannelKind,
}

/// The kinds of channel there are.
#[derive(Clone, Debug, PartialEq)]
pub enum ChannelKind {
    /// A signed HTTP POST.
    Webhook(WebhookDefinition),
}

impl ChannelKind {
    /// The name as written under `kind`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
        }
    }
}

/// A webhook: every transition of an incident is posted to `url` as JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct WebhookDefinition {
    /// Where to post: `https://…`, or `http://…`.
    pub url: String,
    /// Key of the signature. `None` sends unsigned requests.
    pub secret: Option<Secret>,
    /// Whether the URL may lead to this machine or its private network.
    pub allow_private: bool,
}

impl ChannelDefinition {
    /// Everything that is wrong with this channel.
    #[must_use]
    pub fn validate(&self) -> Vec<DefinitionFault> {
        let mut faults = Vec::new();
        if self.name.is_empty() {
            faults.push(DefinitionFault::new("name", "a channel needs a name"));
        }
        match &self.kind {
            ChannelKind::Webhook(webhook) => webhook.validate(&mut faults),
        }
        faults
    }
}

impl WebhookDefinition {
    fn validate(&self, faults: &mut Vec<DefinitionFault>) {
        let mut fault = |reason: String| faults.push(DefinitionFault::new("url", reason));
        let url = match url::Url::parse(&self.url) {
            Ok(url) => url,
            Err(error) => return fault(format!("not a URL: {error}")),
        };
        if !matches!(url.scheme(), "http" | "https") {
            return fault(format!(
                "scheme `{}` cannot be posted to; use https",
                url.scheme()
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return fault("must not hold a user name or password; use `secret`".to_owned());
        }
        if !self.allow_private
            && let Some(ip) = literal_address(&url)
            && !tillwatch_event::address::is_public(ip)
        {
            fault(format!(
                "{ip} is not a public address; `allow_private: true` would allow it"
            ));
        }
    }
}

/// The address in a URL whose host is an IP address, not a name.
pub(crate) fn literal_address(url: &url::Url) -> Option<std::net::IpAddr> {
    match url.host()? {
        url::Host::Ipv4(ip) => Some(ip.into()),
        url::Host::Ipv6(ip) => Some(ip.into()),
        url::Host::Domain(_) => None,
    }
}

/// A signing key. It never shows itself in `Debug` output, so that it cannot reach a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// Shortest key that is taken: shorter ones can be guessed from one signed body.
const SECRET_BYTES_MIN: usize = 16;

impl Secret {
    /// Reads `env:NAME` from the environment through `lookup` (normally `|n| std::env::var(n).ok()`).
    /// A secret written into the definition itself is refused: definitions are checked into git.
    ///
    /// # Errors
    /// A fault that names the variable, never its value.
    pub fn resolve(
        text: &str,
        lookup: impl FnOnce(&str) -> Option<String>,
    ) -> Result<Self, DefinitionFault> {
        let fault = |reason: String| DefinitionFault::new("secret", reason);
        let Some(name) = text.strip_prefix("env:") else {
            return Err(fault(
                "must be `env:NAME`, the name of an environment variable".into(),
            ));
        };
        let value = lookup(name)
            .ok_or_else(|| fault(format!("environment variable `{name}` is not set")))?;
        Self::from_bytes(value.into_bytes())
            .map_err(|short| fault(format!("environment variable `{name}`: {}", short.reason)))
    }

    /// A key from its bytes.
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

    /// The key itself, for the signature only.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(url: &str, allow_private: bool) -> Vec<String> {
        let kind = ChannelKind::Webhook(WebhookDefinition {
            url: url.into(),
            secret: None,
            allow_private,
        });
        let channel = ChannelDefinition {
            name: "on_call".into(),
            kind,
        };
        channel.validate().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn webhook_urls_that_cannot_work_are_refused_with_the_reason() {
        assert!(webhook("https://hooks.example.com/a", false).is_empty());
        assert!(webhook("http://127.0.0.1:9000/a", true).is_empty());
        for (url, reason) in [
            (
                "hooks.example.com",
                "url: not a URL: relative URL without a base",
            ),
            (
                "ftp://example.com/",
                "url: scheme `ftp` cannot be posted to; use https",
            ),
            (
                "https://u:p@example.com/",
                "url: must not hold a user name or password; use `secret`",
            ),
            (
                "http://169.254.169.254/latest",
                "url: 169.254.169.254 is not a public address; `allow_private: true` would allow it",
            ),
            (
                "http://[::1]/",
                "url: ::1 is not a public address; `allow_private: true` would allow it",
            ),
        ] {
            assert_eq!(webhook(url, false), [reason]);
        }
    }

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
}
