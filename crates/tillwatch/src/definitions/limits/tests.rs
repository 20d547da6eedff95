//! What of limits is written and read.

use serde_json::Value as Json;

use super::*;

/// The types that the schema gives for a property, its references followed.
fn types<'s>(schema: &'s Json, at: &'s Json, found: &mut Vec<&'s str>) {
    if let Some(path) = at["$ref"].as_str() {
        types(schema, schema.pointer(&path[1..]).unwrap(), found);
    }
    for choice in at["anyOf"].as_array().into_iter().flatten() {
        types(schema, choice, found);
    }
    match &at["type"] {
        Json::String(kind) => found.push(kind),
        Json::Array(kinds) => found.extend(kinds.iter().filter_map(Json::as_str)),
        _ => {}
    }
}

#[test]
fn kept_series_have_a_default_a_size_with_a_unit_and_none_at_0() {
    let limit = |text: &str| {
        let tree = super::super::node::parse(text).unwrap();
        let tree = with_numbers(tree, &mut |_, reason| panic!("{reason}"));
        let written = tree.find(&["query", "series_cache_bytes_max"]);
        let bytes = written.map(|node| match &node.value {
            Value::Int(bytes) => usize::try_from(*bytes).unwrap(),
            other => panic!("{other:?} is no number"),
        });
        let written = serde_json::json!({"series_cache_bytes_max": bytes});
        let written: QueryLimitsWritten = serde_json::from_value(written).unwrap();
        written.limits().series_cache_bytes_max
    };
    assert_eq!(limit("query: {}"), 32 << 20);
    assert_eq!(limit("query: {series_cache_bytes_max: 5MiB}"), 5 << 20);
    assert_eq!(limit("query: {series_cache_bytes_max: 0}"), 0);
}

#[test]
fn the_schema_takes_each_limit_as_a_number_and_as_text_with_a_unit() {
    let schema = serde_json::to_value(schemars::schema_for!(Limits)).unwrap();
    // The limits that the page on definitions shows.
    let page = include_str!("../../../../../docs/definitions.md");
    let block = page.split("\nlimits:\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let tree = super::super::node::parse(&format!("limits:\n{block}")).unwrap();
    let written = tree.find(&["limits"]).unwrap();
    let mut seen = 0;
    for (part, limits) in written.entries() {
        let part = &schema["properties"][part.text().unwrap()];
        let part = match part["$ref"].as_str() {
            Some(path) => schema.pointer(&path[1..]).unwrap(),
            None => part,
        };
        for (key, _) in limits.entries() {
            let one = match part.get("properties") {
                Some(properties) => &properties[key.text().unwrap()],
                None => &part["additionalProperties"],
            };
            let mut found = Vec::new();
            types(&schema, one, &mut found);
            for kind in ["integer", "string"] {
                assert!(found.contains(&kind), "{key:?}: {found:?} in {one}");
            }
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen}");
}

#[test]
fn remembered_ids_take_an_eighth_of_a_small_memory_unless_told() {
    let bytes = |memory: usize, told: Option<usize>| {
        let mut limits = Limits::default();
        limits.memory.bytes_max = Some(memory);
        limits.process.dedup_memory_bytes_max = told;
        limits.process_options().dedup_memory_bytes_max
    };
    assert_eq!(bytes(512 << 20, None), 64 << 20);
    assert_eq!(bytes(16 << 30, None), 256 << 20);
    assert_eq!(bytes(512 << 20, Some(200 << 20)), 200 << 20);
}
