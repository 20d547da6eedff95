//! `verify`: is what a data folder or a server keeps what was written, and do the cubes say what the events say.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;
use tillwatch_analyse::AuditPart;
use tillwatch_serve::documents::{VerifyProgress, VerifyReport, VerifyRequest, VerifyStatus};

use super::client::ServerClient;
use crate::cli::{FolderOrServer, Folders, Verify};
use crate::engine::verify::{Audited, SAMPLE_DEFAULT, VerifyStep, Watching, random_seed, verify};
use crate::terminal::{self, thousands};

/// Verifies and prints what was found.
pub async fn run(options: Verify) -> Result<ExitCode> {
    let bar = bar(options.json);
    let report = match options.place.which()? {
        FolderOrServer::Server(server) => {
            let request = VerifyRequest {
                all: options.all,
                sample: options.sample,
                seed: options.seed,
            };
            of_server(&ServerClient::new(&server)?, &request, &bar).await?
        }
        FolderOrServer::Folder(folders) => {
            let part = if options.all {
                AuditPart::All
            } else {
                AuditPart::Sample(options.sample.unwrap_or(SAMPLE_DEFAULT))
            };
            let seed = options.seed.map_or_else(random_seed, Ok)?;
            match of_folder(folders, Audited { part, seed }, &bar).await? {
                Some(report) => report,
                None => return Ok(ExitCode::from(1)),
            }
        }
    };
    if options.json {
        terminal::line(serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(ExitCode::from(u8::from(!report.ok)))
}

/// Verifies a data folder that no server has open; none when its definitions have faults.
async fn of_folder(
    folders: Folders,
    audited: Audited,
    bar: &ProgressBar,
) -> Result<Option<VerifyReport>> {
    let Some(loaded) = super::load(&folders.config) else {
        return Ok(None);
    };
    let bar = bar.clone();
    let verified = tokio::task::spawn_blocking(move || {
        let watching = Watching {
            told: &|step| show(&bar, step),
            go_on: Arc::new(|| true),
        };
        let report = verify(&folders.data, &loaded, audited, &watching);
        bar.finish_and_clear();
        report
    });
    verified.await.context("verifying panicked")?.map(Some)
}

/// Asks a server and waits for it.
async fn of_server(
    client: &ServerClient,
    request: &VerifyRequest,
    bar: &ProgressBar,
) -> Result<VerifyReport> {
    let told = |now: &Value| {
        let progress = now.get("progress").cloned();
        let progress = progress.and_then(|now| serde_json::from_value::<VerifyProgress>(now).ok());
        let Some(progress) = progress else {
            return;
        };
        if let Some(place) = progress.place {
            show(bar, VerifyStep::Place(place, progress.total_bytes));
            show(bar, VerifyStep::Bytes(progress.bytes));
        } else if let Some(cube) = progress.cube {
            show(bar, VerifyStep::Cube(cube, progress.buckets));
        }
    };
    let request = serde_json::to_value(request)?;
    let ended = client.wait_for("/v1/verify", "verify", &request, &told);
    let ended = ended.await;
    bar.finish_and_clear();
    let ended: VerifyStatus =
        serde_json::from_value(ended?).context("the server's answer is none of ours")?;
    ended.report.context("the server's answer is none of ours")
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
        terminal::line(format!(
            "{:<wide$}  {:>8} buckets  {:>12} figures from {} events  {}",
            cube.cube,
            thousands(cube.buckets),
            thousands(cube.figures),
            thousands(cube.events),
            match &cube.fault {
                Some(fault) => fault.clone(),
                None => verdict(cube.differences, "difference"),
            },
        ));
        if cube.skipped > 0 {
            terminal::line(format!(
                "    {} ranges could not be recounted",
                cube.skipped
            ));
        }
        if cube.unsure > 0 {
            terminal::line(format!(
                "    {} figures differ, but the cube is known to lack events that could not be aggregated",
                cube.unsure
            ));
        }
        for difference in &cube.described {
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
