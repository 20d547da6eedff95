//! Monitors: detectors, incidents, the catalogue they are kept in, and channels.
//!
//! The way through this crate: a ticker calls [`watch::Watch::judge`], which asks a
//! [`figure::FigureSource`] for the newest figures of each monitor, lets a pure detector in
//! [`detect`] judge them, [`group`]s what fires to the smallest slice that holds it, and writes
//! incidents and outgoing messages to the [`catalogue`] in one transaction. A courier in
//! [`channel`] carries the messages out.
//!
//! Detectors never read a clock and know neither SQL nor HTTP.

pub mod backtest;
pub mod catalogue;
pub mod channel;
pub mod definition;
pub mod detect;
mod error;
pub mod explain;
pub mod figure;
pub mod group;
pub mod incident;

pub mod watch;

pub use error::MonitorError;

#[cfg(test)]
mod tests {
    use std::process::Command;

    #[test]
    fn this_crate_does_not_link_datafusion() {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let arguments = [
            "tree",
            "-p",
            "tillwatch-monitor",
            "-e",
            "normal",
            "--offline",
        ];
        let tree = Command::new(cargo)
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(
            tree.status.success(),
            "{}",
            String::from_utf8_lossy(&tree.stderr)
        );
        let tree = String::from_utf8_lossy(&tree.stdout);
        assert!(
            tree.contains("tillwatch-event") && tree.contains("rusqlite"),
            "{tree}"
        );
        assert!(!tree.contains("datafusion"), "{tree}");
    }
}
