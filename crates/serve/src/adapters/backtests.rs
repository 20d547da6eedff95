//! Back-tests over the monitors' engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tillwatch_monitor::MonitorError;
use tillwatch_monitor::backtest::{
    Backtest, BacktestLimits, BacktestReport, Comparison, Found, Label, Missed, SPAN_US_MAX,
    compare, run,
};
use tillwatch_monitor::catalogue::Catalogue;
use tillwatch_monitor::definition::MonitorDefinition;
use tillwatch_monitor::figure::{FigureSource, Slice};
use tillwatch_monitor::watch::calibration_of;

use crate::adapters::faults;
use crate::adapters::incidents::{document, verdict};
use crate::documents::{
    BacktestAnswer, BacktestComparison, BacktestCounts, BacktestIncident, BacktestLabel,
    BacktestMissed, BacktestPair, BacktestRequest, BacktestResolution, BacktestRun, Verdict,
};
use crate::ports::Backtests;
use crate::problem::{Problem, Slug};
use crate::request::params::nearest;
use crate::request::time::{DAY, Instant as At, now_us, rfc3339, shorten};

/// How long the time is that is tested unless told.
const SPAN_DEFAULT_US: i64 = 14 * DAY;
/// Incidents in one answer.
const INCIDENTS_MAX: usize = 1_000;
/// Labels in one request.
const LABELS_MAX: usize = 1_000;
/// Incidents that began so long before the test matter to it: no monitor looks further back.
const HISTORY_US: i64 = 100 * DAY;
/// After how long to ask again while another test is running.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Something wrong with a definition that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalFault {
    /// Where, as `monitor.detect.rate.window` or `panels[2].metric`.
    pub path: String,
    /// Line and column, from 1, of what was sent as text that has them.
    pub place: Option<(u64, u64)>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub suggestion: Option<String>,
}

/// The monitors of one set of definitions, and what else could be one of them.
pub trait MonitorDefinitions: Send + Sync + 'static {
    /// The names of all monitors.
    fn names(&self) -> Vec<String>;

    /// The monitor of that name.
    fn existing(&self, name: &str) -> Option<MonitorDefinition>;

    /// A monitor as it would be written in a file of the definitions, key by key.
    ///
    /// # Errors
    /// All that is wrong with it.
    fn proposed(
        &self,
        name: &str,
        written: &Map<String, Value>,
    ) -> Result<MonitorDefinition, Vec<ProposalFault>>;
}

/// Monitors of one set of definitions over the past.
pub struct PastMonitors {
    definitions: Arc<dyn MonitorDefinitions>,
    figures: Arc<dyn FigureSource>,
    catalogue: Arc<Catalogue>,
    limits: BacktestLimits,
    running: Arc<AtomicUsize>,
}

/// One of those that run at the same time.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl PastMonitors {
    /// Tests by these definitions and figures; `catalogue` tells what did open, and is only read. `running` counts tests, those of
    /// definitions before and after included.
    #[must_use]
    pub fn new(
        definitions: Arc<dyn MonitorDefinitions>,
        figures: Arc<dyn FigureSource>,
        catalogue: Arc<Catalogue>,
        limits: BacktestLimits,
        running: Arc<AtomicUsize>,
    ) -> Self {
        Self {
            definitions,
            figures,
            catalogue,
            limits,
            running,
        }
    }

    fn place(&self) -> Result<Place<'_>, Problem> {
        let before = self.running.fetch_add(1, Ordering::AcqRel);
        let place = Place(&self.running);
        if before < self.limits.at_once_max {
            return Ok(place);
        }
        let detail = format!(
            "{} back-test{} running, which is the limit; send this again shortly.",
            before,
            if before == 1 { " is" } else { "s are" }
        );
        Err(Problem::new(Slug::Overloaded, detail).retry_after(RETRY_AFTER))
    }

    /// The existing and the proposed version, of which there is at least one.
    fn versions(
        &self,
        name: &str,
        written: Option<&Map<String, Value>>,
    ) -> Result<(Option<MonitorDefinition>, Option<MonitorDefinition>), Problem> {
        let existing = self.definitions.existing(name);
        let proposed = written.map(|written| self.definitions.proposed(name, written));
        let proposed = proposed
            .transpose()
            .map_err(|faults| faults::definition(&faults))?;
        if existing.is_none() && proposed.is_none() {
            let names = self.definitions.names();
            let detail = format!(
                "There is no monitor '{}', and none was proposed.",
                shorten(name)
            );
            let nearest = nearest(name, names.iter().map(String::as_str));
            return Err(Problem::new(Slug::UnknownMonitor, detail).suggesting(nearest));
        }
        Ok((existing, proposed))
    }

    /// The time to test: what is asked for, up to where all is complete for every version.
    fn span(
        &self,
        request: &BacktestRequest,
        versions: &[&MonitorDefinition],
    ) -> Result<(i64, i64), Problem> {
        let mut complete_us = i64::MAX;
        let mut bucket_us = 1;
        for monitor in versions {
            let facts = self.figures.facts(&monitor.metric).map_err(impossible)?;
            let Some(watermark_us) = facts.watermark_us else {
                let metric = &monitor.metric;
                return Err(impossible(format!("metric `{metric}` has no events yet")));
            };
            complete_us = complete_us.min(watermark_us);
            bucket_us = bucket_us.max(facts.bucket_us);
        }
        let now_us = now_us();
        let to_us = read("to", request.to.as_deref(), now_us)?;
        let whole = |us: i64| us.div_euclid(bucket_us) * bucket_us;
        let to_us = whole(to_us.map_or(complete_us, |to_us| to_us.min(complete_us)));
        let longest_us = (i64::from(self.limits.days_max) * DAY).min(SPAN_US_MAX);
        let from_us = read("from", request.from.as_deref(), now_us)?;
        let from_us = whole(from_us.unwrap_or(to_us - SPAN_DEFAULT_US.min(longest_us)));
        if from_us >= to_us {
            let detail = format!(
                "'from' must be before 'to' and before the watermark: from {} to {} there is no past.",
                rfc3339(from_us),
                rfc3339(to_us)
            );
            return Err(Problem::parameter("from", detail));
        }
        if to_us - from_us > longest_us {
            let detail = format!(
                "A back-test covers at most {} days; raise limits.monitor.backtest_days_max for more.",
                longest_us / DAY
            );
            return Err(Problem::parameter("from", detail).with("days_max", longest_us / DAY));
        }
        Ok((from_us, to_us))
    }

    fn report(
        &self,
        monitor: MonitorDefinition,
        (from_us, to_us): (i64, i64),
        labels: &[Label],
        go_on: &mut dyn FnMut(f64) -> bool,
    ) -> Result<BacktestReport, Fault> {
        let known = self.catalogue.incidents_of_metric(
            &monitor.metric,
            from_us.saturating_sub(HISTORY_US),
            to_us,
        );
        let known = known.map_err(Fault::Catalogue)?;
        let calibration = calibration_of(&self.catalogue, &monitor.name);
        let test = Backtest {
            labels: labels.to_vec(),
            calibration: calibration.map_err(Fault::Catalogue)?,
            figures_max: self.limits.figures_max,
            ..Backtest::new(monitor, from_us, to_us)
        };
        run(&test, Arc::clone(&self.figures), &known, go_on).map_err(Fault::Test)
    }
}

/// Why a version could not be tested.
enum Fault {
    /// The catalogue could not be read.
    Catalogue(MonitorError),
    /// The test said no.
    Test(MonitorError),
}

impl Backtests for PastMonitors {
    fn run(
        &self,
        name: &str,
        request: &BacktestRequest,
        go_on: &mut dyn FnMut(f64) -> bool,
    ) -> Result<BacktestAnswer, Problem> {
        let began = Instant::now();
        let (existing, proposed) = self.versions(name, request.monitor.as_ref())?;
        let labels = labels(&request.labels)?;
        let versions: Vec<&MonitorDefinition> = existing.iter().chain(&proposed).collect();
        let count = versions.len() as f64;
        let span = self.span(request, &versions)?;
        // Only what costs something takes a place.
        let _place = self.place()?;
        let mut done_before = 0.0;
        let mut test = |monitor: MonitorDefinition| {
            let mut ended = None;
            let mut goes_on = |share: f64| {
                let done = (done_before + share) / count;
                if began.elapsed() >= self.limits.deadline {
                    ended = Some(late(done, self.limits.deadline));
                } else if !go_on(done) {
                    ended = Some(stopping());
                }
                ended.is_none()
            };
            let report = self.report(monitor, span, &labels, &mut goes_on);
            done_before += 1.0;
            report.map_err(|fault| match (ended, fault) {
                (Some(problem), _) => problem,
                (None, Fault::Catalogue(fault)) => faults::monitor(&fault),
                (None, Fault::Test(fault)) => impossible(fault.to_string()),
            })
        };
        let existing = existing.map(&mut test).transpose()?;
        let proposed = proposed.map(&mut test).transpose()?;
        let comparison = existing.as_ref().zip(proposed.as_ref());
        let comparison = comparison.map(|(a, b)| compared(&compare(a, b), a, b));
        Ok(BacktestAnswer {
            monitor: name.to_owned(),
            from: rfc3339(span.0),
            to: rfc3339(span.1),
            took_s: began.elapsed().as_secs_f64(),
            existing: existing.map(shown).transpose()?,
            proposed: proposed.map(shown).transpose()?,
            comparison,
        })
    }
}

/// A time of the request.
fn read(name: &str, text: Option<&str>, now_us: i64) -> Result<Option<i64>, Problem> {
    let Some(text) = text else {
        return Ok(None);
    };
    let at = At::parse(text).map_err(|fault| Problem::parameter(name, format!("{fault}.")))?;
    Ok(Some(at.resolve_us(now_us)))
}

fn labels(written: &[BacktestLabel]) -> Result<Vec<Label>, Problem> {
    if written.len() > LABELS_MAX {
        let detail = format!("At most {LABELS_MAX} labels are taken.");
        return Err(Problem::parameter("labels", detail));
    }
    let now_us = now_us();
    let label = |(at, label): (usize, &BacktestLabel)| {
        let time = |key: &str, text: &str| {
            let name = format!("labels.{at}.{key}");
            let us = read(&name, Some(text), now_us)?;
            Ok::<i64, Problem>(us.unwrap_or_default())
        };
        let (from_us, to_us) = (time("from", &label.from)?, time("to", &label.to)?);
        if from_us >= to_us {
            let name = format!("labels.{at}.to");
            let detail = format!("'{name}' must be after 'labels.{at}.from'.");
            return Err(Problem::parameter(&name, detail));
        }
        let pairs = label.slice.iter();
        Ok(Label {
            from_us,
            to_us,
            slice: pairs.map(|(d, v)| (d.clone(), v.clone())).collect(),
            is_real: label.verdict == Verdict::Real,
        })
    };
    written.iter().enumerate().map(label).collect()
}

fn impossible(reason: String) -> Problem {
    Problem::new(Slug::BacktestImpossible, faults::sentence(&reason))
}

fn late(done: f64, deadline: Duration) -> Problem {
    let detail = format!(
        "{:.0} % was judged within {} s, the limit (limits.monitor.backtest_deadline_ms); test a shorter time, or split by fewer dimensions.",
        done * 100.0,
        deadline.as_secs_f64()
    );
    Problem::new(Slug::Timeout, detail)
}

fn stopping() -> Problem {
    let detail = "The server is stopping; send this again shortly.";
    Problem::new(Slug::Stopping, detail).retry_after_s(1)
}

fn shown(report: BacktestReport) -> Result<BacktestRun, Problem> {
    let monitor = report.monitor;
    let tally = report.tally;
    let resolution = report.resolution.into_iter();
    Ok(BacktestRun {
        metric: monitor.metric,
        by: monitor.by,
        detect: serde_json::to_value(&monitor.detect).map_err(|cause| Problem::internal(&cause))?,
        direction: monitor.direction.name().to_owned(),
        steps: report.steps as u64,
        resolution: resolution
            .map(|one| BacktestResolution {
                from: one.from,
                step_s: one.step_s,
            })
            .collect(),
        learning_hours: report.learning as u64,
        per_week: report.per_week,
        counts: BacktestCounts {
            found: tally.found as u64,
            real: tally.real as u64,
            false_alarms: tally.false_alarms as u64,
            unlabelled: tally.unlabelled as u64,
            missed: tally.missed as u64,
        },
        truncated: report.found.len() > INCIDENTS_MAX,
        incidents: report.found.iter().take(INCIDENTS_MAX).map(found).collect(),
        missed: report.missed.into_iter().map(missed).collect(),
    })
}

fn found(found: &Found) -> BacktestIncident {
    let incident = &found.incident;
    let delay_us = incident.opened_at_us - incident.started_at_us;
    BacktestIncident {
        incident: document(incident),
        delay_s: delay_us / 1_000_000,
        live: found.live.clone(),
        label: found.label.map(|at| at as u64),
        verdict: found.is_real.map(verdict),
    }
}

fn missed(missed: Missed) -> BacktestMissed {
    let pairs = |slice: &Slice| {
        let pairs = slice.pairs();
        pairs
            .map(|(dimension, value)| (dimension.to_owned(), value.map(str::to_owned)))
            .collect()
    };
    BacktestMissed {
        started_at: missed.started_at,
        slice: pairs(&missed.slice),
        live: missed.live,
        label: missed.label.map(|at| at as u64),
        summary: missed.summary,
    }
}

fn compared(
    comparison: &Comparison,
    existing: &BacktestReport,
    proposed: &BacktestReport,
) -> BacktestComparison {
    let id = |report: &BacktestReport, at: &usize| {
        let found = report.found.get(*at);
        found.map(|found| found.incident.id.to_string())
    };
    let both = comparison.both.iter().filter_map(|(a, b)| {
        let (a, b) = (existing.found.get(*a)?, proposed.found.get(*b)?);
        Some(BacktestPair {
            existing: a.incident.id.to_string(),
            proposed: b.incident.id.to_string(),
            later_s: (b.incident.opened_at_us - a.incident.opened_at_us) / 1_000_000,
        })
    });
    let of_existing = comparison.only_first.iter();
    let of_proposed = comparison.only_second.iter();
    BacktestComparison {
        both: both.collect(),
        only_existing: of_existing.filter_map(|at| id(existing, at)).collect(),
        only_proposed: of_proposed.filter_map(|at| id(proposed, at)).collect(),
    }
}
