//! The `limits` section: every limit of every part, under the part's name.
//!
//! The parts name and document their limits and their defaults themselves; here is where a user sets
//! them. Sizes may be written as `64MiB` and times as `10s`: they are turned into the number the limit's
//! name asks for, by its ending (`bytes_max`, `_ms`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use tillwatch_analyse::QueryLimits;
use tillwatch_collect::source::PollLimits;
use tillwatch_collect::{DecodeLimits, IntakeLimits};
use tillwatch_journal::JournalOptions;
use tillwatch_process::ProcessOptions;

use super::node::{Node, Value};
use super::scalar::{parse_bytes, parse_duration};

/// What a limit may be written as, for editors.
type Written = BTreeMap<String, WrittenLimit>;

/// A number, or a text with a unit.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
enum WrittenLimit {
    Number(u64),
    Text(String),
}

/// Limits that protect the process. What is not set keeps its default; see docs/definitions.md.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The HTTP server: sizes of bodies, time-outs, numbers of requests, connections and live clients.
    #[schemars(with = "Written")]
    pub http: tillwatch_serve::Limits,
    /// Decoding: sizes of bodies and lines, depth of JSON.
    #[schemars(with = "Written")]
    pub decode: DecodeLimits,
    /// The queue before the journal.
    #[schemars(with = "Written")]
    pub intake: IntakeLimits,
    /// Poll sources.
    #[schemars(with = "Written")]
    pub poll: PollLimits,
    /// The journal.
    pub journal: JournalLimits,
    /// Processing.
    pub process: ProcessLimits,
    /// Queries.
    pub query: QueryLimitsWritten,
}

/// Limits of the journal.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JournalLimits {
    /// Bytes of a segment before the next one is begun. Default 256 MiB.
    pub segment_bytes_max: Option<u64>,
    /// Bytes of one frame. Default 64 MiB.
    pub frame_bytes_max: Option<u32>,
}

impl JournalLimits {
    /// As the journal takes them.
    #[must_use]
    pub fn options(&self) -> JournalOptions {
        let default = JournalOptions::default();
        JournalOptions {
            segment_bytes_max: self.segment_bytes_max.unwrap_or(default.segment_bytes_max),
            frame_bytes_max: self.frame_bytes_max.unwrap_or(default.frame_bytes_max),
        }
    }
}

/// Limits and waits of processing.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProcessLimits {
    /// Milliseconds the watermark stays behind the newest event. Default 60 000.
    pub lateness_ms: Option<u64>,
    /// Milliseconds behind the watermark before an event counts as late. Default 0.
    pub allowed_lateness_ms: Option<u64>,
    /// Milliseconds ahead of its receipt from which an event does not move the watermark. Default one hour.
    pub future_ms_max: Option<u64>,
    /// Combinations of dimension values a cube keeps before further ones go to `__other__`. Default 100 000.
    pub combinations_max: Option<usize>,
    /// Newest quarantine records a stream can list. Default 10 000.
    pub reject_frames_max: Option<usize>,
}

impl ProcessLimits {
    /// As `process` takes them.
    #[must_use]
    pub fn options(&self) -> ProcessOptions {
        let default = ProcessOptions::default();
        let us = |ms: Option<u64>, otherwise: i64| {
            ms.map_or(otherwise, |ms| {
                i64::try_from(ms.saturating_mul(1_000)).unwrap_or(i64::MAX)
            })
        };
        ProcessOptions {
            lateness_us: us(self.lateness_ms, default.lateness_us),
            allowed_lateness_us: us(self.allowed_lateness_ms, default.allowed_lateness_us),
            future_max_us: us(self.future_ms_max, default.future_max_us),
            combinations_max: self.combinations_max.unwrap_or(default.combinations_max),
            reject_frames_max: self.reject_frames_max.unwrap_or(default.reject_frames_max),
        }
    }
}

/// Declares the written form of [`QueryLimits`] and how it overrides the defaults.
macro_rules! query_limits {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Limits of queries.
        #[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct QueryLimitsWritten {
            /// Milliseconds from the call to the whole answer. Default 30 000.
            pub deadline_ms: Option<u64>,
            $($(#[$doc])* pub $name: Option<usize>,)*
        }

        impl QueryLimitsWritten {
            /// As `analyse` takes them.
            #[must_use]
            pub fn limits(&self) -> QueryLimits {
                let mut limits = QueryLimits::default();
                if let Some(ms) = self.deadline_ms {
                    limits.deadline = std::time::Duration::from_millis(ms);
                }
                $(if let Some(value) = self.$name { limits.$name = value; })*
                limits
            }
        }
    };
}

query_limits! {
    /// Bytes of the SQL text.
    text_bytes_max,
    /// Tokens of the text.
    tokens_max,
    /// Depth of nesting.
    nesting_max,
    /// Bytes of one literal.
    literal_bytes_max,
    /// Relations of a query.
    relations_max,
    /// Copies of one column in outer expressions.
    expansion_max,
    /// Rows of an answer.
    rows_max,
    /// Columns of an answer.
    columns_max,
    /// Bytes of an answer.
    result_bytes_max,
    /// Bytes one query may hold.
    memory_bytes_max,
    /// Bytes one call of a function may produce.
    function_bytes_max,
    /// Bytes of one produced value.
    value_bytes_max,
    /// Queries that run at once.
    running_max,
    /// Queries that wait.
    waiting_max,
    /// Threads that run queries.
    workers,
    /// Series in one answer.
    series_max,
    /// Points in one answer.
    points_max,
}

/// Turns texts with units into the numbers the limits' names ask for.
pub fn with_numbers(mut node: Node) -> Node {
    if let Value::Map(parts) = &mut node.value {
        for (_, part) in parts {
            let Value::Map(limits) = &mut part.value else {
                continue;
            };
            for (key, limit) in limits {
                let (Some(name), Value::Text(text)) = (key.text(), &limit.value) else {
                    continue;
                };
                let number = if name.contains("bytes") {
                    parse_bytes(text).ok()
                } else if name.ends_with("_ms") || name.ends_with("_ms_max") {
                    parse_duration(text)
                        .ok()
                        .and_then(|time| u64::try_from(time.as_millis()).ok())
                } else {
                    None
                };
                if let Some(number) = number.and_then(|number| i64::try_from(number).ok()) {
                    limit.value = Value::Int(number);
                }
            }
        }
    }
    node
}
