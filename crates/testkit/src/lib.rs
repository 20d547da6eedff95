//! What tests, the demo and the `simulate` command need and no production path may use.
//!
//! - [`simulate`]: shop and payment traffic, deterministic by seed, with incidents on order.
//! - [`oracle`]: a naive, exact recount of NDJSON events, to compare served figures with.

pub mod oracle;
pub mod simulate;
