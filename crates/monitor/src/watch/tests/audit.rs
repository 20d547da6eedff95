//! The audit's incident: one, for all channels, until somebody resolves it.

use super::traffic::BEGIN;
use super::{Bench, rate_monitor};
use crate::definition::Severity;
use crate::incident::{IncidentState, TimelineKind};
use crate::watch::{AUDIT, ActionNote};

#[test]
fn differences_open_one_incident_that_stays_until_it_is_resolved() {
    let mut bench = Bench::new(1, vec![rate_monitor(&[])]);
    let watch = &bench.watch;
    let mut feed = watch.subscribe();
    let first = watch
        .audit_differs(
            2,
            "sales: n is kept as 5, the events give 4",
            BEGIN,
            BEGIN + 9,
        )
        .unwrap();
    assert_eq!(first.severity, Severity::Critical);
    assert_eq!(first.timeline.len(), 1);
    assert_eq!(feed.try_recv().unwrap().kind, TimelineKind::Opened);
    watch
        .audit_differs(3, "sales: another", BEGIN - 5, BEGIN + 20)
        .unwrap();
    let incident = bench.only_incident();
    assert_eq!(incident.figures.value, Some(5.0));
    assert_eq!(
        (incident.started_at_us, incident.timeline.len()),
        (BEGIN - 5, 1)
    );
    // The channel that no monitor need name is told, once.
    let queued = bench.catalogue.pending().unwrap();
    assert_eq!(queued, 1);
    // Other definitions do not close it.
    bench.restart(Vec::new(), BEGIN + 30);
    assert_eq!(bench.only_incident().state, IncidentState::Open);
    let watch = &bench.watch;
    let id = bench.only_incident().id;
    watch
        .resolve(id.as_str(), &ActionNote::default(), BEGIN + 40)
        .unwrap();
    assert_eq!(bench.only_incident().state, IncidentState::Resolved);
    watch.audit_differs(1, "again", BEGIN, BEGIN + 50).unwrap();
    assert_eq!(bench.incidents().len(), 2);
    assert!(bench.incidents().iter().all(|i| i.monitor == AUDIT));
}
