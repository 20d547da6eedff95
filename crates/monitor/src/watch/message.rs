//! What people and machines are told: summaries and message bodies.

use serde::Serialize;

use crate::incident::{Deviation, Incident, TimelineKind};

/// Version of the message body. Fields may be added within a version.
const BODY_VERSION: u32 = 1;

/// The body of a message to a channel, as JSON.
#[derive(Serialize)]
struct Body<'a> {
    version: u32,
    kind: TimelineKind,
    transition: u32,
    incident: &'a Incident,
    /// The web's first page: the board with the list of incidents.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

/// The JSON that a channel is sent about a transition of an incident.
pub(super) fn body(
    incident: &Incident,
    kind: TimelineKind,
    base_url: Option<&str>,
) -> Result<String, serde_json::Error> {
    let link = base_url.map(|base| format!("{}/", base.trim_end_matches('/')));
    let transition = incident.transition;
    serde_json::to_string(&Body {
        version: BODY_VERSION,
        kind,
        transition,
        incident,
        link,
    })
}

/// One sentence about an incident.
pub(super) fn summary(incident: &Incident) -> String {
    let unit = incident.unit.as_deref();
    let figures = &incident.figures;
    let show = |value: Option<f64>| value.map_or("no value".to_owned(), |v| quantity(v, unit));
    let verb = match incident.direction {
        Deviation::Up => "rose to",
        Deviation::Down => "fell to",
    };
    let mut text = format!(
        "{} on {} {verb} {}, expected {}",
        incident.metric,
        incident.slice,
        show(figures.value),
        show(figures.expected)
    );
    if let (Some(affected), Some(denominator)) = (figures.affected, figures.denominator) {
        text.push_str(&format!("; {affected:.0} of {denominator:.0} affected"));
    }
    text
}

/// A value with its unit; `percent` values are fractions.
pub(super) fn quantity(value: f64, unit: Option<&str>) -> String {
    match unit {
        Some("percent") => format!("{:.1} %", value * 100.0),
        Some(unit) => format!("{} {unit}", rounded(value)),
        None => rounded(value),
    }
}

/// Three decimals below ten, none above a thousand: as exact as a person reads.
fn rounded(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 1000.0 => 0,
        size if size >= 10.0 => 1,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::example;

    #[test]
    fn a_message_links_to_the_board_where_the_webs_address_is_known() {
        let link = |base_url: Option<&str>| {
            let body = body(&example(), TimelineKind::Opened, base_url).unwrap();
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            body.get("link").cloned()
        };
        let board = serde_json::json!("https://till.example/");
        for base in ["https://till.example", "https://till.example/"] {
            assert_eq!(link(Some(base)), Some(board.clone()), "{base}");
        }
        assert_eq!(link(None), None, "no field that promises something");
    }

    #[test]
    fn quantities_are_shown_with_their_unit_and_no_needless_digits() {
        for (value, unit, shown) in [
            (0.412_34, Some("percent"), "41.2 %"),
            (5230.4, Some("ms"), "5230 ms"),
            (12.34, Some("EUR"), "12.3 EUR"),
            (0.5, None, "0.5"),
            (3.0, Some("count"), "3 count"),
            (100.0, None, "100"),
        ] {
            assert_eq!(quantity(value, unit), shown);
        }
    }
}
