//! A change from what was sent to what is in force.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;
use tillwatch_serve::documents::{DefinitionChanged, DefinitionFault};
use tillwatch_serve::ports::{DefinitionChange, DefinitionPlace, Precondition};
use tillwatch_serve::{Problem, Slug};

use super::folder::{Place, name_of, quoted, tag_of, unknown};
use super::list::{check_section, item_tag, of_pack, own_text, pack_of, unknown_item, written_in};
use super::{Inner, Outcome, write};
use crate::definitions::edit::body::{Body, Unfit};
use crate::definitions::edit::{Refusal, secrets, splice};
use crate::definitions::files::read_file;
use crate::definitions::names::check_name;
use crate::definitions::{Folder, finish, node};

/// Where a definition that was sent alone is said to stand.
const SENT: &str = "sent";

/// A file that is to be changed.
struct Planned {
    place: Place,
    /// Its text as it is; nothing when it is new.
    before: Option<String>,
    /// Its text as it is to be; nothing when it is removed.
    after: Option<String>,
    /// The line of the definition, of a change to one.
    line: Option<u64>,
    /// What tells what was changed from others, after the change.
    tag: Option<String>,
    /// Whether what was changed is new.
    is_new: bool,
}

/// A change that was checked, and written unless it was only to be checked.
struct Written {
    planned: Planned,
    digest: u64,
}

/// Makes a change, or only checks it.
///
/// # Errors
/// Those of [`tillwatch_serve::ports::Definitions::change`].
pub(super) async fn make(
    inner: Arc<Inner>,
    change: DefinitionChange,
) -> Result<(DefinitionChanged, bool), Problem> {
    let dry_run = change.dry_run;
    // Who only checks does not wait for those who write, and one checks after the other.
    let turn = if dry_run {
        &inner.checking
    } else {
        &inner.changing
    };
    let _alone = turn.lock().await;
    let work = Arc::clone(&inner);
    let written = blocking(move || work.check_and_write(&change)).await?;
    let (planned, digest) = (written.planned, written.digest);
    let mut changed = DefinitionChanged {
        file: planned.place.file.clone(),
        line: planned.line,
        etag: planned.tag.as_deref().map(quoted),
        digest: format!("{digest:016x}"),
        in_force: inner.is_in_force(digest),
        ..DefinitionChanged::default()
    };
    let is_new = planned.is_new;
    if dry_run {
        changed.reason = Some("it was only checked".to_owned()).filter(|_| !changed.in_force);
        return Ok((changed, is_new));
    }
    inner.look();
    match inner.outcome(digest).await {
        Outcome::InForce => changed.in_force = true,
        Outcome::NotYet => {
            changed.in_force = false;
            changed.reason = Some(format!(
                "it is written, and was not in force within {} ms; /v1/definitions tells when it is",
                inner.wait.as_millis()
            ));
        }
        Outcome::Refused(reason) => {
            let work = Arc::clone(&inner);
            let problem = blocking(move || Ok(work.put_back(&planned, &reason))).await?;
            inner.look();
            return Err(problem);
        }
    }
    Ok((changed, is_new))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => {
            tracing::error!(%error, "changing the definitions panicked");
            let detail = "The cause is in the server's log under this request's id.";
            Err(Problem::new(Slug::Internal, detail))
        }
    }
}

impl Inner {
    fn check_and_write(&self, change: &DefinitionChange) -> Result<Written, Problem> {
        if !change.dry_run {
            self.check_writable()?;
        }
        let planned = match &change.place {
            DefinitionPlace::File(file) => self.plan_file(file, change)?,
            DefinitionPlace::Item { section, name } => self.plan_item(section, name, change)?,
        };
        let Some(dir) = self.dir() else {
            self.check_writable()?;
            return Err(unknown(&planned.place.file));
        };
        if let Some(after) = &planned.after {
            self.check_text(&planned.place, after)?;
        }
        let after = planned.after.as_deref();
        let folder = Folder::open_changed(dir, Some((&planned.place.path, after)));
        let digest = folder.digest();
        // The environment is that of a reload.
        if let Err(faults) = finish(folder, &|name| std::env::var(name).ok()) {
            return Err(refused(&self.told(&faults)));
        }
        if !change.dry_run && planned.before != planned.after {
            // An older refusal is none of this.
            self.known.send_modify(|known| known.refused = None);
            self.write(&planned)?;
        }
        Ok(Written { planned, digest })
    }

    fn plan_file(&self, file: &str, change: &DefinitionChange) -> Result<Planned, Problem> {
        let found = self.place(file)?;
        let before = match &found {
            Some(place) => {
                if let Some(reason) = self.fixed(place) {
                    let detail = format!("The file '{file}' is not changed here: {reason}.");
                    return Err(Problem::new(Slug::Conflict, detail));
                }
                Some(self.text(place)?)
            }
            None => None,
        };
        let now = before.as_deref().map(|text| tag_of(&[text]));
        if before.is_none() && change.text.is_none() {
            return Err(unknown(file));
        }
        check_precondition(change, now.as_deref())?;
        let place = match found {
            Some(place) => place,
            None => self.new_place(file)?,
        };
        Ok(Planned {
            place,
            is_new: before.is_none(),
            before,
            after: change.text.clone(),
            line: None,
            tag: change.text.as_deref().map(|text| tag_of(&[text])),
        })
    }

    fn plan_item(
        &self,
        section: &str,
        name: &str,
        change: &DefinitionChange,
    ) -> Result<Planned, Problem> {
        check_section(section)?;
        check_name(name).map_err(|reason| {
            Problem::new(Slug::BadParameter, format!("{reason}.")).with("parameter", "name")
        })?;
        let folder = self.read();
        let found = written_in(&folder, section, name);
        let (place, now) = match found {
            Some((file, _, value)) => {
                if let Some((pack, _)) = pack_of(&file.path) {
                    let detail = format!("{}.", of_pack(name, &pack));
                    let problem = Problem::new(Slug::Conflict, detail);
                    return Err(problem.with("pack", pack));
                }
                let place = self.place_at(&file.path)?;
                let text = self.text(&place)?;
                let (yaml, _) = own_text(&text, section, name, value);
                let tag = item_tag(&place.file, &yaml);
                (place, Some(tag))
            }
            None if change.text.is_none() => return Err(unknown_item(&folder, section, name)),
            None => {
                let file = format!("{section}.yaml");
                let place = match self.place(&file)? {
                    Some(place) => place,
                    None => self.new_place(&file)?,
                };
                (place, None)
            }
        };
        check_precondition(change, now.as_deref())?;
        if let Some(reason) = self.fixed(&place) {
            let detail = format!("The file '{}' is not changed here: {reason}.", place.file);
            return Err(Problem::new(Slug::Conflict, detail));
        }
        let before = match place.path.symlink_metadata() {
            Ok(_) => Some(self.text(&place)?),
            Err(_) => None,
        };
        let text = before.as_deref().unwrap_or_default();
        let spliced = match &change.text {
            Some(sent) => {
                let body = Body::read(sent, section, name).map_err(|unfit| unreadable(&unfit))?;
                splice::put(text, section, name, &body)
            }
            None => splice::remove(text, section, name),
        };
        let spliced = spliced.map_err(|refusal| by_hand(&place, &refusal))?;
        let tag = match &change.text {
            Some(_) => splice::find(&spliced.text, section, name)
                .map_err(|refusal| by_hand(&place, &refusal))?
                .map(|found| item_tag(&place.file, &found.yaml)),
            None => None,
        };
        Ok(Planned {
            is_new: now.is_none(),
            place,
            before,
            after: Some(spliced.text),
            line: Some(spliced.line),
            tag,
        })
    }

    fn place_at(&self, path: &Path) -> Result<Place, Problem> {
        let mut places = self.places()?.into_iter();
        let found = places.find(|place| place.path == path);
        found.ok_or_else(|| unknown(&path.display().to_string()))
    }

    /// Refuses what is too large, and a secret where only the name of a variable is written over HTTP.
    fn check_text(&self, place: &Place, text: &str) -> Result<(), Problem> {
        if text.len() > self.bytes_max {
            let detail = format!(
                "The file would have {} bytes, and may have {} (limits.http.definition_bytes_max).",
                text.len(),
                self.bytes_max
            );
            return Err(Problem::new(Slug::BodyTooLarge, detail).with("bytes_max", self.bytes_max));
        }
        let secret = node::parse(text).ok().and_then(|tree| secrets::find(&tree));
        let Some((at, key)) = secret else {
            return Ok(());
        };
        Err(refused(&[DefinitionFault {
            file: place.file.clone(),
            line: at.line,
            column: at.column,
            reason: format!(
                "a secret stands here ({key}), which no file of definitions may be sent with"
            ),
            suggestion: Some("write env:NAME, the name of an environment variable".to_owned()),
        }]))
    }

    fn write(&self, planned: &Planned) -> Result<(), Problem> {
        let path = &planned.place.path;
        // Somebody with an editor may have been faster.
        let now = read_file(path).ok().filter(|_| planned.before.is_some());
        if now != planned.before {
            let detail = format!(
                "The file '{}' was changed at this very time; read it again.",
                planned.place.file
            );
            return Err(Problem::new(Slug::PreconditionFailed, detail));
        }
        let written = match &planned.after {
            Some(text) => write::write(path, text, planned.before.is_none()),
            None => write::remove(path),
        };
        written.map_err(|error| {
            let file = &planned.place.file;
            let detail = format!("The file '{file}' cannot be written: {error}.");
            let slug = match error.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                    Slug::JournalFull
                }
                ErrorKind::AlreadyExists => Slug::PreconditionFailed,
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                    Slug::DefinitionsReadOnly
                }
                _ => {
                    tracing::error!(file, %error, "a file of definitions cannot be written");
                    Slug::Internal
                }
            };
            Problem::new(slug, detail)
        })
    }

    /// Puts a file back as it was before the server refused its change, unless somebody has changed it since.
    fn put_back(&self, planned: &Planned, reason: &str) -> Problem {
        let place = &planned.place;
        let now = read_file(&place.path).ok();
        let put_back = if now == planned.after {
            match &planned.before {
                Some(text) => write::write(&place.path, text, planned.after.is_none()),
                None => write::remove(&place.path),
            }
        } else {
            Ok(())
        };
        let suggestion = match put_back {
            Ok(()) => "the file is as it was before".to_owned(),
            Err(error) => {
                tracing::error!(file = place.file, %error, "a refused change cannot be put back");
                format!("the change stands in the file, which cannot be put back: {error}")
            }
        };
        refused(&[DefinitionFault {
            file: place.file.clone(),
            line: planned.line.unwrap_or(1),
            column: 1,
            reason: reason.to_owned(),
            suggestion: Some(suggestion),
        }])
    }
}

fn check_precondition(change: &DefinitionChange, now: Option<&str>) -> Result<(), Problem> {
    if change.precondition.holds(now) {
        return Ok(());
    }
    // One that is only checked need not say what it takes the file for.
    if change.dry_run && change.precondition == Precondition::Always {
        return Ok(());
    }
    let name = name_of(&change.place);
    let detail = match now {
        Some(_) => format!("'{name}' is not what it was when you read it; read it again."),
        None => format!("'{name}' is not there."),
    };
    let tag = now.map_or(Json::Null, |tag| Json::String(quoted(tag)));
    Err(Problem::new(Slug::PreconditionFailed, detail).with("etag", tag))
}

/// Faults that are listed; more are told when these are mended.
const FAULTS_MAX: usize = 100;

/// A change by which the folder would not work.
fn refused(faults: &[DefinitionFault]) -> Problem {
    let told: Vec<&DefinitionFault> = faults.iter().take(FAULTS_MAX).collect();
    let lines = told.iter().map(|fault| {
        let DefinitionFault {
            file,
            line,
            column,
            reason,
            ..
        } = fault;
        format!("{file}:{line}:{column}: {reason}")
    });
    let mut detail = format!("{}.", lines.collect::<Vec<_>>().join("; "));
    if faults.len() > FAULTS_MAX {
        detail.push_str(&format!(" There are {} more.", faults.len() - FAULTS_MAX));
    }
    let listed = serde_json::to_value(&told).unwrap_or_default();
    Problem::new(Slug::BadDefinition, detail).with("faults", listed)
}

/// What was sent is no definition.
fn unreadable(unfit: &Unfit) -> Problem {
    refused(&[DefinitionFault {
        file: SENT.to_owned(),
        line: unfit.place.line,
        column: unfit.place.column,
        reason: unfit.reason.clone(),
        suggestion: unfit.suggestion.clone(),
    }])
}

/// What cannot be changed by its lines is for a person to change.
fn by_hand(place: &Place, refusal: &Refusal) -> Problem {
    let Refusal { place: at, reason } = refusal;
    let file = &place.file;
    let detail = format!("{file}:{}: {reason}; change the file there.", at.line);
    Problem::new(Slug::Conflict, detail)
        .with("file", file.as_str())
        .with("line", at.line)
        .with("column", at.column)
}
