//! Every limit of back-tests, by name, with its default.

use std::time::Duration;

/// The limits that keep back-tests from taking a server's time and memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BacktestLimits {
    /// Longest time that one covers, in days, up to 400. Default 92.
    pub days_max: u32,
    /// How many run at the same time. Default 1.
    pub at_once_max: usize,
    /// How long one may take, a compared version included. Default 60 s.
    pub deadline: Duration,
    /// Most figures that one keeps in memory at once, about 50 bytes each. Default 5 million.
    pub figures_max: usize,
}

impl Default for BacktestLimits {
    fn default() -> Self {
        Self {
            days_max: 92,
            at_once_max: 1,
            deadline: Duration::from_secs(60),
            figures_max: 5_000_000,
        }
    }
}
