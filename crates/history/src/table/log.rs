//! A table's log: reading it, adding to it, and keeping it short.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use deltalake_core::kernel::{
    Action, Add, CommitInfo, EagerSnapshot, LogicalFileView, Metadata, MetadataExt, Protocol,
    Remove, StructType, Transaction, new_metadata,
};
use deltalake_core::logstore::{
    LogStore, LogStoreRef, StorageConfig, commit_uri_from_version, default_logstore,
};
use deltalake_core::protocol::checkpoints::{cleanup_expired_logs_for, create_checkpoint};
use deltalake_core::table::state::DeltaTableState;
use deltalake_core::{DeltaResult, DeltaTable, DeltaTableError};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::prefix::PrefixStore;

use super::shape::{DAY, Shape};
use super::state::{Change, State};
use crate::file::{DataFile, footer};
use crate::store::Place;
use crate::{HistoryError, HistoryOptions};

const LOG_FOLDER: &str = "_delta_log";

/// The end of the year 9999.
const CALENDAR_END_MS: i64 = 253_402_300_799_999;

/// Our own notes on a file in the log.
const TAG_ROWS: &str = "tillwatch.rows";
const TAG_MIN_US: &str = "tillwatch.min_us";
const TAG_MAX_US: &str = "tillwatch.max_us";
const TAG_CRC32: &str = "tillwatch.crc32";

/// Commits whose number is beyond what one table sees are refused on reading.
fn version_number(version: u64, table: &str) -> Result<i64, HistoryError> {
    i64::try_from(version).map_err(|_| HistoryError::Foreign {
        table: table.to_owned(),
        reason: format!("version {version} is beyond 2^63"),
    })
}

/// How a commit ended.
pub(crate) enum Committed {
    Yes,
    /// The version is somebody else's.
    Taken,
}

/// The log of one table.
#[derive(Debug)]
pub(crate) struct Log {
    place: Place,
    table: String,
    store: LogStoreHandle,
}

/// `LogStore` says nothing of itself.
#[derive(Clone)]
struct LogStoreHandle(LogStoreRef);

impl std::fmt::Debug for LogStoreHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.name())
    }
}

impl Log {
    pub(crate) fn new(place: Place, table: &str) -> Result<Self, HistoryError> {
        let root = Arc::clone(place.store());
        let prefixed = Arc::new(PrefixStore::new(Arc::clone(&root), place.path(table)));
        let url = place.url(table)?;
        let store = default_logstore(prefixed, root, &url, &StorageConfig::default());
        Ok(Self {
            place,
            table: table.to_owned(),
            store: LogStoreHandle(store),
        })
    }

    /// The log's folder in the store.
    pub(crate) fn folder(&self) -> Path {
        self.place.path(&self.table).join(LOG_FOLDER)
    }

    fn run<T, F>(&self, doing: &'static str, future: F) -> Result<T, HistoryError>
    where
        F: Future<Output = DeltaResult<T>> + Send + 'static,
        T: Send + 'static,
    {
        self.place
            .io()
            .run(future)?
            .map_err(|error| self.failed(doing, error))
    }

    fn failed(&self, doing: &'static str, error: DeltaTableError) -> HistoryError {
        HistoryError::Log {
            table: self.table.clone(),
            doing,
            source: Box::new(error),
        }
    }

    fn store_failed(&self, doing: &str, source: object_store::Error) -> HistoryError {
        HistoryError::Store {
            table: self.table.clone(),
            doing: doing.to_owned(),
            source,
        }
    }

    /// Reads the table's state, with the transactions of `apps`. An empty state when there is no log.
    pub(crate) fn load(&self, apps: Vec<String>) -> Result<State, HistoryError> {
        // A process may have died between giving a commit its name and syncing the folder. Who reads the commit
        // relies on it, so the name has to be durable first.
        self.place
            .settle(&self.folder())
            .map_err(|error| self.store_failed("syncing the log's folder", error))?;
        let store = self.store.0.clone();
        let loaded = self.run("reading the log", async move {
            let state = match DeltaTableState::try_new(store.as_ref(), None).await {
                Err(DeltaTableError::NotATable(_)) => return Ok(None),
                other => other?,
            };
            Loaded::read(state, store.as_ref(), apps).await.map(Some)
        })?;
        let Some(loaded) = loaded else {
            return Ok(State::default());
        };
        let mut state = State {
            version: version_number(loaded.version, &self.table)?,
            metadata: Some(loaded.metadata),
            transactions: loaded.transactions,
            removed: loaded.removed,
            ..State::default()
        };
        for add in loaded.files {
            let file = self.data_file(&add)?;
            state.by_path.insert(file.path.clone(), Arc::new(file));
        }
        state.arrange();
        Ok(state)
    }

    /// The transaction of another application.
    pub(crate) fn transaction(&self, app: String) -> Result<Option<i64>, HistoryError> {
        let store = self.store.0.clone();
        self.run("reading the log", async move {
            let snapshot = EagerSnapshot::try_new(store.as_ref(), None).await?;
            snapshot.transaction_version(store.as_ref(), app).await
        })
    }

    /// A file as the log has it. Of one that another engine wrote, the file itself is asked.
    fn data_file(&self, add: &Add) -> Result<DataFile, HistoryError> {
        let foreign = |reason: &str| HistoryError::Foreign {
            table: self.table.clone(),
            reason: format!("file {}: {reason}", add.path),
        };
        let tag = |name: &str| add.tags.as_ref()?.get(name)?.as_deref();
        let day = add.partition_values.get(DAY).and_then(Option::as_deref);
        let day = day
            .and_then(parse_day)
            .ok_or_else(|| foreign("it has no day"))?;
        let bytes = u64::try_from(add.size).map_err(|_| foreign("it has no size"))?;
        let noted = tag(TAG_ROWS)
            .and_then(|rows| rows.parse().ok())
            .zip(tag(TAG_MIN_US).and_then(|min| min.parse().ok()))
            .zip(tag(TAG_MAX_US).and_then(|max| max.parse().ok()));
        let (rows, min_us, max_us) = match noted {
            Some(((rows, min), max)) => (rows, min, max),
            None => {
                let path = self.place.path(&self.table);
                let path = add.path.split('/').fold(path, Path::join);
                let metadata = footer(&self.place, &self.table, &path, bytes)?;
                let rows = u64::try_from(metadata.file_metadata().num_rows())
                    .map_err(|_| foreign("it has no rows"))?;
                // What its rows' times are is not known: any of the day.
                let start = i64::from(day) * crate::file::DAY_US;
                (rows, start, start + crate::file::DAY_US - 1)
            }
        };
        Ok(DataFile {
            path: add.path.clone(),
            day,
            rows,
            bytes,
            min_us,
            max_us,
            crc32: tag(TAG_CRC32).and_then(|crc| u32::from_str_radix(crc, 16).ok()),
            written_ms: add.modification_time,
        })
    }

    /// Writes `version`. An error leaves open whether it was written.
    pub(crate) fn commit(&self, version: i64, bytes: Bytes) -> Result<Committed, HistoryError> {
        let number = u64::try_from(version).map_err(|_| HistoryError::Foreign {
            table: self.table.clone(),
            reason: format!("there is no version {version}"),
        })?;
        let name = commit_uri_from_version(Some(number));
        let path = name
            .parts()
            .fold(self.place.path(&self.table), |path, part| path.join(part));
        match self.place.put(&path, bytes.clone(), true)? {
            Ok(()) => Ok(Committed::Yes),
            Err(object_store::Error::AlreadyExists { .. }) => {
                // A store may have taken the commit and lost the answer, and then a repetition finds it there.
                let there = self.place.get(&path)?;
                match there.map_err(|error| self.store_failed("reading a commit", error))? {
                    there if there == bytes => Ok(Committed::Yes),
                    _ => Ok(Committed::Taken),
                }
            }
            Err(error) => Err(self.store_failed("committing", error)),
        }
    }

    /// Sums up the log, so that opening reads little.
    pub(crate) fn checkpoint(&self) -> Result<(), HistoryError> {
        let store = self.store.0.clone();
        self.run("summing up the log", async move {
            let mut table = DeltaTable::new(store);
            table.load().await?;
            create_checkpoint(&table, None).await
        })
    }

    /// Removes entries of the log that a checkpoint has summed up and that are older than `before_ms`.
    pub(crate) fn clean(&self, version: i64, before_ms: i64) -> Result<usize, HistoryError> {
        let store = self.store.0.clone();
        let Ok(version) = u64::try_from(version) else {
            return Ok(0);
        };
        // Delta shows the time in its trace, and does not bear one that no calendar has.
        let before_ms = before_ms.clamp(0, CALENDAR_END_MS);
        self.run("removing old entries of the log", async move {
            cleanup_expired_logs_for(version, store.as_ref(), before_ms, None).await
        })
    }

    /// The commit that makes `change`, with what describes it.
    pub(crate) fn encode(
        &self,
        change: &Change,
        stats: &HashMap<String, String>,
        create: bool,
        now_ms: i64,
    ) -> Result<Bytes, HistoryError> {
        let mut actions = vec![Action::CommitInfo(commit_info(change, now_ms))];
        if create {
            // The oldest in use: every engine reads and writes it.
            let protocol = serde_json::json!({"minReaderVersion": 1, "minWriterVersion": 2});
            let protocol: Protocol = serde_json::from_value(protocol)
                .map_err(|json_err| self.failed("writing a commit", json_err.into()))?;
            actions.push(Action::Protocol(protocol));
        }
        actions.extend(change.metadata.clone().map(Action::Metadata));
        actions.extend(change.transaction.as_ref().map(|(app, version)| {
            Action::Txn(Transaction::new_with_last_update(
                app,
                *version,
                Some(now_ms),
            ))
        }));
        for path in &change.remove {
            actions.push(Action::Remove(remove(path, now_ms)));
        }
        for file in &change.add {
            let add = add(file, stats.get(&file.path)).ok_or_else(|| HistoryError::Rows {
                table: self.table.clone(),
                reason: format!("day {} is none of a calendar", file.day),
            })?;
            actions.push(Action::Add(add));
        }
        let lines = actions.iter().map(serde_json::to_string);
        let lines = lines
            .collect::<Result<Vec<_>, _>>()
            .map_err(|json_err| self.failed("writing a commit", json_err.into()))?;
        Ok(Bytes::from(lines.join("\n")))
    }

    /// The metadata of a new table.
    pub(crate) fn create(
        &self,
        shape: &Shape,
        options: &HistoryOptions,
    ) -> Result<Metadata, HistoryError> {
        let interval = |duration: Duration| format!("interval {} seconds", duration.as_secs());
        let configuration = [
            // What other engines that write, vacuum or clean would go by.
            (
                "delta.deletedFileRetentionDuration",
                interval(options.removed_files_retention),
            ),
            (
                "delta.logRetentionDuration",
                interval(options.log_retention),
            ),
            (
                "delta.checkpointInterval",
                options.checkpoint_every.max(1).to_string(),
            ),
        ];
        new_metadata(shape.columns(), [DAY], configuration)
            .and_then(|metadata| metadata.with_name(shape.name().to_owned()))
            .and_then(|metadata| metadata.with_description(shape.spec.description.clone()))
            .map_err(|error| self.failed("describing the table", error.into()))
    }

    /// The metadata with other columns.
    pub(crate) fn with_columns(
        &self,
        metadata: &Metadata,
        columns: &StructType,
    ) -> Result<Metadata, HistoryError> {
        let with = metadata.clone().with_schema(columns);
        with.map_err(|error| self.failed("describing the table", error.into()))
    }
}

/// A table's state as Delta's log replay gives it.
struct Loaded {
    version: u64,
    metadata: Metadata,
    transactions: HashMap<String, Option<i64>>,
    files: Vec<Add>,
    removed: HashMap<String, i64>,
}

impl Loaded {
    async fn read(
        state: DeltaTableState,
        store: &dyn LogStore,
        apps: Vec<String>,
    ) -> DeltaResult<Self> {
        let mut transactions = HashMap::new();
        for app in apps {
            let version = state.transaction_version(store, &app).await?;
            transactions.insert(app, version);
        }
        let files = state
            .snapshot()
            .file_views(store, None)
            .map_ok(|file| as_add(&file))
            .try_collect()
            .await?;
        let removed = state
            .all_tombstones(store)
            .map_ok(|removed| {
                let at_us = removed
                    .deletion_timestamp()
                    .unwrap_or(0)
                    .saturating_mul(1000);
                (removed.path().into_owned(), at_us)
            })
            .try_collect()
            .await?;
        Ok(Self {
            version: state.version(),
            metadata: state.metadata().clone(),
            transactions,
            files,
            removed,
        })
    }
}

#[expect(
    deprecated,
    reason = "the only way to a file's tags; the arrays that are recommended instead are not public"
)]
fn as_add(file: &LogicalFileView) -> Add {
    file.add_action()
}

fn commit_info(change: &Change, now_ms: i64) -> CommitInfo {
    let operation = match (change.remove.is_empty(), change.add.is_empty()) {
        (true, _) => "WRITE",
        (false, true) => "DELETE",
        (false, false) => "OPTIMIZE",
    };
    CommitInfo {
        timestamp: Some(now_ms),
        operation: Some(operation.to_owned()),
        operation_parameters: Some(HashMap::new()),
        is_blind_append: Some(change.remove.is_empty()),
        engine_info: Some(concat!("tillwatch/", env!("CARGO_PKG_VERSION")).to_owned()),
        // Sets commits apart that say the same: whose a version is shows in its bytes.
        info: HashMap::from([(
            "txnId".to_owned(),
            serde_json::Value::from(uuid::Uuid::new_v4().to_string()),
        )]),
        ..CommitInfo::default()
    }
}

fn remove(path: &str, now_ms: i64) -> Remove {
    Remove {
        path: path.to_owned(),
        data_change: true,
        deletion_timestamp: Some(now_ms),
        ..Remove::default()
    }
}

fn add(file: &DataFile, stats: Option<&String>) -> Option<Add> {
    let day = format_day(file.day)?;
    let mut tags = HashMap::from([
        (TAG_ROWS.to_owned(), Some(file.rows.to_string())),
        (TAG_MIN_US.to_owned(), Some(file.min_us.to_string())),
        (TAG_MAX_US.to_owned(), Some(file.max_us.to_string())),
    ]);
    if let Some(crc) = file.crc32 {
        tags.insert(TAG_CRC32.to_owned(), Some(format!("{crc:08x}")));
    }
    Some(Add {
        path: file.path.clone(),
        partition_values: HashMap::from([(DAY.to_owned(), Some(day))]),
        size: i64::try_from(file.bytes).ok()?,
        modification_time: file.written_ms,
        data_change: true,
        stats: stats.cloned(),
        tags: Some(tags),
        deletion_vector: None,
        base_row_id: None,
        default_row_commit_version: None,
        clustering_provider: None,
    })
}

/// A day as `2026-11-29`; none outside the years 1 to 9999, which that form does not hold.
pub(crate) fn format_day(day: i32) -> Option<String> {
    let date = arrow::temporal_conversions::date32_to_datetime(day)?.format("%Y-%m-%d");
    let date = date.to_string();
    (date.len() == 10 && !date.starts_with('-') && !date.starts_with("0000")).then_some(date)
}

fn parse_day(text: &str) -> Option<i32> {
    use arrow::compute::kernels::cast_utils::Parser;
    arrow::datatypes::Date32Type::parse(text)
}
