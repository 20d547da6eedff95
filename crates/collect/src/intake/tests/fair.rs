//! Several streams at once: one that floods, and others that must not notice.

use super::*;

fn submit_to(intake: &Intake, stream: &str, values: &[i64]) -> Result<Receipt, IntakeError> {
    intake.submit_blocking(stream, decoded(values), SubmitMeta::default())
}

/// A downstream for which each record is work of about a millisecond.
#[derive(Default)]
struct Slow(Recorder);

impl Downstream for Slow {
    fn apply(&self, records: &[JournalRecord]) -> Vec<Applied> {
        let work = Duration::from_millis(records.len() as u64);
        let until = Instant::now() + work;
        while Instant::now() < until {
            std::thread::yield_now();
        }
        self.0.apply(records)
    }
}

#[test]
fn a_stream_that_floods_makes_no_other_hear_overloaded_or_wait_long() {
    let limits = IntakeLimits {
        queue_batches_max: 16,
        queue_bytes_max: 64 << 10,
        group_batches_max: 4,
        ..IntakeLimits::default()
    };
    let bench = bench(limits);
    let slow = Arc::new(Slow::default());
    let downstream = Arc::clone(&slow);
    bench
        .intake
        .replace_downstream(move |_, _| Ok::<_, IntakeError>(downstream as Arc<dyn Downstream>))
        .unwrap();
    bench.intake.set_streams(2);
    let stop = Arc::new(AtomicBool::new(false));
    // Each tries again at once: far more than ten times what the downstream does.
    let flood: Vec<_> = (0..12_i64)
        .map(|client| {
            let (intake, stop) = (Arc::clone(&bench.intake), Arc::clone(&stop));
            std::thread::spawn(move || {
                let (mut acknowledged, mut overloaded) = (Vec::new(), 0_u64);
                for n in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let value = (client + 1) * 1_000_000 + n;
                    match submit_to(&intake, "flood", &[value]) {
                        Ok(_) => acknowledged.push(value),
                        Err(IntakeError::Overloaded { retry_after, .. }) => {
                            assert!(retry_after >= Duration::from_secs(1));
                            assert!(retry_after <= Duration::from_secs(30));
                            overloaded += 1;
                        }
                        Err(other) => panic!("{other}"),
                    }
                }
                (acknowledged, overloaded)
            })
        })
        .collect();
    wait_until("the flood is refused", || {
        bench.intake.status().overloaded > 100
    });
    let mut waits: Vec<Duration> = (0..60)
        .map(|n| {
            let before = Instant::now();
            let answer = submit_to(&bench.intake, "calm", &[n]);
            assert_eq!(answer.map(|receipt| receipt.accepted), Ok(1), "request {n}");
            before.elapsed()
        })
        .collect();
    stop.store(true, Ordering::SeqCst);
    let mut acknowledged: Vec<i64> = (0..60).collect();
    let mut overloaded = 0;
    for client in flood {
        let (values, refused) = client.join().unwrap();
        acknowledged.extend(values);
        overloaded += refused;
    }
    let status = bench.intake.status();
    let of = |name: &str| status.streams.iter().find(|s| s.stream == name).unwrap();
    assert_eq!((of("calm").requests, of("calm").overloaded), (60, 0));
    assert_eq!(
        of("flood").overloaded,
        overloaded,
        "each refusal is counted"
    );
    assert!(
        overloaded > 10 * of("flood").requests,
        "{overloaded} refused, {} taken: no flood",
        of("flood").requests
    );
    assert!(status.queued_bytes_high <= limits.queue_bytes_max);
    assert_eq!((status.queued_bytes, status.queued_batches), (0, 0));
    let mut kept = slow.0.values();
    kept.sort_unstable();
    acknowledged.sort_unstable();
    assert_eq!(kept, acknowledged, "nothing acknowledged is lost or twice");
    // What is before it: groups under way and a turn of the other, each request about a millisecond.
    waits.sort_unstable();
    assert!(waits[30] < Duration::from_secs(1), "{:?}", waits[30]);
}

#[test]
fn the_writer_takes_streams_in_turns_and_keeps_the_order_of_each() {
    let bench = bench(IntakeLimits {
        group_batches_max: 8,
        ..IntakeLimits::default()
    });
    bench.intake.set_streams(2);
    bench.recorder.hold(true);
    // In one thread, so that their order is known: nothing is answered while the downstream is held.
    let enqueue = |stream: &str, value: i64| {
        let prepared = bench
            .intake
            .prepare(stream, decoded(&[value]), SubmitMeta::default())
            .unwrap();
        bench.intake.enqueue(prepared).unwrap()
    };
    let mut answers: Vec<_> = (0..300).map(|n| enqueue("flood", n)).collect();
    answers.extend((1_000..1_003).map(|n| enqueue("calm", n)));
    bench.recorder.hold(false);
    for answer in answers {
        answer.blocking_recv().unwrap().unwrap();
    }
    let values = bench.recorder.values();
    let (calm, flood): (Vec<i64>, Vec<i64>) = values.iter().partition(|n| **n >= 1_000);
    assert_eq!(calm, [1_000, 1_001, 1_002]);
    assert_eq!(flood, (0..300).collect::<Vec<_>>());
    let last = values.iter().position(|n| *n == 1_002).unwrap();
    assert!(last < 150, "after {last} requests of the one that floods");
}

#[test]
fn what_is_larger_than_a_stream_may_ever_have_is_told_so_and_not_to_wait() {
    let bench = bench(IntakeLimits {
        queue_bytes_max: 8_000,
        ..IntakeLimits::default()
    });
    bench.intake.set_streams(4);
    let many: Vec<i64> = (0..500).collect();
    // 500 are set aside for each of the other three.
    assert!(matches!(
        submit(&bench, &many),
        Err(IntakeError::TooLarge {
            bytes_max: 6_500,
            ..
        })
    ));
}

#[test]
fn without_memory_a_request_hears_overloaded_and_goes_when_there_is_some_again() {
    use tillwatch_event::MemoryPart;
    let bench = bench(IntakeLimits::default());
    let memory = MemoryBudget::new(64 << 10);
    bench.intake.set_memory(memory.clone());
    let many: Vec<i64> = (0..200).collect();
    let queries = memory.reserve(MemoryPart::Queries, 48 << 10).unwrap();
    let refused = submit(&bench, &many).unwrap_err().to_string();
    assert!(
        refused.contains("the memory for ingest is used up"),
        "{refused}"
    );
    // Its own part it has whatever queries hold.
    assert_eq!(submit(&bench, &[1]).unwrap().accepted, 1);
    drop(queries);
    assert_eq!(submit(&bench, &many).unwrap().accepted, 200);
    wait_until("all is given back", || memory.status().bytes == 0);
    assert_eq!(bench.intake.status().queued_bytes, 0);
    assert_eq!(bench.intake.status().overloaded, 1);
}
