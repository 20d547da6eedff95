//! From the acknowledgement of an event to its figure: pushed to a live client, and in an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::task::JoinSet;

use super::REQUESTS_AT_ONCE;
use super::child::Child;
use super::live::{DEADLINE, LiveClient, event, newest, question};
use super::workload::{EVENTS_A_BODY, Workload};

/// Measured times.
#[derive(Debug, Default)]
pub struct Times(Vec<f64>);

impl Times {
    /// Adds one.
    pub fn add(&mut self, time: Duration) {
        let ms = time.as_secs_f64() * 1_000.0;
        let place = self.0.partition_point(|earlier| *earlier < ms);
        self.0.insert(place, ms);
    }

    /// A quantile in milliseconds.
    #[must_use]
    pub fn at(&self, quantile: f64) -> f64 {
        let rank = ((self.0.len() as f64 - 1.0) * quantile).round().max(0.0) as usize;
        self.0.get(rank).copied().unwrap_or(0.0)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// How long events took to be seen.
#[derive(Debug, Default)]
pub struct Latency {
    /// Until a live client was pushed them.
    pub pushed: Times,
    /// Until an answer to a question asked after the acknowledgement had them.
    pub visible: Times,
    /// New events a second that were taken meanwhile.
    pub taken_per_s: f64,
}

/// Times `pushes` events pushed and as many asked for, while `load` other events a second arrive.
///
/// # Errors
/// A push does not come, or an answer lacks an event that was acknowledged before the question.
pub async fn measure(workload: &Arc<Workload>, pushes: u32, load: f64) -> Result<Latency> {
    let child = Arc::new(Child::start().await?);
    let mut client = LiveClient::connect(&child).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let background = tokio::spawn(press(
        Arc::clone(&child),
        Arc::clone(workload),
        load,
        Arc::clone(&stop),
    ));
    let mut latency = Latency::default();
    for number in 1..=2 * pushes {
        child.post(event(number).into()).await?;
        let acknowledged = Instant::now();
        // In turns, as asking has what waits aggregated, and would hurry the push along.
        if number % 2 == 0 {
            ask(&child, number).await?;
            latency.visible.add(acknowledged.elapsed());
        } else {
            let at = client.until(number).await?;
            let took = at.saturating_duration_since(acknowledged);
            latency.pushed.add(took);
        }
        // Not in step with the server's own rhythm.
        tokio::time::sleep(Duration::from_millis(u64::from(number * 37 % 91))).await;
    }
    stop.store(true, Ordering::Relaxed);
    latency.taken_per_s = background.await??;
    Ok(latency)
}

/// Asks for the figure, which holds every event that was acknowledged.
async fn ask(child: &Child, number: u32) -> Result<()> {
    let url = format!("{}/v1/metrics/{}", child.address(), question());
    let asked = child.client().get(url).timeout(DEADLINE).send().await?;
    let document = asked.error_for_status()?.text().await?;
    let count = newest(&document).context("an answer without a figure")?;
    if count < f64::from(number) {
        bail!("{number} events were acknowledged, and the answer has {count}");
    }
    Ok(())
}

/// New events a second that a server takes for so long, history and all, when they come as fast as it takes them.
///
/// # Errors
/// An event is refused.
pub async fn sustained(workload: &Arc<Workload>, time: Duration) -> Result<f64> {
    let child = Arc::new(Child::start().await?);
    let stop = Arc::new(AtomicBool::new(false));
    let pressing = tokio::spawn(press(
        child,
        Arc::clone(workload),
        f64::INFINITY,
        Arc::clone(&stop),
    ));
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    pressing.await?
}

/// Sends bodies at a steady rate, or as fast as they are taken, until told to stop, each with events that are new, and gives how many events a second
/// were taken.
async fn press(
    child: Arc<Child>,
    workload: Arc<Workload>,
    load: f64,
    stop: Arc<AtomicBool>,
) -> Result<f64> {
    if load <= 0.0 {
        return Ok(0.0);
    }
    let began = Instant::now();
    let pause = Duration::from_secs_f64(EVENTS_A_BODY as f64 / load);
    let mut ticks = tokio::time::interval(pause.max(Duration::from_micros(1)));
    let mut under_way = JoinSet::new();
    let mut taken = 0;
    for number in 0_usize.. {
        let bodies = workload.bodies();
        let lap = number / bodies.len().max(1);
        let body = bodies.get(number % bodies.len().max(1));
        let (false, Some(body)) = (stop.load(Ordering::Relaxed), body) else {
            break;
        };
        let body = Workload::again(body, lap);
        ticks.tick().await;
        // As many at once as when it was measured what is taken as fast as it comes.
        if under_way.len() >= REQUESTS_AT_ONCE
            && let Some(answered) = under_way.join_next().await
        {
            taken += answered??;
        }
        let child = Arc::clone(&child);
        under_way.spawn(async move { child.post(body).await });
    }
    while let Some(answered) = under_way.join_next().await {
        taken += answered??;
    }
    Ok(taken as f64 / began.elapsed().as_secs_f64())
}
