//! Forecasts of simulated series, whose truth is known.

mod bands;
mod forecasts;
mod hostile;
mod intervals;

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// A generator whose seed is printed, and can be given by `TILLWATCH_SEED`.
pub(crate) fn random(name: &str) -> StdRng {
    let seed = std::env::var("TILLWATCH_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_261_130);
    println!("{name}: TILLWATCH_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

/// A standard normal number (Box and Muller).
pub(crate) fn normal(rng: &mut StdRng) -> f64 {
    let (u, v): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Traffic of a shop by the hour: quiet nights, quiet weekends.
pub(crate) fn traffic(t: usize) -> f64 {
    let hour = (t % 24) as f64;
    let weekend = if (t / 24) % 7 >= 5 { 0.6 } else { 1.0 };
    weekend * (60.0 + 50.0 * ((hour - 8.0) / 24.0 * std::f64::consts::TAU).sin())
}

/// Errors that keep a share `carry` of the one before, with standard deviation 1.
pub(crate) fn correlated(rng: &mut StdRng, steps: usize, carry: f64) -> Vec<f64> {
    let fresh = (1.0 - carry * carry).sqrt();
    let mut error = normal(rng);
    (0..steps)
        .map(|_| {
            let now = error;
            error = carry * error + fresh * normal(rng);
            now
        })
        .collect()
}

/// Traffic with errors of deviation `spread`, relative to the traffic.
pub(crate) fn noisy(rng: &mut StdRng, steps: usize, spread: f64) -> Vec<f64> {
    let errors = correlated(rng, steps, 0.7);
    errors
        .into_iter()
        .enumerate()
        .map(|(t, error)| (traffic(t) * (1.0 + spread * error)).max(0.0))
        .collect()
}

pub(crate) fn given(values: &[f64]) -> Vec<Option<f64>> {
    values.iter().copied().map(Some).collect()
}
