//! The shape of the YAML files: what an editor completes and `tillwatch schema` prints.
//!
//! These are the written forms. [`super::resolve`] turns them into what the parts work with.

mod announce;
mod board;

use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use tillwatch_monitor::definition::{DETECTORS, detector_fault};

use super::limits::Limits;
use super::scalar::DurationText;
pub use announce::{Calendar, Channel, Maintenance, QuietHours, Route, Values};
pub use board::{
    Board, Chart, FunnelPanel, GaugePanel, Good, HeatmapPanel, MapPanel, Panel, SankeyPanel, Shape,
    TablePanel, TextPanel, Tile, Title, Width,
};

/// The keys a definitions file may have at its top, which are the fields of [`File`].
pub const SECTIONS: [&str; 14] = [
    "packs",
    "streams",
    "cubes",
    "metrics",
    "monitors",
    "channels",
    "routes",
    "maintenance",
    "calendars",
    "sources",
    "rates",
    "boards",
    "history",
    "limits",
];

/// One definitions file. Every key may stand in any file of the folder; names are unique across it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Tillwatch definitions")]
pub struct File {
    /// Built-in packs to load: `payments`, `commerce`.
    pub packs: Vec<String>,
    /// Typed, append-only sequences of events.
    pub streams: IndexMap<String, Stream>,
    /// Roll-ups of a stream: time buckets × dimensions → measures.
    pub cubes: IndexMap<String, Cube>,
    /// Named formulas over the measures of a cube.
    pub metrics: IndexMap<String, Metric>,
    /// Detectors on a metric, split by dimensions.
    pub monitors: IndexMap<String, Monitor>,
    /// Where incidents are announced.
    pub channels: IndexMap<String, Channel>,
    /// Which incidents are announced where, besides what monitors name under `notify`.
    pub routes: IndexMap<String, Route>,
    /// When nobody is told of incidents.
    pub maintenance: IndexMap<String, Maintenance>,
    /// By which clock there is a time of the week, and which days are no ordinary ones.
    pub calendars: IndexMap<String, Calendar>,
    /// Where events come from besides HTTP push.
    pub sources: IndexMap<String, Source>,
    /// Currency conversion rates for `convert(amount, currency, 'EUR')`.
    pub rates: Option<Rates>,
    /// Boards of the web.
    pub boards: IndexMap<String, Board>,
    /// Where the history tables are, when they are not in the data folder.
    pub history: Option<History>,
    /// Limits that protect the process; each has a default.
    pub limits: Option<Limits>,
}

/// Where the history tables are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The bucket and folder, such as `s3://company-data/tillwatch`. For this server alone.
    pub url: String,
    /// Settings of the store, such as `aws_region` or `aws_endpoint`; `env:NAME` takes one from the
    /// environment. The usual `AWS_…` variables are read as well.
    #[serde(default)]
    pub options: IndexMap<String, String>,
}

/// A stream.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// One sentence for people.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "kept beside the definition for its readers; nothing shows it yet"
    )]
    pub description: Option<String>,
    /// The field that identifies an event; repeated ids within `dedup` are counted once.
    #[serde(default)]
    pub id: Option<String>,
    /// The timestamp or date field that says when the event happened.
    pub time: String,
    /// How long ids are remembered, by time of receipt. Default 24h.
    #[serde(default)]
    pub dedup: Option<DurationText>,
    /// How long raw events are kept in history, in event time from the stream's newest: `90d`, from 1d. For ever when absent.
    #[serde(default)]
    pub keep: Option<DurationText>,
    /// How long rejected lines are kept in history, from the stream's last receipt: `30d`, from 1d. For ever when absent.
    #[serde(default)]
    pub quarantine_keep: Option<DurationText>,
    /// How CSV bodies and files of this stream are read.
    #[serde(default)]
    pub csv: Option<Csv>,
    /// The fields, in the order of the columns.
    pub fields: IndexMap<String, Field>,
    /// Columns computed from the fields by SQL expressions.
    #[serde(default)]
    pub derive: IndexMap<String, String>,
}

/// How CSV text is cut into fields.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Csv {
    /// One character, or `whitespace` for columns separated by runs of blanks. Default `,`.
    pub delimiter: Option<String>,
    /// Whether the first line names the columns; otherwise the fields are taken in their order. Default true.
    pub header: Option<bool>,
}

/// A field: its type alone, or its type with details.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Field {
    /// `string`, `bool`, `int64`, `float64`, `decimal(p,s)`, `timestamp`, `date`, `currency`, `json`; `?` makes it optional.
    Type(String),
    /// A type with details.
    Detailed(DetailedField),
}

/// A field with details.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DetailedField {
    /// The type, as in the short form.
    #[serde(rename = "type")]
    pub kind: String,
    /// The JSON key (dots descend into objects) or CSV column it is read from, when not its own name.
    #[serde(default)]
    pub from: Option<String>,
    /// A strptime pattern for times and dates, such as `%d-%b-%y`.
    #[serde(default)]
    pub format: Option<String>,
    /// The IANA zone of times written without an offset; UTC when absent.
    #[serde(default)]
    pub zone: Option<String>,
    /// Texts that mean "no value", such as `N/A`; for optional fields.
    #[serde(default)]
    pub nulls: Vec<String>,
    /// One sentence for people.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "kept beside the definition for its readers; nothing shows it yet"
    )]
    pub description: Option<String>,
}

/// A cube.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cube {
    /// One sentence for people.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "kept beside the definition for its readers; nothing shows it yet"
    )]
    pub description: Option<String>,
    /// The stream it rolls up.
    pub from: String,
    /// The length of a time bucket, 1s to 1d, a divisor of a day.
    pub bucket: DurationText,
    /// Fields to slice by, or names with SQL expressions.
    #[serde(default)]
    pub dimensions: Vec<Dimension>,
    /// SQL aggregates by name, each with an optional `filter (where …)`.
    pub measures: IndexMap<String, String>,
    /// How long each bucket length is kept: `{10s: 2d, 1m: 30d, 1h: 3y}`.
    #[serde(default)]
    pub keep: IndexMap<String, DurationText>,
}

/// A dimension: a field's name, or one name with an SQL expression.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub enum Dimension {
    /// The field or derived column itself.
    Name(String),
    /// `{name: expression}`.
    Expression(IndexMap<String, String>),
}

/// A metric.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// The cube.
    pub of: String,
    /// A SQL expression over the cube's measures.
    pub expr: String,
    /// `percent`, `count`, `ms`, a currency code, …
    #[serde(default)]
    pub unit: Option<String>,
    /// One sentence for people.
    #[serde(default)]
    pub description: Option<String>,
    /// The formula in words.
    #[serde(default)]
    pub formula: Option<String>,
    /// What people call it; its name in words unless told.
    #[serde(default)]
    pub title: Option<Title>,
}

/// A monitor.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Monitor {
    /// One sentence for people.
    #[serde(default)]
    pub description: Option<String>,
    /// The metric it watches.
    pub metric: String,
    /// The dimensions each combination of which is judged by itself.
    #[serde(default)]
    pub by: Vec<String>,
    /// The detector and its settings.
    pub detect: Detect,
    /// Judges the metric over the last so much time, at every bucket: a multiple of the cube's bucket. Instead of
    /// the detector's `window`.
    #[serde(default)]
    pub over: Option<DurationText>,
    /// Which way is bad: `up`, `down` or `both`. Default `both`; `threshold` takes it from its bounds.
    #[serde(default)]
    pub direction: Option<String>,
    /// `critical`, `warning` or `info`. Default `warning`.
    #[serde(default)]
    pub severity: Option<String>,
    /// How long it must be bad before an incident opens.
    #[serde(default, rename = "for")]
    pub lasting: Option<DurationText>,
    /// How long it must be well again before the incident resolves.
    #[serde(default)]
    pub resolve_after: Option<DurationText>,
    /// Whether buckets are looked at before all of their events can be there. Default true; false where events that end
    /// badly come sooner, or later, than others.
    #[serde(default)]
    pub early: Option<bool>,
    /// The channels to announce on.
    #[serde(default)]
    pub notify: Vec<String>,
    /// A metric that adds up, mostly money, by which incidents say how much is at stake.
    #[serde(default)]
    pub impact: Option<String>,
    /// Who looks after its incidents: a team, a person.
    #[serde(default)]
    pub owner: Option<String>,
    /// The calendar by which there is a time of the week; UTC without holidays when absent.
    #[serde(default)]
    pub calendar: Option<String>,
}

/// A detector and its settings.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Detect {
    /// A fixed bound.
    Threshold(Threshold),
    /// A share against its own history, by a beta-binomial test.
    Rate(Rate),
    /// A number of events against its own history at such a time of the week, by a negative binomial test.
    Count(Count),
    /// No event for improbably long, by its own history at such a time of the week.
    Silence(Silence),
    /// A value against its own history at such a time of the week.
    Seasonal(Seasonal),
    /// Values of the last steps, taken together, against their own history.
    Change(Seasonal),
    /// A value against what was forecast of it.
    Forecast(Seasonal),
    /// What fits the metric: `rate` for a ratio of two counts, `count` for a count, `seasonal` for any other value.
    Auto(Auto),
}

/// Settings of the `threshold` detector.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Threshold {
    /// Bad above this.
    pub above: Option<f64>,
    /// Bad below this.
    pub below: Option<f64>,
    /// Fewer samples than this are not judged. Default 0.
    pub min_samples: Option<u64>,
    /// The metric is judged per window of this length. Default 1m.
    pub window: Option<DurationText>,
    /// How far back behind the bound counts as well again, as a share of the bound. Default 0.05.
    pub resolve_margin: Option<f64>,
}

/// Settings of the `rate` detector.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rate {
    /// Fewer samples than this are not judged. Default 10.
    pub min_samples: Option<u64>,
    /// The smallest change of the rate worth an incident, as a fraction. Default 0.02.
    pub min_change: Option<f64>,
    /// `low`, `normal` or `high`: a false alert in two years, ten weeks or one week. Default `normal`.
    pub sensitivity: Option<String>,
    /// The longest stretch that is tested; shorter ones are tested too. Default 16m.
    pub window: Option<DurationText>,
    /// How much history the baseline looks at. Default 7d.
    pub history: Option<DurationText>,
}

/// Settings of the `count` detector.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Count {
    /// Stretches that have, and are expected to have, fewer events are not judged. Default 10.
    pub min_samples: Option<u64>,
    /// The smallest change worth an incident, as a share of what is expected. Default 0.2.
    pub min_change: Option<f64>,
    /// `low`, `normal` or `high`: a false alert in two years, ten weeks or one week. Default `normal`.
    pub sensitivity: Option<String>,
    /// The longest stretch that is tested; shorter ones are tested too. Default 1h.
    pub window: Option<DurationText>,
    /// How much history says what is normal at a time of the week, 3d to 90d. Default 28d.
    pub history: Option<DurationText>,
}

/// Settings of the `silence` detector.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Silence {
    /// `low`, `normal` or `high`: a false alert in two years, ten weeks or one week. Default `normal`.
    pub sensitivity: Option<String>,
    /// How far is looked back for the last event. Default 6h.
    pub window: Option<DurationText>,
    /// How much history says what is normal at a time of the week, 3d to 90d. Default 28d.
    pub history: Option<DurationText>,
}

/// Settings of the `seasonal`, the `change` and the `forecast` detector.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Seasonal {
    /// `low`, `normal` or `high`: a false alert in two years, ten weeks or one week. Default `normal`.
    pub sensitivity: Option<String>,
    /// The smallest change of a single value worth an incident, as a share of what is normal. Default 0.1.
    pub min_change: Option<f64>,
    /// The metric is judged per window of this length, 10s to 1h. Default 5m, of `forecast` 15m.
    pub window: Option<DurationText>,
    /// How much history says what is normal at a time of the week, 3d to 90d. Default 28d.
    pub history: Option<DurationText>,
}

/// Settings of the `auto` detector.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Auto {
    /// `low`, `normal` or `high`: a false alert in two years, ten weeks or one week. Default `normal`.
    pub sensitivity: Option<String>,
}

/// A source that fetches events by itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// `http_poll`.
    pub kind: String,
    /// The address to fetch.
    pub url: String,
    /// The stream the events go to.
    pub stream: String,
    /// How often, from 1s. Default 10s.
    #[serde(default)]
    pub every: Option<DurationText>,
    /// Where the events are in the answer: `$`, `$.items`, `$.data[*]`.
    #[serde(default)]
    pub events: Option<String>,
    /// Request headers; values may be `env:NAME`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Whether private and loopback addresses may be called. Default false.
    #[serde(default)]
    pub allow_private: bool,
}

/// Conversion rates: `1 base = per_base[currency]`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// The base currency.
    pub base: String,
    /// The day the rates are of, `YYYY-MM-DD`.
    pub as_of: String,
    /// Units of each currency for one unit of the base, as quoted decimals.
    pub per_base: IndexMap<String, String>,
}

// Read by hand rather than as untagged enums, which forget where a fault stands and what it was.
impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShortOrLong {
            expecting: "a type such as string, or a mapping with `type`",
            short: |text: &str| Field::Type(text.to_owned()),
            long: std::marker::PhantomData::<DetailedField>,
            wrap: Field::Detailed,
        })
    }
}

impl<'de> Deserialize<'de> for Dimension {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShortOrLong {
            expecting: "a field's name, or `name: expression`",
            short: |text: &str| Dimension::Name(text.to_owned()),
            long: std::marker::PhantomData::<IndexMap<String, String>>,
            wrap: Dimension::Expression,
        })
    }
}

// Read by hand, so that a detector that does not exist is answered with those that do.
impl<'de> Deserialize<'de> for Detect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DetectVisitor)
    }
}

struct DetectVisitor;

impl<'de> Visitor<'de> for DetectVisitor {
    type Value = Detect;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a detector with its settings, such as `rate: {min_samples: 30}`")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Detect, E> {
        match (name, detector_fault(name)) {
            (_, Some(fault)) => Err(unknown_detector(name, fault.reason)),
            ("rate", None) => Ok(Detect::Rate(Rate::default())),
            ("count", None) => Ok(Detect::Count(Count::default())),
            ("silence", None) => Ok(Detect::Silence(Silence::default())),
            ("seasonal", None) => Ok(Detect::Seasonal(Seasonal::default())),
            ("change", None) => Ok(Detect::Change(Seasonal::default())),
            ("forecast", None) => Ok(Detect::Forecast(Seasonal::default())),
            ("auto", None) => Ok(Detect::Auto(Auto::default())),
            (_, None) => Err(E::custom(format!("detector `{name}` needs settings"))),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Detect, A::Error> {
        use serde::de::Error;
        let Some(name) = entries.next_key::<String>()? else {
            return Err(Error::custom("a detector is missing"));
        };
        if let Some(fault) = detector_fault(&name) {
            return Err(unknown_detector(&name, fault.reason));
        }
        let detect = match name.as_str() {
            "rate" => Detect::Rate(settings(&mut entries)?),
            "count" => Detect::Count(settings(&mut entries)?),
            "silence" => Detect::Silence(settings(&mut entries)?),
            "seasonal" => Detect::Seasonal(settings(&mut entries)?),
            "change" => Detect::Change(settings(&mut entries)?),
            "forecast" => Detect::Forecast(settings(&mut entries)?),
            "auto" => Detect::Auto(settings(&mut entries)?),
            _ => Detect::Threshold(entries.next_value()?),
        };
        match entries.next_key::<String>()? {
            None => Ok(detect),
            Some(second) => Err(Error::custom(format!(
                "one detector only, not `{second}` as well"
            ))),
        }
    }
}

/// The settings of a detector that needs none.
fn settings<'de, A: MapAccess<'de>, T: Deserialize<'de> + Default>(
    entries: &mut A,
) -> Result<T, A::Error> {
    Ok(entries.next_value::<Option<T>>()?.unwrap_or_default())
}

/// The answer to a detector that does not exist: with the one that is meant, if that is plain.
fn unknown_detector<E: serde::de::Error>(name: &str, reason: String) -> E {
    const NAMES: &[&str] = &DETECTORS;
    match tillwatch_event::suggest::closest(name, NAMES.iter().copied()) {
        Some(_) => E::unknown_variant(name, NAMES),
        None => E::custom(reason),
    }
}

/// Reads text as the short form of a thing and a mapping as its long form.
struct ShortOrLong<S, L, W> {
    expecting: &'static str,
    short: S,
    long: std::marker::PhantomData<L>,
    wrap: W,
}

impl<'de, T, S, L, W> Visitor<'de> for ShortOrLong<S, L, W>
where
    S: FnOnce(&str) -> T,
    L: Deserialize<'de>,
    W: FnOnce(L) -> T,
{
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        Ok((self.short)(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<T, A::Error> {
        L::deserialize(MapAccessDeserializer::new(entries)).map(self.wrap)
    }
}
