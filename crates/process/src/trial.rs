//! Whether an expression can be computed at all, seen before any event comes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, new_null_array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::collect_columns;

use crate::functions;

/// Values that the columns have in turn, besides none.
const VALUES: [i64; 2] = [1, 7];

/// Computes an expression over a row of nulls and some rows of small values.
///
/// Where a value is at fault, the reasons differ or a null is no reason. When all rows fail for the
/// same reason, it lies in the expression: `date_trunc('fortnight', t)`, `quantile_at(q, 2)`. A text
/// may have any structure, so an expression over texts is not judged.
///
/// # Errors
/// That reason.
pub fn try_out(expr: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Result<()> {
    if is_over_text(expr, schema) {
        return Ok(());
    }
    let unconverted = functions::unconverted();
    let rows = std::iter::once(None).chain(VALUES.into_iter().map(Some));
    let reasons: Vec<DataFusionError> = rows
        .map_while(|value| failure(expr, schema, value))
        .collect();
    functions::set_unconverted(unconverted);
    let mut texts = reasons.iter().map(ToString::to_string);
    let first = texts.next();
    let same = reasons.len() == 1 + VALUES.len() && texts.all(|text| Some(text) == first);
    match reasons.into_iter().next() {
        Some(reason) if same => Err(reason),
        _ => Ok(()),
    }
}

fn is_over_text(expr: &Arc<dyn PhysicalExpr>, schema: &Schema) -> bool {
    collect_columns(expr).iter().any(|column| {
        let field = schema.fields().get(column.index());
        field.is_some_and(|field| field.data_type().is_string())
    })
}

/// Why the expression cannot be computed over a row in which every column is null, or has `value` as
/// far as its type has such a value.
fn failure(
    expr: &Arc<dyn PhysicalExpr>,
    schema: &Schema,
    value: Option<i64>,
) -> Option<DataFusionError> {
    let columns = schema
        .fields()
        .iter()
        .map(|field| one(field.data_type(), value));
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    // A field that is never null is null here for once.
    let nullable = schema
        .fields()
        .iter()
        .map(|field| field.as_ref().clone().with_nullable(true));
    let nullable = Arc::new(Schema::new(nullable.collect::<Vec<_>>()));
    let row = RecordBatch::try_new_with_options(nullable, columns.collect(), &options).ok()?;
    // An expression takes no state along that a panic could leave half-made.
    match catch_unwind(AssertUnwindSafe(|| expr.evaluate(&row))) {
        Ok(computed) => computed.err(),
        Err(_) => Some(DataFusionError::Execution(
            "it cannot be computed".to_owned(),
        )),
    }
}

fn one(data_type: &DataType, value: Option<i64>) -> ArrayRef {
    value
        .and_then(|value| cast(&Int64Array::from(vec![value]), data_type).ok())
        .unwrap_or_else(|| new_null_array(data_type, 1))
}
