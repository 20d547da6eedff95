//! A place in the journal.

use std::fmt;

/// A place in the journal: where a frame starts, or the end behind the last one. Ordered as the journal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Offset {
    /// The segment's number; the first segment ever is 1.
    pub segment: u64,
    /// Bytes from the start of the segment's file.
    pub position: u64,
}

impl Offset {
    /// Before everything: reading from here starts at the oldest segment that is still kept.
    pub const START: Self = Self {
        segment: 0,
        position: 0,
    };

    /// The place `position` bytes into segment `segment`.
    #[must_use]
    pub const fn new(segment: u64, position: u64) -> Self {
        Self { segment, position }
    }

    /// The offset as one number that is ordered as offsets are and fits a signed one: the segment
    /// above 40 bits of the position. None when it has no room, which takes eight million
    /// segments or one of a terabyte.
    #[must_use]
    pub const fn to_number(self) -> Option<u64> {
        if self.segment < 1 << SEGMENT_BITS && self.position < 1 << POSITION_BITS {
            Some((self.segment << POSITION_BITS) | self.position)
        } else {
            None
        }
    }

    /// The offset that [`Self::to_number`] made a number of.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self {
            segment: number >> POSITION_BITS,
            position: number & ((1 << POSITION_BITS) - 1),
        }
    }
}

/// Bits of the position in [`Offset::to_number`].
const POSITION_BITS: u32 = 40;
/// Bits of the segment in [`Offset::to_number`]; the topmost bit stays zero.
const SEGMENT_BITS: u32 = 23;

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.segment, self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_as_offsets_are_and_lead_back() {
        let offsets = [
            Offset::START,
            Offset::new(1, 0),
            Offset::new(1, 48),
            Offset::new(1, (1 << 40) - 1),
            Offset::new(2, 0),
            Offset::new((1 << 23) - 1, 7),
        ];
        let numbers: Vec<u64> = offsets.iter().filter_map(|o| o.to_number()).collect();
        assert_eq!(numbers.len(), offsets.len());
        assert!(numbers.is_sorted() && numbers.iter().all(|n| i64::try_from(*n).is_ok()));
        for (offset, number) in offsets.iter().zip(numbers) {
            assert_eq!(Offset::from_number(number), *offset);
        }
        assert_eq!(Offset::new(1 << 23, 0).to_number(), None);
        assert_eq!(Offset::new(1, 1 << 40).to_number(), None);
    }
}
