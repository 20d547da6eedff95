//! The functions a query may call.
//!
//! A list of what is allowed, not of what is forbidden: a newer DataFusion must not bring a new way
//! out. Left out are functions whose result has no bound in their arguments (`string_agg`,
//! `array_agg`), that tell about the machine or the engine (`version`, `input_file_name`) or that
//! only matter inside plans. Functions of lists are not even built in: no column is one.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock};

use datafusion::catalog::TableFunction;
use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::sql::sqlparser::ast::{Expr, Visit, Visitor};

use super::arguments::called;
use super::place::start;
use crate::error::{AnalyseError, Fault};
use crate::suggest;

/// DataFusion's scalar functions that queries may call.
const SCALARS: &[&str] = &[
    // Choosing and converting.
    "nullif",
    "nvl",
    "nvl2",
    "coalesce",
    "greatest",
    "least",
    "arrow_cast",
    "arrow_typeof",
    "get_field",
    "struct",
    "named_struct",
    // Text.
    "ascii",
    "bit_length",
    "btrim",
    "chr",
    "concat",
    "concat_ws",
    "contains",
    "ends_with",
    "levenshtein",
    "lower",
    "ltrim",
    "octet_length",
    "overlay",
    "repeat",
    "replace",
    "rtrim",
    "split_part",
    "starts_with",
    "to_hex",
    "upper",
    "character_length",
    "find_in_set",
    "initcap",
    "left",
    "lpad",
    "reverse",
    "right",
    "rpad",
    "strpos",
    "substr",
    "substr_index",
    "translate",
    "regexp_count",
    "regexp_instr",
    "regexp_like",
    "regexp_match",
    "regexp_replace",
    // Time.
    "current_date",
    "current_time",
    "date_bin",
    "date_part",
    "date_trunc",
    "from_unixtime",
    "make_date",
    "make_time",
    "now",
    "to_char",
    "to_date",
    "to_local_time",
    "to_time",
    "to_unixtime",
    "to_timestamp",
    "to_timestamp_seconds",
    "to_timestamp_millis",
    "to_timestamp_micros",
    "to_timestamp_nanos",
    // Numbers.
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "cot",
    "degrees",
    "exp",
    "factorial",
    "floor",
    "gcd",
    "isnan",
    "iszero",
    "lcm",
    "ln",
    "log",
    "log2",
    "log10",
    "nanvl",
    "pi",
    "power",
    "radians",
    "random",
    "round",
    "signum",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
];

/// DataFusion's aggregate functions that queries may not call: their results have no bound.
const AGGREGATES_LEFT_OUT: &[&str] = &["array_agg", "string_agg"];

/// The scalar functions of DataFusion that queries may call.
pub(crate) fn allowed_scalars() -> Vec<Arc<ScalarUDF>> {
    let allowed: HashSet<&str> = SCALARS.iter().copied().collect();
    SessionStateDefaults::default_scalar_functions()
        .into_iter()
        .filter(|function| allowed.contains(function.name()))
        .collect()
}

/// The aggregate functions of DataFusion that queries may call.
pub(crate) fn allowed_aggregates() -> Vec<Arc<AggregateUDF>> {
    SessionStateDefaults::default_aggregate_functions()
        .into_iter()
        .filter(|function| !AGGREGATES_LEFT_OUT.contains(&function.name()))
        .collect()
}

/// `generate_series` and `range` as tables: they produce rows as they are asked for.
pub(crate) fn allowed_table_functions() -> Vec<Arc<TableFunction>> {
    SessionStateDefaults::default_table_functions()
}

/// Every name DataFusion knows and we leave out, to tell "not allowed" from "does not exist".
static LEFT_OUT: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let allowed: HashSet<&str> = SCALARS.iter().copied().collect();
    let scalars = SessionStateDefaults::default_scalar_functions()
        .into_iter()
        .filter(|function| !allowed.contains(function.name()))
        .flat_map(|function| names(function.name(), function.aliases()));
    let aggregates = SessionStateDefaults::default_aggregate_functions()
        .into_iter()
        .filter(|function| AGGREGATES_LEFT_OUT.contains(&function.name()))
        .flat_map(|function| names(function.name(), function.aliases()));
    let higher_order = SessionStateDefaults::default_higher_order_functions()
        .into_iter()
        .flat_map(|function| names(function.name(), function.aliases()));
    scalars.chain(aggregates).chain(higher_order).collect()
});

fn names(name: &str, aliases: &[String]) -> Vec<String> {
    std::iter::once(name.to_owned())
        .chain(aliases.iter().cloned())
        .collect()
}

/// Refuses calls of functions that are not among `known`, before anything is planned.
pub(crate) fn check_functions(
    part: &impl Visit,
    known: &HashSet<String>,
) -> Result<(), AnalyseError> {
    match part.visit(&mut Calls { known }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(*error),
    }
}

struct Calls<'a> {
    known: &'a HashSet<String>,
}

impl Visitor for Calls<'_> {
    type Break = Box<AnalyseError>;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Box<AnalyseError>> {
        let Expr::Function(call) = expr else {
            return ControlFlow::Continue(());
        };
        let name = called(call);
        if self.known.contains(&name) {
            return ControlFlow::Continue(());
        }
        let place = start(expr);
        ControlFlow::Break(Box::new(if LEFT_OUT.contains(&name) {
            let fault = Fault::new(format!("the function '{name}' is not allowed in queries"));
            AnalyseError::Forbidden(fault.at(place))
        } else {
            let closest = suggest::did_you_mean(&name, self.known.iter().map(String::as_str));
            let fault = Fault::new(format!("there is no function '{name}'"));
            AnalyseError::Unknown(fault.at(place).suggest(closest))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_function_exists() {
        let found: HashSet<String> = allowed_scalars()
            .iter()
            .map(|function| function.name().to_owned())
            .collect();
        for name in SCALARS {
            assert!(
                found.contains(*name),
                "{name} is not a function of DataFusion"
            );
        }
    }

    #[test]
    fn functions_without_bound_are_left_out() {
        for name in ["string_agg", "array_agg", "version"] {
            assert!(LEFT_OUT.contains(name), "{name}");
        }
    }
}
