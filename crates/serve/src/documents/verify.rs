//! Verifications of the running server.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How much to verify.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VerifyRequest {
    /// Recompute all buckets of every cube.
    pub all: bool,
    /// Buckets of each cube to recompute from the events; 200 when absent.
    pub sample: Option<u64>,
    /// The seed that chooses the buckets; another one each time when absent.
    pub seed: Option<u64>,
}

/// A verification.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct VerifyStatus {
    /// `running`, `done` or `failed`. One that found faults is done.
    pub state: String,
    /// When it was begun, RFC 3339.
    pub started_at: String,
    /// When it ended, RFC 3339.
    pub ended_at: Option<String>,
    /// What it does, while it is running.
    pub progress: Option<VerifyProgress>,
    /// What it found, once it is done.
    pub report: Option<VerifyReport>,
    /// Why it failed: nothing is known of what is kept then.
    pub fault: Option<String>,
}

/// What a verification does just now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct VerifyProgress {
    /// The place that is read: `journal`, `state` or the name of a table.
    pub place: Option<String>,
    /// Bytes of it that are read.
    pub bytes: u64,
    /// Bytes of it in all.
    pub total_bytes: u64,
    /// The cube that is audited.
    pub cube: Option<String>,
    /// Buckets of it that are compared.
    pub buckets: u64,
}

/// The last verification.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LastVerify {
    /// None since the start of the server when absent.
    pub verify: Option<VerifyStatus>,
}

/// Everything that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct VerifyReport {
    /// Whether all is well.
    pub ok: bool,
    /// The seed by which buckets were chosen.
    pub seed: u64,
    /// The journal, the state and the tables.
    pub places: Vec<PlaceReport>,
    /// All cubes.
    pub cubes: Vec<CubeReport>,
}

/// One place that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PlaceReport {
    /// `journal`, `state` or the name of a table.
    pub place: String,
    /// Files read; segments of the journal.
    pub files: u64,
    /// Frames, ids or rows in them.
    pub entries: u64,
    /// Their bytes, as far as they are counted.
    pub bytes: u64,
    /// What is wrong with them.
    pub faults: Vec<FileFault>,
}

/// Something wrong with a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct FileFault {
    /// The file, or the place in the journal.
    pub path: String,
    /// What is wrong.
    pub reason: String,
}

/// The audit of one cube.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CubeReport {
    /// The cube.
    pub cube: String,
    /// Buckets compared.
    pub buckets: u64,
    /// Keys compared: combinations of dimension values, in a bucket.
    pub keys: u64,
    /// Figures compared.
    pub figures: u64,
    /// Events read.
    pub events: u64,
    /// Figures that differ.
    pub differences: u64,
    /// Figures that differ in a cube which is known to lack events that could not be aggregated.
    pub unsure: u64,
    /// Ranges left out: a bucket with too many events, out of time, an event that cannot be aggregated, or
    /// buckets that were rolled up meanwhile.
    pub skipped: u64,
    /// The first differences.
    pub described: Vec<FigureDifference>,
    /// Why it could not be audited to the end.
    pub fault: Option<String>,
}

/// A figure that is not what the events say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct FigureDifference {
    /// The cube.
    pub cube: String,
    /// Start of the bucket, RFC 3339.
    pub bucket: String,
    /// The dimensions and their values.
    pub key: BTreeMap<String, Option<String>>,
    /// The measure; none when one side has nothing at all for the key.
    pub measure: Option<String>,
    /// What is kept; none for null, or when there is nothing.
    pub kept: Option<String>,
    /// What the events give; likewise.
    pub recounted: Option<String>,
}
