//! What is tried out, and when.

use crate::cycle::Cycles;
use crate::expert::Trial;
use crate::expert::regression::Recipe;
use crate::expert::smoothing::Gains;
use crate::history::History;

/// Leads at which methods are compared, at most.
const LEADS_MAX: usize = 64;
/// Short periods at the end of the history in which methods are tried out.
const TRIAL_PERIODS: f64 = 14.0;
/// The same, as a share of the history, at most.
const TRIAL_SHARE: f64 = 0.4;
/// Share of a history without periods.
const TRIAL_SHARE_PLAIN: f64 = 0.5;
/// How often forecasts are made.
const ORIGINS: usize = 48;

/// Forecasts of up to `horizon` steps at regular times of the last part of the history, moving
/// through the hours of the day.
pub(crate) fn trial(history: &History, horizon: usize) -> Trial {
    let steps = history.len();
    let short = history.cycles.short;
    let lag = short.lag();
    let span = if short.is_some() {
        let most = (TRIAL_PERIODS * lag as f64) as usize;
        ((steps as f64 * TRIAL_SHARE) as usize).min(most)
    } else {
        (steps as f64 * TRIAL_SHARE_PLAIN) as usize
    };
    let span = span.max(1);
    let mut spacing = (span / ORIGINS).max(1);
    while lag > 1 && common_divisor(spacing, lag) > 1 {
        spacing += 1;
    }
    let mut origins: Vec<usize> = (steps - span..steps).rev().step_by(spacing).collect();
    origins.reverse();
    let horizon = horizon.min(span);
    let count = horizon.min(LEADS_MAX);
    let leads = (1..=count).map(|i| (i * horizon).div_ceil(count)).collect();
    Trial { origins, leads }
}

fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// Gains of smoothing that are tried out, without trend.
pub(crate) fn gains(cycles: Cycles) -> Vec<Gains> {
    let seasonal = cycles.short.is_some();
    let choose = |with: &'static [f64], without: &'static [f64], there: bool| {
        if there { with } else { without }
    };
    let levels = choose(
        &[0.0, 0.01, 0.04, 0.15],
        &[0.02, 0.1, 0.3, 0.6, 0.95],
        seasonal,
    );
    let carries = choose(&[0.0, 0.5, 0.8, 0.95], &[0.0, 0.5, 0.9], seasonal);
    let shorts = choose(&[0.01, 0.06, 0.2], &[0.0], seasonal);
    let longs = choose(&[0.0, 0.05, 0.15, 0.35], &[0.0], cycles.long.is_some());
    let mut all = Vec::new();
    for &level in levels {
        for &carry in carries {
            for &short in shorts {
                all.extend(longs.iter().map(|&long| Gains {
                    level,
                    trend: 0.0,
                    short,
                    long,
                    carry,
                }));
            }
        }
    }
    all
}

/// Gains of a trend that are tried out with the best others, as shares of the level's gain.
pub(crate) const TREND_SHARES: [f64; 2] = [0.02, 0.002];

/// Penalty of the autoregressions.
const RIDGE: f64 = 0.001;

/// Autoregressions that are tried out.
pub(crate) fn recipes(cycles: Cycles) -> Vec<Recipe> {
    let (d, w) = (cycles.short.lag(), cycles.long.lag());
    let each = |lags: &[usize]| -> Vec<Vec<usize>> { lags.iter().map(|lag| vec![*lag]).collect() };
    let all = if cycles.long.is_some() {
        // The mean of the same hour of all days of the week before.
        let hour: Vec<usize> = (1..=w / d).map(|day| day * d).collect();
        let with_hour = |lags: &[usize]| {
            let mut regressors = each(lags);
            regressors.push(hour.clone());
            regressors
        };
        vec![
            each(&[1, d, w]),
            each(&[1, 2, d, d + 1, w, w + 1]),
            each(&[1, 2, 3, d - 1, d, d + 1, 2 * d, w - 1, w, w + 1]),
            each(&[d, w, 2 * w]),
            with_hour(&[1, 2, d, d + 1, w, w + 1]),
            with_hour(&[1, d, w, 2 * w]),
        ]
    } else if cycles.short.is_some() {
        vec![each(&[1, d]), each(&[1, 2, d, d + 1]), each(&[1, d, 2 * d])]
    } else {
        vec![each(&[1]), each(&[1, 2])]
    };
    let ridge = RIDGE;
    let recipe = |regressors| Recipe { regressors, ridge };
    all.into_iter().map(recipe).collect()
}
