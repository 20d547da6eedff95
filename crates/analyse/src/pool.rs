//! The threads that plan and run queries: large stacks, few of them, apart from everything else.
//!
//! Planning recurses over the query and may take long without ever yielding, so it must neither run
//! on a thread with an ordinary stack nor on one that serves requests. A worker that is stuck in a
//! plan keeps its permit until it is really done, so abandoned work is counted too.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::error::AnalyseError;
use crate::limits::WORKER_STACK_BYTES;

/// Threads of our own with a bounded number of running and waiting queries.
#[derive(Debug)]
pub(crate) struct WorkerPool {
    runtime: Option<Runtime>,
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
}

impl WorkerPool {
    pub(crate) fn start(
        name: &str,
        workers: usize,
        running_max: usize,
        waiting_max: usize,
    ) -> Result<Self, AnalyseError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(workers.max(1))
            // Blocking threads read the journal for raw scans; one per running query suffices.
            .max_blocking_threads(running_max.max(1) * 4)
            .thread_stack_size(WORKER_STACK_BYTES)
            .thread_name(name)
            .enable_time()
            .build()
            .map_err(AnalyseError::internal)?;
        Ok(Self {
            runtime: Some(runtime),
            running: Arc::new(Semaphore::new(running_max.max(1))),
            waiting: AtomicUsize::new(0),
            waiting_max,
        })
    }

    /// Runs `work` on a worker and waits for it, at most `deadline` in all. Dropping the returned
    /// future cancels the work at its next point of yielding.
    ///
    /// The caller needs a tokio runtime with time, because the deadline must not depend on a worker
    /// being free to notice it.
    pub(crate) async fn run<T, F>(&self, deadline: Duration, work: F) -> Result<T, AnalyseError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, AnalyseError>> + Send + 'static,
    {
        let late = AnalyseError::late(deadline);
        let until = Instant::now() + deadline;
        let Ok(permit) = timeout_at(until, self.permit()).await else {
            return Err(late);
        };
        let permit = permit?;
        let Some(runtime) = &self.runtime else {
            return Err(AnalyseError::Busy);
        };
        let mut task = CancelOnDrop(runtime.spawn(async move {
            let answer = work.await;
            drop(permit);
            answer
        }));
        match timeout_at(until, &mut task.0).await {
            Err(_) => Err(late),
            Ok(Ok(answer)) => answer,
            Ok(Err(failed)) => Err(AnalyseError::internal(failed)),
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, AnalyseError> {
        if let Ok(permit) = Arc::clone(&self.running).try_acquire_owned() {
            return Ok(permit);
        }
        let _waiting = Waiting::enter(&self.waiting, self.waiting_max)?;
        Arc::clone(&self.running)
            .acquire_owned()
            .await
            .map_err(AnalyseError::internal)
    }
}

/// Does `work` on a thread with a worker's stack and waits for it: the expressions of definitions are
/// planned like queries, and whoever loads them has an ordinary stack.
pub(crate) fn with_large_stack<T: Send>(
    work: impl FnOnce() -> T + Send,
) -> Result<T, AnalyseError> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("tillwatch-plan".to_owned())
            .stack_size(WORKER_STACK_BYTES)
            .spawn_scoped(scope, work)
            .map_err(AnalyseError::internal)?
            .join()
            .map_err(|_| AnalyseError::internal("planning panicked"))
    })
}

impl Drop for WorkerPool {
    fn drop(&mut self) {
        // Waiting for the workers here would block whoever drops us, possibly an async thread.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct CancelOnDrop<T>(JoinHandle<T>);

impl<T> Drop for CancelOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize, max: usize) -> Result<Self, AnalyseError> {
        let entered = Self(count);
        if count.fetch_add(1, Ordering::Relaxed) >= max {
            return Err(AnalyseError::Busy);
        }
        Ok(entered)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    const LONG: Duration = Duration::from_secs(20);

    fn pool(running: usize, waiting: usize) -> WorkerPool {
        WorkerPool::start("test-sql", 1, running, waiting).unwrap()
    }

    #[tokio::test]
    async fn work_past_its_deadline_is_an_error_and_is_cancelled() {
        struct Flag(Arc<AtomicBool>);
        impl Drop for Flag {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let pool = pool(1, 1);
        let dropped = Arc::new(AtomicBool::new(false));
        let flag = Flag(Arc::clone(&dropped));
        let answer = pool
            .run(Duration::from_millis(20), async move {
                let _flag = flag;
                std::future::pending::<Result<(), AnalyseError>>().await
            })
            .await;
        assert_eq!(answer, Err(AnalyseError::Deadline { deadline_ms: 20 }));
        // The only permit comes back, so the next piece of work runs; by then the first is gone.
        assert_eq!(pool.run(LONG, async { Ok(1) }).await, Ok(1));
        assert!(dropped.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn one_too_many_waiting_is_told_to_come_back() {
        let pool = Arc::new(pool(1, 1));
        let (release, held) = tokio::sync::oneshot::channel::<()>();
        let first = {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move {
                pool.run(LONG, async move {
                    held.await.ok();
                    Ok(1)
                })
                .await
            })
        };
        while pool.running.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let second = {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { pool.run(LONG, async { Ok(2) }).await })
        };
        while pool.waiting.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(
            pool.run(LONG, async { Ok(3) }).await,
            Err(AnalyseError::Busy)
        );
        release.send(()).unwrap();
        assert_eq!(first.await.unwrap(), Ok(1));
        assert_eq!(second.await.unwrap(), Ok(2));
    }

    #[tokio::test]
    async fn a_panic_in_a_worker_is_an_error_and_the_pool_lives_on() {
        let pool = pool(1, 1);
        let answer: Result<(), _> = pool.run(LONG, async { panic!("a fault of ours") }).await;
        assert_eq!(answer, Err(AnalyseError::Internal));
        assert_eq!(pool.run(LONG, async { Ok(1) }).await, Ok(1));
    }

    #[tokio::test]
    async fn workers_have_stacks_for_deep_recursion() {
        fn deep(n: u64) -> u64 {
            let frame = std::hint::black_box([n; 512]);
            if n == 0 {
                frame[0]
            } else {
                deep(n - 1) + frame[511] - n
            }
        }
        // About 24 MiB of frames, three times an ordinary main thread's stack.
        assert_eq!(pool(1, 1).run(LONG, async { Ok(deep(6_000)) }).await, Ok(0));
    }
}
