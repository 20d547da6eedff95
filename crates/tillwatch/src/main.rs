//! Tillwatch.
mod definitions;
fn main() {}
