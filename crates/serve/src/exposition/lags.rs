//! Histograms that were counted elsewhere, one for each stream.

use std::fmt;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::documents::{LagHistogram, StreamStatus};

/// How far behind events of each stream were.
#[derive(Debug)]
struct Lags(Vec<(String, LagHistogram)>);

impl EncodeMetric for Lags {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        for (stream, lags) in &self.0 {
            let buckets: Vec<(f64, u64)> = (lags.buckets.iter())
                .map(|bucket| {
                    let bound = bucket.upto_ms.map(|ms| ms as f64 / 1_000.0);
                    (bound.unwrap_or(f64::INFINITY), bucket.events)
                })
                .collect();
            let events = lags.buckets.iter().map(|bucket| bucket.events).sum();
            encoder
                .encode_family(&[("stream", stream.as_str())])?
                .encode_histogram::<NoLabelSet>(lags.sum_s, events, &buckets, None)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// Registers what is known of the lags of all streams.
pub(super) fn register(registry: &mut Registry, all: &[StreamStatus]) {
    let lags = |read: fn(&StreamStatus) -> &LagHistogram| {
        let told = all.iter().filter(|stream| !read(stream).buckets.is_empty());
        Lags(
            told.map(|stream| (stream.name.clone(), read(stream).clone()))
                .collect(),
        )
    };
    registry.register_with_unit(
        "event_lateness",
        "How far events were behind the newest event time before them",
        Unit::Seconds,
        lags(|stream| &stream.lateness),
    );
    registry.register_with_unit(
        "event_delay",
        "How long after their own time events were received",
        Unit::Seconds,
        lags(|stream| &stream.delay),
    );
}
