//! Which steps are to be judged now.

use super::state::Step;
use crate::definition::{Detect, MonitorDefinition};
use crate::figure::MetricFacts;

/// After a pause, steps older than this are not judged any more, in microseconds.
const CATCH_UP_US: i64 = 3600 * 1_000_000;
/// Rates are judged no more often than this, in microseconds.
const RATE_STEP_US: i64 = 10 * 1_000_000;

/// What the clock shows.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    /// When the engine started.
    pub started_us: i64,
    /// Now.
    pub now_us: i64,
}

/// The first and the last step to judge now; `None` where no bucket has become complete.
pub(super) fn due(
    definition: &MonitorDefinition,
    facts: &MetricFacts,
    judged_upto_us: Option<i64>,
    clock: Clock,
) -> Option<(Step, Step)> {
    let bucket_us = facts.bucket_us.max(1);
    let wanted_us = match &definition.detect {
        Detect::Threshold(detect) => i64::try_from(detect.window.as_micros()).unwrap_or(i64::MAX),
        Detect::Rate(_) => RATE_STEP_US,
    };
    let buckets = (wanted_us.saturating_sub(1) / bucket_us) + 1;
    let step_us = buckets.max(1) * bucket_us;
    let complete_us = complete_upto_us(definition, facts, step_us, clock)?;
    let ready_us = complete_us.div_euclid(step_us) * step_us;
    let from_us = judged_upto_us.unwrap_or(ready_us - step_us);
    let from_us = from_us
        .max(ready_us - CATCH_UP_US.max(step_us))
        .div_euclid(step_us)
        * step_us;
    let first = Step {
        start_us: from_us,
        end_us: from_us + step_us,
    };
    let last = Step {
        start_us: ready_us - step_us,
        end_us: ready_us,
    };
    (first.start_us < ready_us).then_some((first, last))
}

/// The time up to which everything is taken to have arrived; `None` before the first event.
fn complete_upto_us(
    definition: &MonitorDefinition,
    facts: &MetricFacts,
    step_us: i64,
    clock: Clock,
) -> Option<i64> {
    // One client whose clock is ahead moves the watermark ahead for all. By the clock, too, events
    // are waited for as long as they may be late, or theirs would be judged before they came.
    let by_clock_us = clock.now_us.saturating_sub(facts.lateness_us);
    let complete_us = facts.watermark_us?.min(by_clock_us);
    let Detect::Threshold(detect) = &definition.detect else {
        return Some(complete_us);
    };
    if detect.below.is_none() || facts.empty_value.is_none() {
        return Some(complete_us);
    }
    // Without events the watermark stands still, and that there are none is just what a lower bound
    // on a count is for. A window and the lateness later the clock overtakes it; not right after a
    // start, when sources still bring what they kept meanwhile.
    let overtaking_us = by_clock_us.saturating_sub(step_us.saturating_add(facts.lateness_us));
    if overtaking_us < clock.started_us {
        return Some(complete_us);
    }
    Some(complete_us.max(overtaking_us))
}
