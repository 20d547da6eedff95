//! Files that are not what was written.

use super::disk::Disk;
use super::*;

fn three_blocks() -> (Disk, DedupCheckpoint, String) {
    let disk = Disk::default();
    let mut dedup = create(&disk, AMPLE).unwrap();
    assert_eq!(new(&mut dedup, 0, 0..600), 600);
    let checkpoint = dedup.freeze().unwrap();
    let file = checkpoint.runs[0].file.clone();
    (disk, checkpoint, file)
}

#[test]
fn a_flipped_bit_anywhere_is_noticed_before_it_changes_a_decision() {
    let (disk, checkpoint, file) = three_blocks();
    let whole = disk.content(&file);
    for budget in [AMPLE, 0] {
        let mut noticed = 0;
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            disk.set_content(&file, &bytes);
            let asked = load(&disk, budget, &checkpoint)
                .and_then(|mut dedup| give(&mut dedup, &batch(0, 0..700)));
            match asked {
                Ok(marks) => {
                    let expected = (0..700).map(|id| id < 600);
                    assert!(marks.into_iter().eq(expected), "byte {at}");
                }
                Err(error) => {
                    assert!(error.to_string().contains(&file), "{error}");
                    noticed += 1;
                }
            }
        }
        // The header and all blocks; when they are looked up, the first ids and the filter as well.
        let least = if budget == 0 {
            whole.len() - 4_096 + 128
        } else {
            3 * 4_096 + 128
        };
        assert!(noticed >= least, "{noticed} of {}", whole.len());
    }
}

#[test]
fn a_file_that_ends_early_is_missing_or_is_another_one_is_refused() {
    let (disk, checkpoint, file) = three_blocks();
    let whole = disk.content(&file);
    for bytes in [0, 50, 4_096, whole.len() - 1] {
        disk.set_content(&file, &whole[..bytes]);
        let error = load(&disk, AMPLE, &checkpoint).unwrap_err().to_string();
        assert!(
            error.starts_with("the remembered ids in payments-"),
            "{error}"
        );
    }
    disk.set_content(&file, &whole);
    let mut other = checkpoint.clone();
    other.runs[0].crc ^= 1;
    let error = load(&disk, AMPLE, &other).unwrap_err().to_string();
    assert!(
        error.contains("not the file that the checkpoint names"),
        "{error}"
    );
    other.runs[0].file = "payments-7.ids".to_owned();
    let error = load(&disk, AMPLE, &other).unwrap_err().to_string();
    assert!(error.starts_with("cannot open payments-7.ids"), "{error}");
}

#[test]
fn an_unknown_version_is_told_from_damage() {
    let (disk, checkpoint, file) = three_blocks();
    let mut bytes = disk.content(&file);
    bytes[8] = 2;
    let crc = crc32fast::hash(&bytes[..124]);
    bytes[124..128].copy_from_slice(&crc.to_le_bytes());
    disk.set_content(&file, &bytes);
    let error = load(&disk, AMPLE, &checkpoint).unwrap_err().to_string();
    assert!(error.contains("has version 2"), "{error}");
    assert!(error.contains("reads version 1"), "{error}");
}

#[test]
fn the_documented_bytes_are_those_that_are_written() {
    let (disk, _, file) = three_blocks();
    let bytes = disk.content(&file);
    assert_eq!(&bytes[..8], b"TWDEDUPR");
    assert_eq!(bytes[8..12], 1_u32.to_le_bytes());
    assert_eq!(bytes[16..24], (HOUR / 64 + 1).to_le_bytes());
    assert_eq!(bytes[40..48], 600_u64.to_le_bytes());
    // Three blocks, their first ids, and a line of the filter for every 32 ids.
    assert_eq!(bytes.len(), 4 * 4_096 + 3 * 8 + 19 * 64);
    let entry = |at: usize| u128::from_le_bytes(bytes[at..at + 16].try_into().unwrap());
    let ids = (0..600).map(|index| entry(4_096 + index / 255 * 4_096 + index % 255 * 16));
    let mut expected: Vec<_> = (0..600)
        .map(|id| tillwatch_event::EventId::of_int(id).0 & !0xff)
        .collect();
    expected.sort_unstable();
    assert!(ids.eq(expected), "sorted, of generation 0");
}
