//! Runs the detector over a corpus, and reports.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

use super::corpus::Series;
use super::score::{self, Outcome, Worth};
use tillwatch_monitor::detect::stream::StreamDetector;

/// Thresholds reported besides the best one: users have no labels to find the best one with.
const FIXED: [f64; 6] = [0.05, 0.1, 0.2, 0.5, 0.9, 0.99];
/// The detector's name in result files.
const DETECTOR: &str = "tillwatch";

/// A series and what the detector said of it.
#[derive(Clone, Debug)]
pub struct Scored<'a> {
    /// The series.
    pub series: &'a Series,
    /// What each point is worth as an alert.
    pub worths: Vec<Worth>,
    /// Probability of each point.
    pub scores: Vec<f64>,
}

/// Runs a new detector over each series; also gives the time per value in ns.
#[must_use]
pub fn judge(corpus: &[Series]) -> (Vec<Scored<'_>>, f64) {
    let start = Instant::now();
    let points: usize = corpus.iter().map(|series| series.values.len()).sum();
    let all = corpus
        .iter()
        .map(|series| {
            let mut detector = StreamDetector::new(series.step_us());
            let values = series.times_us.iter().zip(&series.values);
            let scores = values
                .map(|(time_us, value)| detector.update(*time_us, Some(*value)).probability)
                .collect();
            Scored {
                series,
                worths: score::worths(series),
                scores,
            }
        })
        .collect();
    (
        all,
        start.elapsed().as_nanos() as f64 / points.max(1) as f64,
    )
}

/// All series' outcomes at one threshold, added up.
#[must_use]
pub fn total(all: &[&Scored], threshold: f64) -> Outcome {
    all.iter()
        .map(|scored| score::outcome(scored.series, &scored.worths, &scored.scores, threshold))
        .fold(Outcome::default(), Outcome::plus)
}

/// The threshold that scores best over all.
#[must_use]
pub fn best_threshold(all: &[&Scored]) -> f64 {
    let parts: Vec<_> = all
        .iter()
        .map(|scored| {
            (
                scored.series,
                scored.worths.as_slice(),
                scored.scores.as_slice(),
            )
        })
        .collect();
    score::best_threshold(&parts).0
}

/// A table: at the best threshold in all, by category and by series; with each series judged by the
/// best threshold of the others; and at fixed thresholds.
#[must_use]
pub fn report(all: &[Scored], ns_per_value: f64) -> String {
    let every: Vec<&Scored> = all.iter().collect();
    let best = best_threshold(&every);
    let mut text = format!(
        "{:<44} {:>6} {:>9} {:>7} {:>7} {:>9}\n",
        "", "score", "hits", "alerts", "weeks", "per week"
    );
    let mut row = |name: &str, outcome: Outcome| {
        let hits = format!("{}/{}", outcome.hits, outcome.windows);
        let score = if outcome.windows == 0 {
            "-".to_owned()
        } else {
            format!("{:.2}", outcome.score())
        };
        let (alerts, weeks, rate) = (
            outcome.false_alerts,
            outcome.weeks,
            outcome.false_alerts_per_week(),
        );
        let _ = writeln!(
            text,
            "{name:<44} {score:>6} {hits:>9} {alerts:>7} {weeks:>7.1} {rate:>9.3}"
        );
    };
    row(
        &format!("all, best threshold {best:.5}"),
        total(&every, best),
    );
    let others = |left_out: &str| -> Vec<&Scored> {
        all.iter()
            .filter(|scored| scored.series.name != left_out)
            .collect()
    };
    let held_out = all
        .iter()
        .map(|scored| total(&[scored], best_threshold(&others(&scored.series.name))))
        .fold(Outcome::default(), Outcome::plus);
    row("all, each at the best threshold of the others", held_out);
    for threshold in FIXED {
        row(
            &format!("all, threshold {threshold}"),
            total(&every, threshold),
        );
    }
    let mut categories: BTreeMap<&str, Vec<&Scored>> = BTreeMap::new();
    for scored in all {
        categories
            .entry(scored.series.category())
            .or_default()
            .push(scored);
    }
    for (category, members) in &categories {
        row(category, total(members, best));
    }
    for scored in all {
        row(&scored.series.name, total(&[scored], best));
    }
    let _ = writeln!(
        text,
        "alerts: false ones, close ones merged. {ns_per_value:.0} ns per value"
    );
    text
}

/// Writes `<folder>/<category>/<detector>_<file>.csv` in NAB's format.
///
/// # Errors
/// What cannot be written, with its path.
pub fn write_results(all: &[Scored], folder: &Path) -> Result<()> {
    for scored in all {
        let series = scored.series;
        let category = folder.join(series.category());
        std::fs::create_dir_all(&category)
            .with_context(|| format!("creating {}", category.display()))?;
        let mut text = String::from("timestamp,value,anomaly_score,label\n");
        let rows = series
            .timestamps
            .iter()
            .zip(&series.values)
            .zip(&scored.scores);
        for (point, ((timestamp, value), score)) in rows.enumerate() {
            let label = u8::from(series.labelled(point));
            let _ = writeln!(text, "{timestamp},{value},{score},{label}");
        }
        let path = category.join(format!("{DETECTOR}_{}", series.file()));
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}
