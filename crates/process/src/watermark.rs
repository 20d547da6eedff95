//! Event time: how far it has come, and what is late.

use crate::definition::ProcessOptions;

/// The event-time clock of one stream. It only ever moves forward.
#[derive(Debug)]
pub(crate) struct Watermark {
    lateness_us: i64,
    allowed_us: i64,
    future_max_us: i64,
    newest_us: Option<i64>,
}

impl Watermark {
    pub(crate) fn new(options: &ProcessOptions) -> Self {
        Self {
            lateness_us: options.lateness_us,
            allowed_us: options.allowed_lateness_us,
            future_max_us: options.future_max_us,
            newest_us: None,
        }
    }

    /// The newest event time less the lateness.
    pub(crate) fn at(&self) -> Option<i64> {
        self.newest_us
            .map(|newest| newest.saturating_sub(self.lateness_us))
    }

    /// Takes the event times of one record and says how many were late when it came.
    ///
    /// The record's own newest event does not make its older ones late: within a record there is
    /// no order of arrival.
    pub(crate) fn take(&mut self, times: impl Iterator<Item = i64>, received_at_us: i64) -> u64 {
        let border = self.at().map(|at| at.saturating_sub(self.allowed_us));
        let latest = received_at_us.saturating_add(self.future_max_us);
        let mut late = 0;
        for time in times {
            late += u64::from(border.is_some_and(|border| time < border));
            if time <= latest {
                self.newest_us = Some(self.newest_us.map_or(time, |newest| newest.max(time)));
            }
        }
        late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watermark() -> Watermark {
        Watermark::new(&ProcessOptions {
            lateness_us: 60,
            future_max_us: 3_600,
            ..Default::default()
        })
    }

    #[test]
    fn events_older_than_the_watermark_are_late_and_never_move_it_back() {
        let mut w = watermark();
        assert_eq!(w.take([1_000, 500].into_iter(), 1_000), 0);
        assert_eq!(w.at(), Some(940));
        assert_eq!(w.take([939, 940, 941].into_iter(), 1_001), 1);
        assert_eq!(w.at(), Some(940));
    }

    #[test]
    fn an_event_far_in_the_future_does_not_make_the_others_late() {
        let mut w = watermark();
        w.take([1_000, 1_000 + 3_601].into_iter(), 1_000);
        assert_eq!(w.at(), Some(940));
        w.take([1_000 + 3_600].into_iter(), 1_000);
        assert_eq!(w.at(), Some(4_540));
    }
}
