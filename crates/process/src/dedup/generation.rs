//! The time of an id: which slice of the horizon it was first received in.
//!
//! An entry is 16 bytes: the upper 120 bits of the id's hash, a bit that says whether a file has it,
//! and 7 bits of its generation's number. A horizon has [`GENERATIONS`] of them; an entry is swept
//! before it is [`TAGS`] old, so that 7 bits tell its generation.

use std::time::Duration;

use tillwatch_event::EventId;

/// Generations per horizon.
pub(super) const GENERATIONS: i64 = 64;
/// Generations that can be told apart.
const TAGS: i64 = 128;
const TAG_BITS: u128 = 0x7f;
/// Set in memory while no file has the entry; never set in a file.
pub(super) const UNWRITTEN: u128 = 0x80;
/// What does not belong to the id.
pub(super) const LOW_BITS: u128 = 0xff;

/// How long a generation is, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Width(pub(super) i64);

impl Width {
    pub(super) fn of_horizon(horizon: Duration) -> Self {
        let horizon_us = i64::try_from(horizon.as_micros()).unwrap_or(i64::MAX / 2);
        // Rounded up, so that the generations together are never shorter than the horizon.
        Self((horizon_us / GENERATIONS + 1).max(1))
    }

    /// The generation of a receipt time.
    pub(super) fn generation(self, received_at_us: i64) -> i64 {
        received_at_us.div_euclid(self.0)
    }

    /// A generation of another width in this one: that of its last microsecond, so that no id is
    /// forgotten early when a horizon is changed. The same number when the widths are equal.
    pub(super) fn carried(self, generation: i64, from: Self) -> i64 {
        if self == from {
            return generation;
        }
        let last_us = generation
            .saturating_mul(from.0)
            .saturating_add(from.0.saturating_sub(1));
        self.generation(last_us)
    }
}

/// The id's part of an entry. It is never 0, which marks an empty slot.
pub(super) fn key_of(id: EventId) -> u128 {
    match id.0 & !LOW_BITS {
        0 => LOW_BITS + 1,
        key => key,
    }
}

/// The generation's part of an entry.
pub(super) fn tag_of(generation: i64) -> u128 {
    u128::from(generation.rem_euclid(TAGS).unsigned_abs())
}

/// The generation of an entry that was written when `now` was the newest one.
pub(super) fn generation_of(entry: u128, now: i64) -> i64 {
    let tag = (entry & TAG_BITS) as i64;
    now.saturating_sub(now.wrapping_sub(tag).rem_euclid(TAGS))
}

/// Whether what was received in `generation` is still remembered in `now`.
pub(super) fn is_alive(generation: i64, now: i64) -> bool {
    now.saturating_sub(generation) <= GENERATIONS
}

/// Whether an entry is still remembered in `now`.
pub(super) fn is_entry_alive(entry: u128, now: i64) -> bool {
    is_alive(generation_of(entry, now), now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_tells_the_generation_for_as_long_as_an_entry_can_be_held() {
        for now in [-1_000, -1, 0, 5, 1_000_003] {
            for age in 0..TAGS {
                assert_eq!(generation_of(tag_of(now - age), now), now - age);
            }
        }
    }

    #[test]
    fn another_width_never_makes_an_id_older() {
        for (from, to) in [(7, 3), (3, 7), (5, 5), (1, 1_000), (1_000, 1)] {
            let (from, to) = (Width(from), Width(to));
            for us in -3_000..3_000 {
                let carried = to.carried(from.generation(us), from);
                assert!(carried >= to.generation(us));
                assert!(carried <= to.generation(us + from.0 - 1));
            }
        }
    }

    #[test]
    fn no_id_looks_like_an_empty_slot() {
        assert_ne!(key_of(EventId(0)), 0);
        assert_ne!(key_of(EventId(0xff)), 0);
    }
}
