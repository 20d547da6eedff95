//! Windows in SQL: `tumble`, `hop` and `cumulate` over a cube, in the field's words.
//!
//! Each is a table of the cube's rows with two columns more, `window_start` and `window_end`, and with
//! a row for every window that holds a bucket. Grouping by these merges a window's states.

mod call;
mod kind;
mod rows;
mod table;

pub(crate) use call::functions;
pub(crate) use table::WindowTable;

/// The names of the functions.
pub(crate) const FUNCTIONS: [&str; 3] = ["tumble", "hop", "cumulate"];

/// Before the name of a dimension, where a zone is meant: each row's zone is what it says.
pub(crate) const DIMENSION: &str = "dim:";

/// The column of a window's start.
pub(crate) const WINDOW_START: &str = "window_start";
/// The column of a window's end.
pub(crate) const WINDOW_END: &str = "window_end";
