//! The checks of boards: what they name is there, fits the panel that names it, and is not too much.

pub mod sent;
mod shown;

use std::collections::HashMap;

use indexmap::IndexMap;
use tillwatch_analyse::Nature;

use super::fault::Fault;
use super::folder::{Folder, nearest_name};
use super::node::{Node, Place, Value};
use super::resolve::{dimension_names, unknown_dimension};
use super::shape::{
    Board, Chart, FunnelPanel, GaugePanel, HeatmapPanel, MapPanel, Panel, SankeyPanel, Shape,
    TablePanel, TextPanel, Tile, Title,
};

/// Most tiles, charts and panels of a board, together.
const PARTS_MAX: usize = 60;
/// Longest title, in characters.
pub(super) const TITLE_CHARS_MAX: usize = 200;
/// Longest text of a panel, in characters.
const TEXT_CHARS_MAX: usize = 4_000;
/// Most further metrics of a table.
const COLUMNS_MAX: usize = 8;
/// The rows of a table unless told.
const ROWS_DEFAULT: u32 = 10;
/// Most rows of a table.
const ROWS_MAX: u32 = 100;
/// The weeks of a heat map unless told.
const WEEKS_DEFAULT: u32 = 4;
/// Most weeks of a heat map.
const WEEKS_MAX: u32 = 12;
/// The values that a flow keeps of each dimension unless told.
const VALUES_DEFAULT: u32 = 6;
/// Most values that a flow keeps of each dimension.
const VALUES_MAX: u32 = 20;
/// Fewest and most steps of a funnel.
const STEPS: std::ops::RangeInclusive<usize> = 2..=8;
/// Most dimensions by which anything is limited; what is written beyond them is not looked at.
const FILTERS_MAX: usize = 32;
/// Longest value that a dimension is limited to: it stands in the addresses that the page asks for.
const VALUE_CHARS_MAX: usize = 500;
/// The dimension that a map looks for unless told.
const COUNTRY: &str = "country";

/// Checks all boards. `natures` says what sound metrics are.
pub fn boards(folder: &Folder, natures: &HashMap<String, Nature>, faults: &mut Vec<Fault>) {
    for item in &folder.boards {
        let mut check = Check {
            folder,
            natures,
            file: item.file,
            removed_items: &item.removed_items,
            path: vec!["boards".to_owned(), item.name.clone()],
            faults: &mut *faults,
        };
        check.board(&item.value);
    }
}

/// The check of one board, with the place that it has come to.
struct Check<'a> {
    folder: &'a Folder,
    natures: &'a HashMap<String, Nature>,
    file: usize,
    /// Items of lists that could not be read.
    removed_items: &'a [Place],
    path: Vec<String>,
    faults: &'a mut Vec<Fault>,
}

impl Check<'_> {
    /// Tells of a fault at `within` the place.
    fn refuse(&mut self, within: &[&str], message: impl Into<String>, suggestion: Option<String>) {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let path = [path.as_slice(), within].concat();
        let fault = self.folder.fault(self.file, &path, message);
        self.faults.push(fault.suggest(suggestion));
    }

    /// Looks at what stands below `steps`.
    fn below(&mut self, steps: &[&str], look: impl FnOnce(&mut Self)) {
        let depth = self.path.len();
        self.path.extend(steps.iter().map(|&step| step.to_owned()));
        look(self);
        self.path.truncate(depth);
    }

    /// Where the so-many-th item of a list that could be read stands in it as it is written.
    fn position(&self, list: &str, index: usize) -> String {
        let path: Vec<&str> = self.path.iter().map(String::as_str).chain([list]).collect();
        let file = self.folder.files.get(self.file);
        let written = file.and_then(|file| file.tree.find(&path));
        let items = match written.map(|node| &node.value) {
            Some(Value::List(items)) if !self.removed_items.is_empty() => items.as_slice(),
            _ => return index.to_string(),
        };
        let read = |item: &Node| !self.removed_items.contains(&item.place);
        let mut positions = items.iter().enumerate().filter(|(_, item)| read(item));
        let position = positions.nth(index).map_or(index, |(position, _)| position);
        position.to_string()
    }

    fn board(&mut self, board: &Board) {
        self.text(&["title"], &board.title, "title", TITLE_CHARS_MAX);
        let parts = board.tiles.len() + board.charts.len() + board.panels.len();
        if parts > PARTS_MAX {
            let message = format!(
                "{parts} tiles, charts and panels are too many; a board has at most {PARTS_MAX}"
            );
            let hint = "make a second board of some of them";
            self.refuse(&[], message, Some(hint.to_owned()));
        }
        // What is too much is told once, and not looked at.
        for (index, tile) in board.tiles.iter().take(PARTS_MAX).enumerate() {
            let at = self.position("tiles", index);
            self.below(&["tiles", &at], |check| check.tile(tile));
        }
        for (index, chart) in board.charts.iter().take(PARTS_MAX).enumerate() {
            let at = self.position("charts", index);
            self.below(&["charts", &at], |check| check.chart(chart));
        }
        for (index, panel) in board.panels.iter().take(PARTS_MAX).enumerate() {
            let at = self.position("panels", index);
            self.below(&["panels", &at], |check| check.panel(panel));
        }
    }

    fn tile(&mut self, tile: &Tile) {
        self.title(tile.title.as_ref());
        self.filtered(&tile.metric, &tile.filter);
    }

    fn chart(&mut self, chart: &Chart) {
        self.title(chart.title.as_ref());
        self.filtered(&chart.metric, &chart.filter);
        if let Some(by) = &chart.by {
            self.dimension(&chart.metric, by, &["by"]);
        }
        if chart.shape == Some(Shape::Stacked) {
            self.adds_up(
                &["shape"],
                &chart.metric,
                "`stacked` piles up figures that add up",
                "use `lines` or `bars`",
            );
        }
    }

    fn panel(&mut self, panel: &Panel) {
        match panel {
            Panel::Table(table) => self.table(table),
            Panel::Heatmap(heatmap) => self.heatmap(heatmap),
            Panel::Funnel(funnel) => self.funnel(funnel),
            Panel::Sankey(sankey) => self.sankey(sankey),
            Panel::Gauge(gauge) => self.gauge(gauge),
            Panel::Map(map) => self.map(map),
            Panel::Text(text) => self.words(text),
        }
    }

    fn table(&mut self, table: &TablePanel) {
        self.title(table.title.as_ref());
        self.filtered(&table.metric, &table.filter);
        self.split(&table.metric, &table.by, 1, 3);
        self.within("top", table.top, 1, ROWS_MAX);
        if table.also.len() > COLUMNS_MAX {
            let message = format!(
                "{} further metrics are too many; a table has at most {COLUMNS_MAX}",
                table.also.len()
            );
            self.refuse(&["also"], message, None);
        }
        for (index, metric) in table.also.iter().take(COLUMNS_MAX).enumerate() {
            let at = self.position("also", index);
            let place = ["also", at.as_str()];
            let earlier = table.also.iter().take(index).chain([&table.metric]);
            if earlier.into_iter().any(|other| other == metric) {
                self.refuse(&place, format!("'{metric}' is a column already"), None);
            } else if self.metric(metric, &place) {
                let filters = table.filter.keys().take(FILTERS_MAX);
                for name in table.by.iter().take(3).chain(filters) {
                    // What the table's own metric has not got has been told.
                    if self.has_dimension(&table.metric, name) {
                        self.dimension(metric, name, &place);
                    }
                }
            }
        }
    }

    fn heatmap(&mut self, heatmap: &HeatmapPanel) {
        self.title(heatmap.title.as_ref());
        self.filtered(&heatmap.metric, &heatmap.filter);
        self.within("weeks", heatmap.weeks, 1, WEEKS_MAX);
    }

    fn funnel(&mut self, funnel: &FunnelPanel) {
        self.title(Some(&funnel.title));
        self.limited(&funnel.filter);
        let steps = funnel.steps.len();
        if !STEPS.contains(&steps) {
            let (least, most) = (STEPS.start(), STEPS.end());
            let message = format!("a funnel has {least} to {most} steps, not {steps}");
            self.refuse(&["steps"], message, None);
        }
        for (index, step) in funnel.steps.iter().take(*STEPS.end()).enumerate() {
            let at = self.position("steps", index);
            self.below(&["steps", &at], |check| {
                check.title(step.title.as_ref());
                if check.metric(&step.metric, &["metric"]) {
                    check.adds_up(
                        &["metric"],
                        &step.metric,
                        "a step of a funnel is a metric that adds up",
                        "use a count or a sum",
                    );
                    for name in funnel.filter.keys().take(FILTERS_MAX) {
                        check.dimension(&step.metric, name, &["metric"]);
                    }
                }
            });
        }
    }

    fn sankey(&mut self, sankey: &SankeyPanel) {
        self.title(sankey.title.as_ref());
        self.filtered(&sankey.metric, &sankey.filter);
        self.split(&sankey.metric, &sankey.by, 2, 4);
        self.within("top", sankey.top, 2, VALUES_MAX);
        self.adds_up(
            &["metric"],
            &sankey.metric,
            "what flows is a metric that adds up",
            "use a count or a sum",
        );
    }

    fn gauge(&mut self, gauge: &GaugePanel) {
        self.title(gauge.title.as_ref());
        self.filtered(&gauge.metric, &gauge.filter);
        let unit = self.folder.metrics.iter();
        let mut unit = unit.filter(|item| item.name == gauge.metric);
        let is_percent =
            (unit.next()).is_some_and(|item| item.value.unit.as_deref() == Some("percent"));
        let objective = gauge.objective.to_f64();
        let ends = (
            gauge.from.as_ref().map(|from| from.to_f64()),
            gauge.to.as_ref().map(|to| to.to_f64()),
        );
        let from = ends.0.unwrap_or(0.0);
        let to = (ends.1).unwrap_or(if is_percent { 1.0 } else { 2.0 * objective });
        // The scale of an objective that says nothing of its ends may be turned about by the page.
        if from >= to && ends != (None, None) {
            let place = if ends.1.is_some() { "to" } else { "from" };
            let message = format!("the scale goes from {from} to {to}, which is no way up");
            let hint = "`from` is less than `to`";
            self.refuse(&[place], message, Some(hint.to_owned()));
        }
    }

    fn map(&mut self, map: &MapPanel) {
        self.title(map.title.as_ref());
        self.filtered(&map.metric, &map.filter);
        match &map.by {
            Some(by) => self.dimension(&map.metric, by, &["by"]),
            None => self.dimension(&map.metric, COUNTRY, &["metric"]),
        }
    }

    fn words(&mut self, panel: &TextPanel) {
        self.title(panel.title.as_ref());
        self.text(&["text"], &panel.text, "text", TEXT_CHARS_MAX);
    }

    fn title(&mut self, title: Option<&Title>) {
        if let Some(title) = title {
            self.text(&["title"], title, "title", TITLE_CHARS_MAX);
        }
    }

    /// Checks what people read.
    fn text(&mut self, at: &[&str], written: &Title, what: &str, chars_max: usize) {
        for (language, message) in written.faults(what, chars_max) {
            self.refuse(&[at, &[language]].concat(), message, None);
        }
    }

    /// Checks a number against its bounds.
    fn within(&mut self, key: &str, number: Option<u32>, least: u32, most: u32) {
        if let Some(number) = number.filter(|number| !(least..=most).contains(number)) {
            let message = format!("`{key}` is from {least} to {most}, not {number}");
            self.refuse(&[key], message, None);
        }
    }

    /// Checks that there is a metric, and that it has the dimensions that it is limited by.
    fn filtered(&mut self, metric: &str, filter: &IndexMap<String, String>) {
        self.limited(filter);
        if self.metric(metric, &["metric"]) {
            for name in filter.keys().take(FILTERS_MAX) {
                self.dimension(metric, name, &["where", name]);
            }
        }
    }

    fn limited(&mut self, filter: &IndexMap<String, String>) {
        if filter.len() > FILTERS_MAX {
            let message = format!(
                "{} dimensions are too many to be limited by; the most are {FILTERS_MAX}",
                filter.len()
            );
            self.refuse(&["where"], message, None);
        }
        for (name, value) in filter.iter().take(FILTERS_MAX) {
            let chars = value.chars().count();
            if chars > VALUE_CHARS_MAX {
                let message = format!(
                    "{chars} characters are too many; a value has at most {VALUE_CHARS_MAX}"
                );
                self.refuse(&["where", name], message, None);
            }
        }
    }

    /// Checks that a metric has the dimensions it is split by, each once.
    fn split(&mut self, metric: &str, by: &[String], least: usize, most: usize) {
        if !(least..=most).contains(&by.len()) {
            let message = format!("`by` names {least} to {most} dimensions, not {}", by.len());
            self.refuse(&["by"], message, None);
        }
        for (index, name) in by.iter().take(most).enumerate() {
            let at = self.position("by", index);
            if by.iter().take(index).any(|earlier| earlier == name) {
                let message = format!("dimension '{name}' stands there twice");
                self.refuse(&["by", &at], message, None);
            } else {
                self.dimension(metric, name, &["by", &at]);
            }
        }
    }

    /// Whether there is a metric of that name, which is told when there is none.
    fn metric(&mut self, metric: &str, at: &[&str]) -> bool {
        let folder = self.folder;
        if folder.metrics.iter().any(|item| item.name == metric) {
            return true;
        }
        if !folder.is_unread("metrics", metric) {
            let names = folder.metrics.iter().map(|item| item.name.as_str());
            let nearest = nearest_name(metric, names);
            self.refuse(at, format!("there is no metric '{metric}'"), nearest);
        }
        false
    }

    /// Checks that a metric has a dimension. Of a metric that there is not that has been told.
    fn dimension(&mut self, metric: &str, name: &str, at: &[&str]) {
        let folder = self.folder;
        let Some(found) = folder.metrics.iter().find(|item| item.name == metric) else {
            return;
        };
        let of = &found.value.of;
        let known = dimension_names(folder, of);
        if known.contains(&name) {
            return;
        }
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let path = [path.as_slice(), at].concat();
        let fault = unknown_dimension(folder, self.file, &path, name, of, &known);
        self.faults.push(fault);
    }

    fn has_dimension(&self, metric: &str, name: &str) -> bool {
        let found = self.folder.metrics.iter().find(|item| item.name == metric);
        found.is_some_and(|found| dimension_names(self.folder, &found.value.of).contains(&name))
    }

    /// Checks that a metric adds up, where that is known.
    fn adds_up(&mut self, at: &[&str], metric: &str, why: &str, instead: &str) {
        if matches!(
            self.natures.get(metric),
            Some(Nature::Ratio | Nature::Value)
        ) {
            let message = format!("{why}, and '{metric}' does not");
            self.refuse(at, message, Some(instead.to_owned()));
        }
    }
}
