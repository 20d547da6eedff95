//! Monitors over the past of a data folder that no server has open.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tillwatch_analyse::Analyst;
use tillwatch_event::MemoryBudget;
use tillwatch_journal::Journal;
use tillwatch_monitor::backtest::BacktestLimits;
use tillwatch_monitor::catalogue::Catalogue;
use tillwatch_serve::adapters::{MonitorDefinitions, PastMonitors};
use tokio::runtime::Handle;

use super::figures::Figures;
use super::{CATALOGUE, is_data_folder, open_journal, open_keeping, replay};
use crate::definitions::Loaded;

/// The monitors of a folder, and its journal, which stays open as long as they are asked.
pub struct OfFolder {
    /// They.
    pub monitors: PastMonitors,
    /// Keeps others out.
    _journal: Journal,
}

/// Opens a data folder to test monitors over its past; questions run on `runtime` and must come from a thread of their own.
///
/// # Errors
/// The folder is none, a server has it open, or it is damaged.
pub fn of_folder(data: &Path, loaded: &Arc<Loaded>, runtime: Handle) -> Result<OfFolder> {
    if !is_data_folder(data) {
        bail!("{} is no data folder: it has no journal", data.display());
    }
    let journal = open_journal(data, loaded)?;
    let keeping = open_keeping(data, &journal, loaded, MemoryBudget::unbounded())?;
    let processor = replay(&journal, loaded, keeping, &|_| ())?;
    let analyst = Analyst::new(
        &processor,
        &journal.reader(),
        loaded.metrics.clone(),
        loaded.limits.query.limits(),
    )?;
    let path = data.join(CATALOGUE);
    let catalogue = if path.is_file() {
        Catalogue::open(&path)
            .with_context(|| format!("the catalogue {} cannot be opened", path.display()))?
    } else {
        Catalogue::in_memory()?
    };
    // Nobody else waits here for an answer.
    let limits = BacktestLimits {
        deadline: Duration::MAX,
        ..loaded.limits.monitor.backtests()
    };
    let figures = Figures::new(Arc::new(analyst), processor, runtime);
    let monitors = PastMonitors::new(
        Arc::clone(loaded) as Arc<dyn MonitorDefinitions>,
        Arc::new(figures),
        Arc::new(catalogue),
        limits,
        Arc::default(),
    );
    Ok(OfFolder {
        monitors,
        _journal: journal,
    })
}
