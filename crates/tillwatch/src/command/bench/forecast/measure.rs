//! The measures of the M4 competition (Makridakis, Spiliotis and Assimakopoulos, 2020).

/// Hours of a day: the season that errors are scaled by.
pub const SEASON: usize = 24;

/// One forecast against what came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Score {
    /// Symmetric mean absolute percentage error, 0 to 200.
    pub smape: f64,
    /// Mean absolute error ÷ that of the seasonal naive forecast within the history.
    pub mase: f64,
    /// Share of values inside the 80 % interval.
    pub coverage80: f64,
    /// Share of values inside the 95 % interval.
    pub coverage95: f64,
    /// Mean width of the 80 % interval, scaled as in MASE.
    pub width80: f64,
    /// Mean width of the 95 % interval, scaled as in MASE.
    pub width95: f64,
    /// Mean scaled interval score of the 95 % interval (Gneiting and Raftery, 2007): width plus
    /// 2 ÷ 0.05 times what values lie outside by.
    pub msis: f64,
}

/// A forecast value with both intervals.
#[derive(Clone, Copy, Debug)]
pub struct Forecast {
    /// Expected value.
    pub mean: f64,
    /// Ends of the 80 % interval.
    pub within80: (f64, f64),
    /// Ends of the 95 % interval.
    pub within95: (f64, f64),
}

/// Mean absolute difference of values a season apart.
#[must_use]
pub fn seasonal_scale(train: &[f64]) -> f64 {
    let pairs = train.iter().zip(train.iter().skip(SEASON));
    mean(pairs.map(|(before, after)| (after - before).abs()))
}

/// Scores one series.
#[must_use]
pub fn score(train: &[f64], test: &[f64], forecasts: &[Forecast]) -> Score {
    let scale = seasonal_scale(train);
    let pairs = || test.iter().zip(forecasts);
    let inside = |(low, high): (f64, f64), y: f64| f64::from(u8::from(low <= y && y <= high));
    let smape = |y: f64, f: f64| match y.abs() + f.abs() {
        sum if sum > 0.0 => 200.0 * (y - f).abs() / sum,
        _ => 0.0,
    };
    let interval = |(low, high): (f64, f64), y: f64| {
        high - low + 40.0 * ((low - y).max(0.0) + (y - high).max(0.0))
    };
    Score {
        smape: mean(pairs().map(|(y, f)| smape(*y, f.mean))),
        mase: mean(pairs().map(|(y, f)| (y - f.mean).abs())) / scale,
        coverage80: mean(pairs().map(|(y, f)| inside(f.within80, *y))),
        coverage95: mean(pairs().map(|(y, f)| inside(f.within95, *y))),
        width80: mean(pairs().map(|(_, f)| f.within80.1 - f.within80.0)) / scale,
        width95: mean(pairs().map(|(_, f)| f.within95.1 - f.within95.0)) / scale,
        msis: mean(pairs().map(|(y, f)| interval(f.within95, *y))) / scale,
    }
}

/// The mean over all series, each measure by itself.
#[must_use]
pub fn average(scores: &[Score]) -> Score {
    let of = |measure: fn(&Score) -> f64| mean(scores.iter().map(measure));
    Score {
        smape: of(|s| s.smape),
        mase: of(|s| s.mase),
        coverage80: of(|s| s.coverage80),
        coverage95: of(|s| s.coverage95),
        width80: of(|s| s.width80),
        width95: of(|s| s.width95),
        msis: of(|s| s.msis),
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
    sum / count
}
