//! Simple parts: counts per provider, and whatever fault a test wants.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{Notify, watch};

use crate::documents::*;
use crate::ports::*;
use crate::problem::{Problem, Slug};

pub(super) const SECOND: i64 = 1_000_000;

/// Takes lines of JSON for the stream `payments`; a line `bad` is rejected.
#[derive(Default)]
pub(super) struct Lines {
    /// Answers given before the usual ones.
    pub(super) faults: Mutex<VecDeque<Problem>>,
    pub(super) taken: Mutex<Vec<Envelope>>,
    /// While set, taking waits.
    pub(super) held: AtomicBool,
    pub(super) waiting: AtomicU64,
    pub(super) released: Notify,
}

impl Collector for Lines {
    fn streams(&self) -> Vec<String> {
        vec!["payments".into()]
    }

    fn check(&self, envelope: &Envelope) -> Result<(), Problem> {
        if envelope.stream != "payments" {
            return Err(
                Problem::new(Slug::UnknownStream, "no such stream").suggesting(Some("payments"))
            );
        }
        match envelope.content_type.as_deref() {
            Some("application/x-ndjson") => Ok(()),
            _ => Err(Problem::new(Slug::UnsupportedContentType, "send NDJSON")),
        }
    }

    fn take(&self, envelope: Envelope) -> BoxFuture<'_, Result<Receipt, Problem>> {
        async move {
            while self.held.load(Ordering::SeqCst) {
                self.waiting.fetch_add(1, Ordering::SeqCst);
                self.released.notified().await;
            }
            if let Some(fault) = self.faults.lock().unwrap().pop_front() {
                return Err(fault);
            }
            let text = String::from_utf8_lossy(&envelope.body).into_owned();
            let mut receipt = Receipt {
                accepted: 0,
                duplicates: 0,
                rejected: 0,
                rejections: Vec::new(),
            };
            for (line, text) in (1..).zip(text.lines()) {
                if text == "bad" {
                    receipt.rejected += 1;
                    let reason = "is not JSON".to_owned();
                    receipt.rejections.push(RejectedLine {
                        line,
                        field: None,
                        reason,
                    });
                } else {
                    receipt.accepted += 1;
                }
            }
            self.taken.lock().unwrap().push(envelope);
            Ok(receipt)
        }
        .boxed()
    }

    fn quarantine(
        &self,
        stream: String,
        limit: usize,
    ) -> BoxFuture<'_, Result<QuarantineList, Problem>> {
        let lines = vec![QuarantinedLine {
            received_at: "2026-11-22T14:00:00Z".into(),
            line: 3,
            field: Some("amount".into()),
            reason: format!("limit {limit}"),
            raw: "bad".into(),
            source: None,
        }];
        futures::future::ok(QuarantineList {
            stream,
            lines,
            truncated: false,
        })
        .boxed()
    }

    fn replay(
        &self,
        _stream: String,
        _limit: usize,
    ) -> BoxFuture<'_, Result<ReplayReceipt, Problem>> {
        futures::future::ok(ReplayReceipt {
            replayed: 1,
            accepted: 1,
            duplicates: 0,
            rejected: 0,
            rejections: Vec::new(),
        })
        .boxed()
    }
}

/// The metric `payments`: a count per provider in buckets of a second.
pub(crate) struct Counts {
    pub(super) metric: &'static str,
    counts: Mutex<BTreeMap<(String, i64), i64>>,
    /// For each version, the range it changed.
    log: Mutex<Vec<(i64, i64)>>,
    changed: watch::Sender<u64>,
    pub(super) asked: Mutex<Vec<SeriesQuestion>>,
    pub(super) forecasts: Mutex<Vec<ForecastQuery>>,
    pub(super) failing: AtomicBool,
    /// Set while a slow query runs; cleared when it is given up.
    pub(super) slow_running: std::sync::Arc<AtomicBool>,
}

impl Counts {
    pub(crate) fn new(metric: &'static str) -> Self {
        Self {
            metric,
            counts: Mutex::default(),
            log: Mutex::default(),
            changed: watch::channel(0).0,
            asked: Mutex::default(),
            forecasts: Mutex::default(),
            failing: AtomicBool::new(false),
            slow_running: std::sync::Arc::default(),
        }
    }

    /// Counts a payment and tells that something has changed.
    pub(crate) fn add(&self, psp: &str, at_us: i64) {
        let bucket = at_us - at_us.rem_euclid(SECOND);
        *self
            .counts
            .lock()
            .unwrap()
            .entry((psp.to_owned(), bucket))
            .or_default() += 1;
        self.log.lock().unwrap().push((bucket, bucket));
        self.changed.send_modify(|version| *version += 1);
    }

    fn latest_us(&self) -> Option<i64> {
        let counts = self.counts.lock().unwrap();
        counts.keys().map(|(_, at)| *at).max()
    }

    pub(crate) fn answer(&self, question: &SeriesQuestion) -> SeriesAnswer {
        let (mut from_us, mut to_us) = (question.from_us, question.to_us);
        let is_plain = question.windows.is_plain();
        if is_plain && to_us - from_us == question.step_us {
            // One step is counted from its end, in whole buckets.
            to_us += (-to_us).rem_euclid(SECOND);
            from_us = to_us - question.step_us;
        }
        let windows = question.windows.clone();
        let begin_us = |at_us: i64| {
            let end_us = at_us + question.step_us;
            match windows.span {
                Span::Step => at_us,
                Span::Trailing(width_us) => end_us - width_us,
                Span::Since(_) => end_us - 1 - (end_us - 1).rem_euclid(86_400 * SECOND),
            }
        };
        let mut points = Vec::new();
        let mut at_us = from_us;
        while at_us < to_us {
            points.push(at_us);
            at_us += question.step_us;
        }
        let mut slices: BTreeMap<SliceKey, BTreeMap<i64, i64>> = BTreeMap::new();
        let mut known: Option<(i64, i64)> = None;
        for ((psp, at), count) in self.counts.lock().unwrap().iter() {
            for step in &points {
                if !(begin_us(*step)..*step + question.step_us).contains(at) {
                    continue;
                }
                known = Some(known.map_or((*step, *step), |(a, b)| (a.min(*step), b.max(*step))));
                if question.filters.iter().any(|(_, value)| value != psp) {
                    continue;
                }
                let key = if question.by.is_empty() {
                    vec![]
                } else {
                    vec![Some(psp.clone())]
                };
                *slices.entry(key).or_default().entry(*step).or_default() += count;
            }
        }
        if question.by.is_empty() {
            slices.entry(Vec::new()).or_default();
        }
        let truncated = slices.len() > question.limit;
        let all = points;
        let steps = |points: BTreeMap<i64, i64>| {
            let figure = |at: &i64| {
                let inside = known.is_some_and(|(a, b)| (a..=b).contains(at));
                let figure = points.get(at).copied().or(inside.then_some(0));
                (*at, figure.map(Figure::integer))
            };
            all.iter().map(figure).collect::<Vec<_>>()
        };
        SeriesAnswer {
            series: slices
                .into_iter()
                .take(question.limit)
                .map(|(key, points)| (key, steps(points)))
                .collect(),
            known_us: known,
            watermark_us: self.latest_us(),
            revised: BTreeMap::new(),
            notes: Vec::new(),
            truncated,
        }
    }
}

/// Tells when a future is given up.
struct Running(std::sync::Arc<AtomicBool>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Figures for Counts {
    fn metrics(&self) -> Vec<Metric> {
        vec![Metric {
            name: self.metric.into(),
            title: None,
            unit: Some("count".into()),
            description: None,
            formula: None,
            of: "attempts".into(),
            dimensions: vec!["psp".into()],
            bucket_ms: 1_000,
            kind: MetricKind::Count,
        }]
    }

    fn series(&self, question: SeriesQuestion) -> BoxFuture<'_, Result<SeriesAnswer, Problem>> {
        self.asked.lock().unwrap().push(question.clone());
        if question.filters.iter().any(|(_, value)| value == "slow") {
            return futures::future::pending().boxed();
        }
        let answer = if self.failing.load(Ordering::SeqCst) {
            Err(Problem::new(Slug::Overloaded, "too many queries wait"))
        } else {
            Ok(self.answer(&question))
        };
        futures::future::ready(answer).boxed()
    }

    /// Always the same: 7, in its first step.
    fn forecast(
        &self,
        question: ForecastQuery,
    ) -> BoxFuture<'_, Result<ForecastDocument, Problem>> {
        let at = question.at_us / 1_000;
        let document = ForecastDocument {
            metric: question.metric.clone(),
            unit: Some("count".into()),
            at,
            from: at,
            to: at + 1,
            step_ms: 1,
            history_from: 0,
            zone: question.zone.clone().unwrap_or_default(),
            by: question.by.clone(),
            levels: LEVELS,
            forecasts: vec![SliceForecast {
                by: BTreeMap::new(),
                status: ForecastStatus::Ready,
                known_steps: 10,
                needed_steps: None,
                reason: None,
                footing: Some(ForecastFooting::ColdStart),
                periods_ms: Vec::new(),
                methods: Vec::new(),
                points: vec![ForecastPoint {
                    start: at,
                    value: 7.0,
                    lower_80: 6.0,
                    upper_80: 8.0,
                    lower_95: 5.0,
                    upper_95: 9.0,
                }],
                day: None,
            }],
            notes: Vec::new(),
            truncated: false,
        };
        self.forecasts.lock().unwrap().push(question);
        let answer = if self.failing.load(Ordering::SeqCst) {
            Err(Problem::new(Slug::Overloaded, "too many queries wait"))
        } else {
            Ok(document)
        };
        futures::future::ready(answer).boxed()
    }

    fn sql(
        &self,
        text: String,
        limits: SqlLimits,
        format: SqlFormat,
    ) -> BoxFuture<'_, Result<Vec<u8>, Problem>> {
        async move {
            match text.as_str() {
                "panic" => panic!("a fault in the engine"),
                "big" => Ok(vec![b' '; 32 << 20]),
                "slow" => {
                    self.slow_running.store(true, Ordering::SeqCst);
                    let _running = Running(self.slow_running.clone());
                    tokio::time::sleep(Duration::from_secs(60)).await;
                    Ok(Vec::new())
                }
                "wrong" => Err(Problem::new(Slug::BadQuery, "there is no table").with("line", 1)),
                _ => Ok(format!("{text} {format:?} {:?}", limits.rows_max).into_bytes()),
            }
        }
        .boxed()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn version(&self, _metric: &str) -> u64 {
        self.log.lock().unwrap().len() as u64
    }

    fn changed_since(&self, _metric: &str, version: u64) -> Option<(i64, i64)> {
        let log = self.log.lock().unwrap();
        let since = log.get(usize::try_from(version).unwrap()..)?;
        let from = since.iter().map(|(a, _)| *a).min()?;
        let to = since.iter().map(|(_, b)| *b).max()?;
        Some((from, to))
    }
}

/// Back-tests that find nothing; while held, they wait until they are to end.
#[derive(Default)]
pub(super) struct Trials {
    pub(super) asked: Mutex<Vec<(String, BacktestRequest)>>,
    pub(super) held: AtomicBool,
    pub(super) running: AtomicU64,
}

impl Backtests for Trials {
    fn run(
        &self,
        monitor: &str,
        request: &BacktestRequest,
        go_on: &mut dyn FnMut(f64) -> bool,
    ) -> Result<BacktestAnswer, Problem> {
        let asked = (monitor.to_owned(), request.clone());
        self.asked.lock().unwrap().push(asked);
        self.running.fetch_add(1, Ordering::SeqCst);
        while self.held.load(Ordering::SeqCst) && go_on(0.5) {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        Ok(BacktestAnswer {
            monitor: monitor.to_owned(),
            from: "2026-11-01T00:00:00Z".into(),
            to: "2026-11-15T00:00:00Z".into(),
            took_s: 0.5,
            existing: None,
            proposed: None,
            comparison: None,
        })
    }
}

/// Health as a test sets it.
pub(super) struct Vitals {
    pub(super) progress: Mutex<Progress>,
    pub(super) journal: Mutex<JournalStatus>,
}

impl Vitals {
    pub(super) fn new() -> Self {
        Self {
            progress: Mutex::new(Progress {
                fraction: 0.42,
                events: 1_234,
            }),
            journal: Mutex::new(JournalStatus {
                state: "writable".into(),
                ..JournalStatus::default()
            }),
        }
    }
}

impl Health for Vitals {
    fn progress(&self) -> Progress {
        *self.progress.lock().unwrap()
    }

    fn definitions(&self) -> DefinitionsStatus {
        DefinitionsStatus {
            loaded_at: None,
            errors: vec!["packs/x.yaml:3:1: no such type".into()],
        }
    }

    fn journal(&self) -> JournalStatus {
        self.journal.lock().unwrap().clone()
    }

    fn history(&self) -> HistoryStatus {
        HistoryStatus {
            state: "ok".into(),
            unflushed_events: 3,
            ..HistoryStatus::default()
        }
    }

    fn streams(&self) -> Vec<StreamStatus> {
        vec![StreamStatus {
            name: "payments".into(),
            events: 7,
            ..StreamStatus::default()
        }]
    }

    fn cubes(&self) -> Vec<CubeStatus> {
        vec![CubeStatus {
            name: "attempts".into(),
            bytes: 4_096,
            ..CubeStatus::default()
        }]
    }

    fn sources(&self) -> Vec<SourceStatus> {
        Vec::new()
    }
}
