//! `bench`: how fast this machine takes events, and how soon live clients see them.
//!
//! Every figure comes from the real program: a server is started as a child process on a free
//! port with a fresh data folder, fed over HTTP, and its CPU time is read from the system. Decoding
//! alone is measured in the same run, so that the share of it does not depend on the machine.

mod child;
mod decode;
mod delay;
mod file;
mod forecast;
mod latency;
mod live;
mod nab;
mod rootcause;
mod viewers;
mod workload;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use tillwatch_collect::{DecodeLimits, Decoder, Format};

use crate::cli::{Bench, BenchAll, BenchPart};
use crate::definitions::{Folder, load::finish};
use crate::terminal::{self, thousands};
use child::Child;
use latency::Times;
use workload::Workload;

/// The stream that is fed.
const STREAM: &str = "payments";
/// How long a server is kept busy to know what it takes for long: history is flushed some times.
const SUSTAINED_TIME: Duration = Duration::from_secs(30);
/// How much of that arrives while latency is measured.
const LOADS_PERCENT: [f64; 4] = [0.0, 10.0, 50.0, 80.0];
/// Requests under way at once.
const REQUESTS_AT_ONCE: usize = 4;

/// Measures and prints, or does the part that is asked for.
pub async fn run(options: Bench) -> Result<ExitCode> {
    match options.part {
        None => all(options.all).await,
        Some(BenchPart::Workload(options)) => {
            tokio::task::spawn_blocking(move || file::write(&options)).await?
        }
        Some(BenchPart::Decode(options)) => {
            tokio::task::spawn_blocking(move || decode::run(&options)).await?
        }
        Some(BenchPart::Nab(options)) => {
            tokio::task::spawn_blocking(move || nab::bench(&options)).await?
        }
        Some(BenchPart::Rootcause(options)) => {
            tokio::task::spawn_blocking(move || rootcause::bench(&options)).await?
        }
        Some(BenchPart::Forecast(options)) => {
            tokio::task::spawn_blocking(move || forecast::bench(&options)).await?
        }
        Some(BenchPart::Delay(options)) => {
            tokio::task::spawn_blocking(move || delay::bench(&options)).await?
        }
    }
}

async fn all(options: BenchAll) -> Result<ExitCode> {
    let workload = Arc::new(Workload::new(options.events));
    terminal::line(format!(
        "workload: {} payment events of {} bytes on average, {} a request, 2 % sent twice; the pack `payments` with all its cubes",
        thousands(options.events),
        workload.bytes() / options.events.max(1),
        workload::EVENTS_A_BODY,
    ));
    let decode = median(options.runs, || decode_only(&workload))?;
    terminal::line(format!(
        "decode only:  {} events per CPU second",
        thousands(decode as u64)
    ));
    let mut rates = Vec::new();
    let mut walls = Vec::new();
    for _ in 0..options.runs {
        let (per_cpu_s, per_s) = ingest(&workload).await?;
        rates.push(per_cpu_s);
        walls.push(per_s);
    }
    let (rate, wall) = (middle(&mut rates), middle(&mut walls));
    terminal::line(format!(
        "ingest:       {} events per CPU second (HTTP, decoded, deduplicated, journal with fsync, cubes), {} a second by the clock",
        thousands(rate as u64),
        thousands(wall as u64),
    ));
    terminal::line(format!(
        "              {:.0} % of decode only",
        100.0 * rate / decode
    ));
    let sustained = latency::sustained(&workload, SUSTAINED_TIME).await?;
    terminal::line(format!(
        "sustained:    {} new events a second for {} s, history written meanwhile, the sender on the same processors",
        thousands(sustained as u64),
        SUSTAINED_TIME.as_secs(),
    ));
    for percent in LOADS_PERCENT {
        let latency =
            latency::measure(&workload, options.pushes, sustained * percent / 100.0).await?;
        let figures =
            |times: &Times| format!("p50 {:.0} ms, p99 {:.0} ms", times.at(0.50), times.at(0.99));
        terminal::line(format!(
            "acknowledged at {percent:.0} % load ({} new events a second taken of {} meant) → pushed: {}; → in an answer of /v1/metrics: {}; {} of each",
            thousands(latency.taken_per_s as u64),
            thousands((sustained * percent / 100.0) as u64),
            figures(&latency.pushed),
            figures(&latency.visible),
            latency.pushed.count(),
        ));
    }
    live(options.clients as usize, options.pushes).await?;
    let board = viewers::refresh(&workload, options.pushes).await?;
    terminal::line(format!(
        "a board of {} panels in one request: after an event p50 {:.1} ms, p99 {:.1} ms; again p50 {:.1} ms, p99 {:.1} ms",
        viewers::PANELS,
        board.changed.at(0.50),
        board.changed.at(0.99),
        board.same.at(0.50),
        board.same.at(0.99),
    ));
    Ok(ExitCode::SUCCESS)
}

/// What one and what many live clients of one question cost.
async fn live(clients: usize, pushes: u32) -> Result<()> {
    for clients in [1, clients] {
        let viewed = viewers::watch(clients, pushes).await?;
        terminal::line(format!(
            "{clients} live clients of one metric: {:.1} computations and {:.1} ms of CPU time an event; pushed p50 {:.0} ms, p99 {:.0} ms",
            viewed.computed,
            viewed.cpu_ms,
            viewed.pushed.at(0.50),
            viewed.pushed.at(0.99),
        ));
    }
    Ok(())
}

/// Events per CPU second of decoding alone, on one thread.
fn decode_only(workload: &Workload) -> Result<f64> {
    let mut folder = Folder::default();
    folder.add("bench.yaml".into(), child::DEFINITIONS, true);
    let Ok(loaded) = finish(folder, &|_| None) else {
        bail!("the built-in packs are at fault")
    };
    let definition = loaded
        .streams
        .iter()
        .find(|stream| stream.schema.name == STREAM);
    let schema = &definition.context("the pack has no payments")?.schema;
    let decoder = Decoder::new(Arc::clone(schema), DecodeLimits::default())?;
    let before = child::cpu_seconds("self")?;
    for body in workload.bodies() {
        let decoded = decoder.decode(&Format::Ndjson, body)?;
        if decoded.rejected > 0 {
            bail!("the workload has rejected lines");
        }
    }
    Ok(workload.sent() as f64 / (child::cpu_seconds("self")? - before).max(0.01))
}

/// Events per CPU second and per second of a server.
async fn ingest(workload: &Workload) -> Result<(f64, f64)> {
    let child = Child::start().await?;
    let before = child.cpu_seconds()?;
    let started = Instant::now();
    let accepted: u64 = stream::iter(workload.bodies())
        .map(|body| child.post(body.clone()))
        .buffer_unordered(REQUESTS_AT_ONCE)
        .try_fold(0, async |sum, accepted| Ok(sum + accepted))
        .await?;
    let seconds = started.elapsed().as_secs_f64();
    let cpu = child.cpu_seconds()? - before;
    drop(child);
    if accepted != workload.events() {
        bail!(
            "{accepted} events were accepted instead of {}",
            workload.events()
        );
    }
    Ok((
        workload.sent() as f64 / cpu.max(0.01),
        workload.sent() as f64 / seconds.max(0.001),
    ))
}

fn median(runs: u32, mut run: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut figures = Vec::new();
    for _ in 0..runs {
        figures.push(run()?);
    }
    Ok(middle(&mut figures))
}

/// The median; 0 of nothing.
fn middle(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}
