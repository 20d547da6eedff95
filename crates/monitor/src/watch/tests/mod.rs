//! The engine on simulated traffic.

mod above;
mod ahead;
mod announcing;
mod audit;
mod calibration;
mod engine;
mod explaining;
mod hit;
mod joining;
mod people;
mod revised;
mod thresholds;
pub(crate) mod traffic;
mod volumes;

use std::sync::Arc;
use std::time::Duration;

use traffic::{BEGIN, BUCKET, Traffic};

use super::{AnnounceRules, Feed, JudgeReport, Watch, WatchOptions};
use crate::catalogue::{Catalogue, IncidentFilter};
use crate::definition::{
    ChannelDefinition, ChannelKind, Detect, Direction, HookDefinition, MonitorDefinition,
    RateDetect,
};
use crate::figure::{FigureSource, Slice};
use crate::incident::Incident;

/// A watch, its traffic and its catalogue.
struct Bench {
    traffic: Arc<Traffic>,
    catalogue: Arc<Catalogue>,
    watch: Watch,
}

impl Bench {
    fn new(seed: u64, definitions: Vec<MonitorDefinition>) -> Self {
        let traffic = Arc::new(Traffic::new(seed));
        let catalogue = Arc::new(Catalogue::in_memory().unwrap());
        let watch = start(&traffic, &catalogue, definitions, BEGIN);
        Self {
            traffic,
            catalogue,
            watch,
        }
    }

    /// Drops the engine and starts another on the same catalogue.
    fn restart(&mut self, definitions: Vec<MonitorDefinition>, now_us: i64) {
        self.watch = start(&self.traffic, &self.catalogue, definitions, now_us);
    }

    /// Judges once, with everything up to `upto` complete.
    fn judge_at(&self, upto: i64) -> JudgeReport {
        self.traffic.complete_upto(upto);
        self.watch.judge(upto)
    }

    /// Judges every bucket from `from` to `to` as it becomes complete.
    fn judge(&self, from: i64, to: i64) {
        let mut at = from;
        while at <= to {
            let report = self.judge_at(at);
            assert_eq!(report.faults, []);
            at += BUCKET;
        }
    }

    /// All incidents, the oldest first.
    fn incidents(&self) -> Vec<Incident> {
        let mut found = self
            .catalogue
            .incidents(&IncidentFilter::default())
            .unwrap();
        found.reverse();
        found
    }

    fn only_incident(&self) -> Incident {
        let incidents = self.incidents();
        assert_eq!(incidents.len(), 1, "{:?}", summaries(&incidents));
        incidents.into_iter().next().unwrap()
    }
}

/// A channel that nothing is ever sent to.
fn channel(name: &str) -> ChannelDefinition {
    let hook = HookDefinition {
        url: "https://hooks.example.com/x".to_owned(),
        secret: None,
        allow_private: false,
    };
    ChannelDefinition::new(name, ChannelKind::Webhook(hook))
}

fn start(
    traffic: &Arc<Traffic>,
    catalogue: &Arc<Catalogue>,
    definitions: Vec<MonitorDefinition>,
    now_us: i64,
) -> Watch {
    let rules = AnnounceRules {
        channels: vec![channel("on_call")],
        ..Default::default()
    };
    start_with(traffic, catalogue, definitions, rules, now_us)
}

fn start_with(
    traffic: &Arc<Traffic>,
    catalogue: &Arc<Catalogue>,
    definitions: Vec<MonitorDefinition>,
    rules: AnnounceRules,
    now_us: i64,
) -> Watch {
    let source: Arc<dyn FigureSource> = Arc::clone(traffic) as Arc<dyn FigureSource>;
    let options = WatchOptions {
        base_url: Some("https://till.example/".to_owned()),
    };
    let catalogue = Arc::clone(catalogue);
    Watch::start(
        definitions,
        rules,
        catalogue,
        source,
        Feed::default(),
        options,
        now_us,
    )
    .unwrap()
}

fn summaries(incidents: &[Incident]) -> Vec<String> {
    let show = |i: &Incident| format!("{} {} {}", i.monitor, i.state.name(), i.summary);
    incidents.iter().map(show).collect()
}

/// A rate monitor with two days of history.
fn rate_monitor(by: &[&str]) -> MonitorDefinition {
    let detect = RateDetect {
        history: Duration::from_secs(2 * 24 * 3600),
        ..Default::default()
    };
    let mut monitor = MonitorDefinition::new("drop", "authorization_rate", Detect::Rate(detect));
    monitor.by = by.iter().map(|dimension| (*dimension).to_owned()).collect();
    monitor.direction = Direction::Down;
    monitor.notify = vec!["on_call".to_owned()];
    monitor
}

fn slice(psp: &str, issuer: u32) -> Slice {
    Slice::from([("psp", psp), ("issuer", &format!("bank_{issuer}"))])
}
