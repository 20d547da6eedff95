//! The threads that talk to stores.

use std::io;
use std::sync::mpsc::sync_channel;

use tokio::runtime::{Builder, Runtime};

use crate::HistoryError;

/// Most threads beside the workers, which Delta's log replay takes while it waits for reads.
const BLOCKING_THREADS_MAX: usize = 64;

/// A runtime of our own. Callers hand a future over and wait for its result: they may stand inside a runtime
/// themselves, in which nobody may block on another one.
#[derive(Debug)]
pub(crate) struct Io {
    runtime: Option<Runtime>,
}

impl Io {
    pub(crate) fn start(threads: usize) -> Result<Self, HistoryError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .max_blocking_threads(BLOCKING_THREADS_MAX)
            .thread_name("history-io")
            .enable_all()
            .build()
            .map_err(HistoryError::Threads)?;
        Ok(Self {
            runtime: Some(runtime),
        })
    }

    /// Runs a future on our threads and waits for it.
    pub(crate) fn run<F>(&self, future: F) -> Result<F::Output, HistoryError>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let stopped = || HistoryError::Threads(io::Error::other("a thread stopped in its work"));
        let runtime = self.runtime.as_ref().ok_or_else(stopped)?;
        let (sender, receiver) = sync_channel(1);
        runtime.spawn(async move {
            // Who asked may be gone; then nobody wants the result.
            let _ = sender.send(future.await);
        });
        receiver.recv().map_err(|_| stopped())
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        // The last handle may go away inside another runtime, where waiting is not allowed.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
