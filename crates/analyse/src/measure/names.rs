//! What `measure(name)` can name, and how the replacing functions and columns are called.
//!
//! The inner names hold signs that no definition's name may hold, so they collide with nothing and
//! cannot be mistaken for something to write in a query.

use std::collections::BTreeMap;

/// The measures of every cube and the metrics over them.
#[derive(Debug, Default)]
pub(crate) struct MeasureNames {
    /// Cube → measure → number of its state columns.
    pub(crate) cubes: BTreeMap<String, BTreeMap<String, usize>>,
    /// Metric → its cube and the measures it is computed from, in the order of its arguments.
    pub(crate) metrics: BTreeMap<String, (String, Vec<String>)>,
}

impl MeasureNames {
    /// The metrics of a cube.
    pub(crate) fn metrics_of<'a>(&'a self, cube: &'a str) -> impl Iterator<Item = &'a str> {
        self.metrics
            .iter()
            .filter(move |(_, (of, _))| of == cube)
            .map(|(name, _)| name.as_str())
    }

    /// Every name `measure()` takes for a cube.
    pub(crate) fn all_of<'a>(&'a self, cube: &'a str) -> impl Iterator<Item = &'a str> {
        let measures = self.cubes.get(cube).into_iter().flat_map(BTreeMap::keys);
        self.metrics_of(cube).chain(measures.map(String::as_str))
    }
}

/// The column that carries one part of a measure's partial state.
pub(crate) fn state_column(measure: &str, part: usize) -> String {
    format!("{measure}#{part}")
}

/// The aggregate that merges and finishes a measure's partial states.
pub(crate) fn merge_function(cube: &str, measure: &str) -> String {
    format!("measure:{cube}.{measure}")
}

/// The function that computes a metric from finished measures.
pub(crate) fn metric_function(metric: &str) -> String {
    format!("metric:{metric}")
}
