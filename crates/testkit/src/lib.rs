//! What tests, the demo and the commands `simulate` and `bench` need and no production path may use.
//!
//! - [`simulate`]: shop and payment traffic, deterministic by seed, with incidents on order.
//! - [`workload`]: payment attempts to measure with, of any number, with fixed shares of repeated and late ones.
//! - [`fault`]: a simulated disk and clock, and campaigns over many seeds.
//! - [`oracle`]: a naive, exact recount of NDJSON events, to compare served figures with.

pub mod fault;
pub mod oracle;
pub mod simulate;
pub mod workload;
