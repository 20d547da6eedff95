//! Event time: how far it has come, in each source and in all of a stream, and what is late.
//!
//! A source has its own newest event time, since one that is a minute behind the others is no fault.
//! The stream has come as far as the source that is behind most, of those that still bring events
//! of now. So a source that has fallen silent, or that brings what is long past, holds nobody back.
//! Time comes with the records, hence a replay arrives at the same watermark.

use serde::{Deserialize, Serialize};

use crate::cube::OTHER;
use crate::definition::ProcessOptions;
use crate::lags::Lags;
use crate::replayed::QUARANTINE;
use crate::stream::StreamLog;

/// Sources told apart by name; all further ones share one clock. A stream has few, and a limit all
/// the same.
pub(crate) const SOURCES_MAX: usize = 64;
/// The source of what is pushed over HTTP.
pub const PUSHED: &str = "http";

/// What is waited for, in microseconds; see [`ProcessOptions`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waits {
    lateness_us: i64,
    allowed_us: i64,
    future_max_us: i64,
    source_idle_us: i64,
}

impl Waits {
    pub(crate) fn new(options: &ProcessOptions) -> Self {
        Self {
            lateness_us: options.lateness_us,
            allowed_us: options.allowed_lateness_us,
            future_max_us: options.future_max_us,
            source_idle_us: options.source_idle_us,
        }
    }
}

/// The event time of one source of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceClock {
    /// Its name; `http` for what is pushed, `__other__` for all beyond the first 64.
    pub name: String,
    /// Events it has brought, duplicates not among them.
    pub events: u64,
    /// Those of them that were late.
    pub late: u64,
    /// The newest event time, µs, of those not too far ahead of their receipt.
    pub newest_us: Option<i64>,
    /// When it last brought an event, µs.
    pub received_us: i64,
}

impl SourceClock {
    /// Whether it had brought no event for `idle_us` at `now_us`.
    #[must_use]
    pub fn is_idle(&self, now_us: i64, idle_us: i64) -> bool {
        now_us.saturating_sub(self.received_us) >= idle_us
    }
}

/// The event-time clock of one stream: all that is to be known of its times to go on after a
/// restart. The watermark only ever moves forward.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EventClock {
    /// Event time up to which buckets are taken to be complete, µs, as of the last record.
    watermark_us: Option<i64>,
    /// The newest event time of all sources, µs, of events not too far ahead of their receipt.
    newest_us: Option<i64>,
    /// In the order in which they first brought an event.
    sources: Vec<SourceClock>,
    /// How far behind the newest event time before their record events were.
    lateness: Lags,
    /// How long after their own time events were received.
    delay: Lags,
}

/// What is to be known of a record's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Taken {
    /// Events that were late.
    pub(crate) late: u64,
    /// Up to here everything was taken to have come before this record, µs.
    pub(crate) complete_us: Option<i64>,
    /// Events older than that: all that can have changed a complete bucket.
    pub(crate) behind: u64,
}

impl EventClock {
    /// All sources that have brought events, in the order of their first.
    #[must_use]
    pub fn sources(&self) -> &[SourceClock] {
        &self.sources
    }

    /// The newest event time of all sources, in microseconds, of events that were not too far ahead
    /// of their receipt.
    #[must_use]
    pub fn newest_us(&self) -> Option<i64> {
        self.newest_us
    }

    /// How far events were behind the newest event time that had been seen before their record.
    #[must_use]
    pub fn lateness(&self) -> &Lags {
        &self.lateness
    }

    /// How long after their own time events were received.
    #[must_use]
    pub fn delay(&self) -> &Lags {
        &self.delay
    }

    /// The watermark as of the last record.
    pub(crate) fn watermark_us(&self) -> Option<i64> {
        self.watermark_us
    }

    /// The watermark at a time at which no further record has come.
    pub(crate) fn watermark_at(&self, now_us: i64, waits: &Waits) -> Option<i64> {
        let newest_us = self.newest_us?;
        // A source whose clock is ahead of ours does not make the others old.
        let border_us = newest_us.min(now_us).saturating_sub(waits.source_idle_us);
        let holding = (self.sources.iter())
            .filter(|source| {
                // A line of the quarantine comes when somebody mends it.
                source.name != QUARANTINE && !source.is_idle(now_us, waits.source_idle_us)
            })
            .filter_map(|source| source.newest_us)
            .filter(|newest_us| *newest_us >= border_us);
        let slowest_us = holding.min().unwrap_or(newest_us);
        self.watermark_us
            .max(Some(slowest_us.saturating_sub(waits.lateness_us)))
    }

    /// Takes the event times of one record.
    ///
    /// The record's own newest event does not make its older ones late: within a record there is
    /// no order of arrival.
    pub(crate) fn take(
        &mut self,
        source: Option<&str>,
        times: &[i64],
        received_at_us: i64,
        waits: &Waits,
    ) -> Taken {
        // Whoever asked for the watermark until now saw no more than this: what has fallen silent
        // meanwhile had held it back no longer.
        self.watermark_us = self.watermark_at(received_at_us, waits);
        // A client whose clock is ahead does not make the others late; monitors wait by the clock too.
        let by_clock_us = received_at_us.saturating_sub(waits.lateness_us);
        let complete_us = self.watermark_us.map(|at| at.min(by_clock_us));
        let mut taken = Taken {
            complete_us,
            ..Taken::default()
        };
        if times.is_empty() {
            return taken;
        }
        // Before the first event nothing is complete, and nothing is late.
        let border_us = complete_us.unwrap_or(i64::MIN);
        let late_us = border_us.saturating_sub(waits.allowed_us);
        let latest_us = received_at_us.saturating_add(waits.future_max_us);
        let before_us = self.newest_us.unwrap_or(i64::MIN);
        let mut newest_us = None;
        for time in times.iter().copied() {
            taken.behind += u64::from(time < border_us);
            taken.late += u64::from(time < late_us);
            self.lateness.add(before_us.saturating_sub(time));
            self.delay.add(received_at_us.saturating_sub(time));
            if time <= latest_us {
                newest_us = newest_us.max(Some(time));
            }
        }
        let place = self.place(source.unwrap_or(PUSHED));
        if let Some(source) = self.sources.get_mut(place) {
            source.events += times.len() as u64;
            source.late += taken.late;
            source.newest_us = source.newest_us.max(newest_us);
            source.received_us = received_at_us;
        }
        self.newest_us = self.newest_us.max(newest_us);
        self.watermark_us = self.watermark_at(received_at_us, waits);
        taken
    }

    /// The place of a source among all; one more when it is new.
    fn place(&mut self, name: &str) -> usize {
        let known = self.sources.iter().position(|source| source.name == name);
        let place = known.unwrap_or_else(|| self.sources.len().min(SOURCES_MAX));
        if place == self.sources.len() {
            let name = if place < SOURCES_MAX { name } else { OTHER };
            self.sources.push(SourceClock {
                name: name.to_owned(),
                ..SourceClock::default()
            });
        }
        place
    }
}

impl StreamLog {
    /// Event time up to which buckets are taken to be complete at a time, both in microseconds; none
    /// before the first event. It only differs from the status's watermark where a source has fallen silent since
    /// the newest record: that is not waited for any longer.
    #[must_use]
    pub fn watermark_at(&self, now_us: i64, options: &ProcessOptions) -> Option<i64> {
        let index = self.read();
        let clock = &index.status.clock;
        clock.watermark_at(now_us, &Waits::new(options))
    }
}

#[cfg(test)]
mod tests;
