use super::*;

#[test]
fn an_answer_means_durable_and_processed() {
    let bench = bench(IntakeLimits::default());
    let receipt = submit(&bench, &[1, 2, 3]).unwrap();
    assert_eq!(
        receipt,
        Receipt {
            accepted: 3,
            ..Receipt::default()
        }
    );
    assert_eq!(bench.recorder.values(), [1, 2, 3]);
    assert_eq!(journal_values(&bench.intake.reader()), [1, 2, 3]);
}

#[test]
fn what_the_downstream_gets_is_what_the_journal_holds() {
    let bench = bench(IntakeLimits::default());
    let meta = SubmitMeta {
        idempotency_key: Some("k".into()),
        source: Some("shop".into()),
    };
    bench
        .intake
        .submit_blocking("numbers", decoded(&[1, 2]), meta)
        .unwrap();
    let seen = bench.recorder.records.lock().unwrap();
    let mut frames = bench.intake.reader().iter_from(Offset::START);
    let (offset, payload) = frames.next().unwrap().unwrap();
    let written = decode_owned_record(offset, payload).unwrap();
    let [record] = seen.as_slice() else {
        panic!("one record, not {}", seen.len())
    };
    assert_eq!(record.offset, written.offset);
    assert_eq!(record.received_at_us, written.received_at_us);
    assert_eq!(record.idempotency_key.as_deref(), Some("k"));
    assert_eq!(written.idempotency_key.as_deref(), Some("k"));
    assert_eq!(written.source.as_deref(), Some("shop"));
    assert_eq!(record.batch, written.batch);
}

#[test]
fn rejections_go_to_the_quarantine_and_the_answer_lists_the_first_of_them() {
    let bench = bench(IntakeLimits {
        reported_max: 2,
        ..IntakeLimits::default()
    });
    let mut with_rejections = decoded(&[7]);
    with_rejections.rejections = (1..=3)
        .map(|line| Rejection {
            line,
            field: None,
            reason: "is bad".into(),
            raw: "x".into(),
        })
        .collect();
    with_rejections.rejected = 9;
    let receipt = bench
        .intake
        .submit_blocking("numbers", with_rejections, SubmitMeta::default())
        .unwrap();
    assert_eq!(
        (receipt.accepted, receipt.rejected, receipt.rejections.len()),
        (1, 9, 2)
    );
    let records = bench.recorder.records.lock().unwrap();
    let kinds: Vec<RecordKind> = records.iter().map(|r| r.kind).collect();
    assert_eq!(kinds, [RecordKind::Events, RecordKind::Rejects]);
    assert_eq!(crate::record::rejections_of(&records[1].batch).len(), 3);
}

#[test]
fn a_key_with_a_card_number_reaches_the_journal_as_its_hash() {
    let bench = bench(IntakeLimits::default());
    for key in [
        "order-4111111111111111",
        "order-4111111111111111",
        "order-5555555555554444",
    ] {
        let meta = SubmitMeta {
            idempotency_key: Some(key.into()),
            source: None,
        };
        bench
            .intake
            .submit_blocking("numbers", decoded(&[1]), meta)
            .unwrap();
    }
    let records = bench.recorder.records.lock().unwrap();
    let keys: Vec<&str> = records
        .iter()
        .map(|r| r.idempotency_key.as_deref().unwrap())
        .collect();
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[0], keys[2]);
    assert!(!keys.concat().contains("411111"));
}

#[test]
fn a_request_without_anything_is_answered_without_a_group() {
    let bench = bench(IntakeLimits::default());
    assert_eq!(submit(&bench, &[]).unwrap(), Receipt::default());
    assert_eq!(bench.intake.status().groups, 0);
}

#[test]
fn requests_that_wait_together_share_one_fsync() {
    let bench = bench(IntakeLimits::default());
    bench.recorder.hold(true);
    // One group is with the process thread, two wait before it, and one is with the writer; what
    // comes after that must be gathered into one group.
    let first: Vec<_> = (0..4)
        .map(|n| {
            let job = submit_later(&bench, &[n]);
            let groups = u64::try_from(n).unwrap() + 1;
            wait_until("the writer made a group", || {
                bench.intake.status().groups == groups
            });
            job
        })
        .collect();
    let late: Vec<_> = (10..40).map(|n| submit_later(&bench, &[n])).collect();
    wait_until("all are queued", || {
        bench.intake.status().queued_batches == 34
    });
    bench.recorder.hold(false);
    for job in first.into_iter().chain(late) {
        assert_eq!(job.join().unwrap().unwrap().accepted, 1);
    }
    assert_eq!(
        bench.intake.status().groups,
        5,
        "thirty requests went with one fsync"
    );
    assert_eq!(
        bench.recorder.values(),
        journal_values(&bench.intake.reader())
    );
}

#[test]
fn a_large_request_becomes_several_records_that_know_their_rows() {
    let bench = bench(IntakeLimits {
        record_bytes_max: 4_000,
        ..IntakeLimits::default()
    });
    let values: Vec<i64> = (0..500).collect();
    let meta = SubmitMeta {
        idempotency_key: Some("k".into()),
        source: None,
    };
    let receipt = bench
        .intake
        .submit_blocking("numbers", decoded(&values), meta)
        .unwrap();
    assert_eq!(receipt.accepted, 500);
    let records = bench.recorder.records.lock().unwrap();
    assert!(records.len() > 3, "{}", records.len());
    for record in records.iter() {
        assert!(record.batch.get_array_memory_size() <= 8_000);
        let first = i64::try_from(record.first_row).unwrap();
        assert_eq!(numbers(&record.batch).first(), Some(&first));
    }
    drop(records);
    assert_eq!(journal_values(&bench.intake.reader()), values);
}

#[test]
fn the_rows_of_a_request_know_which_of_its_lines_they_were() {
    use crate::decode::{DecodeLimits, Decoder, Format};
    use tillwatch_event::{Field, FieldType, StreamSchema};
    let schema = StreamSchema {
        name: "numbers".into(),
        id: None,
        time: "n".into(),
        dedup: Duration::from_secs(60),
        fields: vec![Field::new("n", FieldType::Int64, false)],
    };
    let decoder = Decoder::new(Arc::new(schema), DecodeLimits::default()).unwrap();
    let body = |bad: &str, count: u64| {
        let line = |n: u64| match n % 3 {
            0 => format!("{bad}\n\n"),
            _ => format!("{{\"n\":{n}}}\n"),
        };
        (0..count).map(line).collect::<String>()
    };
    let bench = bench(IntakeLimits {
        record_bytes_max: 2 << 10,
        ..IntakeLimits::default()
    });
    let places = |bad: &str, key: Option<&str>| -> Vec<u64> {
        let decoded = decoder.decode(&Format::Ndjson, body(bad, 900).as_bytes());
        let meta = SubmitMeta {
            idempotency_key: key.map(str::to_owned),
            source: None,
        };
        let from = bench.intake.reader().durable();
        bench
            .intake
            .submit_blocking("numbers", decoded.unwrap(), meta)
            .unwrap();
        let written: Vec<_> = bench
            .intake
            .reader()
            .iter_from(from)
            .map(|frame| frame.unwrap())
            .map(|(offset, payload)| decode_owned_record(offset, payload).unwrap())
            .filter(|record| record.kind == RecordKind::Events)
            .collect();
        assert!(written.len() > 2, "{} records", written.len());
        written
            .iter()
            .flat_map(|record| record.places().collect::<Vec<_>>())
            .collect()
    };
    let good: Vec<u64> = (0..900).filter(|n| n % 3 != 0).collect();
    assert_eq!(places("{\"n\":\"x\"}", Some("k")), good);
    // Mended, the same lines have the same places.
    let all: Vec<u64> = (0..900).collect();
    assert_eq!(places("{\"n\":0}", Some("k")), all);
    let counted: Vec<u64> = (0..600).collect();
    assert_eq!(places("{}", None), counted, "without a key nobody asks");
}

#[test]
fn the_time_of_receipt_never_falls_even_when_the_clock_does() {
    let bench = bench(IntakeLimits::default());
    for (now, n) in [(5_000, 1), (4_000, 2), (6_000, 3)] {
        bench.clock.0.store(now, Ordering::SeqCst);
        submit(&bench, &[n]).unwrap();
    }
    let records = bench.recorder.records.lock().unwrap();
    let times: Vec<i64> = records.iter().map(|r| r.received_at_us).collect();
    assert_eq!(times, [5_000, 5_000, 6_000]);
}

#[test]
fn another_downstream_goes_on_exactly_where_the_first_ended() {
    let bench = bench(IntakeLimits::default());
    let (feeder, stop) = {
        let intake = Arc::clone(&bench.intake);
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let feeder = std::thread::spawn(move || {
            let mut n = 0;
            while !flag.load(Ordering::SeqCst) {
                intake
                    .submit_blocking("numbers", decoded(&[n]), SubmitMeta::default())
                    .unwrap();
                n += 1;
            }
            n
        });
        (feeder, stop)
    };
    wait_until("some went through", || bench.recorder.values().len() > 5);
    let second = Arc::new(Recorder::default());
    let replacement = Arc::clone(&second);
    bench
        .intake
        .replace_downstream(
            move |reader: &JournalReader, upto: Offset| -> Result<_, IntakeError> {
                let replayed: Vec<JournalRecord> = reader
                    .iter_from(Offset::START)
                    .map(|frame| frame.unwrap())
                    .take_while(|(offset, _)| *offset < upto)
                    .map(|(offset, payload)| decode_owned_record(offset, payload).unwrap())
                    .collect();
                replacement.apply(&replayed);
                Ok(replacement)
            },
        )
        .unwrap();
    let at_swap = second.values().len();
    wait_until("some went through after", || {
        second.values().len() > at_swap + 5
    });
    stop.store(true, Ordering::SeqCst);
    let fed = feeder.join().unwrap();
    assert_eq!(
        second.values(),
        (0..fed).collect::<Vec<_>>(),
        "none lost, none twice"
    );
}

#[test]
fn counts_are_kept_per_stream_and_source() {
    let bench = bench(IntakeLimits::default());
    submit(&bench, &[1, 2]).unwrap();
    let meta = SubmitMeta {
        idempotency_key: None,
        source: Some("shop".into()),
    };
    let mut some = decoded(&[3]);
    some.rejected = 2;
    bench.intake.submit_blocking("numbers", some, meta).unwrap();
    let status = bench.intake.status();
    let [stream] = status.streams.as_slice() else {
        panic!("one stream")
    };
    assert_eq!(
        (stream.requests, stream.accepted, stream.rejected),
        (2, 3, 2)
    );
    let [source] = status.sources.as_slice() else {
        panic!("one source")
    };
    assert_eq!(
        (source.source.as_str(), source.counts.accepted),
        ("shop", 1)
    );
}

#[tokio::test]
async fn async_callers_are_answered_too() {
    let bench = bench(IntakeLimits::default());
    let receipt = bench
        .intake
        .submit("numbers", decoded(&[1]), SubmitMeta::default())
        .await
        .unwrap();
    assert_eq!(receipt.accepted, 1);
}
