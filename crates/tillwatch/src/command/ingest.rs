//! `ingest`: load files into a server or a data folder.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reqwest::Url;
use tillwatch_collect::decode::Delimiter;
use tillwatch_collect::file::ingest::{
    Event, HttpSink, HttpSinkOptions, IntakeSink, Listener, Outcome, Sink, default_state_folder,
};
use tillwatch_collect::file::{Dialect, FileFormat, IngestOptions, ingest};
use tillwatch_collect::{Decoder, Intake, SystemClock};
use tillwatch_event::MemoryBudget;

use crate::cli::Ingest;
use crate::definitions::Loaded;
use crate::engine::keeper::Keeper;
use crate::engine::{csv_options, open_journal, open_keeping, replay};
use crate::terminal::{self, thousands};

/// Loads every file, one after the other.
pub async fn run(options: Ingest) -> Result<ExitCode> {
    let state = options
        .state
        .clone()
        .or_else(default_state_folder)
        .context("there is no home folder to remember progress in; name one with --state")?;
    let mut how = IngestOptions::new(state);
    how.restart = options.restart;
    match (&options.config, &options.data) {
        (Some(config), Some(data)) => {
            let Some(loaded) = super::load(config) else {
                return Ok(ExitCode::from(1));
            };
            let (intake, keeper, sink) = local(&options.stream, data, &loaded, &mut how)?;
            let done = all(&options, Arc::new(sink), &how).await;
            tokio::task::spawn_blocking(move || {
                keeper.stop(&intake);
                intake.stop();
            })
            .await?;
            done
        }
        _ => {
            let server = Url::parse(&options.server.server).with_context(|| {
                format!(
                    "'{}' is no address; write http://127.0.0.1:7878",
                    options.server.server
                )
            })?;
            let mut to = HttpSinkOptions::new(server);
            to.token.clone_from(&options.server.token);
            let sink = HttpSink::new(&options.stream, &to)?;
            all(&options, Arc::new(sink), &how).await
        }
    }
}

/// Opens a data folder for loading into it.
fn local(
    stream: &str,
    data: &Path,
    loaded: &Loaded,
    how: &mut IngestOptions,
) -> Result<(Arc<Intake>, Keeper, IntakeSink)> {
    let Some(definition) = loaded
        .streams
        .iter()
        .find(|found| found.schema.name == stream)
    else {
        let names = loaded
            .streams
            .iter()
            .map(|found| found.schema.name.as_str());
        let hint = crate::definitions::folder::nearest_name(stream, names);
        bail!(
            "there is no stream '{stream}'{}",
            hint.map(|hint| format!("; {hint}")).unwrap_or_default()
        );
    };
    if let Some(shape) = loaded.csv.get(stream) {
        let csv = csv_options(Some(shape));
        how.read.csv = Some(Dialect {
            delimiter: csv.delimiter,
            header: csv.header,
        });
    }
    let journal = open_journal(data, loaded)?;
    let instance = journal.instance()?;
    let keeping = open_keeping(data, &journal, loaded, MemoryBudget::unbounded())?;
    let processor = replay(&journal, loaded, keeping, &|_| ())?;
    let intake = Arc::new(Intake::start(
        journal,
        Arc::clone(&processor) as Arc<_>,
        loaded.limits.intake,
        Arc::new(SystemClock),
    )?);
    let keeper = Keeper::start(Arc::clone(&intake), loaded.limits.history.pace())?;
    keeper.go_on(processor);
    let decoder = Decoder::new(Arc::clone(&definition.schema), loaded.limits.decode)
        .map_err(|error| anyhow!("stream '{stream}': {error}"))?
        .with_csv(csv_options(loaded.csv.get(stream)));
    Ok((
        Arc::clone(&intake),
        keeper,
        IntakeSink::new(intake, Arc::new(decoder), &instance),
    ))
}

async fn all<S: Sink>(options: &Ingest, sink: Arc<S>, how: &IngestOptions) -> Result<ExitCode> {
    let mut nothing_taken = false;
    for file in &options.files {
        let started = Instant::now();
        let bar = bar(options.quiet, file);
        let done = ingest(
            file,
            &options.stream,
            Arc::clone(&sink),
            how,
            listener(&bar),
        )
        .await;
        bar.finish_and_clear();
        let outcome = done.with_context(|| format!("loading {}", file.display()))?;
        report(file, &outcome, started.elapsed());
        let progress = outcome.progress;
        nothing_taken |= progress.rejected > 0 && progress.accepted + progress.duplicates == 0;
    }
    // As the server answers 422 then.
    Ok(ExitCode::from(u8::from(nothing_taken)))
}

fn bar(quiet: bool, file: &Path) -> ProgressBar {
    let target = if quiet {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let bar = ProgressBar::with_draw_target(Some(0), target);
    let style = ProgressStyle::with_template(
        "{prefix} [{bar:30}] {bytes}/{total_bytes} {binary_bytes_per_sec}, {eta} left, {msg}",
    );
    if let Ok(style) = style {
        bar.set_style(style.progress_chars("━╸ "));
    }
    let name = file.file_name().unwrap_or(file.as_os_str());
    bar.set_prefix(name.to_string_lossy().into_owned());
    bar
}

fn listener(bar: &ProgressBar) -> Listener {
    let bar = bar.clone();
    Arc::new(move |event| match event {
        Event::Progress(progress) => {
            bar.set_length(progress.bytes_total);
            bar.set_position(progress.bytes_done);
            let rejected = match progress.rejected {
                0 => String::new(),
                rejected => format!(", {} rejected", thousands(rejected)),
            };
            bar.set_message(format!("{} events{rejected}", thousands(progress.accepted)));
        }
        Event::Waiting { reason, wait } => {
            bar.set_message(format!("waiting {:.1} s: {reason}", wait.as_secs_f64()));
        }
    })
}

fn report(file: &Path, outcome: &Outcome, took: Duration) {
    let progress = outcome.progress;
    let name = file.display();
    if outcome.done_before {
        terminal::line(format!(
            "{name}: loaded before, {} events; --restart loads it again",
            thousands(progress.accepted)
        ));
        return;
    }
    let mut text = format!("{name}: {} events", thousands(progress.accepted));
    if progress.duplicates > 0 {
        text.push_str(&format!(", {} duplicates", thousands(progress.duplicates)));
    }
    if progress.rejected > 0 {
        text.push_str(&format!(
            ", {} lines rejected",
            thousands(progress.rejected)
        ));
        if let Some(path) = &outcome.rejected_path {
            text.push_str(&format!(" (see {})", path.display()));
        }
    }
    text.push_str(&read_as(outcome.format));
    let seconds = took.as_secs_f64().max(0.001);
    let rate = (progress.accepted + progress.duplicates) as f64 / seconds;
    if outcome.resumed_from.is_some() {
        text.push_str(&format!(
            ", taken up where it was interrupted, {seconds:.1} s"
        ));
    } else {
        text.push_str(&format!(
            ", {seconds:.1} s, {} a second",
            thousands(rate as u64)
        ));
    }
    terminal::line(text);
}

/// How the file was read, where that is a choice.
fn read_as(format: FileFormat) -> String {
    match format {
        FileFormat::Csv(dialect) => format!(
            ", read as columns separated by {}",
            match dialect.delimiter {
                Delimiter::Byte(b',') => "commas".to_owned(),
                Delimiter::Byte(b'\t') => "tabs".to_owned(),
                Delimiter::Byte(byte) => format!("'{}'", char::from(byte)),
                Delimiter::Whitespace => "blanks".to_owned(),
            }
        ),
        _ => String::new(),
    }
}
