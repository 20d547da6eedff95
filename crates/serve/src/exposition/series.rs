//! How often series were computed, for Prometheus.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use super::{gauge, gauge_bytes};
use crate::ports::SeriesReuse;

/// Registers how often series were computed since the definitions were loaded, and how often not.
pub(super) fn register(registry: &mut Registry, series: &SeriesReuse) {
    for (name, help, value) in [
        (
            "series_computations",
            "Series computed for boards, live streams and calls",
            series.computed,
        ),
        (
            "series_reused",
            "Series answered with what was kept, since nothing had changed",
            series.reused,
        ),
        (
            "series_shared",
            "Series answered with what another was waiting for",
            series.shared,
        ),
    ] {
        let counter = Counter::<u64>::default();
        counter.inc_by(value);
        registry.register(name, help, counter);
    }
    gauge(registry, "series_kept", "Series kept", series.kept);
    gauge_bytes(
        registry,
        "series_kept_size",
        "Memory that kept series take",
        series.kept_bytes,
    );
}
