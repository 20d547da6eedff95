//! The JSON answer of the SQL call.

use super::QueryResult;
use super::cell::{cells, json_text, plain};
use crate::error::AnalyseError;
use crate::friendly::type_name;

pub(super) fn encode(result: &QueryResult) -> Result<Vec<u8>, AnalyseError> {
    let columns: Vec<serde_json::Value> = result
        .schema
        .fields()
        .iter()
        .map(
            |field| serde_json::json!({"name": field.name(), "type": type_name(field.data_type())}),
        )
        .collect();
    let mut out = String::from("{\"columns\":");
    out.push_str(&serde_json::Value::from(columns).to_string());
    out.push_str(",\"rows\":[");
    let mut first = true;
    for batch in &result.batches {
        let arrays = batch
            .columns()
            .iter()
            .map(plain)
            .collect::<Result<Vec<_>, _>>()?;
        let writers = arrays.iter().map(cells).collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            if !first {
                out.push(',');
            }
            first = false;
            out.push('[');
            for (at, cell) in writers.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&json_text(&cell(row)));
            }
            out.push(']');
        }
    }
    out.push_str("]}");
    Ok(out.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use datafusion::arrow::array::{
        ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array,
        Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray,
    };

    fn result() -> QueryResult {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("flag", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            (
                "n",
                Arc::new(Int64Array::from(vec![1 << 53, (1 << 53) + 1])),
            ),
            ("x", Arc::new(Float64Array::from(vec![0.1, f64::NAN]))),
            (
                "money",
                Arc::new(
                    Decimal128Array::from(vec![-5, 1_234_500])
                        .with_precision_and_scale(18, 2)
                        .unwrap(),
                ),
            ),
            (
                "text",
                Arc::new(StringViewArray::from(vec!["say \"hi\",\n<b>", ""])),
            ),
            (
                "at",
                Arc::new(
                    TimestampMicrosecondArray::from(vec![0, 1_700_000_000_120_000])
                        .with_timezone("UTC"),
                ),
            ),
            ("day", Arc::new(Date32Array::from(vec![0, 19_723]))),
            (
                "sketch",
                Arc::new(BinaryArray::from(vec![&b"\x00\xff"[..], &b""[..]])),
            ),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        QueryResult {
            schema: batch.schema(),
            batches: vec![batch],
            held: None,
        }
    }

    #[test]
    fn every_type_is_written_as_the_interface_says() {
        let text = String::from_utf8(result().to_json().unwrap()).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let types: Vec<&str> = json["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["type"].as_str().unwrap())
            .collect();
        assert_eq!(
            types,
            [
                "bool",
                "int64",
                "float64",
                "decimal(18,2)",
                "string",
                "timestamp",
                "date",
                "binary"
            ]
        );
        assert_eq!(
            json["rows"],
            serde_json::json!([
                [
                    true,
                    9_007_199_254_740_992_i64,
                    0.1,
                    "-0.05",
                    "say \"hi\",\n<b>",
                    "1970-01-01T00:00:00Z",
                    "1970-01-01",
                    null
                ],
                [
                    null,
                    "9007199254740993",
                    null,
                    "12345.00",
                    "",
                    "2023-11-14T22:13:20.12Z",
                    "2024-01-01",
                    null
                ],
            ])
        );
    }

    #[test]
    fn csv_quotes_what_needs_it_and_tells_null_from_empty() {
        let text = String::from_utf8(result().to_csv().unwrap()).unwrap();
        assert_eq!(
            text,
            "flag,n,x,money,text,at,day,sketch\r\n\
             true,9007199254740992,0.1,-0.05,\"say \"\"hi\"\",\n<b>\",1970-01-01T00:00:00Z,1970-01-01,\r\n\
             ,9007199254740993,,12345.00,\"\",2023-11-14T22:13:20.12Z,2024-01-01,\r\n"
        );
    }

    #[test]
    fn an_arrow_stream_reads_back_the_same() {
        let result = result();
        let bytes = result.to_arrow_stream().unwrap();
        let reader = arrow::ipc::reader::StreamReader::try_new(bytes.as_slice(), None).unwrap();
        let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
        assert_eq!(format!("{batches:?}"), format!("{:?}", result.batches));
    }
}
