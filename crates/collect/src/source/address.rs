//! Which addresses an outgoing call may reach.
//!
//! A URL in a definition must not become a way into the machine's own network. The check is made on
//! the address that is connected to, not on the name: a name may resolve to anything, and to
//! something else a moment later.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tillwatch_event::address::is_public;

/// Resolves names and keeps only the addresses that may be reached.
#[derive(Debug, Clone, Copy)]
pub struct PublicResolver;

/// A name that leads only to addresses that may not be reached.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' leads to a loopback, link-local or private address; set allow_private to reach it")]
pub struct NotPublic(pub String);

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|a| is_public(a.ip())).collect();
            if public.is_empty() {
                return Err(NotPublic(name.as_str().to_owned()).into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether a URL's host is written as an address that may not be reached; names are checked when
/// they are resolved, but an address never is.
#[must_use]
pub fn is_forbidden_literal(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(v4)) => !is_public(IpAddr::V4(v4)),
        Some(url::Host::Ipv6(v6)) => !is_public(IpAddr::V6(v6)),
        Some(url::Host::Domain(_)) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_written_in_any_form_is_seen_through() {
        for text in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://[::1]/",
            "http://0/",
        ] {
            assert!(is_forbidden_literal(&text.parse().unwrap()), "{text}");
        }
        for text in ["http://example.com/", "http://1.1.1.1/"] {
            assert!(!is_forbidden_literal(&text.parse().unwrap()), "{text}");
        }
    }
}
