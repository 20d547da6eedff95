//! Boards: the pages of tiles and charts that packs and users define.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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

/// A tile: one figure, its change and a sparkline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tile {
    /// The metric shown.
    pub metric: String,
    /// What stands above it.
    pub title: Localized,
    /// Only this slice.
    #[serde(default, rename = "where")]
    pub filter: BTreeMap<String, String>,
    /// Which direction is good news: `up` or `down`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good: Option<String>,
}

/// A chart: a metric over time, perhaps split by a dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// The metric drawn.
    pub metric: String,
    /// The dimension it is split by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What stands above it.
    pub title: Localized,
    /// How far back it reaches, such as `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
}

/// A board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Board {
    /// Its name, as in its address.
    pub name: String,
    /// Its title.
    pub title: Localized,
    /// Its tiles, in order.
    #[serde(default)]
    pub tiles: Vec<Tile>,
    /// Its charts, in order.
    #[serde(default)]
    pub charts: Vec<Chart>,
    /// Whether it lists incidents.
    #[serde(default)]
    pub incidents: bool,
}

/// A board in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BoardSummary {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: Localized,
}

/// All boards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BoardList {
    /// In the order of their definition.
    pub boards: Vec<BoardSummary>,
}
