//! Proposes a definition for a file: a stream that takes every line, a cube and metrics.

mod column;
mod event_time;
mod names;
mod notation;
mod plan;
mod roles;
mod survey;
#[cfg(test)]
mod tests;
mod times;
mod yaml;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use tillwatch_event::{FieldType, StreamSchema};

use super::dialect::FileFormat;
use super::error::FileError;
use super::open::Input;
use super::reader::{FileReader, ReadOptions};
use crate::decode::{DecodeLimits, Decoder};
use plan::{Part, Plan};
use roles::Roles;
use survey::Survey;

/// How a file is looked at.
#[derive(Debug, Clone, Default)]
pub struct ProposeOptions {
    /// The stream's name; made from the file's when absent.
    pub stream: Option<String>,
    /// How the file is read.
    pub read: ReadOptions,
    /// How much of the file is looked at, in bytes after decompression. Default 256 MiB.
    pub bytes_max: Option<u64>,
}

impl ProposeOptions {
    /// The default of `bytes_max`.
    pub const BYTES_MAX: u64 = 256 << 20;
}

/// A definition that loads a file.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The definitions file: one stream, one cube, metrics, with comments that say why.
    pub yaml: String,
    /// The stream's schema, as the YAML describes it.
    pub schema: Arc<StreamSchema>,
    /// The file's form.
    pub format: FileFormat,
    /// Lines looked at.
    pub lines: u64,
    /// Lines that the stream rejects.
    pub rejected: u64,
    /// Whether all of the file was looked at.
    pub whole: bool,
    /// The first reasons why lines are rejected, card numbers masked.
    pub rejections: Vec<String>,
    /// The stream's fields, those that are derived included.
    pub fields: Vec<ProposedField>,
    /// Columns that are not loaded, each with the reason.
    pub left_out: Vec<String>,
    /// The cube's bucket, as `1m`.
    pub bucket: String,
    /// The names of the cube's dimensions.
    pub dimensions: Vec<String>,
    /// The metrics.
    pub metrics: Vec<ProposedMetric>,
}

/// A field of a proposed stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedField {
    /// Its name.
    pub name: String,
    /// The column or key it is read from, when that has another name.
    pub from: Option<String>,
    /// Its type.
    pub kind: FieldType,
    /// Whether events may lack it.
    pub optional: bool,
    /// Some values, card numbers masked.
    pub examples: Vec<String>,
}

/// A proposed metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedMetric {
    /// Its name.
    pub name: String,
    /// What it is, in a few words.
    pub description: String,
}

/// Proposes a definition for the file at `path`.
///
/// The file is gone through twice: once to find a type for every column that holds all its values, once to
/// decode it with the result. A field that a line is still rejected for becomes text, or optional, so
/// that the proposal loads what can be loaded; how many lines are rejected after that is in the answer.
///
/// # Errors
/// When the file cannot be read or holds no records, and when no column has a date or time in (almost)
/// every line.
pub fn propose(path: &Path, options: &ProposeOptions) -> Result<Proposal, FileError> {
    of(&Input::file(path), options)
}

/// As [`propose`], for a file in memory that is called `name`, or for its beginning: then a last record that is cut off is not
/// looked at.
///
/// # Errors
/// As [`propose`], and when it is Parquet, which is read on the disk.
pub fn propose_sample(
    name: &Path,
    bytes: Bytes,
    whole: bool,
    options: &ProposeOptions,
) -> Result<Proposal, FileError> {
    of(&Input::memory(name, bytes, whole), options)
}

fn of(input: &Input, options: &ProposeOptions) -> Result<Proposal, FileError> {
    let path = input.path.as_path();
    let bytes_max = options.bytes_max.unwrap_or(ProposeOptions::BYTES_MAX);
    let survey = Survey::of(input, options.read, bytes_max)?;
    let mut plan = Plan::new(path, &survey, options.stream.as_deref())?;
    let mut trial = try_out(input, options, &plan, survey.format, bytes_max)?;
    for _ in 0..TRIALS_MAX {
        if trial.faulty.is_empty() || !plan.loosen(&trial.faulty) {
            break;
        }
        trial = try_out(input, options, &plan, survey.format, bytes_max)?;
    }
    let roles = Roles::of(&survey, &plan);
    let yaml = yaml::write(path, &survey, &plan, &roles, &trial);
    let fields = fields_of(&survey, &plan);
    let left_out = plan.left_out.iter();
    let left_out = left_out.map(|(name, reason)| yaml::comment(&format!("{name}: {reason}")));
    let schema = Arc::new(plan.schema());
    let (lines, rejected) = (trial.lines, trial.rejected);
    Ok(Proposal {
        yaml,
        schema,
        format: survey.format,
        lines,
        rejected,
        whole: survey.whole,
        rejections: trial
            .reasons
            .iter()
            .map(|reason| yaml::comment(reason))
            .collect(),
        fields,
        left_out: left_out.collect(),
        bucket: roles.bucket.to_owned(),
        dimensions: roles
            .dimensions
            .iter()
            .map(|dimension| dimension.name.clone())
            .collect(),
        metrics: (roles.metrics.iter())
            .map(|metric| ProposedMetric {
                name: metric.name.clone(),
                description: metric.description.clone(),
            })
            .collect(),
    })
}

fn fields_of(survey: &Survey, plan: &Plan) -> Vec<ProposedField> {
    let fields = plan.fields.iter().map(|planned| {
        let column = survey.columns.get(planned.column);
        let from = match planned.part {
            Part::Derived(_) => column.and_then(|column| column.source.clone()),
            _ => planned.field.from.clone(),
        };
        ProposedField {
            name: planned.field.name.clone(),
            from: from.filter(|from| *from != planned.field.name),
            kind: planned.field.kind.clone(),
            optional: planned.field.optional,
            examples: column
                .map(|column| column.shown.clone())
                .unwrap_or_default(),
        }
    });
    fields.collect()
}

/// Times a proposal is changed after lines were rejected.
const TRIALS_MAX: usize = 8;

/// What came of decoding the file with a proposal.
#[derive(Debug, Default)]
struct Trial {
    lines: u64,
    rejected: u64,
    /// The fields that lines were rejected for.
    faulty: Vec<String>,
    /// The first reasons.
    reasons: Vec<String>,
}

fn try_out(
    input: &Input,
    options: &ProposeOptions,
    plan: &Plan,
    format: FileFormat,
    bytes_max: u64,
) -> Result<Trial, FileError> {
    let path = input.path.as_path();
    let limits = DecodeLimits::default();
    let decoder = Decoder::new(Arc::new(plan.schema()), limits)
        .map_err(|error| FileError::malformed(path, 0, error))?;
    let read = ReadOptions {
        format: Some(format),
        ..options.read
    };
    let mut reader = FileReader::of(input, read, None)?;
    let mut trial = Trial::default();
    let mut bytes = 0;
    while let Some(chunk) = reader.next_chunk()? {
        let decoded = decoder
            .decode(&format.body_format(), &chunk.body)
            .map_err(|error| FileError::malformed(path, chunk.start.offset, error))?;
        trial.lines += decoded.lines;
        trial.rejected += decoded.rejected;
        for rejection in decoded.rejections {
            if trial.reasons.len() < 5 {
                let field = rejection
                    .field
                    .as_deref()
                    .map(|f| format!(" {f}"))
                    .unwrap_or_default();
                let line = chunk.line_in_file(rejection.line);
                trial
                    .reasons
                    .push(format!("line {line}:{field} {}", rejection.reason));
            }
            trial.faulty.extend(
                rejection
                    .field
                    .filter(|field| !trial.faulty.contains(field)),
            );
        }
        bytes += chunk.body.len() as u64;
        if bytes >= bytes_max {
            break;
        }
    }
    Ok(trial)
}

/// Whether a field of this type can be added up.
fn is_number(kind: &FieldType) -> bool {
    matches!(
        kind,
        FieldType::Int64 | FieldType::Float64 | FieldType::Decimal { .. }
    )
}
