use std::path::PathBuf;

use super::*;

/// A folder of its own that goes when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, labels: &str, csv: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rootcause-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("labels.yaml"), labels).unwrap();
        std::fs::write(path.join("one.csv"), csv).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const LABELS: &str = "- data: one\n  timestamp: 180\n  cause:\n    psp: a\n    method: 1\n";

/// Three minutes in which one payment in fifty fails, and one in which it is every second of
/// `psp=a, method=1`.
fn incident() -> String {
    let mut text = "min,psp,method,value,cnt\n".to_owned();
    for minute in [0, 60, 120, 180, 240] {
        for psp in ["a", "b", "c"] {
            for method in 1..=3 {
                let bad = minute >= 180 && psp == "a" && method == 1;
                let value = if bad { 200 } else { 8 };
                text += &format!("{minute},{psp},{method},{value},400\n");
            }
        }
    }
    text
}

fn error(name: &str, labels: &str, csv: &str) -> String {
    let folder = Folder::new(name, labels, csv);
    format!("{:#}", super::folder(&folder.0).unwrap_err())
}

#[test]
fn a_folder_of_incidents_is_read_and_explained() {
    let folder = Folder::new("good", LABELS, &incident());
    let mut out = Vec::new();
    let score = real(&folder.0, &Options::default(), true, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!((score.whole, score.cases), (1, 1), "{text}");
    assert!(!text.contains("wrong"), "{text}");
}

#[test]
fn a_wrong_answer_has_a_line_when_asked_for() {
    let labels = LABELS.replace("psp: a", "psp: b");
    let folder = Folder::new("wrong", &labels, &incident());
    let mut out = Vec::new();
    let score = real(&folder.0, &Options::default(), true, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(
        [
            score.true_positives,
            score.false_positives,
            score.false_negatives
        ],
        [0, 1, 1]
    );
    assert!(
        text.contains("wrong one: true method=1,psp=b; found psp=a,method=1"),
        "{text}"
    );
}

#[test]
fn a_cause_may_be_a_list_of_elements() {
    let labels = "- data: one\n  timestamp: 180\n  cause:\n  - psp: a\n  - psp: b\n    method: 2\n";
    let folder = Folder::new("list", labels, &incident());
    let cases = super::folder(&folder.0).unwrap();
    assert_eq!(cases[0].causes.len(), 2);
    assert_eq!(cases[0].causes[1].len(), 2);
}

#[test]
fn what_comes_after_the_incident_is_not_looked_at() {
    let until: String = incident()
        .lines()
        .filter(|l| !l.starts_with("240,"))
        .map(|l| format!("{l}\n"))
        .collect();
    let [with, without] = [incident(), until].map(|csv| {
        let folder = Folder::new("ahead", LABELS, &csv);
        super::folder(&folder.0).unwrap().remove(0).leaves
    });
    assert_eq!(with, without);
}

#[test]
fn broken_input_is_told_with_file_and_line() {
    let good = incident();
    let line_3 = |row: &str| {
        let mut lines: Vec<&str> = good.lines().collect();
        lines[2] = row;
        lines.join("\n")
    };
    for (name, labels, csv, wanted) in [
        (
            "a",
            LABELS,
            line_3("0,a,2,x,400"),
            "one.csv:3: value is \"x\", not a number",
        ),
        (
            "b",
            LABELS,
            line_3("0,a,2,500,400"),
            "one.csv:3: 500 failures of 400 attempts",
        ),
        (
            "c",
            LABELS,
            line_3("0,a,2,NaN,400"),
            "one.csv:3: value is NaN, not a count",
        ),
        ("d", LABELS, line_3("0,a,2"), "line: 3"),
        (
            "e",
            LABELS,
            good.replace("cnt", "count"),
            "one.csv:1: no column \"cnt\"",
        ),
        (
            "f",
            &LABELS.replace("180", "170"),
            good.clone(),
            "one.csv: no row of the incident's minute 170",
        ),
        (
            "g",
            &LABELS.replace("180", "0"),
            good.clone(),
            "no minute with attempts before",
        ),
        (
            "h",
            &LABELS.replace("psp", "bank"),
            good.clone(),
            "dimension \"bank\" is no column",
        ),
        (
            "i",
            &LABELS.replace("180", "noon"),
            good.clone(),
            "labels.yaml",
        ),
        ("j", &LABELS.replace("one", "two"), good.clone(), "two.csv"),
        ("k", "[]", good.clone(), "no incident in it"),
    ] {
        let found = error(name, labels, &csv);
        assert!(found.contains(wanted), "{name}: {found}");
    }
    let absent = super::folder(Path::new("/nowhere")).unwrap_err();
    assert!(
        absent.to_string().contains("/nowhere/labels.yaml"),
        "{absent}"
    );
}

#[test]
fn generated_cases_are_the_same_for_the_same_seed_and_of_the_size_asked_for() {
    for level in LEVELS {
        let case = generated(level, 3);
        let again = generated(level, 3);
        assert_eq!(
            (&case.leaves, &case.causes),
            (&again.leaves, &again.causes),
            "{}",
            level.name
        );
        assert_ne!(case.leaves, generated(level, 4).leaves, "{}", level.name);
        let all: u64 = level.sizes.iter().map(|s| u64::from(*s)).product();
        assert_eq!(
            case.leaves.len() as u64,
            all.min(level.leaves as u64),
            "{}",
            level.name
        );
        assert!(!case.causes.is_empty());
        assert!(
            case.causes
                .iter()
                .all(|c| (level.layers[0]..=level.layers[1]).contains(&c.len()))
        );
    }
}

#[test]
fn most_generated_causes_are_found() {
    for (name, least) in [("B4", 0.7), ("S", 0.9), ("L", 0.9), ("R", 0.6)] {
        let level = LEVELS.iter().find(|l| l.name == name).unwrap();
        let mut score = Score::default();
        let options = Options {
            elements_max: level.causes[1] * level.elements[1],
            layer_max: level.layers[1],
            ..Options::default()
        };
        for seed in 500..506 {
            judge(&generated(level, seed), &options, &mut score);
        }
        assert!(
            score.f1() >= least,
            "{name}, seeds 500 to 505: F1 {}",
            score.f1()
        );
    }
}

#[test]
fn f1_counts_elements_over_all_cases() {
    let folder = Folder::new("f1", LABELS, &incident());
    let case = super::folder(&folder.0).unwrap().remove(0);
    let right = case.causes[0].clone();
    let wrong: Cause = [("psp".to_owned(), Some("b".to_owned()))].into();
    let mut score = Score::default();
    assert!(score.add(&case, std::slice::from_ref(&right), Time::default()));
    assert!(!score.add(&case, &[right, wrong], Time::default()));
    assert!(!score.add(&case, &[], Time::default()));
    assert!((score.precision() - 2.0 / 3.0).abs() < 1e-12);
    assert!((score.recall() - 2.0 / 3.0).abs() < 1e-12);
    assert!((score.f1() - 2.0 / 3.0).abs() < 1e-12);
    assert!((score.exact() - 1.0 / 3.0).abs() < 1e-12);
}
