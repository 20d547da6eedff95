//! Retention: states grow coarser with age and are removed at last.
//!
//! `keep: {10s: 2d, 1m: 30d}` keeps 10 s buckets for two days, then 1 min buckets until 30 days.
//! Age is counted in event time from the stream's watermark, so it needs no clock and a replay
//! arrives at the same states. A roll-up is the same merge as any other, after the bucket column
//! has been floored.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, AsArray, BooleanArray, RecordBatch, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::TimestampMicrosecondType;

use crate::definition::CubeDefinition;
use crate::error::{Item, ProcessError};

/// Retention runs again when the watermark has moved by this part of the shortest age.
const RUNS_PER_AGE: i64 = 16;

/// The checked `keep` of a cube: widths and ages in microseconds, both rising.
#[derive(Debug, Clone, Default)]
pub(super) struct Keep {
    steps: Vec<(i64, i64)>,
}

/// A retention at one moment: the bucket starts from which each width still holds.
#[derive(Debug, Clone)]
pub(crate) struct KeepAt {
    /// (bucket start, width): the first entry whose start is not after a bucket gives its width.
    borders: Vec<(i64, i64)>,
}

impl Keep {
    pub(super) fn new(cube: &CubeDefinition) -> Result<Self, ProcessError> {
        let us = |d: std::time::Duration| i64::try_from(d.as_micros()).unwrap_or(i64::MAX);
        let steps: Vec<(i64, i64)> = cube
            .keep
            .iter()
            .map(|(w, age)| (us(*w), us(*age)))
            .collect();
        let fault = |reason: &str| {
            Err(ProcessError::item(
                Item::Cube {
                    cube: cube.name.clone(),
                },
                format!("keep: {reason}"),
            ))
        };
        let Some((first, _)) = steps.first() else {
            return Ok(Self::default());
        };
        if *first != us(cube.bucket) {
            return fault("the first width is the cube's bucket");
        }
        for (width, age) in &steps {
            if *age < *width || *width <= 0 {
                return fault("an age is at least as long as its bucket");
            }
        }
        for ((width, age), (next_width, next_age)) in steps.iter().zip(steps.iter().skip(1)) {
            if next_width <= width || next_width % width != 0 {
                return fault("each width is a multiple of the one before");
            }
            if next_age <= age {
                return fault("each age is longer than the one before");
            }
        }
        Ok(Self { steps })
    }

    /// How far the watermark moves between two runs, µs; none when everything is kept.
    pub(super) fn every_us(&self) -> Option<i64> {
        let (width, age) = self.steps.first()?;
        Some((age / RUNS_PER_AGE).max(*width))
    }

    /// The widest bucket there can be, µs.
    pub(super) fn widest_us(&self) -> Option<i64> {
        self.steps.last().map(|(width, _)| *width)
    }

    /// What holds when the stream has come to `watermark_us`.
    pub(super) fn at(&self, watermark_us: i64) -> KeepAt {
        let next = self.steps.iter().skip(1).map(|(width, _)| *width);
        let widths = next.chain(self.widest_us());
        let borders = self
            .steps
            .iter()
            .zip(widths)
            .map(|((width, age), coarser)| {
                // A border lies between two buckets of the coarser width, so that none is torn.
                let border = watermark_us.saturating_sub(*age).div_euclid(coarser) * coarser;
                (border, *width)
            })
            .collect();
        KeepAt { borders }
    }
}

impl KeepAt {
    /// As `self`, but nowhere finer than `floor` says: what was rolled up under another `keep` stays so.
    /// Both are (bucket start, width), newest first.
    pub(super) fn coarser(&self, floor: &[(i64, i64)]) -> Self {
        let width_in = |borders: &[(i64, i64)], bucket: i64| {
            let found = borders.iter().find(|(start, _)| *start <= bucket);
            // Before the last border nothing is kept, and so nothing is finer.
            found.or(borders.last()).map_or(0, |(_, width)| *width)
        };
        let mut starts: Vec<i64> = (self.borders.iter().chain(floor))
            .map(|(start, _)| *start)
            .collect();
        starts.sort_unstable_by(|a, b| b.cmp(a));
        starts.dedup();
        let last = self.borders.last().map_or(i64::MIN, |(start, _)| *start);
        let mut borders: Vec<(i64, i64)> = Vec::with_capacity(starts.len());
        for start in starts.into_iter().filter(|start| *start >= last) {
            let width = width_in(&self.borders, start).max(width_in(floor, start));
            match borders.last_mut() {
                // The same width reaches further back.
                Some((first, before)) if *before == width => *first = start,
                _ => borders.push((start, width)),
            }
        }
        Self { borders }
    }

    /// Buckets that start before this are no longer of the cube's own width.
    pub(crate) fn own_width_from(&self) -> i64 {
        self.borders.first().map_or(i64::MIN, |(start, _)| *start)
    }

    /// (bucket start, width): the first whose start is not after a bucket gives the bucket's width.
    pub(super) fn borders(&self) -> &[(i64, i64)] {
        &self.borders
    }

    /// The width of the bucket at `bucket_us`; 0 when it is past its age.
    pub(crate) fn width_at(&self, bucket_us: i64) -> i64 {
        self.width_of(bucket_us).unwrap_or(0)
    }

    fn width_of(&self, bucket: i64) -> Option<i64> {
        self.borders
            .iter()
            .find(|(start, _)| *start <= bucket)
            .map(|(_, width)| *width)
    }

    /// The states as they are to be kept, not yet merged; `None` when nothing changes.
    pub(crate) fn apply(&self, states: &RecordBatch) -> Result<Option<RecordBatch>, ProcessError> {
        let Some(buckets) = states
            .columns()
            .first()
            .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>())
        else {
            return Ok(None);
        };
        let kept: Vec<Option<i64>> = (buckets.values().iter())
            .map(|b| self.width_of(*b).map(|width| b.div_euclid(width) * width))
            .collect();
        if kept
            .iter()
            .zip(buckets.values())
            .all(|(kept, b)| *kept == Some(*b))
        {
            return Ok(None);
        }
        let starts = kept.iter().map(|b| b.unwrap_or_default());
        let column: ArrayRef =
            Arc::new(TimestampMicrosecondArray::from_iter_values(starts).with_timezone("UTC"));
        let mut columns = states.columns().to_vec();
        if let Some(first) = columns.first_mut() {
            *first = column;
        }
        let floored = RecordBatch::try_new(states.schema(), columns)?;
        let keep: BooleanArray = kept.iter().map(|b| Some(b.is_some())).collect();
        if keep.true_count() == keep.len() {
            return Ok(Some(floored));
        }
        Ok(Some(filter_record_batch(&floored, &keep)?))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn keep(steps: &[(u64, u64)]) -> Result<Keep, ProcessError> {
        Keep::new(&CubeDefinition {
            name: "c".to_owned(),
            from: "s".to_owned(),
            bucket: Duration::from_secs(10),
            dimensions: vec![],
            measures: vec![],
            keep: (steps.iter())
                .map(|(w, a)| (Duration::from_secs(*w), Duration::from_secs(*a)))
                .collect(),
        })
    }

    #[test]
    fn widths_and_ages_that_do_not_nest_are_refused() {
        for steps in [
            &[(60, 600)][..],
            &[(10, 5)],
            &[(10, 100), (25, 200)],
            &[(10, 100), (10, 200)],
            &[(10, 100), (60, 100)],
        ] {
            assert!(keep(steps).is_err(), "{steps:?}");
        }
        assert!(keep(&[(10, 100), (60, 3_600), (3_600, 86_400)]).is_ok());
        assert!(keep(&[]).is_ok_and(|k| k.every_us().is_none()));
    }

    #[test]
    fn a_keep_that_became_finer_leaves_what_was_rolled_up_as_it_is() {
        let now = 1_000_000_000;
        let was = keep(&[(10, 100), (60, 600)]).expect("nests").at(now);
        let is = keep(&[(10, 400), (60, 800)]).expect("nests").at(now);
        let both = is.coarser(was.borders());
        // Fine for 100 s as it was, minutes before that, also where the new keep would have it fine.
        assert_eq!(
            both.borders(),
            [(900_000_000, 10_000_000), (180_000_000, 60_000_000)]
        );
        assert_eq!(both.own_width_from(), 900_000_000);
        // Time goes on, and what comes is kept by the new one.
        let later = keep(&[(10, 400), (60, 800)])
            .expect("nests")
            .at(now + 600_000_000);
        assert_eq!(later.coarser(was.borders()).own_width_from(), 1_200_000_000);
        assert_eq!(is.coarser(&[]).borders(), is.borders());
    }

    #[test]
    fn a_bucket_is_of_the_width_of_its_age_and_gone_after_the_last() {
        let at = keep(&[(10, 100), (60, 600)])
            .expect("nests")
            .at(1_000_000_000);
        // 1000 s − 100 s = 900 s, already a border of minutes; 1000 s − 600 s = 400 s → 360 s.
        assert_eq!(at.width_of(900_000_000), Some(10_000_000));
        assert_eq!(at.width_of(890_000_000), Some(60_000_000));
        assert_eq!(at.width_of(360_000_000), Some(60_000_000));
        assert_eq!(at.width_of(350_000_000), None);
        assert_eq!(at.own_width_from(), 900_000_000);
    }
}
