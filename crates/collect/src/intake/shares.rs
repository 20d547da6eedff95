//! A fixed amount of something, shared fairly between streams.
//!
//! A quarter of the amount is set aside in equal parts, one for each stream there is: what a stream takes
//! within its own part it always gets, whatever the others have taken. The rest is shared by those who come.
//! Of it a stream gets no more than would be left for one stream more than there are at work, so that
//! whoever comes next finds more than its own part as well.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The part of the whole that is set aside for streams, as a divisor.
const SET_ASIDE: usize = 4;

/// An amount that streams take from and give back to. Who uses it from several threads puts a lock around it.
#[derive(Debug)]
pub struct FairShares {
    amount_max: usize,
    streams: usize,
    taken: BTreeMap<Arc<str>, usize>,
    total: usize,
}

/// Why nothing was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// More than one stream may ever have.
    Never {
        /// The most it may have.
        amount_max: usize,
    },
    /// Too much is taken at present, by this stream or by all together.
    NotNow,
}

impl FairShares {
    /// Nothing is taken of `amount_max`, and one stream is known.
    #[must_use]
    pub fn new(amount_max: usize) -> Self {
        Self {
            amount_max,
            streams: 1,
            taken: BTreeMap::new(),
            total: 0,
        }
    }

    /// How many streams there are: for each of them a part is set aside.
    pub fn set_streams(&mut self, streams: usize) {
        self.streams = streams.max(1);
    }

    /// What is set aside for each stream.
    #[must_use]
    pub fn set_aside(&self) -> usize {
        self.part(self.streams.max(self.taken.len()))
    }

    fn part(&self, streams: usize) -> usize {
        self.amount_max / SET_ASIDE / streams.max(1)
    }

    /// Takes `amount` for a stream.
    ///
    /// # Errors
    /// [`Refusal`]; then nothing was taken.
    pub fn take(&mut self, stream: &str, amount: usize) -> Result<(), Refusal> {
        let before = self.taken.get(stream).copied();
        let mine = before.unwrap_or(0);
        let others = self.taken.len() - usize::from(before.is_some());
        let streams = self.streams.max(others + 1);
        let part = self.part(streams);
        let amount_max = self.amount_max - part * (streams - 1);
        if amount > amount_max {
            return Err(Refusal::Never { amount_max });
        }
        if self.total + amount > self.amount_max {
            return Err(Refusal::NotNow);
        }
        if mine + amount > part {
            let idle = part * (streams - 1 - others);
            let others_unused: usize = self
                .taken
                .iter()
                .filter(|(other, _)| other.as_ref() != stream)
                .map(|(_, used)| part.saturating_sub(*used))
                .sum();
            if self.total + amount + idle + others_unused > self.amount_max {
                return Err(Refusal::NotNow);
            }
            // One of which nothing waits may go beyond its share, or a large request never went.
            let shared = self.amount_max - part * streams;
            let share = part + shared / (others + 2).min(streams);
            if mine > 0 && mine + amount > share {
                return Err(Refusal::NotNow);
            }
        }
        self.total += amount;
        match self.taken.get_mut(stream) {
            Some(taken) => *taken += amount,
            None => {
                self.taken.insert(Arc::from(stream), amount);
            }
        }
        Ok(())
    }

    /// Gives back what was taken for a stream.
    pub fn give_back(&mut self, stream: &str, amount: usize) {
        self.total = self.total.saturating_sub(amount);
        if let Some(taken) = self.taken.get_mut(stream) {
            *taken = taken.saturating_sub(amount);
            if *taken == 0 {
                self.taken.remove(stream);
            }
        }
    }

    /// What all streams have taken.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// What one stream has taken.
    #[must_use]
    pub fn of(&self, stream: &str) -> usize {
        self.taken.get(stream).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_lone_stream_may_have_everything() {
        let mut shares = FairShares::new(100);
        for _ in 0..10 {
            shares.take("a", 10).unwrap();
        }
        assert_eq!(shares.take("a", 1), Err(Refusal::NotNow));
        assert_eq!(
            shares.take("a", 101),
            Err(Refusal::Never { amount_max: 100 })
        );
        shares.give_back("a", 10);
        shares.take("a", 10).unwrap();
    }

    #[test]
    fn one_that_floods_leaves_a_share_to_whoever_comes_next() {
        for streams in [2, 3, 20] {
            let mut shares = FairShares::new(1_200);
            shares.set_streams(streams);
            let names: Vec<String> = (0..streams).map(|n| format!("s{n}")).collect();
            // Each in turn takes all it gets, one by one; the next still gets its share of what is shared.
            for (at, name) in names.iter().enumerate() {
                let mut got = 0;
                while shares.take(name, 1).is_ok() {
                    got += 1;
                }
                assert!(got >= 1_200 / SET_ASIDE / streams, "{got} of {streams}");
                if at == 1 {
                    assert!(got >= 1_200 / 4, "{got} for the second of {streams}");
                }
            }
            assert!(shares.total() <= 1_200);
        }
    }

    #[test]
    fn a_large_request_goes_when_nothing_of_its_stream_waits() {
        let mut shares = FairShares::new(100);
        shares.set_streams(2);
        // 12 are set aside for the other.
        shares.take("a", 88).unwrap();
        assert_eq!(shares.take("a", 1), Err(Refusal::NotNow));
        shares.take("b", 12).unwrap();
        assert_eq!(shares.take("b", 89), Err(Refusal::Never { amount_max: 88 }));
    }

    proptest! {
        /// An oracle that keeps a plain list of what was taken: never more than the whole, and never a
        /// refusal within what is set aside.
        #[test]
        fn never_more_than_the_whole_and_always_what_is_set_aside(
            amount_max in 1_usize..5_000,
            streams in 1_usize..12,
            steps in proptest::collection::vec((0_usize..12, 1_usize..1_500, any::<bool>()), 1..300),
        ) {
            let mut shares = FairShares::new(amount_max);
            shares.set_streams(streams);
            let mut held: Vec<(String, usize)> = Vec::new();
            for (who, amount, give) in steps {
                if give && !held.is_empty() {
                    let (stream, amount) = held.remove(amount % held.len());
                    shares.give_back(&stream, amount);
                    continue;
                }
                let stream = format!("s{}", who % streams);
                let mine: usize = held.iter().filter(|(s, _)| *s == stream).map(|(_, a)| a).sum();
                let total: usize = held.iter().map(|(_, a)| a).sum();
                prop_assert_eq!(shares.of(&stream), mine);
                prop_assert_eq!(shares.total(), total);
                match shares.take(&stream, amount) {
                    Ok(()) => {
                        prop_assert!(total + amount <= amount_max);
                        held.push((stream, amount));
                    }
                    Err(_) => prop_assert!(mine + amount > amount_max / SET_ASIDE / streams),
                }
            }
            for (stream, amount) in held {
                shares.give_back(&stream, amount);
            }
            prop_assert_eq!(shares.total(), 0);
            prop_assert!(shares.taken.is_empty());
        }

        /// With nothing waiting, everything up to the most of one stream is taken: no request that is
        /// not refused for good hears "later" for ever.
        #[test]
        fn what_is_not_refused_for_good_goes_when_nothing_waits(
            amount_max in 1_usize..5_000,
            streams in 1_usize..12,
            amount in 1_usize..6_000,
        ) {
            let mut shares = FairShares::new(amount_max);
            shares.set_streams(streams);
            prop_assert_ne!(shares.take("s", amount), Err(Refusal::NotNow));
        }
    }
}
