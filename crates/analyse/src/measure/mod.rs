//! `measure(name)` in SQL: a metric's or measure's merged value, wherever an aggregate may stand.
//!
//! The call is replaced in the parsed query, before planning, by the metric's function over the
//! merge aggregates of the cube's state columns. What the engine then plans is an ordinary
//! aggregation, so `group by`, `having`, `order by`, `filter` and subqueries need nothing of ours.

mod names;
mod rewrite;
mod scope;

pub(crate) use names::{MeasureNames, merge_function, metric_function, state_column};
pub(crate) use rewrite::rewrite;

/// The name of the function.
pub(crate) const MEASURE: &str = "measure";
