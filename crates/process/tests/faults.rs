//! Faults at every step of flush, compaction, roll-up, clean-up and the spill of ids, on a simulated disk
//! that holds the whole data folder: every acknowledged event is there once, and every figure is what SQL
//! over the events gives.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use datafusion::arrow::array::AsArray;
use tillwatch_collect::{Downstream, RecordHead, RecordKind, decode_record, encode_record};
use tillwatch_history::{History, HistoryOptions};
use tillwatch_journal::{Journal, JournalOptions};
use tillwatch_process::{
    CubeDefinition, Keeping, ProcessError, ProcessOptions, Processor, RecoverRange,
    StreamDefinition,
};
use tillwatch_testkit::fault::campaign::{self, Seeds};
use tillwatch_testkit::fault::disk::Disk;

use crate::simulated::Folder;
use crate::support::{Event, assert_same, batch, cube, live, oracle, rates, stream};

const DAY_US: i64 = 86_400_000_000;
/// Small, so that ids leave memory.
const DEDUP_BYTES: usize = 40 << 10;
/// How long raw events are kept where they are not kept for ever.
const KEEP: Duration = Duration::from_secs(2 * 86_400);

fn definition() -> CubeDefinition {
    CubeDefinition {
        measures: vec![
            ("events".to_owned(), "count(*)".to_owned()),
            ("items".to_owned(), "sum(quantity)".to_owned()),
            ("largest".to_owned(), "max(amount)".to_owned()),
        ],
        keep: vec![
            (Duration::from_secs(60), Duration::from_secs(2 * 86_400)),
            (
                Duration::from_secs(3_600),
                Duration::from_secs(400 * 86_400),
            ),
        ],
        ..cube("per_minute", Duration::from_secs(60), &[("psp", "psp")])
    }
}

fn event(id: u32) -> Event {
    Event {
        id,
        // Days go by, and one in nine comes days late.
        at_us: i64::from(id) * 1_300_000_000 - if id.is_multiple_of(9) { 3 * DAY_US } else { 0 },
        psp: [Some("adyen"), None][id as usize % 2],
        ok: true,
        amount: Some(i64::from(id) * 7 + 1),
        quantity: Some(i64::from(id) * 3 + 1),
        x: None,
        y: 0.0,
        user: None,
    }
}

/// A server's life on a simulated disk.
struct Life {
    disk: Disk,
    running: Option<(Journal, Processor)>,
    received_at_us: i64,
    next: u32,
    acknowledged: BTreeSet<u32>,
    /// Sent, and not answered: they may be there or not.
    unanswered: BTreeSet<u32>,
    /// How long raw events are kept.
    keep: Option<Duration>,
    /// Those that were there at some time.
    seen: BTreeSet<u32>,
}

impl Life {
    fn new() -> Self {
        Self::keeping(None)
    }

    fn keeping(keep: Option<Duration>) -> Self {
        Self {
            disk: Disk::default(),
            running: None,
            received_at_us: 900 * DAY_US,
            next: 0,
            acknowledged: BTreeSet::new(),
            unanswered: BTreeSet::new(),
            keep,
            seen: BTreeSet::new(),
        }
    }

    fn start(&mut self) -> Result<(), ProcessError> {
        self.running = None;
        let folder = Folder::on(&self.disk);
        let options = JournalOptions {
            segment_bytes_max: 8 << 10,
            ..JournalOptions::default()
        };
        let (journal, _) = Journal::open(folder.journal, options)?;
        let options = ProcessOptions {
            dedup_memory_bytes_max: DEDUP_BYTES,
            ..ProcessOptions::default()
        };
        let processor = Processor::new(
            vec![StreamDefinition {
                keep: self.keep,
                ..stream(Some("id"))
            }],
            vec![definition()],
            rates(),
            options,
        )?;
        let history = History::in_files(
            folder.history,
            HistoryOptions {
                checkpoint_every: 4,
                io_threads: 1,
                removed_files_retention: Duration::ZERO,
                log_retention: Duration::ZERO,
                ..HistoryOptions::default()
            },
        )?;
        let keeping = Keeping {
            history,
            state: folder.state,
            journal: journal.instance()?,
            journal_end: journal.durable(),
            pins: std::sync::Arc::default(),
            memory: tillwatch_event::MemoryBudget::unbounded(),
        };
        processor.attach(keeping, &|_| {})?;
        let range = RecoverRange {
            flush: true,
            ..RecoverRange::default()
        };
        processor.recover(&journal.reader(), range, &|_| {})?;
        self.running = Some((journal, processor));
        Ok(())
    }

    /// Sends new events and some old ones; they are acknowledged when this succeeds.
    fn send(&mut self, count: u32, again: &[u32]) -> Result<(), ProcessError> {
        let new: Vec<u32> = (self.next..self.next + count).collect();
        self.next += count;
        self.unanswered.extend(&new);
        let all: Vec<u32> = new.iter().chain(again).copied().collect();
        if self.request(&all)? {
            for id in new {
                self.unanswered.remove(&id);
                self.acknowledged.insert(id);
            }
        }
        Ok(())
    }

    /// One request with these events; whether it was taken.
    fn request(&mut self, ids: &[u32]) -> Result<bool, ProcessError> {
        let Some((journal, processor)) = &mut self.running else {
            return Ok(false);
        };
        self.received_at_us += 1_000_000;
        let head = RecordHead {
            kind: RecordKind::Events,
            stream: "events",
            received_at_us: self.received_at_us,
            idempotency_key: None,
            source: None,
            first_row: 0,
        };
        let events: Vec<Event> = ids.iter().map(|id| event(*id)).collect();
        let payload = encode_record(&head, &batch(&events)).expect("encodes");
        let offset = journal.append(&payload)?;
        journal.sync()?;
        let record = decode_record(offset, &payload).expect("decodes");
        Ok(processor.apply(&[record])[0].failed == 0)
    }

    fn flush(&mut self) -> Result<(), ProcessError> {
        let Some((journal, processor)) = &mut self.running else {
            return Ok(());
        };
        processor.flush(&journal.reader())?;
        if let Some(before) = processor.journal_needed_from() {
            journal.remove_segments_before(before)?;
        }
        Ok(())
    }

    fn maintain(&mut self) -> Result<(), ProcessError> {
        let Some((_, processor)) = &self.running else {
            return Ok(());
        };
        while processor.maintain_step()?.is_some() {}
        processor.vacuum(i64::MAX / 4)?;
        Ok(())
    }

    /// Everything a server does, until something fails.
    fn live(&mut self) -> Result<(), ProcessError> {
        self.start()?;
        for round in 0..5 {
            self.send(60, &[])?;
            self.flush()?;
            self.send(30, &[round * 60, round * 60 + 7])?;
            self.flush()?;
        }
        self.maintain()?;
        self.send(20, &[1, 2, 3])?;
        self.start()?;
        self.send(20, &[4, 450])?;
        self.flush()?;
        self.maintain()
    }

    /// Every acknowledged event once, none of the others more than once, and the cube what SQL says.
    fn check(&mut self) {
        let (journal, processor) = self.running.as_ref().expect("it runs");
        let reader = journal.reader();
        let log = processor.stream("events").expect("the stream");
        let mut found = BTreeMap::<u32, u32>::new();
        for batch in log.scan(&reader, None, None) {
            for id in batch
                .expect("a batch")
                .column(0)
                .as_string_view()
                .iter()
                .flatten()
            {
                let id = id.trim_start_matches("event-").parse().expect("a number");
                *found.entry(id).or_default() += 1;
            }
        }
        // Of days that have come of age, events may be gone, and are in the cube all the same.
        let kept_from_us = log.events_kept_from_us().unwrap_or(i64::MIN);
        for id in &self.acknowledged {
            if event(*id).at_us >= kept_from_us || found.contains_key(id) {
                assert_eq!(found.get(id), Some(&1), "acknowledged event {id}");
            }
        }
        self.seen.extend(found.keys());
        for (id, times) in &found {
            assert_eq!(*times, 1, "event {id}");
            assert!(
                self.acknowledged.contains(id) || self.unanswered.contains(id),
                "event {id} was never sent"
            );
        }
        // The cube by hours, which all its tiers consist of.
        let there = self.seen.union(&self.acknowledged);
        let rows: Vec<Event> = there.map(|id| event(*id)).collect();
        let hourly = CubeDefinition {
            bucket: Duration::from_secs(3_600),
            keep: vec![],
            ..definition()
        };
        let cube = processor.cube("per_minute").expect("the cube");
        assert_same(
            &by_hour(&live(&cube)),
            &oracle(&hourly, &stream(Some("id")), &rows),
        );
    }

    /// After maintenance nothing is left of the days before those that are kept, and of the others all is
    /// what [`Self::check`] says.
    fn check_expired(&self) {
        let (journal, processor) = self.running.as_ref().expect("it runs");
        let log = processor.stream("events").expect("the stream");
        let kept_from_us = log.events_kept_from_us();
        if self.keep.is_none() {
            assert_eq!(kept_from_us, None);
            return;
        }
        let newest_us = self.seen.iter().map(|id| event(*id).at_us).max();
        // Where nothing was ever taken, nothing is of age.
        assert!(newest_us.is_none() || kept_from_us > newest_us.map(|us| us - 4 * DAY_US));
        let before = log.scan(&journal.reader(), None, kept_from_us);
        let rows: usize = before.map(|batch| batch.expect("a batch").num_rows()).sum();
        assert_eq!(rows, 0, "days of age are gone");
    }

    /// Whoever was not answered sends again.
    fn send_again(&mut self) {
        let again: Vec<u32> = self.unanswered.iter().copied().collect();
        for ids in again.chunks(50) {
            assert!(self.request(ids).expect("nothing fails"), "it is taken");
        }
        self.acknowledged.extend(&again);
        self.unanswered.clear();
    }
}

/// Figures of minutes and hours as those of hours: counts and sums add up, the largest is the largest.
fn by_hour(figures: &crate::support::Figures) -> crate::support::Figures {
    let mut hours = crate::support::Figures::new();
    for (key, values) in figures {
        let mut key = key.clone();
        key[0].replace_range(14..19, "00:00");
        match hours.get_mut(&key) {
            None => {
                hours.insert(key, values.clone());
            }
            Some(hour) => {
                for (name, value) in values {
                    let old = hour[name].clone();
                    let number = |text: &str| text.parse::<f64>().expect("a number");
                    let new = match name.as_str() {
                        "events" | "items" => (number(&old) + number(value)).to_string(),
                        _ if number(value) > number(&old) => value.clone(),
                        _ => old,
                    };
                    hour.insert(name.clone(), new);
                }
            }
        }
    }
    hours
}

/// How many operations a life has in which nothing fails.
fn operations(keep: Option<Duration>, order: impl Fn(&Disk, u64)) -> u64 {
    let mut life = Life::keeping(keep);
    order(&life.disk, u64::MAX / 2);
    life.live().expect("nothing fails");
    life.check();
    let mut low = 0;
    let mut high = 1 << 20;
    while low < high {
        let middle = (low + high) / 2;
        let mut life = Life::keeping(keep);
        order(&life.disk, middle);
        let _ = life.live();
        if life.disk.met_fault() {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The steps a campaign looks at: all of them in a long one, some of them by seed in a short one.
fn some_steps(name: &str, all: u64, mut scenario: impl FnMut(u64, u64)) {
    let wanted = Seeds::from_environment(campaign::SEEDS_DEFAULT);
    let seeds = Seeds {
        count: wanted.count.min(all).min(120.max(wanted.count / 4)),
        ..wanted
    };
    campaign::run_seeds(name, seeds, |seed, totals| {
        // A step that is coprime to most counts goes through all of them.
        let step = seed.wrapping_mul(7_919) % all;
        scenario(step, seed);
        totals.add("faults", 1);
    });
}

#[test]
fn power_lost_at_any_step_loses_and_doubles_nothing() {
    power_lost("of power lost", None);
}

#[test]
fn power_lost_at_any_step_while_raw_events_come_of_age_leaves_younger_ones_and_all_figures() {
    power_lost("of power lost while events come of age", Some(KEEP));
}

fn power_lost(name: &str, keep: Option<Duration>) {
    let all = operations(keep, |disk, step| disk.power_off_after(step));
    some_steps(name, all, |step, seed| {
        let mut life = Life::keeping(keep);
        life.disk.power_off_after(step);
        let _ = life.live();
        life.running = None;
        life.disk.crash(seed);
        life.start()
            .unwrap_or_else(|error| panic!("step {step}: {error}"));
        life.check();
        life.send_again();
        life.flush().expect("flushes");
        life.maintain().expect("maintains");
        life.check();
        life.check_expired();
        life.start().expect("starts");
        life.check();
    });
}

#[test]
fn an_operation_that_fails_at_any_step_loses_and_doubles_nothing() {
    operation_failed("of failed operations", None);
}

#[test]
fn an_operation_that_fails_while_raw_events_come_of_age_leaves_younger_ones_and_all_figures() {
    operation_failed("of failed operations while events come of age", Some(KEEP));
}

fn operation_failed(name: &str, keep: Option<Duration>) {
    let all = operations(keep, |disk, step| disk.fail_once_after(step));
    some_steps(name, all, |step, _| {
        let mut life = Life::keeping(keep);
        life.disk.fail_once_after(step);
        let _ = life.live();
        // The same process goes on, if it came to run: what failed is tried again.
        if life.running.is_some() {
            let _ = life.flush();
            let _ = life.maintain();
            life.check();
        }
        life.running = None;
        life.start()
            .unwrap_or_else(|error| panic!("step {step}: {error}"));
        life.check();
        life.send_again();
        life.flush().expect("flushes");
        life.maintain().expect("maintains");
        life.check();
        life.check_expired();
    });
}

#[test]
fn a_full_disk_stops_history_and_loses_nothing() {
    campaign::run_seeds(
        "of full disks",
        Seeds {
            count: 12,
            ..Seeds::from_environment(12)
        },
        |seed, _| {
            let mut life = Life::new();
            life.start().expect("starts");
            for _ in 0..3 {
                life.send(50, &[]).expect("is taken");
                life.flush().expect("flushes");
            }
            life.disk
                .set_bytes_max(Some(life.disk.bytes() + 1_000 + seed % 20_000));
            for _ in 0..8 {
                let _ = life.send(50, &[3]);
                let _ = life.flush();
                let _ = life.maintain();
                life.check();
            }
            life.disk.set_bytes_max(None);
            life.flush().expect("flushes when there is room");
            life.send(10, &[]).expect("is taken when there is room");
            life.maintain().expect("maintains when there is room");
            life.check();
            life.start().expect("starts");
            life.check();
        },
    );
}
