//! How many calls bring events at a time, shared fairly between streams.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tillwatch_collect::FairShares;

/// The places of calls that bring events.
#[derive(Debug, Clone)]
pub(crate) struct IngestPlaces {
    shares: Arc<Mutex<FairShares>>,
}

/// A place; given back when dropped.
#[derive(Debug)]
pub(crate) struct IngestPlace {
    places: IngestPlaces,
    stream: String,
}

impl IngestPlaces {
    pub(crate) fn new(places_max: usize) -> Self {
        Self {
            shares: Arc::new(Mutex::new(FairShares::new(places_max))),
        }
    }

    fn shares(&self) -> MutexGuard<'_, FairShares> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_streams(&self, streams: usize) {
        self.shares().set_streams(streams);
    }

    /// A place for a call of this stream, unless its share is taken.
    pub(crate) fn take(&self, stream: &str) -> Option<IngestPlace> {
        self.shares().take(stream, 1).ok()?;
        Some(IngestPlace {
            places: self.clone(),
            stream: stream.to_owned(),
        })
    }
}

impl Drop for IngestPlace {
    fn drop(&mut self) {
        self.places.shares().give_back(&self.stream, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_takes_all_it_gets_leaves_places_to_others() {
        let places = IngestPlaces::new(8);
        places.set_streams(2);
        let flood: Vec<_> = std::iter::from_fn(|| places.take("flood")).collect();
        assert_eq!(flood.len(), 4);
        let calm: Vec<_> = std::iter::from_fn(|| places.take("calm")).collect();
        assert!(calm.len() >= 3, "{}", calm.len());
        drop((flood, calm));
        assert_eq!(places.shares().total(), 0);
    }
}
