//! From what is written to what the parts work with, with every fault at its place.
//!
//! Names are resolved here; expressions are checked in [`super::check`], which needs the parts.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use tillwatch_event::schema::parse_type;
use tillwatch_event::{Field, SchemaError, SchemaLimits, StreamSchema, TimeFormat};
use tillwatch_monitor::definition::{
    Calendar, ChannelDefinition, DefinitionFault, Direction, MaintenanceDefinition,
    MonitorDefinition, RouteDefinition, Severity,
};
use tillwatch_process::{CubeDefinition, StreamDefinition};

use super::announce;
use super::detector::detector;
use super::fault::Fault;
use super::folder::{Folder, Item, nearest_name};
use super::scalar::DurationText;
use super::shape;

/// The default horizon of deduplication.
const DEDUP: Duration = Duration::from_secs(24 * 3_600);
/// The shortest time for which a stream keeps its raw events or rejected lines.
const KEEP_MIN: Duration = Duration::from_secs(24 * 3_600);

/// How CSV text of a stream is cut, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvShape {
    /// The delimiter; `None` means runs of white space.
    pub delimiter: Option<u8>,
    /// Whether the first line names the columns.
    pub header: bool,
}

/// Streams, cubes and monitors by name, ready for the parts.
#[derive(Debug, Default)]
pub struct Resolved {
    /// Streams.
    pub streams: IndexMap<String, StreamDefinition>,
    /// Streams with a fault that has been reported.
    pub faulty_streams: HashSet<String>,
    /// How each stream's CSV is read, where it is not the usual way.
    pub csv: IndexMap<String, CsvShape>,
    /// Cubes.
    pub cubes: IndexMap<String, CubeDefinition>,
    /// Monitors.
    pub monitors: Vec<MonitorDefinition>,
    /// Channels that have an address.
    pub channels: Vec<ChannelDefinition>,
    /// Channels whose `env:` variable is unset, with that variable: visible, but inactive.
    pub inactive_channels: Vec<(String, String)>,
    /// Routes.
    pub routes: Vec<RouteDefinition>,
    /// Maintenance windows.
    pub maintenance: Vec<MaintenanceDefinition>,
}

/// Reads the environment; a parameter, so that tests need not change the process's own.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Resolves streams, cubes, monitors, channels, routes and maintenance windows.
pub fn resolve(folder: &Folder, environment: Environment<'_>, faults: &mut Vec<Fault>) -> Resolved {
    let mut resolved = Resolved::default();
    for item in &folder.streams {
        let before = faults.len();
        let stream = stream(folder, item, faults);
        if faults.len() > before {
            resolved.faulty_streams.insert(item.name.clone());
        }
        if let Some(csv) = csv(folder, item, faults) {
            resolved.csv.insert(item.name.clone(), csv);
        }
        resolved.streams.insert(item.name.clone(), stream);
    }
    for item in &folder.cubes {
        if let Some(cube) = cube(folder, item, faults) {
            resolved.cubes.insert(item.name.clone(), cube);
        }
    }
    for item in &folder.channels {
        match announce::channel(folder, item, environment, faults) {
            Some(Ok(channel)) => resolved.channels.push(channel),
            Some(Err(variable)) => {
                resolved
                    .inactive_channels
                    .push((item.name.clone(), variable));
            }
            None => {}
        }
    }
    resolved.routes = folder
        .routes
        .iter()
        .filter_map(|item| announce::route(folder, item, faults))
        .collect();
    resolved.maintenance = folder
        .maintenance
        .iter()
        .filter_map(|item| announce::maintenance(folder, item, faults))
        .collect();
    let calendars = calendars(folder, faults);
    resolved.monitors = folder
        .monitors
        .iter()
        .filter_map(|item| monitor(folder, item, &calendars, faults))
        .collect();
    resolved
}

/// A message that ends in a question is split, so that the question stands as the suggestion.
pub fn split_hint(message: &str) -> (String, Option<String>) {
    match message.rsplit_once("; did you mean ") {
        Some((what, hint)) => (what.to_owned(), Some(format!("did you mean {hint}"))),
        None => (message.to_owned(), None),
    }
}

fn at(folder: &Folder, file: usize, path: &[&str], message: &str) -> Fault {
    let (message, suggestion) = split_hint(message);
    folder.fault(file, path, message).suggest(suggestion)
}

fn stream(
    folder: &Folder,
    item: &Item<shape::Stream>,
    faults: &mut Vec<Fault>,
) -> StreamDefinition {
    let base = ["streams", item.name.as_str()];
    let mut fields = Vec::new();
    for (name, written) in &item.value.fields {
        let path = [base[0], base[1], "fields", name.as_str()];
        match field(name, written) {
            Ok(field) => fields.push(field),
            Err(error) => {
                let message = error.to_string();
                let mut fault = at(folder, item.file, &path, &message);
                if message.ends_with("lacks its closing parenthesis") {
                    let hint = "between { and } a comma ends the value: quote it, such as \"decimal(18, 2)\"";
                    fault = fault.suggest(Some(hint.to_owned()));
                    // What stands behind the comma has been taken for a field.
                    faults.retain(|other| !other.is_rest_of(&fault));
                }
                faults.push(fault);
            }
        }
    }
    let schema = StreamSchema {
        name: item.name.clone(),
        id: item.value.id.clone(),
        time: item.value.time.clone(),
        dedup: item.value.dedup.map_or(DEDUP, |text| text.0),
        fields,
    };
    for error in schema.faults(&SchemaLimits::default()) {
        let within: Vec<&str> = match &error {
            SchemaError::UnknownField { role, name, .. } => {
                // A field whose own type is at fault is declared all the same.
                if item.value.fields.contains_key(name) {
                    continue;
                }
                vec![*role]
            }
            SchemaError::IdType { .. } => vec!["id"],
            SchemaError::TimeType { .. } => vec!["time"],
            SchemaError::NoDedup => vec!["dedup"],
            SchemaError::NoFields if !item.value.fields.is_empty() => continue,
            SchemaError::NoFields | SchemaError::TooManyFields { .. } => vec!["fields"],
            SchemaError::ReservedName(name) | SchemaError::DuplicateField(name) => {
                vec!["fields", name]
            }
            SchemaError::BadName { name, .. }
            | SchemaError::ForbiddenField { name }
            | SchemaError::FormatWithoutTime { name }
            | SchemaError::NullsOfRequired { name }
            | SchemaError::TooManyNulls { name, .. }
            | SchemaError::BadPath { name, .. } => vec!["fields", name],
            SchemaError::UnknownZone(zone) => field_with(item, |f| f.zone.as_ref() == Some(zone)),
            SchemaError::TimePattern { pattern, .. } => {
                field_with(item, |f| f.format.as_ref() == Some(pattern))
            }
            _ => vec![],
        };
        let path: Vec<&str> = base.iter().copied().chain(within).collect();
        faults.push(at(folder, item.file, &path, &error.to_string()));
    }
    for name in item.value.derive.keys() {
        if item.value.fields.contains_key(name) {
            let path = [base[0], base[1], "derive", name.as_str()];
            faults.push(folder.fault(item.file, &path, format!("'{name}' is a field already")));
        }
    }
    let mut age = |key: &'static str, written: Option<DurationText>| {
        let age = written?.0;
        if age < KEEP_MIN {
            let path = [base[0], base[1], key];
            let what = format!("{key}: whole days are removed, so it is at least 1d");
            faults.push(folder.fault(item.file, &path, what));
        }
        Some(age)
    };
    StreamDefinition {
        keep: age("keep", item.value.keep),
        quarantine_keep: age("quarantine_keep", item.value.quarantine_keep),
        schema: Arc::new(schema),
        derive: item
            .value
            .derive
            .iter()
            .map(|(n, e)| (n.clone(), e.clone()))
            .collect(),
    }
}

fn field_with(
    item: &Item<shape::Stream>,
    matches: impl Fn(&shape::DetailedField) -> bool,
) -> Vec<&str> {
    let found = item.value.fields.iter().find(|(_, field)| match field {
        shape::Field::Type(_) => false,
        shape::Field::Detailed(field) => matches(field),
    });
    found.map_or_else(|| vec!["fields"], |(name, _)| vec!["fields", name.as_str()])
}

fn field(name: &str, written: &shape::Field) -> Result<Field, SchemaError> {
    let text = match written {
        shape::Field::Type(text) => text,
        shape::Field::Detailed(detailed) => &detailed.kind,
    };
    let (kind, optional) = parse_type(text)?;
    let mut field = Field::new(name, kind, optional);
    if let shape::Field::Detailed(detailed) = written {
        field.from.clone_from(&detailed.from);
        field.null_values.clone_from(&detailed.nulls);
        if detailed.format.is_some() || detailed.zone.is_some() {
            field.format = Some(TimeFormat {
                pattern: detailed.format.clone(),
                zone: detailed.zone.clone(),
            });
        }
    }
    Ok(field)
}

fn csv(folder: &Folder, item: &Item<shape::Stream>, faults: &mut Vec<Fault>) -> Option<CsvShape> {
    let written = item.value.csv.as_ref()?;
    let delimiter = match written.delimiter.as_deref() {
        None => Some(b','),
        Some("whitespace") => None,
        Some("tab" | "\\t") => Some(b'\t'),
        Some(text) => match text.as_bytes() {
            [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && *byte != b'"' => {
                Some(*byte)
            }
            _ => {
                let path = ["streams", item.name.as_str(), "csv", "delimiter"];
                faults.push(
                    folder
                        .fault(
                            item.file,
                            &path,
                            format!("'{text}' cannot separate columns"),
                        )
                        .suggest(Some(
                            "use one character such as , or ; — or `whitespace`".into(),
                        )),
                );
                return None;
            }
        },
    };
    Some(CsvShape {
        delimiter,
        header: written.header.unwrap_or(true),
    })
}

fn cube(
    folder: &Folder,
    item: &Item<shape::Cube>,
    faults: &mut Vec<Fault>,
) -> Option<CubeDefinition> {
    let base = ["cubes", item.name.as_str()];
    let unread = folder.is_unread("streams", &item.value.from);
    let known = (folder.streams.iter()).any(|stream| stream.name == item.value.from);
    if !known && !unread {
        let names = folder.streams.iter().map(|stream| stream.name.as_str());
        faults.push(
            folder
                .fault(
                    item.file,
                    &[base[0], base[1], "from"],
                    format!("there is no stream '{}'", item.value.from),
                )
                .suggest(nearest_name(&item.value.from, names)),
        );
    }
    let clashes = folder.streams.iter().any(|stream| stream.name == item.name);
    if clashes {
        faults.push(folder.fault(
            item.file,
            &base,
            format!(
                "'{}' is a stream already, and both are tables in SQL",
                item.name
            ),
        ));
    }
    let mut dimensions = Vec::new();
    for dimension in &item.value.dimensions {
        match dimension {
            shape::Dimension::Name(name) => dimensions.push((name.clone(), name.clone())),
            shape::Dimension::Expression(pairs) => {
                dimensions.extend(pairs.iter().map(|(n, e)| (n.clone(), e.clone())));
            }
        }
    }
    let mut keep = Vec::new();
    for (bucket, age) in &item.value.keep {
        match super::scalar::parse_duration(bucket) {
            Ok(bucket) => keep.push((bucket, age.0)),
            Err(reason) => {
                faults.push(folder.fault(item.file, &[base[0], base[1], "keep", bucket], reason));
            }
        }
    }
    (known && !clashes).then(|| CubeDefinition {
        name: item.name.clone(),
        from: item.value.from.clone(),
        bucket: item.value.bucket.0,
        dimensions,
        measures: item
            .value
            .measures
            .iter()
            .map(|(n, e)| (n.clone(), e.clone()))
            .collect(),
        keep,
    })
}

/// The value of `env:NAME`, the text itself, or the name of the unset variable.
pub fn from_environment(text: &str, environment: Environment<'_>) -> Result<String, String> {
    match text.strip_prefix("env:") {
        Some(name) => environment(name)
            .filter(|v| !v.is_empty())
            .ok_or_else(|| name.to_owned()),
        None => Ok(text.to_owned()),
    }
}

/// A fault of the parts, at its field below `base`.
pub fn push_field_fault(
    folder: &Folder,
    file: usize,
    base: &[&str],
    fault: &DefinitionFault,
    faults: &mut Vec<Fault>,
) {
    let path: Vec<&str> = base.iter().copied().chain(fault.field.split('.')).collect();
    faults.push(at(folder, file, &path, &fault.reason));
}

/// The calendars that are not at fault, by name.
pub fn calendars(folder: &Folder, faults: &mut Vec<Fault>) -> HashMap<String, Arc<Calendar>> {
    let mut found = HashMap::new();
    for item in &folder.calendars {
        let days = item
            .value
            .days
            .iter()
            .map(|(day, like)| (day.as_str(), like.as_str()));
        match Calendar::parse(&item.name, item.value.zone.as_deref(), days) {
            Ok(calendar) => {
                found.insert(item.name.clone(), Arc::new(calendar));
            }
            Err(wrong) => {
                let base = ["calendars", item.name.as_str()];
                for fault in wrong {
                    push_field_fault(folder, item.file, &base, &fault, faults);
                }
            }
        }
    }
    found
}

/// A monitor that is sound, and all of whose names are defined.
pub fn monitor(
    folder: &Folder,
    item: &Item<shape::Monitor>,
    calendars: &HashMap<String, Arc<Calendar>>,
    faults: &mut Vec<Fault>,
) -> Option<MonitorDefinition> {
    let base = ["monitors", item.name.as_str()];
    let before = faults.len();
    let written = &item.value;
    let detect = detector(folder, item, faults);
    let direction = written
        .direction
        .as_deref()
        .map(Direction::parse)
        .transpose();
    let severity = written.severity.as_deref().map(Severity::parse).transpose();
    for fault in [
        detect.as_ref().err(),
        direction.as_ref().err(),
        severity.as_ref().err(),
    ]
    .into_iter()
    .flatten()
    {
        push_field_fault(folder, item.file, &base, fault, faults);
    }
    let mut monitor = MonitorDefinition::new(&item.name, &written.metric, detect.ok()?);
    monitor.by.clone_from(&written.by);
    monitor.direction = direction.ok()?.unwrap_or(Direction::Both);
    monitor.severity = severity.ok()?.unwrap_or(Severity::Warning);
    monitor.hold = written.lasting.map_or(monitor.hold, |text| text.0);
    monitor.resolve_after = written
        .resolve_after
        .map_or(monitor.resolve_after, |text| text.0);
    monitor.notify.clone_from(&written.notify);
    monitor.impact.clone_from(&written.impact);
    monitor.description.clone_from(&written.description);
    monitor.early = written.early.unwrap_or(monitor.early);
    monitor.owner.clone_from(&written.owner);
    if let Some(name) = &written.calendar {
        match calendars.get(name) {
            Some(calendar) => monitor.calendar = Arc::clone(calendar),
            // One that is at fault itself has been reported.
            None if folder.calendars.iter().any(|one| one.name == *name) => {}
            None if folder.is_unread("calendars", name) => {}
            None => {
                let names = folder.calendars.iter().map(|one| one.name.as_str());
                let message = format!("there is no calendar '{name}'");
                let path = [base[0], base[1], "calendar"];
                faults.push(
                    (folder.fault(item.file, &path, message)).suggest(nearest_name(name, names)),
                );
            }
        }
    }
    for fault in monitor.validate() {
        push_field_fault(folder, item.file, &base, &fault, faults);
    }
    names_of_monitor(folder, item, faults);
    (faults.len() == before).then_some(monitor)
}

/// The metric, the dimensions and the channels a monitor names must exist.
fn names_of_monitor(folder: &Folder, item: &Item<shape::Monitor>, faults: &mut Vec<Fault>) {
    let base = ["monitors", item.name.as_str()];
    let written = &item.value;
    let metric = folder
        .metrics
        .iter()
        .find(|metric| metric.name == written.metric);
    match metric {
        None if folder.is_unread("metrics", &written.metric) => {}
        None => {
            let names = folder.metrics.iter().map(|metric| metric.name.as_str());
            faults.push(
                folder
                    .fault(
                        item.file,
                        &[base[0], base[1], "metric"],
                        format!("there is no metric '{}'", written.metric),
                    )
                    .suggest(nearest_name(&written.metric, names)),
            );
        }
        Some(metric) => {
            let known = dimension_names(folder, &metric.value.of);
            for (index, name) in written.by.iter().enumerate() {
                if !known.is_empty() && !known.contains(&name.as_str()) {
                    let index = index.to_string();
                    faults.push(unknown_dimension(
                        folder,
                        item.file,
                        &[base[0], base[1], "by", &index],
                        name,
                        &metric.value.of,
                        &known,
                    ));
                }
            }
        }
    }
    if let Some(impact) = &written.impact {
        let known = folder.metrics.iter().any(|metric| metric.name == *impact);
        if !known && !folder.is_unread("metrics", impact) {
            let names = folder.metrics.iter().map(|metric| metric.name.as_str());
            let message = format!("there is no metric '{impact}'");
            faults.push(
                folder
                    .fault(item.file, &[base[0], base[1], "impact"], message)
                    .suggest(nearest_name(impact, names)),
            );
        }
    }
    for (index, name) in written.notify.iter().enumerate() {
        let known = folder.channels.iter().any(|channel| channel.name == *name);
        if !known && !folder.is_unread("channels", name) {
            let names = folder.channels.iter().map(|channel| channel.name.as_str());
            let index = index.to_string();
            faults.push(
                folder
                    .fault(
                        item.file,
                        &[base[0], base[1], "notify", &index],
                        format!("there is no channel '{name}'"),
                    )
                    .suggest(nearest_name(name, names)),
            );
        }
    }
}

/// The names of a cube's dimensions, as written.
pub fn dimension_names<'a>(folder: &'a Folder, cube: &str) -> Vec<&'a str> {
    let Some(cube) = folder.cubes.iter().find(|item| item.name == cube) else {
        return Vec::new();
    };
    cube.value
        .dimensions
        .iter()
        .flat_map(|dimension| match dimension {
            shape::Dimension::Name(name) => vec![name.as_str()],
            shape::Dimension::Expression(pairs) => pairs.keys().map(String::as_str).collect(),
        })
        .collect()
}

/// The fault of a dimension that a cube does not have.
pub fn unknown_dimension(
    folder: &Folder,
    file: usize,
    path: &[&str],
    name: &str,
    cube: &str,
    known: &[&str],
) -> Fault {
    folder
        .fault(
            file,
            path,
            format!("cube '{cube}' has no dimension '{name}'"),
        )
        .suggest(
            nearest_name(name, known.iter().copied())
                .or_else(|| (!known.is_empty()).then(|| format!("it has {}", known.join(", ")))),
        )
}
