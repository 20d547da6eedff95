//! `simulate`: shop and payment traffic, to files, to standard output or to a server.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use tillwatch_collect::{Clock, SystemClock};
use tillwatch_testkit::simulate::{Scenario, SimulatedBatch, Simulator, SimulatorConfig};

use super::client::ServerClient;
use crate::cli::{Server, Simulate};
use crate::terminal::{self, thousands};

/// How often live traffic is sent.
const STEP: Duration = Duration::from_millis(200);
/// How much is simulated when nothing is said.
const LASTING: Duration = Duration::from_secs(86_400);

/// Makes the traffic.
pub async fn run(options: Simulate) -> Result<ExitCode> {
    let from_us = options
        .from
        .map_or_else(|| SystemClock.now_us(), Timestamp::as_microsecond);
    let simulator = simulator(&options, from_us)?;
    let mut target = Target::new(&options)?;
    if options.live {
        let mut feed = simulator.feed(from_us);
        let stop = super::stop::requested(options.lasting);
        tokio::pin!(stop);
        loop {
            tokio::select! {
                stopped = &mut stop => { stopped?; break; }
                () = tokio::time::sleep(STEP) => {}
            }
            for batch in feed.advance(SystemClock.now_us()) {
                target.take(batch).await?;
            }
        }
    } else {
        let lasting = i64::try_from(options.lasting.unwrap_or(LASTING).as_micros())?;
        for batch in simulator.batches(from_us, from_us.saturating_add(lasting)) {
            target.take(batch).await?;
        }
    }
    target.finish()?;
    Ok(ExitCode::SUCCESS)
}

fn simulator(options: &Simulate, origin_us: i64) -> Result<Simulator> {
    let config = SimulatorConfig {
        events_per_day: options.events_per_day,
        ..SimulatorConfig::default()
    };
    let incidents = match &options.scenario {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("the scenario {} cannot be read", path.display()))?;
            Scenario::from_yaml(&text)
                .and_then(|scenario| scenario.resolve(origin_us))
                .with_context(|| format!("the scenario {}", path.display()))?
        }
        None => Vec::new(),
    };
    Ok(Simulator::with_incidents(config, options.seed, incidents)?)
}

/// Reads an RFC 3339 instant, or a day as its midnight in UTC.
///
/// # Errors
/// The text is neither; the reason says what to write.
pub fn parse_instant(text: &str) -> Result<Timestamp, String> {
    let of_day = || {
        let day: jiff::civil::Date = text.parse().ok()?;
        let midnight = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(midnight.timestamp())
    };
    text.parse().ok().or_else(of_day).ok_or_else(|| {
        "neither a time nor a day; write 2026-01-01 or 2026-01-01T12:00:00Z".to_owned()
    })
}

/// Where the traffic goes.
enum Target {
    Output {
        stream: String,
    },
    Folder {
        dir: std::path::PathBuf,
        only: Option<String>,
        files: HashMap<&'static str, (BufWriter<File>, u64)>,
    },
    Server {
        client: Box<ServerClient>,
        only: Option<String>,
        sent: u64,
    },
}

impl Target {
    fn new(options: &Simulate) -> Result<Self> {
        let only = options.stream.clone();
        if let Some(server) = &options.server {
            let server = Server {
                server: server.clone(),
                token: options.token.clone(),
            };
            let client = Box::new(ServerClient::new(&server)?);
            return Ok(Self::Server {
                client,
                only,
                sent: 0,
            });
        }
        if let Some(dir) = &options.out {
            std::fs::create_dir_all(dir)
                .with_context(|| format!("the folder {} cannot be made", dir.display()))?;
            return Ok(Self::Folder {
                dir: dir.clone(),
                only,
                files: HashMap::new(),
            });
        }
        match only {
            Some(stream) => Ok(Self::Output { stream }),
            None => bail!(
                "name one stream with --stream, a folder with --out, or a server with --server"
            ),
        }
    }

    async fn take(&mut self, batch: SimulatedBatch) -> Result<()> {
        let wanted =
            |only: &Option<String>| only.as_deref().is_none_or(|name| name == batch.stream);
        match self {
            Self::Output { stream } if stream == batch.stream => {
                std::io::stdout().lock().write_all(&batch.ndjson)?;
            }
            Self::Folder { dir, only, files } if wanted(only) => {
                let (file, events) = match files.entry(batch.stream) {
                    std::collections::hash_map::Entry::Occupied(found) => found.into_mut(),
                    std::collections::hash_map::Entry::Vacant(place) => {
                        let path = dir.join(format!("{}.ndjson", batch.stream));
                        let file = File::create(&path)
                            .with_context(|| format!("{} cannot be written", path.display()))?;
                        place.insert((BufWriter::new(file), 0))
                    }
                };
                file.write_all(&batch.ndjson)?;
                *events += batch.events;
            }
            Self::Server { client, only, sent } if wanted(only) => {
                let request = client
                    .post(&format!("/v1/streams/{}/events", batch.stream))?
                    .header("Content-Type", "application/x-ndjson")
                    .body(batch.ndjson);
                client.send(request).await?;
                *sent += batch.events;
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        match self {
            Self::Output { .. } => {}
            Self::Folder { dir, files, .. } => {
                let mut files: Vec<_> = files.into_iter().collect();
                files.sort_by_key(|(stream, _)| *stream);
                for (stream, (mut file, events)) in files {
                    file.flush()?;
                    let path = dir.join(format!("{stream}.ndjson"));
                    terminal::line(format!("{}: {} events", path.display(), thousands(events)));
                }
            }
            Self::Server { sent, .. } => {
                terminal::line(format!("sent {} events", thousands(sent)));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::{CommandFactory, Parser};
    use tillwatch_testkit::simulate::IncidentKind;

    use super::*;
    use crate::cli::{Cli, Command};

    fn refusal(arguments: &[&str]) -> String {
        let arguments = ["tillwatch", "simulate"].iter().chain(arguments);
        let error = Cli::try_parse_from(arguments).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{error}");
        error.to_string()
    }

    #[test]
    fn wrong_use_is_refused_before_anything_is_sent() {
        assert!(refusal(&[]).contains("--out <DIR>|--stream <NAME>|--server <URL>"));
        let future = refusal(&["--server", "http://127.0.0.1:1"]);
        assert!(future.contains("--from <TIME>|--live"), "{future}");
        assert!(refusal(&["--stream", "paymnts"]).contains("'payments'"));
        assert!(
            refusal(&["--stream", "orders", "--from", "blah"]).contains("2026-01-01T12:00:00Z")
        );
        for sound in [
            ["--server", "http://x", "--live"].as_slice(),
            &["--server", "http://x", "--from", "2026-01-01"],
            &["--stream", "orders"],
            &["--out", "x", "--stream", "orders", "--for", "1h"],
        ] {
            let arguments = ["tillwatch", "simulate"].iter().chain(sound);
            assert!(Cli::try_parse_from(arguments).is_ok(), "{sound:?}");
        }
    }

    #[test]
    fn instants_are_days_or_times() {
        let day = parse_instant("2026-11-02").unwrap();
        assert_eq!(day, parse_instant("2026-11-02T01:00:00+01:00").unwrap());
        assert!(parse_instant("2026-13-01").is_err());
    }

    #[test]
    fn a_host_name_is_an_address_to_listen_on() {
        let listen = |text: &str| {
            let given = ["tillwatch", "demo", "--listen", text];
            match Cli::try_parse_from(given).map(|cli| cli.command) {
                Ok(Command::Demo(demo)) => Ok(demo.listen.to_string()),
                Ok(other) => panic!("{other:?}"),
                Err(error) => Err((error.exit_code(), error.to_string())),
            }
        };
        assert_eq!(listen("localhost:7922").unwrap(), "127.0.0.1:7922");
        assert_eq!(listen("[::1]:7922").unwrap(), "[::1]:7922");
        for wrong in ["localhost", "7922", "localhost:http"] {
            let (code, text) = listen(wrong).unwrap_err();
            assert_eq!(code, 2, "{text}");
            assert!(text.contains("such as 127.0.0.1:7878"), "{text}");
        }
    }

    #[test]
    fn the_page_on_the_simulator_has_scenarios_that_load_and_every_kind() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/simulator.md");
        let page = std::fs::read_to_string(path).unwrap();
        let mut kinds = Vec::new();
        for block in page.split("```yaml\n").skip(1) {
            let (yaml, _) = block.split_once("```").unwrap();
            let incidents = Scenario::from_yaml(yaml).unwrap().resolve(0).unwrap();
            kinds.extend(incidents.into_iter().map(|incident| match incident.kind {
                IncidentKind::IssuerDecline { .. } => "issuer_decline",
                IncidentKind::PspOutage { .. } => "psp_outage",
                IncidentKind::Latency { .. } => "latency",
                IncidentKind::Silence { .. } => "silence",
                IncidentKind::CardTesting { .. } => "card_testing",
                IncidentKind::PriceError { .. } => "price_error",
            }));
        }
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), 6, "{kinds:?}");
        // The schema names all that may be written, so a new kind or field must stand on the page.
        let schema = serde_json::to_value(schemars::schema_for!(Scenario)).unwrap();
        for name in crate::definitions::property_names(&schema) {
            assert!(
                page.contains(&name),
                "docs/simulator.md says nothing of `{name}`"
            );
        }
        let mut help = Cli::command();
        let help = help.find_subcommand_mut("simulate").unwrap();
        let help = help.render_long_help().to_string();
        assert!(help.contains("docs/simulator.md"), "{help}");
        let yaml = help.split_once("a file such as\n").unwrap().1;
        let (yaml, _) = yaml.split_once("All kinds").unwrap();
        assert_eq!(Scenario::from_yaml(yaml).unwrap().incidents.len(), 1);
    }
}
