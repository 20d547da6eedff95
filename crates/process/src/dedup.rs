//! Exact deduplication by id within a horizon of receipt times.
//!
//! Ids are 128-bit hashes ([`EventId`]). A table entry is 16 bytes: the upper 120 bits of the hash
//! and, in the low 8, the generation in which it was first received. A horizon has
//! [`GENERATIONS`] of them, so an id is remembered for at least the horizon and at most 1/64
//! longer. One probe tells everything; a sweep once per eighth of the horizon gives memory back.
//! 120 bits make an accidental collision among 10⁹ remembered ids less likely than 10⁻¹⁸.
//!
//! Nothing reads a clock: time is the receipt time in the journal record, which never runs
//! backwards here even when it does there, so that a replay decides as the live run did.

use std::time::Duration;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanBufferBuilder};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use hashbrown::HashTable;
use tillwatch_event::{EventId, ident::RowIds};

use crate::error::ProcessError;

/// Generations per horizon.
const GENERATIONS: i64 = 64;
/// Generations between two sweeps: an eighth of the horizon.
const SWEEP_EVERY: i64 = 8;
/// Tables an id is spread over by its top bits, so that growing or sweeping one is a short pause.
const TABLES: usize = 64;
const GENERATION_BITS: u128 = 0xff;

/// The ids of one stream.
#[derive(Debug)]
pub(crate) struct Dedup {
    generation_us: i64,
    now: i64,
    swept: i64,
    tables: Vec<HashTable<u128>>,
}

impl Dedup {
    pub(crate) fn new(horizon: Duration) -> Self {
        let horizon_us = i64::try_from(horizon.as_micros()).unwrap_or(i64::MAX / 2);
        Self {
            // Rounded up, so that the generations together are never shorter than the horizon.
            generation_us: (horizon_us / GENERATIONS + 1).max(1),
            now: i64::MIN,
            swept: i64::MIN,
            tables: (0..TABLES).map(|_| HashTable::new()).collect(),
        }
    }

    /// Ids held, expired ones not yet swept included.
    pub(crate) fn len(&self) -> usize {
        self.tables.iter().map(HashTable::len).sum()
    }

    /// Bytes of the tables.
    pub(crate) fn bytes(&self) -> usize {
        self.tables.iter().map(HashTable::allocation_size).sum()
    }

    /// Moves time on to a record's receipt.
    pub(crate) fn advance(&mut self, received_at_us: i64) {
        let generation = received_at_us.div_euclid(self.generation_us);
        if generation <= self.now {
            return;
        }
        if generation.saturating_sub(self.now) > GENERATIONS {
            // Everything is older than the horizon; the tags of so long ago would be ambiguous.
            self.tables.iter_mut().for_each(HashTable::clear);
            self.swept = generation;
        }
        self.now = generation;
        if self.now - self.swept >= SWEEP_EVERY {
            self.swept = self.now;
            let now = self.now;
            for table in &mut self.tables {
                table.retain(|entry| is_alive(*entry, now));
                table.shrink_to(table.len() * 2, |entry| hash_of(*entry));
            }
        }
    }

    /// Remembers an id; `false` when it was already there.
    pub(crate) fn insert(&mut self, id: EventId) -> bool {
        let entry = (id.0 & !GENERATION_BITS) | generation_tag(self.now);
        let now = self.now;
        let Some(table) = self.tables.get_mut((id.0 >> 122) as usize) else {
            return true;
        };
        let found = table.find_mut(hash_of(entry), |other| {
            (*other ^ entry) & !GENERATION_BITS == 0
        });
        if let Some(other) = found {
            if is_alive(*other, now) {
                return false;
            }
            *other = entry;
            return true;
        }
        table.insert_unique(hash_of(entry), entry, |entry| hash_of(*entry));
        true
    }

    /// Which rows repeat an id; `None` when none does. Rows without an id never do.
    pub(crate) fn rows_by_id(
        &mut self,
        ids: &ArrayRef,
    ) -> Result<Option<BooleanBuffer>, ProcessError> {
        match ids.data_type() {
            DataType::Utf8View => {
                let ids = ids.as_string_view();
                Ok(self.mark(ids.iter().map(|id| id.map(EventId::of_text))))
            }
            DataType::Int64 => {
                let ids = ids.as_primitive::<Int64Type>();
                Ok(self.mark(ids.iter().map(|id| id.map(EventId::of_int))))
            }
            _ => {
                let text = cast(ids, &DataType::Utf8View)?;
                Ok(self.mark(
                    text.as_string_view()
                        .iter()
                        .map(|id| id.map(EventId::of_text)),
                ))
            }
        }
    }

    /// Which rows of a request repeat an earlier request with the same `Idempotency-Key`.
    pub(crate) fn rows_by_key(
        &mut self,
        key: &str,
        places: impl ExactSizeIterator<Item = u64>,
    ) -> Option<BooleanBuffer> {
        let ids = RowIds::new(key);
        self.mark(places.map(|place| Some(ids.row(place))))
    }

    fn mark(
        &mut self,
        ids: impl ExactSizeIterator<Item = Option<EventId>>,
    ) -> Option<BooleanBuffer> {
        let mut marks = BooleanBufferBuilder::new(ids.len());
        let mut any = false;
        for id in ids {
            let repeated = id.is_some_and(|id| !self.insert(id));
            any |= repeated;
            marks.append(repeated);
        }
        any.then(|| marks.finish())
    }
}

/// The ids are already well mixed, so their bits are the hash.
fn hash_of(entry: u128) -> u64 {
    (entry >> 32) as u64
}

/// The low byte of a generation number, never wider than the 64 + 8 generations that can be in a
/// table at once.
fn generation_tag(generation: i64) -> u128 {
    u128::from(generation.rem_euclid(256).unsigned_abs())
}

fn is_alive(entry: u128, now: i64) -> bool {
    let born = (entry & GENERATION_BITS) as i64;
    let age = (now - born).rem_euclid(256);
    age <= GENERATIONS
}
