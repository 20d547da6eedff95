//! Merging chunks of states, so that their number stays small and a range is found in few of them.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{sort_to_indices, take};
use datafusion::arrow::datatypes::TimestampMicrosecondType;

use super::plan::CubePlan;
use super::states::{parted, starts};
use super::store::{Chunk, Chunks, FAN_IN};
use crate::engine::Engine;
use crate::error::ProcessError;

/// Fewer recent rows than this are not worth settling: readers merge what they read anyway, and mostly a flush
/// comes first.
const SETTLE_ROWS_MIN: usize = 262_144;
/// No more rows are merged before they settle. Merging is for the many small chunks that come with frequent
/// questions; one of large ones saves little and costs as much as making them.
const MERGE_ROWS_MAX: usize = 65_536;
/// No more settled rows than this, or than are recent, are merged at a time with late ones.
const MERGE_SETTLED_ROWS_MAX: usize = 131_072;
/// A settled chunk has about this many rows: the grain of time pruning.
const SETTLED_ROWS: usize = 8_192;

/// Merges the newest chunks while eight of them are of one size or smaller.
pub(super) fn merge_recent(
    engine: &Engine,
    plan: &CubePlan,
    chunks: &mut Chunks,
) -> Result<(), ProcessError> {
    loop {
        let Some(newest) = chunks.recent.last() else {
            return Ok(());
        };
        let tier = newest.tier();
        let mut rows = 0;
        let run = chunks
            .recent
            .iter()
            .rev()
            .take_while(|c| {
                rows += c.rows();
                c.tier() <= tier && rows <= MERGE_ROWS_MAX
            })
            .count();
        if run < FAN_IN {
            return Ok(());
        }
        let at = chunks.recent.len() - run;
        let Some(due) = chunks.recent.get(at..) else {
            return Ok(());
        };
        let merged = plan.reduce(engine, &states_of(due))?;
        chunks.recent.truncate(at);
        chunks.recent.extend(Chunk::new(merged));
    }
}

/// Settles what is recent where it is worth it: what is behind everything settled, which is merged with nothing and so
/// merged once on its way, and late states once they are a quarter of the settled chunk of their time. The others stay
/// until there are more of them, and so do the two newest buckets, to which more is likely to come, unless they are
/// most of what there is.
///
/// Settled chunks are merged one by one, and only so many at a time, so that neither memory nor whoever waits for the
/// states pays for a merge of everything.
pub(super) fn settle(
    engine: &Engine,
    plan: &CubePlan,
    chunks: &mut Chunks,
) -> Result<(), ProcessError> {
    let rows: usize = chunks.recent.iter().map(|c| c.rows()).sum();
    if rows < SETTLE_ROWS_MIN.max(chunks.settle_from_rows) {
        return Ok(());
    }
    // Whatever becomes of this, looking again is worth it only when there is more.
    chunks.settle_from_rows = rows + rows / 8;
    let Some((open_from, places)) = places(plan, chunks, rows) else {
        return Ok(());
    };
    let (due, left) = part(engine, plan, chunks, |start| {
        start < open_from && places.chosen(start)
    })?;
    let order = by_bucket(&due)?;
    let ordered = ordered_starts(&due, &order)?;
    let mut settled = Vec::with_capacity(chunks.settled.len() + 1);
    let mut at = 0;
    for chunk in &chunks.settled {
        let end = ordered.partition_point(|start| *start <= chunk.max_us);
        if end > at {
            let late = piece(&due, &order, at..end)?;
            let merged = plan.reduce(engine, &[chunk.states.clone(), late])?;
            settled.extend(cut(&merged)?);
        } else {
            settled.push(Arc::clone(chunk));
        }
        at = end.max(at);
    }
    settled.extend(cut_ordered(&due, &order, &ordered, at)?);
    chunks.settled = settled;
    let left_rows: usize = left.iter().map(|c| c.rows()).sum();
    chunks.settle_from_rows = left_rows + left_rows / 8;
    chunks.recent = left;
    Ok(())
}

/// The start of the first bucket that stays, and where what is before settles. None where too little would.
fn places(plan: &CubePlan, chunks: &Chunks, rows: usize) -> Option<(i64, Places)> {
    let newest = chunks.recent.iter().map(|c| c.max_us).max()?;
    for open_from in [newest.saturating_sub(plan.bucket_us()), i64::MAX] {
        let mut places = Places::of(&chunks.settled);
        let recent = chunks.recent.iter().filter_map(|c| starts(&c.states));
        let (mut open, mut last) = (0, None);
        for start in recent.flatten().copied() {
            if start >= open_from {
                open += 1;
                continue;
            }
            // Mostly the one before was of the same bucket, or near it.
            let at = match last {
                Some((before, at)) if before == start => at,
                _ => places.at(start),
            };
            last = Some((start, at));
            places.count(at);
        }
        if open >= rows / 2 {
            continue;
        }
        return (places.choose(&chunks.settled, rows) >= rows / 2).then_some((open_from, places));
    }
    None
}

/// What is recent and settles as one batch, each key once, and what stays, in few chunks.
fn part(
    engine: &Engine,
    plan: &CubePlan,
    chunks: &Chunks,
    settles: impl Fn(i64) -> bool,
) -> Result<(RecordBatch, Vec<Arc<Chunk>>), ProcessError> {
    let (mut due, mut left) = (Vec::new(), Vec::new());
    for chunk in &chunks.recent {
        let (settling, staying) = parted(&chunk.states, &settles)?;
        due.extend(settling);
        left.extend(staying);
    }
    let due = plan.reduce(engine, &due)?;
    let mut staying = Vec::new();
    let mut group: Vec<RecordBatch> = Vec::new();
    let mut close = |group: &mut Vec<RecordBatch>| -> Result<(), ProcessError> {
        let states = match group.as_slice() {
            [] => return Ok(()),
            // A part of a chunk holds on to the texts of all of it.
            [one] => owned(one),
            several => plan.reduce(engine, several)?,
        };
        staying.extend(Chunk::new(states));
        group.clear();
        Ok(())
    };
    for states in left {
        let rows: usize = group.iter().map(RecordBatch::num_rows).sum();
        if rows + states.num_rows() > MERGE_ROWS_MAX {
            close(&mut group)?;
        }
        group.push(states);
    }
    close(&mut group)?;
    Ok((due, staying))
}

/// Where recent rows would settle: with which settled chunk, each of which has the time from the end of the one
/// before to its own end, or behind them all.
struct Places {
    ends: Vec<i64>,
    counts: Vec<usize>,
    chosen: Vec<bool>,
}

impl Places {
    fn of(settled: &[Arc<Chunk>]) -> Self {
        Self {
            ends: settled.iter().map(|c| c.max_us).collect(),
            counts: vec![0; settled.len() + 1],
            chosen: vec![false; settled.len() + 1],
        }
    }

    fn at(&self, start: i64) -> usize {
        self.ends.partition_point(|end| *end < start)
    }

    fn count(&mut self, at: usize) {
        if let Some(count) = self.counts.get_mut(at) {
            *count += 1;
        }
    }

    /// Chooses where `rows` settle, first where most come to the fewest, and says how many might without the limit on
    /// what is merged at a time.
    fn choose(&mut self, settled: &[Arc<Chunk>], rows: usize) -> usize {
        let there = settled.iter().map(|c| c.rows()).chain([0]);
        let places = there.zip(&self.counts).zip(&mut self.chosen);
        let mut worth: Vec<_> = places
            .map(|((there, count), chosen)| (there, *count, chosen))
            .filter(|(there, count, _)| *count > 0 && *count >= there / 4)
            .collect();
        worth.sort_by_key(|(there, count, _)| (there * 16).checked_div(*count));
        let (mut due, mut merged) = (0, 0);
        for (there, count, chosen) in worth {
            due += count;
            if merged <= rows.max(MERGE_SETTLED_ROWS_MAX) {
                *chosen = true;
                merged += there;
            }
        }
        due
    }

    fn chosen(&self, start: i64) -> bool {
        self.chosen.get(self.at(start)).copied().unwrap_or(false)
    }
}

pub(super) fn states_of(chunks: &[Arc<Chunk>]) -> Vec<RecordBatch> {
    chunks.iter().map(|c| c.states.clone()).collect()
}

/// The order of states by bucket.
fn by_bucket(states: &RecordBatch) -> Result<UInt32Array, ProcessError> {
    match states.columns().first() {
        Some(buckets) => Ok(sort_to_indices(buckets, None, None)?),
        None => Ok(UInt32Array::from(Vec::<u32>::new())),
    }
}

/// The starts of states' buckets in that order.
fn ordered_starts(states: &RecordBatch, order: &UInt32Array) -> Result<Vec<i64>, ProcessError> {
    let Some(buckets) = states.columns().first() else {
        return Ok(Vec::new());
    };
    let ordered = take(buckets, order, None)?;
    let ordered = ordered.as_primitive_opt::<TimestampMicrosecondType>();
    Ok(ordered.map_or_else(Vec::new, |ordered| ordered.values().to_vec()))
}

/// Some states of an order, in memory of their own.
fn piece(
    states: &RecordBatch,
    order: &UInt32Array,
    range: Range<usize>,
) -> Result<RecordBatch, ProcessError> {
    let order = order.slice(range.start, range.len());
    let columns = states
        .columns()
        .iter()
        .map(|column| take(column, &order, None))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(owned(&RecordBatch::try_new(states.schema(), columns)?))
}

/// Cuts states at bucket borders into chunks that are in order of time and own their memory.
fn cut(states: &RecordBatch) -> Result<Vec<Arc<Chunk>>, ProcessError> {
    let order = by_bucket(states)?;
    cut_ordered(states, &order, &ordered_starts(states, &order)?, 0)
}

/// The same of states whose order and starts in it are known, from a place in it on.
fn cut_ordered(
    states: &RecordBatch,
    order: &UInt32Array,
    ordered: &[i64],
    from: usize,
) -> Result<Vec<Arc<Chunk>>, ProcessError> {
    let mut out = Vec::new();
    let mut at = from;
    while at < ordered.len() {
        let wanted = (at + SETTLED_ROWS).min(ordered.len());
        let border = ordered.get(wanted - 1).copied().unwrap_or(i64::MAX);
        let end = ordered.partition_point(|start| *start <= border);
        out.extend(Chunk::new(piece(states, order, at..end)?));
        at = end;
    }
    Ok(out)
}

/// States that were picked from larger ones, without the texts of the rest: all else is copied by picking.
fn owned(states: &RecordBatch) -> RecordBatch {
    let columns = states.columns().iter().map(|column| {
        (column.as_string_view_opt()).map_or_else(
            || Arc::clone(column),
            |texts| Arc::new(texts.gc()) as ArrayRef,
        )
    });
    RecordBatch::try_new(states.schema(), columns.collect()).unwrap_or_else(|_| states.clone())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use datafusion::arrow::array::{Int64Array, StringArray, TimestampMicrosecondArray};
    use datafusion::arrow::compute::cast;
    use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema, TimeUnit};

    use super::super::inputs::Inputs;
    use super::super::money::Money;
    use super::super::states::memory_bytes;
    use super::*;
    use crate::definition::{CubeDefinition, ProcessOptions};
    use crate::functions::Rates;

    const SECOND: i64 = 1_000_000;

    struct Bench {
        engine: Engine,
        plan: CubePlan,
        chunks: Chunks,
        /// The events of every (bucket, key).
        truth: BTreeMap<(i64, String), i64>,
        random: u64,
    }

    impl Bench {
        fn new() -> Self {
            let bounds = ProcessOptions::default().function_bounds();
            let engine = Engine::new(&Arc::new(Rates::none()), bounds).unwrap();
            let definition = CubeDefinition {
                name: "by_shop".to_owned(),
                from: "sales".to_owned(),
                bucket: Duration::from_secs(1),
                dimensions: vec![("shop".to_owned(), "shop".to_owned())],
                measures: vec![("events".to_owned(), "count(*)".to_owned())],
                keep: Vec::new(),
            };
            let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
            let stream = Arc::new(Schema::new(vec![
                Field::new("at", time, true),
                Field::new("shop", DataType::Utf8View, true),
            ]));
            let (mut inputs, money) = (Inputs::default(), Money::default());
            let plan = CubePlan::new(&engine, &definition, &stream, &mut inputs, &money);
            Self {
                engine,
                plan: plan.unwrap(),
                chunks: Chunks::default(),
                truth: BTreeMap::new(),
                random: 7,
            }
        }

        fn next(&mut self, below: i64) -> i64 {
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005);
            self.random = self.random.wrapping_add(1_442_695_040_888_963_407);
            ((self.random >> 16) % below.unsigned_abs()) as i64
        }

        /// Adds a chunk with one event of every (second, key), each of which stands there once, and settles.
        fn append(&mut self, events: impl IntoIterator<Item = (i64, String)>) {
            let events: BTreeMap<(i64, String), i64> =
                events.into_iter().map(|event| (event, 1)).collect();
            let starts = events.keys().map(|(second, _)| second * SECOND);
            let starts = TimestampMicrosecondArray::from_iter_values(starts).with_timezone("UTC");
            let shops = StringArray::from_iter_values(events.keys().map(|(_, shop)| shop));
            let counts = Int64Array::from_iter_values(events.values().copied());
            let schema = Arc::clone(self.plan.state_schema());
            let columns = vec![
                Arc::new(starts) as ArrayRef,
                cast(&shops, schema.field(1).data_type()).unwrap(),
                Arc::new(counts),
            ];
            let states = RecordBatch::try_new(schema, columns).unwrap();
            self.chunks.recent.extend(Chunk::new(states));
            for (key, count) in events {
                *self.truth.entry(key).or_default() += count;
            }
            settle(&self.engine, &self.plan, &mut self.chunks).unwrap();
            self.check_order();
        }

        fn check_order(&self) {
            for pair in self.chunks.settled.windows(2) {
                assert!(pair[0].max_us < pair[1].min_us, "without overlap");
            }
            for chunk in &self.chunks.settled {
                assert!(starts(&chunk.states).unwrap().is_sorted());
            }
        }

        fn rows(chunks: &[Arc<Chunk>]) -> usize {
            chunks.iter().map(|chunk| chunk.rows()).sum()
        }

        fn check_figures(&self) {
            let mut found = BTreeMap::<(i64, String), i64>::new();
            for chunk in self.chunks.settled.iter().chain(&self.chunks.recent) {
                let shops = cast(chunk.states.column(1), &DataType::Utf8).unwrap();
                let shops = shops.as_string::<i32>();
                let counts = chunk.states.column(2).as_primitive::<Int64Type>();
                for (row, start) in starts(&chunk.states).unwrap().iter().enumerate() {
                    let key = (start / SECOND, shops.value(row).to_owned());
                    *found.entry(key).or_default() += counts.value(row);
                }
            }
            assert!(
                found == self.truth,
                "{} of {}",
                found.len(),
                self.truth.len()
            );
        }
    }

    fn shop(number: i64) -> String {
        format!("a shop with a name that is too long to lie in a view, {number}")
    }

    #[test]
    fn late_states_settle_where_they_are_many_and_nothing_else_is_touched() {
        let mut bench = Bench::new();
        for step in 0..80 {
            bench.append((0..10_000).map(|n| (step * 10 + n % 10, shop(n))));
        }
        let before = bench.chunks.settled.clone();
        assert!(Bench::rows(&before) > 500_000, "in order they settle");
        // Many come late to the seconds around 100, and a few to all the others.
        for _ in 0..40 {
            let late: Vec<_> = (0..9_000)
                .map(|_| (95 + bench.next(10), shop(20_000 + bench.next(20_000))))
                .chain((0..200).map(|n| (n * 4, shop(50_000 + n))))
                .collect();
            bench.append(late);
        }
        let after = &bench.chunks.settled;
        let is_kept = |chunk: &&Arc<Chunk>| after.iter().any(|other| Arc::ptr_eq(chunk, other));
        let touched = before.iter().filter(|chunk| !is_kept(chunk));
        for chunk in touched.clone() {
            let seconds = (chunk.min_us / SECOND, chunk.max_us / SECOND);
            assert!(seconds.0 <= 105 && seconds.1 >= 95, "{seconds:?}");
        }
        assert!(touched.count() >= 1, "the late ones settle");
        bench.check_figures();
    }

    #[test]
    fn one_bucket_that_stays_the_newest_does_not_grow_without_bound() {
        let mut bench = Bench::new();
        for _ in 0..120 {
            bench.append((0..10_000).map(|n| (0, shop(n))));
            let rows = Bench::rows(&bench.chunks.recent) + Bench::rows(&bench.chunks.settled);
            assert!(rows < 2 * SETTLE_ROWS_MIN, "{rows} rows of 10 000 keys");
        }
        bench.check_figures();
    }

    #[test]
    fn buckets_far_in_the_future_stop_nothing() {
        let mut bench = Bench::new();
        for step in 0..120 {
            let future = [(1_000_000_000, shop(step)), (2_000_000_000, shop(step))];
            let now = (0..10_000).map(|n| (step * 10 + n % 10, shop(n)));
            bench.append(future.into_iter().chain(now));
            assert!(Bench::rows(&bench.chunks.recent) < 2 * SETTLE_ROWS_MIN);
        }
        assert!(Bench::rows(&bench.chunks.settled) > 800_000);
        bench.check_figures();
    }

    #[test]
    fn states_of_all_ages_settle_though_none_are_in_order() {
        let mut bench = Bench::new();
        let mut most = 0;
        for step in 0..120 {
            let random: Vec<_> = (0..10_000)
                .map(|n| (bench.next(5_000), shop(step * 10_000 + n)))
                .collect();
            bench.append(random);
            let settled = Bench::rows(&bench.chunks.settled);
            most = most.max(Bench::rows(&bench.chunks.recent));
            assert!(Bench::rows(&bench.chunks.recent) < 2 * SETTLE_ROWS_MIN + settled);
        }
        assert!(Bench::rows(&bench.chunks.settled) > 500_000, "{most}");
        bench.check_figures();
    }

    #[test]
    fn a_settled_chunk_holds_on_to_no_others_memory() {
        let mut bench = Bench::new();
        for step in 0..30 {
            bench.append((0..10_000).map(|n| (step * 10 + n % 10, shop(n))));
        }
        let settled = &bench.chunks.settled;
        assert!(settled.len() > 10);
        let all = memory_bytes(settled.iter().map(|chunk| &chunk.states));
        let one = memory_bytes(settled.first().map(|chunk| &chunk.states).into_iter());
        let share = all / settled.len() as u64;
        assert!(
            one < 2 * share,
            "{one} bytes of {all} in {} chunks",
            settled.len()
        );
    }
}
