//! Definitions put into texts that people have written, and taken out of them.

use super::body::Body;
use super::splice::{find, put, remove};

const FILE: &str = "\
# Whom to ask: the shop team.
metrics:
  sales: {of: c, expr: n}  # before returns

monitors:
  # Told to the people on call.
  drop:   # since the outage
    metric: sales
    detect: rate  # of each slice

    notify: [on_call]

  # The second one.
  slow:
    metric: sales
    detect: count
# The end of the monitors.
boards: {}
";

fn body(text: &str, name: &str) -> Body {
    Body::read(text, "monitors", name).unwrap_or_else(|unfit| panic!("{unfit:?}"))
}

fn with(text: &str, name: &str, keys: &str) -> String {
    let spliced = put(text, "monitors", name, &body(keys, name));
    spliced.unwrap_or_else(|refusal| panic!("{refusal:?}")).text
}

fn without(text: &str, name: &str) -> String {
    let spliced = remove(text, "monitors", name);
    spliced.unwrap_or_else(|refusal| panic!("{refusal:?}")).text
}

/// Why nothing is changed.
fn refusal(text: &str, name: &str) -> String {
    let keys = body("metric: other\n", name);
    put(text, "monitors", name, &keys).unwrap_err().reason
}

#[test]
fn exactly_the_lines_of_one_definition_are_replaced() {
    let keys = "# Less often.\nmetric: sales\ndetect: count # by the hour\n";
    let changed = with(FILE, "drop", keys);
    let old = "    metric: sales\n    detect: rate  # of each slice\n\n    notify: [on_call]\n";
    let new = "    # Less often.\n    metric: sales\n    detect: count # by the hour\n";
    assert_eq!(changed, FILE.replacen(old, new, 1));
    // What is put again stays to the byte.
    let found = find(&changed, "monitors", "drop").unwrap().unwrap();
    assert_eq!((found.line, found.yaml.as_str()), (7, keys));
    assert_eq!(with(&changed, "drop", &found.yaml), changed);
    let found = find(FILE, "monitors", "drop").unwrap().unwrap();
    assert_eq!(with(FILE, "drop", &found.yaml), FILE);
    assert_eq!(find(FILE, "monitors", "none"), Ok(None));
    assert_eq!(find(FILE, "calendars", "drop"), Ok(None));
}

#[test]
fn a_new_one_goes_behind_the_last_of_its_section_or_into_a_section_at_the_end() {
    let changed = with(FILE, "third", "metric: sales\n");
    let last = "    detect: count\n";
    assert_eq!(
        changed,
        FILE.replacen(last, &format!("{last}  third:\n    metric: sales\n"), 1)
    );
    let spliced = put("a: 1", "monitors", "m", &body("metric: x", "m")).unwrap();
    assert_eq!(spliced.text, "a: 1\n\nmonitors:\n  m:\n    metric: x\n");
    assert_eq!(spliced.line, 4);
    let spliced = put("", "monitors", "m", &body("metric: x", "m")).unwrap();
    assert_eq!(
        (spliced.text.as_str(), spliced.line),
        ("monitors:\n  m:\n    metric: x\n", 2)
    );
    // A section that holds nothing yet.
    let empty = "monitors:  # none yet\nboards:\n";
    assert_eq!(
        with(empty, "m", "metric: x"),
        "monitors:  # none yet\n  m:\n    metric: x\nboards:\n"
    );
    // The file's own indentation.
    let wide = "monitors:\n    a:\n        metric: x\n";
    assert_eq!(
        with(wide, "b", "metric: x"),
        format!("{wide}    b:\n      metric: x\n")
    );
}

#[test]
fn the_whole_section_may_be_sent_and_json() {
    let section = "monitors:\n  # Why it is there.\n  m:\n    metric: x  # of all\n";
    assert_eq!(
        with("", "m", section),
        "monitors:\n  m:\n    metric: x  # of all\n"
    );
    let json =
        r#"{"metric": "x", "by": ["a", "b"], "name": "yes", "over": "5m", "day": "2026-12-25"}"#;
    let text = with("", "m", json);
    assert!(
        text.starts_with("monitors:\n  m:\n    metric: x\n    by:\n"),
        "{text}"
    );
    let found = find(&text, "monitors", "m").unwrap().unwrap();
    let tree = super::super::node::parse(&found.yaml).unwrap();
    assert!(
        super::same(&tree, &super::super::node::parse(json).unwrap()),
        "{text}"
    );
    for (sent, reason) in [
        (
            "monitors: {other: {metric: x}}",
            "this is 'other' here and 'm' in the address",
        ),
        (
            "monitors: {m: {metric: x}, n: {}}",
            "`monitors` holds one definition here, under its name",
        ),
        (
            "monitors: {m: {metric: x}}\nboards: {}",
            "only `monitors` is read here, and not 'boards' as well",
        ),
        ("- a", "found a list, expected the keys of a definition"),
        ("", "found nothing, expected the keys of a definition"),
        ("metric: [", ""),
        ("metric: x\n---\nmetric: y", ""),
    ] {
        let unfit = Body::read(sent, "monitors", "m").unwrap_err();
        assert!(unfit.reason.contains(reason), "{sent}: {unfit:?}");
    }
}

#[test]
fn what_is_removed_takes_its_lines_along_and_nothing_else() {
    let changed = without(FILE, "slow");
    let old = "  slow:\n    metric: sales\n    detect: count\n";
    assert_eq!(changed, FILE.replacen(old, "", 1));
    let only = "# a\nmonitors:\n  m:\n    metric: x\n# b\n";
    assert_eq!(without(only, "m"), "# a\nmonitors:\n# b\n");
    assert_eq!(
        without("monitors:\n  m: {metric: x}\n  n: {metric: y}", "n"),
        "monitors:\n  m: {metric: x}\n"
    );
    let none = remove(FILE, "monitors", "none").unwrap_err();
    assert_eq!(none.reason, "there is no 'none' in `monitors`");
}

#[test]
fn ends_of_lines_and_of_the_file_stay_as_they_are() {
    let windows = "monitors:\r\n  m:  # why\r\n    metric: x\r\n  n:\r\n    metric: y\r\n";
    assert_eq!(
        with(windows, "m", "metric: z\nby: [a]\n"),
        "monitors:\r\n  m:  # why\r\n    metric: z\r\n    by: [a]\r\n  n:\r\n    metric: y\r\n"
    );
    assert_eq!(
        without(windows, "m"),
        "monitors:\r\n  n:\r\n    metric: y\r\n"
    );
    let open = "monitors:\n  m:\n    metric: x";
    assert_eq!(
        with(open, "m", "metric: y\n"),
        "monitors:\n  m:\n    metric: y"
    );
    assert_eq!(
        with(open, "n", "metric: y"),
        "monitors:\n  m:\n    metric: x\n  n:\n    metric: y\n"
    );
    let old = "monitors:\r  m:\r    metric: x\r";
    assert!(refusal(old, "m").contains("CR alone"));
}

#[test]
fn a_definition_in_one_line_is_replaced_and_a_section_in_one_line_is_left() {
    let flow = "monitors:\n  m: {metric: x}  # short\n  \"n\": {metric: y}\n";
    assert_eq!(
        with(flow, "m", "metric: z"),
        "monitors:\n  m:\n    metric: z\n  \"n\": {metric: y}\n"
    );
    assert_eq!(
        with(flow, "n", "metric: z"),
        "monitors:\n  m: {metric: x}  # short\n  n:\n    metric: z\n"
    );
    let whole = "monitors: {m: {metric: x}, n: {metric: y}}\n";
    for name in ["m", "n", "o"] {
        let reason = refusal(whole, name);
        assert!(reason.contains("is not written line by line"), "{reason}");
    }
}

#[test]
fn what_hangs_together_elsewhere_is_left_to_people() {
    let anchors = "monitors:\n  m: &shape\n    metric: x\n  n: *shape\n  o:\n    metric: z\n";
    for name in ["m", "n"] {
        refusal(anchors, name);
    }
    assert!(remove(anchors, "monitors", "m").is_err());
    // One beside them is none of that.
    assert_eq!(
        with(anchors, "o", "metric: y"),
        anchors.replace("metric: z", "metric: y")
    );
    let merged = "base: &base {metric: x}\nmonitors:\n  m:\n    <<: *base\n    by: [a]\n";
    refusal(merged, "m");
    for two in [
        "monitors:\n  m:\n    metric: x\n---\nmonitors:\n  n:\n    metric: x\n",
        "monitors:\n  m:\n    metric: x\n...\n---\nboards: {}\n",
        "monitors:\n\tm:\n\t\tmetric: x\n",
        "monitors:\n  m: {metric: x}\n  m: {metric: y}\n",
        "monitors: [m]\n",
        "monitors: text\n",
        "? monitors\n: m: {metric: x}\n",
    ] {
        refusal(two, "m");
    }
    // Markers around one document are no second one.
    let marked = "---\nmonitors:\n  m:\n    metric: x\n...\n";
    assert_eq!(with(marked, "m", "metric: y"), marked.replace("x", "y"));
}

#[test]
fn texts_over_several_lines_with_signs_of_comments_stay_whole() {
    let text = "monitors:\n  m:\n    note: |\n      # no comment\n\n      a: b\n    metric: x\n  n:\n    metric: y\n";
    let found = find(text, "monitors", "m").unwrap().unwrap();
    assert_eq!(found.yaml, "note: |\n  # no comment\n\n  a: b\nmetric: x\n");
    assert_eq!(with(text, "m", &found.yaml), text);
    let changed = with(text, "n", "note: |\n  # no comment\n  a: b\nmetric: z\n");
    assert!(
        changed.ends_with("  n:\n    note: |\n      # no comment\n      a: b\n    metric: z\n"),
        "{changed}"
    );
    assert_eq!(without(&changed, "n") + "  n:\n    metric: y\n", text);
}
