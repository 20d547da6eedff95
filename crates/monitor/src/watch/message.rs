//! What people and machines are told: summaries and message bodies.

use serde::Serialize;

use crate::incident::{Deviation, ImpactOf, Incident, TimelineKind};

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
pub(crate) fn body(
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

/// One sentence about an incident that is not over, from its figures.
pub(super) fn summary(incident: &Incident) -> String {
    let Incident { metric, slice, .. } = incident;
    let figures = &incident.figures;
    let verb = match incident.direction {
        Deviation::Up => "rose to",
        Deviation::Down => "fell to",
    };
    let value = shown(incident, figures.value);
    let off = match figures.bound {
        None => {
            let expected = figures
                .expected
                .map(|expected| shown(incident, Some(expected)));
            let expected =
                expected.map_or(String::new(), |expected| format!(", expected {expected}"));
            format!("{metric} on {slice} {verb} {value}{expected}")
        }
        Some(bound) => {
            let side = side(incident);
            let limit = shown(incident, Some(bound));
            let is_beyond = figures.value.is_none_or(|value| match incident.direction {
                Deviation::Up => value > bound,
                Deviation::Down => value < bound,
            });
            if is_beyond {
                format!("{metric} on {slice} {verb} {value}, {side} the bound of {limit}")
            } else {
                format!("{metric} on {slice} is at {value}, but was {side} the bound of {limit}")
            }
        }
    };
    off + &size(incident) + &stake(incident) + &cause(incident)
}

/// One sentence about an incident that is over: `back` is what the metric has come back to, where
/// it has. Otherwise somebody closed it, or there is nothing to judge any more.
pub(super) fn ended(incident: &Incident, back: Option<f64>) -> String {
    let upto_us = incident.resolved_at_us.unwrap_or(incident.updated_at_us);
    let lasted = duration(upto_us - incident.started_at_us);
    let Some(back) = back else {
        return format!("{}; closed after {lasted}", summary(incident));
    };
    let Incident { metric, slice, .. } = incident;
    let back = shown(incident, Some(back));
    let normal = match (incident.figures.bound, incident.figures.expected) {
        (Some(bound), _) => {
            let limit = shown(incident, Some(bound));
            format!("; it was {} the bound of {limit}", side(incident))
        }
        (None, Some(expected)) => {
            let expected = shown(incident, Some(expected));
            let was = shown(incident, incident.figures.value);
            format!("; it was at {was}, expected {expected}")
        }
        (None, None) => String::new(),
    };
    format!(
        "{metric} on {slice} is back at {back} after {lasted}{normal}{}{}{}",
        size(incident),
        stake(incident),
        cause(incident)
    )
}

/// Which slices explain it, where that is known and says more than its own slice does.
fn cause(incident: &Incident) -> String {
    let explanation = incident.explanation.as_ref();
    let Some(parts) = explanation.and_then(|e| e.parts_beyond(&incident.slice)) else {
        return String::new();
    };
    let parts = parts.iter().map(|part| {
        let share = quantity(part.share_shown(), Some("percent"));
        format!("{} ({share})", part.slice)
    });
    let parts: Vec<_> = parts.collect();
    format!("; explained by {}", parts.join(" and "))
}

/// How much is at stake, where that is known.
fn stake(incident: &Incident) -> String {
    let Some(impact) = &incident.impact else {
        return String::new();
    };
    let amount = quantity(impact.value, impact.unit.as_deref());
    match impact.of {
        ImpactOf::Affected => format!("; about {amount} at stake"),
        ImpactOf::Passed => format!("; about {amount} in all of these"),
    }
}

/// How many events are hit, where that is known.
fn size(incident: &Incident) -> String {
    let figures = &incident.figures;
    let Some(affected) = figures.affected else {
        let passed = figures.passed;
        return passed.map_or(String::new(), |passed| {
            format!("; {passed:.0} events meanwhile, affected or not")
        });
    };
    let Some(denominator) = figures.denominator else {
        return match incident.direction {
            _ if figures.bound.is_some() => format!("; {affected:.0} beyond it"),
            Deviation::Down => format!("; {affected:.0} missing"),
            Deviation::Up => format!("; {affected:.0} too many"),
        };
    };
    let what = if figures.bound.is_some() {
        "beyond it"
    } else {
        "affected"
    };
    format!("; {affected:.0} of {denominator:.0} {what}")
}

fn side(incident: &Incident) -> &'static str {
    match incident.direction {
        Deviation::Up => "above",
        Deviation::Down => "below",
    }
}

fn shown(incident: &Incident, value: Option<f64>) -> String {
    let unit = incident.unit.as_deref();
    value.map_or("no value".to_owned(), |value| quantity(value, unit))
}

/// A span of time in its two largest units.
pub(crate) fn duration(span_us: i64) -> String {
    let seconds = span_us.max(0) / 1_000_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: i64, name: &str, small: i64, small_name: &str| match small {
        0 => format!("{large} {name}"),
        _ => format!("{large} {name} {small} {small_name}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => two(minutes, "min", seconds % 60, "s"),
        (0, _, _) => two(hours, "h", minutes % 60, "min"),
        _ => two(days, "d", hours % 24, "h"),
    }
}

/// A value with its unit; `percent` values are fractions.
pub(crate) fn quantity(value: f64, unit: Option<&str>) -> String {
    match unit {
        Some("percent") => format!("{} %", trimmed(&format!("{:.1}", value * 100.0))),
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
    trimmed(&format!("{value:.decimals$}"))
}

/// Without zeros that say nothing.
fn trimmed(text: &str) -> String {
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text.to_owned()
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
            (0.15, Some("percent"), "15 %"),
            (5230.4, Some("ms"), "5230 ms"),
            (12.34, Some("EUR"), "12.3 EUR"),
            (0.5, None, "0.5"),
            (3.0, Some("count"), "3 count"),
            (100.0, None, "100"),
        ] {
            assert_eq!(quantity(value, unit), shown);
        }
    }

    /// A threshold's incident, on a share or on a count.
    fn broken(value: f64, bound: f64, direction: Deviation, unit: Option<&str>) -> Incident {
        Incident {
            metric: "error_rate".into(),
            slice: crate::figure::Slice::from([("psp", "stripe")]),
            unit: unit.map(str::to_owned),
            direction,
            figures: crate::incident::IncidentFigures {
                value: Some(value),
                bound: Some(bound),
                ..Default::default()
            },
            ..example()
        }
    }

    #[test]
    fn a_bound_is_called_a_bound_and_an_expectation_an_expectation() {
        let percent = Some("percent");
        let mut up = broken(0.795, 0.15, Deviation::Up, percent);
        let text = "error_rate on psp=stripe rose to 79.5 %, above the bound of 15 %";
        assert_eq!(summary(&up), text);
        (up.figures.affected, up.figures.denominator) = (Some(645.0), Some(1000.0));
        assert_eq!(summary(&up), format!("{text}; 645 of 1000 beyond it"));
        up.figures.denominator = None;
        assert_eq!(summary(&up), format!("{text}; 645 beyond it"));
        (up.figures.affected, up.figures.passed) = (None, Some(1000.0));
        up.impact = Some(crate::incident::IncidentImpact {
            metric: "volume".into(),
            value: 25_000.0,
            unit: Some("EUR".into()),
            of: ImpactOf::Passed,
        });
        let passed = "1000 events meanwhile, affected or not; about 25000 EUR in all of these";
        assert_eq!(summary(&up), format!("{text}; {passed}"));
        (up.figures.passed, up.impact) = (None, None);
        assert_eq!(
            summary(&broken(2.0, 3.0, Deviation::Down, None)),
            "error_rate on psp=stripe fell to 2, below the bound of 3"
        );
        assert_eq!(
            summary(&broken(0.1, 0.15, Deviation::Up, percent)),
            "error_rate on psp=stripe is at 10 %, but was above the bound of 15 %"
        );
        assert_eq!(
            summary(&example()),
            "authorization_rate on issuer=bank_17, psp=adyen fell to 41 %, expected 88 %; \
             147 of 312 affected"
        );
    }

    #[test]
    fn slices_that_explain_are_named_where_they_say_more_than_the_incidents_own() {
        let explanation = crate::incident::explanation_example();
        let mut incident = example();
        incident.explanation = Some(explanation.clone());
        assert!(!summary(&incident).contains("explained"), "its own slice");
        incident.slice = crate::figure::Slice::whole();
        assert_eq!(
            summary(&incident),
            "authorization_rate on all fell to 41 %, expected 88 %; 147 of 312 affected; \
             explained by issuer=bank_17, psp=adyen (93 %)"
        );
        incident.explanation = Some(crate::incident::IncidentExplanation {
            parts: Vec::new(),
            ..explanation
        });
        assert!(!summary(&incident).contains("explained"), "no part of it");
    }

    #[test]
    fn an_incident_that_is_over_says_what_it_is_back_at_and_how_long_it_took() {
        let minute = 60_000_000;
        let mut over = broken(40.0, 3.0, Deviation::Down, None);
        over.resolved_at_us = Some(over.started_at_us + 12 * minute);
        assert_eq!(
            ended(&over, Some(40.0)),
            "error_rate on psp=stripe is back at 40 after 12 min; it was below the bound of 3"
        );
        let mut rate = example();
        rate.resolved_at_us = Some(rate.started_at_us + 90 * minute);
        assert_eq!(
            ended(&rate, Some(0.87)),
            "authorization_rate on issuer=bank_17, psp=adyen is back at 87 % after 1 h 30 min; \
             it was at 41 %, expected 88 %; 147 of 312 affected"
        );
        assert_eq!(
            ended(&rate, None),
            "authorization_rate on issuer=bank_17, psp=adyen fell to 41 %, expected 88 %; \
             147 of 312 affected; closed after 1 h 30 min"
        );
    }

    #[test]
    fn spans_are_told_in_their_two_largest_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (95, "1 min 35 s"),
            (3600, "1 h"),
            (3 * 3600 + 61, "3 h 1 min"),
            (50 * 3600, "2 d 2 h"),
        ] {
            assert_eq!(duration(seconds * 1_000_000), text);
        }
        assert_eq!(duration(-1), "0 s");
    }
}
