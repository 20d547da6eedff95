//! Workload W: payment attempts to measure with, the same bytes for the same seed on every platform.
//!
//! Unlike [`simulate`](crate::simulate) it has no story to tell. It has what makes streams hard, in fixed shares: many
//! merchants of very different sizes, a million customers, events that come twice, out of order and late. A line depends
//! on the settings and its own number alone, so a file of any length is written with little memory, and a
//! repeated event is made again instead of kept.
//!
//! ```
//! use tillwatch_testkit::workload::{Workload, WorkloadConfig};
//!
//! let workload = Workload::new(WorkloadConfig { events: 1_000, ..WorkloadConfig::default() }).unwrap();
//! let mut file = Vec::new();
//! let written = workload.write(&mut file, |_| ()).unwrap();
//! assert_eq!(written.events, 1_000);
//! ```

mod arrival;
mod event;

use std::io::{self, Write};

use arrival::Arrivals;
use event::Events;

/// Merchants, by size: `m00001` is the largest.
pub const MERCHANTS: u64 = 5_000;
/// Customers, all as busy as each other.
pub const CUSTOMERS: u64 = 1_000_000;
/// The merchant at which [`FAILURE_DECLINED`] of the payments are declined from half to three quarters of the span.
pub const FAILING_MERCHANT: u64 = 20;
/// Share of the failing merchant's payments that are declined while it fails.
pub const FAILURE_DECLINED: f64 = 0.6;
/// Share of lines that repeat one before.
pub const REPEATED_SHARE: f64 = 0.02;
/// Share of events that happened before others that came earlier.
pub const OUT_OF_ORDER_SHARE: f64 = 0.05;
/// Longest delay of those, microseconds.
pub const OUT_OF_ORDER_US_MAX: i64 = 60_000_000;
/// Share of events that come later than those.
pub const LATE_SHARE: f64 = 0.002;
/// Longest delay of those, microseconds.
pub const LATE_US_MAX: i64 = 1_800_000_000;

/// A span beyond a year is a slip of the keyboard.
const SPAN_US_MAX: i64 = 366 * 86_400_000_000;
/// Lines are handed on in pieces of about so many bytes.
const PIECE_BYTES: usize = 1 << 20;

/// What the file shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkloadConfig {
    /// Lines, repeated ones included.
    pub events: u64,
    /// The seed.
    pub seed: u64,
    /// When the first line arrives, microseconds since 1970.
    pub from_us: i64,
    /// From the first line's arrival to the end, microseconds.
    pub span_us: i64,
}

impl Default for WorkloadConfig {
    fn default() -> Self {
        Self {
            events: 1_000_000,
            seed: 1,
            from_us: 1_790_812_800_000_000, // 2026-10-01T00:00:00Z
            span_us: 3_600_000_000,
        }
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Lines.
    pub events: u64,
    /// Those of them that repeat one before.
    pub repeated: u64,
    /// Bytes of all lines.
    pub bytes: u64,
}

/// Why there is no such workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WorkloadError {
    /// A span that is empty or longer than a year.
    #[error("the span must be longer than nothing and at most a year")]
    Span,
    /// A start so far away that times cannot be written.
    #[error("the first event must be between 1970 and 9998")]
    From,
}

/// The workload; see the module's text.
#[derive(Debug)]
pub struct Workload {
    config: WorkloadConfig,
    events: Events,
}

impl Workload {
    /// The workload of these settings.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(config: WorkloadConfig) -> Result<Self, WorkloadError> {
        if !(1..=SPAN_US_MAX).contains(&config.span_us) {
            return Err(WorkloadError::Span);
        }
        if !(LATE_US_MAX..=253_370_764_800_000_000).contains(&config.from_us) {
            return Err(WorkloadError::From);
        }
        Ok(Self {
            config,
            events: Events::new(config.seed),
        })
    }

    /// Writes all lines. `told` hears, piece by piece, of how many more there are.
    ///
    /// # Errors
    /// When `out` does not take them.
    pub fn write(&self, out: &mut impl Write, mut told: impl FnMut(u64)) -> io::Result<Written> {
        let mut written = Written::default();
        let mut piece = Vec::with_capacity(PIECE_BYTES + 4_096);
        let mut told_upto = 0;
        for arrival in Arrivals::new(&self.config) {
            self.events.write(&arrival, &mut piece);
            written.events += 1;
            written.repeated += u64::from(arrival.repeated);
            if piece.len() >= PIECE_BYTES {
                out.write_all(&piece)?;
                written.bytes += piece.len() as u64;
                piece.clear();
                told(written.events - told_upto);
                told_upto = written.events;
            }
        }
        out.write_all(&piece)?;
        written.bytes += piece.len() as u64;
        told(written.events - told_upto);
        Ok(written)
    }
}
