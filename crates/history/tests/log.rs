//! The log: what others read in it, that it stays short, and that opening is quick.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use object_store::memory::InMemory;
use serde_json::Value;
use tillwatch_history::{History, HistoryOptions};
use url::Url;

use crate::{DAY_US, HOUR_US, NOON_US, contents, in_folder, rows, simple_spec};

fn log_files(table: &Path) -> Vec<String> {
    let entries = fs::read_dir(table.join("_delta_log")).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn a_commit_says_what_every_engine_understands() {
    let folder = tempfile::tempdir().unwrap();
    let table = in_folder(folder.path(), HistoryOptions::default());
    let table = table.table(simple_spec("events/payments")).unwrap();
    table
        .append(42, &[rows(&[(NOON_US + 123_456, 1), (NOON_US + 1, 5)])])
        .unwrap();
    let root = folder.path().join("events/payments");
    let commit = fs::read_to_string(root.join("_delta_log/00000000000000000000.json")).unwrap();
    let actions: Vec<Value> = commit
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let find = |name: &str| {
        let found = actions.iter().find(|action| action.get(name).is_some());
        &found.unwrap()[name]
    };
    assert!(actions[0].get("commitInfo").is_some());
    assert_eq!(find("protocol")["minReaderVersion"], 1);
    assert_eq!(find("protocol")["minWriterVersion"], 2);
    assert!(
        find("protocol")
            .get("readerFeatures")
            .is_none_or(Value::is_null)
    );
    assert_eq!(find("metaData")["partitionColumns"][0], "_day");
    assert_eq!(find("txn")["appId"], "journal-1");
    assert_eq!(find("txn")["version"], 42);
    let add = find("add");
    let path = add["path"].as_str().unwrap();
    assert!(path.starts_with("_day=2026-11-29/part-"), "{path}");
    assert_eq!(add["partitionValues"]["_day"], "2026-11-29");
    assert_eq!(add["size"], fs::metadata(root.join(path)).unwrap().len());
    let stats: Value = serde_json::from_str(add["stats"].as_str().unwrap()).unwrap();
    assert_eq!(stats["numRecords"], 2);
    assert_eq!(stats["minValues"]["at"], "2026-11-29T12:00:00.000001Z");
    assert_eq!(stats["maxValues"]["at"], "2026-11-29T12:00:00.123456Z");
    assert_eq!(stats["minValues"]["number"], 1);
    assert_eq!(stats["maxValues"]["number"], 5);
    assert_eq!(stats["minValues"]["psp"], "psp-1");
    assert_eq!(stats["nullCount"]["psp"], 1);
}

#[test]
fn the_log_stays_short_and_checkpoints_keep_everything() {
    let folder = tempfile::tempdir().unwrap();
    let options = HistoryOptions {
        checkpoint_every: 5,
        log_retention: Duration::ZERO,
        ..HistoryOptions::default()
    };
    let history = in_folder(folder.path(), options.clone());
    let table = history.table(simple_spec("events")).unwrap();
    let mut expected = Vec::new();
    for i in 0..60 {
        let row = (NOON_US + i * HOUR_US, i);
        expected.push(row);
        table.append(i as u64, &[rows(&[row])]).unwrap();
        let files = log_files(&folder.path().join("events"));
        assert!(files.len() < 20, "after {i}: {files:?}");
    }
    let old = table.view();
    table.replace(&old.files[..10], &[]).unwrap();
    for i in 100..110 {
        table.append(i, &[]).unwrap();
    }
    let before = table.view();
    drop((table, history));
    let history = in_folder(folder.path(), options);
    let table = history.table(simple_spec("events")).unwrap();
    let view = table.view();
    assert_eq!(
        (view.version, view.transaction),
        (before.version, before.transaction)
    );
    // Through a checkpoint come also the notes that are ours alone.
    let same = view
        .files
        .iter()
        .zip(before.files.iter())
        .all(|(a, b)| a == b);
    assert!(same && view.files.len() == before.files.len());
    assert!(view.files.iter().all(|file| file.crc32.is_some()));
    assert_eq!(contents(&table), expected[10..]);
    assert_eq!(table.verify().unwrap().faults, []);
}

#[test]
fn ten_thousand_files_are_open_in_well_under_a_second() {
    let store = Arc::new(InMemory::new());
    let url = Url::parse("s3://bucket/history").unwrap();
    let options = HistoryOptions {
        file_rows_max: 1,
        ..HistoryOptions::default()
    };
    let open = || {
        let history = History::in_store(Arc::clone(&store) as _, &url, options.clone()).unwrap();
        history.table(simple_spec("events")).unwrap()
    };
    let table = open();
    for part in 0..21 {
        let count = if part == 0 { 10_000 } else { 1 };
        let all: Vec<_> = (0..count)
            .map(|i| (NOON_US + i * DAY_US / 300, i))
            .collect();
        table.append(part, &[rows(&all)]).unwrap();
    }
    drop(table);
    let started = Instant::now();
    let table = open();
    let took = started.elapsed();
    println!("{} files open in {took:?}", table.view().files.len());
    assert_eq!(table.view().files.len(), 10_020);
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn leftovers_of_crashed_writes_are_ignored_and_swept_up_in_their_time() {
    let folder = tempfile::tempdir().unwrap();
    let history = in_folder(folder.path(), HistoryOptions::default());
    let table = history.table(simple_spec("events")).unwrap();
    let view = table.append(1, &[rows(&[(NOON_US, 1)])]).unwrap();
    let root = folder.path().join("events");
    let day = root.join("_day=2026-11-29");
    let leftovers = [
        day.join(".part-x.parquet.0-0.tmp"),
        root.join("_delta_log/.00000000000000000001.json.0-0.tmp"),
        day.join("part-orphan.parquet"),
    ];
    let foreign = [day.join("notes.txt"), root.join("readme.parquet")];
    for path in leftovers.iter().chain(&foreign) {
        fs::write(path, b"half").unwrap();
    }
    drop(table);
    drop(history);
    let history = in_folder(folder.path(), HistoryOptions::default());
    assert_eq!(history.tables().unwrap(), ["events"]);
    let table = history.table(simple_spec("events")).unwrap();
    assert_eq!(contents(&table), [(NOON_US, 1)]);
    let now_us = view.files[0].written_ms * 1000;
    let young = table.vacuum(now_us).unwrap();
    assert_eq!((young.files, young.temporary_files), (0, 0));
    let old = table.vacuum(now_us + 2 * HOUR_US).unwrap();
    assert_eq!((old.files, old.temporary_files), (1, 2));
    assert!(leftovers.iter().all(|path| !path.exists()));
    assert!(
        foreign.iter().all(|path| path.exists()),
        "they are none of ours"
    );
    assert_eq!(contents(&table), [(NOON_US, 1)]);
}

#[test]
fn a_day_that_is_empty_leaves_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let history = in_folder(folder.path(), HistoryOptions::default());
    let table = history.table(simple_spec("events")).unwrap();
    let days: Vec<_> = (0..5).map(|i| (NOON_US + i * DAY_US, i)).collect();
    let view = table.append(1, &[rows(&days)]).unwrap();
    table.replace(&view.files[..3], &[]).unwrap();
    table
        .vacuum(view.files[0].written_ms * 1000 + 2 * HOUR_US)
        .unwrap();
    let folders: BTreeSet<_> = fs::read_dir(folder.path().join("events"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected = ["_day=2026-12-02", "_day=2026-12-03", "_delta_log"];
    assert_eq!(folders, expected.map(str::to_owned).into());
}

#[test]
fn appends_and_compaction_go_on_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let options = HistoryOptions {
        checkpoint_every: 4,
        removed_files_retention: Duration::ZERO,
        ..HistoryOptions::default()
    };
    let table = in_folder(folder.path(), options)
        .table(simple_spec("events"))
        .unwrap();
    let row = |i: i64| (NOON_US + i, i);
    let table = &table;
    std::thread::scope(|scope| {
        let appender = scope.spawn(|| {
            for i in 0..60 {
                table.append(i as u64 + 1, &[rows(&[row(i)])]).unwrap();
            }
        });
        scope.spawn(move || {
            while !appender.is_finished() {
                let view = table.view();
                let mut batches = Vec::new();
                for file in view.files.iter() {
                    batches.extend(table.read(file, None, None).unwrap().map(Result::unwrap));
                }
                table.replace(&view.files, &batches).unwrap();
                table.vacuum(i64::MAX).unwrap();
            }
        });
    });
    assert_eq!(contents(table), (0..60).map(row).collect::<Vec<_>>());
    assert_eq!(table.verify().unwrap().faults, []);
}
