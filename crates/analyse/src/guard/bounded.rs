//! Functions that refuse to produce more than a fixed number of bytes.
//!
//! A memory pool counts what sorts and groupings hold, not what a single call allocates, so
//! `repeat('x', 1e9)` passes it by. Functions that can produce more than they are given are wrapped:
//! the size of the result is computed from the arguments first.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, StringArray, StringBuilder};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::{
    Cast, ColumnarValue, Documentation, Expr, Operator, ReturnFieldArgs, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, Signature, TryCast, Volatility,
};

use super::bounded_size::{Argument, value_bytes};
use super::patterns::has_open_pattern;
use super::types::is_allowed;
use crate::limits::QueryLimits;

/// Functions whose result can be larger than their arguments.
const GROWING: &[&str] = &[
    "concat",
    "concat_ws",
    "lpad",
    "overlay",
    "regexp_replace",
    "repeat",
    "replace",
    "rpad",
    "to_char",
    "translate",
];

/// What one call may produce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Bounds {
    value_bytes_max: u64,
    batch_bytes_max: u64,
}

impl Bounds {
    fn of(limits: &QueryLimits) -> Self {
        Self {
            value_bytes_max: limits.value_bytes_max as u64,
            batch_bytes_max: limits.function_bytes_max as u64,
        }
    }

    fn check(&self, function: &str, args: &ScalarFunctionArgs) -> Result<()> {
        let arguments = args
            .args
            .iter()
            .map(Argument::read)
            .collect::<Result<Vec<_>>>()?;
        let constant = args
            .args
            .iter()
            .all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let mut total = 0_u64;
        for row in 0..rows {
            let bytes = value_bytes(function, &arguments, row);
            if bytes > self.value_bytes_max {
                return exec_err!(
                    "'{function}' would produce a value of up to {bytes} bytes; at most {} are allowed",
                    self.value_bytes_max
                );
            }
            total = total.saturating_add(bytes);
            if total > self.batch_bytes_max {
                return exec_err!(
                    "'{function}' would produce more than {} bytes at once",
                    self.batch_bytes_max
                );
            }
        }
        Ok(())
    }
}

/// The function itself, or the same with bounds if its result can be larger than its arguments.
pub(crate) fn bound(function: Arc<ScalarUDF>, limits: &QueryLimits) -> Arc<ScalarUDF> {
    if !GROWING.contains(&function.name()) {
        return function;
    }
    let bounds = Bounds::of(limits);
    Arc::new(ScalarUDF::from(Bounded {
        inner: function,
        bounds,
    }))
}

/// A function that checks the size of its result before it is called.
///
/// It does not hand on the inner function's simplification, which would put the inner function back
/// into the plan.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    bounds: Bounds,
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arg_types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(arg_types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.bounds.check(self.inner.name(), &args)?;
        self.inner.invoke_with_args(args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}

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
    /// Bounds for `functions`, which are all that may stand in a plan.
    pub(crate) fn new(functions: &[Arc<ScalarUDF>], limits: &QueryLimits) -> Self {
        let bounded = functions
            .iter()
            .filter(|function| GROWING.contains(&function.name()))
            .map(|function| {
                (
                    function.name().to_owned(),
                    bound(Arc::clone(function), limits),
                )
            })
            .collect();
        let allowed = functions
            .iter()
            .map(|function| function.name().to_owned())
            .collect();
        let joined = Joined {
            signature: Signature::user_defined(Volatility::Immutable),
            bounds: Bounds::of(limits),
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

    fn rewrite(&self, expr: Expr, _: &DFSchema, _: &ConfigOptions) -> Result<Transformed<Expr>> {
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
