//! Has this stretch of values, in this order, been seen before?
//!
//! A few prototypes stand for all stretches seen; a new one's novelty is its distance to the nearest.

use serde::{Deserialize, Serialize};

/// Values in a stretch.
pub const LENGTH: usize = 8;
/// Prototypes kept.
const PROTOTYPES: usize = 32;

/// Prototypes of the stretches of one series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Contexts {
    prototypes: Vec<Prototype>,
    /// Distance beyond which a stretch becomes a prototype: adapts so that few do.
    radius: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Prototype {
    values: [f32; LENGTH],
    /// How much it has been used lately.
    worth: f32,
}

impl Contexts {
    /// Distance of `stretch` to the nearest prototype, and learns it.
    pub fn novelty(&mut self, stretch: &[f32; LENGTH]) -> f64 {
        let mut nearest = f32::INFINITY;
        let mut which = 0;
        let mut least = f32::INFINITY;
        let mut worst = 0;
        for (index, prototype) in self.prototypes.iter_mut().enumerate() {
            let distance: f32 = prototype
                .values
                .iter()
                .zip(stretch)
                .map(|(a, b)| (a - b).abs())
                .sum();
            if distance < nearest {
                nearest = distance;
                which = index;
            }
            prototype.worth *= 0.9995;
            if prototype.worth < least {
                least = prototype.worth;
                worst = index;
            }
        }
        if self.prototypes.is_empty() {
            self.prototypes.push(Prototype {
                values: *stretch,
                worth: 1.0,
            });
            return 0.0;
        }
        if nearest > self.radius {
            // About one stretch in fifty is to become a prototype.
            self.radius += 0.02 * (nearest - self.radius) + 1e-6;
            let new = Prototype {
                values: *stretch,
                worth: 1.0,
            };
            if self.prototypes.len() < PROTOTYPES {
                self.prototypes.push(new);
            } else if let Some(old) = self.prototypes.get_mut(worst) {
                *old = new;
            }
        } else {
            self.radius *= 0.9995;
            if let Some(used) = self.prototypes.get_mut(which) {
                used.worth += 1.0;
                for (value, new) in used.values.iter_mut().zip(stretch) {
                    *value += 0.02 * (new - *value);
                }
            }
        }
        f64::from(nearest / LENGTH as f32)
    }
}
