//! Intervals and sums.

use super::{HOUR, correlated, given, noisy, random, traffic};
use crate::{Bounds, Footing, Forecaster, Options};

/// Series a coverage is measured on.
const SERIES: usize = 40;

#[test]
fn intervals_hold_about_as_many_values_as_they_say() {
    let mut rng = random("coverage");
    let mut inside = [0.0; 2];
    let mut count = 0.0;
    for _ in 0..SERIES {
        let values = noisy(&mut rng, 720 + 48, 0.15);
        let model = Forecaster::default()
            .fit(&given(&values[..720]), HOUR)
            .unwrap();
        for (point, value) in model.forecast(48).unwrap().iter().zip(&values[720..]) {
            count += 1.0;
            inside[0] += f64::from(u8::from((point.low80..=point.high80).contains(value)));
            inside[1] += f64::from(u8::from((point.low95..=point.high95).contains(value)));
        }
    }
    let [of80, of95] = inside.map(|n| n / count);
    println!("coverage of 80 %: {of80}, of 95 %: {of95}");
    assert!((0.70..0.88).contains(&of80), "{of80}");
    assert!((0.90..0.985).contains(&of95), "{of95}");
}

#[test]
fn sums_are_held_too_though_errors_are_correlated() {
    let mut rng = random("sums");
    let (mut inside, mut independent) = (0.0, 0.0);
    for _ in 0..SERIES {
        let errors = correlated(&mut rng, 744, 0.95);
        let values: Vec<f64> = errors
            .iter()
            .enumerate()
            .map(|(t, e)| 200.0 + traffic(t) + 10.0 * e)
            .collect();
        let model = Forecaster::default()
            .fit(&given(&values[..720]), HOUR)
            .unwrap();
        let total = model.total(720..744).unwrap();
        let truth: f64 = values[720..].iter().sum();
        let points = model.forecast(24).unwrap();
        let squares: f64 = points
            .iter()
            .map(|p| ((p.high95 - p.low95) / 2.0).powi(2))
            .sum();
        let mean: f64 = points.iter().map(|p| p.mean).sum();
        assert!((mean - total.rest.mean).abs() < 1e-6);
        inside += f64::from(u8::from(
            (total.rest.low95..=total.rest.high95).contains(&truth),
        ));
        independent += f64::from(u8::from((truth - mean).abs() <= squares.sqrt()));
    }
    let [inside, independent] = [inside, independent].map(|n: f64| n / SERIES as f64);
    println!("coverage of 95 %: {inside}; had errors been independent: {independent}");
    assert!(inside >= 0.87, "{inside}");
    // Adding up as if independent fails here, so the test can tell the difference.
    assert!(independent < inside, "{independent} {inside}");
}

#[test]
fn the_known_part_of_a_sum_is_exact() {
    let mut rng = random("known part");
    let values: Vec<f64> = noisy(&mut rng, 718, 0.05)
        .iter()
        .map(|v| v.round())
        .collect();
    let mut given = given(&values);
    given[700] = None;
    let options = Options {
        bounds: Bounds::NON_NEGATIVE,
        ..Options::default()
    };
    let model = Forecaster::new(options).fit(&given, HOUR).unwrap();
    let known: f64 = given[696..].iter().flatten().sum();
    let day = model.total(696..720).unwrap();
    assert_eq!((day.known, day.gaps), (known, 1));
    assert_eq!(day.sum().mean, known + day.rest.mean);
    // Only two hours are open: the interval is that of two hours.
    let two: f64 = model
        .forecast(2)
        .unwrap()
        .iter()
        .map(|p| p.high95 - p.low95)
        .sum();
    assert!(day.rest.high95 - day.rest.low95 <= two * 1.000_001);
    let past = model.total(600..690).unwrap();
    assert_eq!(past.rest.mean, 0.0);
    assert_eq!(past.sum().low95, past.sum().high95);
    assert!(model.total(800..800).is_err());
}

#[test]
fn intervals_widen_with_the_horizon() {
    let mut rng = random("widening");
    let mut level = 500.0;
    let steps = correlated(&mut rng, 720, 0.0);
    let values: Vec<f64> = steps
        .iter()
        .enumerate()
        .map(|(t, step)| {
            level += 3.0 * step;
            level + traffic(t)
        })
        .collect();
    let model = Forecaster::default().fit(&given(&values), HOUR).unwrap();
    let points = model.forecast(96).unwrap();
    let width = |from: usize, to: usize| -> f64 {
        points[from..to]
            .iter()
            .map(|p| p.high95 - p.low95)
            .sum::<f64>()
            / (to - from) as f64
    };
    let widths = [width(0, 2), width(20, 28), width(44, 52), width(88, 96)];
    println!("{widths:?}");
    assert!(widths.windows(2).all(|w| w[1] > w[0]), "{widths:?}");
}

#[test]
fn a_cold_start_says_so_and_is_wide() {
    let values: Vec<f64> = (0..40).map(traffic).collect();
    let model = Forecaster::default().fit(&given(&values), HOUR).unwrap();
    assert_eq!(model.footing(), Footing::ColdStart);
    let points = model.forecast(24).unwrap();
    let inside = points
        .iter()
        .enumerate()
        .filter(|(i, p)| (p.low95..=p.high95).contains(&traffic(40 + i)))
        .count();
    assert!(inside >= 22, "{inside} of 24");
    let warm: Vec<f64> = (0..720).map(traffic).collect();
    let warm = Forecaster::default().fit(&given(&warm), HOUR).unwrap();
    assert!(warm.footing() == Footing::Full);
    let sum = |points: &[crate::Point]| points.iter().map(|p| p.high95 - p.low95).sum::<f64>();
    assert!(sum(&points) > 3.0 * sum(&warm.forecast(24).unwrap()));
}

#[test]
fn what_is_left_of_a_day_shrinks_with_it_and_counts_parts_of_steps() {
    let mut rng = random("rest");
    let values: Vec<f64> = noisy(&mut rng, 720, 0.05);
    let options = Options {
        bounds: Bounds::NON_NEGATIVE,
        ..Options::default()
    };
    let model = Forecaster::new(options).fit(&given(&values), HOUR).unwrap();
    let points = model.forecast(24).unwrap();
    let whole = model.total(720..744).unwrap().rest;
    let rest = model.rest(0.0, 24.0).unwrap();
    assert_eq!(rest.after(0.0), whole);
    // A day of a zone whose clock is half an hour off, of which a quarter of an hour is over.
    let off = model.rest(0.5, 23.5).unwrap();
    let expected = whole.mean - 0.5 * (points[0].mean + points[23].mean);
    assert!((off.after(0.0).mean - expected).abs() < 1e-9);
    assert!((off.after(0.25).mean - (expected - 0.25 * points[0].mean)).abs() < 1e-9);
    let width = |point: &crate::Point| point.high95 - point.low95;
    let mut last = f64::INFINITY;
    for share in [0.0, 0.3, 0.6, 0.9, 1.0] {
        let left = rest.after(share);
        assert!(width(&left) > 0.0 && width(&left) <= last, "{share}");
        assert!(left.low95 <= left.low80 && left.high80 <= left.high95);
        last = width(&left);
    }
    // In the last hour of the day nothing is left at its end.
    let hour = model.rest(0.0, 1.0).unwrap();
    assert!((width(&hour.after(0.75)) - 0.5 * width(&hour.after(0.0))).abs() < 1e-9);
    assert_eq!(hour.after(1.0).mean, 0.0);
    assert_eq!(width(&hour.after(1.0)), 0.0);
    for (from, to) in [
        (1.0, 1.0),
        (2.0, 1.0),
        (-0.5, 1.0),
        (f64::NAN, 1.0),
        (0.0, f64::INFINITY),
    ] {
        assert!(model.rest(from, to).is_err(), "{from} {to}");
    }
}

#[test]
fn the_methods_are_told_with_weights_that_add_up_to_one() {
    let mut rng = random("methods");
    let values = noisy(&mut rng, 720, 0.1);
    let model = Forecaster::default().fit(&given(&values), HOUR).unwrap();
    let methods = model.methods();
    assert!(!methods.is_empty() && methods.len() <= 4, "{methods:?}");
    let sum: f64 = methods.iter().map(|method| method.weight).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{methods:?}");
    assert!(
        methods
            .windows(2)
            .all(|pair| pair[0].weight >= pair[1].weight)
    );
}
