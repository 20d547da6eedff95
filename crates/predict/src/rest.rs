//! The sum of a stretch of time to come, and of what is left of it while time goes on.

use crate::forecaster::Point;
use crate::interval::Halves;
use crate::options::Bounds;

/// An expected sum and the half-widths of its intervals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) mean: f64,
    pub(crate) halves: Halves,
}

impl Part {
    /// Without a share of one of the steps it is the sum of. What a step brings is taken to come
    /// evenly in the course of it and independently, so that its variance goes with the time; never
    /// more goes than that share of the whole.
    pub(crate) fn without(self, share: f64, step: Self) -> Self {
        let mut halves = self.halves;
        for (half, of_step) in halves.iter_mut().zip(step.halves) {
            let square = *half * *half;
            let less = (square - share * of_step * of_step).max((1.0 - share) * square);
            *half = less.max(0.0).sqrt();
        }
        Self {
            mean: self.mean - share * step.mean,
            halves,
        }
    }

    pub(crate) fn within(self, bounds: Bounds) -> Point {
        Point::around(self.mean, self.halves, bounds)
    }
}

/// The sum over a stretch of time to come. It can be told again while its first step passes, without
/// another look at the model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rest {
    sum: Part,
    first: Part,
    steps: f64,
    bounds: Bounds,
}

impl Rest {
    pub(crate) fn new(sum: Part, first: Part, steps: f64, bounds: Bounds) -> Self {
        Self {
            sum,
            first,
            steps,
            bounds,
        }
    }

    /// What is still to come when a share of the first step has passed: 0 for none of it, 1 for all.
    #[must_use]
    pub fn after(&self, share: f64) -> Point {
        let share = share.clamp(0.0, self.steps.min(1.0));
        let left = self.sum.without(share, self.first);
        left.within(self.bounds.times(self.steps - share))
    }
}
