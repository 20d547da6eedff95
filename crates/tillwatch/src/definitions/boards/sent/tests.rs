//! Boards that are sent.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::super::load::finish;
use super::*;

const DEFINITIONS: &str = "
streams:
  payments: {time: at, fields: {at: timestamp, psp: string, issuer: string, ok: bool}}
cubes:
  attempts:
    from: payments
    bucket: 1m
    dimensions: [psp, issuer]
    measures: {n: count(*), approved: count(*) filter (where ok)}
metrics:
  attempt_count: {of: attempts, expr: n}
  approval_rate: {of: attempts, expr: approved / n, unit: percent}
boards:
  ours:
    title: {en: Ours}
    panels: [{kind: gauge, objective: 0.92, metric: approval_rate}]
";

fn loaded() -> Loaded {
    let mut folder = Folder::default();
    folder.add("a.yaml".into(), DEFINITIONS, true);
    finish(folder, &|_| None).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn sent(value: Json) -> BoardText {
    BoardText::Json(value.as_object().unwrap().clone())
}

fn yaml(text: &str) -> BoardText {
    BoardText::Yaml(text.to_owned())
}

fn faults(loaded: &Loaded, text: &BoardText) -> Vec<String> {
    let faults = loaded.checked("mine", text).unwrap_err();
    let told = |fault: &ProposalFault| {
        let place = fault
            .place
            .map_or_else(String::new, |(line, column)| format!("{line}:{column} "));
        let help = fault
            .suggestion
            .as_ref()
            .map_or_else(String::new, |help| format!(" ({help})"));
        format!("{place}{}: {}{help}", fault.path, fault.message)
    };
    faults.iter().map(told).collect()
}

#[test]
fn every_fault_has_its_path_and_what_to_do() {
    let board = json!({
        "titel": {"en": "Mine"},
        "title": {"en": "Mine"},
        "tiles": [{"metric": "atempt_count"}],
        "charts": [{"metric": "approval_rate", "shape": "stacked"}],
        "panels": [
            {"kind": "text", "text": {"en": "a"}},
            {"kind": "tabel", "metric": "attempt_count"},
            {"kind": "table", "metric": "attempt_count", "by": ["psp", "isuer"], "where": {"psb": "a"}, "top": 0},
            {"kind": "funnel", "title": {"en": "F"}, "steps": [{"metric": "attempt_count"}, {"metric": "approval_rate"}]},
            {"metric": "attempt_count", "kind": "heatmap", "weeks": "four"},
            {"kind": "sankey", "metric": "attempt_count"},
        ],
    });
    assert_eq!(
        faults(&loaded(), &sent(board)),
        [
            "titel: unknown key 'titel' (did you mean 'title'?)",
            "tiles[0].metric: there is no metric 'atempt_count' (did you mean 'attempt_count'?)",
            "charts[0].shape: `stacked` piles up figures that add up, and 'approval_rate' does not (use `lines` or `bars`)",
            "panels[1].kind: 'tabel' is none of: table, heatmap, funnel, sankey, gauge, map, text (did you mean 'table'?)",
            "panels[2].by[1]: cube 'attempts' has no dimension 'isuer' (did you mean 'issuer'?)",
            "panels[2].where.psb: cube 'attempts' has no dimension 'psb' (did you mean 'psp'?)",
            "panels[2].top: `top` is from 1 to 100, not 0",
            "panels[3].steps[1].metric: a step of a funnel is a metric that adds up, and 'approval_rate' does not (use a count or a sum)",
            "panels[4].weeks: found the text 'four', expected a whole number from 0 to 4294967295",
            "panels[5]: the key 'by' is missing",
        ]
    );
    let loaded = loaded();
    assert_eq!(
        faults(&loaded, &sent(json!({}))),
        ["board: the key 'title' is missing"]
    );
    let name = loaded.checked("No name", &sent(json!({"title": {"en": "M"}})));
    assert!(
        name.unwrap_err()[0]
            .message
            .starts_with("'No name' is no name")
    );
}

#[test]
fn a_fault_of_yaml_has_its_line_and_column_too() {
    let loaded = loaded();
    let bare =
        "title: {en: Mine}\npanels:\n  - kind: map\n    metric: attempt_count\n    by: psb\n";
    let told = "panels[0].by: cube 'attempts' has no dimension 'psb' (did you mean 'psp'?)";
    assert_eq!(faults(&loaded, &yaml(bare)), [format!("5:9 {told}")]);
    let indented = bare.replace('\n', "\n    ");
    let wrapped = format!("boards:\n  mine:\n    {indented}");
    assert_eq!(faults(&loaded, &yaml(&wrapped)), [format!("7:13 {told}")]);
    let cases = [
        ("", "1:1 board: found nothing, expected the keys of a board"),
        (
            "- title",
            "1:1 board: found a list, expected the keys of a board",
        ),
        ("title: [", "1:8 board: unclosed bracket '['"),
        (
            "boards: {yours: {title: {en: Y}}}",
            "1:10 board: the board is 'yours' here and 'mine' in the address",
        ),
        (
            "boards: {}",
            "1:9 board: `boards` holds one board here, under its name",
        ),
        (
            "boards: {mine: {title: {en: M}}}\nmetrics: {}",
            "2:1 board: only `boards` is read here, and not 'metrics' as well",
        ),
    ];
    for (text, told) in cases {
        assert_eq!(faults(&loaded, &yaml(text)), [told], "{text}");
    }
}

#[test]
fn what_is_answered_can_be_sent_back() {
    let loaded = loaded();
    let board = json!({
        "title": {"en": "Mine"},
        "tiles": [{"metric": "approval_rate", "good": "down"}],
        "charts": [{"metric": "attempt_count", "window": "90m"}],
        "panels": [
            {"kind": "table", "metric": "attempt_count", "by": ["psp"]},
            {"kind": "heatmap", "metric": "attempt_count"},
            {"kind": "funnel", "title": {"en": "F"}, "steps": [{"metric": "attempt_count"}, {"metric": "attempt_count"}]},
            {"kind": "sankey", "metric": "attempt_count", "by": ["psp", "issuer"]},
            {"kind": "gauge", "metric": "approval_rate", "objective": 0.9, "to": "1.0"},
            {"kind": "map", "metric": "attempt_count", "by": "issuer"},
            {"kind": "text", "text": {"en": "a"}},
        ],
    });
    let first = loaded.checked("mine", &sent(board)).unwrap();
    let mut answered = serde_json::to_value(&first.board).unwrap();
    answered["version"] = json!(7);
    answered["changed_at"] = json!("2026-11-29T12:00:00Z");
    let second = loaded.checked("mine", &sent(answered.clone())).unwrap();
    assert_eq!(second.board, first.board);
    let kept =
        ["name", "from", "version", "changed_at"].map(|key| second.written.contains_key(key));
    assert_eq!(kept, [false; 4]);
    answered["name"] = json!("yours");
    assert_eq!(
        faults(&loaded, &sent(answered)),
        ["name: the board is \"yours\" here and 'mine' in the address (leave `name` out)"]
    );
}

#[test]
fn what_is_too_much_is_told_soon() {
    let loaded = loaded();
    let tiles = vec![json!({"metric": "attempt_count"}); 61];
    let many = json!({"title": {"en": "M"}, "tiles": tiles});
    assert_eq!(
        faults(&loaded, &sent(many)),
        [
            "board: 61 tiles, charts and panels are too many; a board has at most 60 (make a second board of some of them)"
        ]
    );
    let title = json!({"title": {"en": "é".repeat(200), "zh": "中".repeat(201)}});
    assert_eq!(
        faults(&loaded, &sent(title)),
        ["title.zh: 201 characters are too many; a title has at most 200"]
    );
    let text = json!({"title": {"en": "M"}, "panels": [{"kind": "text", "text": {"en": "a\n".repeat(2_001)}}]});
    assert_eq!(
        faults(&loaded, &sent(text)),
        ["panels[0].text.en: 4002 characters are too many; a text has at most 4000"]
    );
    // However much is wrong, a bounded part of it is looked at.
    let keys: Map<String, Json> = (0..30_000).map(|n| (format!("k{n}"), Json::Null)).collect();
    let began = std::time::Instant::now();
    assert_eq!(
        faults(&loaded, &sent(Json::Object(keys.clone()))).len(),
        100
    );
    let also: Vec<String> = (0..30_000).map(|n| format!("m{n}")).collect();
    let panel = json!({"kind": "table", "metric": "attempt_count", "by": also, "also": also, "where": keys.keys().map(|key| (key.clone(), json!("v"))).collect::<Map<_, _>>()});
    let wide = json!({"title": {"en": "M"}, "panels": [panel]});
    let told = faults(&loaded, &sent(wide));
    assert!((40..60).contains(&told.len()), "{}", told.len());
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

#[test]
fn a_board_stays_readable_when_what_it_names_is_gone_and_checked_when_it_is_saved() {
    let loaded = loaded();
    let board = json!({"title": {"en": "M"}, "panels": [{"kind": "heatmap", "metric": "gone"}]});
    let written = board.as_object().unwrap();
    let shown = loaded.shown("mine", written).unwrap();
    assert_eq!(
        serde_json::to_value(&shown).unwrap()["panels"][0]["metric"],
        "gone"
    );
    assert_eq!(faults(&loaded, &sent(board.clone())).len(), 1);
}

#[test]
fn no_card_number_is_kept() {
    let card = "4111 1111 1111 1111";
    let board = json!({"title": {"en": format!("card {card}")}, "panels": [{"kind": "text", "text": {"en": card}}]});
    let checked = loaded().checked("mine", &sent(board)).unwrap();
    let kept = format!("{:?} {:?}", checked.written, checked.board);
    assert!(!kept.contains("1111 1111"), "{kept}");
    assert!(kept.contains("4111 11"), "{kept}");
}

#[test]
fn a_value_that_no_address_has_room_for_is_refused() {
    let board = |value: &str| {
        json!({
            "title": {"en": "Mine"},
            "tiles": [{"metric": "attempt_count", "where": {"psp": value}}],
        })
    };
    assert!(
        loaded()
            .checked("mine", &sent(board(&"x".repeat(500))))
            .is_ok()
    );
    assert_eq!(
        faults(&loaded(), &sent(board(&"x".repeat(501)))),
        ["tiles[0].where.psp: 501 characters are too many; a value has at most 500"]
    );
}

#[test]
fn a_board_of_the_folder_is_exported_as_it_is_written() {
    let loaded = loaded();
    let ours = &loaded.boards[0];
    assert_eq!(
        loaded.yaml("ours", &ours.written).unwrap(),
        "boards:\n  ours:\n    title:\n      en: Ours\n    panels:\n    - kind: gauge\n      objective: 0.92\n      metric: approval_rate\n"
    );
}

/// Whether a text comes back out of a file that a board was exported to.
fn comes_back(loaded: &Loaded, title: &str, value: &str) {
    let board = json!({
        "title": {"en": title, "zh": title},
        "tiles": [{"metric": "attempt_count", "where": {"psp": value}}],
        "panels": [
            {"kind": "gauge", "metric": "approval_rate", "objective": "0.920", "from": -0.5, "to": 1},
            {"kind": "text", "text": {"en": title}},
        ],
        "incidents": false,
    });
    let checked = loaded.checked("mine", &sent(board.clone()));
    let checked = checked.unwrap_or_else(|faults| panic!("{board}: {faults:?}"));
    let yaml = loaded.yaml("mine", &checked.written).unwrap();
    let again = loaded.checked("mine", &BoardText::Yaml(yaml.clone()));
    let again = again.unwrap_or_else(|faults| panic!("{yaml}\n{faults:?}"));
    assert_eq!(again, checked, "{yaml}");
    let mut folder = Folder::default();
    folder.add("a.yaml".into(), DEFINITIONS, true);
    folder.add("exported.yaml".into(), &yaml, true);
    let loaded = finish(folder, &|_| None).unwrap_or_else(|faults| panic!("{yaml}\n{faults:#?}"));
    assert_eq!(loaded.boards[1], checked, "{yaml}");
}

#[test]
fn odd_texts_come_back_out_of_an_exported_file() {
    let loaded = loaded();
    let odd = [
        "no",
        "null",
        "~",
        "true",
        "0x1f",
        "1e3",
        "0.92",
        "2026-11-01",
        "- a",
        "a: b",
        "a #b",
        "#a",
        "&a",
        "*a",
        "!!str a",
        "%YAML",
        "---",
        "...",
        "'",
        "\"",
        "\\",
        "\\n",
        "a\nb",
        "a\n\n\nb",
        " a",
        "a ",
        "\ta",
        "a\r\nb",
        "|",
        ">",
        "{",
        "[a",
        "<<",
        "=",
        "@a",
        "`a",
        "?",
        "? a",
        "-",
        ":",
        "a:",
        "é中😀",
        "\u{2028}a",
        "\u{feff}a",
        "<script>alert(1)</script>",
        "{{x}}",
        "a\n  b\n c\n",
    ];
    for text in odd {
        comes_back(&loaded, &format!("{text}."), text);
        if !text.trim().is_empty() {
            comes_back(&loaded, text, text);
        }
    }
    // A value of a dimension may be anything.
    comes_back(&loaded, "t", "\u{0}\u{1b}[31m\u{7f}\u{85}");
    let control = json!({"title": {"en": "a\u{1b}[31m"}});
    assert_eq!(
        faults(&loaded, &sent(control)),
        ["title.en: a title has no control characters such as '\\u{1b}'"]
    );
}

#[test]
fn any_text_comes_back_out_of_an_exported_file() {
    let seed = match std::env::var("TILLWATCH_SEED") {
        Ok(text) => text.parse().unwrap(),
        Err(_) => rand::random(),
    };
    println!("TILLWATCH_SEED={seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let loaded = loaded();
    // Signs that mean something in YAML, and any others.
    let signs: Vec<char> = "-?:,[]{}#&*!|>'\"%@`~=<.\\ \n\t".chars().collect();
    let text = |rng: &mut ChaCha8Rng, is_free: bool| -> String {
        let length = rng.random_range(0..40);
        let sign = |_| match rng.random_range(0..4) {
            0 => char::from_u32(rng.random_range(0..0x11_0000)).unwrap_or('x'),
            1 => rng.random_range('0'..='z'),
            _ => signs[rng.random_range(0..signs.len())],
        };
        let text: String = (0..length).map(sign).collect();
        match is_free {
            true => text,
            false => text
                .chars()
                .filter(|c| !c.is_control() || "\n\t".contains(*c))
                .collect(),
        }
    };
    for _ in 0..400 {
        let title = format!("{}t{}", text(&mut rng, false), text(&mut rng, false));
        comes_back(&loaded, &title, &text(&mut rng, true));
    }
}
