//! Exponential smoothing with two seasons and an autoregressive error.
//!
//! Taylor, "Short-term electricity demand forecasting using double seasonal exponential smoothing"
//! (2003): level, season of the short and of the long period are each corrected by a share of the
//! error of one step, and what remains of an error fades geometrically. A damped trend is added as
//! by Gardner and McKenzie (1985).

use serde::{Deserialize, Serialize};

use super::{Track, Trial};
use crate::cycle::Cycles;
use crate::numbers::mean;

/// How much of an error is learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Gains {
    /// By the level.
    pub(crate) level: f64,
    /// By the trend.
    pub(crate) trend: f64,
    /// By the season of the short period.
    pub(crate) short: f64,
    /// By the season of the long period.
    pub(crate) long: f64,
    /// Share of an error that is left a step later.
    pub(crate) carry: f64,
}

/// What is known of a series at some step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Smoothing {
    gains: Gains,
    /// Share of the trend that is left a step later.
    damping: f64,
    level: f64,
    trend: f64,
    short: Vec<f64>,
    long: Vec<f64>,
    error: f64,
}

/// A half of the trend is left after this many of the longest periods.
const TREND_HALF_LIFE: f64 = 2.0;
/// Trend is halved after this many steps where there is no period.
const TREND_HALF_LIFE_STEPS: f64 = 12.0;
/// Long periods that the first seasons are averaged over.
const START_LONG: usize = 2;
/// Short periods that the first season is averaged over where there is no long one.
const START_SHORT: usize = 3;
/// Share of what two weeks show that a weekday is expected to keep.
const START_SHRINK: f64 = 0.6;

impl Smoothing {
    /// Level and seasons averaged over the beginning of the series, of which `steps` may be seen.
    pub(crate) fn start(track: &Track, steps: usize, with_trend: bool) -> Self {
        let Cycles { short, long } = track.cycles;
        let (whole, most) = if long.is_some() {
            (long.lag(), START_LONG)
        } else {
            (short.lag(), START_SHORT)
        };
        // Whole periods, so that no hour counts more often than another.
        let periods = (steps / whole).clamp(1, most);
        let window = if short.is_some() {
            (periods * whole).min(steps)
        } else {
            steps.min(KNOWN_FOR_LEVEL)
        };
        let seen = || {
            let values = track.values.iter().zip(&track.known);
            values.zip(track.short.iter().zip(&track.long)).take(window)
        };
        let (sum, count) = seen()
            .filter(|((_, known), _)| **known)
            .fold((0.0, 0.0), |(sum, count), ((v, _), _)| {
                (sum + v, count + 1.0)
            });
        let level = if count > 0.0 { sum / count } else { 0.0 };
        let slope = if with_trend && periods > 1 && short.is_some() {
            let part = |period: usize| {
                mean(
                    track
                        .values
                        .iter()
                        .skip(period * whole)
                        .take(whole)
                        .copied(),
                )
            };
            (part(periods - 1) - part(0)) / ((periods - 1) * whole) as f64
        } else {
            0.0
        };
        let begin = level - slope * window as f64 / 2.0;
        let seen = || {
            seen()
                .zip(0..)
                .map(move |(step, t)| (step, begin + slope * f64::from(t)))
        };
        let mut season = Means::new(short.positions());
        let mut week = Means::new(long.positions());
        if short.is_some() {
            seen().for_each(|(((v, _), (p, _)), line)| season.add(*p, v - line));
        }
        let season = season.finish(1.0);
        if long.is_some() {
            for (((v, _), (p, q)), line) in seen() {
                let daily = season.get(*p as usize).copied().unwrap_or(0.0);
                week.add(*q, v - line - daily);
            }
        }
        let half_life = if short.is_some() {
            TREND_HALF_LIFE * track.cycles.longest() as f64
        } else {
            TREND_HALF_LIFE_STEPS
        };
        Self {
            gains: Gains::default(),
            damping: libm::exp2(-1.0 / half_life),
            level: begin,
            trend: slope,
            short: season,
            long: week.finish(START_SHRINK),
            error: 0.0,
        }
    }

    /// The same beginning with other gains. Who does not learn of the long period does without it:
    /// where all weeks are alike, what two of them differ by is noise.
    pub(crate) fn with(&self, gains: Gains) -> Self {
        let mut other = Self {
            gains,
            ..self.clone()
        };
        if gains.long <= 0.0 {
            other.long.fill(0.0);
        }
        other
    }

    /// What is expected `lead` steps after the last one seen, at these positions of the periods.
    #[inline]
    pub(crate) fn ahead(&self, lead: usize, short: usize, long: usize) -> f64 {
        let lead = lead as f64;
        let season = self.short.get(short).copied().unwrap_or(0.0);
        let week = self.long.get(long).copied().unwrap_or(0.0);
        let fading = match self.gains.carry {
            carry if carry > 0.0 => self.error * libm::pow(carry, lead),
            _ => 0.0,
        };
        let drift = match self.trend {
            0.0 => 0.0,
            trend => {
                let d = self.damping;
                trend * d * (1.0 - libm::pow(d, lead)) / (1.0 - d)
            }
        };
        self.level + drift + season + week + fading
    }

    /// Learns the value of the next step; `None` where it is not known.
    #[inline]
    pub(crate) fn observe(&mut self, value: Option<f64>, short: usize, long: usize) {
        let Gains {
            level,
            trend,
            short: gain_short,
            long: gain_long,
            carry,
        } = self.gains;
        self.trend *= self.damping;
        self.level += self.trend;
        let Some(value) = value else {
            self.error *= carry;
            return;
        };
        let season = self.short.get_mut(short);
        let week = self.long.get_mut(long);
        let expected = self.level
            + season.as_deref().copied().unwrap_or(0.0)
            + week.as_deref().copied().unwrap_or(0.0);
        let error = value - expected;
        self.error = error;
        self.level += level * error;
        self.trend += trend * error;
        if let Some(season) = season {
            *season += gain_short * error;
        }
        if let Some(week) = week {
            *week += gain_long * error;
        }
    }

    /// Runs through a track to its end, forecasting at each origin. `put` takes the number of the
    /// origin, the number of the lead, and the forecast.
    pub(crate) fn run(
        &mut self,
        track: &Track,
        trial: &Trial,
        mut put: impl FnMut(usize, usize, f64),
    ) {
        let ends = trial.origins.iter().copied().map(Some).chain([None]);
        let fades = self.fades(&trial.leads);
        let mut from = 0;
        for (number, end) in ends.enumerate() {
            let until = end.unwrap_or(track.values.len());
            let span = from..until;
            let (Some(values), Some(known), Some(short), Some(long)) = (
                track.values.get(span.clone()),
                track.known.get(span.clone()),
                track.short.get(span.clone()),
                track.long.get(span),
            ) else {
                break;
            };
            let steps = values.iter().zip(known).zip(short.iter().zip(long));
            for ((value, known), (p, q)) in steps {
                self.observe(known.then_some(*value), *p as usize, *q as usize);
            }
            from = until;
            if end.is_none() {
                break;
            }
            for (i, (lead, (fade, drift))) in trial.leads.iter().zip(&fades).enumerate() {
                let target = until + lead - 1;
                let (Some(p), Some(q)) = (track.short.get(target), track.long.get(target)) else {
                    break;
                };
                let season = self.short.get(*p as usize).copied().unwrap_or(0.0);
                let week = self.long.get(*q as usize).copied().unwrap_or(0.0);
                let base = self.level + season + week;
                put(number, i, base + fade * self.error + drift * self.trend);
            }
        }
    }

    /// What is left of the error, and what the trend adds up to, at each lead.
    fn fades(&self, leads: &[usize]) -> Vec<(f64, f64)> {
        let (mut left, mut share, mut sum) = (1.0, 1.0, 0.0);
        let mut now = 0;
        let at_lead = |lead: &usize| {
            while now < *lead {
                left *= self.gains.carry;
                share *= self.damping;
                sum += share;
                now += 1;
            }
            (left, sum)
        };
        leads.iter().map(at_lead).collect()
    }
}

/// Values that the level starts from where there is no period.
const KNOWN_FOR_LEVEL: usize = 5;

/// Means by position.
struct Means(Vec<(f64, f64)>);

impl Means {
    fn new(positions: usize) -> Self {
        Self(vec![(0.0, 0.0); positions])
    }

    fn add(&mut self, position: u32, value: f64) {
        if let Some((sum, count)) = self.0.get_mut(position as usize) {
            *sum += value;
            *count += 1.0;
        }
    }

    fn finish(self, share: f64) -> Vec<f64> {
        let mean = |(sum, count): (f64, f64)| {
            if count > 0.0 {
                share * sum / count
            } else {
                0.0
            }
        };
        self.0.into_iter().map(mean).collect()
    }
}
