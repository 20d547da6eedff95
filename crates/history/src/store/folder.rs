//! A folder as an object store that keeps what it acknowledged.
//!
//! `object_store`'s own never syncs. Ours writes an object under a temporary name, syncs it, gives it its name,
//! and syncs the folder: an object is there whole and for good, or not at all. A create that finds the name taken
//! fails, which is what makes commits of a Delta log exclusive.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{
    Attributes, CopyMode, CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload,
    ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, RenameOptions, RenameTargetMode, Result, UploadPart,
};

use super::files::{Entry, FileStatus, Files};

/// What temporary names end in. They begin with a dot and the name that the object is to have.
const TEMPORARY_END: &str = ".tmp";
/// How often a folder is made again that is removed, being empty, while a file is to be put into it.
const FOLDER_ATTEMPTS: usize = 16;
const STORE: &str = "folder";

/// A folder as an object store.
#[derive(Clone, Debug)]
pub struct FolderStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    files: Arc<dyn Files>,
    /// Sets temporary names apart from those of other processes: a crashed one may have left some.
    salt: String,
    /// Sets temporary names apart from each other.
    number: AtomicU64,
    /// Temporary files being written, which nobody may sweep up.
    under_way: Mutex<HashSet<String>>,
}

/// A temporary file that a crash left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Its path.
    pub path: String,
    /// Its length and time.
    pub status: FileStatus,
}

impl FolderStore {
    /// A store over these files.
    #[must_use]
    pub fn new(files: Arc<dyn Files>) -> Self {
        Self {
            inner: Arc::new(Inner {
                files,
                salt: uuid::Uuid::new_v4().simple().to_string(),
                number: AtomicU64::new(0),
                under_way: Mutex::default(),
            }),
        }
    }

    /// Writes an object durably.
    ///
    /// # Errors
    /// `AlreadyExists` when it is to be created and is there; otherwise what the file system says.
    pub fn write(&self, location: &Path, payload: &PutPayload, create: bool) -> Result<()> {
        let path = location.as_ref();
        let temporary = self.temporary_name(path);
        self.under_way().insert(temporary.clone());
        let written = self.write_by(path, &temporary, payload, create);
        self.under_way().remove(&temporary);
        written.map_err(|error| store_error(path, error))
    }

    fn write_by(
        &self,
        path: &str,
        temporary: &str,
        payload: &PutPayload,
        create: bool,
    ) -> io::Result<()> {
        let files = &self.inner.files;
        let placed = self
            .write_temporary(path, temporary, payload)
            .and_then(|()| match create {
                true => files.link(temporary, path),
                false => files.rename(temporary, path),
            });
        // On an error, and behind a link, the temporary name is in the way. Where it cannot be removed it is
        // swept up later.
        if placed.is_err() || create {
            let _ = files.remove(temporary);
        }
        placed?;
        let synced = files.sync_folder(folder_of(path));
        if synced.is_err() && create {
            // The name may come or go at a crash. Nobody was told that it is there, so it had better not be.
            let _ = files.remove(path);
        }
        synced
    }

    fn write_temporary(&self, path: &str, temporary: &str, payload: &PutPayload) -> io::Result<()> {
        let files = &self.inner.files;
        let mut attempts = 0;
        let mut writer = loop {
            files.create_folders(folder_of(path))?;
            attempts += 1;
            match files.create(temporary) {
                // Somebody removed the last file of the folder, and the folder with it.
                Err(error) if error.kind() == ErrorKind::NotFound && attempts < FOLDER_ATTEMPTS => {
                }
                other => break other?,
            }
        };
        for part in payload {
            writer.write(part)?;
        }
        writer.sync()
    }

    fn temporary_name(&self, path: &str) -> String {
        let number = self.inner.number.fetch_add(1, Ordering::Relaxed);
        let salt = &self.inner.salt;
        let (folder, name) = match path.rsplit_once('/') {
            Some((folder, name)) => (format!("{folder}/"), name),
            None => (String::new(), path),
        };
        format!("{folder}.{name}.{salt}-{number}{TEMPORARY_END}")
    }

    fn under_way(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.inner
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Parts of an object, without the detour over a runtime.
    ///
    /// # Errors
    /// `NotFound` when it is not there; otherwise what the file system says.
    pub fn read(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let path = location.as_ref();
        ranges
            .iter()
            .map(|range| match self.inner.files.read(path, range.clone()) {
                Ok(bytes) if bytes.len() as u64 == range.end - range.start => Ok(bytes.into()),
                Ok(bytes) => Err(store_error(
                    path,
                    io::Error::new(
                        ErrorKind::UnexpectedEof,
                        format!(
                            "{} bytes at {}, wanted {}",
                            bytes.len(),
                            range.start,
                            range.end - range.start
                        ),
                    ),
                )),
                Err(error) => Err(store_error(path, error)),
            })
            .collect()
    }

    /// Removes an object, and its folder when that is empty then. One that is not there is no error.
    ///
    /// # Errors
    /// What the file system says.
    pub fn delete_now(&self, location: &Path) -> Result<()> {
        let path = location.as_ref();
        match self.inner.files.remove(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(store_error(path, error));
            }
            _ => {}
        }
        // A folder with something in it refuses, and that is well.
        let folder = folder_of(path);
        if !folder.is_empty() {
            let _ = self.inner.files.remove_folder(folder);
        }
        Ok(())
    }

    /// Makes the names in a folder durable which a process wrote that died before it had synced them. A folder
    /// that is not there is no error.
    ///
    /// # Errors
    /// What the file system says.
    pub fn settle(&self, folder: &Path) -> Result<()> {
        match self.inner.files.sync_folder(folder.as_ref()) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(store_error(folder.as_ref(), error))
            }
            _ => Ok(()),
        }
    }

    /// The temporary files below `prefix` that nobody is writing.
    ///
    /// # Errors
    /// What the file system says.
    pub fn leftovers(&self, prefix: &Path) -> Result<Vec<Leftover>> {
        let mut found = Vec::new();
        self.walk(prefix.as_ref(), &mut |path, name, status| {
            if is_temporary(name) {
                found.push(Leftover { path, status });
            }
        })?;
        // Looked up after the walk: one that was being written then may be done now, but none is new.
        let under_way = self.under_way();
        found.retain(|leftover| !under_way.contains(&leftover.path));
        Ok(found)
    }

    /// Removes folders below and at `prefix` in which there is nothing.
    pub fn remove_empty_folders(&self, prefix: &Path) {
        let mut folders = vec![prefix.as_ref().to_owned()];
        let mut at = 0;
        while let Some(folder) = folders.get(at).cloned() {
            at += 1;
            for entry in self.inner.files.list(&folder).unwrap_or_default() {
                if entry.file.is_none() {
                    folders.push(join(&folder, &entry.name));
                }
            }
        }
        for folder in folders.iter().rev().filter(|folder| !folder.is_empty()) {
            let _ = self.inner.files.remove_folder(folder);
        }
    }

    fn walk(&self, folder: &str, each: &mut dyn FnMut(String, &str, FileStatus)) -> Result<()> {
        for Entry { name, file } in self.entries(folder)? {
            let path = join(folder, &name);
            match file {
                Some(status) => each(path, &name, status),
                None => self.walk(&path, each)?,
            }
        }
        Ok(())
    }

    /// What is in a folder; nothing when it is not there.
    fn entries(&self, folder: &str) -> Result<Vec<Entry>> {
        match self.inner.files.list(folder) {
            Ok(entries) => Ok(entries),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(Vec::new())
            }
            Err(error) => Err(store_error(folder, error)),
        }
    }

    fn list_now(&self, prefix: Option<&Path>) -> Result<Vec<ObjectMeta>> {
        let mut found = Vec::new();
        self.walk(
            prefix.map_or("", AsRef::as_ref),
            &mut |path, name, status| {
                if !is_temporary(name) {
                    // A name that is no path of an object store is none of ours.
                    found.extend(Path::parse(&path).map(|location| meta(location, status)));
                }
            },
        )?;
        // Delta's log replay takes it for granted.
        found.sort_unstable_by(|a, b| a.location.cmp(&b.location));
        Ok(found)
    }

    fn get_now(&self, location: &Path, options: &GetOptions) -> Result<GetResult> {
        let path = location.as_ref();
        let failed = |error| store_error(path, error);
        let status = self.inner.files.status(path).map_err(failed)?;
        let meta = meta(location.clone(), status);
        options.check_preconditions(&meta)?;
        let range = match &options.range {
            None => 0..status.bytes,
            Some(GetRange::Bounded(range)) => range.start..range.end.min(status.bytes),
            Some(GetRange::Offset(offset)) => *offset..status.bytes,
            Some(GetRange::Suffix(bytes)) => status.bytes.saturating_sub(*bytes)..status.bytes,
        };
        if options.range.is_some() && range.start >= range.end {
            let reason = format!("nothing at {} of {} bytes", range.start, status.bytes);
            return Err(failed(io::Error::new(ErrorKind::InvalidInput, reason)));
        }
        let bytes = match options.head {
            true => Bytes::new(),
            false => self
                .inner
                .files
                .read(path, range.clone())
                .map_err(failed)?
                .into(),
        };
        Ok(GetResult {
            payload: GetResultPayload::Stream(stream::iter([Ok(bytes)]).boxed()),
            meta,
            range,
            attributes: Attributes::default(),
        })
    }
}

impl fmt::Display for FolderStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a folder")
    }
}

// All of it is done where it is asked, without waiting for anything but the disk: the runtime is our own and does
// nothing else.
#[async_trait]
impl ObjectStore for FolderStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let create = match options.mode {
            PutMode::Overwrite => false,
            PutMode::Create => true,
            PutMode::Update(_) => return Err(not_implemented("an update under a condition")),
        };
        self.write(location, &payload, create)?;
        Ok(PutResult {
            e_tag: None,
            version: None,
        })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(Upload {
            store: self.clone(),
            location: location.clone(),
            parts: Vec::new(),
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.get_now(location, &options)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.read(location, ranges)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        locations
            .map(move |location| {
                let location = location?;
                store.delete_now(&location)?;
                Ok(location)
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.list_now(prefix) {
            Ok(found) => stream::iter(found.into_iter().map(Ok)).boxed(),
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let folder = prefix.map_or("", AsRef::as_ref);
        let mut result = ListResult {
            common_prefixes: Vec::new(),
            objects: Vec::new(),
        };
        for Entry { name, file } in self.entries(folder)? {
            let Ok(location) = Path::parse(join(folder, &name)) else {
                continue;
            };
            match file {
                Some(status) if !is_temporary(&name) => {
                    result.objects.push(meta(location, status));
                }
                Some(_) => {}
                None => result.common_prefixes.push(location),
            }
        }
        result.common_prefixes.sort_unstable();
        result
            .objects
            .sort_unstable_by(|a, b| a.location.cmp(&b.location));
        Ok(result)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let source = self.get_now(from, &GetOptions::default())?.bytes().await?;
        self.write(to, &source.into(), options.mode == CopyMode::Create)
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let mode = match options.target_mode {
            RenameTargetMode::Overwrite => CopyMode::Overwrite,
            RenameTargetMode::Create => CopyMode::Create,
        };
        self.copy_opts(from, to, CopyOptions::new().with_mode(mode))
            .await?;
        self.delete_now(from)
    }
}

/// An object that is written in parts: they are held until all are there. Only checkpoints of a log are.
#[derive(Debug)]
struct Upload {
    store: FolderStore,
    location: Path,
    parts: Vec<PutPayload>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.parts.push(data);
        Box::pin(std::future::ready(Ok(())))
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let parts = std::mem::take(&mut self.parts);
        let payload: PutPayload = parts.into_iter().flatten().collect();
        self.store.write(&self.location, &payload, false)?;
        Ok(PutResult {
            e_tag: None,
            version: None,
        })
    }

    async fn abort(&mut self) -> Result<()> {
        self.parts.clear();
        Ok(())
    }
}

fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(TEMPORARY_END)
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn join(folder: &str, name: &str) -> String {
    match folder.is_empty() {
        true => name.to_owned(),
        false => format!("{folder}/{name}"),
    }
}

fn meta(location: Path, status: FileStatus) -> ObjectMeta {
    let modified = std::time::Duration::from_micros(u64::try_from(status.modified_us).unwrap_or(0));
    ObjectMeta {
        location,
        last_modified: (std::time::UNIX_EPOCH + modified).into(),
        size: status.bytes,
        e_tag: None,
        version: None,
    }
}

fn not_implemented(operation: &str) -> Error {
    Error::NotImplemented {
        operation: operation.to_owned(),
        implementer: STORE.to_owned(),
    }
}

fn store_error(path: &str, error: io::Error) -> Error {
    let path = path.to_owned();
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Error::NotFound {
            path,
            source: error.into(),
        },
        ErrorKind::AlreadyExists => Error::AlreadyExists {
            path,
            source: error.into(),
        },
        ErrorKind::PermissionDenied => Error::PermissionDenied {
            path,
            source: error.into(),
        },
        _ => Error::Generic {
            store: STORE,
            source: error.into(),
        },
    }
}
