//! Which stretch of time a point of a series stands for.
//!
//! The field's terms: `TUMBLE` are steps next to each other, `HOP` is a window that is longer than
//! its step, `CUMULATE` one that grows since the start of a period. All of them end with the step.

use crate::calendar::{Calendar, OFFSET_MAX_US, Period, zone};
use jiff::tz::TimeZone;

/// The windows of a series' points.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Windows {
    /// Steps of a calendar; none for steps of a fixed length.
    pub step: Option<Period>,
    /// What of the time up to a step's end its point stands for.
    pub span: Span,
    /// Whose midnight begins a period.
    pub zone: Zone,
}

/// What of the time up to the end of its step a point stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Span {
    /// The step: `TUMBLE`.
    #[default]
    Step,
    /// The last so many microseconds, a multiple of the step: `HOP`.
    Trailing(i64),
    /// The time since the start of the period that the step's end lies in: `CUMULATE`.
    Since(Period),
}

/// The time zone of a calendar.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Zone {
    /// UTC.
    #[default]
    Utc,
    /// The zone of an IANA name.
    Named(String),
    /// Of every event the zone that this dimension of the cube names. Steps of a calendar are then
    /// named by their local date, as if its midnight were one of UTC.
    Dimension(String),
}

impl Windows {
    /// Whether these are steps of a fixed length and nothing else.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.step.is_none() && self.span == Span::Step
    }

    /// Whether a calendar is needed to tell the windows.
    #[must_use]
    pub fn has_calendar(&self) -> bool {
        self.step.is_some() || matches!(self.span, Span::Since(_))
    }

    /// The zone that the points' own times are in.
    pub(crate) fn point_zone(&self) -> Option<TimeZone> {
        match &self.zone {
            Zone::Named(name) => zone(name),
            Zone::Utc | Zone::Dimension(_) => Some(TimeZone::UTC),
        }
    }

    /// The range in whole steps, as (start of the first, end of the last). None when the zone is
    /// unknown or the range beyond what calendars have.
    #[must_use]
    pub fn whole_us(&self, step_us: i64, from_us: i64, to_us: i64) -> Option<(i64, i64)> {
        let Some(period) = self.step else {
            let step_us = step_us.max(1);
            let up = to_us.saturating_add(step_us - 1).div_euclid(step_us);
            return Some((
                from_us.div_euclid(step_us).saturating_mul(step_us),
                up.saturating_mul(step_us),
            ));
        };
        let calendar = Calendar::new(period, self.point_zone()?);
        let to_us = calendar.next_us(to_us.saturating_sub(1))?;
        Some((calendar.start_us(from_us)?, to_us))
    }

    /// The range of points, within the whole range `within_us`, whose windows may hold an event time of
    /// `from_us ≤ t < to_us`; none when there are no such points.
    #[must_use]
    pub fn touched_us(
        &self,
        step_us: i64,
        (from_us, to_us): (i64, i64),
        within_us: (i64, i64),
    ) -> Option<(i64, i64)> {
        let last_us = match self.span {
            Span::Step => to_us,
            Span::Trailing(width_us) => to_us.saturating_add(width_us),
            Span::Since(_) => i64::MAX,
        };
        // Local dates lie up to so much beside those of UTC.
        let beside_us = match (&self.zone, self.step) {
            (Zone::Dimension(_), Some(_)) => OFFSET_MAX_US,
            _ => 0,
        };
        let from_us = from_us.saturating_sub(beside_us).max(within_us.0);
        let to_us = last_us.saturating_add(beside_us).min(within_us.1);
        if from_us >= to_us {
            return None;
        }
        let (from_us, to_us) = self.whole_us(step_us, from_us, to_us)?;
        Some((from_us.max(within_us.0), to_us.min(within_us.1)))
    }
}
