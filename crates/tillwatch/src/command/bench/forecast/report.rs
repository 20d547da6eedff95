//! Runs the forecaster over all series, beside the seasonal naive forecast, and sums up.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tillwatch_predict::{Forecaster, Options, Point};

use super::m4::{self, Series};
use super::measure::{self, Forecast, SEASON, Score};

/// The step of the series.
const HOUR: Duration = Duration::from_secs(3600);
/// Steps of a week.
const WEEK: usize = 168;

/// How to measure.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Leave out this many values at the end of each training part and forecast those instead of
    /// the test part: what methods may be compared by without looking at the test.
    pub held_back: usize,
    /// Print both halves of the series too, parted at random by this seed.
    pub halves: Option<u64>,
    /// Print each series.
    pub each: bool,
}

/// Scores of one method.
struct Row {
    name: String,
    score: Score,
    seconds: Option<f64>,
}

/// What was measured.
pub struct Report {
    series: usize,
    values: usize,
    rows: Vec<Row>,
    each: Vec<String>,
    slowest_ms: f64,
    week_ms: f64,
}

/// Forecasts all series of a folder.
///
/// # Errors
/// Names the file and line that cannot be read, or the series that cannot be forecast.
pub fn measure(folder: &Path, settings: Settings) -> Result<Report> {
    let mut all = m4::read(folder)?;
    if settings.held_back > 0 {
        for series in &mut all {
            hold_back(series, settings.held_back)?;
        }
    }
    let mut ours = Vec::new();
    let mut naive = Vec::new();
    let (mut seconds, mut naive_seconds) = (0.0, 0.0);
    let mut slowest_ms: f64 = 0.0;
    for series in &all {
        let started = Instant::now();
        let forecasts = forecast(series).with_context(|| format!("series {}", series.name))?;
        let took = started.elapsed().as_secs_f64();
        seconds += took;
        slowest_ms = slowest_ms.max(1000.0 * took);
        ours.push(measure::score(&series.train, &series.test, &forecasts));
        let started = Instant::now();
        let forecasts = seasonal_naive(series);
        naive_seconds += started.elapsed().as_secs_f64();
        naive.push(measure::score(&series.train, &series.test, &forecasts));
    }
    let mut rows = vec![Row {
        name: "tillwatch".into(),
        score: measure::average(&ours),
        seconds: Some(seconds),
    }];
    if let Some(seed) = settings.halves {
        for half in 0..2 {
            let some = ours.iter().zip(0..).filter(|(_, i)| coin(seed, *i) == half);
            let some: Vec<Score> = some.map(|(score, _)| *score).collect();
            rows.push(Row {
                name: format!("  half {} ({})", half + 1, some.len()),
                score: measure::average(&some),
                seconds: None,
            });
        }
    }
    rows.push(Row {
        name: "seasonal naive".into(),
        score: measure::average(&naive),
        seconds: Some(naive_seconds),
    });
    let each = if settings.each {
        let lines = all.iter().zip(ours.iter().zip(&naive));
        lines.map(|(s, (a, b))| line_of(s, a, b)).collect()
    } else {
        Vec::new()
    };
    Ok(Report {
        series: all.len(),
        values: all.iter().map(|series| series.train.len()).sum(),
        rows,
        each,
        slowest_ms,
        week_ms: a_week(&all)?,
    })
}

fn line_of(series: &Series, ours: &Score, naive: &Score) -> String {
    format!(
        "{:6} MASE {:6.3} sMAPE {:6.2} coverage {:5.1} %, seasonal naive MASE {:6.3} sMAPE {:6.2}",
        series.name,
        ours.mase,
        ours.smape,
        100.0 * ours.coverage95,
        naive.mase,
        naive.smape
    )
}

fn hold_back(series: &mut Series, count: usize) -> Result<()> {
    let horizon = series.test.len();
    ensure!(
        count >= horizon && count < series.train.len(),
        "series {}: {count} values cannot be held back of {}, for {horizon} steps ahead",
        series.name,
        series.train.len()
    );
    let mut rest = series.train.split_off(series.train.len() - count);
    rest.truncate(horizon);
    series.test = rest;
    Ok(())
}

fn forecast(series: &Series) -> Result<Vec<Forecast>> {
    let values: Vec<Option<f64>> = series.train.iter().copied().map(Some).collect();
    let options = Options {
        horizon: series.test.len(),
        ..Options::default()
    };
    let model = Forecaster::new(options).fit(&values, HOUR)?;
    let points = model.forecast(series.test.len())?;
    let of = |p: Point| Forecast {
        mean: p.mean,
        within80: (p.low80, p.high80),
        within95: (p.low95, p.high95),
    };
    Ok(points.into_iter().map(of).collect())
}

/// How long it takes, in the median of the series, to learn from a week and forecast the next.
fn a_week(all: &[Series]) -> Result<f64> {
    let forecaster = Forecaster::new(Options {
        horizon: WEEK,
        ..Options::default()
    });
    let mut times_ms = Vec::with_capacity(all.len());
    for series in all {
        let newest = series.train.len().saturating_sub(WEEK);
        let week = series.train.iter().skip(newest);
        let values: Vec<Option<f64>> = week.copied().map(Some).collect();
        let started = Instant::now();
        forecaster.fit(&values, HOUR)?.forecast(WEEK)?;
        times_ms.push(1000.0 * started.elapsed().as_secs_f64());
    }
    times_ms.sort_unstable_by(f64::total_cmp);
    Ok(times_ms.get(times_ms.len() / 2).copied().unwrap_or(0.0))
}

/// The last day again and again, with intervals of its own errors within the history: normal, and
/// wider by √2 with the second day.
fn seasonal_naive(series: &Series) -> Vec<Forecast> {
    let last_day = series.train.len().saturating_sub(SEASON);
    let day = series.train.get(last_day..).unwrap_or(&[]);
    let pairs = series.train.iter().zip(series.train.iter().skip(SEASON));
    let squares: f64 = pairs.clone().map(|(a, b)| (b - a).powi(2)).sum();
    let deviation = (squares / pairs.count().max(1) as f64).sqrt();
    let steps = day.iter().cycle().take(series.test.len()).enumerate();
    steps
        .map(|(i, mean)| {
            let days = (i / SEASON + 1) as f64;
            let within = |z: f64| {
                let half = z * deviation * days.sqrt();
                (mean - half, mean + half)
            };
            Forecast {
                mean: *mean,
                within80: within(1.2816),
                within95: within(1.9600),
            }
        })
        .collect()
}

/// A fair coin for each series, from a seed (the finaliser of SplitMix64, Steele et al. 2014).
fn coin(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add((index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)) & 1
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.each {
            writeln!(f, "{line}")?;
        }
        writeln!(
            f,
            "M4 hourly: {} series, {} values to learn from; slowest series {:.1} ms, a week from a week {:.1} ms",
            self.series, self.values, self.slowest_ms, self.week_ms
        )?;
        writeln!(
            f,
            "{:16} {:>7} {:>7} {:>8} {:>8} {:>8} {:>8} {:>7} {:>8}",
            "", "MASE", "sMAPE", "in 80 %", "in 95 %", "width 80", "width 95", "MSIS", "seconds"
        )?;
        for row in &self.rows {
            let s = &row.score;
            let seconds = row.seconds.map_or(String::new(), |s| format!("{s:.3}"));
            writeln!(
                f,
                "{:16} {:7.4} {:7.3} {:6.1} % {:6.1} % {:8.2} {:8.2} {:7.2} {:>8}",
                row.name,
                s.mase,
                s.smape,
                100.0 * s.coverage80,
                100.0 * s.coverage95,
                s.width80,
                s.width95,
                s.msis,
                seconds
            )?;
        }
        write!(
            f,
            "width: mean width of the interval ÷ MASE's scale; MSIS: mean scaled interval score at 95 %"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_those_of_the_competition() {
        let train: Vec<f64> = (0..48).map(|t| f64::from(t / 24) * 2.0).collect();
        let forecasts = [1.0, 4.0].map(|mean| Forecast {
            mean,
            within80: (mean - 0.5, mean + 0.5),
            within95: (mean - 1.0, mean + 1.0),
        });
        let score = measure::score(&train, &[2.0, 4.0], &forecasts);
        // Errors are 1 and 0, the history's seasonal naive ones 2; 200·1 ÷ 3 and 0.
        assert!((score.mase - 0.25).abs() < 1e-12);
        assert!((score.smape - 100.0 / 3.0).abs() < 1e-12);
        assert_eq!((score.coverage80, score.coverage95), (0.5, 1.0));
        assert_eq!((score.width80, score.width95, score.msis), (0.5, 1.0, 1.0));
    }

    #[test]
    fn a_coin_is_about_fair() {
        let heads: u64 = (0..1000).map(|i| coin(7, i)).sum();
        assert!((440..560).contains(&heads), "{heads}");
    }
}
