//! The band of a running series.

use super::{HOUR, given, noisy, random, traffic};
use crate::{Band, BandOptions, Bounds, Forecaster, Options};

fn band(values: &[f64], coverage: f64) -> Band {
    let options = Options {
        bounds: Bounds::NON_NEGATIVE,
        ..Options::default()
    };
    let model = Forecaster::new(options).fit(&given(values), HOUR).unwrap();
    model
        .band(BandOptions {
            coverage,
            ..BandOptions::default()
        })
        .unwrap()
}

#[test]
fn a_band_holds_the_share_it_promises() {
    let mut rng = random("band");
    let values = noisy(&mut rng, 672 + 3000, 0.1);
    for coverage in [0.9, 0.99] {
        let mut band = band(&values[..672], coverage);
        let outside = values[672..]
            .iter()
            .filter(|v| band.update(Some(**v)).unwrap().outside)
            .count() as f64;
        let held = 1.0 - outside / 3000.0;
        println!("{coverage}: {held}");
        assert!(
            (held - coverage).abs() < 0.35 * (1.0 - coverage) + 0.004,
            "{coverage}: {held}"
        );
    }
}

#[test]
fn an_outage_is_outside_and_soon_forgotten() {
    let mut rng = random("band outage");
    let values = noisy(&mut rng, 840, 0.05);
    let mut band = band(&values[..672], 0.99);
    let mut seen = 0;
    let (mut before, mut later) = (0.0, 0.0);
    for (i, value) in values[672..].iter().enumerate() {
        let out = (60..66).contains(&i);
        let answer = band.update(Some(if out { 0.0 } else { *value })).unwrap();
        seen += usize::from(out && answer.outside);
        match i {
            0..24 => before += answer.high - answer.low,
            144..168 => later += answer.high - answer.low,
            _ => {}
        }
    }
    assert!(seen >= 4, "{seen} of 6");
    // Four days later: had the outage counted with its full size, ten times as wide.
    println!("width of a day: {before}, after an outage: {later}");
    assert!(later < 3.0 * before, "{before} {later}");
    let after = band.expectation();
    assert!(
        (after.expected - traffic(840)).abs() < 0.15 * traffic(840),
        "{after:?}"
    );
}

#[test]
fn a_change_that_lasts_is_learned() {
    let mut rng = random("band level");
    let values = noisy(&mut rng, 672 + 504, 0.05);
    let mut band = band(&values[..672], 0.99);
    let mut late = 0;
    for (i, value) in values[672..].iter().enumerate() {
        let answer = band.update(Some(value + 40.0)).unwrap();
        late += usize::from(i >= 336 && answer.outside);
    }
    assert!(
        late < 15,
        "{late} of 168 hours are outside still, two weeks after"
    );
}

#[test]
fn what_is_no_number_changes_nothing() {
    let values: Vec<f64> = (0..400).map(traffic).collect();
    let mut band = band(&values, 0.99);
    let before = band.clone();
    for bad in [f64::NAN, f64::INFINITY] {
        assert!(band.update(Some(bad)).is_err());
    }
    assert_eq!(band, before);
    band.update(None).unwrap();
    assert_ne!(band, before, "a gap is a step too");
}

#[test]
fn a_band_goes_on_where_it_was_written_down_and_does_not_grow() {
    let mut rng = random("band state");
    let values = noisy(&mut rng, 2400, 0.1);
    let mut kept = band(&values[..400], 0.95);
    for value in &values[400..1400] {
        kept.update(Some(*value)).unwrap();
    }
    let text = serde_json::to_string(&kept).unwrap();
    let mut read: Band = serde_json::from_str(&text).unwrap();
    for value in &values[1400..] {
        let (a, b) = (
            kept.update(Some(*value)).unwrap(),
            read.update(Some(*value)).unwrap(),
        );
        assert!(
            (a.low - b.low).abs() < 1e-6 && (a.high - b.high).abs() < 1e-6,
            "{a:?} {b:?}"
        );
    }
    let later = serde_json::to_string(&kept).unwrap();
    assert!(
        later.len() < text.len() + text.len() / 10,
        "{} {}",
        text.len(),
        later.len()
    );
}

#[test]
fn options_that_cannot_work_are_refused() {
    let values: Vec<f64> = (0..400).map(traffic).collect();
    let model = Forecaster::default().fit(&given(&values), HOUR).unwrap();
    for (coverage, rate) in [
        (1.0, 0.1),
        (f64::NAN, 0.1),
        (0.2, 0.1),
        (0.9, -1.0),
        (0.9, f64::NAN),
    ] {
        assert!(model.band(BandOptions { coverage, rate }).is_err());
    }
}
