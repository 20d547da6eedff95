//! Why did a metric change? The smallest set of dimension values that explains it.
//!
//! Given what was expected and what came for every leaf (combination of dimension values) of a
//! cube, [`explain`] finds the set of elements, such as `psp=adyen, issuer=bank_17`, that describes
//! the change in the fewest words: the description length of the set plus that of what every leaf
//! still differs by, minimised over sets. Sums and rates differ only in how a leaf is judged.

mod answer;
mod evidence;
mod lattice;
mod leaves;
mod rates;
mod search;
mod sums;

pub use answer::{Alternative, Element, Explanation, Mix, Values};
pub use leaves::{
    Counts, DIMENSIONS_MAX, Dimension, Figures, LEAVES_MAX, Leaves, LeavesError, MAGNITUDE_MAX,
};

use lattice::Lattice;
use rates::Rates;
use search::Limits;
use sums::Sums;

/// Which way a metric went. Of a negative sum, nearer to zero is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Less than expected.
    Down,
    /// More than expected.
    Up,
}

/// Most elements of an answer that can be asked for.
pub const ELEMENTS_MAX: usize = 16;

/// Concentration of normal rates where it is not known: beyond this many attempts, more of them do
/// not tell a leaf's rate better.
pub const CONCENTRATION: f64 = 300.0;

/// What is looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Most elements of the answer.
    pub elements_max: usize,
    /// Most dimensions that an element fixes.
    pub layer_max: usize,
    /// Most alternatives that are told.
    pub alternatives_max: usize,
    /// The direction to explain, where it is known; else that of the change as a whole.
    pub direction: Option<Direction>,
    /// Concentration of normal rates (Beta distributed over leaves and time), where it is known.
    pub concentration: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            elements_max: 3,
            layer_max: 3,
            alternatives_max: 5,
            direction: None,
            concentration: CONCENTRATION,
        }
    }
}

/// Explains what came by what was expected. Nothing anomalous has no elements.
#[must_use]
pub fn explain(leaves: &Leaves, options: &Options) -> Explanation {
    let canonical = leaves.canonical();
    let lattice = Lattice::new(&canonical.dimensions, canonical.leaves, options.layer_max);
    let limits = Limits {
        elements_max: options.elements_max.min(ELEMENTS_MAX),
        direction: options.direction,
    };
    let (dimensions, count) = (&canonical.dimensions, canonical.leaves);
    let mut explanation = match &canonical.figures {
        Figures::Sums { expected, actual } => {
            let model = Sums::new(expected, actual);
            let found = search::search(&model, dimensions, count, &lattice, limits);
            answer::of_sums(&canonical, expected, actual, &found, options)
        }
        Figures::Rates { expected, actual } => {
            let model = Rates::new(expected, actual, options.concentration);
            let found = search::search(&model, dimensions, count, &lattice, limits);
            answer::of_rates(&canonical, &model, expected, actual, &found, options)
        }
    };
    explanation.alternatives.truncate(options.alternatives_max);
    explanation
}

#[cfg(test)]
mod tests;
