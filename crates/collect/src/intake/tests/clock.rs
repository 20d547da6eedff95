//! A clock that jumps, over restarts.

use super::*;
use tillwatch_testkit::fault::campaign::{self, Totals};
use tillwatch_testkit::fault::clock::SimulatedClock;
use tillwatch_testkit::fault::disk::Disk;
use tillwatch_testkit::fault::random::Random;

struct Jumping(SimulatedClock);

impl Clock for Jumping {
    fn now_us(&self) -> i64 {
        self.0.now_us()
    }
}

/// Small, so that most requests begin a segment.
const OPTIONS: JournalOptions = JournalOptions {
    segment_bytes_max: 2000,
    frame_bytes_max: 1 << 20,
    free_bytes_min: Some(0),
};

fn run(seed: u64, totals: &mut Totals) {
    let mut random = Random::new(seed);
    let disk = Disk::default();
    let clock = SimulatedClock::near_trouble(&mut random);
    let mut sent = Vec::new();
    for life in 0..4 {
        let (journal, _) = Journal::open(Arc::new(disk.clone()), OPTIONS).unwrap();
        let recorder = Arc::new(Recorder::default());
        let intake = Intake::start(
            journal,
            recorder as Arc<dyn Downstream>,
            IntakeLimits::default(),
            Arc::new(Jumping(clock.clone())),
        )
        .unwrap();
        for _ in 0..random.below(4) {
            let number = sent.len() as i64;
            let receipt = intake
                .submit_blocking("numbers", decoded(&[number]), SubmitMeta::default())
                .unwrap();
            assert_eq!(receipt.accepted, 1);
            sent.push(number);
            clock.tick(&mut random, 3);
        }
        let reader = intake.reader();
        assert_eq!(journal_values(&reader), sent, "life {life}");
        let times: Vec<i64> = reader
            .iter_from(Offset::START)
            .map(|frame| frame.unwrap())
            .map(|(at, payload)| decode_owned_record(at, payload).unwrap().received_at_us)
            .collect();
        assert!(times.is_sorted(), "life {life}: {times:?}");
        drop(intake);
        disk.crash(random.any());
        // While the machine is off its clock may be put right, or wrong.
        clock.tick(&mut random, 2);
    }
    totals.add("events", sent.len() as u64);
}

#[test]
fn the_time_of_receipt_never_falls_over_restarts_either() {
    campaign::run("intake by a clock that jumps", run);
}
