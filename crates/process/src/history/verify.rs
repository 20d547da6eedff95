//! Reading all that the state folder keeps, to see whether it is what was written.

use std::collections::BTreeSet;
use std::sync::Arc;

use tillwatch_history::Table;
use tillwatch_journal::Storage;

use super::{Checkpoint, FrameCopies, StreamTables};
use crate::dedup::verify_run;
use crate::error::ProcessError;
use crate::processor::Processor;

/// What was found in the state folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifiedState {
    /// Files read: the checkpoint, and those of the ids it names.
    pub files: u64,
    /// Ids in them.
    pub ids: u64,
    /// Files that are not what was written, each with the reason.
    pub faults: Vec<(String, String)>,
}

/// Reads the checkpoint and every file it names, of ids and of copied frames, and compares all checksums. Nothing is changed,
/// and nothing need be open.
#[must_use]
pub fn verify_state(state: &Arc<dyn Storage>) -> VerifiedState {
    let mut verified = VerifiedState::default();
    let checkpoint = match Checkpoint::read(state.as_ref()) {
        Ok(None) => return verified,
        Ok(Some(checkpoint)) => checkpoint,
        Err(error) => {
            verified.files = 1;
            verified
                .faults
                .push(("checkpoint".to_owned(), error.to_string()));
            return verified;
        }
    };
    verified.files = 1;
    let runs = checkpoint.streams.values();
    for run in runs.flat_map(|stream| stream.dedup.runs.iter()) {
        verified.files += 1;
        match verify_run(state.as_ref(), run) {
            Ok(ids) => verified.ids += ids,
            Err(error) => verified.faults.push((run.file.clone(), error.to_string())),
        }
    }
    let copies = FrameCopies::new(Arc::clone(state));
    let mut files = BTreeSet::new();
    for frame in checkpoint.stranded.iter().chain(&checkpoint.readmitted) {
        let Some(copy) = &frame.copy else {
            continue;
        };
        files.insert(copy.file.as_str());
        if let Err(error) = copies.read(copy) {
            verified.faults.push((copy.file.clone(), error.to_string()));
        }
    }
    verified.files += files.len() as u64;
    verified
}

/// The files of the state folder that belong to its checkpoint: that itself, those of the ids it names,
/// and the copies of frames that no definition can take. What else lies there is left over.
///
/// # Errors
/// The checkpoint cannot be read.
pub fn state_files(state: &dyn Storage) -> Result<Vec<String>, ProcessError> {
    let Some(checkpoint) = Checkpoint::read(state)? else {
        return Ok(Vec::new());
    };
    let runs = checkpoint.streams.values();
    let runs = runs.flat_map(|stream| stream.dedup.runs.iter().map(|run| run.file.clone()));
    let frames = checkpoint.stranded.iter().chain(&checkpoint.readmitted);
    let copies: BTreeSet<_> = frames
        .filter_map(|frame| Some(frame.copy.as_ref()?.file.clone()))
        .collect();
    Ok(std::iter::once("checkpoint".to_owned())
        .chain(runs)
        .chain(copies)
        .collect())
}

impl Processor {
    /// All tables that hold something of the definitions in force: those that are written, and a stream's
    /// tables of the time before a type became wider.
    #[must_use]
    pub fn all_tables(&self) -> Vec<Arc<Table>> {
        let logs = self.streams();
        let older = logs.iter().filter_map(|log| log.tables());
        let older = older.flat_map(|tables: &StreamTables| tables.older.iter().cloned());
        let mut all: Vec<_> = older.collect();
        all.extend(self.tables());
        all.sort_by(|a, b| a.spec().name.cmp(&b.spec().name));
        all
    }
}
