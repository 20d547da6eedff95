//! One computation for everybody who asks the same, and its answer again for as long as it holds.
//!
//! Two things must never happen: that an answer lacks what was acknowledged before it was asked for, and that
//! somebody waits for one who has gone. So an answer carries the version of the cube that it was computed from, which
//! was read before the cube was. Whoever takes an answer that another has begun looks whether it is as new as the
//! version at the time of asking, or else whether nothing has changed since in what it reads. And whoever
//! computes does so for as long as it is waited for by itself: when it goes, the next of those who wait computes.

mod flights;
mod kept;
#[cfg(test)]
mod tests;

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tillwatch_event::MemoryBudget;

use self::flights::{Flights, Outcome, Seat};
use self::kept::{Kept, KeptAnswers};
use crate::error::AnalyseError;
use crate::source::Changing;

/// An answer that can be given again.
pub(crate) trait Answer: Send + Sync + 'static {
    /// The version of what it was computed from, read before that was.
    fn version(&self) -> u64;
    /// The starts of the buckets it was computed from: `from ≤ t < to`.
    fn read_us(&self) -> (i64, i64);
    /// What it takes of the memory.
    fn bytes(&self) -> usize;
}

/// What answers are known by.
pub(crate) trait Question: Hash + Eq + Clone + Send + Sync + 'static {
    /// What it takes of the memory.
    fn bytes(&self) -> usize;
}

/// How often answers were computed, and how often that was not needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReuseStatus {
    /// Computations begun.
    pub computed: u64,
    /// Answers given that were kept.
    pub reused: u64,
    /// Answers given that another had asked for at the same time.
    pub shared: u64,
    /// Answers kept.
    pub kept: u64,
    /// Bytes of memory they take.
    pub kept_bytes: u64,
}

/// The answers under way and those that are kept.
#[derive(Debug)]
pub(crate) struct Reuse<Q, A> {
    flights: Flights<Q, A>,
    /// None when nothing is to be kept.
    kept: Option<KeptAnswers<Q, A>>,
    computed: AtomicU64,
    reused: AtomicU64,
    shared: AtomicU64,
}

impl<Q: Question, A: Answer> Reuse<Q, A> {
    /// Keeps at most so many bytes of answers, out of the memory that the process shares.
    pub(crate) fn new(bytes_max: usize, memory: &MemoryBudget) -> Self {
        Self {
            flights: Flights::default(),
            kept: (bytes_max > 0).then(|| KeptAnswers::new(bytes_max, memory)),
            computed: AtomicU64::new(0),
            reused: AtomicU64::new(0),
            shared: AtomicU64::new(0),
        }
    }

    pub(crate) fn status(&self) -> ReuseStatus {
        let (kept, kept_bytes) = self.kept.as_ref().map_or((0, 0), |kept| kept.size());
        ReuseStatus {
            computed: self.computed.load(Ordering::Relaxed),
            reused: self.reused.load(Ordering::Relaxed),
            shared: self.shared.load(Ordering::Relaxed),
            kept,
            kept_bytes,
        }
    }

    /// The answer to a question over a cube, with everything that the cube had been told of before this call.
    ///
    /// Dropping the future gives up the computation, unless it is another's. `compute` may be called again when
    /// what another has computed is too old.
    ///
    /// # Errors
    /// What `compute` fails with, also when it was called for another who asked the same; but that another's time
    /// is up is not passed on.
    pub(crate) async fn answer<W>(
        &self,
        question: &Q,
        cube: &dyn Changing,
        compute: impl Fn() -> W,
    ) -> Result<Arc<A>, AnalyseError>
    where
        W: Future<Output = Result<A, AnalyseError>>,
    {
        let asked_at = cube.version();
        if let Some(kept) = self.kept(question, cube) {
            return Ok(kept.answer());
        }
        loop {
            let seat = self.flights.join(question);
            let mut leads = false;
            let outcome = seat
                .flight()
                .get_or_try_init(|| {
                    leads = true;
                    self.lead(&seat, question, cube, &compute)
                })
                .await?;
            let kept = outcome.as_ref().map_err(Clone::clone)?;
            if leads {
                return Ok(kept.answer());
            }
            if kept.is_as_new_as(asked_at) || kept.holds(cube) {
                self.shared.fetch_add(1, Ordering::Relaxed);
                return Ok(kept.answer());
            }
            // It had been begun before a change that was acknowledged before we asked. The next one has not.
        }
    }

    /// Computes for all who wait. A failure is theirs too, and of nobody who asks later.
    async fn lead<W>(
        &self,
        seat: &Seat<'_, Q, A>,
        question: &Q,
        cube: &dyn Changing,
        compute: &impl Fn() -> W,
    ) -> Result<Outcome<A>, AnalyseError>
    where
        W: Future<Output = Result<A, AnalyseError>>,
    {
        // Somebody may have finished since we looked.
        if let Some(kept) = self.kept(question, cube) {
            seat.close();
            return Ok(Ok(kept));
        }
        self.computed.fetch_add(1, Ordering::Relaxed);
        let (reshaped, _) = cube.reshaped();
        let outcome = match compute().await {
            Ok(answer) => Ok(Arc::new(Kept::new(answer, reshaped))),
            // Those who wait have time left, so the next of them tries.
            Err(error @ AnalyseError::Deadline { .. }) => return Err(error),
            Err(error) => Err(error),
        };
        if let (Some(answers), Ok(kept)) = (&self.kept, &outcome) {
            answers.keep(question, kept);
        }
        seat.close();
        Ok(outcome)
    }

    /// The kept answer to a question, if it still holds.
    fn kept(&self, question: &Q, cube: &dyn Changing) -> Option<Arc<Kept<A>>> {
        let kept = self.kept.as_ref()?.get(question)?;
        if !kept.holds(cube) {
            return None;
        }
        self.reused.fetch_add(1, Ordering::Relaxed);
        Some(kept)
    }
}
