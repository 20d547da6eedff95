//! Maintenance of the running server by hand.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Maintenance that was asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct MaintainStatus {
    /// `running`, `done` or `failed`.
    pub state: String,
    /// When it was begun, RFC 3339.
    pub started_at: String,
    /// When it ended, RFC 3339.
    pub ended_at: Option<String>,
    /// Events flushed to history.
    pub flushed_events: u64,
    /// Segments that the journal forgets, because history holds them.
    pub journal_segments: u64,
    /// Commits that laid files together.
    pub compactions: u64,
    /// Commits that made states coarser or removed those past their age.
    pub roll_ups: u64,
    /// Files that are no longer in a table.
    pub files_replaced: u64,
    /// Files of raw events and rejected lines past their age.
    pub files_expired: u64,
    /// Files deleted for good.
    pub files_deleted: u64,
    /// Whether a verification kept files from being deleted; they are when it has ended.
    pub deletion_deferred: bool,
    /// How long it took.
    pub took_s: f64,
    /// Why it failed. What it did until then is done.
    pub fault: Option<String>,
}

/// The last maintenance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LastMaintain {
    /// None since the start of the server when absent.
    pub maintain: Option<MaintainStatus>,
}
