//! A cube's table in history, and the memory that keeps its files decoded.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::SchemaRef;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tillwatch_history::{DataFile, Table, View};

use crate::error::ProcessError;

/// Files of more rows than this are read by range and not kept: one of them would push out
/// everything else.
const CACHED_ROWS_MAX: u64 = 262_144;
/// Files the cache expects; only the size of its index follows from it.
const FILES_EXPECTED: usize = 1_024;

/// Decoded files of cube tables, the least useful of them let go when they take more than a budget.
#[derive(Debug)]
pub(crate) struct StateCache(Cache<String, RecordBatch, Bytes>);

#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<String, RecordBatch> for Bytes {
    fn weight(&self, path: &String, states: &RecordBatch) -> u64 {
        (path.len() + states.get_array_memory_size()) as u64
    }
}

impl StateCache {
    pub(crate) fn new(bytes_max: u64) -> Self {
        // One shard: a file must not be too large for its shard though the cache has room for it.
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity(FILES_EXPECTED)
            .weight_capacity(bytes_max)
            .build();
        let cache = match options {
            Ok(options) => Cache::with_options(
                options,
                Bytes,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            // Not reached: all it asks for is given.
            Err(_) => Cache::with_weighter(FILES_EXPECTED, bytes_max, Bytes),
        };
        Self(cache)
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.weight()
    }
}

/// Where a cube's states are once they are flushed.
#[derive(Debug, Clone)]
pub(crate) struct StateTable {
    table: Arc<Table>,
    cache: Arc<StateCache>,
    schema: SchemaRef,
}

impl StateTable {
    pub(crate) fn new(table: Arc<Table>, cache: Arc<StateCache>, schema: SchemaRef) -> Self {
        Self {
            table,
            cache,
            schema,
        }
    }

    pub(crate) fn table(&self) -> &Arc<Table> {
        &self.table
    }

    pub(crate) fn view(&self) -> View {
        self.table.view()
    }

    /// The states of a file whose buckets start in `range`; others of the same file may come too.
    pub(crate) fn states(
        &self,
        file: &DataFile,
        range: (i64, i64),
    ) -> Result<Vec<RecordBatch>, ProcessError> {
        if file.rows > CACHED_ROWS_MAX {
            return self.read(file, Some(range));
        }
        let key = format!("{}/{}", self.table.spec().name, file.path);
        if let Some(states) = self.cache.0.get(&key) {
            return Ok(vec![states]);
        }
        let states = concat_batches(&self.schema, &self.read(file, None)?)?;
        self.cache.0.insert(key, states.clone());
        Ok(vec![states])
    }

    /// All states of some files.
    pub(crate) fn states_of(
        &self,
        files: &[Arc<DataFile>],
    ) -> Result<Vec<RecordBatch>, ProcessError> {
        let mut all = Vec::new();
        for file in files {
            all.extend(self.read(file, None)?);
        }
        Ok(all)
    }

    fn read(
        &self,
        file: &DataFile,
        range: Option<(i64, i64)>,
    ) -> Result<Vec<RecordBatch>, ProcessError> {
        self.table
            .read(file, None, range)?
            .map(|batch| self.of_schema(&batch?))
            .collect()
    }

    /// The columns in the order of the cube's states.
    fn of_schema(&self, batch: &RecordBatch) -> Result<RecordBatch, ProcessError> {
        let columns = self
            .schema
            .fields()
            .iter()
            .map(|field| {
                batch.column_by_name(field.name()).cloned().ok_or_else(|| {
                    ProcessError::Kept(format!(
                        "a file of table '{}' lacks the column '{}'",
                        self.table.spec().name,
                        field.name()
                    ))
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}
