//! How rejected lines are read once more.

use tillwatch_event::guard;

use super::format::{CsvOptions, Delimiter, Format};

/// How the rejected lines of one body are read once more, each by itself: as they were the first
/// time, and not as the stream is declared by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// The form of each line. Rows of CSV are without their header, whose names are here.
    pub format: Format,
    /// Of each rejected line whether it was kept as it came. One that was masked or cut is another
    /// event, which must not be taken for the one that was sent.
    pub whole: Vec<bool>,
}

impl Format {
    /// The form of rows of CSV below a header, or of columns declared, of these names. `None` when
    /// there is a card number among the names, which are not kept then.
    pub(super) fn of_rows(names: &[String], delimiter: Delimiter) -> Option<Self> {
        let clean = names
            .iter()
            .all(|name| guard::mask(name).as_ref() == name.as_str());
        clean.then(|| {
            Self::Csv(CsvOptions {
                header: false,
                columns: Some(names.to_vec()),
                delimiter,
                ..CsvOptions::default()
            })
        })
    }

    /// The form as the journal keeps it beside rejected lines; `None` for forms whose lines are not
    /// kept as they came.
    #[must_use]
    pub fn kept(&self) -> Option<String> {
        let kept = match self {
            Self::Ndjson => serde_json::json!({"format": "ndjson"}),
            Self::Json => serde_json::json!({"format": "json"}),
            Self::Csv(CsvOptions {
                header: false,
                columns: Some(columns),
                delimiter,
                ..
            }) => {
                let delimiter = match delimiter {
                    Delimiter::Byte(byte) => char::from(*byte).to_string(),
                    Delimiter::Whitespace => "whitespace".to_owned(),
                };
                serde_json::json!({"format": "csv", "delimiter": delimiter, "columns": columns})
            }
            Self::Csv(_) | Self::Parquet | Self::ArrowStream => return None,
        };
        Some(kept.to_string())
    }

    /// The form that [`Self::kept`] wrote; `None` for what this program does not know.
    #[must_use]
    pub fn of_kept(text: &str) -> Option<Self> {
        let kept: serde_json::Value = serde_json::from_str(text).ok()?;
        match kept.get("format")?.as_str()? {
            "ndjson" => Some(Self::Ndjson),
            "json" => Some(Self::Json),
            "csv" => {
                let columns = kept.get("columns")?.as_array()?.iter();
                let columns: Option<Vec<String>> = columns
                    .map(|name| name.as_str().map(str::to_owned))
                    .collect();
                Some(Self::Csv(CsvOptions {
                    header: false,
                    columns: Some(columns?),
                    delimiter: Delimiter::parse(kept.get("delimiter")?.as_str()?).ok()?,
                    ..CsvOptions::default()
                }))
            }
            _ => None,
        }
    }
}
