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
        ..SlicesQuery::default()
    }
}

#[tokio::test]
async fn a_quantile_tells_how_many_values_are_above_a_bound() {
    let fixture = Fixture::new();
    let bounds = [f64::NEG_INFINITY, 200.0, f64::INFINITY];
    let question = SlicesQuery {
        above: bounds.to_vec(),
        ..query("latency_p95", &["psp"])
    };
    let answer = fixture.analyst.slices(&question).await.unwrap();
    let mut seen = 0.0;
    for bucket in answer.slices.iter().flat_map(|slice| &slice.buckets) {
        let Some(p95) = bucket.value else {
            assert!(
                bucket
                    .above
                    .iter()
                    .all(|count| count.is_none_or(|count| count == 0.0))
            );
            continue;
        };
        let above: Vec<f64> = bucket.above.iter().map(|count| count.unwrap()).collect();
        assert_eq!(above.len(), bounds.len());
        assert!(above[0] >= above[1] && above[2] == 0.0, "{above:?}");
        // The quantile itself says on which side of the bound the 95th of a hundred is.
        let share = above[1] / above[0];
        assert!(
            if p95 > 202.0 {
                share > 0.0
            } else {
                share <= 0.06
            },
            "{p95} {above:?}"
        );
        seen += above[0];
    }
    assert!(seen > 0.0);
    // Of what is no quantile there is nothing to be told.
    let rate = SlicesQuery {
        above: bounds.to_vec(),
        ..query("decline_rate", &[])
    };
    let answer = fixture.analyst.slices(&rate).await.unwrap();
    assert!(
        answer.slices[0]
            .buckets
            .iter()
            .all(|bucket| bucket.above.is_empty())
    );
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
