//! The form of a body, from its `Content-Type` or a file's name.

use std::borrow::Cow;

use super::DecodeError;

/// The form of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line.
    Ndjson,
    /// One JSON array of objects, or one object.
    Json,
    /// Comma-separated values and their relatives.
    Csv(CsvOptions),
    /// Apache Parquet.
    Parquet,
    /// An Apache Arrow IPC stream.
    ArrowStream,
}

/// What separates the cells of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delimiter {
    /// This byte; cells may be quoted with `"`.
    Byte(u8),
    /// Any run of spaces and tabs, as in fixed-width text; there are no quotes and no empty cells.
    Whitespace,
}

/// How CSV is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvOptions {
    /// Whether the first row names the columns. Default true. A first row that holds the names of most
    /// fields names the columns in any case.
    pub header: bool,
    /// The columns' names when there is no header; `None` takes the fields in order of declaration.
    pub columns: Option<Vec<String>>,
    /// What separates cells. Default a comma.
    pub delimiter: Delimiter,
    /// What separates cells when the header has the fields' names with this and not with `delimiter`.
    pub guess: Option<Delimiter>,
    /// Whether the first row comes from the top of an earlier body: it names the columns here too, or says
    /// nothing new. Default false.
    pub repeated: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            header: true,
            columns: None,
            delimiter: Delimiter::Byte(b','),
            guess: None,
            repeated: false,
        }
    }
}

impl Format {
    /// The form that a `Content-Type` names. `text/csv` takes the parameters `header`, `present` or
    /// `absent` (RFC 4180), and `delimiter`: one character, `comma`, `semicolon`, `tab` or
    /// `whitespace`. What they leave open is as `csv` says: the stream's own way to cut CSV. Two more are for
    /// senders of files who do not know that way: `guess`, a delimiter to be used only if the header has the
    /// fields' names with it and not otherwise; and `first-row=repeated` for all but the first part of a
    /// file, above which the file's first row is sent again.
    ///
    /// # Errors
    /// When the type or a parameter's value is not known, and for a `charset` other than UTF-8.
    pub fn from_content_type(value: &str, csv: &CsvOptions) -> Result<Self, DecodeError> {
        let parts = unquoted_parts(value);
        let parameters = || parts.iter().skip(1).filter_map(|part| parameter(part));
        for (name, value) in parameters() {
            let is_utf8 = || matches!(value.to_ascii_lowercase().as_str(), "utf-8" | "utf8");
            if name == "charset" && !is_utf8() {
                return Err(DecodeError::UnknownCharset(
                    value.chars().take(100).collect(),
                ));
            }
        }
        Self::from_essence(value, &parts, csv)
    }

    /// As [`Self::from_content_type`] for an answer we asked for: servers name charsets that their
    /// answers are not in, nobody can make them stop, and what is not UTF-8 is rejected when it is read.
    pub(crate) fn of_answer(value: &str, csv: &CsvOptions) -> Option<Self> {
        Self::from_essence(value, &unquoted_parts(value), csv).ok()
    }

    fn from_essence(value: &str, parts: &[&str], csv: &CsvOptions) -> Result<Self, DecodeError> {
        let parameters = parts.iter().skip(1).filter_map(|part| parameter(part));
        let essence = parts.first().copied().unwrap_or_default().trim();
        match essence.to_ascii_lowercase().as_str() {
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/json-lines"
            | "application/jsonlines" => Ok(Self::Ndjson),
            "application/json" | "text/json" => Ok(Self::Json),
            "text/csv" | "application/csv" => csv_parameters(parameters, csv.clone()),
            "text/tab-separated-values" => {
                let tabs = CsvOptions {
                    delimiter: Delimiter::Byte(b'\t'),
                    ..csv.clone()
                };
                csv_parameters(parameters, tabs)
            }
            "application/vnd.apache.parquet" | "application/x-parquet" => Ok(Self::Parquet),
            "application/vnd.apache.arrow.stream" => Ok(Self::ArrowStream),
            _ => Err(DecodeError::UnknownFormat(
                value.chars().take(100).collect(),
            )),
        }
    }

    /// The form that a file's name suggests, without endings such as `.gz`.
    #[must_use]
    pub fn from_file_name(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let base = lower
            .strip_suffix(".gz")
            .or_else(|| lower.strip_suffix(".zst"))
            .unwrap_or(&lower);
        match base.rsplit_once('.')?.1 {
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "json" => Some(Self::Json),
            "csv" => Some(Self::Csv(CsvOptions::default())),
            "tsv" | "tab" => Some(Self::Csv(CsvOptions {
                delimiter: Delimiter::Byte(b'\t'),
                ..CsvOptions::default()
            })),
            "parquet" => Some(Self::Parquet),
            "arrows" => Some(Self::ArrowStream),
            _ => None,
        }
    }
}

/// The parts of a header's value between semicolons that stand in no quotes (RFC 9110 section 5.6.6).
fn unquoted_parts(value: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    value
        .split(|letter| {
            if escaped {
                escaped = false;
                return false;
            }
            match letter {
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                ';' => return !quoted,
                _ => {}
            }
            false
        })
        .collect()
}

/// A parameter's name in small letters and its value without quotes; none when it is no parameter.
fn parameter(part: &str) -> Option<(String, Cow<'_, str>)> {
    let (name, value) = part.split_once('=')?;
    let value = value.trim();
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let value = match inner {
        None => Cow::Borrowed(value),
        Some(inner) if !inner.contains('\\') => Cow::Borrowed(inner),
        Some(inner) => {
            let mut escaped = false;
            let plain = inner.chars().filter(|letter| {
                escaped = *letter == '\\' && !escaped;
                !escaped
            });
            Cow::Owned(plain.collect())
        }
    };
    Some((name.trim().to_ascii_lowercase(), value))
}

fn csv_parameters<'a>(
    parameters: impl Iterator<Item = (String, Cow<'a, str>)>,
    mut options: CsvOptions,
) -> Result<Format, DecodeError> {
    for (name, value) in parameters {
        match name.as_str() {
            "header" => {
                options.header = match &*value {
                    "absent" => false,
                    "present" => true,
                    other => {
                        let reason = format!("header={other}: use header=absent or header=present");
                        return Err(DecodeError::FormatParameter(reason));
                    }
                }
            }
            "delimiter" => options.delimiter = Delimiter::parse(&value)?,
            "guess" => options.guess = Some(Delimiter::parse(&value)?),
            "first-row" => {
                if value != "repeated" {
                    let reason = format!("first-row={value}: use first-row=repeated or nothing");
                    return Err(DecodeError::FormatParameter(reason));
                }
                options.repeated = true;
            }
            _ => {}
        }
    }
    Ok(Format::Csv(options))
}

impl Delimiter {
    /// Reads a delimiter: one ASCII character, `comma`, `semicolon`, `tab` or `whitespace`.
    ///
    /// # Errors
    /// For anything else, and for quotes and line ends, which have their own meaning.
    pub fn parse(text: &str) -> Result<Self, DecodeError> {
        match (text, text.as_bytes()) {
            ("tab" | "\\t", _) => Ok(Self::Byte(b'\t')),
            ("whitespace", _) => Ok(Self::Whitespace),
            ("comma", _) => Ok(Self::Byte(b',')),
            ("semicolon", _) => Ok(Self::Byte(b';')),
            (_, [byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => {
                Ok(Self::Byte(*byte))
            }
            _ => {
                let reason =
                    "delimiter: use one ASCII character, comma, semicolon, tab or whitespace";
                Err(DecodeError::FormatParameter(reason.to_owned()))
            }
        }
    }
}
