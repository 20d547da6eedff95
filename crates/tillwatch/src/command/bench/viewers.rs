//! Many who look at the same: live clients of one metric, and boards.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::child::Child;
use super::latency::Times;
use super::live::{DEADLINE, LiveClient, event};
use super::workload::Workload;

/// Connections that are made at once.
const CONNECTS_AT_ONCE: usize = 16;
/// The panels of a board, each a metric of the pack by the hour, over two days.
pub const PANELS: usize = 24;
const PANEL_METRICS: [&str; 6] = [
    "attempt_count",
    "authorization_rate",
    "decline_rate",
    "attempts_per_payment",
    "payment_success_rate",
    "acceptance_rate",
];
const PANEL_SLICES: [&str; 4] = ["", "&by=psp", "&by=method", "&by=issuer"];

/// What live clients of one question cost and wait.
pub struct Viewed {
    /// From the acknowledgement to the push, of every event at every client.
    pub pushed: Times,
    /// CPU time of the server for an event and its pushes, in milliseconds.
    pub cpu_ms: f64,
    /// How often the server computed the question for an event.
    pub computed: f64,
}

/// Has so many clients follow one question, and sends `pushes` events.
///
/// # Errors
/// A client is refused, or a push does not reach it.
pub async fn watch(clients: usize, pushes: u32) -> Result<Viewed> {
    let child = Child::start().await?;
    let mut all: Vec<LiveClient> = stream::iter(0..clients)
        .map(|_| LiveClient::connect(&child))
        .buffer_unordered(CONNECTS_AT_ONCE)
        .try_collect()
        .await?;
    let mut pushed = Times::default();
    // The first one makes what all that follow use again.
    let mut from = (child.cpu_seconds()?, computations(&child).await?);
    for number in 1..=pushes + 1 {
        child.post(event(number).into()).await?;
        let acknowledged = Instant::now();
        for client in &mut all {
            let at = client.until(number).await?;
            if number > 1 {
                pushed.add(at.saturating_duration_since(acknowledged));
            }
        }
        if number == 1 {
            from = (child.cpu_seconds()?, computations(&child).await?);
        }
        tokio::time::sleep(Duration::from_millis(u64::from(number * 37 % 91))).await;
    }
    let (cpu, computed) = from;
    let each = f64::from(pushes.max(1));
    let after = computations(&child).await?;
    Ok(Viewed {
        pushed,
        cpu_ms: (child.cpu_seconds()? - cpu) * 1_000.0 / each,
        computed: (after - computed) / each,
    })
}

/// How often a question for a series was computed, as the server's own metrics say.
async fn computations(child: &Child) -> Result<f64> {
    let url = format!("{}/metrics", child.address());
    let text = child.client().get(url).send().await?.text().await?;
    let name = "tillwatch_series_computations_total";
    let mut found = text.lines().filter_map(|line| line.strip_prefix(name));
    let value = found.find_map(|value| value.trim().parse().ok());
    value.with_context(|| format!("the server does not tell {name}"))
}

/// How long a board of [`PANELS`] panels takes to refresh.
#[derive(Debug, Default)]
pub struct Board {
    /// In one request, when nothing has changed.
    pub same: Times,
    /// In one request, after an event.
    pub changed: Times,
}

/// Loads the workload and refreshes a board.
///
/// # Errors
/// A panel is refused.
pub async fn refresh(workload: &Workload, rounds: u32) -> Result<Board> {
    let child = Child::start().await?;
    for body in workload.bodies() {
        child.post(body.clone()).await?;
    }
    let mut query = String::new();
    for panel in 0..PANELS {
        let metric = PANEL_METRICS.get(panel % PANEL_METRICS.len());
        let slice = PANEL_SLICES.get(panel / PANEL_METRICS.len());
        let (metric, slice) = metric.zip(slice).context("a panel without a metric")?;
        let question =
            format!("{metric}?from=2026-10-31T00:00:00Z&to=2026-11-02T00:00:00Z&step=1h{slice}");
        let escaped = question.replace('?', "%3F").replace('&', "%26");
        let _ = write!(
            query,
            "{}q={}",
            if panel > 0 { "&" } else { "" },
            escaped.replace('=', "%3D")
        );
    }
    let url = format!("{}/v1/series?{query}", child.address());
    let mut board = Board::default();
    for number in 1..=rounds {
        child.post(event(number).into()).await?;
        for times in [&mut board.changed, &mut board.same] {
            let asked = Instant::now();
            let answer = child.client().get(&url).timeout(DEADLINE).send().await?;
            let answer: Value = answer.error_for_status()?.json().await?;
            times.add(asked.elapsed());
            check(&answer)?;
        }
    }
    Ok(board)
}

fn check(answer: &Value) -> Result<()> {
    let panels = answer.get("answers").and_then(Value::as_array);
    let panels = panels.context("an answer without panels")?;
    let full = panels
        .iter()
        .filter(|panel| panel.get("series").is_some())
        .count();
    if full != PANELS {
        bail!("{full} of {PANELS} panels were answered: {answer}");
    }
    Ok(())
}
