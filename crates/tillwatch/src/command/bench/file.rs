//! `bench workload`: workload W as a file.

use std::fs::File;
use std::process::ExitCode;

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use tillwatch_testkit::workload::{Workload, WorkloadConfig};

use crate::cli::BenchWorkload;
use crate::terminal::{self, thousands};

/// Writes the file and says what is in it.
pub fn write(options: &BenchWorkload) -> Result<ExitCode> {
    let workload = Workload::new(WorkloadConfig {
        events: options.events,
        seed: options.seed,
        from_us: options.from.as_microsecond(),
        span_us: i64::try_from(options.span.as_micros())?,
    })?;
    let bar = if options.quiet {
        ProgressBar::hidden()
    } else {
        terminal::count_bar("events", options.events)
    };
    let path = options.out.display();
    let mut file =
        File::create(&options.out).with_context(|| format!("{path} cannot be written"))?;
    let written = workload
        .write(&mut file, |more| bar.inc(more))
        .with_context(|| format!("{path} cannot be written"))?;
    bar.finish_and_clear();
    terminal::line(format!(
        "{path}: {} events of {} bytes on average, {} of them repeated; seed {}",
        thousands(written.events),
        written.bytes / written.events.max(1),
        thousands(written.repeated),
        options.seed,
    ));
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    #[test]
    fn the_file_holds_as_many_lines_as_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("w.ndjson");
        let words = ["tillwatch", "bench", "workload", "--quiet", "--events"];
        let words = words.map(Into::into).into_iter();
        let words = words.chain(["1234".into(), "--out".into(), out.clone().into_os_string()]);
        let Command::Bench(bench) = Cli::try_parse_from(words).unwrap().command else {
            panic!("another command")
        };
        let Some(crate::cli::BenchPart::Workload(options)) = bench.part else {
            panic!("another part")
        };
        write(&options).unwrap();
        let text = std::fs::read_to_string(&out).unwrap();
        assert_eq!(text.lines().count(), 1_234);
        assert!(text.ends_with("}\n"));
    }
}
