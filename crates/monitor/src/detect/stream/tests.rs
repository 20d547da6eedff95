//! What the detector must find, must not find and must survive.

use super::{Judgement, StreamDetector};

const MINUTE_US: i64 = 60_000_000;
const STEP_US: i64 = 5 * MINUTE_US;
const PER_DAY: usize = 288;
/// Wednesday, 2014-04-02 00:00 UTC.
const START_US: i64 = 1_396_396_800_000_000;
/// A judgement at least this probable is an alert in these tests: about 0.2 a week if p-values hold.
const ALERT: f64 = 0.5;

/// Numbers for the tests, the same everywhere (splitmix64).
struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// The seed of a random test: that of `TILLWATCH_SEED`, if it is set, and printed in any case.
fn seed(default: u64) -> u64 {
    let seed = std::env::var("TILLWATCH_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default);
    println!("TILLWATCH_SEED={seed}");
    seed
}

fn time_us(point: usize) -> i64 {
    START_US + point as i64 * STEP_US
}

fn run(values: impl IntoIterator<Item = f64>) -> Vec<Judgement> {
    let mut detector = StreamDetector::new(STEP_US);
    let judge = |(point, value)| detector.update(time_us(point), Some(value));
    values.into_iter().enumerate().map(judge).collect()
}

fn alerts(judgements: &[Judgement]) -> Vec<usize> {
    judgements
        .iter()
        .enumerate()
        .filter(|(_, judgement)| judgement.probability >= ALERT)
        .map(|(point, _)| point)
        .collect()
}

fn noise(seed: u64, points: usize) -> Vec<f64> {
    let mut dice = Dice(seed);
    (0..points).map(|_| 100.0 + 5.0 * dice.normal()).collect()
}

fn seasonal(seed: u64, points: usize) -> Vec<f64> {
    let mut dice = Dice(seed);
    let value = |point: usize| {
        let share = (point % PER_DAY) as f64 / PER_DAY as f64;
        let day = 300.0 + 200.0 * (std::f64::consts::TAU * share).sin();
        day * (1.0 + 0.05 * dice.normal())
    };
    (0..points).map(value).collect()
}

/// That something was found within `within` points of `at`, and little before it.
fn assert_found(judgements: &[Judgement], at: usize, within: usize) {
    let alerts = alerts(judgements);
    let found = alerts.iter().any(|alert| (at..at + within).contains(alert));
    let before = alerts.iter().filter(|alert| **alert < at).count();
    assert!(
        found && before <= 2,
        "expected at {at}, alerts at {alerts:?}"
    );
}

#[test]
fn a_flat_series_never_alerts_and_its_first_change_does() {
    let mut values = vec![45.0; 4000];
    assert_eq!(alerts(&run(values.clone())), Vec::<usize>::new());
    values[3000] = 46.0;
    // Nothing like it in 3 000 buckets: that is all there is to say.
    let judgement = run(values)[3000];
    assert!((1e-5..1e-3).contains(&judgement.p_value), "{judgement:?}");
    assert!(
        judgement.kind.is_some() && judgement.expected == Some(45.0),
        "{judgement:?}"
    );
}

#[test]
fn noise_and_seasons_are_quiet() {
    let seed = seed(1);
    let weeks = 4;
    let points = weeks * 7 * PER_DAY;
    let mut count = 0;
    let series = 20;
    for number in 0..series {
        count += alerts(&run(noise(seed + number, points))).len();
        count += alerts(&run(seasonal(seed + 1000 + number, points))).len();
    }
    let rate = count as f64 / (2 * series as usize * weeks) as f64;
    assert!(rate < 0.4, "{rate} false alerts per series and week");
}

#[test]
fn a_spike_is_found_at_once() {
    let mut values = noise(seed(2), 3000);
    values[2000] = 180.0;
    assert_found(&run(values), 2000, 1);
}

#[test]
fn a_dip_among_frequent_spikes_is_found() {
    let mut dice = Dice(seed(3));
    let value = |point: usize| {
        let spike = if point % 40 == 7 { 400.0 } else { 0.0 };
        100.0 + 5.0 * dice.normal() + spike
    };
    let mut values: Vec<f64> = (0..4000).map(value).collect();
    values[3010] = 20.0;
    assert_found(&run(values), 3010, 1);
}

#[test]
fn a_level_shift_is_found_once_and_becomes_usual() {
    let mut values = noise(seed(4), 6000);
    for value in values.iter_mut().skip(3000) {
        *value += 20.0;
    }
    let judgements = run(values);
    assert_found(&judgements, 3000, 24);
    let late = alerts(&judgements)
        .iter()
        .filter(|alert| **alert > 3000 + PER_DAY)
        .count();
    assert!(late <= 2, "{:?}", alerts(&judgements));
}

#[test]
fn a_night_value_at_noon_is_found() {
    let mut values = seasonal(seed(5), 14 * PER_DAY);
    // 300 ± 200 by day and night: 120 is usual at night, never at this time.
    let at = 11 * PER_DAY + 72;
    for value in values.iter_mut().skip(at).take(24) {
        *value = 120.0;
    }
    assert_found(&run(values), at, 24);
}

#[test]
fn a_flatline_is_found() {
    let mut values = noise(seed(6), 4000);
    for value in values.iter_mut().skip(3000).take(288) {
        *value = 100.0;
    }
    assert_found(&run(values), 3000, PER_DAY / 2);
}

#[test]
fn gaps_are_no_anomaly() {
    let values = seasonal(seed(7), 21 * PER_DAY);
    let mut detector = StreamDetector::new(STEP_US);
    let mut found = Vec::new();
    for (point, value) in values.iter().enumerate() {
        let missing = point % 7 == 3 || (3000..3000 + PER_DAY).contains(&point);
        let judgement = detector.update(time_us(point), (!missing).then_some(*value));
        if missing {
            assert_eq!(judgement.p_value, 1.0);
        }
        if judgement.probability >= ALERT {
            found.push(point);
        }
    }
    assert!(found.len() <= 2, "{found:?}");
}

#[test]
fn hostile_values_and_times_neither_stop_nor_blind_it() {
    let hostile = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        -0.0,
        1e-320,
    ];
    let times = [i64::MIN, i64::MAX, 0, -1];
    for step_us in [i64::MIN, 0, 1, STEP_US, i64::MAX] {
        let mut detector = StreamDetector::new(step_us);
        for round in 0..2000_usize {
            let value = hostile[round % hostile.len()];
            let time = if round % 5 == 0 {
                times[round % 4]
            } else {
                time_us(round)
            };
            let judgement = detector.update(time, Some(value));
            assert!((0.0..=1.0).contains(&judgement.p_value), "{judgement:?}");
            assert!(
                (0.0..=1.0).contains(&judgement.probability),
                "{judgement:?}"
            );
        }
    }
    let mut values = noise(seed(8), 6000);
    values[1000] = f64::NAN;
    values[1001] = f64::INFINITY;
    values[1002] = 1e300;
    values[5000] = 300.0;
    let judgements = run(values);
    assert!(judgements[5000].p_value < 3e-3, "{:?}", judgements[5000]);
}

#[test]
fn equal_input_gives_equal_judgements_and_the_state_survives_serde() {
    let values = seasonal(seed(9), 3000);
    let whole = run(values.clone());
    assert_eq!(run(values.clone()), whole);
    for cut in [10, 100, 1500] {
        let mut detector = StreamDetector::new(STEP_US);
        for (point, value) in values.iter().enumerate() {
            if point == cut {
                let text = serde_json::to_string(&detector).unwrap();
                detector = serde_json::from_str(&text).unwrap();
            }
            let (now, then) = (detector.update(time_us(point), Some(*value)), whole[point]);
            // JSON may change the last digit of a number.
            let same = (now.p_value / then.p_value - 1.0).abs() < 1e-6;
            assert!(
                same && now.kind == then.kind,
                "at {point}: {now:?} {then:?}"
            );
        }
    }
}

#[test]
fn nothing_is_known_of_what_comes() {
    let values = seasonal(seed(10), 3000);
    let mut other = values.clone();
    for value in other.iter_mut().skip(2000) {
        *value = 0.0;
    }
    assert_eq!(run(values)[..2000], run(other)[..2000]);
}

#[test]
fn memory_does_not_grow() {
    let mut detector = StreamDetector::new(STEP_US);
    let mut dice = Dice(seed(11));
    let mut size = |points: usize, detector: &mut StreamDetector, from: usize| {
        for point in from..from + points {
            detector.update(time_us(point), Some(dice.unit().powi(-2)));
        }
        serde_json::to_string(detector).unwrap().len()
    };
    let early = size(10_000, &mut detector, 0);
    let late = size(100_000, &mut detector, 10_000);
    assert!(
        late < early * 11 / 10,
        "{early} bytes of state became {late}"
    );
}
