//! Faults on order: a disk that forgets, a clock that jumps, and campaigns over many seeds.
//!
//! - [`disk`]: a simulated disk below the journal's [`Storage`](tillwatch_journal::Storage), with folders. It drops, tears
//!   and reorders what was not synced, fills up and fails.
//! - [`clock`]: a clock that a test sets, and moments at which clocks are known to go wrong.
//! - [`campaign`]: runs a scenario for many seeds, prints which and what they came to, and runs one again.
//! - [`steps`]: runs a scenario once for each of its disk operations, with a fault at that one.
//! - [`random`]: the same numbers for the same seed, everywhere.

pub mod campaign;
pub mod clock;
pub mod disk;
mod file;
pub mod random;
pub mod steps;
