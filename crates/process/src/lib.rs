//! Derive, deduplicate, aggregate: durable records in journal order become cubes.
//!
//! The central idea: *a cube is a DataFusion partial aggregate, kept.* Every batch of a stream runs
//! through the partial phase of its cubes' aggregates, and the states are kept per time bucket and
//! dimensions ([`Cube`]). Merging states is always right, so late events, recovery, compaction and
//! coarser buckets need nothing of their own, and a live figure equals the same SQL over the raw
//! events.
//!
//! - [`Processor`] takes journal records ([`tillwatch_collect::Downstream`]) and recovers from a journal.
//! - [`Cube::view`] gives the states; [`Measure::merge`] turns them into figures in any query.
//! - [`StreamLog::scan`] reads the raw events back out of history and the journal.
//! - [`Processor::attach`], [`Processor::flush`] and [`Processor::maintain`] keep history, so that the
//!   journal may forget.
//! - [`Processor::recount`] computes kept figures once more from the raw events.
//! - [`functions`] are the SQL functions a definition may use besides DataFusion's.
//!
//! Nothing here reads a clock: time comes with the records.

mod backlog;
mod cube;
mod dedup;
mod definition;
mod derive;
mod engine;
mod error;
pub mod functions;
mod history;
mod lags;
mod merge;
mod needed;
mod processor;
mod reason;
mod recount;
mod replayed;
mod revision;
mod shared_cache;
mod some_columns;
mod status;
mod stream;
mod trial;
mod watermark;
mod writer;

pub use cube::{BUCKET, Cube, CubeView, FigureCurrency, Measure, OTHER};
pub use dedup::{
    Dedup, DedupBudget, DedupCheckpoint, DedupMerge, DedupMerged, DedupRun, remove_unneeded,
};
pub use definition::{CubeDefinition, ProcessOptions, StreamDefinition};
pub use derive::compute;
pub use error::{Item, ProcessError};
pub use functions::{FunctionDoc, Rates, function_docs, register_functions};
pub use history::{
    AttachReport, FlushReport, Keeping, MaintainReport, Pin, Pins, RejectReader, VerifiedState,
    state_files, verify_state,
};
pub use lags::{LAG_BOUNDS_US, Lags};
pub use merge::MergeUdaf;
pub use processor::{Processor, RecoverRange, RecoverReport};
pub use reason::in_plain_words;
pub use recount::{Figures, Recount, RecountRange};
pub use replayed::{QUARANTINE, RejectedLine};
pub use revision::{Revision, Revisions};
pub use shared_cache::SharedCache;
pub use status::{CubeStatus, ProcessStatus, StreamStatus};
pub use stream::{RejectFrame, Scan, StreamLog, StreamView};
pub use trial::try_out;
pub use watermark::{EventClock, PUSHED, SourceClock};
