//! The checks that need the parts: every SQL expression is planned against its schema.
//!
//! The parts refuse at the first fault. To report all, the item at fault is taken out and the rest
//! is planned again; what hangs on it is left out too, so that one slip is one fault.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;
use tillwatch_analyse::{
    AnalyseError, MetricDefinition, MetricTitle, Nature, check_metrics, natures,
};
use tillwatch_event::{Field, FieldType, StreamSchema, currency};
use tillwatch_process::{
    CubeDefinition, Item, ProcessError, ProcessOptions, Processor, Rates, StreamDefinition,
};

use super::boards::TITLE_CHARS_MAX;
use super::fault::Fault;
use super::folder::Folder;
use super::resolve::{Resolved, dimension_names, split_hint, unknown_dimension};
use super::shape;

/// The rates as written; none when they are at fault.
pub fn rates(folder: &Folder, faults: &mut Vec<Fault>) -> Option<Arc<Rates>> {
    let Some(item) = &folder.rates else {
        return (!folder.is_unread("rates", "")).then(|| Arc::new(Rates::none()));
    };
    let written = &item.value;
    let pairs = written
        .per_base
        .iter()
        .map(|(code, rate)| (code.as_str(), rate.as_str()));
    let mut refuse = |path: &[&str], message: String| {
        faults.push(folder.fault(item.file, path, message));
    };
    let mut sound = true;
    if written.as_of.parse::<jiff::civil::Date>().is_err() {
        let message = format!("'{}' is no day; write YYYY-MM-DD", written.as_of);
        refuse(&["rates", "as_of"], message);
        sound = false;
    }
    let codes = written.per_base.keys();
    let known = |code: &str| currency::is_code(code.as_bytes());
    for code in codes.filter(|code| !known(code)) {
        let message = format!("'{code}' is no currency; use an ISO 4217 code such as USD");
        refuse(&["rates", "per_base", code], message);
        sound = false;
    }
    if !sound {
        return None;
    }
    match Rates::new(&written.base, Some(&written.as_of), pairs) {
        Ok(rates) => Some(Arc::new(rates)),
        Err(error) => {
            let message = error.to_string();
            let message = message.strip_prefix("rates: ").unwrap_or(&message);
            let code = written
                .per_base
                .keys()
                .find(|code| message.contains(code.as_str()));
            let path: Vec<&str> = match code {
                Some(code) => vec!["rates", "per_base", code],
                None => vec!["rates"],
            };
            faults.push(folder.fault(item.file, &path, message));
            None
        }
    }
}

/// Plans streams and cubes; gives the processor of all that is sound, and the cubes that lack something.
pub fn processor(
    folder: &Folder,
    resolved: &Resolved,
    rates: Option<&Arc<Rates>>,
    options: &ProcessOptions,
    faults: &mut Vec<Fault>,
) -> Option<(Processor, HashSet<String>)> {
    let mut damaged = HashSet::new();
    // Fields that could not be read and derived columns that were taken out, each with its stream.
    let mut gone: HashSet<(String, String)> = HashSet::new();
    // Without the rates that are at fault themselves, who converts by them would be blamed.
    let rates_told = rates.is_none();
    let rates = rates.cloned().unwrap_or_else(|| Arc::new(Rates::none()));
    let mut streams = resolved.streams.clone();
    let mut cubes = resolved.cubes.clone();
    for (name, stream) in &mut streams {
        if resolved.faulty_streams.contains(name) {
            let written = folder.streams.iter().find(|item| item.name == *name);
            let fields = written
                .into_iter()
                .flat_map(|item| item.value.fields.keys());
            let lost = fields.filter(|field| stream.schema.field(field).is_none());
            gone.extend(lost.map(|field| (name.clone(), field.clone())));
            stream.schema = Arc::new(completed(&stream.schema));
        }
    }
    // What is at fault is taken out until the rest can be planned; each round takes out at least one item.
    loop {
        let planned = Processor::plan(
            streams.values().cloned().collect(),
            cubes.values().cloned().collect(),
            &rates,
            options.clone(),
        );
        let errors = match planned {
            Ok(processor) => return Some((processor, damaged)),
            Err(errors) => errors,
        };
        let mut smaller = false;
        for error in errors {
            let ProcessError::Definition {
                item,
                expression,
                reason,
            } = &error
            else {
                faults.push(folder.fault(0, &[], error.to_string()));
                return None;
            };
            let fault = definition_fault(folder, item, expression.as_deref(), reason);
            let about_rates = reason.contains("no rates are defined");
            let about_gone = missing(reason, "there is no field '").is_some_and(|column| {
                stream_of(item, &cubes).is_some_and(|stream| gone.contains(&(stream, column)))
            });
            let has_been_told = about_rates && rates_told
                || about_gone
                || match item {
                    // It cannot be planned because of what is known already.
                    Item::Stream { stream } => resolved.faulty_streams.contains(stream),
                    // It has lost its measures because they are at fault.
                    Item::Cube { cube } => {
                        damaged.contains(cube)
                            && cubes.get(cube).is_some_and(|cube| cube.measures.is_empty())
                    }
                    // That it is a field already has been told at the same place.
                    Item::Derive { .. } => faults.iter().any(|told| told.is_where(&fault)),
                    _ => false,
                };
            if !has_been_told && !faults.contains(&fault) {
                faults.push(fault);
            }
            if let Item::Cube { cube } | Item::Dimension { cube, .. } | Item::Measure { cube, .. } =
                item
            {
                damaged.insert(cube.clone());
            }
            if let Item::Derive { stream, column } = item {
                gone.insert((stream.clone(), column.clone()));
            }
            smaller |= take_out(item, &mut streams, &mut cubes);
        }
        if !smaller {
            return None;
        }
    }
}

/// A schema whose faults have been told, with a time and without an id, so that what hangs on its
/// other fields can be judged. No event is ever read with it.
fn completed(schema: &StreamSchema) -> StreamSchema {
    let mut schema = schema.clone();
    schema.id = None;
    let is_time = |field: &Field| {
        !field.optional && matches!(field.kind, FieldType::Timestamp | FieldType::Date)
    };
    if !schema.field(&schema.time).is_some_and(is_time) {
        let stand_in = "the time that is at fault";
        schema
            .fields
            .push(Field::new(stand_in, FieldType::Timestamp, false));
        schema.time = stand_in.to_owned();
    }
    schema
}

/// The name that a message begins with as missing.
fn missing(message: &str, before: &str) -> Option<String> {
    let (name, _) = message.strip_prefix(before)?.split_once('\'')?;
    Some(name.to_owned())
}

/// The stream that an item is of.
fn stream_of(item: &Item, cubes: &IndexMap<String, CubeDefinition>) -> Option<String> {
    match item {
        Item::Stream { stream } | Item::Derive { stream, .. } => Some(stream.clone()),
        Item::Cube { cube } | Item::Dimension { cube, .. } | Item::Measure { cube, .. } => {
            cubes.get(cube).map(|cube| cube.from.clone())
        }
        _ => None,
    }
}

fn definition_fault(folder: &Folder, item: &Item, expression: Option<&str>, reason: &str) -> Fault {
    let (section, name, within): (&str, &str, Vec<&str>) = match item {
        Item::Stream { stream } => ("streams", stream, vec![]),
        Item::Derive { stream, column } => ("streams", stream, vec!["derive", column]),
        Item::Cube { cube } => ("cubes", cube, vec![]),
        Item::Dimension { cube, dimension } => ("cubes", cube, vec!["dimensions", dimension]),
        Item::Measure { cube, measure } => ("cubes", cube, vec!["measures", measure]),
        _ => ("rates", "", vec![]),
    };
    let file = match section {
        "streams" => folder
            .streams
            .iter()
            .find(|i| i.name == name)
            .map(|i| i.file),
        "cubes" => folder.cubes.iter().find(|i| i.name == name).map(|i| i.file),
        _ => folder.rates.as_ref().map(|i| i.file),
    };
    // A dimension stands in a list: its position is found by its name.
    let position;
    let mut path = vec![section, name];
    if let ["dimensions", dimension] = within.as_slice() {
        let known = dimension_names(folder, name);
        position = known
            .iter()
            .position(|d| d == dimension)
            .unwrap_or_default()
            .to_string();
        path.extend(["dimensions", position.as_str()]);
    } else {
        path.extend(within);
    }
    let (message, suggestion) = split_hint(&in_words(reason));
    let suggestion = suggestion.or_else(|| function_hint(&message));
    let message = match expression {
        Some(expression) if !message.contains(expression) => {
            format!("{message}, in `{expression}`")
        }
        _ => message,
    };
    folder
        .fault(file.unwrap_or_default(), &path, message)
        .suggest(suggestion)
}

/// What the planner says, for those who write definitions and not planners.
fn in_words(reason: &str) -> String {
    if reason.contains("does not support logical expression AggregateFunction") {
        return "an aggregate of an aggregate has no value; take one of them".to_owned();
    }
    reason.to_owned()
}

/// The function that a misspelt one may have been.
fn function_hint(message: &str) -> Option<String> {
    const COMMON: &[&str] = &[
        "abs",
        "avg",
        "ceil",
        "coalesce",
        "concat",
        "corr",
        "count",
        "date_part",
        "date_trunc",
        "floor",
        "greatest",
        "least",
        "length",
        "lower",
        "max",
        "median",
        "min",
        "nullif",
        "replace",
        "round",
        "stddev",
        "strpos",
        "substr",
        "sum",
        "to_timestamp",
        "trim",
        "upper",
        "var_samp",
    ];
    let name = message
        .strip_prefix("there is no function '")?
        .strip_suffix('\'')?;
    let own = tillwatch_process::function_docs();
    let own = own.iter().filter_map(|doc| doc.signature.split('(').next());
    super::folder::nearest_name(name, own.chain(COMMON.iter().copied()))
}

/// Takes the item out; false if it is not there to be taken.
fn take_out(
    item: &Item,
    streams: &mut IndexMap<String, StreamDefinition>,
    cubes: &mut IndexMap<String, CubeDefinition>,
) -> bool {
    match item {
        Item::Stream { stream } => {
            cubes.retain(|_, cube| cube.from != *stream);
            streams.shift_remove(stream).is_some()
        }
        Item::Derive { stream, column } => {
            let Some(definition) = streams.get_mut(stream) else {
                return false;
            };
            let before = definition.derive.len();
            definition.derive.retain(|(name, _)| name != column);
            definition.derive.len() < before
        }
        Item::Cube { cube } => cubes.shift_remove(cube).is_some(),
        Item::Dimension { cube, dimension } => {
            let Some(definition) = cubes.get_mut(cube) else {
                return false;
            };
            let before = definition.dimensions.len();
            definition.dimensions.retain(|(name, _)| name != dimension);
            definition.dimensions.len() < before
        }
        Item::Measure { cube, measure } => {
            let Some(definition) = cubes.get_mut(cube) else {
                return false;
            };
            let before = definition.measures.len();
            definition.measures.retain(|(name, _)| name != measure);
            definition.measures.len() < before
        }
        _ => false,
    }
}

/// Checks every metric against its cube; gives those that can be judged, and what they are to a detector: nothing is
/// told of a metric at fault.
pub fn metrics(
    folder: &Folder,
    (processor, damaged): (Processor, HashSet<String>),
    faults: &mut Vec<Fault>,
) -> (Vec<MetricDefinition>, HashMap<String, Nature>) {
    let mut judged: Vec<(usize, MetricDefinition)> = Vec::new();
    for item in &folder.metrics {
        let written = &item.value;
        if let Some(title) = &written.title {
            let at = ["metrics", item.name.as_str(), "title"];
            let found = title.faults("title", TITLE_CHARS_MAX).into_iter();
            faults.extend(found.map(|(language, message)| {
                folder.fault(item.file, &[&at[..], &[language]].concat(), message)
            }));
        }
        if folder.is_unread("cubes", &written.of) {
            continue;
        } else if !folder.cubes.iter().any(|cube| cube.name == written.of) {
            let names = folder.cubes.iter().map(|cube| cube.name.as_str());
            let message = format!("there is no cube '{}'", written.of);
            faults.push(
                folder
                    .fault(item.file, &["metrics", &item.name, "of"], message)
                    .suggest(super::folder::nearest_name(&written.of, names)),
            );
        } else if processor.cube(&written.of).is_some() {
            let definition = MetricDefinition {
                name: item.name.clone(),
                of: written.of.clone(),
                expr: written.expr.clone(),
                unit: written.unit.clone(),
                description: written.description.clone(),
                formula: written.formula.clone(),
                title: written.title.as_ref().map(|title| MetricTitle {
                    en: title.en.clone(),
                    zh: title.zh.clone(),
                }),
            };
            judged.push((item.file, definition));
        }
    }
    let definitions: Vec<_> = judged
        .iter()
        .map(|(_, definition)| definition.clone())
        .collect();
    let processor = Arc::new(processor);
    let found = check_metrics(&processor, definitions.clone());
    let natures = natures(&processor, definitions.clone());
    for error in &found {
        let (name, fault) = match error {
            AnalyseError::Metric { metric, fault, .. } => (metric.as_str(), fault.clone()),
            other => ("", tillwatch_analyse::Fault::new(other.to_string())),
        };
        // A measure that is at fault itself has been reported.
        let lost = judged
            .iter()
            .find(|(_, d)| d.name == name)
            .is_some_and(|(_, definition)| {
                let measure = missing(&fault.message, "there is no measure '");
                let cube = folder.cubes.iter().find(|cube| cube.name == definition.of);
                let written = cube
                    .zip(measure)
                    .is_some_and(|(cube, measure)| cube.value.measures.contains_key(&measure));
                damaged.contains(&definition.of) && written
            });
        if lost {
            continue;
        }
        let file = judged
            .iter()
            .find(|(_, d)| d.name == name)
            .map_or(0, |(file, _)| *file);
        faults.push(
            folder
                .fault(file, &["metrics", name, "expr"], fault.message)
                .suggest(fault.suggestion),
        );
    }
    (definitions, natures)
}

/// Checks that what monitors weigh incidents by adds up, and that it can be asked for by their dimensions.
pub fn impacts(folder: &Folder, natures: &HashMap<String, Nature>, faults: &mut Vec<Fault>) {
    for item in &folder.monitors {
        let Some(impact) = &item.value.impact else {
            continue;
        };
        let path = ["monitors", item.name.as_str(), "impact"];
        if matches!(natures.get(impact), Some(Nature::Ratio | Nature::Value)) {
            let message = format!("an `impact` is a metric that adds up, and '{impact}' does not");
            let instead = "use a sum or a count, such as a volume in one currency";
            faults
                .push((folder.fault(item.file, &path, message)).suggest(Some(instead.to_owned())));
        }
        let Some(metric) = folder.metrics.iter().find(|metric| metric.name == *impact) else {
            continue;
        };
        let known = dimension_names(folder, &metric.value.of);
        let missing = item
            .value
            .by
            .iter()
            .find(|name| !known.is_empty() && !known.contains(&name.as_str()));
        if let Some(name) = missing {
            let cube = &metric.value.of;
            faults.push(unknown_dimension(
                folder, item.file, &path, name, cube, &known,
            ));
        }
    }
}

/// Checks that detectors have a metric that they can judge. `natures` says what sound metrics are.
pub fn detectors(folder: &Folder, natures: &HashMap<String, Nature>, faults: &mut Vec<Fault>) {
    const SHARE: &str = "a count divided by a count";
    const COUNT: &str = "a count of events";
    for item in &folder.monitors {
        let Some(nature) = natures.get(&item.value.metric) else {
            continue;
        };
        let (within, what, needed, instead): (Vec<&str>, _, _, _) = match (
            &item.value.detect,
            nature,
        ) {
            (shape::Detect::Rate(_), Nature::Count | Nature::Sum | Nature::Value) => (
                vec!["rate"],
                "`rate` judges",
                SHARE,
                "use `threshold`, or a metric such as approved / attempts over two counts",
            ),
            (shape::Detect::Count(_), Nature::Ratio | Nature::Sum | Nature::Value) => (
                vec!["count"],
                "`count` judges",
                COUNT,
                "use `threshold`, or a metric over measures such as count(*)",
            ),
            (shape::Detect::Silence(_), Nature::Ratio | Nature::Sum | Nature::Value) => (
                vec!["silence"],
                "`silence` judges",
                COUNT,
                "use a metric over measures such as count(*)",
            ),
            (shape::Detect::Threshold(threshold), Nature::Count | Nature::Sum | Nature::Value)
                if threshold.min_samples.is_some_and(|n| n > 0) =>
            {
                (
                    vec!["threshold", "min_samples"],
                    "`min_samples` counts the denominator of",
                    SHARE,
                    "leave `min_samples` out, or use a metric such as approved / attempts over two counts",
                )
            }
            _ => continue,
        };
        let path: Vec<&str> = ["monitors", item.name.as_str(), "detect"]
            .into_iter()
            .chain(within)
            .collect();
        let message = format!(
            "{what} {needed}, and metric '{}' is none",
            item.value.metric
        );
        faults.push(
            folder
                .fault(item.file, &path, message)
                .suggest(Some(instead.to_owned())),
        );
    }
}
