//! The demo's traffic: history through the normal way in, then live, then trouble.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use tillwatch_collect::{Clock, Format, Intake, IntakeError, SubmitMeta, SystemClock};
use tillwatch_monitor::catalogue::IncidentFilter;
use tillwatch_monitor::figure::Slice;
use tillwatch_monitor::incident::IncidentState;
use tillwatch_testkit::simulate::{
    Incident, IncidentKind, SEASON_FLOOR_MAX, SeasonFloor, SimulatedBatch, Simulator,
    SimulatorConfig, SliceLoad,
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
/// What shows the trouble.
const TROUBLED_METRIC: &str = "authorization_rate";
/// First attempts a minute that the issuer gets through the provider at least, so that a minute of
/// trouble is enough to be sure of it at three in the morning too.
const ATTEMPTS_PER_MINUTE_MIN: f64 = 20.0;
/// An incident that ended less than this ago would be opened again instead of a new one.
const LATELY_US: i64 = 40 * 60 * 1_000_000;
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

    /// Goes live; a busy issuer of one provider fails soon. Ends after `stop_after`, if that is given.
    pub async fn live(&mut self, stop_after: Option<Duration>) -> Result<()> {
        let now_us = SystemClock.now_us();
        let told = self.told(now_us)?;
        let ordinary = Simulator::new(self.config.clone(), self.seed)?;
        let place = place(ordinary.average_loads(), &told).context("nobody pays")?;
        let config = SimulatorConfig {
            season_floor: Some(floor(&place, self.from_us)),
            ..self.config.clone()
        };
        let trouble = trouble(&place, now_us);
        let simulator = Simulator::with_incidents(config, self.seed, vec![trouble.clone()])?;
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

    /// Where incidents like ours are open, or were lately.
    fn told(&self, now_us: i64) -> Result<Vec<Slice>> {
        let watch = self.generation.watch();
        let incidents = watch.catalogue().incidents(&IncidentFilter::default())?;
        Ok(incidents
            .into_iter()
            .filter(|incident| incident.metric == TROUBLED_METRIC)
            .filter(|incident| {
                incident.state != IncidentState::Resolved
                    || incident
                        .resolved_at_us
                        .is_some_and(|at| at > now_us - LATELY_US)
            })
            .map(|incident| incident.slice)
            .collect())
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

/// The busiest slice that a new incident can be told of: none of `told` holds it, and none is of the same issuer, with
/// which it would be told as one. When there is no such slice, the busiest.
fn place(loads: Vec<SliceLoad>, told: &[Slice]) -> Option<SliceLoad> {
    let new = |load: &SliceLoad| {
        let slice = Slice::from([("psp", load.psp), ("issuer", load.issuer)]);
        let issuer = Slice::from([("issuer", load.issuer)]);
        !told
            .iter()
            .any(|known| known.covers(&slice) || issuer.covers(known))
    };
    let found = loads.iter().position(new).unwrap_or(0);
    loads.into_iter().nth(found)
}

/// The quietest the live traffic may be from `from_us` on, so that this slice has enough.
fn floor(place: &SliceLoad, from_us: i64) -> SeasonFloor {
    let level = ATTEMPTS_PER_MINUTE_MIN / place.attempts_per_minute;
    SeasonFloor {
        from_us,
        level: level.clamp(0.0, SEASON_FLOOR_MAX),
    }
}

/// The incident, soon after `now_us`.
fn trouble(place: &SliceLoad, now_us: i64) -> Incident {
    let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    let from_us = now_us + micros(TROUBLE_AFTER);
    Incident {
        from_us,
        to_us: from_us + micros(TROUBLE_LASTS),
        kind: IncidentKind::IssuerDecline {
            psp: place.psp.to_owned(),
            issuer: place.issuer.to_owned(),
            approval: TROUBLE_APPROVAL,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_US: i64 = 3_600_000_000;
    /// Monday 2026-11-02T00:00:00Z.
    const MONDAY_US: i64 = 1_793_577_600_000_000;

    fn loads(events_per_day: u64) -> Vec<SliceLoad> {
        let config = SimulatorConfig {
            events_per_day,
            ..SimulatorConfig::default()
        };
        Simulator::new(config, 1).unwrap().average_loads()
    }

    #[test]
    fn the_issuer_that_fails_has_enough_traffic_at_every_hour_of_the_week() {
        for events_per_day in [1_000, 400_000, 5_000_000] {
            let place = place(loads(events_per_day), &[]).unwrap();
            let config = SimulatorConfig {
                events_per_day,
                season_floor: Some(floor(&place, MONDAY_US)),
                ..SimulatorConfig::default()
            };
            let simulator = Simulator::new(config, 1).unwrap();
            for hour in 0..7 * 24 {
                let now = simulator.loads(MONDAY_US + hour * HOUR_US);
                let here = now
                    .iter()
                    .find(|load| load.psp == place.psp && load.issuer == place.issuer)
                    .unwrap();
                assert!(
                    here.attempts_per_minute >= ATTEMPTS_PER_MINUTE_MIN - 1e-9,
                    "{events_per_day} a day, hour {hour}: {here:?}"
                );
            }
        }
    }

    #[test]
    fn a_later_start_fails_where_no_incident_is_open() {
        let first = place(loads(400_000), &[]).unwrap();
        let open = Slice::from([("psp", first.psp), ("issuer", first.issuer)]);
        let second = place(loads(400_000), std::slice::from_ref(&open)).unwrap();
        assert_ne!(second.issuer, first.issuer);
        // A provider that is down as a whole holds all its issuers.
        let wide = Slice::from([("psp", first.psp)]);
        let third = place(loads(400_000), &[open, wide]).unwrap();
        assert_ne!(third.psp, first.psp);
        assert_ne!(third.issuer, first.issuer);
        // Everything holds everything: then the busiest again.
        let all = Slice::default();
        assert_eq!(place(loads(400_000), &[all]), Some(first));
    }
}
