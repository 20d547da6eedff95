//! Derived columns: computed once per batch and shared by every cube of the stream.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;

use crate::definition::StreamDefinition;
use crate::engine::{Engine, nullable};
use crate::error::{Item, ProcessError};
use crate::functions;

/// The compiled `derive` section of a stream.
#[derive(Debug)]
pub(crate) struct Derive {
    columns: Vec<(Arc<dyn PhysicalExpr>, DataType)>,
    /// `schemas[i]` has the declared columns and the first `i` derived ones.
    schemas: Vec<SchemaRef>,
    full: SchemaRef,
}

impl Derive {
    pub(crate) fn plan(engine: &Engine, stream: &StreamDefinition) -> Result<Self, ProcessError> {
        let mut schema = nullable(&stream.schema.arrow_schema());
        let mut schemas = vec![Arc::clone(&schema)];
        let mut columns = Vec::with_capacity(stream.derive.len());
        for (name, sql) in &stream.derive {
            let item = || Item::Derive {
                stream: stream.schema.name.clone(),
                column: name.clone(),
            };
            if schema.field_with_name(name).is_ok() {
                return Err(ProcessError::item(
                    item(),
                    "the stream already has a column of that name",
                ));
            }
            let scalar = engine
                .scalar(sql, &schema)
                .map_err(|reason| ProcessError::expression(item(), sql, reason))?;
            let mut fields: Vec<_> = schema.fields().iter().cloned().collect();
            fields.push(Arc::new(Field::new(name, scalar.data_type.clone(), true)));
            schema = Arc::new(Schema::new(fields));
            schemas.push(Arc::clone(&schema));
            columns.push((scalar.physical, scalar.data_type));
        }
        Ok(Self {
            columns,
            schemas,
            full: schema,
        })
    }

    /// Declared and derived columns.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.full
    }

    /// Adds the derived columns. The second figure counts values that could not be computed
    /// (a division by zero, a cast of unfit text): they are null, and their event stays.
    pub(crate) fn apply(&self, batch: &RecordBatch) -> Result<(RecordBatch, u64)> {
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let mut arrays = batch.columns().to_vec();
        let mut failed = 0;
        let schema = self.schemas.first().unwrap_or(&self.full);
        let mut current =
            RecordBatch::try_new_with_options(Arc::clone(schema), arrays.clone(), &options)?;
        for ((expr, data_type), schema) in self.columns.iter().zip(self.schemas.iter().skip(1)) {
            let compute = |batch: &RecordBatch| -> Result<ArrayRef> {
                expr.evaluate(batch)?.into_array(batch.num_rows())
            };
            let (array, faults) = evaluate(&compute, &current, data_type)?;
            failed += faults;
            arrays.push(array);
            current =
                RecordBatch::try_new_with_options(Arc::clone(schema), arrays.clone(), &options)?;
        }
        Ok((current, failed))
    }
}

/// Evaluates over all rows at once. When that fails or panics, halves are tried down to single
/// rows, so that exactly the rows at fault get a null, however the events came in batches.
fn evaluate(
    compute: &dyn Fn(&RecordBatch) -> Result<ArrayRef>,
    batch: &RecordBatch,
    data_type: &DataType,
) -> Result<(ArrayRef, u64)> {
    let rows = batch.num_rows();
    let unconverted = functions::unconverted();
    // An expression takes no state along that a panic could leave half-made.
    let computed = catch_unwind(AssertUnwindSafe(|| compute(batch)));
    if let Ok(Ok(array)) = computed {
        return Ok((array, 0));
    }
    // Its rows are tried again, and counted then.
    functions::set_unconverted(unconverted);
    if rows <= 1 {
        return Ok((new_null_array(data_type, rows), rows as u64));
    }
    let half = rows / 2;
    let (left, left_failed) = evaluate(compute, &batch.slice(0, half), data_type)?;
    let (right, right_failed) = evaluate(compute, &batch.slice(half, rows - half), data_type)?;
    let both: [&dyn Array; 2] = [left.as_ref(), right.as_ref()];
    Ok((concat(&both)?, left_failed + right_failed))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{AsArray, Int64Array};
    use datafusion::arrow::datatypes::Int64Type;

    use super::*;

    #[test]
    fn a_row_whose_expression_panics_is_null_and_the_others_are_computed() {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100));
        let batch = RecordBatch::try_from_iter([("n", numbers)]).expect("columns fit");
        let compute = |batch: &RecordBatch| {
            let numbers = batch.column(0).as_primitive::<Int64Type>();
            assert!(!numbers.values().contains(&42), "the expression panics");
            Ok(Arc::clone(batch.column(0)))
        };
        let (array, failed) = evaluate(&compute, &batch, &DataType::Int64).expect("evaluates");
        assert_eq!((array.len(), array.null_count(), failed), (100, 1, 1));
        assert!(array.is_null(42));
    }
}
