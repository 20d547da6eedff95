//! Money is never added over currencies without a rate.
//!
//! In a stream that tells a currency, a decimal is taken for an amount in it, and so is what is
//! computed from one. An aggregate of such amounts needs one currency in every figure: by a filter,
//! by `convert()`, or by measures of the first and last currency, from which a metric sees that
//! there is but one. A dimension is not enough, because a query need not split by it.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::DFSchema;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, ExprSchemable, Operator};
use tillwatch_event::FieldType;

use crate::definition::{CubeDefinition, StreamDefinition};
use crate::engine::Engine;

/// Aggregates that give one of the values, or none of them.
const ADDING_NOTHING: &[&str] = &["count", "distinct", "max", "min", "quantile"];
/// Functions of a currency that tell it as well as the currency itself does.
const SAME_CURRENCY: &[&str] = &["btrim", "lower", "trim", "upper"];

/// The columns of a stream that hold amounts in the event's own currency, and those that tell it;
/// all empty in a stream without currencies.
#[derive(Debug, Default)]
pub(crate) struct Money {
    amounts: BTreeSet<String>,
    /// As declared.
    currencies: Vec<String>,
    /// Derived from one of these.
    spelled_currencies: BTreeSet<String>,
    schema: Option<DFSchema>,
}

impl Money {
    /// Of a stream whose declared and derived columns are `columns`.
    pub(crate) fn of(engine: &Engine, stream: &StreamDefinition, columns: &Schema) -> Self {
        let mut found = Self::default();
        for field in &stream.schema.fields {
            match field.kind {
                FieldType::Currency => found.currencies.push(field.name.clone()),
                FieldType::Decimal { .. } => {
                    found.amounts.insert(field.name.clone());
                }
                _ => {}
            }
        }
        if found.currencies.is_empty() {
            return Self::default();
        }
        found.schema = DFSchema::try_from(columns.clone()).ok();
        for (name, sql) in &stream.derive {
            // What cannot be parsed has been reported with its column.
            let Ok(expr) = engine.parse_over(sql, columns) else {
                continue;
            };
            if found.tells_currency(&expr) {
                found.spelled_currencies.insert(name.clone());
            } else if found.is_amount(&expr) {
                found.amounts.insert(name.clone());
            }
        }
        found
    }

    /// Whether a metric can tell the figures of one currency in a cube from the others: its stream
    /// has no currencies, or the cube has the first and the last of one.
    ///
    /// A cube with a measure that cannot be parsed is not judged, since that may be the one.
    pub(crate) fn is_kept_apart(
        &self,
        engine: &Engine,
        cube: &CubeDefinition,
        columns: &Schema,
    ) -> bool {
        if self.amounts.is_empty() {
            return true;
        }
        let measures: Result<Vec<Expr>, _> = (cube.measures.iter())
            .map(|(_, sql)| engine.parse_over(sql, columns))
            .collect();
        let Ok(measures) = measures else {
            return true;
        };
        let has = |function: &str, currency: &str| {
            measures.iter().any(|measure| {
                matches!(measure, Expr::AggregateFunction(call)
                    if call.func.name() == function
                        && call.params.filter.is_none()
                        && matches!(call.params.args.as_slice(), [Expr::Column(c)] if c.name == currency))
            })
        };
        self.currencies
            .iter()
            .any(|c| has("min", c) && has("max", c))
    }

    /// Why a measure adds amounts of several currencies, if it does.
    pub(crate) fn fault(&self, engine: &Engine, sql: &str, columns: &Schema) -> Option<String> {
        let Ok(Expr::AggregateFunction(call)) = engine.parse_over(sql, columns) else {
            return None;
        };
        let function = call.func.name();
        if ADDING_NOTHING.contains(&function)
            || (call.params.filter.iter()).any(|filter| self.picks_one_currency(filter))
        {
            return None;
        }
        let argument = call.params.args.iter().find(|e| self.is_amount(e))?;
        let amount = match argument {
            Expr::Column(column) => column.name.as_str(),
            _ => "…",
        };
        let currency = match self.currencies.as_slice() {
            [one] => one.as_str(),
            _ => "its currency",
        };
        Some(format!(
            "amounts in several currencies would be added; convert them: {function}(convert({amount}, {currency}, 'EUR')), \
             or take those of one: filter (where {currency} = 'EUR'), or measure min({currency}) and max({currency}) too and let \
             the metric compare them; what is no money can be cast to double"
        ))
    }

    /// Whether an expression is the currency, however it is spelled.
    fn tells_currency(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Column(column) => {
                self.currencies.contains(&column.name)
                    || self.spelled_currencies.contains(&column.name)
            }
            Expr::Alias(alias) => self.tells_currency(&alias.expr),
            Expr::Cast(cast) => {
                cast.field.data_type().is_string() && self.tells_currency(&cast.expr)
            }
            Expr::ScalarFunction(call) => {
                SAME_CURRENCY.contains(&call.func.name())
                    && matches!(call.args.as_slice(), [inner] if self.tells_currency(inner))
            }
            _ => false,
        }
    }

    /// Whether a condition holds for one currency only.
    fn picks_one_currency(&self, condition: &Expr) -> bool {
        split_conjunction(condition).into_iter().any(|part| {
            let Expr::BinaryExpr(binary) = part else {
                return false;
            };
            let (left, right) = (&*binary.left, &*binary.right);
            binary.op == Operator::Eq
                && ((self.tells_currency(left) && is_literal(right))
                    || (self.tells_currency(right) && is_literal(left)))
        })
    }

    /// Whether an expression is, or is computed from, an amount in the event's own currency.
    fn is_amount(&self, expr: &Expr) -> bool {
        let kind = (self.schema.as_ref()).and_then(|schema| expr.get_type(schema).ok());
        if kind.as_ref().is_some_and(|kind| !kind.is_numeric()) {
            return false;
        }
        match expr {
            Expr::Column(column) => self.amounts.contains(&column.name),
            Expr::Alias(alias) => self.is_amount(&alias.expr),
            Expr::Negative(inner) => self.is_amount(inner),
            Expr::Cast(cast) => self.is_amount_as(cast.field.data_type(), &cast.expr),
            Expr::TryCast(cast) => self.is_amount_as(cast.field.data_type(), &cast.expr),
            Expr::BinaryExpr(binary) => {
                let left = self.is_amount(&binary.left);
                match binary.op {
                    // An amount over another of the same event is a share.
                    Operator::Divide => left && !self.is_plain_amount(&binary.right),
                    _ => left || self.is_amount(&binary.right),
                }
            }
            Expr::Case(case) => {
                let picks = |when: &Expr| match &case.expr {
                    Some(of) => self.tells_currency(of) && is_literal(when),
                    None => self.picks_one_currency(when),
                };
                let thens = case.when_then_expr.iter();
                thens
                    .filter(|(when, _)| !picks(when))
                    .map(|(_, then)| then)
                    .chain(&case.else_expr)
                    .any(|result| self.is_amount(result))
            }
            Expr::ScalarFunction(call) => match (call.func.name(), call.args.as_slice()) {
                ("convert", [_, _, to]) if is_literal(to) => false,
                // As `linear()`: what it gives is no money.
                _ if kind.is_some_and(|kind| kind.is_floating()) => false,
                (_, args) => args.iter().any(|e| self.is_amount(e)),
            },
            _ => false,
        }
    }

    /// A number that is made a decimal is meant as an amount. Money is never a float, so what is made one is not.
    fn is_amount_as(&self, kind: &DataType, inner: &Expr) -> bool {
        !kind.is_floating()
            && (self.is_amount(inner) || (kind.is_decimal() && matches!(inner, Expr::Column(_))))
    }

    /// Whether an expression is one amount and nothing else, up to its sign.
    fn is_plain_amount(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Column(column) => self.amounts.contains(&column.name),
            Expr::Alias(alias) => self.is_plain_amount(&alias.expr),
            Expr::Negative(inner) => self.is_plain_amount(inner),
            Expr::Cast(cast) => self.is_plain_amount(&cast.expr),
            Expr::ScalarFunction(call) => {
                matches!(call.func.name(), "abs" | "nullif")
                    && call.args.first().is_some_and(|e| self.is_plain_amount(e))
            }
            _ => false,
        }
    }
}

fn is_literal(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(..))
}
