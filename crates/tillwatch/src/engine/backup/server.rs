//! Backups of a running server, one at a time, into a folder that was named at its start.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use anyhow::{Result, anyhow};
use tillwatch_collect::Intake;
use tillwatch_monitor::catalogue::Catalogue;
use tillwatch_serve::documents::BackupStatus;
use tillwatch_serve::ports::Backup;
use tillwatch_serve::{Problem, Slug};

use super::super::keeper::Keeper;
use super::{BackupReport, Target, check_place, take};
use crate::definitions::Loaded;

/// Longest name of a backup.
const NAME_CHARS_MAX: usize = 64;

/// Makes backups of the data folder of this server.
pub struct Backups {
    /// Where they go; none when the start named no folder.
    folder: Option<PathBuf>,
    data: PathBuf,
    catalogue: Arc<Catalogue>,
    parts: Mutex<Parts>,
    last: Arc<Mutex<Option<BackupStatus>>>,
}

/// What is copied, not kept from ending.
#[derive(Default)]
struct Parts {
    keeper: Weak<Keeper>,
    intake: Weak<Intake>,
    /// Why no backup can be made.
    refusal: Option<String>,
}

impl Backups {
    /// Backups of `data` into `folder`.
    #[must_use]
    pub fn new(folder: Option<PathBuf>, data: PathBuf, catalogue: Arc<Catalogue>) -> Self {
        Self {
            folder,
            data,
            catalogue,
            parts: Mutex::default(),
            last: Arc::default(),
        }
    }

    /// What runs, once it does.
    pub fn go_on(&self, keeper: &Arc<Keeper>, intake: &Arc<Intake>, loaded: &Loaded) {
        *lock(&self.parts) = Parts {
            keeper: Arc::downgrade(keeper),
            intake: Arc::downgrade(intake),
            refusal: check_place(loaded).err().map(|error| error.to_string()),
        };
    }
}

impl Backup for Backups {
    fn start(&self, name: Option<String>) -> Result<BackupStatus, Problem> {
        let conflict = |text: String| Problem::new(Slug::Conflict, text);
        let Some(folder) = &self.folder else {
            let text =
                "The server was started without a folder for backups; start it with --backups.";
            return Err(conflict(text.to_owned()));
        };
        let name = name.unwrap_or_else(default_name);
        check_name(&name)?;
        let (keeper, intake) = {
            let parts = lock(&self.parts);
            if let Some(refusal) = &parts.refusal {
                return Err(conflict(format!("No backup can be made: {refusal}.")));
            }
            match (parts.keeper.upgrade(), parts.intake.upgrade()) {
                (Some(keeper), Some(intake)) => (keeper, intake),
                _ => return Err(Problem::new(Slug::Stopping, "The server is stopping.")),
            }
        };
        let to = folder.join(&name);
        let status = BackupStatus {
            path: to.display().to_string(),
            name,
            state: "running".to_owned(),
            started_at: jiff::Timestamp::now().to_string(),
            ..BackupStatus::default()
        };
        {
            let mut last = lock(&self.last);
            if last.as_ref().is_some_and(|last| last.state == "running") {
                return Err(conflict("Another backup is being made.".to_owned()));
            }
            if to.exists() {
                return Err(conflict(format!(
                    "There is a backup '{}' already.",
                    status.name
                )));
            }
            *last = Some(status.clone());
        }
        let (data, catalogue) = (self.data.clone(), Arc::clone(&self.catalogue));
        let last = Arc::clone(&self.last);
        let worker = std::thread::Builder::new().name("backup".to_owned());
        let started = worker.spawn(move || {
            let made = back_up(&data, &catalogue, &keeper, &intake, &to);
            drop((keeper, intake));
            if let Some(status) = lock(&last).as_mut() {
                end(status, made);
            }
        });
        if let Err(error) = started {
            let error = anyhow!("the system refuses a thread: {error}");
            if let Some(status) = lock(&self.last).as_mut() {
                end(status, Err(error));
            }
        }
        Ok(status)
    }

    fn last(&self) -> Option<BackupStatus> {
        lock(&self.last).clone()
    }
}

fn back_up(
    data: &Path,
    catalogue: &Catalogue,
    keeper: &Keeper,
    intake: &Intake,
    to: &Path,
) -> Result<BackupReport> {
    let target = Target::begin(to)?;
    let journal = intake.reader();
    let instance = std::fs::read_to_string(data.join(super::JOURNAL).join("instance"));
    let instance = instance.unwrap_or_default().trim().to_owned();
    target.write(
        |target| keeper.hold(intake, || take(data, &journal, Some(catalogue), target)),
        instance,
    )
}

fn end(status: &mut BackupStatus, made: Result<BackupReport>) {
    status.ended_at = Some(jiff::Timestamp::now().to_string());
    match made {
        Ok(report) => {
            tracing::info!(
                backup = status.name,
                files = report.files,
                bytes = report.bytes,
                "a backup was made"
            );
            "done".clone_into(&mut status.state);
            status.files = report.files;
            status.bytes = report.bytes;
        }
        Err(error) => {
            let error = crate::terminal::with_causes(&error);
            tracing::error!(backup = status.name, %error, "no backup was made");
            "failed".clone_into(&mut status.state);
            status.fault = Some(error);
        }
    }
}

/// The time, in a form that sorts: `20261129T190501Z`.
fn default_name() -> String {
    let now = jiff::Timestamp::now().to_string();
    let seconds = now.split('.').next().unwrap_or(&now);
    let mut name: String = (seconds.chars())
        .filter(|c| c.is_ascii_digit() || *c == 'T')
        .collect();
    name.push('Z');
    name
}

/// A name is a folder's name and nothing else.
fn check_name(name: &str) -> Result<(), Problem> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(legal) {
        return Err(Problem::new(
            Slug::BadParameter,
            format!(
                "The name of a backup has 1 to {NAME_CHARS_MAX} letters, digits, - or _, and nothing else."
            ),
        ));
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else_and_the_time_is_one() {
        for name in ["nightly", "2026-11-29_1", "A"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        let long = "x".repeat(65);
        for name in ["", ".", "..", "a/b", "/tmp/x", "a b", "ä", long.as_str()] {
            assert!(check_name(name).is_err(), "{name}");
        }
        let name = default_name();
        assert!(check_name(&name).is_ok(), "{name}");
        assert_eq!(name.len(), 16, "{name}");
    }
}
