//! The definitions folder: YAML in, what the parts work with out, and every fault with its place.

pub mod fault;
pub mod folder;
pub mod node;
pub mod pack;
pub mod read;
pub mod scalar;
pub mod shape;
