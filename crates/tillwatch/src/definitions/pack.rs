//! The packs that come with the program.

use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../packs"]
#[include = "*.yaml"]
struct Packs;

const PREFIX: &str = "pack:";

/// The names of all packs.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = Packs::iter()
        .filter_map(|file| file.split_once('/').map(|(pack, _)| pack.to_owned()))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The path under which a pack's files are reported.
pub fn path(name: &str) -> PathBuf {
    Path::new(PREFIX).join(name)
}

/// Whether a reported path is that of a pack's file.
pub fn is_pack(path: &Path) -> bool {
    path.starts_with(PREFIX)
}

/// The files of a pack, as reported path and text, in order of their names.
pub fn files(name: &str) -> Vec<(PathBuf, String)> {
    let prefix = format!("{name}/");
    let mut files: Vec<_> = Packs::iter()
        .filter(|file| file.starts_with(&prefix))
        .filter_map(|file| {
            let content = Packs::get(&file)?;
            let text = String::from_utf8(content.data.into_owned()).ok()?;
            Some((Path::new(PREFIX).join(file.as_ref()), text))
        })
        .collect();
    files.sort();
    files
}
