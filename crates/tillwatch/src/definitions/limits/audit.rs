//! Limits of the continuous audit.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::WrittenLimit;

/// How much of the cubes a running server compares with the raw events.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuditLimits {
    /// Milliseconds between two samples of a cube. Default five minutes.
    #[schemars(with = "Option<WrittenLimit>")]
    pub interval_ms: Option<u64>,
    /// Percent of one core's time that the audit may take. Default 5.
    #[schemars(with = "Option<WrittenLimit>")]
    pub share_percent: Option<u32>,
    /// Events that one comparison may read. Default 200 000.
    #[schemars(with = "Option<WrittenLimit>")]
    pub rows_max: Option<u64>,
    /// Milliseconds that one comparison may take. Default 10 000.
    #[schemars(with = "Option<WrittenLimit>")]
    pub deadline_ms: Option<u64>,
    /// Milliseconds that buckets are behind the watermark before they are compared. Default five minutes.
    #[schemars(with = "Option<WrittenLimit>")]
    pub behind_ms: Option<u64>,
}

/// The same with the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditPace {
    /// The time between two samples of a cube.
    pub interval: Duration,
    /// Percent of one core's time, 1 to 100.
    pub share_percent: u32,
    /// Events that one comparison may read.
    pub rows_max: u64,
    /// Time that one comparison may take.
    pub range_max: Duration,
    /// How far behind the watermark buckets are.
    pub behind: Duration,
}

impl AuditLimits {
    /// As the audit takes them.
    #[must_use]
    pub fn pace(&self) -> AuditPace {
        AuditPace {
            interval: Duration::from_millis(self.interval_ms.unwrap_or(300_000)),
            share_percent: self.share_percent.unwrap_or(5).clamp(1, 100),
            rows_max: self.rows_max.unwrap_or(200_000),
            range_max: Duration::from_millis(self.deadline_ms.unwrap_or(10_000)),
            behind: Duration::from_millis(self.behind_ms.unwrap_or(300_000)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_has_its_default_and_a_share_is_a_share() {
        let pace = AuditLimits::default().pace();
        assert_eq!(pace.interval, Duration::from_secs(300));
        assert_eq!((pace.share_percent, pace.rows_max), (5, 200_000));
        let written = AuditLimits {
            share_percent: Some(900),
            behind_ms: Some(0),
            ..AuditLimits::default()
        };
        assert_eq!(written.pace().share_percent, 100);
        assert_eq!(written.pace().behind, Duration::ZERO);
    }
}
