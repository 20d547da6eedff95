//! The definitions folder: YAML in, what the parts work with out, and every fault with its place.

mod announce;
pub mod boards;
pub mod check;
mod detector;
pub mod edit;
mod fault;
pub mod files;
pub mod folder;
pub mod history;
pub mod limits;
pub mod load;
pub mod names;
pub mod node;
pub mod pack;
pub mod places;
pub mod proposal;
pub mod read;
pub mod resolve;
pub mod scalar;
pub mod shape;
pub mod sources;
#[cfg(test)]
mod tests;

pub use fault::Fault;
pub use folder::Folder;
pub use load::{Loaded, finish, load};
#[cfg(test)]
pub use tests::property_names;
