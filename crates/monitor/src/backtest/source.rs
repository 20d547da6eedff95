//! The figures of the past, as they were known at a time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::eras::Eras;
use super::kept::{KeptCounts, KeptSteps};
use super::plan::{Plan, us};
use super::reader::Reader;
use crate::MonitorError;
use crate::definition::{Detect, MonitorDefinition};
use crate::figure::{
    FigureQuery, FigureSource, MetricFacts, Passed, PassedQuery, Revised, Slice, SliceFigures,
};
use crate::watch::step_us;

/// A source that knows nothing after a time.
///
/// What a monitor judges is read ahead and kept, so that few questions go to the source behind it; all others go there.
pub(super) struct Past {
    behind: Arc<dyn FigureSource>,
    metric: String,
    facts: MetricFacts,
    plan: Plan,
    now_us: AtomicI64,
    figures_max: usize,
    kept: Mutex<Kept>,
}

/// What was read.
struct Kept {
    reader: Reader,
    figures: KeptFigures,
}

enum KeptFigures {
    /// Nothing yet.
    None,
    Counts(KeptCounts),
    Steps(KeptSteps),
    /// No answer holds all slices: each question is one for the heaviest of its time.
    TooMany,
}

impl Past {
    /// The past of a monitor's metric for a test over `span`. More than `figures_max` figures are not kept at once.
    pub fn new(
        behind: Arc<dyn FigureSource>,
        monitor: &MonitorDefinition,
        span: (i64, i64),
        figures_max: usize,
    ) -> Result<Self, MonitorError> {
        let fault = MonitorError::Backtest;
        let facts = behind.facts(&monitor.metric).map_err(fault)?;
        let widths = behind.widths_us(&monitor.metric).map_err(fault)?;
        let eras = Eras::new(widths, facts.bucket_us);
        let plan = Plan::new(monitor, &facts, eras, span).map_err(fault)?;
        let reader = Reader::new(Arc::clone(&behind), &plan.monitor);
        Ok(Self {
            behind,
            metric: monitor.metric.clone(),
            facts,
            plan,
            now_us: AtomicI64::new(span.0),
            figures_max,
            kept: Mutex::new(Kept {
                reader,
                figures: KeptFigures::None,
            }),
        })
    }

    /// How is judged.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// From now on figures up to this time are known.
    pub fn is_now(&self, at_us: i64) {
        self.now_us.store(at_us, Ordering::SeqCst);
    }

    fn now_us(&self) -> i64 {
        self.now_us.load(Ordering::SeqCst)
    }

    fn known_upto_us(&self) -> i64 {
        let now_us = self.now_us();
        let bucket_us = self.plan.bucket_us(now_us);
        now_us.div_euclid(bucket_us) * bucket_us
    }

    /// A panic elsewhere leaves what was read, or a part of it that is read again.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer from what is kept, which is read first as far as it is needed; none where it cannot tell.
    fn answer_kept(&self, query: &FigureQuery) -> Result<Option<Vec<SliceFigures>>, String> {
        let kept = &mut *self.kept();
        let (plan, now_us) = (&self.plan, self.now_us());
        let Kept { reader, figures } = kept;
        if matches!(figures, KeptFigures::None) && plan.is_additive() {
            let mut counts = KeptCounts::new(plan, self.facts.is_rate);
            *figures = if counts.read_history(reader)? {
                KeptFigures::Counts(counts)
            } else {
                KeptFigures::TooMany
            };
        }
        if !plan.is_additive() && self.is_judged(query) {
            // Steps become shorter where buckets do.
            let other = !matches!(figures, KeptFigures::Steps(steps) if steps.are_of(query));
            if other && !matches!(figures, KeptFigures::TooMany) {
                *figures = KeptFigures::Steps(KeptSteps::new(query));
            }
        }
        let (is_whole, count, answer) = match figures {
            KeptFigures::None | KeptFigures::TooMany => return Ok(None),
            KeptFigures::Counts(counts) => {
                let is_whole = counts.read_upto(query.to_us, now_us, plan, reader)?;
                let answer = counts.answer(query, &plan.monitor.by);
                (is_whole, counts.len(), answer)
            }
            KeptFigures::Steps(steps) => {
                if !self.is_judged(query) || !steps.reach_back_to(query) {
                    return Ok(None);
                }
                let with = (plan, &self.facts);
                let is_whole = steps.read_upto(query.to_us, now_us, with, reader)?;
                (is_whole, steps.len(), Some(steps.answer(query)))
            }
        };
        if count > self.figures_max {
            return Err(format!(
                "the back-test would keep more than {} figures at once; split the metric by fewer dimensions, or test a shorter time",
                self.figures_max
            ));
        }
        if !is_whole {
            *figures = KeptFigures::TooMany;
            return Ok(None);
        }
        Ok(answer)
    }

    /// Whether a question is for the steps that the monitor judges, which are read ahead.
    fn is_judged(&self, query: &FigureQuery) -> bool {
        let monitor = &self.plan.monitor;
        let step_us = step_us(monitor, self.plan.bucket_us(self.now_us()));
        let over_us = match &monitor.detect {
            Detect::Threshold(detect) => detect.over.map(us),
            _ => None,
        };
        query.by == monitor.by
            && query.within.dimensions() == 0
            && (query.step_us, query.over_us) == (step_us, over_us)
            && query.from_us % step_us == 0
            && query.to_us % step_us == 0
    }

    /// Asks the source behind, which takes a step that is begun for a whole one, and so would tell of what comes after.
    fn ask(&self, query: &FigureQuery) -> Result<Vec<SliceFigures>, String> {
        let begun_us = query.to_us.rem_euclid(query.step_us);
        let is_one = query.to_us - query.from_us == query.step_us;
        if begun_us == 0 || is_one {
            return self.behind.figures(query);
        }
        let whole_us = query.to_us - begun_us;
        let rest = FigureQuery {
            from_us: whole_us.max(query.from_us),
            step_us: query.to_us - whole_us.max(query.from_us),
            over_us: None,
            ..query.clone()
        };
        let mut found = if whole_us > query.from_us {
            let whole = FigureQuery {
                to_us: whole_us,
                ..query.clone()
            };
            self.behind.figures(&whole)?
        } else {
            Vec::new()
        };
        if query.over_us.is_some() {
            return Ok(found);
        }
        for figures in self.behind.figures(&rest)? {
            match found.iter_mut().find(|one| one.slice == figures.slice) {
                Some(one) => one.buckets.extend(figures.buckets),
                None => found.push(figures),
            }
        }
        Ok(found)
    }
}

impl FigureSource for Past {
    fn facts(&self, metric: &str) -> Result<MetricFacts, String> {
        let facts = if metric == self.metric {
            MetricFacts {
                bucket_us: self.plan.bucket_us(self.now_us()),
                ..self.facts.clone()
            }
        } else {
            self.behind.facts(metric)?
        };
        Ok(MetricFacts {
            watermark_us: Some(self.known_upto_us()),
            // What came late is where it belongs by now, and was not waited for.
            lateness_us: 0,
            revised_events: 0,
            ..facts
        })
    }

    fn width_us(&self, metric: &str, from_us: i64) -> Result<i64, String> {
        self.behind.width_us(metric, from_us)
    }

    fn widths_us(&self, metric: &str) -> Result<Vec<(i64, i64)>, String> {
        self.behind.widths_us(metric)
    }

    fn figures(&self, query: &FigureQuery) -> Result<Vec<SliceFigures>, String> {
        let query = &FigureQuery {
            to_us: query.to_us.min(self.known_upto_us()),
            ..query.clone()
        };
        if query.to_us <= query.from_us {
            return Ok(Vec::new());
        }
        // Another metric's figures, such as what a payment is worth, are asked for when there is an incident.
        let is_own = query.metric == self.metric;
        let kept = if is_own {
            self.answer_kept(query)?
        } else {
            None
        };
        match kept {
            Some(found) => Ok(found),
            None => self.ask(query),
        }
    }

    fn passed(&self, query: &PassedQuery) -> Result<Passed, String> {
        let query = PassedQuery {
            to_us: query.to_us.min(self.known_upto_us()),
            ..query.clone()
        };
        if query.to_us <= query.from_us {
            return Ok(Passed::default());
        }
        self.behind.passed(&query)
    }

    fn slices_max(&self, steps: i64) -> usize {
        self.behind.slices_max(steps)
    }

    fn stream(&self, metric: &str) -> Option<String> {
        self.behind.stream(metric)
    }

    fn events_sql(
        &self,
        metric: &str,
        slices: &[Slice],
        from_us: i64,
        to_us: i64,
    ) -> Option<String> {
        self.behind.events_sql(metric, slices, from_us, to_us)
    }

    fn revised(&self, _: &str, _: i64, _: i64) -> Result<Option<Revised>, String> {
        Ok(None)
    }
}
