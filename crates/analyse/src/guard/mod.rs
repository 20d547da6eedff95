//! What stands between an SQL text from outside and the planner.
//!
//! In order: the text's size, its tokens and nesting (`text`); exactly one read-only statement
//! without anything that reads or writes elsewhere (`statement`); how deep its expressions are
//! (`depth`), which functions they call (`functions`), to which types they cast (`types`) and with
//! which patterns they match (`patterns`); how large it becomes once common table expressions and
//! inner columns are put in place (`shape`); and, inside the plan, how much memory one call may
//! produce (`bounded`).

use std::collections::HashSet;

use datafusion::sql::sqlparser::ast::Visit;

use crate::error::AnalyseError;
use crate::limits::QueryLimits;

mod arguments;
mod bounded;
mod depth;
mod functions;
mod numbers;
mod patterns;
mod place;
mod shape;
mod statement;
mod text;
mod types;

pub(crate) use bounded::BoundFunctions;
pub(crate) use functions::{allowed_aggregates, allowed_scalars, allowed_table_functions};
pub(crate) use numbers::write_exactly;
pub(crate) use shape::check_shape;
pub(crate) use statement::parse;
pub(crate) use text::{check_text, lower_first, position};

/// Refuses expressions that are too deep, or that call, cast to or match with what a query may not;
/// `known` are the functions there are.
pub(crate) fn check_expressions(
    part: &impl Visit,
    known: &HashSet<String>,
    limits: &QueryLimits,
) -> Result<(), AnalyseError> {
    depth::check_depth(part, limits)?;
    functions::check_functions(part, known)?;
    types::check_types(part)?;
    patterns::check_patterns(part)
}
