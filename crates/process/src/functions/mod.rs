//! The SQL functions Tillwatch adds, and their documentation.
//!
//! The founding formulas are `linear` and `logistic`; least squares and correlation are
//! DataFusion's own `regr_slope`, `regr_intercept` and `corr`. `sum` is replaced by one that
//! cannot wrap around, see [`exact_sum`], and `corr` by one that keeps its digits, see
//! [`stable_corr`].

mod arithmetic;
mod bounded;
mod bounded_size;
mod convert;
mod distinct;
mod docs;
mod exact_sum;
mod formula;
mod pattern;
mod quantile;
mod quantile_sketch;
mod rates;
mod stable_corr;

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

pub use arithmetic::{checked_arithmetic, exact_or_double, exact_quotient, has_money};
pub use bounded::{Bounds, bound, is_growing};
pub(crate) use convert::{set_unconverted, unconverted};
pub use docs::{FunctionDoc, function_docs};
pub use pattern::{has_open_pattern, pattern_arguments};
pub use quantile_sketch::{QuantileSketch, SketchError};
pub use rates::Rates;

/// All aggregate functions of ours; `sum` and `corr` take the place of DataFusion's.
#[must_use]
pub fn aggregate_functions() -> Vec<Arc<AggregateUDF>> {
    vec![
        Arc::new(AggregateUDF::from(exact_sum::ExactSum::new())),
        Arc::new(AggregateUDF::from(stable_corr::StableCorr::new())),
        Arc::new(AggregateUDF::from(distinct::Distinct::new())),
        Arc::new(AggregateUDF::from(quantile::Quantile::new())),
    ]
}

/// All scalar functions of ours; `convert` uses `rates`.
#[must_use]
pub fn scalar_functions(rates: &Arc<Rates>) -> Vec<Arc<ScalarUDF>> {
    vec![
        Arc::new(ScalarUDF::from(formula::Formula::linear())),
        Arc::new(ScalarUDF::from(formula::Formula::logistic())),
        Arc::new(ScalarUDF::from(convert::Convert::new(Arc::clone(rates)))),
        Arc::new(ScalarUDF::from(quantile::QuantileAt::new())),
    ]
}

/// Registers every function of ours in a session context or state.
///
/// # Errors
/// When the registry refuses a function.
pub fn register_functions(registry: &mut dyn FunctionRegistry, rates: &Arc<Rates>) -> Result<()> {
    for function in aggregate_functions() {
        registry.register_udaf(function)?;
    }
    for function in scalar_functions(rates) {
        registry.register_udf(function)?;
    }
    Ok(())
}
