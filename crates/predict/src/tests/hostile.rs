//! Series and options that nobody should give, and somebody will.

use std::ops::Range;
use std::time::Duration;

use super::{HOUR, given, traffic};
use crate::{Bounds, ForecastError, Forecaster, HISTORY_MAX, HORIZON_MAX, Options, Periods};

fn weeks() -> Vec<Option<f64>> {
    (0..400).map(|t| Some(traffic(t))).collect()
}

#[test]
fn what_cannot_work_is_refused_with_the_reason() {
    let forecaster = Forecaster::default();
    let refused = |values: &[Option<f64>]| forecaster.fit(values, HOUR).unwrap_err();
    for (bad, index) in [(f64::NAN, 3), (f64::INFINITY, 0), (f64::NEG_INFINITY, 399)] {
        let mut values = weeks();
        values[index] = Some(bad);
        assert_eq!(refused(&values), ForecastError::NotFinite { index });
    }
    let mut large = weeks();
    large[9] = Some(1e300);
    assert!(matches!(
        refused(&large),
        ForecastError::TooLarge { index: 9, .. }
    ));
    let short = ForecastError::TooShort {
        found: 9,
        needed: 10,
    };
    assert_eq!(refused(&[Some(1.0); 9]), short);
    assert_eq!(
        short.to_string(),
        "history is too short: 9 known values, 10 are needed at least"
    );
    assert!(matches!(
        refused(&vec![None; 500]),
        ForecastError::TooShort { found: 0, .. }
    ));
    assert!(matches!(refused(&[]), ForecastError::TooShort { .. }));
    assert!(matches!(
        refused(&vec![Some(1.0); HISTORY_MAX + 1]),
        ForecastError::TooLong { .. }
    ));
    assert!(forecaster.fit(&weeks(), Duration::ZERO).is_err());
    assert!(forecaster.fit(&weeks(), Duration::from_nanos(1)).is_err());
    let options = Options {
        bounds: Bounds::NON_NEGATIVE,
        ..Options::default()
    };
    let mut negative = weeks();
    negative[7] = Some(-1.0);
    let error = Forecaster::new(options).fit(&negative, HOUR).unwrap_err();
    assert_eq!(
        error,
        ForecastError::OutOfBounds {
            index: 7,
            value: -1.0
        }
    );
    let model = forecaster.fit(&weeks(), HOUR).unwrap();
    assert!(model.forecast(HORIZON_MAX + 1).is_err());
    assert!(model.total(0..usize::MAX).is_err());
    assert!(model.forecast(0).unwrap().is_empty());
}

#[test]
fn excluding_everything_is_too_short_a_history() {
    let all: [Range<usize>; 2] = [0..200, 200..usize::MAX];
    let error = Forecaster::default()
        .fit_without(&weeks(), HOUR, &all)
        .unwrap_err();
    assert_eq!(
        error,
        ForecastError::TooShort {
            found: 0,
            needed: 10
        }
    );
    // A range that is turned around excludes nothing.
    let turned = [Range {
        start: 300,
        end: 100,
    }];
    assert!(
        Forecaster::default()
            .fit_without(&weeks(), HOUR, &turned)
            .is_ok()
    );
}

#[test]
fn strange_series_have_finite_forecasts() {
    let strange: Vec<Vec<f64>> = vec![
        vec![0.0; 400],
        vec![5.0; 10],
        vec![1e100; 400],
        (0..400)
            .map(|t| if t % 2 == 0 { 1e9 } else { -1e9 })
            .collect(),
        (0..400).map(|t| f64::from(u8::from(t == 200))).collect(),
        (0..400)
            .map(|t| f64::from(u8::from(t == 399)) * 1e12)
            .collect(),
        (0..400).map(|t| (f64::from(t) * 0.2).exp()).collect(),
        (0..400).map(|t| 1e-300 * f64::from(t)).collect(),
        (0..400).map(|t| -f64::from(t)).collect(),
        (0..48).map(f64::from).collect(),
        (0..336).map(f64::from).collect(),
        (0..11).map(f64::from).collect(),
    ];
    let steps = [
        Duration::from_micros(1),
        HOUR,
        Duration::from_secs(86_400),
        Duration::MAX,
    ];
    for values in &strange {
        for step in steps {
            let model = Forecaster::default().fit(&given(values), step).unwrap();
            let points = model.forecast(500).unwrap();
            for p in &points {
                let all = [p.mean, p.low80, p.high80, p.low95, p.high95];
                assert!(
                    all.iter().all(|v| v.is_finite()),
                    "{p:?} of {values:?} by {step:?}"
                );
            }
            let total = model.total(0..values.len() + 100).unwrap().sum();
            assert!(total.low95 <= total.mean && total.mean <= total.high95);
            let mut band = model.band(crate::BandOptions::default()).unwrap();
            for value in values.iter().take(50) {
                let e = band.update(Some(*value)).unwrap();
                assert!(e.low <= e.expected && e.expected <= e.high, "{e:?}");
                assert!(e.low.is_finite() && e.high.is_finite(), "{e:?}");
            }
        }
    }
}

#[test]
fn a_constant_is_forecast_as_itself() {
    let model = Forecaster::default()
        .fit(&given(&[7.0; 400]), HOUR)
        .unwrap();
    for point in model.forecast(48).unwrap() {
        assert!(
            (point.mean - 7.0).abs() < 1e-9 && point.high95 - point.low95 < 1e-6,
            "{point:?}"
        );
    }
}

#[test]
fn mostly_gaps_are_still_a_history() {
    let values: Vec<Option<f64>> = (0..700)
        .map(|t| (t % 37 == 0).then(|| traffic(t)))
        .collect();
    let model = Forecaster::default().fit(&values, HOUR).unwrap();
    assert!(
        model
            .forecast(48)
            .unwrap()
            .iter()
            .all(|p| p.mean.is_finite())
    );
    let mut late = vec![None; 5000];
    late.extend((0..10).map(|t| Some(f64::from(t))));
    let model = Forecaster::default().fit(&late, HOUR).unwrap();
    assert!(
        model
            .forecast(5)
            .unwrap()
            .iter()
            .all(|p| p.high95.is_finite())
    );
}

#[test]
fn periods_longer_than_the_history_are_left_out() {
    let options = Options {
        periods: Periods::Given(vec![usize::MAX, 201]),
        ..Options::default()
    };
    let model = Forecaster::new(options).fit(&weeks(), HOUR).unwrap();
    assert!(model.periods().is_empty());
}
