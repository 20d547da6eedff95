//! Boards as the server shows them.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use tillwatch_serve::documents::{
    Board, BoardPlace, Chart, ChartShape, Figure, FunnelPanel, FunnelStep, GaugePanel,
    GoodDirection, HeatmapPanel, Localized, MapPanel, Panel, PanelWidth, SankeyPanel, TablePanel,
    TextPanel, Tile,
};

use super::super::scalar::DecimalText;
use super::super::shape::{self, Title};
use super::{COUNTRY, ROWS_DEFAULT, VALUES_DEFAULT, WEEKS_DEFAULT};

/// A board with its defaults filled in.
pub fn shown(name: &str, board: &shape::Board) -> Board {
    Board {
        name: name.to_owned(),
        title: localized(&board.title),
        tiles: board.tiles.iter().map(tile).collect(),
        charts: board.charts.iter().map(chart).collect(),
        panels: board.panels.iter().map(panel).collect(),
        incidents: board.incidents,
        from: BoardPlace::Folder,
        version: None,
        changed_at: None,
        by: None,
    }
}

fn tile(tile: &shape::Tile) -> Tile {
    Tile {
        metric: tile.metric.clone(),
        title: titled(tile.title.as_ref(), &tile.metric),
        filter: slice(&tile.filter),
        good: tile.good.map(direction),
    }
}

fn chart(chart: &shape::Chart) -> Chart {
    Chart {
        metric: chart.metric.clone(),
        by: chart.by.clone(),
        shape: chart.shape.map(|shape| match shape {
            shape::Shape::Lines => ChartShape::Lines,
            shape::Shape::Stacked => ChartShape::Stacked,
            shape::Shape::Bars => ChartShape::Bars,
        }),
        filter: slice(&chart.filter),
        title: titled(chart.title.as_ref(), &chart.metric),
        window: chart
            .window
            .map(|window| window.0.as_secs())
            .map(seconds_text),
        width: width(chart.width),
    }
}

fn panel(panel: &shape::Panel) -> Panel {
    match panel {
        shape::Panel::Table(table) => Panel::Table(TablePanel {
            title: titled(table.title.as_ref(), &table.metric),
            metric: table.metric.clone(),
            by: table.by.clone(),
            also: table.also.clone(),
            top: table.top.unwrap_or(ROWS_DEFAULT),
            filter: slice(&table.filter),
            width: width(table.width),
        }),
        shape::Panel::Heatmap(heatmap) => Panel::Heatmap(HeatmapPanel {
            title: titled(heatmap.title.as_ref(), &heatmap.metric),
            metric: heatmap.metric.clone(),
            weeks: heatmap.weeks.unwrap_or(WEEKS_DEFAULT),
            filter: slice(&heatmap.filter),
            width: width(heatmap.width),
        }),
        shape::Panel::Funnel(funnel) => Panel::Funnel(FunnelPanel {
            title: localized(&funnel.title),
            steps: funnel
                .steps
                .iter()
                .map(|step| FunnelStep {
                    title: titled(step.title.as_ref(), &step.metric),
                    metric: step.metric.clone(),
                })
                .collect(),
            filter: slice(&funnel.filter),
            width: width(funnel.width),
        }),
        shape::Panel::Sankey(sankey) => Panel::Sankey(SankeyPanel {
            title: titled(sankey.title.as_ref(), &sankey.metric),
            metric: sankey.metric.clone(),
            by: sankey.by.clone(),
            top: sankey.top.unwrap_or(VALUES_DEFAULT),
            filter: slice(&sankey.filter),
            width: width(sankey.width),
        }),
        shape::Panel::Gauge(gauge) => Panel::Gauge(GaugePanel {
            title: titled(gauge.title.as_ref(), &gauge.metric),
            metric: gauge.metric.clone(),
            objective: gauge.objective.as_str().to_owned(),
            from: end(gauge.from.as_ref()),
            to: end(gauge.to.as_ref()),
            good: gauge.good.map_or(GoodDirection::Up, direction),
            filter: slice(&gauge.filter),
            width: width(gauge.width),
        }),
        shape::Panel::Map(map) => Panel::Map(MapPanel {
            title: titled(map.title.as_ref(), &map.metric),
            metric: map.metric.clone(),
            by: map.by.clone().unwrap_or_else(|| COUNTRY.to_owned()),
            filter: slice(&map.filter),
            width: width(map.width),
        }),
        shape::Panel::Text(text) => Panel::Text(TextPanel {
            title: text.title.as_ref().map(localized),
            text: localized(&text.text),
            width: width(text.width),
        }),
    }
}

fn localized(title: &Title) -> Localized {
    Localized {
        en: title.en.clone(),
        zh: title.zh.clone(),
    }
}

fn titled(title: Option<&Title>, metric: &str) -> Localized {
    title.map_or_else(
        || Localized {
            en: spoken(metric),
            zh: None,
        },
        localized,
    )
}

fn slice(filter: &IndexMap<String, String>) -> BTreeMap<String, String> {
    filter.clone().into_iter().collect()
}

fn direction(good: shape::Good) -> GoodDirection {
    match good {
        shape::Good::Up => GoodDirection::Up,
        shape::Good::Down => GoodDirection::Down,
    }
}

fn width(width: shape::Width) -> PanelWidth {
    match width {
        shape::Width::Third => PanelWidth::Third,
        shape::Width::Half => PanelWidth::Half,
        shape::Width::Full => PanelWidth::Full,
    }
}

fn end(end: Option<&DecimalText>) -> Option<Figure> {
    end.and_then(|end| Figure::number(end.to_f64()))
}

/// `payment_volume` as people say it: `Payment volume`.
fn spoken(name: &str) -> String {
    let mut text = name.replace('_', " ");
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// Seconds as a duration text with the largest unit that fits.
fn seconds_text(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    units
        .iter()
        .find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit))
        .map_or_else(
            || format!("{seconds}s"),
            |(unit, name)| format!("{}{name}", seconds / unit),
        )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::definitions::{Folder, finish};

    fn first(text: &str) -> Value {
        let mut folder = Folder::default();
        folder.add("board.yaml".into(), text, true);
        let loaded = finish(folder, &|_| None).unwrap_or_else(|faults| panic!("{faults:#?}"));
        let mut boards = loaded.boards.iter();
        let board = boards.find(|one| one.board.name == "b").unwrap();
        serde_json::to_value(&board.board).unwrap()
    }

    #[test]
    fn every_part_is_shown_with_its_defaults() {
        let board = first(
            r#"
packs: [payments]
boards:
  b:
    title: {en: B}
    tiles: [{metric: attempt_count}]
    charts: [{metric: attempt_count, window: 90m}, {metric: declines, by: outcome, shape: bars, where: {psp: adyen}, width: full}]
    panels:
      - {kind: table, metric: attempt_count, by: [psp, issuer]}
      - {kind: heatmap, metric: attempt_count, width: full}
      - {kind: funnel, title: {en: F, zh: 漏斗}, steps: [{metric: attempt_count}, {metric: payment_count, title: {en: Paid}}]}
      - {kind: sankey, metric: attempt_count, by: [method, psp], where: {psp: adyen}}
      - {kind: gauge, metric: authorization_rate, objective: 0.92}
      - {kind: gauge, metric: latency_p95, objective: "800", from: 100, to: "2000.5", good: down, width: third}
      - {kind: map, metric: market_authorization_rate}
      - {kind: text, text: {en: "a\n\nb"}}
"#,
        );
        let plain = |en: &str| json!({"en": en});
        assert_eq!(
            board,
            json!({
                "name": "b",
                "title": {"en": "B"},
                "tiles": [{"metric": "attempt_count", "title": plain("Attempt count"), "where": {}}],
                "charts": [
                    {"metric": "attempt_count", "where": {}, "title": plain("Attempt count"), "window": "90m", "width": "half"},
                    {"metric": "declines", "by": "outcome", "shape": "bars", "where": {"psp": "adyen"}, "title": plain("Declines"), "width": "full"},
                ],
                "panels": [
                    {"kind": "table", "metric": "attempt_count", "by": ["psp", "issuer"], "also": [], "top": 10, "title": plain("Attempt count"), "where": {}, "width": "half"},
                    {"kind": "heatmap", "metric": "attempt_count", "weeks": 4, "title": plain("Attempt count"), "where": {}, "width": "full"},
                    {"kind": "funnel", "steps": [{"metric": "attempt_count", "title": plain("Attempt count")}, {"metric": "payment_count", "title": plain("Paid")}],
                     "title": {"en": "F", "zh": "漏斗"}, "where": {}, "width": "half"},
                    {"kind": "sankey", "metric": "attempt_count", "by": ["method", "psp"], "top": 6, "title": plain("Attempt count"), "where": {"psp": "adyen"}, "width": "half"},
                    {"kind": "gauge", "metric": "authorization_rate", "objective": "0.92", "good": "up", "title": plain("Authorization rate"), "where": {}, "width": "half"},
                    {"kind": "gauge", "metric": "latency_p95", "objective": "800", "from": 100, "to": 2000.5, "good": "down", "title": plain("Latency p95"), "where": {}, "width": "third"},
                    {"kind": "map", "metric": "market_authorization_rate", "by": "country", "title": plain("Market authorization rate"), "where": {}, "width": "half"},
                    {"kind": "text", "text": plain("a\n\nb"), "width": "half"},
                ],
                "incidents": true,
                "from": "folder",
            })
        );
    }
}
