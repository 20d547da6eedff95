//! Names of what is simulated: a visit, a direct payment or a card test, each with numbered events.

use super::random::{Dice, mix};

/// What starts a chain of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A visit of the shop.
    Visit,
    /// A payment without a visit: a subscription or a store.
    Direct,
    /// A tried card of the incident at this place.
    CardTest(u8),
}

impl Source {
    pub(crate) fn code(self) -> u64 {
        match self {
            Self::Visit => 0,
            Self::Direct => 1,
            Self::CardTest(incident) => 2 + u64::from(incident),
        }
    }
}

/// Most arrivals of one source in a minute that have names of their own.
pub(crate) const ARRIVALS_PER_MINUTE_MAX: u64 = 1 << 22;

/// One arrival, from which all its ids and random numbers follow.
///
/// Its number has 7 bits of source, 27 of minute (until 2225), 22 of index and 8 for the thing within it. Mixing is
/// one-to-one, so two different things never share an id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entity {
    seed: u64,
    source: Source,
    minute: u64,
    index: u64,
    next: u64,
}

/// Things within an arrival that have a fixed number; events in order count up from [`FIRST_EVENT`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Visit = 0,
    Order = 1,
    Payment = 2,
    Customer = 3,
    Captured = 4,
    Refunded = 5,
    OrderRefunded = 6,
    Disputed = 7,
}
const FIRST_EVENT: u64 = 16;

impl Entity {
    pub(crate) fn new(seed: u64, source: Source, minute: u64, index: u64) -> Self {
        Self {
            seed,
            source,
            minute,
            index,
            next: FIRST_EVENT,
        }
    }

    pub(crate) fn dice(&self) -> Dice {
        Dice::new(self.seed, self.source.code(), self.minute, self.index)
    }

    fn number(&self, within: u64) -> u64 {
        let number = self.source.code() << 57 | self.minute << 30 | self.index << 8 | within;
        mix(number ^ mix(self.seed))
    }

    /// The id of a thing within it.
    pub(crate) fn id(&self, part: Part) -> u64 {
        self.number(part as u64)
    }

    /// The id of its next event. At most 240 are told apart, far above what one arrival causes.
    pub(crate) fn next_event(&mut self) -> u64 {
        let id = self.number(self.next);
        self.next = (self.next + 1).min(255);
        id
    }
}
