//! Detectors: pure functions of figures. None of them reads a clock, and none keeps more than a
//! constant number of values per slice.

pub mod baseline;
pub mod beta_binomial;
pub mod count;
pub mod discovery;
pub mod forecast;
pub mod hysteresis;
pub mod moving;
pub mod negative_binomial;
pub mod probability;
pub mod rate;
pub mod recovery;
pub mod season;
pub mod seasonal;
#[cfg(test)]
pub(crate) mod simulation;
pub mod stream;
pub mod tail;
pub mod threshold;
pub mod volume;
