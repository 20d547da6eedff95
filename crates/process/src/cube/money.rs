//! Money is never added over currencies without a rate.
//!
//! In a stream that tells a currency, a decimal is taken for an amount in it. A sum or mean of such
//! amounts needs one currency in every figure: by a filter, by `convert()`, or by measures of the
//! first and last currency, from which a metric sees that there is but one. A dimension is not
//! enough, because a query need not split by it.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::Column;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::Operator;
use tillwatch_event::FieldType;

use crate::definition::{CubeDefinition, StreamDefinition};
use crate::engine::Engine;

/// Functions that give back one of their arguments, or something near it.
const KEEPING: &[&str] = &["abs", "ceil", "coalesce", "floor", "nullif", "nvl", "round"];

/// The columns of a stream that hold amounts in the event's own currency, and those that tell it;
/// both empty in a stream without currencies.
#[derive(Debug, Default)]
pub(crate) struct Money {
    amounts: BTreeSet<String>,
    currencies: BTreeSet<String>,
}

impl Money {
    /// Of a stream whose declared and derived columns are `columns`.
    pub(crate) fn of(engine: &Engine, stream: &StreamDefinition, columns: &Schema) -> Self {
        let mut found = Self::default();
        for field in &stream.schema.fields {
            match field.kind {
                FieldType::Currency => found.currencies.insert(field.name.clone()),
                FieldType::Decimal { .. } => found.amounts.insert(field.name.clone()),
                _ => false,
            };
        }
        if found.currencies.is_empty() {
            return Self::default();
        }
        for (name, sql) in &stream.derive {
            // What cannot be parsed has been reported with its column.
            let Ok(expr) = engine.parse_over(sql, columns) else {
                continue;
            };
            let is_text = columns
                .field_with_name(name)
                .is_ok_and(|field| field.data_type().is_string());
            if is_text && found.tells_currency(&expr) {
                found.currencies.insert(name.clone());
            } else if found.is_amount(&expr) {
                found.amounts.insert(name.clone());
            }
        }
        found
    }

    /// Whether no figure of a cube can pass for one of a single currency when it is not: its stream
    /// has no currencies, or the cube tells the first and the last of every figure.
    pub(crate) fn is_kept_apart(
        &self,
        engine: &Engine,
        cube: &CubeDefinition,
        columns: &Schema,
    ) -> bool {
        let parsed = |sql: &str| engine.parse_over(sql, columns).ok();
        let tells = |function: &str| {
            cube.measures
                .iter()
                .filter_map(|(_, sql)| parsed(sql))
                .any(|measure| {
                    matches!(&measure, Expr::AggregateFunction(call)
                        if call.func.name() == function
                            && call.params.filter.is_none()
                            && matches!(call.params.args.as_slice(),
                                [Expr::Column(column)] if self.currencies.contains(&column.name)))
                })
        };
        self.amounts.is_empty() || (tells("min") && tells("max"))
    }

    /// Why a measure adds amounts of several currencies, if it does.
    pub(crate) fn fault(&self, engine: &Engine, sql: &str, columns: &Schema) -> Option<String> {
        let Ok(Expr::AggregateFunction(call)) = engine.parse_over(sql, columns) else {
            return None;
        };
        let function = call.func.name();
        if !matches!(function, "sum" | "avg") {
            return None;
        }
        if let Some(filter) = &call.params.filter
            && self.tells_currency(filter)
        {
            return None;
        }
        let argument = call.params.args.first().filter(|e| self.is_amount(e))?;
        let currency = self.currencies.first()?;
        Some(format!(
            "amounts in several currencies would be added; write {function}(convert({argument}, {currency}, 'EUR')), \
             filter (where {currency} = 'EUR'), or measure min({currency}) and max({currency}) too and let the metric compare them; \
             a decimal that is no money can be cast to double"
        ))
    }

    fn tells_currency(&self, expr: &Expr) -> bool {
        expr.column_refs()
            .iter()
            .any(|column| self.currencies.contains(&column.name))
    }

    /// Whether an expression surely is an amount in the event's own currency. One that looks at the
    /// currency knows what it does, as `convert()`; an amount over another is a share.
    fn is_amount(&self, expr: &Expr) -> bool {
        if self.tells_currency(expr) {
            return false;
        }
        match expr {
            Expr::Column(Column { name, .. }) => self.amounts.contains(name),
            Expr::Alias(alias) => self.is_amount(&alias.expr),
            Expr::Negative(inner) => self.is_amount(inner),
            // Money is never a float, so what is cast to one is not meant as money.
            Expr::Cast(cast) => !cast.field.data_type().is_floating() && self.is_amount(&cast.expr),
            Expr::BinaryExpr(binary) => {
                let left = self.is_amount(&binary.left);
                let right = self.is_amount(&binary.right);
                match binary.op {
                    Operator::Plus | Operator::Minus => left || right,
                    Operator::Multiply => left != right,
                    Operator::Divide | Operator::Modulo => left && !right,
                    _ => false,
                }
            }
            Expr::Case(case) => {
                let thens = case.when_then_expr.iter().map(|(_, then)| then);
                thens
                    .chain(&case.else_expr)
                    .any(|result| self.is_amount(result))
            }
            Expr::ScalarFunction(call) => {
                KEEPING.contains(&call.func.name()) && call.args.iter().any(|e| self.is_amount(e))
            }
            _ => false,
        }
    }
}
