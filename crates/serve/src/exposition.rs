//! The server's own health for Prometheus.
//!
//! Labels come from routes and definitions, never from what clients send, so their number is bounded.

mod audit;
mod lags;
mod series;

use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::documents::{
    AuditStatus, CubeStatus, HistoryStatus, JournalStatus, MemoryStatus, SourceStatus, StreamStatus,
};
use crate::ports::SeriesReuse;

/// The content type of the exposition.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the time to an answer, in seconds.
const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    method: MethodLabel,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

/// The methods worth telling apart; anything else a client invents is `other`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum MethodLabel {
    Get,
    Post,
    Other,
}

impl EncodeLabelValue for MethodLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        let text = match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Other => "other",
        };
        text.encode(encoder)
    }
}

/// Counters that are kept as calls come; all else is read when it is asked for.
#[derive(Debug)]
pub(crate) struct Exposition {
    calls: Family<CallLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    /// Encoding clones the families' handles, which is cheap but not worth doing twice at once.
    encoding: Mutex<()>,
}

/// What is read when it is asked for.
pub(crate) struct Readings {
    pub(crate) ready: bool,
    pub(crate) progress: f64,
    pub(crate) uptime_s: f64,
    pub(crate) live_clients: u64,
    pub(crate) live_queries: u64,
    pub(crate) live_computations: u64,
    pub(crate) series: SeriesReuse,
    pub(crate) bodies_bytes: u64,
    pub(crate) journal: JournalStatus,
    /// The history tables.
    pub(crate) history: HistoryStatus,
    pub(crate) audit: AuditStatus,
    pub(crate) memory: MemoryStatus,
    pub(crate) streams: Vec<StreamStatus>,
    pub(crate) cubes: Vec<CubeStatus>,
    pub(crate) sources: Vec<SourceStatus>,
}

impl Exposition {
    pub(crate) fn new() -> Self {
        Self {
            calls: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            encoding: Mutex::new(()),
        }
    }

    /// Counts an answered call.
    pub(crate) fn answered(
        &self,
        method: &Method,
        route: &str,
        status: StatusCode,
        took: Duration,
    ) {
        let method = match *method {
            Method::GET => MethodLabel::Get,
            Method::POST => MethodLabel::Post,
            _ => MethodLabel::Other,
        };
        let route = route.to_owned();
        let labels = CallLabels {
            method,
            route: route.clone(),
            status: status.as_u16(),
        };
        self.calls.get_or_create(&labels).inc();
        self.seconds
            .get_or_create(&RouteLabels { route })
            .observe(took.as_secs_f64());
    }

    /// The whole exposition as text.
    pub(crate) fn encode(&self, readings: &Readings) -> Result<String, fmt::Error> {
        let _one = self.encoding.lock().unwrap_or_else(PoisonError::into_inner);
        let mut registry = Registry::with_prefix("tillwatch");
        registry.register("http_requests", "Calls answered", self.calls.clone());
        registry.register_with_unit(
            "http_request_duration",
            "Time to the begin of the answer",
            Unit::Seconds,
            self.seconds.clone(),
        );
        register_server(&mut registry, readings);
        series::register(&mut registry, &readings.series);
        register_journal(&mut registry, &readings.journal);
        register_history(&mut registry, &readings.history);
        audit::register(&mut registry, &readings.audit);
        register_memory(&mut registry, &readings.memory);
        register_streams(&mut registry, &readings.streams);
        lags::register(&mut registry, &readings.streams);
        register_cubes(&mut registry, &readings.cubes);
        register_sources(&mut registry, &readings.sources);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: u64) {
    let gauge: Gauge = Gauge::default();
    gauge.set(number(value));
    registry.register(name, help, gauge);
}

fn gauge_bytes(registry: &mut Registry, name: &str, help: &str, value: u64) {
    let gauge: Gauge = Gauge::default();
    gauge.set(number(value));
    registry.register_with_unit(name, help, Unit::Bytes, gauge);
}

type Float = Gauge<f64, std::sync::atomic::AtomicU64>;

fn register_server(registry: &mut Registry, readings: &Readings) {
    gauge(
        registry,
        "ready",
        "1 when all calls are answered, 0 while recovering",
        u64::from(readings.ready),
    );
    let progress = Float::default();
    progress.set(readings.progress);
    registry.register_with_unit(
        "recovery_progress",
        "How far recovery has come",
        Unit::Ratios,
        progress,
    );
    let uptime = Float::default();
    uptime.set(readings.uptime_s);
    registry.register_with_unit("uptime", "Time since the start", Unit::Seconds, uptime);
    gauge(
        registry,
        "live_clients",
        "Open live streams",
        readings.live_clients,
    );
    gauge(
        registry,
        "live_queries",
        "Distinct live questions",
        readings.live_queries,
    );
    let computations = Counter::<u64>::default();
    computations.inc_by(readings.live_computations);
    registry.register(
        "live_computations",
        "Computations for live questions",
        computations,
    );
    gauge_bytes(
        registry,
        "bodies_held",
        "Request bodies held",
        readings.bodies_bytes,
    );
}

fn register_journal(registry: &mut Registry, journal: &JournalStatus) {
    gauge(
        registry,
        "journal_writable",
        "1 when the journal takes events",
        u64::from(journal.state == "writable"),
    );
    gauge_bytes(
        registry,
        "journal_size",
        "Bytes of the journal on disk",
        journal.bytes,
    );
    gauge(
        registry,
        "journal_segments",
        "Segment files of the journal",
        journal.segments,
    );
    gauge(
        registry,
        "journal_queued_batches",
        "Batches that wait to be written",
        journal.queued_batches,
    );
    gauge_bytes(
        registry,
        "journal_queued",
        "Bytes that wait to be written",
        journal.queued_bytes,
    );
    gauge(
        registry,
        "disk_low",
        "1 when no events are taken because the disk is nearly full",
        u64::from(journal.state == "disk_low"),
    );
    if let Some(free_bytes) = journal.free_bytes {
        gauge_bytes(registry, "disk_free", "Bytes free on the disk", free_bytes);
    }
    gauge_bytes(
        registry,
        "disk_free_min",
        "With fewer free bytes no events are taken",
        journal.free_bytes_min,
    );
    let refused = Counter::<u64>::default();
    refused.inc_by(journal.refused_full);
    registry.register(
        "disk_refused_requests",
        "Requests refused because the disk was full or nearly full",
        refused,
    );
}

fn register_memory(registry: &mut Registry, memory: &MemoryStatus) {
    const L: &str = "part";
    gauge_bytes(
        registry,
        "memory_limit",
        "What the parts of the process may hold together",
        memory.bytes_max,
    );
    gauges(
        registry,
        ("memory_held_bytes", "Memory that a part holds", L),
        &memory.parts,
        |p| (&p.part, p.bytes),
    );
    counters(
        registry,
        (
            "memory_refusals",
            "How often a part was refused more memory",
            L,
        ),
        &memory.parts,
        |p| (&p.part, p.refused),
    );
}

fn register_history(registry: &mut Registry, history: &HistoryStatus) {
    gauge(
        registry,
        "history_writable",
        "1 when the last try to write history succeeded",
        u64::from(history.state == "ok"),
    );
    gauge(
        registry,
        "history_unflushed_events",
        "Events that are only in the journal so far",
        history.unflushed_events,
    );
    let expired = Counter::<u64>::default();
    expired.inc_by(history.files_expired);
    registry.register(
        "history_expired_files",
        "Files of raw events and rejected lines removed because of their age",
        expired,
    );
}

type Named = [(&'static str, String); 1];

fn counters<'a, T>(
    registry: &mut Registry,
    (name, help, label): (&str, &str, &'static str),
    items: &'a [T],
    read: impl Fn(&'a T) -> (&'a str, u64),
) {
    let family = Family::<Named, Counter>::default();
    for (key, value) in items.iter().map(read) {
        family
            .get_or_create(&[(label, key.to_owned())])
            .inc_by(value);
    }
    registry.register(name, help, family);
}

fn gauges<'a, T>(
    registry: &mut Registry,
    (name, help, label): (&str, &str, &'static str),
    items: &'a [T],
    read: impl Fn(&'a T) -> (&'a str, u64),
) {
    let family = Family::<Named, Gauge>::default();
    for (key, value) in items.iter().map(read) {
        family
            .get_or_create(&[(label, key.to_owned())])
            .set(number(value));
    }
    registry.register(name, help, family);
}

fn register_streams(registry: &mut Registry, all: &[StreamStatus]) {
    const L: &str = "stream";
    counters(registry, ("events", "Events counted", L), all, |s| {
        (&s.name, s.events)
    });
    counters(
        registry,
        ("duplicates", "Events that came again", L),
        all,
        |s| (&s.name, s.duplicates),
    );
    counters(
        registry,
        ("rejected_lines", "Lines in quarantine", L),
        all,
        |s| (&s.name, s.rejected),
    );
    counters(
        registry,
        ("overloaded_requests", "Requests answered with 429", L),
        all,
        |s| (&s.name, s.overloaded),
    );
    counters(
        registry,
        ("late_events", "Events after their time was complete", L),
        all,
        |s| (&s.name, s.late),
    );
    counters(
        registry,
        ("failed_events", "Events that could not be counted", L),
        all,
        |s| (&s.name, s.failed),
    );
    counters(
        registry,
        ("underived_values", "Derived values that are null", L),
        all,
        |s| (&s.name, s.derive_failed),
    );
    counters(
        registry,
        (
            "unmeasured_values",
            "Values of dimensions and measures that are null",
            L,
        ),
        all,
        |s| (&s.name, s.measure_failed),
    );
    counters(
        registry,
        ("unconverted_amounts", "Amounts without a rate", L),
        all,
        |s| (&s.name, s.unconverted),
    );
}

fn register_cubes(registry: &mut Registry, all: &[CubeStatus]) {
    const L: &str = "cube";
    gauges(
        registry,
        ("cube_rows", "Rows of partial states held", L),
        all,
        |c| (&c.name, c.rows),
    );
    gauges(registry, ("cube_size_bytes", "Memory held", L), all, |c| {
        (&c.name, c.bytes)
    });
    gauges(
        registry,
        ("cube_stored_bytes", "Bytes in history", L),
        all,
        |c| (&c.name, c.stored_bytes),
    );
    gauges(
        registry,
        ("cube_stored_rows", "Rows of partial states in history", L),
        all,
        |c| (&c.name, c.stored_rows),
    );
    gauges(registry, ("cube_chunks", "Pieces held", L), all, |c| {
        (&c.name, c.chunks)
    });
    gauges(
        registry,
        (
            "cube_combinations",
            "Distinct combinations of dimensions",
            L,
        ),
        all,
        |c| (&c.name, c.combinations),
    );
    counters(
        registry,
        ("cube_other_rows", "Rows folded into __other__", L),
        all,
        |c| (&c.name, c.other_rows),
    );
    counters(
        registry,
        ("cube_failed_events", "Events missing from a cube", L),
        all,
        |c| (&c.name, c.failed),
    );
    counters(
        registry,
        (
            "cube_revised_events",
            "Events that came after their bucket was complete",
            L,
        ),
        all,
        |c| (&c.name, c.revised_events),
    );
    gauges(
        registry,
        (
            "cube_revised_buckets",
            "Buckets known to have changed after they were complete",
            L,
        ),
        all,
        |c| (&c.name, c.revised_buckets),
    );
}

fn register_sources(registry: &mut Registry, all: &[SourceStatus]) {
    const L: &str = "source";
    gauges(
        registry,
        ("source_ok", "1 when the source's last try succeeded", L),
        all,
        |s| (&s.name, u64::from(s.state == "ok")),
    );
    counters(
        registry,
        ("source_events", "Events a source has brought", L),
        all,
        |s| (&s.name, s.events),
    );
}
