//! Reading all of a table and comparing it with its log.

use std::sync::Arc;

use arrow::array::RecordBatch;
use object_store::path::Path;

use super::shape::is_time;
use super::{Core, Table, locked};
use crate::file::{DataFile, Rows, RowsPlan, times_of};
use crate::{HistoryError, TableSpec};

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
    /// Only when nothing can be read at all, or the table was removed meanwhile; what is wrong with a file is in the
    /// answer.
    pub fn verify(&self) -> Result<Verified, HistoryError> {
        self.verify_while(&mut |_| true)
    }

    /// As [`Self::verify`], as long as `go_on` says so; it is asked before every file, and told what was found so far.
    ///
    /// # Errors
    /// Those of [`Self::verify`].
    pub fn verify_while(
        &self,
        go_on: &mut dyn FnMut(&Verified) -> bool,
    ) -> Result<Verified, HistoryError> {
        self.core.verify(Some(&self.shape.spec), go_on)
    }
}

/// A table that is there, whatever its definition is. It is read and never written.
#[derive(Debug)]
pub struct StoredTable {
    core: Arc<Core>,
}

impl StoredTable {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// The bytes of all files of the present version.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.core.bytes()
    }

    /// As [`Table::verify_while`]. Which column is that of time only a definition tells, so it is any column that
    /// has the times that the log says.
    ///
    /// # Errors
    /// Those of [`Table::verify`].
    pub fn verify_while(
        &self,
        go_on: &mut dyn FnMut(&Verified) -> bool,
    ) -> Result<Verified, HistoryError> {
        self.core.verify(None, go_on)
    }
}

/// What the rows of a file have in one column of time.
struct Times {
    column: String,
    /// None until the first row.
    span: Option<(i64, i64)>,
    sorted: bool,
    /// Whether every row has one.
    whole: bool,
}

impl Times {
    fn of(column: &str) -> Self {
        Self {
            column: column.to_owned(),
            span: None,
            sorted: true,
            whole: true,
        }
    }

    fn take(&mut self, batch: &RecordBatch) {
        let Some(times) = batch.column_by_name(&self.column).and_then(times_of) else {
            self.whole = false;
            return;
        };
        for time in times {
            self.span = Some(match self.span {
                None => (time, time),
                Some((min, max)) => {
                    self.sorted &= time >= max;
                    (min.min(time), max.max(time))
                }
            });
        }
    }

    /// What is not as the log says.
    fn fault(&self, file: &DataFile) -> Option<String> {
        if !self.whole {
            return Some("it has a row without a time".to_owned());
        }
        // Of files that another engine wrote the log knows only the day.
        file.crc32?;
        let wanted = (file.min_us, file.max_us);
        if self.span != Some(wanted) {
            let span = self.span;
            return Some(format!(
                "its times are {span:?}, and the log says {wanted:?}"
            ));
        }
        (!self.sorted).then(|| "it is not sorted by time".to_owned())
    }
}

impl Core {
    fn verify(
        &self,
        spec: Option<&TableSpec>,
        go_on: &mut dyn FnMut(&Verified) -> bool,
    ) -> Result<Verified, HistoryError> {
        let mut verified = Verified::default();
        let files = Arc::clone(&locked(&self.state).files);
        for file in files.iter() {
            if !go_on(&verified) {
                break;
            }
            let fault = self.fault(file, spec);
            let fault = fault.unwrap_or_else(|error| Some(error.to_string()));
            // Of a table that was removed the files are gone, and that is no fault of theirs.
            if fault.is_some() && locked(&self.writer).removed {
                return Err(HistoryError::Removed(self.name.clone()));
            }
            verified.files += 1;
            verified.rows += file.rows;
            verified.bytes += file.bytes;
            if let Some(reason) = fault {
                let path = file.path.clone();
                verified.faults.push(Fault { path, reason });
            }
        }
        Ok(verified)
    }

    fn fault(
        &self,
        file: &DataFile,
        spec: Option<&TableSpec>,
    ) -> Result<Option<String>, HistoryError> {
        let path = self.file_path(&file.path);
        if let Some(wanted) = file.crc32 {
            let found = self.checksum(&path, file.bytes)?;
            if found != wanted {
                return Ok(Some(format!(
                    "its checksum is {found:08x}, and {wanted:08x} was written"
                )));
            }
        }
        let rows = Rows::open(&RowsPlan {
            place: &self.place,
            table: &self.name,
            path,
            file,
            schema: spec.map(|spec| &spec.schema),
            time: spec.map_or("", |spec| &spec.time),
            columns: None,
            required: &[],
            range: None,
        })?;
        let mut times: Vec<Times> = match spec {
            Some(spec) => vec![Times::of(&spec.time)],
            None => (rows.schema().fields().iter())
                .filter(|field| is_time(field.data_type()))
                .map(|field| Times::of(field.name()))
                .collect(),
        };
        let mut count = 0;
        for batch in rows {
            let batch = batch?;
            count += batch.num_rows() as u64;
            for column in &mut times {
                column.take(&batch);
            }
        }
        if count != file.rows {
            return Ok(Some(format!(
                "it has {count} rows, and the log says {}",
                file.rows
            )));
        }
        let mut faults = times.iter().map(|column| column.fault(file));
        if spec.is_some() {
            return Ok(faults.next().flatten());
        }
        // The first that is none settles it.
        Ok(match faults.any(|fault| fault.is_none()) {
            true => None,
            false => Some("no column of it has the times that the log says".to_owned()),
        })
    }

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
