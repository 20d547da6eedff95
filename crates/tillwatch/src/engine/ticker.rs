//! What happens by itself: judging, and carrying messages out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tillwatch_collect::{Clock, SystemClock};
use tillwatch_monitor::channel::Courier;
use tillwatch_monitor::watch::Watch;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often monitors look for complete buckets, and the courier for messages.
const PERIOD: Duration = Duration::from_secs(1);

/// A running clockwork.
pub struct Ticker {
    stopping: Arc<AtomicBool>,
    judge: std::thread::JoinHandle<()>,
    stop: watch::Sender<bool>,
    carry: JoinHandle<()>,
}

impl Ticker {
    /// Starts judging on a thread of its own, because it blocks, and carrying on the runtime.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(watch: Arc<Watch>, courier: Arc<Courier>) -> Result<Self> {
        let stopping = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stopping);
        let judge = std::thread::Builder::new()
            .name("judge".to_owned())
            .spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    watch.judge(SystemClock.now_us());
                    std::thread::park_timeout(PERIOD);
                }
            })
            .context("the thread that judges cannot be started")?;
        let (stop, mut told) = watch::channel(false);
        let carry = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(PERIOD);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = ticks.tick() => {}
                    _ = told.changed() => return,
                }
                if let Err(error) = courier.deliver_due(SystemClock.now_us()).await {
                    tracing::error!(%error, "messages could not be carried out");
                }
            }
        });
        Ok(Self {
            stopping,
            judge,
            stop,
            carry,
        })
    }

    /// Stops both, letting what is under way finish.
    pub async fn stop(self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.judge.thread().unpark();
        self.stop.send_replace(true);
        let judge = self.judge;
        let judged = tokio::task::spawn_blocking(move || judge.join().is_ok()).await;
        if !matches!(judged, Ok(true)) {
            tracing::error!("the thread that judges panicked");
        }
        if self.carry.await.is_err() {
            tracing::error!("the courier panicked");
        }
    }
}
