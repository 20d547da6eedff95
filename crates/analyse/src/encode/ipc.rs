//! Arrow IPC stream.

use arrow::ipc::writer::StreamWriter;

use super::QueryResult;
use crate::error::AnalyseError;

pub(super) fn encode(result: &QueryResult) -> Result<Vec<u8>, AnalyseError> {
    let mut writer =
        StreamWriter::try_new(Vec::new(), &result.schema).map_err(AnalyseError::internal)?;
    for batch in &result.batches {
        writer.write(batch).map_err(AnalyseError::internal)?;
    }
    writer.finish().map_err(AnalyseError::internal)?;
    writer.into_inner().map_err(AnalyseError::internal)
}
