//! Hot reload: a changed folder is loaded if it is valid, and reported if it is not.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use notify::{RecursiveMode, Watcher};
use tokio::sync::mpsc;

use super::Engine;
use crate::definitions;

/// Editors write a file in several steps; the folder is read when it has been quiet for this long.
const QUIET: Duration = Duration::from_millis(300);

/// Watches a definitions folder until the engine is gone.
///
/// # Errors
/// The system cannot watch the folder.
pub fn watch_folder(engine: &Arc<Engine>, folder: PathBuf) -> Result<()> {
    // One place is enough: a second change before the first is handled is handled with it.
    let (changed, mut changes) = mpsc::channel(1);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            let _ = changed.try_send(());
        }
    })
    .context("changes of files cannot be watched")?;
    watcher
        .watch(&folder, RecursiveMode::Recursive)
        .with_context(|| format!("{} cannot be watched", folder.display()))?;
    let engine = Arc::downgrade(engine);
    tokio::spawn(async move {
        let _watcher = watcher;
        while changes.recv().await.is_some() {
            while tokio::time::timeout(QUIET, changes.recv())
                .await
                .is_ok_and(|more| more.is_some())
            {}
            let Some(engine) = engine.upgrade() else {
                return;
            };
            let dir = folder.clone();
            let loaded = tokio::task::spawn_blocking(move || {
                definitions::load(&dir, &|name| std::env::var(name).ok())
            })
            .await;
            match loaded {
                Ok(Ok(loaded)) => match engine.reload(Arc::new(loaded)).await {
                    Ok(()) => tracing::info!("the changed definitions are in force"),
                    Err(error) => {
                        tracing::error!(error = %format!("{error:#}"), "the changed definitions were not taken");
                        engine.refused(vec![format!("{error:#}")]);
                    }
                },
                Ok(Err(faults)) => {
                    tracing::error!(
                        faults = faults.len(),
                        "the changed definitions are at fault; those in force stay"
                    );
                    engine.refused(faults.iter().map(ToString::to_string).collect());
                }
                Err(error) => tracing::error!(%error, "reading the definitions panicked"),
            }
        }
    });
    Ok(())
}
