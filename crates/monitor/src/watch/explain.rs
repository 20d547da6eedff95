//! Why did the metric of an incident change? What came in its bad time against what was to be expected, by all
//! dimensions of the metric.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::lifecycle::Lifecycle;
use super::state::Live;
use crate::MonitorError;
use crate::catalogue::incidents;
use crate::definition::Detect;
use crate::explain::{
    self, Alternative, Counts, DIMENSIONS_MAX, Dimension, Element, Explanation, Figures, Leaves,
    Options,
};
use crate::figure::{FigureQuery, FigureSource, Slice};
use crate::incident::{
    Deviation, ExplainedAlternative, ExplainedMix, ExplainedPart, Incident, IncidentExplanation,
    Span,
};

const DAY_US: i64 = 24 * 3600 * 1_000_000;
const WEEK_US: i64 = 7 * DAY_US;
/// So many weeks before say what is to be expected of a sum at such a time.
const WEEKS: i64 = 4;
/// Or so many days, where there are no weeks.
const DAYS: i64 = 3;
/// And where there is not even a day, so many stretches of the same length just before.
const STRETCHES_BEFORE: i64 = 6;
/// Of what a detector expects of the slice, sums of other weeks are not further off than by this factor, or else
/// they are of other times and say nothing about the level.
const LEVEL_FACTOR_MAX: f64 = 10.0;
/// No more explanations are looked for while a monitor judges once, so that many incidents at a time keep nobody waiting.
const EXPLAINED_AT_ONCE: usize = 4;
/// Pieces that the time before an incident is cut into by others at most; the longest are taken.
const PIECES_MAX: usize = 6;
/// An explanation is found anew when the bad time has become longer by this part of it.
const LONGER: f64 = 0.25;

/// What came of every slice of the finest kind.
type Parts = BTreeMap<Slice, Counts>;

/// What is to be expected, and of which time that was.
struct Reference {
    parts: Parts,
    spans: Vec<Span>,
}

/// What a look at all slices by some dimensions gave.
enum Look {
    Parts(Parts),
    /// There are more slices than an answer holds; with how many values each dimension has of those that came.
    TooMany(HashMap<String, usize>),
}

impl Lifecycle<'_> {
    /// Explains an incident whose bad time ended at `bad_until_us` or lasts, and says what is at stake, unless that was tried
    /// for about the same time. What cannot be explained is left as it is, and judging goes on: an explanation is
    /// worth having, not waiting for. So only some are looked for at a time, and the others at the next steps.
    pub(super) fn explain(&self, live: &mut Live, bad_until_us: i64) {
        let (from_us, to_us) = self.bad_time(&live.incident, bad_until_us);
        let length_us = to_us - from_us;
        if let Some((slice, before_us)) = &live.explained
            && *slice == live.incident.slice
            && (length_us as f64) < *before_us as f64 * (1.0 + LONGER)
        {
            return;
        }
        if self.explained.get() >= EXPLAINED_AT_ONCE {
            return;
        }
        self.explained.set(self.explained.get() + 1);
        live.explained = Some((live.incident.slice.clone(), length_us));
        self.weigh(&mut live.incident, bad_until_us);
        match self.explanation(&live.incident, Span { from_us, to_us }) {
            Ok(found) => {
                let is_about = |old: &IncidentExplanation| old.slice == live.incident.slice;
                // One of another slice says nothing of this.
                let old = live.incident.explanation.take().filter(is_about);
                live.incident.explanation = found.or(old);
            }
            Err(error) => {
                let incident = live.incident.id.as_str();
                tracing::warn!(incident, %error, "not explained");
            }
        }
    }

    fn explanation(
        &self,
        incident: &Incident,
        span: Span,
    ) -> Result<Option<IncidentExplanation>, MonitorError> {
        if !self.facts.is_rate && !self.facts.adds_up {
            return Ok(None);
        }
        let mut dimensions = self.dimensions(&incident.slice);
        let mut left_out = Vec::new();
        let (mut now, reference) = loop {
            if dimensions.is_empty() {
                return Ok(None);
            }
            let too_many = match self.look(&dimensions, span)? {
                Look::Parts(now) => match self.reference(incident, &dimensions, span)? {
                    Ok(reference) => break (now, reference),
                    Err(too_many) => too_many,
                },
                Look::TooMany(too_many) => too_many,
            };
            // The one with the most values goes; one that the incident is about only when there is no other.
            let widest = dimensions.iter().max_by_key(|name| {
                let is_its_own = incident.slice.value(name).is_some();
                (!is_its_own, too_many.get(*name).copied().unwrap_or(0))
            });
            let Some(widest) = widest.cloned() else {
                return Ok(None);
            };
            dimensions.retain(|name| *name != widest);
            left_out.push(widest);
        };
        let Some(mut reference) = reference else {
            return Ok(None);
        };
        // What has an incident of its own explains that one.
        let apart = self.apart_from(incident);
        let is_own = |slice: &Slice| !apart.iter().any(|apart| apart.covers(slice));
        now.retain(|slice, _| is_own(slice));
        reference.parts.retain(|slice, _| is_own(slice));
        let found = self.found(incident, &dimensions, &now, &reference)?;
        let slices: Vec<Slice> = found.parts.iter().map(|part| part.slice.clone()).collect();
        let about = if slices.is_empty() {
            std::slice::from_ref(&incident.slice)
        } else {
            &slices
        };
        let source = &self.watch.source;
        let events_sql = source.events_sql(&incident.metric, about, span.from_us, span.to_us);
        Ok(Some(IncidentExplanation {
            slice: incident.slice.clone(),
            span,
            compared_with: reference.spans,
            dimensions,
            dimensions_left_out: left_out,
            events_sql,
            ..found
        }))
    }

    /// The dimensions to look at: those of the incident first, then those of its monitor.
    fn dimensions(&self, slice: &Slice) -> Vec<String> {
        let known = |name: &&str| self.facts.dimensions.iter().any(|d| d == name);
        let of_slice = slice.pairs().map(|(name, _)| name);
        let of_monitor = self.definition.by.iter().map(String::as_str);
        let all = self.facts.dimensions.iter().map(String::as_str);
        let mut seen = BTreeSet::new();
        (of_slice.chain(of_monitor).chain(all))
            .filter(known)
            .filter(|name| seen.insert(*name))
            .take(DIMENSIONS_MAX)
            .map(str::to_owned)
            .collect()
    }

    /// What came of every slice by the dimensions in a stretch of time.
    fn look(&self, dimensions: &[String], span: Span) -> Result<Look, MonitorError> {
        let step_us = span.to_us - span.from_us;
        let query = FigureQuery {
            metric: self.definition.metric.clone(),
            by: dimensions.to_vec(),
            within: Slice::whole(),
            from_us: span.from_us,
            to_us: span.to_us,
            step_us,
            over_us: None,
        };
        let source = &self.watch.source;
        let figures = source.figures(&query).map_err(MonitorError::Figures)?;
        // A stretch that begins at no multiple of its length lies in two steps.
        if figures.len() >= source.slices_max(2) {
            let mut values: HashMap<String, BTreeSet<Option<String>>> = HashMap::new();
            for (name, value) in figures.iter().flat_map(|figures| figures.slice.pairs()) {
                let known = values.entry(name.to_owned()).or_default();
                known.insert(value.map(str::to_owned));
            }
            let counts = values
                .into_iter()
                .map(|(name, values)| (name, values.len()));
            return Ok(Look::TooMany(counts.collect()));
        }
        let mut parts = Parts::new();
        for figures in figures {
            let known = parts.entry(figures.slice).or_default();
            for bucket in figures.buckets {
                let counts = if self.facts.is_rate {
                    Counts {
                        successes: bucket.numerator.unwrap_or(0.0),
                        attempts: bucket.denominator.unwrap_or(0.0),
                    }
                } else {
                    Counts {
                        successes: bucket.value.unwrap_or(0.0),
                        attempts: 0.0,
                    }
                };
                *known = known.plus(counts);
            }
        }
        Ok(Look::Parts(parts))
    }

    /// What was to be expected of every slice. Of a share the day before says it, of sums other weeks at the same time.
    /// The inner error is that there are too many slices.
    fn reference(
        &self,
        incident: &Incident,
        dimensions: &[String],
        span: Span,
    ) -> Result<Result<Option<Reference>, HashMap<String, usize>>, MonitorError> {
        let length_us = span.to_us - span.from_us;
        for spans in self.reference_spans(incident, span)? {
            let (mut sum, mut used, mut used_us) = (Parts::new(), Vec::new(), 0);
            for span in spans {
                let parts = match self.look(dimensions, span)? {
                    Look::Parts(parts) => parts,
                    Look::TooMany(values) => return Ok(Err(values)),
                };
                if parts.values().all(|counts| *counts == Counts::default()) {
                    continue;
                }
                for (slice, counts) in parts {
                    let known = sum.entry(slice).or_default();
                    *known = known.plus(counts);
                }
                used_us += span.to_us - span.from_us;
                used.push(span);
            }
            if used.is_empty() {
                continue;
            }
            if !self.facts.is_rate {
                let scale = self.level(incident, &sum, length_us as f64 / used_us as f64);
                for counts in sum.values_mut() {
                    counts.successes *= scale;
                }
            }
            return Ok(Ok(Some(Reference {
                parts: sum,
                spans: used,
            })));
        }
        Ok(Ok(None))
    }

    /// Times that say what was to be expected, in the order in which they are tried; each is of whole buckets, and ends before
    /// the incident began. What was bad at another time says nothing of what is normal, unless there is nothing else.
    fn reference_spans(
        &self,
        incident: &Incident,
        span: Span,
    ) -> Result<Vec<Vec<Span>>, MonitorError> {
        let length_us = span.to_us - span.from_us;
        let before = |us: i64| Span {
            from_us: span.from_us - us,
            to_us: span.from_us,
        };
        let ago = |us: i64| Span {
            from_us: span.from_us - us,
            to_us: span.to_us - us,
        };
        let bad = self.bad_before(incident, span.from_us - WEEKS * WEEK_US)?;
        let overlaps = |a: &Span, b: &Span| a.from_us < b.to_us && b.from_us < a.to_us;
        let calendar = &self.definition.calendar;
        let is_good = |one: &Span| {
            !bad.iter().any(|other| overlaps(one, other)) && !calendar.is_special(one.from_us)
        };
        let ago_good = |us: i64, count: i64| -> Vec<Span> {
            (1..=count).map(|n| ago(n * us)).filter(is_good).collect()
        };
        let tried = if self.facts.is_rate {
            vec![
                without(before(DAY_US), &bad),
                ago_good(DAY_US, 7),
                vec![before(DAY_US)],
            ]
        } else {
            vec![
                ago_good(WEEK_US, WEEKS),
                ago_good(DAY_US, DAYS),
                without(before(STRETCHES_BEFORE * length_us), &bad),
                (1..=WEEKS).map(|n| ago(n * WEEK_US)).collect(),
            ]
        };
        let source = self.watch.source.as_ref();
        let whole = |one: Span| {
            let range = (one.from_us, one.to_us);
            whole_buckets_of(source, &self.definition.metric, range)
        };
        let is_before = |one: &Span| one.to_us <= incident.started_at_us.min(span.from_us);
        tried
            .into_iter()
            .map(|spans| {
                let spans = spans.into_iter().map(|one| {
                    let mut found = whole(one)?;
                    // A bucket that reaches into the bad time is left out, where there are others.
                    if !is_before(&found) {
                        let width_us = source
                            .width_us(&self.definition.metric, found.from_us)
                            .map_err(MonitorError::Figures)?;
                        found.to_us -= width_us.max(1);
                    }
                    Ok(found)
                });
                let mut spans = spans.collect::<Result<Vec<_>, MonitorError>>()?;
                spans.retain(|one| one.from_us < one.to_us && is_before(one));
                Ok(spans)
            })
            .collect()
    }

    /// By what sums of other times are multiplied: so that they are of the same length, and where a detector has said what it
    /// expects of the incident's slice, so that they say the same of it.
    fn level(&self, incident: &Incident, sum: &Parts, by_length: f64) -> f64 {
        if !matches!(
            self.definition.detect,
            Detect::Count(_) | Detect::Silence(_)
        ) {
            return by_length;
        }
        let own = sum.iter().filter(|(slice, _)| incident.slice.covers(slice));
        let own: f64 = own.map(|(_, counts)| counts.successes * by_length).sum();
        match incident.figures.expected {
            Some(expected) if own > 0.0 && expected > 0.0 => {
                let factor = expected / own;
                let is_near = (1.0 / LEVEL_FACTOR_MAX..=LEVEL_FACTOR_MAX).contains(&factor);
                by_length * if is_near { factor } else { 1.0 }
            }
            _ => by_length,
        }
    }

    /// When other incidents of the monitor were, from a time on.
    fn bad_before(&self, incident: &Incident, from_us: i64) -> Result<Vec<Span>, MonitorError> {
        let name = &self.definition.name;
        let known = (self.watch.catalogue).read(|db| incidents::since(db, name, from_us))?;
        let others = known.into_iter().filter(|other| other.id != incident.id);
        let span = |other: Incident| Span {
            from_us: other.started_at_us,
            to_us: other.resolved_at_us.unwrap_or(i64::MAX),
        };
        Ok(others.map(span).collect())
    }

    /// What explains the difference: of the whole metric, as far as it is about the incident's slice, or else of that slice.
    fn found(
        &self,
        incident: &Incident,
        dimensions: &[String],
        now: &Parts,
        reference: &Reference,
    ) -> Result<IncidentExplanation, MonitorError> {
        let options = Options {
            direction: Some(match incident.direction {
                Deviation::Up => explain::Direction::Up,
                Deviation::Down => explain::Direction::Down,
            }),
            ..Options::default()
        };
        let is_rate = self.facts.is_rate;
        let whole = leaves(dimensions, now, &reference.parts, &Slice::whole(), is_rate)?;
        let whole = explain::explain(&whole, &options);
        // What else happened at the same time is of another cause.
        let is_about_it = |element: &Element| {
            let mut values = element.values.iter();
            values.all(|(name, value)| incident.slice.value(name).is_none_or(|own| own == value))
        };
        if whole.elements.iter().any(is_about_it) {
            let mut told = told(&whole, &Slice::whole(), incident.direction);
            let mut elements = whole.elements.iter();
            told.parts
                .retain(|_| elements.next().is_some_and(is_about_it));
            return Ok(told);
        }
        let inner: Vec<String> = dimensions
            .iter()
            .filter(|name| incident.slice.value(name).is_none())
            .cloned()
            .collect();
        let own = leaves(&inner, now, &reference.parts, &incident.slice, is_rate)?;
        let own = explain::explain(&own, &options);
        Ok(told(&own, &incident.slice, incident.direction))
    }
}

/// What is left of a stretch without others, the longest pieces.
fn without(span: Span, others: &[Span]) -> Vec<Span> {
    let mut left = vec![span];
    for other in others {
        let cut = |one: Span| {
            let before = Span {
                to_us: one.to_us.min(other.from_us),
                ..one
            };
            let after = Span {
                from_us: one.from_us.max(other.to_us),
                ..one
            };
            let is_some = |one: &Span| one.from_us < one.to_us;
            [before, after]
                .into_iter()
                .filter(is_some)
                .collect::<Vec<_>>()
        };
        left = left.into_iter().flat_map(cut).collect();
    }
    left.sort_by_key(|one| std::cmp::Reverse(one.to_us - one.from_us));
    left.truncate(PIECES_MAX);
    left
}

/// A stretch as long or a little longer that consists of whole buckets: old ones may have been joined.
pub(super) fn whole_buckets_of(
    source: &dyn FigureSource,
    metric: &str,
    (from_us, to_us): (i64, i64),
) -> Result<Span, MonitorError> {
    let width_us = source.width_us(metric, from_us);
    let width_us = width_us.map_err(MonitorError::Figures)?.max(1);
    Ok(Span {
        from_us: from_us.div_euclid(width_us) * width_us,
        to_us: -(-to_us).div_euclid(width_us) * width_us,
    })
}

/// All combinations of values within a slice, with what was to be expected and what came.
fn leaves(
    dimensions: &[String],
    now: &Parts,
    before: &Parts,
    within: &Slice,
    is_rate: bool,
) -> Result<Leaves, MonitorError> {
    let keys: BTreeSet<&Slice> = now
        .keys()
        .chain(before.keys())
        .filter(|slice| within.covers(slice))
        .collect();
    let columns = dimensions.iter().map(|name| {
        let mut known: HashMap<&Option<String>, u32> = HashMap::new();
        let (mut values, mut codes) = (Vec::new(), Vec::with_capacity(keys.len()));
        for slice in &keys {
            let value = slice.value(name).unwrap_or(&None);
            let next = known.len() as u32;
            let code = *known.entry(value).or_insert(next);
            if code == next {
                values.push(value.clone());
            }
            codes.push(code);
        }
        Dimension {
            name: name.clone(),
            values,
            codes,
        }
    });
    let columns: Vec<Dimension> = columns.collect();
    let of = |parts: &Parts| -> Vec<Counts> {
        let counts = |slice: &&Slice| parts.get(*slice).copied().unwrap_or_default();
        keys.iter().map(counts).collect()
    };
    let (expected, actual) = (of(before), of(now));
    let figures = if is_rate {
        Figures::Rates { expected, actual }
    } else {
        let sums = |counts: Vec<Counts>| counts.iter().map(|counts| counts.successes).collect();
        Figures::Sums {
            expected: sums(expected),
            actual: sums(actual),
        }
    };
    Leaves::new(columns, figures).map_err(|fault| MonitorError::Figures(fault.to_string()))
}

/// An explanation as an incident tells it, of which time and by which dimensions left to the caller.
fn told(found: &Explanation, within: &Slice, direction: Deviation) -> IncidentExplanation {
    let slice = |values: &[(String, Option<String>)]| -> Slice {
        let fixed = within.pairs();
        let fixed = fixed.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
        fixed.chain(values.iter().cloned()).collect()
    };
    let part = |element: &Element| ExplainedPart {
        slice: slice(&element.values),
        expected: element.expected,
        value: element.actual,
        share: if element.share.is_finite() {
            element.share
        } else {
            0.0
        },
        affected: match direction {
            Deviation::Up => element.affected.max(0.0),
            Deviation::Down => (-element.affected).max(0.0),
        },
        denominator: element.attempts,
    };
    let alternative = |other: &Alternative| ExplainedAlternative {
        slices: other.elements.iter().map(|e| slice(e)).collect(),
        score: other.score,
    };
    let finite = |x: f64| if x.is_finite() { x } else { 0.0 };
    let nowhere = Span {
        from_us: 0,
        to_us: 0,
    };
    IncidentExplanation {
        slice: within.clone(),
        span: nowhere,
        compared_with: Vec::new(),
        expected: finite(found.expected),
        value: finite(found.actual),
        parts: found.elements.iter().map(part).collect(),
        alternatives: found.alternatives.iter().map(alternative).collect(),
        mix: found.mix.as_ref().map(|mix| ExplainedMix {
            slice: slice(&mix.values),
            traffic_before: mix.share_before,
            traffic: mix.share_now,
            shift: mix.shift(),
        }),
        dimensions: Vec::new(),
        dimensions_left_out: Vec::new(),
        events_sql: None,
    }
}
