//! The limits a query lives under. Each has a name, a default and a test.

use std::time::Duration;

use tillwatch_process::functions::Bounds;

/// What one SQL text may be, and what answering it may cost.
///
/// The first group is checked before anything is planned, because planning itself can be made
/// arbitrarily expensive. The second group is watched while the query runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryLimits {
    /// Length of the SQL text.
    pub text_bytes_max: usize,
    /// Number of tokens, without white space and comments. Bounds planning time.
    pub tokens_max: usize,
    /// Depth of parentheses, brackets, `case` and chains of unary operators.
    pub nesting_max: usize,
    /// Operators within one another or in a row, as in `a + b + c`. Planning takes more than the
    /// square of it.
    pub expression_depth_max: usize,
    /// The same for `and`, `or` and `||`, which are cheaper.
    pub condition_depth_max: usize,
    /// Questions within conditions or values of one another, as in `(select (select …))`. Planning
    /// takes twice as long with each.
    pub subquery_depth_max: usize,
    /// Length of one string literal. A literal stands once per row when it becomes a column.
    pub literal_bytes_max: usize,
    /// Relations in the query after every common table expression has been put in place.
    pub relations_max: usize,
    /// How often one column of an inner query can end up copied into an outer expression.
    pub expansion_max: usize,
    /// Time from the call to the whole answer, waiting for a worker included.
    pub deadline: Duration,
    /// Rows of an answer.
    pub rows_max: usize,
    /// Columns of an answer and of every step on the way there.
    pub columns_max: usize,
    /// Bytes of an answer, as columns in memory.
    pub result_bytes_max: usize,
    /// Memory that sorts, joins and groupings of one query may hold.
    pub memory_bytes_max: usize,
    /// Bytes one call of a string or list function may produce for one batch of rows.
    pub function_bytes_max: usize,
    /// Bytes of one value that a string or list function produces. A value that becomes a constant
    /// of an outer query stands there once per row.
    pub value_bytes_max: usize,
    /// Rows that one `generate_series` or `range` may make.
    pub generated_rows_max: usize,
    /// Rows, times the window functions over them, that windows may read which look ahead to the
    /// end: nothing interrupts what is computed of these.
    pub window_rows_max: usize,
    /// Queries that run at the same time; further ones wait.
    pub running_max: usize,
    /// Queries that wait; further ones are told to come back later.
    pub waiting_max: usize,
    /// Threads that plan and run queries.
    pub workers: usize,
    /// Number of series in one answer; the heaviest are kept.
    pub series_max: usize,
    /// Number of points in one answer of series, over all of them.
    pub points_max: usize,
    /// Merged states of panes that the overlapping windows of one answer of series are made of, over
    /// all points and slices.
    pub window_panes_max: usize,
    /// Windows that one bucket may be in where SQL asks for windows.
    pub bucket_windows_max: usize,
    /// Bytes of answers of series that are kept and given again while nothing they read has changed;
    /// 0 keeps none.
    pub series_cache_bytes_max: usize,
    /// Milliseconds of history that a forecast is made of, where the step is an hour or less; days and weeks
    /// look back further.
    pub forecast_history_ms_max: usize,
    /// Steps of history that a forecast is made of; with short steps they reach back less far.
    pub forecast_steps_max: usize,
    /// Steps that a forecast goes ahead.
    pub forecast_points_max: usize,
    /// Slices in one answer of forecasts; the heaviest are kept.
    pub forecast_series_max: usize,
    /// Bytes of forecasts that are kept and given again until a step is complete; 0 keeps none.
    pub forecast_cache_bytes_max: usize,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self {
            text_bytes_max: 64 * 1024,
            tokens_max: 4_000,
            nesting_max: 48,
            expression_depth_max: 128,
            condition_depth_max: 1_000,
            subquery_depth_max: 8,
            literal_bytes_max: 4 * 1024,
            relations_max: 64,
            expansion_max: 10_000,
            deadline: Duration::from_secs(30),
            rows_max: 100_000,
            columns_max: 200,
            result_bytes_max: 128 * 1024 * 1024,
            memory_bytes_max: 256 * 1024 * 1024,
            function_bytes_max: 16 * 1024 * 1024,
            value_bytes_max: 8 * 1024,
            generated_rows_max: 10_000_000,
            window_rows_max: 1_000_000,
            running_max: 4,
            waiting_max: 64,
            workers: 2,
            series_max: 1_000,
            points_max: 500_000,
            window_panes_max: 20_000_000,
            bucket_windows_max: 10_000,
            series_cache_bytes_max: 32 * 1024 * 1024,
            forecast_history_ms_max: 35 * 86_400_000,
            forecast_steps_max: 10_080,
            forecast_points_max: 2_000,
            forecast_series_max: 50,
            forecast_cache_bytes_max: 8 * 1024 * 1024,
        }
    }
}

/// What one call may narrow. A value above the configured limit has no effect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitOverride {
    /// A shorter deadline.
    pub deadline: Option<Duration>,
    /// Fewer rows.
    pub rows_max: Option<usize>,
}

impl QueryLimits {
    /// What one call of a function may produce.
    pub(crate) fn function_bounds(&self) -> Bounds {
        Bounds {
            value_bytes_max: self.value_bytes_max as u64,
            batch_bytes_max: self.function_bytes_max as u64,
        }
    }

    /// These limits, narrowed by what a call asks for.
    #[must_use]
    pub fn narrowed(&self, by: LimitOverride) -> Self {
        let mut limits = self.clone();
        if let Some(deadline) = by.deadline {
            limits.deadline = limits.deadline.min(deadline);
        }
        if let Some(rows_max) = by.rows_max {
            limits.rows_max = limits.rows_max.min(rows_max);
        }
        limits
    }
}

/// Rows in one batch of a query. Small, because a wide constant is copied once per row of a batch.
pub(crate) const BATCH_ROWS: usize = 2_048;

/// Stack of a worker thread: deep expressions recurse in the planner, and an overflow would end
/// the process.
pub(crate) const WORKER_STACK_BYTES: usize = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_narrows_and_never_widens() {
        let limits = QueryLimits::default();
        let wide = LimitOverride {
            deadline: Some(Duration::from_secs(3_600)),
            rows_max: Some(usize::MAX),
        };
        assert_eq!(limits.narrowed(wide), limits);
        let narrow = LimitOverride {
            deadline: Some(Duration::from_millis(5)),
            rows_max: Some(7),
        };
        assert_eq!(limits.narrowed(narrow).deadline, Duration::from_millis(5));
        assert_eq!(limits.narrowed(narrow).rows_max, 7);
    }
}
