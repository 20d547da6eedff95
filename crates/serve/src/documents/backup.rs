//! Backups of the running server.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What to back up to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BackupRequest {
    /// The name of the backup, a folder in the one that the server was started with. The time when absent.
    pub name: Option<String>,
}

/// A backup.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct BackupStatus {
    /// Its name.
    pub name: String,
    /// Its folder, on the server's machine.
    pub path: String,
    /// `running`, `done` or `failed`.
    pub state: String,
    /// When it was begun, RFC 3339.
    pub started_at: String,
    /// When it ended, RFC 3339.
    pub ended_at: Option<String>,
    /// Files in it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Why it failed.
    pub fault: Option<String>,
}

/// The last backup.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct LastBackup {
    /// None since the start of the server when absent.
    pub backup: Option<BackupStatus>,
}
