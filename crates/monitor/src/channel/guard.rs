//! Keeps outgoing calls away from this machine and its private network.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tillwatch_event::address::is_public;

/// A URL leads to an address that is not public.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not lead to a public address")]
pub(super) struct Refused(pub String);

/// A resolver that drops every address that is not public. The check is part of the resolution the
/// connection is made with, so a name cannot pass it and then lead elsewhere.
pub(super) struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(Refused(host).into());
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

/// A host that is an address is never resolved, so it is checked by itself.
pub(super) fn check_literal(url: &url::Url, allow_private: bool) -> Result<(), Refused> {
    match crate::definition::literal_address(url) {
        Some(ip) if !allow_private && !is_public(ip) => Err(Refused(ip.to_string())),
        _ => Ok(()),
    }
}

/// Why a host cannot be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unreachable {
    /// It leads only where it may not.
    Refused(Refused),
    /// Its name could not be resolved.
    Unresolved(String),
}

/// The addresses of a host that `allows` accepts, for clients that connect to an address of ours:
/// what was checked is what is connected to.
pub(super) async fn addresses(
    host: &str,
    allows: impl Fn(IpAddr) -> bool,
) -> Result<Vec<IpAddr>, Unreachable> {
    let found = tokio::net::lookup_host((host, 0)).await;
    let found = found.map_err(|error| Unreachable::Unresolved(error.to_string()))?;
    let allowed: Vec<IpAddr> = found.map(|at| at.ip()).filter(|ip| allows(*ip)).collect();
    if allowed.is_empty() {
        return Err(Unreachable::Refused(Refused(host.to_owned())));
    }
    Ok(allowed)
}

/// The refusal behind an error of the client, if that is what it is.
pub(super) fn refusal(error: &reqwest::Error) -> Option<Refused> {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(refused) = error.downcast_ref::<Refused>() {
            return Some(refused.clone());
        }
        source = error.source();
    }
    None
}
