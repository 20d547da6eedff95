//! Channels: how people and machines outside are told of incidents.
//!
//! The engine writes a message into the outbox in the same transaction as the transition it is
//! about; [`Courier`] carries messages out and tries again until each is delivered or given up.
//! [`words`] says what people read, [`template`] says it in words of one's own, [`escape`] keeps values from being more
//! than text, and each kind of channel has a module with its protocol.

pub(crate) mod alertmanager;
mod attempt;
mod client;
mod courier;
mod dingtalk;
mod email;
mod endpoint;
mod escape;
mod feishu;
mod guard;
mod mac;
mod notice;
mod pagerduty;
mod retry;
mod sender;
pub mod signature;
mod slack;
pub(crate) mod template;
#[cfg(test)]
mod tests;
mod words;

pub use courier::{ChannelState, Courier, CourierOptions, DeliveryReport};
pub use retry::RetryPolicy;
