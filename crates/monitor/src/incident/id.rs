//! Ids of incidents.

use std::fmt;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::figure::Slice;

/// `inc_` and 26 characters of Crockford's base 32 in lower case: 48 bits of milliseconds, so that
/// ids sort by time, then 80 bits of a hash of what the incident is about.
///
/// There is no randomness in it: judging the same buckets again gives the same id, so an incident
/// cannot appear twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentId(String);

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const PREFIX: &str = "inc_";
const CHARACTERS: usize = 26;

impl IncidentId {
    /// The id of the incident that `monitor` opens for `slice` at `opened_at_us`. `ordinal` tells
    /// apart incidents of one slice and moment.
    #[must_use]
    pub fn new(opened_at_us: i64, monitor: &str, slice: &Slice, ordinal: u32) -> Self {
        let mut hash = Sha256::new();
        hash.update(opened_at_us.to_be_bytes());
        hash.update(ordinal.to_be_bytes());
        hash.update((monitor.len() as u64).to_be_bytes());
        hash.update(monitor);
        for (dimension, value) in slice.pairs() {
            hash.update((dimension.len() as u64).to_be_bytes());
            hash.update(dimension);
            // A missing value differs from an empty one by the length that follows.
            hash.update(value.map_or(u64::MAX, |v| v.len() as u64).to_be_bytes());
            hash.update(value.unwrap_or_default());
        }
        let digest = hash.finalize();
        let tail = digest
            .iter()
            .take(10)
            .fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        let millis = u128::try_from(opened_at_us / 1000).unwrap_or(0) & 0xffff_ffff_ffff;
        let bits = millis << 80 | tail;
        let text = (0..CHARACTERS).rev().map(|i| {
            let index = usize::try_from(bits >> (5 * i) & 31).unwrap_or(0);
            char::from(ALPHABET.get(index).copied().unwrap_or(b'0'))
        });
        Self(PREFIX.chars().chain(text).collect())
    }

    /// Reads an id; `None` where the text cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let tail = text.strip_prefix(PREFIX)?;
        let valid = tail.len() == CHARACTERS && tail.bytes().all(|byte| ALPHABET.contains(&byte));
        valid.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for IncidentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_are_the_same_for_the_same_incident() {
        let slice = Slice::from([("psp", "a")]);
        let earlier = IncidentId::new(1_795_356_300_000_000, "m", &slice, 0);
        let later = IncidentId::new(1_795_356_300_001_000, "m", &slice, 0);
        assert!(earlier < later);
        assert_eq!(
            earlier,
            IncidentId::new(1_795_356_300_000_000, "m", &slice, 0)
        );
        assert_eq!(IncidentId::parse(earlier.as_str()), Some(earlier));
    }

    #[test]
    fn different_monitors_slices_and_ordinals_have_different_ids() {
        let id =
            |monitor: &str, slice: &Slice, ordinal| IncidentId::new(1, monitor, slice, ordinal);
        let empty: Slice = [("psp", Some(""))].into_iter().collect();
        let none: Slice = [("psp", None::<&str>)].into_iter().collect();
        let ids = [
            id("m", &empty, 0),
            id("m", &none, 0),
            id("m", &empty, 1),
            id("n", &empty, 0),
        ];
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }

    #[test]
    fn texts_that_are_no_ids_are_refused() {
        for text in [
            "",
            "inc_",
            "inc_01",
            "INC_00000000000000000000000000",
            "inc_0000000000000000000000000u",
        ] {
            assert_eq!(IncidentId::parse(text), None, "{text}");
        }
    }
}
