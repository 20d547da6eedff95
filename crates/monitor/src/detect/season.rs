//! What is normal at each time of the week.
//!
//! The week is cut into slots. What a slot holds normally is the mean of the middle half, by weight, of what the same
//! and the neighbouring slots held in the weeks before, and, with little weight, the same times of other days; so one
//! week of history is enough to begin with, and an outage or a sale in one of several weeks changes nothing.
//! Taking the middle half keeps most of the mean's efficiency and a quarter of faulty data harmless:
//! J. W. Tukey, *Exploratory Data Analysis*, 1977 (midmean).

use std::sync::Arc;

use crate::definition::Calendar;

/// A day, in microseconds.
pub const DAY_US: i64 = 24 * 3600 * 1_000_000;
/// A week, in microseconds.
pub const WEEK_US: i64 = 7 * DAY_US;
/// 1970-01-01 was a Thursday; weeks begin on Monday.
const MONDAY_US: i64 = 4 * DAY_US;
/// Weight of the slots before and after the same time of another week.
const NEIGHBOUR: f64 = 0.5;
/// Weight of the same time of another day.
const OTHER_DAY: f64 = 0.1;

/// One value of history: of the slot that begins at `start_us`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observed {
    /// Begin of the slot, in microseconds since the epoch.
    pub start_us: i64,
    /// What was there.
    pub value: f64,
}

/// The normal value of every slot of the week.
#[derive(Clone, Debug, PartialEq)]
pub struct Season {
    slot_us: i64,
    slots: Vec<f64>,
    calendar: Arc<Calendar>,
}

impl Season {
    /// Learns from values of slots of length `slot_us`, which must divide a day, by the clock of `calendar`. None where
    /// there is none.
    #[must_use]
    pub fn learn(history: &[Observed], slot_us: i64, calendar: &Arc<Calendar>) -> Option<Self> {
        if slot_us <= 0 || DAY_US % slot_us != 0 {
            return None;
        }
        let count = usize::try_from(WEEK_US / slot_us).ok()?;
        let per_day = usize::try_from(DAY_US / slot_us).ok()?;
        let mut by_slot: Vec<Vec<f64>> = vec![Vec::new(); count];
        for one in history.iter().filter(|one| one.value.is_finite()) {
            let local_us = calendar.local_us(one.start_us, slot_us);
            if let Some(values) = by_slot.get_mut(slot_of(local_us, slot_us)) {
                values.push(one.value);
            }
        }
        // Each slot's values are looked at nine times, so they are sorted once.
        for values in &mut by_slot {
            values.sort_unstable_by(f64::total_cmp);
        }
        let mut slots = Vec::with_capacity(count);
        let (mut weighed, mut merged) = (Vec::new(), Vec::new());
        for slot in 0..count {
            weighed.clear();
            let mut take = |at: usize, weight: f64| {
                let values = by_slot.get(at % count).map_or(&[][..], Vec::as_slice);
                merge(&weighed, values, weight, &mut merged);
                std::mem::swap(&mut weighed, &mut merged);
            };
            take(slot, 1.0);
            take(slot + 1, NEIGHBOUR);
            take(slot + count - 1, NEIGHBOUR);
            for day in 1..7 {
                take(slot + day * per_day, OTHER_DAY);
            }
            slots.push(midmean(&weighed));
        }
        // A slot without any history is taken for the mean of those with.
        let known: Vec<f64> = slots.iter().copied().flatten().collect();
        if known.is_empty() {
            return None;
        }
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        let slots = slots.into_iter().map(|slot| slot.unwrap_or(mean)).collect();
        Some(Self {
            slot_us,
            slots,
            calendar: Arc::clone(calendar),
        })
    }

    /// The normal value at a time, between the middles of slots in a straight line.
    #[must_use]
    pub fn at(&self, at_us: i64) -> f64 {
        let at_us = self.calendar.local_us(at_us, self.slot_us);
        let half_us = self.slot_us / 2;
        let before_us = (at_us - half_us).div_euclid(self.slot_us) * self.slot_us;
        let share = (at_us - half_us - before_us) as f64 / self.slot_us as f64;
        let (before, after) = (
            self.local_slot(before_us),
            self.local_slot(before_us + self.slot_us),
        );
        before + share * (after - before)
    }

    /// The normal value of the slot that holds a time.
    #[must_use]
    pub fn slot(&self, at_us: i64) -> f64 {
        self.local_slot(self.calendar.local_us(at_us, self.slot_us))
    }

    fn local_slot(&self, local_us: i64) -> f64 {
        let slot = self.slots.get(slot_of(local_us, self.slot_us));
        slot.copied().unwrap_or(0.0)
    }

    /// The calendar by whose clock there is a time of the week.
    #[must_use]
    pub fn calendar(&self) -> &Arc<Calendar> {
        &self.calendar
    }

    /// Length of a slot, in microseconds.
    #[must_use]
    pub fn slot_us(&self) -> i64 {
        self.slot_us
    }

    /// All slots of the week, Monday's first, each with what `change` makes of it and of the same slot of `other`.
    #[must_use]
    pub fn with(&self, other: &Season, change: impl Fn(f64, f64) -> f64) -> Self {
        let pairs = self.slots.iter().zip(&other.slots);
        Self {
            slot_us: self.slot_us,
            slots: pairs.map(|(own, other)| change(*own, *other)).collect(),
            calendar: Arc::clone(&self.calendar),
        }
    }

    /// All slots times a factor.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        Self {
            slot_us: self.slot_us,
            slots: self.slots.iter().map(|slot| slot * factor).collect(),
            calendar: Arc::clone(&self.calendar),
        }
    }

    /// The mean over a week.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.slots.iter().sum::<f64>() / self.slots.len().max(1) as f64
    }
}

fn slot_of(at_us: i64, slot_us: i64) -> usize {
    usize::try_from((at_us - MONDAY_US).rem_euclid(WEEK_US) / slot_us).unwrap_or(0)
}

/// Weighted values and others of one weight, both ascending, put together in order.
fn merge(weighed: &[(f64, f64)], values: &[f64], weight: f64, merged: &mut Vec<(f64, f64)>) {
    merged.clear();
    let mut weighed = weighed.iter().copied().peekable();
    for value in values {
        while let Some(smaller) = weighed.next_if(|(one, _)| one <= value) {
            merged.push(smaller);
        }
        merged.push((*value, weight));
    }
    merged.extend(weighed);
}

/// The mean of the middle half of weighted values, ascending.
fn midmean(values: &[(f64, f64)]) -> Option<f64> {
    let all: f64 = values.iter().map(|(_, weight)| weight).sum();
    if all <= 0.0 {
        return None;
    }
    let (low, high) = (all / 4.0, all * 3.0 / 4.0);
    let (mut before, mut sum) = (0.0, 0.0);
    for (value, weight) in values.iter() {
        let after = before + weight;
        let inside = (after.min(high) - f64::max(before, low)).max(0.0);
        sum += inside * value;
        before = after;
    }
    Some(sum / (high - low))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the clock of UTC.
    fn learn(history: &[Observed], slot_us: i64) -> Option<Season> {
        Season::learn(history, slot_us, &Arc::default())
    }

    const HOUR_US: i64 = 3600 * 1_000_000;
    /// A Monday, 2026-11-02T00:00:00Z.
    const BEGIN: i64 = 1_793_577_600 * 1_000_000;

    fn weeks(count: i64, value: impl Fn(i64) -> f64) -> Vec<Observed> {
        let hours = 0..count * 7 * 24;
        let observed = |hour| Observed {
            start_us: BEGIN + hour * HOUR_US,
            value: value(hour),
        };
        hours.map(observed).collect()
    }

    #[test]
    fn the_time_of_the_week_is_found_again() {
        let shape = |hour: i64| {
            let weekend = (hour / 24) % 7 >= 5;
            100.0 + 10.0 * ((hour % 24) as f64) + if weekend { 500.0 } else { 0.0 }
        };
        let season = learn(&weeks(4, shape), HOUR_US).unwrap();
        for hour in [2, 30, 5 * 24 + 12, 6 * 24 + 3] {
            let found = season.slot(BEGIN + (28 * 24 + hour) * HOUR_US);
            let relative = found / shape(hour);
            assert!((0.93..1.07).contains(&relative), "{hour}: {relative}");
        }
    }

    #[test]
    fn an_outage_in_one_of_four_weeks_changes_nothing() {
        let clean = weeks(4, |_| 100.0);
        let mut damaged = clean.clone();
        for one in damaged.iter_mut().skip(7 * 24).take(24) {
            one.value = 0.0;
        }
        let season = learn(&damaged, HOUR_US).unwrap();
        for hour in 0..7 * 24 {
            let found = season.slot(BEGIN + hour * HOUR_US);
            assert!((found - 100.0).abs() < 1e-9, "{hour}: {found}");
        }
    }

    #[test]
    fn between_slots_the_line_is_straight() {
        let season = learn(&weeks(1, |hour| (hour % 24) as f64), HOUR_US).unwrap();
        let middle = |hour: i64| BEGIN + hour * HOUR_US + HOUR_US / 2;
        let (three, four) = (season.at(middle(3)), season.at(middle(4)));
        assert!((three - season.slot(middle(3))).abs() < 1e-9);
        let between = season.at(middle(3) + HOUR_US / 2);
        assert!((between - (three + four) / 2.0).abs() < 1e-9);
    }

    #[test]
    fn days_that_were_never_seen_are_like_the_others() {
        let two_days: Vec<Observed> = weeks(1, |hour| 50.0 + (hour % 24) as f64)
            .into_iter()
            .take(48)
            .collect();
        let season = learn(&two_days, HOUR_US).unwrap();
        let saturday_noon = BEGIN + (5 * 24 + 12) * HOUR_US;
        assert!((season.slot(saturday_noon) - 62.0).abs() < 1e-9);
    }

    #[test]
    fn without_history_there_is_no_season_and_hopeless_values_are_left_out() {
        assert_eq!(learn(&[], HOUR_US), None);
        assert_eq!(learn(&weeks(1, |_| f64::NAN), HOUR_US), None);
        assert_eq!(learn(&weeks(1, |_| 1.0), 7), None);
        let half = weeks(1, |hour| if hour % 2 == 0 { 1.0 } else { f64::INFINITY });
        assert_eq!(learn(&half, HOUR_US).unwrap().mean(), 1.0);
    }

    #[test]
    fn the_morning_moves_with_the_clock_of_the_calendar() {
        let berlin = Calendar::parse("berlin", Some("Europe/Berlin"), []).unwrap();
        let berlin = Arc::new(berlin);
        // Four weeks of winter before the change of clocks on 2027-03-28, with one busy hour a day: 9 to 10 in Berlin.
        let begin: i64 = 1_803_600_000 * 1_000_000 / HOUR_US * HOUR_US;
        let busy = |at_us: i64| berlin.local_us(at_us, HOUR_US).rem_euclid(DAY_US) / HOUR_US == 9;
        let history: Vec<Observed> = (0..28 * 24)
            .map(|hour| begin - (28 * 24 - hour) * HOUR_US)
            .map(|start_us| Observed {
                start_us,
                value: if busy(start_us) { 100.0 } else { 10.0 },
            })
            .collect();
        let season = Season::learn(&history, HOUR_US, &berlin).unwrap();
        // A week of summer, two months later: an hour earlier by UTC.
        for hour in 0..7 * 24 {
            let at_us = begin + 60 * DAY_US + hour * HOUR_US;
            let is_busy = season.slot(at_us) > 30.0;
            assert_eq!(is_busy, busy(at_us), "{hour}");
        }
    }
}
