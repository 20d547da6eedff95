//! What a topic knows: the series as last computed, and what a computation changes in them.

use std::collections::BTreeMap;

use crate::documents::{Figure, Metric, Point, SeriesDocument, SliceSeries};
use crate::ports::{SeriesAnswer, SeriesQuestion, SliceKey, SlicePoints};
use crate::request::series::Question;
use crate::request::time::MS;

/// The parts of a document that are the same for all its versions, and the range it covers.
#[derive(Debug, Clone)]
pub(crate) struct Meta {
    pub(crate) metric: String,
    pub(crate) unit: Option<String>,
    pub(crate) by: Vec<String>,
    pub(crate) from_us: i64,
    pub(crate) to_us: i64,
    pub(crate) step_us: i64,
}

impl Meta {
    pub(crate) fn new(question: &Question, metric: &Metric, now_us: i64) -> Self {
        Self {
            metric: question.metric.clone(),
            unit: metric.unit.clone(),
            by: question.by.clone(),
            from_us: question.from.resolve_us(now_us),
            to_us: question.to.resolve_us(now_us),
            step_us: question.step_us,
        }
    }

    /// The question for all buckets that touch the range.
    pub(crate) fn whole(&self, question: &Question) -> SeriesQuestion {
        if self.is_one_step() {
            return self.exactly(question, self.from_us, self.to_us);
        }
        self.within(question, self.from_us, self.to_us)
    }

    /// Whether one step is the whole range, which then is counted from its own begin.
    fn is_one_step(&self) -> bool {
        self.to_us.saturating_sub(self.from_us) == self.step_us
    }

    /// The question for the buckets that touch both the range and `[from_us, to_us)`, if there are any.
    pub(crate) fn part(
        &self,
        question: &Question,
        from_us: i64,
        to_us: i64,
    ) -> Option<SeriesQuestion> {
        let (from_us, to_us) = (from_us.max(self.from_us), to_us.min(self.to_us));
        if from_us >= to_us {
            return None;
        }
        Some(if self.is_one_step() {
            self.whole(question)
        } else {
            self.within(question, from_us, to_us)
        })
    }

    fn within(&self, question: &Question, from_us: i64, to_us: i64) -> SeriesQuestion {
        let floor = |us: i64| us.saturating_sub(us.rem_euclid(self.step_us));
        let to_us = floor(to_us.saturating_add(self.step_us - 1));
        self.exactly(question, floor(from_us), to_us)
    }

    fn exactly(&self, question: &Question, from_us: i64, to_us: i64) -> SeriesQuestion {
        SeriesQuestion {
            metric: question.metric.clone(),
            from_us,
            to_us,
            step_us: self.step_us,
            by: question.by.clone(),
            filters: question.filters.clone(),
            limit: question.limit,
        }
    }
}

/// The points of one slice, by begin of the bucket in microseconds.
type Points = BTreeMap<i64, Option<Figure>>;

/// The series of a topic.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct State {
    slices: BTreeMap<SliceKey, Points>,
    watermark_us: Option<i64>,
    truncated: bool,
}

/// What one computation changed.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Delta {
    pub(crate) series: Vec<(SliceKey, SlicePoints)>,
    pub(crate) watermark_moved: bool,
    /// A slice or a bucket is gone, or the choice of slices has changed: only a snapshot says that.
    pub(crate) needs_snapshot: bool,
}

impl Delta {
    pub(crate) fn is_empty(&self) -> bool {
        self.series.is_empty() && !self.watermark_moved && !self.needs_snapshot
    }
}

impl State {
    /// Whether a partial computation can be merged: not when slices were left out, because the choice of
    /// slices depends on the whole range.
    pub(crate) fn takes_parts(&self) -> bool {
        !self.truncated
    }

    /// Takes the answer for the whole range.
    pub(crate) fn replace(&mut self, answer: SeriesAnswer, from_us: i64) -> Delta {
        let mut delta = self.begin(&answer, from_us);
        let mut slices = BTreeMap::new();
        for (key, points) in answer.series {
            let points: Points = points.into_iter().collect();
            let old = self.slices.get(&key);
            delta.note(&key, old, &points);
            delta.needs_snapshot |=
                old.is_some_and(|old| old.keys().any(|at| !points.contains_key(at)));
            slices.insert(key, points);
        }
        delta.needs_snapshot |= self.slices.keys().any(|key| !slices.contains_key(key));
        self.slices = slices;
        delta
    }

    /// Takes the answer for a part of the range; `None` when it cannot be merged and the whole is needed: a new slice
    /// has values in the other buckets, too, and a choice of slices depends on the whole range.
    pub(crate) fn merge(
        &mut self,
        answer: SeriesAnswer,
        step_us: i64,
        from_us: i64,
    ) -> Option<Delta> {
        if answer.truncated
            || answer
                .series
                .iter()
                .any(|(key, _)| !self.slices.contains_key(key))
        {
            return None;
        }
        let mut delta = self.begin(&answer, from_us);
        // What the part does not know, the whole may: such points say nothing.
        let Some((first_us, last_us)) = answer.known_us else {
            return Some(delta);
        };
        let known = first_us..=last_us;
        let mut told: BTreeMap<SliceKey, Points> = answer
            .series
            .into_iter()
            .map(|(key, points)| {
                (
                    key,
                    points
                        .into_iter()
                        .filter(|(at, _)| known.contains(at))
                        .collect(),
                )
            })
            .collect();
        for (key, held) in &mut self.slices {
            let points = told.remove(key).unwrap_or_else(|| {
                // No event of this slice, but some of others: that is a figure, too, for a count even a telling one.
                steps(first_us, last_us, step_us)
                    .map(|at| (at, answer.empty.clone()))
                    .collect()
            });
            delta.note(key, Some(held), &points);
            held.extend(points);
        }
        Some(delta)
    }

    /// Takes over what is not a series, and forgets what has moved out of the range. Clients do the same
    /// by themselves, so that is no change to tell.
    fn begin(&mut self, answer: &SeriesAnswer, from_us: i64) -> Delta {
        for points in self.slices.values_mut() {
            *points = points.split_off(&from_us);
        }
        self.slices.retain(|_, points| !points.is_empty());
        let delta = Delta {
            watermark_moved: self.watermark_us != answer.watermark_us,
            needs_snapshot: self.truncated != answer.truncated,
            series: Vec::new(),
        };
        self.watermark_us = answer.watermark_us;
        self.truncated = answer.truncated;
        delta
    }

    /// The document of the whole state.
    pub(crate) fn snapshot(&self, meta: &Meta) -> SeriesDocument {
        let series = self
            .slices
            .iter()
            .map(|(key, points)| {
                slice_series(meta, key, points.iter().map(|(at, v)| (*at, v.clone())))
            })
            .collect();
        self.with_series(meta, series)
    }

    /// The document of a change.
    pub(crate) fn update(&self, meta: &Meta, delta: Delta) -> SeriesDocument {
        let series = delta
            .series
            .into_iter()
            .map(|(key, points)| slice_series(meta, &key, points.into_iter()))
            .collect();
        self.with_series(meta, series)
    }

    fn with_series(&self, meta: &Meta, series: Vec<SliceSeries>) -> SeriesDocument {
        SeriesDocument {
            metric: meta.metric.clone(),
            unit: meta.unit.clone(),
            from: meta.from_us.div_euclid(MS),
            to: meta.to_us.div_euclid(MS),
            step_ms: meta.step_us / MS,
            by: meta.by.clone(),
            watermark: self.watermark_us.map(|us| us.div_euclid(MS)),
            series,
            truncated: self.truncated,
        }
    }
}

impl Delta {
    fn note(&mut self, key: &SliceKey, old: Option<&Points>, new: &Points) {
        let changed: Vec<_> = new
            .iter()
            .filter(|(at, value)| old.and_then(|old| old.get(at)) != Some(value))
            .map(|(at, value)| (*at, value.clone()))
            .collect();
        if !changed.is_empty() {
            self.series.push((key.clone(), changed));
        }
    }
}

fn steps(first_us: i64, last_us: i64, step_us: i64) -> impl Iterator<Item = i64> {
    std::iter::successors(Some(first_us), move |at| at.checked_add(step_us.max(1)))
        .take_while(move |at| *at <= last_us)
}

/// The document of an answer that is given once.
pub(crate) fn document(meta: &Meta, answer: SeriesAnswer) -> SeriesDocument {
    let series = answer
        .series
        .into_iter()
        .map(|(key, points)| slice_series(meta, &key, points.into_iter()))
        .collect();
    let state = State {
        slices: BTreeMap::new(),
        watermark_us: answer.watermark_us,
        truncated: answer.truncated,
    };
    state.with_series(meta, series)
}

fn slice_series(
    meta: &Meta,
    key: &SliceKey,
    points: impl Iterator<Item = (i64, Option<Figure>)>,
) -> SliceSeries {
    SliceSeries {
        by: meta.by.iter().cloned().zip(key.iter().cloned()).collect(),
        points: points
            .map(|(at, value)| Point {
                at_ms: at.div_euclid(MS),
                value,
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(series: &[(&str, &[(i64, f64)])]) -> SeriesAnswer {
        let series = series
            .iter()
            .map(|(key, points)| {
                let points = points
                    .iter()
                    .map(|(at, v)| (*at, Figure::number(*v)))
                    .collect();
                (vec![Some((*key).to_owned())], points)
            })
            .collect();
        SeriesAnswer {
            series,
            known_us: Some((0, 20)),
            empty: Figure::number(0.0),
            watermark_us: Some(1),
            truncated: false,
        }
    }

    fn told(delta: &Delta) -> Vec<(String, Vec<i64>)> {
        delta
            .series
            .iter()
            .map(|(k, p)| (k[0].clone().unwrap(), p.iter().map(|(at, _)| *at).collect()))
            .collect()
    }

    #[test]
    fn only_changed_buckets_are_told() {
        let mut state = State::default();
        state.replace(
            answer(&[("a", &[(0, 1.0), (10, 2.0)]), ("b", &[(0, 1.0), (10, 1.0)])]),
            0,
        );
        let part = SeriesAnswer {
            known_us: Some((10, 20)),
            ..answer(&[("a", &[(10, 2.0), (20, 1.0)])])
        };
        let delta = state.merge(part, 10, 0).unwrap();
        let expected = [("a".to_owned(), vec![20]), ("b".to_owned(), vec![10, 20])];
        assert_eq!(
            told(&delta),
            expected,
            "b had no event since, which is a figure"
        );
        assert!(!delta.needs_snapshot);
        let whole = answer(&[
            ("a", &[(0, 1.0), (10, 2.0), (20, 1.0)]),
            ("b", &[(0, 1.0), (10, 0.0), (20, 0.0)]),
        ]);
        let same = state.replace(whole, 0);
        assert!(
            same.is_empty(),
            "merging parts gives what the whole gives: {same:?}"
        );
    }

    #[test]
    fn what_a_part_does_not_know_overwrites_nothing() {
        let mut state = State::default();
        state.replace(answer(&[("a", &[(0, 1.0), (10, 2.0)])]), 0);
        let mut part = answer(&[("a", &[(10, 3.0)])]);
        part.series[0].1.insert(0, (0, None));
        part.known_us = Some((10, 10));
        let delta = state.merge(part, 10, 0).unwrap();
        assert_eq!(told(&delta), [("a".to_owned(), vec![10])]);
    }

    #[test]
    fn what_moves_out_of_the_range_is_forgotten_without_a_word() {
        let mut state = State::default();
        state.replace(
            answer(&[("a", &[(0, 1.0), (10, 2.0)]), ("b", &[(0, 1.0)])]),
            0,
        );
        let delta = state.replace(answer(&[("a", &[(10, 2.0)])]), 10);
        assert!(delta.is_empty(), "{delta:?}");
    }

    #[test]
    fn a_slice_that_vanishes_needs_a_snapshot() {
        let mut state = State::default();
        state.replace(answer(&[("a", &[(0, 1.0)]), ("b", &[(0, 1.0)])]), 0);
        assert!(
            state
                .replace(answer(&[("a", &[(0, 1.0)])]), 0)
                .needs_snapshot
        );
    }

    #[test]
    fn a_part_with_a_new_slice_or_a_choice_of_slices_is_not_merged() {
        let mut state = State::default();
        state.replace(answer(&[("a", &[(0, 1.0)])]), 0);
        assert!(state.merge(answer(&[("b", &[(0, 1.0)])]), 10, 0).is_none());
        let chosen = SeriesAnswer {
            truncated: true,
            ..answer(&[("a", &[(0, 2.0)])])
        };
        assert!(state.merge(chosen, 10, 0).is_none());
        assert!(
            state.replace(answer(&[("a", &[(0, 1.0)])]), 0).is_empty(),
            "nothing was taken"
        );
    }

    #[test]
    fn questions_cover_every_bucket_that_touches_the_range() {
        let meta = Meta {
            metric: "m".into(),
            unit: None,
            by: Vec::new(),
            from_us: -15,
            to_us: 25,
            step_us: 10,
        };
        let question = Question {
            metric: "m".into(),
            from: crate::request::time::Instant::At(-15),
            to: crate::request::time::Instant::At(25),
            step_us: 10,
            by: Vec::new(),
            filters: Vec::new(),
            limit: 1,
        };
        let whole = meta.whole(&question);
        assert_eq!((whole.from_us, whole.to_us), (-20, 30));
        let part = meta.part(&question, 3, 4).unwrap();
        assert_eq!((part.from_us, part.to_us), (0, 10));
        assert_eq!(meta.part(&question, 25, 30), None);
        assert_eq!(meta.part(&question, -40, -15), None);
    }
}
