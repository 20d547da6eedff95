//! Reads a folder of real incidents: `labels.yaml` and a CSV file an incident.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::Case;
use tillwatch_monitor::explain::{Counts, Dimension, Figures, Leaves};

/// Columns that are not dimensions: minute, failures, attempts.
const COLUMNS: [&str; 3] = ["min", "value", "cnt"];
/// Standard deviations from the median rate beyond which a minute is not normal.
const MINUTE_DEVIATIONS_MAX: f64 = 3.0;
/// Makes the median absolute deviation a standard deviation.
const MAD_TO_DEVIATION: f64 = 1.4826;

#[derive(Deserialize)]
struct Label {
    data: String,
    timestamp: i64,
    cause: Cause,
}

/// One element, or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Cause {
    One(BTreeMap<String, serde_json::Value>),
    Many(Vec<BTreeMap<String, serde_json::Value>>),
}

/// Reads all incidents of a folder.
///
/// # Errors
/// Names the file, and the line where it has one, of what is absent or not as it should be.
pub fn folder(path: &Path) -> Result<Vec<Case>> {
    let labels = path.join("labels.yaml");
    let text = std::fs::read_to_string(&labels)
        .with_context(|| format!("{}: no labels to compare with", labels.display()))?;
    let read: Vec<Label> =
        serde_saphyr::from_str(&text).with_context(|| format!("{}", labels.display()))?;
    ensure!(!read.is_empty(), "{}: no incident in it", labels.display());
    read.into_iter()
        .map(|label| {
            let file = path.join(format!("{}.csv", label.data));
            case(&file, label)
        })
        .collect()
}

fn case(file: &Path, label: Label) -> Result<Case> {
    let rows = rows(file)?;
    let causes = match label.cause {
        Cause::One(element) => vec![element],
        Cause::Many(elements) => elements,
    };
    let causes = causes.into_iter().map(|element| {
        let pairs = element.into_iter().map(|(dimension, value)| {
            ensure!(
                rows.dimensions.contains(&dimension),
                "{}: the label's dimension {dimension:?} is no column of it",
                file.display()
            );
            let value = match value {
                serde_json::Value::Null => None,
                serde_json::Value::String(text) => Some(text),
                other => Some(other.to_string()),
            };
            Ok((dimension, value))
        });
        pairs.collect::<Result<BTreeSet<_>>>()
    });
    Ok(Case {
        name: label.data,
        causes: causes.collect::<Result<_>>()?,
        leaves: leaves(file, &rows, label.timestamp)?,
    })
}

struct Row {
    minute: i64,
    values: Vec<String>,
    counts: Counts,
}

struct Rows {
    dimensions: Vec<String>,
    rows: Vec<Row>,
}

fn rows(file: &Path) -> Result<Rows> {
    let name = file.display();
    let mut reader = csv::Reader::from_path(file).with_context(|| format!("{name}"))?;
    let header = reader.headers().with_context(|| format!("{name}"))?.clone();
    let mut at = [0; COLUMNS.len()];
    for (position, column) in at.iter_mut().zip(COLUMNS) {
        *position = header
            .iter()
            .position(|h| h == column)
            .with_context(|| format!("{name}:1: no column {column:?}"))?;
    }
    let dimensions: Vec<usize> = (0..header.len()).filter(|i| !at.contains(i)).collect();
    let mut found = Rows {
        dimensions: dimensions
            .iter()
            .filter_map(|i| header.get(*i).map(str::to_owned))
            .collect(),
        rows: Vec::new(),
    };
    for record in reader.records() {
        let record = record.with_context(|| format!("{name}"))?;
        let line = record.position().map_or(0, csv::Position::line);
        let number = |column: usize| -> Result<f64> {
            let text = record.get(column).unwrap_or_default();
            let title = header.get(column).unwrap_or_default();
            let number: f64 = text
                .parse()
                .with_context(|| format!("{name}:{line}: {title} is {text:?}, not a number"))?;
            ensure!(
                number.is_finite() && number >= 0.0,
                "{name}:{line}: {title} is {text}, not a count"
            );
            Ok(number)
        };
        let [minute, failures, attempts] = at;
        let (minute, failures, attempts) = (number(minute)?, number(failures)?, number(attempts)?);
        ensure!(
            failures <= attempts,
            "{name}:{line}: {failures} failures of {attempts} attempts"
        );
        found.rows.push(Row {
            minute: minute as i64,
            values: dimensions
                .iter()
                .map(|i| record.get(*i).unwrap_or_default().to_owned())
                .collect(),
            counts: Counts {
                successes: attempts - failures,
                attempts,
            },
        });
    }
    Ok(found)
}

/// Leaves of the incident's minute, against the minutes before it that look normal.
fn leaves(file: &Path, rows: &Rows, at: i64) -> Result<Leaves> {
    let mut minutes: BTreeMap<i64, Counts> = BTreeMap::new();
    for row in rows.rows.iter().filter(|row| row.minute <= at) {
        let sum = minutes.entry(row.minute).or_default();
        *sum = sum.plus(row.counts);
    }
    if minutes.remove(&at).is_none() {
        bail!("{}: no row of the incident's minute {at}", file.display());
    }
    let normal = normal_minutes(&minutes);
    ensure!(
        !normal.is_empty(),
        "{}: no minute with attempts before the incident's, {at}",
        file.display()
    );
    let mut pairs: BTreeMap<&[String], [Counts; 2]> = BTreeMap::new();
    for row in &rows.rows {
        let pair = pairs.entry(&row.values);
        if row.minute == at {
            let [_, now] = pair.or_default();
            *now = now.plus(row.counts);
        } else if normal.contains(&row.minute) {
            let [before, _] = pair.or_default();
            *before = before.plus(row.counts);
        }
    }
    let dimensions = rows
        .dimensions
        .iter()
        .enumerate()
        .map(|(position, name)| {
            let column = || pairs.keys().filter_map(|values| values.get(position));
            let dictionary: BTreeSet<&String> = column().collect();
            let codes: BTreeMap<&String, u32> = dictionary.iter().copied().zip(0..).collect();
            Dimension {
                name: name.clone(),
                codes: column().filter_map(|v| codes.get(v).copied()).collect(),
                values: dictionary.into_iter().cloned().map(Some).collect(),
            }
        })
        .collect();
    let figures = Figures::Rates {
        expected: pairs.values().map(|[before, _]| *before).collect(),
        actual: pairs.values().map(|[_, now]| *now).collect(),
    };
    Leaves::new(dimensions, figures).with_context(|| format!("{}", file.display()))
}

/// Minutes whose rate is near the median: an incident may begin before the minute it is seen, and
/// another may have gone before.
fn normal_minutes(minutes: &BTreeMap<i64, Counts>) -> BTreeSet<i64> {
    let rates: Vec<(i64, f64)> = minutes
        .iter()
        .filter_map(|(minute, counts)| Some((*minute, counts.rate()?)))
        .collect();
    let median = median(rates.iter().map(|(_, rate)| *rate).collect());
    let deviations = rates
        .iter()
        .map(|(_, rate)| (rate - median).abs())
        .collect();
    let limit = MINUTE_DEVIATIONS_MAX * MAD_TO_DEVIATION * self::median(deviations);
    rates
        .into_iter()
        .filter(|(_, rate)| (rate - median).abs() <= limit)
        .map(|(minute, _)| minute)
        .collect()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    // Of an even number the upper one: rates of success, so the healthier.
    numbers.get(numbers.len() / 2).copied().unwrap_or(0.0)
}
