//! Which steps are to be judged now.

use super::figures::over_us;
use super::state::Step;
use super::volume::tested_us;
use crate::definition::{Detect, Direction, MonitorDefinition};
use crate::figure::MetricFacts;

/// After a pause, steps older than this are not judged any more, in microseconds.
const CATCH_UP_US: i64 = 3600 * 1_000_000;
/// Silence is looked for no more often than this, in microseconds.
const SILENCE_US: i64 = 60 * 1_000_000;
/// A window of counts has no more steps than these.
const STEPS_MAX: i64 = 360;
/// Rates, counts and trailing windows are judged no more often than this, in microseconds.
const OFTEN_US: i64 = 10 * 1_000_000;

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
    let step_us = step_us(definition, bucket_us);
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

/// How long a step is: whole buckets, and of a trailing window a whole part.
pub(crate) fn step_us(definition: &MonitorDefinition, bucket_us: i64) -> i64 {
    let buckets = |us: i64| ((us.saturating_sub(1) / bucket_us) + 1).max(1);
    let detect = match &definition.detect {
        Detect::Threshold(detect) => detect,
        Detect::Silence(_) | Detect::Count(_) => {
            let least_us = match definition.detect {
                Detect::Silence(_) => SILENCE_US,
                _ => OFTEN_US,
            };
            let window_us = tested_us(&definition.detect).unwrap_or(least_us);
            return buckets(least_us.max(window_us / STEPS_MAX)) * bucket_us;
        }
        Detect::Seasonal(detect) | Detect::Change(detect) | Detect::Forecast(detect) => {
            let window_us = i64::try_from(detect.window.as_micros()).unwrap_or(i64::MAX);
            return buckets(window_us) * bucket_us;
        }
        _ => return buckets(OFTEN_US) * bucket_us,
    };
    let Some(over_us) = over_us(detect) else {
        let window_us = i64::try_from(detect.window.as_micros()).unwrap_or(i64::MAX);
        return buckets(window_us) * bucket_us;
    };
    let is_part = |count: &i64| over_us % (count * bucket_us) == 0;
    let count = (buckets(OFTEN_US)..=buckets(over_us)).find(is_part);
    count.unwrap_or_else(|| buckets(over_us)) * bucket_us
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
    let asks_for_too_few = match &definition.detect {
        Detect::Threshold(detect) => detect.below.is_some(),
        Detect::Count(_) | Detect::Seasonal(_) | Detect::Change(_) | Detect::Forecast(_) => {
            definition.direction != Direction::Up
        }
        Detect::Silence(_) => true,
        Detect::Rate(_) | Detect::Auto(_) => false,
    };
    if !asks_for_too_few || facts.empty_value.is_none() {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::definition::ThresholdDetect;

    #[test]
    fn a_trailing_window_is_judged_at_every_bucket_but_not_every_second() {
        let step_s = |over_s: u64, bucket_s: i64| {
            let detect = ThresholdDetect {
                over: Some(Duration::from_secs(over_s)),
                ..ThresholdDetect::default()
            };
            let definition = MonitorDefinition::new("m", "m", Detect::Threshold(detect));
            step_us(&definition, bucket_s * 1_000_000) / 1_000_000
        };
        assert_eq!(step_s(300, 10), 10);
        assert_eq!(step_s(300, 60), 60);
        assert_eq!(step_s(300, 1), 10);
        assert_eq!(step_s(33, 1), 11);
        assert_eq!(step_s(17, 1), 17);
        assert_eq!(step_s(5, 1), 5);
        assert_eq!(step_s(3_600, 3_600), 3_600);
    }
}
