//! Files that were cut or changed: the damage is named, or only the torn end is lost. Never other data.

use std::collections::BTreeMap;

use tillwatch_journal::{JournalError, Offset};
use tillwatch_testkit::fault::disk::Disk;

use crate::{numbered, open, payloads, try_open};

type Contents = BTreeMap<String, Vec<u8>>;

/// Three segments; the last holds two groups, each synced.
fn written() -> (Contents, Vec<Vec<u8>>) {
    let disk = Disk::default();
    let (mut journal, _) = open(&disk);
    let all: Vec<Vec<u8>> = (0..11).map(|n| numbered(n, 180 + n as usize)).collect();
    for payload in &all {
        journal.append(payload).unwrap();
        if payload[0] % 2 == 0 {
            journal.sync().unwrap();
        }
    }
    assert_eq!(journal.segments().len(), 3);
    (disk.contents(), all)
}

fn is_segment(name: &str) -> bool {
    name.ends_with(".segment")
}

fn last_name(contents: &Contents) -> String {
    let mut names = contents.keys().rev();
    names.find(|name| is_segment(name)).unwrap().clone()
}

/// Opens and reads everything there is.
fn read_all(contents: &Contents) -> Result<Vec<Vec<u8>>, JournalError> {
    let (journal, _) = try_open(&Disk::with_contents(contents))?;
    payloads(&journal)
}

#[test]
fn a_last_segment_cut_at_any_byte_loses_only_the_frames_cut() {
    let (contents, all) = written();
    let name = last_name(&contents);
    let whole = contents[&name].len();
    let mut kept_before = all.len();
    for bytes in (0..whole).rev() {
        let mut cut = contents.clone();
        cut.get_mut(&name).unwrap().truncate(bytes);
        let disk = Disk::with_contents(&cut);
        let (mut journal, recovery) = open(&disk);
        let found = payloads(&journal).unwrap();
        assert_eq!(found, all[..found.len()], "cut at {bytes}");
        assert!(
            found.len() <= kept_before && kept_before - found.len() <= 1,
            "cut at {bytes}"
        );
        kept_before = found.len();
        assert_eq!(recovery.frames, found.len() as u64);
        // A cut journal is written on as if nothing had been.
        journal.append(b"after").unwrap();
        journal.sync().unwrap();
        assert_eq!(payloads(&journal).unwrap().last().unwrap(), b"after");
    }
    assert_eq!(kept_before, 8, "the frames of the first two segments");
}

#[test]
fn an_earlier_segment_cut_at_any_byte_is_refused() {
    let (contents, _) = written();
    let name = contents.first_key_value().unwrap().0.clone();
    for bytes in 0..contents[&name].len() {
        let mut cut = contents.clone();
        cut.get_mut(&name).unwrap().truncate(bytes);
        let error = read_all(&cut).unwrap_err();
        let at_1 = |at: &Offset| at.segment == 1 && at.position <= bytes as u64;
        // A cut exactly between two frames shows only where the next segment starts.
        let at_2 = |at: &Offset| *at == Offset::new(2, 0);
        match &error {
            JournalError::Damaged { at, .. } => {
                assert!(at_1(at) || at_2(at), "cut at {bytes}: {error}")
            }
            _ => panic!("cut at {bytes}: {error}"),
        }
    }
}

#[test]
fn every_flipped_bit_is_noticed_or_costs_only_the_last_group() {
    let (contents, all) = written();
    let (mut refused, mut shortened) = (0, 0);
    for (name, bytes) in contents.iter().filter(|(name, _)| is_segment(name)) {
        for bit in 0..bytes.len() * 8 {
            let mut flipped = contents.clone();
            flipped.get_mut(name).unwrap()[bit / 8] ^= 1 << (bit % 8);
            match read_all(&flipped) {
                Err(JournalError::Damaged { at, .. }) => {
                    assert!(
                        name.contains(&format!("{:020}", at.segment)),
                        "{name} {bit}: {at}"
                    );
                    refused += 1;
                }
                Err(error) => panic!("{name} bit {bit}: {error}"),
                Ok(found) => {
                    assert_eq!(found, all[..found.len()], "{name} bit {bit}");
                    assert!(
                        found.len() < all.len(),
                        "{name} bit {bit} made no difference"
                    );
                    assert!(
                        found.len() >= 9,
                        "{name} bit {bit}: a frame of an earlier group is lost"
                    );
                    shortened += 1;
                }
            }
        }
    }
    assert!(
        refused > 3 * shortened && shortened > 0,
        "{refused} refused, {shortened} shortened"
    );
}

#[test]
fn garbage_behind_the_last_frame_is_cut_off_and_counted() {
    let (contents, all) = written();
    for garbage in [
        vec![0; 5000],
        vec![0xff; 100],
        b"TWf1 but nothing more".to_vec(),
    ] {
        let mut longer = contents.clone();
        longer
            .get_mut(&last_name(&contents))
            .unwrap()
            .extend(&garbage);
        let (journal, recovery) = open(&Disk::with_contents(&longer));
        assert_eq!(recovery.torn_bytes_dropped, garbage.len() as u64);
        assert_eq!(payloads(&journal).unwrap(), all);
    }
}

#[test]
fn whole_frames_behind_a_torn_one_of_the_same_group_are_cut_off_with_it() {
    let disk = Disk::default();
    let (mut journal, _) = open(&disk);
    journal.append(b"synced").unwrap();
    journal.sync().unwrap();
    let torn = journal.append(b"torn").unwrap();
    journal.append(b"whole, but behind the torn one").unwrap();
    drop(journal);
    let mut contents = disk.contents();
    let name = last_name(&contents);
    contents.get_mut(&name).unwrap()[torn.position as usize + 33] ^= 1;
    let (journal, recovery) = open(&Disk::with_contents(&contents));
    assert_eq!(payloads(&journal).unwrap(), [b"synced"]);
    assert!(recovery.torn_bytes_dropped > 64);
}

#[test]
fn a_payload_shaped_like_a_frame_is_not_taken_for_one() {
    let (contents, _) = written();
    let stolen = contents.first_key_value().unwrap().1[48..300].to_vec();
    let disk = Disk::default();
    let (mut journal, _) = open(&disk);
    journal.append(b"synced").unwrap();
    journal.sync().unwrap();
    let at = journal.append(&stolen).unwrap();
    drop(journal);
    let mut torn = disk.contents();
    torn.get_mut(&last_name(&torn)).unwrap()[at.position as usize] ^= 1;
    let (journal, _) = open(&Disk::with_contents(&torn));
    assert_eq!(payloads(&journal).unwrap(), [b"synced"]);
}

#[test]
fn a_missing_segment_is_named() {
    let (mut contents, _) = written();
    contents.remove("00000000000000000002.segment");
    let error = read_all(&contents).unwrap_err();
    assert!(
        matches!(error, JournalError::MissingSegment { segment: 2 }),
        "{error}"
    );
}

#[test]
fn a_segment_under_another_name_is_refused() {
    let (mut contents, _) = written();
    let second = contents["00000000000000000002.segment"].clone();
    contents.insert("00000000000000000003.segment".to_owned(), second);
    let error = read_all(&contents).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the journal is damaged in segment 3 at position 0: the file holds segment 2"
    );
}

#[test]
fn files_that_are_no_segments_are_left_alone() {
    let (mut contents, all) = written();
    contents.insert("notes.txt".to_owned(), b"mine".to_vec());
    let disk = Disk::with_contents(&contents);
    let (journal, _) = open(&disk);
    assert_eq!(payloads(&journal).unwrap(), all);
    assert_eq!(disk.contents()["notes.txt"], b"mine");
}
