//! What number of events is normal for every slice of a count, from its history.

use std::collections::HashMap;
use std::sync::Arc;

use super::outages::Outages;
use crate::definition::{Calendar, MonitorDefinition};
use crate::detect::season::{Observed, WEEK_US};
use crate::detect::volume::Volume;
use crate::figure::{FigureQuery, FigureSource, Slice, all_figures};
use crate::incident::Incident;

/// How long they are used before they are learned again, in microseconds of judged time.
pub(super) const REFRESH_US: i64 = 15 * 60 * 1_000_000;
/// Lengths that a slot of the week may have, in microseconds: the first that old buckets fit into is taken.
const SLOTS_US: [i64; 6] = [
    HOUR_US / 2,
    HOUR_US,
    2 * HOUR_US,
    4 * HOUR_US,
    12 * HOUR_US,
    24 * HOUR_US,
];
const HOUR_US: i64 = 3600 * 1_000_000;
/// The level is that of the last so much time that counts, within a day.
const LEVEL_US: i64 = 3 * HOUR_US;

/// What is normal for a monitor's slices and for the slices above them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Volumes {
    /// End of the last step they were learned for.
    pub at_us: i64,
    slot_us: i64,
    by: Vec<String>,
    calendar: Arc<Calendar>,
    known: HashMap<Slice, Arc<Volume>>,
}

/// One slot of a slice.
#[derive(Clone, Copy, Default)]
struct Slot {
    events: f64,
    /// Whether it says nothing of what is normal.
    is_excluded: bool,
}

/// Every slot from the first with events that counts, of slots of which the first begins at `from_us`.
fn observed(slots: &[Slot], (from_us, slot_us): (i64, i64), calendar: &Calendar) -> Vec<Observed> {
    let starts = (0_i64..).map(|at| from_us + at * slot_us);
    let slots = starts.zip(slots);
    let there = slots.skip_while(|(_, slot)| slot.events <= 0.0);
    let counting = there.filter(|(start_us, slot)| {
        // A slot of a day like no other may be without events, and so not among the excluded.
        !slot.is_excluded
            && !calendar.is_special(*start_us)
            && !calendar.is_special(start_us + slot_us - 1)
    });
    counting
        .map(|(start_us, slot)| Observed {
            start_us,
            value: slot.events,
        })
        .collect()
}

impl Volumes {
    /// Reads `history_us` up to `upto_us`, without the `tested_us` before it that are tested against it and without
    /// what `incidents` made of it. None where there is too little to judge anything.
    pub fn learn(
        source: &dyn FigureSource,
        definition: &MonitorDefinition,
        (history_us, tested_us): (i64, i64),
        upto_us: i64,
        incidents: &[Incident],
    ) -> Result<Option<Self>, String> {
        let slot_us = slot_us(source, &definition.metric, upto_us - tested_us - history_us)?;
        let to_us = (upto_us - tested_us).div_euclid(slot_us) * slot_us;
        let from_us = (to_us - history_us).div_euclid(slot_us) * slot_us;
        let mut levels: Vec<HashMap<Slice, Vec<Slot>>> =
            (0..=definition.by.len()).map(|_| HashMap::new()).collect();
        let count = usize::try_from((to_us - from_us) / slot_us).unwrap_or(0);
        let place = |start_us: i64| usize::try_from((start_us - from_us).div_euclid(slot_us)).ok();
        // A week at a time, so that no answer is larger than it may be.
        let mut week_us = from_us;
        while week_us < to_us {
            let end_us = to_us.min(week_us + WEEK_US);
            let query = FigureQuery {
                metric: definition.metric.clone(),
                by: definition.by.clone(),
                within: Slice::whole(),
                from_us: week_us,
                to_us: end_us,
                step_us: slot_us,
                over_us: None,
            };
            for figures in all_figures(source, &query)? {
                let outages = Outages::of(&figures.slice, incidents);
                let events = figures.buckets.iter().map(|bucket| {
                    let value = bucket.value.filter(|value| value.is_finite());
                    (bucket.start_us, value.map(|value| value.max(0.0)))
                });
                let slots: Vec<(i64, f64, bool)> = events
                    .map(|(start_us, events)| {
                        // A bucket without a value is one that is not known.
                        let is_excluded = events.is_none() || outages.touch(start_us, slot_us);
                        (start_us, events.unwrap_or(0.0), is_excluded)
                    })
                    .collect();
                for (depth, level) in levels.iter_mut().enumerate() {
                    let by = definition.by.iter().take(depth);
                    let prefix = figures.slice.project(|d| by.clone().any(|kept| kept == d));
                    let nothing = || vec![Slot::default(); count];
                    let sums = level.entry(prefix).or_insert_with(nothing);
                    for (start_us, events, is_excluded) in &slots {
                        let sum = place(*start_us).and_then(|at| sums.get_mut(at));
                        if let Some(sum) = sum {
                            sum.events += events;
                            // What is wrong with a part is wrong with the whole as well.
                            sum.is_excluded |= is_excluded;
                        }
                    }
                }
            }
            week_us = end_us;
        }
        let mut found = Self {
            at_us: upto_us,
            slot_us,
            by: definition.by.clone(),
            calendar: Arc::clone(&definition.calendar),
            known: HashMap::new(),
        };
        for level in levels {
            for (slice, slots) in level {
                let observed = observed(&slots, (from_us, slot_us), &definition.calendar);
                found.add(slice, &observed, to_us);
            }
            if found.known.is_empty() {
                return Ok(None);
            }
        }
        Ok(Some(found))
    }

    /// What is normal for a slice that has history, or for one above it.
    pub fn of(&self, slice: &Slice) -> Option<&Arc<Volume>> {
        self.known.get(slice)
    }

    /// The slices that the monitor splits its metric into and that have history.
    pub fn slices(&self) -> impl Iterator<Item = &Slice> {
        let all = self.known.keys();
        all.filter(|slice| slice.dimensions() == self.by.len())
    }

    /// Events expected of all that lies within a slice, between two times.
    pub fn expected(&self, within: &Slice, from_us: i64, to_us: i64) -> f64 {
        if let Some(own) = self.known.get(within) {
            return own.expected(from_us, to_us);
        }
        let parts = self.slices().filter(|slice| within.covers(slice));
        let volumes = parts.filter_map(|slice| self.known.get(slice));
        volumes.map(|one| one.expected(from_us, to_us)).sum()
    }

    fn add(&mut self, slice: Slice, blocks: &[Observed], to_us: i64) {
        let parent = (slice.dimensions() > 0).then(|| self.parent(&slice));
        let above = parent.as_ref().and_then(|parent| self.known.get(parent));
        let volume = match (slice.dimensions(), above) {
            (0, _) => Volume::of_whole(blocks, self.slot_us, &self.calendar),
            // What had no event in all the history is not known, and is not expected to stay so.
            (_, Some(above)) => (!blocks.is_empty()).then(|| Volume::of_slice(blocks, above)),
            (_, None) => None,
        };
        let Some(volume) = volume else {
            return;
        };
        let count = usize::try_from(LEVEL_US / self.slot_us).unwrap_or(1).max(1);
        let lately = blocks.iter().rev().take(count);
        let lately = lately.filter(|block| block.start_us >= to_us - 24 * HOUR_US);
        let (seen, expected) = lately.fold((0.0, 0.0), |(seen, expected), block| {
            let end_us = block.start_us + self.slot_us;
            (
                seen + block.value,
                expected + volume.expected(block.start_us, end_us),
            )
        });
        let towards = above.map_or(1.0, |above| above.level());
        let volume = volume.at_level(seen, expected, towards);
        self.known.insert(slice, Arc::new(volume));
    }

    /// The slice without its last dimension, in the order of the definition.
    fn parent(&self, slice: &Slice) -> Slice {
        let fixed = |dimension: &&String| slice.value(dimension).is_some();
        let last = self.by.iter().rev().find(fixed);
        slice.project(|dimension| Some(dimension) != last.map(String::as_str))
    }
}

/// The shortest slot that buckets fit into which begin at `from_us` or later.
fn slot_us(source: &dyn FigureSource, metric: &str, from_us: i64) -> Result<i64, String> {
    let width_us = source.width_us(metric, from_us)?.max(1);
    fitting_slot_us(width_us).ok_or_else(|| {
        format!(
            "the buckets of metric `{metric}` are {} s long, which is no part of a day that counts could be compared by",
            width_us / 1_000_000
        )
    })
}

/// The shortest slot that consists of whole buckets of this length, if there is one.
pub(crate) fn fitting_slot_us(width_us: i64) -> Option<i64> {
    let mut slots = SLOTS_US.into_iter();
    slots.find(|slot_us| slot_us % width_us.max(1) == 0)
}
