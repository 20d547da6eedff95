//! From a history to a forecast.

use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::band::{Band, BandOptions};
use crate::cycle::Cycles;
use crate::error::ForecastError;
use crate::history::History;
use crate::interval::{Halves, Spread};
use crate::method::{Method, methods};
use crate::options::{Bounds, HORIZON_MAX, Options};
use crate::pool::{Expert, Member, Pool};
use crate::rest::{Part, Rest};
use crate::weights::weight_at;

/// What a forecast is founded on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Footing {
    /// No period has been seen twice: intervals are at least as wide as the values lie apart.
    ColdStart,
    /// Some periods have been seen twice, others (the week, as a rule) not yet.
    Partial,
    /// All periods have been seen twice, or none was asked for.
    Full,
}

/// What is expected of one step, and the intervals that hold it with 80 % and 95 % probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Expected value.
    pub mean: f64,
    /// Lower end of the 80 % interval.
    pub low80: f64,
    /// Upper end of the 80 % interval.
    pub high80: f64,
    /// Lower end of the 95 % interval.
    pub low95: f64,
    /// Upper end of the 95 % interval.
    pub high95: f64,
}

impl Point {
    pub(crate) fn around(mean: f64, halves: Halves, bounds: Bounds) -> Self {
        let mean = bounds.hold(mean);
        let [half80, half95] = halves;
        Self {
            mean,
            low80: bounds.hold(mean - half80),
            high80: bounds.hold(mean + half80),
            low95: bounds.hold(mean - half95),
            high95: bounds.hold(mean + half95),
        }
    }
}

/// The sum over a range of steps: what is known of it, and what is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Total {
    /// Sum of the values given. Apart from the rest, so that who keeps it as a decimal can add
    /// that instead.
    pub known: f64,
    /// Sum of the steps to come.
    pub rest: Point,
    /// Steps of the known part that have no value; they add nothing.
    pub gaps: usize,
}

impl Total {
    /// Known part and rest in one.
    #[must_use]
    pub fn sum(&self) -> Point {
        let Point {
            mean,
            low80,
            high80,
            low95,
            high95,
        } = self.rest;
        Point {
            mean: self.known + mean,
            low80: self.known + low80,
            high80: self.known + high80,
            low95: self.known + low95,
            high95: self.known + high95,
        }
    }
}

/// Forecasts series of one kind of metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forecaster {
    options: Options,
}

/// A series understood: forecasts any number of steps after its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    given: Vec<Option<f64>>,
    skipped: usize,
    cycles: Cycles,
    bounds: Bounds,
    footing: Footing,
    members: Vec<Member>,
    leads: Vec<usize>,
    spread: Spread,
    band: Band,
}

impl Forecaster {
    /// A forecaster with these options.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options }
    }

    /// Learns from a series with one value per step of time; `None` where there is none.
    ///
    /// # Errors
    /// [`ForecastError`] for options that cannot work, fewer than [`crate::KNOWN_MIN`] values, more
    /// than [`crate::HISTORY_MAX`] steps, and values that are not finite or out of bounds.
    pub fn fit(&self, values: &[Option<f64>], step: Duration) -> Result<Model, ForecastError> {
        self.fit_without(values, step, &[])
    }

    /// The same, but nothing is learned from the excluded ranges of steps: sales days, holidays,
    /// known incidents.
    ///
    /// # Errors
    /// As [`Self::fit`].
    pub fn fit_without(
        &self,
        values: &[Option<f64>],
        step: Duration,
        excluded: &[Range<usize>],
    ) -> Result<Model, ForecastError> {
        let history = History::of(values, step, excluded, &self.options)?;
        let cycles = history.cycles;
        let wanted = Cycles::choose(&self.options.periods, step, usize::MAX);
        let footing = if cycles == wanted {
            Footing::Full
        } else if cycles.short.is_some() {
            Footing::Partial
        } else {
            Footing::ColdStart
        };
        let horizon = match (self.options.horizon, cycles.short.is_some()) {
            (0, true) => 2 * cycles.short.lag(),
            (0, false) => (history.len() / 10).max(2),
            (steps, _) => steps,
        };
        let pool = Pool::of(&history, horizon, self.options.bounds);
        let spread = Spread::of(&pool, &history, footing == Footing::ColdStart);
        Ok(Model {
            given: values.to_vec(),
            skipped: history.skipped,
            cycles,
            bounds: self.options.bounds,
            footing,
            members: pool.members,
            leads: pool.leads,
            spread,
            band: pool.band,
        })
    }
}

impl Model {
    /// What the forecast is founded on.
    #[must_use]
    pub fn footing(&self) -> Footing {
        self.footing
    }

    /// The periods in use, in steps, ascending.
    #[must_use]
    pub fn periods(&self) -> Vec<usize> {
        [self.cycles.short, self.cycles.long]
            .into_iter()
            .filter(|cycle| cycle.is_some())
            .map(|cycle| cycle.lag())
            .collect()
    }

    /// Steps of history; the first forecast is of the step of this number.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.given.len()
    }

    /// Forecasts of the next `horizon` steps.
    ///
    /// # Errors
    /// [`ForecastError::Range`] for more than [`crate::HORIZON_MAX`] steps.
    pub fn forecast(&self, horizon: usize) -> Result<Vec<Point>, ForecastError> {
        let means = self.means(horizon)?;
        Ok(means
            .into_iter()
            .enumerate()
            .map(|(i, mean)| {
                let halves = self.spread.at(i + 1, self.target(i + 1));
                Point::around(mean, halves, self.bounds)
            })
            .collect())
    }

    /// The sum over a range of steps, counted from the beginning of the series: the expected figure
    /// of the day is that of the range from its first to its last step.
    ///
    /// # Errors
    /// [`ForecastError::Range`] for a range that is empty, or ends too far ahead.
    pub fn total(&self, steps: Range<usize>) -> Result<Total, ForecastError> {
        if steps.is_empty() {
            return Err(ForecastError::Range("the range of steps is empty".into()));
        }
        let now = self.steps();
        let past = steps.start.min(now)..steps.end.min(now);
        let past = self.given.get(past).unwrap_or(&[]);
        let known = past.iter().flatten().sum();
        let gaps = past.iter().filter(|value| value.is_none()).count();
        let (from, to) = (steps.start.max(now) - now + 1, steps.end.max(now) - now);
        let rest = if to == 0 {
            Point::around(0.0, [0.0; 2], Bounds::NONE)
        } else {
            let sum = self.sum(&self.forecast(to)?, from);
            sum.within(self.bounds.times((to + 1 - from) as f64))
        };
        Ok(Total { known, rest, gaps })
    }

    /// The sum of what is to come between two times, both in steps after the end of the history. Of
    /// steps that lie only partly in between that part counts.
    ///
    /// # Errors
    /// [`ForecastError::Range`] for times that are no numbers or not in this order, for a beginning
    /// before the end of the history and for an end too far ahead.
    pub fn rest(&self, from: f64, to: f64) -> Result<Rest, ForecastError> {
        if !(from >= 0.0 && from < to && to <= HORIZON_MAX as f64) {
            return Err(ForecastError::Range(format!(
                "there is no time to come from step {from} to step {to}: at most {HORIZON_MAX} steps \
                 are forecast"
            )));
        }
        // Checked to be within the horizon, so neither is cut.
        let (first, last) = (from.floor() as usize + 1, to.ceil() as usize);
        let coming = self.forecast(last)?;
        let one = |lead: usize| Part {
            mean: coming.get(lead - 1).map_or(0.0, |point| point.mean),
            halves: self.spread.at(lead, self.target(lead)),
        };
        let sum = self
            .sum(&coming, first)
            .without(last as f64 - to, one(last))
            .without(from - from.floor(), one(first));
        Ok(Rest::new(sum, one(first), to - from, self.bounds))
    }

    /// The kinds of methods that are combined, the one that counts most first. Their weights add up
    /// to 1.
    #[must_use]
    pub fn methods(&self) -> Vec<Method> {
        methods(&self.members)
    }

    /// A band for the values that follow the history, one at a time. It knows the periods that this
    /// model knows; one fitted to a longer history may know more.
    ///
    /// # Errors
    /// [`ForecastError::Options`] for a coverage or a rate that cannot work.
    pub fn band(&self, options: BandOptions) -> Result<Band, ForecastError> {
        self.band.clone().with(options)
    }

    /// The sum of the forecasts from lead `from` on.
    fn sum(&self, coming: &[Point], from: usize) -> Part {
        let to = coming.len();
        let mean = coming.iter().skip(from - 1).map(|point| point.mean).sum();
        let single = (from..=to).map(|lead| self.spread.at(lead, self.target(lead)));
        let single = single.fold([0.0; 2], |[a, b], [x, y]| [a + x, b + y]);
        Part {
            mean,
            halves: self.spread.of_sum(from, to, single),
        }
    }

    /// The step, in the experts' count, that lies `lead` steps ahead.
    fn target(&self, lead: usize) -> usize {
        self.given.len() - self.skipped + lead - 1
    }

    fn means(&self, horizon: usize) -> Result<Vec<f64>, ForecastError> {
        if horizon > HORIZON_MAX {
            return Err(ForecastError::Range(format!(
                "{horizon} steps ahead are too many: at most {HORIZON_MAX}"
            )));
        }
        let mut means = vec![0.0; horizon];
        for member in &self.members {
            let mut add = |lead: usize, forecast: f64| {
                if let Some(mean) = means.get_mut(lead - 1) {
                    let weight = weight_at(&self.leads, &member.weights, lead);
                    *mean += weight * member.scale.back(forecast);
                }
            };
            match &member.expert {
                Expert::Smoothing(state) => {
                    for lead in 1..=horizon {
                        let target = self.target(lead);
                        let (p, q) = (
                            self.cycles.short.position(target),
                            self.cycles.long.position(target),
                        );
                        add(lead, state.ahead(lead, p, q));
                    }
                }
                Expert::Regression(model, recent) => {
                    let mut path = recent.clone();
                    model.extend(&mut path, horizon);
                    for (i, forecast) in path.iter().skip(recent.len()).enumerate() {
                        add(i + 1, *forecast);
                    }
                }
            }
        }
        Ok(means)
    }
}
