//! The forms a file can have.

use crate::decode::{CsvOptions, Delimiter, Format};

/// How lines of text are cut into columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// What stands between columns.
    pub delimiter: Delimiter,
    /// Whether the first record names the columns.
    pub header: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            delimiter: Delimiter::Byte(b','),
            header: true,
        }
    }
}

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// Columns of text.
    Csv(Dialect),
    /// One JSON object per line.
    Ndjson,
    /// A JSON array of objects, or objects one after another, on any number of lines.
    Json,
    /// Apache Parquet.
    Parquet,
}

impl FileFormat {
    /// What to call it in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv(Dialect {
                delimiter: Delimiter::Byte(b'\t'),
                ..
            }) => "tab-separated columns",
            Self::Csv(Dialect {
                delimiter: Delimiter::Whitespace,
                ..
            }) => "blank-separated columns",
            Self::Csv(_) => "CSV",
            Self::Ndjson => "NDJSON",
            Self::Json => "JSON",
            Self::Parquet => "Parquet",
        }
    }

    /// The form of the file's chunks, which decoders and servers take. A chunk of a JSON file has one value
    /// per line.
    #[must_use]
    pub fn body_format(self) -> Format {
        match self {
            Self::Csv(Dialect { delimiter, header }) => Format::Csv(CsvOptions {
                header,
                delimiter,
                ..CsvOptions::default()
            }),
            Self::Ndjson | Self::Json => Format::Ndjson,
            Self::Parquet => Format::Parquet,
        }
    }

    /// The form of a file's chunks for a stream that cuts CSV as `csv` says, when the file alone does not
    /// settle it: the delimiter found in the file is a guess, and whether there is a header is the
    /// stream's to say. `repeated` as [`Chunk::repeated`](super::Chunk::repeated).
    #[must_use]
    pub fn chunk_format(self, csv: &CsvOptions, repeated: bool) -> Format {
        match self {
            Self::Csv(Dialect { delimiter, .. }) => Format::Csv(CsvOptions {
                guess: Some(delimiter),
                repeated,
                ..csv.clone()
            }),
            other => other.body_format(),
        }
    }

    /// The `Content-Type` that says the same as [`chunk_format`](Self::chunk_format) to a server, for the
    /// chunk that a file begins with.
    #[must_use]
    pub fn content_type(self) -> String {
        let Self::Csv(Dialect { delimiter, .. }) = self else {
            let fixed = if self == Self::Parquet {
                "application/vnd.apache.parquet"
            } else {
                "application/x-ndjson"
            };
            return fixed.to_owned();
        };
        let delimiter = match delimiter {
            Delimiter::Byte(b',') => "comma".to_owned(),
            Delimiter::Byte(b'\t') => "tab".to_owned(),
            Delimiter::Byte(b';') => "semicolon".to_owned(),
            Delimiter::Byte(byte) => char::from(byte).to_string(),
            Delimiter::Whitespace => "whitespace".to_owned(),
        };
        format!("text/csv; guess={delimiter}")
    }

    /// The `Content-Type` for a chunk, as [`chunk_format`](Self::chunk_format) has it.
    #[must_use]
    pub fn chunk_content_type(self, repeated: bool) -> String {
        let first = self.content_type();
        match self {
            Self::Csv(_) if repeated => format!("{first}; first-row=repeated"),
            _ => first,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_reads_back_as_the_form_of_the_body() {
        for delimiter in [b',', b';', b'\t', b'|']
            .map(Delimiter::Byte)
            .into_iter()
            .chain([Delimiter::Whitespace])
        {
            for (header, repeated) in [(true, false), (false, true)] {
                let format = FileFormat::Csv(Dialect { delimiter, header });
                let stream = CsvOptions {
                    header: !header,
                    delimiter: Delimiter::Byte(b'#'),
                    ..CsvOptions::default()
                };
                let sent = format.chunk_content_type(repeated);
                let read = Format::from_content_type(&sent, &stream).unwrap();
                assert_eq!(read, format.chunk_format(&stream, repeated));
                let Format::Csv(read) = read else { panic!() };
                assert_eq!(
                    (read.header, read.delimiter),
                    (stream.header, stream.delimiter)
                );
            }
        }
        for format in [FileFormat::Ndjson, FileFormat::Json, FileFormat::Parquet] {
            assert_eq!(
                Format::from_content_type(&format.content_type(), &CsvOptions::default()).unwrap(),
                format.body_format()
            );
        }
    }
}
