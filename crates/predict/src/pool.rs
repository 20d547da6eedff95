//! Which methods forecast this series best: all are tried out on the last part of its history, each
//! knowing only what came before, and the best are combined.

use serde::{Deserialize, Serialize};

use crate::band::Band;
use crate::cycle::Cycle;
use crate::expert::regression::Regression;
use crate::expert::smoothing::{Gains, Smoothing};
use crate::expert::{Track, Trial};
use crate::history::History;
use crate::numbers::at;
use crate::options::Bounds;
use crate::plan;
use crate::scale::Scale;
use crate::weights::{weight_at, weights};

/// Smoothings of each scale that are kept.
const SMOOTHINGS: usize = 8;
/// The best smoothings a trend is tried out with.
const SMOOTHINGS_WITH_TREND: usize = 4;
/// How often autoregressions are fitted anew while they are tried out.
const FITS: usize = 2;

/// A method with what it knows at the end of the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Expert {
    /// Exponential smoothing.
    Smoothing(Smoothing),
    /// An autoregression and the last values that it needs.
    Regression(Regression, Vec<f64>),
}

/// A method that takes part in the forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// The scale it works on.
    pub(crate) scale: Scale,
    /// The method.
    pub(crate) expert: Expert,
    /// Weight at each of the pool's leads.
    pub(crate) weights: Vec<f64>,
}

/// What came of trying out.
pub(crate) struct Pool {
    /// The methods that are combined.
    pub(crate) members: Vec<Member>,
    /// Leads that the weights belong to.
    pub(crate) leads: Vec<usize>,
    /// Steps known at each try.
    pub(crate) origins: Vec<usize>,
    /// Steps ahead that were tried out.
    pub(crate) horizon: usize,
    /// Errors of the combination, value − forecast, `horizon` of each origin; `None` where the
    /// value is not known.
    pub(crate) errors: Vec<Option<f64>>,
    /// A band for the next value, by the smoothing that is best at one step.
    pub(crate) band: Band,
}

/// A method while it is tried out.
struct Candidate {
    /// Number of its scale.
    scale: usize,
    method: Method,
    /// Forecasts on the scale of the values, leads of each origin; NaN where there is none.
    forecasts: Vec<f64>,
}

enum Method {
    /// The state before the history, and after it.
    Smoothing(Smoothing, Smoothing),
    /// Fits with the number of steps that each has seen, and the fit to all of them.
    Regression(Vec<(usize, Regression)>, Regression),
}

impl Candidate {
    /// Near copies are of one kind.
    fn kind(&self) -> usize {
        2 * self.scale + usize::from(matches!(self.method, Method::Regression(..)))
    }

    fn run(&self, track: &Track, trial: &Trial, put: impl FnMut(usize, usize, f64)) {
        match &self.method {
            Method::Smoothing(begin, _) => begin.clone().run(track, trial, put),
            Method::Regression(fits, _) => run_fits(fits, track, trial, put),
        }
    }
}

fn run_fits(
    fits: &[(usize, Regression)],
    track: &Track,
    trial: &Trial,
    mut put: impl FnMut(usize, usize, f64),
) {
    for (number, (seen, fit)) in fits.iter().enumerate() {
        let until = fits.get(number + 1).map_or(usize::MAX, |(next, _)| *next);
        let wanted = |origin: usize| origin >= *seen && origin < until;
        fit.run(track, trial, wanted, &mut put);
    }
}

impl Pool {
    /// Tries out everything.
    pub(crate) fn of(history: &History, horizon: usize, bounds: Bounds) -> Self {
        let trial = plan::trial(history, horizon);
        let scales: Vec<Scale> = [Scale::Identity]
            .into_iter()
            .chain(Scale::log(&history.values))
            .collect();
        let tracks: Vec<Track> = scales.iter().map(|scale| track(history, *scale)).collect();
        let mut candidates: Vec<Candidate> = Vec::new();
        for (number, (scale, track)) in scales.iter().zip(&tracks).enumerate() {
            smoothings(history, *scale, track, &trial, number, &mut candidates);
            regressions(*scale, track, &trial, number, &mut candidates);
        }
        let band = band(&candidates, &scales, &tracks, history, &trial, bounds);
        let methods: Vec<(usize, &[f64])> = candidates
            .iter()
            .map(|candidate| (candidate.kind(), candidate.forecasts.as_slice()))
            .collect();
        let weights = weights(&methods, history, &trial);
        let mut chosen: Vec<(Candidate, Vec<f64>)> = candidates.into_iter().zip(weights).collect();
        chosen.retain(|(_, weights)| weights.iter().any(|weight| *weight > 0.0));

        let horizon = trial.leads.last().copied().unwrap_or(1);
        let errors = errors(&chosen, &scales, &tracks, history, &trial, horizon);
        let members = chosen
            .into_iter()
            .filter_map(|(candidate, weights)| {
                let track = tracks.get(candidate.scale)?;
                Some(Member {
                    scale: scales.get(candidate.scale).copied()?,
                    expert: expert(candidate.method, track),
                    weights,
                })
            })
            .collect();
        Pool {
            members,
            leads: trial.leads,
            origins: trial.origins,
            horizon,
            errors,
            band,
        }
    }
}

fn track(history: &History, scale: Scale) -> Track {
    let positions = |cycle: Cycle| -> Vec<u32> {
        let places = (0..history.len()).map(|t| cycle.position(t));
        places
            .map(|p| u32::try_from(p).unwrap_or(u32::MAX))
            .collect()
    };
    Track {
        values: history.values.iter().map(|v| scale.there(*v)).collect(),
        known: history.known.clone(),
        short: positions(history.cycles.short),
        long: positions(history.cycles.long),
        cycles: history.cycles,
    }
}

/// Tries out a grid of gains and keeps the best.
fn smoothings(
    history: &History,
    scale: Scale,
    track: &Track,
    trial: &Trial,
    number: usize,
    candidates: &mut Vec<Candidate>,
) {
    // On the logarithm an error is relative: times the value it is about the error in the value,
    // which is what is compared, without going back for every forecast.
    let sizes: Vec<f64> = track
        .known
        .iter()
        .zip(&history.values)
        .map(|(known, value)| match (known, scale) {
            (false, _) => 0.0,
            (true, Scale::Identity) => 1.0,
            (true, Scale::Log { offset }) => value + offset,
        })
        .collect();
    let seen = trial.origins.first().copied().unwrap_or(track.values.len());
    let starts = [false, true].map(|trend| Smoothing::start(track, seen, trend));
    let [level, trend] = &starts;
    let begin = |gains: Gains| {
        if gains.trend > 0.0 {
            trend.with(gains)
        } else {
            level.with(gains)
        }
    };
    // Neighbouring leads say the same; for choosing among gains every other will do.
    let coarse = Trial {
        origins: trial.origins.clone(),
        leads: trial.leads.iter().copied().step_by(2).collect(),
    };
    let score = |gains: Gains| -> (f64, Gains) {
        let mut sum = 0.0;
        begin(gains).run(track, &coarse, |origin, lead, forecast| {
            let target = target(&coarse, origin, lead);
            sum += (at(&track.values, target) - forecast).abs() * at(&sizes, target);
        });
        (sum, gains)
    };
    let mut scored: Vec<(f64, Gains)> = plan::gains(track.cycles).into_iter().map(score).collect();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let best: Vec<Gains> = scored
        .iter()
        .map(|(_, g)| *g)
        .take(SMOOTHINGS_WITH_TREND)
        .collect();
    for gains in best.into_iter().filter(|gains| gains.level > 0.0) {
        scored.extend(plan::TREND_SHARES.map(|share| {
            score(Gains {
                trend: share * gains.level,
                ..gains
            })
        }));
    }
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, gains) in scored.into_iter().take(SMOOTHINGS) {
        let begin = begin(gains);
        let mut end = begin.clone();
        let forecasts = on_values(scale, trial, |put| end.run(track, trial, put));
        candidates.push(Candidate {
            scale: number,
            method: Method::Smoothing(begin, end),
            forecasts,
        });
    }
}

/// Fits each recipe to what is known at the beginning of the trial and again on the way, so that no
/// forecast knows what it forecasts.
fn regressions(
    scale: Scale,
    track: &Track,
    trial: &Trial,
    number: usize,
    candidates: &mut Vec<Candidate>,
) {
    let steps = track.values.len();
    let first = trial.origins.first().copied().unwrap_or(steps);
    let seen: Vec<usize> = (0..FITS)
        .map(|k| first + (steps - first) * k / FITS)
        .collect();
    for recipe in plan::recipes(track.cycles) {
        let fits: Option<Vec<(usize, Regression)>> = seen
            .iter()
            .map(|seen| Some((*seen, Regression::fit(track, *seen, &recipe)?)))
            .collect();
        let (Some(fits), Some(last)) = (fits, Regression::fit(track, steps, &recipe)) else {
            continue;
        };
        let forecasts = on_values(scale, trial, |put| run_fits(&fits, track, trial, put));
        candidates.push(Candidate {
            scale: number,
            method: Method::Regression(fits, last),
            forecasts,
        });
    }
}

/// Forecasts of a run on the scale of the values.
fn on_values(
    scale: Scale,
    trial: &Trial,
    run: impl FnOnce(&mut dyn FnMut(usize, usize, f64)),
) -> Vec<f64> {
    let width = trial.leads.len();
    let mut forecasts = vec![f64::NAN; width * trial.origins.len()];
    run(&mut |origin, lead, forecast| {
        if let Some(cell) = forecasts.get_mut(origin * width + lead) {
            *cell = scale.back(forecast);
        }
    });
    forecasts
}

/// The step that the forecast of an origin and a lead, both by number, is of.
fn target(trial: &Trial, origin: usize, lead: usize) -> usize {
    let known = trial.origins.get(origin).copied().unwrap_or(0);
    (known + trial.leads.get(lead).copied().unwrap_or(1)).saturating_sub(1)
}

/// Errors of the combination at all leads, not only those that methods were compared at.
fn errors(
    chosen: &[(Candidate, Vec<f64>)],
    scales: &[Scale],
    tracks: &[Track],
    history: &History,
    trial: &Trial,
    horizon: usize,
) -> Vec<Option<f64>> {
    let full = Trial {
        origins: trial.origins.clone(),
        leads: (1..=horizon).collect(),
    };
    let mut combined = vec![0.0; horizon * full.origins.len()];
    for (candidate, weights) in chosen {
        let place = candidate.scale;
        let (Some(scale), Some(track)) = (scales.get(place), tracks.get(place)) else {
            continue;
        };
        let weight: Vec<f64> = full
            .leads
            .iter()
            .map(|lead| weight_at(&trial.leads, weights, *lead))
            .collect();
        candidate.run(track, &full, |origin, lead, forecast| {
            if let Some(cell) = combined.get_mut(origin * horizon + lead) {
                *cell += at(&weight, lead) * scale.back(forecast);
            }
        });
    }
    let error = |(cell, forecast): (usize, f64)| {
        let target = target(&full, cell / horizon, cell % horizon);
        let known = history.known.get(target) == Some(&true);
        known.then(|| at(&history.values, target) - forecast)
    };
    combined.into_iter().enumerate().map(error).collect()
}

fn expert(method: Method, track: &Track) -> Expert {
    match method {
        Method::Smoothing(_, end) => Expert::Smoothing(end),
        Method::Regression(_, last) => {
            let old = track.values.len().saturating_sub(last.memory());
            let recent = track.values.iter().skip(old).copied().collect();
            Expert::Regression(last, recent)
        }
    }
}

/// The band of the smoothing whose errors of one step were smallest.
fn band(
    candidates: &[Candidate],
    scales: &[Scale],
    tracks: &[Track],
    history: &History,
    trial: &Trial,
    bounds: Bounds,
) -> Band {
    let first = trial.origins.first().copied().unwrap_or(0);
    let next = Trial {
        origins: (first..history.len()).collect(),
        leads: vec![1],
    };
    let scored = candidates.iter().filter_map(|candidate| {
        let Method::Smoothing(begin, _) = &candidate.method else {
            return None;
        };
        let (scale, track) = (scales.get(candidate.scale)?, tracks.get(candidate.scale)?);
        let mut sum = 0.0;
        candidate.run(track, &next, |origin, _, forecast| {
            if history.known.get(first + origin) == Some(&true) {
                sum += (at(&history.values, first + origin) - scale.back(forecast)).abs();
            }
        });
        Some((sum, begin, *scale, track))
    });
    match scored.min_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((_, begin, scale, track)) => Band::after(begin, track, scale, bounds),
        // There is always a smoothing; without one the series would be its own mean.
        None => {
            let track = track(history, Scale::Identity);
            let begin = Smoothing::start(&track, track.values.len(), false);
            Band::after(&begin, &track, Scale::Identity, bounds)
        }
    }
}
