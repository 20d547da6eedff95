//! `bench forecast`: how good forecasts are on the hourly series of the M4 competition (S. Makridakis, E. Spiliotis,
//! V. Assimakopoulos, 2020, *The M4 Competition*).

mod m4;
mod measure;
mod report;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::BenchForecast;
use crate::terminal;
use report::Settings;

/// Forecasts all series and prints the scores.
///
/// # Errors
/// Series that cannot be read, with file and line, or that cannot be forecast.
pub fn bench(options: &BenchForecast) -> Result<ExitCode> {
    let settings = Settings {
        held_back: options.held_back,
        halves: options.halves,
        each: options.each,
    };
    let report = report::measure(&options.data, settings)?;
    terminal::line(report.to_string().trim_end());
    Ok(ExitCode::SUCCESS)
}
