//! A server of our own as a child process.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use reqwest::Client;
use serde_json::Value;
use tillwatch_collect::outgoing::http_client;

use super::STREAM;

/// What the server runs by.
pub const DEFINITIONS: &str = "packs: [payments]\n";
/// The system counts CPU time in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running server with a fresh data folder.
pub struct Child {
    process: std::process::Child,
    address: String,
    client: Client,
    _folder: tempfile::TempDir,
}

impl Child {
    /// Starts one and waits until it is ready.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start() -> Result<Self> {
        tokio::task::spawn_blocking(Self::begin).await?
    }

    fn begin() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("definitions");
        std::fs::create_dir(&config)?;
        std::fs::write(config.join("bench.yaml"), DEFINITIONS)?;
        let mut process = Command::new(std::env::current_exe()?)
            .args(["serve", "--listen", "127.0.0.1:0", "--config"])
            .arg(&config)
            .arg("--data")
            .arg(folder.path().join("data"))
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().context("the server has no output")?;
        let mut child = Self {
            process,
            address: String::new(),
            client: http_client(Client::builder)?,
            _folder: folder,
        };
        let mut lines = BufReader::new(output).lines();
        for line in lines.by_ref() {
            let line = line?;
            if let Some((_, found)) = line.split_once("http://") {
                child.address = format!("http://{}", found.trim());
            }
            if line == "ready" {
                // What it says later is read and dropped, or it would wait for a reader.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(child);
            }
        }
        bail!("the server did not start")
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Posts a body and gives the number of new events.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn post(&self, body: Bytes) -> Result<u64> {
        let answer = self
            .client
            .post(format!("{}/v1/streams/{STREAM}/events", self.address))
            .header("Content-Type", "application/x-ndjson")
            .body(body)
            .send()
            .await?;
        let status = answer.status();
        let receipt: Value = answer.json().await?;
        if !status.is_success() || receipt.get("rejected").and_then(Value::as_u64) != Some(0) {
            bail!("the server answered {status}: {receipt}");
        }
        receipt
            .get("accepted")
            .and_then(Value::as_u64)
            .context("an answer without a count")
    }

    /// The CPU time it has used, in seconds.
    ///
    /// # Errors
    /// It has ended, or the system does not say.
    pub fn cpu_seconds(&self) -> Result<f64> {
        cpu_seconds(&self.process.id().to_string())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It holds nothing that outlives the measurement; one that has ended already is no fault.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// User and system time of a process, in seconds, from `/proc`.
///
/// # Errors
/// This system has no `/proc`.
pub fn cpu_seconds(process: &str) -> Result<f64> {
    let path = format!("/proc/{process}/stat");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("CPU time is read from {path}, which only Linux has"))?;
    // The program's name stands in parentheses and may hold blanks; the fields are counted after it.
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|f| f.parse::<u64>().ok())
        .sum();
    Ok(ticks as f64 / TICKS_PER_SECOND)
}
