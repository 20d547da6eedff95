//! How long the buckets of the past are: the older, the longer, as `keep` has joined them.

/// The lengths of buckets, each from a time on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Eras(Vec<(i64, i64)>);

impl Eras {
    /// As a source tells them, in any order; buckets of `own_us` where it tells nothing. What is older than all it tells
    /// is as long as its oldest.
    pub fn new(mut told: Vec<(i64, i64)>, own_us: i64) -> Self {
        told.retain(|(_, width_us)| *width_us > 0);
        told.sort_unstable();
        match told.first_mut() {
            Some((from_us, _)) => *from_us = i64::MIN,
            None => told.push((i64::MIN, own_us.max(1))),
        }
        Self(told)
    }

    /// How long the bucket is that a time lies in.
    pub fn width_us(&self, at_us: i64) -> i64 {
        let mut newest_first = self.0.iter().rev();
        let there = newest_first.find(|(from_us, _)| *from_us <= at_us);
        there.map_or(1, |(_, width_us)| *width_us)
    }

    /// Until when buckets are as long as at a time; the end of time for the newest.
    pub fn end_us(&self, at_us: i64) -> i64 {
        let mut oldest_first = self.0.iter();
        let next = oldest_first.find(|(from_us, _)| *from_us > at_us);
        next.map_or(i64::MAX, |(from_us, _)| *from_us)
    }

    /// The lengths of buckets that lie in a stretch of time, the shortest first.
    pub fn widths_us(&self, from_us: i64, to_us: i64) -> Vec<i64> {
        let mut widths = Vec::new();
        let mut at_us = from_us;
        while at_us < to_us {
            widths.push(self.width_us(at_us));
            at_us = self.end_us(at_us);
        }
        widths.sort_unstable();
        widths.dedup();
        widths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_as_long_as_told_and_the_oldest_reach_back_for_ever() {
        let eras = Eras::new(vec![(900, 1), (600, 10), (100, 60)], 1);
        let widths = [i64::MIN, 0, 599, 600, 899, 900, i64::MAX].map(|at| eras.width_us(at));
        assert_eq!(widths, [60, 60, 60, 10, 10, 1, 1]);
        assert_eq!(
            [0, 600, 900].map(|at| eras.end_us(at)),
            [600, 900, i64::MAX]
        );
        assert_eq!(eras.widths_us(700, 1_000), [1, 10]);
        assert_eq!(eras.widths_us(950, 1_000), [1]);
        assert_eq!(Eras::new(Vec::new(), 7).width_us(3), 7);
    }
}
