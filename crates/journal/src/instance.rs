//! Which journal this is.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::ErrorKind;

use crate::error::JournalError;
use crate::storage::Storage;

const FILE: &str = "instance";
const NEXT_FILE: &str = "instance.next";
/// Hexadecimal digits of an id.
const DIGITS: usize = 32;

/// The id that was made for this journal when it was first asked for one. Only for who has its lock.
pub(crate) fn read_or_make(storage: &dyn Storage) -> Result<String, JournalError> {
    match read(storage)? {
        Some(id) => Ok(id),
        None => make(storage),
    }
}

/// `None` when there is none, or what a crash or a hand left of one.
fn read(storage: &dyn Storage) -> Result<Option<String>, JournalError> {
    let file = match storage.open(FILE) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(JournalError::io("open", FILE)(error)),
    };
    let mut bytes = [0; DIGITS + 1];
    let read = file
        .read_at(0, &mut bytes)
        .map_err(JournalError::io("read", FILE))?;
    let text = bytes.get(..read).unwrap_or_default().trim_ascii_end();
    let whole = text.len() == DIGITS && text.iter().all(u8::is_ascii_hexdigit);
    Ok(whole.then(|| String::from_utf8_lossy(text).into_owned()))
}

fn make(storage: &dyn Storage) -> Result<String, JournalError> {
    // As for the salt of segments: the keys of hash maps are the random numbers of the standard library.
    let random = || RandomState::new().build_hasher().finish();
    let id = format!("{:016x}{:016x}", random(), random());
    match storage.remove(NEXT_FILE) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(JournalError::io("remove", NEXT_FILE)(error));
        }
        _ => {}
    }
    let write = || {
        let file = storage.create(NEXT_FILE)?;
        file.write_at(0, format!("{id}\n").as_bytes())?;
        file.sync_data()?;
        storage.rename(NEXT_FILE, FILE)?;
        storage.sync_dir()
    };
    write().map_err(JournalError::io("write", FILE))?;
    Ok(id)
}
