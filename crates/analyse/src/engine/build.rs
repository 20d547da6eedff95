//! Putting the engine together, with every metric checked.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use datafusion::execution::{
    FunctionRegistry, SessionState, SessionStateBuilder, SessionStateDefaults,
};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::optimizer::analyzer::type_coercion::TypeCoercion;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::physical_optimizer::combine_partial_final_agg::CombinePartialFinalAggregate;
use datafusion::prelude::SessionConfig;
use tillwatch_event::MemoryBudget;
use tillwatch_process::functions::bound;

use super::far_times::{NearTimes, date_trunc};
use super::{Cube, Engine};
use crate::error::{AnalyseError, Fault};
use crate::forecast::Forecasts;
use crate::friendly::KnownNames;
use crate::guard::{BoundFunctions, allowed_aggregates, allowed_scalars, allowed_table_functions};
use crate::limits::{BATCH_ROWS, QueryLimits};
use crate::measure::{MEASURE, MeasureNames, merge_function};
use crate::metric::{Compiler, MeasureInfo, Metric, MetricDefinition, Nature};
use crate::series::PANE;
use crate::source::{CubeSource, StreamSource};
use crate::suggest;
use crate::tables::{CATALOGUE, SCHEMA};

/// What an engine is made of.
#[derive(Debug, Default)]
pub(crate) struct EngineParts {
    pub(crate) cubes: Vec<Arc<dyn CubeSource>>,
    pub(crate) streams: Vec<Arc<dyn StreamSource>>,
    /// Our own functions; one with the name of a built-in one replaces it.
    pub(crate) scalars: Vec<Arc<ScalarUDF>>,
    pub(crate) aggregates: Vec<Arc<AggregateUDF>>,
    pub(crate) metrics: Vec<MetricDefinition>,
    pub(crate) limits: QueryLimits,
    pub(crate) memory: MemoryBudget,
}

impl Engine {
    /// The engine, or the first metric's fault.
    pub(crate) fn new(parts: EngineParts) -> Result<Self, AnalyseError> {
        let cubes = cubes(&parts.cubes);
        let mut base = state(&parts)?;
        let known_functions = known(&base);
        let mut metrics = BTreeMap::new();
        for definition in &parts.metrics {
            let metric = compile(definition, &cubes, &base, &known_functions, &parts.limits)?;
            base.register_udf(Arc::clone(&metric.function))
                .map_err(AnalyseError::internal)?;
            if metrics
                .insert(definition.name.clone(), Arc::new(metric))
                .is_some()
            {
                return Err(faulty(
                    definition,
                    Fault::new("a metric of this name exists already"),
                ));
            }
        }
        register_merges(&mut base, &cubes)?;
        let allowed: Vec<Arc<ScalarUDF>> = base.scalar_functions().values().cloned().collect();
        let bounds = BoundFunctions::new(&allowed, &[PANE], parts.limits.function_bounds());
        base.register_function_rewrite(Arc::new(bounds))
            .map_err(AnalyseError::internal)?;
        let streams: BTreeMap<_, _> = parts
            .streams
            .into_iter()
            .map(|stream| (stream.name().to_owned(), stream))
            .collect();
        let forecasts = Forecasts::new(&parts.limits, &parts.memory)?;
        Ok(Self {
            measure_names: measure_names(&cubes, &metrics),
            known_names: KnownNames {
                tables: cubes.keys().chain(streams.keys()).cloned().collect(),
                measures: cubes
                    .values()
                    .flat_map(|cube| cube.measures.iter().map(|measure| measure.name.clone()))
                    .chain(metrics.keys().cloned())
                    .collect(),
            },
            cubes,
            streams,
            metrics,
            known_functions,
            base,
            for_built_plans: for_built_plans(),
            limits: parts.limits,
            forecasts,
            memory: parts.memory,
        })
    }
}

/// Every fault of every metric, for a check that reports all at once.
pub(crate) fn metric_faults(parts: &EngineParts) -> Vec<AnalyseError> {
    let cubes = cubes(&parts.cubes);
    let base = match state(parts) {
        Ok(base) => base,
        Err(error) => return vec![error],
    };
    let known = known(&base);
    let mut names = HashSet::new();
    let mut faults = Vec::new();
    for definition in &parts.metrics {
        if !names.insert(&definition.name) {
            faults.push(faulty(
                definition,
                Fault::new("a metric of this name exists already"),
            ));
        }
        faults.extend(compile(definition, &cubes, &base, &known, &parts.limits).err());
    }
    faults
}

/// What the metrics are that can be compiled, by name.
pub(crate) fn natures(parts: &EngineParts) -> HashMap<String, Nature> {
    let cubes = cubes(&parts.cubes);
    let Ok(base) = state(parts) else {
        return HashMap::new();
    };
    let known = known(&base);
    let sound = parts.metrics.iter().filter_map(|definition| {
        let metric = compile(definition, &cubes, &base, &known, &parts.limits).ok()?;
        Some((definition.name.clone(), metric.nature()))
    });
    sound.collect()
}

fn cubes(sources: &[Arc<dyn CubeSource>]) -> BTreeMap<String, Cube> {
    sources
        .iter()
        .map(|source| {
            let measures = source.measures();
            let infos = measures
                .iter()
                .map(|m| MeasureInfo {
                    currency: m.currency.clone(),
                    ..MeasureInfo::new(&m.name, &m.sql, m.data_type.clone())
                })
                .collect();
            let dimensions = source.dimensions();
            let cube = Cube {
                source: Arc::clone(source),
                measures,
                infos,
                dimensions,
            };
            (source.name().to_owned(), cube)
        })
        .collect()
}

/// What runs plans that are built, not written: they call no function by name and are laid out well, so that
/// only the rules that move conditions and columns down to the tables do anything. With all rules and functions
/// a small question costs several times as much to plan as to answer.
fn for_built_plans() -> SessionState {
    SessionStateBuilder::new()
        .with_config(config())
        .with_analyzer_rules(vec![Arc::new(TypeCoercion::new())])
        .with_optimizer_rules(vec![
            Arc::new(PushDownFilter::new()),
            Arc::new(OptimizeProjections::new()),
        ])
        .with_physical_optimizer_rules(vec![Arc::new(CombinePartialFinalAggregate::new())])
        .build()
}

fn config() -> SessionConfig {
    SessionConfig::new()
        .with_default_catalog_and_schema(CATALOGUE, SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true)
        // One partition: the same rows in the same order give the same floating-point sums.
        .with_target_partitions(1)
        .with_batch_size(BATCH_ROWS)
}

fn state(parts: &EngineParts) -> Result<SessionState, AnalyseError> {
    let mut config = config();
    let options = config.options_mut();
    options.sql_parser.collect_spans = true;
    // Money is compared and computed with what was written, not with the float next to it.
    options.sql_parser.parse_float_as_decimal = true;
    // A recursive query may double its rows for ever without touching a counted operator.
    options.execution.enable_recursive_ctes = false;
    let bounds = parts.limits.function_bounds();
    let scalars = allowed_scalars()
        .into_iter()
        .map(|function| bound(function, bounds))
        .collect();
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_expr_planners(SessionStateDefaults::default_expr_planners())
        .with_scalar_functions(scalars)
        .with_aggregate_functions(allowed_aggregates())
        .with_window_functions(SessionStateDefaults::default_window_functions())
        .with_table_function_list(allowed_table_functions())
        .with_analyzer_rule(Arc::new(NearTimes))
        .build();
    if let Some(inner) = state.scalar_functions().get("date_trunc").cloned() {
        state
            .register_udf(Arc::new(date_trunc(inner)))
            .map_err(AnalyseError::internal)?;
    }
    for function in &parts.scalars {
        state
            .register_udf(Arc::clone(function))
            .map_err(AnalyseError::internal)?;
    }
    for function in &parts.aggregates {
        state
            .register_udaf(Arc::clone(function))
            .map_err(AnalyseError::internal)?;
    }
    Ok(state)
}

/// The names a text may call, before the internal ones are registered.
fn known(state: &SessionState) -> HashSet<String> {
    let scalars = state.scalar_functions().keys();
    let aggregates = state.aggregate_functions().keys();
    let windows = state.window_functions().keys();
    let mut known: HashSet<String> = scalars.chain(aggregates).chain(windows).cloned().collect();
    known.insert(MEASURE.to_owned());
    // As tables; the planner refuses them as values.
    known.extend(state.table_functions().keys().cloned());
    known.insert("unnest".to_owned());
    known
}

fn compile(
    definition: &MetricDefinition,
    cubes: &BTreeMap<String, Cube>,
    state: &SessionState,
    known: &HashSet<String>,
    limits: &QueryLimits,
) -> Result<Metric, AnalyseError> {
    let Some(cube) = cubes.get(&definition.of) else {
        let names = || cubes.keys().map(String::as_str);
        let suggestion = suggest::did_you_mean(&definition.of, names())
            .or_else(|| Some(format!("the cubes are {}", suggest::listed(names()))));
        let fault = Fault::new(format!("there is no cube '{}'", definition.of));
        return Err(faulty(definition, fault.suggest(suggestion)));
    };
    Compiler {
        state,
        known,
        limits,
    }
    .compile(definition, &cube.infos)
}

fn faulty(definition: &MetricDefinition, fault: Fault) -> AnalyseError {
    AnalyseError::Metric {
        metric: definition.name.clone(),
        expression: definition.expr.clone(),
        fault,
    }
}

fn measure_names(
    cubes: &BTreeMap<String, Cube>,
    metrics: &BTreeMap<String, Arc<Metric>>,
) -> MeasureNames {
    let parts = |cube: &Cube| {
        cube.measures
            .iter()
            .map(|m| (m.name.clone(), m.state_columns.len()))
            .collect()
    };
    let used = |metric: &Metric| metric.measures().map(str::to_owned).collect();
    MeasureNames {
        cubes: cubes
            .iter()
            .map(|(name, cube)| (name.clone(), parts(cube)))
            .collect(),
        metrics: metrics
            .iter()
            .map(|(name, metric)| (name.clone(), (metric.definition.of.clone(), used(metric))))
            .collect(),
    }
}

fn register_merges(
    state: &mut SessionState,
    cubes: &BTreeMap<String, Cube>,
) -> Result<(), AnalyseError> {
    for (name, cube) in cubes {
        for measure in &cube.measures {
            let alias = interned(merge_function(name, &measure.name));
            // Measures share their aggregate's own name, so only the alias tells them apart.
            let merge = measure.merge.as_ref().clone().with_aliases([alias]);
            state
                .register_udaf(Arc::new(merge))
                .map_err(AnalyseError::internal)?;
        }
    }
    Ok(())
}

/// The engine wants names that live as long as the process. Each is kept once, so reloading the
/// same definitions again and again keeps nothing new.
fn interned(name: String) -> &'static str {
    static NAMES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name.as_str()) {
        return known;
    }
    let kept: &'static str = Box::leak(name.into_boxed_str());
    names.insert(kept);
    kept
}
