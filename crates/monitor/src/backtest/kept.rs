//! Figures of the past that were read once and answer many questions.
//!
//! Of what adds up, which counts and ratios of counts do, the buckets of the last hours are kept one by one, and all of the
//! history in the blocks that it is looked at in. Of everything else the steps that are judged are.

use std::collections::BTreeMap;

use super::plan::Plan;
use super::reader::{Reader, Stretch};
use crate::figure::{Bucket, FigureQuery, MetricFacts, Slice, SliceFigures};

/// Buckets are kept for so much longer than they are judged, for the incidents that began then, in microseconds.
const INCIDENTS_US: i64 = 6 * 3600 * 1_000_000;

/// Counts of one step: above the line and below it, or events and nothing.
type Counts = (f64, f64);

/// Figures by slice, those of each ascending in time.
type Series<T> = BTreeMap<Slice, Vec<(i64, T)>>;

/// Blocks of one length.
struct Blocks {
    length_us: i64,
    from_us: i64,
    /// From here on they are put together of buckets that are read.
    fed_from_us: i64,
    counts: Series<Counts>,
}

/// Figures that add up.
pub(super) struct KeptCounts {
    is_rate: bool,
    /// Up to here buckets are read.
    read_upto_us: i64,
    /// From here on they are kept.
    from_us: i64,
    buckets: Series<Counts>,
    blocks: Vec<Blocks>,
}

impl KeptCounts {
    /// Nothing yet, from where a plan begins to judge.
    pub fn new(plan: &Plan, is_rate: bool) -> Self {
        let span_from_us = plan.span.0;
        let behind_us = plan.behind_us(plan.bucket_us(span_from_us));
        let from_us = span_from_us - behind_us;
        let history_us = plan.history_us() + behind_us;
        let blocks = plan.blocks_us().into_iter().map(|length_us| Blocks {
            length_us,
            from_us: floor(span_from_us - history_us - 2 * length_us, length_us),
            fed_from_us: floor(from_us, length_us),
            counts: Series::new(),
        });
        let blocks: Vec<Blocks> = blocks.collect();
        let fed = blocks.iter().map(|one| one.fed_from_us);
        let from_us = fed.fold(from_us, i64::min);
        let from_us = floor(from_us, plan.eras.width_us(from_us));
        Self {
            is_rate,
            read_upto_us: from_us,
            from_us,
            buckets: Series::new(),
            blocks,
        }
    }

    /// Reads the history before the first bucket. Says whether answers hold all slices.
    ///
    /// # Errors
    /// Those of the source.
    pub fn read_history(&mut self, reader: &mut Reader) -> Result<bool, String> {
        let is_rate = self.is_rate;
        for blocks in &mut self.blocks {
            let mut at_us = blocks.from_us;
            while at_us < blocks.fed_from_us {
                let stretch = Stretch {
                    from_us: at_us,
                    to_us: blocks.fed_from_us,
                    step_us: blocks.length_us,
                    over_us: None,
                };
                let Some((end_us, found)) = reader.read(stretch)? else {
                    return Ok(false);
                };
                for figures in found {
                    let series = blocks.counts.entry(figures.slice).or_default();
                    series.extend(counts(&figures.buckets, is_rate));
                }
                at_us = end_us;
            }
        }
        Ok(true)
    }

    /// Reads buckets until those before `to_us` are there, and forgets what nobody asks for any more at `now_us`. Says
    /// whether answers hold all slices.
    ///
    /// # Errors
    /// Those of the source.
    pub fn read_upto(
        &mut self,
        to_us: i64,
        now_us: i64,
        plan: &Plan,
        reader: &mut Reader,
    ) -> Result<bool, String> {
        while self.read_upto_us < to_us {
            let from_us = self.read_upto_us;
            let step_us = plan.eras.width_us(from_us);
            let last_us = plan.span.1.min(plan.eras.end_us(from_us));
            let stretch = Stretch {
                from_us,
                to_us: floor(last_us, step_us),
                step_us,
                over_us: None,
            };
            if stretch.to_us <= from_us {
                // Less than a bucket is left, of which nothing is known.
                return Ok(true);
            }
            let Some((end_us, found)) = reader.read(stretch)? else {
                return Ok(false);
            };
            self.forget(now_us, plan);
            for figures in found {
                let read: Vec<(i64, Counts)> = counts(&figures.buckets, self.is_rate).collect();
                for blocks in &mut self.blocks {
                    blocks.feed(&figures.slice, &read);
                }
                let series = self.buckets.entry(figures.slice).or_default();
                series.extend(read);
            }
            self.read_upto_us = end_us;
        }
        Ok(true)
    }

    fn forget(&mut self, now_us: i64, plan: &Plan) {
        let behind_us = plan.behind_us(plan.bucket_us(now_us));
        self.from_us = self.from_us.max(now_us - behind_us - INCIDENTS_US);
        forget_before(&mut self.buckets, self.from_us);
        for blocks in &mut self.blocks {
            let reach_us = plan.history_us() + behind_us + 2 * blocks.length_us;
            let from_us = floor(now_us - reach_us, blocks.length_us);
            blocks.from_us = blocks.from_us.max(from_us);
            forget_before(&mut blocks.counts, blocks.from_us);
        }
    }

    /// How many figures are kept.
    pub fn len(&self) -> usize {
        let blocks = self.blocks.iter().map(|blocks| len(&blocks.counts));
        len(&self.buckets) + blocks.sum::<usize>()
    }

    /// The answer to a question about what was read; none to others.
    pub fn answer(&self, query: &FigureQuery, by: &[String]) -> Option<Vec<SliceFigures>> {
        let fixed = query.within.pairs().map(|(dimension, _)| dimension);
        let mut named = query.by.iter().map(String::as_str).chain(fixed);
        if query.over_us.is_some() || !named.all(|d| by.iter().any(|by| by == d)) {
            return None;
        }
        let (series, are_steps) = self.series(query)?;
        let mut found: BTreeMap<Slice, Vec<(i64, Counts)>> = BTreeMap::new();
        for (slice, figures) in series.iter().filter(|(s, _)| query.within.covers(s)) {
            let asked = within(figures, query.from_us, query.to_us);
            let steps = if are_steps {
                asked.to_vec()
            } else {
                steps(asked, query.step_us)
            };
            if steps.is_empty() {
                continue;
            }
            let key = slice.project(|d| query.by.iter().any(|by| by == d));
            match found.get_mut(&key) {
                Some(sum) => *sum = plus(sum, &steps),
                None => {
                    found.insert(key, steps);
                }
            }
        }
        let figures = found.into_iter().map(|(slice, steps)| SliceFigures {
            slice,
            buckets: steps.into_iter().map(|step| self.bucket(step)).collect(),
        });
        Some(figures.collect())
    }

    /// What a question can be answered from, and whether these are the very steps that it asks for.
    fn series(&self, query: &FigureQuery) -> Option<(&Series<Counts>, bool)> {
        if query.from_us >= self.from_us {
            return Some((&self.buckets, false));
        }
        let mut longest_first = self.blocks.iter().rev();
        let blocks = longest_first.find(|blocks| {
            let is_whole = |us: i64| us % blocks.length_us == 0;
            query.from_us >= blocks.from_us
                && is_whole(query.from_us)
                && is_whole(query.to_us)
                && is_whole(query.step_us)
        });
        blocks.map(|blocks| (&blocks.counts, blocks.length_us == query.step_us))
    }

    fn bucket(&self, (start_us, (above, below)): (i64, Counts)) -> Bucket {
        if self.is_rate {
            return Bucket {
                start_us,
                value: (below > 0.0).then(|| above / below),
                numerator: Some(above),
                denominator: Some(below),
            };
        }
        Bucket {
            start_us,
            value: Some(above),
            numerator: None,
            denominator: None,
        }
    }
}

impl Blocks {
    fn feed(&mut self, slice: &Slice, read: &[(i64, Counts)]) {
        let fed = read.partition_point(|(at_us, _)| *at_us < self.fed_from_us);
        let read = read.get(fed..).unwrap_or_default();
        if read.is_empty() {
            return;
        }
        if !self.counts.contains_key(slice) {
            self.counts.insert(slice.clone(), Vec::new());
        }
        let Some(series) = self.counts.get_mut(slice) else {
            return;
        };
        for (at_us, counts) in read {
            add(series, floor(*at_us, self.length_us), *counts);
        }
    }
}

/// The counts of buckets that have any.
fn counts(buckets: &[Bucket], is_rate: bool) -> impl Iterator<Item = (i64, Counts)> {
    let of = move |bucket: &Bucket| {
        let counts = if is_rate {
            let above = bucket.numerator.unwrap_or(0.0);
            (above, bucket.denominator.unwrap_or(0.0))
        } else {
            (bucket.value.unwrap_or(0.0), 0.0)
        };
        (bucket.start_us, counts)
    };
    let all = buckets.iter().map(of);
    all.filter(|(_, counts)| *counts != (0.0, 0.0))
}

/// Adds counts to the last step, or begins the next.
fn add(steps: &mut Vec<(i64, Counts)>, step_us: i64, counts: Counts) {
    match steps.last_mut() {
        Some((last_us, sum)) if *last_us == step_us => {
            *sum = (sum.0 + counts.0, sum.1 + counts.1);
        }
        _ => steps.push((step_us, counts)),
    }
}

/// Figures added up by steps.
fn steps(figures: &[(i64, Counts)], step_us: i64) -> Vec<(i64, Counts)> {
    let mut sums = Vec::with_capacity(figures.len());
    let mut start_us = i64::MIN / 2;
    for (at_us, counts) in figures {
        // The step is that of the figure before, or begins with this one, mostly; a division takes longer than all else.
        start_us = match at_us - start_us {
            within_us if (0..step_us).contains(&within_us) => start_us,
            within_us if within_us == step_us => *at_us,
            _ => floor(*at_us, step_us),
        };
        add(&mut sums, start_us, *counts);
    }
    sums
}

/// Two series put together.
fn plus(a: &[(i64, Counts)], b: &[(i64, Counts)]) -> Vec<(i64, Counts)> {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut sums = Vec::new();
    loop {
        let is_a_next = match (a.peek(), b.peek()) {
            (Some((a_us, _)), Some((b_us, _))) => a_us <= b_us,
            (first, _) => first.is_some(),
        };
        let Some((at_us, counts)) = (if is_a_next { a.next() } else { b.next() }) else {
            return sums;
        };
        add(&mut sums, *at_us, *counts);
    }
}

/// The steps of a metric that does not add up.
pub(super) struct KeptSteps {
    step_us: i64,
    over_us: Option<i64>,
    from_us: i64,
    read_upto_us: i64,
    values: Series<Bucket>,
}

impl KeptSteps {
    /// Nothing yet, for questions like this one.
    pub fn new(query: &FigureQuery) -> Self {
        Self {
            step_us: query.step_us,
            over_us: query.over_us,
            from_us: query.from_us,
            read_upto_us: query.from_us,
            values: Series::new(),
        }
    }

    /// Whether a question is for such steps.
    pub fn are_of(&self, query: &FigureQuery) -> bool {
        (query.step_us, query.over_us) == (self.step_us, self.over_us)
    }

    /// Whether a question asks for nothing from before what is kept.
    pub fn reach_back_to(&self, query: &FigureQuery) -> bool {
        query.from_us >= self.from_us
    }

    /// As [`KeptCounts::read_upto`].
    pub fn read_upto(
        &mut self,
        to_us: i64,
        now_us: i64,
        (plan, facts): (&Plan, &MetricFacts),
        reader: &mut Reader,
    ) -> Result<bool, String> {
        while self.read_upto_us < to_us {
            let stretch = Stretch {
                from_us: self.read_upto_us,
                to_us: floor(plan.span.1, self.step_us).max(to_us),
                step_us: self.step_us,
                over_us: self.over_us,
            };
            let Some((end_us, found)) = reader.read(stretch)? else {
                return Ok(false);
            };
            let behind_us = plan.behind_us(plan.bucket_us(now_us));
            let kept_us = plan.history_us() + behind_us + 2 * self.step_us;
            self.from_us = self.from_us.max(now_us - kept_us);
            forget_before(&mut self.values, self.from_us);
            for figures in found {
                // Steps without events are left out, as a question for just these would.
                let told = figures.buckets.into_iter();
                let told = told.filter(|bucket| bucket.value != facts.empty_value);
                let mut told = told.map(|bucket| (bucket.start_us, bucket)).peekable();
                if told.peek().is_some() {
                    let series = self.values.entry(figures.slice).or_default();
                    series.extend(told);
                }
            }
            self.read_upto_us = end_us;
        }
        Ok(true)
    }

    /// How many figures are kept.
    pub fn len(&self) -> usize {
        len(&self.values)
    }

    /// The answer to a question for such steps.
    pub fn answer(&self, query: &FigureQuery) -> Vec<SliceFigures> {
        let figures = self.values.iter().filter_map(|(slice, values)| {
            let values = within(values, query.from_us, query.to_us);
            (!values.is_empty()).then(|| SliceFigures {
                slice: slice.clone(),
                buckets: values.iter().map(|(_, bucket)| *bucket).collect(),
            })
        });
        figures.collect()
    }
}

fn floor(us: i64, length_us: i64) -> i64 {
    us.div_euclid(length_us) * length_us
}

fn len<T>(series: &Series<T>) -> usize {
    series.values().map(Vec::len).sum()
}

/// Those that begin between two times.
fn within<T>(figures: &[(i64, T)], from_us: i64, to_us: i64) -> &[(i64, T)] {
    let first = figures.partition_point(|(at_us, _)| *at_us < from_us);
    let last = figures.partition_point(|(at_us, _)| *at_us < to_us);
    figures.get(first..last).unwrap_or_default()
}

fn forget_before<T>(series: &mut Series<T>, from_us: i64) {
    series.retain(|_, figures| {
        let old = figures.partition_point(|(at_us, _)| *at_us < from_us);
        figures.drain(..old);
        !figures.is_empty()
    });
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn figures_are_added_up_by_the_steps_that_they_are_in() {
        let mut rng = StdRng::seed_from_u64(1);
        for (width_us, step_us) in [(1, 1), (10, 10), (10, 60), (7, 60), (60, 10), (3_600, 960)] {
            for from_us in [-100_000, 0, 1_790_000_000_000_000] {
                let places: Vec<i64> = (0..400).filter(|_| rng.random_range(0..10) > 3).collect();
                let figures = places.iter().map(|place| {
                    let mut any = || f64::from(rng.random_range(0..9_u32));
                    let counts = (any(), any());
                    (from_us + place * width_us, counts)
                });
                let figures: Vec<(i64, Counts)> = figures.collect();
                let mut added: BTreeMap<i64, Counts> = BTreeMap::new();
                for (at_us, (above, below)) in &figures {
                    let sum = added.entry(floor(*at_us, step_us)).or_default();
                    *sum = (sum.0 + above, sum.1 + below);
                }
                let found = steps(&figures, step_us);
                let added: Vec<(i64, Counts)> = added.into_iter().collect();
                assert_eq!(found, added, "{width_us} in {step_us} from {from_us}");
            }
        }
        assert_eq!(steps(&[], 60), []);
    }
}
