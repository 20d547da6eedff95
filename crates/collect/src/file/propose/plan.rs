//! The stream that is proposed: a field per column, the id, the time.

use std::path::Path;
use std::time::Duration;

use tillwatch_event::{Field, FieldType, StreamSchema, guard};

use super::column::{Hints, Verdict};
use super::names::{self, Namer};
use super::survey::Survey;
use crate::file::error::FileError;

/// The share of lines that must have a time for its column to be the stream's, when none has it in all.
const TIME_SHARE_MIN: f64 = 0.9;

/// A proposed field and what was seen of its column.
pub(super) struct PlannedField {
    pub(super) field: Field,
    /// The column's place in the survey.
    pub(super) column: usize,
    pub(super) verdict: Verdict,
    /// Why it is not of the type its values suggest.
    pub(super) note: Option<String>,
}

/// A proposed stream.
pub(super) struct Plan {
    pub(super) stream: String,
    pub(super) fields: Vec<PlannedField>,
    pub(super) left_out: Vec<(String, String)>,
    pub(super) id: Option<String>,
    /// The best id that is none because it repeats.
    pub(super) almost_id: Option<String>,
    pub(super) time: String,
    pub(super) time_missing: u64,
    /// Other columns that could be the time.
    pub(super) other_times: Vec<String>,
}

impl Plan {
    pub(super) fn new(
        path: &Path,
        survey: &Survey,
        stream: Option<&str>,
    ) -> Result<Self, FileError> {
        let stem = path.file_name().unwrap_or_default().to_string_lossy();
        let stem = stem.split('.').next().unwrap_or_default();
        let stream = Namer::new().name(stream.unwrap_or(stem), "events");
        let mut plan = Self {
            stream,
            fields: Vec::new(),
            left_out: Vec::new(),
            id: None,
            almost_id: None,
            time: String::new(),
            time_missing: 0,
            other_times: Vec::new(),
        };
        let left_out = survey.left_out.iter();
        plan.left_out = left_out
            .map(|(name, reason)| (name.clone(), (*reason).to_owned()))
            .collect();
        plan.take_columns(survey);
        plan.choose_time(path, survey)?;
        plan.choose_id(survey);
        Ok(plan)
    }

    /// The schema, as the YAML describes it.
    pub(super) fn schema(&self) -> StreamSchema {
        StreamSchema {
            name: self.stream.clone(),
            id: self.id.clone(),
            time: self.time.clone(),
            dedup: Duration::from_secs(24 * 3600),
            fields: self
                .fields
                .iter()
                .map(|planned| planned.field.clone())
                .collect(),
        }
    }

    pub(super) fn field(&self, name: &str) -> Option<&PlannedField> {
        self.fields
            .iter()
            .find(|planned| planned.field.name == name)
    }

    /// Makes fields that lines were rejected for take more; `false` when nothing could be changed.
    pub(super) fn loosen(&mut self, faulty: &[String]) -> bool {
        let mut changed = false;
        for planned in self
            .fields
            .iter_mut()
            .filter(|p| faulty.contains(&p.field.name))
        {
            let keeps_its_part =
                planned.field.name == self.time || Some(&planned.field.name) == self.id.as_ref();
            if keeps_its_part {
                continue;
            }
            if !planned.field.optional {
                planned.field.optional = true;
                changed = true;
            } else if planned.field.kind != FieldType::String {
                planned.note = Some(format!("not every value is a {}", planned.field.kind));
                planned.field.kind = FieldType::String;
                planned.field.format = None;
                planned.field.null_values.clear();
                changed = true;
            }
        }
        changed
    }

    fn take_columns(&mut self, survey: &Survey) {
        let mut namer = Namer::new();
        for (at, column) in survey.columns.iter().enumerate() {
            let fallback = format!("column_{}", at + 1);
            let wish = column.source.as_deref().unwrap_or(&fallback);
            let leaf = wish.to_owned();
            let name = namer.name(&leaf, &fallback);
            let hints = names::hints(&name, column.source.is_some());
            if guard::is_forbidden_name(&name) || guard::is_forbidden_name(wish) {
                self.left_out.push((
                    wish.to_owned(),
                    "card verification data must not be kept".to_owned(),
                ));
                continue;
            }
            let hints = if column.source.is_none() {
                Hints {
                    time: true,
                    ..hints
                }
            } else {
                hints
            };
            let Some(verdict) = column.verdict(hints) else {
                let reason = "its values are of several JSON types".to_owned();
                self.left_out.push((wish.to_owned(), reason));
                continue;
            };
            let mut field = Field::new(
                name,
                verdict.kind.clone(),
                column.empty > 0 || !verdict.nulls.is_empty(),
            );
            field.format.clone_from(&verdict.format);
            field.null_values.clone_from(&verdict.nulls);
            field.from = column.source.clone().filter(|source| *source != field.name);
            let undated = hints.time && column.source.is_some() && column.filled > 0;
            let undated = undated && verdict.kind == FieldType::String;
            let note =
                undated.then(|| "no single form of dates or times fits all values".to_owned());
            self.fields.push(PlannedField {
                field,
                column: at,
                verdict,
                note,
            });
        }
        self.name_dates_without_a_name(survey);
    }

    /// A date in a file without a header is at least called a day.
    fn name_dates_without_a_name(&mut self, survey: &Survey) {
        let mut days = self.fields.iter_mut().filter(|planned| {
            let named = survey
                .columns
                .get(planned.column)
                .is_some_and(|c| c.source.is_some());
            !named && matches!(planned.field.kind, FieldType::Date | FieldType::Timestamp)
        });
        if let (Some(only), None) = (days.next(), days.next()) {
            let is_date = only.field.kind == FieldType::Date;
            only.field.name = if is_date { "day" } else { "occurred_at" }.to_owned();
        }
    }

    fn choose_time(&mut self, path: &Path, survey: &Survey) -> Result<(), FileError> {
        let filled = |planned: &PlannedField| {
            let Some(column) = survey.columns.get(planned.column) else {
                return 0.0;
            };
            let share = column.filled as f64 / survey.rows.max(1) as f64;
            if planned.verdict.nulls.is_empty() {
                share
            } else {
                share.min(0.99)
            }
        };
        let mut times: Vec<(f64, i32, String)> = self
            .fields
            .iter()
            .filter(|p| matches!(p.field.kind, FieldType::Date | FieldType::Timestamp))
            .map(|planned| {
                let precise = i32::from(planned.field.kind == FieldType::Timestamp);
                let rank = names::event_time_rank(&planned.field.name) * 2 + precise;
                (filled(planned), rank, planned.field.name.clone())
            })
            .collect();
        // In all lines, or else in almost all: what is left is then rejected, visibly.
        let best = |all: bool| {
            let able = times.iter().filter(|(share, ..)| {
                if all {
                    *share >= 1.0
                } else {
                    *share >= TIME_SHARE_MIN
                }
            });
            able.rev()
                .max_by_key(|(_, rank, _)| *rank)
                .map(|(.., name)| name.clone())
        };
        let named = best(true).or_else(|| best(false));
        let Some(name) = named.or_else(|| self.epoch_by_values(survey)) else {
            return Err(no_time(path, &times));
        };
        if let Some(planned) = self.fields.iter_mut().find(|p| p.field.name == name) {
            planned.field.optional = false;
            planned.field.null_values.clear();
            self.time_missing = survey
                .columns
                .get(planned.column)
                .map_or(0, |column| column.empty);
        }
        times.retain(|(share, _, other)| *share >= 1.0 && *other != name);
        self.other_times = times.into_iter().map(|(.., name)| name).collect();
        self.time = name;
        Ok(())
    }

    /// Makes a column the time that is not named like one, but holds nothing but plausible epoch numbers.
    fn epoch_by_values(&mut self, survey: &Survey) -> Option<String> {
        let hints = Hints {
            time: true,
            ..Hints::default()
        };
        self.fields.iter_mut().find_map(|planned| {
            let column = survey.columns.get(planned.column)?;
            let verdict = column.verdict(hints)?;
            if planned.field.optional || verdict.kind != FieldType::Timestamp {
                return None;
            }
            planned.field.kind = FieldType::Timestamp;
            planned.verdict = verdict;
            planned.note = Some("its numbers look like epoch times".to_owned());
            Some(planned.field.name.clone())
        })
    }

    fn choose_id(&mut self, survey: &Survey) {
        let able = |planned: &&PlannedField| {
            matches!(planned.field.kind, FieldType::String | FieldType::Int64)
                && !planned.field.optional
                && names::is_id(&planned.field.name)
        };
        let unique = |planned: &&PlannedField| {
            survey
                .columns
                .get(planned.column)
                .is_some_and(super::column::Column::unique)
        };
        // An id of the event goes before an id of what the event is about.
        let rank = |planned: &&PlannedField| match planned.field.name.as_str() {
            "event_id" => 3,
            "id" => 2,
            name if name
                .split('_')
                .any(|w| matches!(w, "user" | "customer" | "session")) =>
            {
                0
            }
            _ => 1,
        };
        let ids = || self.fields.iter().filter(able).rev();
        let id = ids()
            .filter(unique)
            .max_by_key(rank)
            .map(|p| p.field.name.clone());
        let almost = ids()
            .filter(|p| p.field.name == "event_id" || p.field.name == "id")
            .max_by_key(rank);
        self.almost_id = almost
            .map(|p| p.field.name.clone())
            .filter(|_| id.is_none());
        self.id = id;
    }
}

fn no_time(path: &Path, times: &[(f64, i32, String)]) -> FileError {
    let nearest = times.iter().max_by(|a, b| a.0.total_cmp(&b.0));
    let hint = match nearest {
        Some((share, _, name)) => {
            format!(
                "; the nearest, {name}, has one in {:.1} % of the lines",
                share * 100.0
            )
        }
        None => String::new(),
    };
    FileError::NoTime {
        path: path.to_owned(),
        hint,
    }
}
