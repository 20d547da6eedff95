//! The engine: judges every monitor's newest buckets and keeps incidents up to date.

mod above;
mod actions;
mod ahead;
mod announce;
mod audit;
mod baselines;
mod calibration;
mod complete;
mod due;
mod evidence;
mod explain;
mod fetch;
mod figures;
mod hit;
mod impact;
mod known;
mod lifecycle;
pub(crate) mod message;
mod outages;
mod rate;
mod revise;
mod rules;
mod state;
mod status;
mod threshold;
mod values;
mod volume;
mod volumes;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::traffic;

pub use actions::ActionNote;
pub use audit::AUDIT;
pub use calibration::{Surety, calibration_of};
pub(crate) use due::step_us;
pub use rules::AnnounceRules;
pub use status::MonitorStatus;
pub(crate) use volumes::fitting_slot_us;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

use crate::MonitorError;
use crate::catalogue::{Catalogue, incidents, progress};
use crate::definition::{DefinitionFault, Detect, MonitorDefinition};
use crate::detect::probability::Calibration;
use crate::figure::FigureSource;
use crate::incident::{Incident, IncidentEvent, TimelineKind};
use lifecycle::Record;
use rate::{RateRound, longest_steps};
use state::{Findings, Live, Memory, Step};
use threshold::ThresholdRound;
use values::ValueRound;
use volume::{VolumeRound, tested_us};

/// Events that a slow subscriber may lag behind before it is told that it missed some.
const FEED_EVENTS_MAX: usize = 256;

/// Live subscribers to incidents. Clones share the subscribers.
#[derive(Clone, Debug)]
pub struct Feed(broadcast::Sender<Arc<IncidentEvent>>);

impl Default for Feed {
    fn default() -> Self {
        Self(broadcast::channel(FEED_EVENTS_MAX).0)
    }
}

impl Feed {
    /// Begins to listen. A receiver that lags behind is told how many events it missed, and then
    /// asks for a new list.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<IncidentEvent>> {
        self.0.subscribe()
    }

    /// Tells every subscriber. Nobody listening is no fault.
    pub(crate) fn publish(&self, kind: TimelineKind, incident: Incident) {
        let _ = self.0.send(Arc::new(IncidentEvent { kind, incident }));
    }
}

/// While there is too little history, it is looked for more no more often than this, in microseconds of judged time.
const LEARN_EVERY_US: i64 = 60 * 1_000_000;

/// Settings of the engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WatchOptions {
    /// Where the web is reached from outside, e.g. `https://till.example`. Messages link to the board
    /// there; without it they carry no link.
    pub base_url: Option<String>,
}

/// What [`Watch::judge`] did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JudgeReport {
    /// Steps judged, of all monitors together.
    pub steps: usize,
    /// Transitions of incidents.
    pub transitions: usize,
    /// Monitors that could not be judged, with the reason.
    pub faults: Vec<(String, String)>,
}

/// The engine. One per set of definitions: after a reload the binary drops it and starts another
/// on the same catalogue.
pub struct Watch {
    monitors: Vec<Monitor>,
    catalogue: Arc<Catalogue>,
    source: Arc<dyn FigureSource>,
    feed: Feed,
    options: WatchOptions,
    rules: AnnounceRules,
    started_us: i64,
    /// How long it is used what values are normal before that is learned again, in microseconds of judged time.
    values_refresh_us: i64,
    /// How sure each monitor is, by what people said of its incidents.
    calibrations: Mutex<HashMap<String, Calibration>>,
}

struct Monitor {
    definition: MonitorDefinition,
    /// What it judges by, as it is defined.
    fingerprint: String,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    memory: Memory,
    slices: usize,
    learning: bool,
    /// Until then, in judged time, there is not enough more history to learn from.
    learn_again_us: i64,
    error: Option<String>,
    /// What had to be left out the last time it was judged.
    note: Option<String>,
    /// Whether its incidents were looked at since events came late.
    looked: revise::Looked,
    /// When buckets that are not complete were last looked at.
    looked_ahead_us: Option<i64>,
}

impl Monitor {
    /// A panic while judging leaves the memory of the round before, which is consistent.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The newest figures of a monitor.
enum Round {
    Rate(RateRound),
    Threshold(ThresholdRound),
    Volume(VolumeRound),
    Value(ValueRound),
}

impl Round {
    fn judge(&self, step: Step, memory: &mut Memory) -> Findings {
        match self {
            Self::Rate(round) => round.judge(step, &mut memory.slices),
            Self::Threshold(round) => round.judge(step, memory).into(),
            Self::Volume(round) => round.judge(step, &mut memory.slices),
            Self::Value(round) => round.judge(step, &mut memory.slices).into(),
        }
    }

    /// Whether what is judged at a step reaches into a day like no other.
    fn is_unknown(&self, definition: &MonitorDefinition, step: Step) -> bool {
        let back_us = match self {
            Self::Volume(_) => tested_us(&definition.detect).unwrap_or(0),
            // A forecast knows no holidays that are like another day.
            Self::Value(_) if matches!(definition.detect, Detect::Forecast(_)) => {
                return definition.calendar.is_special(step.start_us)
                    || definition.calendar.is_special(step.end_us - 1);
            }
            Self::Value(_) => 0,
            Self::Rate(_) | Self::Threshold(_) => return false,
        };
        let calendar = &definition.calendar;
        let at = [step.end_us - 1, step.start_us, step.end_us - back_us];
        at.into_iter().any(|at_us| calendar.is_unknown(at_us))
    }

    /// What could not be judged, in a sentence for the status page.
    fn note(&self) -> Option<String> {
        match self {
            Self::Rate(round) => round.note(),
            Self::Threshold(round) => round.note(),
            Self::Volume(_) | Self::Value(_) => None,
        }
    }
}

/// What the figures allow.
enum Fetched {
    Round(Box<Round>),
    /// There is too little history to judge by; with what could not be used of it.
    Learning(Option<String>),
}

impl Watch {
    /// Takes up where the catalogue left off. Incidents of monitors that are gone, or judge
    /// differently than before, are resolved with a note. `rules` say who is told.
    ///
    /// # Errors
    /// A monitor is not valid, stands there twice or notifies an unknown channel, a route leads to
    /// one, or the catalogue cannot be read or written.
    pub fn start(
        definitions: Vec<MonitorDefinition>,
        rules: AnnounceRules,
        catalogue: Arc<Catalogue>,
        source: Arc<dyn FigureSource>,
        feed: Feed,
        options: WatchOptions,
        now_us: i64,
    ) -> Result<Self, MonitorError> {
        check(&definitions, &rules)?;
        let mut watch = Self {
            monitors: Vec::new(),
            catalogue,
            source,
            feed,
            options,
            rules,
            started_us: now_us,
            values_refresh_us: values::REFRESH_US,
            calibrations: Mutex::default(),
        };
        watch.calibrate(&definitions)?;
        watch.close_stale(&definitions, now_us)?;
        for definition in definitions {
            let memory = watch.catalogue.read(|db| {
                let notify = |incident: Incident| -> Result<Live, MonitorError> {
                    let notify = incidents::notify(db, &incident.id)?;
                    Ok(Live::new(incident, notify))
                };
                let live = incidents::live(db, Some(&definition.name))?;
                Ok(Memory {
                    judged_upto_us: progress::get(db, &definition.name)?.map(|p| p.judged_upto_us),
                    slices: progress::states(db, &definition.name)?
                        .into_iter()
                        .collect(),
                    live: live.into_iter().map(notify).collect::<Result<_, _>>()?,
                    ..Default::default()
                })
            })?;
            let inner = Mutex::new(Inner {
                memory,
                ..Default::default()
            });
            watch.monitors.push(Monitor {
                fingerprint: watch
                    .fingerprint(&definition)
                    .unwrap_or_else(|| fingerprint(&definition)),
                definition,
                inner,
            });
        }
        Ok(watch)
    }

    /// Learns what values are normal less often, or more.
    pub(crate) fn learning_values_every(self, values_refresh_us: i64) -> Self {
        Self {
            values_refresh_us,
            ..self
        }
    }

    /// Judges every bucket that has become complete since the last call, looks at what has come of those that are not, and announces what has become
    /// due by itself, such as what a silence that has ended kept back. Blocks on figures and the
    /// catalogue: to be called from a thread of its own, every second or so.
    ///
    /// A monitor that cannot be judged does not keep the others from it.
    pub fn judge(&self, now_us: i64) -> JudgeReport {
        let mut report = JudgeReport::default();
        for monitor in &self.monitors {
            let mut inner = monitor.lock();
            match self.judge_monitor(monitor, &mut inner, now_us, &mut report) {
                Ok(()) => inner.error = None,
                Err(error) => {
                    let reason = error.to_string();
                    // Said once, not at every tick: the status shows it as long as it lasts.
                    if inner.error.as_ref() != Some(&reason) {
                        tracing::warn!(monitor = %monitor.definition.name, %reason, "not judged");
                    }
                    inner.error = Some(reason.clone());
                    report
                        .faults
                        .push((monitor.definition.name.clone(), reason));
                }
            }
        }
        if let Err(error) = self.announce(now_us) {
            tracing::error!(%error, "what has become due could not be announced");
        }
        report
    }

    /// Begins to listen to incidents.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<IncidentEvent>> {
        self.feed.subscribe()
    }

    /// The catalogue, for reading incidents.
    #[must_use]
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    fn judge_monitor(
        &self,
        monitor: &Monitor,
        inner: &mut Inner,
        now_us: i64,
        report: &mut JudgeReport,
    ) -> Result<(), MonitorError> {
        let facts = self
            .source
            .facts(&monitor.definition.metric)
            .map_err(MonitorError::Figures)?;
        let defined = &monitor.definition;
        let detect = (defined.detect)
            .for_metric(&defined.metric, facts.is_rate, facts.is_count)
            .map_err(MonitorError::Figures)?;
        let definition = &MonitorDefinition {
            detect,
            ..defined.clone()
        };
        // Before the figures of open incidents are refreshed: these still are those of then.
        self.revise(definition, inner, &facts, now_us)?;
        let (steps, transitions) =
            self.judge_complete(monitor, definition, &facts, inner, now_us)?;
        // What was done is told, whatever fails after it.
        report.steps += steps;
        report.transitions += transitions;
        report.transitions += self.look_ahead(monitor, definition, &facts, inner, now_us)?;
        report.transitions += self.end_silent(monitor, definition, &facts, inner, now_us)?;
        Ok(())
    }

    /// Writes everything of a round in one transaction, then tells subscribers.
    fn commit(
        &self,
        monitor: &Monitor,
        memory: &Memory,
        records: &[Record],
        now_us: i64,
    ) -> Result<usize, MonitorError> {
        let judged_upto_us = memory.judged_upto_us.unwrap_or(now_us);
        let name = &monitor.definition.name;
        let events = self.catalogue.write(|db| {
            let events = self.write(db, records, now_us)?;
            progress::put_states(db, name, memory.slices.iter())?;
            let progress = progress::Progress {
                fingerprint: monitor.fingerprint.clone(),
                judged_upto_us,
            };
            progress::put(db, name, &progress)?;
            Ok(events)
        })?;
        for (kind, incident) in events {
            self.feed.publish(kind, incident);
        }
        Ok(records
            .iter()
            .filter(|record| record.entry.is_some())
            .count())
    }

    /// What a monitor judges by, with the detector that `auto` chooses: a metric that has become another kind of figure is
    /// judged by another. None of `auto` where nobody can tell yet.
    fn fingerprint(&self, definition: &MonitorDefinition) -> Option<String> {
        if !matches!(definition.detect, Detect::Auto(_)) {
            return Some(fingerprint(definition));
        }
        let facts = self.source.facts(&definition.metric).ok()?;
        let is = (facts.is_rate, facts.is_count);
        let detect = (definition.detect).for_metric(&definition.metric, is.0, is.1);
        Some(fingerprint(&MonitorDefinition {
            detect: detect.ok()?,
            ..definition.clone()
        }))
    }

    /// Whether a monitor still judges by what it judged by. Before it was told what `auto` chose, its name was.
    fn judges_alike(&self, definition: &MonitorDefinition, before: Option<&String>) -> bool {
        let now = self.fingerprint(definition);
        now.is_none() || before == now.as_ref() || before == Some(&fingerprint(definition))
    }

    fn base_url(&self) -> Option<&str> {
        self.options.base_url.as_deref()
    }

    /// Resolves the incidents of monitors that are gone or judge differently now.
    fn close_stale(
        &self,
        definitions: &[MonitorDefinition],
        now_us: i64,
    ) -> Result<(), MonitorError> {
        let events = self.catalogue.write(|db| {
            let live = incidents::live(db, None)?;
            let mut names: HashSet<String> = live.iter().map(|i| i.monitor.clone()).collect();
            names.extend(progress::monitors(db)?);
            // The audit's stays until somebody has looked at it.
            names.remove(AUDIT);
            let mut records = Vec::new();
            for name in names {
                let definition = definitions.iter().find(|d| d.name == name);
                let before = progress::get(db, &name)?.map(|progress| progress.fingerprint);
                let note = match definition {
                    None => "the monitor was removed",
                    Some(now) if !self.judges_alike(now, before.as_ref()) => {
                        "the monitor was changed"
                    }
                    Some(_) => continue,
                };
                for incident in live.iter().filter(|incident| incident.monitor == name) {
                    let notify = incidents::notify(db, &incident.id)?;
                    let mut live = Live::new(incident.clone(), notify);
                    records.push(lifecycle::resolved(
                        &mut live,
                        now_us,
                        note.to_owned(),
                        None,
                    ));
                }
                progress::forget(db, &name)?;
            }
            self.write(db, &records, now_us)
        })?;
        for (kind, incident) in events {
            self.feed.publish(kind, incident);
        }
        Ok(())
    }
}

/// How far before a step buckets are judged with it.
pub(crate) fn reach_us(definition: &MonitorDefinition, step_us: i64) -> i64 {
    match &definition.detect {
        Detect::Rate(detect) => longest_steps(detect, step_us) as i64 * step_us,
        Detect::Seasonal(_) | Detect::Change(_) => values::STEPS_BACK * step_us,
        // As far as the forecast is walked from where it was learned.
        Detect::Forecast(_) => values::FORECAST_REFRESH_US + step_us,
        detect => tested_us(detect).unwrap_or(0),
    }
}

/// What a monitor judges by. Who is told, and how urgently, may change under an open incident.
fn fingerprint(definition: &MonitorDefinition) -> String {
    let d = definition;
    let judged = (&d.metric, &d.by, &d.detect, d.direction, d.hold.as_secs());
    let patience_s = d.resolve_after.as_secs();
    // Those that look at no calendar are what they were before there were any.
    let by_rate = matches!(d.detect, Detect::Threshold(_) | Detect::Rate(_));
    let judged = if by_rate || d.calendar.is_plain() {
        serde_json::to_string(&(judged, patience_s))
    } else {
        serde_json::to_string(&(judged, patience_s, d.calendar.text()))
    };
    judged.unwrap_or_default()
}

fn check(definitions: &[MonitorDefinition], rules: &AnnounceRules) -> Result<(), MonitorError> {
    let mut names = HashSet::new();
    for definition in definitions {
        let mut faults = definition.validate();
        if definition.name == AUDIT {
            faults.push(DefinitionFault::new("name", "this name is the audit's"));
        }
        if !names.insert(&definition.name) {
            faults.push(DefinitionFault::new(
                "name",
                "another monitor has the same name",
            ));
        }
        for channel in definition
            .notify
            .iter()
            .filter(|name| !rules.has_channel(name))
        {
            faults.push(DefinitionFault::new(
                "notify",
                format!("no channel is named `{channel}`"),
            ));
        }
        if let Some(fault) = faults.into_iter().next() {
            let item = format!("monitor `{}`", definition.name);
            return Err(MonitorError::Definition { item, fault });
        }
    }
    for route in &rules.routes {
        let unknown = route.channels.iter().find(|name| !rules.has_channel(name));
        if let Some(channel) = unknown {
            let reason = format!("no channel is named `{channel}`");
            let fault = DefinitionFault::new("channels", reason);
            let item = format!("route `{}`", route.name);
            return Err(MonitorError::Definition { item, fault });
        }
    }
    Ok(())
}
