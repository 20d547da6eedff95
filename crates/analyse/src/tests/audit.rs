//! The audit: silent where all is well, and not where a figure is off.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{AsArray, Int64Array, RecordBatch, UInt32Array};
use datafusion::arrow::compute::take_record_batch;
use datafusion::arrow::datatypes::Int64Type;
use tillwatch_process::{Figures, Recount, RecountRange};

use super::fixture::{Fixture, PAYMENTS, SECOND_US, START_US};
use crate::audit::compare;
use crate::{AuditLimits, AuditPart, AuditReport, Auditor};

const ALL: AuditLimits = AuditLimits {
    rows_max: 1_000_000,
    range_max: Duration::from_secs(60),
    behind_us: None,
};

fn auditor(fixture: &Fixture, limits: AuditLimits) -> Auditor {
    Auditor::new(Arc::clone(&fixture.processor), fixture.reader(), limits)
}

fn audit(fixture: &Fixture, limits: AuditLimits, cube: &str, part: AuditPart) -> AuditReport {
    auditor(fixture, limits)
        .audit(cube, part, 7, &mut |_| true)
        .unwrap()
}

fn figures(fixture: &Fixture, cube: &str) -> Figures {
    let range = RecountRange {
        from_us: START_US,
        to_us: START_US + 600 * SECOND_US,
        width_us: 10 * SECOND_US,
        rows_max: u64::MAX,
        go_on: Arc::new(|| true),
    };
    match fixture.processor.recount(cube, &fixture.reader(), &range) {
        Ok(Recount::Done(figures)) => *figures,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_bucket_of_every_measure_equals_the_events() {
    let fixture = Fixture::new();
    let report = audit(&fixture, ALL, "payment_attempts", AuditPart::All);
    assert_eq!(report.differences, 0, "{report:?}");
    assert_eq!((report.events, report.skipped), (PAYMENTS as u64, 0));
    assert!(report.buckets > 100 && report.figures == 8 * report.keys);
    let report = audit(&fixture, ALL, "deliveries", AuditPart::All);
    assert_eq!((report.buckets, report.differences), (40, 0));
    // Of two widths, one after the other.
    let report = audit(&fixture, ALL, "aging_attempts", AuditPart::All);
    assert_eq!((report.differences, report.skipped), (0, 0), "{report:?}");
    assert_eq!(report.events, PAYMENTS as u64);
}

#[test]
fn a_sample_has_about_as_many_buckets_as_asked_and_a_range_too_large_is_halved() {
    let fixture = Fixture::new();
    let report = audit(&fixture, ALL, "payment_attempts", AuditPart::Sample(20));
    assert!((10..=20).contains(&report.buckets), "{report:?}");
    let small = AuditLimits {
        rows_max: 20,
        ..ALL
    };
    let report = audit(&fixture, small, "payment_attempts", AuditPart::All);
    assert_eq!(report.events, PAYMENTS as u64);
    assert_eq!((report.differences, report.skipped), (0, 0));
    let tiny = AuditLimits { rows_max: 1, ..ALL };
    let report = audit(&fixture, tiny, "payment_attempts", AuditPart::All);
    assert!(report.skipped > 0 && report.differences == 0, "{report:?}");
    let late = AuditLimits {
        range_max: Duration::ZERO,
        ..ALL
    };
    let report = audit(&fixture, late, "payment_attempts", AuditPart::All);
    assert!(report.skipped > 0 && report.buckets == 0, "{report:?}");
}

#[test]
fn a_stretch_with_too_many_events_is_narrowed_and_costs_no_more_than_one() {
    let fixture = Fixture::new();
    let small = AuditLimits {
        rows_max: 20,
        ..ALL
    };
    let auditor = auditor(&fixture, small);
    let mut compared = 0;
    for seed in 0..20 {
        let audited = auditor.audit("payment_attempts", AuditPart::Stretch, seed, &mut |_| true);
        let report = audited.unwrap();
        assert!(report.events <= 20, "{report:?}");
        assert_eq!(report.differences, 0);
        compared += report.buckets;
    }
    assert!(compared > 20, "{compared}");
}

#[test]
fn what_is_not_far_enough_behind_the_watermark_is_left_alone() {
    let fixture = Fixture::new();
    let behind = |seconds: i64| AuditLimits {
        behind_us: Some(seconds * SECOND_US),
        ..ALL
    };
    let some = audit(&fixture, behind(300), "payment_attempts", AuditPart::All);
    assert!(some.events > 0 && some.events < PAYMENTS as u64);
    let none = audit(&fixture, behind(7_200), "payment_attempts", AuditPart::All);
    assert_eq!(none, AuditReport::default());
}

#[test]
fn it_ends_when_it_is_told_to() {
    let fixture = Fixture::new();
    let auditor = auditor(&fixture, ALL);
    let report = auditor.audit("payment_attempts", AuditPart::All, 1, &mut |_| false);
    assert_eq!(report.unwrap(), AuditReport::default());
    assert!(
        auditor
            .audit("nope", AuditPart::All, 1, &mut |_| true)
            .is_err()
    );
}

#[test]
fn one_figure_that_is_off_is_described() {
    let fixture = Fixture::new();
    let cube = fixture.processor.cube("payment_attempts").unwrap();
    let mut figures = figures(&fixture, "payment_attempts");
    assert_eq!(compare::compare(&cube, &figures).unwrap().differences, 0);
    let whole = figures.kept.clone();
    let (at, _) = whole.schema().column_with_name("attempts").unwrap();
    let counts = whole.column(at).as_primitive::<Int64Type>();
    let off: Int64Array = (counts.iter().enumerate())
        .map(|(row, n)| n.map(|n| n + i64::from(row == 3)))
        .collect();
    let mut columns = whole.columns().to_vec();
    columns[at] = Arc::new(off);
    figures.kept = RecordBatch::try_new(whole.schema(), columns).unwrap();
    let report = compare::compare(&cube, &figures).unwrap();
    assert_eq!(report.differences, 1, "{report:?}");
    let found = &report.described[0];
    assert_eq!(found.measure.as_deref(), Some("attempts"));
    assert_eq!(found.kept, Some((counts.value(3) + 1).to_string()));
    assert_eq!(found.recounted, Some(counts.value(3).to_string()));
    assert_eq!(found.key.len(), 3);
    // In a cube that is known to lack events it means nothing.
    figures.failed_rows = 1;
    let report = compare::compare(&cube, &figures).unwrap();
    assert_eq!((report.differences, report.unsure), (0, 1));
}

#[test]
fn a_key_that_one_side_lacks_is_a_difference() {
    let fixture = Fixture::new();
    let cube = fixture.processor.cube("payment_attempts").unwrap();
    let whole = figures(&fixture, "payment_attempts");
    let rows = u32::try_from(whole.kept.num_rows()).unwrap();
    let less = UInt32Array::from_iter_values(1..rows);
    for kept_lacks in [true, false] {
        let mut figures = whole.clone();
        let side = if kept_lacks {
            &mut figures.kept
        } else {
            &mut figures.recounted
        };
        *side = take_record_batch(side, &less).unwrap();
        let report = compare::compare(&cube, &figures).unwrap();
        assert_eq!(report.differences, 1);
        assert_eq!(report.described[0].kept.is_none(), kept_lacks);
        assert_eq!(report.described[0].measure, None);
        assert!(!less.is_empty());
    }
}
