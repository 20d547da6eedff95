//! Which buckets are audited.

const HOUR_US: i64 = 3_600_000_000;

/// A stretch of whole buckets of one width, µs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from_us: i64,
    pub(super) to_us: i64,
    pub(super) width_us: i64,
}

impl Span {
    pub(super) fn buckets(self) -> u64 {
        u64::try_from((self.to_us - self.from_us) / self.width_us).unwrap_or(0)
    }

    /// Its buckets that begin at `from_us` or later; none when there are none.
    pub(super) fn since(self, from_us: i64) -> Option<Self> {
        let before = from_us.saturating_sub(self.from_us).max(0);
        let whole = before.saturating_add(self.width_us - 1) / self.width_us * self.width_us;
        let from_us = self.from_us.saturating_add(whole);
        (from_us < self.to_us).then_some(Self { from_us, ..self })
    }

    /// Both halves; none of a single bucket.
    pub(super) fn halves(self) -> Option<(Self, Self)> {
        let half = i64::try_from(self.buckets() / 2).unwrap_or(0);
        if half == 0 {
            return None;
        }
        let middle = self.from_us + half * self.width_us;
        let first = Self {
            to_us: middle,
            ..self
        };
        let second = Self {
            from_us: middle,
            ..self
        };
        Some((first, second))
    }

    /// The stretch in pieces of about an hour.
    pub(super) fn hours(self) -> impl Iterator<Item = Self> {
        let step = (HOUR_US / self.width_us).max(1) * self.width_us;
        let count = (self.to_us - self.from_us + step - 1) / step;
        (0..count).map(move |at| {
            let from_us = self.from_us + at * step;
            Self {
                from_us,
                to_us: (from_us + step).min(self.to_us),
                ..self
            }
        })
    }
}

/// The stretches between the first bucket and an end, oldest first. `widths` are the starts and widths
/// that `keep` has given, newest first; what is before the last of them is past its age. A bucket that the
/// end cuts belongs to them when `whole` says that the end is that of all there is.
pub(super) fn spans(
    widths: &[(i64, i64)],
    own_us: i64,
    first_us: i64,
    end_us: i64,
    whole: bool,
) -> Vec<Span> {
    let own = [(i64::MIN, own_us)];
    let widths = if widths.is_empty() { &own } else { widths };
    let mut spans = Vec::new();
    let mut before = end_us;
    for (at, (start, width)) in widths.iter().enumerate() {
        let down = |us: i64| us.div_euclid(*width).saturating_mul(*width);
        let from_us = down(first_us.max(*start));
        let is_newest = at == 0;
        let to_us = if whole && is_newest {
            down(before.saturating_add(*width - 1))
        } else {
            down(before)
        };
        if from_us < to_us && from_us >= *start {
            spans.push(Span {
                from_us,
                to_us,
                width_us: *width,
            });
        }
        before = before.min(*start);
    }
    spans.reverse();
    spans
}

/// A stretch of at most an hour and `buckets_max` buckets, any one as probable as another.
pub(super) fn pick(spans: &[Span], dice: &mut Dice, buckets_max: u64) -> Option<Span> {
    let all: u64 = spans.iter().map(|span| span.buckets()).sum();
    let mut at = (all > 0).then(|| dice.roll(all))?;
    for span in spans {
        if at < span.buckets() {
            let most = u64::try_from(HOUR_US / span.width_us).unwrap_or(1).max(1);
            let count = (span.buckets() - at).min(most).min(buckets_max.max(1));
            let from_us = span.from_us + i64::try_from(at).ok()? * span.width_us;
            return Some(Span {
                from_us,
                to_us: from_us + i64::try_from(count).ok()? * span.width_us,
                ..*span
            });
        }
        at -= span.buckets();
    }
    None
}

/// The newest whole hour, or as much of it as there is; of wider buckets the newest one.
pub(super) fn newest_hour(spans: &[Span]) -> Option<Span> {
    let newest = spans.last()?;
    let hour = HOUR_US.max(newest.width_us);
    let mut to_us = newest.to_us.div_euclid(hour) * hour;
    if to_us <= newest.from_us {
        to_us = newest.to_us;
    }
    Some(Span {
        from_us: (to_us - hour).max(newest.from_us),
        to_us,
        ..*newest
    })
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// One of `0..sides`.
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000;

    fn span(from: i64, to: i64, width: i64) -> Span {
        Span {
            from_us: from * S,
            to_us: to * S,
            width_us: width * S,
        }
    }

    #[test]
    fn stretches_keep_to_one_width_and_to_what_is_kept() {
        let widths = [(7_200 * S, 10 * S), (3_600 * S, 60 * S)];
        assert_eq!(
            spans(&widths, 10 * S, 0, 7_325 * S, false),
            [span(3_600, 7_200, 60), span(7_200, 7_320, 10)]
        );
        assert_eq!(
            spans(&widths, 10 * S, 7_210 * S, 7_325 * S, true),
            [span(7_210, 7_330, 10)]
        );
        assert_eq!(
            spans(&[], 10 * S, 20 * S, 45 * S, false),
            [span(20, 40, 10)]
        );
        assert_eq!(spans(&[], 10 * S, 20 * S, 25 * S, false), []);
        assert_eq!(spans(&widths, 10 * S, 0, 3_000 * S, false), []);
    }

    #[test]
    fn every_bucket_is_picked_some_time_and_none_outside() {
        let spans = [span(0, 120, 60), span(120, 200, 10)];
        let mut seen = std::collections::BTreeSet::new();
        let mut dice = Dice::new(7);
        for _ in 0..1_000 {
            let picked = pick(&spans, &mut dice, 1).unwrap();
            assert_eq!(picked.buckets(), 1);
            seen.insert(picked.from_us / S);
        }
        assert_eq!(
            seen.into_iter().collect::<Vec<_>>(),
            [0, 60, 120, 130, 140, 150, 160, 170, 180, 190]
        );
        assert_eq!(pick(&[], &mut dice, 1), None);
        let long = [span(0, 86_400, 10)];
        for _ in 0..100 {
            let picked = pick(&long, &mut dice, u64::MAX).unwrap();
            assert!(picked.buckets() <= 360 && picked.to_us <= 86_400 * S);
        }
    }

    #[test]
    fn a_bucket_that_begins_before_what_is_kept_is_left_out() {
        assert_eq!(span(0, 60, 10).since(-5 * S), Some(span(0, 60, 10)));
        assert_eq!(span(0, 60, 10).since(20 * S), Some(span(20, 60, 10)));
        assert_eq!(span(0, 60, 10).since(21 * S), Some(span(30, 60, 10)));
        assert_eq!(span(0, 60, 10).since(51 * S), None);
        assert_eq!(span(0, 60, 10).since(i64::MAX), None);
    }

    #[test]
    fn halves_and_hours_cover_the_stretch() {
        assert_eq!(
            span(0, 50, 10).halves(),
            Some((span(0, 20, 10), span(20, 50, 10)))
        );
        assert_eq!(span(0, 10, 10).halves(), None);
        let hours: Vec<_> = span(0, 9_000, 60).hours().collect();
        assert_eq!(
            hours,
            [
                span(0, 3_600, 60),
                span(3_600, 7_200, 60),
                span(7_200, 9_000, 60)
            ]
        );
        assert_eq!(
            newest_hour(&[span(0, 9_000, 60)]),
            Some(span(3_600, 7_200, 60))
        );
        assert_eq!(newest_hour(&[span(600, 900, 60)]), Some(span(600, 900, 60)));
    }
}
