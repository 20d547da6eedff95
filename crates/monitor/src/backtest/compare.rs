//! Two versions of a monitor over the same past.

use serde::Serialize;

use super::BacktestReport;
use super::label::are_same;

/// What one version of a monitor would have found and another would not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Incidents of both, by their places in the first and in the second report.
    pub both: Vec<(usize, usize)>,
    /// Places in the first report of what only it found.
    pub only_first: Vec<usize>,
    /// Places in the second report of what only it found.
    pub only_second: Vec<usize>,
}

/// Compares two reports over the same time.
#[must_use]
pub fn compare(first: &BacktestReport, second: &BacktestReport) -> Comparison {
    let mut both = Vec::new();
    let mut taken = vec![false; second.found.len()];
    let mut only_first = Vec::new();
    for (at, one) in first.found.iter().enumerate() {
        let same = second.found.iter().zip(&mut taken).enumerate();
        let mut same =
            same.filter(|(_, (other, taken))| !**taken && are_same(&one.incident, &other.incident));
        match same.next() {
            Some((place, (_, taken))) => {
                *taken = true;
                both.push((at, place));
            }
            None => only_first.push(at),
        }
    }
    let left = taken.iter().enumerate().filter(|(_, taken)| !**taken);
    Comparison {
        both,
        only_first,
        only_second: left.map(|(place, _)| place).collect(),
    }
}
