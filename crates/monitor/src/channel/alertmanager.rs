//! Prometheus Alertmanager: its API v2. An alert there lives until its end, so it is sent again
//! while the incident lives.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::escape::plain;
use super::notice::Notice;
use super::template::{Target, Voice};
use super::words;

/// How long an alert lives that is not sent again. Where this program stops, its alerts end after
/// so long.
pub(crate) const ALERT_LIVES_US: i64 = 5 * 60 * 1_000_000;
/// How often the alert of an incident that is not over is sent again: four misses are no end.
pub(crate) const RESEND_US: i64 = 60 * 1_000_000;

/// Longest value of a label or an annotation, in characters.
const LABEL_CHARS_MAX: usize = 500;
/// Longest description in words of one's own, in bytes.
const DESCRIPTION_BYTES_MAX: usize = 4_000;
/// Labels that say what an incident is, and so are no dimension's.
const OWN: [&str; 5] = ["alertname", "metric", "severity", "incident", "direction"];

/// The address that takes alerts.
pub(super) fn alerts_url(base: &url::Url) -> url::Url {
    let mut url = base.clone();
    let path = format!("{}/api/v2/alerts", base.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}

/// The alert of an incident. Its labels are the same as long as its slice is.
pub(super) fn body(notice: &Notice, voice: Voice<'_>, now_us: i64) -> Value {
    let incident = &notice.incident;
    let mut labels = Map::new();
    let none = None::<&str>;
    for (name, value) in incident.slice.pairs() {
        let name = if OWN.contains(&name) {
            format!("slice_{name}")
        } else {
            name.to_owned()
        };
        // A label without a value is no label, so the missing value has a name.
        let value = if value == none {
            "(none)"
        } else {
            value.unwrap_or_default()
        };
        labels.insert(name, json!(plain(value, LABEL_CHARS_MAX)));
    }
    for (name, value) in [
        ("alertname", incident.monitor.as_str()),
        ("metric", incident.metric.as_str()),
        ("severity", incident.severity.name()),
        ("incident", incident.id.as_str()),
        ("direction", incident.direction.name()),
    ] {
        labels.insert(name.to_owned(), json!(value));
    }
    let told = words::told(notice, voice.language);
    let summary = voice.own_title(notice).unwrap_or(told.sentence);
    let description = voice.own_text(notice, Target::Plain, DESCRIPTION_BYTES_MAX);
    let ends_at = match &incident.resolved_at {
        Some(at) if notice.is_over() => at.clone(),
        _ => time_text(now_us.saturating_add(ALERT_LIVES_US)),
    };
    let mut alert = json!({
        "labels": labels,
        "annotations": {
            "summary": plain(&summary, LABEL_CHARS_MAX),
            "description": description.unwrap_or(told.head),
        },
        "startsAt": incident.started_at,
        "endsAt": ends_at,
    });
    if let (Some(link), Value::Object(fields)) = (notice.link(), &mut alert) {
        fields.insert("generatorURL".to_owned(), json!(link.as_str()));
    }
    json!([alert])
}

fn time_text(at_us: i64) -> String {
    Timestamp::from_microsecond(at_us)
        .map_or_else(|_| Timestamp::MAX.to_string(), |at| at.to_string())
}
