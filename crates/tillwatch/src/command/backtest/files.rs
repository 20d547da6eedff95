//! The files that a back-test reads: a proposed monitor, and labels.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tillwatch_serve::documents::BacktestLabel;

use crate::definitions::Fault;
use crate::definitions::files::read_file;
use crate::definitions::folder::nearest_name;
use crate::definitions::node::{self, Node, Place};
use crate::definitions::places::json_of;
use crate::definitions::proposal::place_of;
use crate::definitions::read;

/// The top of a file.
const TOP: Place = Place { line: 1, column: 1 };

/// A proposed monitor, and where it stands.
#[derive(Debug)]
pub struct Proposed {
    path: PathBuf,
    tree: Node,
}

impl Proposed {
    /// Its keys, as a server takes them.
    pub fn written(&self) -> Value {
        json_of(&self.tree)
    }

    /// A fault that a server found, at its place in the file.
    pub fn fault(&self, told: &Value) -> Fault {
        let text = |key: &str| told.get(key).and_then(Value::as_str);
        let place = place_of(&self.tree, text("path").unwrap_or_default());
        let message = text("message").unwrap_or("is at fault");
        Fault::new(&self.path, place, message).suggest(text("suggestion").map(str::to_owned))
    }
}

/// Reads a proposed monitor: a file with its keys, or one with a section `monitors` that has it.
///
/// # Errors
/// The file cannot be read, or has no such monitor.
pub fn proposed(path: &Path, name: &str) -> Result<Proposed, Vec<Fault>> {
    let tree = tree(path)?;
    let fault = |place: Place, message: String, hint: Option<String>| {
        vec![Fault::new(path, place, message).suggest(hint)]
    };
    let found = match tree.entry("monitors") {
        None => tree.clone(),
        Some((key, section)) => match section.entry(name) {
            Some((_, monitor)) => monitor.clone(),
            None => {
                let names = section.entries().iter().filter_map(|(name, _)| name.text());
                let message = format!("there is no monitor '{name}'");
                return Err(fault(key.place, message, nearest_name(name, names)));
            }
        },
    };
    if found.entries().is_empty() {
        let message = format!("found {}, expected the keys of a monitor", found.kind());
        let hint = "write them as in the definitions, such as `metric: …` and `detect: …`";
        return Err(fault(found.place, message, Some(hint.to_owned())));
    }
    Ok(Proposed {
        path: path.to_owned(),
        tree: found,
    })
}

/// Reads labels, as a server takes them.
///
/// # Errors
/// The file cannot be read, or holds something else.
pub fn labels(path: &Path) -> Result<Value, Vec<Fault>> {
    let tree = tree(path)?;
    let written = match &tree.value {
        node::Value::List(items) => items.as_slice(),
        node::Value::Null => &[],
        _ => {
            let message = format!("found {}, expected a list of labels", tree.kind());
            let hint = "write them as `- {from: …, to: …}`";
            let fault = Fault::new(path, tree.place, message);
            return Err(vec![fault.suggest(Some(hint.to_owned()))]);
        }
    };
    let (mut labels, mut faults) = (Vec::new(), Vec::new());
    for item in written {
        let reading = read::read::<BacktestLabel>(item);
        labels.extend(reading.value);
        faults.extend(reading.misfits.into_iter().map(|misfit| {
            let candidates = misfit.candidates.iter().copied();
            let unknown = misfit.unknown.as_deref();
            let hint = unknown.and_then(|unknown| nearest_name(unknown, candidates));
            let place = misfit.place.unwrap_or(item.place);
            Fault::new(path, place, misfit.message).suggest(hint)
        }));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    serde_json::to_value(labels).map_err(|error| vec![Fault::new(path, TOP, error.to_string())])
}

fn tree(path: &Path) -> Result<Node, Vec<Fault>> {
    let text = read_file(path).map_err(|reason| vec![Fault::new(path, TOP, reason)])?;
    node::parse(&text).map_err(|(place, reason)| vec![Fault::new(path, place, reason)])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn told(faults: Vec<Fault>) -> Vec<(u64, u64, String, Option<String>)> {
        let told = |fault: Fault| (fault.line, fault.column, fault.message, fault.suggestion);
        faults.into_iter().map(told).collect()
    }

    #[test]
    fn a_monitor_stands_alone_or_among_others() {
        let alone = file("metric: m\ndetect: rate\n");
        let written = proposed(alone.path(), "drop").unwrap().written();
        assert_eq!(written, json!({"metric": "m", "detect": "rate"}));
        let among = file(
            "monitors:\n  other: {metric: o}\n  drop:\n    metric: m\n    detect: {rate: {window: 5s}}\n",
        );
        let drop = proposed(among.path(), "drop").unwrap();
        assert_eq!(drop.written()["metric"], "m");
        let fault = json!({"path": "monitor.detect.rate.window", "message": "too short", "suggestion": "use 10s"});
        let fault = told(vec![drop.fault(&fault)]).remove(0);
        assert_eq!(
            fault,
            (5, 29, "too short".to_owned(), Some("use 10s".to_owned()))
        );
        let missing = told(proposed(among.path(), "drob").unwrap_err()).remove(0);
        assert_eq!(missing.2, "there is no monitor 'drob'");
        assert_eq!(missing.3.as_deref(), Some("did you mean 'drop'?"));
        for text in ["", "- a\n", "monitors: {drop: 3}\n", "a: [1\n"] {
            assert_eq!(proposed(file(text).path(), "drop").unwrap_err().len(), 1);
        }
        assert!(proposed(Path::new("/nope.yaml"), "drop").is_err());
    }

    #[test]
    fn labels_are_read_and_faults_have_their_place() {
        let good = file(
            "- {from: 2026-11-10T09:00:00Z, to: 2026-11-10T10:00:00Z, where: {psp: adyen, issuer: null}}\n- {from: -9d, to: now, verdict: false_alarm}\n",
        );
        let read = labels(good.path()).unwrap();
        assert_eq!(read[0]["where"], json!({"psp": "adyen", "issuer": null}));
        assert_eq!(read[0]["verdict"], "real");
        assert_eq!(read[1]["verdict"], "false_alarm");
        let bad = file(
            "- {from: a, to: b, verdct: real}\n- {from: a, to: b, verdict: maybe}\n- {from: a}\n",
        );
        let faults = told(labels(bad.path()).unwrap_err());
        assert_eq!(faults[0].3.as_deref(), Some("did you mean 'verdict'?"));
        let lines: Vec<u64> = faults.iter().map(|fault| fault.0).collect();
        assert_eq!(lines, [1, 2, 3]);
        let none = told(labels(file("real\n").path()).unwrap_err());
        assert_eq!(none.len(), 1);
    }
}
