//! Options of `backtest`.

use std::path::PathBuf;

use clap::Args;

use super::Server;

/// Options of `backtest`.
#[derive(Debug, Clone, Args)]
pub struct Backtest {
    /// The monitor's name.
    pub monitor: String,
    /// A running server to ask.
    #[command(flatten)]
    pub server: Server,
    /// With --data: judge the past of a data folder that no server has open.
    #[arg(long, value_name = "DIR", requires = "data")]
    pub config: Option<PathBuf>,
    /// With --config: the data folder.
    #[arg(long, value_name = "DIR", requires = "config")]
    pub data: Option<PathBuf>,
    /// Begin: RFC 3339, epoch milliseconds or an offset such as -30d; 14 days before the end when absent.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// End, written likewise; where events are complete when absent.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// A YAML file with a proposed version; with an existing monitor of the name both are compared.
    #[arg(long, value_name = "FILE")]
    pub proposed: Option<PathBuf>,
    /// A YAML or JSON file with what is known of the time.
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Print the answer as JSON.
    #[arg(long)]
    pub json: bool,
}
