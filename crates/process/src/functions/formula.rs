//! `linear(x, a, b)` and `logistic(x, a, b)`: the two formulas of the founding article.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

/// A function of one variable and two coefficients over doubles; null when any input is null.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Formula {
    kind: Kind,
    signature: Signature,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Linear,
    Logistic,
}

impl Formula {
    pub(super) fn linear() -> Self {
        Self {
            kind: Kind::Linear,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    pub(super) fn logistic() -> Self {
        Self {
            kind: Kind::Logistic,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl Kind {
    fn apply(self, x: f64, a: f64, b: f64) -> f64 {
        match self {
            Self::Linear => a * x + b,
            Self::Logistic => 1.0 / (1.0 + (-(a * x + b)).exp()),
        }
    }
}

impl ScalarUDFImpl for Formula {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Linear => "linear",
            Kind::Logistic => "logistic",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        if arg_types.len() != 3 {
            return Err(DataFusionError::Plan(format!(
                "{}(x, a, b) takes 3 numbers, got {} arguments",
                self.name(),
                arg_types.len()
            )));
        }
        if let Some(other) = arg_types.iter().find(|t| !t.is_numeric() && !t.is_null()) {
            return Err(DataFusionError::Plan(format!(
                "{}(x, a, b) takes numbers, got {other}",
                self.name()
            )));
        }
        Ok(vec![DataType::Float64; 3])
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let arrays = args
            .args
            .iter()
            .map(|a| a.to_array(rows))
            .collect::<Result<Vec<ArrayRef>>>()?;
        let [x, a, b] = arrays.as_slice() else {
            return Err(DataFusionError::Plan(format!(
                "{} takes 3 numbers",
                self.name()
            )));
        };
        let (x, a, b) = (
            x.as_primitive::<Float64Type>(),
            a.as_primitive::<Float64Type>(),
            b.as_primitive::<Float64Type>(),
        );
        let out: Float64Array = (x.iter().zip(a.iter()).zip(b.iter()))
            .map(|((x, a), b)| Some(self.kind.apply(x?, a?, b?)))
            .collect();
        debug_assert_eq!(out.len(), rows);
        Ok(ColumnarValue::Array(Arc::new(out)))
    }
}
