//! The `limits` section: every limit of every part, under the part's name.
//!
//! The parts name and document their limits and their defaults themselves; here is where a user sets
//! them. Sizes may be written as `64MiB` and times as `10s`: they are turned into the number the limit's
//! name asks for, by its ending (`bytes_max`, `_ms`).

mod audit;
mod history;
mod monitor;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use tillwatch_analyse::QueryLimits;
use tillwatch_collect::source::PollLimits;
use tillwatch_collect::{DecodeLimits, IntakeLimits};
use tillwatch_journal::JournalOptions;
use tillwatch_process::ProcessOptions;

use super::fault::Fault;
use super::folder::Folder;
use super::node::{Node, Place, Value};
use super::scalar::{parse_bytes, parse_duration};
use crate::machine;
pub use audit::{AuditLimits, AuditPace};
pub use history::{HistoryLimits, HistoryPace};
pub use monitor::MonitorLimits;

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
    /// The memory that ingest, queries and caches share.
    pub memory: MemoryLimits,
    /// Processing.
    pub process: ProcessLimits,
    /// Queries.
    pub query: QueryLimitsWritten,
    /// How history is written and maintained.
    pub history: HistoryLimits,
    /// How much of the cubes a running server compares with the raw events.
    pub audit: AuditLimits,
    /// Monitors over the past.
    pub monitor: MonitorLimits,
}

impl Limits {
    /// These limits, with the queue and the bodies cut to what the memory allows them.
    #[must_use]
    pub fn within_memory(&self) -> Self {
        let most = self.memory.bytes_max() / MEMORY_PART;
        let mut limits = self.clone();
        let cut = |name: &str, limit: &mut usize| {
            if *limit > most {
                tracing::info!(
                    limit = name,
                    bytes = most,
                    "cut to an eighth of memory.bytes_max"
                );
                *limit = most;
            }
        };
        cut("intake.queue_bytes_max", &mut limits.intake.queue_bytes_max);
        cut(
            "http.bodies_in_flight_bytes_max",
            &mut limits.http.bodies_in_flight_bytes_max,
        );
        limits
    }

    /// How events are processed. Remembered ids may take an eighth of the memory, unless told: they stay, and with the
    /// 256 MiB of a large machine a small one would have nothing left to take events with.
    #[must_use]
    pub fn process_options(&self) -> ProcessOptions {
        let mut options = self.process.options();
        if self.process.dedup_memory_bytes_max.is_none() {
            let most = self.memory.bytes_max() / MEMORY_PART;
            options.dedup_memory_bytes_max = options.dedup_memory_bytes_max.min(most);
        }
        options
    }

    /// The parts whose limits are read at start only and are others in `changed`, as sentences.
    #[must_use]
    pub fn only_at_start(&self, changed: &Self) -> Vec<String> {
        [
            ("http", self.http != changed.http),
            ("intake", self.intake != changed.intake),
            ("journal", self.journal != changed.journal),
            ("history", self.history != changed.history),
            ("memory", self.memory != changed.memory),
            ("audit", self.audit != changed.audit),
        ]
        .into_iter()
        .filter(|(_, differs)| *differs)
        .map(|(part, _)| {
            format!("limits.{part} was changed; what the server read at its start stays until the next start")
        })
        .collect()
    }
}

/// Limits of the journal.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JournalLimits {
    /// Bytes of a segment before the next one is begun. Default 256 MiB.
    #[schemars(with = "Option<WrittenLimit>")]
    pub segment_bytes_max: Option<u64>,
    /// Bytes of one frame. Default 64 MiB.
    #[schemars(with = "Option<WrittenLimit>")]
    pub frame_bytes_max: Option<u32>,
    /// Bytes of the disk that stay free: with fewer no events are taken. Default 1 GiB, or 2 % of a smaller
    /// disk; 0 for none.
    #[schemars(with = "Option<WrittenLimit>")]
    pub free_bytes_min: Option<u64>,
}

/// The memory of the process.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MemoryLimits {
    /// Bytes that the process may hold. Default half of the machine's memory, or of what its control group
    /// allows; 1 GiB where neither is known.
    #[schemars(with = "Option<WrittenLimit>")]
    pub bytes_max: Option<usize>,
}

/// What the process may hold where the machine does not tell its memory.
const MEMORY_UNKNOWN_BYTES: usize = 1 << 30;

/// The queue, and the bodies being received, may each be this part of the memory at most: both together
/// are then within what ingest always has, and the memory is never what one stream takes from another.
const MEMORY_PART: usize = 8;

impl MemoryLimits {
    /// The bytes, as set or found.
    #[must_use]
    pub fn bytes_max(&self) -> usize {
        self.bytes_max
            .or_else(|| machine::memory_bytes().map(|bytes| bytes / 2))
            .unwrap_or(MEMORY_UNKNOWN_BYTES)
    }
}

impl JournalLimits {
    /// As the journal takes them.
    #[must_use]
    pub fn options(&self) -> JournalOptions {
        let default = JournalOptions::default();
        JournalOptions {
            segment_bytes_max: self.segment_bytes_max.unwrap_or(default.segment_bytes_max),
            frame_bytes_max: self.frame_bytes_max.unwrap_or(default.frame_bytes_max),
            free_bytes_min: self.free_bytes_min,
        }
    }
}

/// Limits and waits of processing.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProcessLimits {
    /// Milliseconds the watermark stays behind the newest event. Default 60 000.
    #[schemars(with = "Option<WrittenLimit>")]
    pub lateness_ms: Option<u64>,
    /// Milliseconds behind the watermark before an event counts as late. Default 0.
    #[schemars(with = "Option<WrittenLimit>")]
    pub allowed_lateness_ms: Option<u64>,
    /// Milliseconds ahead of its receipt from which an event does not move the watermark. Default one hour.
    #[schemars(with = "Option<WrittenLimit>")]
    pub future_ms_max: Option<u64>,
    /// Milliseconds after which a source without events no longer holds the watermark back, nor one
    /// whose newest event is so far behind. Default 60 000.
    #[schemars(with = "Option<WrittenLimit>")]
    pub source_idle_ms: Option<u64>,
    /// Buckets of a cube that are told to have changed after they were complete. Default 10 000.
    #[schemars(with = "Option<WrittenLimit>")]
    pub revised_buckets_max: Option<usize>,
    /// Combinations of dimension values a cube keeps before further ones go to `__other__`. Default 100 000.
    #[schemars(with = "Option<WrittenLimit>")]
    pub combinations_max: Option<usize>,
    /// Bytes of new events of all streams that wait to be aggregated in larger batches. Default 32 MiB.
    #[schemars(with = "Option<WrittenLimit>")]
    pub backlog_bytes_max: Option<usize>,
    /// Newest quarantine records a stream can list. Default 10 000.
    #[schemars(with = "Option<WrittenLimit>")]
    pub reject_frames_max: Option<usize>,
    /// Bytes of one value that an expression of a definition produces. Default 1 MiB.
    #[schemars(with = "Option<WrittenLimit>")]
    pub value_bytes_max: Option<usize>,
    /// Bytes one call of a function in a definition may produce for one batch. Default 64 MiB.
    #[schemars(with = "Option<WrittenLimit>")]
    pub function_bytes_max: Option<usize>,
    /// Bytes of memory for the remembered ids of all streams; past it they are looked up in files. Default 256 MiB, and no
    /// more than an eighth of `memory.bytes_max`.
    #[schemars(with = "Option<WrittenLimit>")]
    pub dedup_memory_bytes_max: Option<usize>,
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
            source_idle_us: us(self.source_idle_ms, default.source_idle_us),
            revised_buckets_max: self
                .revised_buckets_max
                .unwrap_or(default.revised_buckets_max),
            combinations_max: self.combinations_max.unwrap_or(default.combinations_max),
            backlog_bytes_max: self.backlog_bytes_max.unwrap_or(default.backlog_bytes_max),
            reject_frames_max: self.reject_frames_max.unwrap_or(default.reject_frames_max),
            value_bytes_max: self.value_bytes_max.unwrap_or(default.value_bytes_max),
            function_bytes_max: self
                .function_bytes_max
                .unwrap_or(default.function_bytes_max),
            dedup_memory_bytes_max: self
                .dedup_memory_bytes_max
                .unwrap_or(default.dedup_memory_bytes_max),
            ..default
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
            #[schemars(with = "Option<WrittenLimit>")]
            pub deadline_ms: Option<u64>,
            $($(#[$doc])* #[schemars(with = "Option<WrittenLimit>")] pub $name: Option<usize>,)*
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
    /// Rows that one `generate_series` or `range` may make.
    generated_rows_max,
    /// Rows that windows may read which look ahead to the end, times the functions over them.
    window_rows_max,
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
    /// Merged states that the overlapping windows of one answer are made of.
    window_panes_max,
    /// Windows that one bucket may be in, in SQL.
    bucket_windows_max,
    /// Bytes of answers of series that are kept while nothing they read has changed; 0 keeps none.
    series_cache_bytes_max,
    /// Milliseconds of history that a forecast is made of.
    forecast_history_ms_max,
    /// Steps of history that a forecast is made of.
    forecast_steps_max,
    /// Steps that a forecast goes ahead.
    forecast_points_max,
    /// Slices in one answer of forecasts.
    forecast_series_max,
    /// Bytes of forecasts that are kept until a step is complete; 0 keeps none.
    forecast_cache_bytes_max,
}

/// Turns texts with units into the numbers the limits' names ask for. A text that is none is taken out
/// and told to `refuse`, with the place it stands at.
pub fn with_numbers(mut node: Node, refuse: &mut dyn FnMut(Place, String)) -> Node {
    if let Value::Map(parts) = &mut node.value {
        for (_, part) in parts {
            let Value::Map(limits) = &mut part.value else {
                continue;
            };
            limits.retain_mut(|(key, limit)| {
                let (Some(name), Value::Text(text)) = (key.text(), &limit.value) else {
                    return true;
                };
                let number = if name.contains("bytes") {
                    parse_bytes(text)
                } else if name.ends_with("_ms") || name.ends_with("_ms_max") {
                    parse_duration(text)
                        .map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
                } else {
                    return true;
                };
                match number {
                    Ok(number) => {
                        limit.value = Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
                        true
                    }
                    Err(reason) => {
                        refuse(limit.place, reason);
                        false
                    }
                }
            });
        }
    }
    node
}

/// Limits for which nothing at all is a sound choice.
const ZERO_IS_SOUND: [&str; 22] = [
    "allowed_lateness_ms",
    "backlog_bytes_max",
    "behind_ms",
    "combinations_max",
    "forecast_cache_bytes_max",
    "free_bytes_min",
    "future_ms_max",
    "lateness_ms",
    "live_clients_max",
    "live_coalesce_ms",
    "raw_bytes_max",
    "reject_frames_max",
    "rejections_max",
    "reported_max",
    "retry_after_max_ms",
    "retry_after_ms",
    "revised_buckets_max",
    "series_cache_bytes_max",
    "series_default",
    "shutdown_grace_ms",
    "waiting_max",
    "backoff_max_ms",
];

/// Checks that the limits let anything through, and do not contradict each other.
pub fn contradictions(folder: &Folder, faults: &mut Vec<Fault>) {
    let Some(item) = &folder.limits else {
        return;
    };
    let Some(written) = folder
        .files
        .get(item.file)
        .and_then(|file| file.tree.find(&["limits"]))
    else {
        return;
    };
    // Sizes and times with units are numbers only now.
    let written = with_numbers(written.clone(), &mut |_, _| ());
    for (part, limits) in written.entries() {
        for (key, limit) in limits.entries() {
            let (Some(part), Some(name)) = (part.text(), key.text()) else {
                continue;
            };
            if matches!(limit.value, Value::Int(0)) && !ZERO_IS_SOUND.contains(&name) {
                let fault = folder.fault(
                    item.file,
                    &["limits", part, name],
                    format!("with {part}.{name} at 0 nothing is let through"),
                );
                let hint = "leave it out for the default, or write a larger number";
                faults.push(fault.suggest(Some(hint.to_owned())));
            }
        }
    }
    let limits = &item.value;
    let journal = limits.journal.options();
    let u64_of = |size: usize| u64::try_from(size).unwrap_or(u64::MAX);
    let frame = (
        "journal.frame_bytes_max",
        u64::from(journal.frame_bytes_max),
    );
    let record = (
        "intake.record_bytes_max",
        u64_of(limits.intake.record_bytes_max),
    );
    let queue = (
        "intake.queue_bytes_max",
        u64_of(limits.intake.queue_bytes_max),
    );
    let line = (
        "decode.line_bytes_max",
        u64_of(limits.decode.line_bytes_max),
    );
    let body = ("http.body_bytes_max", u64_of(limits.http.body_bytes_max));
    let bodies = (
        "http.bodies_in_flight_bytes_max",
        u64_of(limits.http.bodies_in_flight_bytes_max),
    );
    for (inner, outer, why) in [
        (record, frame, "a journal frame holds one record"),
        (line, frame, "a journal frame holds at least one event"),
        (
            line,
            queue,
            "an event waits in the queue before it is written",
        ),
        (body, bodies, "a body counts among all bodies held at once"),
    ] {
        // What has its default on both sides fits; so at least one of the two is written.
        if inner.1 > outer.1 && inner.1 > 0 && outer.1 > 0 {
            let place = [outer.0, inner.0]
                .map(|name| name.split('.').collect::<Vec<_>>())
                .into_iter()
                .find(|path| written.find(path).is_some())
                .unwrap_or_default();
            let path: Vec<&str> = ["limits"].into_iter().chain(place).collect();
            let message = format!(
                "{} is {}, less than {} with {}: {why}",
                outer.0, outer.1, inner.0, inner.1
            );
            let hint = format!("raise {}, or lower {}", outer.0, inner.0);
            faults.push(folder.fault(item.file, &path, message).suggest(Some(hint)));
        }
    }
}
