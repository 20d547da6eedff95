//! The scale a series is modelled on: as it is, or its logarithm, on which seasons that grow with
//! the level add up.

use serde::{Deserialize, Serialize};

use crate::numbers::median;

/// A logarithm is taken of nothing smaller than this share of the median, which keeps empty nights
/// from weighing more than full days.
const FLOOR_SHARE: f64 = 0.1;

/// Larger exponents would not leave room to sum up what comes of them.
const EXPONENT_MAX: f64 = 600.0;

/// A scale and the way back from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scale {
    /// As it is.
    Identity,
    /// ln(value + offset).
    Log {
        /// Added before the logarithm is taken.
        offset: f64,
    },
}

impl Scale {
    /// The logarithm that suits these values; `None` where some are negative or most are zero.
    pub(crate) fn log(values: &[f64]) -> Option<Self> {
        let smallest = values.iter().copied().fold(f64::INFINITY, f64::min);
        let middle = median(&mut values.to_vec())?;
        if smallest < 0.0 || middle <= 0.0 {
            return None;
        }
        // A multiple of the data, so that a series in cents is forecast like the one in euros.
        let offset = (FLOOR_SHARE * middle - smallest).max(0.0);
        Some(Self::Log { offset })
    }

    pub(crate) fn there(self, value: f64) -> f64 {
        match self {
            Self::Identity => value,
            Self::Log { offset } => libm::log(value + offset),
        }
    }

    pub(crate) fn back(self, value: f64) -> f64 {
        match self {
            Self::Identity => value,
            Self::Log { offset } => libm::exp(value.min(EXPONENT_MAX)) - offset,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_is_where_one_was() {
        let values = [0.0, 3.0, 10.0, 400.0, 12.0];
        let scale = Scale::log(&values).unwrap();
        for value in values {
            assert!((scale.back(scale.there(value)) - value).abs() < 1e-9);
        }
    }

    #[test]
    fn there_is_no_logarithm_of_losses_nor_of_rare_events() {
        assert_eq!(Scale::log(&[-1.0, 5.0, 6.0]), None);
        assert_eq!(Scale::log(&[0.0, 0.0, 0.0, 5.0]), None);
        assert_eq!(Scale::log(&[]), None);
    }
}
