//! The written forms of boards: tiles, charts and panels.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::scalar::{DecimalText, DurationText};

/// A title in the languages of the web.
#[derive(Debug, Clone, Default, Deserialize, serde::Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Title {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    #[serde(default)]
    pub zh: Option<String>,
}

impl Title {
    /// What is wrong with it as `what`, each with the language it is wrong in.
    #[must_use]
    pub fn faults(&self, what: &str, chars_max: usize) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if self.en.trim().is_empty() {
            faults.push(("en", format!("the {what} is empty")));
        }
        for (language, text) in [("en", Some(&self.en)), ("zh", self.zh.as_ref())] {
            let Some(text) = text else {
                continue;
            };
            let chars = text.chars().count();
            if chars > chars_max {
                let message =
                    format!("{chars} characters are too many; a {what} has at most {chars_max}");
                faults.push((language, message));
            }
            if let Some(sign) = text.chars().find(|&c| is_foreign(c)) {
                let message = format!("a {what} has no control characters such as {sign:?}");
                faults.push((language, message));
            }
        }
        faults
    }
}

/// Whether a sign is one that no text needs and that shows as a box at best.
fn is_foreign(sign: char) -> bool {
    sign.is_control() && !matches!(sign, '\n' | '\r' | '\t')
}

/// A board.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Its title.
    pub title: Title,
    /// Figures at the top.
    #[serde(default)]
    pub tiles: Vec<Tile>,
    /// Charts below.
    #[serde(default)]
    pub charts: Vec<Chart>,
    /// Tables, heat maps and other panels below these, in order.
    #[serde(default)]
    pub panels: Vec<Panel>,
    /// Whether the list of incidents is shown. Default true.
    #[serde(default = "yes")]
    pub incidents: bool,
}

fn yes() -> bool {
    true
}

/// Which way of a figure is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Good {
    /// More is better.
    Up,
    /// Less is better.
    Down,
}

/// How much of a row a chart or panel takes on a wide screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Width {
    /// A third.
    Third,
    /// Half.
    #[default]
    Half,
    /// All of it.
    Full,
}

/// How a chart draws its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A line each.
    Lines,
    /// Areas on top of each other; for a metric that adds up.
    Stacked,
    /// Bars.
    Bars,
}

/// One figure.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tile {
    /// The metric.
    pub metric: String,
    /// A title when the metric's name does not do.
    #[serde(default)]
    pub title: Option<Title>,
    /// Dimension values it is limited to.
    #[serde(default, rename = "where")]
    pub filter: IndexMap<String, String>,
    /// Which way is good: `up` or `down`.
    #[serde(default)]
    pub good: Option<Good>,
}

/// One chart.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// The metric.
    pub metric: String,
    /// The dimension it is split by.
    #[serde(default)]
    pub by: Option<String>,
    /// How it is drawn: `lines`, `stacked` or `bars`. When absent, what adds up is stacked where it is split, and all else
    /// are lines.
    #[serde(default)]
    pub shape: Option<Shape>,
    /// Dimension values it is limited to.
    #[serde(default, rename = "where")]
    pub filter: IndexMap<String, String>,
    /// A title when the metric's name does not do.
    #[serde(default)]
    pub title: Option<Title>,
    /// The range it shows at first.
    #[serde(default)]
    pub window: Option<DurationText>,
    /// `third`, `half` or `full` of a row. Default `half`.
    #[serde(default)]
    pub width: Width,
}

/// What else a board shows. `kind` says what, and which other keys there are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(tag = "kind")]
pub enum Panel {
    /// The largest slices of a metric, as rows.
    Table(TablePanel),
    /// A metric by the hour of the day and the day of the week.
    Heatmap(HeatmapPanel),
    /// How many are left after each step.
    Funnel(FunnelPanel),
    /// How a metric that adds up flows through dimensions.
    Sankey(SankeyPanel),
    /// A figure against its objective.
    Gauge(GaugePanel),
    /// A metric by country, on a map of the world.
    Map(MapPanel),
    /// Words.
    Text(TextPanel),
}

/// The largest slices of a metric, as rows.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TablePanel {
    /// The metric the rows are ordered by.
    pub metric: String,
    /// The dimensions that make a row, 1 to 3.
    pub by: Vec<String>,
    /// Further metrics, shown as columns; at most 8.
    #[serde(default)]
    pub also: Vec<String>,
    /// How many rows, 1 to 100. Default 10.
    #[serde(default)]
    pub top: Option<u32>,
    /// A title when the metric's name does not do.
    #[serde(default)]
    pub title: Option<Title>,
    /// Dimension values it is limited to.
    #[serde(default, rename = "where")]
    pub filter: IndexMap<String, String>,
    /// `third`, `half` or `full` of a row. Default `half`.
    #[serde(default)]
    pub width: Width,
}

/// A metric by the hour of the day and the day of the week.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeatmapPanel {
    /// The metric.
    pub metric: String,
    /// How many weeks, 1 to 12. Default 4.
    #[serde(default)]
    pub weeks: Option<u32>,
    /// A title when the metric's name does not do.
    #[serde(default)]
    pub title: Option<Title>,
    /// Dimension values it is limited to.
    #[serde(default, rename = "where")]
    pub filter: IndexMap<String, String>,
    /// `third`, `half` or `full` of a row. Default `half`.
    #[serde(default)]
    pub width: Width,
}

/// How many are left after each step.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FunnelPanel {
    /// The steps in order, 2 to 8.
    pub steps: Vec<FunnelStep>,
    /// Its title.
    pub title: Title,
    /// Dimension values it is limited to.
    #[serde(default, rename = "where")]
    pub filter: IndexMap<String, String>,
    /// `third`, `half` or `full` of a row. Default `half`.
    #[serde(default)]
    pub width: Width,
}

/// One step of a funnel.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FunnelStep {
    /// A metric that adds up, mostly a count.
    pub metric: String,
    /// A title when the metric's name does not do.
    #[serde(default)]
    pub title: Option<Title>,
}

/// How a metric that adds up flows through dimensions.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SankeyPanel {
    /// A metric that adds up.
    pub metric: String,
    /// The dimensions in the order of the flow, 2 to 4.
    pub by: Vec<String>,
    /// How many values of each dimension are kept, 2 to 20; the rest is one. Default 6.
    #[serde(default)]
    pub top: Option<u32>,
    /// A title when the metric's name does not do.
    #[serde(default)]
    pub title: Option<Title>,
    /// Dimension values it is limited to.
    #[serde(default, rename = "where")]
    pub filter: IndexMap<String, String>,
    /// `third`, `half` or `full` of a row. Default `half`.
    #[serde(default)]
    pub width: Width,
}

/// A figure against its objective.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GaugePanel {
    /// The metric.
    pub metric: String,
    /// What it should reach, or stay below where `down` is good.
    pub objective: DecimalText,
    /// Where the scale begins. Default 0.
    #[serde(default)]
    pub from: Option<DecimalText>,
    /// Where it ends. Default 1 for `percent`, else twice the objective.
    #[serde(default)]
    pub to: Option<DecimalText>,
    /// Which way is good: `up` or `down`. Default `up`.
    #[serde(default)]
    pub good: Option<Good>,
    /// A title when the metric's name does not do.
    #[serde(default)]
    pub title: Option<Title>,
    /// Dimension values it is limited to.
    #[serde(default, rename = "where")]
    pub filter: IndexMap<String, String>,
    /// `third`, `half` or `full` of a row. Default `half`.
    #[serde(default)]
    pub width: Width,
}

/// A metric by country, on a map of the world.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MapPanel {
    /// The metric.
    pub metric: String,
    /// The dimension that holds countries as two letters (ISO 3166-1 alpha-2). Default `country`.
    #[serde(default)]
    pub by: Option<String>,
    /// A title when the metric's name does not do.
    #[serde(default)]
    pub title: Option<Title>,
    /// Dimension values it is limited to.
    #[serde(default, rename = "where")]
    pub filter: IndexMap<String, String>,
    /// `third`, `half` or `full` of a row. Default `half`.
    #[serde(default)]
    pub width: Width,
}

/// Words.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextPanel {
    /// Plain text, at most 4 000 characters in each language; blank lines make paragraphs.
    pub text: Title,
    /// A heading.
    #[serde(default)]
    pub title: Option<Title>,
    /// `third`, `half` or `full` of a row. Default `half`.
    #[serde(default)]
    pub width: Width,
}
