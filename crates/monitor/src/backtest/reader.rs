//! Reads figures in few questions, each as long as an answer may be.

use std::sync::Arc;

use crate::definition::MonitorDefinition;
use crate::figure::{FigureQuery, FigureSource, Slice, SliceFigures};

/// Steps of the first question: about an hour of ten seconds, about a day of five minutes.
const STEPS_FIRST: i64 = 336;
/// Most steps of one question.
const STEPS_MAX: i64 = 4_096;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    /// Begin, a multiple of the step, in microseconds since the epoch.
    pub from_us: i64,
    /// End, exclusive, a multiple of the step.
    pub to_us: i64,
    /// Length of a step.
    pub step_us: i64,
    /// Length of the window that ends with each step, where it is not the step.
    pub over_us: Option<i64>,
}

/// Asks for the figures of all slices of a monitor.
pub(super) struct Reader {
    source: Arc<dyn FigureSource>,
    metric: String,
    by: Vec<String>,
    steps_at_once: i64,
}

impl Reader {
    /// A reader of the figures that a monitor judges.
    pub fn new(source: Arc<dyn FigureSource>, monitor: &MonitorDefinition) -> Self {
        Self {
            source,
            metric: monitor.metric.clone(),
            by: monitor.by.clone(),
            steps_at_once: STEPS_FIRST,
        }
    }

    /// The figures of the first steps of a stretch, as many as one answer holds, and where these end. None where no
    /// answer holds all slices.
    ///
    /// # Errors
    /// Those of the source.
    pub fn read(&mut self, stretch: Stretch) -> Result<Option<(i64, Vec<SliceFigures>)>, String> {
        let Stretch {
            from_us, step_us, ..
        } = stretch;
        loop {
            let to_us = (stretch.to_us).min(from_us + self.steps_at_once * step_us);
            let steps = (to_us - from_us) / step_us;
            let most = self.source.slices_max(steps);
            let query = FigureQuery {
                metric: self.metric.clone(),
                by: self.by.clone(),
                within: Slice::whole(),
                from_us,
                to_us,
                step_us,
                over_us: stretch.over_us,
            };
            let found = self.source.figures(&query)?;
            if found.len() < most {
                self.lengthen(found.len());
                return Ok(Some((to_us, found)));
            }
            if steps <= 1 || most >= self.source.slices_max(1) {
                return Ok(None);
            }
            self.steps_at_once = steps / 2;
        }
    }

    /// Asks for more at once where so many slices leave room for it.
    fn lengthen(&mut self, slices: usize) {
        let more = STEPS_MAX.min(2 * self.steps_at_once);
        if self.source.slices_max(more) / 2 > slices {
            self.steps_at_once = more;
        }
    }
}
