//! Who may call: tokens and their roles, host names and origins.

mod calls;
mod issue;
mod registry;
mod rights;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::http::{HeaderMap, Method, Uri, header};
use subtle::ConstantTimeEq;
use tokio_util::sync::CancellationToken;

pub(crate) use calls::{Need, need};
pub use issue::{IssueError, IssuedToken, TOKEN_PREFIX, check_token_name, token_hash};
pub(crate) use rights::Caller;
pub use rights::Right;

use crate::ports::Tokens;
use crate::problem::{Problem, Slug};
use crate::request::time::now_us;
use registry::Registry;

/// The shortest token that is taken: with fewer characters it could be guessed.
pub const TOKEN_CHARS_MIN: usize = 16;

/// Why the server must not start with these settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The address can be reached by others, and there is no token to keep them out.
    #[error(
        "listening on {0} would let everybody in the network read and change everything; make a token with `tillwatch token create --name NAME --role admin --data DIR`, or set TILLWATCH_TOKEN to one of at least {TOKEN_CHARS_MIN} characters, or listen on 127.0.0.1"
    )]
    TokenRequired(SocketAddr),
    /// A token is too short to be safe or has characters a header cannot carry.
    #[error(
        "a token must have at least {TOKEN_CHARS_MIN} characters, all of them letters, digits or one of -._~+/="
    )]
    WeakToken,
    /// The tokens of the data folder cannot be read.
    #[error("the tokens cannot be read: {0}")]
    Unreadable(String),
}

/// The rules of access.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Hashes of the tokens of the environment; the tokens themselves are not kept.
    tokens: Vec<[u8; 32]>,
    /// Those of the data folder.
    kept: Option<Arc<Registry>>,
    hosts: BTreeSet<String>,
    loopback: bool,
    /// Cancelled as soon as a token is required: what began without one ends then.
    unguarded: CancellationToken,
}

impl Access {
    /// The rules for listening on an address with some tokens and further host names.
    ///
    /// On a loopback address only loopback host names and `hosts` are answered, which keeps out pages that
    /// resolve their own name to 127.0.0.1. Tokens are required of every call as soon as there is one.
    ///
    /// # Errors
    /// When the address is not loopback and there is no token, or a token is weak.
    pub fn new<'a>(
        listen: SocketAddr,
        tokens: impl IntoIterator<Item = &'a str>,
        hosts: impl IntoIterator<Item = String>,
    ) -> Result<Self, AccessError> {
        Self::made(listen, tokens, hosts, None)
    }

    /// As [`Self::new`], with tokens that are kept besides. They may be made and revoked at any time, and once there was one,
    /// one is required.
    ///
    /// # Errors
    /// As [`Self::new`], unless one of those kept may do everything; and they cannot be read.
    pub fn with_kept<'a>(
        listen: SocketAddr,
        tokens: impl IntoIterator<Item = &'a str>,
        hosts: impl IntoIterator<Item = String>,
        kept: Arc<dyn Tokens>,
    ) -> Result<Self, AccessError> {
        let kept = Registry::new(kept, now_us()).map_err(AccessError::Unreadable)?;
        Self::made(listen, tokens, hosts, Some(Arc::new(kept)))
    }

    fn made<'a>(
        listen: SocketAddr,
        tokens: impl IntoIterator<Item = &'a str>,
        hosts: impl IntoIterator<Item = String>,
        kept: Option<Arc<Registry>>,
    ) -> Result<Self, AccessError> {
        let mut hashes = Vec::new();
        for token in tokens {
            let legal = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
            if token.len() < TOKEN_CHARS_MIN || !token.chars().all(legal) {
                return Err(AccessError::WeakToken);
            }
            hashes.push(token_hash(token));
        }
        if let Some(kept) = &kept {
            // The environment names a token for the command line, too: one of the data folder keeps the role it has there.
            hashes.retain(|hash| !kept.knows(hash));
        }
        let loopback = listen.ip().is_loopback();
        let has_admin = kept.as_ref().is_some_and(|kept| kept.any_admin(now_us()));
        if !loopback && hashes.is_empty() && !has_admin {
            return Err(AccessError::TokenRequired(listen));
        }
        let hosts = hosts.into_iter().map(|h| h.to_ascii_lowercase()).collect();
        Ok(Self {
            tokens: hashes,
            kept,
            hosts,
            loopback,
            unguarded: CancellationToken::new(),
        })
    }

    /// Whether the request names a host this server answers for.
    pub(crate) fn check_host(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Problem> {
        if !self.loopback && self.hosts.is_empty() {
            // Beyond loopback a token is required, which a foreign page does not have.
            return Ok(());
        }
        let named = uri
            .authority()
            .map(|a| a.as_str())
            .or_else(|| text(headers, &header::HOST));
        let host = named.map(host_of).unwrap_or_default().to_ascii_lowercase();
        let known = self.hosts.contains(&host) || (self.loopback && is_loopback_name(&host));
        if known {
            return Ok(());
        }
        Err(Problem::new(
            Slug::HostNotAllowed,
            "The Host header must name this machine (127.0.0.1, localhost) or a host that the configuration allows.",
        ))
    }

    /// Whether a call that may change something comes from a page of ours, or from no page at all.
    pub(crate) fn check_origin(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
        if method.is_safe() {
            return Ok(());
        }
        let cross = || {
            Problem::new(
                Slug::CrossOrigin,
                "A page of another origin sent this call; only pages served from here may.",
            )
        };
        let site = headers.get("sec-fetch-site");
        if site.is_some_and(|site| site != "same-origin" && site != "none") {
            return Err(cross());
        }
        let Some(origin) = headers.get(header::ORIGIN) else {
            return Ok(());
        };
        let origin = origin.to_str().map_err(|_| cross())?;
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        match (authority, text(headers, &header::HOST)) {
            (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host) => Ok(()),
            _ => Err(cross()),
        }
    }

    /// Whether a token is required.
    #[must_use]
    pub fn is_required(&self) -> bool {
        !self.tokens.is_empty() || self.kept.as_ref().is_some_and(|kept| kept.any())
    }

    /// Looks again which tokens are kept. May wait for the disk.
    pub(crate) fn refresh(&self) {
        if let Some(kept) = &self.kept {
            kept.refresh(now_us());
        }
        if self.is_required() {
            self.unguarded.cancel();
        }
    }

    /// Who calls: whose token the request carries, or anybody where none is required.
    pub(crate) fn identify(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        if !self.is_required() {
            return Ok(Caller {
                over: self.unguarded.clone(),
                ..Caller::trusted(false)
            });
        }
        let Some(value) = text(headers, &header::AUTHORIZATION) else {
            return Err(Problem::new(
                Slug::TokenMissing,
                "Send the header 'Authorization: Bearer <token>'.",
            ));
        };
        let token = value
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        let hash = token_hash(token.unwrap_or_default());
        // All are compared, each in constant time, so that the time taken tells nothing.
        let known = self
            .tokens
            .iter()
            .fold(subtle::Choice::from(0), |known, ours| {
                known | ours.ct_eq(&hash)
            });
        if bool::from(known) {
            return Ok(Caller::trusted(true));
        }
        let kept = self.kept.as_ref();
        let found = kept.and_then(|kept| kept.find(&hash, now_us()));
        found.unwrap_or_else(|| {
            Err(Problem::new(
                Slug::TokenWrong,
                "The token sent is not one of this server's.",
            ))
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

/// The host of `host:port`, without the brackets of an IPv6 address.
fn host_of(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    authority.split(':').next().unwrap_or_default()
}

fn is_loopback_name(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(n, v)| (n.parse().unwrap(), HeaderValue::from_static(v)))
            .collect()
    }

    fn loopback() -> Access {
        Access::new(
            "127.0.0.1:7878".parse().unwrap(),
            [],
            ["tills.example".to_owned()],
        )
        .unwrap()
    }

    #[test]
    fn beyond_loopback_a_token_is_required() {
        for address in ["0.0.0.0:7878", "[::]:7878", "192.168.1.5:80"] {
            let address = address.parse().unwrap();
            let refused = Access::new(address, [], []).unwrap_err();
            assert_eq!(refused, AccessError::TokenRequired(address));
            assert!(refused.to_string().contains("TILLWATCH_TOKEN"));
            assert!(refused.to_string().contains("tillwatch token create"));
            Access::new(address, [TOKEN], []).unwrap();
        }
        for address in ["127.0.0.1:7878", "127.8.8.8:1", "[::1]:7878"] {
            Access::new(address.parse().unwrap(), [], []).unwrap();
        }
    }

    #[test]
    fn weak_tokens_are_refused() {
        for token in [
            "",
            "short",
            "0123456789abcde",
            "0123456789 abcdef",
            "0123456789abcdeü",
        ] {
            let made = Access::new("127.0.0.1:1".parse().unwrap(), [token], []);
            assert_eq!(made.unwrap_err(), AccessError::WeakToken, "{token:?}");
        }
    }

    #[test]
    fn a_token_is_missing_wrong_or_right() {
        let access = Access::new(
            "0.0.0.0:1".parse().unwrap(),
            [TOKEN, "another-token-here"],
            [],
        )
        .unwrap();
        let slug = |pairs| access.identify(&headers(pairs)).err().map(|p| p.slug());
        assert_eq!(slug(&[]), Some(Slug::TokenMissing));
        assert_eq!(slug(&[("authorization", "Bearer")]), Some(Slug::TokenWrong));
        assert_eq!(
            slug(&[("authorization", "Bearer 0123456789abcdee")]),
            Some(Slug::TokenWrong)
        );
        assert_eq!(
            slug(&[("authorization", "Basic 0123456789abcdef")]),
            Some(Slug::TokenWrong)
        );
        assert_eq!(slug(&[("authorization", "Bearer 0123456789abcdef")]), None);
        assert_eq!(
            slug(&[("authorization", "bearer another-token-here")]),
            None
        );
        let anybody = loopback().identify(&headers(&[])).unwrap();
        assert!(!anybody.required && anybody.name.is_none());
    }

    #[test]
    fn foreign_host_names_are_refused_on_loopback() {
        let access = loopback();
        let allowed = |host: &'static str| {
            access
                .check_host(&headers(&[("host", host)]), &Uri::from_static("/"))
                .is_ok()
        };
        for host in [
            "127.0.0.1:7878",
            "localhost",
            "LocalHost:80",
            "[::1]:7878",
            "a.localhost:1",
            "tills.example:7878",
            "Tills.Example",
        ] {
            assert!(allowed(host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:7878",
            "127.0.0.1.evil.example",
            "",
            "[::1",
            "10.0.0.1",
        ] {
            // A broken bracket still names the loopback address, so it is harmless either way.
            assert!(!allowed(host) || host == "[::1", "{host}");
        }
        let none = access.check_host(&HeaderMap::new(), &Uri::from_static("/"));
        assert_eq!(none.unwrap_err().slug(), Slug::HostNotAllowed);
    }

    #[test]
    fn pages_of_other_origins_may_read_nothing_and_change_nothing() {
        let allowed = |pairs| Access::check_origin(&Method::POST, &headers(pairs)).is_ok();
        assert!(allowed(&[("host", "127.0.0.1:7878")]));
        assert!(allowed(&[
            ("host", "127.0.0.1:7878"),
            ("origin", "http://127.0.0.1:7878")
        ]));
        assert!(allowed(&[
            ("host", "t.example"),
            ("origin", "https://t.example")
        ]));
        assert!(!allowed(&[
            ("host", "127.0.0.1:7878"),
            ("origin", "http://127.0.0.1:5173")
        ]));
        assert!(!allowed(&[("host", "127.0.0.1:7878"), ("origin", "null")]));
        assert!(!allowed(&[
            ("host", "127.0.0.1:7878"),
            ("origin", "https://evil.example")
        ]));
        assert!(!allowed(&[
            ("host", "127.0.0.1:7878"),
            ("sec-fetch-site", "cross-site")
        ]));
        assert!(allowed(&[
            ("host", "127.0.0.1:7878"),
            ("sec-fetch-site", "same-origin")
        ]));
        let foreign = headers(&[("origin", "https://evil.example")]);
        assert!(Access::check_origin(&Method::GET, &foreign).is_ok());
    }
}
