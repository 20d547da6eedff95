//! What is normal for every slice of a rate, from its history.

use std::collections::HashMap;

use crate::definition::{MonitorDefinition, RateDetect};
use crate::detect::baseline::{Baseline, Counts, History, between_slices};
use crate::figure::{Bucket, FigureQuery, FigureSource, Slice, SliceFigures};
use crate::incident::{Incident, time_text};

/// How long baselines are used before they are computed again, in microseconds of judged time.
pub(super) const REFRESH_US: i64 = 15 * 60 * 1_000_000;
/// History is worth judging by from this many times `min_samples`.
const HISTORY_SAMPLES_FACTOR: f64 = 5.0;

/// Baselines of a monitor's slices and of the slices above them: of `[psp, issuer]` those of each
/// pair, of each PSP and of the whole.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Baselines {
    /// End of the last step they were computed for.
    pub at_us: i64,
    by: Vec<String>,
    known: HashMap<Slice, Baseline>,
    /// Per parent, how closely its slices lie around it.
    between: HashMap<Slice, f64>,
    /// Blocks of history that could not be used.
    pub left_out: LeftOut,
}

/// Blocks of history per slice, in the order of time; none where there is nothing to learn from.
type Blocks = HashMap<Slice, Vec<Option<Counts>>>;

/// The stretch of history that is looked at.
#[derive(Clone, Copy)]
struct Span {
    from_us: i64,
    block_us: i64,
    blocks: usize,
}

impl Span {
    /// Which block begins at a time.
    fn place(self, start_us: i64) -> Option<usize> {
        let place = (start_us - self.from_us).div_euclid(self.block_us);
        usize::try_from(place).ok().filter(|at| *at < self.blocks)
    }
}

/// The blocks from which something is learned.
fn known(blocks: &[Option<Counts>]) -> History {
    History::of(blocks.iter().copied().flatten())
}

/// Figures that are no share of a count. They are left out rather than judged, because the test
/// would be wrong; the rest is judged without them, so that one odd event silences no monitor.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LeftOut {
    count: usize,
    /// The first of them, in words.
    example: String,
}

impl LeftOut {
    /// The counts of a bucket; `None`, and a note of it, where they are no share of a count.
    pub fn counts(&mut self, slice: &Slice, bucket: &Bucket) -> Option<Counts> {
        let successes = bucket.numerator.unwrap_or(0.0);
        let attempts = bucket.denominator.unwrap_or(0.0);
        let whole = |n: f64| n >= 0.0 && n.is_finite() && n.fract() == 0.0;
        if whole(successes) && whole(attempts) && successes <= attempts {
            return Some(Counts {
                successes,
                attempts,
            });
        }
        if self.count == 0 {
            let at = time_text(bucket.start_us);
            self.example = format!("{successes} of {attempts} on {slice} from {at}");
        }
        self.count += 1;
        None
    }

    /// What was left out, in a sentence for the status page; `None` where nothing was.
    pub fn note(&self, of: &str) -> Option<String> {
        let Self { count, example } = self;
        let note = || {
            format!(
                "left out {count} figures of {of} that are no share of a count, as {example}: \
                 events counted above the line must be counted below it too"
            )
        };
        (*count > 0).then(note)
    }
}

impl Baselines {
    /// Reads history up to `upto_us` and sums it up. `incidents` are left out. Where there is too
    /// little history to judge anything, only what could not be used of it comes back.
    pub fn learn(
        source: &dyn FigureSource,
        definition: &MonitorDefinition,
        detect: &RateDetect,
        block_us: i64,
        upto_us: i64,
        incidents: &[Incident],
    ) -> Result<Result<Self, LeftOut>, String> {
        let history_us = i64::try_from(detect.history.as_micros()).unwrap_or(i64::MAX / 4);
        // The longest stretch that is tested is no part of the history it is tested against.
        let to_us = (upto_us - block_us).div_euclid(block_us) * block_us;
        let query = FigureQuery {
            metric: definition.metric.clone(),
            by: definition.by.clone(),
            within: Slice::whole(),
            from_us: (to_us - history_us).div_euclid(block_us) * block_us,
            to_us,
            step_us: block_us,
            over_us: None,
        };
        let figures = source.figures(&query)?;
        let mut left_out = LeftOut::default();
        let span = Span {
            from_us: query.from_us,
            block_us,
            blocks: usize::try_from((to_us - query.from_us) / block_us).unwrap_or(0),
        };
        let mut levels = levels(&definition.by, &figures, span, incidents, &mut left_out);
        let Some(whole) = levels.first().and_then(|level| level.get(&Slice::whole())) else {
            return Ok(Err(left_out));
        };
        let whole = known(whole);
        let needed = HISTORY_SAMPLES_FACTOR * detect.min_samples as f64;
        let Some(root) = Baseline::of_whole(&whole).filter(|_| whole.total.attempts >= needed)
        else {
            return Ok(Err(left_out));
        };
        let mut found = Self {
            at_us: upto_us,
            by: definition.by.clone(),
            known: HashMap::from([(Slice::whole(), root)]),
            between: HashMap::new(),
            left_out,
        };
        for level in levels.drain(..).skip(1) {
            found.add(level);
        }
        Ok(Ok(found))
    }

    /// The baseline of a slice that has history, or of one above such by the first dimensions.
    pub fn learned(&self, slice: &Slice) -> Option<Baseline> {
        self.known.get(slice).copied()
    }

    /// The baseline of a slice; that of its parent, loosened, where it has no history.
    pub fn of(&self, slice: &Slice) -> Option<Baseline> {
        if let Some(known) = self.known.get(slice) {
            return Some(*known);
        }
        if slice.dimensions() == 0 {
            return None;
        }
        let parent = self.parent(slice);
        let between = self.between.get(&parent).copied();
        let above = self.of(&parent)?;
        let loose = between.unwrap_or_else(|| between_slices(&[]));
        Some(Baseline::of_slice(&History::of([]), &above, loose))
    }

    /// The slice without its last dimension, in the order of the definition.
    fn parent(&self, slice: &Slice) -> Slice {
        let last = self
            .by
            .iter()
            .rev()
            .find(|dimension| slice.value(dimension).is_some());
        slice.project(|dimension| Some(dimension) != last.map(String::as_str))
    }

    fn add(&mut self, level: Blocks) {
        let histories: Vec<(Slice, Slice, History)> = level
            .into_iter()
            .map(|(slice, blocks)| {
                let parent = self.parent(&slice);
                (slice, parent, known(&blocks))
            })
            .collect();
        let mut siblings: HashMap<&Slice, Vec<Counts>> = HashMap::new();
        for (_, parent, history) in &histories {
            siblings.entry(parent).or_default().push(history.total);
        }
        for (parent, totals) in siblings {
            self.between.insert(parent.clone(), between_slices(&totals));
        }
        for (slice, parent, history) in histories {
            let (Some(above), Some(between)) = (
                self.known.get(&parent).copied(),
                self.between.get(&parent).copied(),
            ) else {
                continue;
            };
            self.known
                .insert(slice, Baseline::of_slice(&history, &above, between));
        }
    }
}

/// Blocks of the whole, of the first dimension's slices, and so on to the full slices.
fn levels(
    by: &[String],
    figures: &[SliceFigures],
    span: Span,
    incidents: &[Incident],
    left_out: &mut LeftOut,
) -> Vec<Blocks> {
    let mut levels: Vec<Blocks> = (0..=by.len()).map(|_| Blocks::new()).collect();
    for SliceFigures { slice, buckets } in figures {
        let excluded: Vec<(i64, i64)> = incidents
            .iter()
            .filter(|incident| incident.slice.covers(slice))
            .map(|incident| {
                (
                    incident.started_at_us,
                    incident.resolved_at_us.unwrap_or(i64::MAX),
                )
            })
            .collect();
        let mut kept = Vec::with_capacity(buckets.len());
        for bucket in buckets {
            let end_us = bucket.start_us + span.block_us;
            let is_excluded = excluded
                .iter()
                .any(|(from, to)| bucket.start_us < *to && *from < end_us);
            if !is_excluded
                && let Some(counts) = left_out.counts(slice, bucket)
                && let Some(at) = span.place(bucket.start_us)
            {
                kept.push((at, counts));
            }
        }
        for (depth, level) in levels.iter_mut().enumerate() {
            let prefix = slice.project(|d| by.iter().take(depth).any(|kept| kept == d));
            let nothing = || vec![None; span.blocks];
            let blocks = level.entry(prefix).or_insert_with(nothing);
            for (at, counts) in &kept {
                if let Some(block) = blocks.get_mut(*at) {
                    *block = Some(block.unwrap_or_default().plus(*counts));
                }
            }
        }
    }
    levels
}
