//! The demo's traffic: history through the normal way in, then live, then trouble.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use tillwatch_collect::{Clock, Format, Intake, IntakeError, SubmitMeta, SystemClock};
use tillwatch_testkit::simulate::{
    Incident, IncidentKind, SimulatedBatch, Simulator, SimulatorConfig,
};
use tokio::sync::mpsc;

use crate::cli::Demo;
use crate::engine::{Engine, Generation};
use crate::terminal::{self, thousands};

/// How often live events are sent.
const STEP: Duration = Duration::from_millis(200);
/// When the issuer begins to decline, after going live.
const TROUBLE_AFTER: Duration = Duration::from_secs(15);
/// How long it declines.
const TROUBLE_LASTS: Duration = Duration::from_secs(10 * 60);
/// The share it still approves.
const TROUBLE_APPROVAL: f64 = 0.05;
/// Batches between making, decoding and taking.
const BATCHES_AHEAD: usize = 3;
/// What arrived up to this long before the last event may be missing when a run was cut off. Ids count once.
const OVERLAP_US: i64 = 3_600_000_000;

/// The demo's traffic.
pub struct Traffic {
    config: SimulatorConfig,
    seed: u64,
    generation: Arc<Generation>,
    intake: Arc<Intake>,
    from_us: i64,
}

impl Traffic {
    /// Traffic for an engine that has recovered; it goes on where the data ends.
    pub async fn new(engine: &Engine, options: &Demo) -> Result<Self> {
        let generation = engine
            .generation()
            .await
            .context("the demo has not recovered")?;
        let intake = engine
            .intake()
            .await
            .context("the demo has not recovered")?;
        let status = generation.processor().status();
        let last = status
            .streams
            .iter()
            .filter_map(|stream| stream.last_event_us)
            .max();
        let days = i64::from(options.days) * 86_400_000_000;
        let first = SystemClock.now_us() - days;
        let from_us = last.map_or(first, |last| (last - OVERLAP_US).max(first));
        if last.is_some() {
            terminal::line("  found the data of an earlier start; going on from there");
        }
        let config = SimulatorConfig {
            events_per_day: options.events_per_day,
            ..SimulatorConfig::default()
        };
        Ok(Self {
            config,
            seed: options.seed,
            generation,
            intake,
            from_us,
        })
    }

    /// Fills everything up to now.
    pub async fn fill(&mut self) -> Result<()> {
        let simulator = Simulator::new(self.config.clone(), self.seed)?;
        let started = Instant::now();
        let to_us = SystemClock.now_us();
        let bar = ProgressBar::new(u64::try_from(to_us - self.from_us).unwrap_or(0));
        let style =
            ProgressStyle::with_template("  history   [{bar:40}] {percent}% {msg}, {eta} left");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("━╸ "));
        }
        // Making, decoding and taking go on side by side, with a few batches between them.
        let (made, mut batches) = mpsc::channel(BATCHES_AHEAD);
        let from_us = self.from_us;
        let making = tokio::task::spawn_blocking(move || {
            for batch in simulator.batches(from_us, to_us) {
                if made.blocking_send(batch).is_err() {
                    break;
                }
            }
        });
        let mut events = 0;
        {
            let traffic = &*self;
            let taken = stream::poll_fn(|context| batches.poll_recv(context))
                .map(|batch| async move {
                    let upto_us = batch.to_us;
                    traffic
                        .take(batch)
                        .await
                        .map(|accepted| (accepted, upto_us))
                })
                .buffered(BATCHES_AHEAD);
            let mut taken = std::pin::pin!(taken);
            while let Some((accepted, upto_us)) = taken.try_next().await? {
                events += accepted;
                bar.set_position(u64::try_from(upto_us - from_us).unwrap_or(0));
                bar.set_message(format!("{} events", thousands(events)));
            }
        }
        making.await.context("making the traffic panicked")?;
        bar.finish_and_clear();
        let seconds = started.elapsed().as_secs_f64().max(0.001);
        terminal::line(format!(
            "  history   {} events in {seconds:.1} s, {} a second",
            thousands(events),
            thousands((events as f64 / seconds) as u64)
        ));
        self.from_us = to_us;
        Ok(())
    }

    /// Goes live; the busiest issuer of one provider fails soon. Ends after `stop_after`, if that is given.
    pub async fn live(&mut self, stop_after: Option<Duration>) -> Result<()> {
        let now_us = SystemClock.now_us();
        let trouble = self.trouble(now_us)?;
        let simulator =
            Simulator::with_incidents(self.config.clone(), self.seed, vec![trouble.clone()])?;
        let mut feed = simulator.feed(self.from_us);
        let mut told = false;
        let started = Instant::now();
        while stop_after.is_none_or(|after| started.elapsed() < after) {
            let now_us = SystemClock.now_us();
            for batch in feed.advance(now_us) {
                self.take(batch).await?;
            }
            if !told && now_us >= trouble.from_us {
                told = true;
                if let IncidentKind::IssuerDecline {
                    psp,
                    issuer,
                    approval,
                } = &trouble.kind
                {
                    terminal::line(format!(
                        "incident  {issuer} now approves only {:.0} % of payments through {psp}; watch the board",
                        approval * 100.0
                    ));
                }
            }
            tokio::time::sleep(STEP).await;
        }
        Ok(())
    }

    fn trouble(&self, now_us: i64) -> Result<Incident> {
        let simulator = Simulator::new(self.config.clone(), self.seed)?;
        let busiest = simulator
            .loads(now_us)
            .into_iter()
            .next()
            .context("nobody pays")?;
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let from_us = now_us + micros(TROUBLE_AFTER);
        Ok(Incident {
            from_us,
            to_us: from_us + micros(TROUBLE_LASTS),
            kind: IncidentKind::IssuerDecline {
                psp: busiest.psp.to_owned(),
                issuer: busiest.issuer.to_owned(),
                approval: TROUBLE_APPROVAL,
            },
        })
    }

    /// Takes a batch the way a request's body is taken; gives the events that were new.
    async fn take(&self, batch: SimulatedBatch) -> Result<u64> {
        let decoder = self
            .generation
            .decoder(batch.stream)
            .with_context(|| format!("the packs have no stream '{}'", batch.stream))?;
        let body = Arc::new(batch.ndjson);
        loop {
            let (decoder, intake) = (Arc::clone(&decoder), Arc::clone(&self.intake));
            let (stream, body) = (batch.stream, Arc::clone(&body));
            let prepared = tokio::task::spawn_blocking(move || {
                let decoded = decoder.decode(&Format::Ndjson, &body)?;
                let meta = SubmitMeta {
                    source: Some("demo".to_owned()),
                    ..SubmitMeta::default()
                };
                Ok::<_, anyhow::Error>(intake.prepare(stream, decoded, meta)?)
            })
            .await??;
            match self.intake.submit_prepared(prepared).await {
                Ok(receipt) => return Ok(receipt.accepted),
                Err(IntakeError::Overloaded { retry_after, .. }) => {
                    tokio::time::sleep(retry_after).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
