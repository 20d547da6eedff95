//! What the journal forgets, and who can keep it from that.

use super::*;

/// An intake whose journal has several segments, and the place before which it may forget.
fn many_segments() -> (Bench, Offset) {
    let options = JournalOptions {
        segment_bytes_max: 2000,
        ..JournalOptions::default()
    };
    let bench = bench_of(IntakeLimits::default(), options);
    while numbers_of_segments(&bench).len() < 5 {
        submit(&bench, &[0; 20]).unwrap();
    }
    let last = *numbers_of_segments(&bench).last().unwrap();
    (bench, Offset::new(last, 0))
}

fn numbers_of_segments(bench: &Bench) -> Vec<u64> {
    let segments = bench.intake.reader().segments();
    segments.iter().map(|segment| segment.number).collect()
}

#[test]
fn segments_that_are_held_stay_and_go_when_nobody_holds_them() {
    let (bench, before) = many_segments();
    let (one, other) = (bench.intake.hold_segments(), bench.intake.hold_segments());
    let there = numbers_of_segments(&bench);
    bench.intake.forget_before(before);
    drop(one);
    // The writer goes on with what comes and has looked whether there is something to forget.
    submit(&bench, &[1]).unwrap();
    submit(&bench, &[2]).unwrap();
    let now = numbers_of_segments(&bench);
    assert!(now.starts_with(&there), "{there:?}, then {now:?}");
    assert_eq!(bench.faults.removals.load(Ordering::SeqCst), 0);
    drop(other);
    wait_until("they go", || {
        numbers_of_segments(&bench).first() == Some(&before.segment)
    });
}

#[test]
fn who_holds_segments_waits_for_a_removal_that_is_under_way() {
    let (bench, before) = many_segments();
    let slow = bench.faults.removing.lock().unwrap();
    bench.intake.forget_before(before);
    let removals = || bench.faults.removals.load(Ordering::SeqCst);
    wait_until("one is being removed", || removals() == 1);
    std::thread::scope(|scope| {
        let holder = scope.spawn(|| {
            let _held = bench.intake.hold_segments();
            numbers_of_segments(&bench)
        });
        wait_until("somebody waits", || bench.intake.queue.is_held());
        drop(slow);
        let seen = holder.join().unwrap();
        assert_eq!(seen, numbers_of_segments(&bench));
        assert_eq!(seen.first(), Some(&before.segment));
    });
}
