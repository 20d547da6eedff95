//! What is usual at this time of the day and of the week.

use serde::{Deserialize, Serialize};

use super::mean::Mean;

const DAY_US: i64 = 86_400_000_000;
const SLOTS_PER_DAY: usize = 48;
const SLOT_US: i64 = DAY_US / SLOTS_PER_DAY as i64;
/// Days that a slot of the day, and weeks that a slot of the week, remembers.
const MEMORY: (f32, f32) = (7.0, 5.0);
/// A slot of the week counts against the day's by n ÷ (n + this), after n weeks.
const WEEK_PRIOR: f64 = 1.5;

/// One stretch of the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Slot {
    mean: f32,
    deviation: f32,
    count: f32,
}

/// One stretch of the week, as the difference to its stretch of the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct WeekSlot {
    mean: f32,
    count: f32,
}

/// Seasonal profile of one series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Season {
    day: Vec<Slot>,
    week: Vec<WeekSlot>,
    /// Values that fall into one slot on one day.
    per_slot: f32,
    /// How far the series lies from its profile lately.
    drift: Mean,
    deviation: Mean,
}

/// What the profile says of one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usual {
    /// Expected value.
    pub value: f64,
    /// Usual distance from it.
    pub deviation: f64,
    /// Whether this time of the day was seen on an earlier day.
    pub known: bool,
}

impl Season {
    /// An empty profile for values every `step_us`.
    #[must_use]
    pub fn new(step_us: i64) -> Self {
        Self {
            day: vec![Slot::default(); SLOTS_PER_DAY],
            week: vec![WeekSlot::default(); 7 * SLOTS_PER_DAY],
            per_slot: (SLOT_US as f32 / step_us.max(1) as f32).max(1.0),
            drift: Mean::default(),
            deviation: Mean::default(),
        }
    }

    /// The usual value at a time.
    #[must_use]
    pub fn usual(&self, time_us: i64) -> Usual {
        let (day, week) = slots(time_us);
        let at = |slot: usize| {
            self.day
                .get(slot % SLOTS_PER_DAY)
                .copied()
                .unwrap_or_default()
        };
        let slot = at(day);
        if slot.count < self.per_slot {
            return Usual {
                value: self.drift.get(),
                deviation: self.deviation.get(),
                known: false,
            };
        }
        let weeks = self.week.get(week).copied().unwrap_or_default();
        let seen = f64::from(weeks.count / self.per_slot);
        let weekly = f64::from(weeks.mean) * seen / (seen + WEEK_PRIOR);
        let near = (at(day + SLOTS_PER_DAY - 1).deviation + at(day + 1).deviation) / 4.0;
        let own = f64::from(slot.deviation / 2.0 + near);
        Usual {
            value: f64::from(slot.mean) + weekly + self.drift.get(),
            deviation: own + 0.25 * self.deviation.get(),
            known: true,
        }
    }

    /// Takes a value in.
    pub fn learn(&mut self, time_us: i64, value: f64, drift_memory: f64) {
        let (day, week) = slots(time_us);
        let drift = self.drift.get();
        let per_slot = self.per_slot;
        let Some(slot) = self.day.get_mut(day) else {
            return;
        };
        let known = slot.count >= per_slot;
        slot.count = (slot.count + 1.0).min(MEMORY.0 * per_slot);
        let expected = f64::from(slot.mean) + drift;
        let error = if slot.count > 1.0 {
            value - expected
        } else {
            0.0
        };
        slot.mean = if slot.count > 1.0 {
            slot.mean + (error as f32) / slot.count
        } else {
            (value - drift) as f32
        };
        let mut rest = error;
        if let (true, Some(weekly)) = (known, self.week.get_mut(week)) {
            weekly.count = (weekly.count + 1.0).min(MEMORY.1 * per_slot);
            let seen = f64::from(weekly.count / per_slot);
            rest = error - f64::from(weekly.mean) * seen / (seen + WEEK_PRIOR);
            weekly.mean += (error as f32 - weekly.mean) / weekly.count;
        }
        slot.deviation += (rest.abs() as f32 - slot.deviation) / slot.count;
        self.deviation.learn(rest.abs(), 8.0 * drift_memory);
        if known {
            self.drift.learn(drift + rest, drift_memory);
        }
    }
}

fn slots(time_us: i64) -> (usize, usize) {
    let slot = time_us.div_euclid(SLOT_US);
    let day = slot.rem_euclid(SLOTS_PER_DAY as i64);
    let week = slot.rem_euclid(7 * SLOTS_PER_DAY as i64);
    (
        usize::try_from(day).unwrap_or(0),
        usize::try_from(week).unwrap_or(0),
    )
}
