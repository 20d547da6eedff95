//! Division as metrics mean it: never of integers, and nothing divided by zero is null.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, cast, lit, when};
use tillwatch_process::functions::has_money;

/// Rewrites every `/` and `%` of an expression.
///
/// Money divided by an integer, such as an amount per order, stays a decimal (with four digits more,
/// cut off); every other quotient is a float64. A zero divisor gives null.
pub(super) fn rewrite(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    expr.transform_up(|expr| match expr {
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Divide,
            right,
        }) => divide(*left, *right, schema).map(Transformed::yes),
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Modulo,
            right,
        }) => {
            let right = null_if_zero(*right, schema)?;
            let expr = BinaryExpr::new(left, Operator::Modulo, Box::new(right));
            Ok(Transformed::yes(Expr::BinaryExpr(expr)))
        }
        other => Ok(Transformed::no(other)),
    })
    .map(|transformed| transformed.data)
}

fn divide(left: Expr, right: Expr, schema: &DFSchema) -> Result<Expr> {
    let stays_decimal = left.get_type(schema)?.is_decimal()
        && has_money(&left, schema)
        && right.get_type(schema)?.is_integer();
    let (left, right) = if stays_decimal {
        (left, right)
    } else {
        (
            cast(left, DataType::Float64),
            cast(right, DataType::Float64),
        )
    };
    let right = null_if_zero(right, schema)?;
    Ok(Expr::BinaryExpr(BinaryExpr::new(
        Box::new(left),
        Operator::Divide,
        Box::new(right),
    )))
}

fn null_if_zero(divisor: Expr, schema: &DFSchema) -> Result<Expr> {
    let kind = divisor.get_type(schema)?;
    let zero = ScalarValue::new_zero(&kind)?;
    let nothing = ScalarValue::try_new_null(&kind)?;
    when(divisor.clone().eq(lit(zero)), lit(nothing)).otherwise(divisor)
}
