//! Engine errors in words for the one who asked, without the engine's internals.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Diagnostic, SchemaError, Span};
use tillwatch_process::in_plain_words;

use crate::engine::CROWDED;
use crate::error::{AnalyseError, Fault, Position};
use crate::guard::lower_first;
use crate::limits::QueryLimits;
use crate::suggest;

/// The names that "did you mean" chooses from, beside the columns the engine itself names.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownNames {
    /// Tables of the query's catalogue.
    pub(crate) tables: Vec<String>,
    /// Measures and metrics, which are no columns.
    pub(crate) measures: Vec<String>,
}

/// Turns an engine error into one of ours. Faults of the question keep their message; everything
/// else goes to the log only.
pub(crate) fn explain(error: &DataFusionError, names: Option<&KnownNames>) -> AnalyseError {
    explain_at(error, None, names)
}

fn explain_at(
    error: &DataFusionError,
    diagnostic: Option<&Diagnostic>,
    names: Option<&KnownNames>,
) -> AnalyseError {
    let place = diagnostic.and_then(|d| d.span).map(position);
    match error {
        DataFusionError::Diagnostic(found, inner) => explain_at(inner, Some(found), names),
        DataFusionError::Context(_, inner) => explain_at(inner, diagnostic, names),
        DataFusionError::Shared(inner) => explain_at(inner, diagnostic, names),
        DataFusionError::Collection(errors) => match errors.first() {
            Some(first) => explain_at(first, diagnostic, names),
            None => AnalyseError::internal(error),
        },
        DataFusionError::SQL(parser, _) => syntax(&parser.to_string(), place),
        DataFusionError::SchemaError(schema, _) => schema_fault(schema, place, names),
        DataFusionError::Plan(message) => plan_fault(message, diagnostic, place, names),
        DataFusionError::NotImplemented(message) => AnalyseError::Invalid(
            Fault::new(format!("not supported: {}", first_line(message))).at(place),
        ),
        DataFusionError::Execution(message) => {
            AnalyseError::Invalid(Fault::new(first_line(message)).at(place))
        }
        // The engine's word for arguments that a function does not take.
        DataFusionError::Internal(message) if message.contains("failed to match any signature") => {
            AnalyseError::Invalid(Fault::new(first_line(message)).at(place))
        }
        DataFusionError::ArrowError(arrow, _) => {
            AnalyseError::Invalid(Fault::new(arrow_message(&arrow.to_string())).at(place))
        }
        DataFusionError::ResourcesExhausted(message) if message.starts_with(CROWDED) => {
            AnalyseError::Crowded
        }
        DataFusionError::ResourcesExhausted(_) => AnalyseError::Memory { bytes_max: 0 },
        DataFusionError::External(inner) => match inner.downcast_ref::<AnalyseError>() {
            Some(ours) => ours.clone(),
            None => AnalyseError::internal(error),
        },
        other => AnalyseError::internal(other),
    }
}

/// The same with the limits that were in force, which some messages name.
pub(crate) fn explain_with(
    error: &DataFusionError,
    names: &KnownNames,
    limits: &QueryLimits,
) -> AnalyseError {
    match explain(error, Some(names)) {
        AnalyseError::Memory { .. } => AnalyseError::Memory {
            bytes_max: limits.memory_bytes_max,
        },
        other => other,
    }
}

fn syntax(message: &str, place: Option<Position>) -> AnalyseError {
    if message.contains("RecursionLimitExceeded") || message.contains("recursion limit") {
        return AnalyseError::TooLarge(Fault::new("the query nests too deeply"));
    }
    let message = message
        .trim_start_matches("sql parser error: ")
        .trim_start_matches("ParserError(\"")
        .trim_end_matches("\")");
    let (message, place) = cut_place(message, place);
    AnalyseError::Syntax(Fault::new(lower_first(&message)).at(place))
}

/// Parser messages end with `at Line: 1, Column: 8`, which becomes the position.
fn cut_place(message: &str, place: Option<Position>) -> (String, Option<Position>) {
    let Some((head, tail)) = message.split_once(" at Line: ") else {
        return (first_line(message), place);
    };
    let mut numbers = tail
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty());
    let line = numbers.next().and_then(|n| n.parse().ok());
    let column = numbers.next().and_then(|n| n.parse().ok());
    let found = line
        .zip(column)
        .map(|(line, column)| Position { line, column });
    (head.to_owned(), found.or(place))
}

fn schema_fault(
    error: &SchemaError,
    place: Option<Position>,
    names: Option<&KnownNames>,
) -> AnalyseError {
    match error {
        SchemaError::FieldNotFound {
            field,
            valid_fields,
        } => {
            let place = place.or_else(|| field.spans().first().map(position));
            let measures = names
                .map(|names| names.measures.as_slice())
                .unwrap_or_default();
            if measures.contains(&field.name) {
                return AnalyseError::Unknown(
                    Fault::new(format!(
                        "'{}' is a measure or metric, not a column",
                        field.name
                    ))
                    .at(place)
                    .suggest(Some(format!("write measure({})", field.name))),
                );
            }
            if let Some((measure, _)) = field.name.split_once('#') {
                // Only `measure()` puts such a column into a query.
                let message = format!("the inner query does not hand on the measure '{measure}'");
                let advice = "select * in the inner query, or measure it there";
                return AnalyseError::Invalid(
                    Fault::new(message)
                        .at(place)
                        .suggest(Some(advice.to_owned())),
                );
            }
            let columns = valid_fields
                .iter()
                .map(|c| c.name.as_str())
                .filter(|n| is_public(n));
            let suggestion = suggest::did_you_mean(&field.name, columns.clone())
                .or_else(|| Some(format!("the columns are {}", suggest::listed(columns))));
            let of = match &field.relation {
                Some(relation) => format!(" in '{}'", relation.table()),
                None => String::new(),
            };
            let fault = Fault::new(format!("there is no column '{}'{of}", field.name));
            AnalyseError::Unknown(fault.at(place).suggest(suggestion))
        }
        SchemaError::AmbiguousReference { field } => AnalyseError::Invalid(
            Fault::new(format!(
                "'{}' could be a column of several tables",
                field.name
            ))
            .at(place.or_else(|| field.spans().first().map(position)))
            .suggest(Some(format!(
                "write the table before it, as in t.{}",
                field.name
            ))),
        ),
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => AnalyseError::Invalid(
            Fault::new(format!("two columns are called '{name}'"))
                .at(place)
                .suggest(Some("give one of them another name with 'as'".into())),
        ),
    }
}

fn plan_fault(
    message: &str,
    diagnostic: Option<&Diagnostic>,
    place: Option<Position>,
    names: Option<&KnownNames>,
) -> AnalyseError {
    if let Some(table) = quoted(message, "table '", "' not found") {
        let table = table.rsplit('.').next().unwrap_or(table);
        let tables = names
            .map(|names| names.tables.as_slice())
            .unwrap_or_default();
        let known = || tables.iter().map(String::as_str);
        let suggestion = suggest::did_you_mean(table, known())
            .or_else(|| Some(format!("the tables are {}", suggest::listed(known()))));
        let fault = Fault::new(format!("there is no table '{table}'"));
        return AnalyseError::Unknown(fault.at(place).suggest(suggestion));
    }
    if message.contains("rojections require unique expression names") {
        let name = message.split_once("\" at position").and_then(|(head, _)| {
            let expression = head.rsplit_once('"')?.1;
            Some(
                expression
                    .rsplit_once(" AS ")
                    .map_or(expression, |(_, alias)| alias),
            )
        });
        let message = match name.filter(|name| is_public(name)) {
            Some(name) => format!("two columns are called '{name}'"),
            None => "two columns have the same name".to_owned(),
        };
        let advice = "give one of them another name with 'as'".to_owned();
        return AnalyseError::Invalid(Fault::new(message).at(place).suggest(Some(advice)));
    }
    if message.contains("must appear in the GROUP BY clause") {
        let column = quoted(message, "olumn \"", "\" must appear in the GROUP BY");
        let message = match column.filter(|column| is_public(column)) {
            Some(column) => format!("'{column}' must be in 'group by' or inside an aggregate"),
            None => "a column must be in 'group by' or inside an aggregate".to_owned(),
        };
        return AnalyseError::Invalid(Fault::new(message).at(place));
    }
    if !is_public(message) {
        // It names the functions and columns that `measure()` was replaced with.
        let hidden = tillwatch_event::guard::mask_line(message);
        tracing::debug!(message = %hidden, "a plan with measures was refused");
        let message = "the measures of this query cannot be used together like this";
        return AnalyseError::Invalid(Fault::new(message).at(place));
    }
    let help = diagnostic
        .and_then(|d| d.helps.first())
        .map(|help| lower_first(&help.message));
    AnalyseError::Invalid(
        Fault::new(lower_first(&first_line(message)))
            .at(place)
            .suggest(help),
    )
}

fn quoted<'a>(message: &'a str, before: &str, after: &str) -> Option<&'a str> {
    message
        .split_once(before)?
        .1
        .split_once(after)
        .map(|(found, _)| found)
}

/// Engine messages may go on with candidate lists or a backtrace; the first line says it.
fn first_line(message: &str) -> String {
    in_plain_words(message)
}

fn arrow_message(message: &str) -> String {
    let message = first_line(message);
    match message.split_once(" error: ") {
        Some((_, inner)) => lower_first(inner),
        None => lower_first(&message),
    }
}

/// Columns that carry partial states have names no query writes.
fn is_public(column: &str) -> bool {
    !column.contains('#')
}

fn position(span: Span) -> Position {
    Position {
        line: span.start.line,
        column: span.start.column,
    }
}

/// A type as people write it.
pub(crate) fn type_name(kind: &DataType) -> String {
    match kind {
        DataType::Null => "null".into(),
        DataType::Boolean => "bool".into(),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => "int64".into(),
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => "uint64".into(),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => "float64".into(),
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => format!("decimal({p},{s})"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".into(),
        DataType::Timestamp(_, _) => "timestamp".into(),
        DataType::Date32 | DataType::Date64 => "date".into(),
        DataType::Time32(_) | DataType::Time64(_) => "time".into(),
        DataType::Interval(_) | DataType::Duration(_) => "interval".into(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".into(),
        DataType::Dictionary(_, value) => type_name(value),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            format!("list({})", type_name(item.data_type()))
        }
        DataType::Struct(_) => "struct".into(),
        other => other.to_string().to_lowercase(),
    }
}
