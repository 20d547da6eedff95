//! Monitors: detectors, incidents, the catalogue they are kept in, and channels.
//!
//! The way through this crate: a ticker calls [`watch::Watch::judge`], which asks a
//! [`figure::FigureSource`] for the newest figures of each monitor, lets a pure detector in
//! [`detect`] judge them, [`group`]s what fires to the smallest slice that holds it, and writes
//! incidents and outgoing messages to the [`catalogue`] in one transaction. A courier in
//! [`channel`] carries the messages out.
//!
//! Detectors never read a clock and know neither SQL nor HTTP.

pub mod catalogue;
pub mod channel;
pub mod definition;
pub mod detect;
mod error;
pub mod figure;
pub mod group;
pub mod incident;

pub mod watch;

pub use error::MonitorError;
