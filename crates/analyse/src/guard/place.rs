//! Where an expression stands in the text.
//!
//! The parser's own spans of expressions recurse over all that is in them without a look at the
//! stack, so they must not be asked of anything that is not known to be shallow, and least of all of
//! what is being refused for its depth.

use datafusion::sql::sqlparser::ast::{Expr, Spanned};

use super::text::position;
use crate::error::Position;

/// The place of the first name or value that is written in an expression; none where the parser
/// kept no place. Takes a loop, however deep the expression is.
pub(super) fn start(expr: &Expr) -> Option<Position> {
    let mut expr = expr;
    loop {
        expr = match expr {
            Expr::Identifier(name) => return position(name.span.start),
            Expr::CompoundIdentifier(names) => return position(names.first()?.span.start),
            Expr::Value(value) => return position(value.span.start),
            Expr::TypedString(typed) => return position(typed.value.span.start),
            Expr::Function(call) => return position(call.name.span().start),
            Expr::Case { case_token, .. } => return position(case_token.0.span.start),
            Expr::Tuple(items) => items.first()?,
            Expr::Interval(interval) => &interval.value,
            Expr::CompoundFieldAccess { root, .. } => root,
            Expr::BinaryOp { left, .. }
            | Expr::AnyOp { left, .. }
            | Expr::AllOp { left, .. }
            | Expr::IsDistinctFrom(left, _)
            | Expr::IsNotDistinctFrom(left, _) => left,
            Expr::AtTimeZone { timestamp, .. } => timestamp,
            Expr::IsFalse(inner)
            | Expr::IsNotFalse(inner)
            | Expr::IsTrue(inner)
            | Expr::IsNotTrue(inner)
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::IsUnknown(inner)
            | Expr::IsNotUnknown(inner)
            | Expr::Nested(inner)
            | Expr::UnaryOp { expr: inner, .. }
            | Expr::InList { expr: inner, .. }
            | Expr::InSubquery { expr: inner, .. }
            | Expr::InUnnest { expr: inner, .. }
            | Expr::Between { expr: inner, .. }
            | Expr::Like { expr: inner, .. }
            | Expr::ILike { expr: inner, .. }
            | Expr::SimilarTo { expr: inner, .. }
            | Expr::RLike { expr: inner, .. }
            | Expr::Convert { expr: inner, .. }
            | Expr::Cast { expr: inner, .. }
            | Expr::Extract { expr: inner, .. }
            | Expr::Ceil { expr: inner, .. }
            | Expr::Floor { expr: inner, .. }
            | Expr::Position { expr: inner, .. }
            | Expr::Substring { expr: inner, .. }
            | Expr::Trim { expr: inner, .. }
            | Expr::Overlay { expr: inner, .. }
            | Expr::Collate { expr: inner, .. } => inner,
            _ => return None,
        };
    }
}
