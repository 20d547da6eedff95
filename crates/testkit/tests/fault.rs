//! The simulated disk is as forgetful as it says, and no more.

use std::collections::BTreeSet;

use tillwatch_journal::Storage;
use tillwatch_testkit::fault::disk::Disk;
use tillwatch_testkit::fault::steps::at_every_step;

fn put(disk: &Disk, name: &str, bytes: &[u8]) {
    let file = disk.create(name).unwrap();
    file.write_at(0, bytes).unwrap();
    file.sync_data().unwrap();
}

#[test]
fn what_was_synced_survives_every_crash() {
    for seed in 0..100 {
        let disk = Disk::default();
        put(&disk, "a", b"contents");
        disk.sync_dir().unwrap();
        disk.open("a").unwrap().write_at(20, b"more").unwrap();
        disk.crash(seed);
        let kept = disk.contents();
        assert!(kept["a"].starts_with(b"contents"), "seed {seed}");
    }
}

#[test]
fn a_name_survives_a_crash_only_by_a_sync_of_its_own_folder() {
    let mut seen = BTreeSet::new();
    for seed in 0..100 {
        let disk = Disk::default();
        let (tables, day) = (disk.folder("tables"), disk.folder("tables/day"));
        put(&disk, "top", b"1");
        put(&tables, "log", b"2");
        put(&tables, "day/part", b"3");
        tables.sync_dir().unwrap();
        assert_eq!(disk.contents().len(), 3);
        assert_eq!(tables.list().unwrap(), ["log"]);
        assert_eq!(day.list().unwrap(), ["part"]);
        disk.crash(seed);
        assert_eq!(tables.contents()["log"], b"2", "seed {seed}");
        let names: Vec<String> = disk.contents().into_keys().collect();
        seen.insert(names);
    }
    assert_eq!(
        seen.len(),
        4,
        "the two others may be there or not: {seen:?}"
    );
}

#[test]
fn a_rename_is_kept_as_a_whole_or_not_at_all() {
    let mut seen = BTreeSet::new();
    for seed in 0..100 {
        let disk = Disk::default();
        put(&disk, "current", b"old");
        put(&disk, "next", b"new");
        disk.sync_dir().unwrap();
        disk.rename("next", "current").unwrap();
        disk.crash(seed);
        let kept = disk.contents();
        assert!(kept["current"] == b"old" || kept["current"] == b"new");
        assert_eq!(kept.contains_key("next"), kept["current"] == b"old");
        seen.insert(kept["current"].clone());
    }
    assert_eq!(seen.len(), 2);
}

#[test]
fn a_failed_fsync_forgets_what_it_was_for_and_shows_it_all_the_same() {
    for by_count in [true, false] {
        let disk = Disk::default();
        put(&disk, "a", b"old");
        disk.sync_dir().unwrap();
        let file = disk.open("a").unwrap();
        file.write_at(0, b"new").unwrap();
        if by_count {
            disk.fail_syncs(1);
        } else {
            disk.fail_once_after(0);
        }
        file.sync_data().unwrap_err();
        file.sync_data().unwrap();
        assert_eq!(disk.contents()["a"], b"new");
        disk.crash(4);
        assert_eq!(disk.contents()["a"], b"old");
    }
}

#[test]
fn a_full_disk_takes_what_fits_and_what_lies_within_a_file() {
    let disk = Disk::default();
    put(&disk, "a", b"12345678");
    disk.set_bytes_max(Some(10));
    let file = disk.open("a").unwrap();
    file.write_at(2, b"in").unwrap();
    let error = file.write_at(6, b"too long").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    assert_eq!(disk.contents()["a"], b"12in56too ");
}

#[test]
fn folders_have_locks_of_their_own() {
    let disk = Disk::default();
    let (one, two) = (disk.folder("one"), disk.folder("two"));
    let held = one.lock().unwrap();
    let _other = two.lock().unwrap();
    assert!(one.lock().is_err());
    drop(held);
    let _again = one.lock().unwrap();
    assert_eq!(one.describe(), "one on the simulated disk");
}

#[test]
fn each_operation_meets_the_fault_once() {
    let faults: [fn(&Disk, u64); 2] = [Disk::power_off_after, Disk::fail_once_after];
    for arm in faults {
        let mut done = Vec::new();
        let steps = at_every_step(|step| {
            let disk = Disk::default();
            arm(&disk, step);
            let work = || -> std::io::Result<()> {
                let file = disk.create("a")?;
                file.write_at(0, b"x")?;
                file.sync_data()?;
                disk.sync_dir()
            };
            done.push(work().is_ok());
            disk.met_fault()
        });
        assert_eq!(steps, 4);
        assert_eq!(done, [false, false, false, false, true]);
    }
}
