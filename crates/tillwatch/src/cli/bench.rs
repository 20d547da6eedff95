//! The command line of `bench`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::command::simulate::parse_instant;
use crate::definitions::scalar::parse_duration;

/// Options of `bench`.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Bench {
    /// A part of it; without one all is measured.
    #[command(subcommand)]
    pub part: Option<BenchPart>,
    /// What to measure.
    #[command(flatten)]
    pub all: BenchAll,
}

/// Parts of `bench`, for comparisons with other programs.
#[derive(Debug, Clone, Subcommand)]
pub enum BenchPart {
    /// Write payment events to a file, the same for the same seed: some twice, out of order or late.
    #[command(
        after_help = "Example:\n  tillwatch bench workload --events 1000000 --seed 1 --span 1h --out w.ndjson"
    )]
    Workload(BenchWorkload),
    /// Decode a file into columns, on one thread, and do nothing with them.
    #[command(
        after_help = "Example:\n  tillwatch bench decode w.ndjson --stream payments --config ./definitions"
    )]
    Decode(BenchDecode),
    /// Judge the series of the Numenta Anomaly Benchmark by the streaming detector, and score it as that does.
    #[command(
        after_help = "Example:\n  tillwatch bench nab --data ./NAB/data --out ./results\n\nDIR holds folders of CSV files with the columns timestamp and value, and windows.json with the labels."
    )]
    Nab(BenchNab),
    /// Explain incidents whose causes are known, and score the answers.
    #[command(
        after_help = "Examples:\n  tillwatch bench rootcause --data ./incidents --verbose\n  tillwatch bench rootcause --generate --cases 100 --seed 1\n\nDIR holds a CSV file an incident (min, value, cnt and dimensions) and labels.yaml with the causes."
    )]
    Rootcause(BenchRootcause),
    /// Forecast the hourly series of the M4 competition, and score the forecasts.
    #[command(
        after_help = "Example:\n  tillwatch bench forecast --data ./m4\n\nDIR holds m4_hourly_train.csv and m4_hourly_test.csv."
    )]
    Forecast(BenchForecast),
    /// Find simulated faults of many kinds and sizes: how soon, against the least delay that there is, how rightly explained, and how
    /// often nothing is found where there is nothing.
    #[command(after_help = "Example:\n  tillwatch bench delay --weeks 2 --seed 1")]
    Delay(BenchDelay),
}

/// Options of `bench delay`.
#[derive(Debug, Clone, Args)]
pub struct BenchDelay {
    /// Weeks with faults, four a day.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=30))]
    pub weeks: u64,
    /// Weeks without any.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=52))]
    pub quiet_weeks: u64,
    /// The seed that all is drawn from.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Options of `bench nab`.
#[derive(Debug, Clone, Args)]
pub struct BenchNab {
    /// The folder of the series.
    #[arg(long, value_name = "DIR", required_unless_present = "lookalike")]
    pub data: Option<PathBuf>,
    /// Where each series' scores are written, in the benchmark's format.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Instead of a folder: series of the kinds of the benchmark, drawn from this seed.
    #[arg(long, value_name = "SEED", conflicts_with = "data")]
    pub lookalike: Option<u64>,
}

/// Options of `bench rootcause`.
#[derive(Debug, Clone, Args)]
pub struct BenchRootcause {
    /// The folder of the incidents.
    #[arg(long, value_name = "DIR", required_unless_present = "generate")]
    pub data: Option<PathBuf>,
    /// Explain generated incidents, of several levels of difficulty.
    #[arg(long)]
    pub generate: bool,
    /// Incidents of each level.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000), requires = "generate")]
    pub cases: u64,
    /// The seed they are drawn from.
    #[arg(long, default_value_t = 1, requires = "generate")]
    pub seed: u64,
    /// Only this level.
    #[arg(long, value_name = "NAME", requires = "generate")]
    pub level: Option<String>,
    /// Tell each wrong answer.
    #[arg(long)]
    pub verbose: bool,
}

/// Options of `bench forecast`.
#[derive(Debug, Clone, Args)]
pub struct BenchForecast {
    /// The folder of the series.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Forecast the last values of the training part instead, this many.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub held_back: usize,
    /// Score both halves of the series as well, parted at random by this seed.
    #[arg(long, value_name = "SEED")]
    pub halves: Option<u64>,
    /// Tell each series.
    #[arg(long)]
    pub each: bool,
}

/// Options of `bench` as a whole.
#[derive(Debug, Clone, Args)]
pub struct BenchAll {
    /// Events to ingest.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(10_000..=100_000_000))]
    pub events: u64,
    /// Runs to take the median of.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub runs: u32,
    /// Live pushes to time.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(10..=10_000))]
    pub pushes: u32,
    /// Live clients that look at one metric; a server takes 512 as it comes.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub clients: u32,
}

/// Options of `bench workload`.
#[derive(Debug, Clone, Args)]
pub struct BenchWorkload {
    /// Lines to write, repeated ones included.
    #[arg(long, default_value_t = 1_000_000)]
    pub events: u64,
    /// The seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// When the first event arrives, RFC 3339 or a day.
    #[arg(long, value_name = "TIME", default_value = "2026-10-01", value_parser = parse_instant)]
    pub from: jiff::Timestamp,
    /// How long the events take to arrive.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = parse_duration)]
    pub span: std::time::Duration,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Draw no progress bar.
    #[arg(long)]
    pub quiet: bool,
}

/// Options of `bench decode`.
#[derive(Debug, Clone, Args)]
pub struct BenchDecode {
    /// The NDJSON file.
    pub file: PathBuf,
    /// The stream its lines belong to.
    #[arg(long, value_name = "NAME")]
    pub stream: String,
    /// The folder with the definitions.
    #[arg(long, value_name = "DIR", env = "TILLWATCH_CONFIG")]
    pub config: PathBuf,
}
