//! The checks of sources: whatever would keep one from being started.

use tillwatch_collect::source::{PollLimits, PollOptions, SourceError, poll};

use super::fault::Fault;
use super::folder::{Folder, Item, nearest_name};
use super::resolve::Environment;
use super::shape;

/// How often a source is asked when its definition does not say.
const EVERY: std::time::Duration = std::time::Duration::from_secs(10);

/// A source as `collect` takes it.
#[must_use]
pub fn poll_options(item: &Item<shape::Source>, limits: PollLimits) -> PollOptions {
    let written = &item.value;
    PollOptions {
        name: item.name.clone(),
        url: written.url.clone(),
        every: written.every.map_or(EVERY, |every| every.0),
        events: written.events.clone(),
        headers: written.headers.clone().into_iter().collect(),
        allow_private: written.allow_private,
        limits,
    }
}

/// Checks what sources name, whom they ask and how often. Nobody is asked.
pub fn sources(
    folder: &Folder,
    environment: Environment<'_>,
    limits: PollLimits,
    faults: &mut Vec<Fault>,
) {
    for item in &folder.sources {
        let base = ["sources", item.name.as_str()];
        let written = &item.value;
        if written.kind != "http_poll" {
            faults.push(
                folder
                    .fault(
                        item.file,
                        &[base[0], base[1], "kind"],
                        format!("there is no source of kind '{}'", written.kind),
                    )
                    .suggest(Some("this version has `http_poll`".into())),
            );
        }
        if !folder
            .streams
            .iter()
            .any(|stream| stream.name == written.stream)
        {
            let names = folder.streams.iter().map(|stream| stream.name.as_str());
            faults.push(
                folder
                    .fault(
                        item.file,
                        &[base[0], base[1], "stream"],
                        format!("there is no stream '{}'", written.stream),
                    )
                    .suggest(nearest_name(&written.stream, names)),
            );
        }
        for error in poll::check(&poll_options(item, limits), environment) {
            faults.push(source_fault(folder, item, &error));
        }
    }
}

fn source_fault(folder: &Folder, item: &Item<shape::Source>, error: &SourceError) -> Fault {
    let within: Vec<&str> = match error {
        SourceError::Url { .. } => vec!["url"],
        SourceError::Every { .. } => vec!["every"],
        SourceError::Path { .. } => vec!["events"],
        SourceError::Header { header, .. } => vec!["headers", header],
        _ => vec![],
    };
    let path: Vec<&str> = ["sources", item.name.as_str()]
        .into_iter()
        .chain(within)
        .collect();
    // The place tells which source it is.
    let message = error.to_string();
    let prefix = format!("source '{}': ", item.name);
    let message = message.strip_prefix(&prefix).unwrap_or(&message);
    let hints = [("; set ", "set"), (", use ", "use")];
    let hint = hints.iter().find_map(|(border, verb)| {
        let (what, how) = message.split_once(border)?;
        Some((what, format!("{verb} {how}")))
    });
    let (message, suggestion) = match hint {
        Some((what, how)) => (what, Some(how)),
        None => (message, None),
    };
    folder.fault(item.file, &path, message).suggest(suggestion)
}
