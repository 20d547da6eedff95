//! Where the objects of tables are: a folder that keeps what it acknowledged, or a store that speaks S3.

mod files;
mod folder;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{
    ListResult, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutPayload, Result,
};
use url::Url;

pub use files::{DiskFiles, Entry, FileStatus, FileWriter, Files};
pub use folder::{FolderStore, Leftover};

use crate::io::Io;
use crate::{HistoryError, Location};

/// The scheme under which Delta's log replay knows a folder: `file` would make it go round our store.
const FOLDER_ROOT: &str = "history:///";

/// A store, the prefix under which all tables are, and the threads that talk to it. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    io: Arc<Io>,
    store: Arc<dyn ObjectStore>,
    /// The same store, where it is a folder: the caller's own thread does its work.
    folder: Option<FolderStore>,
    root: Url,
    prefix: Path,
}

impl Place {
    pub(crate) fn open(location: &Location, io_threads: usize) -> Result<Self, HistoryError> {
        match location {
            Location::Folder(folder) => {
                let files = DiskFiles::open(folder).map_err(|error| HistoryError::Location {
                    location: folder.display().to_string(),
                    reason: error.to_string(),
                })?;
                Self::in_folder(Arc::new(files), io_threads)
            }
            Location::Url { url, options } => {
                let wrong = |reason: String| HistoryError::Location {
                    location: url.to_string(),
                    reason,
                };
                if url.scheme() != "s3" {
                    return Err(wrong(
                        "a URL of history begins with s3://; for a folder give its path".to_owned(),
                    ));
                }
                let mut builder = AmazonS3Builder::from_env().with_url(url.as_str());
                for (name, value) in options {
                    let key: AmazonS3ConfigKey = name
                        .parse()
                        .map_err(|error: object_store::Error| wrong(error.to_string()))?;
                    builder = builder.with_config(key, value);
                }
                let store = builder.build().map_err(|error| wrong(error.to_string()))?;
                Self::in_store(Arc::new(store), url, io_threads)
            }
        }
    }

    /// A place over files, for tests too.
    pub(crate) fn in_folder(
        files: Arc<dyn Files>,
        io_threads: usize,
    ) -> Result<Self, HistoryError> {
        let folder = FolderStore::new(files);
        let root = parse_root(FOLDER_ROOT)?;
        let mut place = Self::in_store(Arc::new(folder.clone()), &root, io_threads)?;
        place.folder = Some(folder);
        Ok(place)
    }

    /// A place in any store, for tests too.
    pub(crate) fn in_store(
        store: Arc<dyn ObjectStore>,
        url: &Url,
        io_threads: usize,
    ) -> Result<Self, HistoryError> {
        let prefix = Path::from_url_path(url.path()).map_err(|error| HistoryError::Location {
            location: url.to_string(),
            reason: error.to_string(),
        })?;
        Ok(Self {
            io: Arc::new(Io::start(io_threads)?),
            store,
            folder: None,
            root: url.clone(),
            prefix,
        })
    }

    pub(crate) fn io(&self) -> &Io {
        &self.io
    }

    pub(crate) fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// The path of `name` in the store.
    pub(crate) fn path(&self, name: &str) -> Path {
        name.split('/')
            .filter(|part| !part.is_empty())
            .fold(self.prefix.clone(), Path::join)
    }

    /// The URL of `name`, ending in a slash.
    pub(crate) fn url(&self, name: &str) -> Result<Url, HistoryError> {
        let mut url = self.root.clone();
        url.set_path(&format!("/{}/", self.path(name)));
        Ok(url)
    }

    pub(crate) fn is_folder(&self) -> bool {
        self.folder.is_some()
    }

    pub(crate) fn describe(&self) -> String {
        match self.folder {
            Some(_) => "the history folder".to_owned(),
            None => self.root.to_string(),
        }
    }

    /// Writes an object. A folder has it durably then, and so has S3.
    pub(crate) fn put(&self, path: &Path, bytes: Bytes, create: bool) -> Outcome<()> {
        if let Some(folder) = &self.folder {
            return Ok(folder.write(path, &bytes.into(), create));
        }
        let (store, path) = (Arc::clone(&self.store), path.clone());
        let mode = match create {
            true => PutMode::Create,
            false => PutMode::Overwrite,
        };
        let payload = PutPayload::from(bytes);
        self.io.run(async move {
            store
                .put_opts(&path, payload, mode.into())
                .await
                .map(|_| ())
        })
    }

    /// Reads parts of an object.
    pub(crate) fn read(&self, path: &Path, ranges: Vec<Range<u64>>) -> Outcome<Vec<Bytes>> {
        if let Some(folder) = &self.folder {
            return Ok(folder.read(path, &ranges));
        }
        let (store, path) = (Arc::clone(&self.store), path.clone());
        self.io
            .run(async move { store.get_ranges(&path, &ranges).await })
    }

    /// Reads an object that is small.
    pub(crate) fn get(&self, path: &Path) -> Outcome<Bytes> {
        let (store, path) = (Arc::clone(&self.store), path.clone());
        self.io
            .run(async move { store.get(&path).await?.bytes().await })
    }

    /// Everything below a path.
    pub(crate) fn list(&self, path: &Path) -> Outcome<Vec<ObjectMeta>> {
        let (store, path) = (Arc::clone(&self.store), path.clone());
        self.io
            .run(async move { store.list(Some(&path)).try_collect().await })
    }

    /// What is in a folder.
    pub(crate) fn list_folder(&self, path: &Path) -> Outcome<ListResult> {
        let (store, path) = (Arc::clone(&self.store), path.clone());
        self.io
            .run(async move { store.list_with_delimiter(Some(&path)).await })
    }

    /// Removes objects and says how many. Those that are not there are no error.
    pub(crate) fn delete(&self, paths: Vec<Path>) -> Outcome<usize> {
        if let Some(folder) = &self.folder {
            return Ok(paths
                .iter()
                .try_for_each(|path| folder.delete_now(path))
                .map(|()| paths.len()));
        }
        let store = Arc::clone(&self.store);
        self.io.run(async move {
            let paths = futures::stream::iter(paths.into_iter().map(Ok)).boxed();
            store
                .delete_stream(paths)
                .try_fold(0, |count, _| std::future::ready(Ok(count + 1)))
                .await
        })
    }

    /// Makes durable what a process left in a folder that died before it had synced it.
    pub(crate) fn settle(&self, path: &Path) -> Result<()> {
        self.folder
            .as_ref()
            .map_or(Ok(()), |folder| folder.settle(path))
    }

    /// Temporary files of crashed writes. Only a folder has some.
    pub(crate) fn leftovers(&self, path: &Path) -> Result<Vec<Leftover>> {
        self.folder
            .as_ref()
            .map_or(Ok(Vec::new()), |folder| folder.leftovers(path))
    }

    pub(crate) fn remove_empty_folders(&self, path: &Path) {
        if let Some(folder) = &self.folder {
            folder.remove_empty_folders(path);
        }
    }
}

/// What the store said, or why it could not be asked.
pub(crate) type Outcome<T> = std::result::Result<Result<T>, HistoryError>;

fn parse_root(root: &str) -> Result<Url, HistoryError> {
    Url::parse(root).map_err(|error| HistoryError::Location {
        location: root.to_owned(),
        reason: error.to_string(),
    })
}
