//! Buckets that changed after they were complete.
//!
//! Monitors judge a bucket once the watermark has passed its end. An event that comes later still counts in its bucket,
//! so whoever read the bucket's figure before has read another one. Here stands which buckets these are.
//! What is noted depends on the journal's records alone, so a replay notes the same.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// A bucket, or a stretch of buckets, that changed after it was complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Revision {
    /// Events that came too late for whoever judged it.
    pub events: u64,
    /// When the last of them was received, µs.
    pub revised_at_us: i64,
}

impl Revision {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            events: self.events + other.events,
            revised_at_us: self.revised_at_us.max(other.revised_at_us),
        }
    }
}

/// The revised buckets of one cube: the newest by name, all others as a number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Revisions {
    /// By start of the bucket, µs.
    kept: BTreeMap<i64, Revision>,
    /// Events of all revisions, also of buckets that are not kept any more.
    events: u64,
    /// Revisions of buckets before this start (µs) may be missing: so far back the number of buckets
    /// was too large. None while all are kept.
    complete_from_us: Option<i64>,
}

impl Revisions {
    /// Notes the events among `times` that are in buckets of `width_us` which ended at or before
    /// `complete_us`. At most `buckets_max` buckets are kept, the newest by their start.
    pub(crate) fn note(
        &mut self,
        times: &[i64],
        width_us: i64,
        complete_us: i64,
        received_at_us: i64,
        buckets_max: usize,
    ) {
        let revised = (times.iter())
            .map(|time| time.div_euclid(width_us).saturating_mul(width_us))
            .filter(|start| start.saturating_add(width_us) <= complete_us);
        // Late events come in runs: a batch of yesterday is mostly in order.
        let mut run: Option<(i64, u64)> = None;
        for start in revised {
            match &mut run {
                Some((bucket, events)) if *bucket == start => *events += 1,
                _ => {
                    let ended = run.replace((start, 1));
                    self.add(ended, received_at_us, buckets_max);
                }
            }
        }
        self.add(run, received_at_us, buckets_max);
    }

    fn add(&mut self, run: Option<(i64, u64)>, received_at_us: i64, buckets_max: usize) {
        let Some((start, events)) = run else {
            return;
        };
        self.events += events;
        // What was given up once is not begun anew: it would be told with a part of its events.
        if self.complete_from_us.is_some_and(|from_us| start < from_us) {
            return;
        }
        let revision = Revision {
            events,
            revised_at_us: received_at_us,
        };
        let kept = self.kept.entry(start).or_default();
        *kept = kept.plus(revision);
        while self.kept.len() > buckets_max {
            if let Some((oldest, _)) = self.kept.pop_first() {
                self.complete_from_us = Some(oldest.saturating_add(1));
            }
        }
    }

    /// The revised buckets that start within `from_us ≤ t < to_us`, ascending.
    pub fn within(&self, from_us: i64, to_us: i64) -> impl Iterator<Item = (i64, Revision)> + '_ {
        let to_us = to_us.max(from_us);
        (self.kept.range(from_us..to_us)).map(|(start, revision)| (*start, *revision))
    }

    /// Revised buckets that are kept.
    #[must_use]
    pub fn buckets(&self) -> usize {
        self.kept.len()
    }

    /// Events of all revisions, also of those that are not kept any more. It grows with each.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Revisions of buckets that start before this, µs, may be missing; none when all are kept.
    #[must_use]
    pub fn complete_from_us(&self) -> Option<i64> {
        self.complete_from_us
    }
}

/// Written by the processing thread, read by any.
#[derive(Debug, Default)]
pub(crate) struct RevisionLog(Mutex<Revisions>);

impl RevisionLog {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Revisions> {
        // A number or a bucket may be missing after a panic; there is nothing that must fit together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_buckets_that_had_ended_are_revised() {
        let mut revisions = Revisions::default();
        // Complete up to 30: the buckets 0, 10 and 20 of 10 each.
        revisions.note(&[29, 20, 30, 31, -1, 5, 19], 10, 30, 100, 10);
        revisions.note(&[20], 10, 30, 90, 10);
        let revision = |events, revised_at_us| Revision {
            events,
            revised_at_us,
        };
        let found: Vec<_> = revisions.within(i64::MIN, i64::MAX).collect();
        let expected = [
            (-10, revision(1, 100)),
            (0, revision(1, 100)),
            (10, revision(1, 100)),
            (20, revision(3, 100)),
        ];
        assert_eq!(found, expected);
        assert_eq!(revisions.within(1, 20).count(), 1);
        assert_eq!(revisions.within(20, 1).count(), 0);
        assert_eq!((revisions.events(), revisions.buckets()), (6, 4));
    }

    #[test]
    fn of_too_many_buckets_the_newest_are_kept_and_the_others_counted() {
        let mut revisions = Revisions::default();
        for start in (0..100).rev().chain(0..100) {
            revisions.note(&[start * 10], 10, 10_000, 1, 7);
        }
        assert_eq!(revisions.events(), 200);
        assert_eq!(revisions.complete_from_us(), Some(921));
        let kept: Vec<_> = revisions.within(i64::MIN, i64::MAX).collect();
        let starts: Vec<i64> = kept.iter().map(|(start, _)| *start).collect();
        assert_eq!(starts, (93..100).map(|n| n * 10).collect::<Vec<_>>());
        assert!(kept.iter().all(|(_, revision)| revision.events == 2));
        revisions.note(&[5_000], 10, 10_000, 1, 0);
        assert_eq!(revisions.buckets(), 0, "a limit of none");
    }
}
