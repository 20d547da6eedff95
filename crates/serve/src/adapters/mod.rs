//! The ports over the real parts.

mod annotations;
mod backtests;
mod boards;
mod collector;
mod explanation;
mod faults;
mod figures;
mod forecast;
mod health;
mod incidents;
mod tokens;

pub use annotations::KeptAnnotations;
pub use backtests::{MonitorDefinitions, PastMonitors, ProposalFault};
pub use boards::{BoardDefinitions, CheckedBoard, KeptBoards};
pub use collector::JournalCollector;
pub use figures::AnalystFigures;
pub use health::RunningHealth;
pub use incidents::WatchIncidents;
pub use tokens::KeptTokens;
