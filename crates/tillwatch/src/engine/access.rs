//! Who may call the server: the tokens of the environment and of the data folder.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use tillwatch_monitor::catalogue::Catalogue;
use tillwatch_serve::Access;
use tillwatch_serve::adapters::KeptTokens;

use super::{CATALOGUE, Options};

/// Opens the catalogue of a data folder; it is made when it is not there. Several processes may have it open.
///
/// # Errors
/// It cannot be opened or made.
pub fn open_catalogue(data: &Path) -> Result<Catalogue> {
    let path = data.join(CATALOGUE);
    std::fs::create_dir_all(data)
        .with_context(|| format!("the data folder {} cannot be made", data.display()))?;
    Catalogue::open(&path)
        .with_context(|| format!("the catalogue {} cannot be opened", path.display()))
}

/// Opens the catalogue that a data folder has.
///
/// # Errors
/// It has none, or it cannot be opened.
pub fn catalogue_of(data: &Path) -> Result<Catalogue> {
    if !data.join(CATALOGUE).is_file() {
        bail!(
            "{} is no data folder: it has no {CATALOGUE}",
            data.display()
        );
    }
    open_catalogue(data)
}

/// The rules of access before anything is opened: a start that is refused in any case leaves no data folder behind.
///
/// # Errors
/// Access would not be safe.
pub(super) fn check(options: &Options) -> Result<()> {
    if !options.data.join(CATALOGUE).is_file() {
        let tokens = options.tokens.iter().map(String::as_str);
        Access::new(options.listen, tokens, [])?;
    }
    Ok(())
}

/// The rules of access, with the tokens of the catalogue.
///
/// # Errors
/// Access would not be safe, or the tokens cannot be read.
pub(super) fn rules(options: &Options, catalogue: &Arc<Catalogue>) -> Result<Access> {
    let tokens = options.tokens.iter().map(String::as_str);
    let kept = Arc::new(KeptTokens::new(Arc::clone(catalogue)));
    let hosts = options.hosts.clone();
    Ok(Access::with_kept(options.listen, tokens, hosts, kept)?)
}
