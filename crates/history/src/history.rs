//! The root of all tables.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use object_store::ObjectStore;
use object_store::path::Path;
use url::Url;

use crate::store::{Files, Place};
use crate::table::{Core, StoredTable, Table, check_name};
use crate::{HistoryError, HistoryOptions, Location, TableSpec};

/// The folder of a table in which its log is.
const LOG_FOLDER: &str = "_delta_log";
/// An object that says that the table around it is being removed.
const REMOVING: &str = "_removing";
/// Parts in the name of a table, at most, that [`History::tables`] finds.
const NAME_PARTS_MAX: usize = 8;

/// A place where tables are.
#[derive(Debug)]
pub struct History {
    place: Place,
    options: Arc<HistoryOptions>,
    /// What is open: several definitions of one table share its state.
    open: Mutex<HashMap<String, Weak<Core>>>,
}

impl History {
    /// Opens a place, and creates its folder durably when it is not there.
    ///
    /// # Errors
    /// When the place is none, or the threads cannot be started. A store is not asked yet.
    pub fn open(location: Location, options: HistoryOptions) -> Result<Arc<Self>, HistoryError> {
        let place = Place::open(&location, options.io_threads)?;
        Ok(Self::at(place, options))
    }

    /// Tables in a tree of files that is not a folder of the file system: a simulated disk.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub fn in_files(
        files: Arc<dyn Files>,
        options: HistoryOptions,
    ) -> Result<Arc<Self>, HistoryError> {
        let place = Place::in_folder(files, options.io_threads)?;
        Ok(Self::at(place, options))
    }

    /// Tables in any object store that creates objects exclusively; `url` names their prefix.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub fn in_store(
        store: Arc<dyn ObjectStore>,
        url: &Url,
        options: HistoryOptions,
    ) -> Result<Arc<Self>, HistoryError> {
        let place = Place::in_store(store, url, options.io_threads)?;
        Ok(Self::at(place, options))
    }

    fn at(place: Place, options: HistoryOptions) -> Arc<Self> {
        Arc::new(Self {
            place,
            options: Arc::new(options),
            open: Mutex::default(),
        })
    }

    /// Opens a table by its definition. One that is not there comes to be with its first commit.
    ///
    /// # Errors
    /// When the definition does not fit, or the log cannot be read.
    pub fn table(self: &Arc<Self>, spec: TableSpec) -> Result<Arc<Table>, HistoryError> {
        check_name(&spec.name)?;
        // Held until the table is there, so that it is read once.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let core = match open.get(&spec.name).and_then(Weak::upgrade) {
            Some(core) => core,
            None => {
                if self.is_being_removed(&spec.name)? {
                    self.remove_objects(&spec.name)?;
                }
                self.open_core(&mut open, &spec.name, &spec.app)?
            }
        };
        drop(open);
        Table::new(spec, core).map(Arc::new)
    }

    /// Opens a table that is there to read it whatever its definition is; none when it is not there. Nothing is
    /// created or changed.
    ///
    /// # Errors
    /// When the name is none, or the log cannot be read.
    pub fn stored(&self, name: &str) -> Result<Option<StoredTable>, HistoryError> {
        check_name(name)?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let core = match open.get(name).and_then(Weak::upgrade) {
            Some(core) => core,
            None if self.is_being_removed(name)? => return Ok(None),
            // Known from here on, so that who removes the table tells us.
            None => self.open_core(&mut open, name, "")?,
        };
        Ok(core.is_there().then(|| StoredTable::new(core)))
    }

    fn open_core(
        &self,
        open: &mut HashMap<String, Weak<Core>>,
        name: &str,
        app: &str,
    ) -> Result<Arc<Core>, HistoryError> {
        let (place, options) = (self.place.clone(), Arc::clone(&self.options));
        let core = Arc::new(Core::open(place, options, name, app)?);
        open.retain(|_, core| core.strong_count() > 0);
        open.insert(name.to_owned(), Arc::downgrade(&core));
        Ok(core)
    }

    /// The names of the tables that are there, sorted.
    ///
    /// # Errors
    /// Those of the store.
    pub fn tables(&self) -> Result<Vec<String>, HistoryError> {
        let mut names = Vec::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let path = self.place.path(&folder);
            let listed = self.place.list_folder(&path)?;
            let listed = listed.map_err(|source| self.failed("listing tables", source))?;
            let is = |path: &Path, name: &str| path.filename() == Some(name);
            if listed
                .common_prefixes
                .iter()
                .any(|path| is(path, LOG_FOLDER))
            {
                if !listed
                    .objects
                    .iter()
                    .any(|object| is(&object.location, REMOVING))
                {
                    names.push(folder);
                }
                continue;
            }
            if folder.split('/').count() >= NAME_PARTS_MAX {
                continue;
            }
            folders.extend(listed.common_prefixes.iter().filter_map(|path| {
                let name = path.filename()?;
                let name = match folder.is_empty() {
                    true => name.to_owned(),
                    false => format!("{folder}/{name}"),
                };
                check_name(&name).ok().map(|()| name)
            }));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Removes a whole table. Who has it open can no longer write to it, and reads what is still there. One that is
    /// not there is no error.
    ///
    /// # Errors
    /// Those of the store. The table is gone in part then, and is not to be had until a repetition, or opening it
    /// anew, has removed the rest.
    pub fn remove(&self, name: &str) -> Result<(), HistoryError> {
        check_name(name)?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(core) = open.remove(name).and_then(|core| core.upgrade()) {
            core.close();
        }
        let there = self.place.list_folder(&self.place.path(name))?;
        let there = there.map_err(|source| self.failed("listing a table", source))?;
        if there.common_prefixes.is_empty() && there.objects.is_empty() {
            return Ok(());
        }
        // A crash in the middle must not leave a part of the log that reads as a table.
        self.place
            .put(&self.marker(name), bytes::Bytes::from_static(b"{}"), false)?
            .map_err(|source| self.failed("removing a table", source))?;
        self.remove_objects(name)
    }

    fn marker(&self, name: &str) -> Path {
        self.place.path(name).join(REMOVING)
    }

    fn is_being_removed(&self, name: &str) -> Result<bool, HistoryError> {
        match self.place.get(&self.marker(name))? {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.failed("opening a table", error)),
        }
    }

    fn remove_objects(&self, name: &str) -> Result<(), HistoryError> {
        let root = self.place.path(name);
        let marker = self.marker(name);
        let failed = |source| self.failed("removing a table", source);
        let listed = self.place.list(&root)?.map_err(failed)?;
        let leftovers = self.place.leftovers(&root).map_err(failed)?;
        let paths = listed.into_iter().map(|object| object.location);
        let paths = paths
            .chain(
                leftovers
                    .into_iter()
                    .filter_map(|file| Path::parse(file.path).ok()),
            )
            .filter(|path| *path != marker);
        self.place.delete(paths.collect())?.map_err(failed)?;
        // Names that are removed come back at a crash, unless their folder was synced: the marker goes last.
        self.place
            .settle(&root.clone().join(LOG_FOLDER))
            .map_err(failed)?;
        self.place.delete(vec![marker])?.map_err(failed)?;
        self.place.remove_empty_folders(&root);
        Ok(())
    }

    fn failed(&self, doing: &str, source: object_store::Error) -> HistoryError {
        HistoryError::Store {
            table: self.place.describe(),
            doing: doing.to_owned(),
            source,
        }
    }
}
