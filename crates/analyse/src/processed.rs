//! The processor's cubes and streams as this crate's sources.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result};
use tillwatch_event::MemoryBudget;
use tillwatch_journal::JournalReader;
use tillwatch_process::functions::{aggregate_functions, scalar_functions};
use tillwatch_process::{
    Cube, CubeView, ProcessError, ProcessOptions, Processor, StreamLog, StreamView,
};

use crate::engine::EngineParts;
use crate::limits::QueryLimits;
use crate::metric::MetricDefinition;
use crate::source::{
    Changing, CubeSnapshot, CubeSource, Scan, SourceMeasure, StreamSnapshot, StreamSource,
};
use crate::tables::TimeRange;

/// An engine's parts over a processor; without a reader there are no streams to read.
pub(crate) fn parts(
    processor: &Arc<Processor>,
    reader: Option<&JournalReader>,
    metrics: Vec<MetricDefinition>,
    limits: QueryLimits,
) -> EngineParts {
    let streams = reader.into_iter().flat_map(|reader| {
        processor.streams().into_iter().map(|log| {
            let reader = reader.clone();
            Arc::new(ProcessedStream { log, reader }) as Arc<dyn StreamSource>
        })
    });
    EngineParts {
        cubes: processor
            .cubes()
            .into_iter()
            .map(|cube| {
                let stream = processor.stream(&cube.definition().from);
                let options = processor.options().clone();
                Arc::new(ProcessedCube {
                    cube,
                    stream,
                    options,
                }) as Arc<dyn CubeSource>
            })
            .collect(),
        streams: streams.collect(),
        scalars: scalar_functions(processor.rates()),
        aggregates: aggregate_functions(),
        metrics,
        limits,
        memory: MemoryBudget::default(),
    }
}

struct ProcessedCube {
    cube: Arc<Cube>,
    /// The stream it is made from.
    stream: Option<Arc<StreamLog>>,
    options: ProcessOptions,
}

impl std::fmt::Debug for ProcessedCube {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ProcessedCube").field(&self.name()).finish()
    }
}

impl CubeSource for ProcessedCube {
    fn name(&self) -> &str {
        &self.cube.definition().name
    }

    fn bucket_us(&self) -> i64 {
        self.cube.bucket_us()
    }

    fn widths_us(&self) -> Vec<(i64, i64)> {
        self.cube.widths_us()
    }

    fn complete_us(&self, now_us: i64) -> Option<i64> {
        let stream = self.stream.as_ref()?;
        stream.watermark_at(now_us, &self.options)
    }

    fn dimensions(&self) -> Vec<String> {
        self.cube
            .definition()
            .dimensions
            .iter()
            .map(|(name, _)| name.clone())
            .collect()
    }

    fn measures(&self) -> Vec<SourceMeasure> {
        self.cube
            .measures()
            .iter()
            .map(|measure| SourceMeasure {
                name: measure.name.clone(),
                sql: measure.sql.clone(),
                state_columns: measure.state_columns.clone(),
                merge: Arc::clone(&measure.merge),
                data_type: measure.data_type.clone(),
                currency: measure.currency.clone(),
            })
            .collect()
    }

    fn schema(&self) -> SchemaRef {
        self.cube.state_schema()
    }

    fn settle(&self) {
        self.cube.settle();
    }

    fn view(&self, range: TimeRange) -> Arc<dyn CubeSnapshot> {
        Arc::new(self.cube.view(range.from_us, range.to_us))
    }
}

impl Changing for ProcessedCube {
    fn version(&self) -> u64 {
        self.cube.version()
    }

    fn changed_since(&self, version: u64) -> Option<(i64, i64)> {
        self.cube.changed_since(version)
    }

    fn reshaped(&self) -> (u64, i64) {
        self.cube.reshaped()
    }
}

impl CubeSnapshot for CubeView {
    fn in_memory(&self) -> Option<&[RecordBatch]> {
        self.in_memory()
    }

    fn batches(
        &self,
        columns: Vec<usize>,
    ) -> Box<dyn Iterator<Item = Result<RecordBatch>> + Send + '_> {
        Box::new(
            self.batches_of(columns)
                .map(|batch| batch.map_err(external)),
        )
    }

    fn extent(&self, from_us: i64, to_us: i64) -> Result<Option<(i64, i64)>> {
        self.extent(from_us, to_us).map_err(external)
    }
}

fn external(error: ProcessError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

struct ProcessedStream {
    log: Arc<StreamLog>,
    reader: JournalReader,
}

impl std::fmt::Debug for ProcessedStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ProcessedStream")
            .field(&self.log.name())
            .finish()
    }
}

impl StreamSource for ProcessedStream {
    fn name(&self) -> &str {
        self.log.name()
    }

    fn time(&self) -> &str {
        &self.log.declared().time
    }

    fn schema(&self) -> SchemaRef {
        self.log.schema()
    }

    fn view(&self) -> Arc<dyn StreamSnapshot> {
        Arc::new(ProcessedView {
            log: Arc::clone(&self.log),
            reader: self.reader.clone(),
            view: Arc::new(self.log.view()),
        })
    }
}

struct ProcessedView {
    log: Arc<StreamLog>,
    reader: JournalReader,
    view: Arc<StreamView>,
}

impl std::fmt::Debug for ProcessedView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ProcessedView")
            .field(&self.log.name())
            .finish()
    }
}

impl StreamSnapshot for ProcessedView {
    fn scan(&self, range: TimeRange, columns: &[usize]) -> Scan {
        let view = Arc::clone(&self.view);
        let scan = self
            .log
            .scan_view(view, &self.reader, range.from_us, range.to_us)
            .of_columns(columns);
        Box::new(scan.map(|batch| batch.map_err(external)))
    }
}
