//! What detectors get: values, numerators and denominators per slice and step.

use super::fixture::{BUCKET_US, Fixture, SECOND_US, START_US};
use crate::{SeriesQuery, SlicesQuery};

fn query(metric: &str, by: &[&str]) -> SlicesQuery {
    SlicesQuery {
        series: SeriesQuery {
            metric: metric.to_owned(),
            from_us: START_US,
            to_us: START_US + 1_800 * SECOND_US,
            step_us: 30 * BUCKET_US,
            by: by.iter().map(|name| (*name).to_owned()).collect(),
            ..SeriesQuery::default()
        },
        measures: vec!["declined_volume".to_owned()],
    }
}

#[tokio::test]
async fn a_ratio_comes_with_its_counts() {
    let fixture = Fixture::new();
    let answer = fixture
        .analyst
        .slices(&query("decline_rate", &["psp"]))
        .await
        .unwrap();
    assert_eq!(answer.slices.len(), 4);
    let mut attempts = 0.0;
    for slice in &answer.slices {
        assert_eq!(slice.buckets.len(), 6);
        for bucket in &slice.buckets {
            let (n, d) = (bucket.numerator.unwrap(), bucket.denominator.unwrap());
            attempts += d;
            match bucket.value {
                Some(value) => assert!((value - n / d).abs() < 1e-12),
                None => assert_eq!((n, d), (0.0, 0.0)),
            }
            assert!(bucket.measures[0].is_some());
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let expected = super::fixture::PAYMENTS as f64;
    assert_eq!(attempts, expected);
    let weights: Vec<f64> = answer
        .slices
        .iter()
        .map(|slice| {
            slice
                .buckets
                .iter()
                .filter_map(|bucket| bucket.denominator)
                .sum()
        })
        .collect();
    assert!(
        weights.is_sorted_by(|a, b| a >= b),
        "heaviest first: {weights:?}"
    );
}

#[tokio::test]
async fn a_metric_that_is_no_ratio_has_values_only() {
    let fixture = Fixture::new();
    let answer = fixture
        .analyst
        .slices(&query("latency_p95", &[]))
        .await
        .unwrap();
    assert_eq!(answer.slices.len(), 1);
    let bucket = &answer.slices[0].buckets[0];
    assert!(bucket.value.is_some());
    assert_eq!((bucket.numerator, bucket.denominator), (None, None));
}

#[tokio::test]
async fn an_unknown_further_measure_is_explained() {
    let fixture = Fixture::new();
    let mut query = query("latency_p95", &[]);
    query.measures = vec!["declined_volum".to_owned()];
    assert_eq!(
        fixture
            .analyst
            .slices(&query)
            .await
            .unwrap_err()
            .to_string(),
        "the cube 'payment_attempts' has no measure 'declined_volum'; did you mean 'declined_volume'?"
    );
}
