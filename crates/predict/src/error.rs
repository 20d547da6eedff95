//! What can go wrong in this crate.

/// Errors of forecasting.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ForecastError {
    /// Too little is known to forecast anything.
    #[error("history is too short: {found} known values, {needed} are needed at least")]
    TooShort {
        /// Values that are there, without gaps and excluded stretches.
        found: usize,
        /// Values needed at least.
        needed: usize,
    },
    /// More history than is taken at once.
    #[error("history is too long: {found} steps, at most {limit} are taken; use a longer step")]
    TooLong {
        /// Steps given.
        found: usize,
        /// Steps taken at most.
        limit: usize,
    },
    /// A value that is not a number, or infinite.
    #[error("value {index} is not a finite number")]
    NotFinite {
        /// Which step, counted from 0.
        index: usize,
    },
    /// A value so large that sums of it are no longer exact enough to forecast.
    #[error("value {index} is too large: {value:e}")]
    TooLarge {
        /// Which step, counted from 0.
        index: usize,
        /// The value.
        value: f64,
    },
    /// A value outside the bounds that the options promise.
    #[error("value {index} is outside the bounds: {value}")]
    OutOfBounds {
        /// Which step, counted from 0.
        index: usize,
        /// The value.
        value: f64,
    },
    /// Options that cannot work.
    #[error("options: {0}")]
    Options(String),
    /// A horizon, or a range of steps, that cannot be answered.
    #[error("{0}")]
    Range(String),
}
