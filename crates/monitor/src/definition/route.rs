//! Routes and maintenance windows: which incidents are told where, and when none is.

use std::collections::BTreeMap;

use super::{DefinitionFault, Once, Severity, Weekly};
use crate::figure::Slice;
use crate::incident::Incident;

/// Most values that a selector names of one dimension.
const VALUES_MAX: usize = 1000;

/// What an incident is about, as far as it decides who is told of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Subject<'a> {
    /// How urgent it is.
    pub severity: Severity,
    /// Name of its monitor.
    pub monitor: &'a str,
    /// Name of its metric.
    pub metric: &'a str,
    /// Its slice.
    pub slice: &'a Slice,
}

impl<'a> From<&'a Incident> for Subject<'a> {
    fn from(incident: &'a Incident) -> Self {
        Self {
            severity: incident.severity,
            monitor: &incident.monitor,
            metric: &incident.metric,
            slice: &incident.slice,
        }
    }
}

/// Picks incidents. What is left empty picks every one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selector {
    /// Only incidents at least this urgent.
    pub severity: Option<Severity>,
    /// Only incidents of these monitors.
    pub monitors: Vec<String>,
    /// Only incidents of these metrics.
    pub metrics: Vec<String>,
    /// Only incidents of slices that fix each of these dimensions to one of its values; `None` is
    /// the dimension without a value.
    pub slices: BTreeMap<String, Vec<Option<String>>>,
}

impl Selector {
    /// Whether it picks an incident that is about this.
    #[must_use]
    pub fn picks(&self, subject: &Subject<'_>) -> bool {
        let named = |names: &[String], name: &str| {
            names.is_empty() || names.iter().any(|other| other == name)
        };
        self.severity.is_none_or(|least| subject.severity >= least)
            && named(&self.monitors, subject.monitor)
            && named(&self.metrics, subject.metric)
            && self.slices.iter().all(|(dimension, values)| {
                let value = subject.slice.value(dimension);
                value.is_some_and(|value| values.contains(value))
            })
    }

    fn validate(&self, faults: &mut Vec<DefinitionFault>) {
        for (dimension, values) in &self.slices {
            let field = format!("where.{dimension}");
            if values.is_empty() {
                faults.push(DefinitionFault::new(field, "names no value"));
            } else if values.len() > VALUES_MAX {
                let reason = format!("names more than {VALUES_MAX} values");
                faults.push(DefinitionFault::new(field, reason));
            }
        }
    }
}

/// Tells channels of incidents besides those that a monitor itself notifies.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteDefinition {
    /// Name, unique among routes.
    pub name: String,
    /// Which incidents.
    pub selector: Selector,
    /// Names of the channels that are told of them.
    pub channels: Vec<String>,
}

impl RouteDefinition {
    /// Everything that is wrong with this route on its own. Whether monitors, metrics and channels
    /// exist is for the loader, who knows them.
    #[must_use]
    pub fn validate(&self) -> Vec<DefinitionFault> {
        let mut faults = Vec::new();
        if self.channels.is_empty() {
            let reason = "a route needs at least one channel";
            faults.push(DefinitionFault::new("channels", reason));
        }
        self.selector.validate(&mut faults);
        faults
    }
}

/// When a maintenance window is.
#[derive(Clone, Debug, PartialEq)]
pub enum MaintenanceTime {
    /// Every week.
    Weekly(Weekly),
    /// Once.
    Once(Once),
}

/// A time in which no channel is told of the incidents it picks. What is then still open is told at
/// its end.
#[derive(Clone, Debug, PartialEq)]
pub struct MaintenanceDefinition {
    /// Name, unique among maintenance windows.
    pub name: String,
    /// Of which incidents nobody is told.
    pub selector: Selector,
    /// When.
    pub time: MaintenanceTime,
}

impl MaintenanceDefinition {
    /// Everything that is wrong with this window on its own.
    #[must_use]
    pub fn validate(&self) -> Vec<DefinitionFault> {
        let mut faults = Vec::new();
        self.selector.validate(&mut faults);
        faults
    }

    /// Until when nobody is told of an incident, if this window is open at `at_us` and picks it.
    #[must_use]
    pub fn until_us(&self, subject: &Subject<'_>, at_us: i64) -> Option<i64> {
        if !self.selector.picks(subject) {
            return None;
        }
        match &self.time {
            MaintenanceTime::Weekly(weekly) => weekly.until_us(at_us),
            MaintenanceTime::Once(once) => (once.from_us..once.to_us)
                .contains(&at_us)
                .then_some(once.to_us),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::example;

    #[test]
    fn a_selector_picks_by_severity_monitor_metric_and_values_of_the_slice() {
        // Critical, authorization_drop, authorization_rate, psp=adyen, issuer=bank_17.
        let incident = example();
        let mut selector = Selector::default();
        let picks = |selector: &Selector| selector.picks(&Subject::from(&incident));
        assert!(picks(&selector), "an empty one picks all");
        selector.severity = Some(Severity::Critical);
        selector.monitors = vec!["other".into(), "authorization_drop".into()];
        selector.metrics = vec!["authorization_rate".into()];
        let psps = vec![Some("stripe".to_owned()), Some("adyen".to_owned())];
        selector.slices.insert("psp".into(), psps);
        assert!(picks(&selector));
        let misses = |change: &dyn Fn(&mut Selector)| {
            let mut other = selector.clone();
            change(&mut other);
            !picks(&other)
        };
        assert!(misses(&|s| s.monitors = vec!["other".into()]));
        assert!(misses(&|s| s.metrics = vec!["other".into()]));
        assert!(misses(&|s| {
            s.slices.insert("psp".into(), vec![Some("stripe".into())]);
        }));
        // An incident that is not about one country alone is not about Germany.
        assert!(misses(&|s| {
            s.slices.insert("country".into(), vec![Some("DE".into())]);
        }));
        assert!(misses(&|s| {
            s.slices.insert("psp".into(), vec![None]);
        }));
        let mut warning = incident.clone();
        warning.severity = Severity::Warning;
        assert!(!selector.picks(&Subject::from(&warning)));
    }

    #[test]
    fn a_maintenance_window_is_open_from_its_begin_up_to_its_end() {
        let window = MaintenanceDefinition {
            name: "move".into(),
            selector: Selector::default(),
            time: MaintenanceTime::Once(Once {
                from_us: 10,
                to_us: 20,
            }),
        };
        let until = |at_us| window.until_us(&Subject::from(&example()), at_us);
        assert_eq!([9, 10, 19, 20].map(until), [None, Some(20), Some(20), None]);
    }
}
