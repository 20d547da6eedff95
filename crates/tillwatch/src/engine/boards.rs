//! Boards as the server shows them.

use tillwatch_serve::documents::{Board, Chart, Localized, Tile};

use crate::definitions::Loaded;
use crate::definitions::shape::Title;

/// The boards of the definitions, with titles where none is written.
pub fn boards(loaded: &Loaded) -> Vec<Board> {
    let titled = |title: Option<&Title>, metric: &str| match title {
        Some(title) => Localized {
            en: title.en.clone(),
            zh: title.zh.clone(),
        },
        None => Localized {
            en: spoken(metric),
            zh: None,
        },
    };
    loaded
        .boards
        .iter()
        .map(|item| Board {
            name: item.name.clone(),
            title: titled(Some(&item.value.title), &item.name),
            tiles: item
                .value
                .tiles
                .iter()
                .map(|tile| Tile {
                    metric: tile.metric.clone(),
                    title: titled(tile.title.as_ref(), &tile.metric),
                    filter: tile.filter.clone().into_iter().collect(),
                    good: tile.good.clone(),
                })
                .collect(),
            charts: item
                .value
                .charts
                .iter()
                .map(|chart| Chart {
                    metric: chart.metric.clone(),
                    by: chart.by.clone(),
                    title: titled(chart.title.as_ref(), &chart.metric),
                    window: chart
                        .window
                        .map(|window| window.0.as_secs())
                        .map(seconds_text),
                })
                .collect(),
            incidents: item.value.incidents,
        })
        .collect()
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
