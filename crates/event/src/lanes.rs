//! Sixteen bytes of a text at once.
//!
//! A set of lanes is a number whose lowest bit stands for the first of the bytes.

use wide::u8x16;

/// How many bytes are looked at at once.
pub const LANES: usize = 16;
/// The set of all of them.
pub const ALL_LANES: u32 = 0xffff;

/// Sixteen bytes.
#[derive(Debug, Clone, Copy)]
pub struct Lanes(u8x16);

impl Lanes {
    /// Sixteen bytes.
    #[inline]
    #[must_use]
    pub fn of(bytes: &[u8; LANES]) -> Self {
        Self(u8x16::from(*bytes))
    }

    /// The first bytes of a text; behind its end stand zeros.
    #[must_use]
    pub fn of_start(text: &[u8]) -> Self {
        let mut bytes = [0; LANES];
        for (slot, byte) in bytes.iter_mut().zip(text) {
            *slot = *byte;
        }
        Self::of(&bytes)
    }

    /// Which are that byte.
    #[inline]
    #[must_use]
    pub fn equal(self, byte: u8) -> u32 {
        self.0.simd_eq(u8x16::splat(byte)).to_bitmask()
    }

    /// Which are that small letter or its capital, or differ from them in nothing but the bit of case.
    #[inline]
    #[must_use]
    pub fn letter(self, small: u8) -> u32 {
        (self.0 | u8x16::splat(0x20))
            .simd_eq(u8x16::splat(small))
            .to_bitmask()
    }

    /// Which are ASCII digits.
    #[inline]
    #[must_use]
    pub fn digits(self) -> u32 {
        (self.0 - u8x16::splat(b'0'))
            .simd_le(u8x16::splat(9))
            .to_bitmask()
    }

    /// Which are no ASCII.
    #[inline]
    #[must_use]
    pub fn not_ascii(self) -> u32 {
        self.0.to_bitmask()
    }

    /// Which may end a run of plain text in a JSON string: quotes, backslashes and control characters.
    #[inline]
    #[must_use]
    pub fn string_ends(self) -> u32 {
        let quote = self.0.simd_eq(u8x16::splat(b'"'));
        let backslash = self.0.simd_eq(u8x16::splat(b'\\'));
        let control = self.0.simd_le(u8x16::splat(0x1f));
        (quote | backslash | control).to_bitmask()
    }
}

#[cfg(test)]
mod tests {
    use super::{LANES, Lanes};

    fn set(text: &[u8], is: impl Fn(u8) -> bool) -> u32 {
        let bytes = text.iter().copied().chain(std::iter::repeat(0));
        let lanes = bytes.take(LANES).enumerate();
        lanes.fold(0, |set, (at, byte)| set | u32::from(is(byte)) << at)
    }

    #[test]
    fn every_byte_in_every_lane_is_told_as_one_by_one() {
        for byte in 0..=u8::MAX {
            for at in 0..LANES {
                let mut text = [b'x'; LANES + 3];
                text[at] = byte;
                for text in [&text[..], &text[..=at]] {
                    let lanes = Lanes::of_start(text);
                    assert_eq!(lanes.digits(), set(text, |b| b.is_ascii_digit()));
                    assert_eq!(lanes.not_ascii(), set(text, |b| !b.is_ascii()));
                    assert_eq!(lanes.equal(b'"'), set(text, |b| b == b'"'));
                    assert_eq!(lanes.letter(b'c'), set(text, |b| b == b'c' || b == b'C'));
                    let ends = |b: u8| b == b'"' || b == b'\\' || b < 0x20;
                    assert_eq!(lanes.string_ends(), set(text, ends));
                }
            }
        }
    }
}
