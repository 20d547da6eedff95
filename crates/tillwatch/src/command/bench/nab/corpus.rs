//! Reads series in NAB's layout: `<category>/<file>.csv` with `timestamp,value`, and `windows.json`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use jiff::civil::DateTime;

/// One labelled series.
#[derive(Clone, Debug)]
pub struct Series {
    /// `<category>/<file>.csv`.
    pub name: String,
    /// Timestamps as they stand in the file.
    pub timestamps: Vec<String>,
    /// The same in µs since 1970, read as UTC.
    pub times_us: Vec<i64>,
    /// Values as they stand in the file.
    pub values: Vec<f64>,
    /// First and last point of each labelled window.
    pub windows: Vec<(usize, usize)>,
}

impl Series {
    /// The folder's name.
    #[must_use]
    pub fn category(&self) -> &str {
        self.name
            .split_once('/')
            .map_or("", |(category, _)| category)
    }

    /// The file's name.
    #[must_use]
    pub fn file(&self) -> &str {
        self.name
            .split_once('/')
            .map_or(self.name.as_str(), |(_, file)| file)
    }

    /// Usual distance of two points: the median of the first ones, as a monitor's definition would
    /// say it.
    #[must_use]
    pub fn step_us(&self) -> i64 {
        let mut steps: Vec<i64> = self
            .times_us
            .iter()
            .zip(self.times_us.iter().skip(1))
            .take(100)
            .map(|(a, b)| b - a)
            .collect();
        steps.sort_unstable();
        steps.get(steps.len() / 2).copied().unwrap_or(1).max(1)
    }

    /// Points at the start that are not scored.
    #[must_use]
    pub fn probation(&self) -> usize {
        self.values.len().min(5000) * 15 / 100
    }

    /// Whether a point lies in a window.
    #[must_use]
    pub fn labelled(&self, point: usize) -> bool {
        self.windows
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&point))
    }
}

/// Reads all series of a folder.
///
/// # Errors
/// A missing folder, or a file that is not in NAB's layout: with file and line.
pub fn read(folder: &Path) -> Result<Vec<Series>> {
    let labels = folder.join("windows.json");
    let windows: BTreeMap<String, Vec<(String, String)>> = if labels.exists() {
        let text = std::fs::read_to_string(&labels)
            .with_context(|| format!("reading {}", labels.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{}: expected file → [[from, to], …]", labels.display()))?
    } else {
        BTreeMap::new()
    };
    let mut names = Vec::new();
    for category in sorted(folder)? {
        if !category.is_dir() {
            continue;
        }
        for file in sorted(&category)? {
            if file.extension().is_some_and(|extension| extension == "csv") {
                names.push(file);
            }
        }
    }
    if names.is_empty() {
        bail!("{}: no <category>/<file>.csv in it", folder.display());
    }
    let mut corpus = Vec::new();
    for path in &names {
        let name: Vec<String> = path
            .strip_prefix(folder)?
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        let name = name.join("/");
        let mut series = read_series(path, name)?;
        for (from, to) in windows.get(&series.name).into_iter().flatten() {
            let bound = |text: &str| {
                time_us(text)
                    .with_context(|| format!("{}: {text:?} of {}", labels.display(), series.name))
            };
            let (from, to) = (bound(from)?, bound(to)?);
            let first = series.times_us.iter().position(|time| *time >= from);
            let last = series.times_us.iter().rposition(|time| *time <= to);
            match (first, last) {
                (Some(first), Some(last)) if first <= last => series.windows.push((first, last)),
                _ => bail!(
                    "{}: a window of {} holds no point",
                    labels.display(),
                    series.name
                ),
            }
        }
        series.windows.sort_unstable();
        corpus.push(series);
    }
    if let Some(unknown) = windows
        .keys()
        .find(|name| corpus.iter().all(|series| series.name != **name))
    {
        bail!(
            "{}: windows of {unknown}, which is not there",
            labels.display()
        );
    }
    Ok(corpus)
}

fn sorted(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn read_series(path: &Path, name: String) -> Result<Series> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let mut series = Series {
        name,
        timestamps: Vec::new(),
        times_us: Vec::new(),
        values: Vec::new(),
        windows: Vec::new(),
    };
    for (number, line) in text.lines().enumerate() {
        let place = || format!("{}:{}", path.display(), number + 1);
        if number == 0 {
            if line.trim() != "timestamp,value" {
                bail!(
                    "{}: expected the header timestamp,value, found {line:?}",
                    place()
                );
            }
            continue;
        }
        if line.trim().is_empty() {
            continue;
        }
        let Some((timestamp, value)) = line.split_once(',') else {
            bail!("{}: expected timestamp,value, found {line:?}", place());
        };
        series
            .times_us
            .push(time_us(timestamp).with_context(place)?);
        series.timestamps.push(timestamp.to_owned());
        let value: f64 = value
            .trim()
            .parse()
            .with_context(|| format!("{}: {value:?} is not a number", place()))?;
        series.values.push(value);
    }
    if series.values.is_empty() {
        bail!("{}: no values", path.display());
    }
    Ok(series)
}

fn time_us(text: &str) -> Result<i64> {
    let time: DateTime = text
        .trim()
        .parse()
        .with_context(|| format!("{text:?} is not a time"))?;
    Ok(time
        .to_zoned(jiff::tz::TimeZone::UTC)?
        .timestamp()
        .as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str, csv: &str, windows: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("nab-{}-{name}", std::process::id()));
        std::fs::create_dir_all(folder.join("some")).unwrap();
        std::fs::write(folder.join("some/a.csv"), csv).unwrap();
        std::fs::write(folder.join("windows.json"), windows).unwrap();
        folder
    }

    fn error(name: &str, csv: &str, windows: &str) -> String {
        let folder = folder(name, csv, windows);
        let error = read(&folder).expect_err("must not be read");
        std::fs::remove_dir_all(folder).unwrap();
        format!("{error:#}")
    }

    const CSV: &str = "timestamp,value\n2014-04-01 00:00:00,20.0\n2014-04-01 00:05:00,21.5\n";

    #[test]
    fn a_series_and_its_windows_are_read() {
        let windows =
            r#"{"some/a.csv": [["2014-04-01 00:05:00.000000", "2014-04-01 00:05:00.000000"]]}"#;
        let folder = folder("good", CSV, windows);
        let corpus = read(&folder).unwrap();
        std::fs::remove_dir_all(folder).unwrap();
        assert_eq!(corpus.len(), 1);
        assert_eq!(corpus[0].values, [20.0, 21.5]);
        assert_eq!(corpus[0].windows, [(1, 1)]);
        assert_eq!(corpus[0].step_us(), 300_000_000);
        assert_eq!((corpus[0].category(), corpus[0].file()), ("some", "a.csv"));
    }

    #[test]
    fn what_is_wrong_is_said_with_file_and_line() {
        let number = error("number", &CSV.replace("21.5", "many"), "{}");
        assert!(
            number.contains("a.csv:3") && number.contains("many"),
            "{number}"
        );
        let time = error("time", &CSV.replace("2014-04-01 00:05:00", "noon"), "{}");
        assert!(time.contains("a.csv:3") && time.contains("noon"), "{time}");
        let header = error("header", "time;value\n", "{}");
        assert!(header.contains("a.csv:1"), "{header}");
        let unknown = error("unknown", CSV, r#"{"some/b.csv": []}"#);
        assert!(unknown.contains("some/b.csv"), "{unknown}");
        let missing = read(Path::new("/nowhere/at/all")).expect_err("must not be read");
        assert!(
            format!("{missing:#}").contains("/nowhere/at/all"),
            "{missing:#}"
        );
    }
}
