//! A cube's table in history, and the memory that keeps its files decoded.

use std::cell::Cell;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::SchemaRef;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tillwatch_event::{MemoryBudget, MemoryPart, MemoryShare, Yielding};
use tillwatch_history::{DataFile, Table, View};

use super::states::array_bytes;
use crate::error::ProcessError;

/// Files of more rows than this are read by range and not kept: one of them would push out
/// everything else.
const CACHED_ROWS_MAX: u64 = 262_144;
/// Files the cache expects; only the size of its index follows from it.
const FILES_EXPECTED: usize = 1_024;

/// Decoded columns of files of cube tables, the least useful of them let go when they take more than a budget.
/// They share the memory of the process, and give way when others need it.
#[derive(Debug)]
pub(crate) struct StateCache {
    columns: Cache<(String, usize), Decoded, Bytes>,
    memory: MemoryBudget,
}

/// A decoded column, with the memory that is reserved for it.
#[derive(Debug, Clone)]
struct Decoded {
    column: ArrayRef,
    share: Arc<MemoryShare>,
}

#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<(String, usize), Decoded> for Bytes {
    fn weight(&self, _: &(String, usize), decoded: &Decoded) -> u64 {
        decoded.share.bytes() as u64
    }
}

impl Yielding for StateCache {
    fn yield_bytes(&self, bytes: usize) {
        let freed = Cell::new(0_usize);
        self.columns.retain(|_, decoded| {
            let keep = freed.get() >= bytes;
            if !keep {
                freed.set(freed.get() + decoded.share.bytes());
            }
            keep
        });
    }
}

impl StateCache {
    pub(crate) fn new(bytes_max: u64, memory: &MemoryBudget) -> Arc<Self> {
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
        let cache = Arc::new(Self {
            columns: cache,
            memory: memory.clone(),
        });
        let weak = Arc::downgrade(&cache);
        memory.register(weak);
        cache
    }

    fn get(&self, key: &(String, usize)) -> Option<ArrayRef> {
        self.columns.get(key).map(|decoded| decoded.column)
    }

    /// Keeps a decoded column, if there is room for it.
    fn insert(&self, key: (String, usize), column: &ArrayRef) {
        let memory = array_bytes(column);
        let bytes = key.0.len() + usize::try_from(memory).unwrap_or(usize::MAX);
        let reserve = || self.memory.reserve(MemoryPart::Caches, bytes).ok();
        // Without room, what is asked for now is worth more than what was once.
        let share = reserve().or_else(|| {
            self.yield_bytes(bytes);
            reserve()
        });
        let Some(share) = share else {
            return;
        };
        let decoded = Decoded {
            column: Arc::clone(column),
            share: Arc::new(share),
        };
        self.columns.insert(key, decoded);
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

    /// Columns of the states of a file whose buckets start in `range`; others of the same file may come too.
    pub(crate) fn states(
        &self,
        file: &DataFile,
        range: (i64, i64),
        columns: &[usize],
    ) -> Result<Vec<RecordBatch>, ProcessError> {
        if file.rows > CACHED_ROWS_MAX {
            return self.read(file, Some(range), columns);
        }
        let path = format!("{}/{}", self.table.spec().name, file.path);
        let mut found: Vec<(usize, Option<ArrayRef>)> = (columns.iter())
            .map(|at| (*at, self.cache.get(&(path.clone(), *at))))
            .collect();
        let missing = found.iter().filter(|(_, column)| column.is_none());
        let missing: Vec<usize> = missing.map(|(at, _)| *at).collect();
        if !missing.is_empty() {
            let schema = Arc::new(self.schema.project(&missing)?);
            let read = concat_batches(&schema, &self.read(file, None, &missing)?)?;
            let empty = found.iter_mut().filter(|(_, column)| column.is_none());
            for ((at, slot), column) in empty.zip(read.columns()) {
                self.cache.insert((path.clone(), *at), column);
                *slot = Some(Arc::clone(column));
            }
        }
        let schema = Arc::new(self.schema.project(columns)?);
        let found = found.into_iter().filter_map(|(_, column)| column);
        Ok(vec![RecordBatch::try_new(schema, found.collect())?])
    }

    /// All states of some files.
    pub(crate) fn states_of(
        &self,
        files: &[Arc<DataFile>],
    ) -> Result<Vec<RecordBatch>, ProcessError> {
        let columns: Vec<usize> = (0..self.schema.fields().len()).collect();
        let mut all = Vec::new();
        for file in files {
            all.extend(self.read(file, None, &columns)?);
        }
        Ok(all)
    }

    /// Columns of a file, in the order asked for.
    fn read(
        &self,
        file: &DataFile,
        range: Option<(i64, i64)>,
        columns: &[usize],
    ) -> Result<Vec<RecordBatch>, ProcessError> {
        let schema = Arc::new(self.schema.project(columns)?);
        let names: Vec<String> = (schema.fields().iter())
            .map(|field| field.name().clone())
            .collect();
        self.table
            .read(file, Some(&names), range)?
            .map(|batch| self.of_schema(&batch?, &schema))
            .collect()
    }

    /// The columns as the cube's states have them.
    fn of_schema(
        &self,
        batch: &RecordBatch,
        schema: &SchemaRef,
    ) -> Result<RecordBatch, ProcessError> {
        let columns = schema
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
        Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::Int64Array;

    use super::*;

    #[test]
    fn decoded_files_count_in_the_memory_of_the_process_and_give_way() {
        let memory = MemoryBudget::new(1 << 20);
        let cache = StateCache::new(1 << 19, &memory);
        let states: ArrayRef = Arc::new(Int64Array::from_iter_values(0..10_000));
        let held = || memory.status().parts[MemoryPart::Caches as usize].bytes;
        for n in 0..3 {
            cache.insert((format!("file {n}"), 0), &states);
        }
        assert!((240_000..250_000).contains(&held()), "{}", held());
        assert!(cache.get(&("file 1".to_owned(), 0)).is_some());
        // Of its own budget there is no room for all.
        for n in 3..20 {
            cache.insert((format!("file {n}"), 0), &states);
        }
        assert!(held() <= 1 << 19, "{}", held());
        let share = memory.reserve(MemoryPart::Queries, 700_000);
        assert!(
            share.is_ok(),
            "a question comes before what is kept for others"
        );
        assert!(held() < 400_000, "{}", held());
        // Nor is anything kept that there is no room for.
        cache.insert(("one more".to_owned(), 0), &states);
        cache.insert(("another".to_owned(), 0), &states);
        cache.insert(("a third".to_owned(), 0), &states);
        assert!(memory.status().bytes <= 1 << 20);
        drop(share);
        drop(cache);
        assert_eq!(held(), 0);
    }
}
