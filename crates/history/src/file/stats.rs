//! What the log says of a file's columns, so that readers leave files out.

use std::fmt::Write;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{max, max_string, min, min_string};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type, Schema,
    TimestampMicrosecondType,
};
use arrow::temporal_conversions::{date32_to_datetime, timestamp_us_to_datetime};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;

/// The statistics of a file as Delta writes them: JSON with the row count, and least and greatest value and count
/// of nulls of the first `columns_max` columns that have such, `first` before the others.
///
/// Floats are left out: a NaN has no place in JSON, and engines differ in where they sort it.
pub(crate) fn to_json(
    metadata: &ParquetMetaData,
    schema: &Schema,
    first: usize,
    columns_max: usize,
) -> Result<String, ParquetError> {
    let mut least = Object::default();
    let mut greatest = Object::default();
    let mut nulls = Object::default();
    let order = std::iter::once(first).chain((0..schema.fields().len()).filter(|at| *at != first));
    let simple = order
        .filter_map(|at| schema.fields().get(at))
        .filter(|field| !field.data_type().is_nested());
    for field in simple.take(columns_max) {
        let name = field.name();
        let groups = metadata.row_groups();
        let converter =
            StatisticsConverter::try_new(name, schema, metadata.file_metadata().schema_descr())?;
        let mins = bound(&converter.row_group_mins(groups)?, Bound::Least);
        let maxes = bound(&converter.row_group_maxes(groups)?, Bound::Greatest);
        if let (Some(min), Some(max)) = (mins, maxes) {
            least.push(name, &min);
            greatest.push(name, &max);
        }
        let counts = converter.row_group_null_counts(groups)?;
        if counts.null_count() == 0 {
            nulls.push(name, &counts.values().iter().sum::<u64>().to_string());
        }
    }
    let rows = metadata.file_metadata().num_rows();
    Ok(format!(
        "{{\"numRecords\":{rows},\"minValues\":{},\"maxValues\":{},\"nullCount\":{}}}",
        least.close(),
        greatest.close(),
        nulls.close()
    ))
}

#[derive(Clone, Copy)]
enum Bound {
    Least,
    Greatest,
}

/// A JSON object in the making. Numbers go in as they are written: a decimal is no float on its way.
#[derive(Default)]
struct Object(String);

impl Object {
    fn push(&mut self, name: &str, value: &str) {
        let comma = if self.0.is_empty() { "" } else { "," };
        // Writing to a string does not fail.
        let _ = write!(self.0, "{comma}{}:{value}", serde_json::Value::from(name));
    }

    fn close(self) -> String {
        format!("{{{}}}", self.0)
    }
}

/// The least or greatest of the row groups' bounds as JSON. None when a row group has no bound: but a row group
/// of nulls only has none either, and it needs none.
fn bound(bounds: &ArrayRef, which: Bound) -> Option<String> {
    macro_rules! of {
        ($type:ty) => {{
            let values = bounds.as_primitive_opt::<$type>()?;
            match which {
                Bound::Least => min(values),
                Bound::Greatest => max(values),
            }
        }};
    }
    let text = |value: &str| serde_json::Value::from(value).to_string();
    Some(match bounds.data_type() {
        DataType::Int8 => of!(Int8Type)?.to_string(),
        DataType::Int16 => of!(Int16Type)?.to_string(),
        DataType::Int32 => of!(Int32Type)?.to_string(),
        DataType::Int64 => of!(Int64Type)?.to_string(),
        DataType::Decimal128(precision, scale) => {
            let value = of!(Decimal128Type)?;
            use arrow::datatypes::DecimalType;
            Decimal128Type::format_decimal(value, *precision, *scale)
        }
        DataType::Date32 => text(
            &date32_to_datetime(of!(Date32Type)?)?
                .format("%Y-%m-%d")
                .to_string(),
        ),
        DataType::Timestamp(..) => {
            let time = timestamp_us_to_datetime(of!(TimestampMicrosecondType)?)?;
            text(&time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
        }
        DataType::Utf8 => {
            let values = bounds.as_string_opt::<i32>()?;
            text(match which {
                Bound::Least => min_string(values)?,
                Bound::Greatest => max_string(values)?,
            })
        }
        _ => return None,
    })
}
