//! The query engine as we configure it: our tables, allowed functions, checked metrics, limits.

mod answer;
mod build;
mod far_times;
mod runtime;
mod watched;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use datafusion::execution::{SessionState, SessionStateBuilder};

pub(crate) use build::{EngineParts, metric_faults, natures};
pub(crate) use runtime::CROWDED;

use tillwatch_event::MemoryBudget;

use crate::error::AnalyseError;
use crate::forecast::{self, FORECAST, Forecasts};
use crate::friendly::KnownNames;
use crate::limits::QueryLimits;
use crate::measure::MeasureNames;
use crate::metric::{MeasureInfo, Metric};
use crate::source::{CubeSource, SourceMeasure, StreamSource};
use crate::tables::QueryTables;
use crate::windowed::functions;

/// A cube with what was learnt about it once.
#[derive(Debug, Clone)]
pub(crate) struct Cube {
    pub(crate) source: Arc<dyn CubeSource>,
    pub(crate) measures: Vec<SourceMeasure>,
    pub(crate) infos: Vec<MeasureInfo>,
    pub(crate) dimensions: Vec<String>,
}

/// Everything queries share.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) cubes: BTreeMap<String, Cube>,
    streams: BTreeMap<String, Arc<dyn StreamSource>>,
    pub(crate) metrics: BTreeMap<String, Arc<Metric>>,
    measure_names: MeasureNames,
    known_functions: HashSet<String>,
    pub(crate) known_names: KnownNames,
    base: SessionState,
    for_built_plans: SessionState,
    pub(crate) limits: QueryLimits,
    /// Forecasts, each computed for all who ask for it.
    pub(crate) forecasts: Forecasts,
    /// What queries share with the other parts of the process.
    memory: MemoryBudget,
}

impl Engine {
    /// A session for one query: its own view of the tables and its own memory.
    pub(crate) fn session(
        self: &Arc<Self>,
        limits: &QueryLimits,
    ) -> Result<SessionState, AnalyseError> {
        let tables = QueryTables::new(
            self.cubes.values().map(|cube| Arc::clone(&cube.source)),
            self.streams.values().map(Arc::clone),
        );
        let windows = functions(&tables.cubes(), limits);
        let catalogues = tables.into_catalogues().map_err(AnalyseError::internal)?;
        let mut state = SessionStateBuilder::new_from_existing(self.base.clone())
            .with_catalog_list(catalogues)
            .with_runtime_env(runtime::limited(limits, &self.memory)?)
            .build();
        for function in windows {
            state.register_udtf(function.name(), Arc::clone(function.function()));
        }
        state.register_udtf(FORECAST, forecast::function(self));
        // `now()` is the same everywhere in a query, and is this moment.
        state.mark_start_execution();
        Ok(state)
    }

    /// A session for one plan that is built over its own tables and names no functions.
    pub(crate) fn session_for_built(
        &self,
        limits: &QueryLimits,
    ) -> Result<SessionState, AnalyseError> {
        let base = self.for_built_plans.clone();
        let state = SessionStateBuilder::new_from_existing(base)
            .with_runtime_env(runtime::limited(limits, &self.memory)?)
            .build();
        Ok(state)
    }
}
