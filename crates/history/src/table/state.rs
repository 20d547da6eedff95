//! A table's committed state, held in memory.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use deltalake_core::kernel::Metadata;

use crate::file::DataFile;

/// One committed state of a table.
#[derive(Clone, Debug)]
pub struct View {
    /// The version in the table's log; -1 when nothing was committed yet.
    pub version: i64,
    /// The greatest transaction of the definition's application that was committed.
    pub transaction: Option<u64>,
    /// The files of this version, by day and least time. They stay readable until they were removed from the table
    /// for longer than [`crate::HistoryOptions::removed_files_retention`] and the table is vacuumed.
    pub files: Arc<[Arc<DataFile>]>,
}

/// The version before the first.
pub(crate) const NO_VERSION: i64 = -1;

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) version: i64,
    /// None until the first commit.
    pub(crate) metadata: Option<Metadata>,
    /// Transactions by application, as far as somebody asked for them.
    pub(crate) transactions: HashMap<String, Option<i64>>,
    pub(crate) by_path: HashMap<String, Arc<DataFile>>,
    pub(crate) files: Arc<[Arc<DataFile>]>,
    /// Files that were removed and may still be on the store, with the time in microseconds.
    pub(crate) removed: HashMap<String, i64>,
}

/// What a commit changes in a state.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) metadata: Option<Metadata>,
    pub(crate) transaction: Option<(String, i64)>,
    pub(crate) remove: Vec<String>,
    pub(crate) add: Vec<Arc<DataFile>>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: NO_VERSION,
            metadata: None,
            transactions: HashMap::new(),
            by_path: HashMap::new(),
            files: Arc::new([]),
            removed: HashMap::new(),
        }
    }
}

impl State {
    pub(crate) fn view(&self, app: &str) -> View {
        View {
            version: self.version,
            transaction: self
                .transaction(app)
                .and_then(|version| u64::try_from(version).ok()),
            files: Arc::clone(&self.files),
        }
    }

    pub(crate) fn transaction(&self, app: &str) -> Option<i64> {
        self.transactions.get(app).copied().flatten()
    }

    /// Goes on to the next version.
    pub(crate) fn apply(&mut self, change: Change, removed_us: i64) {
        self.version += 1;
        if change.metadata.is_some() {
            self.metadata = change.metadata;
        }
        if let Some((app, version)) = change.transaction {
            self.transactions.insert(app, Some(version));
        }
        if change.remove.is_empty() && change.add.is_empty() {
            return;
        }
        for path in change.remove {
            self.by_path.remove(&path);
            self.removed.insert(path, removed_us);
        }
        for file in change.add {
            self.by_path.insert(file.path.clone(), file);
        }
        self.arrange();
    }

    /// Puts the files in order.
    pub(crate) fn arrange(&mut self) {
        let mut files: Vec<_> = self.by_path.values().map(Arc::clone).collect();
        files.sort_unstable_by(|a, b| (a.day, a.min_us, &a.path).cmp(&(b.day, b.min_us, &b.path)));
        self.files = files.into();
    }
}

/// Paths of files that are written and not committed yet: nobody may sweep them up.
pub(crate) type UnderWay = HashSet<String>;
