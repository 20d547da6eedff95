//! The patterns a query may match with.
//!
//! A pattern is compiled to a program that no memory pool counts and whose making and running no
//! deadline interrupts. A pattern from a column would be compiled anew for every row, so patterns
//! are literals; and all of a query's patterns together have a weight, which bounds what they
//! become: `(\w{100}){100}` is short and compiles to gigabytes.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Function, Visit, Visitor};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};
use tillwatch_process::functions::pattern_arguments;

use super::arguments::{argument, arguments, called, text_literal};
use super::place::start;
use crate::error::{AnalyseError, Fault};

/// What the patterns of one query may weigh together. A position of a pattern, which is a sign or a
/// class of signs, weighs `POSITION` and one more for each range of the class, as often as it is
/// repeated: about a thousand positions, or twenty of `\w`, which has 770 ranges. Such a pattern
/// compiles within milliseconds to less than two megabytes.
const WEIGHT_MAX: u64 = 16 * 1024;

/// The weight of one position, which is what matching takes time for.
const POSITION: u64 = 16;

/// Refuses patterns that are no literals or become too large, before anything is planned.
pub(crate) fn check_patterns(part: &impl Visit) -> Result<(), AnalyseError> {
    match part.visit(&mut Patterns { weight: 0 }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(*error),
    }
}

struct Patterns {
    weight: u64,
}

enum Pattern<'a> {
    /// Of `like` and `ilike`.
    Like(&'a Expr),
    /// A regular expression.
    Regex(&'a Expr),
    /// A regular expression as a function's argument.
    Argument(&'a Function, usize, usize),
}

impl Visitor for Patterns {
    type Break = Box<AnalyseError>;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Box<AnalyseError>> {
        let Some(pattern) = pattern(expr) else {
            return ControlFlow::Continue(());
        };
        match self.check(&pattern) {
            Ok(()) => ControlFlow::Continue(()),
            Err(fault) => {
                ControlFlow::Break(Box::new(AnalyseError::Forbidden(fault.at(start(expr)))))
            }
        }
    }
}

fn pattern(expr: &Expr) -> Option<Pattern<'_>> {
    match expr {
        Expr::Like { pattern, .. } | Expr::ILike { pattern, .. } => Some(Pattern::Like(pattern)),
        Expr::SimilarTo { pattern, .. } | Expr::RLike { pattern, .. } => {
            Some(Pattern::Regex(pattern))
        }
        Expr::BinaryOp { op, right, .. } => match op {
            BinaryOperator::PGLikeMatch
            | BinaryOperator::PGILikeMatch
            | BinaryOperator::PGNotLikeMatch
            | BinaryOperator::PGNotILikeMatch => Some(Pattern::Like(right)),
            BinaryOperator::PGRegexMatch
            | BinaryOperator::PGRegexIMatch
            | BinaryOperator::PGRegexNotMatch
            | BinaryOperator::PGRegexNotIMatch
            | BinaryOperator::Regexp => Some(Pattern::Regex(right)),
            _ => None,
        },
        Expr::Function(call) => {
            let (pattern, flags) = pattern_arguments(&called(call))?;
            Some(Pattern::Argument(call, pattern, flags))
        }
        _ => None,
    }
}

impl Patterns {
    fn check(&mut self, pattern: &Pattern<'_>) -> Result<(), Fault> {
        let weight = match *pattern {
            // Every sign is a position, `%` one that repeats.
            Pattern::Like(pattern) => POSITION.saturating_mul(literal(pattern)?.len() as u64),
            Pattern::Regex(pattern) => weight(&literal(pattern)?, "")?,
            Pattern::Argument(call, pattern, flags) => {
                let pattern = literal_argument(call, pattern)?;
                let flags = if arguments(call) > flags {
                    literal_argument(call, flags)?
                } else {
                    String::new()
                };
                weight(&pattern, &flags)?
            }
        };
        self.weight = self.weight.saturating_add(weight);
        if self.weight > WEIGHT_MAX {
            return Err(Fault::new(
                "the patterns of the query become too large once repetitions are written out",
            )
            .suggest(Some(
                "repeat less, or name signs as in [a-z0-9_] where \\w or \\d stands".into(),
            )));
        }
        Ok(())
    }
}

fn literal(expr: &Expr) -> Result<String, Fault> {
    text_literal(expr).ok_or_else(no_literal)
}

fn literal_argument(call: &Function, at: usize) -> Result<String, Fault> {
    argument(call, at)
        .and_then(text_literal)
        .ok_or_else(no_literal)
}

fn no_literal() -> Fault {
    Fault::new("a pattern must be a text in quotes").suggest(Some(
        "to compare with a column, use =, starts_with, ends_with or strpos".into(),
    ))
}

/// The weight of a regular expression; in both cases of letters, which weighs no less.
fn weight(pattern: &str, flags: &str) -> Result<u64, Fault> {
    let flags: String = flags.chars().filter(|flag| *flag != 'g').collect();
    let text = if flags.is_empty() {
        pattern.to_owned()
    } else {
        format!("(?{flags}){pattern}")
    };
    let parsed = ParserBuilder::new()
        .case_insensitive(true)
        .build()
        .parse(&text)
        .map_err(|error| {
            // The message draws the place over several lines; the last says what it is.
            let message = error.to_string();
            let what = message.lines().last().unwrap_or_default();
            Fault::new(format!(
                "'{pattern}' is no regular expression: {}",
                what.trim_start_matches("error: ")
            ))
        })?;
    Ok(weigh(&parsed))
}

/// Recurses as deep as the parser lets patterns nest, which is a few hundred levels.
fn weigh(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => POSITION.saturating_mul(literal.0.len() as u64),
        HirKind::Class(class) => POSITION.saturating_add(match class {
            Class::Unicode(class) => class.ranges().len() as u64,
            Class::Bytes(class) => class.ranges().len() as u64,
        }),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1);
            weigh(&repetition.sub).saturating_mul(u64::from(times))
        }
        HirKind::Capture(capture) => weigh(&capture.sub).saturating_add(1),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(weigh).fold(0, u64::saturating_add)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_patterns_are_light() {
        for pattern in [
            r"([0-9.]+) ([A-Z]+)",
            r"^\w+@\w+\.\w+$",
            r"^[A-Z]{2}\d{2}[A-Z0-9]{1,30}$",
            r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
            "declined|error|insufficient_funds|do_not_honour",
            "",
        ] {
            let weight = weight(pattern, "").unwrap();
            assert!(weight <= WEIGHT_MAX, "{pattern} weighs {weight}");
        }
    }

    #[test]
    fn repetitions_of_repetitions_are_heavy() {
        for pattern in [
            r"(\w{100}){100}",
            r"(?:\w{40}){3}",
            "(?:a?){4000}",
            "(?:(?:(?:a{9}){9}){9}){9}",
            "(?:.?){1000}",
        ] {
            let weight = weight(pattern, "").unwrap();
            assert!(weight > WEIGHT_MAX, "{pattern} weighs {weight}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        let fault = weight("(a", "i").unwrap_err();
        assert_eq!(
            fault.message,
            "'(a' is no regular expression: unclosed group"
        );
    }
}
