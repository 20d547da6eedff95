//! What happens by itself: judging, and carrying messages out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tillwatch_collect::{Clock, SystemClock};
use tillwatch_monitor::channel::Courier;
use tillwatch_monitor::watch::Watch;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often monitors look for complete buckets, and the courier for messages.
const PERIOD: Duration = Duration::from_secs(1);

/// A running clockwork: one thread that judges, because that blocks, and one task that carries.
///
/// Both run as long as the server; what they work with is put in and taken out, so that changing
/// definitions cannot fail for want of a thread.
pub struct Ticker {
    work: Arc<Work>,
    stopping: Arc<AtomicBool>,
    judge: std::thread::JoinHandle<()>,
    stop: watch::Sender<bool>,
    carry: JoinHandle<()>,
}

/// What is worked with. Each lock is held during a round, so that taking it out waits for the round.
#[derive(Default)]
struct Work {
    watch: Mutex<Option<Arc<Watch>>>,
    courier: tokio::sync::Mutex<Option<Arc<Courier>>>,
}

impl Work {
    fn set_watch(&self, next: Option<Arc<Watch>>) {
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }

    fn judge(&self) {
        let watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watch) = watch.as_ref() {
            watch.judge(SystemClock.now_us());
        }
    }

    /// Takes the courier out, once what is under way has ended.
    async fn set_down(&self) {
        if let Some(courier) = self.courier.lock().await.take()
            && let Err(error) = courier.settle(SystemClock.now_us()).await
        {
            tracing::error!(%error, "what was under way could not be written down");
        }
    }

    async fn carry(&self) {
        let courier = self.courier.lock().await;
        if let Some(courier) = courier.as_ref()
            && let Err(error) = courier.deliver_due(SystemClock.now_us()).await
        {
            tracing::error!(%error, "messages could not be carried out");
        }
    }
}

impl Ticker {
    /// Starts with nothing to do.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start() -> Result<Self> {
        let work = Arc::new(Work::default());
        let stopping = Arc::new(AtomicBool::new(false));
        let (stopped, judged) = (Arc::clone(&stopping), Arc::clone(&work));
        let judge = std::thread::Builder::new()
            .name("judge".to_owned())
            .spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    judged.judge();
                    std::thread::park_timeout(PERIOD);
                }
            })
            .context("the thread that judges cannot be started")?;
        let (stop, mut told) = watch::channel(false);
        let carried = Arc::clone(&work);
        let carry = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(PERIOD);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = ticks.tick() => {}
                    _ = told.changed() => return,
                }
                carried.carry().await;
            }
        });
        Ok(Self {
            work,
            stopping,
            judge,
            stop,
            carry,
        })
    }

    /// Takes what is worked with out. When this is done, nobody judges and nobody carries.
    pub async fn pause(&self) {
        let work = Arc::clone(&self.work);
        let paused = tokio::task::spawn_blocking(move || work.set_watch(None)).await;
        if paused.is_err() {
            tracing::error!("pausing the monitors panicked");
        }
        self.work.set_down().await;
    }

    /// Puts in what is worked with from now on, after [`Self::pause`] or at the start.
    pub async fn go_on(&self, watch: Arc<Watch>, courier: Arc<Courier>) {
        *self.work.courier.lock().await = Some(courier);
        self.work.set_watch(Some(watch));
        self.judge.thread().unpark();
    }

    /// Whether there is something to judge by.
    #[cfg(test)]
    pub fn is_at_work(&self) -> bool {
        let watch = self.work.watch.lock();
        watch.unwrap_or_else(PoisonError::into_inner).is_some()
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
        self.work.set_down().await;
    }
}
