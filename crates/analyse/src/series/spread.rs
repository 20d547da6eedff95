//! From panes to windows: each pane's states go to the windows that hold it.
//!
//! A pane that many windows hold would be merged as many times. So panes are merged by fours, those
//! by fours again, and a window takes the largest such blocks that fit into it: of a thousand panes
//! some twenty blocks. What is merged here are rows of an ordinary aggregation; this only makes them.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;

use super::division::Division;
use crate::limits::BATCH_ROWS;

/// Blocks that are merged to one of the next level.
pub(super) const FANOUT: usize = 4;

/// Windows of fewer panes take these one by one.
const BLOCKS_FROM: usize = 3 * FANOUT;

/// Whether windows of so many panes are better made of blocks of `FANOUT × width` panes as well.
pub(super) fn takes_wider(longest: usize, width: usize) -> bool {
    longest >= BLOCKS_FROM && longest >= 2 * FANOUT * width
}

/// Merged states of blocks of `width` panes each.
#[derive(Debug)]
pub(super) struct Level {
    /// Panes in a block.
    pub(super) width: usize,
    /// The blocks' numbers, dimensions and states; the number is the first column.
    pub(super) rows: RecordBatch,
    /// The number of every row's block.
    pub(super) blocks: Vec<usize>,
    /// The division that every row's number is of.
    pub(super) divisions: Vec<Arc<Division>>,
    /// Whether these blocks were merged to wider ones.
    pub(super) has_wider: bool,
}

impl Level {
    /// The points whose windows take the block of a row: those that hold it, but not the whole wider
    /// one that it is part of.
    fn takers(&self, row: usize) -> impl Iterator<Item = usize> + use<> {
        let none = || (0..0, 0..0);
        let of = |block: usize, division: &Division| {
            let all = division.holders(&panes(block, self.width));
            if !self.has_wider {
                return (all, 0..0);
            }
            let wide = division.holders(&panes(block / FANOUT, self.width * FANOUT));
            if wide.is_empty() {
                return (all, 0..0);
            }
            (all.start..wide.start, wide.end..all.end)
        };
        let at = self.blocks.get(row).zip(self.divisions.get(row));
        let (before, after) = at.map_or_else(none, |(block, division)| of(*block, division));
        before.chain(after)
    }

    /// How many rows the windows take of it.
    fn taken(&self) -> usize {
        let count = |row| self.takers(row).size_hint().0;
        (0..self.rows.num_rows()).map(count).sum()
    }
}

fn panes(block: usize, width: usize) -> Range<usize> {
    block * width..(block + 1) * width
}

/// The rows that windows take of all levels.
pub(super) fn taken(levels: &[Level]) -> usize {
    levels.iter().map(Level::taken).sum()
}

/// The levels as a table with one row per window and block, the window's point in the first column.
pub(super) fn spread(schema: SchemaRef, levels: Vec<Level>) -> Result<Arc<dyn TableProvider>> {
    let spread = Spread {
        schema: Arc::clone(&schema),
        levels: Arc::new(levels),
    };
    let table = StreamingTable::try_new(schema, vec![Arc::new(spread)])?;
    Ok(Arc::new(table))
}

#[derive(Debug)]
struct Spread {
    schema: SchemaRef,
    levels: Arc<Vec<Level>>,
}

impl PartitionStream for Spread {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (schema, levels) = (Arc::clone(&self.schema), Arc::clone(&self.levels));
        let pieces = (0..levels.len()).flat_map(move |at| {
            let (schema, levels) = (Arc::clone(&schema), Arc::clone(&levels));
            let rows = levels.get(at).map_or(0, |level| level.rows.num_rows());
            let pairs = (0..rows).flat_map({
                let levels = Arc::clone(&levels);
                move |row| {
                    let takers = levels.get(at).map(|level| level.takers(row));
                    takers.into_iter().flatten().map(move |point| (row, point))
                }
            });
            Pieces { pairs }.map(move |pairs| match levels.get(at) {
                Some(level) => piece(&schema, level, &pairs),
                None => Err(DataFusionError::Internal("no such level".to_owned())),
            })
        });
        let stream = futures::stream::iter(pieces);
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            stream,
        ))
    }
}

/// Pairs, as many at once as a query works on.
struct Pieces<I> {
    pairs: I,
}

impl<I: Iterator> Iterator for Pieces<I> {
    type Item = Vec<I::Item>;

    fn next(&mut self) -> Option<Vec<I::Item>> {
        let piece: Vec<I::Item> = self.pairs.by_ref().take(BATCH_ROWS).collect();
        (!piece.is_empty()).then_some(piece)
    }
}

fn piece(schema: &SchemaRef, level: &Level, pairs: &[(usize, usize)]) -> Result<RecordBatch> {
    let number = |at: usize| i64::try_from(at).unwrap_or(i64::MAX);
    let row = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let points: Int64Array = pairs
        .iter()
        .map(|(_, point)| Some(number(*point)))
        .collect();
    let rows: UInt32Array = pairs.iter().map(|(at, _)| Some(row(*at))).collect();
    let mut columns: Vec<ArrayRef> = vec![Arc::new(points)];
    for field in schema.fields().iter().skip(1) {
        let column = level.rows.column_by_name(field.name());
        let column = column
            .ok_or_else(|| DataFusionError::Internal(format!("no column '{}'", field.name())))?;
        columns.push(take(column.as_ref(), &rows, None)?);
    }
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use datafusion::arrow::array::AsArray;
    use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema};
    use proptest::prelude::*;

    use super::super::division::Stretch;
    use super::*;

    /// Every level of blocks over panes numbered from zero, none of them left out.
    fn levels(division: &Arc<Division>, panes: usize) -> Vec<Level> {
        let mut levels = Vec::new();
        let (mut width, mut count) = (1, panes);
        loop {
            let has_wider = takes_wider(division.longest(), width);
            let number = |at: usize| i64::try_from(at).unwrap();
            let numbers: Int64Array = (0..count).map(|at| Some(number(at))).collect();
            let schema = Schema::new(vec![
                Field::new("step#", DataType::Int64, false),
                Field::new("block", DataType::Int64, false),
            ]);
            let column: ArrayRef = Arc::new(numbers);
            let columns = vec![Arc::clone(&column), column];
            levels.push(Level {
                width,
                rows: RecordBatch::try_new(Arc::new(schema), columns).unwrap(),
                blocks: (0..count).collect(),
                divisions: vec![Arc::clone(division); count],
                has_wider,
            });
            if !has_wider {
                return levels;
            }
            width *= FANOUT;
            count = count.div_ceil(FANOUT);
        }
    }

    proptest! {
        #[test]
        fn every_window_takes_each_of_its_panes_once_and_nothing_else(
            starts in prop::collection::vec(0_i64..40, 1..300),
            lengths in prop::collection::vec(0_i64..60, 300),
        ) {
            // Both ends ascend, and some windows are empty.
            let (mut from_us, mut to_us) = (0, 0);
            let windows: Vec<Stretch> = starts.iter().zip(&lengths).map(|(start, length)| {
                from_us += start;
                to_us = (from_us + length).max(to_us);
                Stretch { from_us, to_us }
            }).collect();
            let division = Arc::new(Division::new(windows.clone()));
            let count = (0..).take_while(|pane| division.stretch(*pane).is_some()).count();
            let levels = levels(&division, count);
            let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            let mut pairs = 0;
            for level in &levels {
                for row in 0..level.blocks.len() {
                    for point in level.takers(row) {
                        pairs += 1;
                        found.entry(point).or_default().extend(panes(level.blocks[row], level.width));
                    }
                }
            }
            prop_assert_eq!(pairs, taken(&levels));
            for (point, window) in windows.iter().enumerate() {
                let mut panes = found.remove(&point).unwrap_or_default();
                panes.sort_unstable();
                let expected: Vec<usize> = (0..count).filter(|pane| {
                    let pane = division.stretch(*pane).unwrap();
                    window.from_us <= pane.from_us && pane.to_us <= window.to_us
                }).collect();
                prop_assert_eq!(&panes, &expected, "{:?}", window);
            }
        }
    }

    #[test]
    fn a_window_of_a_thousand_panes_takes_few_blocks() {
        let windows = (0..1_000_i64).map(|at| Stretch {
            from_us: at,
            to_us: at + 1_000,
        });
        let division = Arc::new(Division::new(windows.collect()));
        let levels = levels(&division, 1_999);
        let taken = taken(&levels);
        assert!(taken < 1_000 * 30, "{taken}");
    }

    #[tokio::test]
    async fn rows_come_in_pieces_with_the_states_of_their_block() {
        use futures::StreamExt;
        let windows = (0..3_000_i64).map(|at| Stretch {
            from_us: at,
            to_us: at + 5,
        });
        let division = Arc::new(Division::new(windows.collect()));
        let levels = levels(&division, 3_004);
        let expected = taken(&levels);
        let schema = levels[0].rows.schema();
        let spread = Spread {
            schema,
            levels: Arc::new(levels),
        };
        let mut stream = spread.execute(Arc::new(TaskContext::default()));
        let mut rows = 0;
        while let Some(batch) = stream.next().await {
            let batch = batch.unwrap();
            assert!(batch.num_rows() <= BATCH_ROWS);
            rows += batch.num_rows();
            let points = batch.column(0).as_primitive::<Int64Type>();
            let blocks = batch.column(1).as_primitive::<Int64Type>();
            for (point, block) in points.values().iter().zip(blocks.values()) {
                assert!((*point..point + 5).contains(block));
            }
        }
        assert_eq!(rows, expected);
        assert_eq!(rows, 15_000);
    }
}
