//! Answers of SQL as JSON, CSV and Arrow.

mod cell;

use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;

use crate::ports::SqlResult;

/// The content type of JSON.
pub(crate) const JSON: &str = "application/json";
/// The content type of CSV, as clients name it.
pub(crate) const CSV: &str = "text/csv";
/// The content type of CSV, as we answer it.
pub(crate) const CSV_UTF8: &str = "text/csv; charset=utf-8; header=present";
/// The content type of an Arrow stream.
pub(crate) const ARROW: &str = "application/vnd.apache.arrow.stream";

/// Why an answer could not be written out; always a fault of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RenderError {
    #[error("columns: {0}")]
    Columns(#[from] ArrowError),
    #[error("csv: {0}")]
    Csv(#[from] csv::Error),
    #[error("json: {0}")]
    Json(#[from] serde_json::Error),
}

/// `{"columns":[{"name","type"}],"rows":[[…]]}`.
pub(crate) fn json(result: &SqlResult) -> Result<String, RenderError> {
    let mut out = String::from("{\"columns\":[");
    for (i, field) in result.schema.fields().iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str("{\"name\":");
        cell::text(&mut out, field.name());
        out.push_str(",\"type\":");
        cell::text(&mut out, &type_name(field.data_type()));
        out.push('}');
    }
    out.push_str("],\"rows\":[");
    let mut first = true;
    for batch in &result.batches {
        for row in 0..batch.num_rows() {
            out.push_str(if first { "[" } else { ",[" });
            first = false;
            for (i, column) in batch.columns().iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                cell::json(&mut out, column, row)?;
            }
            out.push(']');
        }
    }
    out.push_str("]}");
    Ok(out)
}

/// A head line and one line per row; null is an empty cell.
pub(crate) fn csv(result: &SqlResult) -> Result<Vec<u8>, RenderError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(result.schema.fields().iter().map(|field| field.name().as_str()))?;
    let mut text = String::new();
    for batch in &result.batches {
        for row in 0..batch.num_rows() {
            for column in batch.columns() {
                text.clear();
                cell::plain(&mut text, column, row)?;
                writer.write_field(&text)?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
    }
    writer.into_inner().map_err(|cause| RenderError::Csv(cause.into_error().into()))
}

/// Arrow's IPC stream format.
pub(crate) fn arrow_stream(result: &SqlResult) -> Result<Vec<u8>, RenderError> {
    let mut writer = StreamWriter::try_new(Vec::new(), &result.schema)?;
    for batch in &result.batches {
        writer.write(batch)?;
    }
    writer.finish()?;
    Ok(writer.into_inner()?)
}

/// The name of a type in the words of definitions, where they have one.
fn type_name(kind: &DataType) -> String {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".into(),
        DataType::Boolean => "bool".into(),
        DataType::Float64 => "float64".into(),
        DataType::Int64 => "int64".into(),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            format!("decimal({precision},{scale})")
        }
        DataType::Timestamp(..) => "timestamp".into(),
        DataType::Date32 | DataType::Date64 => "date".into(),
        DataType::Dictionary(_, values) => type_name(values),
        DataType::List(item) | DataType::LargeList(item) | DataType::ListView(item) => {
            format!("list({})", type_name(item.data_type()))
        }
        DataType::Struct(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|f| format!("{} {}", f.name(), type_name(f.data_type()))).collect();
            format!("struct({})", fields.join(", "))
        }
        other => other.to_string().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array,
        Int64Array, ListArray, NullArray, RecordBatch, StringViewArray, StructArray,
        TimestampMicrosecondArray, TimestampSecondArray, UInt64Array,
    };
    use arrow::datatypes::{Int8Type, Int32Type};

    use super::*;

    fn result(columns: Vec<(&str, ArrayRef)>) -> SqlResult {
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, array)| (name, array, true)),
        )
        .unwrap();
        SqlResult { schema: batch.schema(), batches: vec![batch] }
    }

    fn sample() -> SqlResult {
        let money = Decimal128Array::from(vec![Some(1_840_010), None])
            .with_precision_and_scale(18, 2)
            .unwrap();
        result(vec![
            ("psp", Arc::new(StringViewArray::from(vec![Some("a\"d\n"), None]))),
            ("n", Arc::new(Int64Array::from(vec![Some(i64::MAX), Some(-7)]))),
            ("u", Arc::new(UInt64Array::from(vec![Some(u64::MAX), Some(9_007_199_254_740_992)]))),
            ("x", Arc::new(Float64Array::from(vec![Some(f64::NAN), Some(0.5)]))),
            ("amount", Arc::new(money)),
            (
                "at",
                Arc::new(
                    TimestampMicrosecondArray::from(vec![Some(1_700_000_000_123_456), None])
                        .with_timezone("UTC"),
                ),
            ),
            ("s", Arc::new(TimestampSecondArray::from(vec![Some(0), Some(i64::MAX)]))),
            ("day", Arc::new(Date32Array::from(vec![Some(19_675), None]))),
            ("ok", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            ("none", Arc::new(NullArray::new(2))),
        ])
    }

    #[test]
    fn json_keeps_money_long_integers_and_times_exact() {
        let text = json(&sample()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value["rows"][0].to_string(),
            r#"["a\"d\n","9223372036854775807","18446744073709551615",null,"18400.10","2023-11-14T22:13:20.123456Z","1970-01-01T00:00:00Z","2023-11-14",true,null]"#
        );
        assert_eq!(
            value["rows"][1].to_string(),
            r#"[null,-7,9007199254740992,0.5,null,null,"9223372036854775807",null,null,null]"#
        );
        assert_eq!(value["columns"][4].to_string(), r#"{"name":"amount","type":"decimal(18,2)"}"#);
        assert_eq!(value["columns"][5]["type"], "timestamp");
        assert_eq!(value["columns"][0]["type"], "string");
    }

    #[test]
    fn json_shows_lists_structs_and_dictionaries() {
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>([
            Some(vec![Some(1), None]),
            None,
        ]);
        let pair = StructArray::from(vec![(
            Arc::new(arrow::datatypes::Field::new("a", DataType::Int64, true)),
            Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef,
        )]);
        let dictionary: DictionaryArray<Int8Type> = vec![Some("x"), None].into_iter().collect();
        let text = json(&result(vec![
            ("l", Arc::new(list)),
            ("p", Arc::new(pair)),
            ("d", Arc::new(dictionary)),
        ]))
        .unwrap();
        assert_eq!(
            text,
            r#"{"columns":[{"name":"l","type":"list(int32)"},{"name":"p","type":"struct(a int64)"},{"name":"d","type":"string"}],"rows":[[[1,null],{"a":1},"x"],[null,{"a":null},null]]}"#
        );
    }

    #[test]
    fn csv_quotes_and_leaves_nulls_empty() {
        let text = String::from_utf8(csv(&sample()).unwrap()).unwrap();
        assert_eq!(
            text,
            "psp,n,u,x,amount,at,s,day,ok,none\n\"a\"\"d\n\",9223372036854775807,18446744073709551615,NaN,18400.10,2023-11-14T22:13:20.123456Z,1970-01-01T00:00:00Z,2023-11-14,true,\n,-7,9007199254740992,0.5,,,9223372036854775807,,,\n"
        );
    }

    #[test]
    fn arrow_streams_come_back_as_they_were() {
        let sample = sample();
        let bytes = arrow_stream(&sample).unwrap();
        let reader = arrow::ipc::reader::StreamReader::try_new(&bytes[..], None).unwrap();
        assert_eq!(reader.schema(), sample.schema);
        assert_eq!(reader.map(Result::unwrap).map(|b| b.num_rows()).sum::<usize>(), 2);
    }
}
