//! All parts wired together: what runs when a server runs.

mod access;
mod auditing;
pub mod backtesting;
pub mod backup;
pub mod editing;
mod events_sql;
mod figures;
mod generation;
pub mod keeper;
pub mod maintenance;
mod reload;
mod sources;
#[cfg(test)]
mod tests;
mod ticker;
mod upkeep;
pub mod verify;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use reqwest::Url;
use tillwatch_collect::{Clock, Intake, SystemClock};
use tillwatch_event::MemoryBudget;
use tillwatch_history::{History, HistoryOptions, Location};
use tillwatch_journal::{DiskStorage, Journal};
use tillwatch_monitor::catalogue::Catalogue;
use tillwatch_monitor::watch::{Feed, WatchOptions};
use tillwatch_process::{Keeping, Processor, RecoverRange, RecoverReport};
use tillwatch_serve::adapters::RunningHealth;
use tillwatch_serve::documents::DefinitionsStatus;
use tillwatch_serve::{App, Assets, Server};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::definitions::Loaded;
use crate::definitions::limits::Limits;
use crate::{machine, terminal};
pub use access::{catalogue_of, open_catalogue};
use auditing::Auditing;
use editing::{DefinitionsSource, Editing};
pub use generation::{Generation, csv_options};
use generation::{Incidents, Parts, Successor};
use keeper::Keeper;
pub use reload::watch_folder;
use sources::SourceBoard;
use ticker::Ticker;
use upkeep::Upkeep;

/// The folder of the journal within the data folder.
const JOURNAL: &str = "journal";
/// The folder of the history tables within the data folder.
const HISTORY: &str = "history";
/// The folder of the checkpoint and of the ids remembered within the data folder.
const STATE: &str = "state";
/// The catalogue's file within the data folder.
const CATALOGUE: &str = "catalogue.sqlite";
/// Between two looks at what the process holds.
const MEASURE_EVERY: Duration = Duration::from_secs(1);

/// Whether a folder is one that data was kept in.
#[must_use]
pub fn is_data_folder(data: &Path) -> bool {
    data.join(JOURNAL).is_dir()
}

/// Opens the journal of a data folder; it is made when it is not there.
///
/// # Errors
/// Another process has it open, or it is damaged.
pub fn open_journal(data: &Path, loaded: &Loaded) -> Result<Journal> {
    let folder = data.join(JOURNAL);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("the data folder {} cannot be made", data.display()))?;
    let storage = DiskStorage::open(&folder)
        .with_context(|| format!("the journal {} cannot be opened", folder.display()))?;
    let (journal, recovery) = Journal::open(Arc::new(storage), loaded.limits.journal.options())
        .with_context(|| format!("the journal {} cannot be opened", folder.display()))?;
    if recovery.torn_bytes_dropped > 0 {
        tracing::warn!(
            bytes = recovery.torn_bytes_dropped,
            "the journal's torn tail, which was never acknowledged, was cut off"
        );
    }
    Ok(journal)
}

/// Opens what is kept beside the journal of a data folder; it is made when it is not there.
///
/// # Errors
/// A folder cannot be made or used.
pub fn open_keeping(
    data: &Path,
    journal: &Journal,
    loaded: &Loaded,
    memory: MemoryBudget,
) -> Result<Keeping> {
    let folder = data.join(HISTORY);
    let location = match &loaded.history {
        Some(place) => Location::Url {
            url: place.url.clone(),
            options: place.options.clone(),
        },
        None => Location::Folder(folder),
    };
    let history = History::open(location, HistoryOptions::default())
        .context("the history tables cannot be opened")?;
    let folder = data.join(STATE);
    let state = DiskStorage::open(&folder)
        .with_context(|| format!("the folder {} cannot be opened", folder.display()))?;
    Ok(Keeping {
        history,
        state: Arc::new(state),
        journal: journal.instance()?,
        journal_end: journal.durable(),
        pins: Arc::default(),
        memory,
    })
}

/// Plans the definitions, takes up history and replays the rest of the journal. Events that cannot
/// be read by them are told in the log.
///
/// # Errors
/// The journal or history is damaged.
pub fn replay(
    journal: &Journal,
    loaded: &Loaded,
    keeping: Keeping,
    progress: &dyn Fn(&RecoverReport),
) -> Result<Arc<Processor>> {
    let processor = Arc::new(generation::plan(loaded)?);
    let attached = processor.attach(keeping, &|_| ())?;
    if attached.cubes_filled > 0 {
        tracing::info!(
            cubes = attached.cubes_filled,
            events = attached.events_read,
            "cubes were filled from history"
        );
    }
    let range = RecoverRange {
        flush: true,
        ..RecoverRange::default()
    };
    processor.recover(&journal.reader(), range, progress)?;
    for note in unfit_streams(&processor) {
        tracing::warn!("{note}");
    }
    Ok(processor)
}

/// How a server is started.
pub struct Options {
    /// The data folder.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Tokens that give access, besides those of the data folder.
    pub tokens: Vec<String>,
    /// Host names besides loopback.
    pub hosts: Vec<String>,
    /// What messages link to.
    pub links: Links,
    /// The folder that backups go into; without it none are made.
    pub backups: Option<PathBuf>,
    /// Where the definitions are from.
    pub definitions: DefinitionsSource,
}

/// What messages to channels link to.
pub enum Links {
    /// Nothing: where people reach the web is not known.
    None,
    /// The address it listens on.
    Address,
    /// Where people reach the web.
    To(Url),
}

/// A running server.
pub struct Engine {
    app: App,
    address: SocketAddr,
    serving: JoinHandle<()>,
    /// Looks at what the process holds, until it is aborted.
    measuring: JoinHandle<()>,
    /// What the parts share.
    memory: MemoryBudget,
    health: Arc<RunningHealth>,
    sources: Arc<SourceBoard>,
    journal_bytes: u64,
    /// The limits that are in force until the next start.
    limits: Limits,
    /// What is said of the definitions in force.
    in_force: Mutex<DefinitionsStatus>,
    catalogue: Arc<Catalogue>,
    upkeep: Upkeep,
    editing: Editing,
    feed: Feed,
    watching: WatchOptions,
    backtests: Arc<AtomicUsize>,
    data: PathBuf,
    running: tokio::sync::Mutex<Running>,
}

/// What is there once the journal is replayed.
struct Running {
    intake: Option<Arc<Intake>>,
    generation: Option<Arc<Generation>>,
    ticker: Option<Ticker>,
    keeping: Option<Keeping>,
    keeper: Option<Arc<Keeper>>,
    auditing: Option<Auditing>,
}

impl Engine {
    /// Opens the data folder and listens; probes, status and the web are answered from here on.
    /// [`Self::recover`] opens the rest.
    ///
    /// # Errors
    /// The address or the data folder cannot be used, or access is not safe.
    pub async fn start(options: Options, loaded: &Loaded) -> Result<(Arc<Self>, Journal)> {
        access::check(&options)?;
        let journal = open_journal(&options.data, loaded)?;
        let catalogue = Arc::new(open_catalogue(&options.data)?);
        let access = access::rules(&options, &catalogue)?;
        let health = Arc::new(RunningHealth::new());
        match journal.instance() {
            Ok(instance) => health.set_instance(instance),
            // A full disk, most likely: what is there can be read.
            Err(error) => tracing::warn!(%error, "the journal has no id that tells it from others"),
        }
        let sources = Arc::new(SourceBoard::default());
        let board = Arc::clone(&sources);
        health.set_sources(move || board.statuses());
        let memory = MemoryBudget::new(loaded.limits.memory.bytes_max());
        health.set_memory(memory.clone());
        let measured = Arc::clone(&health);
        let measuring = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(MEASURE_EVERY);
            loop {
                ticks.tick().await;
                measured.measure_memory(machine::resident_bytes());
            }
        });
        let http = loaded.limits.within_memory().http;
        let editing = Editing::new(options.definitions, options.data.clone(), &http);
        let app = App::sharing(
            http,
            access,
            Assets::embedded(),
            Arc::clone(&health) as Arc<_>,
            &memory,
        );
        app.set_definitions(Arc::new(editing.clone()));
        let data = options.data.clone();
        let upkeep = Upkeep::new(&app, data, options.backups, Arc::clone(&catalogue));
        let server = Server::bind(options.listen, app.clone()).await?;
        let address = server.address();
        let engine = Self {
            app,
            address,
            serving: tokio::spawn(server.run()),
            measuring,
            memory,
            health,
            sources,
            journal_bytes: journal.bytes(),
            limits: loaded.limits.clone(),
            in_force: Mutex::default(),
            catalogue,
            upkeep,
            editing,
            feed: Feed::default(),
            watching: WatchOptions {
                base_url: match options.links {
                    Links::None => None,
                    Links::Address => Some(format!("http://{address}")),
                    Links::To(url) => Some(url.into()),
                },
            },
            backtests: Arc::default(),
            data: options.data,
            running: tokio::sync::Mutex::new(Running {
                intake: None,
                generation: None,
                ticker: None,
                keeping: None,
                keeper: None,
                auditing: None,
            }),
        };
        Ok((Arc::new(engine), journal))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Replays the journal and opens the server for all calls.
    ///
    /// # Errors
    /// The journal is damaged, or a part cannot be started.
    pub async fn recover(&self, journal: Journal, loaded: Arc<Loaded>) -> Result<()> {
        let health = Arc::clone(&self.health);
        let total = self.journal_bytes;
        let definitions = Arc::clone(&loaded);
        let (data, memory) = (self.data.clone(), self.memory.clone());
        let (journal, processor, keeping) = tokio::task::spawn_blocking(move || {
            let keeping = open_keeping(&data, &journal, &definitions, memory)?;
            let bar = terminal::bytes_bar("  replaying the journal", total);
            let progress = |done: &RecoverReport| {
                health.set_progress(done.bytes, total, done.events);
                bar.set_position(done.bytes);
            };
            let replayed = replay(&journal, &definitions, keeping.clone(), &progress);
            bar.finish_and_clear();
            replayed.map(|processor| (journal, processor, keeping))
        })
        .await
        .context("replaying the journal panicked")??;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let downstream = Arc::clone(&processor) as Arc<dyn tillwatch_collect::Downstream>;
        let intake = Arc::new(Intake::start(
            journal,
            downstream,
            loaded.limits.within_memory().intake,
            clock,
        )?);
        intake.set_memory(self.memory.clone());
        self.health.set_intake(Arc::clone(&intake));
        let mut running = self.running.lock().await;
        running.intake = Some(Arc::clone(&intake));
        running.keeping = Some(keeping.clone());
        let pace = loaded.limits.history.pace();
        let audit_pace = loaded.limits.audit.pace();
        let parts = self.parts(Arc::clone(&loaded), processor, &intake)?;
        let generation = Generation::start(parts)?;
        running.ticker = Some(Ticker::start()?);
        let keeper = Keeper::start(Arc::clone(&intake), pace)?;
        let status = keeper.status();
        self.health.set_history(move || status.read());
        let keeper = Arc::new(keeper);
        self.upkeep.go_on(&keeper, &intake, keeping, &loaded);
        running.keeper = Some(keeper);
        let auditing = Auditing::start(intake.reader(), audit_pace)?;
        let status = auditing.status();
        self.health.set_audit(move || status.read());
        running.auditing = Some(auditing);
        self.put_in_force(&mut running, &intake, generation).await;
        Ok(())
    }

    fn parts(
        &self,
        loaded: Arc<Loaded>,
        processor: Arc<Processor>,
        intake: &Arc<Intake>,
    ) -> Result<Arc<Parts>> {
        let incidents = Incidents {
            catalogue: Arc::clone(&self.catalogue),
            feed: self.feed.clone(),
            options: self.watching.clone(),
            backtests: Arc::clone(&self.backtests),
        };
        Parts::new(loaded, processor, intake, incidents, Handle::current()).map(Arc::new)
    }

    /// Lets a generation answer whose processor takes what comes. Nothing here can fail: from the
    /// change of the processor on there is no way back.
    async fn put_in_force(
        &self,
        running: &mut Running,
        intake: &Arc<Intake>,
        generation: Generation,
    ) {
        let generation = Arc::new(generation);
        let loaded = generation.loaded();
        self.health
            .set_processor(Arc::clone(generation.processor()));
        intake.set_streams(loaded.streams.len());
        let courier = generation.courier();
        self.health
            .set_channels(move || generation::channels(&courier));
        self.app.open(generation.services());
        if let Some(ticker) = &running.ticker {
            ticker.go_on(generation.watch(), generation.courier()).await;
        }
        if let Some(keeper) = &running.keeper {
            keeper.go_on(Arc::clone(generation.processor()));
        }
        if let Some(auditing) = &running.auditing {
            auditing.go_on(Arc::clone(generation.processor()), generation.watch());
        }
        self.sources.stop().await;
        for source in &loaded.sources {
            if let Some(decoder) = generation.decoder(&source.value.stream) {
                let (intake, limits) = (Arc::clone(intake), loaded.limits.poll);
                self.sources.start(source, decoder, intake, limits);
            }
        }
        let mut notes = unfit_streams(generation.processor());
        for note in self.limits.only_at_start(&loaded.limits) {
            tracing::warn!("{note}");
            notes.push(note);
        }
        let status = in_force(loaded, notes);
        *self.in_force.lock().unwrap_or_else(PoisonError::into_inner) = status.clone();
        self.health.set_definitions(status);
        self.editing.in_force(Arc::clone(generation.definitions()));
        running.generation = Some(generation);
    }

    /// Puts other definitions in force. The journal is replayed through them beside the running
    /// ones, which take events meanwhile; the change happens between two groups of events.
    ///
    /// # Errors
    /// The definitions do not fit what is in the journal, or a part cannot be built; those in
    /// force stay.
    pub async fn reload(&self, loaded: Arc<Loaded>) -> Result<()> {
        let mut running = self.running.lock().await;
        let (Some(intake), Some(before)) = (running.intake.clone(), running.generation.clone())
        else {
            return Ok(());
        };
        let (Some(mut keeping), Some(keeper)) = (running.keeping.clone(), running.keeper.clone())
        else {
            return Ok(());
        };
        // First what may fail and changes nothing. Nobody writes history until the change is made
        // or given up.
        let (definitions, place) = (Arc::clone(&loaded), Arc::clone(&intake));
        let serving = Arc::clone(before.processor());
        let prepared = tokio::task::spawn_blocking(move || {
            if let Err(error) = keeper.pause(&place) {
                tracing::warn!(%error, "history could not be flushed before the change");
            }
            keeping.journal_end = place.reader().durable();
            Successor::prepare(&place, &definitions, &serving, keeping)
        })
        .await
        .context("replaying the journal panicked")
        .and_then(|prepared| prepared);
        let prepared = prepared.and_then(|successor| {
            let parts = self.parts(loaded, Arc::clone(successor.processor()), &intake)?;
            Ok((successor, parts))
        });
        let (successor, parts) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                if let Some(keeper) = &running.keeper {
                    keeper.go_on(Arc::clone(before.processor()));
                }
                return Err(error);
            }
        };
        // Two must not judge at a time: what one commits, the other would not know.
        if let Some(ticker) = &running.ticker {
            ticker.pause().await;
        }
        let (place, serving) = (Arc::clone(&intake), Arc::clone(before.processor()));
        let changed = tokio::task::spawn_blocking(move || {
            let generation = Generation::start(parts)?;
            successor.take_place(&place, serving)?;
            Ok(generation)
        })
        .await
        .unwrap_or_else(|_| Err(anyhow!("changing the definitions panicked")));
        match changed {
            Ok(generation) => {
                self.put_in_force(&mut running, &intake, generation).await;
                Ok(())
            }
            Err(error) => {
                self.stay(&mut running, &before).await;
                Err(error)
            }
        }
    }

    /// Judging goes on by the definitions in force. The others may have closed incidents by theirs,
    /// so the catalogue is read again.
    async fn stay(&self, running: &mut Running, before: &Arc<Generation>) {
        let again = match before.again() {
            Ok(again) => Arc::new(again),
            Err(error) => {
                tracing::error!(%error, "the catalogue could not be read again");
                Arc::clone(before)
            }
        };
        self.app.open(again.services());
        if let Some(ticker) = &running.ticker {
            ticker.go_on(again.watch(), again.courier()).await;
        }
        if let Some(keeper) = &running.keeper {
            keeper.go_on(Arc::clone(again.processor()));
        }
        if let Some(auditing) = &running.auditing {
            auditing.go_on(Arc::clone(again.processor()), again.watch());
        }
        running.generation = Some(again);
    }

    /// Says in the status that changed definitions were refused, with their faults. With none, only
    /// what is in force is told again.
    pub fn refused(&self, errors: Vec<String>) {
        let mut status = self
            .in_force
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        status.errors.splice(0..0, errors);
        self.health.set_definitions(status);
    }

    /// The definitions in force; none while recovering.
    pub async fn generation(&self) -> Option<Arc<Generation>> {
        self.running.lock().await.generation.clone()
    }

    /// The way into the journal; none while recovering.
    pub async fn intake(&self) -> Option<Arc<Intake>> {
        self.running.lock().await.intake.clone()
    }

    /// Stops: new calls are refused, calls under way finish, everything taken is written.
    pub async fn stop(&self) {
        self.app.stop();
        self.measuring.abort();
        self.sources.stop().await;
        let mut running = self.running.lock().await;
        if let Some(ticker) = running.ticker.take() {
            ticker.stop().await;
        }
        if let Some(auditing) = running.auditing.take()
            && tokio::task::spawn_blocking(|| auditing.stop())
                .await
                .is_err()
        {
            tracing::error!("stopping the audit panicked");
        }
        self.upkeep.stop().await;
        let keeper = running.keeper.take().and_then(Arc::into_inner);
        if let Some(intake) = running.intake.take() {
            let stopped = tokio::task::spawn_blocking(move || {
                // While the journal is still ours. What comes after the flush, the next start replays.
                if let Some(keeper) = keeper {
                    keeper.stop(&intake);
                }
                intake.stop();
            })
            .await;
            if stopped.is_err() {
                tracing::error!("stopping the intake panicked");
            }
        }
    }

    /// Waits until the server has answered its last call.
    pub async fn finished(self: Arc<Self>) {
        if let Some(engine) = Arc::into_inner(self)
            && engine.serving.await.is_err()
        {
            tracing::error!("the server panicked");
        }
    }
}

/// What is worth knowing about the definitions that are in force from now on.
fn in_force(loaded: &Loaded, mut notes: Vec<String>) -> DefinitionsStatus {
    notes.extend(loaded.inactive_channels.iter().map(|(channel, variable)| {
        format!("channel '{channel}' is inactive: the environment variable {variable} is not set")
    }));
    DefinitionsStatus {
        loaded_at: Some(jiff::Timestamp::now().to_string()),
        errors: notes,
    }
}

/// The streams that do not count some events of the journal, each with the reason.
fn unfit_streams(processor: &Processor) -> Vec<String> {
    processor
        .streams()
        .iter()
        .map(|stream| stream.status())
        .filter(|status| status.failed > 0)
        .map(|status| generation::unfit(&status))
        .collect()
}
