//! Derived columns: computed once per batch and shared by every cube of the stream.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::collect_columns;

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

    /// The declared columns, each of which may be null.
    pub(crate) fn declared(&self) -> &SchemaRef {
        self.schemas.first().unwrap_or(&self.full)
    }

    /// Declared and derived columns.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.full
    }

    /// Of `columns` of the full schema, all that they are computed from, themselves included: one mark a column.
    pub(crate) fn needed(&self, columns: &[usize]) -> Vec<bool> {
        let declared = self.full.fields().len() - self.columns.len();
        let mut needed = vec![false; self.full.fields().len()];
        let mark = |needed: &mut Vec<bool>, at: usize| {
            if let Some(mark) = needed.get_mut(at) {
                *mark = true;
            }
        };
        columns.iter().for_each(|at| mark(&mut needed, *at));
        // The last one first: a derived column is made of earlier ones.
        for (at, (expr, _)) in self.columns.iter().enumerate().rev() {
            if needed.get(declared + at) == Some(&true) {
                for column in collect_columns(expr) {
                    mark(&mut needed, column.index());
                }
            }
        }
        needed
    }

    /// As [`Self::apply`]; columns that are not `needed` are null and not computed. `nulls` are of at least
    /// as many rows, one array a column.
    pub(crate) fn apply_needed(
        &self,
        batch: &RecordBatch,
        needed: &[bool],
        nulls: &[ArrayRef],
    ) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let mut arrays = batch.columns().to_vec();
        let mut current = RecordBatch::try_new_with_options(
            Arc::clone(self.declared()),
            arrays.clone(),
            &options,
        )?;
        for ((expr, data_type), schema) in self.columns.iter().zip(self.schemas.iter().skip(1)) {
            let at = arrays.len();
            let array = match (needed.get(at), nulls.get(at)) {
                (Some(false), Some(nulls)) => nulls.slice(0, batch.num_rows()),
                _ => compute(expr, &current, data_type)?.0,
            };
            arrays.push(array);
            current =
                RecordBatch::try_new_with_options(Arc::clone(schema), arrays.clone(), &options)?;
        }
        Ok(current)
    }

    /// Adds the derived columns. The second figure counts values that could not be computed
    /// (a division by zero, a cast of unfit text): they are null, and their event stays.
    pub(crate) fn apply(&self, batch: &RecordBatch) -> Result<(RecordBatch, u64)> {
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let mut arrays = batch.columns().to_vec();
        let mut failed = 0;
        let mut current = RecordBatch::try_new_with_options(
            Arc::clone(self.declared()),
            arrays.clone(),
            &options,
        )?;
        for ((expr, data_type), schema) in self.columns.iter().zip(self.schemas.iter().skip(1)) {
            let (array, faults) = compute(expr, &current, data_type)?;
            failed += faults;
            arrays.push(array);
            current =
                RecordBatch::try_new_with_options(Arc::clone(schema), arrays.clone(), &options)?;
        }
        Ok((current, failed))
    }
}

/// Computes an expression over a batch. Where it fails or panics the value is null, and exactly
/// there; the second figure says in how many rows.
///
/// # Errors
/// When the values that were computed do not fit together, which no row's value can cause.
pub fn compute(
    expr: &Arc<dyn PhysicalExpr>,
    batch: &RecordBatch,
    data_type: &DataType,
) -> Result<(ArrayRef, u64)> {
    let values = |part: &RecordBatch| expr.evaluate(part)?.into_array(part.num_rows());
    evaluate(&values, batch, data_type)
}

/// Evaluates over all rows at once. When that fails or panics, halves are tried down to single
/// rows, so that exactly the rows at fault get a null, however the events came in batches. Says how
/// many did.
fn evaluate(
    compute: &dyn Fn(&RecordBatch) -> Result<ArrayRef>,
    batch: &RecordBatch,
    data_type: &DataType,
) -> Result<(ArrayRef, u64)> {
    let mut pieces = Vec::new();
    let mut failed = 0;
    // The ranges still to compute, the first one last: a stack, so that pieces come in order.
    let mut ranges = vec![(0, batch.num_rows())];
    while let Some((start, rows)) = ranges.pop() {
        let unconverted = functions::unconverted();
        // An expression takes no state along that a panic could leave half-made.
        let part = batch.slice(start, rows);
        if let Ok(Ok(array)) = catch_unwind(AssertUnwindSafe(|| compute(&part))) {
            pieces.push(array);
            continue;
        }
        // Its rows are tried again, and counted then.
        functions::set_unconverted(unconverted);
        if rows <= 1 {
            pieces.push(new_null_array(data_type, rows));
            failed += rows as u64;
            continue;
        }
        let half = rows / 2;
        ranges.push((start + half, rows - half));
        ranges.push((start, half));
    }
    if let [one] = pieces.as_slice() {
        return Ok((Arc::clone(one), failed));
    }
    let pieces: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
    Ok((concat(&pieces)?, failed))
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
