//! The simulation in order of arrival, from any instant on.

use std::collections::VecDeque;
use std::sync::Arc;

use super::outbox::{DUPLICATE_S_MAX, Outbox};
use super::season::{DAY_US, HOUR_US, MINUTE_US};
use super::traffic::Traffic;
use super::{SimulatedBatch, Simulator, Stream};

/// How long after its arrival a visit or payment may still cause events, apart from captures, refunds and disputes.
const NEAR_US: i64 = HOUR_US;
/// Events aimed at in one batch over all streams.
const BATCH_EVENTS: i64 = 20_000;
const BATCH_SPAN_US_MIN: i64 = 1_000_000;
const BATCH_SPAN_US_MAX: i64 = HOUR_US;
/// The end of simulated time, 2200-01-01: ids count minutes until 2225.
const END_US: i64 = 7_258_118_400 * 1_000_000;

/// A simulation being read. Where it is read from does not change what is in it: a feed from a later instant gives
/// exactly what remains of an earlier one.
#[derive(Debug)]
pub struct Feed {
    traffic: Arc<Traffic>,
    outbox: Outbox,
    next_minute: i64,
    at_us: i64,
}

impl Feed {
    pub(crate) fn new(simulator: &Simulator, from_us: i64) -> Self {
        let from_us = from_us.max(0);
        let delivery = simulator.config().delivery.clone();
        // Whatever arrives from `from_us` on began at most this long before.
        let slowest_s =
            i64::from(delivery.late_s_max.max(delivery.out_of_order_s_max)) + DUPLICATE_S_MAX;
        let first_us = (from_us - NEAR_US - slowest_s * 1_000_000).max(0);
        let traffic = Arc::clone(simulator.traffic());
        let outbox = Outbox::new(from_us, delivery, traffic.incidents.clone());
        Self {
            traffic,
            outbox,
            next_minute: first_us.div_euclid(HOUR_US) * 60,
            at_us: from_us,
        }
    }

    /// Where the feed stands: everything that arrives before it has been given out. Microseconds since 1970.
    #[must_use]
    pub fn at_us(&self) -> i64 {
        self.at_us
    }

    /// What arrives from where the feed stands until `to_us`, one batch per stream that has events.
    pub fn advance(&mut self, to_us: i64) -> Vec<SimulatedBatch> {
        let to_us = to_us.min(END_US);
        if to_us <= self.at_us {
            return Vec::new();
        }
        let mut batches = Stream::ALL
            .map(|stream| SimulatedBatch {
                stream: stream.name(),
                events: 0,
                ndjson: Vec::new(),
                from_us: self.at_us,
                to_us,
            })
            .to_vec();
        while self.next_minute * MINUTE_US < to_us {
            if self.next_minute % 60 == 0 {
                self.traffic
                    .late_hour(self.next_minute / 60, &mut self.outbox);
            }
            if let Ok(minute) = u64::try_from(self.next_minute) {
                self.traffic.minute(minute, &mut self.outbox);
            }
            self.next_minute += 1;
            // Minutes that are complete leave at once, so that a long step does not hold them twice.
            self.outbox
                .take(to_us.min(self.next_minute * MINUTE_US), &mut batches);
        }
        self.outbox.take(to_us, &mut batches);
        self.at_us = to_us;
        batches.retain(|b| b.events > 0);
        batches
    }
}

/// The simulation from one instant to another in batches of handy size.
#[derive(Debug)]
pub struct Batches {
    feed: Feed,
    to_us: i64,
    span_us: i64,
    ready: VecDeque<SimulatedBatch>,
}

impl Batches {
    pub(crate) fn new(simulator: &Simulator, from_us: i64, to_us: i64) -> Self {
        let events_per_day = i64::try_from(simulator.config().events_per_day).unwrap_or(i64::MAX);
        let span_us = (DAY_US / events_per_day.max(1)).saturating_mul(BATCH_EVENTS);
        Self {
            feed: Feed::new(simulator, from_us),
            to_us: to_us.min(END_US),
            span_us: span_us.clamp(BATCH_SPAN_US_MIN, BATCH_SPAN_US_MAX),
            ready: VecDeque::new(),
        }
    }
}

impl Iterator for Batches {
    type Item = SimulatedBatch;

    fn next(&mut self) -> Option<SimulatedBatch> {
        while self.ready.is_empty() {
            let at_us = self.feed.at_us();
            if at_us >= self.to_us {
                return None;
            }
            // Borders are multiples of the span, wherever the reading began.
            let border_us = (at_us.div_euclid(self.span_us) + 1) * self.span_us;
            self.ready
                .extend(self.feed.advance(border_us.min(self.to_us)));
        }
        self.ready.pop_front()
    }
}
