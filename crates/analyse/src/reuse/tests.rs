//! One computation for all who ask, and never an answer that lacks what was there when it was asked for.

use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use futures::future::join_all;
use tillwatch_event::MemoryPart;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::*;
use crate::error::Fault;

const LONG: Duration = Duration::from_secs(20);

/// A cube of which only the changes are there.
#[derive(Default)]
struct Changes {
    log: Mutex<Vec<(i64, i64)>>,
    reshaped: Mutex<(u64, i64)>,
}

impl Changes {
    fn change(&self, first_us: i64, last_us: i64) {
        self.log.lock().unwrap().push((first_us, last_us));
    }
}

impl Changing for Changes {
    fn version(&self) -> u64 {
        self.log.lock().unwrap().len() as u64
    }

    fn changed_since(&self, version: u64) -> Option<(i64, i64)> {
        let log = self.log.lock().unwrap();
        let since = log.get(usize::try_from(version).unwrap()..)?;
        let first_us = since.iter().map(|(first, _)| *first).min()?;
        Some((first_us, since.iter().map(|(_, last)| *last).max()?))
    }

    fn reshaped(&self) -> (u64, i64) {
        *self.reshaped.lock().unwrap()
    }
}

/// An answer over the buckets from 0 to 100.
#[derive(Debug, PartialEq)]
struct Seen {
    version: u64,
    bytes: usize,
}

impl Answer for Seen {
    fn version(&self) -> u64 {
        self.version
    }

    fn read_us(&self) -> (i64, i64) {
        (0, 100)
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Question for u32 {
    fn bytes(&self) -> usize {
        4
    }
}

/// Computations that wait until they are let go.
struct Desk {
    reuse: Reuse<u32, Seen>,
    cube: Changes,
    begun: AtomicUsize,
    go: Semaphore,
    bytes: usize,
}

impl Desk {
    fn new(bytes_max: usize) -> Arc<Self> {
        Self::sharing(bytes_max, &MemoryBudget::unbounded(), 1_000)
    }

    fn sharing(bytes_max: usize, memory: &MemoryBudget, bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            reuse: Reuse::new(bytes_max, memory),
            cube: Changes::default(),
            begun: AtomicUsize::new(0),
            go: Semaphore::new(0),
            bytes,
        })
    }

    /// What is seen of the cube is fixed when the computation begins.
    async fn compute(&self) -> Result<Seen, AnalyseError> {
        let version = self.cube.version();
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.go.acquire().await.unwrap().forget();
        Ok(Seen {
            version,
            bytes: self.bytes,
        })
    }

    async fn compute_and_panic(&self) -> Result<Seen, AnalyseError> {
        self.compute().await?;
        panic!("a fault of ours")
    }

    async fn ask(&self, question: u32) -> Result<Arc<Seen>, AnalyseError> {
        let answer = (self.reuse).answer(&question, &self.cube, || self.compute());
        timeout(LONG, answer).await.expect("nobody answers")
    }

    fn asking(
        self: &Arc<Self>,
        question: u32,
    ) -> tokio::task::JoinHandle<Result<Arc<Seen>, AnalyseError>> {
        let desk = Arc::clone(self);
        tokio::spawn(async move { desk.ask(question).await })
    }

    /// Waits until so many computations have begun.
    async fn begun(&self, count: usize) {
        let wait = async {
            while self.begun.load(Ordering::SeqCst) < count {
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, wait).await.expect("it has not begun");
    }

    /// Waits until so many wait for answers of others.
    async fn seated(&self, seats: usize) {
        let wait = async {
            while self.reuse.flights.seats() < seats {
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, wait).await.expect("they do not wait");
    }
}

#[tokio::test]
async fn who_asks_the_same_at_the_same_time_shares_one_computation() {
    for bytes_max in [0, 1 << 20] {
        let desk = Desk::new(bytes_max);
        let asking: Vec<_> = (0..200).map(|_| desk.asking(1)).collect();
        desk.seated(200).await;
        desk.begun(1).await;
        desk.go.add_permits(1);
        for one in asking {
            assert_eq!(one.await.unwrap().unwrap().version, 0);
        }
        let status = desk.reuse.status();
        assert_eq!((status.computed, status.shared), (1, 199), "{bytes_max}");
        assert_eq!(desk.reuse.flights.seats(), 0);
    }
}

#[tokio::test]
async fn an_answer_is_given_again_until_something_it_reads_changes() {
    let desk = Desk::new(1 << 20);
    desk.go.add_permits(10);
    desk.ask(1).await.unwrap();
    desk.ask(1).await.unwrap();
    desk.cube.change(100, 200);
    desk.cube.change(-50, -1);
    // Both beside what it read; but together they span it, and only the span is known.
    desk.ask(1).await.unwrap();
    assert_eq!(desk.reuse.status().computed, 2);
    desk.cube.change(100, 200);
    let same = desk.ask(1).await.unwrap();
    assert_eq!((same.version, desk.reuse.status().computed), (2, 2));
    desk.cube.change(99, 99);
    assert_eq!(desk.ask(1).await.unwrap().version, 4);
    desk.cube.change(0, 0);
    assert_eq!(desk.ask(1).await.unwrap().version, 5);
    assert_eq!(desk.reuse.status().computed, 4);
}

#[tokio::test]
async fn buckets_that_were_joined_concern_only_answers_that_read_of_that_age() {
    let desk = Desk::new(1 << 20);
    desk.go.add_permits(10);
    desk.ask(1).await.unwrap();
    *desk.cube.reshaped.lock().unwrap() = (1, 0);
    desk.ask(1).await.unwrap();
    assert_eq!(desk.reuse.status().computed, 1, "it reads nothing so old");
    *desk.cube.reshaped.lock().unwrap() = (2, 1);
    desk.ask(1).await.unwrap();
    assert_eq!(desk.reuse.status().computed, 2);
}

#[tokio::test]
async fn a_computation_begun_before_a_change_answers_nobody_who_asks_after_it() {
    for bytes_max in [0, 1 << 20] {
        let desk = Desk::new(bytes_max);
        let before = desk.asking(1);
        desk.begun(1).await;
        desk.cube.change(50, 50);
        let after: Vec<_> = (0..20).map(|_| desk.asking(1)).collect();
        desk.seated(21).await;
        desk.go.add_permits(1);
        assert_eq!(before.await.unwrap().unwrap().version, 0);
        desk.begun(2).await;
        desk.seated(20).await;
        desk.go.add_permits(1);
        for one in after {
            assert_eq!(one.await.unwrap().unwrap().version, 1);
        }
        assert_eq!(desk.begun.load(Ordering::SeqCst), 2, "{bytes_max}");
    }
}

#[tokio::test]
async fn when_the_one_who_computes_goes_the_next_does_and_nobody_is_told() {
    let desk = Desk::new(1 << 20);
    let first = desk.asking(1);
    desk.begun(1).await;
    let second = desk.asking(1);
    desk.seated(2).await;
    let others: Vec<_> = (0..20).map(|_| desk.asking(1)).collect();
    desk.seated(22).await;
    first.abort();
    desk.begun(2).await;
    second.abort();
    desk.begun(3).await;
    desk.go.add_permits(1);
    for one in others {
        assert_eq!(one.await.unwrap().unwrap().version, 0);
    }
    assert_eq!(desk.reuse.flights.seats(), 0);
    // When all go, nothing is left behind.
    let alone = desk.asking(2);
    desk.begun(4).await;
    alone.abort();
    assert!(alone.await.unwrap_err().is_cancelled());
    assert_eq!(desk.reuse.flights.seats(), 0);
}

#[tokio::test]
async fn a_failure_is_told_to_all_who_wait_for_it_and_to_nobody_later() {
    let reuse: Reuse<u32, Seen> = Reuse::new(1 << 20, &MemoryBudget::unbounded());
    let cube = Changes::default();
    let computed = AtomicUsize::new(0);
    let failing = |error: AnalyseError| {
        computed.fetch_add(1, Ordering::SeqCst);
        async move {
            tokio::task::yield_now().await;
            Err(error)
        }
    };
    let wrong = || failing(AnalyseError::Invalid(Fault::new("too many points")));
    let answers = join_all((0..50).map(|_| reuse.answer(&1, &cube, wrong))).await;
    for answer in answers {
        assert!(matches!(answer, Err(AnalyseError::Invalid(_))));
    }
    assert_eq!(computed.load(Ordering::SeqCst), 1);
    reuse.answer(&1, &cube, wrong).await.unwrap_err();
    assert_eq!(computed.load(Ordering::SeqCst), 2, "it is tried again");
    // That the time of one is up says nothing of the others' time.
    let late = || failing(AnalyseError::late(LONG));
    let first = AtomicUsize::new(0);
    let mixed = || {
        let is_first = first.fetch_add(1, Ordering::SeqCst) == 0;
        let late = late();
        async move {
            if is_first {
                return late.await;
            }
            Ok(Seen {
                version: 0,
                bytes: 1,
            })
        }
    };
    let answers = join_all((0..50).map(|_| reuse.answer(&2, &cube, mixed))).await;
    let failed = answers.iter().filter(|answer| answer.is_err()).count();
    assert_eq!((failed, first.load(Ordering::SeqCst)), (1, 2));
    assert_eq!(reuse.flights.seats(), 0);
}

#[tokio::test]
async fn a_computation_that_panics_takes_nobody_along() {
    let desk = Desk::new(1 << 20);
    let panicking = {
        let desk = Arc::clone(&desk);
        tokio::spawn(async move {
            (desk.reuse)
                .answer(&1, &desk.cube, || desk.compute_and_panic())
                .await
        })
    };
    desk.begun(1).await;
    let waiting = desk.asking(1);
    desk.seated(2).await;
    desk.go.add_permits(2);
    assert!(panicking.await.unwrap_err().is_panic());
    assert_eq!(waiting.await.unwrap().unwrap().version, 0);
}

#[tokio::test]
async fn what_is_kept_stays_within_its_bytes_and_0_keeps_nothing() {
    let desk = Desk::new(20_000);
    desk.go.add_permits(10_000);
    for question in 0..1_000 {
        desk.ask(question).await.unwrap();
        let status = desk.reuse.status();
        assert!(status.kept_bytes <= 20_000, "{status:?}");
    }
    let status = desk.reuse.status();
    assert!((5..20).contains(&status.kept), "{status:?}");
    // One that is larger than all there is room for pushes nothing out.
    let large = Desk::sharing(20_000, &MemoryBudget::unbounded(), 30_000);
    large.go.add_permits(10);
    large.ask(1).await.unwrap();
    assert_eq!(large.reuse.status().kept, 0);
    let none = Desk::new(0);
    none.go.add_permits(10);
    none.ask(1).await.unwrap();
    none.ask(1).await.unwrap();
    let status = none.reuse.status();
    assert_eq!((status.computed, status.kept, status.kept_bytes), (2, 0, 0));
}

#[tokio::test]
async fn what_is_kept_gives_way_when_others_need_the_memory() {
    let memory = MemoryBudget::new(100_000);
    let desk = Desk::sharing(1 << 20, &memory, 1_000);
    desk.go.add_permits(1_000);
    for question in 0..200 {
        desk.ask(question).await.unwrap();
    }
    let held = |part: MemoryPart| {
        let parts = memory.status().parts;
        parts.iter().find(|p| p.part == part).unwrap().bytes
    };
    let before = desk.reuse.status();
    assert_eq!(held(MemoryPart::Caches) as u64, before.kept_bytes);
    assert!(before.kept > 10 && before.kept_bytes <= 100_000);
    let share = memory.reserve(MemoryPart::Queries, 70_000).unwrap();
    let after = desk.reuse.status();
    assert!(after.kept_bytes <= 30_000, "{after:?}");
    drop(share);
}
