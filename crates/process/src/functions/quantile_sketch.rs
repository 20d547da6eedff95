//! A quantile sketch with relative error: how it maps values to bins and how it is kept as bytes.
//!
//! The mapping is DDSketch's logarithmic one (Masson, Rim and Lee, *DDSketch: a fast and
//! fully-mergeable quantile sketch with relative-error guarantees*, VLDB 2019), taken from
//! `sketches-ddsketch`. The bins are kept sparse and sorted, because a bucket × dimensions cell
//! mostly sees few distinct values and a dense store would cost it a kilobyte. Merging adds
//! counts per bin, so any order and any tree of merges gives the same bytes.
//!
//! Bytes, version 1: `0x01`, smallest value and largest value (f64, little endian), number of
//! bins (LEB128), then for each bin in rising order the distance to the bin before (the first:
//! zigzag of itself) and its count, all LEB128.

use std::sync::LazyLock;

use sketches_ddsketch::Config;

/// The relative error of any quantile.
pub(super) const RELATIVE_ERROR: f64 = 0.01;
/// Magnitudes below this count as zero.
const MAGNITUDE_MIN: f64 = 1.0e-9;
/// Magnitudes above this count as this one, which bounds a sketch at about 6 200 bins.
const MAGNITUDE_MAX: f64 = 1.0e18;
const VERSION: u8 = 1;

static MAPPING: LazyLock<Config> =
    LazyLock::new(|| Config::new(RELATIVE_ERROR, 2048, MAGNITUDE_MIN));
static KEY_MIN: LazyLock<i32> = LazyLock::new(|| MAPPING.key(MAGNITUDE_MIN));

/// Why bytes are not a quantile sketch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a quantile sketch: {0}")]
pub struct SketchError(&'static str);

/// A decoded quantile sketch: sorted bins with counts, and the exact extremes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QuantileSketch {
    min: f64,
    max: f64,
    bins: Vec<(i32, u64)>,
}

/// The bin of a value; bins are ordered as their values are. `None` for NaN.
pub(super) fn bin_of(value: f64) -> Option<i32> {
    if value.is_nan() {
        return None;
    }
    let magnitude = value.abs();
    if magnitude < MAGNITUDE_MIN {
        return Some(0);
    }
    let bin = MAPPING.key(magnitude.min(MAGNITUDE_MAX)) - *KEY_MIN + 1;
    Some(if value < 0.0 { -bin } else { bin })
}

/// The value that stands for a bin, within the relative error of all values in it.
fn value_of(bin: i32) -> f64 {
    match bin {
        0 => 0.0,
        _ => {
            let magnitude = MAPPING.value(bin.abs() - 1 + *KEY_MIN);
            if bin < 0 { -magnitude } else { magnitude }
        }
    }
}

impl QuantileSketch {
    /// A sketch from sorted bins.
    #[cfg(test)]
    pub(super) fn from_bins(min: f64, max: f64, bins: Vec<(i32, u64)>) -> Self {
        Self { min, max, bins }
    }

    /// The sorted bins and their counts.
    pub(super) fn bins(&self) -> &[(i32, u64)] {
        &self.bins
    }

    /// The smallest value seen, exact.
    #[must_use]
    pub fn min(&self) -> f64 {
        self.min
    }

    /// The largest value seen, exact.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.max
    }

    /// How many values were seen.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.bins
            .iter()
            .map(|(_, count)| count)
            .fold(0, |a, b| a.saturating_add(*b))
    }

    /// The value at quantile `q` of 0 to 1, within 1 % of a value at rank `⌊q·(n−1)⌋`.
    /// `None` when the sketch is empty or `q` is outside 0 to 1.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank beyond 2^53 is within the sketch's error"
    )]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.count();
        if total == 0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        let rank = (q * (total - 1) as f64) as u64;
        // The ends are known exactly.
        if rank == 0 {
            return Some(self.min);
        }
        if rank >= total - 1 {
            return Some(self.max);
        }
        let mut seen = 0_u64;
        let (bin, _) = self.bins.iter().find(|(_, count)| {
            seen = seen.saturating_add(*count);
            seen > rank
        })?;
        Some(value_of(*bin).clamp(self.min, self.max))
    }

    /// How many values are above a bound; those within 1 % of it may be counted on either side.
    #[must_use]
    pub fn count_above(&self, bound: f64) -> u64 {
        let is_above = |bin: i32| value_of(bin).clamp(self.min, self.max) > bound;
        let first = self.bins.partition_point(|(bin, _)| !is_above(*bin));
        let above = self.bins.iter().skip(first).map(|(_, count)| *count);
        above.fold(0, u64::saturating_add)
    }

    /// The bytes of this sketch; equal sketches have equal bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(20 + self.bins.len() * 2);
        encode_into(&mut out, self.min, self.max, &self.bins);
        out
    }

    /// Reads bytes written by [`Self::encode`].
    ///
    /// # Errors
    /// When the bytes are of another version, cut short, or not in order.
    pub fn decode(bytes: &[u8]) -> Result<Self, SketchError> {
        let (head, mut rest) = bytes.split_at_checked(17).ok_or(SketchError("cut short"))?;
        let (version, extremes) = head.split_first().ok_or(SketchError("cut short"))?;
        if *version != VERSION {
            return Err(SketchError("unknown version"));
        }
        let (min, max) = extremes.split_at(8);
        let float = |b: &[u8]| {
            b.try_into()
                .map(f64::from_le_bytes)
                .map_err(|_| SketchError("cut short"))
        };
        let (min, max) = (float(min)?, float(max)?);
        let count =
            usize::try_from(read_varint(&mut rest)?).map_err(|_| SketchError("too long"))?;
        if count > rest.len() {
            return Err(SketchError("cut short"));
        }
        let mut bins = Vec::with_capacity(count);
        let mut bin = 0_i64;
        for index in 0..count {
            let step = read_varint(&mut rest)?;
            bin = if index == 0 {
                unzigzag(step)
            } else {
                let step = i64::try_from(step).map_err(|_| SketchError("bin out of range"))?;
                bin.checked_add(step)
                    .ok_or(SketchError("bin out of range"))?
            };
            let key = i32::try_from(bin).map_err(|_| SketchError("bin out of range"))?;
            bins.push((key, read_varint(&mut rest)?));
        }
        if !rest.is_empty() {
            return Err(SketchError("trailing bytes"));
        }
        Ok(Self { min, max, bins })
    }
}

/// Appends the bytes of a sketch to `out`.
pub(super) fn encode_into(out: &mut Vec<u8>, min: f64, max: f64, bins: &[(i32, u64)]) {
    out.push(VERSION);
    out.extend_from_slice(&min.to_le_bytes());
    out.extend_from_slice(&max.to_le_bytes());
    write_varint(out, bins.len() as u64);
    let mut before = None;
    for (bin, count) in bins {
        let bin = i64::from(*bin);
        match before {
            None => write_varint(out, zigzag(bin)),
            Some(before) => write_varint(out, bin.abs_diff(before)),
        }
        write_varint(out, *count);
        before = Some(bin);
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn read_varint(bytes: &mut &[u8]) -> Result<u64, SketchError> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(SketchError("cut short"))?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(SketchError("number too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_within_one_percent_of_its_bin() {
        let mut value = 1.1e-9;
        while value < 9.0e17 {
            for v in [value, -value] {
                let back = value_of(bin_of(v).expect("a number"));
                assert!(
                    (back - v).abs() <= RELATIVE_ERROR * v.abs() * 1.000_001,
                    "{v} → {back}"
                );
            }
            value *= 1.037;
        }
        assert_eq!(bin_of(0.0), Some(0));
        assert_eq!(bin_of(f64::NAN), None);
        assert_eq!(bin_of(f64::INFINITY), bin_of(MAGNITUDE_MAX));
    }

    #[test]
    fn bins_are_ordered_as_their_values() {
        let values = [
            -1e30, -5.0, -4.0, -1e-8, 0.0, 1e-8, 1e-3, 1.0, 4.0, 5.0, 1e30,
        ];
        let bins: Vec<_> = values.iter().filter_map(|v| bin_of(*v)).collect();
        assert!(bins.is_sorted(), "{bins:?}");
    }

    #[test]
    fn values_above_a_bound_are_counted_but_for_those_that_are_next_to_it() {
        let mut values: Vec<f64> = (0..500).map(|i| f64::from(i * 37 % 500) - 100.0).collect();
        values.sort_by(f64::total_cmp);
        let mut bins: Vec<(i32, u64)> = Vec::new();
        for bin in values.iter().filter_map(|value| bin_of(*value)) {
            match bins.last_mut().filter(|(last, _)| *last == bin) {
                Some((_, count)) => *count += 1,
                None => bins.push((bin, 1)),
            }
        }
        let sketch = QuantileSketch::from_bins(-100.0, 399.0, bins);
        let above = |bound: f64| values.iter().filter(|value| **value > bound).count() as u64;
        for bound in [-200.0, -100.0, -3.5, 0.0, 0.5, 17.0, 250.0, 399.0, 1e9] {
            let (least, most) = (
                above(bound + 0.02 * f64::abs(bound)),
                above(bound - 0.02 * f64::abs(bound)),
            );
            let counted = sketch.count_above(bound);
            assert!(
                (least..=most).contains(&counted),
                "{bound}: {counted} of {least} to {most}"
            );
        }
        assert_eq!(sketch.count_above(f64::NEG_INFINITY), 500);
        assert_eq!(sketch.count_above(f64::INFINITY), 0);
        assert_eq!(QuantileSketch::default().count_above(0.0), 0);
    }

    #[test]
    fn bytes_come_back_as_the_same_sketch_and_damage_is_refused() {
        let sketch = QuantileSketch::from_bins(
            -7.5,
            9e9,
            vec![
                (-300, 1),
                (0, 2),
                (1, u64::from(u32::MAX) + 5),
                (2000, 127),
                (2001, 128),
            ],
        );
        let bytes = sketch.encode();
        assert_eq!(QuantileSketch::decode(&bytes), Ok(sketch));
        for cut in 0..bytes.len() {
            assert!(
                QuantileSketch::decode(&bytes[..cut]).is_err(),
                "cut at {cut}"
            );
        }
        let mut other = bytes.clone();
        other[0] = 9;
        assert!(QuantileSketch::decode(&other).is_err());
        let mut long = bytes;
        long.push(0);
        assert!(QuantileSketch::decode(&long).is_err());
    }
}
