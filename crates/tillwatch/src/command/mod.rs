//! The commands, a file each.

pub mod backtest;
pub mod backup;
pub mod bench;
pub mod check;
mod client;
pub mod demo;
pub mod ingest;
pub mod maintain;
pub mod propose;
pub mod serve;
pub mod simulate;
pub mod sql;
mod stop;
pub mod token;
pub mod verify;

use std::path::Path;
use std::sync::Arc;

use crate::definitions::{self, Loaded};
use crate::terminal;

/// Loads a definitions folder; prints its faults and gives nothing if it has any.
fn load(config: &Path) -> Option<Arc<Loaded>> {
    match definitions::load(config, &|name| std::env::var(name).ok()) {
        Ok(loaded) => Some(Arc::new(loaded)),
        Err(faults) => {
            report(&faults);
            None
        }
    }
}

/// Prints faults and how many there are.
fn report(faults: &[definitions::Fault]) {
    for fault in faults {
        terminal::complain(fault.to_string());
    }
    let noun = if faults.len() == 1 { "fault" } else { "faults" };
    terminal::complain(format!("{} {noun}", faults.len()));
}
