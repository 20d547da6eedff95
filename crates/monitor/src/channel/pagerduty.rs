//! PagerDuty: its Events API v2. An incident here is one there, by its id as `dedup_key`.

use serde_json::{Map, Value, json};

use super::escape::plain;
use super::notice::Notice;
use super::template::{Target, Voice};
use super::words;
use crate::definition::PagerDutyDefinition;
use crate::incident::TimelineKind;

/// Longest summary, in characters.
const SUMMARY_CHARS_MAX: usize = 1024;
/// Longest value among the details, in characters.
const DETAIL_CHARS_MAX: usize = 500;

/// Longest text in words of one's own, in bytes.
const MESSAGE_BYTES_MAX: usize = 4_000;

/// The event of a transition.
pub(super) fn body(notice: &Notice, duty: &PagerDutyDefinition, voice: Voice<'_>) -> Value {
    let incident = &notice.incident;
    let action = match notice.kind {
        TimelineKind::Acknowledged => "acknowledge",
        TimelineKind::Resolved => "resolve",
        _ => "trigger",
    };
    let mut event = json!({
        "routing_key": duty.routing_key.expose_text(),
        "event_action": action,
        "dedup_key": incident.id,
    });
    if action == "trigger"
        && let Value::Object(fields) = &mut event
    {
        let language = voice.language;
        let summary = voice.own_title(notice);
        let summary = summary.unwrap_or_else(|| words::told(notice, language).sentence);
        fields.insert(
            "payload".to_owned(),
            json!({
                "summary": plain(&summary, SUMMARY_CHARS_MAX),
                "source": plain(&words::slice(incident, language), DETAIL_CHARS_MAX),
                "severity": incident.severity.name(),
                "timestamp": incident.started_at,
                "component": incident.metric,
                "class": incident.monitor,
                "custom_details": details(notice, voice),
            }),
        );
        fields.insert("client".to_owned(), json!("Tillwatch"));
        if let Some(link) = notice.link() {
            fields.insert("client_url".to_owned(), json!(link.as_str()));
            let name = words::open_board(language);
            let link = json!({"href": link.as_str(), "text": name});
            fields.insert("links".to_owned(), json!([link]));
        }
    }
    event
}

fn details(notice: &Notice, voice: Voice<'_>) -> Value {
    let incident = &notice.incident;
    let mut details = Map::new();
    if let Some(text) = voice.own_text(notice, Target::Plain, MESSAGE_BYTES_MAX) {
        details.insert("message".to_owned(), json!(text));
    }
    for (name, value) in incident.slice.pairs() {
        let value = value.map(|value| plain(value, DETAIL_CHARS_MAX));
        details.insert(format!("slice.{name}"), json!(value));
    }
    for (name, value) in [
        ("value", incident.value),
        ("expected", incident.expected),
        ("bound", incident.bound),
        ("numerator", incident.numerator),
        ("denominator", incident.denominator),
        ("affected", incident.affected),
        ("probability", incident.probability),
    ] {
        if let Some(value) = value {
            details.insert(name.to_owned(), json!(value));
        }
    }
    Value::Object(details)
}
