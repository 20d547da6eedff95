//! `bench rootcause`: are the causes of incidents found, and how soon?
//!
//! Headline: F1 over elements, where an element counts as found only if it is exactly a true one;
//! true and false positives and false negatives are summed over all cases, as in the published
//! comparisons. Beside it the share of cases whose answer is exactly the true set.

mod generate;
mod read;
mod score;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use std::process::ExitCode;

use anyhow::{Result, bail};

use generate::{LEVELS, case as generated};
use read::folder;
use score::{Score, Time};

use crate::cli::BenchRootcause;

use tillwatch_monitor::explain::{self, Explanation, Leaves, Options};

/// Explains the incidents that are asked for and prints the scores.
///
/// # Errors
/// Incidents that cannot be read, with file and line, and a level that there is none of.
pub fn bench(asked: &BenchRootcause) -> Result<ExitCode> {
    let options = Options::default();
    let mut out = std::io::stdout().lock();
    if let Some(folder) = &asked.data {
        real(folder, &options, asked.verbose, &mut out)?;
    }
    if asked.generate {
        let level = asked.level.as_deref();
        check(level)?;
        generate(
            asked.cases,
            asked.seed,
            level,
            &options,
            asked.verbose,
            &mut out,
        )?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses a level that there is none of.
fn check(asked: Option<&str>) -> Result<()> {
    let names: Vec<&str> = LEVELS.iter().map(|level| level.name).collect();
    let mut asked = asked.iter().flat_map(|asked| asked.split(','));
    if let Some(unknown) = asked.find(|asked| !names.contains(asked)) {
        bail!(
            "there is no level '{unknown}'; there are {}",
            names.join(", ")
        );
    }
    Ok(())
}

/// An element as pairs of dimension and value.
pub type Cause = BTreeSet<(String, Option<String>)>;

/// An incident with its true causes.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is called in the output.
    pub name: String,
    /// The true causes.
    pub causes: Vec<Cause>,
    /// What is to be explained.
    pub leaves: Leaves,
}

/// Explains a case and counts the answer.
fn judge(case: &Case, options: &Options, score: &mut Score) -> (bool, Explanation) {
    let start = Instant::now();
    let before = cpu_time();
    let explanation = explain::explain(&case.leaves, options);
    let cpu = before.and_then(|before| cpu_time()?.checked_sub(before));
    let wall = start.elapsed();
    let time = Time { wall, cpu };
    let elements = explanation.elements.iter();
    let answer: Vec<Cause> = elements
        .map(|e| e.values.iter().cloned().collect())
        .collect();
    (score.add(case, &answer, time), explanation)
}

/// Explains the incidents of a folder and writes the scores.
///
/// # Errors
/// Where the folder cannot be read, or the output not be written.
pub fn real(path: &Path, options: &Options, verbose: bool, out: &mut impl Write) -> Result<Score> {
    let cases = folder(path)?;
    let mut total = Score::default();
    let mut halves = [Score::default(), Score::default()];
    for case in &cases {
        let mut score = Score::default();
        let (right, explanation) = judge(case, options, &mut score);
        total.merge(&score);
        if let Some(half) = halves.get_mut(half_of(&case.name)) {
            half.merge(&score);
        }
        if verbose && !right {
            wrong(case, &explanation, out)?;
        }
    }
    header(out)?;
    row("all", &total, out)?;
    for (name, half) in ["half 1", "half 2"].into_iter().zip(&halves) {
        row(name, half, out)?;
    }
    Ok(total)
}

/// Explains generated incidents and writes the scores by level.
///
/// # Errors
/// Where the output cannot be written.
pub fn generate(
    cases: u64,
    seed: u64,
    only: Option<&str>,
    options: &Options,
    verbose: bool,
    out: &mut impl Write,
) -> Result<()> {
    header(out)?;
    for level in LEVELS
        .iter()
        .filter(|l| only.is_none_or(|only| only.split(',').any(|o| o == l.name)))
    {
        let mut score = Score::default();
        let options = Options {
            elements_max: level.causes[1] * level.elements[1],
            layer_max: level.layers[1],
            ..options.clone()
        };
        for number in 0..cases {
            let case = generated(level, seed.wrapping_mul(1_000_003).wrapping_add(number));
            let (right, explanation) = judge(&case, &options, &mut score);
            if verbose && !right {
                wrong(&case, &explanation, out)?;
            }
        }
        row(level.name, &score, out)?;
    }
    Ok(())
}

/// Which random half of the cases a case belongs to: constants were chosen on the first only.
fn half_of(name: &str) -> usize {
    // FNV-1a.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 40 & 1) as usize
}

fn header(out: &mut impl Write) -> Result<()> {
    writeln!(
        out,
        "{:<8} {:>6} {:>9} {:>7} {:>7} {:>7} {:>8} {:>8} {:>8} {:>8}",
        "", "cases", "precision", "recall", "F1", "whole", "p50 ms", "p99 ms", "cpu p50", "cpu p99"
    )?;
    Ok(())
}

fn row(name: &str, score: &Score, out: &mut impl Write) -> Result<()> {
    writeln!(
        out,
        "{name:<8} {:>6} {:>9.3} {:>7.3} {:>7.3} {:>7.3} {:>8.1} {:>8.1} {:>8.1} {:>8.1}",
        score.cases,
        score.precision(),
        score.recall(),
        score.f1(),
        score.exact(),
        score.time_ms(0.5),
        score.time_ms(0.99),
        score.cpu_ms(0.5),
        score.cpu_ms(0.99),
    )?;
    Ok(())
}

fn wrong(case: &Case, explanation: &Explanation, out: &mut impl Write) -> Result<()> {
    let told = |values: &mut dyn Iterator<Item = &(String, Option<String>)>| {
        let pairs: Vec<String> = values
            .map(|(d, v)| format!("{d}={}", v.as_deref().unwrap_or("(none)")))
            .collect();
        if pairs.is_empty() {
            "all".to_owned()
        } else {
            pairs.join(",")
        }
    };
    let truth: Vec<String> = case.causes.iter().map(|c| told(&mut c.iter())).collect();
    let answer: Vec<String> = explanation
        .elements
        .iter()
        .map(|e| told(&mut e.values.iter()))
        .collect();
    let next: Vec<String> = explanation
        .alternatives
        .iter()
        .take(2)
        .map(|a| {
            let set: Vec<String> = a.elements.iter().map(|e| told(&mut e.iter())).collect();
            format!("{} ({:.0})", set.join(" + "), a.score)
        })
        .collect();
    writeln!(
        out,
        "wrong {}: true {}; found {} ({:.0}); next {}",
        case.name,
        truth.join(" + "),
        if answer.is_empty() {
            "nothing".to_owned()
        } else {
            answer.join(" + ")
        },
        explanation.score,
        next.join(" | ")
    )?;
    Ok(())
}

/// Time this thread has had on the processor; Linux tells.
fn cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let ns = text.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(ns))
}

#[cfg(test)]
mod tests;
