//! How late events come: a histogram with fixed bounds, so that any two can be added.

use serde::{Deserialize, Serialize};

const SECOND_US: i64 = 1_000_000;
const MINUTE_US: i64 = 60 * SECOND_US;
const HOUR_US: i64 = 60 * MINUTE_US;
const DAY_US: i64 = 24 * HOUR_US;

/// The upper bounds of the buckets of [`Lags`], inclusive, in microseconds. What is beyond the last
/// is in one bucket more.
pub const LAG_BOUNDS_US: [i64; 11] = [
    SECOND_US,
    5 * SECOND_US,
    30 * SECOND_US,
    MINUTE_US,
    5 * MINUTE_US,
    15 * MINUTE_US,
    HOUR_US,
    6 * HOUR_US,
    DAY_US,
    7 * DAY_US,
    30 * DAY_US,
];

/// Buckets, the one beyond the last bound included.
const BUCKETS: usize = LAG_BOUNDS_US.len() + 1;

/// Events by how far they were behind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lags {
    /// Events per bucket, as [`LAG_BOUNDS_US`] says; not cumulative.
    counts: [u64; BUCKETS],
    /// The sum of all lags, µs.
    sum_us: u128,
}

impl Lags {
    /// Counts an event that came so far behind, in microseconds. What is ahead is not behind at all.
    pub(crate) fn add(&mut self, lag_us: i64) {
        let lag_us = lag_us.max(0);
        // Nearly every event of live traffic is in the first bucket.
        let bucket = if lag_us <= SECOND_US {
            0
        } else {
            LAG_BOUNDS_US.partition_point(|bound| *bound < lag_us)
        };
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum_us += u128::from(lag_us.unsigned_abs());
    }

    /// Upper bound of each bucket in microseconds, none for the last, and the events in it alone.
    pub fn buckets(&self) -> impl ExactSizeIterator<Item = (Option<i64>, u64)> + '_ {
        self.counts
            .iter()
            .enumerate()
            .map(|(at, count)| (LAG_BOUNDS_US.get(at).copied(), *count))
    }

    /// Events counted.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The sum of all lags, in microseconds.
    #[must_use]
    pub fn sum_us(&self) -> u128 {
        self.sum_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lag_is_in_the_first_bucket_whose_bound_it_does_not_exceed() {
        let edges = LAG_BOUNDS_US.iter().flat_map(|b| [b - 1, *b, b + 1]);
        for lag_us in edges.chain([i64::MIN, -1, 0, 1, i64::MAX]) {
            let mut lags = Lags::default();
            lags.add(lag_us);
            let bound = LAG_BOUNDS_US.into_iter().find(|bound| lag_us <= *bound);
            let filled: Vec<_> = lags.buckets().filter(|(_, events)| *events > 0).collect();
            assert_eq!(filled, [(bound, 1)], "{lag_us}");
            assert_eq!(lags.sum_us(), u128::try_from(lag_us).unwrap_or(0));
            assert_eq!(lags.events(), 1);
        }
    }
}
