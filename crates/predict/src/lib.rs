//! Forecasts of metrics with prediction intervals, expected totals, and bands for monitors.
//!
//! The way through this crate: [`Forecaster::fit`] checks a series, takes outages out of it and
//! fills gaps; it then tries out a pool of cheap methods — exponential smoothing with two seasons
//! over a grid of gains, and autoregressions on the same time of earlier days and weeks, each on the
//! values and on their logarithm — on the last part of the history, where each forecast knows only
//! what came before it. The best are combined, per lead, and the errors of the combination become
//! the intervals of the [`Model`]. There is nothing to tune by series, and nothing random.
//!
//! Times of day are counted from the first step given, in equal days: a change to summer time is a
//! shift of an hour, which is learned as any other change.
//!
//! ```
//! use std::time::Duration;
//! use tillwatch_predict::{Bounds, Forecaster, Options};
//!
//! let orders: Vec<Option<f64>> = (0..500).map(|hour| Some(f64::from(hour % 24))).collect();
//! let options = Options { bounds: Bounds::NON_NEGATIVE, ..Options::default() };
//! let model = Forecaster::new(options).fit(&orders, Duration::from_secs(3600))?;
//! let tomorrow = model.forecast(24)?;
//! assert_eq!(tomorrow.len(), 24);
//! let today = model.total(480..504)?;
//! assert!(today.sum().low95 >= today.known);
//! # Ok::<(), tillwatch_predict::ForecastError>(())
//! ```

mod band;
mod cycle;
mod error;
mod expert;
mod forecaster;
mod history;
mod interval;
mod method;
mod numbers;
mod options;
mod plan;
mod pool;
mod rest;
mod scale;
mod weights;

pub use band::{Band, BandOptions, Expectation};
pub use error::ForecastError;
pub use forecaster::{Footing, Forecaster, Model, Point, Total};
pub use method::{Method, MethodKind};
pub use options::{Bounds, HISTORY_MAX, HORIZON_MAX, KNOWN_MIN, Options, Periods};
pub use rest::Rest;

#[cfg(test)]
mod tests;
