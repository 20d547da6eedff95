//! How deep expressions are, once parsed.
//!
//! The planner asks every operator for its type, which asks the operators below it, again in every
//! pass. A chain of operators leans to the left, so its length is its depth, and planning takes the
//! square of it and more. Conditions are cheaper: their type is known without asking.
//!
//! Much of what comes later recurses over expressions too, some of it without a look at how much of
//! the stack is left. So this check comes first, and once it has passed, the depth of everything is
//! bounded and a worker's stack suffices.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Visit, Visitor};

use super::place::start;
use crate::error::{AnalyseError, Fault};
use crate::limits::QueryLimits;

/// Refuses expressions and conditions with too many operators in a row or within one another.
pub(crate) fn check_depth(part: &impl Visit, limits: &QueryLimits) -> Result<(), AnalyseError> {
    let mut depth = Depth {
        limits,
        values: 0,
        conditions: 0,
        subqueries: 0,
    };
    match part.visit(&mut depth) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(*error),
    }
}

struct Depth<'a> {
    limits: &'a QueryLimits,
    values: usize,
    conditions: usize,
    subqueries: usize,
}

/// `and`, `or` and `||`, which is planned as one function however long.
fn is_cheap(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::BinaryOp {
            op: BinaryOperator::And | BinaryOperator::Or | BinaryOperator::StringConcat,
            ..
        }
    )
}

/// A question that is a value or a condition of another. One that is a table is planned in a row
/// with it.
fn is_subquery(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. }
    )
}

impl Visitor for Depth<'_> {
    type Break = Box<AnalyseError>;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Box<AnalyseError>> {
        self.subqueries += usize::from(is_subquery(expr));
        let (depth, max, what) =
            if is_subquery(expr) && self.subqueries > self.limits.subquery_depth_max {
                (self.subqueries, self.limits.subquery_depth_max, "questions")
            } else if is_cheap(expr) {
                self.conditions += 1;
                let max = self.limits.condition_depth_max;
                (self.conditions, max, "'and', 'or' or '||'")
            } else {
                self.values += 1;
                (self.values, self.limits.expression_depth_max, "operators")
            };
        if depth > max {
            let fault = Fault::new(format!(
                "more than {max} {what} in a row or within one another"
            ));
            return ControlFlow::Break(Box::new(AnalyseError::TooLarge(fault.at(start(expr)))));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Box<AnalyseError>> {
        self.subqueries -= usize::from(is_subquery(expr));
        if is_cheap(expr) {
            self.conditions -= 1;
        } else {
            self.values -= 1;
        }
        ControlFlow::Continue(())
    }
}
