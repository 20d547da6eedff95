//! The sorted table against a map, also with ids that all want the same place.

use std::collections::BTreeMap;

use super::super::generation::UNWRITTEN;
use super::super::table::{PARTITIONS, Table};
use super::disk::Random;
use super::seeds;

fn check(table: &Table, map: &BTreeMap<u128, u128>) {
    let found: Vec<_> = table.iter().collect();
    let expected: Vec<_> = map.values().copied().collect();
    assert_eq!(found, expected);
    assert_eq!(table.len(), map.len());
    let unwritten = map.values().filter(|entry| **entry & UNWRITTEN != 0);
    assert_eq!(table.unwritten(), unwritten.count());
}

#[test]
fn the_table_holds_what_a_map_would() {
    for seed in seeds(30) {
        println!("TILLWATCH_SEED={seed}");
        let mut random = Random(seed);
        let mut table = Table::with_room(random.below(3_000));
        let mut map = BTreeMap::new();
        // How many bits differ: few make long clusters.
        let bits = [4, 10, 40, 64][random.below(4)];
        let top = [0, 0x1234 << 112, 0xffff << 112, 0][random.below(4)];
        for _ in 0..4_000 {
            let place = random.below(1 << bits.min(62)) as u128;
            let key = (top | (place << [8, 60, 50, 64][random.below(4)])).max(256) & !0xff;
            let entry = key | random.below(256) as u128;
            match random.below(400) {
                0 => {
                    let bound = random.below(128) as u128;
                    table.retain(0..PARTITIONS, |entry| entry & 0x7f >= bound);
                    map.retain(|_, entry: &mut u128| *entry & 0x7f >= bound);
                }
                1 => {
                    let run: Vec<u128> = (map.values().copied())
                        .filter(|_| random.below(2) == 0)
                        .map(|entry| entry & !UNWRITTEN)
                        .collect();
                    let mut next = run.iter().copied();
                    table.subtract(|| Ok::<_, ()>(next.next())).unwrap();
                    map.retain(|_, entry| !run.contains(entry));
                }
                2 => {
                    table.written();
                    map.values_mut().for_each(|entry| *entry &= !UNWRITTEN);
                }
                _ => {
                    let keep = |other: u128| other & 1 == 1;
                    let known = map.get(&key).is_some_and(|other| keep(*other));
                    assert_eq!(table.put(entry, keep), !known);
                    if !known {
                        map.insert(key, entry);
                    }
                    assert_eq!(table.get(key), map.get(&key).copied());
                }
            }
        }
        check(&table, &map);
    }
}
