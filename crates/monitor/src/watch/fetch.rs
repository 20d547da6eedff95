//! What a round needs: the newest figures of a monitor, and what its history says is normal.

use std::sync::Arc;
use std::time::Duration;

use super::baselines::{self, Baselines, LeftOut};
use super::known::Known;
use super::rate::{RateRound, longest_steps};
use super::state::{Memory, Step};
use super::threshold::ThresholdRound;
use super::values::{FORECAST_REFRESH_US, Normals, ValueRound};
use super::volume::{VolumeRound, tested_us};
use super::volumes::{self, Volumes};
use super::{Fetched, Round, Watch};
use crate::MonitorError;
use crate::catalogue::incidents;
use crate::definition::{Detect, MonitorDefinition, RateDetect, SeasonalDetect};
use crate::figure::MetricFacts;

impl Watch {
    /// Reads the newest figures, and the history to judge them by.
    pub(super) fn fetch(
        &self,
        definition: &MonitorDefinition,
        facts: &MetricFacts,
        memory: &mut Memory,
        first: Step,
        last: Step,
    ) -> Result<Fetched, MonitorError> {
        let source = self.source.as_ref();
        let round = match &definition.detect {
            Detect::Threshold(detect) => {
                if facts.empty_value.is_some() && memory.known.is_none() {
                    let known = Known::recall(source, definition, facts, first.start_us);
                    memory.known = Some(known.map_err(MonitorError::Figures)?);
                }
                ThresholdRound::fetch(source, definition, facts, detect, first, last)
                    .map(Round::Threshold)
            }
            Detect::Rate(detect) => {
                let baselines = match self.baselines(definition, detect, memory, first)? {
                    Ok(baselines) => baselines,
                    Err(left_out) => return Ok(Fetched::Learning(left_out.note("the history"))),
                };
                let steps = (first, last);
                let states = &memory.slices;
                RateRound::fetch(source, definition, detect, baselines, steps, states)
                    .map(Round::Rate)
            }
            Detect::Count(detect) => {
                match self.volumes(definition, detect.history, memory, first)? {
                    Some(volumes) => {
                        let (steps, states) = ((first, last), &memory.slices);
                        VolumeRound::count(source, definition, detect, volumes, steps, states)
                            .map(Round::Volume)
                    }
                    None => return Ok(Fetched::Learning(None)),
                }
            }
            Detect::Silence(detect) => {
                match self.volumes(definition, detect.history, memory, first)? {
                    Some(volumes) => {
                        VolumeRound::silence(source, definition, detect, volumes, (first, last))
                            .map(Round::Volume)
                    }
                    None => return Ok(Fetched::Learning(None)),
                }
            }
            Detect::Seasonal(detect) | Detect::Change(detect) | Detect::Forecast(detect) => {
                let Some(normals) = self.normals(definition, facts, detect, memory, first)? else {
                    return Ok(Fetched::Learning(None));
                };
                ValueRound::fetch(source, definition, facts, detect, normals, (first, last))
                    .map(Round::Value)
            }
            // It has been resolved to what fits the metric.
            Detect::Auto(_) => return Ok(Fetched::Learning(None)),
        };
        round
            .map(|round| Fetched::Round(Box::new(round)))
            .map_err(MonitorError::Figures)
    }

    /// The baselines to judge `first` by: those at hand while they are fresh.
    fn baselines(
        &self,
        definition: &MonitorDefinition,
        detect: &RateDetect,
        memory: &mut Memory,
        first: Step,
    ) -> Result<Result<Arc<Baselines>, LeftOut>, MonitorError> {
        let fresh = |known: &&Arc<Baselines>| {
            (0..baselines::REFRESH_US).contains(&(first.end_us - known.at_us))
        };
        if let Some(known) = memory.baselines.as_ref().filter(fresh) {
            return Ok(Ok(Arc::clone(known)));
        }
        let step_us = first.end_us - first.start_us;
        let block_us = longest_steps(detect, step_us) as i64 * step_us;
        let history_us = i64::try_from(detect.history.as_micros()).unwrap_or(i64::MAX / 4);
        let from_us = first.end_us - history_us - block_us;
        let known_incidents = self
            .catalogue
            .read(|db| incidents::since(db, &definition.name, from_us))?;
        let source = self.source.as_ref();
        let upto_us = first.end_us;
        let learned = Baselines::learn(
            source,
            definition,
            detect,
            block_us,
            upto_us,
            &known_incidents,
        )
        .map_err(MonitorError::Figures)?;
        let learned = learned.map(Arc::new);
        memory.baselines = learned.as_ref().ok().cloned();
        Ok(learned)
    }

    /// What number of events is normal when `first` is judged: what is at hand while it is fresh.
    fn volumes(
        &self,
        definition: &MonitorDefinition,
        history: Duration,
        memory: &mut Memory,
        first: Step,
    ) -> Result<Option<Arc<Volumes>>, MonitorError> {
        let fresh = |known: &&Arc<Volumes>| {
            (0..volumes::REFRESH_US).contains(&(first.end_us - known.at_us))
        };
        if let Some(known) = memory.volumes.as_ref().filter(fresh) {
            return Ok(Some(Arc::clone(known)));
        }
        let tested_us = tested_us(&definition.detect).unwrap_or(0);
        let history_us = i64::try_from(history.as_micros()).unwrap_or(i64::MAX / 4);
        let from_us = first.end_us - history_us - tested_us;
        let known_incidents = self
            .catalogue
            .read(|db| incidents::since(db, &definition.name, from_us))?;
        let learned = Volumes::learn(
            self.source.as_ref(),
            definition,
            (history_us, tested_us),
            first.end_us,
            &known_incidents,
        )
        .map_err(MonitorError::Figures)?;
        // What was known is better than nothing, above all for incidents that are open.
        if let Some(learned) = learned {
            memory.volumes = Some(Arc::new(learned));
        } else if let Some(known) = &mut memory.volumes {
            Arc::make_mut(known).at_us = first.end_us;
        }
        Ok(memory.volumes.clone())
    }

    /// What values are normal when `first` is judged: what is at hand while it is fresh.
    fn normals(
        &self,
        definition: &MonitorDefinition,
        facts: &MetricFacts,
        detect: &SeasonalDetect,
        memory: &mut Memory,
        first: Step,
    ) -> Result<Option<Arc<Normals>>, MonitorError> {
        // A forecast goes on learning by itself.
        let is_forecast = matches!(definition.detect, Detect::Forecast(_));
        let refresh_us = if is_forecast {
            FORECAST_REFRESH_US
        } else {
            self.values_refresh_us
        };
        let fresh = |known: &&Arc<Normals>| (0..refresh_us).contains(&(first.end_us - known.at_us));
        if let Some(known) = memory.normals.as_ref().filter(fresh) {
            return Ok(Some(Arc::clone(known)));
        }
        let history_us = i64::try_from(detect.history.as_micros()).unwrap_or(i64::MAX / 4);
        let upto_us = first.start_us;
        let known_incidents = self
            .catalogue
            .read(|db| incidents::since(db, &definition.name, upto_us - history_us))?;
        let learned = Normals::learn(
            self.source.as_ref(),
            definition,
            facts,
            (history_us, first.end_us - first.start_us),
            upto_us,
            &known_incidents,
        )
        .map_err(MonitorError::Figures)?;
        if let Some(mut learned) = learned {
            if let Some(before) = &memory.normals {
                learned.keep(before, upto_us - history_us);
            }
            memory.normals = Some(Arc::new(learned));
        } else if let Some(known) = &mut memory.normals {
            Arc::make_mut(known).at_us = first.end_us;
        }
        Ok(memory.normals.clone())
    }
}
