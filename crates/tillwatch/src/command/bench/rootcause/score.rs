//! Compares answers with true causes.

use std::time::Duration;

use super::{Case, Cause};

/// How long an explanation took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Time {
    /// By the clock on the wall.
    pub wall: Duration,
    /// On the processor, where the system tells: others may have had it in between.
    pub cpu: Option<Duration>,
}

/// Elements that are right, wrong and missing, over cases.
#[derive(Clone, Debug, Default)]
pub struct Score {
    /// Elements of answers that are true causes, exactly.
    pub true_positives: usize,
    /// Elements of answers that are not.
    pub false_positives: usize,
    /// True causes that no answer has.
    pub false_negatives: usize,
    /// Cases whose answer is exactly the set of true causes.
    pub whole: usize,
    /// How many cases there are.
    pub cases: usize,
    times: Vec<Time>,
}

impl Score {
    /// Counts a case; true where it is wholly right.
    pub fn add(&mut self, case: &Case, answer: &[Cause], time: Time) -> bool {
        let right = answer.iter().filter(|e| case.causes.contains(*e)).count();
        self.true_positives += right;
        self.false_positives += answer.len() - right;
        self.false_negatives += case.causes.len() - right;
        let whole = right == answer.len() && right == case.causes.len();
        self.whole += usize::from(whole);
        self.cases += 1;
        self.times.push(time);
        whole
    }

    /// All of another.
    pub fn merge(&mut self, other: &Self) {
        self.true_positives += other.true_positives;
        self.false_positives += other.false_positives;
        self.false_negatives += other.false_negatives;
        self.whole += other.whole;
        self.cases += other.cases;
        self.times.extend(&other.times);
    }

    /// Share of the answers' elements that are right.
    #[must_use]
    pub fn precision(&self) -> f64 {
        ratio(
            self.true_positives,
            self.true_positives + self.false_positives,
        )
    }

    /// Share of the true causes that were found.
    #[must_use]
    pub fn recall(&self) -> f64 {
        ratio(
            self.true_positives,
            self.true_positives + self.false_negatives,
        )
    }

    /// F1 over elements: 2·TP / (2·TP + FP + FN) with counts over all cases.
    #[must_use]
    pub fn f1(&self) -> f64 {
        let twice = 2 * self.true_positives;
        ratio(twice, twice + self.false_positives + self.false_negatives)
    }

    /// Share of cases that are wholly right.
    #[must_use]
    pub fn exact(&self) -> f64 {
        ratio(self.whole, self.cases)
    }

    /// A quantile of the times by the wall, in milliseconds.
    #[must_use]
    pub fn time_ms(&self, quantile: f64) -> f64 {
        quantile_ms(quantile, self.times.iter().map(|time| time.wall).collect())
    }

    /// A quantile of the times on the processor, in milliseconds; 0 where they are not known.
    #[must_use]
    pub fn cpu_ms(&self, quantile: f64) -> f64 {
        quantile_ms(
            quantile,
            self.times.iter().filter_map(|time| time.cpu).collect(),
        )
    }
}

fn quantile_ms(quantile: f64, mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    let rank = (quantile * times.len() as f64).ceil() as usize;
    let time = times.get(rank.saturating_sub(1));
    time.map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}
