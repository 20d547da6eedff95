//! The whole of a folder, ready to run, or all its faults.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;
use tillwatch_analyse::MetricDefinition;
use tillwatch_monitor::definition::MonitorDefinition;
use tillwatch_monitor::watch::AnnounceRules;
use tillwatch_process::{CubeDefinition, Rates, StreamDefinition};
use tillwatch_serve::adapters::CheckedBoard;

use super::fault::Fault;
use super::folder::{Folder, Item};
use super::history::{self, HistoryPlace};
use super::limits::{self, Limits};
use super::proposal::Proposals;
use super::resolve::{CsvShape, Environment, resolve};
use super::{boards, check, names, shape, sources};

/// Definitions that work.
#[derive(Debug)]
pub struct Loaded {
    /// Streams.
    pub streams: Vec<StreamDefinition>,
    /// How CSV of a stream is cut, where it is not the usual way.
    pub csv: IndexMap<String, CsvShape>,
    /// Cubes.
    pub cubes: Vec<CubeDefinition>,
    /// Metrics.
    pub metrics: Vec<MetricDefinition>,
    /// Monitors; they notify active channels only.
    pub monitors: Vec<MonitorDefinition>,
    /// Who is told: active channels, routes to them, maintenance windows.
    pub announce: AnnounceRules,
    /// Channels without an address, with the unset variable.
    pub inactive_channels: Vec<(String, String)>,
    /// Sources that fetch by themselves.
    pub sources: Vec<Item<shape::Source>>,
    /// Maintenance windows as written.
    pub maintenance: Vec<Item<shape::Maintenance>>,
    /// Boards.
    pub boards: Vec<CheckedBoard>,
    /// What other monitors are checked against.
    pub proposals: Proposals,
    /// Conversion rates.
    pub rates: Arc<Rates>,
    /// Where history is; none in the data folder.
    pub history: Option<HistoryPlace>,
    /// Limits as written.
    pub limits: Limits,
    /// The [`Folder::digest`] of what they were read from.
    pub digest: u64,
}

/// Loads a folder.
///
/// # Errors
/// Every fault, in order of file, line and column.
pub fn load(dir: &Path, environment: Environment<'_>) -> Result<Loaded, Vec<Fault>> {
    finish(Folder::open(dir), environment)
}

/// Loads what has been read.
///
/// # Errors
/// Every fault, in order of file, line and column.
pub fn finish(mut folder: Folder, environment: Environment<'_>) -> Result<Loaded, Vec<Fault>> {
    let mut faults = std::mem::take(&mut folder.faults);
    let mut resolved = resolve(&folder, environment, &mut faults);
    let rates = check::rates(&folder, &mut faults);
    limits::contradictions(&folder, &mut faults);
    names::columns(&folder, &mut faults);
    let limits = folder
        .limits
        .take()
        .map(|item| item.value)
        .unwrap_or_default();
    let options = limits.process.options();
    let processor = check::processor(&folder, &resolved, rates.as_ref(), &options, &mut faults);
    let (metrics, natures) = match processor {
        Some(processor) => check::metrics(&folder, processor, &mut faults),
        None => Default::default(),
    };
    check::detectors(&folder, &natures, &mut faults);
    check::impacts(&folder, &natures, &mut faults);
    sources::sources(&folder, environment, limits.poll, &mut faults);
    boards::boards(&folder, &natures, &mut faults);
    let history = history::place(&folder, environment, &mut faults);
    if !faults.is_empty() {
        faults.sort();
        faults.dedup();
        return Err(faults);
    }
    let active = |name: &String| {
        resolved
            .channels
            .iter()
            .any(|channel| channel.name == *name)
    };
    for monitor in &mut resolved.monitors {
        monitor.notify.retain(active);
    }
    for route in &mut resolved.routes {
        route.channels.retain(active);
    }
    let digest = folder.digest();
    let boards = boards::sent::of_folder(&folder);
    Ok(Loaded {
        streams: resolved.streams.into_values().collect(),
        csv: resolved.csv,
        cubes: resolved.cubes.into_values().collect(),
        metrics,
        monitors: resolved.monitors,
        announce: AnnounceRules {
            channels: resolved.channels,
            routes: resolved.routes,
            maintenance: resolved.maintenance,
        },
        inactive_channels: resolved.inactive_channels,
        proposals: Proposals::new(&folder, natures),
        sources: folder.sources,
        maintenance: folder.maintenance,
        boards,
        // Rates at fault have ended this above.
        rates: rates.unwrap_or_default(),
        history,
        limits,
        digest,
    })
}
