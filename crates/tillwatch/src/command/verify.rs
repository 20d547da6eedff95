//! `verify`: is a data folder what was written, and do the cubes say what the events say.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tillwatch_analyse::AuditPart;

use crate::cli::Verify;
use crate::engine::verify::{VerifyReport, VerifyStep, random_seed, verify};
use crate::terminal::{self, thousands};

/// Verifies and prints what was found.
pub async fn run(options: Verify) -> Result<ExitCode> {
    let Some(loaded) = super::load(&options.folders.config) else {
        return Ok(ExitCode::from(1));
    };
    let part = if options.all {
        AuditPart::All
    } else {
        AuditPart::Sample(options.sample)
    };
    let seed = options.seed.map_or_else(random_seed, Ok)?;
    let data: PathBuf = options.folders.data;
    let quiet = options.json;
    let verified = tokio::task::spawn_blocking(move || {
        let bar = bar(quiet);
        let report = verify(&data, &loaded, part, seed, &|step| show(&bar, step));
        bar.finish_and_clear();
        report
    });
    let report = verified.await.context("verifying panicked")??;
    if options.json {
        terminal::line(serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(ExitCode::from(u8::from(!report.ok)))
}

fn bar(quiet: bool) -> ProgressBar {
    let target = if quiet {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let bar = ProgressBar::with_draw_target(Some(0), target);
    let style = ProgressStyle::with_template("  {prefix} [{bar:30}] {bytes}/{total_bytes} {msg}");
    if let Ok(style) = style {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar
}

fn show(bar: &ProgressBar, step: VerifyStep) {
    match step {
        VerifyStep::Place(place, bytes) => {
            bar.set_prefix(format!("reading {place}"));
            bar.set_length(bytes);
            bar.set_position(0);
            bar.set_message("");
        }
        VerifyStep::Bytes(bytes) => bar.set_position(bytes),
        VerifyStep::Cube(cube, buckets) => {
            bar.set_prefix(format!("auditing {cube}"));
            bar.set_message(format!("{} buckets", thousands(buckets)));
        }
    }
}

fn print(report: &VerifyReport) {
    let width = |names: &mut dyn Iterator<Item = &String>| {
        names.map(|name| name.chars().count()).max().unwrap_or(0)
    };
    let wide = width(
        &mut (report.places.iter().map(|place| &place.place))
            .chain(report.cubes.iter().map(|cube| &cube.cube)),
    );
    for place in &report.places {
        let entries = match place.place.as_str() {
            "journal" => "frames",
            "state" => "ids",
            _ => "rows",
        };
        terminal::line(format!(
            "{:<wide$}  {:>8} files  {:>14} {entries}  {}",
            place.place,
            thousands(place.files),
            thousands(place.entries),
            verdict(place.faults.len() as u64, "fault"),
        ));
        for fault in &place.faults {
            terminal::line(format!("    {}: {}", fault.path, fault.reason));
        }
    }
    for cube in &report.cubes {
        let audit = &cube.audit;
        terminal::line(format!(
            "{:<wide$}  {:>8} buckets  {:>12} figures from {} events  {}",
            cube.cube,
            thousands(audit.buckets),
            thousands(audit.figures),
            thousands(audit.events),
            match &cube.fault {
                Some(fault) => fault.clone(),
                None => verdict(audit.differences, "difference"),
            },
        ));
        if audit.skipped > 0 {
            terminal::line(format!(
                "    {} ranges could not be recounted",
                audit.skipped
            ));
        }
        if audit.unsure > 0 {
            terminal::line(format!(
                "    {} figures differ, but the cube is known to lack events that could not be aggregated",
                audit.unsure
            ));
        }
        for difference in &audit.described {
            let key = difference
                .key
                .iter()
                .map(|(name, value)| format!(" {name}={}", value.as_deref().unwrap_or("null")));
            let text = format!(
                "    {}{}: {} is kept as {}, the events give {}",
                difference.bucket,
                key.collect::<String>(),
                difference.measure.as_deref().unwrap_or("the row"),
                difference.kept.as_deref().unwrap_or("nothing"),
                difference.recounted.as_deref().unwrap_or("nothing"),
            );
            terminal::line(super::sql::shown(&text));
        }
    }
    if report.ok {
        terminal::line(format!("all is well (seed {})", report.seed));
    } else {
        terminal::line(format!("not all is well (seed {})", report.seed));
    }
}

fn verdict(count: u64, noun: &str) -> String {
    match count {
        0 => "ok".to_owned(),
        1 => format!("1 {noun}"),
        more => format!("{} {noun}s", thousands(more)),
    }
}
