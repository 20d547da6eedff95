//! Memory for one query, and nowhere else to go: no disk, no object store.
//!
//! A query has a limit of its own, and all of them together have what the process leaves them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{
    GreedyMemoryPool, MemoryLimit, MemoryPool, MemoryReservation,
};
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::object_store::ObjectStore;
use tillwatch_event::{MemoryBudget, MemoryPart, MemoryShare};
use url::Url;

use crate::error::AnalyseError;
use crate::limits::QueryLimits;

/// The surroundings of one query.
pub(super) fn limited(
    limits: &QueryLimits,
    memory: &MemoryBudget,
) -> Result<Arc<RuntimeEnv>, AnalyseError> {
    let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(SharedPool::new(limits, memory)))
        .with_disk_manager_builder(disk)
        .with_object_store_registry(Arc::new(NoStores))
        .build_arc()
        .map_err(AnalyseError::internal)
}

/// What the message of a refusal starts with for which not the query is to blame.
pub(crate) const CROWDED: &str = "the process has no memory left for queries";

/// The memory of one query, taken out of what the parts of the process share.
#[derive(Debug)]
struct SharedPool {
    own: GreedyMemoryPool,
    share: Mutex<MemoryShare>,
}

impl SharedPool {
    fn new(limits: &QueryLimits, memory: &MemoryBudget) -> Self {
        Self {
            own: GreedyMemoryPool::new(limits.memory_bytes_max),
            share: Mutex::new(memory.share(MemoryPart::Queries)),
        }
    }

    fn share(&self) -> MutexGuard<'_, MemoryShare> {
        self.share.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for SharedPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shared({})", self.own)
    }
}

impl MemoryPool for SharedPool {
    fn name(&self) -> &str {
        "shared"
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.own.grow(reservation, additional);
        self.share().force(additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.own.shrink(reservation, shrink);
        self.share().shrink(shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.own.try_grow(reservation, additional)?;
        let taken = self.share().grow(additional);
        taken.map_err(|short| {
            self.own.shrink(reservation, additional);
            // Of the engine's own kind, on which some steps give up what they can do without.
            DataFusionError::ResourcesExhausted(format!("{CROWDED}: {short}"))
        })
    }

    fn reserved(&self) -> usize {
        self.own.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.own.memory_limit()
    }
}

/// No URL leads anywhere, not even to local files.
#[derive(Debug)]
struct NoStores;

impl ObjectStoreRegistry for NoStores {
    fn register_store(&self, _: &Url, _: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        None
    }

    fn get_store(&self, _: &Url) -> Result<Arc<dyn ObjectStore>> {
        exec_err!("queries read no files")
    }
}
