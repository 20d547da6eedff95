//! Which table belongs to a cube: one for each meaning its definition has had.
//!
//! States of one definition mean nothing to another, so a cube whose definition changed gets a
//! table of its own and is filled anew from the events. The name of the table carries a hash of all
//! that states depend on. `keep` is not among it: it says how long, not what.

use std::fmt::Write as _;

use twox_hash::XxHash3_64;

use crate::definition::{CubeDefinition, StreamDefinition};
use crate::functions::Rates;

/// Raised when the program itself gives states another meaning or form.
const STATES_VERSION: u32 = 1;
/// What the names of all cubes' tables begin with.
pub(super) const CUBES: &str = "cubes/";

/// The name of a cube's table: `cubes/<cube>.<8 hexadecimal digits>`.
pub(super) fn table_name(
    cube: &CubeDefinition,
    stream: &StreamDefinition,
    rates: &Rates,
) -> String {
    // A text, not the standard library's hashing: it must be the same for every build.
    let meaning = format!(
        "{STATES_VERSION}\n{:?}\n{}\n{:?}\n{:?}\n{:?}\n{:016x}\n{:?}\n{rates:?}",
        cube.from,
        cube.bucket.as_micros(),
        cube.dimensions,
        cube.measures,
        stream.schema.time,
        fields_hash(stream),
        stream.derive,
    );
    let hash = XxHash3_64::oneshot(meaning.as_bytes());
    format!("{CUBES}{}.{:08x}", cube.name, hash >> 32)
}

/// The name of a stream's table of events: the first, or the one after a field's type became wider
/// for the `n`th time.
pub(super) fn events_name(stream: &str, n: u32) -> String {
    match n {
        0 => format!("events/{stream}"),
        n => format!("events/{stream}.{}", n + 1),
    }
}

/// A hash of what decides whether older events fit a stream's fields.
pub(crate) fn fields_hash(stream: &StreamDefinition) -> u64 {
    let mut text = String::new();
    for field in &stream.schema.fields {
        let _ = writeln!(text, "{:?} {}", field.name, field.type_text());
    }
    XxHash3_64::oneshot(text.as_bytes())
}

/// The name of a stream's table of rejected lines.
pub(super) fn quarantine_name(stream: &str) -> String {
    format!("quarantine/{stream}")
}
