//! What a user writes about monitors, channels, routes and maintenance, and what is wrong with it.
//!
//! The loader of the definitions folder turns YAML into these structs and asks `validate` for every
//! fault at once. A fault names the field it is about, so that the loader can add file and line.

mod calendar;
mod channel;
mod detect;
mod email;
mod monitor;
mod route;
mod schedule;
mod secret;
mod template;

pub use calendar::Calendar;
pub(crate) use channel::literal_address;
pub use channel::{
    AlertmanagerDefinition, CHANNELS, ChannelDefinition, ChannelKind, HookDefinition, Language,
    PAGERDUTY_URL, PagerDutyDefinition,
};
pub use detect::{
    AutoDetect, CountDetect, DETECTORS, Detect, RateDetect, SeasonalDetect, Sensitivity,
    SilenceDetect, ThresholdDetect, detector_fault,
};
pub(crate) use email::mailbox;
pub use email::{EmailDefinition, SmtpTls};
pub use monitor::{Direction, MonitorDefinition, Severity};
pub use route::{MaintenanceDefinition, MaintenanceTime, RouteDefinition, Selector, Subject};
pub use schedule::{DAYS, Once, QuietHours, Weekly, is_time_of_day};
pub use secret::Secret;
pub use template::MessageTemplates;

/// One thing that is wrong in a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionFault {
    /// Path of the field below the definition, e.g. `detect.rate.window`.
    pub field: String,
    /// What is wrong and what would be right, as one sentence without a full stop.
    pub reason: String,
}

impl DefinitionFault {
    /// A fault about `field`.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }
}

impl std::fmt::Display for DefinitionFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}
