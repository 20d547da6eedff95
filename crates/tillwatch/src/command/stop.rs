//! Stopping on Ctrl-C or SIGTERM.

use std::time::Duration;

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};

/// Waits until the user or the system asks to stop, or until `after` has passed.
pub async fn requested(after: Option<Duration>) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let timeout = async {
        match after {
            Some(after) => tokio::time::sleep(after).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = timeout => {}
    }
    Ok(())
}
