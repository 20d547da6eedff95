//! Methods that can forecast a series, each cheap enough to be tried out on its history.

pub(crate) mod regression;
pub(crate) mod smoothing;

use crate::cycle::Cycles;

/// A series on one scale, as experts see it.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    /// Values without gaps, on the expert's scale.
    pub(crate) values: Vec<f64>,
    /// Whether a value is real, and may be learned from.
    pub(crate) known: Vec<bool>,
    /// Position of each step in the short period, through the last lead of the last origin.
    pub(crate) short: Vec<u32>,
    /// The same in the long one.
    pub(crate) long: Vec<u32>,
    /// The periods.
    pub(crate) cycles: Cycles,
}

/// When forecasts are tried out, and how far ahead.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    /// Number of steps known at each try, ascending.
    pub(crate) origins: Vec<usize>,
    /// Steps ahead that are looked at, ascending, from 1.
    pub(crate) leads: Vec<usize>,
}
