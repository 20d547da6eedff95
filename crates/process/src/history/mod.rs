//! What outlives the journal: history tables of events and cubes, and the checkpoint.
//!
//! Now and then everything up to one frame of the journal is *flushed*: events and rejected lines to
//! the stream's tables, states to the cubes' tables, each in one commit whose transaction id is that
//! frame's offset. At last a *checkpoint* is written: the offset, and what belongs to it and is in no
//! table (ids remembered, counters, watermarks). Then the journal may forget what lies before.
//!
//! Recovery loads the checkpoint, opens the tables and replays the journal from the checkpoint's
//! offset. A crash between two commits leaves tables that are further than the checkpoint: they skip
//! the frames they have, while everything else takes them as the first time.

mod attach;
mod checkpoint;
mod expire;
mod fingerprint;
mod fitting;
mod flush;
mod maintain;
mod pins;
mod readmit;
mod rejects;
mod returned;
mod stranded;
mod verify;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tillwatch_event::MemoryBudget;
use tillwatch_history::{DataFile, History, Table};
use tillwatch_journal::{Offset, Storage};

pub use attach::AttachReport;
pub(crate) use checkpoint::{Checkpoint, CubeState, StrandedFrame, StreamState};
pub(crate) use expire::RawKeep;
pub(crate) use fingerprint::fields_hash;
pub(crate) use fitting::Fitting;
pub use flush::FlushReport;
pub(crate) use flush::{Flush, StreamFlush};
pub use maintain::MaintainReport;
pub(crate) use maintain::RolledUp;
pub use pins::{Pin, Pins};
pub use rejects::RejectReader;
pub(crate) use rejects::{quarantine_schema, reject_rows};
pub(crate) use stranded::{FrameCopies, FrameCopy};
pub use verify::{VerifiedState, state_files, verify_state};

use crate::cube::StateCache;
use crate::error::ProcessError;

/// Where processing keeps what outlives the journal.
#[derive(Clone)]
pub struct Keeping {
    /// The tables.
    pub history: Arc<History>,
    /// The folder of the checkpoint and of the ids remembered.
    pub state: Arc<dyn Storage>,
    /// The journal that offsets belong to: its instance.
    pub journal: String,
    /// The journal's durable end: no table can be further.
    pub journal_end: Offset,
    /// What questions still read of the journal, whichever processor they began on.
    pub pins: Arc<Pins>,
    /// The memory of the process, which what is kept decoded for questions shares.
    pub memory: MemoryBudget,
}

impl std::fmt::Debug for Keeping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeping")
            .field("state", &self.state.describe())
            .field("journal", &self.journal)
            .finish_non_exhaustive()
    }
}

/// What a processor has of its history.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) keeping: Keeping,
    pub(crate) cache: Arc<StateCache>,
    /// The offset of the last checkpoint: replay starts behind it.
    pub(crate) from: Option<Offset>,
    /// Tables that no definition has, each with when that was first seen, in microseconds.
    pub(crate) unused: Mutex<HashMap<String, i64>>,
}

/// The tables of a stream.
#[derive(Debug)]
pub(crate) struct StreamTables {
    pub(crate) events: Arc<Table>,
    /// Tables of the time before a field's type became wider. They take nothing more.
    pub(crate) older: Vec<Arc<Table>>,
    pub(crate) quarantine: Arc<Table>,
    pub(crate) pins: Arc<Pins>,
    /// Frames that lie outside of the journal until the tables hold them.
    pub(crate) copies: FrameCopies,
}

impl StreamTables {
    /// The files of the older tables, each with its table.
    pub(crate) fn older_files(&self) -> Arc<[(Arc<Table>, Arc<DataFile>)]> {
        let mut all = Vec::new();
        for table in &self.older {
            let files = table.view().files;
            all.extend(
                files
                    .iter()
                    .map(|file| (Arc::clone(table), Arc::clone(file))),
            );
        }
        all.into()
    }

    /// The last frame whose rejected lines are in history.
    pub(crate) fn rejects_to(&self) -> Option<Offset> {
        reflected(&self.quarantine)
    }

    /// The last frame whose events are in one of them.
    pub(crate) fn last(&self) -> Option<Offset> {
        let older = self.older.iter().filter_map(|table| reflected(table));
        older.chain(reflected(&self.events)).max()
    }

    /// Keeps the journal from forgetting `offset` and what comes after it.
    pub(crate) fn pin(&self, offset: Offset) -> Pin {
        self.pins.pin(offset)
    }
}

/// An offset as the transaction id of a commit.
pub(crate) fn transaction(offset: Offset) -> Result<u64, ProcessError> {
    offset.to_number().ok_or_else(|| {
        ProcessError::Kept(format!(
            "the journal's place {offset} is too far for a transaction id"
        ))
    })
}

/// The last frame that a table holds.
pub(crate) fn reflected(table: &Table) -> Option<Offset> {
    table.view().transaction.map(Offset::from_number)
}

/// Offsets in JSON that may be absent.
pub(crate) mod offset_text_if_any {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use tillwatch_journal::Offset;

    #[derive(Serialize, Deserialize)]
    struct Text(#[serde(with = "super::offset_text")] Offset);

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(crate) fn serialize<S: Serializer>(
        offset: &Option<Offset>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        offset.map(Text).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Offset>, D::Error> {
        Ok(Option::<Text>::deserialize(from)?.map(|text| text.0))
    }
}

/// Offsets in JSON: `segment:position`.
pub(crate) mod offset_text {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use tillwatch_journal::Offset;

    pub(crate) fn serialize<S: Serializer>(offset: &Offset, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(offset)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Offset, D::Error> {
        let text = String::deserialize(from)?;
        let parts = text.split_once(':').and_then(|(segment, position)| {
            Some(Offset::new(segment.parse().ok()?, position.parse().ok()?))
        });
        parts.ok_or_else(|| D::Error::custom("an offset is segment:position"))
    }
}
