//! A filter that says of most absent ids that they are absent, at the cost of one cache line.
//!
//! A split-block Bloom filter (Putze, Sanders, Singler 2007, as in Parquet, with lines of 512 bits):
//! the hash chooses a line, and one bit in each of its eight words. At 16 bits an id about one absent
//! id in a thousand passes.

use super::generation::LOW_BITS;

const WORDS: usize = 8;
const LINE_BYTES: usize = WORDS * 8;
const IDS_PER_LINE: u64 = 32;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(align(64))]
struct Line([u64; WORDS]);

/// The filter of one run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Filter {
    lines: Vec<Line>,
}

impl Filter {
    /// An empty filter for so many ids.
    pub(super) fn for_ids(ids: u64) -> Self {
        let lines = usize::try_from(ids.div_ceil(IDS_PER_LINE)).unwrap_or(usize::MAX);
        Self {
            lines: vec![Line::default(); lines.max(1)],
        }
    }

    pub(super) fn lines(&self) -> u64 {
        self.lines.len() as u64
    }

    pub(super) fn bytes(&self) -> usize {
        self.lines.len() * LINE_BYTES
    }

    /// Adds an id. Ascending ids touch the lines in order.
    pub(super) fn add(&mut self, entry: u128) {
        let at = self.line_of(entry);
        if let Some(Line(words)) = self.lines.get_mut(at) {
            for (word, bit) in words.iter_mut().zip(bits_of(entry)) {
                *word |= bit;
            }
        }
    }

    /// `false` when the id was not added.
    pub(super) fn may_have(&self, entry: u128) -> bool {
        let Some(Line(words)) = self.lines.get(self.line_of(entry)) else {
            return true;
        };
        let mut missing = 0;
        for (word, bit) in words.iter().zip(bits_of(entry)) {
            missing |= bit & !word;
        }
        missing == 0
    }

    /// Reads the line of an id, so that the processor fetches many at once.
    pub(super) fn touch(&self, entry: u128) -> u64 {
        let line = self.lines.get(self.line_of(entry));
        line.and_then(|Line(words)| words.first().copied())
            .unwrap_or(0)
    }

    /// The lines as they stand in a file.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.lines
            .iter()
            .flat_map(|Line(words)| words.iter())
            .flat_map(|word| word.to_le_bytes())
            .collect()
    }

    /// The filter of those bytes, of which there is at least one line.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        let (lines, _) = bytes.as_chunks::<LINE_BYTES>();
        let lines = lines.iter().map(|line| {
            let (words, _) = line.as_chunks::<8>();
            let mut read = Line::default();
            for (word, bytes) in read.0.iter_mut().zip(words) {
                *word = u64::from_le_bytes(*bytes);
            }
            read
        });
        Self {
            lines: lines.collect(),
        }
    }

    fn line_of(&self, entry: u128) -> usize {
        let hash = (entry >> 64) as u64;
        ((u128::from(hash) * self.lines.len() as u128) >> 64) as usize
    }
}

/// Bytes of a filter with so many lines.
pub(super) fn bytes_of_lines(lines: u64) -> u64 {
    lines.saturating_mul(LINE_BYTES as u64)
}

/// One bit for each word, chosen by the bits of the id below those that choose the line.
fn bits_of(entry: u128) -> [u64; WORDS] {
    let hash = ((entry & !LOW_BITS) >> 8) as u64;
    let mut bits = [0; WORDS];
    for (index, bit) in bits.iter_mut().enumerate() {
        *bit = 1 << ((hash >> (6 * index)) & 63);
    }
    bits
}

#[cfg(test)]
mod tests {
    use tillwatch_event::EventId;

    use super::super::generation::key_of;
    use super::*;

    #[test]
    fn an_added_id_always_passes_and_an_absent_one_once_in_a_thousand() {
        let entry = |n: i64| key_of(EventId::of_int(n));
        let mut filter = Filter::for_ids(100_000);
        assert!((0..1_000).all(|n| !filter.may_have(entry(n))));
        (0..100_000).for_each(|n| filter.add(entry(n)));
        assert!((0..100_000).all(|n| filter.may_have(entry(n))));
        let passed = (100_000..300_000)
            .filter(|n| filter.may_have(entry(*n)))
            .count();
        assert!(passed < 400, "{passed} of 200 000");
        assert_eq!(Filter::of_bytes(&filter.to_bytes()), filter);
        assert_eq!(bytes_of_lines(filter.lines()), filter.bytes() as u64);
    }
}
