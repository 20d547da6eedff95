//! Removing what no version needs.

use object_store::path::Path;

use super::shape::DAY;
use super::{Table, locked};
use crate::HistoryError;

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// Data files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Temporary files of crashed writes.
    pub temporary_files: u64,
    /// Entries of the log.
    pub log_files: u64,
}

impl Table {
    /// Removes files that no version needs: those removed from the table longer ago than
    /// [`crate::HistoryOptions::removed_files_retention`], and files of crashed writes that are older than that;
    /// and the entries of the log that a checkpoint has summed up and that are past their time. `now_us` is the
    /// time in microseconds since 1970.
    ///
    /// # Errors
    /// Those of the store. What is left goes with the next time.
    pub fn vacuum(&self, now_us: i64) -> Result<Vacuumed, HistoryError> {
        let core = &self.core;
        let retention = i64::try_from(core.options.removed_files_retention.as_micros());
        let before_us = now_us.saturating_sub(retention.unwrap_or(i64::MAX));
        let root = core.place.path(&core.name);
        // First what is there, then what is known: a file that is listed was known before it was there.
        let listed = core.place.list(&root)?;
        let listed = listed.map_err(|source| core.failed("listing files", source))?;
        let mut doomed = Vec::new();
        let mut vacuumed = Vacuumed::default();
        {
            let under_way = locked(&core.under_way);
            let state = locked(&core.state);
            for object in listed {
                let Some(path) = data_path(&root, &object.location) else {
                    continue;
                };
                if state.by_path.contains_key(&path) || under_way.contains(&path) {
                    continue;
                }
                let since_us = state.removed.get(&path).copied();
                let since_us = since_us.unwrap_or_else(|| object.last_modified.timestamp_micros());
                if since_us < before_us {
                    vacuumed.files += 1;
                    vacuumed.bytes += object.size;
                    doomed.push((path, object.location));
                }
            }
        }
        let (paths, locations): (Vec<_>, Vec<_>) = doomed.into_iter().unzip();
        self.delete(locations)?;
        {
            let mut state = locked(&core.state);
            for path in paths {
                state.removed.remove(&path);
            }
        }
        let leftovers = core.place.leftovers(&root);
        let leftovers = leftovers.map_err(|source| core.failed("listing files", source))?;
        let old = leftovers
            .into_iter()
            .filter(|leftover| leftover.status.modified_us < before_us)
            .filter_map(|leftover| Path::parse(leftover.path).ok())
            .collect::<Vec<_>>();
        vacuumed.temporary_files = old.len() as u64;
        self.delete(old)?;
        let retention_ms = i64::try_from(core.options.log_retention.as_millis());
        let before_ms = (now_us / 1000).saturating_sub(retention_ms.unwrap_or(i64::MAX));
        let version = locked(&core.state).version;
        vacuumed.log_files = core.log.clean(version, before_ms)? as u64;
        Ok(vacuumed)
    }

    fn delete(&self, locations: Vec<Path>) -> Result<(), HistoryError> {
        if locations.is_empty() {
            return Ok(());
        }
        let deleted = self.core.place.delete(locations)?;
        deleted
            .map(|_| ())
            .map_err(|source| self.core.failed("removing files", source))
    }
}

/// The path in the table of what may be one of our data files; of all else we keep our hands off.
fn data_path(root: &Path, location: &Path) -> Option<String> {
    let parts: Vec<_> = location.prefix_match(root)?.collect();
    match parts.as_slice() {
        [folder, file] => {
            let (folder, file) = (folder.as_ref(), file.as_ref());
            let day = folder
                .strip_prefix(DAY)
                .is_some_and(|day| day.starts_with('='));
            (day && file.starts_with("part-") && file.ends_with(".parquet"))
                .then(|| format!("{folder}/{file}"))
        }
        _ => None,
    }
}
