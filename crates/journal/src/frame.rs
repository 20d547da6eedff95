//! One frame: a fixed header before a payload.

use crc32fast::Hasher;

/// Bytes of a frame's header.
pub(crate) const FRAME_HEADER_BYTES: u64 = HEADER_BYTES as u64;

const HEADER_BYTES: usize = 32;
const MAGIC: [u8; 4] = *b"TWf1";
/// The magic of a frame that counts only together with the next one.
const MAGIC_CONTINUED: [u8; 4] = *b"TWf+";

/// The encoded form of a header.
pub(crate) type HeaderBytes = [u8; HEADER_BYTES];

/// What stands before a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// Bytes of the payload.
    pub(crate) length: u32,
    /// The frame's number, counted through the whole journal from 0 without gaps.
    pub(crate) sequence: u64,
    /// Up to which position of this segment an fsync had succeeded before this frame was written. A frame
    /// behind a damaged place so tells whether that place was durable (damage) or not (a torn group).
    pub(crate) proven: u64,
    /// CRC-32 of the payload.
    pub(crate) payload_crc: u32,
    /// Whether the frame counts only together with the next one: all but the last of a group.
    pub(crate) continued: bool,
}

impl FrameHeader {
    /// The header for a payload given in parts; `sequence` and `proven` are those of its place.
    pub(crate) fn of_parts(
        parts: &[&[u8]],
        length: u32,
        (sequence, proven): (u64, u64),
        continued: bool,
    ) -> Self {
        let mut hasher = Hasher::new();
        for part in parts {
            hasher.update(part);
        }
        Self {
            length,
            sequence,
            proven,
            payload_crc: hasher.finalize(),
            continued,
        }
    }

    /// Bytes of the whole frame, header included.
    pub(crate) fn frame_bytes(&self) -> u64 {
        FRAME_HEADER_BYTES + u64::from(self.length)
    }

    /// Whether `payload` is the one this header was written for.
    pub(crate) fn fits(&self, payload: &[u8]) -> bool {
        crc32fast::hash(payload) == self.payload_crc
    }

    /// The header's bytes, sealed with the salt of its segment.
    pub(crate) fn encode(&self, salt: u64) -> HeaderBytes {
        let mut bytes = [0; HEADER_BYTES];
        let magic = if self.continued {
            MAGIC_CONTINUED
        } else {
            MAGIC
        };
        let fields = magic
            .into_iter()
            .chain(self.length.to_le_bytes())
            .chain(self.sequence.to_le_bytes())
            .chain(self.proven.to_le_bytes())
            .chain(self.payload_crc.to_le_bytes());
        for (to, from) in bytes.iter_mut().zip(fields) {
            *to = from;
        }
        let crc = sealed_crc(&bytes, salt);
        if let Some(end) = bytes.last_chunk_mut() {
            *end = crc.to_le_bytes();
        }
        bytes
    }

    /// The header in `bytes`, or `None` when these bytes are no header of a segment with that salt.
    ///
    /// The salt keeps out what only looks like a frame: the remains of an earlier file in recycled disk
    /// blocks, and bytes of a payload that somebody shaped like a frame.
    pub(crate) fn decode(bytes: &[u8], salt: u64) -> Option<Self> {
        let bytes: &HeaderBytes = bytes.first_chunk()?;
        let continued = bytes.starts_with(&MAGIC_CONTINUED);
        let known = continued || bytes.starts_with(&MAGIC);
        if !known || u32_at(bytes, 28)? != sealed_crc(bytes, salt) {
            return None;
        }
        Some(Self {
            length: u32_at(bytes, 4)?,
            sequence: u64_at(bytes, 8)?,
            proven: u64_at(bytes, 16)?,
            payload_crc: u32_at(bytes, 24)?,
            continued,
        })
    }
}

/// The CRC-32 over the segment's salt and everything in the header before the CRC itself.
fn sealed_crc(header: &HeaderBytes, salt: u64) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&salt.to_le_bytes());
    if let Some((before, _crc)) = header.split_last_chunk::<4>() {
        hasher.update(before);
    }
    hasher.finalize()
}

/// The little-endian `u32` at `start`.
pub(crate) fn u32_at(bytes: &[u8], start: usize) -> Option<u32> {
    bytes
        .get(start..)?
        .first_chunk()
        .map(|b| u32::from_le_bytes(*b))
}

/// The little-endian `u64` at `start`.
pub(crate) fn u64_at(bytes: &[u8], start: usize) -> Option<u64> {
    bytes
        .get(start..)?
        .first_chunk()
        .map(|b| u64::from_le_bytes(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_only_with_the_salt_it_was_sealed_with() {
        for continued in [false, true] {
            let header = FrameHeader {
                length: 7,
                sequence: 1 << 40,
                proven: 48,
                payload_crc: 0xdead_beef,
                continued,
            };
            let bytes = header.encode(99);
            assert_eq!(FrameHeader::decode(&bytes, 99), Some(header));
            assert_eq!(FrameHeader::decode(&bytes, 98), None);
            assert_eq!(FrameHeader::decode(&bytes[..31], 99), None);
        }
    }

    #[test]
    fn every_flipped_bit_of_a_header_is_noticed() {
        let bytes = FrameHeader {
            length: 7,
            sequence: 3,
            proven: 48,
            payload_crc: 1,
            continued: false,
        }
        .encode(5);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FrameHeader::decode(&flipped, 5), None, "bit {bit}");
        }
    }
}
