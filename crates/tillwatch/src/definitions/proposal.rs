//! A monitor that does not stand in the folder: checked as if it did, with every fault at its path.

use std::collections::HashMap;
use std::path::PathBuf;

use serde_json::{Map, Value as Json};
use tillwatch_analyse::Nature;
use tillwatch_monitor::definition::MonitorDefinition;
use tillwatch_serve::adapters::{MonitorDefinitions, ProposalFault};

use super::check;
use super::folder::{Folder, Item, SourceFile, items};
use super::load::Loaded;
use super::node::{Node, Place};
use super::places::{PathStyle, Places, under};
use super::resolve;
use super::shape::{Calendar, Channel, Cube, Metric};

/// Where a proposed monitor begins in the paths of its faults.
const ROOT: &str = "monitor";

/// What a monitor or a board can name, and what metrics are to detectors.
#[derive(Debug)]
pub struct Proposals {
    pub(super) metrics: Vec<Item<Metric>>,
    pub(super) cubes: Vec<Item<Cube>>,
    channels: Vec<Item<Channel>>,
    calendars: Vec<Item<Calendar>>,
    pub(super) natures: HashMap<String, Nature>,
}

impl Proposals {
    /// What a sound folder holds.
    pub fn new(folder: &Folder, natures: HashMap<String, Nature>) -> Self {
        Self {
            metrics: folder.metrics.clone(),
            cubes: folder.cubes.clone(),
            channels: folder.channels.clone(),
            calendars: folder.calendars.clone(),
            natures,
        }
    }

    /// The calendars there are.
    pub fn calendars(&self) -> &[Item<Calendar>] {
        &self.calendars
    }

    /// Checks a monitor as it would be written under its name.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn monitor(
        &self,
        name: &str,
        written: &Map<String, Json>,
    ) -> Result<MonitorDefinition, Vec<ProposalFault>> {
        let mut places = Places::new(ROOT, PathStyle::Named);
        let section = places.section(name, written);
        let mut folder = Folder::default();
        folder.metrics.clone_from(&self.metrics);
        folder.cubes.clone_from(&self.cubes);
        folder.channels.clone_from(&self.channels);
        folder.calendars.clone_from(&self.calendars);
        let path = PathBuf::from(ROOT);
        folder.files.push(SourceFile {
            path: path.clone(),
            tree: under("monitors", section.clone()),
        });
        let mut faults = Vec::new();
        items(0, &path, &section, &mut folder.monitors, &[], &mut faults);
        let item = folder.monitors.first();
        let calendars = resolve::calendars(&folder, &mut faults);
        let monitor =
            item.and_then(|item| resolve::monitor(&folder, item, &calendars, &mut faults));
        check::detectors(&folder, &self.natures, &mut faults);
        check::impacts(&folder, &self.natures, &mut faults);
        match monitor {
            Some(monitor) if faults.is_empty() => Ok(monitor),
            _ => {
                faults.sort();
                faults.dedup();
                Err(faults
                    .iter()
                    .map(|fault| places.told(fault, None))
                    .collect())
            }
        }
    }
}

/// Where a path of a proposed monitor stands in the tree it was read from.
#[must_use]
pub fn place_of(tree: &Node, path: &str) -> Place {
    let below = path.strip_prefix(ROOT).unwrap_or(path);
    let steps: Vec<&str> = below.split('.').filter(|step| !step.is_empty()).collect();
    tree.nearest(&steps)
}

impl MonitorDefinitions for Loaded {
    fn names(&self) -> Vec<String> {
        let names = self.monitors.iter().map(|monitor| monitor.name.clone());
        names.collect()
    }

    fn existing(&self, name: &str) -> Option<MonitorDefinition> {
        let mut monitors = self.monitors.iter();
        monitors.find(|monitor| monitor.name == name).cloned()
    }

    fn proposed(
        &self,
        name: &str,
        written: &Map<String, Json>,
    ) -> Result<MonitorDefinition, Vec<ProposalFault>> {
        self.proposals.monitor(name, written)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::load::finish;
    use super::super::places::json_of;
    use super::*;

    const DEFINITIONS: &str = "
streams:
  payments: {time: at, fields: {at: timestamp, psp: string, issuer: string, ok: bool, ms: int64}}
cubes:
  attempts:
    from: payments
    bucket: 1m
    dimensions: [psp, issuer]
    measures: {n: count(*), approved: count(*) filter (where ok), took: avg(ms)}
metrics:
  attempt_count: {of: attempts, expr: n}
  approval_rate: {of: attempts, expr: approved / n}
  duration: {of: attempts, expr: took}
calendars:
  berlin: {zone: Europe/Berlin, days: {\"2026-12-25\": sun}}
channels:
  on_call: {kind: webhook, url: \"https://hooks.example.com/x\"}
monitors:
  drop: {metric: approval_rate, by: [psp], detect: rate, notify: [on_call]}
";

    fn loaded() -> Loaded {
        let mut folder = Folder::default();
        folder.add("a.yaml".into(), DEFINITIONS, true);
        finish(folder, &|_| None).unwrap_or_else(|faults| panic!("{faults:#?}"))
    }

    fn faults(name: &str, written: Json) -> Vec<String> {
        let written = written.as_object().unwrap().clone();
        let faults = loaded().proposed(name, &written).unwrap_err();
        let told = |fault: &ProposalFault| {
            let ProposalFault {
                path,
                message,
                suggestion,
                place: _,
            } = fault;
            match suggestion {
                Some(suggestion) => format!("{path}: {message} ({suggestion})"),
                None => format!("{path}: {message}"),
            }
        };
        faults.iter().map(told).collect()
    }

    #[test]
    fn a_monitor_is_what_it_would_be_in_a_file() {
        let loaded = loaded();
        let written = json!({"metric": "approval_rate", "by": ["psp"], "detect": "rate", "notify": ["on_call"]});
        let written = written.as_object().unwrap();
        assert_eq!(loaded.names(), ["drop"]);
        assert_eq!(
            loaded.proposed("drop", written).ok(),
            loaded.existing("drop")
        );
        let other = loaded.proposed("other", written).unwrap();
        assert_eq!(other.name, "other");
        let text = json!({"metric": "duration", "detect": {"threshold": {"above": 2.5, "window": "5m"}}, "for": "1m"});
        let slow = loaded.proposed("slow", text.as_object().unwrap()).unwrap();
        assert_eq!(slow.hold.as_secs(), 60);
        let by_day = json!({"metric": "attempt_count", "detect": "count", "calendar": "berlin", "impact": "attempt_count"});
        let by_day = loaded.proposed("few", by_day.as_object().unwrap()).unwrap();
        assert_eq!(
            (by_day.calendar.name.as_str(), by_day.impact.as_deref()),
            ("berlin", Some("attempt_count"))
        );
    }

    #[test]
    fn every_fault_has_its_path_and_what_to_do() {
        let written = json!({
            "metric": "aproval_rate",
            "by": ["psp", "isuer"],
            "detect": {"rate": {"windw": "5m", "min_samples": "many"}},
        });
        assert_eq!(
            faults("drop", written),
            [
                "monitor.metric: there is no metric 'aproval_rate' (did you mean 'approval_rate'?)",
                "monitor.detect.rate.windw: unknown key 'windw' (did you mean 'window'?)",
                "monitor.detect.rate.min_samples: found the text 'many', expected a whole number from 0",
            ]
        );
        let written = json!({
            "metric": "aproval_rate",
            "by": ["psp", "isuer"],
            "detect": {"rate": {"window": "5s"}},
            "direction": "sideways",
            "notify": ["oncall"],
        });
        assert_eq!(
            faults("drop", written),
            ["monitor.direction: unknown direction `sideways`; use up, down or both"]
        );
        let written = json!({
            "metric": "approval_rate",
            "by": ["psp", "isuer"],
            "detect": {"rate": {"window": "5s"}},
            "notify": ["oncall"],
            "calendar": "berln",
        });
        assert_eq!(
            faults("drop", written),
            [
                "monitor.by.1: cube 'attempts' has no dimension 'isuer' (did you mean 'issuer'?)",
                "monitor.detect.rate.window: must be between 10s and 24h",
                "monitor.notify.0: there is no channel 'oncall' (did you mean 'on_call'?)",
                "monitor.calendar: there is no calendar 'berln' (did you mean 'berlin'?)",
            ]
        );
        assert_eq!(
            faults("drop", json!({"metric": "duration", "detect": "rate"})),
            [
                "monitor.detect: `rate` judges a count divided by a count, and metric 'duration' is none (use `threshold`, or a metric such as approved / attempts over two counts)"
            ]
        );
        assert_eq!(
            faults("drop", json!({"detect": "rate"})),
            ["monitor: the key 'metric' is missing"]
        );
        assert_eq!(
            faults(
                "drop",
                json!({"metric": "approval_rate", "detect": "rates"})
            ),
            [
                "monitor.detect: 'rates' is none of: auto, threshold, rate, count, silence, seasonal, change, forecast (did you mean 'rate'?)"
            ]
        );
        let name = faults(
            "Drop it",
            json!({"metric": "approval_rate", "detect": "rate"}),
        );
        assert_eq!(
            name,
            [
                "monitor: 'Drop it' is no name; use a-z, 0-9 and _, beginning with a letter, at most 63 characters"
            ]
        );
    }

    #[test]
    fn what_is_read_from_a_file_is_sent_and_its_faults_are_found_there() {
        let text = "metric: m\nby: [psp, issuer]\ndetect:\n  rate: {window: 5s, min_change: 0.1}\n";
        let tree = super::super::node::parse(text).unwrap();
        assert_eq!(
            json_of(&tree),
            json!({"metric": "m", "by": ["psp", "issuer"], "detect": {"rate": {"window": "5s", "min_change": 0.1}}})
        );
        let at = |path: &str| place_of(&tree, path);
        assert_eq!(
            at("monitor.detect.rate.window"),
            Place {
                line: 4,
                column: 18
            }
        );
        assert_eq!(
            at("monitor.by.1"),
            Place {
                line: 2,
                column: 11
            }
        );
        assert_eq!(
            at("monitor.detect.rate.history"),
            Place { line: 4, column: 3 }
        );
        assert_eq!(at("monitor").line, 1);
    }
}
