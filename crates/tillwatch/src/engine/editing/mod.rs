//! The definitions folder of a running server, as people read and change it over HTTP.
//!
//! A change is checked before it is written, with all of the folder and by the code that a reload goes through; then the file is
//! written, and the watcher of the folder puts it in force as it does what an editor has written. What the running server then
//! refuses, as it would lose events, is put back as it was.

mod calendars;
mod change;
mod folder;
mod list;
mod proposal;
mod write;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tillwatch_serve::documents::{
    CalendarList, DefinitionChanged, DefinitionItem, DefinitionList, ProposalDocument,
};
use tillwatch_serve::ports::{DefinitionChange, Definitions, FileSample, TaggedText};
use tillwatch_serve::{Limits, Problem};
use tokio::sync::{mpsc, watch};

use crate::definitions::{Fault, Loaded};

/// Where a server has its definitions from.
#[derive(Debug, Clone)]
pub enum DefinitionsSource {
    /// A folder.
    Folder {
        /// Its path, as it is watched.
        dir: PathBuf,
        /// Whether it is left as it is.
        read_only: bool,
    },
    /// A text that comes with the program.
    BuiltIn(String),
}

/// What is known of the definitions that run.
#[derive(Default)]
struct Known {
    /// Those in force.
    in_force: Option<Arc<Loaded>>,
    /// The digest of those that were looked at last and refused, with the reason.
    refused: Option<(u64, String)>,
}

/// What became of definitions that were written.
enum Outcome {
    InForce,
    Refused(String),
    NotYet,
}

/// The folder. Clones are handles to the same.
#[derive(Clone)]
pub struct Editing {
    inner: Arc<Inner>,
}

struct Inner {
    source: DefinitionsSource,
    /// The data folder, in which no definitions are made.
    data: PathBuf,
    files_max: usize,
    bytes_max: usize,
    proposed_bytes_max: usize,
    wait: Duration,
    /// Changes come one after the other.
    changing: tokio::sync::Mutex<()>,
    /// So do checks, each of which may take a processor for a while.
    checking: tokio::sync::Mutex<()>,
    known: watch::Sender<Known>,
    /// Makes the watcher look, where the system tells it of no change.
    look: OnceLock<mpsc::Sender<()>>,
    /// The faults of the folder that was checked last, by its digest.
    checked: Mutex<Option<(u64, Vec<Fault>)>>,
}

impl Editing {
    /// The definitions of a server that keeps its data in `data`.
    #[must_use]
    pub fn new(source: DefinitionsSource, data: PathBuf, limits: &Limits) -> Self {
        let inner = Inner {
            source,
            data,
            files_max: limits.definition_files_max,
            bytes_max: limits.definition_bytes_max,
            proposed_bytes_max: limits.propose_bytes_max,
            wait: Duration::from_millis(limits.definition_wait_ms),
            changing: tokio::sync::Mutex::default(),
            checking: tokio::sync::Mutex::default(),
            known: watch::Sender::new(Known::default()),
            look: OnceLock::new(),
            checked: Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Definitions are in force.
    pub fn in_force(&self, loaded: Arc<Loaded>) {
        self.inner.known.send_modify(|known| {
            known.in_force = Some(loaded);
            known.refused = None;
        });
    }

    /// The folder was read and is not put in force; or it is again as what is.
    pub fn looked(&self, digest: u64, refused: Option<String>) {
        self.inner.known.send_modify(|known| {
            known.refused = refused.map(|reason| (digest, reason));
        });
    }

    /// By what the watcher of the folder is made to look.
    pub fn watched_by(&self, look: mpsc::Sender<()>) {
        // A folder is watched once.
        let _ = self.inner.look.set(look);
    }
}

impl Inner {
    fn loaded(&self) -> Option<Arc<Loaded>> {
        self.known.borrow().in_force.clone()
    }

    fn is_in_force(&self, digest: u64) -> bool {
        self.loaded().is_some_and(|loaded| loaded.digest == digest)
    }

    /// Makes the watcher look; it waits until the folder is quiet.
    fn look(&self) {
        if let Some(look) = self.look.get() {
            // When it is full, it is about to look.
            let _ = look.try_send(());
        }
    }

    /// Waits until definitions of that digest are in force or refused.
    async fn outcome(&self, digest: u64) -> Outcome {
        let mut known = self.known.subscribe();
        let seen = async {
            loop {
                {
                    let known = known.borrow_and_update();
                    if (known.in_force.as_ref()).is_some_and(|loaded| loaded.digest == digest) {
                        return Outcome::InForce;
                    }
                    if let Some((refused, reason)) = &known.refused
                        && *refused == digest
                    {
                        return Outcome::Refused(reason.clone());
                    }
                }
                if known.changed().await.is_err() {
                    return Outcome::NotYet;
                }
            }
        };
        let seen = tokio::time::timeout(self.wait, seen).await;
        seen.unwrap_or(Outcome::NotYet)
    }

    fn remember(&self, digest: u64, faults: &[Fault]) {
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        *checked = Some((digest, faults.to_vec()));
    }

    fn remembered(&self, digest: u64) -> Option<Vec<Fault>> {
        let checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, faults) = checked.as_ref()?;
        (*known == digest).then(|| faults.clone())
    }
}

impl Definitions for Editing {
    fn list(&self) -> Result<DefinitionList, Problem> {
        self.inner.list()
    }

    fn file(&self, file: &str) -> Result<TaggedText, Problem> {
        self.inner.file(file)
    }

    fn pack_file(&self, pack: &str, file: &str) -> Result<TaggedText, Problem> {
        list::pack_file(pack, file)
    }

    fn item(&self, section: &str, name: &str) -> Result<DefinitionItem, Problem> {
        self.inner.item(section, name)
    }

    fn change(
        &self,
        change: DefinitionChange,
    ) -> BoxFuture<'static, Result<(DefinitionChanged, bool), Problem>> {
        change::make(Arc::clone(&self.inner), change).boxed()
    }

    fn calendars(&self) -> Result<CalendarList, Problem> {
        let now_us = jiff::Timestamp::now().as_microsecond();
        let loaded = self.inner.loaded();
        Ok(loaded.map_or_else(CalendarList::default, |loaded| {
            calendars::list(&loaded, now_us)
        }))
    }

    fn propose(&self, sample: &FileSample) -> Result<ProposalDocument, Problem> {
        proposal::propose(sample, self.inner.proposed_bytes_max)
    }
}
