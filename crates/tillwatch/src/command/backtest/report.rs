//! What a back-test found, for people.

use std::collections::HashMap;

use serde_json::Value;

use super::super::sql::shown;
use crate::terminal::{self, thousands};

/// Prints an answer: a table for each version, and what they have in common.
pub fn print(answer: &Value) {
    let versions = ["existing", "proposed"];
    let runs = versions.map(|version| (version, answer.get(version).filter(|run| !run.is_null())));
    terminal::line(shown(&format!(
        "{} from {} to {}, judged in {:.1} s",
        text(answer, "monitor"),
        text(answer, "from"),
        text(answer, "to"),
        answer.get("took_s").and_then(Value::as_f64).unwrap_or(0.0),
    )));
    let comparison = answer.get("comparison").filter(|one| !one.is_null());
    for (version, run) in runs {
        let Some(run) = run else {
            continue;
        };
        terminal::line("");
        for line in headline(version, run) {
            terminal::line(shown(&line));
        }
        let other = comparison.map(|comparison| others(version, comparison));
        table(run, other.as_ref());
    }
    if let Some(comparison) = comparison {
        let count = |key: &str| {
            let list = comparison.get(key).and_then(Value::as_array);
            thousands(list.map_or(0, Vec::len) as u64)
        };
        terminal::line("");
        terminal::line(format!(
            "{} found by both, {} by the existing version only, {} by the proposed version only",
            count("both"),
            count("only_existing"),
            count("only_proposed"),
        ));
    }
}

/// What is judged how, and how many incidents are what.
fn headline(version: &str, run: &Value) -> Vec<String> {
    let by = run.get("by").and_then(Value::as_array);
    let by = by.into_iter().flatten().filter_map(Value::as_str);
    let by = by.collect::<Vec<_>>().join(", ");
    let by = if by.is_empty() {
        by
    } else {
        format!(" by {by}")
    };
    let detect = run.get("detect").and_then(Value::as_object);
    let detect = detect.and_then(|detect| detect.keys().next());
    let steps = list(run, "resolution").map(|part| {
        let step_s = part.get("step_s").and_then(Value::as_f64).unwrap_or(0.0);
        (text(part, "from"), duration(step_s as i64))
    });
    let steps: Vec<(String, String)> = steps.collect();
    let length = match steps.as_slice() {
        [(_, only)] => format!(" of {only}"),
        [(_, first), rest @ ..] => {
            let rest = rest
                .iter()
                .map(|(from, step)| format!(", {step} from {from}"));
            format!(" of {first}{}", rest.collect::<String>())
        }
        [] => String::new(),
    };
    let mut lines = vec![format!(
        "{version}: {} on {}{by}, {} steps{length}",
        detect.map_or("", String::as_str),
        text(run, "metric"),
        thousands(number(run, "steps")),
    )];
    let counts = run.get("counts").cloned().unwrap_or_default();
    let of = |key: &str| thousands(number(&counts, key));
    let found = number(&counts, "found");
    lines.push(format!(
        "  {} {} ({:.1} a week): {} real, {} false alarms, {} unlabelled; {} missed",
        thousands(found),
        if found == 1 { "incident" } else { "incidents" },
        run.get("per_week").and_then(Value::as_f64).unwrap_or(0.0),
        of("real"),
        of("false_alarms"),
        of("unlabelled"),
        of("missed"),
    ));
    let learning = number(run, "learning_hours");
    if learning > 0 {
        lines.push(format!(
            "  {} hours had too little history to judge by",
            thousands(learning)
        ));
    }
    lines
}

/// Of each incident of a version, what the other version made of it.
fn others(version: &str, comparison: &Value) -> (&'static str, HashMap<String, String>) {
    let is_existing = version == "existing";
    let both = list(comparison, "both").map(|pair| {
        let later_s = pair.get("later_s").and_then(Value::as_i64).unwrap_or(0);
        // Told of the other: what it opens later this one opens earlier.
        let later_s = if is_existing { later_s } else { -later_s };
        let when = match later_s {
            0 => "as early".to_owned(),
            1.. => format!("{} later", duration(later_s)),
            _ => format!("{} earlier", duration(-later_s)),
        };
        (text(pair, version), when)
    });
    let other = if is_existing { "proposed" } else { "existing" };
    (other, both.collect())
}

fn table(run: &Value, other: Option<&(&'static str, HashMap<String, String>)>) {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for found in list(run, "incidents") {
        let incident = found.get("incident").cloned().unwrap_or_default();
        let expected = ["expected", "bound"].map(|key| figure(&incident, key));
        let mut row = vec![
            text(&incident, "opened_at"),
            duration(found.get("delay_s").and_then(Value::as_i64).unwrap_or(0)),
            lasted(&incident),
            slice(&incident),
            figure(&incident, "value"),
            expected
                .into_iter()
                .find(|text| !text.is_empty())
                .unwrap_or_default(),
            whole(&incident, "affected"),
            percent(&incident, "probability"),
            text(found, "verdict").replace('_', " "),
        ];
        if let Some((_, others)) = other {
            let when = others.get(&text(&incident, "id")).cloned();
            row.push(when.unwrap_or_else(|| "not found".to_owned()));
        }
        rows.push(row.iter().map(|cell| shown(cell)).collect());
    }
    if !rows.is_empty() {
        let columns = ["opened", "after", "lasted", "slice", "value", "expected"];
        let further = ["affected", "sure", "was"];
        let header = columns
            .into_iter()
            .chain(further)
            .chain(other.map(|(name, _)| *name));
        let header: Vec<String> = header.map(str::to_owned).collect();
        terminal::table(&header, &rows);
    }
    if run.get("truncated").and_then(Value::as_bool) == Some(true) {
        terminal::line("  and more, which are not shown");
    }
    for missed in list(run, "missed") {
        let what = text(missed, "summary");
        let what = if what.is_empty() { slice(missed) } else { what };
        terminal::line(shown(&format!(
            "  missed: {} {what}",
            text(missed, "started_at")
        )));
    }
}

fn list<'a>(of: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    of.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text(of: &Value, key: &str) -> String {
    let text = of.get(key).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

fn number(of: &Value, key: &str) -> u64 {
    of.get(key).and_then(Value::as_u64).unwrap_or(0)
}

/// A slice as `psp=adyen, issuer=bank_17`.
fn slice(of: &Value) -> String {
    let pairs = of.get("slice").and_then(Value::as_object);
    let pairs = pairs
        .into_iter()
        .flatten()
        .map(|(dimension, value)| format!("{dimension}={}", value.as_str().unwrap_or("(none)")));
    let pairs = pairs.collect::<Vec<_>>().join(", ");
    if pairs.is_empty() {
        "all".to_owned()
    } else {
        pairs
    }
}

/// A figure in the metric's unit.
fn figure(incident: &Value, key: &str) -> String {
    if text(incident, "unit") == "percent" {
        return percent(incident, key);
    }
    match incident.get(key).and_then(Value::as_f64) {
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.2}"),
        None => String::new(),
    }
}

fn percent(of: &Value, key: &str) -> String {
    let share = of.get(key).and_then(Value::as_f64);
    share.map_or(String::new(), |share| format!("{:.1} %", share * 100.0))
}

fn whole(of: &Value, key: &str) -> String {
    let number = of.get(key).and_then(Value::as_f64);
    number.map_or(String::new(), |number| thousands(number.max(0.0) as u64))
}

/// From the first bad bucket to the end.
fn lasted(incident: &Value) -> String {
    let at = |key: &str| text(incident, key).parse::<jiff::Timestamp>().ok();
    match (at("started_at"), at("resolved_at")) {
        (Some(started), Some(ended)) => duration(ended.as_second() - started.as_second()),
        _ => "not over".to_owned(),
    }
}

/// Seconds in the two largest units.
fn duration(seconds: i64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let mut rest = seconds.max(0);
    let mut parts = Vec::new();
    for (length, unit) in units {
        let count = rest / length;
        rest %= length;
        if count > 0 {
            parts.push(format!("{count}{unit}"));
        }
    }
    parts.truncate(2);
    if parts.is_empty() {
        "0s".to_owned()
    } else {
        parts.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_and_figures_are_short() {
        let cases = [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3_725, "1h 2m"),
            (90_061, "1d 1h"),
        ];
        for (seconds, text) in cases {
            assert_eq!(duration(seconds), text);
        }
        let incident = json!({
            "unit": "percent", "value": 0.4123, "affected": 1234.0, "slice": {"psp": "adyen", "issuer": null},
            "started_at": "2026-11-10T09:00:00Z", "resolved_at": "2026-11-10T10:03:00Z",
        });
        assert_eq!(figure(&incident, "value"), "41.2 %");
        assert_eq!(figure(&incident, "expected"), "");
        assert_eq!(whole(&incident, "affected"), "1,234");
        assert_eq!(slice(&incident), "psp=adyen, issuer=(none)");
        assert_eq!(lasted(&incident), "1h 3m");
        let count = json!({"value": 1234.5, "expected": 3.456, "resolved_at": null});
        assert_eq!(figure(&count, "value"), "1234");
        assert_eq!(figure(&count, "expected"), "3.46");
        assert_eq!(
            (slice(&count), lasted(&count)),
            ("all".into(), "not over".into())
        );
    }

    #[test]
    fn what_the_other_version_makes_of_an_incident_is_told_from_its_side() {
        let comparison = json!({"both": [{"existing": "a", "proposed": "b", "later_s": 120}]});
        let (name, of_existing) = others("existing", &comparison);
        assert_eq!((name, of_existing["a"].as_str()), ("proposed", "2m later"));
        let (name, of_proposed) = others("proposed", &comparison);
        assert_eq!(
            (name, of_proposed["b"].as_str()),
            ("existing", "2m earlier")
        );
    }
}
