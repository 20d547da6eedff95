//! Which places of the journal somebody still reads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tillwatch_journal::Offset;

/// Offsets of the journal in use, each with the number of its users.
#[derive(Debug, Default)]
pub struct Pins(Mutex<BTreeMap<Offset, usize>>);

/// Keeps the journal's frames from an offset on, as long as it lives.
#[derive(Debug)]
pub struct Pin {
    pins: Arc<Pins>,
    offset: Offset,
}

impl Pins {
    /// Keeps the journal from forgetting `offset` and what comes after it, from the next time on that it is
    /// asked what is needed.
    #[must_use]
    pub fn pin(self: &Arc<Self>, offset: Offset) -> Pin {
        *self.lock().entry(offset).or_default() += 1;
        Pin {
            pins: Arc::clone(self),
            offset,
        }
    }

    /// The oldest offset in use.
    pub(crate) fn oldest(&self) -> Option<Offset> {
        self.lock().keys().next().copied()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Offset, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pins = self.pins.lock();
        if let Some(users) = pins.get_mut(&self.offset) {
            *users -= 1;
            if *users == 0 {
                pins.remove(&self.offset);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_offset_in_use_holds_until_its_last_user_is_gone() {
        let pins = Arc::new(Pins::default());
        let (two, other) = (pins.pin(Offset::new(2, 5)), pins.pin(Offset::new(2, 5)));
        let one = pins.pin(Offset::new(1, 7));
        assert_eq!(pins.oldest(), Some(Offset::new(1, 7)));
        drop(one);
        assert_eq!(pins.oldest(), Some(Offset::new(2, 5)));
        drop(two);
        assert_eq!(pins.oldest(), Some(Offset::new(2, 5)));
        drop(other);
        assert_eq!(pins.oldest(), None);
    }
}
