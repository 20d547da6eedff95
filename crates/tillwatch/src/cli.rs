//! The command line.

mod backtest;
mod bench;
mod token;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args, Parser, Subcommand};
use reqwest::Url;
use tillwatch_testkit::simulate::Stream;

use crate::command::{serve::parse_listen, simulate::parse_instant};
use crate::definitions::scalar::parse_duration;
pub use backtest::Backtest;
pub use bench::{
    Bench, BenchAll, BenchDecode, BenchDelay, BenchForecast, BenchNab, BenchPart, BenchRootcause,
    BenchWorkload,
};
pub use token::{CreateToken, ListTokens, RevokeToken, Token, TokenAction};

/// Real-time analytics and monitoring for commerce and payments.
#[derive(Debug, Parser)]
#[command(
    name = "tillwatch",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Cli {
    /// How much to log: error, warn, info, debug, or a filter such as `info,tillwatch_process=debug`.
    #[arg(long, global = true, env = "TILLWATCH_LOG", default_value = "warn")]
    pub log: String,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show it working: two weeks of shop and payment traffic, then live with an incident.
    #[command(
        after_help = "Example:\n  tillwatch demo\n  tillwatch demo --days 3 --data /tmp/demo"
    )]
    Demo(Demo),
    /// Run the server.
    #[command(after_help = "Example:\n  tillwatch serve --config ./definitions --data ./data")]
    Serve(Serve),
    /// Check a definitions folder and report every fault with file, line and column.
    #[command(after_help = "Example:\n  tillwatch check --config ./definitions")]
    Check(Check),
    /// Print the JSON Schema of definitions files, for editors.
    #[command(after_help = "Example:\n  tillwatch schema > tillwatch.schema.json")]
    Schema,
    /// Print a stream, cube and metric definition inferred from a file.
    #[command(after_help = "Example:\n  tillwatch propose orders.csv > definitions/orders.yaml")]
    Propose(Propose),
    /// Load files into a stream: CSV, NDJSON, JSON or Parquet, also .gz and .zst.
    #[command(
        after_help = "Example:\n  tillwatch ingest orders.csv --stream orders --server http://127.0.0.1:7878\n  tillwatch ingest orders.csv --stream orders --config ./definitions --data ./data"
    )]
    Ingest(Ingest),
    /// Ask a question in SQL, of a running server or of a data folder.
    #[command(
        after_help = "Example:\n  tillwatch sql \"select psp, measure(authorization_rate) from payment_attempts group by psp\""
    )]
    Sql(Sql),
    /// Make shop and payment traffic, the same for the same seed.
    #[command(
        after_help = "Example:\n  tillwatch simulate --from 2026-01-01 --for 1d --out ./traffic\n  tillwatch simulate --live --server http://127.0.0.1:7878 --scenario outage.yaml\n\nScenarios: a file such as\n  incidents:\n    - start: +30s\n      duration: 10m\n      kind: {issuer_decline: {psp: adyen, issuer: bank_17, approval: 0.05}}\nAll kinds and their fields are in docs/simulator.md."
    )]
    Simulate(Simulate),
    /// Judge the past with a monitor, or with a proposed version of it: what would have opened an incident, and when.
    #[command(
        after_help = "Example:\n  tillwatch backtest authorization_drop --from -30d\n  tillwatch backtest authorization_drop --proposed stricter.yaml --labels outages.yaml\n  tillwatch backtest authorization_drop --config ./definitions --data ./data --json\n\nThe file of a proposed monitor has its keys, or a section `monitors` with it, as in the definitions.\nLabels: a file such as\n  - {from: 2026-11-10T09:00:00Z, to: 2026-11-10T10:00:00Z, where: {psp: adyen}}\n  - {from: 2026-11-01T00:00:00Z, to: 2026-11-30T00:00:00Z, verdict: false_alarm}"
    )]
    Backtest(Backtest),
    /// Read all that a running server keeps, or a data folder that no server has open, compare every
    /// checksum, and recompute cube buckets from the raw events. Ends with 1 when something is wrong.
    #[command(
        after_help = "Example:\n  tillwatch verify --server http://127.0.0.1:7878\n  tillwatch verify --config ./definitions --data ./data\n  tillwatch verify --config ./definitions --data ./data --all --json"
    )]
    Verify(Verify),
    /// Flush, lay together, roll up and clean up the history of a running server, or of a data folder that
    /// no server has open.
    #[command(
        after_help = "Example:\n  tillwatch maintain --server http://127.0.0.1:7878\n  tillwatch maintain --config ./definitions --data ./data"
    )]
    Maintain(Place),
    /// Back up a running server into its folder for backups, or a data folder that no server has open.
    #[command(
        after_help = "Example:\n  tillwatch backup --server http://127.0.0.1:7878 --name nightly\n  tillwatch backup --config ./definitions --data ./data --out ./backups/nightly"
    )]
    Backup(Backup),
    /// Make a data folder from a backup.
    #[command(after_help = "Example:\n  tillwatch restore --from ./backups/nightly --data ./data")]
    Restore(Restore),
    /// Make, list and revoke the access tokens of a data folder, also while a server runs on it.
    #[command(
        after_help = "Example:\n  tillwatch token create --name ann --role admin --expires 90d --data ./data\n  tillwatch token list --data ./data\n  tillwatch token revoke ann --data ./data"
    )]
    Token(Token),
    /// Measure ingest speed and live latency on this machine, or make a file to measure with.
    #[command(
        after_help = "Example:\n  tillwatch bench --events 1000000\n  tillwatch bench workload --events 20000000 --out w.ndjson"
    )]
    Bench(Bench),
}

/// Where definitions and data are.
#[derive(Debug, Clone, Args)]
pub struct Folders {
    /// The folder with the definitions.
    #[arg(long, value_name = "DIR", env = "TILLWATCH_CONFIG")]
    pub config: PathBuf,
    /// The folder the data is kept in; made when it is not there.
    #[arg(long, value_name = "DIR", env = "TILLWATCH_DATA")]
    pub data: PathBuf,
}

/// A running server to talk to.
#[derive(Debug, Clone, Args)]
pub struct Server {
    /// The address of a running server.
    #[arg(
        long,
        value_name = "URL",
        env = "TILLWATCH_SERVER",
        default_value = "http://127.0.0.1:7878"
    )]
    pub server: String,
    /// The server's access token, when it asks for one.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "TILLWATCH_TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
}

/// A running server, or a data folder that no server has open.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// The folder with the definitions.
    #[arg(
        long,
        value_name = "DIR",
        env = "TILLWATCH_CONFIG",
        required_unless_present = "server"
    )]
    pub config: Option<PathBuf>,
    /// The data folder, which no server has open.
    #[arg(
        long,
        value_name = "DIR",
        env = "TILLWATCH_DATA",
        required_unless_present = "server"
    )]
    pub data: Option<PathBuf>,
    /// Instead of both: the address of a running server, such as http://127.0.0.1:7878.
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
    /// The server's access token, when it asks for one.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "TILLWATCH_TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
}

/// Which of the two.
#[derive(Debug, Clone)]
pub enum FolderOrServer {
    /// A data folder with its definitions.
    Folder(Folders),
    /// A running server.
    Server(Server),
}

impl Place {
    /// Which of the two is meant. The folders may come from the environment, so a server that is named goes
    /// before them.
    ///
    /// # Errors
    /// Neither is named, which the command line does not let through.
    pub fn which(self) -> anyhow::Result<FolderOrServer> {
        match (self.server, self.config, self.data) {
            (Some(server), ..) => Ok(FolderOrServer::Server(Server {
                server,
                token: self.token,
            })),
            (None, Some(config), Some(data)) => {
                Ok(FolderOrServer::Folder(Folders { config, data }))
            }
            _ => anyhow::bail!("name a running server with --server, or --config and --data"),
        }
    }
}

/// Options of `demo`.
#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// The address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7878", value_parser = parse_listen)]
    pub listen: SocketAddr,
    /// The folder the demo keeps its data in; a second start continues there.
    #[arg(long, value_name = "DIR", default_value = ".demo")]
    pub data: PathBuf,
    /// Days of history to fill.
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub days: u32,
    /// Events a day, all streams together.
    #[arg(long, default_value_t = 400_000, value_parser = clap::value_parser!(u64).range(1_000..=5_000_000))]
    pub events_per_day: u64,
    /// The seed of the traffic.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Stop by itself after this long; for scripts.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub stop_after: Option<std::time::Duration>,
}

/// Options of `serve`.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Where definitions and data are.
    #[command(flatten)]
    pub folders: Folders,
    /// The address to listen on. Beyond loopback a token is required: make one with `tillwatch token create`, or set
    /// TILLWATCH_TOKEN.
    #[arg(
        long,
        value_name = "ADDR",
        env = "TILLWATCH_LISTEN",
        default_value = "127.0.0.1:7878",
        value_parser = parse_listen
    )]
    pub listen: SocketAddr,
    /// Host names under which browsers reach the server, besides loopback; may be repeated.
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// Where people reach the web, e.g. https://till.example: webhooks link there. Without it they
    /// carry no link.
    #[arg(long, value_name = "URL", env = "TILLWATCH_PUBLIC_URL", value_parser = parse_public_url)]
    pub public_url: Option<Url>,
    /// The folder that `tillwatch backup` lets the server write into. Without it the server makes no
    /// backups.
    #[arg(long, value_name = "DIR", env = "TILLWATCH_BACKUPS")]
    pub backups: Option<PathBuf>,
    /// Leave the folder with the definitions as it is: the web shows YAML for copying instead of saving it. So it is also where
    /// the folder cannot be written.
    #[arg(long, env = "TILLWATCH_READ_ONLY_DEFINITIONS", value_parser = BoolishValueParser::new())]
    pub read_only_definitions: bool,
}

/// Options of `check`.
#[derive(Debug, Clone, Args)]
pub struct Check {
    /// The folder with the definitions.
    #[arg(long, value_name = "DIR", env = "TILLWATCH_CONFIG")]
    pub config: PathBuf,
    /// Print the faults as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Options of `propose`.
#[derive(Debug, Clone, Args)]
pub struct Propose {
    /// The file to look at.
    pub file: PathBuf,
    /// The stream's name; the file's name when absent.
    #[arg(long, value_name = "NAME")]
    pub stream: Option<String>,
}

/// Options of `ingest`.
#[derive(Debug, Clone, Args)]
pub struct Ingest {
    /// The files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The stream to load them into.
    #[arg(long, value_name = "NAME")]
    pub stream: String,
    /// A running server to load into.
    #[command(flatten)]
    pub server: Server,
    /// With --data: load straight into a data folder that no server has open.
    #[arg(long, value_name = "DIR", requires = "data")]
    pub config: Option<PathBuf>,
    /// With --config: the data folder.
    #[arg(long, value_name = "DIR", requires = "config")]
    pub data: Option<PathBuf>,
    /// The folder that remembers how far each file was loaded.
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Load from the beginning even if the file was loaded before; ids still count once.
    #[arg(long)]
    pub restart: bool,
    /// Draw no progress bar.
    #[arg(long)]
    pub quiet: bool,
}

/// Options of `sql`.
#[derive(Debug, Clone, Args)]
pub struct Sql {
    /// The question; `-` reads it from standard input.
    pub query: String,
    /// A running server to ask.
    #[command(flatten)]
    pub server: Server,
    /// With --data: ask a data folder that no server has open.
    #[arg(long, value_name = "DIR", requires = "data")]
    pub config: Option<PathBuf>,
    /// With --config: the data folder.
    #[arg(long, value_name = "DIR", requires = "config")]
    pub data: Option<PathBuf>,
    /// How to print the answer.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub format: Output,
}

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// Aligned columns for people.
    Table,
    /// CSV with a header.
    Csv,
    /// The server's JSON.
    Json,
}

/// Options of `simulate`.
#[derive(Debug, Clone, Args)]
#[command(group(ArgGroup::new("when").args(["from", "live"]).multiple(true)))]
#[command(group(ArgGroup::new("target").args(["out", "stream", "server"]).multiple(true).required(true)))]
pub struct Simulate {
    /// The first instant, RFC 3339 or a day; now when absent.
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    pub from: Option<jiff::Timestamp>,
    /// How long.
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    pub lasting: Option<std::time::Duration>,
    /// Make the traffic as it happens, until stopped.
    #[arg(long)]
    pub live: bool,
    /// Events a day, all streams together.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(100..=2_000_000_000))]
    pub events_per_day: u64,
    /// The seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// A YAML file of incidents to inject; see docs/simulator.md.
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// Write one NDJSON file a stream into this folder; without it and --server, to standard output.
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    pub out: Option<PathBuf>,
    /// Only this stream; needed for standard output.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Stream::ALL.map(Stream::name)))]
    pub stream: Option<String>,
    /// Post to a running server; needs --live, or --from to say which time is meant.
    #[arg(long, value_name = "URL", requires = "when")]
    pub server: Option<String>,
    /// The server's access token, when it asks for one.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "TILLWATCH_TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
}

/// Options of `backup`.
#[derive(Debug, Clone, Args)]
pub struct Backup {
    /// A running server, started with --backups.
    #[command(flatten)]
    pub server: Server,
    /// The name of the backup in the server's folder; the time when absent.
    #[arg(long, value_name = "NAME", conflicts_with = "data")]
    pub name: Option<String>,
    /// With --data: the folder with the definitions.
    #[arg(long, value_name = "DIR", requires = "data")]
    pub config: Option<PathBuf>,
    /// With --config and --out: a data folder that no server has open.
    #[arg(long, value_name = "DIR", requires_all = ["config", "out"])]
    pub data: Option<PathBuf>,
    /// With --data: the folder to write, which must not be there.
    #[arg(long, value_name = "DIR", requires = "data")]
    pub out: Option<PathBuf>,
}

/// Options of `restore`.
#[derive(Debug, Clone, Args)]
pub struct Restore {
    /// The backup.
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,
    /// The data folder to make; it must not be there, or be empty.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
}

/// Options of `verify`.
#[derive(Debug, Clone, Args)]
pub struct Verify {
    /// What to verify.
    #[command(flatten)]
    pub place: Place,
    /// Buckets of each cube to recompute from the events; 200 when absent.
    #[arg(long, value_name = "N")]
    pub sample: Option<u64>,
    /// Recompute all buckets.
    #[arg(long, conflicts_with = "sample")]
    pub all: bool,
    /// The seed that chooses the buckets; another one each time when absent.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Print what was found as JSON.
    #[arg(long)]
    pub json: bool,
}

/// The web's root: its pages lie at fixed paths, so it cannot be moved below one.
fn parse_public_url(text: &str) -> Result<Url, String> {
    let url =
        Url::parse(text).map_err(|fault| format!("{fault}; write it like https://till.example"))?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    if plain {
        Ok(url)
    } else {
        Err(
            "it must be http or https and a host with nothing behind it, like https://till.example"
                .to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public_url(text: &str) -> Result<Option<Url>, String> {
        let words = [
            "tillwatch",
            "serve",
            "--config",
            "c",
            "--data",
            "d",
            "--public-url",
            text,
        ];
        match Cli::try_parse_from(words) {
            Ok(Cli {
                command: Command::Serve(serve),
                ..
            }) => Ok(serve.public_url),
            Ok(_) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_benchmark_is_whole_or_a_part() {
        let parse = |words: &str| {
            let words = ["tillwatch", "bench"]
                .into_iter()
                .chain(words.split_whitespace());
            match Cli::try_parse_from(words).map(|cli| cli.command) {
                Ok(Command::Bench(bench)) => Ok(bench),
                Ok(other) => panic!("{other:?}"),
                Err(error) => Err(error.to_string()),
            }
        };
        let plain = parse("--events 20000 --runs 2").unwrap();
        assert!(plain.part.is_none());
        assert_eq!((plain.all.events, plain.all.runs), (20_000, 2));
        assert_eq!(parse("").unwrap().all.events, 1_000_000);
        let part = parse("workload --span 30d --out w.ndjson").unwrap().part;
        let Some(BenchPart::Workload(workload)) = part else {
            panic!("{part:?}")
        };
        assert_eq!(workload.span.as_secs(), 30 * 86_400);
        assert_eq!(workload.from.to_string(), "2026-10-01T00:00:00Z");
        assert!(parse("--runs 2 workload --out w.ndjson").is_err());
        assert!(parse("workload").unwrap_err().contains("--out"));
    }

    #[test]
    fn the_public_address_is_the_root_of_a_web_server() {
        for good in ["https://till.example", "http://10.0.0.7:8080"] {
            assert!(public_url(good).is_ok_and(|url| url.is_some()), "{good}");
        }
        for bad in [
            "till.example",
            "ftp://till.example",
            "https://a:b@till.example",
            "https://till.example/watch",
            "https://till.example/?a=b",
            "https://till.example/#x",
            "",
        ] {
            assert!(
                public_url(bad).is_err_and(|text| text.contains("https://till.example")),
                "{bad}"
            );
        }
    }
}
