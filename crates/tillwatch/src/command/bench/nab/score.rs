//! NAB's score, standard profile.
//!
//! Of each window the earliest alert counts, the more the earlier it is; an alert outside of all
//! windows costs, the more the farther behind the last window it is; a missed window costs 1. The
//! sum is put on a scale where 0 is a detector that never alerts and 100 the perfect one.

use super::corpus::Series;

/// Cost of a false positive far from any window.
const FALSE_POSITIVE: f64 = 0.11;
/// Cost of a missed window; a hit at its very start earns as much.
const MISSED: f64 = 1.0;
/// Behind this many window widths a false positive costs all it can.
const FAR: f64 = 3.0;

/// What a point is worth as an alert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Worth {
    /// In the probationary part: neither earns nor costs.
    Unscored,
    /// In the window of this number, earning so much.
    Hit(usize, f64),
    /// Outside of all windows, costing so much (negative).
    False(f64),
}

/// The worth of every point of a series.
#[must_use]
pub fn worths(series: &Series) -> Vec<Worth> {
    let probation = series.probation();
    (0..series.values.len())
        .map(|point| {
            if point < probation {
                Worth::Unscored
            } else {
                worth(&series.windows, point)
            }
        })
        .collect()
}

fn worth(windows: &[(usize, usize)], point: usize) -> Worth {
    let inside = windows
        .iter()
        .position(|(first, last)| (*first..=*last).contains(&point));
    if let Some((window, (first, last))) = inside.and_then(|w| Some((w, *windows.get(w)?))) {
        let width = (last - first + 1) as f64;
        let position = -((last - point + 1) as f64) / width;
        return Worth::Hit(window, sigmoid(position) / sigmoid(-1.0));
    }
    let Some((first, last)) = windows.iter().rev().find(|(_, last)| *last < point) else {
        return Worth::False(-FALSE_POSITIVE);
    };
    let position = (point - last) as f64 / ((last - first).max(1) as f64);
    Worth::False(
        FALSE_POSITIVE
            * if position > FAR {
                -1.0
            } else {
                sigmoid(position)
            },
    )
}

/// From nearly 1 at −1, over 0 at 0, to nearly −1 at 1.
fn sigmoid(position: f64) -> f64 {
    2.0 / (1.0 + (5.0 * position).exp()) - 1.0
}

/// Counts at one threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Sum of what alerts earn and cost and what misses cost.
    pub raw: f64,
    /// Windows.
    pub windows: usize,
    /// Windows with an alert.
    pub hits: usize,
    /// Alerting points outside of all windows.
    pub false_points: usize,
    /// The same with close ones merged into one.
    pub false_alerts: usize,
    /// Weeks scored.
    pub weeks: f64,
}

impl Outcome {
    /// The score, 100 for perfect.
    #[must_use]
    pub fn score(&self) -> f64 {
        if self.windows == 0 {
            return 0.0;
        }
        let windows = self.windows as f64;
        100.0 * (self.raw + MISSED * windows) / ((1.0 + MISSED) * windows)
    }

    /// False alerts per series and week.
    #[must_use]
    pub fn false_alerts_per_week(&self) -> f64 {
        self.false_alerts as f64 / self.weeks.max(1e-9)
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Outcome) -> Outcome {
        Outcome {
            raw: self.raw + other.raw,
            windows: self.windows + other.windows,
            hits: self.hits + other.hits,
            false_points: self.false_points + other.false_points,
            false_alerts: self.false_alerts + other.false_alerts,
            weeks: self.weeks + other.weeks,
        }
    }
}

/// False alerts less than so many points apart are one.
const MERGE_POINTS: usize = 12;
const WEEK_US: f64 = 7.0 * 86_400.0 * 1e6;

/// Scores one series, alerting where `scores` is at least `threshold`.
#[must_use]
pub fn outcome(series: &Series, worths: &[Worth], scores: &[f64], threshold: f64) -> Outcome {
    let mut best = vec![-MISSED; series.windows.len()];
    let mut result = Outcome {
        windows: best.len(),
        ..Outcome::default()
    };
    let mut last_false: Option<usize> = None;
    for (point, (worth, score)) in worths.iter().zip(scores).enumerate() {
        if *score < threshold {
            continue;
        }
        match *worth {
            Worth::Unscored => {}
            Worth::Hit(window, earned) => {
                if let Some(best) = best.get_mut(window) {
                    *best = best.max(earned);
                }
            }
            Worth::False(cost) => {
                result.raw += cost;
                result.false_points += 1;
                if last_false.is_none_or(|last| point - last > MERGE_POINTS) {
                    result.false_alerts += 1;
                }
                last_false = Some(point);
            }
        }
    }
    result.raw += best.iter().sum::<f64>();
    result.hits = best.iter().filter(|earned| **earned > -MISSED).count();
    let scored = series
        .times_us
        .get(series.probation())
        .zip(series.times_us.last());
    result.weeks = scored.map_or(0.0, |(first, last)| (last - first) as f64 / WEEK_US);
    result
}

/// The threshold of the best total raw score over all series, found by lowering it over every score
/// that occurs; with the raw score.
#[must_use]
pub fn best_threshold(all: &[(&Series, &[Worth], &[f64])]) -> (f64, f64) {
    let mut points = Vec::new();
    let mut offset = 0;
    for (series, worths, scores) in all {
        for (worth, score) in worths.iter().zip(*scores) {
            match *worth {
                Worth::Unscored => {}
                Worth::Hit(window, earned) => {
                    points.push((*score, Worth::Hit(offset + window, earned)))
                }
                Worth::False(cost) => points.push((*score, Worth::False(cost))),
            }
        }
        offset += series.windows.len();
    }
    points.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let mut earned_by = vec![-MISSED; offset];
    let mut raw = -MISSED * offset as f64;
    let mut best = (f64::INFINITY, raw);
    let mut points = points.into_iter().peekable();
    while let Some((score, worth)) = points.next() {
        match worth {
            Worth::Unscored => {}
            Worth::False(cost) => raw += cost,
            Worth::Hit(window, earned) => {
                if let Some(had) = earned_by.get_mut(window) {
                    raw += (earned - *had).max(0.0);
                    *had = had.max(earned);
                }
            }
        }
        if points.peek().is_none_or(|next| next.0 < score) && raw > best.1 {
            best = (score, raw);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(points: usize, windows: &[(usize, usize)]) -> Series {
        Series {
            name: "artificial/test.csv".to_owned(),
            timestamps: vec![String::new(); points],
            times_us: (0..points as i64)
                .map(|minute| minute * 300_000_000)
                .collect(),
            values: vec![0.0; points],
            windows: windows.to_vec(),
        }
    }

    #[test]
    fn nothing_scores_0_and_an_alert_at_the_first_point_of_each_window_100() {
        let series = series(1000, &[(300, 399), (600, 699)]);
        let worths = worths(&series);
        let mut scores = vec![0.0; 1000];
        assert!(outcome(&series, &worths, &scores, 0.5).score().abs() < 1e-9);
        scores[300] = 1.0;
        scores[600] = 1.0;
        let perfect = outcome(&series, &worths, &scores, 0.5);
        assert!((perfect.score() - 100.0).abs() < 1e-9, "{perfect:?}");
        assert_eq!(perfect.hits, 2);
    }

    #[test]
    fn only_the_earliest_alert_of_a_window_counts() {
        let series = series(1000, &[(300, 399)]);
        let worths = worths(&series);
        let mut scores = vec![0.0; 1000];
        scores[350..400].fill(1.0);
        let raw = outcome(&series, &worths, &scores, 0.5).raw;
        // Half-way: (2/(1 + e^-2.5) - 1) / (2/(1 + e^-5) - 1).
        assert!((raw - 0.848_284 / 0.986_614).abs() < 1e-5, "{raw}");
    }

    #[test]
    fn false_alerts_cost_by_their_distance_behind_a_window_and_nothing_in_probation() {
        let series = series(1000, &[(300, 399)]);
        let worths = worths(&series);
        let raw = |point: usize| {
            let mut scores = vec![0.0; 1000];
            scores[point] = 1.0;
            outcome(&series, &worths, &scores, 0.5).raw + 1.0
        };
        assert!(raw(149).abs() < 1e-12, "probation is 150 points");
        assert!((raw(150) + 0.11).abs() < 1e-12, "before any window");
        let near = raw(401);
        assert!((-0.02..0.0).contains(&near), "{near}");
        assert!((raw(999) + 0.11).abs() < 1e-12, "far behind");
        assert!(
            (raw(399 + 99) + 0.11 * 0.986_614).abs() < 1e-5,
            "one width behind"
        );
    }

    #[test]
    fn close_false_alerts_are_one() {
        let series = series(1000, &[]);
        let worths = worths(&series);
        let mut scores = vec![0.0; 1000];
        scores[500..520].fill(1.0);
        scores[530] = 1.0;
        scores[800] = 1.0;
        let outcome = outcome(&series, &worths, &scores, 0.5);
        assert_eq!((outcome.false_points, outcome.false_alerts), (22, 2));
    }

    #[test]
    fn the_best_threshold_is_the_one_a_search_over_all_finds() {
        let series = series(1000, &[(300, 399), (700, 720)]);
        let worths = worths(&series);
        let scores: Vec<f64> = (0..1000_u32)
            .map(|i| f64::from(i.wrapping_mul(2_654_435_761) % 500) / 500.0)
            .collect();
        let (threshold, raw) = best_threshold(&[(&series, &worths, &scores)]);
        let at = outcome(&series, &worths, &scores, threshold).raw;
        assert!((raw - at).abs() < 1e-9);
        for candidate in &scores {
            assert!(outcome(&series, &worths, &scores, *candidate).raw <= raw + 1e-9);
        }
    }
}
