//! Limits of history.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use tillwatch_process::ProcessOptions;

use super::WrittenLimit;

/// How history is written and maintained.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HistoryLimits {
    /// Milliseconds between two flushes of what came to the history tables. Default 60 000.
    #[schemars(with = "Option<WrittenLimit>")]
    pub flush_interval_ms: Option<u64>,
    /// Events after which a flush does not wait for that: about what the next start replays at most.
    /// Default 250 000.
    #[schemars(with = "Option<WrittenLimit>")]
    pub flush_events_max: Option<u64>,
    /// Percent of one core's time that compaction, roll-up and clean-up may take. Default 25.
    #[schemars(with = "Option<WrittenLimit>")]
    pub maintain_share_percent: Option<u32>,
    /// Bytes of decoded states of cubes' tables that are kept in memory for questions. Default 128 MiB.
    #[schemars(with = "Option<WrittenLimit>")]
    pub state_cache_bytes_max: Option<u64>,
    /// Rows of events that one commit of a flush writes, and so holds in memory. Default 250 000.
    #[schemars(with = "Option<WrittenLimit>")]
    pub flush_rows_max: Option<usize>,
    /// And their bytes in memory. Default 128 MiB.
    #[schemars(with = "Option<WrittenLimit>")]
    pub flush_bytes_max: Option<usize>,
    /// Rows of the files that one step of maintenance lays together, and so holds in memory. Default 250 000.
    #[schemars(with = "Option<WrittenLimit>")]
    pub maintain_rows_max: Option<u64>,
    /// And the bytes of these files. Default 32 MiB.
    #[schemars(with = "Option<WrittenLimit>")]
    pub maintain_bytes_max: Option<u64>,
}

/// When history is flushed and how much of a core its maintenance takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryPace {
    /// The time between two flushes.
    pub flush_interval: Duration,
    /// Events after which a flush does not wait for that.
    pub flush_events_max: u64,
    /// Percent of one core's time that maintenance may take, 1 to 100.
    pub maintain_share_percent: u32,
}

impl HistoryLimits {
    /// What of it the processor keeps to.
    pub fn options(&self, others: ProcessOptions) -> ProcessOptions {
        ProcessOptions {
            state_cache_bytes_max: self
                .state_cache_bytes_max
                .unwrap_or(others.state_cache_bytes_max),
            flush_rows_max: self.flush_rows_max.unwrap_or(others.flush_rows_max),
            flush_bytes_max: self.flush_bytes_max.unwrap_or(others.flush_bytes_max),
            maintain_rows_max: self.maintain_rows_max.unwrap_or(others.maintain_rows_max),
            maintain_bytes_max: self.maintain_bytes_max.unwrap_or(others.maintain_bytes_max),
            ..others
        }
    }

    /// As the keeper of history takes them.
    #[must_use]
    pub fn pace(&self) -> HistoryPace {
        HistoryPace {
            flush_interval: Duration::from_millis(self.flush_interval_ms.unwrap_or(60_000)),
            flush_events_max: self.flush_events_max.unwrap_or(250_000),
            maintain_share_percent: self.maintain_share_percent.unwrap_or(25).clamp(1, 100),
        }
    }
}
