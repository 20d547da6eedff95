//! Files that get their new text at once, or keep the old one.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tillwatch_journal::durable;

/// What a text is called until it has its name: hidden, and of no end that definitions have, so that it is read by nobody.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".unfinished");
    path.with_file_name(name)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Writes a file as a whole, durably. One that is new takes the place of none; one that is not keeps its permissions.
///
/// # Errors
/// Those of the system; the file is then as it was.
pub(super) fn write(path: &Path, text: &str, is_new: bool) -> io::Result<()> {
    let folder = folder_of(path);
    durable::create_folders(folder)?;
    let unfinished = unfinished(path);
    // One that a crash left is nobody's: changes come one after the other.
    remove_if_there(&unfinished)?;
    let written = fill(&unfinished, path, text, is_new).and_then(|()| {
        if is_new {
            take_free_name(&unfinished, path)
        } else {
            fs::rename(&unfinished, path)
        }
    });
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    written?;
    durable::sync_folder(folder)
}

fn fill(unfinished: &Path, path: &Path, text: &str, is_new: bool) -> io::Result<()> {
    let mut file = File::create_new(unfinished)?;
    if !is_new {
        file.set_permissions(fs::metadata(path)?.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    durable::sync_file(&file)
}

/// Gives a file a name that nothing has.
fn take_free_name(unfinished: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(unfinished, path) {
        Ok(()) => fs::remove_file(unfinished),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        // Not every file system has links.
        Err(_) if path.symlink_metadata().is_ok() => Err(ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(unfinished, path),
    }
}

/// Removes a file, durably.
///
/// # Errors
/// Those of the system.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    durable::sync_folder(folder_of(path))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::Folder;

    #[test]
    fn a_file_is_written_whole_keeps_its_permissions_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sub/a.yaml");
        write(&path, "streams: {}\n", true).unwrap();
        let again = write(&path, "cubes: {}\n", true).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "streams: {}\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
            write(&path, "cubes: {}\n", false).unwrap();
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o640
            );
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "cubes: {}\n");
        assert_eq!(fs::read_dir(dir.path().join("sub")).unwrap().count(), 1);
    }

    #[test]
    fn what_a_crash_leaves_is_read_by_nobody_and_does_not_hinder_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.yaml");
        write(&path, "streams: {}\n", true).unwrap();
        let digest = Folder::open(dir.path()).digest();
        let left = unfinished(&path);
        fs::write(&left, "streams: {half").unwrap();
        assert!(!Folder::reads(dir.path(), &left));
        let folder = Folder::open(dir.path());
        assert_eq!((folder.digest(), folder.faults), (digest, vec![]));
        write(&path, "cubes: {}\n", false).unwrap();
        assert!(!left.exists());
    }
}
