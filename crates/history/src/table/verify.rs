//! Reading all of a table and comparing it with its log.

use arrow::array::RecordBatch;
use object_store::path::Path;

use super::{Core, Table};
use crate::HistoryError;
use crate::file::{DataFile, Rows, RowsPlan, times_of};

/// Bytes that are read at a time.
const READ_BYTES: u64 = 4 << 20;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Files that were read.
    pub files: u64,
    /// Rows in them.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is wrong with them.
    pub faults: Vec<Fault>,
}

/// Something wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file's path in the table.
    pub path: String,
    /// What is wrong.
    pub reason: String,
}

impl Table {
    /// Reads every byte of every file of the present version, compares the checksum with the log's, decodes all
    /// columns, and compares rows and times with the log.
    ///
    /// # Errors
    /// Only when nothing can be read at all; what is wrong with a file is in the answer.
    pub fn verify(&self) -> Result<Verified, HistoryError> {
        let mut verified = Verified::default();
        for file in self.view().files.iter() {
            verified.files += 1;
            verified.rows += file.rows;
            verified.bytes += file.bytes;
            if let Err(error) | Ok(Some(error)) =
                self.fault(file).map_err(|error| error.to_string())
            {
                verified.faults.push(Fault {
                    path: file.path.clone(),
                    reason: error,
                });
            }
        }
        Ok(verified)
    }

    fn fault(&self, file: &DataFile) -> Result<Option<String>, HistoryError> {
        let core = &self.core;
        let path = core.file_path(&file.path);
        if let Some(wanted) = file.crc32 {
            let found = core.checksum(&path, file.bytes)?;
            if found != wanted {
                return Ok(Some(format!(
                    "its checksum is {found:08x}, and {wanted:08x} was written"
                )));
            }
        }
        let rows = Rows::open(&RowsPlan {
            place: &core.place,
            table: &core.name,
            path,
            file,
            schema: Some(&self.shape.spec.schema),
            time: &self.shape.spec.time,
            columns: None,
            required: &[],
            range: None,
        })?;
        let mut count = 0;
        let mut span: Option<(i64, i64)> = None;
        let mut sorted = true;
        for batch in rows {
            let batch = batch?;
            count += batch.num_rows() as u64;
            let Some(times) = self.times(&batch) else {
                return Ok(Some("it has a row without a time".to_owned()));
            };
            for time in times {
                span = Some(match span {
                    None => (time, time),
                    Some((min, max)) => {
                        sorted &= time >= max;
                        (min.min(time), max.max(time))
                    }
                });
            }
        }
        if count != file.rows {
            return Ok(Some(format!(
                "it has {count} rows, and the log says {}",
                file.rows
            )));
        }
        // Of files that another engine wrote the log knows only the day.
        let wanted = (file.min_us, file.max_us);
        if file.crc32.is_some() && span != Some(wanted) {
            return Ok(Some(format!(
                "its times are {span:?}, and the log says {wanted:?}"
            )));
        }
        if file.crc32.is_some() && !sorted {
            return Ok(Some("it is not sorted by time".to_owned()));
        }
        Ok(None)
    }

    fn times(&self, batch: &RecordBatch) -> Option<Vec<i64>> {
        times_of(batch.column_by_name(&self.shape.spec.time)?)
    }
}

impl Core {
    /// The CRC-32 of a file.
    fn checksum(&self, path: &Path, bytes: u64) -> Result<u32, HistoryError> {
        let mut hasher = crc32fast::Hasher::new();
        let mut at = 0;
        while at < bytes {
            let end = bytes.min(at + READ_BYTES);
            let range = at..end;
            let parts = self.place.read(path, vec![range])?;
            for part in parts.map_err(|source| self.failed("reading a file", source))? {
                hasher.update(&part);
            }
            at = end;
        }
        Ok(hasher.finalize())
    }
}
