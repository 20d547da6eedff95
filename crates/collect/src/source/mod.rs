//! Sources that fetch by themselves.

pub mod address;
mod backoff;
mod path;
pub mod poll;

pub(crate) use path::Step;
pub use path::{EventsPath, PathError};
pub use poll::{PollHandle, PollLimits, PollOptions, PollState, SourceError, SourceStateKind};
