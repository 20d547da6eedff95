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
                columns: None,
                delimiter,
            }),
            Self::Ndjson | Self::Json => Format::Ndjson,
            Self::Parquet => Format::Parquet,
        }
    }

    /// The `Content-Type` of the file's chunks.
    #[must_use]
    pub fn content_type(self) -> String {
        let Self::Csv(Dialect { delimiter, header }) = self else {
            let fixed = if self == Self::Parquet {
                "application/vnd.apache.parquet"
            } else {
                "application/x-ndjson"
            };
            return fixed.to_owned();
        };
        // Both are said even when they are usual: the stream may have its own way to cut CSV.
        let header = if header { "present" } else { "absent" };
        let delimiter = match delimiter {
            Delimiter::Byte(b',') => "comma".to_owned(),
            Delimiter::Byte(b'\t') => "tab".to_owned(),
            Delimiter::Byte(b';') => "semicolon".to_owned(),
            Delimiter::Byte(byte) => char::from(byte).to_string(),
            Delimiter::Whitespace => "whitespace".to_owned(),
        };
        format!("text/csv; header={header}; delimiter={delimiter}")
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
            for header in [true, false] {
                let format = FileFormat::Csv(Dialect { delimiter, header });
                let others = CsvOptions {
                    header: !header,
                    columns: None,
                    delimiter: Delimiter::Byte(b'#'),
                };
                let read = Format::from_content_type(&format.content_type(), &others).unwrap();
                assert_eq!(read, format.body_format());
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
