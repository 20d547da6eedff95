//! Streaming detector for the values of one metric's series: gauges, sums, latencies, anything
//! real-valued at regular buckets.
//!
//! A value is described by a few statistics ([`Kind`]). How rare each is, is read off the tail of
//! its own history, so that there is no threshold to set per series; the p-values are combined into
//! one, and an episode is announced once.

mod context;
mod detector;
mod episode;
mod mean;
mod season;
mod statistics;
mod tail;
#[cfg(test)]
mod tests;

pub use detector::{Judgement, StreamDetector};
pub use statistics::Kind;
