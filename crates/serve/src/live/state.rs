//! What a topic knows: the series as last computed, and what a computation changes in them.

use std::collections::BTreeMap;

use crate::documents::{Figure, Metric, Point, RevisedPoint, SeriesDocument, SliceSeries};
use crate::ports::{
    RevisedStep, SeriesAnswer, SeriesQuestion, SliceKey, SlicePoints, Span, Windows, Zone,
};
use crate::request::series::Question;
use crate::request::time::{Instant, MS};

/// The parts of a document that are the same for all its versions, and the range it covers.
#[derive(Debug, Clone)]
pub(crate) struct Meta {
    pub(crate) metric: String,
    pub(crate) unit: Option<String>,
    pub(crate) by: Vec<String>,
    pub(crate) from_us: i64,
    pub(crate) to_us: i64,
    pub(crate) step_us: i64,
    pub(crate) windows: Windows,
    /// Whether the range's end moves with the clock.
    pub(crate) moves: bool,
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
            windows: question.windows.clone(),
            moves: matches!(question.to, Instant::FromNow(_)),
        }
    }

    /// Whether new points have figures before any event comes: a window that is longer than its step has events of before.
    pub(crate) fn goes_on_without_events(&self) -> bool {
        self.moves && self.windows.span != Span::Step
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
        self.windows.is_plain() && self.to_us.saturating_sub(self.from_us) == self.step_us
    }

    /// Before this clients drop points by themselves. The one point of a range of one step is not dropped but replaced, and
    /// only a snapshot says so.
    pub(crate) fn dropped_before_us(&self, question: &Question) -> i64 {
        if self.is_one_step() {
            return i64::MIN;
        }
        self.whole(question).from_us
    }

    /// The question for the buckets that touch both the range, in whole steps, and `[from_us, to_us)`, if there are any.
    pub(crate) fn part(
        &self,
        question: &Question,
        from_us: i64,
        to_us: i64,
    ) -> Option<SeriesQuestion> {
        let whole = self.whole(question);
        let within_us = (whole.from_us, whole.to_us);
        if self.is_one_step() {
            let is_touched = from_us.max(whole.from_us) < to_us.min(whole.to_us);
            return is_touched.then_some(whole);
        }
        let touched = self
            .windows
            .touched_us(self.step_us, (from_us, to_us), within_us);
        touched.map(|(from_us, to_us)| self.exactly(question, from_us, to_us))
    }

    fn within(&self, question: &Question, from_us: i64, to_us: i64) -> SeriesQuestion {
        // What is beyond all calendars is refused by the one who answers.
        let whole = self.windows.whole_us(self.step_us, from_us, to_us);
        let (from_us, to_us) = whole.unwrap_or((from_us, to_us));
        self.exactly(question, from_us, to_us)
    }

    fn exactly(&self, question: &Question, from_us: i64, to_us: i64) -> SeriesQuestion {
        SeriesQuestion {
            metric: question.metric.clone(),
            from_us,
            to_us,
            step_us: self.step_us,
            windows: self.windows.clone(),
            by: question.by.clone(),
            filters: question.filters.clone(),
            limit: question.limit,
        }
    }
}

/// The points of one slice, by begin of the bucket in microseconds.
type Points = BTreeMap<i64, Option<Figure>>;

/// Steps with buckets that changed after they were complete, by begin in microseconds.
type Revised = BTreeMap<i64, RevisedStep>;

/// The series of a topic.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct State {
    slices: BTreeMap<SliceKey, Points>,
    /// The first and last bucket of the range in which there is any event; outside of it points are `None`.
    known_us: Option<(i64, i64)>,
    watermark_us: Option<i64>,
    /// The steps with buckets that changed after they were complete, by begin.
    revised: Revised,
    notes: Vec<String>,
    truncated: bool,
}

/// What one computation changed.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Delta {
    pub(crate) series: Vec<(SliceKey, SlicePoints)>,
    pub(crate) watermark_moved: bool,
    /// What is new among the revised steps.
    pub(crate) revised: Revised,
    /// A slice or a bucket is gone, or the choice of slices has changed: only a snapshot says that.
    pub(crate) needs_snapshot: bool,
}

impl Delta {
    pub(crate) fn is_empty(&self) -> bool {
        self.series.is_empty()
            && self.revised.is_empty()
            && !self.watermark_moved
            && !self.needs_snapshot
    }
}

impl State {
    /// Whether a partial computation can be merged: not when slices were left out, because the choice of
    /// slices depends on the whole range.
    pub(crate) fn takes_parts(&self) -> bool {
        !self.truncated
    }

    /// Takes the answer for the whole range. Points before `dropped_before_us` are dropped without a word, since clients do the
    /// same by themselves.
    pub(crate) fn replace(&mut self, answer: SeriesAnswer, dropped_before_us: i64) -> Delta {
        for points in self.slices.values_mut() {
            *points = points.split_off(&dropped_before_us);
        }
        self.slices.retain(|_, points| !points.is_empty());
        self.revised = self.revised.split_off(&dropped_before_us);
        let mut delta = self.begin(&answer);
        // Of too many revised buckets the oldest are forgotten.
        delta.needs_snapshot |= self.revised.len() > answer.revised.len();
        self.revised = answer.revised;
        self.notes = answer.notes;
        let known = Known {
            before_us: self.known_us,
            now_us: answer.known_us,
        };
        let mut slices = BTreeMap::new();
        for (key, points) in answer.series {
            let points: Points = points.into_iter().collect();
            let old = self.slices.get(&key);
            delta.note(&key, old, &points, known);
            delta.needs_snapshot |=
                old.is_some_and(|old| old.keys().any(|at| !points.contains_key(at)));
            slices.insert(key, points);
        }
        delta.needs_snapshot |= self.slices.keys().any(|key| !slices.contains_key(key));
        self.slices = slices;
        self.known_us = answer.known_us;
        delta
    }

    /// Takes the answer for a part of the range that the state covers; `None` when it cannot be merged and the whole is
    /// needed: a new slice has values in the other buckets, too, the first event before or after all others makes the buckets
    /// in between known, and a choice of slices depends on the whole range.
    ///
    /// Events come and do not go. So a slice that the part does not tell of is as it was.
    pub(crate) fn merge(&mut self, answer: SeriesAnswer) -> Option<Delta> {
        let is_new = |key| !self.slices.contains_key(key);
        if answer.truncated || answer.series.iter().any(|(key, _)| is_new(key)) {
            return None;
        }
        let Some((first_us, last_us)) = answer.known_us else {
            return Some(self.begin(&answer));
        };
        let known = self.known_us.map(|(first, last)| first..=last);
        if !known.is_some_and(|known| known.contains(&first_us) && known.contains(&last_us)) {
            return None;
        }
        let mut delta = self.begin(&answer);
        let known = Known {
            before_us: self.known_us,
            now_us: self.known_us,
        };
        for (key, points) in answer.series {
            // What the part does not know, the whole may: such points say nothing.
            let points: Points = points
                .into_iter()
                .filter(|(at, _)| (first_us..=last_us).contains(at))
                .collect();
            if let Some(held) = self.slices.get_mut(&key) {
                delta.note(&key, Some(held), &points, known);
                held.extend(points);
            }
        }
        Some(delta)
    }

    /// Takes over what is not a series.
    fn begin(&mut self, answer: &SeriesAnswer) -> Delta {
        let is_new = |(at, step): &(&i64, &RevisedStep)| self.revised.get(at) != Some(*step);
        let delta = Delta {
            revised: (answer.revised.iter().filter(is_new))
                .map(|(at, step)| (*at, *step))
                .collect(),
            watermark_moved: self.watermark_us != answer.watermark_us,
            needs_snapshot: self.truncated != answer.truncated,
            series: Vec::new(),
        };
        self.revised.extend(&delta.revised);
        for note in &answer.notes {
            if !self.notes.contains(note) {
                self.notes.push(note.clone());
            }
        }
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
        self.with_series(meta, series, &self.revised)
    }

    /// The document of a change.
    pub(crate) fn update(&self, meta: &Meta, delta: Delta) -> SeriesDocument {
        let revised = delta.revised;
        let series = delta
            .series
            .into_iter()
            .map(|(key, points)| slice_series(meta, &key, points.into_iter()))
            .collect();
        self.with_series(meta, series, &revised)
    }

    fn with_series(
        &self,
        meta: &Meta,
        series: Vec<SliceSeries>,
        revised: &Revised,
    ) -> SeriesDocument {
        SeriesDocument {
            metric: meta.metric.clone(),
            unit: meta.unit.clone(),
            from: meta.from_us.div_euclid(MS),
            to: meta.to_us.div_euclid(MS),
            step_ms: meta.windows.step.is_none().then_some(meta.step_us / MS),
            step: meta.windows.step.map(|period| period.name().to_owned()),
            window_ms: match meta.windows.span {
                Span::Trailing(width_us) => Some(width_us / MS),
                Span::Step | Span::Since(_) => None,
            },
            since: match meta.windows.span {
                Span::Since(period) => Some(period.name().to_owned()),
                Span::Step | Span::Trailing(_) => None,
            },
            zone: match &meta.windows.zone {
                Zone::Utc => meta.windows.has_calendar().then(|| "UTC".to_owned()),
                Zone::Named(name) => Some(name.clone()),
                Zone::Dimension(name) => Some(format!("dim:{name}")),
            },
            by: meta.by.clone(),
            watermark: self.watermark_us.map(|us| us.div_euclid(MS)),
            series,
            revised: revised_points(revised),
            notes: self.notes.clone(),
            truncated: self.truncated,
        }
    }
}

/// What was and what is known of a series: the first and last bucket with any event.
#[derive(Debug, Clone, Copy)]
struct Known {
    before_us: Option<(i64, i64)>,
    now_us: Option<(i64, i64)>,
}

impl Known {
    /// Whether a client must be told of a point. A bucket that nobody knows anything of needs no word, unless it had a figure;
    /// one that has become known does, even when it has no value, such as a rate of nothing.
    fn must_tell(self, at: i64, old: Option<&Option<Figure>>, new: &Option<Figure>) -> bool {
        let within = |known: Option<(i64, i64)>| known.is_some_and(|(a, b)| (a..=b).contains(&at));
        if within(self.now_us) {
            !within(self.before_us) || old != Some(new)
        } else {
            old.is_some_and(|old| old != new)
        }
    }
}

impl Delta {
    fn note(&mut self, key: &SliceKey, old: Option<&Points>, new: &Points, known: Known) {
        let changed: Vec<_> = new
            .iter()
            .filter(|(at, value)| known.must_tell(**at, old.and_then(|old| old.get(at)), value))
            .map(|(at, value)| (*at, value.clone()))
            .collect();
        // A slice that is new is told of even when nothing is known of it.
        if !changed.is_empty() || old.is_none() {
            self.series.push((key.clone(), changed));
        }
    }
}

/// The document of an answer that is given once.
pub(crate) fn document(meta: &Meta, answer: SeriesAnswer) -> SeriesDocument {
    let series = answer
        .series
        .into_iter()
        .map(|(key, points)| slice_series(meta, &key, points.into_iter()))
        .collect();
    let state = State {
        known_us: answer.known_us,
        slices: BTreeMap::new(),
        watermark_us: answer.watermark_us,
        revised: answer.revised,
        notes: answer.notes,
        truncated: answer.truncated,
    };
    state.with_series(meta, series, &state.revised)
}

fn revised_points(revised: &Revised) -> Vec<RevisedPoint> {
    let points = revised.iter().map(|(at, step)| RevisedPoint {
        at: at.div_euclid(MS),
        revised_at: step.revised_at_us.div_euclid(MS),
        events: step.events,
    });
    points.collect()
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
            watermark_us: Some(1),
            revised: BTreeMap::new(),
            notes: Vec::new(),
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
        let part = answer(&[("a", &[(0, 1.0), (10, 3.0)])]);
        let delta = state.merge(part).unwrap();
        assert_eq!(told(&delta), [("a".to_owned(), vec![10])]);
        assert!(!delta.needs_snapshot);
        let whole = answer(&[("a", &[(0, 1.0), (10, 3.0)]), ("b", &[(0, 1.0), (10, 1.0)])]);
        let same = state.replace(whole, 0);
        assert!(
            same.is_empty(),
            "merging parts gives what the whole gives: {same:?}"
        );
    }

    #[test]
    fn revised_steps_are_told_once_and_again_when_they_change() {
        let revised = |steps: &[(i64, u64)]| SeriesAnswer {
            revised: (steps.iter())
                .map(|(at, events)| {
                    let step = RevisedStep {
                        revised_at_us: 7_000_000,
                        events: *events,
                    };
                    (*at, step)
                })
                .collect(),
            ..answer(&[("a", &[(0, 1.0), (10, 2.0)])])
        };
        let steps = |delta: &Delta| -> Vec<i64> { delta.revised.keys().copied().collect() };
        let mut state = State::default();
        assert_eq!(steps(&state.replace(revised(&[(0, 1)]), 0)), [0]);
        assert!(state.merge(revised(&[(0, 1)])).unwrap().is_empty());
        let delta = state.merge(revised(&[(0, 1), (10, 2)])).unwrap();
        assert_eq!((steps(&delta), delta.needs_snapshot), (vec![10], false));
        // A part of the range says nothing of the rest.
        assert!(state.merge(revised(&[(10, 2)])).unwrap().is_empty());
        assert_eq!(steps(&state.replace(revised(&[(0, 3), (10, 2)]), 0)), [0]);
        let moved = state.replace(revised(&[(10, 2)]), 10);
        assert_eq!((steps(&moved), moved.needs_snapshot), (vec![], false));
        assert!(state.replace(revised(&[]), 0).needs_snapshot, "forgotten");
    }

    #[test]
    fn a_part_that_makes_more_buckets_known_is_not_merged() {
        let mut state = State::default();
        let whole = SeriesAnswer {
            known_us: Some((10, 10)),
            ..answer(&[("a", &[(10, 2.0)])])
        };
        state.replace(whole, 0);
        for at in [0, 20] {
            let part = SeriesAnswer {
                known_us: Some((at, at)),
                ..answer(&[("a", &[(at, 1.0)])])
            };
            assert!(state.merge(part).is_none(), "{at}");
        }
    }

    #[test]
    fn a_bucket_that_becomes_known_is_told_even_without_a_value() {
        let mut state = State::default();
        let known = |series: &[(i64, Option<Figure>)], last_us| SeriesAnswer {
            series: vec![(vec![Some("a".to_owned())], series.to_vec())],
            known_us: Some((0, last_us)),
            watermark_us: None,
            revised: BTreeMap::new(),
            notes: Vec::new(),
            truncated: false,
        };
        let one = Figure::number(1.0);
        state.replace(known(&[(0, one.clone()), (10, None)], 0), 0);
        let delta = state.replace(
            known(&[(0, one.clone()), (10, None), (20, one), (30, None)], 20),
            0,
        );
        assert_eq!(told(&delta), [("a".to_owned(), vec![10, 20])]);
    }

    #[test]
    fn what_a_part_does_not_know_overwrites_nothing() {
        let mut state = State::default();
        state.replace(answer(&[("a", &[(0, 1.0), (10, 2.0)])]), 0);
        let mut part = answer(&[("a", &[(10, 3.0)])]);
        part.series[0].1.insert(0, (0, None));
        part.known_us = Some((10, 10));
        let delta = state.merge(part).unwrap();
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
        assert!(state.merge(answer(&[("b", &[(0, 1.0)])])).is_none());
        let chosen = SeriesAnswer {
            truncated: true,
            ..answer(&[("a", &[(0, 2.0)])])
        };
        assert!(state.merge(chosen).is_none());
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
            windows: Windows::default(),
            moves: false,
        };
        let question = Question {
            metric: "m".into(),
            from: Instant::At(-15),
            to: Instant::At(25),
            step_us: 10,
            windows: Windows::default(),
            by: Vec::new(),
            filters: Vec::new(),
            limit: 1,
        };
        let whole = meta.whole(&question);
        assert_eq!((whole.from_us, whole.to_us), (-20, 30));
        let part = meta.part(&question, 3, 4).unwrap();
        assert_eq!((part.from_us, part.to_us), (0, 10));
        // The series call answers whole steps, so what lies ahead of the clock in the last one belongs to it.
        let ahead = meta.part(&question, 27, 30).unwrap();
        assert_eq!((ahead.from_us, ahead.to_us), (20, 30));
        assert_eq!(meta.part(&question, 30, 40), None);
        assert_eq!(meta.part(&question, -40, -20), None);
    }
}
