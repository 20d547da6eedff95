//! What stands between an SQL text from outside and the planner.
//!
//! In order: the text's size, its tokens and nesting (`text`); exactly one read-only statement
//! without anything that reads or writes elsewhere (`statement`); how large it becomes once common
//! table expressions and inner columns are put in place (`shape`) and how deep its expressions are (`depth`); which functions it calls
//! (`functions`); and, inside the plan, how much memory one call may produce (`bounded`).

mod bounded;
mod bounded_size;
mod depth;
mod functions;
mod shape;
mod statement;
mod text;

pub(crate) use bounded::{BoundFunctions, bound};
pub(crate) use depth::check_depth;
pub(crate) use functions::{
    allowed_aggregates, allowed_scalars, allowed_table_functions, check_functions,
};
pub(crate) use shape::check_shape;
pub(crate) use statement::parse;
pub(crate) use text::{check_text, lower_first, position};
