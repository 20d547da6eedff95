//! Appending, replacing, reading and opening again, on a real folder and in memory.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use object_store::memory::InMemory;
use tillwatch_history::{History, HistoryError, HistoryOptions};
use url::Url;

use crate::{DAY_US, HOUR_US, NOON_US, contents, in_folder, rows, rows_of, simple_spec};

fn places(test: impl Fn(&dyn Fn() -> Arc<History>)) {
    let folder = tempfile::tempdir().unwrap();
    test(&|| in_folder(folder.path(), HistoryOptions::default()));
    let store = Arc::new(InMemory::new());
    let url = Url::parse("s3://bucket/some/prefix").unwrap();
    test(&|| {
        let store = Arc::clone(&store);
        History::in_store(store, &url, HistoryOptions::default()).unwrap()
    });
}

#[test]
fn appended_rows_are_there_sorted_and_by_day_after_opening_again() {
    places(|open| {
        let rows_in: Vec<_> = (0..20_000)
            .map(|i| (NOON_US + (i * 7919 % 20_000) * 10_000_000, i))
            .collect();
        let mut expected = rows_in.clone();
        expected.sort_unstable();
        {
            let table = open().table(simple_spec("events/payments")).unwrap();
            assert_eq!(table.view().version, -1);
            assert_eq!(table.view().transaction, None);
            let view = table
                .append(5, &[rows(&rows_in[..9000]), rows(&rows_in[9000..])])
                .unwrap();
            assert_eq!((view.version, view.transaction), (0, Some(5)));
            assert_eq!(contents(&table), expected);
        }
        let history = open();
        assert_eq!(history.tables().unwrap(), ["events/payments"]);
        let table = history.table(simple_spec("events/payments")).unwrap();
        let view = table.view();
        assert_eq!((view.version, view.transaction), (0, Some(5)));
        assert_eq!(contents(&table), expected);
        assert_eq!(
            table.bytes(),
            view.files.iter().map(|file| file.bytes).sum::<u64>()
        );
        for file in view.files.iter() {
            let found = rows_of(table.read(file, None, None).unwrap());
            assert_eq!(found.len() as u64, file.rows);
            assert!(found.is_sorted_by_key(|row| row.0));
            assert_eq!(
                (found[0].0, found.last().unwrap().0),
                (file.min_us, file.max_us)
            );
            assert!(
                found
                    .iter()
                    .all(|row| row.0.div_euclid(DAY_US) == i64::from(file.day))
            );
            assert!(file.path.starts_with("_day=2026-"), "{}", file.path);
        }
        assert!(view.files.len() >= 3, "{} files", view.files.len());
        let verified = table.verify().unwrap();
        assert_eq!((verified.rows, verified.faults), (20_000, vec![]));
    });
}

#[test]
fn a_repeated_transaction_changes_nothing() {
    places(|open| {
        let batch = rows(&[(NOON_US, 1), (NOON_US + 1, 2)]);
        let table = open().table(simple_spec("events")).unwrap();
        let first = table.append(10, std::slice::from_ref(&batch)).unwrap();
        for transaction in [10, 9, 0] {
            let again = table
                .append(transaction, std::slice::from_ref(&batch))
                .unwrap();
            assert_eq!(again.version, first.version);
        }
        drop(table);
        let table = open().table(simple_spec("events")).unwrap();
        assert_eq!(
            table
                .append(10, std::slice::from_ref(&batch))
                .unwrap()
                .version,
            0
        );
        assert_eq!(table.append(11, &[]).unwrap().transaction, Some(11));
        assert_eq!(table.append(12, &[batch]).unwrap().version, 2);
        assert_eq!(contents(&table).len(), 4);
        let too_great = table.append(u64::MAX, &[]);
        assert!(matches!(too_great, Err(HistoryError::Transaction(_))));
    });
}

#[test]
fn a_first_append_without_rows_makes_the_table() {
    places(|open| {
        let table = open().table(simple_spec("events")).unwrap();
        assert_eq!(table.append(3, &[]).unwrap().version, 0);
        drop(table);
        let table = open().table(simple_spec("events")).unwrap();
        assert_eq!(table.view().transaction, Some(3));
        assert_eq!(contents(&table), []);
    });
}

#[test]
fn files_are_replaced_and_old_views_stay_readable_until_vacuum() {
    places(|open| {
        let table = open().table(simple_spec("events")).unwrap();
        for i in 0..4 {
            table
                .append(i + 1, &[rows(&[(NOON_US + i as i64, i as i64)])])
                .unwrap();
        }
        let old = table.view();
        let all: Vec<_> = (0..4).map(|i| (NOON_US + i, i)).collect();
        let view = table.replace(&old.files, &[rows(&all)]).unwrap();
        assert_eq!(view.files.len(), 1);
        assert_eq!(view.transaction, Some(4));
        assert_eq!(contents(&table), all);
        assert_eq!(
            rows_of(table.read(&old.files[2], None, None).unwrap()),
            [(NOON_US + 2, 2)]
        );

        let now = view.files[0].written_ms * 1000;
        assert_eq!(table.vacuum(now).unwrap().files, 0, "an hour is not over");
        let gone = table.replace(&old.files[..1], &[]);
        assert!(
            matches!(gone, Err(HistoryError::FileGone { .. })),
            "{gone:?}"
        );
        drop(table);

        // Also what a process removed that is no longer there waits for its time.
        let table = open().table(simple_spec("events")).unwrap();
        assert_eq!(table.vacuum(now).unwrap().files, 0);
        let vacuumed = table.vacuum(now + 2 * HOUR_US).unwrap();
        assert_eq!(vacuumed.files, 4);
        assert_eq!(table.vacuum(now + 2 * HOUR_US).unwrap().files, 0);
        assert_eq!(contents(&table), all);
        let unreadable = table.read(&old.files[2], None, None);
        assert!(matches!(unreadable, Err(HistoryError::Store { .. })));

        let view = table.replace(&table.view().files, &[]).unwrap();
        assert!(view.files.is_empty());
        assert_eq!(table.view().transaction, Some(4));
    });
}

#[test]
fn reading_gives_the_columns_and_leaves_out_what_is_not_asked() {
    let options = HistoryOptions {
        row_group_rows: 100,
        ..HistoryOptions::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let table = in_folder(folder.path(), options)
        .table(simple_spec("events"))
        .unwrap();
    let all: Vec<_> = (0..1000).map(|i| (NOON_US + i, i)).collect();
    let view = table.append(1, &[rows(&all)]).unwrap();
    let columns = ["psp".to_owned(), "at".to_owned(), "none".to_owned()];
    let file = &view.files[0];
    let reading = table.read(file, Some(&columns), None).unwrap();
    let names: Vec<_> = reading
        .schema()
        .fields()
        .iter()
        .map(|field| field.name())
        .collect();
    assert_eq!(names, ["psp", "at"]);
    let batches: Vec<RecordBatch> = reading.map(Result::unwrap).collect();
    assert_eq!(
        batches.iter().map(RecordBatch::num_rows).sum::<usize>(),
        1000
    );
    assert_eq!(
        batches[0].schema().field(1).data_type(),
        &crate::time_type()
    );

    let range = (NOON_US + 250, NOON_US + 310);
    let some = rows_of(table.read(file, None, Some(range)).unwrap());
    assert_eq!(some, all[200..400], "whole row groups");
    let none = (NOON_US + 5000, NOON_US + 6000);
    assert_eq!(rows_of(table.read(file, None, Some(none)).unwrap()), []);
    let no_columns = table.read(file, Some(&[]), None).unwrap();
    let rows: usize = no_columns.map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, 1000);
}

#[test]
fn files_are_cut_at_the_limits() {
    let folder = tempfile::tempdir().unwrap();
    let options = HistoryOptions {
        file_rows_max: 300,
        ..HistoryOptions::default()
    };
    let table = in_folder(folder.path(), options)
        .table(simple_spec("rows"))
        .unwrap();
    let all: Vec<_> = (0..1000).map(|i| (NOON_US + i, i)).collect();
    let view = table.append(1, &[rows(&all)]).unwrap();
    let counts: Vec<_> = view.files.iter().map(|file| file.rows).collect();
    assert_eq!(counts, [300, 300, 300, 100]);
    assert_eq!(contents(&table), all);

    let options = HistoryOptions {
        file_bytes_max: 1000,
        ..HistoryOptions::default()
    };
    let table = in_folder(folder.path(), options)
        .table(simple_spec("bytes"))
        .unwrap();
    let all: Vec<_> = (0..30_000).map(|i| (NOON_US + i, i)).collect();
    assert_eq!(table.append(1, &[rows(&all)]).unwrap().files.len(), 4);
    assert_eq!(contents(&table), all);
}

#[test]
fn a_removed_table_is_gone_and_can_be_made_anew() {
    places(|open| {
        let history = open();
        let table = history.table(simple_spec("cubes/attempts/10s")).unwrap();
        table.append(1, &[rows(&[(NOON_US, 1)])]).unwrap();
        let other = history.table(simple_spec("cubes/attempts/1m")).unwrap();
        other.append(1, &[rows(&[(NOON_US, 2)])]).unwrap();
        assert_eq!(
            history.tables().unwrap(),
            ["cubes/attempts/10s", "cubes/attempts/1m"]
        );
        history.remove("cubes/attempts/10s").unwrap();
        history.remove("cubes/attempts/10s").unwrap();
        assert_eq!(history.tables().unwrap(), ["cubes/attempts/1m"]);
        let late = table.append(2, &[rows(&[(NOON_US, 1)])]);
        assert!(matches!(late, Err(HistoryError::Removed(_))), "{late:?}");
        let table = history.table(simple_spec("cubes/attempts/10s")).unwrap();
        assert_eq!(table.view().version, -1);
        table.append(1, &[rows(&[(NOON_US, 3)])]).unwrap();
        assert_eq!(contents(&table), [(NOON_US, 3)]);
        assert_eq!(contents(&other), [(NOON_US, 2)]);
    });
}

#[test]
fn calls_come_from_anywhere() {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let work = move || {
        let history = in_folder(&path, HistoryOptions::default());
        let table = history.table(simple_spec("events")).unwrap();
        table.append(1, &[rows(&[(NOON_US, 1)])]).unwrap();
        contents(&table)
    };
    let again = work.clone();
    assert_eq!(runtime.block_on(async move { work() }), [(NOON_US, 1)]);
    let blocking = runtime.spawn_blocking(again);
    assert_eq!(runtime.block_on(blocking).unwrap(), [(NOON_US, 1)]);
    let single = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let path = folder.path().to_owned();
    single.block_on(async move {
        let history = in_folder(&path, HistoryOptions::default());
        let table = history.table(simple_spec("events")).unwrap();
        let file = &table.view().files[0];
        let mut batches = table.read(file, None, None).unwrap();
        let batch = batches.next().unwrap().unwrap();
        assert_eq!(
            batch["at"]
                .as_primitive::<TimestampMicrosecondType>()
                .value(0),
            NOON_US
        );
    });
}

#[test]
fn somebody_elses_commit_is_an_error_and_is_seen_afterwards() {
    places(|open| {
        let ours = open().table(simple_spec("events")).unwrap();
        ours.append(1, &[rows(&[(NOON_US, 1)])]).unwrap();
        let theirs = open().table(simple_spec("events")).unwrap();
        theirs.append(2, &[rows(&[(NOON_US, 2)])]).unwrap();
        let overtaken = ours.append(3, &[rows(&[(NOON_US, 3)])]);
        assert!(matches!(
            overtaken,
            Err(HistoryError::Overtaken { version: 1, .. })
        ));
        assert_eq!(contents(&ours), [(NOON_US, 1), (NOON_US, 2)]);
        ours.append(3, &[rows(&[(NOON_US, 3)])]).unwrap();
        assert_eq!(contents(&ours).len(), 3);
    });
}

#[test]
fn definitions_of_one_table_share_its_state() {
    places(|open| {
        let history = open();
        let one = history.table(simple_spec("events")).unwrap();
        let mut spec = simple_spec("events");
        spec.app = "journal-2".to_owned();
        one.append(7, &[rows(&[(NOON_US, 1)])]).unwrap();
        let two = history.table(spec).unwrap();
        assert_eq!(two.view().transaction, None);
        two.append(1, &[rows(&[(NOON_US, 2)])]).unwrap();
        assert_eq!(one.view().version, 1);
        assert_eq!(one.view().transaction, Some(7));
        assert_eq!(two.view().transaction, Some(1));
        assert_eq!(contents(&one), contents(&two));
    });
}

#[test]
fn a_table_is_verified_without_its_definition_and_one_removed_meanwhile_has_no_faults() {
    places(|open| {
        let history = open();
        assert!(history.stored("events").unwrap().is_none());
        let table = history.table(simple_spec("events")).unwrap();
        let batch = rows(&[(NOON_US, 1), (NOON_US + 1, 2), (NOON_US + DAY_US, 3)]);
        table.append(1, &[batch]).unwrap();
        drop(table);
        let history = open();
        let stored = history.stored("events").unwrap().unwrap();
        let verified = stored.verify_while(&mut |_| true).unwrap();
        assert_eq!((verified.files, verified.rows), (2, 3));
        assert_eq!((verified.bytes, verified.faults), (stored.bytes(), vec![]));
        let ended = stored.verify_while(&mut |_| false).unwrap();
        assert_eq!(ended.files, 0);
        // It is written as before, by its definition.
        let table = history.table(simple_spec("events")).unwrap();
        assert_eq!(table.view().transaction, Some(1));
        table.append(2, &[rows(&[(NOON_US, 4)])]).unwrap();
        assert_eq!(stored.verify_while(&mut |_| true).unwrap().rows, 4);
        let removed = stored.verify_while(&mut |_| {
            history.remove("events").unwrap();
            true
        });
        assert!(matches!(removed, Err(HistoryError::Removed(_))));
        assert!(history.stored("events").unwrap().is_none());
    });
}
