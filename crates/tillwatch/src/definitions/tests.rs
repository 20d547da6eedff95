//! A table of faulty definitions with their exact answers, in `cases.txt`.
//!
//! A case is a title line `=== …`, YAML, a line `---`, and what `tillwatch check` says.
//! `UPDATE_EXPECT=1 cargo test -p tillwatch` writes the answers anew; the change is then reviewed.

use std::collections::BTreeSet;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::folder::Folder;
use super::load::finish;

/// A sound stream, cube and metric that most cases build on; its lines come after the case's own.
const BASE: &str = "
streams:
  base:
    id: id
    time: at
    fields: {id: string, at: timestamp, country: string?, total: \"decimal(12,2)\", currency: currency}
cubes:
  base_cube:
    from: base
    bucket: 1m
    dimensions: [country]
    measures: {orders: count(*), revenue: \"sum(total) filter (where currency = 'EUR')\"}
metrics:
  base_metric: {of: base_cube, expr: revenue / orders, unit: EUR}
channels:
  base_channel: {kind: webhook, url: \"https://hooks.example.com/x\"}
";

fn answer(yaml: &str) -> String {
    let mut folder = Folder::default();
    folder.add("case.yaml".into(), yaml, true);
    folder.add("base.yaml".into(), BASE, true);
    match finish(folder, &|_| None) {
        Ok(_) => "sound\n".to_owned(),
        Err(faults) => faults.iter().map(|fault| format!("{fault}\n")).collect(),
    }
}

#[test]
fn every_faulty_definition_is_answered_with_place_reason_and_suggestion() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/definitions/cases.txt");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut now = String::new();
    let mut changed = Vec::new();
    let mut count = 0;
    for case in text.split("=== ").skip(1) {
        let (title, rest) = case.split_once('\n').unwrap();
        let (yaml, expected) = rest.split_once("---\n").unwrap();
        let answer = answer(yaml);
        assert!(
            answer != "sound\n" || title.starts_with("sound"),
            "{title} is taken for sound"
        );
        if answer != expected {
            changed.push(format!("{title}\n{answer}"));
        }
        now.push_str(&format!("=== {title}\n{yaml}---\n{answer}"));
        count += 1;
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    assert!(count >= 40, "{count} cases");
    assert!(changed.is_empty(), "other answers:\n{}", changed.join("\n"));
}

#[test]
fn the_built_in_packs_are_sound() {
    let mut folder = Folder::default();
    folder.add("packs.yaml".into(), "packs: [payments, commerce]\n", true);
    let loaded = finish(folder, &|_| None).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert!(loaded.metrics.len() > 30, "{}", loaded.metrics.len());
    // One channel a pack, whose address is in a variable that is not set here.
    let inactive: Vec<_> = loaded
        .inactive_channels
        .iter()
        .map(|(channel, _)| channel.as_str())
        .collect();
    assert_eq!(inactive, ["on_call", "shop_operations"]);
}

#[test]
fn what_is_proposed_loads_however_streams_and_columns_are_named() {
    let long = "a_very_long_name_that_leaves_no_room_for_anything_behind_it_at_all";
    let names = [
        "null",
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "y",
        "n",
        "~",
        "2024",
        "1e3",
        "0x1f",
        "-1",
        ".inf",
        "select",
        "from",
        "where",
        "group",
        "order",
        "count",
        "sum",
        "time",
        "day",
        "end",
        "case",
        "events",
        "planned",
        "currency_first",
        "bucket",
        "measure",
        "filter",
        "over",
        "interval",
        "user",
        "values",
        "table",
        "row",
        "exists",
        "array",
        "cast",
        "extract",
        "position",
        "not",
        "is",
        "in",
        "between",
        "like",
        "distinct",
        "all",
        "any",
        "union",
        "limit",
        "offset",
        "current_date",
        "left",
        "key: value",
        "# comment",
        "a\"b",
        "it's",
        "[x]",
        "{y}",
        "*z",
        "&w",
        "!tag",
        "%",
        "@at",
        "`b`",
        "日本",
        "é",
        "__x",
        "A B",
        "x\u{2028}y",
        "cvv",
        "price",
        "due",
        "delivered",
        long,
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    for name in names {
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        // As a column to slice by, as an amount, as a currency and as the time.
        for columns in [
            format!("at,{quoted},total"),
            format!("at,kind,{quoted}"),
            format!("{quoted},kind,total"),
            format!("at,{quoted},total,ccy"),
        ] {
            // Nobody can tell these from values, or they may not be kept.
            if columns.starts_with('"') && ["1e3", "-1", "cvv"].contains(&name) {
                continue;
            }
            let currency = columns.ends_with("ccy");
            let mut text = format!("{columns}\n");
            for n in 0..12 {
                let (kind, more) = match currency {
                    true => (["EUR", "USD"][n % 2], ",EUR"),
                    false => (["a", "b"][n % 2], ""),
                };
                text.push_str(&format!("2026-01-{:02},{kind},{n}.50{more}\n", n + 1));
            }
            std::fs::write(&path, &text).unwrap();
            let options = tillwatch_collect::file::ProposeOptions {
                stream: Some(name.to_owned()),
                ..Default::default()
            };
            let proposal = tillwatch_collect::file::propose(&path, &options)
                .unwrap_or_else(|error| panic!("{columns}: {error}"));
            let mut folder = Folder::default();
            folder.add("proposed.yaml".into(), &proposal.yaml, true);
            if let Err(faults) = finish(folder, &|_| None) {
                panic!("{columns}: {faults:#?}\n{}", proposal.yaml);
            }
        }
    }
}

#[test]
fn limits_are_set_by_name_and_written_with_units() {
    let mut folder = Folder::default();
    folder.add("base.yaml".into(), BASE, true);
    let text = "limits:\n  http: {body_bytes_max: 1MiB, request_timeout_ms: 5s}\n  decode: {depth_max: 7}\n  intake: {queue_bytes_max: 2MiB}\n  journal: {segment_bytes_max: 4MiB}\n  process: {lateness_ms: 3s, combinations_max: 9}\n  query: {deadline_ms: 2s, rows_max: 11}\n  poll: {response_bytes_max: 12KiB}\n";
    folder.add("limits.yaml".into(), text, true);
    let limits = finish(folder, &|_| None)
        .unwrap_or_else(|faults| panic!("{faults:#?}"))
        .limits;
    assert_eq!(limits.http.body_bytes_max, 1 << 20);
    assert_eq!(limits.http.request_timeout_ms, 5_000);
    assert_eq!(limits.decode.depth_max, 7);
    assert_eq!(limits.intake.queue_bytes_max, 2 << 20);
    assert_eq!(limits.journal.options().segment_bytes_max, 4 << 20);
    assert_eq!(limits.process.options().lateness_us, 3_000_000);
    assert_eq!(limits.process.options().combinations_max, 9);
    assert_eq!(limits.query.limits().deadline.as_secs(), 2);
    assert_eq!(limits.query.limits().rows_max, 11);
    assert_eq!(limits.poll.response_bytes_max, 12 << 10);
}

#[test]
fn limits_that_are_read_at_start_only_are_named_when_they_change() {
    let limits = |text: &str| {
        let mut folder = Folder::default();
        folder.add("base.yaml".into(), BASE, true);
        folder.add("limits.yaml".into(), text, true);
        finish(folder, &|_| None)
            .unwrap_or_else(|faults| panic!("{faults:#?}"))
            .limits
    };
    let before = limits("limits: {intake: {queue_batches_max: 7}}\n");
    let after = limits(
        "limits: {http: {headers_max: 9}, journal: {segment_bytes_max: 4MiB}, query: {rows_max: 3}}\n",
    );
    assert!(before.only_at_start(&before).is_empty());
    assert_eq!(
        before.only_at_start(&after),
        ["http", "intake", "journal"].map(|part| format!(
            "limits.{part} was changed; what the server read at its start stays until the next start"
        ))
    );
}

#[test]
fn the_page_on_functions_says_what_the_program_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/functions.md");
    let mut now = String::from(
        "# SQL functions\n\nWhat Tillwatch adds to DataFusion's SQL, and the least-squares functions people look for. This page is made from the program.\n",
    );
    for doc in tillwatch_process::function_docs() {
        now.push_str(&format!(
            "\n## `{}`\n\n{}\n\n- Formula: {}\n- Example: `{}` is `{}`\n- Error: {}\n",
            doc.signature, doc.description, doc.formula, doc.example, doc.example_result, doc.error
        ));
    }
    now.push_str("\n# Functions that are tables\n\nThey stand in `from`. [http.md](http.md) tells more of windows and forecasts.\n");
    for doc in tillwatch_analyse::table_docs() {
        now.push_str(&format!(
            "\n## `{}`\n\n{}\n\n- Example: `{}`\n",
            doc.signature, doc.description, doc.example
        ));
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    assert_eq!(now, std::fs::read_to_string(&path).unwrap_or_default());
}

fn definitions_page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/definitions.md");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_page_on_definitions_has_examples_that_load() {
    let page = definitions_page();
    let blocks: Vec<&str> = page.split("```yaml\n").skip(1).collect();
    assert!(blocks.len() >= 2, "{} examples", blocks.len());
    for block in blocks {
        let (yaml, _) = block.split_once("```").unwrap();
        let mut folder = Folder::default();
        folder.add("example.yaml".into(), yaml, true);
        finish(folder, &|_| None).unwrap_or_else(|faults| panic!("{faults:#?}\n{yaml}"));
    }
}

#[test]
fn the_page_on_channels_has_an_example_of_every_kind_that_loads_with_its_secrets() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/channels.md");
    let page = std::fs::read_to_string(path).unwrap();
    let mut folder = Folder::default();
    // The routes and windows name what the pack brings along.
    folder.add("pack.yaml".into(), "packs: [payments]\n", true);
    for (number, block) in page.split("```yaml\n").skip(1).enumerate() {
        let (yaml, _) = block.split_once("```").unwrap();
        folder.add(format!("example_{number}.yaml").into(), yaml, true);
    }
    let environment = |name: &str| {
        Some(match name.ends_with("_URL") {
            true => format!("https://hooks.example.com/{name}"),
            false => "0123456789abcdef".to_owned(),
        })
    };
    let loaded = finish(folder, &environment).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let kinds = loaded.announce.channels.iter();
    let kinds: BTreeSet<&str> = kinds.map(|channel| channel.kind.name()).collect();
    let all: BTreeSet<&str> = tillwatch_monitor::definition::CHANNELS
        .into_iter()
        .collect();
    assert_eq!(kinds, all);
    assert_eq!(loaded.announce.routes.len(), 2);
    assert_eq!(loaded.announce.maintenance.len(), 2);
}

#[test]
fn a_route_to_a_channel_that_is_inactive_leads_to_the_others() {
    let mut folder = Folder::default();
    folder.add("base.yaml".into(), BASE, true);
    let text = "channels: {quiet: {kind: slack, url: \"env:UNSET\"}}\nroutes: {all: {channels: [quiet, base_channel]}}\n";
    folder.add("routes.yaml".into(), text, true);
    let loaded = finish(folder, &|_| None).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert_eq!(loaded.announce.routes[0].channels, ["base_channel"]);
    assert_eq!(loaded.inactive_channels[0].0, "quiet");
}

/// The keys a JSON Schema allows, wherever in it.
pub fn property_names(schema: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut left = vec![schema];
    while let Some(value) = left.pop() {
        match value {
            Value::Object(entries) => {
                if let Some(Value::Object(properties)) = entries.get("properties") {
                    names.extend(properties.keys().cloned());
                }
                left.extend(entries.values());
            }
            Value::Array(values) => left.extend(values),
            _ => {}
        }
    }
    names
}

/// The keys a type takes, by what it answers to one that it does not.
fn keys_of<T: DeserializeOwned>() -> Vec<String> {
    let unknown = serde_json::json!({"?": 0});
    let Err(error) = serde_json::from_value::<T>(unknown) else {
        panic!("any key is taken");
    };
    let text = error.to_string();
    let known = text.split_once("expected").unwrap().1;
    known
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_page_on_definitions_names_every_key() {
    let schema = serde_json::to_value(schemars::schema_for!(super::shape::File)).unwrap();
    let mut names = property_names(&schema);
    assert!(
        names.contains("allow_private") && names.contains("min_change"),
        "{names:?}"
    );
    // The schema leaves these open; the parts themselves say what they take.
    names.extend(keys_of::<tillwatch_serve::Limits>());
    names.extend(keys_of::<tillwatch_collect::DecodeLimits>());
    names.extend(keys_of::<tillwatch_collect::IntakeLimits>());
    names.extend(keys_of::<tillwatch_collect::source::PollLimits>());
    assert!(
        names.contains("live_coalesce_ms") && names.len() > 100,
        "{names:?}"
    );
    let page = definitions_page();
    let words: BTreeSet<&str> = page
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .collect();
    let missing: Vec<_> = names
        .iter()
        .filter(|name| !words.contains(name.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/definitions.md says nothing of {missing:?}"
    );
}
