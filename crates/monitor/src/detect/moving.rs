//! How often a moving sum is improbable, where each of its values is with a given probability.
//!
//! A stretch of many steps that is tested at every step is tested on nearly the same events each time: where it is
//! improbable once, it is so for a while, and all of that is one false alarm. So there are fewer alarms than improbable
//! values. For a sum of n independent steps the chance that an alarm begins at a step is about
//! p · (z² ÷ n) · ν(z·√(2 ÷ n)), with z the normal deviate of p; D. Siegmund, *Sequential Analysis* (1985), chapters II
//! and VIII, also gives the approximation of ν. For one step it is p, for long stretches a fraction of it.

use statrs::function::erf::{erf, erfc_inv};

/// From here on what is improbable does not come in clumps worth the computing.
const P_MAX: f64 = 0.01;
/// Below this the deviate is no longer told apart.
const P_MIN: f64 = 1e-290;

/// The probability that a stretch of `steps` steps becomes so improbable at a step, `p` being that it is at any one time.
#[must_use]
pub fn onset(p: f64, steps: usize) -> f64 {
    if steps < 2 || !(P_MIN..P_MAX).contains(&p) {
        return p;
    }
    let n = steps as f64;
    let z = std::f64::consts::SQRT_2 * erfc_inv(2.0 * p);
    p * (z * z / n * overshoot(z * (2.0 / n).sqrt())).min(1.0)
}

/// ν(x) ≈ (2 ÷ x)·(Φ(x/2) − ½) ÷ ((x/2)·Φ(x/2) + φ(x/2)).
fn overshoot(x: f64) -> f64 {
    let half = x / 2.0;
    let above_median = 0.5 * erf(half / std::f64::consts::SQRT_2);
    let density = (-0.5 * half * half).exp() / (2.0 * std::f64::consts::PI).sqrt();
    above_median / half / (half * (0.5 + above_median) + density)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn one_step_is_as_probable_as_it_is_and_a_long_stretch_begins_to_be_more_rarely() {
        assert_eq!(onset(1e-6, 1), 1e-6);
        assert_eq!(onset(0.2, 96), 0.2);
        assert_eq!(onset(0.0, 96), 0.0);
        let at = |steps| onset(1e-6, steps) / 1e-6;
        assert!((0.9..=1.0).contains(&at(2)), "{}", at(2));
        assert!((0.1..0.25).contains(&at(96)), "{}", at(96));
        let falling = [1, 2, 4, 8, 16, 32, 64, 128].map(at);
        assert!(falling.is_sorted_by(|a, b| a >= b), "{falling:?}");
        for exponent in 3..280 {
            let p = 10_f64.powi(-exponent);
            let found = onset(p, 24);
            assert!(found > 0.0 && found <= p, "{p}: {found}");
        }
    }

    #[test]
    fn alarms_of_a_moving_sum_begin_about_as_often_as_is_said() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut normal = || {
            let (a, b): (f64, f64) = (rng.random(), rng.random());
            (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
        };
        let steps: Vec<f64> = (0..1_000_000).map(|_| normal()).collect();
        for n in [4_usize, 16, 64] {
            // Three deviations: one in 741.
            let bound = 3.0 * (n as f64).sqrt();
            let (mut sum, mut last, mut alarms) = (0.0, usize::MAX / 2, 0_u32);
            for at in 0..steps.len() {
                sum += steps[at];
                if at >= n {
                    sum -= steps[at - n];
                }
                if at + 1 >= n && sum > bound {
                    alarms += u32::from(last > at || at - last > n);
                    last = at;
                }
            }
            let said = onset(1.349_898e-3, n) * steps.len() as f64;
            let ratio = f64::from(alarms) / said;
            println!("{n} steps: {alarms} alarms, {said:.0} said");
            // The approximation is up to a sixth too low here.
            assert!((0.8..1.2).contains(&ratio), "{n} steps: {ratio}");
        }
    }
}
