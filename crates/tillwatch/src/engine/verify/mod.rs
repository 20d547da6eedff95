//! Verifying what is kept: every byte is read, and cubes are compared with the events. A data folder that no
//! server has open is verified by itself, a running server beside what it does.

mod server;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tillwatch_analyse::{AuditLimits, AuditPart, AuditReport, Auditor};
use tillwatch_collect::decode_owned_record;
use tillwatch_event::MemoryBudget;
use tillwatch_history::{History, HistoryError, Verified};
use tillwatch_journal::{JournalError, JournalReader, Offset, Storage};
use tillwatch_process::{Processor, RecoverRange, verify_state};
use tillwatch_serve::documents::{
    CubeReport, FigureDifference, FileFault, PlaceReport, VerifyReport,
};

use super::{JOURNAL, generation, is_data_folder, open_journal, open_keeping};
use crate::definitions::Loaded;
pub use server::Verifications;

/// Buckets of each cube that are recomputed when nobody says how many.
pub const SAMPLE_DEFAULT: u64 = 200;
/// Events that recounting one range may read.
const ROWS_MAX: u64 = 5_000_000;
/// Time that recounting one range may take.
const RANGE_MAX: Duration = Duration::from_secs(300);

/// What is being done, for those who wait.
#[derive(Debug, Clone)]
pub enum VerifyStep {
    /// A place of so many bytes is read from here on.
    Place(String, u64),
    /// So many bytes of it are read.
    Bytes(u64),
    /// A cube is audited; so many of its buckets so far.
    Cube(String, u64),
}

/// Who waits for a verification.
pub struct Watching<'a> {
    /// Hears of every step.
    pub told: &'a dyn Fn(VerifyStep),
    /// Says whether to go on.
    pub go_on: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// What of the cubes is audited, chosen by which seed.
#[derive(Debug, Clone, Copy)]
pub struct Audited {
    /// How much.
    pub part: AuditPart,
    /// The seed.
    pub seed: u64,
}

/// Verifies a data folder that no server has open. What is found wrong is in the report.
///
/// # Errors
/// A server has the folder open, it is none, or nothing in it can be read at all.
pub fn verify(
    data: &Path,
    loaded: &Loaded,
    audited: Audited,
    watching: &Watching<'_>,
) -> Result<VerifyReport> {
    if !is_data_folder(data) {
        bail!("{} is no data folder: it has no journal", data.display());
    }
    let mut report = VerifyReport {
        seed: audited.seed,
        ..VerifyReport::default()
    };
    let journal = match open_journal(data, loaded) {
        Ok(journal) => journal,
        // Opening reads all of it, too.
        Err(error) => match error.downcast_ref::<JournalError>() {
            Some(damaged @ JournalError::Damaged { .. }) => {
                report.places.push(faulty(JOURNAL, damaged.to_string()));
                return Ok(report);
            }
            _ => return Err(error),
        },
    };
    let keeping = open_keeping(data, &journal, loaded, MemoryBudget::unbounded())?;
    let reader = journal.reader();
    let journal_place = read_journal(&reader, reader.durable(), watching);
    report.places.push(journal_place);
    report.places.push(read_state(&keeping.state, watching));
    // What follows needs all of it: tables are opened as a start would, and what is only in the journal
    // is replayed, in memory.
    if report.places.iter().all(|place| place.faults.is_empty()) {
        let processor = Arc::new(generation::plan(loaded)?);
        let history = Arc::clone(&keeping.history);
        match processor
            .attach(keeping, &|_| ())
            .map(|_| processor.recover(&reader, RecoverRange::default(), &|_| ()))
        {
            Ok(Ok(_)) => {
                report
                    .places
                    .extend(read_tables(&processor, &history, watching));
                report.cubes = audit(&processor, &reader, audited, watching);
            }
            Err(error) | Ok(Err(error)) => {
                report.places.push(faulty("history", error.to_string()));
            }
        }
    }
    judge(&mut report);
    Ok(report)
}

/// Says whether all is well.
fn judge(report: &mut VerifyReport) {
    report.ok = report.places.iter().all(|place| place.faults.is_empty())
        && (report.cubes.iter()).all(|cube| cube.fault.is_none() && cube.differences == 0);
}

/// Reads and decodes every frame before `end`. Behind a damaged one it goes on with the next segment.
fn read_journal(reader: &JournalReader, end: Offset, watching: &Watching<'_>) -> PlaceReport {
    let segments = reader.segments();
    let mut report = PlaceReport {
        place: JOURNAL.to_owned(),
        files: segments.len() as u64,
        ..PlaceReport::default()
    };
    (watching.told)(VerifyStep::Place(JOURNAL.to_owned(), reader.bytes()));
    let mut from = Some(reader.start());
    while let Some(start) = from.take() {
        let mut frames = reader.iter_from(start);
        while frames.position() < end
            && (watching.go_on)()
            && let Some(frame) = frames.next()
        {
            let fault = match frame {
                Ok((offset, payload)) => {
                    report.entries += 1;
                    report.bytes += payload.len() as u64;
                    (watching.told)(VerifyStep::Bytes(report.bytes));
                    let decoded = decode_owned_record(offset, payload);
                    decoded.err().map(|error| (offset, error.to_string()))
                }
                // Forgotten as a whole between the look at where it starts and the pin that keeps the rest.
                Err(JournalError::Removed { .. } | JournalError::Io { .. })
                    if frames.position().segment < reader.start().segment =>
                {
                    from = Some(reader.start());
                    None
                }
                Err(error) => {
                    let at = frames.position();
                    let next = segments.iter().find(|s| s.number > at.segment);
                    from = next.map(|segment| Offset::new(segment.number, 0));
                    Some((at, error.to_string()))
                }
            };
            if let Some((at, reason)) = fault {
                report.faults.push(FileFault {
                    path: format!("{JOURNAL} {at}"),
                    reason,
                });
            }
        }
    }
    report
}

/// Reads the checkpoint and the files of remembered ids.
fn read_state(state: &Arc<dyn Storage>, watching: &Watching<'_>) -> PlaceReport {
    (watching.told)(VerifyStep::Place("state".to_owned(), 0));
    let verified = verify_state(state);
    PlaceReport {
        place: "state".to_owned(),
        files: verified.files,
        entries: verified.ids,
        faults: (verified.faults.into_iter())
            .map(|(path, reason)| FileFault { path, reason })
            .collect(),
        ..PlaceReport::default()
    }
}

/// Reads all tables: those of the definitions, and those that are there and no definition has any more.
fn read_tables(
    processor: &Processor,
    history: &Arc<History>,
    watching: &Watching<'_>,
) -> Vec<PlaceReport> {
    let defined = processor.all_tables();
    let mut places = Vec::new();
    for table in &defined {
        let read = |go_on: &mut dyn FnMut(&Verified) -> bool| table.verify_while(go_on);
        places.extend(read_table(
            &table.spec().name,
            table.bytes(),
            watching,
            read,
        ));
    }
    let there = match history.tables() {
        Ok(there) => there,
        Err(error) => {
            places.push(faulty("history", error.to_string()));
            return places;
        }
    };
    for name in there {
        if defined.iter().any(|table| table.spec().name == name) {
            continue;
        }
        match history.stored(&name) {
            Ok(Some(table)) => {
                let read = |go_on: &mut dyn FnMut(&Verified) -> bool| table.verify_while(go_on);
                places.extend(read_table(&name, table.bytes(), watching, read));
            }
            // Removed since it was listed.
            Ok(None) => {}
            Err(error) => places.push(faulty(&name, error.to_string())),
        }
    }
    places.sort_by(|a, b| a.place.cmp(&b.place));
    places
}

/// Reads one table; nothing is said of one that was removed meanwhile.
fn read_table(
    name: &str,
    bytes: u64,
    watching: &Watching<'_>,
    verify: impl FnOnce(&mut dyn FnMut(&Verified) -> bool) -> Result<Verified, HistoryError>,
) -> Option<PlaceReport> {
    (watching.told)(VerifyStep::Place(name.to_owned(), bytes));
    let verified = verify(&mut |found| {
        (watching.told)(VerifyStep::Bytes(found.bytes));
        (watching.go_on)()
    });
    match verified {
        Ok(verified) => Some(PlaceReport {
            place: name.to_owned(),
            files: verified.files,
            entries: verified.rows,
            bytes: verified.bytes,
            faults: (verified.faults.into_iter())
                .map(|fault| FileFault {
                    path: fault.path,
                    reason: fault.reason,
                })
                .collect(),
        }),
        Err(HistoryError::Removed(_)) => None,
        Err(error) => Some(faulty(name, error.to_string())),
    }
}

/// A place that could not be read at all.
fn faulty(place: &str, reason: String) -> PlaceReport {
    PlaceReport {
        place: place.to_owned(),
        faults: vec![FileFault {
            path: place.to_owned(),
            reason,
        }],
        ..PlaceReport::default()
    }
}

/// Audits every cube of a processor.
fn audit(
    processor: &Arc<Processor>,
    journal: &JournalReader,
    audited: Audited,
    watching: &Watching<'_>,
) -> Vec<CubeReport> {
    let limits = AuditLimits {
        rows_max: ROWS_MAX,
        range_max: RANGE_MAX,
        behind_us: None,
    };
    let auditor = Auditor::new(Arc::clone(processor), journal.clone(), limits)
        .while_told(Arc::clone(&watching.go_on));
    let cubes = processor.cubes().into_iter();
    cubes
        .map(|cube| {
            let name = cube.definition().name.clone();
            (watching.told)(VerifyStep::Cube(name.clone(), 0));
            let found = auditor.audit(&name, audited.part, audited.seed, &mut |report| {
                (watching.told)(VerifyStep::Cube(name.clone(), report.buckets));
                (watching.go_on)()
            });
            match found {
                Ok(found) => cube_report(name, found),
                Err(error) => CubeReport {
                    cube: name,
                    fault: Some(error.to_string()),
                    ..CubeReport::default()
                },
            }
        })
        .collect()
}

fn cube_report(cube: String, found: AuditReport) -> CubeReport {
    CubeReport {
        cube,
        buckets: found.buckets,
        keys: found.keys,
        figures: found.figures,
        events: found.events,
        differences: found.differences,
        unsure: found.unsure,
        skipped: found.skipped,
        described: (found.described.into_iter())
            .map(|one| FigureDifference {
                cube: one.cube,
                bucket: one.bucket,
                key: one.key,
                measure: one.measure,
                kept: one.kept,
                recounted: one.recounted,
            })
            .collect(),
        fault: None,
    }
}

/// A seed for a run that was given none.
///
/// # Errors
/// The system has no random numbers.
pub fn random_seed() -> Result<u64> {
    let mut bytes = [0; 8];
    getrandom::getrandom(&mut bytes).context("the system has no random numbers")?;
    Ok(u64::from_le_bytes(bytes) >> 1)
}
