//! `maintain`: do by hand what the server does by itself: flush, lay together, roll up, clean up.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use tillwatch_collect::{Clock, SystemClock};
use tillwatch_event::MemoryBudget;
use tillwatch_serve::documents::MaintainStatus;

use super::client::ServerClient;
use crate::cli::{FolderOrServer, Folders, Place};
use crate::engine::keeper::ByHandReport;
use crate::engine::maintenance::fill;
use crate::engine::{is_data_folder, open_journal, open_keeping, replay};
use crate::terminal::{self, thousands};

/// Maintains.
pub async fn run(place: Place) -> Result<ExitCode> {
    let maintained = match place.which()? {
        FolderOrServer::Server(server) => of_server(&ServerClient::new(&server)?).await?,
        FolderOrServer::Folder(folders) => match of_folder(folders).await? {
            Some(maintained) => maintained,
            None => return Ok(ExitCode::from(1)),
        },
    };
    terminal::line(format!(
        "{} events flushed, {} journal segments removed, {} compactions and {} roll-ups of {} files, {} files expired, {} files deleted, {:.1} s",
        thousands(maintained.flushed_events),
        thousands(maintained.journal_segments),
        thousands(maintained.compactions),
        thousands(maintained.roll_ups),
        thousands(maintained.files_replaced),
        thousands(maintained.files_expired),
        thousands(maintained.files_deleted),
        maintained.took_s,
    ));
    if maintained.deletion_deferred {
        terminal::line("files that nobody needs are deleted when the verification has ended");
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks a server and waits for it.
async fn of_server(client: &ServerClient) -> Result<MaintainStatus> {
    let bar = spinner();
    bar.set_message("waiting for the server");
    let told = |now: &Value| {
        let replaced = now.get("files_replaced").and_then(Value::as_u64);
        bar.set_message(progress(replaced.unwrap_or(0)));
    };
    let nothing = json!({});
    let ended = client.wait_for("/v1/maintain", "maintain", &nothing, &told);
    let ended = ended.await;
    bar.finish_and_clear();
    serde_json::from_value(ended?).context("the server's answer is none of ours")
}

/// Maintains a data folder that no server has open; none when its definitions have faults.
async fn of_folder(folders: Folders) -> Result<Option<MaintainStatus>> {
    let Some(loaded) = super::load(&folders.config) else {
        return Ok(None);
    };
    if !is_data_folder(&folders.data) {
        bail!(
            "{} is no data folder: it has no journal",
            folders.data.display()
        );
    }
    let started = Instant::now();
    let maintained = tokio::task::spawn_blocking(move || -> Result<_> {
        let bar = spinner();
        bar.set_message("replaying the journal");
        let mut journal = open_journal(&folders.data, &loaded)?;
        let keeping = open_keeping(&folders.data, &journal, &loaded, MemoryBudget::unbounded())?;
        let processor = replay(&journal, &loaded, keeping, &|_| ())?;
        bar.set_message("flushing");
        let mut report = ByHandReport::default();
        let flushed = processor.flush(&journal.reader())?;
        report.flushed_events = flushed.map_or(0, |flushed| flushed.events);
        if let Some(before) = processor.journal_needed_from() {
            report.journal_segments = journal.remove_segments_before(before)?;
        }
        while let Some(done) = processor.maintain_step()? {
            report.maintained.add(done);
            bar.set_message(progress(report.maintained.files_replaced));
        }
        bar.set_message("deleting what nobody needs");
        report
            .maintained
            .add(processor.vacuum(SystemClock.now_us())?);
        bar.finish_and_clear();
        Ok(report)
    });
    let report = maintained.await.context("maintaining panicked")??;
    let mut status = MaintainStatus {
        took_s: started.elapsed().as_secs_f64(),
        ..MaintainStatus::default()
    };
    fill(&mut status, &report);
    Ok(Some(status))
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn progress(files: u64) -> String {
    format!("{} files laid together or rolled up", thousands(files))
}
