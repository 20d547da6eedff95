//! `bench delay`: how soon simulated faults are found, against the least delay that there is, and how often nothing is.

mod score;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tillwatch_monitor::backtest::{self, Backtest};
use tillwatch_monitor::definition::{
    CountDetect, Detect, Direction, MonitorDefinition, RateDetect,
};
use tillwatch_monitor::figure::Slice;

use crate::cli::BenchDelay;
use crate::terminal;
use score::{Outcome, Score, median, score};
use world::{BEGIN_US, Fault, HOUR_US, Metric, SECOND_US, WEEK_US, World, WorldFigures};

/// Weeks before the faults, for monitors to learn from.
const HISTORY_WEEKS: i64 = 4;
/// A fault begins every so often, at a time of its own within, so that each is over and forgotten before the next.
const EVERY_US: i64 = 6 * HOUR_US;
/// How long a fault lasts.
const LASTS_US: i64 = 45 * 60 * SECOND_US;

/// Draws faults, judges them and quiet weeks, and prints what was found.
///
/// # Errors
/// A monitor that cannot be judged.
pub fn bench(options: &BenchDelay) -> Result<ExitCode> {
    let began = Instant::now();
    for metric in [Metric::Rate, Metric::Count] {
        let faults = faults(metric, options.weeks.cast_signed(), options.seed);
        let found = judged(metric, &faults, options.weeks.cast_signed(), options.seed)?;
        let quiet = judged(
            metric,
            &[],
            options.quiet_weeks.cast_signed(),
            options.seed + 1,
        )?;
        terminal::line(report(metric, &found, &quiet, options.quiet_weeks).trim_end());
        terminal::line("");
    }
    terminal::line(format!("{:.1} s", began.elapsed().as_secs_f64()));
    Ok(ExitCode::SUCCESS)
}

/// The monitor of a metric, as it comes.
fn monitor(metric: Metric) -> MonitorDefinition {
    let (name, detect) = match metric {
        Metric::Rate => ("authorization_rate", Detect::Rate(RateDetect::default())),
        Metric::Count => ("attempts", Detect::Count(CountDetect::default())),
    };
    let mut monitor = MonitorDefinition::new(name, name, detect);
    monitor.by = vec!["psp".to_owned(), "issuer".to_owned()];
    monitor.direction = Direction::Both;
    monitor.resolve_after = Duration::from_secs(180);
    monitor
}

/// What a monitor finds in a world with these faults.
fn judged(metric: Metric, faults: &[Fault], weeks: i64, seed: u64) -> Result<Score> {
    let world = Arc::new(World::new(HISTORY_WEEKS + weeks, faults, seed));
    let figures = Arc::new(WorldFigures { world, metric });
    let from_us = BEGIN_US + HISTORY_WEEKS * WEEK_US;
    let test = Backtest::new(monitor(metric), from_us, from_us + weeks * WEEK_US);
    let report = backtest::run(&test, figures, &[], &mut |_| true)?;
    Ok(score(&report.found, faults, metric))
}

/// Faults of every kind and of several sizes, one after the other.
fn faults(metric: Metric, weeks: i64, seed: u64) -> Vec<Fault> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (psps, issuers) = World::names();
    let from_us = BEGIN_US + HISTORY_WEEKS * WEEK_US;
    let count = weeks * WEEK_US / EVERY_US;
    let one = |number: i64| {
        let mut any = |names: &[&'static str]| {
            let place = rng.random_range(0..names.len());
            names.get(place).copied().unwrap_or_default()
        };
        let (psp, issuer) = (any(&psps), any(&issuers));
        let both = Slice::from([("psp", psp), ("issuer", issuer)]);
        let (psp, issuer) = (
            Slice::from([("psp", psp)]),
            Slice::from([("issuer", issuer)]),
        );
        // What is multiplied, by a number between two.
        let (kind, slice, [least, most]) = match (metric, number % 5) {
            (Metric::Rate, 0) => (
                "an issuer declines nearly all at one PSP",
                both,
                [0.05, 0.3],
            ),
            (Metric::Rate, 1) => ("an issuer declines more at one PSP", both, [0.6, 0.8]),
            (Metric::Rate, 2) => ("a PSP fails for some", psp, [0.75, 0.92]),
            (Metric::Rate, 3) => ("an issuer declines more everywhere", issuer, [0.5, 0.85]),
            (Metric::Rate, _) => ("all is a little worse", Slice::whole(), [0.9, 0.96]),
            (Metric::Count, 0) => ("a PSP is gone", psp, [0.0, 0.05]),
            (Metric::Count, 1) => ("a PSP has fewer", psp, [0.4, 0.7]),
            (Metric::Count, 2) => ("an issuer is gone at one PSP", both, [0.0, 0.05]),
            (Metric::Count, 3) => ("all has fewer", Slice::whole(), [0.6, 0.8]),
            (Metric::Count, _) => ("a PSP has a rush", psp, [1.5, 2.5]),
        };
        let size = least + (most - least) * rng.random::<f64>();
        let (rate, traffic) = match metric {
            Metric::Rate => (size, 1.0),
            Metric::Count => (1.0, size),
        };
        let free_s = (EVERY_US - LASTS_US - HOUR_US) / SECOND_US;
        let at_us = from_us + number * EVERY_US + rng.random_range(0..free_s) * SECOND_US;
        Fault {
            kind,
            slice,
            from_us: at_us,
            to_us: at_us + LASTS_US,
            rate,
            traffic,
        }
    };
    (0..count).map(one).collect()
}

fn report(metric: Metric, found: &Score, quiet: &Score, quiet_weeks: u64) -> String {
    let mut out = String::new();
    let name = match metric {
        Metric::Rate => "`rate` on approvals ÷ attempts",
        Metric::Count => "`count` on attempts",
    };
    let _ = writeln!(out, "{name}, by 3 PSPs and 5 issuers\n");
    let _ = writeln!(
        out,
        "| fault | found | median delay | least possible | median of delay ÷ least | explained rightly |\n|---|---|---|---|---|---|"
    );
    let mut kinds: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in &found.outcomes {
        kinds.entry(outcome.kind).or_default().push(outcome);
    }
    for (kind, outcomes) in &kinds {
        let _ = writeln!(out, "| {kind} | {} |", row(outcomes));
    }
    let all: Vec<&Outcome> = found.outcomes.iter().collect();
    let _ = writeln!(out, "| **all** | {} |\n", row(&all));
    let of_faults: usize = all.iter().map(|outcome| outcome.incidents).sum();
    let precision = 1.0 - found.false_incidents as f64 / (found.incidents as f64).max(1.0);
    let _ = writeln!(
        out,
        "{} incidents, {of_faults} of faults: precision {:.1} %. Quiet weeks: {} false in {quiet_weeks}, {:.2} a metric-week.",
        found.incidents,
        100.0 * precision,
        quiet.incidents,
        quiet.incidents as f64 / quiet_weeks as f64,
    );
    out
}

/// The cells of a row.
fn row(outcomes: &[&Outcome]) -> String {
    let found: Vec<&&Outcome> = outcomes
        .iter()
        .filter(|one| one.delay_s.is_some())
        .collect();
    let seconds = |numbers: Vec<f64>| {
        median(numbers).map_or("none".to_owned(), |middle| format!("{middle:.0} s"))
    };
    let delays = found.iter().filter_map(|one| one.delay_s).collect();
    let bounds = outcomes.iter().map(|one| one.bound_s).collect();
    // Nothing is known before the first bucket is over, however plain the fault is.
    let least = |one: &Outcome| one.bound_s.max(world::BUCKET_US as f64 / SECOND_US as f64);
    let ratios = found
        .iter()
        .filter_map(|one| Some(one.delay_s? / least(one)));
    let ratio = median(ratios.collect());
    let explained = found.iter().filter(|one| one.is_explained == Some(true));
    format!(
        "{} of {} | {} | {} | {} | {} of {}",
        found.len(),
        outcomes.len(),
        seconds(delays),
        seconds(bounds),
        ratio.map_or("none".to_owned(), |ratio| format!("{ratio:.2}")),
        explained.count(),
        found.len(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_faults_are_found_and_explained_and_a_quiet_week_has_no_incident() {
        let from_us = BEGIN_US + HISTORY_WEEKS * WEEK_US;
        let fault = Fault {
            kind: "an issuer declines nearly all at one PSP",
            slice: Slice::from([("psp", "north"), ("issuer", "bank_1")]),
            from_us: from_us + 36 * HOUR_US,
            to_us: from_us + 37 * HOUR_US,
            rate: 0.2,
            traffic: 1.0,
        };
        let found = judged(Metric::Rate, std::slice::from_ref(&fault), 1, 3).unwrap();
        let outcome = &found.outcomes[0];
        assert_eq!(
            (outcome.incidents, found.false_incidents),
            (1, 0),
            "{found:?}"
        );
        assert_eq!(outcome.is_explained, Some(true));
        let delay_s = outcome.delay_s.unwrap();
        assert!(
            delay_s >= 10.0 && delay_s < 6.0 * outcome.bound_s.max(10.0),
            "{outcome:?}"
        );
        // The same weeks without it.
        assert_eq!(judged(Metric::Rate, &[], 1, 3).unwrap().incidents, 0);
    }

    #[test]
    fn the_same_seed_draws_the_same_faults_and_no_two_overlap() {
        for metric in [Metric::Rate, Metric::Count] {
            let drawn = faults(metric, 2, 5);
            assert_eq!(drawn, faults(metric, 2, 5));
            assert_ne!(drawn, faults(metric, 2, 6));
            assert_eq!(drawn.len(), 56);
            assert!(
                drawn
                    .windows(2)
                    .all(|pair| pair[0].to_us + HOUR_US <= pair[1].from_us)
            );
        }
    }
}
