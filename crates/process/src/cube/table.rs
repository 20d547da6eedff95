//! A cube's table in history, and the memory that keeps its files decoded.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::SchemaRef;
use tillwatch_history::{DataFile, Table, View};

use super::states::array_bytes;
use crate::error::ProcessError;
use crate::shared_cache::SharedCache;

/// Files of more rows than this are read by range and not kept: one of them would push out
/// everything else.
const CACHED_ROWS_MAX: u64 = 262_144;

/// Decoded columns of files of cube tables, by the file's path and the column's place.
pub(crate) type StateCache = SharedCache<(String, usize), ArrayRef>;

/// Keeps a decoded column, if there is room for it.
fn keep(cache: &StateCache, key: (String, usize), column: &ArrayRef) {
    let memory = usize::try_from(array_bytes(column)).unwrap_or(usize::MAX);
    let bytes = key.0.len().saturating_add(memory);
    cache.insert(key, Arc::clone(column), bytes);
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
                keep(&self.cache, (path.clone(), *at), column);
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
    use tillwatch_event::{MemoryBudget, MemoryPart};

    use super::*;

    #[test]
    fn decoded_files_count_in_the_memory_of_the_process_and_give_way() {
        let memory = MemoryBudget::new(1 << 20);
        let cache = StateCache::new(1 << 19, &memory);
        let states: ArrayRef = Arc::new(Int64Array::from_iter_values(0..10_000));
        let held = || memory.status().parts[MemoryPart::Caches as usize].bytes;
        for n in 0..3 {
            keep(&cache, (format!("file {n}"), 0), &states);
        }
        assert!((240_000..250_000).contains(&held()), "{}", held());
        assert!(cache.get(&("file 1".to_owned(), 0)).is_some());
        // Of its own budget there is no room for all.
        for n in 3..20 {
            keep(&cache, (format!("file {n}"), 0), &states);
        }
        assert!(held() <= 1 << 19, "{}", held());
        let share = memory.reserve(MemoryPart::Queries, 700_000);
        assert!(
            share.is_ok(),
            "a question comes before what is kept for others"
        );
        assert!(held() < 400_000, "{}", held());
        // Nor is anything kept that there is no room for.
        keep(&cache, ("one more".to_owned(), 0), &states);
        keep(&cache, ("another".to_owned(), 0), &states);
        keep(&cache, ("a third".to_owned(), 0), &states);
        assert!(memory.status().bytes <= 1 << 20);
        drop(share);
        drop(cache);
        assert_eq!(held(), 0);
    }
}
