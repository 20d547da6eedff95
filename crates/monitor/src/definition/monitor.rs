//! Monitors: a detector on a metric, split by dimensions.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::DefinitionFault;

/// Names of the detectors this version has, as written under `detect`.
pub const DETECTORS: [&str; 2] = ["threshold", "rate"];

/// Longest allowed `for`, `resolve_after` and threshold window.
const SPAN_MAX: Duration = Duration::from_secs(24 * 3600);
/// Most dimensions a monitor may split by: grouping looks at every subset of them.
const DIMENSIONS_MAX: usize = 6;

/// A monitor: which metric is judged, per which slice, how, and who is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MonitorDefinition {
    /// Name, unique among monitors.
    pub name: String,
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
    /// Names of the channels that are told.
    pub notify: Vec<String>,
}

impl MonitorDefinition {
    /// A monitor with every optional field at its default: no split, direction `both`, severity
    /// `warning`, no hold, resolved after two minutes, nobody told.
    pub fn new(name: impl Into<String>, metric: impl Into<String>, detect: Detect) -> Self {
        Self {
            name: name.into(),
            metric: metric.into(),
            by: Vec::new(),
            detect,
            direction: Direction::Both,
            severity: Severity::Warning,
            hold: Duration::ZERO,
            resolve_after: Duration::from_secs(120),
            notify: Vec::new(),
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
        for (field, span) in [("for", self.hold), ("resolve_after", self.resolve_after)] {
            if span > SPAN_MAX {
                faults.push(DefinitionFault::new(field, "must not be longer than 24h"));
            }
        }
        match &self.detect {
            Detect::Threshold(threshold) => threshold.validate(self.direction, &mut faults),
            Detect::Rate(rate) => rate.validate(&mut faults),
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

/// How an anomaly is recognised. Further detectors (counts, seasons, forecasts, change, silence,
/// the automatic choice) become further variants here and a name in [`DETECTORS`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Detect {
    /// The metric is above or below a fixed value.
    Threshold(ThresholdDetect),
    /// The share of successes is improbable, given the slice's own history.
    Rate(RateDetect),
}

impl Detect {
    /// The name as written in a definition.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Threshold(_) => "threshold",
            Self::Rate(_) => "rate",
        }
    }
}

/// Detectors that are named in the documentation of methods but not built yet.
const PLANNED: [&str; 8] = [
    "auto", "count", "seasonal", "forecast", "change", "silence", "amount", "latency",
];

/// The fault for a detector name that cannot be used, or `None` where the name is one of
/// [`DETECTORS`].
#[must_use]
pub fn detector_fault(name: &str) -> Option<DefinitionFault> {
    if DETECTORS.contains(&name) {
        return None;
    }
    let available = "available are `threshold` (above or below a fixed value) and `rate` (a share \
                     that is improbable given its history)";
    let reason = if PLANNED.contains(&name) {
        format!("detector `{name}` is not in this version; {available}")
    } else {
        format!("unknown detector `{name}`; {available}")
    };
    Some(DefinitionFault::new("detect", reason))
}

/// A fixed limit. At least one of `above` and `below` is set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ThresholdDetect {
    /// Anomalous when the value is greater, in the metric's unit (percent as a fraction).
    pub above: Option<f64>,
    /// Anomalous when the value is less, in the metric's unit (percent as a fraction).
    pub below: Option<f64>,
    /// Samples a window needs before it is judged; 0 judges every window that has a value. More is
    /// only of use where the metric tells its samples, which a count ÷ a count does.
    pub min_samples: u64,
    /// The metric is judged per window of this length, counted from the epoch.
    #[serde(serialize_with = "seconds")]
    pub window: Duration,
    /// Instead of `window`: the metric over the last so much time is judged, at every bucket and no more
    /// often than every ten seconds. A multiple of the bucket.
    #[serde(
        serialize_with = "some_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub over: Option<Duration>,
    /// How far the value must come back behind the limit before it counts as normal, as a share of
    /// the limit's size. Keeps a value that hovers at the limit from opening and closing incidents.
    pub resolve_margin: f64,
}

impl Default for ThresholdDetect {
    fn default() -> Self {
        Self {
            above: None,
            below: None,
            min_samples: 0,
            window: Duration::from_secs(60),
            over: None,
            resolve_margin: 0.05,
        }
    }
}

impl ThresholdDetect {
    fn validate(&self, direction: Direction, faults: &mut Vec<DefinitionFault>) {
        let mut fault = |field: &str, reason: &str| {
            faults.push(DefinitionFault::new(
                format!("detect.threshold.{field}"),
                reason,
            ));
        };
        match (self.above, self.below) {
            (None, None) => fault("above", "a threshold needs `above`, `below` or both"),
            (Some(above), Some(below)) if below >= above => {
                fault(
                    "below",
                    "must be less than `above`, or no value would be normal",
                );
            }
            _ => {}
        }
        for (field, limit) in [("above", self.above), ("below", self.below)] {
            if limit.is_some_and(|limit| !limit.is_finite()) {
                fault(field, "must be a finite number");
            }
        }
        if direction == Direction::Down && self.above.is_some() {
            fault(
                "above",
                "contradicts `direction: down`, which only `below` can judge",
            );
        }
        if direction == Direction::Up && self.below.is_some() {
            fault(
                "below",
                "contradicts `direction: up`, which only `above` can judge",
            );
        }
        if self.window < Duration::from_secs(1) || self.window > SPAN_MAX {
            fault("window", "must be between 1s and 24h");
        }
        if (self.over).is_some_and(|over| over < Duration::from_secs(1) || over > SPAN_MAX) {
            fault("over", "must be between 1s and 24h");
        }
        if !(0.0..=1.0).contains(&self.resolve_margin) {
            fault("resolve_margin", "must be between 0 and 1");
        }
    }
}

/// How many false alarms a user would rather have than a late one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// About one false incident in two years per monitor.
    Low,
    /// About one false incident in ten weeks per monitor.
    #[default]
    Normal,
    /// About one false incident a week per monitor.
    High,
}

impl Sensitivity {
    /// The budget of false incidents per monitor and week.
    #[must_use]
    pub fn false_alerts_per_week(self) -> f64 {
        match self {
            Self::Low => 0.01,
            Self::Normal => 0.1,
            Self::High => 1.0,
        }
    }

    /// The level of that name: `low`, `normal` or `high`.
    ///
    /// # Errors
    /// A fault that names the three levels.
    pub fn parse(text: &str) -> Result<Self, DefinitionFault> {
        match text {
            "low" => Ok(Self::Low),
            "normal" => Ok(Self::Normal),
            "high" => Ok(Self::High),
            other => Err(DefinitionFault::new(
                "detect.rate.sensitivity",
                format!("unknown sensitivity `{other}`; use low, normal or high"),
            )),
        }
    }
}

/// A share of successes tested against the slice's own history with a beta-binomial test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RateDetect {
    /// How many false alarms are acceptable.
    pub sensitivity: Sensitivity,
    /// Samples a window needs before a slice may fire.
    pub min_samples: u64,
    /// The longest stretch that is tested; halves of it down to one bucket are tested too, so that
    /// a deep fall is found soon and a shallow one later.
    #[serde(serialize_with = "seconds")]
    pub window: Duration,
    /// How far back the history reaches that says what is normal.
    #[serde(serialize_with = "seconds")]
    pub history: Duration,
    /// Smallest change of the rate that matters, as a fraction: 0.02 is two percentage points.
    pub min_change: f64,
}

impl Default for RateDetect {
    fn default() -> Self {
        Self {
            sensitivity: Sensitivity::Normal,
            min_samples: 30,
            window: Duration::from_secs(16 * 60),
            history: Duration::from_secs(7 * 24 * 3600),
            min_change: 0.02,
        }
    }
}

impl RateDetect {
    fn validate(&self, faults: &mut Vec<DefinitionFault>) {
        let mut fault = |field: &str, reason: &str| {
            faults.push(DefinitionFault::new(format!("detect.rate.{field}"), reason));
        };
        if self.min_samples == 0 {
            fault(
                "min_samples",
                "must be at least 1: no rate can be judged without samples",
            );
        }
        if self.window < Duration::from_secs(10) || self.window > SPAN_MAX {
            fault("window", "must be between 10s and 24h");
        }
        if self.history < self.window * 4 {
            fault("history", "must be at least four times the window");
        }
        if self.history > Duration::from_secs(90 * 24 * 3600) {
            fault("history", "must not be longer than 90d");
        }
        if !(0.0..1.0).contains(&self.min_change) {
            fault(
                "min_change",
                "must be a fraction from 0 to below 1, as 0.02 for two points",
            );
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

/// Durations leave as whole seconds: `{"window": 60}` would be ambiguous, so as text `60s`.
fn seconds<S: serde::Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{}s", span.as_secs()))
}

fn some_seconds<S: serde::Serializer>(
    span: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match span {
        Some(span) => seconds(span, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(detector_fault("rate"), None);
        assert_eq!(detector_fault("threshold"), None);
        let planned = detector_fault("auto").unwrap().reason;
        assert!(
            planned.starts_with("detector `auto` is not in this version;"),
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
            serde_json::json!({"rate": {"sensitivity": "normal", "min_samples": 30,
                "window": "960s", "history": "604800s", "min_change": 0.02}})
        );
    }
}
