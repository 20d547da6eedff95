//! Runs a scenario for many seeds.
//!
//! | variable | what |
//! |---|---|
//! | `TILLWATCH_SEEDS` | how many seeds; the caller says how many without it |
//! | `TILLWATCH_SEED` | runs this one seed alone: what a failed campaign prints |

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Seeds in a short campaign, when `TILLWATCH_SEEDS` says nothing else.
pub const SEEDS_DEFAULT: u64 = 500;

/// What a campaign came to: how often each thing happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    counts: BTreeMap<&'static str, u64>,
}

impl Totals {
    /// Counts `by` more of `what`; zero makes it show.
    pub fn add(&mut self, what: &'static str, by: u64) {
        *self.counts.entry(what).or_default() += by;
    }

    /// How often `what` happened.
    #[must_use]
    pub fn of(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or(0)
    }
}

impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, (what, count)) in self.counts.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            write!(f, "{comma}{what} {count}")?;
        }
        Ok(())
    }
}

/// The seeds of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    /// The first; the others follow it one by one.
    pub first: u64,
    /// How many.
    pub count: u64,
}

impl Seeds {
    /// What the environment asks for, or `default_count` seeds from one that is another each time.
    #[must_use]
    pub fn from_environment(default_count: u64) -> Self {
        let number = |name| {
            std::env::var(name)
                .ok()
                .and_then(|text| text.trim().parse().ok())
        };
        Self::asked_for(
            number("TILLWATCH_SEED"),
            number("TILLWATCH_SEEDS"),
            default_count,
        )
    }

    fn asked_for(seed: Option<u64>, seeds: Option<u64>, default_count: u64) -> Self {
        if let Some(first) = seed {
            return Self { first, count: 1 };
        }
        Self {
            // Short enough to read and to type again.
            first: RandomState::new().build_hasher().finish() >> 32,
            count: seeds.unwrap_or(default_count),
        }
    }
}

/// Runs `scenario` for every seed the environment asks for, [`SEEDS_DEFAULT`] without; prints the seeds and the totals. A
/// scenario fails by panicking; then its seed is printed too.
pub fn run(name: &str, scenario: impl FnMut(u64, &mut Totals)) -> Totals {
    run_seeds(name, Seeds::from_environment(SEEDS_DEFAULT), scenario)
}

/// As [`run`], for these seeds.
pub fn run_seeds(name: &str, seeds: Seeds, mut scenario: impl FnMut(u64, &mut Totals)) -> Totals {
    let mut totals = Totals::default();
    say(&format!(
        "campaign {name}: {} seeds from {}",
        seeds.count, seeds.first
    ));
    for seed in (0..seeds.count).map(|at| seeds.first.wrapping_add(at)) {
        let ran = catch_unwind(AssertUnwindSafe(|| scenario(seed, &mut totals)));
        if let Err(failure) = ran {
            say(&format!(
                "campaign {name}: seed {seed} fails; TILLWATCH_SEED={seed} runs it again"
            ));
            resume_unwind(failure);
        }
    }
    say(&format!(
        "campaign {name}: {} seeds from {} passed: {totals}",
        seeds.count, seeds.first
    ));
    totals
}

/// Says it past the capture of test output: which seeds a campaign ran is of interest when it passes, too.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // A closed pipe is no reason to fail a test.
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_runs_once_and_the_totals_add_up() {
        let seeds = Seeds {
            first: u64::MAX,
            count: 3,
        };
        let mut seen = Vec::new();
        let totals = run_seeds("of itself", seeds, |seed, totals| {
            seen.push(seed);
            totals.add("things", 2);
            totals.add("accidents", 0);
        });
        assert_eq!(seen, [u64::MAX, 0, 1]);
        assert_eq!(totals.to_string(), "accidents 0, things 6");
        assert_eq!((totals.of("things"), totals.of("others")), (6, 0));
    }

    #[test]
    fn a_scenario_that_panics_fails_the_campaign() {
        let seeds = Seeds { first: 5, count: 9 };
        let ran = catch_unwind(|| {
            run_seeds("that fails", seeds, |seed, _| {
                assert!(seed < 7, "too large")
            });
        });
        assert!(ran.is_err());
    }

    #[test]
    fn one_seed_goes_before_many_and_many_before_the_default() {
        let one = Seeds::asked_for(Some(9), Some(100), 500);
        assert_eq!(one, Seeds { first: 9, count: 1 });
        assert_eq!(Seeds::asked_for(None, Some(100), 500).count, 100);
        assert_eq!(Seeds::asked_for(None, None, 500).count, 500);
    }
}
