use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::{DAY_US, MONDAY_US, events, events_of, perfect};

/// Every definition of a pack: section, then name.
fn pack(name: &str) -> BTreeMap<String, Map<String, Value>> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "packs", name]
        .iter()
        .collect();
    let mut all: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|e| e == "yaml") {
            let text = fs::read_to_string(&path).unwrap();
            let sections: Map<String, Value> = serde_saphyr::from_str(&text).unwrap();
            for (section, definitions) in sections {
                for (name, definition) in definitions.as_object().unwrap().clone() {
                    let before = all
                        .entry(section.clone())
                        .or_default()
                        .insert(name.clone(), definition);
                    assert!(before.is_none(), "{section}.{name} is defined twice");
                }
            }
        }
    }
    all
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_str().unwrap())
        .collect()
}

/// Whether a value is one of the declared type, strictly: exact decimals as texts, times in RFC 3339.
fn is_of_type(value: &Value, kind: &str) -> bool {
    let text = value.as_str();
    match kind {
        "string" => text.is_some_and(|t| !t.is_empty()),
        "bool" => value.is_boolean(),
        "int64" => value.is_i64(),
        "timestamp" => {
            text.is_some_and(|t| t.ends_with('Z') && t.parse::<jiff::Timestamp>().is_ok())
        }
        "currency" => {
            text.is_some_and(|t| t.len() == 3 && t.bytes().all(|b| b.is_ascii_uppercase()))
        }
        "decimal(18, 3)" => text.is_some_and(|t| {
            let (whole, part) = t.split_once('.').unwrap_or((t, ""));
            let digits = |d: &str| d.bytes().all(|b| b.is_ascii_digit());
            !whole.is_empty()
                && whole.len() <= 15
                && part.len() <= 3
                && digits(whole)
                && digits(part)
        }),
        other => panic!("a type this test does not know: {other}"),
    }
}

#[test]
fn every_simulated_event_is_one_of_its_stream() {
    let mut streams = pack("payments").remove("streams").unwrap();
    streams.extend(pack("commerce").remove("streams").unwrap());
    let mut used: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (stream, events) in events(&perfect(50_000, 31), MONDAY_US, MONDAY_US + DAY_US) {
        let fields = streams[stream]["fields"].as_object().unwrap();
        for event in events {
            let event = event.as_object().unwrap();
            for (field, value) in event {
                let kind = fields
                    .get(field)
                    .unwrap_or_else(|| panic!("{stream} has no {field}"))
                    .as_str()
                    .unwrap();
                assert!(
                    is_of_type(value, kind.trim_end_matches('?')),
                    "{stream}.{field} {value}"
                );
                used.entry(stream).or_default().insert(field.clone());
            }
            for (field, kind) in fields {
                assert!(
                    kind.as_str().unwrap().ends_with('?') || event.contains_key(field),
                    "{stream} without {field}"
                );
            }
        }
        let declared: BTreeSet<String> = fields.keys().cloned().collect();
        assert_eq!(
            used[stream], declared,
            "{stream}: a field that never occurs"
        );
    }
    assert_eq!(
        used.len(),
        streams.len(),
        "a stream that is never simulated"
    );
}

#[test]
fn amounts_have_the_digits_of_their_currency() {
    let mut seen = BTreeSet::new();
    for (stream, events) in events(&perfect(50_000, 32), MONDAY_US, MONDAY_US + DAY_US) {
        for event in events {
            let Some(currency) = event.get("currency").and_then(Value::as_str) else {
                continue;
            };
            let digits = match currency {
                "JPY" | "KRW" => 0,
                "KWD" => 3,
                _ => 2,
            };
            seen.insert(digits);
            for field in [
                "amount",
                "fee",
                "value",
                "goods",
                "discount",
                "tax",
                "shipping",
                "refund",
                "unit_price",
                "cost",
            ] {
                let Some(amount) = event.get(field).and_then(Value::as_str) else {
                    continue;
                };
                let part = amount.split_once('.').map_or(0, |(_, part)| part.len());
                assert_eq!(part, digits, "{stream}.{field} {amount} {currency}");
            }
        }
    }
    assert_eq!(seen, BTreeSet::from([0, 2, 3]));
}

#[test]
fn packs_name_only_what_they_define() {
    for name in ["payments", "commerce"] {
        let all = pack(name);
        for (cube, definition) in &all["cubes"] {
            let stream = &all["streams"][definition["from"].as_str().unwrap()];
            let derived = stream.get("derive").and_then(Value::as_object);
            for dimension in names(&definition["dimensions"]) {
                let known = stream["fields"].get(dimension).is_some()
                    || derived.is_some_and(|d| d.contains_key(dimension));
                assert!(known, "{cube}: {dimension}");
            }
        }
        for (metric, definition) in &all["metrics"] {
            let cube = &all["cubes"][definition["of"].as_str().unwrap()];
            let measures = cube["measures"].as_object().unwrap();
            let expr = definition["expr"].as_str().unwrap();
            let words = expr
                .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .filter(|w| w.starts_with(char::is_alphabetic));
            for word in
                words.filter(|w| !["case", "when", "then", "end", "quantile_at"].contains(w))
            {
                assert!(measures.contains_key(word), "{metric}: {word}");
            }
            for field in ["unit", "description", "formula"] {
                assert!(
                    definition[field].as_str().is_some_and(|t| !t.is_empty()),
                    "{metric}.{field}"
                );
            }
            assert!(
                definition["description"].as_str().unwrap().ends_with('.'),
                "{metric}"
            );
        }
        for (monitor, definition) in &all["monitors"] {
            let metric = &all["metrics"][definition["metric"].as_str().unwrap()];
            let dimensions = names(&all["cubes"][metric["of"].as_str().unwrap()]["dimensions"]);
            assert!(
                names(&definition["by"])
                    .iter()
                    .all(|d| dimensions.contains(d)),
                "{monitor}"
            );
            assert!(
                names(&definition["notify"])
                    .iter()
                    .all(|c| all["channels"].contains_key(*c)),
                "{monitor}"
            );
        }
        let board = &all["boards"][name];
        for item in board["tiles"]
            .as_array()
            .unwrap()
            .iter()
            .chain(board["charts"].as_array().unwrap())
        {
            check_part(&all, item, item["metric"].as_str().unwrap());
        }
        for panel in board["panels"].as_array().unwrap() {
            match panel.get("steps") {
                Some(steps) => {
                    check_title(panel);
                    for step in steps.as_array().unwrap() {
                        check_part(&all, step, step["metric"].as_str().unwrap());
                    }
                }
                None => {
                    let also = panel.get("also").map(names).unwrap_or_default();
                    for metric in also.into_iter().chain(panel["metric"].as_str()) {
                        check_part(&all, panel, metric);
                    }
                }
            }
        }
    }
}

/// That a part of a board has a title in both languages, and that a metric of it has the dimensions it is split by.
fn check_part(all: &BTreeMap<String, Map<String, Value>>, part: &Value, metric: &str) {
    let metric = &all["metrics"][metric];
    let dimensions = names(&all["cubes"][metric["of"].as_str().unwrap()]["dimensions"]);
    let by = match part.get("by") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(several) => names(several),
        None => Vec::new(),
    };
    assert!(by.iter().all(|one| dimensions.contains(one)), "{part}");
    check_title(part);
}

fn check_title(part: &Value) {
    assert!(!part["title"]["en"].as_str().unwrap().is_empty());
    let chinese = part["title"]["zh"].as_str().unwrap();
    assert!(chinese.chars().any(|c| c > '\u{2e80}'), "{part}");
}

#[test]
fn packs_can_be_loaded_together() {
    let (payments, commerce) = (pack("payments"), pack("commerce"));
    assert_eq!(
        payments["rates"], commerce["rates"],
        "one table of rates, carried by both"
    );
    for section in [
        "streams", "cubes", "metrics", "monitors", "channels", "boards",
    ] {
        let both: Vec<_> = payments[section]
            .keys()
            .filter(|n| commerce[section].contains_key(*n))
            .collect();
        assert!(both.is_empty(), "{section}: {both:?}");
    }
}

#[test]
fn every_simulated_currency_has_a_rate() {
    let rates = pack("payments").remove("rates").unwrap();
    let per_base = rates["per_base"].as_object().unwrap();
    for event in events_of(
        &perfect(50_000, 33),
        "payments",
        MONDAY_US,
        MONDAY_US + DAY_US / 4,
    ) {
        let currency = event["currency"].as_str().unwrap();
        assert!(
            currency == "EUR" || per_base.contains_key(currency),
            "{currency}"
        );
    }
}
