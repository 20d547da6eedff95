//! Which column says when an event happened, and what is said when none does.

use std::path::Path;

use tillwatch_event::FieldType;

use super::column::{Hints, Verdict};
use super::names;
use super::plan::{Part, Plan, PlannedField, hints_of};
use super::survey::Survey;
use super::times;
use crate::file::error::FileError;

/// The share of lines that must have a time for its column to be the stream's, when none has it in all.
const TIME_SHARE_MIN: f64 = 0.9;
/// The share of values that may be wrong in a column that counts as having a time in every line.
const WRONG_SHARE_MAX: f64 = 0.01;

impl Plan {
    pub(super) fn choose_time(&mut self, path: &Path, survey: &Survey) -> Result<(), FileError> {
        let mut times: Vec<Time> = (self.declared())
            .filter_map(|planned| Time::of(planned, survey))
            .collect();
        // In all lines but for some wrong values, or else in almost all: the others are then
        // rejected, visibly.
        let best = |tier: fn(&Time) -> bool| {
            let able = times.iter().filter(|time| tier(time));
            able.rev().max_by_key(|time| time.rank)
        };
        let best = best(Time::in_every_line).or_else(|| best(|time| time.share >= TIME_SHARE_MIN));
        let named = best.map(|time| (time.name.clone(), time.almost.clone()));
        let by_values = || Some((self.epoch_by_values(survey)?, None));
        let Some((name, almost)) = named.or_else(by_values) else {
            return Err(self.no_time(path, survey, &times));
        };
        if let Some(planned) = self.fields.iter_mut().find(|p| p.field.name == name) {
            if let Some((verdict, off, _)) = almost {
                planned.field.kind = verdict.kind.clone();
                planned.field.format.clone_from(&verdict.format);
                planned.verdict = verdict;
                let (values, their) = if off == 1 {
                    ("value is", "its lines")
                } else {
                    ("different values are", "their lines")
                };
                planned.note = Some(format!(
                    "{off} {values} no time like the others; {their} are rejected"
                ));
            }
            planned.field.optional = false;
            planned.field.null_values.clear();
            self.time_missing = survey
                .columns
                .get(planned.column)
                .map_or(0, |column| column.empty);
        }
        times.retain(|time| time.share >= 1.0 && time.name != name);
        self.other_times = times.into_iter().map(|time| time.name).collect();
        self.time = name;
        Ok(())
    }

    /// Makes a column the time that is not named like one, but holds nothing but plausible epoch numbers.
    fn epoch_by_values(&mut self, survey: &Survey) -> Option<String> {
        let hints = Hints {
            time: true,
            ..Hints::default()
        };
        let declared = |planned: &&mut PlannedField| planned.part == Part::Field;
        self.fields.iter_mut().filter(declared).find_map(|planned| {
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

    /// What is said when no column says when an event happened.
    fn no_time(&self, path: &Path, survey: &Survey, times: &[Time]) -> FileError {
        if let Some(key) = &survey.wrapped {
            return FileError::Wrapped {
                path: path.to_owned(),
                key: key.clone(),
            };
        }
        let nearest = times.iter().max_by(|a, b| a.share.total_cmp(&b.share));
        let shown = |planned: &PlannedField| {
            let column = survey.columns.get(planned.column);
            column
                .map(|column| column.shown.clone())
                .unwrap_or_default()
        };
        let nanos = |planned: &&PlannedField| {
            let shown = shown(planned);
            !shown.is_empty() && shown.iter().all(|text| times::epoch_nanos(text))
        };
        let undated = |planned: &&PlannedField| {
            let column = survey.columns.get(planned.column);
            column.is_some_and(|column| {
                column.filled > 0
                    && hints_of(&planned.field.name, column).time
                    && column.source.is_some()
            })
        };
        let hint = if let Some(Time { share, name, .. }) = nearest {
            format!(
                "; the nearest, {name}, has one in {:.1} % of the lines",
                share * 100.0
            )
        } else if let Some(planned) = self.declared().find(nanos) {
            format!(
                "; {} looks like nanoseconds since 1970: write microseconds, or RFC 3339",
                planned.field.name
            )
        } else if let Some(planned) = self.declared().find(undated) {
            let mut values = shown(planned);
            values.truncate(3);
            format!(
                "; {} is named like one, but its values are in no single form that is known: {}",
                planned.field.name,
                values.join(", ")
            )
        } else {
            String::new()
        };
        FileError::NoTime {
            path: path.to_owned(),
            hint,
        }
    }
}

/// A column that may say when an event happened.
struct Time {
    name: String,
    /// Higher is better; of equal ones the first.
    rank: i32,
    /// Of all lines.
    share: f64,
    /// Whether no line lacks it.
    complete: bool,
    /// What it is when some values are none, how many different ones, and in what share of lines.
    almost: Option<(Verdict, usize, f64)>,
}

impl Time {
    fn of(planned: &PlannedField, survey: &Survey) -> Option<Self> {
        let column = survey.columns.get(planned.column)?;
        let field = &planned.field;
        let is_time = |kind: &FieldType| matches!(kind, FieldType::Date | FieldType::Timestamp);
        let almost = if is_time(&field.kind) {
            None
        } else {
            Some(column.almost_time(hints_of(&field.name, column))?)
        };
        let verdict = almost
            .as_ref()
            .map_or(&planned.verdict, |(verdict, ..)| verdict);
        let precise = i32::from(verdict.kind == FieldType::Timestamp);
        let wrong = match &almost {
            Some((_, _, share)) => *share,
            None if verdict.nulls.is_empty() => 0.0,
            None => 0.01,
        };
        let filled = column.filled as f64 / survey.rows.max(1) as f64;
        let nulls = almost.is_none() && !verdict.nulls.is_empty();
        Some(Self {
            name: field.name.clone(),
            rank: names::event_time_rank(&field.name) * 2 + precise,
            share: filled * (1.0 - wrong),
            complete: column.empty == 0 && !nulls,
            almost,
        })
    }

    /// Whether every line has it, a few wrong values aside.
    fn in_every_line(&self) -> bool {
        self.complete && self.share >= 1.0 - WRONG_SHARE_MAX
    }
}
