//! From the acknowledgement of an event to its figure at a live client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use serde_json::Value;
use tokio::sync::mpsc;

use super::child::Child;
use super::workload::{EVENTS_A_BODY, Workload};

/// A push that takes longer than this is a fault, not a figure.
const DEADLINE: Duration = Duration::from_secs(10);
/// A payment provider that only the measured events have.
const PSP: &str = "bench";

/// Measured times.
pub struct Times(Vec<f64>);

impl Times {
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

/// Times `pushes` events while `load` other events a second arrive.
///
/// # Errors
/// A push does not come.
pub async fn measure(workload: &Arc<Workload>, pushes: u32, load: f64) -> Result<Times> {
    let child = Arc::new(Child::start().await?);
    let mut seen = listen(&child).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let background = tokio::spawn(press(
        Arc::clone(&child),
        Arc::clone(workload),
        load,
        Arc::clone(&stop),
    ));
    let mut times = Vec::new();
    for number in 1..=pushes {
        child.post(event(number).into()).await?;
        let acknowledged = Instant::now();
        loop {
            let pushed = tokio::time::timeout(DEADLINE, seen.recv())
                .await
                .context("a push did not come within ten seconds")?
                .context("the live stream ended")?;
            if pushed.count >= f64::from(number) {
                times.push(
                    pushed
                        .at
                        .saturating_duration_since(acknowledged)
                        .as_secs_f64()
                        * 1_000.0,
                );
                break;
            }
        }
        // Not in step with the server's own rhythm.
        tokio::time::sleep(Duration::from_millis(u64::from(number * 37 % 91))).await;
    }
    stop.store(true, Ordering::Relaxed);
    background.await??;
    times.sort_by(f64::total_cmp);
    Ok(Times(times))
}

/// Sends bodies at a steady rate until told to stop.
async fn press(
    child: Arc<Child>,
    workload: Arc<Workload>,
    load: f64,
    stop: Arc<AtomicBool>,
) -> Result<()> {
    if load <= 0.0 {
        return Ok(());
    }
    let mut ticks = tokio::time::interval(Duration::from_secs_f64(EVENTS_A_BODY as f64 / load));
    for body in workload.bodies().iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        ticks.tick().await;
        child.post(body.clone()).await?;
    }
    Ok(())
}

struct Pushed {
    count: f64,
    at: Instant,
}

/// Follows the number of attempts of our provider.
async fn listen(child: &Child) -> Result<mpsc::Receiver<Pushed>> {
    let url = format!(
        "{}/v1/metrics/attempt_count/live?from=2026-10-31T00:00:00Z&to=2026-11-03T00:00:00Z&step=1h&where=psp:{PSP}",
        child.address()
    );
    let answer = child.client().get(url).send().await?;
    if !answer.status().is_success() {
        bail!("the live stream was refused: {}", answer.text().await?);
    }
    let (told, seen) = mpsc::channel(1_024);
    tokio::spawn(async move {
        let mut bytes = answer.bytes_stream();
        let mut text = String::new();
        while let Some(Ok(chunk)) = bytes.next().await {
            let at = Instant::now();
            text.push_str(&String::from_utf8_lossy(&chunk));
            while let Some((message, rest)) = text.split_once("\n\n") {
                let count = count(message);
                text = rest.to_owned();
                if let Some(count) = count
                    && told.send(Pushed { count, at }).await.is_err()
                {
                    return;
                }
            }
        }
    });
    Ok(seen)
}

/// The newest figure of a message.
fn count(message: &str) -> Option<f64> {
    let data = message
        .lines()
        .find_map(|line| line.strip_prefix("data:"))?;
    let document: Value = serde_json::from_str(data.trim()).ok()?;
    let points = document.pointer("/series/0/points")?.as_array()?;
    points
        .iter()
        .filter_map(|point| point.get(1)?.as_f64())
        .reduce(f64::max)
}

fn event(number: u32) -> String {
    format!(
        "{{\"event_id\":\"bench_{number}\",\"occurred_at\":\"2026-11-01T12:00:00Z\",\"payment_id\":\"p{number}\",\"customer_id\":\"c\",\"channel\":\"web\",\"initiator\":\"customer\",\"attempt\":1,\"amount\":\"1.00\",\"currency\":\"EUR\",\"psp\":\"{PSP}\",\"method\":\"card\",\"issuer\":\"bank_01\",\"issuer_country\":\"DE\",\"country\":\"DE\",\"status\":\"approved\",\"latency_ms\":100}}\n"
    )
}
