//! A cube's table in history, and the memory that keeps its files decoded.

use std::cell::Cell;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::SchemaRef;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tillwatch_event::{MemoryBudget, MemoryPart, MemoryShare, Yielding};
use tillwatch_history::{DataFile, Table, View};

use crate::error::ProcessError;

/// Files of more rows than this are read by range and not kept: one of them would push out
/// everything else.
const CACHED_ROWS_MAX: u64 = 262_144;
/// Files the cache expects; only the size of its index follows from it.
const FILES_EXPECTED: usize = 1_024;

/// Decoded files of cube tables, the least useful of them let go when they take more than a budget.
/// They share the memory of the process, and give way when others need it.
#[derive(Debug)]
pub(crate) struct StateCache {
    files: Cache<String, Decoded, Bytes>,
    memory: MemoryBudget,
}

/// A decoded file, with the memory that is reserved for it.
#[derive(Debug, Clone)]
struct Decoded {
    states: RecordBatch,
    share: Arc<MemoryShare>,
}

#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<String, Decoded> for Bytes {
    fn weight(&self, _: &String, decoded: &Decoded) -> u64 {
        decoded.share.bytes() as u64
    }
}

impl Yielding for StateCache {
    fn yield_bytes(&self, bytes: usize) {
        let freed = Cell::new(0_usize);
        self.files.retain(|_, decoded| {
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
            files: cache,
            memory: memory.clone(),
        });
        let weak = Arc::downgrade(&cache);
        memory.register(weak);
        cache
    }

    fn get(&self, key: &str) -> Option<RecordBatch> {
        self.files.get(key).map(|decoded| decoded.states)
    }

    /// Keeps a decoded file, if there is room for it.
    fn insert(&self, key: String, states: &RecordBatch) {
        let bytes = key.len() + states.get_array_memory_size();
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
            states: states.clone(),
            share: Arc::new(share),
        };
        self.files.insert(key, decoded);
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
        if let Some(states) = self.cache.get(&key) {
            return Ok(vec![states]);
        }
        let states = concat_batches(&self.schema, &self.read(file, None)?)?;
        self.cache.insert(key, &states);
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

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::Int64Array;

    use super::*;

    #[test]
    fn decoded_files_count_in_the_memory_of_the_process_and_give_way() {
        let memory = MemoryBudget::new(1 << 20);
        let cache = StateCache::new(1 << 19, &memory);
        let numbers = Int64Array::from_iter_values(0..10_000);
        let states = RecordBatch::try_from_iter([("n", Arc::new(numbers) as _)]).unwrap();
        let held = || memory.status().parts[MemoryPart::Caches as usize].bytes;
        for n in 0..3 {
            cache.insert(format!("file {n}"), &states);
        }
        assert!((240_000..250_000).contains(&held()), "{}", held());
        assert!(cache.get("file 1").is_some());
        // Of its own budget there is no room for all.
        for n in 3..20 {
            cache.insert(format!("file {n}"), &states);
        }
        assert!(held() <= 1 << 19, "{}", held());
        let share = memory.reserve(MemoryPart::Queries, 700_000);
        assert!(
            share.is_ok(),
            "a question comes before what is kept for others"
        );
        assert!(held() < 400_000, "{}", held());
        // Nor is anything kept that there is no room for.
        cache.insert("one more".to_owned(), &states);
        cache.insert("another".to_owned(), &states);
        cache.insert("a third".to_owned(), &states);
        assert!(memory.status().bytes <= 1 << 20);
        drop(share);
        drop(cache);
        assert_eq!(held(), 0);
    }
}
