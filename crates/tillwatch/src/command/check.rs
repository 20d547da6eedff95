//! `check` and `schema`: are the definitions sound, and what may they be.

use std::process::ExitCode;

use anyhow::Result;
use schemars::schema_for;

use crate::cli::Check;
use crate::definitions::{self, shape};
use crate::terminal;

/// Checks a folder.
pub fn run(options: &Check) -> Result<ExitCode> {
    // A secret that is only set where the server runs is no fault of the definitions.
    let environment = |name: &str| {
        std::env::var(name)
            .ok()
            .or_else(|| Some("unset-when-checking".to_owned()))
            .filter(|_| !name.ends_with("_URL"))
    };
    match definitions::load(&options.config, &environment) {
        Ok(loaded) => {
            if options.json {
                terminal::line("[]");
            } else {
                terminal::line(format!(
                    "{} is sound: {} streams, {} cubes, {} metrics, {} monitors, {} sources, {} boards",
                    options.config.display(),
                    loaded.streams.len(),
                    loaded.cubes.len(),
                    loaded.metrics.len(),
                    loaded.monitors.len(),
                    loaded.sources.len(),
                    loaded.boards.len(),
                ));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(faults) => {
            if options.json {
                terminal::line(serde_json::to_string_pretty(&faults)?);
            } else {
                super::report(&faults);
            }
            Ok(ExitCode::from(1))
        }
    }
}

/// Prints the JSON Schema of a definitions file.
pub fn schema() -> Result<ExitCode> {
    terminal::line(serde_json::to_string_pretty(&schema_for!(shape::File))?);
    Ok(ExitCode::SUCCESS)
}
