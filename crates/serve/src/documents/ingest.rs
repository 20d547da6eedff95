//! What is answered to events, and what lies in quarantine.

use serde::Serialize;
use utoipa::ToSchema;

/// A line that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RejectedLine {
    /// Its number in the body, from 1.
    pub line: u64,
    /// The field at fault, when it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Why, in one sentence.
    pub reason: String,
}

/// What became of the events of one request, answered after they are safe on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Receipt {
    /// Events taken that were new.
    pub accepted: u64,
    /// Events taken before under the same id.
    pub duplicates: u64,
    /// Lines not taken; they are in quarantine.
    pub rejected: u64,
    /// The first of those, with reasons.
    pub rejections: Vec<RejectedLine>,
}

/// A line in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct QuarantinedLine {
    /// When it came, RFC 3339.
    pub received_at: String,
    /// Its number in its body, from 1.
    pub line: u64,
    /// The field at fault, when it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Why it was not taken.
    pub reason: String,
    /// The line itself, card numbers masked, long ones cut.
    pub raw: String,
    /// The source it came from, when that has a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// The latest lines in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct QuarantineList {
    /// The stream's name.
    pub stream: String,
    /// Latest first.
    pub lines: Vec<QuarantinedLine>,
    /// Whether there are older ones than `limit` shows.
    pub truncated: bool,
}

/// What became of lines that were replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReplayReceipt {
    /// Lines tried again.
    pub replayed: u64,
    /// Of those, taken and new.
    pub accepted: u64,
    /// Of those, taken before.
    pub duplicates: u64,
    /// Of those, rejected again.
    pub rejected: u64,
    /// The first of those, with reasons.
    pub rejections: Vec<RejectedLine>,
}
