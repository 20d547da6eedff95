//! The bounds of functions, put into a plan.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, StringArray, StringBuilder};
use datafusion::arrow::compute::kernels::numeric;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::{
    BinaryExpr, Cast, ColumnarValue, Expr, ExprSchemable, Operator, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, TryCast, Volatility,
};
use datafusion::physical_expr_common::datum::apply;
use tillwatch_process::functions::{Bounds, bound, exact_quotient, has_open_pattern, is_growing};

use super::types::is_allowed;

/// The operator `||` on text as a bounded function; null with anything is null.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Joined {
    signature: Signature,
    bounds: Bounds,
}

impl ScalarUDFImpl for Joined {
    fn name(&self) -> &'static str {
        "||"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        if let Some(nested) = arg_types.iter().find(|kind| kind.is_nested()) {
            return plan_err!("'||' joins texts, not values of type {nested}");
        }
        Ok(vec![DataType::Utf8; arg_types.len()])
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.bounds.check("||", &args)?;
        let constant = args
            .args
            .iter()
            .all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let texts: Vec<&StringArray> = arrays.iter().map(|array| array.as_string()).collect();
        let rows = texts.first().map_or(0, |first| first.len());
        let mut joined = StringBuilder::with_capacity(rows, 0);
        for row in 0..rows {
            if texts.iter().any(|text| text.is_null(row)) {
                joined.append_null();
                continue;
            }
            let parts: Vec<&str> = texts.iter().map(|text| text.value(row)).collect();
            joined.append_value(parts.concat());
        }
        let joined = joined.finish();
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &joined, 0,
            )?));
        }
        Ok(ColumnarValue::Array(Arc::new(joined)))
    }
}

/// `+`, `-` or `*` of integers that fails where the result has no room; the planner's wraps around.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Exact {
    op: Operator,
    signature: Signature,
}

impl Exact {
    fn new(op: Operator) -> Self {
        let signature = Signature::exact(vec![DataType::Int64; 2], Volatility::Immutable);
        Self { op, signature }
    }
}

impl ScalarUDFImpl for Exact {
    fn name(&self) -> &'static str {
        match self.op {
            Operator::Plus => "+",
            Operator::Minus => "-",
            _ => "*",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let compute = match self.op {
            Operator::Plus => numeric::add,
            Operator::Minus => numeric::sub,
            _ => numeric::mul,
        };
        match args.args.as_slice() {
            [left, right] => apply(left, right, compute),
            _ => plan_err!("'{}' takes two numbers", self.name()),
        }
    }
}

/// Puts the bounded functions into a plan, also where the planner chose a function itself, and
/// refuses what is not allowed. The last word on functions, casts and patterns, after the text's own
/// check.
#[derive(Debug)]
pub(crate) struct BoundFunctions {
    bounded: HashMap<String, Arc<ScalarUDF>>,
    allowed: HashSet<String>,
    joined: Arc<ScalarUDF>,
}

impl BoundFunctions {
    /// Bounds for `functions`, which are all that may stand in a plan besides those of the names in
    /// `own`: no text can call these, only plans that are built have them.
    pub(crate) fn new(functions: &[Arc<ScalarUDF>], own: &[&str], bounds: Bounds) -> Self {
        let bounded = functions
            .iter()
            .filter(|function| is_growing(function.name()))
            .map(|function| {
                (
                    function.name().to_owned(),
                    bound(Arc::clone(function), bounds),
                )
            })
            .collect();
        let allowed = functions
            .iter()
            .map(|function| function.name().to_owned())
            .chain(own.iter().map(|name| (*name).to_owned()))
            .collect();
        let joined = Joined {
            signature: Signature::user_defined(Volatility::Immutable),
            bounds,
        };
        Self {
            bounded,
            allowed,
            joined: Arc::new(ScalarUDF::from(joined)),
        }
    }
}

impl FunctionRewrite for BoundFunctions {
    fn name(&self) -> &'static str {
        "bound_functions"
    }

    fn rewrite(
        &self,
        expr: Expr,
        schema: &DFSchema,
        _: &ConfigOptions,
    ) -> Result<Transformed<Expr>> {
        if has_open_pattern(&expr) {
            return plan_err!("a pattern must be a text in quotes");
        }
        match expr {
            Expr::Cast(Cast { ref field, .. }) | Expr::TryCast(TryCast { ref field, .. })
                if !is_allowed(field.data_type()) =>
            {
                plan_err!(
                    "a cast to '{}' is not allowed in queries",
                    field.data_type()
                )
            }
            Expr::ScalarFunction(ScalarFunction { func, args }) => {
                if let Some(bounded) = self.bounded.get(func.name()) {
                    let func = Arc::clone(bounded);
                    return Ok(Transformed::yes(Expr::ScalarFunction(ScalarFunction {
                        func,
                        args,
                    })));
                }
                if !self.allowed.contains(func.name()) {
                    return plan_err!("the function '{}' is not allowed in queries", func.name());
                }
                Ok(Transformed::no(Expr::ScalarFunction(ScalarFunction {
                    func,
                    args,
                })))
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right })
                if matches!(op, Operator::Plus | Operator::Minus | Operator::Multiply)
                    && is_integer(&left, schema)
                    && is_integer(&right, schema) =>
            {
                let func = Arc::new(ScalarUDF::from(Exact::new(op)));
                let args = vec![*left, *right];
                Ok(Transformed::yes(Expr::ScalarFunction(ScalarFunction {
                    func,
                    args,
                })))
            }
            // A decimal quotient has only a few digits more than its dividend.
            Expr::BinaryExpr(ref binary) if binary.op == Operator::Divide => {
                Ok(exact_quotient(expr, schema))
            }
            Expr::BinaryExpr(binary) if binary.op == Operator::StringConcat => {
                let func = Arc::clone(&self.joined);
                // Children come first, so a chain to the left is one call already: it stays one.
                let mut args = match *binary.left {
                    Expr::ScalarFunction(call) if call.func == func => call.args,
                    left => vec![left],
                };
                args.push(*binary.right);
                Ok(Transformed::yes(Expr::ScalarFunction(ScalarFunction {
                    func,
                    args,
                })))
            }
            other => Ok(Transformed::no(other)),
        }
    }
}

/// Whether a value is a whole number of at most 64 bits with a sign.
fn is_integer(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema)
        .is_ok_and(|kind| kind.is_integer() && kind != DataType::UInt64)
}
