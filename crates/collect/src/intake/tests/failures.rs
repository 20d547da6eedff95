use super::*;

#[test]
fn over_the_number_of_batches_callers_hear_overloaded_and_nothing_taken_is_lost() {
    let limits = IntakeLimits {
        queue_batches_max: 3,
        retry_after_ms: 250,
        ..IntakeLimits::default()
    };
    let bench = bench(limits);
    bench.recorder.hold(true);
    let jobs: Vec<_> = (0..3).map(|n| submit_later(&bench, &[n])).collect();
    wait_until("three are taken", || {
        bench.intake.status().queued_batches == 3
    });
    let error = submit(&bench, &[99]).unwrap_err();
    assert_eq!(
        error,
        IntakeError::Overloaded {
            reason: "3 requests wait, 3 of them of stream 'numbers'".into(),
            retry_after: Duration::from_millis(250)
        }
    );
    bench.recorder.hold(false);
    for job in jobs {
        job.join().unwrap().unwrap();
    }
    assert_eq!(
        submit(&bench, &[4]).unwrap().accepted,
        1,
        "room is given back"
    );
    let status = bench.intake.status();
    assert_eq!(
        (
            status.queued_batches,
            status.queued_bytes,
            status.overloaded
        ),
        (0, 0, 1)
    );
    let mut values = bench.recorder.values();
    values.sort_unstable();
    assert_eq!(values, [0, 1, 2, 4]);
}

#[test]
fn over_the_number_of_bytes_callers_hear_overloaded() {
    let size = |bench: &Bench| {
        bench
            .intake
            .prepare("numbers", decoded(&[1]), SubmitMeta::default())
            .unwrap()
            .bytes()
    };
    let one = size(&bench(IntakeLimits::default()));
    let bench = bench(IntakeLimits {
        queue_bytes_max: one * 2,
        ..IntakeLimits::default()
    });
    bench.recorder.hold(true);
    let jobs: Vec<_> = (0..2).map(|n| submit_later(&bench, &[n])).collect();
    wait_until("two are taken", || {
        bench.intake.status().queued_batches == 2
    });
    assert!(matches!(
        submit(&bench, &[9]),
        Err(IntakeError::Overloaded { .. })
    ));
    bench.recorder.hold(false);
    for job in jobs {
        job.join().unwrap().unwrap();
    }
    let many: Vec<i64> = (0..1000).collect();
    assert!(matches!(
        submit(&bench, &many),
        Err(IntakeError::TooLarge { .. })
    ));
}

#[test]
fn after_a_failed_fsync_nothing_is_acknowledged_or_processed() {
    let bench = bench(IntakeLimits::default());
    submit(&bench, &[1]).unwrap();
    bench.faults.sync.store(true, Ordering::SeqCst);
    assert!(matches!(
        submit(&bench, &[2]),
        Err(IntakeError::Unavailable(_))
    ));
    bench.faults.sync.store(false, Ordering::SeqCst);
    let again = submit(&bench, &[3]).unwrap_err();
    assert!(
        matches!(again, IntakeError::Unavailable(_)),
        "poisoned for good: {again}"
    );
    assert_eq!(bench.recorder.values(), [1]);
    let status = bench.intake.status();
    assert!(
        status
            .journal
            .poisoned
            .unwrap()
            .contains("the disk is gone")
    );
    assert_eq!(status.queued_batches, 0);
}

#[test]
fn a_full_disk_is_told_and_over_when_there_is_room_again() {
    let bench = bench(IntakeLimits::default());
    submit(&bench, &[1]).unwrap();
    bench.faults.full.store(true, Ordering::SeqCst);
    assert!(matches!(
        submit(&bench, &[2]),
        Err(IntakeError::StorageFull(_))
    ));
    bench.faults.full.store(false, Ordering::SeqCst);
    assert_eq!(submit(&bench, &[3]).unwrap().accepted, 1);
    assert_eq!(bench.recorder.values(), [1, 3]);
    assert_eq!(journal_values(&bench.intake.reader()), [1, 3]);
}

#[test]
fn a_disk_that_is_nearly_full_refuses_events_serves_reads_and_recovers_by_itself() {
    let bench = bench(IntakeLimits::default());
    submit(&bench, &[1]).unwrap();
    assert_eq!(bench.intake.status().disk.free_bytes, None);
    // Two per cent of a gibibyte are 21 474 836 bytes.
    let free = |bytes: u64| bench.faults.free_bytes.store(bytes, Ordering::SeqCst);
    free(21_474_835);
    wait_until("the disk is low", || bench.intake.status().disk.low);
    let refused = submit(&bench, &[2]);
    assert_eq!(
        refused,
        Err(IntakeError::DiskLow {
            free_bytes: 21_474_835,
            free_bytes_min: 21_474_836
        })
    );
    assert_eq!(journal_values(&bench.intake.reader()), [1]);
    // A little more is not enough.
    free(22_000_000);
    wait_until("it was looked at", || {
        bench.intake.status().disk.free_bytes == Some(22_000_000)
    });
    assert!(bench.intake.may_take().is_err());
    free(100_000_000);
    wait_until("the disk has room", || bench.intake.may_take().is_ok());
    assert_eq!(submit(&bench, &[3]).unwrap().accepted, 1);
    assert_eq!(bench.recorder.values(), [1, 3]);
    let disk = bench.intake.status().disk;
    assert!(disk.refused >= 2 && !disk.low, "{disk:?}");
}

#[test]
fn a_request_of_several_frames_that_finds_the_disk_full_is_taken_whole_when_sent_again() {
    let limits = IntakeLimits {
        record_bytes_max: 4 << 10,
        ..IntakeLimits::default()
    };
    let many: Vec<i64> = (0..400).collect();
    let frames = {
        let bench = bench(limits);
        submit(&bench, &many).unwrap();
        bench.recorder.records.lock().unwrap().len() as u64
    };
    assert!(frames > 3, "{frames} frames");
    for failing in 1..=frames {
        let bench = bench(limits);
        submit(&bench, &[-1]).unwrap();
        bench.faults.full_at.store(failing, Ordering::SeqCst);
        let refused = submit(&bench, &many);
        assert!(
            matches!(refused, Err(IntakeError::StorageFull(_))),
            "frame {failing}: {refused:?}"
        );
        assert_eq!(bench.recorder.values(), [-1], "frame {failing}");
        assert_eq!(submit(&bench, &many).unwrap().accepted, 400);
        let whole: Vec<i64> = (-1..400).collect();
        assert_eq!(bench.recorder.values(), whole);
        assert_eq!(journal_values(&bench.intake.reader()), whole);
    }
}

#[test]
fn stopping_answers_everything_that_was_taken_and_takes_nothing_more() {
    let bench = bench(IntakeLimits::default());
    bench.recorder.hold(true);
    let jobs: Vec<_> = (0..8).map(|n| submit_later(&bench, &[n])).collect();
    wait_until("all are taken", || {
        bench.intake.status().queued_batches == 8
    });
    let intake = Arc::clone(&bench.intake);
    let stop = std::thread::spawn(move || intake.stop());
    wait_until("nothing more is taken", || bench.intake.queue.is_closed());
    assert_eq!(submit(&bench, &[9]), Err(IntakeError::Stopping));
    bench.recorder.hold(false);
    stop.join().unwrap();
    for job in jobs {
        assert_eq!(job.join().unwrap().unwrap().accepted, 1);
    }
    assert_eq!(bench.recorder.values().len(), 8);
    bench.intake.stop();
}

#[test]
fn a_replacement_that_fails_leaves_the_old_downstream() {
    let bench = bench(IntakeLimits::default());
    let outcome = bench
        .intake
        .replace_downstream(|_, _| Err(IntakeError::Record("no".into())));
    assert_eq!(outcome, Err(IntakeError::Record("no".into())));
    submit(&bench, &[1]).unwrap();
    assert_eq!(bench.recorder.values(), [1]);
}

/// A downstream that panics must not leave callers waiting.
struct Panics;

impl Downstream for Panics {
    fn apply(&self, _: &[JournalRecord]) -> Vec<Applied> {
        panic!("a fault in processing")
    }
}

#[test]
fn a_downstream_that_panics_leaves_no_caller_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Arc::new(DiskStorage::open(folder.path().join("journal")).unwrap());
    let (journal, _) = Journal::open(storage, JournalOptions::default()).unwrap();
    let intake = Intake::start(
        journal,
        Arc::new(Panics),
        IntakeLimits::default(),
        Arc::new(TestClock::default()),
    )
    .unwrap();
    for _ in 0..2 {
        let outcome = intake.submit_blocking("numbers", decoded(&[1]), SubmitMeta::default());
        assert!(
            matches!(outcome, Err(IntakeError::Unavailable(_))),
            "{outcome:?}"
        );
    }
    intake.stop();
}

/// Takes no record of events, as when its stream was removed.
struct Refuses;

impl Downstream for Refuses {
    fn apply(&self, records: &[JournalRecord]) -> Vec<Applied> {
        let rows = |record: &JournalRecord| Applied {
            failed: record.batch.num_rows() as u64,
            ..Applied::default()
        };
        records.iter().map(rows).collect()
    }
}

#[test]
fn events_that_processing_could_not_take_are_an_error_and_not_an_empty_success() {
    let bench = bench(IntakeLimits::default());
    let refuses = Arc::new(Refuses);
    bench
        .intake
        .replace_downstream(move |_, _| Ok::<_, IntakeError>(refuses as Arc<dyn Downstream>))
        .unwrap();
    let outcome = submit(&bench, &[1, 2]);
    assert_eq!(
        outcome,
        Err(IntakeError::Changed {
            stream: "numbers".into(),
            rows: 2
        })
    );
}

/// The writer makes a group readable before it hands it on. Between the two, another downstream
/// that prepares itself up to the journal's end would meet the group twice.
#[test]
fn a_replacement_prepared_between_fsync_and_processing_meets_no_event_twice() {
    let bench = bench(IntakeLimits::default());
    submit(&bench, &[1]).unwrap();
    let reader = bench.intake.reader();
    let durable = reader.durable();
    // The writer counts a group after its fsync and before it hands it on: it waits here.
    let held = bench.intake.counters.state();
    let job = submit_later(&bench, &[2]);
    wait_until("the second is durable", || reader.durable() > durable);
    let recorded = |from: Offset, to: Offset| -> Vec<JournalRecord> {
        reader
            .iter_from(from)
            .map(|frame| frame.unwrap())
            .take_while(|(offset, _)| *offset < to)
            .map(|(offset, payload)| decode_owned_record(offset, payload).unwrap())
            .collect()
    };
    let prepared_to = bench.intake.applied_to();
    assert_eq!(prepared_to, durable);
    let second = Arc::new(Recorder::default());
    second.apply(&recorded(Offset::START, prepared_to));
    let next = Arc::clone(&second);
    bench
        .intake
        .replace_downstream(move |_, upto| {
            assert_eq!(upto, prepared_to);
            Ok::<_, IntakeError>(next as Arc<dyn Downstream>)
        })
        .unwrap();
    drop(held);
    assert_eq!(job.join().unwrap().unwrap().accepted, 1);
    assert_eq!(second.values(), [1, 2], "none lost, none twice");
}
