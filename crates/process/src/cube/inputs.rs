//! What the cubes of a stream aggregate: the columns of a batch, its buckets, and what dimensions,
//! measures and filters compute from it.
//!
//! An expression is computed once per batch, however many measures and cubes use it, and before
//! anything is aggregated: where it fails its row has no value, as in a derived column, and the
//! event still counts in every other measure.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Field, FieldRef, Schema, SchemaRef, TimestampMicrosecondType,
};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::ident;
use tillwatch_event::schema::timestamp_type;

use crate::derive::compute;
use crate::engine::Engine;
use crate::error::ProcessError;

const DAY_US: i64 = 86_400_000_000;
/// The name of the bucket column in an aggregation's input; no field may start like this.
pub(super) const INPUT_BUCKET: &str = "__bucket";

/// The expressions of a stream's cubes, each once.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    computed: Vec<Computed>,
}

#[derive(Debug)]
struct Computed {
    expr: Expr,
    physical: Arc<dyn PhysicalExpr>,
    data_type: DataType,
}

impl Inputs {
    /// The place of an expression over the stream's columns, which is planned if it is new.
    fn place(&mut self, engine: &Engine, expr: Expr, stream: &Schema) -> Result<usize, String> {
        if let Some(place) = self.computed.iter().position(|other| other.expr == expr) {
            return Ok(place);
        }
        let scalar = engine.compute(expr, stream)?;
        self.computed.push(Computed {
            expr: scalar.expr,
            physical: scalar.physical,
            data_type: scalar.data_type,
        });
        Ok(self.computed.len() - 1)
    }

    fn data_type(&self, place: usize) -> DataType {
        (self.computed.get(place)).map_or(DataType::Null, |computed| computed.data_type.clone())
    }
}

/// The columns that the aggregation of one cube reads, while it is being planned.
pub(super) struct Columns<'a> {
    engine: &'a Engine,
    stream: &'a SchemaRef,
    inputs: &'a mut Inputs,
    places: Vec<usize>,
}

impl<'a> Columns<'a> {
    pub(super) fn new(engine: &'a Engine, stream: &'a SchemaRef, inputs: &'a mut Inputs) -> Self {
        Self {
            engine,
            stream,
            inputs,
            places: Vec::new(),
        }
    }

    /// The column that holds the values of an expression; columns and constants stay as they are.
    pub(super) fn column(&mut self, expr: Expr) -> Result<Expr, String> {
        if matches!(expr, Expr::Column(_) | Expr::Literal(..)) {
            return Ok(expr);
        }
        let place = self.inputs.place(self.engine, expr, self.stream)?;
        let own = self.places.iter().position(|other| *other == place);
        let own = own.unwrap_or_else(|| {
            self.places.push(place);
            self.places.len() - 1
        });
        Ok(ident(column_name(own)))
    }

    /// What is computed for this cube, in the order of the input's columns.
    pub(super) fn physical(&self) -> Vec<(Arc<dyn PhysicalExpr>, DataType)> {
        let computed = |place: &usize| self.inputs.computed.get(*place);
        let own = self.places.iter().filter_map(computed);
        own.map(|computed| (Arc::clone(&computed.physical), computed.data_type.clone()))
            .collect()
    }

    /// The schema of the aggregation's input, and the places of what is computed for it.
    pub(super) fn finish(self) -> (SchemaRef, Vec<usize>) {
        let computed = self.places.iter().enumerate().map(|(own, place)| {
            Arc::new(Field::new(
                column_name(own),
                self.inputs.data_type(*place),
                true,
            ))
        });
        let fields: Vec<FieldRef> = (self.stream.fields().iter().cloned())
            .chain([Arc::new(Field::new(INPUT_BUCKET, timestamp_type(), false))])
            .chain(computed)
            .collect();
        (Arc::new(Schema::new(fields)), self.places)
    }
}

fn column_name(own: usize) -> String {
    format!("__{own}")
}

/// One batch and what was computed from it so far, shared by the stream's cubes.
pub(crate) struct BatchInputs<'a> {
    inputs: &'a Inputs,
    batch: RecordBatch,
    /// The column of the event time, a timestamp (µs) or a date.
    time: usize,
    buckets: Vec<(i64, ArrayRef)>,
    computed: Vec<Option<ArrayRef>>,
    failed: u64,
}

impl<'a> BatchInputs<'a> {
    /// Of a batch with declared and derived columns whose time is in column `time`.
    pub(crate) fn new(inputs: &'a Inputs, batch: RecordBatch, time: usize) -> Self {
        Self {
            inputs,
            batch,
            time,
            buckets: Vec::new(),
            computed: vec![None; inputs.computed.len()],
            failed: 0,
        }
    }

    /// Rows of the batch.
    pub(super) fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// Values that could not be computed and are null.
    pub(crate) fn failed(&self) -> u64 {
        self.failed
    }

    /// Some of the rows, with what was computed for them already.
    pub(super) fn slice(&self, start: usize, rows: usize) -> Self {
        let cut = |array: &ArrayRef| array.slice(start, rows);
        Self {
            inputs: self.inputs,
            batch: self.batch.slice(start, rows),
            time: self.time,
            buckets: (self.buckets.iter())
                .map(|(width, array)| (*width, cut(array)))
                .collect(),
            computed: (self.computed.iter())
                .map(|array| array.as_ref().map(cut))
                .collect(),
            failed: 0,
        }
    }

    /// The input of an aggregation into buckets of a width, see [`Columns::finish`].
    pub(super) fn columns(
        &mut self,
        width_us: i64,
        places: &[usize],
        schema: &SchemaRef,
    ) -> Result<RecordBatch, ProcessError> {
        let mut columns = self.batch.columns().to_vec();
        columns.push(self.bucket(width_us)?);
        for place in places {
            columns.push(self.computed(*place)?);
        }
        Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
    }

    fn computed(&mut self, place: usize) -> Result<ArrayRef, ProcessError> {
        let gone = || DataFusionError::Internal("a computed column is not planned".to_owned());
        let made = self.computed.get_mut(place).ok_or_else(gone)?;
        if let Some(array) = made {
            return Ok(Arc::clone(array));
        }
        let computed = self.inputs.computed.get(place).ok_or_else(gone)?;
        let (array, failed) = compute(&computed.physical, &self.batch, &computed.data_type)?;
        self.failed += failed;
        *made = Some(Arc::clone(&array));
        Ok(array)
    }

    fn bucket(&mut self, width_us: i64) -> Result<ArrayRef, ProcessError> {
        if let Some((_, column)) = self.buckets.iter().find(|(width, _)| *width == width_us) {
            return Ok(Arc::clone(column));
        }
        let times = event_times(&self.batch, self.time).ok_or_else(|| {
            DataFusionError::Internal(
                "the time column is neither a timestamp nor a date".to_owned(),
            )
        })?;
        let (_, column) = bucket_starts(&times, width_us);
        self.buckets.push((width_us, Arc::clone(&column)));
        Ok(column)
    }
}

/// The starts of the buckets of a width that moments fall into, also as a column.
pub(crate) fn bucket_starts(times_us: &[i64], width_us: i64) -> (Vec<i64>, ArrayRef) {
    // Euclidean division, so that buckets before 1970 start at their earlier end too.
    let start = |t: &i64| t.div_euclid(width_us).saturating_mul(width_us);
    let starts: Vec<i64> = times_us.iter().map(start).collect();
    let column = TimestampMicrosecondArray::from(starts.clone()).with_timezone("UTC");
    (starts, Arc::new(column))
}

/// Event times in microseconds since 1970-01-01T00:00:00Z, from a timestamp (µs) or a date.
pub(crate) fn event_times(batch: &RecordBatch, time: usize) -> Option<Vec<i64>> {
    let column = batch.columns().get(time)?;
    match column.data_type() {
        DataType::Timestamp(_, _) => Some(
            column
                .as_primitive_opt::<TimestampMicrosecondType>()?
                .values()
                .to_vec(),
        ),
        DataType::Date32 => {
            let days = column.as_primitive_opt::<Date32Type>()?;
            Some(
                days.values()
                    .iter()
                    .map(|day| i64::from(*day) * DAY_US)
                    .collect(),
            )
        }
        _ => None,
    }
}
