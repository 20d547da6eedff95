//! Time, divided so that every window of a question is made of whole panes.
//!
//! The borders are the starts and ends of the windows and nothing else. So however long windows are,
//! there are no more than two panes for each of them: what lies between two borders is merged once,
//! whoever of the windows holds it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::calendar::{Calendar, OFFSET_MAX_US, Period, zone};
use jiff::tz::TimeZone;

use super::window::{Span, Windows, Zone};

/// A half-open stretch of time, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) from_us: i64,
    pub(crate) to_us: i64,
}

/// The panes and windows of one zone.
#[derive(Debug)]
pub(crate) struct Division {
    /// The start of every pane, and the end of the last one.
    borders_us: Vec<i64>,
    /// The window of every point.
    windows: Vec<Stretch>,
    /// The same in panes.
    panes: Vec<Range<usize>>,
    /// The most panes that a window is made of.
    longest: usize,
}

impl Division {
    /// Windows, both of whose ends ascend.
    pub(super) fn new(windows: Vec<Stretch>) -> Self {
        let mut borders_us: Vec<i64> = windows.iter().flat_map(|w| [w.from_us, w.to_us]).collect();
        borders_us.sort_unstable();
        borders_us.dedup();
        let at = |us: i64| borders_us.partition_point(|border| *border < us);
        let panes: Vec<Range<usize>> = windows.iter().map(|w| at(w.from_us)..at(w.to_us)).collect();
        let longest = panes.iter().map(ExactSizeIterator::len).max();
        Self {
            borders_us,
            windows,
            panes,
            longest: longest.unwrap_or(0),
        }
    }

    /// The pane that an instant lies in.
    pub(super) fn pane(&self, at_us: i64) -> Option<usize> {
        let before = self.borders_us.partition_point(|border| *border <= at_us);
        let pane = before.checked_sub(1)?;
        (pane + 1 < self.borders_us.len()).then_some(pane)
    }

    /// The points whose windows hold all of these panes.
    pub(super) fn holders(&self, panes: &Range<usize>) -> Range<usize> {
        let first = self.panes.partition_point(|w| w.end < panes.end);
        let end = self.panes.partition_point(|w| w.start <= panes.start);
        first..end.max(first)
    }

    /// The points whose windows have a part of a stretch.
    pub(crate) fn touched(&self, stretch: Stretch) -> Range<usize> {
        let first = self.windows.partition_point(|w| w.to_us <= stretch.from_us);
        let end = self.windows.partition_point(|w| w.from_us < stretch.to_us);
        first..end.max(first)
    }

    pub(super) fn windows(&self) -> &[Stretch] {
        &self.windows
    }

    /// The stretch of a pane.
    pub(super) fn stretch(&self, pane: usize) -> Option<Stretch> {
        Some(Stretch {
            from_us: *self.borders_us.get(pane)?,
            to_us: *self.borders_us.get(pane + 1)?,
        })
    }

    /// The first border at or after an instant that meets a condition, or the end of time.
    pub(super) fn border_after(&self, at_us: i64, is_fit: impl Fn(i64) -> bool) -> i64 {
        let from = self.borders_us.partition_point(|border| *border < at_us);
        let mut rest = self.borders_us.iter().skip(from);
        rest.find(|border| is_fit(**border))
            .copied()
            .unwrap_or(i64::MAX)
    }

    /// The most panes that a window is made of.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }
}

/// How a question divides time: everybody's alike, or each zone's for itself.
#[derive(Debug)]
pub(crate) enum Divisions {
    /// One for all events.
    One(Arc<Division>),
    /// By the value of a dimension.
    PerZone(PerZone),
}

/// The divisions of the zones met so far.
#[derive(Debug)]
pub(crate) struct PerZone {
    /// The dimension that names the zone.
    pub(super) dimension: String,
    windows: Windows,
    /// The steps: instants, or local dates written as such of UTC.
    steps: Vec<Stretch>,
    known: Mutex<HashMap<String, Option<Arc<Division>>>>,
}

/// Names of no zone that are remembered; there are about six hundred of zones.
const KNOWN_MAX: usize = 2_048;

impl PerZone {
    pub(super) fn new(dimension: &str, windows: &Windows, steps: Vec<Stretch>) -> Self {
        Self {
            dimension: dimension.to_owned(),
            windows: windows.clone(),
            steps,
            known: Mutex::default(),
        }
    }

    /// The division of a zone; none when there is no zone of that name.
    pub(super) fn of(&self, name: &str) -> Option<Arc<Division>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(division) = known.get(name) {
            return division.clone();
        }
        let division = zone(name).and_then(|zone| self.divide(&zone)).map(Arc::new);
        if known.len() < KNOWN_MAX {
            known.insert(name.to_owned(), division.clone());
        }
        division
    }

    fn divide(&self, zone: &TimeZone) -> Option<Division> {
        let local = |us: i64| {
            let date = TimeZone::UTC.to_datetime(jiff::Timestamp::from_microsecond(us).ok()?);
            Some(zone.to_timestamp(date).ok()?.as_microsecond())
        };
        let windows = self.steps.iter().map(|step| {
            let step = match self.windows.step {
                Some(_) => Stretch {
                    from_us: local(step.from_us)?,
                    to_us: local(step.to_us)?,
                },
                None => *step,
            };
            window(self.windows.span, zone, step)
        });
        Some(Division::new(windows.collect::<Option<Vec<_>>>()?))
    }
}

/// The window of a point; none where calendars end.
fn window(span: Span, zone: &TimeZone, step: Stretch) -> Option<Stretch> {
    let from_us = match span {
        Span::Step => step.from_us,
        Span::Trailing(width_us) => step.to_us.saturating_sub(width_us),
        Span::Since(period) => since(period, zone, step)?,
    };
    Some(Stretch { from_us, ..step })
}

fn since(period: Period, zone: &TimeZone, step: Stretch) -> Option<i64> {
    Calendar::new(period, zone.clone()).start_us(step.to_us.saturating_sub(1))
}

/// A question's time: its points, and what of time is read.
#[derive(Debug)]
pub(crate) struct Course {
    /// The step of every point. Where each zone has its own, local dates written as such of UTC.
    pub(crate) steps: Vec<Stretch>,
    pub(crate) divisions: Arc<Divisions>,
    /// What is read.
    pub(crate) read: Stretch,
    /// For each point a stretch that its window lies in, whatever the zone.
    pub(crate) windows: Vec<Stretch>,
}

impl Course {
    /// The course of `windows` over a range of whole steps. None for an unknown zone, and beyond
    /// what calendars have.
    pub(super) fn new(windows: &Windows, step_us: i64, range: Stretch, max: usize) -> Option<Self> {
        let zone = windows.point_zone()?;
        let steps = steps(windows, &zone, step_us, range, max)?;
        let own = |step: &Stretch| window(windows.span, &zone, *step);
        let bounds: Vec<Stretch> = match &windows.zone {
            Zone::Utc | Zone::Named(_) => steps.iter().map(own).collect::<Option<_>>()?,
            Zone::Dimension(_) => steps
                .iter()
                .map(|step| widest(windows, *step))
                .collect::<Option<_>>()?,
        };
        let read = Stretch {
            from_us: bounds.first().map_or(range.from_us, |w| w.from_us),
            to_us: bounds.last().map_or(range.to_us, |w| w.to_us),
        };
        let divisions = match &windows.zone {
            Zone::Dimension(dimension) if windows.has_calendar() => {
                Divisions::PerZone(PerZone::new(dimension, windows, steps.clone()))
            }
            _ => Divisions::One(Arc::new(Division::new(bounds.clone()))),
        };
        Some(Self {
            steps,
            divisions: Arc::new(divisions),
            read,
            windows: bounds,
        })
    }
}

/// The steps of a range, of which more than `max` are not counted.
fn steps(
    windows: &Windows,
    zone: &TimeZone,
    step_us: i64,
    range: Stretch,
    max: usize,
) -> Option<Vec<Stretch>> {
    let calendar = windows
        .step
        .map(|period| Calendar::new(period, zone.clone()));
    let mut steps = Vec::new();
    let mut from_us = range.from_us;
    while from_us < range.to_us && steps.len() <= max {
        let to_us = match &calendar {
            Some(calendar) => calendar.next_us(from_us)?,
            None => from_us.checked_add(step_us)?,
        };
        steps.push(Stretch { from_us, to_us });
        from_us = to_us;
    }
    Some(steps)
}

/// A stretch that a point's window lies in whatever the zone.
fn widest(windows: &Windows, step: Stretch) -> Option<Stretch> {
    let beside_us = windows.step.map_or(0, |_| OFFSET_MAX_US);
    let to_us = step.to_us.saturating_add(beside_us);
    let from_us = match windows.span {
        Span::Step => step.from_us,
        Span::Trailing(width_us) => step.to_us.saturating_sub(width_us),
        // The start may lie in an earlier period of UTC than the step's end does.
        Span::Since(period) => since(
            period,
            &TimeZone::UTC,
            Stretch {
                to_us: step.to_us.saturating_sub(OFFSET_MAX_US),
                ..step
            },
        )?
        .saturating_sub(OFFSET_MAX_US),
    };
    Some(Stretch {
        from_us: from_us.min(step.from_us.saturating_sub(beside_us)),
        to_us,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretches(all: &[(i64, i64)]) -> Vec<Stretch> {
        let stretch = |(from_us, to_us): &(i64, i64)| Stretch {
            from_us: *from_us,
            to_us: *to_us,
        };
        all.iter().map(stretch).collect()
    }

    #[test]
    fn long_windows_need_no_more_panes_than_they_have_ends() {
        let year: Vec<(i64, i64)> = (0..6).map(|at| (at * 10, 31_536_000 + at * 10)).collect();
        let division = Division::new(stretches(&year));
        assert_eq!(division.borders_us.len(), 12);
        assert_eq!(division.longest(), 6);
        assert_eq!(division.pane(-1), None);
        assert_eq!(division.pane(15), Some(1));
        assert_eq!(division.pane(31_536_050), None);
        assert_eq!(
            division.holders(&(5..6)),
            0..6,
            "all have what lies between"
        );
        assert_eq!(division.holders(&(0..1)), 0..1);
        assert_eq!(division.holders(&(0..6)), 0..1);
        assert_eq!(division.holders(&(0..7)), 1..1);
    }

    #[test]
    fn a_stretch_touches_the_windows_that_have_a_part_of_it() {
        let division = Division::new(stretches(&[(0, 30), (10, 40), (20, 50)]));
        let touched = |from_us, to_us| division.touched(Stretch { from_us, to_us });
        assert_eq!(touched(0, 10), 0..1);
        assert_eq!(touched(29, 30), 0..3);
        assert_eq!(touched(30, 31), 1..3);
        assert_eq!(touched(50, 60), 3..3);
        assert_eq!(division.border_after(11, |us| us % 20 == 0), 20);
        assert_eq!(division.border_after(51, |_| true), i64::MAX);
    }
}
