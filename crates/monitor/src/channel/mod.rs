//! Channels: how people and machines outside are told of incidents.
//!
//! The engine writes a message into the outbox in the same transaction as the transition it is
//! about; [`Courier`] carries messages out and tries again until each is delivered or given up.

mod client;
mod courier;
mod guard;
mod retry;
pub mod signature;
#[cfg(test)]
mod tests;
mod webhook;

pub use courier::{Courier, CourierOptions, DeliveryReport};
pub use retry::RetryPolicy;
