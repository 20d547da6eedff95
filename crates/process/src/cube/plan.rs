//! From a cube's definition to the partial aggregation that is run on every batch.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, empty::EmptyExec};

use super::inputs::{BatchInputs, Columns, INPUT_BUCKET, Inputs};
use super::{BUCKET, FigureCurrency, Measure, Money};
use crate::definition::CubeDefinition;
use crate::derive::compute;
use crate::engine::Engine;
use crate::error::{Item, ProcessError};
use crate::merge::MergeUdaf;
use crate::recount::{Input, Once};

/// The narrowest and widest bucket.
const BUCKET_US: std::ops::RangeInclusive<i64> = 1_000_000..=86_400_000_000;

/// Aggregates whose result depends on the order of arrival, which late events and merging change.
const ORDERED: &[&str] = &[
    "first_value",
    "last_value",
    "nth_value",
    "any_value",
    "array_agg",
    "string_agg",
    "grouping",
];

/// A planned cube.
#[derive(Debug)]
pub(crate) struct CubePlan {
    bucket_us: i64,
    /// The stream's columns, the bucket and what is computed for this cube.
    input_schema: SchemaRef,
    /// The places of what is computed among the stream's [`Inputs`].
    computed: Vec<usize>,
    /// The same as expressions over the stream's columns, for [`Self::input_of`].
    own: Vec<(Arc<dyn PhysicalExpr>, DataType)>,
    group_by: Arc<PhysicalGroupBy>,
    merge_group_by: Arc<PhysicalGroupBy>,
    aggregates: Vec<Arc<AggregateFunctionExpr>>,
    filters: Vec<Option<Arc<dyn PhysicalExpr>>>,
    dimension_types: Vec<DataType>,
    /// The schema DataFusion gives partial states.
    native_schema: SchemaRef,
    /// The same columns under our names.
    state_schema: SchemaRef,
    measures: Vec<Measure>,
}

impl CubePlan {
    pub(super) fn new(
        engine: &Engine,
        cube: &CubeDefinition,
        stream: &SchemaRef,
        inputs: &mut Inputs,
        money: &Money,
    ) -> Result<Self, Vec<ProcessError>> {
        let whole = || Item::Cube {
            cube: cube.name.clone(),
        };
        let bucket_us = i64::try_from(cube.bucket.as_micros()).unwrap_or(i64::MAX);
        if !BUCKET_US.contains(&bucket_us) {
            return Err(vec![ProcessError::item(
                whole(),
                "a bucket is between 1s and 1d wide",
            )]);
        }
        if cube.measures.is_empty() {
            return Err(vec![ProcessError::item(
                whole(),
                "a cube needs at least one measure",
            )]);
        }
        check_names(cube).map_err(|e| vec![e])?;
        // Every fault is reported at once, so planning goes on after the first.
        let mut errors = Vec::new();

        let mut columns = Columns::new(engine, stream, inputs);
        let (mut dimensions, mut dimension_types) = (Vec::new(), Vec::new());
        for (name, sql) in &cube.dimensions {
            match plan_dimension(engine, cube, name, sql, stream, &mut columns) {
                Ok((column, data_type)) => {
                    dimensions.push((column, name));
                    dimension_types.push(data_type);
                }
                Err(error) => errors.push(error),
            }
        }
        let mut calls = Vec::with_capacity(cube.measures.len());
        for (name, sql) in &cube.measures {
            match measure_call(engine, sql, stream, &mut columns) {
                Ok(call) => calls.push((name, sql, call)),
                Err(reason) => errors.push(measure_fault(cube, name, sql, reason)),
            }
        }
        let own = columns.physical();
        let (input_schema, computed) = columns.finish();
        let told = money.told_by(engine, cube, stream);
        let (mut aggregates, mut filters, mut measures) = (Vec::new(), Vec::new(), Vec::new());
        for (name, sql, call) in calls {
            let planned = plan_measure(engine, cube, name, sql, &call, &input_schema);
            let currency = money.of_measure(engine, sql, stream, &told);
            match planned.map(|planned| (planned, currency)) {
                Ok(((aggregate, filter, measure), Ok(currency))) => {
                    aggregates.push(aggregate);
                    filters.push(filter);
                    measures.push(Measure {
                        currency,
                        ..measure
                    });
                }
                Ok((_, Err(reason))) => errors.push(measure_fault(cube, name, sql, reason)),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let bucket: Arc<dyn PhysicalExpr> =
            Arc::new(Column::new(INPUT_BUCKET, stream.fields().len()));
        let mut groups = vec![(bucket, BUCKET.to_owned())];
        for (column, name) in dimensions {
            let column = engine.compute(column, &input_schema);
            let column = column.map_err(|reason| vec![ProcessError::item(whole(), reason)])?;
            groups.push((column.physical, name.clone()));
        }
        let group_by = Arc::new(PhysicalGroupBy::new_single(groups));
        let template = AggregateExec::try_new(
            AggregateMode::Partial,
            Arc::clone(&group_by),
            aggregates.clone(),
            filters.clone(),
            Arc::new(EmptyExec::new(Arc::clone(&input_schema))),
            Arc::clone(&input_schema),
        )
        .map_err(|e| vec![e.into()])?;
        let native_schema = template.schema();
        let state_schema = state_schema(&native_schema, cube, &measures).map_err(|e| vec![e])?;
        Ok(Self {
            bucket_us,
            input_schema,
            computed,
            own,
            merge_group_by: Arc::new(group_by.as_final()),
            group_by,
            aggregates,
            filters,
            dimension_types,
            native_schema,
            state_schema,
            measures,
        })
    }

    pub(crate) fn state_schema(&self) -> &SchemaRef {
        &self.state_schema
    }

    pub(super) fn measures(&self) -> &[Measure] {
        &self.measures
    }

    pub(super) fn bucket_us(&self) -> i64 {
        self.bucket_us
    }

    pub(super) fn dimension_types(&self) -> &[DataType] {
        &self.dimension_types
    }

    /// The stream's columns, declared and derived, that its aggregation reads, by their places; some of them
    /// more than once.
    pub(crate) fn stream_columns(&self) -> Vec<usize> {
        let stream = self.input_schema.fields().len() - 1 - self.computed.len();
        let groups = self.group_by.expr().iter().map(|(expr, _)| expr);
        let own = self.own.iter().map(|(expr, _)| expr);
        let arguments = self.aggregates.iter().flat_map(|call| call.expressions());
        let read = groups
            .chain(own)
            .chain(self.filters.iter().flatten())
            .cloned();
        let columns = read
            .chain(arguments)
            .flat_map(|expr| collect_columns(&expr));
        columns
            .map(|column| column.index())
            .filter(|place| *place < stream)
            .collect()
    }

    /// The partial states of a batch of events, each key once.
    pub(super) fn partial(
        &self,
        engine: &Engine,
        batch: &mut BatchInputs<'_>,
    ) -> Result<RecordBatch, ProcessError> {
        let input = batch.columns(self.bucket_us, &self.computed, &self.input_schema)?;
        self.run(engine, AggregateMode::Partial, &self.group_by, vec![input])
    }

    /// The states merged, each key once.
    pub(super) fn reduce(
        &self,
        engine: &Engine,
        states: &[RecordBatch],
    ) -> Result<RecordBatch, ProcessError> {
        let native = states
            .iter()
            .map(|b| RecordBatch::try_new(Arc::clone(&self.native_schema), b.columns().to_vec()))
            .collect::<Result<Vec<_>, _>>()?;
        self.run(
            engine,
            AggregateMode::PartialReduce,
            &self.merge_group_by,
            native,
        )
    }

    /// The input of the aggregation for events whose buckets are known, without anything shared with
    /// other cubes.
    pub(crate) fn input_of(
        &self,
        events: &RecordBatch,
        bucket: ArrayRef,
    ) -> Result<RecordBatch, ProcessError> {
        let mut columns = events.columns().to_vec();
        columns.push(bucket);
        for (expr, data_type) in &self.own {
            columns.push(compute(expr, events, data_type)?.0);
        }
        Ok(RecordBatch::try_new(
            Arc::clone(&self.input_schema),
            columns,
        )?)
    }

    /// The finished measures of events, which come as [`Self::input_of`] makes them, by bucket and, if
    /// asked for, dimensions.
    pub(crate) fn aggregate_whole(
        &self,
        engine: &Engine,
        events: Input,
        by_dimensions: bool,
    ) -> Result<RecordBatch, ProcessError> {
        let keys = self.keys(by_dimensions);
        let groups = self.group_by.expr().iter().take(keys).cloned().collect();
        let groups = PhysicalGroupBy::new_single(groups);
        let schema = Arc::clone(&self.input_schema);
        self.finish(
            engine,
            AggregateMode::Single,
            groups,
            Once::new(schema, events),
        )
    }

    /// The finished measures of states, by bucket and, if asked for, dimensions.
    pub(crate) fn finish_states(
        &self,
        engine: &Engine,
        states: Vec<RecordBatch>,
        by_dimensions: bool,
    ) -> Result<RecordBatch, ProcessError> {
        let keys = self.keys(by_dimensions);
        let all = 1 + self.dimension_types.len();
        let columns: Vec<usize> = (0..keys)
            .chain(all..self.native_schema.fields().len())
            .collect();
        let schema = Arc::new(self.native_schema.project(&columns)?);
        let native = Arc::clone(&self.native_schema);
        let input = states.into_iter().map(move |states| {
            let states = RecordBatch::try_new(Arc::clone(&native), states.columns().to_vec())?;
            Ok(states.project(&columns)?)
        });
        let groups = self.merge_group_by.expr().iter().take(keys).cloned();
        let groups = PhysicalGroupBy::new_single(groups.collect());
        let input = Once::new(schema, Box::new(input));
        self.finish(engine, AggregateMode::Final, groups, input)
    }

    fn keys(&self, by_dimensions: bool) -> usize {
        if by_dimensions {
            1 + self.dimension_types.len()
        } else {
            1
        }
    }

    fn finish(
        &self,
        engine: &Engine,
        mode: AggregateMode,
        groups: PhysicalGroupBy,
        input: Once,
    ) -> Result<RecordBatch, ProcessError> {
        let filters = if mode == AggregateMode::Single {
            self.filters.clone()
        } else {
            vec![None; self.aggregates.len()]
        };
        let schema = Arc::clone(input.schema());
        let source =
            StreamingTableExec::try_new(schema, vec![Arc::new(input)], None, None, false, None)?;
        let plan = AggregateExec::try_new(
            mode,
            Arc::new(groups),
            self.aggregates.clone(),
            filters,
            Arc::new(source),
            Arc::clone(&self.input_schema),
        )?;
        let figures = engine.run(&plan)?;
        Ok(concat_batches(&plan.schema(), &figures)?)
    }

    fn run(
        &self,
        engine: &Engine,
        mode: AggregateMode,
        group_by: &Arc<PhysicalGroupBy>,
        input: Vec<RecordBatch>,
    ) -> Result<RecordBatch, ProcessError> {
        let filters = if mode == AggregateMode::Partial {
            self.filters.clone()
        } else {
            vec![None; self.aggregates.len()]
        };
        let Some(schema) = input.first().map(RecordBatch::schema) else {
            return Ok(RecordBatch::new_empty(Arc::clone(&self.state_schema)));
        };
        let source = MemorySourceConfig::try_new_from_batches(schema, input)?;
        let plan = AggregateExec::try_new(
            mode,
            Arc::clone(group_by),
            self.aggregates.clone(),
            filters,
            source,
            Arc::clone(&self.input_schema),
        )?;
        let states = engine.run(&plan)?;
        let states = match states.as_slice() {
            [one] => one.clone(),
            many => concat_batches(&plan.schema(), many)?,
        };
        Ok(RecordBatch::try_new(
            Arc::clone(&self.state_schema),
            states.columns().to_vec(),
        )?)
    }
}

fn check_names(cube: &CubeDefinition) -> Result<(), ProcessError> {
    let mut seen = vec![BUCKET];
    let dimensions = cube.dimensions.iter().map(|(name, _)| {
        (
            name.as_str(),
            Item::Dimension {
                cube: cube.name.clone(),
                dimension: name.clone(),
            },
        )
    });
    let measures = cube.measures.iter().map(|(name, _)| {
        (
            name.as_str(),
            Item::Measure {
                cube: cube.name.clone(),
                measure: name.clone(),
            },
        )
    });
    for (name, item) in dimensions.chain(measures) {
        if name == BUCKET {
            return Err(ProcessError::item(
                item,
                "'bucket' is the name of the time column",
            ));
        }
        if seen.contains(&name) {
            return Err(ProcessError::item(item, "the cube already has that name"));
        }
        seen.push(name);
    }
    Ok(())
}

/// A dimension as a column of the aggregation's input, and its type.
fn plan_dimension(
    engine: &Engine,
    cube: &CubeDefinition,
    name: &str,
    sql: &str,
    stream: &SchemaRef,
    columns: &mut Columns<'_>,
) -> Result<(Expr, DataType), ProcessError> {
    let fault = |reason: String| {
        let item = Item::Dimension {
            cube: cube.name.clone(),
            dimension: name.to_owned(),
        };
        ProcessError::expression(item, sql, reason)
    };
    let scalar = engine.scalar(sql, stream).map_err(fault)?;
    let fits = match &scalar.data_type {
        t if t.is_floating() || t.is_nested() => false,
        DataType::Binary | DataType::BinaryView | DataType::LargeBinary => false,
        _ => true,
    };
    if !fits {
        return Err(fault(format!(
            "a dimension is a text, a whole number, a decimal, a bool or a time, not {}",
            scalar.data_type
        )));
    }
    let column = columns.column(scalar.expr).map_err(fault)?;
    Ok((column, scalar.data_type))
}

/// A measure's aggregate over columns of the aggregation's input.
fn measure_call(
    engine: &Engine,
    sql: &str,
    stream: &SchemaRef,
    columns: &mut Columns<'_>,
) -> Result<Expr, String> {
    let mut call = engine.aggregate(sql, stream)?;
    if let Expr::AggregateFunction(call) = &mut call {
        for argument in &mut call.params.args {
            *argument = columns.column(argument.clone())?;
        }
        if let Some(filter) = &mut call.params.filter {
            **filter = columns.column(filter.as_ref().clone())?;
        }
    }
    Ok(call)
}

fn measure_fault(cube: &CubeDefinition, name: &str, sql: &str, reason: String) -> ProcessError {
    let item = Item::Measure {
        cube: cube.name.clone(),
        measure: name.to_owned(),
    };
    ProcessError::expression(item, sql, reason)
}

type PlannedMeasure = (
    Arc<AggregateFunctionExpr>,
    Option<Arc<dyn PhysicalExpr>>,
    Measure,
);

fn plan_measure(
    engine: &Engine,
    cube: &CubeDefinition,
    name: &str,
    sql: &str,
    call: &Expr,
    input: &SchemaRef,
) -> Result<PlannedMeasure, ProcessError> {
    let fault = |reason: String| measure_fault(cube, name, sql, reason);
    let engine_fault = |e: DataFusionError| fault(crate::reason::engine_reason(&e));
    let lowered = engine.lower(call, name, input).map_err(fault)?;
    let aggregate = lowered.aggregate;
    let function = aggregate.fun().name();
    if ORDERED.contains(&function) {
        return Err(fault(format!(
            "{function} depends on the order of arrival; min, max or a dimension do not"
        )));
    }
    let state = aggregate.state_fields().map_err(engine_fault)?;
    let keeps_values = state
        .iter()
        .any(|f| matches!(f.data_type(), DataType::List(_)));
    if keeps_values && !function.starts_with("approx_") {
        return Err(fault(format!(
            "{function} keeps every value; use distinct(x) or quantile(x), which keep a sketch"
        )));
    }
    // Building it once finds argument types that only fail at run time.
    aggregate.create_accumulator().map_err(engine_fault)?;
    let state_columns = if state.len() == 1 {
        vec![name.to_owned()]
    } else {
        (0..state.len()).map(|i| format!("{name}__{i}")).collect()
    };
    let measure = Measure {
        name: name.to_owned(),
        sql: sql.to_owned(),
        state_columns,
        merge: MergeUdaf::udaf(Arc::clone(&aggregate)).map_err(engine_fault)?,
        data_type: aggregate.field().data_type().clone(),
        currency: FigureCurrency::None,
    };
    Ok((aggregate, lowered.filter, measure))
}

fn state_schema(
    native: &SchemaRef,
    cube: &CubeDefinition,
    measures: &[Measure],
) -> Result<SchemaRef, ProcessError> {
    let names = std::iter::once(BUCKET)
        .chain(cube.dimensions.iter().map(|(name, _)| name.as_str()))
        .chain(
            measures
                .iter()
                .flat_map(|m| m.state_columns.iter().map(String::as_str)),
        );
    let fields: Vec<Field> = native
        .fields()
        .iter()
        .zip(names)
        .map(|(field, name)| Field::new(name, field.data_type().clone(), field.is_nullable()))
        .collect();
    if fields.len() != native.fields().len() {
        return Err(ProcessError::item(
            Item::Cube {
                cube: cube.name.clone(),
            },
            "its state columns cannot be named",
        ));
    }
    Ok(Arc::new(Schema::new(fields)))
}
