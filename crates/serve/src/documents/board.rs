//! Boards: the pages of tiles, charts and panels that packs and users define.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::metric::Figure;

/// A text in the languages of the web.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Localized {
    /// English.
    pub en: String,
    /// Chinese; English is shown where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zh: Option<String>,
}

/// Which way of a figure is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GoodDirection {
    /// More is better.
    Up,
    /// Less is better.
    Down,
}

/// How much of a row a chart or panel takes on a wide screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PanelWidth {
    /// A third.
    Third,
    /// Half.
    Half,
    /// All of it.
    Full,
}

/// How a chart draws its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChartShape {
    /// A line each.
    Lines,
    /// Areas on top of each other.
    Stacked,
    /// Bars.
    Bars,
}

/// A tile: one figure, its change and a sparkline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Tile {
    /// The metric shown.
    pub metric: String,
    /// What stands above it.
    pub title: Localized,
    /// Only this slice.
    #[serde(rename = "where")]
    pub filter: BTreeMap<String, String>,
    /// Which direction is good news.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub good: Option<GoodDirection>,
}

/// A chart: a metric over time, perhaps split by a dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Chart {
    /// The metric drawn.
    pub metric: String,
    /// The dimension it is split by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// How it is drawn, where the board says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<ChartShape>,
    /// Only this slice.
    #[serde(rename = "where")]
    pub filter: BTreeMap<String, String>,
    /// What stands above it.
    pub title: Localized,
    /// How far back it reaches, such as `1h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// How wide it is.
    pub width: PanelWidth,
}

/// What else a board shows.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TablePanel {
    /// The metric the rows are ordered by.
    pub metric: String,
    /// The dimensions that make a row.
    pub by: Vec<String>,
    /// Further metrics, shown as columns.
    pub also: Vec<String>,
    /// How many rows.
    pub top: u32,
    /// What stands above it.
    pub title: Localized,
    /// Only this slice.
    #[serde(rename = "where")]
    pub filter: BTreeMap<String, String>,
    /// How wide it is.
    pub width: PanelWidth,
}

/// A metric by the hour of the day and the day of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeatmapPanel {
    /// The metric.
    pub metric: String,
    /// How many weeks.
    pub weeks: u32,
    /// What stands above it.
    pub title: Localized,
    /// Only this slice.
    #[serde(rename = "where")]
    pub filter: BTreeMap<String, String>,
    /// How wide it is.
    pub width: PanelWidth,
}

/// How many are left after each step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FunnelPanel {
    /// The steps, in order.
    pub steps: Vec<FunnelStep>,
    /// What stands above it.
    pub title: Localized,
    /// Only this slice.
    #[serde(rename = "where")]
    pub filter: BTreeMap<String, String>,
    /// How wide it is.
    pub width: PanelWidth,
}

/// One step of a funnel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FunnelStep {
    /// A metric that adds up.
    pub metric: String,
    /// What it is called.
    pub title: Localized,
}

/// How a metric that adds up flows through dimensions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SankeyPanel {
    /// The metric.
    pub metric: String,
    /// The dimensions, in the order of the flow.
    pub by: Vec<String>,
    /// How many values of each dimension are kept; the rest is one.
    pub top: u32,
    /// What stands above it.
    pub title: Localized,
    /// Only this slice.
    #[serde(rename = "where")]
    pub filter: BTreeMap<String, String>,
    /// How wide it is.
    pub width: PanelWidth,
}

/// A figure against its objective.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct GaugePanel {
    /// The metric.
    pub metric: String,
    /// What it should reach, as decimal text.
    pub objective: String,
    /// Where the scale begins; at 0 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    pub from: Option<Figure>,
    /// Where it ends; when absent at 1 for `percent`, else at twice the objective.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    pub to: Option<Figure>,
    /// Which direction is good news.
    pub good: GoodDirection,
    /// What stands above it.
    pub title: Localized,
    /// Only this slice.
    #[serde(rename = "where")]
    pub filter: BTreeMap<String, String>,
    /// How wide it is.
    pub width: PanelWidth,
}

/// A metric by country, on a map of the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MapPanel {
    /// The metric.
    pub metric: String,
    /// The dimension that holds countries as two letters (ISO 3166-1 alpha-2).
    pub by: String,
    /// What stands above it.
    pub title: Localized,
    /// Only this slice.
    #[serde(rename = "where")]
    pub filter: BTreeMap<String, String>,
    /// How wide it is.
    pub width: PanelWidth,
}

/// Words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TextPanel {
    /// Plain text; blank lines make paragraphs.
    pub text: Localized,
    /// A heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Localized>,
    /// How wide it is.
    pub width: PanelWidth,
}

/// Where a board is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BoardPlace {
    /// In the definitions folder, where only its files change it.
    Folder,
    /// In the catalogue, where people save it.
    Catalogue,
}

/// A board.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Board {
    /// Its name, as in its address.
    pub name: String,
    /// Its title.
    pub title: Localized,
    /// Its tiles, in order.
    pub tiles: Vec<Tile>,
    /// Its charts, in order.
    pub charts: Vec<Chart>,
    /// Its other panels, in order.
    pub panels: Vec<Panel>,
    /// Whether it lists incidents.
    pub incidents: bool,
    /// Where it is kept.
    pub from: BoardPlace,
    /// Of a saved one: its version, which every save makes higher. `If-Match` takes it in quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// Of a saved one: when it was saved last, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<String>,
    /// Of a saved one: the name of the token it was saved with, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// A board in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BoardSummary {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: Localized,
    /// Where it is kept.
    pub from: BoardPlace,
    /// Of a saved one: its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// Of a saved one: when it was saved last, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<String>,
    /// Of a saved one: the name of the token it was saved with, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// All boards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BoardList {
    /// Those of the folder in the order of their definition, then the saved ones by name. No name stands here twice.
    pub boards: Vec<BoardSummary>,
    /// Saved boards whose names the folder has taken since: the folder's are shown under them, until these are removed
    /// or the folder's have other names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shadowed: Vec<BoardSummary>,
}

/// The keys of a board as they are written, in YAML as in JSON; docs/definitions.md tells what they take.
#[derive(Debug, ToSchema)]
pub struct WrittenBoard {
    /// Its title.
    pub title: Localized,
    /// Its tiles, in order.
    #[schema(value_type = Option<Vec<Object>>)]
    pub tiles: Option<Vec<serde_json::Value>>,
    /// Its charts, in order.
    #[schema(value_type = Option<Vec<Object>>)]
    pub charts: Option<Vec<serde_json::Value>>,
    /// Its other panels, in order.
    #[schema(value_type = Option<Vec<Object>>)]
    pub panels: Option<Vec<serde_json::Value>>,
    /// Whether it lists incidents; it does unless this is false.
    pub incidents: Option<bool>,
}
