//! Which slices there are: those that had events lately.
//!
//! Figures hold only slices with events. Of a count, that a slice has none any more is the most
//! important figure of all, so its slices are remembered for a day.

use std::collections::HashMap;
use std::sync::Arc;

use crate::definition::MonitorDefinition;
use crate::figure::{FigureQuery, FigureSource, MetricFacts, Slice};

/// A slice without events for this long is forgotten.
const REACH_US: i64 = 24 * 3600 * 1_000_000;
/// When a slice had its last events is remembered this exactly.
const GRAIN_US: i64 = 3600 * 1_000_000;
/// Most slices that are remembered; further ones count as unknown.
const SLICES_MAX: usize = 10_000;

/// Slices and when they had their last events. Not kept over a restart, but read from history.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    grain_us: i64,
    /// End of the last grain with events. Shared, because a round works on a copy of it.
    seen_us: Arc<HashMap<Slice, i64>>,
}

impl Known {
    /// The slices that had events in the time before `before_us`.
    pub fn recall(
        source: &dyn FigureSource,
        definition: &MonitorDefinition,
        facts: &MetricFacts,
        before_us: i64,
    ) -> Result<Self, String> {
        let bucket_us = facts.bucket_us.max(1);
        let mut known = Self {
            grain_us: ((GRAIN_US - 1) / bucket_us + 1) * bucket_us,
            seen_us: Arc::default(),
        };
        if definition.by.is_empty() {
            // There is always the whole.
            known.seen_us = Arc::new(HashMap::from([(Slice::whole(), i64::MAX)]));
            return Ok(known);
        }
        let query = FigureQuery {
            metric: definition.metric.clone(),
            by: definition.by.clone(),
            within: Slice::whole(),
            from_us: known.floor(before_us - REACH_US),
            to_us: before_us,
            step_us: known.grain_us,
            over_us: None,
        };
        for figures in source.figures(&query)? {
            let seen = figures.buckets.iter().rev();
            let mut seen = seen.filter(|b| b.value.is_some() && b.value != facts.empty_value);
            if let Some(last) = seen.next() {
                known.note(std::iter::once(&figures.slice), last.start_us);
            }
        }
        Ok(known)
    }

    /// Remembers that these slices had events at `at_us`.
    pub fn note<'a>(&mut self, slices: impl Iterator<Item = &'a Slice>, at_us: i64) {
        let until_us = self.floor(at_us).saturating_add(self.grain_us);
        let news = |slice: &&Slice| self.seen_us.get(*slice).is_none_or(|seen| *seen < until_us);
        let news: Vec<Slice> = slices.filter(news).cloned().collect();
        if news.is_empty() {
            return;
        }
        let seen_us = Arc::make_mut(&mut self.seen_us);
        seen_us.retain(|_, seen| seen.saturating_add(REACH_US) > at_us);
        for slice in news {
            if seen_us.len() < SLICES_MAX || seen_us.contains_key(&slice) {
                seen_us.insert(slice, until_us);
            }
        }
    }

    /// Whether the slice had events lately, as seen at `at_us`.
    pub fn has(&self, slice: &Slice, at_us: i64) -> bool {
        let seen = self.seen_us.get(slice);
        seen.is_some_and(|seen| seen.saturating_add(REACH_US) > at_us)
    }

    /// The slices that had events lately, as seen at `at_us`.
    pub fn at(&self, at_us: i64) -> impl Iterator<Item = &Slice> {
        let slices = self.seen_us.iter();
        slices
            .filter(move |(_, seen)| seen.saturating_add(REACH_US) > at_us)
            .map(|(slice, _)| slice)
    }

    fn floor(&self, at_us: i64) -> i64 {
        let grain_us = self.grain_us.max(1);
        at_us.div_euclid(grain_us) * grain_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(number: usize) -> Slice {
        Slice::from([("psp", number.to_string().as_str())])
    }

    #[test]
    fn a_slice_is_known_for_a_day_after_its_last_events() {
        let mut known = Known {
            grain_us: GRAIN_US,
            ..Known::default()
        };
        known.note([slice(1)].iter(), 5);
        known.note([slice(2)].iter(), 12 * GRAIN_US);
        assert_eq!(known.at(24 * GRAIN_US).count(), 2);
        assert!(known.has(&slice(1), 25 * GRAIN_US - 1));
        assert!(!known.has(&slice(1), 25 * GRAIN_US));
        assert_eq!(known.at(25 * GRAIN_US).collect::<Vec<_>>(), [&slice(2)]);
    }

    #[test]
    fn no_more_than_so_many_slices_are_known_and_the_forgotten_make_room() {
        let mut known = Known {
            grain_us: GRAIN_US,
            ..Known::default()
        };
        let slices: Vec<Slice> = (0..SLICES_MAX + 5).map(slice).collect();
        known.note(slices.iter(), 0);
        assert_eq!(known.seen_us.len(), SLICES_MAX);
        known.note([slice(SLICES_MAX + 7)].iter(), 30 * GRAIN_US);
        assert_eq!(known.seen_us.len(), 1);
    }
}
