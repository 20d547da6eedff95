//! Expected values.

use std::time::Duration;

use super::{HOUR, given, noisy, normal, random, traffic};
use crate::{Bounds, Footing, Forecaster, Model, Options, Periods};

fn fit(values: &[Option<f64>]) -> Model {
    Forecaster::default().fit(values, HOUR).unwrap()
}

fn means(model: &Model, horizon: usize) -> Vec<f64> {
    let points = model.forecast(horizon).unwrap();
    points.into_iter().map(|point| point.mean).collect()
}

fn mean_difference(a: &[f64], b: &[f64]) -> f64 {
    let sum: f64 = a.iter().zip(b).map(|(x, y)| (x - y).abs()).sum();
    sum / a.len().min(b.len()) as f64
}

#[test]
fn a_planted_trend_with_day_and_week_is_recovered() {
    let mut rng = random("planted");
    let truth = |t: usize| 50.0 + traffic(t) + 0.05 * t as f64;
    let values: Vec<f64> = (0..840)
        .map(|t| truth(t) + 2.0 * normal(&mut rng))
        .collect();
    let model = fit(&given(&values));
    assert_eq!(model.periods(), [24, 168]);
    assert_eq!(model.footing(), Footing::Full);
    let expected: Vec<f64> = (840..888).map(truth).collect();
    let off = mean_difference(&means(&model, 48), &expected);
    // The noise alone is 1.6 off on average; the truth should be met a little better.
    assert!(off < 1.5, "{off}");
}

#[test]
fn a_metric_by_the_day_follows_trend_and_weekday() {
    let mut rng = random("daily");
    let truth = |t: usize| 200.0 + 1.5 * t as f64 + if t % 7 >= 5 { -80.0 } else { 0.0 };
    let values: Vec<f64> = (0..120)
        .map(|t| truth(t) + 4.0 * normal(&mut rng))
        .collect();
    let day = Duration::from_secs(86_400);
    let model = Forecaster::default().fit(&given(&values), day).unwrap();
    assert_eq!(model.periods(), [7]);
    let expected: Vec<f64> = (120..134).map(truth).collect();
    let off = mean_difference(&means(&model, 14), &expected);
    assert!(off < 6.0, "{off}");
}

#[test]
fn a_metric_by_the_minute_follows_the_day() {
    let mut rng = random("minutes");
    let truth = |t: usize| 20.0 + traffic(t / 60);
    let values: Vec<f64> = (0..5 * 1440)
        .map(|t| truth(t) + 5.0 * normal(&mut rng))
        .collect();
    let minute = Duration::from_secs(60);
    let options = Options {
        horizon: 600,
        ..Options::default()
    };
    let model = Forecaster::new(options)
        .fit(&given(&values), minute)
        .unwrap();
    assert_eq!(
        (model.periods(), model.footing()),
        (vec![1440], Footing::Partial)
    );
    // The fifth day was a Friday; five days of history cannot know of Saturdays.
    let expected: Vec<f64> = (5 * 1440..5 * 1440 + 600)
        .map(|t| 20.0 + traffic((t - 1440) / 60))
        .collect();
    let off = mean_difference(&means(&model, 600), &expected);
    assert!(off < 4.0, "{off}");
}

#[test]
fn gaps_change_little() {
    let mut rng = random("gaps");
    let values = noisy(&mut rng, 840, 0.05);
    let mut holes = given(&values);
    holes[400..424].fill(None);
    holes.iter_mut().skip(3).step_by(9).for_each(|v| *v = None);
    let (whole, holed) = (means(&fit(&given(&values)), 48), means(&fit(&holes), 48));
    let off = mean_difference(&whole, &holed);
    assert!(off < 1.5, "{off}");
}

#[test]
fn an_outage_of_last_week_is_not_forecast_again() {
    let mut rng = random("outage");
    let values = noisy(&mut rng, 840, 0.05);
    let mut damaged = values.clone();
    // The same hours of the week as the fourth to tenth hour ahead.
    let outage = 840 - 168 + 4..840 - 168 + 10;
    damaged[outage].fill(0.0);
    let (clean, after) = (
        means(&fit(&given(&values)), 24),
        means(&fit(&given(&damaged)), 24),
    );
    for (t, (a, b)) in clean.iter().zip(&after).enumerate() {
        assert!(
            (a - b).abs() < 0.06 * a.abs() + 1.0,
            "{t} ahead: {a} became {b}"
        );
    }
}

#[test]
fn an_excluded_sales_day_is_not_forecast_again() {
    let mut rng = random("sales day");
    let values = noisy(&mut rng, 840, 0.05);
    let sales_day = 840 - 168..840 - 144;
    let mut damaged = values.clone();
    damaged[sales_day.clone()]
        .iter_mut()
        .for_each(|v| *v *= 3.0);
    let clean = means(&fit(&given(&values)), 24);
    let model = Forecaster::default()
        .fit_without(&given(&damaged), HOUR, &[sales_day])
        .unwrap();
    let off = mean_difference(&clean, &means(&model, 24));
    // Learning from it moves the forecast by more than twenty.
    assert!(off < 4.0, "{off}");
}

#[test]
fn a_new_level_is_followed() {
    let mut rng = random("new level");
    let mut values = noisy(&mut rng, 840, 0.05);
    values[840 - 96..].iter_mut().for_each(|v| *v += 80.0);
    let expected: Vec<f64> = (840..864).map(|t| traffic(t) + 80.0).collect();
    let off = mean_difference(&means(&fit(&given(&values)), 24), &expected);
    assert!(off < 16.0, "{off}");
}

#[test]
fn a_thousand_times_the_values_are_a_thousand_times_the_forecast() {
    let mut rng = random("scale");
    let values = noisy(&mut rng, 700, 0.1);
    let thousandfold: Vec<f64> = values.iter().map(|v| v * 1000.0).collect();
    let [small, large] = [values, thousandfold].map(|v| fit(&given(&v)).forecast(72).unwrap());
    for (a, b) in small.iter().zip(&large) {
        for (x, y) in [(a.mean, b.mean), (a.low95, b.low95), (a.high80, b.high80)] {
            assert!((1000.0 * x - y).abs() <= 1e-6 * y.abs().max(1.0), "{x} {y}");
        }
    }
}

#[test]
fn the_same_series_has_the_same_forecast_to_the_last_bit_also_after_being_written_down() {
    let mut rng = random("determinism");
    let values = given(&noisy(&mut rng, 500, 0.1));
    let (first, second) = (fit(&values), fit(&values));
    assert_eq!(first, second);
    let text = serde_json::to_string(&first).unwrap();
    let read: Model = serde_json::from_str(&text).unwrap();
    let (a, b) = (first.forecast(48).unwrap(), read.forecast(48).unwrap());
    for (x, y) in a.iter().zip(&b) {
        assert!((x.mean - y.mean).abs() <= 1e-9 * x.mean.abs().max(1.0));
    }
}

#[test]
fn counts_stay_positive_and_rates_between_zero_and_one() {
    let mut rng = random("bounds");
    let counts: Vec<f64> = (0..700)
        .map(|t| {
            let open = (8..18).contains(&(t % 24));
            if open {
                (5.0 + 5.0 * normal(&mut rng)).max(0.0).round()
            } else {
                0.0
            }
        })
        .collect();
    let rates: Vec<f64> = (0..700)
        .map(|_| (0.985 + 0.02 * normal(&mut rng)).clamp(0.0, 1.0))
        .collect();
    for (values, bounds) in [(counts, Bounds::NON_NEGATIVE), (rates, Bounds::UNIT)] {
        let options = Options {
            bounds,
            ..Options::default()
        };
        let model = Forecaster::new(options).fit(&given(&values), HOUR).unwrap();
        for point in model.forecast(200).unwrap() {
            for value in [
                point.mean,
                point.low80,
                point.high80,
                point.low95,
                point.high95,
            ] {
                assert!(bounds.contain(value), "{point:?}");
            }
            assert!(
                point.low95 <= point.low80 && point.low80 <= point.mean,
                "{point:?}"
            );
            assert!(
                point.mean <= point.high80 && point.high80 <= point.high95,
                "{point:?}"
            );
        }
    }
}

#[test]
fn zeros_at_night_are_forecast_as_zeros() {
    let mut rng = random("night");
    let values: Vec<f64> = (0..700)
        .map(|t| {
            if (8..18).contains(&(t % 24)) {
                100.0 + 5.0 * normal(&mut rng)
            } else {
                0.0
            }
        })
        .collect();
    let options = Options {
        bounds: Bounds::NON_NEGATIVE,
        ..Options::default()
    };
    let model = Forecaster::new(options).fit(&given(&values), HOUR).unwrap();
    for (i, point) in model.forecast(48).unwrap().iter().enumerate() {
        let open = (8..18).contains(&((700 + i) % 24));
        let expected = if open { 100.0 } else { 0.0 };
        assert!((point.mean - expected).abs() < 6.0, "{i}: {point:?}");
    }
}

#[test]
fn given_periods_are_used_where_history_holds_them_twice() {
    let values: Vec<f64> = (0..100).map(|t| [1.0, 5.0, 2.0, 8.0, 3.0][t % 5]).collect();
    let options = Options {
        periods: Periods::Given(vec![60, 5]),
        ..Options::default()
    };
    let model = Forecaster::new(options).fit(&given(&values), HOUR).unwrap();
    assert_eq!(
        (model.periods(), model.footing()),
        (vec![5], Footing::Partial)
    );
    for (i, mean) in means(&model, 10).into_iter().enumerate() {
        assert!(
            (mean - [1.0, 5.0, 2.0, 8.0, 3.0][i % 5]).abs() < 0.05,
            "{i}: {mean}"
        );
    }
}
