//! The audit: live = replay, checked on the data there is.
//!
//! Ranges of a cube's buckets are computed once more from the raw events
//! ([`Processor::recount`]) and compared with what the kept states give. Integers, decimals, texts, times
//! and bools must be equal, and so must sketches, whose merging is exact; floats may differ by
//! 10⁻⁹ of their size, because their sums depend on the order. Figures of built-in `approx_…` aggregates
//! other than `approx_distinct` depend on the order by more than that and are not compared.
//!
//! A value that could not be computed (`derive_failed`, `measure_failed`) is null on both sides, and an
//! event that no definition could take is on neither, so none of them makes a difference. A range with
//! an event that an aggregate refuses cannot be recounted, and is counted as skipped; where a cube lacks
//! such an event and recounting takes it all the same, a difference means nothing and is counted as
//! unsure. A cube that folded combinations into `__other__` is compared without its dimensions.
//!
//! Both sides see one moment, so that late events in between do not matter. Buckets past `keep` are not
//! audited, nor those that begin before the raw events that are kept, and those of a coarser tier at their
//! width.

pub(crate) mod compare;
mod pick;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tillwatch_journal::JournalReader;
use tillwatch_process::{Cube, ProcessError, Processor, Recount, RecountRange};

pub use compare::Difference;
use pick::{Dice, Span, newest_hour, pick, spans};

/// Differences that a report describes; further ones are only counted.
const DESCRIBED_MAX: usize = 20;
/// Ranges tried for each bucket of a sample: in some nothing happened.
const TRIES_PER_BUCKET: u64 = 4;

/// What an audit may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditLimits {
    /// Events that recounting one range may read; a range with more is halved.
    pub rows_max: u64,
    /// Time that recounting one range may take.
    pub range_max: Duration,
    /// How far behind the stream's watermark a range must be, µs; none audits all there is.
    pub behind_us: Option<i64>,
}

impl Default for AuditLimits {
    fn default() -> Self {
        Self {
            rows_max: 1_000_000,
            range_max: Duration::from_secs(30),
            behind_us: Some(300_000_000),
        }
    }
}

/// How much of a cube is audited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditPart {
    /// One stretch of up to an hour, less where it has too many events: by the seed the newest whole
    /// hour, or any other.
    Stretch,
    /// About so many buckets, chosen by the seed.
    Sample(u64),
    /// All of them.
    All,
}

/// What an audit found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// Buckets compared.
    pub buckets: u64,
    /// Keys compared: combinations of dimension values, in a bucket.
    pub keys: u64,
    /// Figures compared.
    pub figures: u64,
    /// Events read.
    pub events: u64,
    /// Figures that differ.
    pub differences: u64,
    /// Figures that differ in a cube which is known to lack events that could not be aggregated.
    pub unsure: u64,
    /// Ranges left out: a bucket with more events than allowed, out of time, an event that cannot be
    /// aggregated, or buckets that were rolled up, or whose raw events came of age, meanwhile.
    pub skipped: u64,
    /// The first differences.
    pub described: Vec<Difference>,
}

impl AuditReport {
    /// Adds up.
    pub fn add(&mut self, other: Self) {
        self.buckets += other.buckets;
        self.keys += other.keys;
        self.figures += other.figures;
        self.events += other.events;
        self.differences += other.differences;
        self.unsure += other.unsure;
        self.skipped += other.skipped;
        let room = DESCRIBED_MAX.saturating_sub(self.described.len());
        self.described
            .extend(other.described.into_iter().take(room));
    }
}

/// Audits the cubes of a processor.
#[derive(Clone)]
pub struct Auditor {
    processor: Arc<Processor>,
    journal: JournalReader,
    limits: AuditLimits,
    go_on: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl std::fmt::Debug for Auditor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auditor")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Auditor {
    /// An auditor of a processor that has recovered.
    #[must_use]
    pub fn new(processor: Arc<Processor>, journal: JournalReader, limits: AuditLimits) -> Self {
        Self {
            processor,
            journal,
            limits,
            go_on: Arc::new(|| true),
        }
    }

    /// The same, ending at once, also within a range, when `go_on` says no.
    #[must_use]
    pub fn while_told(mut self, go_on: Arc<dyn Fn() -> bool + Send + Sync>) -> Self {
        self.go_on = go_on;
        self
    }

    /// Audits part of a cube. Blocks; `go_on` is told what was found so far after every range, and ends
    /// the audit by saying no.
    ///
    /// # Errors
    /// There is no such cube, or history or the journal cannot be read.
    pub fn audit(
        &self,
        cube: &str,
        part: AuditPart,
        seed: u64,
        go_on: &mut dyn FnMut(&AuditReport) -> bool,
    ) -> Result<AuditReport, ProcessError> {
        let mut report = AuditReport::default();
        let found = self.processor.cube(cube);
        let found =
            found.ok_or_else(|| ProcessError::Kept(format!("there is no cube '{cube}'")))?;
        let spans = self.spans(&found)?;
        let mut dice = Dice::new(seed);
        let there: u64 = spans.iter().map(|span| span.buckets()).sum();
        let part = match part {
            AuditPart::Sample(buckets) if buckets >= there => AuditPart::All,
            part => part,
        };
        match part {
            AuditPart::Stretch => {
                let span = if dice.roll(2) == 0 {
                    newest_hour(&spans)
                } else {
                    pick(&spans, &mut dice, u64::MAX)
                };
                if let Some(span) = span {
                    self.halving(&found, span, Some(&mut dice), &mut report, go_on)?;
                }
            }
            AuditPart::Sample(buckets) => {
                let mut tries = buckets.saturating_mul(TRIES_PER_BUCKET);
                while report.buckets < buckets && tries > 0 && go_on(&report) {
                    tries -= 1;
                    let Some(span) = pick(&spans, &mut dice, buckets - report.buckets) else {
                        break;
                    };
                    self.halving(&found, span, None, &mut report, go_on)?;
                }
            }
            AuditPart::All => {
                for span in spans {
                    for hour in span.hours() {
                        if !self.halving(&found, hour, None, &mut report, go_on)? {
                            return Ok(report);
                        }
                    }
                }
            }
        }
        Ok(report)
    }

    /// The stretches of a cube that can be audited, each of one width, oldest first.
    fn spans(&self, cube: &Cube) -> Result<Vec<Span>, ProcessError> {
        let view = cube.view(None, None);
        let Some((first, last)) = view.extent(i64::MIN, i64::MAX)? else {
            return Ok(Vec::new());
        };
        let mut end = last.saturating_add(cube.bucket_us());
        if let Some(behind) = self.limits.behind_us {
            let stream = self.processor.stream(&cube.definition().from);
            let Some(watermark) = stream.and_then(|stream| stream.watermark_us()) else {
                return Ok(Vec::new());
            };
            end = end.min(watermark.saturating_sub(behind));
        }
        let whole = self.limits.behind_us.is_none();
        let spans = spans(&cube.widths_us(), cube.bucket_us(), first, end, whole);
        let Some(from_us) = self.processor.comparable_from_us(cube) else {
            return Ok(spans);
        };
        let spans = spans.into_iter();
        Ok(spans.filter_map(|span| span.since(from_us)).collect())
    }

    /// Audits a range, in halves where it has too many events: in both, or with `dice` in one of them, so
    /// that the cost stays near that of one range. Says whether to go on.
    fn halving(
        &self,
        cube: &Cube,
        span: Span,
        mut dice: Option<&mut Dice>,
        report: &mut AuditReport,
        go_on: &mut dyn FnMut(&AuditReport) -> bool,
    ) -> Result<bool, ProcessError> {
        let mut left = vec![span];
        while let Some(span) = left.pop() {
            if !go_on(report) {
                return Ok(false);
            }
            let until = Instant::now() + self.limits.range_max;
            let range = RecountRange {
                from_us: span.from_us,
                to_us: span.to_us,
                width_us: span.width_us,
                rows_max: self.limits.rows_max,
                go_on: {
                    let told = Arc::clone(&self.go_on);
                    Arc::new(move || Instant::now() < until && told())
                },
            };
            let name = &cube.definition().name;
            match self.processor.recount(name, &self.journal, &range)? {
                Recount::Done(figures) => {
                    let found = compare::compare(cube, &figures)?;
                    report.add(found);
                }
                Recount::Stopped if !(self.go_on)() => return Ok(false),
                Recount::TooMany | Recount::Stopped => match span.halves() {
                    Some((first, second)) => match dice.as_deref_mut() {
                        None => left.extend([second, first]),
                        Some(dice) => left.push(if dice.roll(2) == 0 { first } else { second }),
                    },
                    None => report.skipped += 1,
                },
                Recount::Moved => report.skipped += 1,
                Recount::Unfit(reason) => {
                    tracing::debug!(cube = name, reason, "a range cannot be audited");
                    report.skipped += 1;
                }
            }
        }
        Ok(true)
    }
}
