//! Processing against its oracle: plain DataFusion SQL over the raw rows.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, helpers included"
)]

mod backlog;
mod definitions;
mod expiry;
mod faults;
mod functions;
mod history;
mod late;
mod limits;
mod recovery;
mod replay;
mod simulated;
mod stranded;
mod support;
mod till;
