//! How well a leaf agrees with being normal, and with being part of a cause.
//!
//! Both are deviances: half the squared distance from what is expected, in standard deviations, or
//! its counterpart for counts; the lower the better. What a leaf can say for or against a cause is
//! bounded: one that agrees with nothing is taken for a stray one, whose own story is not told.

use super::Direction;

/// Nats that an element must save beyond what it takes to name it.
pub(super) const ELEMENT_NATS: f64 = 12.0;
/// Nats beyond that which one leaf may say: ln 100.
pub(super) const LEAF_NATS: f64 = 4.605;

/// What is known of the leaves of one kind of metric.
///
/// An effect is a number in (0, 1]: of a fall, the share that is lost; of a rise, the share that
/// was missing before.
pub(super) trait Model {
    /// Effects that are tried on every element.
    fn effects(&self, direction: Direction) -> &'static [f64];
    /// Whether the leaf can say anything.
    fn is_informative(&self, leaf: usize) -> bool;
    /// The deviance of the leaf where nothing is wrong.
    fn normal(&self, leaf: usize) -> f64;
    /// The deviance of the leaf as part of a cause.
    fn affected(&self, leaf: usize, direction: Direction, effect: f64) -> f64;
    /// The whole change, and its standard deviation where nothing is wrong.
    fn change(&self) -> (f64, f64);
    /// Share of a set's change that each of its elements must add.
    fn share_min(&self) -> f64;
    /// The part of the change that is the leaf's.
    fn change_of(&self, leaf: usize) -> f64;
}

/// A deviance beyond which the bound on a leaf's cost is reached, for any share of stray leaves.
pub(super) const DEVIANCE_MAX: f64 = 40.0;

/// The cost of a deviance in nats: itself while it is small, and never more than −ln(`stray`).
#[inline]
pub(super) fn cost(deviance: f64, stray: f64) -> f64 {
    if deviance > DEVIANCE_MAX {
        return -stray.ln();
    }
    -((-deviance).exp() + stray).ln()
}
