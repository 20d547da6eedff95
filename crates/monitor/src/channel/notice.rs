//! What a message tells, read back from the outbox.

use serde::Deserialize;

use crate::catalogue::Message;
use crate::definition::Severity;
use crate::figure::Slice;
use crate::incident::{
    Deviation, IncidentExplanation, IncidentImpact, IncidentState, TimelineKind,
};

/// A transition of an incident as its message has it. The message's body is that of a webhook; the
/// other kinds of channel say it in their own words.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Notice {
    /// What happened.
    pub kind: TimelineKind,
    /// To what.
    pub incident: NoticeIncident,
    /// The board with the list of incidents.
    pub link: Option<String>,
}

/// The incident of a message, as far as it is told in words.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct NoticeIncident {
    pub id: String,
    pub monitor: String,
    pub metric: String,
    pub unit: Option<String>,
    pub severity: Severity,
    pub state: IncidentState,
    pub slice: Slice,
    /// RFC 3339 in UTC, as all times here.
    pub started_at: String,
    pub updated_at: String,
    pub resolved_at: Option<String>,
    pub value: Option<f64>,
    pub expected: Option<f64>,
    pub bound: Option<f64>,
    pub numerator: Option<f64>,
    pub denominator: Option<f64>,
    pub affected: Option<f64>,
    #[serde(default)]
    pub passed: Option<f64>,
    pub probability: Option<f64>,
    pub direction: Deviation,
    /// Messages of versions that did not explain have none.
    #[serde(default)]
    pub explanation: Option<IncidentExplanation>,
    #[serde(default)]
    pub impact: Option<IncidentImpact>,
    #[serde(default)]
    pub owner: Option<String>,
}

impl Notice {
    /// Reads the body of a message.
    pub fn read(message: &Message) -> Result<Self, String> {
        serde_json::from_str(&message.body)
            .map_err(|error| format!("the message cannot be read: {error}"))
    }

    /// Whether the incident is over.
    pub fn is_over(&self) -> bool {
        self.incident.state == IncidentState::Resolved
    }

    /// The address of the board, where it is one that a browser opens.
    pub fn link(&self) -> Option<url::Url> {
        let url = url::Url::parse(self.link.as_deref()?).ok()?;
        matches!(url.scheme(), "http" | "https").then_some(url)
    }
}

/// A notice about the example incident, for tests.
#[cfg(test)]
pub(super) fn example() -> Notice {
    let incident = crate::incident::example();
    notice_of(&incident, TimelineKind::Opened)
}

/// The notice of a transition, for tests.
#[cfg(test)]
pub(super) fn notice_of(incident: &crate::incident::Incident, kind: TimelineKind) -> Notice {
    let link = Some("https://till.example");
    let body = crate::watch::message::body(incident, kind, link).unwrap();
    serde_json::from_str(&body).unwrap()
}
