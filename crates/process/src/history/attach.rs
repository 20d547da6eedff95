//! Opening what a processor keeps: the checkpoint, the tables, and the cubes that have to be filled
//! from the events because their definition is new.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use tillwatch_event::StreamSchema;
use tillwatch_event::schema::timestamp_type;
use tillwatch_history::{History, HistoryError, Table, TableSpec};
use tillwatch_journal::Offset;

use super::checkpoint::Checkpoint;
use super::fingerprint::{events_name, fields_hash, quarantine_name, table_name};
use super::fitting::Fitting;
use super::rejects::QUARANTINE_TIME;
use super::returned::keep_before;
use super::{FrameCopies, Keeping, Kept, StreamTables, quarantine_schema, reflected, transaction};
use crate::cube::{
    BUCKET, BatchInputs, CubeWriter, StateCache, StateTable, StoreState, starting_within,
};
use crate::definition::StreamDefinition;
use crate::engine::nullable;
use crate::error::ProcessError;
use crate::processor::{Processor, Writers};
use crate::writer::Writer;

/// Transactions below the number of any offset count the steps of filling a cube's table from the
/// events. A table that ends with one of them was not filled to the end.
const FILLING_MAX: u64 = 1 << 40;
/// Events aggregated at once when a cube is filled.
const FILL_ROWS: usize = 65_536;
/// State rows in memory after which a cube being filled is written.
const FILL_STATE_ROWS_MAX: u64 = 1_000_000;

/// What was found and done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttachReport {
    /// Where replay will start; none at the journal's beginning.
    pub from: Option<Offset>,
    /// Events in history.
    pub events: u64,
    /// Cubes filled from the events.
    pub cubes_filled: u64,
    /// Events read for that.
    pub events_read: u64,
}

impl Processor {
    /// Opens history and takes up what the last checkpoint kept. Once, before anything is applied or
    /// recovered. A cube whose definition is new, or was another when its table was last written, is
    /// filled from the events in history; `progress` is told of the events read for it.
    ///
    /// # Errors
    /// History belongs to another journal, is damaged, cannot be reached, or a stream's fields do
    /// not fit the events it has.
    pub fn attach(
        &self,
        keeping: Keeping,
        progress: &dyn Fn(&AttachReport),
    ) -> Result<AttachReport, ProcessError> {
        let checkpoint = Checkpoint::read(keeping.state.as_ref())?;
        if let Some(found) = &checkpoint
            && found.journal != keeping.journal
        {
            return Err(ProcessError::Kept(format!(
                "history belongs to journal {}, but the journal is {}; put the journal back beside it, or move history away",
                found.journal, keeping.journal
            )));
        }
        let kept = Kept {
            cache: StateCache::new(self.options().state_cache_bytes_max, &keeping.memory),
            from: checkpoint.as_ref().map(|found| found.offset),
            unused: Mutex::default(),
            keeping,
        };
        let mut report = AttachReport {
            from: kept.from,
            ..AttachReport::default()
        };
        let mut writers = self.writers();
        if let Some(found) = &checkpoint {
            writers.stranded.clone_from(&found.stranded);
            writers.readmitted.clone_from(&found.readmitted);
            writers.applied = Some(found.offset);
            let absent =
                (found.streams.iter()).filter(|(name, _)| !writers.by_stream.contains_key(*name));
            writers.absent = absent
                .map(|(name, state)| (name.clone(), state.clone()))
                .collect();
            writers.absent_cubes = self.absent_cubes(&writers, found, &kept)?;
        }
        let Writers { by_stream, .. } = &mut *writers;
        for (name, writer) in by_stream {
            open_stream(writer, &kept)?;
            let state = checkpoint
                .as_ref()
                .and_then(|found| found.streams.get(name));
            writer.restore(state, Arc::clone(&kept.keeping.state))?;
            report.events += writer.log.status().stored_events;
            let definition = writer.definition.clone();
            for at in 0..writer.cubes.len() {
                self.open_cube(writer, at, &definition, &kept, checkpoint.as_ref())?;
            }
            let counted = state.is_some_and(|state| state.fields == fields_hash(&definition));
            self.read_again(writer, kept.from, counted, &mut report, progress)?;
        }
        drop(writers);
        self.keep(kept);
        Ok(report)
    }

    /// What is kept of the cubes that have a table and no definition.
    fn absent_cubes(
        &self,
        writers: &Writers,
        checkpoint: &Checkpoint,
        kept: &Kept,
    ) -> Result<BTreeMap<String, StoreState>, ProcessError> {
        let defined: BTreeSet<String> = (writers.by_stream.values())
            .flat_map(|writer| {
                let cubes = writer.cubes.iter();
                cubes.map(|cube| {
                    table_name(cube.cube.definition(), &writer.definition, self.rates())
                })
            })
            .collect();
        let left = checkpoint.cubes.iter();
        let left = left.map(|(name, state)| (name, &state.store));
        let absent: BTreeMap<_, _> = (checkpoint.absent_cubes.iter().chain(left))
            .filter(|(name, _)| !defined.contains(*name))
            .map(|(name, state)| (name.clone(), state.clone()))
            .collect();
        if absent.is_empty() {
            return Ok(absent);
        }
        let there = kept.keeping.history.tables()?;
        let absent = absent.into_iter();
        Ok(absent.filter(|(name, _)| there.contains(name)).collect())
    }

    fn open_cube(
        &self,
        writer: &mut Writer,
        at: usize,
        stream: &StreamDefinition,
        kept: &Kept,
        checkpoint: Option<&Checkpoint>,
    ) -> Result<(), ProcessError> {
        let Some(cube) = writer.cubes.get_mut(at) else {
            return Ok(());
        };
        let name = table_name(cube.cube.definition(), stream, self.rates());
        let history = &kept.keeping.history;
        let events_kept_from_us = writer.log.events_kept_from_us();
        // What it was before its definition was gone, if it was.
        let left = checkpoint.and_then(|found| found.absent_cubes.get(&name));
        let widths = left.map(StoreState::widths).unwrap_or_default();
        // A bucket that begins before it lacks the events that were removed.
        let whole_from_us = events_kept_from_us.map(|us| cube.cube.first_whole_from(us, widths));
        let mut table = open(history, &name, cube.cube.state_schema(), BUCKET, kept)?;
        check_not_ahead(&table, kept)?;
        // Behind the checkpoint it lacks events, and before the first offset it was not filled.
        let behind = |table: &Table| match (table.view().transaction, kept.from) {
            (None, from) => from.is_some(),
            (Some(number), _) if number < FILLING_MAX => true,
            (Some(number), from) => from.is_some_and(|from| Offset::from_number(number) < from),
        };
        let was_filled = table.view().transaction >= Some(FILLING_MAX);
        cube.reflects = reflected(&table);
        if behind(&table) && table.view().transaction.is_some() {
            cube.reflects = None;
            cube.refilled_from_us = whole_from_us.filter(|_| was_filled && left.is_some());
            if cube.refilled_from_us.is_none() {
                drop(table);
                history.remove(&name)?;
                table = open(history, &name, cube.cube.state_schema(), BUCKET, kept)?;
            }
        }
        let state = checkpoint.and_then(|found| found.cubes.get(&name));
        match (state, cube.reflects, whole_from_us) {
            (Some(state), Some(_), _) => cube.restore(state),
            // It is to be filled, or was since the last checkpoint.
            (_, reflects, Some(from_us)) => {
                cube.cube.cover_from(from_us);
                if let Some(left) =
                    left.filter(|_| reflects.is_some() || cube.refilled_from_us.is_some())
                {
                    cube.cube.restore_widths(left);
                }
            }
            _ => {}
        }
        let schema = cube.cube.state_schema();
        let table = StateTable::new(table, Arc::clone(&kept.cache), schema);
        if let Some(from_us) = cube.refilled_from_us {
            keep_before(&table, from_us)?;
        }
        cube.cube.attach(table);
        Ok(())
    }

    /// Fills the tables of cubes that have none from the stream's events in history, and counts those
    /// events anew unless they were `counted` by the same fields.
    fn read_again(
        &self,
        writer: &mut Writer,
        kept_from: Option<Offset>,
        counted: bool,
        report: &mut AttachReport,
        progress: &dyn Fn(&AttachReport),
    ) -> Result<(), ProcessError> {
        let Some(tables) = writer.log.tables() else {
            return Ok(());
        };
        let Some(place) = tables.last() else {
            return Ok(());
        };
        if counted && writer.cubes.iter().all(|cube| cube.reflects.is_some()) {
            return Ok(());
        }
        // What the checkpoint tells is in the table, and of this stream nothing came since.
        let place = kept_from.map_or(place, |from| place.max(from));
        let upto = transaction(place)?;
        let files: Vec<_> = writer.log.stored(&writer.log.view()).collect();
        let all = std::mem::take(&mut writer.cubes);
        let (mut filled, others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|cube| cube.reflects.is_none());
        let watermark_us = writer.log.watermark_us();
        let mut steps = 0;
        let mut part: Vec<RecordBatch> = Vec::new();
        let mut rows = 0;
        let log = Arc::clone(&writer.log);
        let (mut fit, mut unfit, mut reason) = (0_u64, 0_u64, None);
        let mut batches = files.iter().flat_map(|(table, file)| {
            let rows = table.read(file, None, None);
            let (rows, fault) = match rows {
                Ok(rows) => (Some(rows), None),
                Err(fault) => (None, Some(Err(fault))),
            };
            rows.into_iter().flatten().chain(fault)
        });
        loop {
            let batch = batches.next().transpose()?;
            let end = batch.is_none();
            if let Some(batch) = batch {
                let fitting = Fitting::of(&batch, log.declared());
                fit += fitting.rows();
                unfit += fitting.unfit;
                if reason.is_none() {
                    reason = fitting.reason;
                }
                rows += fitting
                    .batches
                    .iter()
                    .map(RecordBatch::num_rows)
                    .sum::<usize>();
                let narrowed = fitting.batches.iter();
                let narrowed = narrowed.map(|batch| writer.needed.narrow(batch));
                part.extend(narrowed.collect::<Result<Vec<_>, _>>()?);
            }
            if rows >= FILL_ROWS || (end && rows > 0) {
                let (batch, _) = writer.derive(&part)?;
                let mut inputs = BatchInputs::new(&writer.inputs, batch, log.time_column());
                for cube in &mut filled {
                    cube.append(self.engine(), &mut inputs, place);
                }
                report.events_read += rows as u64;
                progress(report);
                part.clear();
                rows = 0;
            }
            if end {
                break;
            }
            if filled
                .iter()
                .any(|cube| cube.cube.status().rows > FILL_STATE_ROWS_MAX)
            {
                steps += 1;
                for cube in &mut filled {
                    self.write_filled(cube, watermark_us, steps)?;
                }
            }
        }
        for cube in &mut filled {
            self.write_filled(cube, watermark_us, upto)?;
            cube.reflects = Some(place);
            report.cubes_filled += 1;
        }
        drop(batches);
        writer.cubes = others;
        writer.cubes.extend(filled);
        if !counted {
            log.count_anew(fit, unfit, reason);
            writer.counted_to = Some(place);
        }
        Ok(())
    }

    /// Writes what a cube has in memory, as coarse as its age says.
    fn write_filled(
        &self,
        writer: &mut CubeWriter,
        watermark_us: Option<i64>,
        transaction: u64,
    ) -> Result<(), ProcessError> {
        if let Some(watermark_us) = watermark_us {
            writer.retain_now(self.engine(), watermark_us);
        }
        let cube = &writer.cube;
        let Some(table) = cube.table() else {
            return Ok(());
        };
        let from_us = writer.refilled_from_us.unwrap_or(i64::MIN);
        let states = cube.begin_flush();
        let states = states.iter();
        let states = states.map(|batch| starting_within(batch, from_us, i64::MAX));
        let states = states.collect::<Result<Vec<_>, _>>()?;
        let rows_max = self.options().flush_rows_max;
        let states = cube.reduce_parts(self.engine(), &states, rows_max)?;
        let view = if writer.refilled_from_us.is_some() && transaction < FILLING_MAX {
            // The table's own transaction says already that it is behind.
            table.table().replace(&[], &states)?
        } else {
            table.table().append(transaction, &states)?
        };
        cube.flushed(view.files);
        Ok(())
    }

    /// The frames at which recovery must not join what lies on both sides: up to one of them some
    /// table holds everything.
    pub(crate) fn borders(&self) -> BTreeSet<Offset> {
        let writers = self.writers();
        let streams = writers.by_stream.values();
        streams
            .flat_map(|writer| {
                let cubes = writer.cubes.iter().filter_map(|cube| cube.reflects);
                cubes.chain(writer.reflects)
            })
            .collect()
    }
}

/// A table that is further than the journal was written after the journal came to be what it is: a
/// backup was put in its place. What comes would be taken for what the table has already.
fn check_not_ahead(table: &Table, kept: &Kept) -> Result<(), ProcessError> {
    let end = kept.keeping.journal_end;
    match reflected(table) {
        Some(at) if at >= end && at.to_number() >= Some(FILLING_MAX) => {
            Err(ProcessError::Kept(format!(
                "table '{}' holds events up to {at}, but the journal ends at {end}: an older journal was put in its place; put the newer one back, or move history away as well",
                table.spec().name
            )))
        }
        _ => Ok(()),
    }
}

fn open(
    history: &Arc<History>,
    name: &str,
    schema: datafusion::arrow::datatypes::SchemaRef,
    time: &str,
    kept: &Kept,
) -> Result<Arc<Table>, ProcessError> {
    Ok(history.table(TableSpec {
        name: name.to_owned(),
        schema,
        time: time.to_owned(),
        sort: Vec::new(),
        description: String::new(),
        app: kept.keeping.journal.clone(),
    })?)
}

fn open_stream(writer: &mut Writer, kept: &Kept) -> Result<(), ProcessError> {
    let history = &kept.keeping.history;
    let schema = writer.log.declared();
    let (events, older) = open_events(schema, kept)?;
    let quarantine = open(
        history,
        &quarantine_name(&schema.name),
        quarantine_schema(),
        QUARANTINE_TIME,
        kept,
    )?;
    let tables = StreamTables {
        events,
        older,
        quarantine,
        pins: Arc::clone(&kept.keeping.pins),
        copies: FrameCopies::new(Arc::clone(&kept.keeping.state)),
    };
    for table in tables
        .older
        .iter()
        .chain([&tables.events, &tables.quarantine])
    {
        check_not_ahead(table, kept)?;
    }
    writer.reflects = tables.last();
    writer.log.attach(tables);
    Ok(())
}

/// The table of a stream's events, and those of the time before a type became wider: a table holds
/// one type a column, so from then on events go to another one.
fn open_events(
    schema: &StreamSchema,
    kept: &Kept,
) -> Result<(Arc<Table>, Vec<Arc<Table>>), ProcessError> {
    let history = &kept.keeping.history;
    let there = history.tables()?;
    let mut older = Vec::new();
    let mut n = 0;
    loop {
        let name = events_name(&schema.name, n);
        let is_last = !there.contains(&events_name(&schema.name, n + 1));
        if is_last {
            let columns = nullable(&schema.arrow_schema());
            match open(history, &name, columns, &schema.time, kept) {
                Err(ProcessError::History(HistoryError::TypeConflict { .. })) => {}
                opened => return Ok((opened?, older)),
            }
        }
        older.push(open_older(history, &name, &schema.time, kept)?);
        n += 1;
    }
}

/// A table of which nothing is said but its column of time, so that its columns come as they are.
fn open_older(
    history: &Arc<History>,
    name: &str,
    time: &str,
    kept: &Kept,
) -> Result<Arc<Table>, ProcessError> {
    let only = |kind: DataType| Arc::new(Schema::new(vec![Field::new(time, kind, true)]));
    match open(history, name, only(timestamp_type()), time, kept) {
        // A date that became a timestamp since.
        Err(ProcessError::History(HistoryError::TypeConflict { .. })) => {
            open(history, name, only(DataType::Date32), time, kept)
        }
        opened => opened,
    }
}
