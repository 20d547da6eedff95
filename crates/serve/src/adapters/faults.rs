//! Faults of the other parts as problem documents.

use std::fmt::Display;

use serde_json::{Map, Value};
use tillwatch_analyse::AnalyseError;
use tillwatch_collect::{DecodeError, IntakeError};
use tillwatch_monitor::MonitorError;

use crate::adapters::backtests::ProposalFault;
use crate::problem::{Problem, Slug};

/// A fault's sentence with a capital and a full stop, as details have.
pub(super) fn sentence(fault: &dyn Display) -> String {
    let text = fault.to_string();
    let mut letters = text.chars();
    let Some(first) = letters.next() else {
        return text;
    };
    let mut sentence: String = first.to_uppercase().chain(letters).collect();
    if !sentence.ends_with(['.', '!', '?', '…']) {
        sentence.push('.');
    }
    sentence
}

pub(super) fn decode(fault: &DecodeError) -> Problem {
    let slug = match fault {
        DecodeError::BodyTooLarge { .. } | DecodeError::ColumnsTooLarge { .. } => {
            Slug::BodyTooLarge
        }
        DecodeError::UnknownEncoding(_) => Slug::UnsupportedContentEncoding,
        DecodeError::UnknownFormat(_) | DecodeError::UnknownCharset(_) => {
            Slug::UnsupportedContentType
        }
        DecodeError::FormatParameter(_) => Slug::BadHeader,
        _ => Slug::BodyUnreadable,
    };
    Problem::new(slug, sentence(fault))
}

pub(super) fn intake(fault: &IntakeError) -> Problem {
    match fault {
        IntakeError::Overloaded { retry_after, .. } => {
            Problem::new(Slug::Overloaded, sentence(fault)).retry_after(*retry_after)
        }
        IntakeError::TooLarge { .. } => Problem::new(Slug::BodyTooLarge, sentence(fault)),
        IntakeError::StorageFull(_) => Problem::new(Slug::JournalFull, sentence(fault)),
        IntakeError::DiskLow {
            free_bytes,
            free_bytes_min,
        } => Problem::new(Slug::DiskLow, sentence(fault))
            .with("free_bytes", *free_bytes)
            .with("free_bytes_min", *free_bytes_min),
        IntakeError::Unavailable(_) => Problem::new(Slug::JournalPoisoned, sentence(fault)),
        IntakeError::Stopping => Problem::new(Slug::Stopping, sentence(fault)).retry_after_s(1),
        IntakeError::Changed { .. } => {
            Problem::new(Slug::DefinitionsChanged, sentence(fault)).retry_after_s(1)
        }
        _ => Problem::internal(fault),
    }
}

pub(super) fn analyse(fault: &AnalyseError) -> Problem {
    let slug = match fault {
        AnalyseError::TooLarge(_)
        | AnalyseError::TooManyRows { .. }
        | AnalyseError::AnswerTooLarge { .. }
        | AnalyseError::Memory { .. } => Slug::QueryTooLarge,
        AnalyseError::Syntax(_)
        | AnalyseError::Forbidden(_)
        | AnalyseError::Unknown(_)
        | AnalyseError::Invalid(_)
        | AnalyseError::Metric { .. } => Slug::BadQuery,
        AnalyseError::Deadline { .. } => Slug::Timeout,
        AnalyseError::Busy | AnalyseError::Crowded => {
            return Problem::new(Slug::Overloaded, sentence(fault))
                .with("reason", fault.slug())
                .retry_after_s(1);
        }
        // The cause has been logged where it arose.
        _ => return Problem::new(Slug::Internal, sentence(fault)),
    };
    let problem = Problem::new(slug, sentence(fault))
        .with("reason", fault.slug())
        .suggesting(fault.suggestion());
    match fault.position() {
        Some(place) => problem
            .with("line", place.line)
            .with("column", place.column),
        None => problem,
    }
}

pub(super) fn monitor(fault: &MonitorError) -> Problem {
    match fault {
        fault if fault.is_disk_full() => Problem::new(Slug::JournalFull, sentence(fault)),
        MonitorError::UnknownIncident(_) => Problem::new(Slug::UnknownIncident, sentence(fault)),
        MonitorError::WrongState { .. } => Problem::new(Slug::Conflict, sentence(fault)),
        _ => Problem::internal(fault),
    }
}

/// Faults of a definition that are listed; more are told when these are mended.
const FAULTS_MAX: usize = 100;

/// A definition that was sent and cannot work.
pub(super) fn definition(faults: &[ProposalFault]) -> Problem {
    let told = faults.iter().take(FAULTS_MAX);
    let lines = told.clone().map(|fault| {
        let ProposalFault { path, message, .. } = fault;
        format!("{path}: {message}")
    });
    let mut detail = format!("{}.", lines.collect::<Vec<_>>().join("; "));
    if faults.len() > FAULTS_MAX {
        detail.push_str(&format!(" There are {} more.", faults.len() - FAULTS_MAX));
    }
    let listed = told.map(|fault| {
        let mut one = Map::new();
        one.insert("path".into(), fault.path.clone().into());
        one.insert("message".into(), fault.message.clone().into());
        if let Some(suggestion) = &fault.suggestion {
            one.insert("suggestion".into(), suggestion.clone().into());
        }
        if let Some((line, column)) = fault.place {
            one.insert("line".into(), line.into());
            one.insert("column".into(), column.into());
        }
        Value::Object(one)
    });
    let problem =
        Problem::new(Slug::BadDefinition, detail).with("faults", Value::Array(listed.collect()));
    let mut suggestions = faults
        .iter()
        .filter_map(|fault| fault.suggestion.as_deref());
    problem.suggesting(suggestions.next())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tillwatch_analyse::{Fault, Position};

    use super::*;

    #[test]
    fn faults_of_bodies_have_their_slugs() {
        let cases = [
            (
                DecodeError::BodyTooLarge { bytes_max: 1 },
                Slug::BodyTooLarge,
            ),
            (
                DecodeError::ColumnsTooLarge { bytes_max: 1 },
                Slug::BodyTooLarge,
            ),
            (
                DecodeError::UnknownEncoding("br".into()),
                Slug::UnsupportedContentEncoding,
            ),
            (
                DecodeError::UnknownFormat("text/plain".into()),
                Slug::UnsupportedContentType,
            ),
            (
                DecodeError::UnknownCharset("utf-16".into()),
                Slug::UnsupportedContentType,
            ),
            (DecodeError::FormatParameter("x".into()), Slug::BadHeader),
            (DecodeError::Utf8 { at: 3 }, Slug::BodyUnreadable),
            (
                DecodeError::Json {
                    reason: "x".into(),
                    at: 3,
                },
                Slug::BodyUnreadable,
            ),
            (DecodeError::CsvHeader("x".into()), Slug::BodyUnreadable),
        ];
        for (fault, slug) in cases {
            assert_eq!(decode(&fault).slug(), slug, "{fault}");
        }
    }

    #[test]
    fn faults_of_the_intake_have_their_slugs() {
        let busy = IntakeError::Overloaded {
            reason: "x".into(),
            retry_after: Duration::from_millis(1_200),
        };
        let cases = [
            (busy, Slug::Overloaded),
            (
                IntakeError::TooLarge {
                    bytes: 2,
                    bytes_max: 1,
                },
                Slug::BodyTooLarge,
            ),
            (IntakeError::StorageFull("x".into()), Slug::JournalFull),
            (
                IntakeError::DiskLow {
                    free_bytes: 1,
                    free_bytes_min: 2,
                },
                Slug::DiskLow,
            ),
            (IntakeError::Unavailable("x".into()), Slug::JournalPoisoned),
            (IntakeError::Stopping, Slug::Stopping),
            (
                IntakeError::Changed {
                    stream: "x".into(),
                    rows: 1,
                },
                Slug::DefinitionsChanged,
            ),
            (IntakeError::Record("x".into()), Slug::Internal),
        ];
        for (fault, slug) in cases {
            assert_eq!(intake(&fault).slug(), slug, "{fault}");
        }
    }

    #[test]
    fn faults_of_queries_say_where_and_what_instead() {
        let place = Position { line: 2, column: 7 };
        let fault = Fault::new("there is no column 'pps'")
            .at(Some(place))
            .suggest(Some("did you mean 'psp'?".into()));
        let document = analyse(&AnalyseError::Unknown(fault)).document();
        assert_eq!(document["status"], 400);
        assert_eq!(document["line"], 2);
        assert_eq!(document["column"], 7);
        assert_eq!(document["suggestion"], "did you mean 'psp'?");
        assert_eq!(document["reason"], "unknown-name");
        let cases = [
            (AnalyseError::Deadline { deadline_ms: 1 }, Slug::Timeout),
            (
                AnalyseError::TooManyRows { rows_max: 1 },
                Slug::QueryTooLarge,
            ),
            (AnalyseError::Memory { bytes_max: 1 }, Slug::QueryTooLarge),
            (AnalyseError::Busy, Slug::Overloaded),
            (AnalyseError::Crowded, Slug::Overloaded),
            (AnalyseError::Internal, Slug::Internal),
        ];
        for (fault, slug) in cases {
            assert_eq!(analyse(&fault).slug(), slug, "{fault}");
        }
    }
}
