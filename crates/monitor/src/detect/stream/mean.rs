//! Exponentially weighted means: constant memory, and exact means until the memory is full.

use serde::{Deserialize, Serialize};

/// A mean that forgets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    value: f64,
    count: f64,
}

impl Mean {
    /// Takes `value` in with the weight 1 ÷ min(updates, `memory`).
    pub fn learn(&mut self, value: f64, memory: f64) {
        self.count = (self.count + 1.0).min(memory.max(1.0));
        self.value += (value - self.value) / self.count;
    }

    /// The mean, 0 before the first update.
    #[must_use]
    pub fn get(&self) -> f64 {
        self.value
    }
}

/// A median that forgets: it steps up or down by a share of the usual deviation, so no outlier
/// moves it further than any other value does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Median {
    value: f64,
    deviation: Mean,
    count: f64,
}

impl Median {
    /// Takes `value` in; about `memory` updates matter.
    pub fn learn(&mut self, value: f64, memory: f64) {
        self.count = (self.count + 1.0).min(memory.max(1.0));
        if self.count <= 1.0 {
            self.value = value;
            return;
        }
        let difference = value - self.value;
        self.deviation.learn(difference.abs(), memory);
        let step = 2.0 * self.deviation.get() / self.count;
        self.value += difference.clamp(-step, step);
    }

    /// The median, 0 before the first update.
    #[must_use]
    pub fn get(&self) -> f64 {
        self.value
    }
}
