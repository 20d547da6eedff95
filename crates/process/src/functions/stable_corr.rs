//! `corr` that keeps its digits.
//!
//! DataFusion's grouped `corr` adds up squares and products, which cancel when values are large
//! against their spread, as times are: the result is wrong, or null. Its accumulator of one group
//! keeps means and squared deviations (Welford) and is right, so that one is used for every group.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result;
use datafusion::functions_aggregate::correlation::corr_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, Signature,
};

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct StableCorr {
    inner: Arc<AggregateUDF>,
}

impl StableCorr {
    pub(super) fn new() -> Self {
        Self { inner: corr_udaf() }
    }
}

impl AggregateUDFImpl for StableCorr {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
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

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
