//! Where patterns stand in an expression.
//!
//! A pattern from a column would be compiled anew for every row, from a text that someone else
//! chose, and what it compiles to no memory pool counts. So patterns are literals.

use datafusion::logical_expr::{BinaryExpr, Expr, Like, Operator};

/// Which arguments of a function are the pattern and the letters that change its meaning, counted
/// from zero; none for a function that takes no pattern.
#[must_use]
pub fn pattern_arguments(function: &str) -> Option<(usize, usize)> {
    match function {
        "regexp_like" | "regexp_match" => Some((1, 2)),
        "regexp_replace" | "regexp_count" => Some((1, 3)),
        "regexp_instr" => Some((1, 4)),
        _ => None,
    }
}

/// Whether a planned expression matches with a pattern that is no literal.
#[must_use]
pub fn has_open_pattern(expr: &Expr) -> bool {
    let is_open = |pattern: &Expr| !matches!(pattern, Expr::Literal(..));
    match expr {
        Expr::Like(Like { pattern, .. }) | Expr::SimilarTo(Like { pattern, .. }) => {
            is_open(pattern)
        }
        Expr::BinaryExpr(BinaryExpr { op, right, .. }) => {
            matches!(
                op,
                Operator::RegexMatch
                    | Operator::RegexIMatch
                    | Operator::RegexNotMatch
                    | Operator::RegexNotIMatch
                    | Operator::LikeMatch
                    | Operator::ILikeMatch
                    | Operator::NotLikeMatch
                    | Operator::NotILikeMatch
            ) && is_open(right)
        }
        Expr::ScalarFunction(call) => pattern_arguments(call.func.name())
            .and_then(|(pattern, _)| call.args.get(pattern))
            .is_some_and(is_open),
        _ => false,
    }
}
