//! Goes through a file and looks at every cell.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use tillwatch_event::{FieldType, guard};

use super::column::{Column, Mark};
use crate::decode::json::members::{Written, members};
use crate::decode::{Delimiter, quotes, row_json};
use crate::file::dialect::{Dialect, FileFormat};
use crate::file::error::FileError;
use crate::file::open::Input;
use crate::file::reader::{Chunk, FileReader, Position, ReadOptions};
use crate::file::table::Table;

/// Columns that are looked at; an object with more keys than that is a map.
const COLUMNS_MAX: usize = 400;
/// How deep JSON objects are taken apart.
const DEPTH_MAX: usize = 3;

/// What was found in a file.
pub(super) struct Survey {
    pub(super) format: FileFormat,
    pub(super) columns: Vec<Column>,
    /// Columns that cannot be loaded, and why.
    pub(super) left_out: Vec<(String, &'static str)>,
    pub(super) rows: u64,
    /// Whether all of the file was looked at.
    pub(super) whole: bool,
    /// The member of a lone object that holds a list of objects.
    pub(super) wrapped: Option<String>,
    /// Whether a row with the columns' names was there.
    named: bool,
    /// Rows that have another number of cells than there are columns, and the first one's number.
    misfits: u64,
    misfit_cells: usize,
    places: HashMap<String, usize>,
    /// JSON keys with a dot, which a path cannot name.
    dotted: BTreeSet<String>,
}

impl Survey {
    /// Looks through the file, or through its first part when it is larger than `bytes_max`.
    pub(super) fn of(
        input: &Input,
        options: ReadOptions,
        bytes_max: u64,
    ) -> Result<Self, FileError> {
        let path = input.path.as_path();
        let mut reader = FileReader::of(input, options, None)?;
        let mut survey = Self {
            format: reader.format(),
            columns: Vec::new(),
            left_out: Vec::new(),
            rows: 0,
            whole: input.whole,
            wrapped: None,
            named: reader.is_named(),
            misfits: 0,
            misfit_cells: 0,
            places: HashMap::new(),
            dotted: BTreeSet::new(),
        };
        match survey.format {
            FileFormat::Parquet => survey.take_table(path, options, bytes_max)?,
            format => {
                let mut bytes = 0;
                while let Some(chunk) = reader.next_chunk()? {
                    bytes += chunk.body.len() as u64;
                    match format {
                        FileFormat::Csv(dialect) => {
                            survey.take_csv(path, dialect, &chunk, options.record_bytes_max)?;
                        }
                        _ => survey.take_json(&chunk),
                    }
                    if bytes >= bytes_max {
                        survey.whole &= reader.next_chunk()?.is_none();
                        break;
                    }
                }
            }
        }
        if survey.rows > 1 {
            survey.wrapped = None;
        }
        survey.check_rows(path)?;
        survey.finish();
        Ok(survey)
    }

    fn check_rows(&self, path: &Path) -> Result<(), FileError> {
        let path = path.to_owned();
        if self.misfits > self.rows {
            let first = match self.columns.len() {
                1 => "1 column".to_owned(),
                cells => format!("{cells} columns"),
            };
            let others = self.misfit_cells;
            return Err(FileError::FirstLine {
                path,
                first,
                others,
            });
        }
        if self.rows > 0 && !self.columns.is_empty() {
            return Ok(());
        }
        let hint = if self.named {
            ", only the names of columns"
        } else {
            ""
        };
        Err(FileError::Empty { path, hint })
    }

    /// The columns' names, unless an earlier chunk gave them.
    fn take_names<'a>(&mut self, names: impl Iterator<Item = &'a [u8]>) {
        if self.columns.is_empty() {
            let names = names.map(|name| String::from_utf8_lossy(name).trim().to_owned());
            self.columns = names.map(|name| Column::new(Some(name))).collect();
        }
    }

    fn take_csv(
        &mut self,
        path: &Path,
        dialect: Dialect,
        chunk: &Chunk,
        record_bytes_max: usize,
    ) -> Result<(), FileError> {
        let Delimiter::Byte(delimiter) = dialect.delimiter else {
            self.take_blank_separated(dialect.header, &chunk.body);
            return Ok(());
        };
        let failed = |error: csv::Error| FileError::malformed(path, chunk.start.offset, error);
        let mut header_due = dialect.header;
        let mut row = csv::ByteRecord::new();
        for run in quotes::runs(&chunk.body, delimiter, record_bytes_max) {
            // The decoder rejects a line with an open quote, and it says nothing about the columns.
            if run.open {
                header_due = false;
                continue;
            }
            let mut reader = csv::ReaderBuilder::new()
                .delimiter(delimiter)
                .has_headers(false)
                .flexible(true)
                .from_reader(chunk.body.get(run.range).unwrap_or_default());
            while reader.read_byte_record(&mut row).map_err(failed)? {
                if std::mem::take(&mut header_due) {
                    self.take_names(row.iter());
                    continue;
                }
                // Other tools write blank lines as rows of one empty cell.
                if row.len() == 1 && row.get(0).is_some_and(<[u8]>::is_empty) {
                    continue;
                }
                self.take_cells(row.iter(), dialect.header);
            }
        }
        Ok(())
    }

    fn take_blank_separated(&mut self, header: bool, body: &[u8]) {
        for (line, text) in body.split(|b| *b == b'\n').enumerate() {
            let cells: Vec<&[u8]> = text
                .split(u8::is_ascii_whitespace)
                .filter(|cell| !cell.is_empty())
                .collect();
            if header && line == 0 {
                self.take_names(cells.into_iter());
            } else if !cells.is_empty() {
                self.take_cells(cells.into_iter(), header);
            }
        }
    }

    fn take_cells<'a>(&mut self, cells: impl ExactSizeIterator<Item = &'a [u8]>, header: bool) {
        if !header && self.columns.is_empty() {
            self.columns = (0..cells.len()).map(|_| Column::new(None)).collect();
        }
        // A row of another width is rejected by the decoder and says nothing about the columns.
        if cells.len() != self.columns.len() {
            if self.misfits == 0 {
                self.misfit_cells = cells.len();
            }
            self.misfits += 1;
            return;
        }
        self.rows += 1;
        for (at, cell) in cells.enumerate() {
            let text = String::from_utf8_lossy(cell);
            let trimmed = text.trim_matches([' ', '\t']);
            if let (Some(column), false) = (self.columns.get_mut(at), trimmed.is_empty()) {
                column.push(trimmed);
            }
        }
    }

    fn take_json(&mut self, chunk: &Chunk) {
        for line in chunk
            .body
            .split(|b| *b == b'\n')
            .filter(|line| !line.trim_ascii().is_empty())
        {
            // What is no object is rejected by the decoder and says nothing about the columns.
            let object = std::str::from_utf8(line).ok().and_then(members);
            if let Some(object) = object {
                self.rows += 1;
                self.take_members(None, object, 1);
            }
        }
    }

    fn take_members(
        &mut self,
        parent: Option<&str>,
        object: Vec<(String, Written<'_>)>,
        depth: usize,
    ) {
        for (key, value) in object {
            let path = parent.map_or_else(|| key.clone(), |parent| format!("{parent}.{key}"));
            if key.contains('.') {
                if self.dotted.len() < COLUMNS_MAX {
                    self.dotted.insert(path);
                }
            } else {
                self.take_value(path, value, depth);
            }
        }
    }

    fn take_value(&mut self, path: String, value: Written<'_>, depth: usize) {
        match value {
            Written::Null => {}
            Written::Bool(value) => {
                self.put(path, if value { "true" } else { "false" }, Mark::Bool);
            }
            Written::Number(number) => self.put(path, number, Mark::Number),
            Written::Text(text) => self.put(path, &text, Mark::Text),
            Written::Array(text) => {
                let objects = text.trim_start_matches('[').trim_start().starts_with('{');
                // It goes into a command that people copy, so a key of other signs is not named.
                let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
                let nameable = path.chars().all(plain);
                if self.rows == 1 && objects && nameable && self.wrapped.is_none() {
                    self.wrapped = Some(path.clone());
                }
                self.put(path, text, Mark::Nested);
            }
            Written::Object(text) => match members(text) {
                Some(object) if depth < DEPTH_MAX && !object.is_empty() => {
                    self.take_members(Some(&path), object, depth + 1);
                }
                _ => self.put(path, text, Mark::Nested),
            },
        }
    }

    fn put(&mut self, path: String, text: &str, mark: Mark) {
        let place = match self.places.get(&path) {
            Some(place) => *place,
            None if self.columns.len() < COLUMNS_MAX => {
                self.columns.push(Column::new(Some(path.clone())));
                self.places.insert(path, self.columns.len() - 1);
                self.columns.len() - 1
            }
            None => return,
        };
        if let Some(column) = self.columns.get_mut(place) {
            column.push_marked(text, mark);
        }
    }

    fn take_table(
        &mut self,
        path: &Path,
        options: ReadOptions,
        bytes_max: u64,
    ) -> Result<(), FileError> {
        let mut table = Table::open(path, options.chunk_rows, Position::default())?;
        let taken = self.declare(table.schema());
        let mut bytes = 0;
        while let Some(batch) = table.next_batch(path)? {
            self.take_batch(path, &batch, &taken)?;
            bytes += batch.get_array_memory_size() as u64;
            if bytes >= bytes_max {
                self.whole = table.next_batch(path)?.is_none();
                break;
            }
        }
        Ok(())
    }

    /// Makes a column for each of the file's that can be loaded, and gives their places in the file.
    fn declare(&mut self, schema: &Schema) -> Vec<usize> {
        let mut taken = Vec::new();
        for (at, field) in schema.fields().iter().enumerate() {
            let name = field.name().clone();
            match declared_type(field.data_type()) {
                Declared::Is(kind) => self.columns.push(Column::declared(name, kind)),
                Declared::Text => self.columns.push(Column::new(Some(name))),
                Declared::Unknown => {
                    self.left_out
                        .push((name, "it is of a type that no field has"));
                    continue;
                }
            }
            taken.push(at);
        }
        taken
    }

    fn take_batch(
        &mut self,
        path: &Path,
        batch: &RecordBatch,
        taken: &[usize],
    ) -> Result<(), FileError> {
        let options = FormatOptions::default();
        for (column, at) in self.columns.iter_mut().zip(taken) {
            let Some(array) = batch.columns().get(*at) else {
                continue;
            };
            // Only whether two values differ is of interest, so a time need not be written as one.
            let array = match array.data_type() {
                DataType::Timestamp(_, _) | DataType::Date64 => cast(array, &DataType::Int64),
                DataType::Date32 => cast(array, &DataType::Int32),
                _ => Ok(Arc::clone(array)),
            };
            let array = array.map_err(|error| FileError::malformed(path, self.rows, error))?;
            let texts = ArrayFormatter::try_new(&array, &options)
                .map_err(|error| FileError::malformed(path, self.rows, error))?;
            let mut text = String::new();
            for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
                text.clear();
                use std::fmt::Write as _;
                if write!(text, "{}", texts.value(row)).is_ok() {
                    column.push(&text);
                }
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn finish(&mut self) {
        for column in &mut self.columns {
            column.empty = self.rows.saturating_sub(column.filled);
        }
        let names: Vec<String> = self
            .columns
            .iter()
            .filter_map(|c| c.source.clone())
            .collect();
        let json = matches!(self.format, FileFormat::Json | FileFormat::Ndjson);
        let dotted = std::mem::take(&mut self.dotted).into_iter();
        self.left_out.extend(
            dotted.map(|name| (name, "a dot in a key cannot be told from a step of a path")),
        );
        let left_out = &mut self.left_out;
        self.columns.retain(|column| {
            let Some(name) = &column.source else {
                return true;
            };
            let parent = format!("{name}.");
            let same = names.iter().filter(|other| *other == name).count();
            let reason = if name.is_empty() {
                "it has no name"
            } else if guard::mask_line(name) != name.as_str() {
                "its name looks like a card number"
            } else if same > 1 {
                "another column has the same name"
            } else if json && name.split('.').any(str::is_empty) {
                "its name cannot be written as a path"
            } else if json && names.iter().any(|other| other.starts_with(&parent)) {
                "it is an object in some lines and a value in others"
            } else {
                return true;
            };
            left_out.push((name.clone(), reason));
            false
        });
    }
}

enum Declared {
    Is(FieldType),
    Text,
    Unknown,
}

fn declared_type(data_type: &DataType) -> Declared {
    match data_type {
        DataType::Boolean => Declared::Is(FieldType::Bool),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            Declared::Is(FieldType::Int64)
        }
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => {
            Declared::Is(FieldType::Int64)
        }
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            Declared::Is(FieldType::Float64)
        }
        DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s)
            if *s >= 0 =>
        {
            Declared::Is(FieldType::Decimal {
                precision: *p,
                scale: *s,
            })
        }
        DataType::Date32 | DataType::Date64 => Declared::Is(FieldType::Date),
        DataType::Timestamp(_, _) => Declared::Is(FieldType::Timestamp),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Declared::Text,
        DataType::Dictionary(_, values) => declared_type(values),
        DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_)
        | DataType::Interval(_)
        | DataType::FixedSizeBinary(_) => Declared::Is(FieldType::String),
        nested if row_json::is_nested(nested) => Declared::Is(FieldType::Json),
        _ => Declared::Unknown,
    }
}
