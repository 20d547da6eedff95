//! Writing data files, and the commits that make them part of a table.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;

use super::log::{Committed, format_day};
use super::state::{NO_VERSION, View};
use super::{Change, Core, Table, Writer, locked, now_ms, paths};
use crate::HistoryError;
use crate::file::{DataFile, Encoder, file_path};

/// Data files that are durable and in no commit yet. While this lives nobody sweeps them up.
pub(super) struct Written {
    core: Arc<Core>,
    files: Vec<Arc<DataFile>>,
    /// The log's statistics of each, by path.
    stats: HashMap<String, String>,
}

impl Written {
    /// Removes the files, which are in no commit and never will be. What cannot be removed is swept up later.
    fn discard(&self) {
        let paths = self
            .files
            .iter()
            .map(|file| self.core.file_path(&file.path));
        if let Ok(Err(error)) | Err(error) = self
            .core
            .place
            .delete(paths.collect())
            .map(|deleted| deleted.map_err(|source| self.core.failed("removing files", source)))
        {
            tracing::debug!(table = self.core.name, %error, "files of a failed commit stay until vacuum");
        }
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let mut under_way = locked(&self.core.under_way);
        for file in &self.files {
            under_way.remove(&file.path);
        }
    }
}

impl Table {
    /// The present view, when a transaction is committed already.
    pub(super) fn committed(&self, version: i64) -> Result<Option<View>, HistoryError> {
        let mut writer = locked(&self.core.writer);
        self.core.ready(&mut writer)?;
        let state = locked(&self.core.state);
        let app = &self.shape.spec.app;
        let done = state.transaction(app).is_some_and(|last| last >= version);
        Ok(done.then(|| state.view(app)))
    }

    /// Fails when one of these files is not in the table.
    pub(super) fn all_there(&self, files: &[Arc<DataFile>]) -> Result<(), HistoryError> {
        let mut writer = locked(&self.core.writer);
        self.core.ready(&mut writer)?;
        let state = locked(&self.core.state);
        let gone = files
            .iter()
            .find(|file| !state.by_path.contains_key(&file.path));
        gone.map_or(Ok(()), |file| {
            Err(HistoryError::FileGone {
                table: self.core.name.clone(),
                path: file.path.clone(),
            })
        })
    }

    /// Writes rows to files, durably.
    pub(super) fn write(&self, batches: &[RecordBatch]) -> Result<Written, HistoryError> {
        let mut written = Written {
            core: Arc::clone(&self.core),
            files: Vec::new(),
            stats: HashMap::new(),
        };
        let mut encoder = Encoder::new(&self.shape, &self.core.options, batches)?;
        loop {
            match self.write_next(&mut encoder, &mut written) {
                Ok(true) => {}
                Ok(false) => return Ok(written),
                Err(error) => {
                    // A disk that is full would be filled by each repetition.
                    written.discard();
                    return Err(error);
                }
            }
        }
    }

    fn write_next(
        &self,
        encoder: &mut Encoder<'_>,
        written: &mut Written,
    ) -> Result<bool, HistoryError> {
        let Some(encoded) = encoder.next()? else {
            return Ok(false);
        };
        let day = format_day(encoded.day).ok_or_else(|| HistoryError::Rows {
            table: self.core.name.clone(),
            reason: format!(
                "there is a time outside the years 1 to 9999: day {}",
                encoded.day
            ),
        })?;
        let file = DataFile {
            path: file_path(&day),
            day: encoded.day,
            rows: encoded.rows,
            bytes: encoded.bytes.len() as u64,
            min_us: encoded.min_us,
            max_us: encoded.max_us,
            crc32: Some(crc32fast::hash(&encoded.bytes)),
            written_ms: now_ms(),
        };
        let path = self.core.file_path(&file.path);
        // Before there is a file: who lists files then knows of it.
        locked(&self.core.under_way).insert(file.path.clone());
        written.stats.insert(file.path.clone(), encoded.stats);
        written.files.push(Arc::new(file));
        self.core
            .place
            .put(&path, Bytes::from(encoded.bytes), true)?
            .map_err(|source| self.core.failed("writing a file", source))?;
        Ok(true)
    }

    /// Makes one commit of what was written.
    pub(super) fn commit(
        &self,
        transaction: Option<i64>,
        remove: &[Arc<DataFile>],
        written: Written,
    ) -> Result<View, HistoryError> {
        let core = &self.core;
        let mut writer = locked(&core.writer);
        let result = self.commit_locked(&mut writer, transaction, remove, &written);
        match result {
            Ok(()) => {}
            Err(error) => {
                if !writer.unsure {
                    // No commit was tried.
                    written.discard();
                } else if core.ready(&mut writer).is_ok() {
                    // What is in no commit can go at once, but not on a store that may still carry out what it did
                    // not answer: there it waits for vacuum.
                    if self.holds(transaction, remove, &written) {
                        return Ok(self.view());
                    }
                    if core.place.is_folder() {
                        written.discard();
                    }
                }
                return Err(error);
            }
        }
        let due = writer.commits >= core.options.checkpoint_every.max(1);
        if due {
            writer.commits = 0;
        }
        let view = self.view();
        drop(writer);
        drop(written);
        if due {
            core.sum_up(view.version);
        }
        Ok(view)
    }

    fn commit_locked(
        &self,
        writer: &mut Writer,
        transaction: Option<i64>,
        remove: &[Arc<DataFile>],
        written: &Written,
    ) -> Result<(), HistoryError> {
        let core = &self.core;
        core.ready(writer)?;
        let app = &self.shape.spec.app;
        let now_ms = now_ms();
        // The state changes only under the writer's lock, so it may be read piece by piece.
        let (version, metadata) = {
            let state = locked(&core.state);
            if let Some(version) = transaction
                && state.transaction(app).is_some_and(|last| last >= version)
            {
                // Two repetitions at a time: the other one was first.
                written.discard();
                return Ok(());
            }
            if let Some(file) = remove
                .iter()
                .find(|file| !state.by_path.contains_key(&file.path))
            {
                return Err(HistoryError::FileGone {
                    table: core.name.clone(),
                    path: file.path.clone(),
                });
            }
            (state.version, state.metadata.clone())
        };
        let metadata = match &metadata {
            None => Some(core.log.create(&self.shape, &core.options)?),
            Some(metadata) => match self.shape.evolve(metadata)? {
                Some(columns) => Some(core.log.with_columns(metadata, &columns)?),
                None => None,
            },
        };
        let change = Change {
            metadata,
            transaction: transaction.map(|version| (app.clone(), version)),
            remove: paths(remove).into_iter().map(str::to_owned).collect(),
            add: written.files.clone(),
        };
        let create = version == NO_VERSION;
        let bytes = core.log.encode(&change, &written.stats, create, now_ms)?;
        match core.log.commit(version + 1, bytes) {
            Ok(Committed::Yes) => {
                locked(&core.state).apply(change, now_ms.saturating_mul(1000));
                writer.commits += 1;
                Ok(())
            }
            Ok(Committed::Taken) => {
                writer.unsure = true;
                Err(HistoryError::Overtaken {
                    table: core.name.clone(),
                    version: version + 1,
                })
            }
            Err(error) => {
                writer.unsure = true;
                Err(error)
            }
        }
    }

    /// Whether a commit that answered with an error is in the table.
    fn holds(&self, transaction: Option<i64>, remove: &[Arc<DataFile>], written: &Written) -> bool {
        let state = locked(&self.core.state);
        match (transaction, written.files.first()) {
            (_, Some(file)) => state.by_path.contains_key(&file.path),
            (Some(version), None) => {
                let last = state.transaction(&self.shape.spec.app);
                last.is_some_and(|last| last >= version)
            }
            // Nobody but us removes files, and the writer's lock is held.
            (None, None) => {
                !remove.is_empty()
                    && remove
                        .iter()
                        .all(|file| state.removed.contains_key(&file.path))
                    && remove
                        .iter()
                        .all(|file| !state.by_path.contains_key(&file.path))
            }
        }
    }
}

impl Core {
    /// Reads the log again when it is not known what is in it.
    pub(super) fn ready(&self, writer: &mut Writer) -> Result<(), HistoryError> {
        if writer.removed {
            return Err(HistoryError::Removed(self.name.clone()));
        }
        if !writer.unsure {
            return Ok(());
        }
        let apps = locked(&self.state).transactions.keys().cloned().collect();
        let mut state = self.log.load(apps)?;
        let mut present = locked(&self.state);
        // Old removals are no longer in the log, and the files may be.
        for (path, at_us) in present.removed.drain() {
            if !state.by_path.contains_key(&path) {
                state.removed.entry(path).or_insert(at_us);
            }
        }
        *present = state;
        writer.unsure = false;
        Ok(())
    }

    /// Sums up the log and removes what is old in it. The table goes on without: it only gets slower to open.
    fn sum_up(&self, version: i64) {
        // One that is being written sums up nearly as much.
        let Ok(_held) = self.checkpoint.try_lock() else {
            return;
        };
        let retention_ms = i64::try_from(self.options.log_retention.as_millis());
        let before_ms = now_ms().saturating_sub(retention_ms.unwrap_or(i64::MAX));
        let done = self
            .log
            .checkpoint()
            .and_then(|()| self.log.clean(version, before_ms));
        if let Err(error) = done {
            tracing::warn!(table = self.name, version, %error, "the table's log was not summed up");
        }
    }

    pub(super) fn failed(&self, doing: &str, source: object_store::Error) -> HistoryError {
        HistoryError::Store {
            table: self.name.clone(),
            doing: doing.to_owned(),
            source,
        }
    }
}
