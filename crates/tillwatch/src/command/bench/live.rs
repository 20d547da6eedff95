//! A live client of a server: what it is sent, and when.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use serde_json::Value;
use tokio::sync::mpsc;

use super::child::Child;

/// A push or an answer that takes longer than this is a fault, not a figure.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// A payment provider that only the measured events have.
const PSP: &str = "bench";

/// The question that is followed: how many payments of our provider there are.
pub fn question() -> String {
    format!(
        "attempt_count?from=2026-10-31T00:00:00Z&to=2026-11-03T00:00:00Z&step=1h&where=psp:{PSP}"
    )
}

/// A payment of our provider.
pub fn event(number: u32) -> String {
    format!(
        "{{\"event_id\":\"bench_{number}\",\"occurred_at\":\"2026-11-01T12:00:00Z\",\"payment_id\":\"p{number}\",\"customer_id\":\"c\",\"channel\":\"web\",\"initiator\":\"customer\",\"attempt\":1,\"amount\":\"1.00\",\"currency\":\"EUR\",\"psp\":\"{PSP}\",\"method\":\"card\",\"issuer\":\"bank_01\",\"issuer_country\":\"DE\",\"country\":\"DE\",\"status\":\"approved\",\"latency_ms\":100}}\n"
    )
}

/// The newest figure of a series document.
pub fn newest(document: &str) -> Option<f64> {
    let document: Value = serde_json::from_str(document).ok()?;
    let points = document.pointer("/series/0/points")?.as_array()?;
    points
        .iter()
        .filter_map(|point| point.get(1)?.as_f64())
        .reduce(f64::max)
}

/// A count that was pushed, and when it came.
struct Pushed {
    count: f64,
    at: Instant,
}

/// A client that follows the question.
pub struct LiveClient(mpsc::Receiver<Pushed>);

impl LiveClient {
    /// Begins to follow.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn connect(child: &Child) -> Result<Self> {
        let path = question().replacen('?', "/live?", 1);
        let url = format!("{}/v1/metrics/{path}", child.address());
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
                    let data = message.lines().find_map(|line| line.strip_prefix("data:"));
                    let count = data.and_then(|data| newest(data.trim()));
                    text = rest.to_owned();
                    if let Some(count) = count
                        && told.send(Pushed { count, at }).await.is_err()
                    {
                        return;
                    }
                }
            }
        });
        Ok(Self(seen))
    }

    /// Waits until it was pushed so many payments, and gives when that was.
    ///
    /// # Errors
    /// The push does not come.
    pub async fn until(&mut self, count: u32) -> Result<Instant> {
        loop {
            let pushed = tokio::time::timeout(DEADLINE, self.0.recv())
                .await
                .context("a push did not come within ten seconds")?
                .context("the live stream ended")?;
            if pushed.count >= f64::from(count) {
                return Ok(pushed.at);
            }
        }
    }
}
