//! Random work, random crashes and faults, by seed: the table holds the last acknowledged commit or the one under
//! way, never a mixture, and what is repeated counts once.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tillwatch_history::{History, HistoryError, HistoryOptions, Table};

use crate::disk::{Disk, Random};
use crate::{DAY_US, NOON_US, contents, rows, simple_spec};

/// The time at which everything may be swept up that nobody needs.
const LATER_US: i64 = 4_000_000_000_000_000;

/// Small files and many checkpoints, and nothing is kept: what is removed too early shows.
fn options() -> HistoryOptions {
    HistoryOptions {
        file_rows_max: 40,
        row_group_rows: 16,
        checkpoint_every: 3,
        log_retention: Duration::ZERO,
        removed_files_retention: Duration::ZERO,
        io_threads: 1,
        ..HistoryOptions::default()
    }
}

fn open(disk: &Disk) -> Result<Arc<Table>, HistoryError> {
    let history = History::in_files(Arc::new(disk.clone()), options())?;
    history.table(simple_spec("events/payments"))
}

/// Rows and the transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Held {
    rows: Vec<(i64, i64)>,
    transaction: Option<u64>,
}

/// What the table has to hold.
#[derive(Default)]
struct Expected {
    acknowledged: Held,
    /// What calls would have made of it that failed since: at a crash one of them may turn out to have been done.
    under_way: Vec<Held>,
    next_number: i64,
}

impl Expected {
    /// Checks what is there after a start, and takes that as the truth from now on.
    fn check(&mut self, found: Held) {
        assert!(
            found == self.acknowledged || self.under_way.contains(&found),
            "found {found:?},\nacknowledged {:?},\nunder way {:?}",
            self.acknowledged,
            self.under_way
        );
        self.settle(found);
    }

    fn settle(&mut self, held: Held) {
        self.acknowledged = held;
        self.under_way.clear();
    }

    fn new_rows(&mut self, random: &mut Random) -> Vec<(i64, i64)> {
        let count = random.below(120);
        let rows = (0..count).map(|_| {
            let number = self.next_number;
            self.next_number += 1;
            let spread = if random.below(3) == 0 {
                3 * DAY_US
            } else {
                1000
            };
            (NOON_US + random.below(spread as u64) as i64, number)
        });
        rows.collect()
    }
}

fn held(table: &Table) -> Result<Held, HistoryError> {
    let view = table.view();
    let mut found = Vec::new();
    for file in view.files.iter() {
        let mut of_file = Vec::new();
        for batch in table.read(file, None, None)? {
            of_file.extend(crate::pairs(&batch?));
        }
        assert_eq!(of_file.len() as u64, file.rows);
        found.extend(of_file);
    }
    found.sort_unstable();
    Ok(Held {
        rows: found,
        transaction: view.transaction,
    })
}

/// Opens and checks the table, unless the power goes off in the middle of that.
fn start(disk: &Disk, expected: &mut Expected) -> Option<Arc<Table>> {
    match open(disk).and_then(|table| Ok((held(&table)?, table))) {
        Ok((found, table)) => {
            expected.check(found);
            Some(table)
        }
        Err(_) if disk.is_off() => None,
        Err(error) => panic!("{error}"),
    }
}

fn sorted(mut rows: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    rows.sort_unstable();
    rows
}

/// One call, whose end is known or not.
fn call(table: &Table, expected: &mut Expected, random: &mut Random) -> Result<(), HistoryError> {
    let last = expected.acknowledged.transaction;
    let (done, wanted) = match random.below(8) {
        // A repetition.
        0 if last.is_some() => {
            let new = expected.new_rows(random);
            let transaction = last.unwrap();
            (
                table.append(transaction, &[rows(&new)]),
                expected.acknowledged.clone(),
            )
        }
        0..=3 => {
            let new = expected.new_rows(random);
            let transaction = last.map_or(1, |last| last + 1 + random.below(3));
            let mut wanted = expected.acknowledged.clone();
            wanted.rows = sorted([wanted.rows, new.clone()].concat());
            wanted.transaction = Some(transaction);
            let (one, two) = new.split_at(new.len() / 3);
            (table.append(transaction, &[rows(one), rows(two)]), wanted)
        }
        4..=5 => {
            // Some files become others with the same rows, or go.
            let view = table.view();
            let files = view.files.iter().filter(|_| random.below(2) == 0);
            let files: Vec<_> = files.cloned().collect();
            let mut old = Vec::new();
            for file in &files {
                for batch in table.read(file, None, None)? {
                    old.push(batch?);
                }
            }
            let mut wanted = expected.acknowledged.clone();
            if random.below(4) == 0 {
                let gone: Vec<_> = old.iter().flat_map(crate::pairs).collect();
                wanted.rows.retain(|row| !gone.contains(row));
                old.clear();
            }
            (table.replace(&files, &old), wanted)
        }
        6 => {
            let before = contents_if_there(table)?;
            table.vacuum(LATER_US)?;
            assert_eq!(before, contents_if_there(table)?);
            return Ok(());
        }
        _ => {
            let found = held(table)?;
            let acknowledged = &expected.acknowledged;
            assert!(found == *acknowledged || expected.under_way.contains(&found));
            return Ok(());
        }
    };
    match done {
        Ok(_) => {
            expected.settle(wanted);
            Ok(())
        }
        Err(error) => {
            expected.under_way.push(wanted);
            Err(error)
        }
    }
}

fn contents_if_there(table: &Table) -> Result<Vec<(i64, i64)>, HistoryError> {
    held(table).map(|held| held.rows)
}

fn run(seed: u64) {
    let disk = Disk::default();
    let mut random = Random::new(seed);
    let mut expected = Expected::default();
    for _life in 0..5 {
        // Two of three lives end at a random operation, which may be one of the start itself.
        if random.below(3) > 0 {
            disk.power_off_after(random.below(250));
        }
        if let Some(table) = start(&disk, &mut expected) {
            for _ in 0..random.below(14) {
                match random.below(16) {
                    0 => disk.fail_syncs(1),
                    1 => disk.set_bytes_max(Some(disk.bytes() + random.below(8000))),
                    2 => disk.set_bytes_max(None),
                    3 => disk.fail_at(random.below(20)),
                    _ => {}
                }
                let failed = call(&table, &mut expected, &mut random).is_err();
                if disk.is_off() {
                    break;
                }
                if failed {
                    // Without a crash a failure is repaired by the next call.
                    disk.heal();
                    settle(&table, &mut expected);
                }
            }
        }
        match random.below(3) {
            // The process dies, in the middle of a call too, and the system lives on: its cache still holds
            // everything, and what the next process finds there it relies on.
            0 => disk.heal(),
            _ => disk.crash(random.below(u64::MAX)),
        }
    }
    disk.crash(random.below(u64::MAX));
    let table = start(&disk, &mut expected).expect("nothing fails any more");
    assert_eq!(table.verify().unwrap().faults, []);
    table.vacuum(LATER_US).unwrap();
    let files = table.view().files.len();
    let there = disk
        .names()
        .iter()
        .filter(|name| name.ends_with(".parquet"))
        .count();
    let checkpoints = disk
        .names()
        .iter()
        .filter(|name| name.contains(".checkpoint."))
        .count();
    assert_eq!(there - checkpoints, files, "{:?}", disk.names());
    assert!(
        !disk.names().iter().any(|name| name.ends_with(".tmp")),
        "{:?}",
        disk.names()
    );
    assert_eq!(contents(&table), expected.acknowledged.rows);
    let next = expected.acknowledged.transaction.map_or(1, |last| last + 1);
    let last = table
        .append(next, &[rows(&[(NOON_US, -1)])])
        .expect("nothing fails any more");
    assert_eq!(last.transaction, Some(next));
}

/// A call that changes nothing but makes the table find out what it holds, which is what the failed call made of it.
fn settle(table: &Table, expected: &mut Expected) {
    table.replace(&[], &[]).unwrap();
    let found = held(table).unwrap();
    if found != expected.acknowledged {
        expected.check(found);
    }
    // Otherwise the failed commit may still come back at a crash, until another takes its place.
}

proptest! {
    #![proptest_config(ProptestConfig { cases: crate::cases(100), ..ProptestConfig::default() })]

    #[test]
    fn a_table_holds_the_last_commit_or_the_one_under_way_after_any_crash(seed in crate::seeds()) {
        run(seed);
    }
}

/// A short life with everything in it. Each call is given up at the first error.
fn story(disk: &Disk, expected: &mut Expected) -> Result<(), HistoryError> {
    let table = open(disk)?;
    let found = held(&table)?;
    expected.check(found);
    let all: Vec<_> = (0..60).map(|i| (NOON_US + i * DAY_US / 40, i)).collect();
    for part in 1..=4u64 {
        let (from, to) = (15 * (part as usize - 1), 15 * part as usize);
        let wanted = Held {
            rows: all[..to].to_vec(),
            transaction: Some(part),
        };
        if table.view().transaction < Some(part) {
            expected.under_way.push(wanted.clone());
            table.append(part, &[rows(&all[from..to])])?;
            expected.settle(wanted);
        }
    }
    // What is put together holds the same.
    let wanted = Held {
        rows: all.clone(),
        transaction: Some(4),
    };
    let view = table.view();
    table.replace(&view.files, &[rows(&all)])?;
    let view = table.view();
    table.replace(&view.files, &[rows(&all)])?;
    table.vacuum(LATER_US)?;
    assert_eq!(held(&table)?, wanted);
    Ok(())
}

#[test]
fn a_crash_at_every_operation_leaves_one_commit_or_the_other() {
    let whole = Disk::default();
    story(&whole, &mut Expected::default()).unwrap();
    let operations = whole.operations();
    assert!(operations > 100, "{operations} operations");
    for at in 0..operations {
        let disk = Disk::default();
        let mut expected = Expected::default();
        disk.power_off_after(at);
        let _ = story(&disk, &mut expected);
        disk.crash(at);
        story(&disk, &mut expected).unwrap_or_else(|error| panic!("at {at}: {error}"));
    }
}

#[test]
fn what_a_start_finds_is_durable_wherever_the_process_before_it_died() {
    let whole = Disk::default();
    story(&whole, &mut Expected::default()).unwrap();
    for at in 0..whole.operations() {
        let disk = Disk::default();
        disk.power_off_after(at);
        let _ = story(&disk, &mut Expected::default());
        // The process died there, and the system's cache holds all it did.
        disk.heal();
        let found = held(&open(&disk).unwrap()).unwrap();
        for seed in 0..4 {
            disk.crash(seed);
            assert_eq!(held(&open(&disk).unwrap()).unwrap(), found, "at {at}");
        }
    }
}

#[test]
fn a_fault_at_every_operation_is_answered_and_the_table_goes_on() {
    let whole = Disk::default();
    story(&whole, &mut Expected::default()).unwrap();
    let mut answered = 0;
    for at in 0..whole.operations() {
        let disk = Disk::default();
        disk.fail_at(at);
        let table = loop {
            match open(&disk) {
                Ok(table) => break table,
                Err(_) => answered += 1,
            }
        };
        // The same table throughout: each call is repeated until it is done.
        let mut repeat = |call: &dyn Fn() -> Result<(), HistoryError>| {
            while call().is_err() {
                answered += 1;
                assert!(answered < 10_000, "at {at} nothing goes on");
            }
        };
        let all: Vec<_> = (0..60).map(|i| (NOON_US + i * DAY_US / 40, i)).collect();
        for part in 1..=4u64 {
            let (from, to) = (15 * (part as usize - 1), 15 * part as usize);
            repeat(&|| table.append(part, &[rows(&all[from..to])]).map(|_| ()));
            assert_eq!(table.view().transaction, Some(part));
        }
        for _ in 0..2 {
            let count = table.view().files.len();
            repeat(&|| {
                let view = table.view();
                table.replace(&view.files, &[rows(&all)]).map(|_| ())
            });
            assert!(table.view().files.len() <= count);
        }
        repeat(&|| table.vacuum(LATER_US).map(|_| ()));
        let mut found = Vec::new();
        repeat(&|| held(&table).map(|_| ()));
        found.extend(held(&table).unwrap().rows);
        assert_eq!(found, all, "at {at}");
        drop(table);
        assert_eq!(contents(&open(&disk).unwrap()), all, "at {at}");
    }
    assert!(answered > 50, "{answered} errors");
}

#[test]
fn a_full_disk_is_answered_as_such_and_leaves_nothing_behind() {
    let disk = Disk::default();
    let table = open(&disk).unwrap();
    table.append(1, &[rows(&[(NOON_US, 1)])]).unwrap();
    let before = disk.bytes();
    let many: Vec<_> = (0..5000).map(|i| (NOON_US + i, i)).collect();
    for room in [0, 100, 3000, 6000, 12_000] {
        disk.set_bytes_max(Some(before + room));
        for _ in 0..3 {
            let full = table.append(2, &[rows(&many)]).unwrap_err();
            assert!(full.is_storage_full(), "{full}");
            assert_eq!(disk.bytes(), before, "{room} bytes of room");
        }
    }
    disk.set_bytes_max(None);
    table.append(2, &[rows(&many)]).unwrap();
    assert_eq!(contents(&table).len(), 5001);
}

#[test]
fn a_flipped_bit_in_any_file_is_found() {
    let disk = Disk::default();
    let table = open(&disk).unwrap();
    let all: Vec<_> = (0..30).map(|i| (NOON_US + i, i)).collect();
    table.append(1, &[rows(&all)]).unwrap();
    assert_eq!(table.verify().unwrap().faults, []);
    let name = disk
        .names()
        .into_iter()
        .find(|name| name.ends_with(".parquet"))
        .unwrap();
    for at in 0..disk.length(&name) {
        disk.flip(&name, at);
        let faults = table.verify().unwrap().faults;
        assert_eq!(faults.len(), 1, "at {at}");
        disk.flip(&name, at);
    }
    assert_eq!(table.verify().unwrap().faults, []);
}
