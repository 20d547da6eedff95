//! `maintain`: do by hand what the server does by itself: flush, lay together, roll up, clean up.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use tillwatch_collect::{Clock, SystemClock};
use tillwatch_process::MaintainReport;

use crate::cli::Folders;
use crate::engine::{is_data_folder, open_journal, open_keeping, replay};
use crate::terminal::{self, thousands};

/// Maintains a data folder that no server has open.
pub async fn run(folders: Folders) -> Result<ExitCode> {
    let Some(loaded) = super::load(&folders.config) else {
        return Ok(ExitCode::from(1));
    };
    if !is_data_folder(&folders.data) {
        bail!(
            "{} is no data folder: it has no journal",
            folders.data.display()
        );
    }
    let maintained = tokio::task::spawn_blocking(move || -> Result<_> {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(Duration::from_millis(100));
        bar.set_message("replaying the journal");
        let mut journal = open_journal(&folders.data, &loaded)?;
        let keeping = open_keeping(&folders.data, &journal, &loaded)?;
        let processor = replay(&journal, &loaded, keeping, &|_| ())?;
        bar.set_message("flushing");
        let flushed = processor.flush(&journal.reader())?;
        let segments = match processor.journal_needed_from() {
            Some(before) => journal.remove_segments_before(before)?,
            None => 0,
        };
        let mut total = MaintainReport::default();
        while let Some(done) = processor.maintain_step()? {
            total.add(done);
            bar.set_message(format!(
                "{} files laid together or rolled up",
                thousands(total.files_replaced)
            ));
        }
        bar.set_message("deleting what nobody needs");
        total.add(processor.vacuum(SystemClock.now_us())?);
        bar.finish_and_clear();
        Ok((flushed, segments, total))
    });
    let (flushed, segments, total) = maintained.await.context("maintaining panicked")??;
    terminal::line(format!(
        "{} events flushed, {} journal segments removed, {} compactions and {} roll-ups of {} files, {} files expired, {} files deleted",
        thousands(flushed.map_or(0, |report| report.events)),
        thousands(segments),
        thousands(total.compactions),
        thousands(total.roll_ups),
        thousands(total.files_replaced),
        thousands(total.files_expired),
        thousands(total.files_deleted),
    ));
    Ok(ExitCode::SUCCESS)
}
