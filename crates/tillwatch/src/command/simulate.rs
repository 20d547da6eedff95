//! `simulate`: shop and payment traffic, to files, to standard output or to a server.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use tillwatch_collect::{Clock, SystemClock};
use tillwatch_testkit::simulate::{Scenario, SimulatedBatch, Simulator, SimulatorConfig, Stream};

use super::client::ServerClient;
use crate::cli::{Server, Simulate};
use crate::terminal::{self, thousands};

/// How often live traffic is sent.
const STEP: Duration = Duration::from_millis(200);
/// How much is simulated when nothing is said.
const LASTING: Duration = Duration::from_secs(86_400);

/// Makes the traffic.
pub async fn run(options: Simulate) -> Result<ExitCode> {
    check_stream(options.stream.as_deref())?;
    let now_us = SystemClock.now_us();
    let from_us = match &options.from {
        Some(text) => instant_us(text)?,
        None => now_us,
    };
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

fn check_stream(name: Option<&str>) -> Result<()> {
    let Some(name) = name else { return Ok(()) };
    let names = Stream::ALL.map(Stream::name);
    if names.contains(&name) {
        return Ok(());
    }
    let hint = crate::definitions::folder::nearest_name(name, names);
    bail!(
        "no stream '{name}' is simulated; {}",
        hint.unwrap_or_else(|| format!("the streams are {}", names.join(", ")))
    )
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

/// An RFC 3339 instant or a day, in microseconds since 1970.
fn instant_us(text: &str) -> Result<i64> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant.as_microsecond());
    }
    let day: jiff::civil::Date = text.parse().with_context(|| {
        format!("'{text}' is no time; write 2026-01-01 or 2026-01-01T12:00:00Z")
    })?;
    Ok(day
        .to_zoned(jiff::tz::TimeZone::UTC)?
        .timestamp()
        .as_microsecond())
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
