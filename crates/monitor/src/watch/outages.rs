//! When something was wrong, which says nothing of what is normal.

use crate::figure::Slice;
use crate::incident::Incident;

/// What lasts longer than this is what is normal from then on, in microseconds: an incident without end would leave
/// nothing to learn from.
const LASTING_US_MAX: i64 = 24 * 3600 * 1_000_000;

/// When something was wrong with all of a slice.
pub(super) struct Outages(Vec<(i64, i64)>);

impl Outages {
    /// Those of a slice among the incidents of its monitor.
    pub fn of(slice: &Slice, incidents: &[Incident]) -> Self {
        let own = incidents.iter().filter(|one| one.slice.covers(slice));
        let times = own.map(|one| {
            let last_us = one.started_at_us.saturating_add(LASTING_US_MAX);
            let end_us = one.resolved_at_us.unwrap_or(i64::MAX);
            (one.started_at_us, end_us.min(last_us))
        });
        Self(times.collect())
    }

    /// Whether any of them is in the time of so much length that begins at `start_us`.
    pub fn touch(&self, start_us: i64, length_us: i64) -> bool {
        let end_us = start_us.saturating_add(length_us);
        (self.0.iter()).any(|(from_us, to_us)| start_us < *to_us && *from_us < end_us)
    }
}
