//! Limits of monitors over the past.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use tillwatch_monitor::backtest::BacktestLimits;

use super::WrittenLimit;

/// How much of the past monitors are tested over.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MonitorLimits {
    /// Days that one back-test covers, at most 400. Default 92.
    #[schemars(with = "Option<WrittenLimit>")]
    pub backtest_days_max: Option<u32>,
    /// Back-tests of a server that run at the same time. Default 1.
    #[schemars(with = "Option<WrittenLimit>")]
    pub backtests_at_once_max: Option<usize>,
    /// Milliseconds that a back-test of a server may take. Default 60 000.
    #[schemars(with = "Option<WrittenLimit>")]
    pub backtest_deadline_ms: Option<u64>,
    /// Figures that one back-test keeps in memory at once, about 50 bytes each. Default 5 000 000.
    #[schemars(with = "Option<WrittenLimit>")]
    pub backtest_figures_max: Option<usize>,
}

impl MonitorLimits {
    /// As back-tests take them.
    #[must_use]
    pub fn backtests(&self) -> BacktestLimits {
        let default = BacktestLimits::default();
        BacktestLimits {
            days_max: self.backtest_days_max.unwrap_or(default.days_max),
            at_once_max: self.backtests_at_once_max.unwrap_or(default.at_once_max),
            deadline: self
                .backtest_deadline_ms
                .map_or(default.deadline, Duration::from_millis),
            figures_max: self.backtest_figures_max.unwrap_or(default.figures_max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Limits;
    use super::*;
    use crate::definitions::folder::Folder;
    use crate::definitions::limits::contradictions;

    #[test]
    fn each_limit_is_read_by_its_name_and_has_its_default() {
        let read = |text: &str| {
            let mut folder = Folder::default();
            folder.add("limits.yaml".into(), text, false);
            let mut faults = std::mem::take(&mut folder.faults);
            contradictions(&folder, &mut faults);
            let limits: Limits = folder.limits.map(|item| item.value).unwrap_or_default();
            (limits.monitor.backtests(), faults)
        };
        let (limits, faults) = read("limits: {monitor: {}}\n");
        assert_eq!((limits, faults.len()), (BacktestLimits::default(), 0));
        let (limits, faults) = read(
            "limits: {monitor: {backtest_days_max: 30, backtests_at_once_max: 2, backtest_deadline_ms: 5s, backtest_figures_max: 1000}}\n",
        );
        let written = BacktestLimits {
            days_max: 30,
            at_once_max: 2,
            deadline: Duration::from_secs(5),
            figures_max: 1_000,
        };
        assert_eq!((limits, faults.len()), (written, 0));
        let (_, faults) = read("limits: {monitor: {backtest_days_max: 0, backtest_days: 3}}\n");
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(
            faults[0].contains("unknown key 'backtest_days'"),
            "{faults:?}"
        );
        assert!(
            faults[1].contains("monitor.backtest_days_max at 0"),
            "{faults:?}"
        );
    }
}
