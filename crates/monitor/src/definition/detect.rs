//! Detectors as they are defined: what judges a metric, and by which settings.

use std::time::Duration;

use serde::Serialize;

use super::DefinitionFault;
use super::monitor::Direction;
use crate::detect::forecast;

/// Names of the detectors this version has, as written under `detect`.
pub const DETECTORS: [&str; 8] = [
    "auto",
    "threshold",
    "rate",
    "count",
    "silence",
    "seasonal",
    "change",
    "forecast",
];

/// Longest allowed `for`, `resolve_after` and threshold window.
pub(super) const SPAN_MAX: Duration = Duration::from_secs(24 * 3600);

/// How an anomaly is recognised. Further detectors become further variants here and a name in [`DETECTORS`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Detect {
    /// The metric is above or below a fixed value.
    Threshold(ThresholdDetect),
    /// The share of successes is improbable, given the slice's own history.
    Rate(RateDetect),
    /// The number of events is improbable, given the slice's own history at such a time.
    Count(CountDetect),
    /// That there was no event for so long is improbable, given the slice's own history at such a time.
    Silence(SilenceDetect),
    /// The value is improbable, given the slice's own history at such a time.
    Seasonal(SeasonalDetect),
    /// The values of the last steps are improbable together, though none need be alone.
    Change(SeasonalDetect),
    /// The value is improbable, given what was forecast of it.
    Forecast(SeasonalDetect),
    /// What fits the metric's kind.
    Auto(AutoDetect),
}

impl Detect {
    /// The name as written in a definition.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Threshold(_) => "threshold",
            Self::Rate(_) => "rate",
            Self::Count(_) => "count",
            Self::Silence(_) => "silence",
            Self::Seasonal(_) => "seasonal",
            Self::Change(_) => "change",
            Self::Forecast(_) => "forecast",
            Self::Auto(_) => "auto",
        }
    }

    /// What judges a metric of the given kind: this, or what it chooses.
    ///
    /// # Errors
    /// A sentence that says which kinds of metrics it can judge.
    pub fn for_metric(&self, metric: &str, is_rate: bool, is_count: bool) -> Result<Self, String> {
        match self {
            Self::Rate(_) if !is_rate => Err(format!(
                "metric `{metric}` is no ratio of two counts, which `rate` needs"
            )),
            Self::Count(_) | Self::Silence(_) if !is_count => Err(format!(
                "metric `{metric}` is no count of events, which `{}` needs",
                self.name()
            )),
            Self::Auto(auto) if is_rate => Ok(Self::Rate(RateDetect {
                sensitivity: auto.sensitivity,
                ..RateDetect::default()
            })),
            Self::Auto(auto) if is_count => Ok(Self::Count(CountDetect {
                sensitivity: auto.sensitivity,
                ..CountDetect::default()
            })),
            Self::Auto(auto) => Ok(Self::Seasonal(SeasonalDetect {
                sensitivity: auto.sensitivity,
                ..SeasonalDetect::default()
            })),
            _ => Ok(self.clone()),
        }
    }
}

/// Detectors that are named in the documentation of methods but not built yet.
const PLANNED: [&str; 2] = ["amount", "latency"];

/// The fault for a detector name that cannot be used, or `None` where the name is one of
/// [`DETECTORS`].
#[must_use]
pub fn detector_fault(name: &str) -> Option<DefinitionFault> {
    if DETECTORS.contains(&name) {
        return None;
    }
    let available = "available are `auto` (what fits the metric), `threshold` (above or below a fixed value), `rate` \
                     (a share that is improbable given its history), `count` (a number of events that is), \
                     `silence` (no event for improbably long), `seasonal` (a value that is improbable at such a time), \
                     `change` (values that are so together) and `forecast` (a value that is not what was forecast)";
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
    pub(super) fn validate(&self, direction: Direction, faults: &mut Vec<DefinitionFault>) {
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
    /// The longest stretch that is tested; shorter ones down to one bucket are tested too, so that
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
            min_samples: 10,
            window: Duration::from_secs(16 * 60),
            history: Duration::from_secs(7 * 24 * 3600),
            min_change: 0.02,
        }
    }
}

impl RateDetect {
    pub(super) fn validate(&self, faults: &mut Vec<DefinitionFault>) {
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

/// A number of events tested against the slice's own history at such a time of the week, with a negative binomial test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CountDetect {
    /// How many false alarms are acceptable.
    pub sensitivity: Sensitivity,
    /// Events a stretch has, or is expected to have, before a slice may fire.
    pub min_samples: u64,
    /// The longest stretch that is tested; halves of it down to one step are tested too.
    #[serde(serialize_with = "seconds")]
    pub window: Duration,
    /// How far back the history reaches that says what is normal.
    #[serde(serialize_with = "seconds")]
    pub history: Duration,
    /// Smallest change that matters, as a share of what is expected: 0.2 is a fifth.
    pub min_change: f64,
}

/// Shortest and longest history that says what is normal at a time of the week.
const SEASON_HISTORY: (Duration, Duration) = (
    Duration::from_secs(3 * 24 * 3600),
    Duration::from_secs(90 * 24 * 3600),
);
/// Four weeks.
const SEASON_HISTORY_DEFAULT: Duration = Duration::from_secs(28 * 24 * 3600);

impl Default for CountDetect {
    fn default() -> Self {
        Self {
            sensitivity: Sensitivity::Normal,
            min_samples: 10,
            window: Duration::from_secs(3600),
            history: SEASON_HISTORY_DEFAULT,
            min_change: 0.2,
        }
    }
}

impl CountDetect {
    pub(super) fn validate(&self, faults: &mut Vec<DefinitionFault>) {
        let mut fault = |field: &str, reason: &str| {
            faults.push(DefinitionFault::new(
                format!("detect.count.{field}"),
                reason,
            ));
        };
        if self.min_samples == 0 {
            fault(
                "min_samples",
                "must be at least 1: no count can be judged where nothing is expected",
            );
        }
        if self.window < Duration::from_secs(10) || self.window > SPAN_MAX {
            fault("window", "must be between 10s and 24h");
        }
        if self.history < SEASON_HISTORY.0 || self.history > SEASON_HISTORY.1 {
            fault("history", "must be between 3d and 90d");
        }
        if !(0.0..10.0).contains(&self.min_change) {
            fault(
                "min_change",
                "must be a share from 0 to below 10, as 0.2 for a fifth of what is expected",
            );
        }
    }
}

/// No event for improbably long, given the slice's own history at such a time of the week.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SilenceDetect {
    /// How many false alarms are acceptable.
    pub sensitivity: Sensitivity,
    /// How far is looked back for the last event. A slice that has fewer than some ten events in such a time cannot
    /// fire.
    #[serde(serialize_with = "seconds")]
    pub window: Duration,
    /// How far back the history reaches that says what is normal.
    #[serde(serialize_with = "seconds")]
    pub history: Duration,
}

impl Default for SilenceDetect {
    fn default() -> Self {
        Self {
            sensitivity: Sensitivity::Normal,
            window: Duration::from_secs(6 * 3600),
            history: SEASON_HISTORY_DEFAULT,
        }
    }
}

impl SilenceDetect {
    pub(super) fn validate(&self, direction: Direction, faults: &mut Vec<DefinitionFault>) {
        let mut fault = |field: &str, reason: &str| {
            faults.push(DefinitionFault::new(
                format!("detect.silence.{field}"),
                reason,
            ));
        };
        if self.window < Duration::from_secs(60) || self.window > SPAN_MAX {
            fault("window", "must be between 1m and 24h");
        }
        if self.history < SEASON_HISTORY.0 || self.history > SEASON_HISTORY.1 {
            fault("history", "must be between 3d and 90d");
        }
        if direction == Direction::Up {
            faults.push(DefinitionFault::new(
                "direction",
                "silence is never too much; leave `direction` out",
            ));
        }
    }
}

/// A value tested against the slice's own history at such a time of the week, or against a forecast.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeasonalDetect {
    /// How many false alarms are acceptable.
    pub sensitivity: Sensitivity,
    /// The metric is judged per window of this length, counted from the epoch.
    #[serde(serialize_with = "seconds")]
    pub window: Duration,
    /// How far back the history reaches that says what is normal.
    #[serde(serialize_with = "seconds")]
    pub history: Duration,
    /// Smallest change of a single value that matters, as a share of what is normal: 0.1 is a tenth.
    pub min_change: f64,
}

impl Default for SeasonalDetect {
    fn default() -> Self {
        Self {
            sensitivity: Sensitivity::Normal,
            window: Duration::from_secs(5 * 60),
            history: SEASON_HISTORY_DEFAULT,
            min_change: 0.1,
        }
    }
}

/// Fewest and most windows of history.
const SEASON_WINDOWS: (u64, u64) = (500, 10_000);
/// Longest window of a value with a season: a slot of the week.
const SEASON_WINDOW_MAX: Duration = Duration::from_secs(3600);

impl SeasonalDetect {
    /// What `forecast` has unless told: a forecast of a quarter of an hour is worth more than one of five minutes, and four
    /// weeks of those are learned in a third of the time.
    #[must_use]
    pub fn forecast() -> Self {
        Self {
            window: Duration::from_secs(15 * 60),
            ..Self::default()
        }
    }

    /// The least that a forecast is learned from.
    fn forecast_history_min(&self) -> Duration {
        let fitted = Duration::from_micros(forecast::FITTED_US_MIN.unsigned_abs());
        let walked = u32::try_from(forecast::WALKED_MIN).unwrap_or(u32::MAX);
        self.window.saturating_mul(walked).saturating_add(fitted)
    }

    pub(super) fn validate(&self, name: &str, faults: &mut Vec<DefinitionFault>) {
        let mut fault = |field: &str, reason: &str| {
            faults.push(DefinitionFault::new(
                format!("detect.{name}.{field}"),
                reason,
            ));
        };
        if self.window < Duration::from_secs(10) || self.window > SEASON_WINDOW_MAX {
            fault("window", "must be between 10s and 1h");
        }
        let windows = self.history.as_secs() / self.window.as_secs().max(1);
        if self.history < SEASON_HISTORY.0 || self.history > SEASON_HISTORY.1 {
            fault("history", "must be between 3d and 90d");
        } else if !(SEASON_WINDOWS.0..=SEASON_WINDOWS.1).contains(&windows) {
            fault(
                "history",
                "must hold between 500 and 10000 windows: fewer say not what is rare, and more take too long",
            );
        } else if name == "forecast" && self.history < self.forecast_history_min() {
            fault(
                "history",
                "must hold two days and 480 windows: fewer say not what is rare",
            );
        }
        if !(0.0..10.0).contains(&self.min_change) {
            fault(
                "min_change",
                "must be a share from 0 to below 10, as 0.1 for a tenth of what is normal",
            );
        }
    }
}

/// The detector that fits the metric: `rate` for a ratio of two counts, `count` for a count of events, `seasonal` for any
/// other value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct AutoDetect {
    /// How many false alarms are acceptable.
    pub sensitivity: Sensitivity,
}

/// Durations leave as whole seconds: `{"window": 60}` would be ambiguous, so as text `60s`.
pub(super) fn seconds<S: serde::Serializer>(
    span: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
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
