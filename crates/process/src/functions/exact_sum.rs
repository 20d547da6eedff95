//! `sum` that cannot wrap around.
//!
//! DataFusion's `sum` adds 64-bit integers with wrap-around, and decimals in 128 bits with the
//! same. A figure that silently turns negative is worse than none, so integers are summed as
//! decimals and decimals close to 38 digits in 256 bits. Everything else is DataFusion's.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, ReversedUDAF,
    Signature, Volatility,
};

/// Decimals up to this precision are summed in 128 bits: ten digits are left for the rows.
const NARROW_PRECISION_MAX: u8 = 28;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ExactSum {
    inner: Arc<AggregateUDF>,
    signature: Signature,
}

impl ExactSum {
    pub(super) fn new() -> Self {
        Self {
            inner: sum_udaf(),
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

/// What an argument is turned into before it is added.
fn widened(argument: &DataType) -> Result<DataType> {
    Ok(match argument {
        DataType::UInt64 => DataType::Decimal128(20, 0),
        t if t.is_integer() => DataType::Decimal128(19, 0),
        DataType::Decimal32(p, s) | DataType::Decimal64(p, s) => DataType::Decimal128(*p, *s),
        DataType::Decimal128(p, s) if *p > NARROW_PRECISION_MAX => DataType::Decimal256(*p, *s),
        DataType::Decimal128(_, _) | DataType::Decimal256(_, _) => argument.clone(),
        t if t.is_floating() => DataType::Float64,
        DataType::Null => DataType::Float64,
        DataType::Duration(_) | DataType::Interval(_) => argument.clone(),
        other => {
            return Err(DataFusionError::Plan(format!(
                "sum takes numbers, got {other}"
            )));
        }
    })
}

impl AggregateUDFImpl for ExactSum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match arg_types {
            [one] => Ok(vec![widened(one)?]),
            _ => Err(DataFusionError::Plan(format!(
                "sum takes one argument, got {}",
                arg_types.len()
            ))),
        }
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arg_types)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.inner.accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.inner.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        self.inner.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        self.inner.create_groups_accumulator(args)
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.inner.create_sliding_accumulator(args)
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
