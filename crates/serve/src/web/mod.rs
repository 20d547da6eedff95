//! The web that is part of the binary.

mod assets;
mod embedded;

pub use assets::Assets;
