//! Hot reload: a changed folder is loaded if it is valid, and reported if it is not.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use notify::event::ModifyKind;
use notify::{Event, EventKind, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use super::Engine;
use crate::definitions::{Fault, Folder, Loaded, finish};
use crate::terminal::with_causes;

/// Editors write a file in several steps; the folder is read when it has been quiet for this long.
const QUIET: Duration = Duration::from_millis(300);
/// What never comes to rest is read all the same after this long.
const PATIENCE: Duration = Duration::from_secs(5);

/// Watches a definitions folder until the engine is gone. `digest` is that of the definitions in
/// force: what was edited since they were read is found at once.
///
/// # Errors
/// The system cannot watch the folder.
pub fn watch_folder(engine: &Arc<Engine>, folder: PathBuf, digest: u64) -> Result<()> {
    // One place is enough: a second change before the first is handled is handled with it.
    let (changed, changes) = mpsc::channel(1);
    engine.editing.watched_by(changed.clone());
    // The first look does not wait for a change.
    let _ = changed.try_send(());
    let dir = folder.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if event.is_ok_and(|event| concerns(&dir, &event)) {
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
        let mut changes = changes;
        let mut reader = Reader::new(folder, digest);
        while changes.recv().await.is_some() {
            settle(&mut changes).await;
            let Some(engine) = engine.upgrade() else {
                return;
            };
            let read = tokio::task::spawn_blocking(move || {
                let found = reader.read();
                (reader, found)
            })
            .await;
            let found;
            (reader, found) = match read {
                Ok(read) => read,
                Err(error) => {
                    tracing::error!(%error, "reading the definitions panicked");
                    return;
                }
            };
            take(&engine, &mut reader, found).await;
        }
    });
    Ok(())
}

/// Puts what was found in force, or says why not.
async fn take(engine: &Engine, reader: &mut Reader, found: Found) {
    match found {
        Found::Nothing => {}
        Found::TakenBack => {
            tracing::info!("the definitions are again those in force");
            engine.refused(Vec::new());
            engine.editing.looked(reader.in_force, None);
        }
        Found::Sound(loaded) => {
            let digest = loaded.digest;
            match engine.reload(Arc::from(loaded)).await {
                Ok(()) => {
                    reader.in_force = digest;
                    tracing::info!("the changed definitions are in force");
                }
                Err(error) => {
                    // It need not be the definitions' fault: the next event tries again.
                    reader.seen = None;
                    let error = with_causes(&error);
                    tracing::error!(error, "the changed definitions were not taken");
                    engine.editing.looked(digest, Some(error.clone()));
                    engine.refused(vec![error]);
                }
            }
        }
        Found::Faulty(faults) => {
            tracing::error!(
                faults = faults.len(),
                "the changed definitions are at fault; those in force stay"
            );
            engine.refused(faults.iter().map(ToString::to_string).collect());
        }
    }
}

/// Waits until nothing more comes for a while.
async fn settle(changes: &mut mpsc::Receiver<()>) {
    let quiet =
        async { while let Ok(Some(())) = tokio::time::timeout(QUIET, changes.recv()).await {} };
    let _ = tokio::time::timeout(PATIENCE, quiet).await;
}

/// Whether the texts of the definitions may be others after this event.
///
/// The data folder may lie below this one and is written all the time: what happens to other files
/// is no concern of ours. A folder that comes, goes or changes its name may bring files along.
fn concerns(dir: &Path, event: &Event) -> bool {
    let moves = matches!(
        event.kind,
        EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
    );
    if event.kind.is_access() {
        return false;
    }
    event.need_rescan()
        || event.paths.iter().any(|path| {
            Folder::reads(dir, path)
                || (moves && path.extension().is_none() && Folder::enters(dir, path))
        })
}

/// What a look at the folder showed.
enum Found {
    /// The texts are those last looked at.
    Nothing,
    /// They are those in force, after others.
    TakenBack,
    /// Others, which work.
    Sound(Box<Loaded>),
    /// Others, which do not.
    Faulty(Vec<Fault>),
}

/// Reads the folder, and remembers by its digest what was read.
struct Reader {
    folder: PathBuf,
    in_force: u64,
    seen: Option<u64>,
}

impl Reader {
    fn new(folder: PathBuf, digest: u64) -> Self {
        Self {
            folder,
            in_force: digest,
            seen: Some(digest),
        }
    }

    fn read(&mut self) -> Found {
        let folder = Folder::open(&self.folder);
        let digest = folder.digest();
        if self.seen == Some(digest) {
            return Found::Nothing;
        }
        self.seen = Some(digest);
        if digest == self.in_force {
            return Found::TakenBack;
        }
        match finish(folder, &|name| std::env::var(name).ok()) {
            Ok(loaded) => Found::Sound(Box::new(loaded)),
            Err(faults) => Found::Faulty(faults),
        }
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, DataChange, RemoveKind};

    use super::*;

    #[test]
    fn only_what_the_folder_reads_concerns_it() {
        let dir = Path::new("/etc/till");
        let event = |kind, path: &str| Event::new(kind).add_path(dir.join(path));
        let written = EventKind::Modify(ModifyKind::Data(DataChange::Content));
        let made = EventKind::Create(CreateKind::File);
        assert!(concerns(dir, &event(written, "a.yaml")));
        assert!(concerns(
            dir,
            &event(EventKind::Remove(RemoveKind::File), "sub/a.yml")
        ));
        assert!(concerns(
            dir,
            &event(EventKind::Create(CreateKind::Folder), "sub")
        ));
        assert!(!concerns(dir, &event(written, "data/journal/1.seg")));
        assert!(!concerns(dir, &event(made, "data/catalogue.sqlite-wal")));
        assert!(!concerns(dir, &event(written, "data")));
        assert!(!concerns(dir, &event(made, ".a.yaml.swp")));
        assert!(!concerns(dir, &event(made, ".git/index")));
        // The folder itself may be hidden.
        let dir = Path::new("/home/u/.till");
        let event = Event::new(made).add_path(dir.join("a.yaml"));
        assert!(concerns(dir, &event));
    }

    #[test]
    fn what_did_not_change_is_not_read_as_a_change() {
        let dir = tempfile::tempdir().unwrap();
        let write = |text: &str| std::fs::write(dir.path().join("a.yaml"), text).unwrap();
        write("packs: [payments]\n");
        let digest = Folder::open(dir.path()).digest();
        let mut reader = Reader::new(dir.path().to_owned(), digest);
        assert!(matches!(reader.read(), Found::Nothing));
        std::fs::write(dir.path().join("notes.txt"), "x").unwrap();
        assert!(matches!(reader.read(), Found::Nothing));
        write("packs: [paymants]\n");
        assert!(matches!(reader.read(), Found::Faulty(_)));
        assert!(matches!(reader.read(), Found::Nothing));
        write("packs: [payments]\n");
        assert!(matches!(reader.read(), Found::TakenBack));
        write("packs: [commerce]\n");
        assert!(matches!(reader.read(), Found::Sound(_)));
        assert!(matches!(reader.read(), Found::Nothing));
    }
}
