//! Where events wait, already written, until they arrive; and where it is decided how each one arrives.

use std::collections::BTreeMap;

use super::config::Delivery;
use super::line::Line;
use super::random::{mix, unit};
use super::scenario::Incidents;
use super::season::MINUTE_US;
use super::{SimulatedBatch, Stream};

/// Latest second arrival of a duplicate after its first, seconds.
pub(crate) const DUPLICATE_S_MAX: i64 = 120;
/// Least delay of a late event, seconds.
const LATE_S_MIN: i64 = 60;

/// Events by the minute they arrive in.
#[derive(Debug)]
pub(crate) struct Outbox {
    from_us: i64,
    delivery: Delivery,
    incidents: Incidents,
    minutes: BTreeMap<i64, Minute>,
    emitted: u64,
}

#[derive(Debug, Default)]
struct Minute {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// How many entries have left; they are in order once the first has.
    sent: usize,
    sorted: bool,
}

/// One event: when it arrives, which it is, and where its line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    arrival_us: i64,
    id: u64,
    again: bool,
    stream: Stream,
    start: usize,
    end: usize,
}

impl Outbox {
    /// An outbox that keeps what arrives from `from_us` on.
    pub(crate) fn new(from_us: i64, delivery: Delivery, incidents: Incidents) -> Self {
        Self {
            from_us,
            delivery,
            incidents,
            minutes: BTreeMap::new(),
            emitted: 0,
        }
    }

    /// How many events were handed in, silent ones and duplicates not counted.
    pub(crate) fn emitted(&self) -> u64 {
        self.emitted
    }

    /// Takes an event that happened at `at_us`. How it arrives depends on its id alone.
    pub(crate) fn emit(
        &mut self,
        stream: Stream,
        at_us: i64,
        id: u64,
        psp: Option<&str>,
        write: impl FnOnce(&mut Line<'_>),
    ) {
        if self.incidents.silent(at_us, stream, psp) {
            return;
        }
        self.emitted += 1;
        let fate = mix(id ^ 0x5eed_de11_4e12_0001);
        let arrival_us = at_us + self.delay_us(fate);
        let duplicate = unit(mix(fate ^ 1)) < self.delivery.duplicate_share;
        let again_us =
            arrival_us + 1_000_000 + within(mix(fate ^ 2), (DUPLICATE_S_MAX - 1) * 1_000_000);
        let first_kept = arrival_us >= self.from_us;
        let again_kept = duplicate && again_us >= self.from_us;
        if !first_kept && !again_kept {
            return;
        }
        let mut line_us = if first_kept { arrival_us } else { again_us };
        let minute = self
            .minutes
            .entry(line_us.div_euclid(MINUTE_US))
            .or_default();
        let start = minute.bytes.len();
        let mut line = Line::begin(&mut minute.bytes);
        line.id("event_id", "ev_", id);
        line.time("occurred_at", at_us);
        write(&mut line);
        line.end();
        minute.add(Entry {
            arrival_us: line_us,
            id,
            again: !first_kept,
            stream,
            start,
            end: minute.bytes.len(),
        });
        if first_kept && again_kept {
            let copy = minute
                .bytes
                .get(start..)
                .map(<[u8]>::to_vec)
                .unwrap_or_default();
            line_us = again_us;
            let minute = self
                .minutes
                .entry(line_us.div_euclid(MINUTE_US))
                .or_default();
            let start = minute.bytes.len();
            minute.bytes.extend_from_slice(&copy);
            minute.add(Entry {
                arrival_us: line_us,
                id,
                again: true,
                stream,
                start,
                end: minute.bytes.len(),
            });
        }
    }

    fn delay_us(&self, fate: u64) -> i64 {
        let d = &self.delivery;
        let roll = unit(fate);
        let size = mix(fate ^ 3);
        if roll < d.late_share {
            let most = i64::from(d.late_s_max);
            let least = LATE_S_MIN.min(most);
            least * 1_000_000 + within(size, (most - least) * 1_000_000)
        } else if roll < d.late_share + d.out_of_order_share {
            within(size, i64::from(d.out_of_order_s_max) * 1_000_000)
        } else {
            0
        }
    }

    /// Hands over, in order of arrival, what arrives before `to_us`. All arrivals until then must have been emitted.
    pub(crate) fn take(&mut self, to_us: i64, batches: &mut [SimulatedBatch]) {
        while let Some(mut first) = self.minutes.first_entry() {
            if first.key() * MINUTE_US >= to_us {
                return;
            }
            if !first.get_mut().send(to_us, batches) {
                return;
            }
            first.remove();
        }
    }
}

impl Minute {
    fn add(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Sends what is due; true when nothing is left.
    fn send(&mut self, to_us: i64, batches: &mut [SimulatedBatch]) -> bool {
        if !self.sorted {
            self.entries.sort_unstable();
            self.sorted = true;
        }
        let left = self.entries.get(self.sent..).unwrap_or_default();
        let due = left.partition_point(|e| e.arrival_us < to_us);
        for entry in left.iter().take(due) {
            let line = self.bytes.get(entry.start..entry.end).unwrap_or_default();
            if let Some(batch) = batches.get_mut(entry.stream as usize) {
                batch.ndjson.extend_from_slice(line);
                batch.events += 1;
            }
        }
        self.sent += due;
        self.sent == self.entries.len()
    }
}

/// A number in `0..span`, from random bits.
fn within(bits: u64, span: i64) -> i64 {
    let span = u128::from(span.max(0).unsigned_abs());
    i64::try_from((u128::from(bits) * span) >> 64).unwrap_or(0)
}
