//! The hourly series of the M4 competition, as `m4_hourly_train.csv` and `m4_hourly_test.csv`: a
//! line a series, its name and then its values, without a header.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

/// One series: what is given, and what followed.
pub struct Series {
    /// Its name in the competition, such as `H42`.
    pub name: String,
    /// The values to learn from.
    pub train: Vec<f64>,
    /// The values to forecast.
    pub test: Vec<f64>,
}

/// Reads both files of a folder.
///
/// # Errors
/// Names the file, and the line where one cannot be read.
pub fn read(folder: &Path) -> Result<Vec<Series>> {
    let train = folder.join("m4_hourly_train.csv");
    let test = folder.join("m4_hourly_test.csv");
    let mut followed: HashMap<String, Vec<f64>> = lines(&test)?.into_iter().collect();
    let mut all = Vec::new();
    for (name, values) in lines(&train)? {
        let Some(test_values) = followed.remove(&name) else {
            bail!("{}: series {name} is missing", test.display());
        };
        all.push(Series {
            name,
            train: values,
            test: test_values,
        });
    }
    if let Some(name) = followed.keys().min() {
        bail!("{}: series {name} is missing", train.display());
    }
    ensure!(!all.is_empty(), "{}: no series", train.display());
    Ok(all)
}

fn lines(path: &Path) -> Result<Vec<(String, Vec<f64>)>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut found: Vec<(String, Vec<f64>)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let place = || format!("{}:{}", path.display(), index + 1);
        let mut cells = line.trim_end().trim_end_matches(',').split(',');
        let name = cells
            .next()
            .unwrap_or_default()
            .trim_matches('"')
            .to_owned();
        ensure!(!name.is_empty(), "{}: the line has no name", place());
        ensure!(
            found.iter().all(|(known, _)| *known != name),
            "{}: series {name} is there twice",
            place()
        );
        let mut values = Vec::new();
        for cell in cells {
            let value: f64 = cell
                .trim()
                .trim_matches('"')
                .parse()
                .with_context(|| format!("{}: `{cell}` is not a number", place()))?;
            ensure!(value.is_finite(), "{}: `{cell}` is not finite", place());
            values.push(value);
        }
        ensure!(!values.is_empty(), "{}: series {name} is empty", place());
        found.push((name, values));
    }
    Ok(found)
}
