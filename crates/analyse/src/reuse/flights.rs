//! Computations under way, each waited for by all who asked for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use super::Question;
use super::kept::Kept;
use crate::error::AnalyseError;

/// How a computation has ended.
pub(super) type Outcome<A> = Result<Arc<Kept<A>>, AnalyseError>;

/// One computation. Of those who wait for the cell the first computes; when it goes before it is done, the next.
type Flight<A> = OnceCell<Outcome<A>>;

/// A computation that can be joined.
#[derive(Debug)]
struct Open<A> {
    flight: Arc<Flight<A>>,
    /// How many wait for it.
    seats: usize,
}

/// The computations that somebody waits for.
#[derive(Debug)]
pub(super) struct Flights<Q, A> {
    under_way: Mutex<HashMap<Q, Open<A>>>,
}

impl<Q, A> Default for Flights<Q, A> {
    fn default() -> Self {
        Self {
            under_way: Mutex::default(),
        }
    }
}

impl<Q: Question, A> Flights<Q, A> {
    fn lock(&self) -> MutexGuard<'_, HashMap<Q, Open<A>>> {
        // Entries come and go whole.
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place among those who wait for a question's answer.
    pub(super) fn join<'a>(&'a self, question: &'a Q) -> Seat<'a, Q, A> {
        let mut under_way = self.lock();
        let open = under_way.entry(question.clone()).or_insert_with(|| Open {
            flight: Arc::new(Flight::new()),
            seats: 0,
        });
        open.seats += 1;
        let flight = Arc::clone(&open.flight);
        drop(under_way);
        Seat {
            flights: self,
            question,
            flight,
        }
    }

    #[cfg(test)]
    pub(super) fn seats(&self) -> usize {
        self.lock().values().map(|open| open.seats).sum()
    }
}

/// A place among those who wait for an answer.
pub(super) struct Seat<'a, Q: Question, A> {
    flights: &'a Flights<Q, A>,
    question: &'a Q,
    flight: Arc<Flight<A>>,
}

impl<Q: Question, A> Seat<'_, Q, A> {
    pub(super) fn flight(&self) -> &Flight<A> {
        &self.flight
    }

    /// Lets nobody join any more: whoever asks from now on may have to see more than this computation has.
    pub(super) fn close(&self) {
        let mut under_way = self.flights.lock();
        if (under_way.get(self.question)).is_some_and(|open| self.is_of(open)) {
            under_way.remove(self.question);
        }
    }

    fn is_of(&self, open: &Open<A>) -> bool {
        Arc::ptr_eq(&open.flight, &self.flight)
    }
}

impl<Q: Question, A> Drop for Seat<'_, Q, A> {
    /// The last to leave takes a computation along that nobody has finished.
    fn drop(&mut self) {
        let mut under_way = self.flights.lock();
        let Some(open) = under_way.get_mut(self.question) else {
            return;
        };
        if self.is_of(open) {
            open.seats -= 1;
            if open.seats == 0 {
                under_way.remove(self.question);
            }
        }
    }
}
