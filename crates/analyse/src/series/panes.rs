//! Windows from panes: what the panes' merged states become, up to the rows of windows.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch};
use datafusion::arrow::compute::{concat_batches, filter_record_batch};
use datafusion::arrow::datatypes::{Field, Int64Type, Schema, SchemaRef};
use datafusion::datasource::MemTable;
use datafusion::execution::SessionState;

use super::division::{Division, Divisions, Stretch};
use super::figures::{Key, keys, named};
use super::pane::OUTSIDE;
use super::plan::{STEP, Told, ZONE, measure_column, part_column, regrouped};
use super::query::{Checked, is_border};
use super::spread::{FANOUT, Level, spread, taken, takes_wider};
use crate::encode::QueryResult;
use crate::engine::Engine;
use crate::error::{AnalyseError, Fault};
use crate::limits::QueryLimits;

/// Zones that do not exist, of which so many are named.
const UNKNOWN_ZONES_MAX: usize = 5;

/// What the rows of panes tell besides figures, where each zone has its own windows.
#[derive(Debug, Default)]
pub(super) struct Asides {
    /// Points of combinations whose windows begin or end within an older, wider bucket.
    pub(super) cut: BTreeSet<(Key, usize)>,
    /// Combinations with events whose zone does not exist: they are in no window.
    pub(super) without_zone: BTreeSet<Key>,
    /// Some of these zones.
    pub(super) unknown_zones: BTreeSet<Option<String>>,
}

/// The rows of windows, finished, from the rows of panes.
pub(super) async fn windows(
    engine: &Engine,
    state: &SessionState,
    query: &Checked<'_>,
    limits: &QueryLimits,
    panes: QueryResult,
    widths_us: &[(i64, i64)],
) -> Result<(QueryResult, Asides), AnalyseError> {
    let rows = flat(query, &panes)?;
    let (rows, asides) = sorted_out(query, &rows, widths_us)?;
    let mut levels = vec![level(query, rows, 1)?];
    // Held until the windows are made of them.
    let mut held = vec![panes];
    while let Some(last) = levels.last_mut() {
        let longest = last.divisions.iter().map(|division| division.longest());
        if !takes_wider(longest.max().unwrap_or(0), last.width) {
            break;
        }
        last.has_wider = true;
        let width = last.width * FANOUT;
        let wider = table(renumbered(last)?)?;
        let has_zones = matches!(query.course.divisions.as_ref(), Divisions::PerZone(_));
        let plan =
            regrouped(query, wider, Told::States, has_zones).map_err(AnalyseError::internal)?;
        let merged = engine.collect(state, &plan, limits).await?;
        levels.push(level(query, flat(query, &merged)?, width)?);
        held.push(merged);
    }
    let rows = taken(&levels);
    if rows > limits.window_panes_max {
        return Err(AnalyseError::TooLarge(
            Fault::new(format!(
                "the windows are made of {rows} parts, of all points and slices; at most {} are merged",
                limits.window_panes_max
            ))
            .suggest(Some(
                "use a wider step, a shorter range or fewer dimensions".to_owned(),
            )),
        ));
    }
    let schema = levels.first().map(|level| level.rows.schema());
    let schema = schema.ok_or(AnalyseError::Internal)?;
    let spread = spread(without_zone(&schema), levels).map_err(AnalyseError::internal)?;
    let plan = regrouped(query, spread, Told::Values, false).map_err(AnalyseError::internal)?;
    let answer = engine.collect(state, &plan, limits).await?;
    drop(held);
    Ok((answer, asides))
}

/// The rows in one batch, the parts of states as columns of their own.
fn flat(query: &Checked<'_>, panes: &QueryResult) -> Result<RecordBatch, AnalyseError> {
    let rows = concat_batches(&panes.schema, &panes.batches).map_err(AnalyseError::internal)?;
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    let measures: Vec<String> = (0..query.measures.len()).map(measure_column).collect();
    for (field, column) in rows.schema().fields().iter().zip(rows.columns()) {
        let measure = measures.iter().position(|name| name == field.name());
        let Some(at) = measure else {
            fields.push(field.as_ref().clone());
            columns.push(Arc::clone(column));
            continue;
        };
        let parts = column.as_struct_opt().ok_or(AnalyseError::Internal)?;
        for (part, array) in parts.columns().iter().enumerate() {
            let name = part_column(at, part);
            fields.push(Field::new(name, array.data_type().clone(), true));
            columns.push(Arc::clone(array));
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(AnalyseError::internal)
}

/// The rows that are in any window, and what there is to tell of the others.
fn sorted_out(
    query: &Checked<'_>,
    rows: &RecordBatch,
    widths_us: &[(i64, i64)],
) -> Result<(RecordBatch, Asides), AnalyseError> {
    let panes = numbers(rows)?;
    let mut asides = Asides::default();
    if matches!(query.course.divisions.as_ref(), Divisions::PerZone(_)) {
        let mut known: HashMap<&str, Vec<usize>> = HashMap::new();
        let keys = keys(query, rows)?;
        let zones = named(rows, ZONE)?;
        let zones = zones.as_string_view_opt().ok_or(AnalyseError::Internal)?;
        for (row, key) in keys.into_iter().enumerate() {
            let zone = zones.is_valid(row).then(|| zones.value(row));
            if panes.is_null(row) {
                if asides.unknown_zones.len() < UNKNOWN_ZONES_MAX {
                    asides.unknown_zones.insert(zone.map(str::to_owned));
                }
                asides.without_zone.insert(key);
                continue;
            }
            let division = zone.and_then(|zone| division(query, zone));
            let Some((division, pane)) = division.zip(usize::try_from(panes.value(row)).ok())
            else {
                continue;
            };
            let points = known
                .entry(zone.unwrap_or_default())
                .or_insert_with(|| cut_points(&division, widths_us));
            let cut = cut(&division, pane, points, widths_us).iter();
            asides.cut.extend(cut.map(|point| (key.clone(), *point)));
        }
    }
    let kept: BooleanArray = panes
        .iter()
        .map(|pane| Some(pane.is_some_and(|pane| pane != OUTSIDE)))
        .collect();
    let rows = filter_record_batch(rows, &kept).map_err(AnalyseError::internal)?;
    Ok((rows, asides))
}

/// The points of a division whose windows begin or end within an older, wider bucket: mostly none.
fn cut_points(division: &Division, widths_us: &[(i64, i64)]) -> Vec<usize> {
    let windows = division.windows().iter().enumerate();
    let is_cut = |window: &Stretch| {
        !is_border(widths_us, window.from_us) || !is_border(widths_us, window.to_us)
    };
    windows
        .filter(|(_, window)| is_cut(window))
        .map(|(point, _)| point)
        .collect()
}

/// Those of the cut points that a pane makes unknown: a bucket of it may reach up to the next border
/// between buckets, and windows that begin or end before that would have only some of its events.
fn cut<'a>(
    division: &Division,
    pane: usize,
    points: &'a [usize],
    widths_us: &[(i64, i64)],
) -> &'a [usize] {
    let reach = division
        .stretch(pane)
        .filter(|_| !points.is_empty())
        .map(|mut stretch| {
            stretch.to_us = division.border_after(stretch.to_us, |us| is_border(widths_us, us));
            division.touched(stretch)
        })
        .unwrap_or_default();
    let first = points.partition_point(|point| *point < reach.start);
    let end = points.partition_point(|point| *point < reach.end);
    points.get(first..end).unwrap_or_default()
}

fn division(query: &Checked<'_>, zone: &str) -> Option<Arc<Division>> {
    match query.course.divisions.as_ref() {
        Divisions::One(division) => Some(Arc::clone(division)),
        Divisions::PerZone(zones) => zones.of(zone),
    }
}

fn numbers(rows: &RecordBatch) -> Result<Int64Array, AnalyseError> {
    let numbers = named(rows, STEP)?;
    Ok(numbers.as_primitive::<Int64Type>().clone())
}

fn level(query: &Checked<'_>, rows: RecordBatch, width: usize) -> Result<Level, AnalyseError> {
    let blocks = numbers(&rows)?;
    let blocks = blocks.values().iter().map(|block| usize::try_from(*block));
    let blocks = blocks
        .collect::<Result<Vec<_>, _>>()
        .map_err(AnalyseError::internal)?;
    let divisions = match query.course.divisions.as_ref() {
        Divisions::One(division) => vec![Arc::clone(division); blocks.len()],
        Divisions::PerZone(zones) => {
            let names = named(&rows, ZONE)?;
            let names = names.as_string_view_opt().ok_or(AnalyseError::Internal)?;
            let divisions = names
                .iter()
                .map(|name| name.and_then(|name| zones.of(name)));
            divisions
                .collect::<Option<Vec<_>>>()
                .ok_or(AnalyseError::Internal)?
        }
    };
    Ok(Level {
        width,
        rows,
        blocks,
        divisions,
        has_wider: false,
    })
}

/// The rows with the numbers of the wider blocks that theirs are part of.
fn renumbered(level: &Level) -> Result<RecordBatch, AnalyseError> {
    let wider = level.blocks.iter().map(|block| {
        let number = i64::try_from(block / FANOUT);
        number.map_err(AnalyseError::internal)
    });
    let wider: Vec<i64> = wider.collect::<Result<_, _>>()?;
    let mut columns = level.rows.columns().to_vec();
    if let Some(first) = columns.first_mut() {
        *first = Arc::new(Int64Array::from(wider));
    }
    RecordBatch::try_new(level.rows.schema(), columns).map_err(AnalyseError::internal)
}

fn table(rows: RecordBatch) -> Result<Arc<MemTable>, AnalyseError> {
    let table = MemTable::try_new(rows.schema(), vec![vec![rows]]);
    table.map(Arc::new).map_err(AnalyseError::internal)
}

fn without_zone(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().filter(|field| field.name() != ZONE);
    Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()))
}

/// The first and last point with a row, of all there are.
pub(super) fn seen(
    rows: &RecordBatch,
    points: usize,
) -> Result<Option<Range<usize>>, AnalyseError> {
    let numbers = numbers(rows)?;
    let within = |at: &i64| usize::try_from(*at).ok().filter(|at| *at < points);
    let mut seen: Option<Range<usize>> = None;
    for at in numbers.values().iter().filter_map(within) {
        let range = seen.get_or_insert(at..at + 1);
        *range = range.start.min(at)..range.end.max(at + 1);
    }
    Ok(seen)
}
