//! Arithmetic that gives the right figure or none.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, cast};
use datafusion::physical_expr::{PhysicalExpr, expressions};

/// The same expression, in which a division by or of a decimal without money in it is one of doubles.
///
/// A number that was written with a point is a decimal, so that amounts stay exact, and so is a sum
/// of integers, so that it never wraps. But a decimal quotient has only a few digits more than its
/// dividend, which nobody means who divides by `3.0` or a sum of ones by a count.
///
/// # Errors
/// When DataFusion cannot walk the expression.
pub fn exact_or_double(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    Ok(expr
        .transform_up(|part| Ok(exact_quotient(part, schema)))?
        .data)
}

/// [`exact_or_double`] of one operator, whose sides have been looked at.
#[must_use]
pub fn exact_quotient(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    match expr {
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Divide,
            right,
        }) if is_only_decimal(&left, schema) || is_only_decimal(&right, schema) => {
            let double = |side: Box<Expr>| Box::new(cast(*side, DataType::Float64));
            let divided = BinaryExpr::new(double(left), Operator::Divide, double(right));
            Transformed::yes(Expr::BinaryExpr(divided))
        }
        other => Transformed::no(other),
    }
}

fn is_only_decimal(expr: &Expr, schema: &DFSchema) -> bool {
    let is_decimal = expr.get_type(schema).is_ok_and(|kind| kind.is_decimal());
    is_decimal && !has_money(expr, schema)
}

/// Whether an expression is made of decimals that somebody declared: columns with digits behind the
/// point, or what is cast to a decimal. Literals and sums of integers are decimals for other reasons.
#[must_use]
pub fn has_money(expr: &Expr, schema: &DFSchema) -> bool {
    expr.exists(|part| {
        Ok(match part {
            Expr::Column(_) => part.get_type(schema).is_ok_and(|kind| scale(&kind) > 0),
            Expr::Cast(_) | Expr::TryCast(_) => {
                part.get_type(schema).is_ok_and(|kind| kind.is_decimal())
            }
            Expr::ScalarSubquery(_) => true,
            _ => false,
        })
    })
    // What cannot be walked is left as it is.
    .unwrap_or(true)
}

/// Digits behind the point of a decimal; 0 of everything else.
fn scale(kind: &DataType) -> i8 {
    match kind {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale,
        _ => 0,
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
