//! Another engine reads the tables as they lie.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tillwatch_history::HistoryOptions;

use crate::{DAY_US, NOON_US, in_folder, psp_of, rows, simple_spec};

/// The Python that has DuckDB; `make test-engine` sets it.
const ORACLE: &str = "TILLWATCH_ORACLE";

#[test]
fn duckdb_reads_a_table_as_it_lies() {
    let Ok(python) = std::env::var(ORACLE) else {
        println!("{ORACLE} names no Python with DuckDB: only what `make test` runs has it");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let options = HistoryOptions {
        checkpoint_every: 4,
        ..HistoryOptions::default()
    };
    let history = in_folder(folder.path(), options);
    let table = history.table(simple_spec("events/payments")).unwrap();
    let row = |i: i64| (NOON_US + i * DAY_US / 3000, i);
    for part in 0..9 {
        let some: Vec<_> = (part * 1000..(part + 1) * 1000).map(row).collect();
        table.append(part as u64 + 1, &[rows(&some)]).unwrap();
    }
    // One file becomes another with the same rows, and one goes.
    let view = table.view();
    let again = table.read(&view.files[0], None, None).unwrap();
    let again: Vec<_> = again.map(Result::unwrap).collect();
    table.replace(&view.files[..1], &again).unwrap();
    let view = table.view();
    table
        .replace(&view.files[view.files.len() - 1..], &[])
        .unwrap();

    let mut left = crate::contents(&table);
    left.sort_unstable();
    assert!(left.len() > 5000 && left.len() < 9000);
    let mut days: BTreeMap<String, u64> = BTreeMap::new();
    for (at_us, _) in &left {
        let day = at_us.div_euclid(DAY_US) - NOON_US.div_euclid(DAY_US);
        let names = ["2026-11-29", "2026-11-30", "2026-12-01", "2026-12-02"];
        *days.entry(names[day as usize].to_owned()).or_default() += 1;
    }
    let expected = json!({
        "protocol": 1,
        "transactions": {"journal-1": 9},
        "rows": left.len(),
        "sum": left.iter().map(|row| row.1).sum::<i64>(),
        "texts": left.iter().filter(|row| psp_of(row.1).is_some()).count(),
        "min_us": left[0].0,
        "max_us": left[left.len() - 1].0,
        "days": days,
        "astray": 0,
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers.py");
    let output = Command::new(python)
        .arg(script)
        .arg(folder.path().join("events/payments"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found, expected);
}
