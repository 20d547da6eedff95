//! `propose`: a definition inferred from a file.

use std::process::ExitCode;

use anyhow::Result;
use tillwatch_collect::file::{ProposeOptions, propose};

use crate::cli::Propose;
use crate::terminal;

/// Prints the definition to standard output and what was seen to standard error.
pub fn run(options: &Propose) -> Result<ExitCode> {
    let how = ProposeOptions {
        stream: options.stream.clone(),
        ..ProposeOptions::default()
    };
    let proposal = propose(&options.file, &how)?;
    terminal::line(proposal.yaml.trim_end());
    let seen = if proposal.whole {
        "the whole file"
    } else {
        "the beginning of the file"
    };
    terminal::complain(format!(
        "looked at {seen}: {} lines of {}, {} of which this definition rejects",
        terminal::thousands(proposal.lines),
        proposal.format.name(),
        terminal::thousands(proposal.rejected),
    ));
    Ok(ExitCode::SUCCESS)
}
