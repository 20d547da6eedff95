//! Events per second of each stream, from samples of its counter.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::documents::StreamStatus;

/// How far back a rate looks.
const SPAN: Duration = Duration::from_secs(10);

/// Samples of the streams' counters over the last ten seconds.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    samples: HashMap<String, VecDeque<(Instant, u64)>>,
}

impl Rates {
    /// Takes note of the counters at an instant and forgets what is too old and streams that are gone.
    pub(crate) fn sample(&mut self, at: Instant, streams: &[StreamStatus]) {
        self.samples
            .retain(|name, _| streams.iter().any(|s| s.name == *name));
        for stream in streams {
            let kept = self.samples.entry(stream.name.clone()).or_default();
            kept.push_back((at, stream.events));
            while kept
                .get(1)
                .is_some_and(|(second, _)| at.duration_since(*second) >= SPAN)
            {
                kept.pop_front();
            }
        }
    }

    /// Events per second between the oldest and the newest sample; 0 while there are fewer than two.
    pub(crate) fn per_second(&self, stream: &str) -> f64 {
        let Some(kept) = self.samples.get(stream) else {
            return 0.0;
        };
        let (Some((from, before)), Some((to, now))) = (kept.front(), kept.back()) else {
            return 0.0;
        };
        let seconds = to.duration_since(*from).as_secs_f64();
        if seconds <= 0.0 {
            return 0.0;
        }
        // A reload counts anew, so the counter may be lower than it was.
        let rate = now.saturating_sub(*before) as f64 / seconds;
        (rate * 10.0).round() / 10.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(name: &str, events: u64) -> StreamStatus {
        StreamStatus {
            name: name.into(),
            events,
            ..StreamStatus::default()
        }
    }

    #[test]
    fn a_rate_looks_back_ten_seconds_and_no_further() {
        let start = Instant::now();
        let mut rates = Rates::default();
        assert_eq!(rates.per_second("a"), 0.0);
        for second in 0..30_u64 {
            let events = if second < 10 {
                1_000 * second
            } else {
                10_000 + 5 * (second - 10)
            };
            rates.sample(start + Duration::from_secs(second), &[stream("a", events)]);
        }
        assert_eq!(rates.per_second("a"), 5.0);
        assert_eq!(rates.per_second("b"), 0.0);
    }

    #[test]
    fn a_counter_that_starts_anew_is_no_negative_rate() {
        let start = Instant::now();
        let mut rates = Rates::default();
        rates.sample(start, &[stream("a", 100)]);
        rates.sample(start + Duration::from_secs(1), &[stream("a", 0)]);
        assert_eq!(rates.per_second("a"), 0.0);
        rates.sample(start + Duration::from_secs(2), &[]);
        assert!(rates.samples.is_empty());
    }
}
