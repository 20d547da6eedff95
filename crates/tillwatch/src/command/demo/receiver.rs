//! The demo's on-call service: takes webhooks, checks their signature and prints them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use rand::RngExt;
use serde_json::Value;
use tillwatch_collect::{Clock, SystemClock};
use tillwatch_monitor::channel::signature::verify;
use tillwatch_monitor::definition::Secret;
use tokio::net::TcpListener;

use crate::terminal;

/// A webhook of ours is a few kilobytes.
const BODY_BYTES_MAX: usize = 256 << 10;
/// How old a signature may be.
const TOLERANCE_S: i64 = 300;
/// Idempotency keys remembered.
const KEYS_MAX: usize = 1_000;

/// A receiver on a free loopback port.
pub struct Receiver {
    address: SocketAddr,
    secret: String,
}

struct Seen {
    secret: Secret,
    keys: Mutex<Vec<String>>,
}

impl Receiver {
    /// Starts it with a secret made for this run.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn start() -> Result<Self> {
        let secret: String = {
            let mut random = rand::rng();
            (0..32)
                .map(|_| format!("{:02x}", random.random::<u8>()))
                .collect()
        };
        let key = Secret::from_bytes(secret.clone().into_bytes())
            .map_err(|fault| anyhow::anyhow!("{fault}"))?;
        let seen = Arc::new(Seen {
            secret: key,
            keys: Mutex::default(),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .route("/on-call", post(take))
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(seen);
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the demo's receiver ended");
            }
        });
        Ok(Self { address, secret })
    }

    /// Where to post.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/on-call", self.address)
    }

    /// The secret to sign with.
    #[must_use]
    pub fn secret(&self) -> String {
        self.secret.clone()
    }
}

async fn take(State(seen): State<Arc<Seen>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let signature = header("tillwatch-signature").unwrap_or_default();
    let now_s = SystemClock.now_us() / 1_000_000;
    if verify(&seen.secret, signature, &body, now_s, TOLERANCE_S).is_err() {
        terminal::line("webhook   refused: its signature is wrong");
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(message) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    let key = header("idempotency-key").unwrap_or_default().to_owned();
    let mut keys = seen.keys.lock().unwrap_or_else(PoisonError::into_inner);
    if keys.contains(&key) {
        return StatusCode::OK;
    }
    if keys.len() >= KEYS_MAX {
        keys.remove(0);
    }
    keys.push(key);
    let text = |path: &str| {
        message
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    terminal::line(format!(
        "webhook   {} [{}] {} (signature verified) {}",
        text("/kind"),
        text("/incident/severity"),
        text("/incident/summary"),
        text("/link"),
    ));
    StatusCode::OK
}
