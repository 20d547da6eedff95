//! Monitors: a detector on a metric, split by dimensions.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::DefinitionFault;
use super::calendar::Calendar;
use super::detect::{Detect, SPAN_MAX, seconds};

/// Most dimensions a monitor may split by: grouping looks at every subset of them.
const DIMENSIONS_MAX: usize = 6;
/// Longest name of who looks after incidents.
const OWNER_CHARS_MAX: usize = 200;

/// A monitor: which metric is judged, per which slice, how, and who is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MonitorDefinition {
    /// Name, unique among monitors.
    pub name: String,
    /// One sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Name of the metric it judges.
    pub metric: String,
    /// Dimensions that split the metric into slices. Order matters for new slices: a slice with
    /// little history borrows from its parent, which is the slice without the last dimension.
    pub by: Vec<String>,
    /// How an anomaly is recognised.
    pub detect: Detect,
    /// Which way of deviating is bad.
    pub direction: Direction,
    /// How urgent an incident of this monitor is.
    pub severity: Severity,
    /// How long a slice must be anomalous without a break before an incident opens (`for`).
    #[serde(serialize_with = "seconds")]
    pub hold: Duration,
    /// How long every slice of an incident must be normal without a break before it resolves.
    #[serde(serialize_with = "seconds")]
    pub resolve_after: Duration,
    /// Whether buckets are looked at before they are complete, where the detector can (`rate`, and bounds that a share or a
    /// count is beyond already).
    pub early: bool,
    /// Names of the channels that are told.
    pub notify: Vec<String>,
    /// Name of a metric that adds up, mostly money, by which incidents say how much is at stake.
    pub impact: Option<String>,
    /// Who looks after its incidents: a team, a person.
    pub owner: Option<String>,
    /// By which clock there is a time of the week, and which days are no ordinary ones.
    #[serde(skip)]
    pub calendar: Arc<Calendar>,
}

impl MonitorDefinition {
    /// A monitor with every optional field at its default: no split, direction `both`, severity
    /// `warning`, no hold, resolved after two minutes, nobody told.
    pub fn new(name: impl Into<String>, metric: impl Into<String>, detect: Detect) -> Self {
        Self {
            name: name.into(),
            description: None,
            metric: metric.into(),
            by: Vec::new(),
            detect,
            direction: Direction::Both,
            severity: Severity::Warning,
            hold: Duration::ZERO,
            resolve_after: Duration::from_secs(120),
            early: true,
            notify: Vec::new(),
            impact: None,
            owner: None,
            calendar: Arc::default(),
        }
    }

    /// Everything that is wrong with this monitor on its own. Whether the metric, the dimensions
    /// and the channels exist is for the loader, who knows them.
    #[must_use]
    pub fn validate(&self) -> Vec<DefinitionFault> {
        let mut faults = Vec::new();
        if self.name.is_empty() {
            faults.push(DefinitionFault::new("name", "a monitor needs a name"));
        }
        if self.metric.is_empty() {
            faults.push(DefinitionFault::new(
                "metric",
                "a monitor needs a metric to judge",
            ));
        }
        self.validate_dimensions(&mut faults);
        let owner = self.owner.as_deref().unwrap_or_default();
        if owner.chars().count() > OWNER_CHARS_MAX {
            let reason = format!("must not be longer than {OWNER_CHARS_MAX} characters");
            faults.push(DefinitionFault::new("owner", reason));
        }
        for (field, span) in [("for", self.hold), ("resolve_after", self.resolve_after)] {
            if span > SPAN_MAX {
                faults.push(DefinitionFault::new(field, "must not be longer than 24h"));
            }
        }
        match &self.detect {
            Detect::Threshold(threshold) => threshold.validate(self.direction, &mut faults),
            Detect::Rate(rate) => rate.validate(&mut faults),
            Detect::Count(count) => count.validate(&mut faults),
            Detect::Silence(silence) => silence.validate(self.direction, &mut faults),
            Detect::Seasonal(seasonal) => seasonal.validate("seasonal", &mut faults),
            Detect::Change(change) => change.validate("change", &mut faults),
            Detect::Forecast(forecast) => forecast.validate("forecast", &mut faults),
            Detect::Auto(_) => {}
        }
        faults
    }

    fn validate_dimensions(&self, faults: &mut Vec<DefinitionFault>) {
        if self.by.len() > DIMENSIONS_MAX {
            let reason = format!(
                "{} dimensions, but at most {DIMENSIONS_MAX} are allowed",
                self.by.len()
            );
            faults.push(DefinitionFault::new("by", reason));
        }
        for (i, dimension) in self.by.iter().enumerate() {
            if self.by.iter().take(i).any(|earlier| earlier == dimension) {
                let reason = format!("dimension `{dimension}` stands there twice");
                faults.push(DefinitionFault::new("by", reason));
            }
        }
    }
}

/// Which way of deviating from the expected is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Only more than expected.
    Up,
    /// Only less than expected.
    Down,
    /// Either.
    Both,
}

impl Direction {
    /// The direction of that name: `up`, `down` or `both`.
    ///
    /// # Errors
    /// A fault that names the three.
    pub fn parse(text: &str) -> Result<Self, DefinitionFault> {
        match text {
            "up" => Ok(Self::Up),
            "down" => Ok(Self::Down),
            "both" => Ok(Self::Both),
            other => Err(DefinitionFault::new(
                "direction",
                format!("unknown direction `{other}`; use up, down or both"),
            )),
        }
    }

    /// The name as written in a definition.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Both => "both",
        }
    }
}

/// How urgent an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// To be looked at today.
    Warning,
    /// To be looked at now.
    Critical,
}

impl Severity {
    /// The severity of that name: `critical`, `warning` or `info`.
    ///
    /// # Errors
    /// A fault that names the three.
    pub fn parse(text: &str) -> Result<Self, DefinitionFault> {
        match text {
            "info" => Ok(Self::Info),
            "warning" => Ok(Self::Warning),
            "critical" => Ok(Self::Critical),
            other => Err(DefinitionFault::new(
                "severity",
                format!("unknown severity `{other}`; use critical, warning or info"),
            )),
        }
    }

    /// The name as written in a definition.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{
        AutoDetect, CountDetect, DETECTORS, RateDetect, SeasonalDetect, Sensitivity, SilenceDetect,
        ThresholdDetect, detector_fault,
    };

    fn faults(monitor: &MonitorDefinition) -> Vec<String> {
        monitor.validate().iter().map(ToString::to_string).collect()
    }

    fn threshold(above: Option<f64>, below: Option<f64>) -> MonitorDefinition {
        let detect = Detect::Threshold(ThresholdDetect {
            above,
            below,
            ..Default::default()
        });
        MonitorDefinition::new("m", "latency_p95", detect)
    }

    fn rate(detect: RateDetect) -> MonitorDefinition {
        MonitorDefinition::new("m", "authorization_rate", Detect::Rate(detect))
    }

    #[test]
    fn a_monitor_with_defaults_is_valid() {
        assert_eq!(faults(&rate(RateDetect::default())), Vec::<String>::new());
        assert_eq!(faults(&threshold(Some(800.0), None)), Vec::<String>::new());
        assert_eq!(faults(&threshold(None, Some(0.8))), Vec::<String>::new());
    }

    #[test]
    fn every_fault_is_reported_at_once_with_its_field() {
        let mut monitor = rate(RateDetect {
            min_samples: 0,
            window: Duration::from_secs(1),
            history: Duration::from_secs(2),
            min_change: 1.0,
            ..Default::default()
        });
        monitor.by = vec!["psp".into(), "psp".into()];
        monitor.hold = Duration::from_secs(25 * 3600);
        let fields: Vec<String> = monitor.validate().into_iter().map(|f| f.field).collect();
        assert_eq!(
            fields,
            [
                "by",
                "for",
                "detect.rate.min_samples",
                "detect.rate.window",
                "detect.rate.history",
                "detect.rate.min_change"
            ]
        );
    }

    #[test]
    fn thresholds_that_cannot_work_are_refused() {
        let none = "detect.threshold.above: a threshold needs `above`, `below` or both";
        assert_eq!(faults(&threshold(None, None)), [none]);
        let crossed =
            "detect.threshold.below: must be less than `above`, or no value would be normal";
        assert_eq!(faults(&threshold(Some(1.0), Some(2.0))), [crossed]);
        assert_eq!(
            faults(&threshold(Some(f64::NAN), None)),
            ["detect.threshold.above: must be a finite number"]
        );
        let mut contradiction = threshold(Some(1.0), None);
        contradiction.direction = Direction::Down;
        assert_eq!(
            faults(&contradiction),
            ["detect.threshold.above: contradicts `direction: down`, which only `below` can judge"]
        );
    }

    #[test]
    fn a_detector_that_does_not_exist_yet_is_refused_with_the_ones_that_do() {
        for name in DETECTORS {
            assert_eq!(detector_fault(name), None);
        }
        let planned = detector_fault("amount").unwrap().reason;
        assert!(
            planned.starts_with("detector `amount` is not in this version;"),
            "{planned}"
        );
        assert!(
            planned.contains("`threshold`") && planned.contains("`rate`"),
            "{planned}"
        );
        let unknown = detector_fault("treshold").unwrap().reason;
        assert!(
            unknown.starts_with("unknown detector `treshold`;"),
            "{unknown}"
        );
    }

    #[test]
    fn names_are_read_back_and_others_are_refused() {
        for direction in [Direction::Up, Direction::Down, Direction::Both] {
            assert_eq!(Direction::parse(direction.name()), Ok(direction));
        }
        for severity in [Severity::Info, Severity::Warning, Severity::Critical] {
            assert_eq!(Severity::parse(severity.name()), Ok(severity));
        }
        assert!(
            Severity::parse("fatal")
                .unwrap_err()
                .reason
                .contains("critical, warning or info")
        );
        assert!(
            Sensitivity::parse("max")
                .unwrap_err()
                .reason
                .contains("low, normal or high")
        );
    }

    #[test]
    fn a_trailing_window_is_shown_only_where_there_is_one() {
        // What a monitor judges by is compared as text, and those of before had no such word.
        let shown = |over| {
            let detect = ThresholdDetect {
                over,
                ..Default::default()
            };
            serde_json::to_value(detect).unwrap()
        };
        assert_eq!(shown(None).get("over"), None);
        assert_eq!(shown(Some(Duration::from_secs(300)))["over"], "300s");
    }

    #[test]
    fn a_detector_is_shown_with_its_settings() {
        let shown = serde_json::to_value(rate(RateDetect::default()).detect).unwrap();
        assert_eq!(
            shown,
            serde_json::json!({"rate": {"sensitivity": "normal", "min_samples": 10,
                "window": "960s", "history": "604800s", "min_change": 0.02}})
        );
    }
    #[test]
    fn counts_and_silence_that_cannot_be_judged_are_refused() {
        let of = |detect| MonitorDefinition::new("m", "attempts", detect);
        assert!(faults(&of(Detect::Count(CountDetect::default()))).is_empty());
        assert!(faults(&of(Detect::Silence(SilenceDetect::default()))).is_empty());
        assert!(faults(&of(Detect::Auto(AutoDetect::default()))).is_empty());
        let count = CountDetect {
            min_samples: 0,
            window: Duration::from_secs(1),
            history: Duration::from_secs(24 * 3600),
            min_change: f64::NAN,
            ..CountDetect::default()
        };
        let fields = |monitor: &MonitorDefinition| -> Vec<String> {
            monitor.validate().into_iter().map(|f| f.field).collect()
        };
        let count = fields(&of(Detect::Count(count)));
        let expected = ["min_samples", "window", "history", "min_change"];
        assert_eq!(count, expected.map(|field| format!("detect.count.{field}")));
        let silence = SilenceDetect {
            window: Duration::from_secs(30),
            history: Duration::from_secs(91 * 24 * 3600),
            ..SilenceDetect::default()
        };
        let mut silence = of(Detect::Silence(silence));
        silence.direction = Direction::Up;
        assert_eq!(
            fields(&silence),
            [
                "detect.silence.window",
                "detect.silence.history",
                "direction"
            ]
        );
    }

    #[test]
    fn values_with_a_season_that_cannot_be_judged_are_refused() {
        let of = |detect| MonitorDefinition::new("m", "volume", detect);
        let default = SeasonalDetect::default();
        assert!(faults(&of(Detect::Seasonal(default.clone()))).is_empty());
        assert!(faults(&of(Detect::Change(default))).is_empty());
        assert!(faults(&of(Detect::Forecast(SeasonalDetect::forecast()))).is_empty());
        let wrong = SeasonalDetect {
            window: Duration::from_secs(2 * 3600),
            history: Duration::from_secs(24 * 3600),
            min_change: -1.0,
            ..SeasonalDetect::default()
        };
        for (name, detect) in [
            ("seasonal", Detect::Seasonal(wrong.clone())),
            ("change", Detect::Change(wrong.clone())),
            ("forecast", Detect::Forecast(wrong.clone())),
        ] {
            let found: Vec<String> = of(detect).validate().into_iter().map(|f| f.field).collect();
            let expected = ["window", "history", "min_change"];
            assert_eq!(
                found,
                expected.map(|field| format!("detect.{name}.{field}"))
            );
        }
    }

    #[test]
    fn what_is_chosen_fits_the_metric_and_what_does_not_is_refused() {
        let auto = Detect::Auto(AutoDetect {
            sensitivity: Sensitivity::High,
        });
        let name = |detect: &Detect, is_rate, is_count| {
            let chosen = detect.for_metric("m", is_rate, is_count);
            chosen.map(|detect| detect.name())
        };
        assert_eq!(name(&auto, true, false), Ok("rate"));
        assert_eq!(name(&auto, false, true), Ok("count"));
        assert_eq!(name(&auto, false, false), Ok("seasonal"));
        let Ok(Detect::Count(count)) = auto.for_metric("m", false, true) else {
            panic!("a count is judged as one");
        };
        assert_eq!(count.sensitivity, Sensitivity::High);
        let rate = Detect::Rate(RateDetect::default());
        assert!(name(&rate, false, true).unwrap_err().contains("`rate`"));
        let silence = Detect::Silence(SilenceDetect::default());
        assert!(
            name(&silence, true, false)
                .unwrap_err()
                .contains("`silence`")
        );
        let threshold = threshold(Some(1.0), None).detect;
        assert_eq!(name(&threshold, false, false), Ok("threshold"));
    }
}
