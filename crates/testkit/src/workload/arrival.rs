//! In which order events arrive: which lines repeat others, and how long before its arrival an event happened.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{
    LATE_SHARE, LATE_US_MAX, OUT_OF_ORDER_SHARE, OUT_OF_ORDER_US_MAX, REPEATED_SHARE,
    WorkloadConfig,
};
use crate::simulate::random::{mix, unit};

/// Longest time until an event is repeated, microseconds of arrival.
const REPEATED_US_MAX: i64 = 120_000_000;
/// A repetition is due at most so many lines later, which bounds what is kept of dense files.
const REPEATED_LINES_MAX: u64 = 1_000_000;

/// One line of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrival {
    /// The event's number. A repeated line has that of its first.
    pub(super) number: u64,
    /// When it happened.
    pub(super) occurred_us: i64,
    /// Whether the merchants that fail do so at that time.
    pub(super) failing: bool,
    /// Whether it is a repetition.
    pub(super) repeated: bool,
}

/// All lines in their order.
#[derive(Debug)]
pub(super) struct Arrivals {
    config: WorkloadConfig,
    key: u64,
    line: u64,
    number: u64,
    /// Repetitions to come: the line each is due at, and the line and number of its first.
    due: BinaryHeap<Reverse<(u64, u64, u64)>>,
    gap_lines_max: u64,
}

impl Arrivals {
    pub(super) fn new(config: &WorkloadConfig) -> Self {
        let lines = u128::from(config.events) * u128::from(REPEATED_US_MAX.unsigned_abs())
            / u128::from(config.span_us.unsigned_abs().max(1));
        Self {
            config: *config,
            key: mix(config.seed ^ 0x6172_7269_7661_6c73),
            line: 0,
            number: 0,
            due: BinaryHeap::new(),
            gap_lines_max: u64::try_from(lines).map_or(REPEATED_LINES_MAX, |lines| {
                lines.clamp(1, REPEATED_LINES_MAX)
            }),
        }
    }

    /// A number of [0, 1) that belongs to an event and a purpose.
    fn chance(&self, number: u64, purpose: u64) -> f64 {
        unit(mix(self.key ^ mix(number.wrapping_mul(4) + purpose)))
    }

    /// The event of this number when it arrives in this line.
    fn arrival(&self, line: u64, number: u64, repeated: bool) -> Arrival {
        let passed = u128::from(line) * u128::from(self.config.span_us.unsigned_abs())
            / u128::from(self.config.events.max(1));
        let passed_us = i64::try_from(passed).unwrap_or(self.config.span_us);
        let kind = self.chance(number, 0);
        let (least_us, most_us) = if kind < LATE_SHARE {
            (OUT_OF_ORDER_US_MAX, LATE_US_MAX)
        } else if kind < LATE_SHARE + OUT_OF_ORDER_SHARE {
            (0, OUT_OF_ORDER_US_MAX)
        } else {
            (0, 0)
        };
        let delay_us = least_us + scaled(self.chance(number, 1), most_us - least_us);
        let occurred_us = self.config.from_us + passed_us - delay_us;
        let since_us = occurred_us - self.config.from_us;
        let half_us = self.config.span_us / 2;
        Arrival {
            number,
            occurred_us,
            failing: (half_us..half_us + half_us / 2).contains(&since_us),
            repeated,
        }
    }
}

impl Iterator for Arrivals {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let line = self.line;
        if line == self.config.events {
            return None;
        }
        self.line += 1;
        if let Some(&Reverse((due, first, number))) = self.due.peek()
            && due <= line
        {
            self.due.pop();
            return Some(self.arrival(first, number, true));
        }
        let number = self.number;
        self.number += 1;
        // Of the first lines, which are not repetitions themselves, somewhat more than the share of all lines.
        if self.chance(number, 2) < REPEATED_SHARE / (1.0 - REPEATED_SHARE) {
            let gap = scaled(self.chance(number, 3), self.gap_lines_max.cast_signed());
            let due = line + 1 + gap.unsigned_abs();
            self.due.push(Reverse((due, line, number)));
        }
        Some(self.arrival(line, number, false))
    }
}

/// This share of a whole, rounded down.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "wholes are at most half an hour in microseconds, far below 2^52"
)]
fn scaled(share: f64, whole: i64) -> i64 {
    (share * whole as f64) as i64
}
