//! What waits, one lane per stream, taken in turns.
//!
//! Deficit round robin (Shreedhar and Varghese, 1996), by bytes: each lane may send as much as any other,
//! whatever the sizes of its items are, and within a lane the order stays.

use std::collections::VecDeque;
use std::sync::Arc;

/// What every lane may send more in each round. Smaller than most requests, so that a group of many small
/// ones has some of every lane.
const CREDIT_BYTES: usize = 16 << 10;

struct Lane<T> {
    name: Arc<str>,
    items: VecDeque<(usize, T)>,
    /// Bytes it may send before others have their turn.
    credit: usize,
}

/// Lanes that have something waiting; one whose last item goes is gone.
pub(super) struct Lanes<T> {
    ring: VecDeque<Lane<T>>,
}

impl<T> Lanes<T> {
    pub(super) fn new() -> Self {
        Self {
            ring: VecDeque::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// Puts an item of `bytes` behind the others of its lane.
    pub(super) fn push(&mut self, name: &Arc<str>, bytes: usize, item: T) {
        match self.ring.iter_mut().find(|lane| lane.name == *name) {
            Some(lane) => lane.items.push_back((bytes, item)),
            None => self.ring.push_back(Lane {
                name: Arc::clone(name),
                items: VecDeque::from([(bytes, item)]),
                credit: 0,
            }),
        }
    }

    /// The next item and its bytes.
    pub(super) fn pop(&mut self) -> Option<(usize, T)> {
        for _ in 0..2 {
            for _ in 0..self.ring.len() {
                let front = self.ring.front_mut()?;
                let head = front.items.front().map_or(0, |(bytes, _)| *bytes);
                if head <= front.credit {
                    front.credit -= head;
                    let item = front.items.pop_front();
                    if front.items.is_empty() {
                        self.ring.pop_front();
                    }
                    return item;
                }
                self.ring.rotate_left(1);
            }
            self.next_round();
        }
        None
    }

    /// Gives every lane the same, as often as it takes until one of them can go.
    fn next_round(&mut self) {
        let rounds = self
            .ring
            .iter()
            .filter_map(|lane| {
                let (head, _) = lane.items.front()?;
                Some(head.saturating_sub(lane.credit).div_ceil(CREDIT_BYTES))
            })
            .min()
            .unwrap_or(1)
            .max(1);
        for lane in &mut self.ring {
            lane.credit = lane.credit.saturating_add(rounds * CREDIT_BYTES);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn names(count: usize) -> Vec<Arc<str>> {
        (0..count).map(|n| Arc::from(format!("s{n}"))).collect()
    }

    #[test]
    fn a_lane_with_one_item_does_not_wait_behind_one_with_thousands() {
        let names = names(2);
        let mut lanes = Lanes::new();
        for n in 0..5_000 {
            lanes.push(&names[0], 1_000, n);
        }
        lanes.push(&names[1], 1_000, -1);
        let before = std::iter::from_fn(|| lanes.pop())
            .take_while(|(_, item)| *item >= 0)
            .count();
        assert!(before <= CREDIT_BYTES / 1_000 + 1, "{before} went before");
    }

    #[test]
    fn an_item_of_any_size_goes() {
        let names = names(2);
        let mut lanes = Lanes::new();
        lanes.push(&names[0], 1 << 40, 'a');
        lanes.push(&names[1], 0, 'b');
        assert_eq!(lanes.pop(), Some((0, 'b')));
        assert_eq!(lanes.pop(), Some((1 << 40, 'a')));
        assert_eq!(lanes.pop(), None);
        assert!(lanes.is_empty());
    }

    proptest! {
        #[test]
        fn nothing_is_lost_each_lane_keeps_its_order_and_none_gets_far_more_than_another(
            steps in proptest::collection::vec((0_usize..5, 1_usize..60_000, 0_usize..3), 1..200),
        ) {
            let names = names(5);
            let mut lanes = Lanes::new();
            let mut waiting: BTreeMap<usize, VecDeque<(usize, usize)>> = BTreeMap::new();
            for (id, (lane, bytes, _)) in steps.iter().enumerate() {
                lanes.push(&names[*lane], *bytes, (*lane, id));
                waiting.entry(*lane).or_default().push_back((*bytes, id));
            }
            let mut sent: BTreeMap<usize, usize> = waiting.keys().map(|lane| (*lane, 0)).collect();
            let largest = steps.iter().map(|(_, bytes, _)| *bytes).max().unwrap();
            while let Some((bytes, (lane, id))) = lanes.pop() {
                prop_assert_eq!(waiting.get_mut(&lane).unwrap().pop_front(), Some((bytes, id)));
                *sent.get_mut(&lane).unwrap() += bytes;
                // Of those that still wait none is behind another by more than a round and an item.
                let busy: Vec<usize> = waiting
                    .iter()
                    .filter(|(_, items)| !items.is_empty())
                    .map(|(lane, _)| sent[lane])
                    .collect();
                if let (Some(least), Some(most)) = (busy.iter().min(), busy.iter().max()) {
                    prop_assert!(most - least <= 2 * (largest + CREDIT_BYTES), "{least} and {most}");
                }
            }
            prop_assert!(waiting.values().all(VecDeque::is_empty));
        }
    }
}
