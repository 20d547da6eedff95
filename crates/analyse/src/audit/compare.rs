//! Kept and recounted figures side by side.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, TimestampMicrosecondType};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::arrow::util::display::array_value_to_string;
use serde::Serialize;
use tillwatch_process::{Cube, Figures, ProcessError};

use super::{AuditReport, DESCRIBED_MAX};

/// How much a float may differ, of its size.
const FLOATS_DIFFER_MAX: f64 = 1e-9;
/// Characters of a value that a description shows.
const SHOWN_CHARS_MAX: usize = 80;

/// A figure that is not what the events say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The cube.
    pub cube: String,
    /// Start of the bucket, RFC 3339.
    pub bucket: String,
    /// The dimensions and their values.
    pub key: BTreeMap<String, Option<String>>,
    /// The measure; none when one side has nothing at all for the key.
    pub measure: Option<String>,
    /// What is kept; none for null, or when there is nothing.
    pub kept: Option<String>,
    /// What the events give; likewise.
    pub recounted: Option<String>,
}

/// What is the same and what is not.
pub(crate) fn compare(cube: &Cube, figures: &Figures) -> Result<AuditReport, ProcessError> {
    let sides = Sides::new(cube, figures)?;
    let mut report = AuditReport {
        events: figures.events,
        ..AuditReport::default()
    };
    let (kept, recounted) = (sides.rows(&figures.kept)?, sides.rows(&figures.recounted)?);
    let keys: BTreeSet<&OwnedRow> = kept.keys().chain(recounted.keys()).collect();
    let mut buckets = BTreeSet::new();
    let mut differences = 0;
    for key in keys {
        report.keys += 1;
        let found = (kept.get(key).copied(), recounted.get(key).copied());
        let mut differ = |measure: Option<usize>, values: [Option<String>; 2]| {
            differences += 1;
            if report.described.len() < DESCRIBED_MAX {
                let one = sides.describe(found, measure, values)?;
                report.described.push(one);
            }
            Ok::<_, ProcessError>(())
        };
        buckets.insert(sides.bucket_us(found));
        let (Some(kept), Some(recounted)) = found else {
            let there = |row: Option<usize>| row.map(|_| "there".to_owned());
            differ(None, [there(found.0), there(found.1)])?;
            continue;
        };
        for (at, measure) in sides.measures.iter().enumerate() {
            report.figures += 1;
            if !measure.equal(kept, recounted) {
                let values = [
                    shown(&measure.kept, kept)?,
                    shown(&measure.recounted, recounted)?,
                ];
                differ(Some(at), values)?;
            }
        }
    }
    report.buckets = buckets.len() as u64;
    if figures.failed_rows > 0 {
        // It lacks events that an aggregate refused then, and what that would have made is not known.
        report.unsure = differences;
        report.described.clear();
    } else {
        report.differences = differences;
    }
    Ok(report)
}

struct Sides<'a> {
    cube: &'a Cube,
    figures: &'a Figures,
    converter: RowConverter,
    measures: Vec<Compared>,
}

/// One measure on both sides.
struct Compared {
    name: String,
    kept: ArrayRef,
    recounted: ArrayRef,
    floats: Option<(ArrayRef, ArrayRef)>,
}

impl Compared {
    fn equal(&self, kept: usize, recounted: usize) -> bool {
        let nulls = (self.kept.is_null(kept), self.recounted.is_null(recounted));
        if nulls.0 || nulls.1 {
            return nulls == (true, true);
        }
        match &self.floats {
            Some((a, b)) => near(
                a.as_primitive::<Float64Type>().value(kept),
                b.as_primitive::<Float64Type>().value(recounted),
            ),
            None => {
                self.kept.slice(kept, 1).to_data() == self.recounted.slice(recounted, 1).to_data()
            }
        }
    }
}

/// Equal but for what the order of a sum can do. Sums that come out near nothing have their error from
/// their parts, so no smaller size than one counts.
fn near(a: f64, b: f64) -> bool {
    a == b
        || (a.is_nan() && b.is_nan())
        || (a - b).abs() <= FLOATS_DIFFER_MAX * a.abs().max(b.abs()).max(1.0)
}

impl<'a> Sides<'a> {
    fn new(cube: &'a Cube, figures: &'a Figures) -> Result<Self, ProcessError> {
        let keys = figures.key_columns;
        let schema = figures.kept.schema();
        let fields = schema.fields().iter().take(keys);
        let converter = RowConverter::new(
            fields
                .map(|f| SortField::new(f.data_type().clone()))
                .collect(),
        )?;
        let mut measures = Vec::new();
        for (at, measure) in cube.measures().iter().enumerate() {
            let function = measure.merge.name();
            if function.starts_with("approx_") && !function.starts_with("approx_distinct") {
                continue;
            }
            let column = |side: &RecordBatch| side.columns().get(keys + at).cloned();
            let (Some(kept), Some(recounted)) = (column(&figures.kept), column(&figures.recounted))
            else {
                return Err(broken("a measure is missing").into());
            };
            let floats = match kept.data_type() {
                DataType::Float16 | DataType::Float32 | DataType::Float64 => Some((
                    cast(&kept, &DataType::Float64)?,
                    cast(&recounted, &DataType::Float64)?,
                )),
                _ => None,
            };
            measures.push(Compared {
                name: measure.name.clone(),
                kept,
                recounted,
                floats,
            });
        }
        Ok(Self {
            cube,
            figures,
            converter,
            measures,
        })
    }

    /// The row of every key.
    fn rows(&self, side: &RecordBatch) -> Result<BTreeMap<OwnedRow, usize>, ProcessError> {
        let keys = side.columns().get(..self.figures.key_columns);
        let rows = self.converter.convert_columns(keys.unwrap_or_default())?;
        Ok((rows.iter().enumerate())
            .map(|(at, row)| (row.owned(), at))
            .collect())
    }

    /// A side that has the key, and its row there.
    fn side(&self, found: (Option<usize>, Option<usize>)) -> (&RecordBatch, usize) {
        match found {
            (Some(row), _) => (&self.figures.kept, row),
            (None, row) => (&self.figures.recounted, row.unwrap_or_default()),
        }
    }

    fn bucket_us(&self, found: (Option<usize>, Option<usize>)) -> Option<i64> {
        let (side, row) = self.side(found);
        let starts = side
            .columns()
            .first()?
            .as_primitive_opt::<TimestampMicrosecondType>()?;
        starts.values().get(row).copied()
    }

    fn describe(
        &self,
        found: (Option<usize>, Option<usize>),
        measure: Option<usize>,
        [kept, recounted]: [Option<String>; 2],
    ) -> Result<Difference, ProcessError> {
        let (side, row) = self.side(found);
        let dimensions = self.cube.definition().dimensions.iter();
        let mut key = BTreeMap::new();
        let columns = side.columns().iter().take(self.figures.key_columns);
        for ((name, _), column) in dimensions.zip(columns.skip(1)) {
            key.insert(name.clone(), shown(column, row)?);
        }
        let bucket = self
            .bucket_us(found)
            .and_then(tillwatch_event::time::rfc3339);
        Ok(Difference {
            cube: self.cube.definition().name.clone(),
            bucket: bucket.unwrap_or_default(),
            key,
            measure: measure.and_then(|at| Some(self.measures.get(at)?.name.clone())),
            kept,
            recounted,
        })
    }
}

fn broken(what: &str) -> ArrowError {
    ArrowError::ComputeError(what.to_owned())
}

/// A value as a description shows it; none for null.
fn shown(column: &ArrayRef, row: usize) -> Result<Option<String>, ProcessError> {
    if column.is_null(row) {
        return Ok(None);
    }
    let text = array_value_to_string(column, row)?;
    Ok(Some(if text.chars().count() > SHOWN_CHARS_MAX {
        let start: String = text.chars().take(SHOWN_CHARS_MAX).collect();
        format!("{start}…")
    } else {
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn floats_may_differ_as_much_as_the_order_of_a_sum_makes_them() {
        for (a, b) in [
            (0.1 + 0.2, 0.3),
            (f64::NAN, f64::NAN),
            (f64::INFINITY, f64::INFINITY),
            (1e12, 1e12 + 10.0),
            (0.0, 1e-12),
        ] {
            assert!(near(a, b), "{a} {b}");
        }
        for (a, b) in [(1.0, 1.0 + 1e-8), (f64::NAN, 1.0), (1e12, 1e12 + 10_000.0)] {
            assert!(!near(a, b), "{a} {b}");
        }
    }
}
