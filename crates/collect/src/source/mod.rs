//! Sources that fetch by themselves.
