//! The stream that is proposed: a field per column, the id, the time.

use std::path::Path;
use std::time::Duration;

use tillwatch_event::{Field, FieldType, SchemaLimits, StreamSchema, guard};

use super::column::{Column, Hints, InText, Verdict};
use super::names::{self, Namer};
use super::notation::Notation;
use super::survey::Survey;
use crate::file::error::FileError;

/// A proposed field and what was seen of its column.
pub(super) struct PlannedField {
    pub(super) field: Field,
    /// The column's place in the survey.
    pub(super) column: usize,
    pub(super) verdict: Verdict,
    /// Why it is not of the type its values suggest.
    pub(super) note: Option<String>,
    pub(super) part: Part,
}

/// What a planned field is to the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// A field like any other.
    Field,
    /// The text of numbers that another is derived from.
    Written,
    /// Derived by this expression.
    Derived(String),
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
        plan.keep_to_the_limit(path, survey)?;
        Ok(plan)
    }

    /// The schema, as the YAML describes it.
    pub(super) fn schema(&self) -> StreamSchema {
        StreamSchema {
            name: self.stream.clone(),
            id: self.id.clone(),
            time: self.time.clone(),
            dedup: Duration::from_secs(24 * 3600),
            fields: self.declared().map(|p| p.field.clone()).collect(),
        }
    }

    /// The fields that are read from the file.
    pub(super) fn declared(&self) -> impl Iterator<Item = &PlannedField> {
        let derived = |part: &Part| matches!(part, Part::Derived(_));
        self.fields.iter().filter(move |p| !derived(&p.part))
    }

    /// The fields that are derived, with their expressions.
    pub(super) fn derived(&self) -> impl Iterator<Item = (&PlannedField, &str)> {
        self.fields
            .iter()
            .filter_map(|planned| match &planned.part {
                Part::Derived(expr) => Some((planned, expr.as_str())),
                _ => None,
            })
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
        let proven = proven_notation(survey);
        for (at, column) in survey.columns.iter().enumerate() {
            let fallback = format!("column_{}", at + 1);
            let wish = column.source.as_deref().unwrap_or(&fallback);
            let leaf = wish.to_owned();
            let name = namer.name(&leaf, &fallback);
            if guard::is_forbidden_name(&name) || guard::is_forbidden_name(wish) {
                self.left_out.push((
                    wish.to_owned(),
                    "card verification data must not be kept".to_owned(),
                ));
                continue;
            }
            let hints = hints_of(&name, column);
            let Some(verdict) = column.verdict_in(hints, proven) else {
                let reason = "its values are of several JSON types".to_owned();
                self.left_out.push((wish.to_owned(), reason));
                continue;
            };
            let undated = hints.time && column.source.is_some() && column.filled > 0;
            let undated = undated && verdict.kind == FieldType::String;
            let note =
                undated.then(|| "no single form of dates or times fits all values".to_owned());
            let optional = column.empty > 0 || !verdict.nulls.is_empty();
            // A number in a text keeps the name, and the text gets another.
            let (name, part, number) = match &verdict.written {
                Some(InText {
                    notation,
                    kind,
                    brackets,
                    ambiguous,
                }) => {
                    let text = namer.name(&format!("{name}_text"), &format!("{fallback}_text"));
                    let expr =
                        notation.reading(&names::in_sql(&text), &kind.to_string(), *brackets);
                    let field = Field::new(name, kind.clone(), true);
                    let number = PlannedField {
                        field,
                        column: at,
                        verdict: verdict.clone(),
                        note: Some(if *ambiguous {
                            format!(
                                "{}; but {} fits too: check",
                                notation.example(),
                                notation.other().example()
                            )
                        } else {
                            notation.example().to_owned()
                        }),
                        part: Part::Derived(expr),
                    };
                    (text, Part::Written, Some(number))
                }
                None => (name, Part::Field, None),
            };
            let mut field = Field::new(name, verdict.kind.clone(), optional);
            field.format.clone_from(&verdict.format);
            field.null_values.clone_from(&verdict.nulls);
            field.from = column.source.clone().filter(|source| *source != field.name);
            self.fields.push(PlannedField {
                field,
                column: at,
                verdict,
                note,
                part,
            });
            self.fields.extend(number);
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

    /// A stream has a limited number of fields: the first ones are kept, and what identifies and dates.
    fn keep_to_the_limit(&mut self, path: &Path, survey: &Survey) -> Result<(), FileError> {
        let fields_max = SchemaLimits::default().fields_max;
        let over = self.declared().count().saturating_sub(fields_max);
        if over == 0 {
            return Ok(());
        }
        if survey.columns.iter().any(|column| column.source.is_none()) {
            return Err(FileError::Unsupported {
                path: path.to_owned(),
                found: "a table without column names that has more columns than a stream has fields",
                hint: "put a line with names on top",
            });
        }
        let mut room = fields_max - 1 - usize::from(self.id.is_some());
        let mut first_out = None;
        let (time, id) = (self.time.clone(), self.id.clone());
        self.fields.retain(|planned| {
            let name = &planned.field.name;
            if *name == time || Some(name) == id.as_ref() {
                return true;
            }
            // What is derived stands behind its text and goes with it.
            if !matches!(planned.part, Part::Derived(_)) && room == 0 || first_out.is_some() {
                first_out.get_or_insert_with(|| name.clone());
                return false;
            }
            if !matches!(planned.part, Part::Derived(_)) {
                room -= 1;
            }
            true
        });
        let which = format!("{over} columns from {} on", first_out.unwrap_or_default());
        let reason = format!("a stream has at most {fields_max} fields");
        self.left_out.push((which, reason));
        Ok(())
    }
}

/// How the file writes numbers, if its columns leave no doubt.
fn proven_notation(survey: &Survey) -> Option<Notation> {
    let proofs = survey.columns.iter().filter_map(|column| {
        let name = column.source.as_deref().unwrap_or_default().to_lowercase();
        column.proves(hints_of(&name, column))
    });
    let found: Vec<Notation> = proofs.collect();
    let first = found.first()?;
    found.iter().all(|other| other == first).then_some(*first)
}

/// What a column's name and place suggest.
pub(super) fn hints_of(name: &str, column: &Column) -> Hints {
    let named = column.source.is_some();
    let hints = names::hints(name, named);
    Hints {
        time: hints.time || !named,
        ..hints
    }
}
