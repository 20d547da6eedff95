//! The continuous audit for Prometheus.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use crate::documents::AuditStatus;

/// Registers what the audit has compared and found since the start.
pub(super) fn register(registry: &mut Registry, audit: &AuditStatus) {
    for (name, help, value) in [
        (
            "audit_buckets",
            "Buckets compared with the events",
            audit.buckets,
        ),
        (
            "audit_figures",
            "Figures compared with the events",
            audit.figures,
        ),
        (
            "audit_differences",
            "Kept figures that are not what the events say",
            audit.differences,
        ),
        (
            "audit_unsure",
            "Such figures of cubes that lack events which could not be aggregated",
            audit.unsure,
        ),
        (
            "audit_skipped",
            "Ranges that could not be compared",
            audit.skipped,
        ),
    ] {
        let counter = Counter::<u64>::default();
        counter.inc_by(value);
        registry.register(name, help, counter);
    }
}
