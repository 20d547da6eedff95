//! The files that definitions are read from.

use std::path::{Path, PathBuf};

/// The largest definitions file, in bytes.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// The files below `dir`, which is `root` or below it; `above` are the folders on the way.
///
/// # Errors
/// A folder cannot be read.
pub fn list(
    root: &Path,
    dir: &Path,
    above: &mut Vec<PathBuf>,
    paths: &mut Vec<PathBuf>,
) -> std::io::Result<()> {
    // A link back to a folder on the way would lead there again and again.
    let real = dir.canonicalize()?;
    if above.contains(&real) {
        return Ok(());
    }
    above.push(real);
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if within_hidden(root, &path) {
            continue;
        }
        if path.is_dir() {
            list(root, &path, above, paths)?;
        } else if is_definitions(&path) {
            paths.push(path);
        }
    }
    above.pop();
    Ok(())
}

/// Whether a file is one of definitions, by its name.
pub fn is_definitions(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end == "yaml" || end == "yml")
}

/// Whether a name on the way from `dir` to `path` begins with a dot.
pub fn within_hidden(dir: &Path, path: &Path) -> bool {
    path.strip_prefix(dir)
        .unwrap_or(path)
        .iter()
        .any(|name| name.to_string_lossy().starts_with('.'))
}

/// The text of a file.
///
/// # Errors
/// Why it cannot be read, or that it is too large.
pub fn read_file(path: &Path) -> Result<String, String> {
    let found = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    // Reading a pipe would wait for somebody who writes.
    if !found.is_file() {
        return Err("is no file".to_owned());
    }
    let bytes = found.len();
    if bytes > FILE_BYTES_MAX {
        return Err(format!(
            "has {bytes} bytes; a definitions file has at most {FILE_BYTES_MAX}"
        ));
    }
    std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => "is not UTF-8 text".to_owned(),
        _ => format!("cannot be read: {error}"),
    })
}
