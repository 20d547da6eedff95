//! Keeps outgoing calls away from this machine and its private network.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tillwatch_event::address::is_public;

use crate::definition::WebhookDefinition;

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
pub(super) fn check_literal(url: &url::Url, webhook: &WebhookDefinition) -> Result<(), Refused> {
    match crate::definition::literal_address(url) {
        Some(ip) if !webhook.allow_private && !is_public(ip) => Err(Refused(ip.to_string())),
        _ => Ok(()),
    }
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
