//! Functions that refuse to produce more than a fixed number of bytes.
//!
//! A memory pool counts what sorts and groupings hold, not what a single call allocates, so
//! `repeat('x', 1e9)` passes it by, and the figure may be a field's. Functions that can produce more
//! than they are given are wrapped: the size of the result is computed from the arguments first.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature,
};

use super::bounded_size::{Argument, value_bytes};

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

/// Bytes that one call of a function may produce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// In one row.
    pub value_bytes_max: u64,
    /// In all rows of a batch.
    pub batch_bytes_max: u64,
}

impl Bounds {
    /// Refuses a call whose result could be larger.
    ///
    /// # Errors
    /// The function, and how much it could produce.
    pub fn check(&self, function: &str, args: &ScalarFunctionArgs) -> Result<()> {
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

/// Whether a function's result can be larger than its arguments.
#[must_use]
pub fn is_growing(function: &str) -> bool {
    GROWING.contains(&function)
}

/// The function itself, or the same with bounds if its result can be larger than its arguments.
#[must_use]
pub fn bound(function: Arc<ScalarUDF>, bounds: Bounds) -> Arc<ScalarUDF> {
    if !is_growing(function.name()) {
        return function;
    }
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
