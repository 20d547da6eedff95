//! Verifying a data folder: every byte is read, and cubes are compared with the events.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tillwatch_analyse::{AuditLimits, AuditPart, AuditReport, Auditor};
use tillwatch_collect::decode_owned_record;
use tillwatch_event::MemoryBudget;
use tillwatch_history::Table;
use tillwatch_journal::{JournalError, JournalReader, Offset};
use tillwatch_process::{Processor, RecoverRange, verify_state};

use super::{JOURNAL, generation, is_data_folder, open_journal, open_keeping};
use crate::definitions::Loaded;

/// Events that recounting one range may read.
const ROWS_MAX: u64 = 5_000_000;
/// Time that recounting one range may take.
const RANGE_MAX: Duration = Duration::from_secs(300);

/// Something wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileFault {
    /// The file, or the place in the journal.
    pub path: String,
    /// What is wrong.
    pub reason: String,
}

/// One place that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PlaceReport {
    /// `journal`, `state` or the name of a table.
    pub place: String,
    /// Files read; segments of the journal.
    pub files: u64,
    /// Frames, ids or rows in them.
    pub entries: u64,
    /// Their bytes, as far as they are counted.
    pub bytes: u64,
    /// What is wrong with them.
    pub faults: Vec<FileFault>,
}

/// The audit of one cube.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CubeReport {
    /// The cube.
    pub cube: String,
    /// What was compared.
    #[serde(flatten)]
    pub audit: AuditReport,
    /// Why it could not be audited to the end.
    pub fault: Option<String>,
}

/// Everything that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Whether all is well.
    pub ok: bool,
    /// The seed by which buckets were chosen.
    pub seed: u64,
    /// The journal, the state and the tables.
    pub places: Vec<PlaceReport>,
    /// All cubes.
    pub cubes: Vec<CubeReport>,
}

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

/// Verifies a data folder that no server has open. What is found wrong is in the report; `told` hears of
/// every step.
///
/// # Errors
/// A server has the folder open, it is none, or nothing in it can be read at all.
pub fn verify(
    data: &Path,
    loaded: &Loaded,
    part: AuditPart,
    seed: u64,
    told: &dyn Fn(VerifyStep),
) -> Result<VerifyReport> {
    if !is_data_folder(data) {
        bail!("{} is no data folder: it has no journal", data.display());
    }
    let mut report = VerifyReport {
        seed,
        ..VerifyReport::default()
    };
    let journal = match open_journal(data, loaded) {
        Ok(journal) => journal,
        // Opening reads all of it, too.
        Err(error) => match error.downcast_ref::<JournalError>() {
            Some(damaged @ JournalError::Damaged { .. }) => {
                report.places.push(PlaceReport {
                    place: JOURNAL.to_owned(),
                    faults: vec![FileFault {
                        path: JOURNAL.to_owned(),
                        reason: damaged.to_string(),
                    }],
                    ..PlaceReport::default()
                });
                return Ok(report);
            }
            _ => return Err(error),
        },
    };
    let keeping = open_keeping(data, &journal, loaded, MemoryBudget::unbounded())?;
    report.places.push(read_journal(&journal.reader(), told));
    told(VerifyStep::Place("state".to_owned(), 0));
    let state = verify_state(&keeping.state);
    let broken = |faults: Vec<(String, String)>| -> Vec<FileFault> {
        let faults = faults.into_iter();
        faults
            .map(|(path, reason)| FileFault { path, reason })
            .collect()
    };
    report.places.push(PlaceReport {
        place: "state".to_owned(),
        files: state.files,
        entries: state.ids,
        faults: broken(state.faults),
        ..PlaceReport::default()
    });
    // What follows needs all of it: tables are opened as a start would, and what is only in the journal
    // is replayed, in memory.
    if report.places.iter().all(|place| place.faults.is_empty()) {
        let processor = Arc::new(generation::plan(loaded)?);
        match processor
            .attach(keeping, &|_| ())
            .map(|_| processor.recover(&journal.reader(), RecoverRange::default(), &|_| ()))
        {
            Ok(Ok(_)) => {
                for table in processor.all_tables() {
                    report.places.push(read_table(&table, told));
                }
                report.cubes = audit(&processor, &journal.reader(), part, seed, told);
            }
            Err(error) | Ok(Err(error)) => report.places.push(PlaceReport {
                place: "history".to_owned(),
                faults: broken(vec![("history".to_owned(), error.to_string())]),
                ..PlaceReport::default()
            }),
        }
    }
    report.ok = report.places.iter().all(|place| place.faults.is_empty())
        && (report.cubes.iter()).all(|cube| cube.fault.is_none() && cube.audit.differences == 0);
    Ok(report)
}

/// Reads and decodes every frame. Behind a damaged one it goes on with the next segment.
fn read_journal(reader: &JournalReader, told: &dyn Fn(VerifyStep)) -> PlaceReport {
    let segments = reader.segments();
    let mut report = PlaceReport {
        place: JOURNAL.to_owned(),
        files: segments.len() as u64,
        ..PlaceReport::default()
    };
    told(VerifyStep::Place(JOURNAL.to_owned(), reader.bytes()));
    let mut from = Some(reader.start());
    while let Some(start) = from.take() {
        let mut frames = reader.iter_from(start);
        while let Some(frame) = frames.next() {
            let fault = match frame {
                Ok((offset, payload)) => {
                    report.entries += 1;
                    report.bytes += payload.len() as u64;
                    told(VerifyStep::Bytes(report.bytes));
                    let decoded = decode_owned_record(offset, payload);
                    decoded.err().map(|error| (offset, error.to_string()))
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
                    path: place(at),
                    reason,
                });
            }
        }
    }
    report
}

fn place(at: Offset) -> String {
    format!("{JOURNAL} {at}")
}

fn read_table(table: &Table, told: &dyn Fn(VerifyStep)) -> PlaceReport {
    let name = table.spec().name.clone();
    let bytes = table.view().files.iter().map(|file| file.bytes).sum();
    told(VerifyStep::Place(name.clone(), bytes));
    let verified = table.verify().map_err(|error| error.to_string());
    told(VerifyStep::Bytes(bytes));
    match verified {
        Ok(verified) => PlaceReport {
            place: name,
            files: verified.files,
            entries: verified.rows,
            bytes: verified.bytes,
            faults: (verified.faults.into_iter())
                .map(|fault| FileFault {
                    path: fault.path,
                    reason: fault.reason,
                })
                .collect(),
        },
        Err(reason) => PlaceReport {
            faults: vec![FileFault {
                path: name.clone(),
                reason,
            }],
            place: name,
            ..PlaceReport::default()
        },
    }
}

/// Audits every cube of a processor.
pub fn audit(
    processor: &Arc<Processor>,
    journal: &JournalReader,
    part: AuditPart,
    seed: u64,
    told: &dyn Fn(VerifyStep),
) -> Vec<CubeReport> {
    let limits = AuditLimits {
        rows_max: ROWS_MAX,
        range_max: RANGE_MAX,
        behind_us: None,
    };
    let auditor = Auditor::new(Arc::clone(processor), journal.clone(), limits);
    let cubes = processor.cubes().into_iter();
    cubes
        .map(|cube| {
            let name = cube.definition().name.clone();
            told(VerifyStep::Cube(name.clone(), 0));
            let audited = auditor.audit(&name, part, seed, &mut |report| {
                told(VerifyStep::Cube(name.clone(), report.buckets));
                true
            });
            let (audit, fault) = match audited {
                Ok(audit) => (audit, None),
                Err(error) => (AuditReport::default(), Some(error.to_string())),
            };
            CubeReport {
                cube: name,
                audit,
                fault,
            }
        })
        .collect()
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
