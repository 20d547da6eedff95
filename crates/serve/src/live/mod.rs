//! Live push: one computation per distinct question, however many clients look at it.
//!
//! A topic recomputes when events have been processed, at most once per [`crate::Limits::live_coalesce_ms`], and only
//! the buckets that can have changed. Clients get the difference to what they have; one that is too slow for
//! that gets a snapshot instead, so nothing is ever queued for it.

mod client;
mod covered;
mod hub;
mod incidents;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use client::{Place, combined_stream, series_stream};
pub(crate) use hub::Hub;
pub(crate) use incidents::{incident_stream, off_runtime};
pub(crate) use state::{Meta, document};
