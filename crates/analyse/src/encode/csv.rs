//! The CSV answer of the SQL call.

use super::QueryResult;
use super::cell::{Cell, cells, plain};
use crate::error::AnalyseError;

pub(super) fn encode(result: &QueryResult) -> Result<Vec<u8>, AnalyseError> {
    let mut out = String::new();
    for (at, field) in result.schema.fields().iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        quote(field.name(), &mut out);
    }
    out.push_str("\r\n");
    for batch in &result.batches {
        let arrays = batch
            .columns()
            .iter()
            .map(plain)
            .collect::<Result<Vec<_>, _>>()?;
        let writers = arrays.iter().map(cells).collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            for (at, cell) in writers.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                match cell(row) {
                    Cell::Null => {}
                    Cell::Raw(text) | Cell::Text(text) => quote(&text, &mut out),
                }
            }
            out.push_str("\r\n");
        }
    }
    Ok(out.into_bytes())
}

fn quote(text: &str, out: &mut String) {
    let plain = !text.is_empty() && !text.contains([',', '"', '\r', '\n']);
    if plain {
        out.push_str(text);
        return;
    }
    out.push('"');
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}
