//! How sure monitors are of their incidents, by what people said of earlier ones.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

use serde::Serialize;

use super::{ActionNote, Watch};
use crate::MonitorError;
use crate::catalogue::{Catalogue, feedback, incidents};
use crate::definition::MonitorDefinition;
use crate::detect::probability::Calibration;
use crate::incident::{Incident, TimelineEntry, TimelineKind};

/// How much a verdict on another monitor's incident counts.
const OTHERS_WEIGHT: f64 = 0.05;

/// How good a monitor's probabilities are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Surety {
    /// Incidents that people called real.
    pub real: usize,
    /// Incidents that people called false alarms.
    pub false_alarms: usize,
    /// The mean squared difference between the probability and what people said, as of now; null before they said
    /// anything. 0 is perfect, 0.25 knows nothing.
    pub brier: Option<f64>,
}

impl Watch {
    /// Notes whether an incident was real, and judges by that from now on. Channels are not told.
    ///
    /// # Errors
    /// There is no such incident, or the catalogue cannot be written.
    pub fn feedback(
        &self,
        id: &str,
        is_real: bool,
        note: &ActionNote,
        now_us: i64,
    ) -> Result<Incident, MonitorError> {
        let verdict = if is_real { "real" } else { "a false alarm" };
        let incident = self.catalogue.write(|db| {
            let incident = incidents::get(db, id)?;
            feedback::put(db, &incident, is_real, now_us)?;
            let entry = TimelineEntry {
                at_us: now_us,
                kind: TimelineKind::Feedback,
                text: note.text(&format!("called {verdict}")),
            };
            incidents::append(db, &incident.id, &entry)?;
            incidents::get(db, id)
        })?;
        self.calibrate(self.monitors.iter().map(|monitor| &monitor.definition))?;
        self.feed.publish(TimelineKind::Feedback, incident.clone());
        Ok(incident)
    }

    /// Fits every monitor's probability to what people said: a little to what they said of others', and from there to what they said of its own.
    pub(super) fn calibrate<'a>(
        &self,
        definitions: impl IntoIterator<Item = &'a MonitorDefinition>,
    ) -> Result<(), MonitorError> {
        let mut fitted = HashMap::new();
        for definition in definitions {
            let calibration = calibration_of(&self.catalogue, &definition.name)?;
            fitted.insert(definition.name.clone(), calibration);
        }
        *self.calibrations() = fitted;
        Ok(())
    }

    /// Is as sure of a monitor's incidents as this says, whatever the catalogue holds.
    pub(crate) fn calibrate_as(&self, monitor: &str, calibration: Calibration) {
        self.calibrations().insert(monitor.to_owned(), calibration);
    }

    /// How sure a monitor is of what it finds.
    pub(super) fn calibration(&self, monitor: &str) -> Calibration {
        self.calibrations()
            .get(monitor)
            .copied()
            .unwrap_or_default()
    }

    /// How good a monitor's probabilities are.
    pub(super) fn surety(&self, monitor: &str) -> Surety {
        let said = self
            .catalogue
            .read(|db| feedback::verdicts(db, monitor, false));
        let said = said.unwrap_or_default();
        let real = said.iter().filter(|verdict| verdict.is_real).count();
        Surety {
            real,
            false_alarms: said.len() - real,
            brier: self.calibration(monitor).brier(&said),
        }
    }

    fn calibrations(&self) -> MutexGuard<'_, HashMap<String, Calibration>> {
        self.calibrations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// How sure a monitor of that name is, by what people said of its incidents and, a little, of others'.
///
/// # Errors
/// The catalogue cannot be read.
pub fn calibration_of(catalogue: &Catalogue, monitor: &str) -> Result<Calibration, MonitorError> {
    catalogue.read(|db| {
        let others = feedback::verdicts(db, monitor, true)?;
        let own = feedback::verdicts(db, monitor, false)?;
        let start = Calibration::default().weighed(&others, OTHERS_WEIGHT);
        Ok(start.fitted(&own))
    })
}
