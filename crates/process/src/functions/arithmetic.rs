//! Arithmetic that gives the right figure or none.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, cast};
use datafusion::physical_expr::{PhysicalExpr, expressions};

/// The same expression, in which a division by or of a number that was written with a point is one
/// of doubles.
///
/// Such a number is a decimal, so that amounts stay exact. But a decimal quotient has only a few
/// digits more than its dividend, which nobody means who divides by `3.0`.
///
/// # Errors
/// When DataFusion cannot walk the expression.
pub fn exact_or_double(expr: Expr) -> Result<Expr> {
    let is_decimal = |side: &Expr| has_point(side) && side.column_refs().is_empty();
    let rewritten = expr.transform_up(|part| {
        Ok(match part {
            Expr::BinaryExpr(BinaryExpr {
                left,
                op: Operator::Divide,
                right,
            }) if is_decimal(&left) || is_decimal(&right) => {
                let double = |side: Box<Expr>| Box::new(cast(*side, DataType::Float64));
                let divided = BinaryExpr::new(double(left), Operator::Divide, double(right));
                Transformed::yes(Expr::BinaryExpr(divided))
            }
            other => Transformed::no(other),
        })
    })?;
    Ok(rewritten.data)
}

/// Whether an expression is a number that was written with a point, or reckoned from one.
fn has_point(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(value, _) => value.data_type().is_decimal(),
        Expr::Negative(inner) => has_point(inner),
        Expr::BinaryExpr(binary) => has_point(&binary.left) || has_point(&binary.right),
        _ => false,
    }
}

/// The same expression over the columns of `schema`, in which integers and decimals that have no
/// room for their result are an error, as a division by zero is. DataFusion's wrap around.
///
/// # Errors
/// When DataFusion cannot walk the expression.
pub fn checked_arithmetic(
    expr: Arc<dyn PhysicalExpr>,
    schema: &Schema,
) -> Result<Arc<dyn PhysicalExpr>> {
    Ok(expr.transform_up(|part| never_wrapping(part, schema))?.data)
}

fn never_wrapping(
    part: Arc<dyn PhysicalExpr>,
    schema: &Schema,
) -> Result<Transformed<Arc<dyn PhysicalExpr>>> {
    if let Some(binary) = part.downcast_ref::<expressions::BinaryExpr>()
        && matches!(
            binary.op(),
            Operator::Plus | Operator::Minus | Operator::Multiply
        )
    {
        let checked = binary.clone().with_fail_on_overflow(true);
        return Ok(Transformed::yes(Arc::new(checked)));
    }
    if let Some(negative) = part.downcast_ref::<expressions::NegativeExpr>() {
        let data_type = negative.arg().data_type(schema)?;
        if data_type.is_signed_integer() {
            let zero = expressions::lit(ScalarValue::new_zero(&data_type)?);
            let arg = Arc::clone(negative.arg());
            let checked = expressions::BinaryExpr::new(zero, Operator::Minus, arg);
            return Ok(Transformed::yes(Arc::new(
                checked.with_fail_on_overflow(true),
            )));
        }
    }
    Ok(Transformed::no(part))
}
