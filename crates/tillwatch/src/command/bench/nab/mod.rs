//! `bench nab`: the Numenta Anomaly Benchmark, real and artificial series with labelled windows (A. Lavin, S. Ahmad, 2015,
//! *Evaluating Real-time Anomaly Detection Algorithms*).

mod corpus;
mod lookalike;
mod run;
mod score;

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::cli::BenchNab;
use crate::terminal;

/// Judges a corpus, prints the scores and writes the results.
///
/// # Errors
/// Series that cannot be read, with file and line, and results that cannot be written.
pub fn bench(options: &BenchNab) -> Result<ExitCode> {
    let corpus = match (options.lookalike, &options.data) {
        (Some(seed), _) => lookalike::corpus(seed),
        (None, folder) => corpus::read(folder.as_deref().context("--data is missing")?)?,
    };
    let (all, ns_per_value) = run::judge(&corpus);
    terminal::line(run::report(&all, ns_per_value).trim_end());
    if let Some(out) = &options.out {
        run::write_results(&all, out)?;
    }
    Ok(ExitCode::SUCCESS)
}
