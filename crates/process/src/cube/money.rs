//! Money is never added over currencies without a rate.
//!
//! In a stream that tells a currency, a decimal is taken for an amount in it, and so is what is
//! computed from one. An aggregate of such amounts needs one currency in every figure: by a filter,
//! by `convert()`, or by measures of the first and last currency, from which a metric sees that
//! there is but one. A dimension is not enough, because a query need not split by it.

use std::collections::{BTreeMap, BTreeSet};

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

/// The currency that a measure's figures are in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum FigureCurrency {
    /// They are no money, or none is added.
    #[default]
    None,
    /// All in this one, as the definition writes it.
    One(String),
    /// Each event in its own: a figure adds several unless two measures of the cube are equal, the
    /// first currency in it and the last.
    Apart {
        /// The measure of the first.
        first: String,
        /// The measure of the last.
        last: String,
    },
}

/// How a cube tells the figures of one currency from those of several.
pub(crate) enum Told {
    /// By the measures of the first and the last currency.
    By {
        /// Its name.
        first: String,
        /// Its name.
        last: String,
    },
    /// Not at all.
    Not,
    /// One of its measures cannot be parsed, and that may be the one.
    Unknown,
}

/// The columns of a stream that hold amounts in the event's own currency, and those that tell it;
/// all empty in a stream without currencies.
#[derive(Debug, Default)]
pub(crate) struct Money {
    amounts: BTreeSet<String>,
    /// Derived amounts in one currency, with it.
    converted: BTreeMap<String, String>,
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
            } else if let Some(currency) = found.converted_to(&expr) {
                found.converted.insert(name.clone(), currency);
            } else if found.is_amount(&expr) {
                found.amounts.insert(name.clone());
            }
        }
        found
    }

    /// How a cube tells the figures of one currency from the others.
    pub(crate) fn told_by(&self, engine: &Engine, cube: &CubeDefinition, columns: &Schema) -> Told {
        let parsed: Result<Vec<(&String, Expr)>, _> = (cube.measures.iter())
            .map(|(name, sql)| engine.parse_over(sql, columns).map(|expr| (name, expr)))
            .collect();
        let Ok(parsed) = parsed else {
            return Told::Unknown;
        };
        let of = |function: &str, currency: &str| {
            let told = parsed.iter().find(|(_, expr)| {
                matches!(expr, Expr::AggregateFunction(call)
                    if call.func.name() == function
                        && call.params.filter.is_none()
                        && matches!(call.params.args.as_slice(), [Expr::Column(c)] if c.name == currency))
            });
            told.map(|(name, _)| (*name).clone())
        };
        let told = (self.currencies.iter()).find_map(|currency| {
            Some(Told::By {
                first: of("min", currency)?,
                last: of("max", currency)?,
            })
        });
        told.unwrap_or(Told::Not)
    }

    /// The currency of a measure's figures in a cube that tells them by `told`.
    ///
    /// # Errors
    /// Why the measure adds amounts of several currencies, if it does.
    pub(crate) fn of_measure(
        &self,
        engine: &Engine,
        sql: &str,
        columns: &Schema,
        told: &Told,
    ) -> Result<FigureCurrency, String> {
        let Ok(Expr::AggregateFunction(call)) = engine.parse_over(sql, columns) else {
            return Ok(FigureCurrency::None);
        };
        let function = call.func.name();
        if self.schema.is_none() || ADDING_NOTHING.contains(&function) {
            return Ok(FigureCurrency::None);
        }
        let Some(argument) = call.params.args.iter().find(|e| self.is_amount(e)) else {
            let converted = call.params.args.iter().find_map(|e| self.converted_to(e));
            return Ok(converted.map_or(FigureCurrency::None, FigureCurrency::One));
        };
        let picked = (call.params.filter.iter()).find_map(|filter| self.one_currency(filter));
        if let Some(currency) = picked {
            return Ok(FigureCurrency::One(currency));
        }
        match told {
            Told::By { first, last } => {
                return Ok(FigureCurrency::Apart {
                    first: first.clone(),
                    last: last.clone(),
                });
            }
            Told::Unknown => return Ok(FigureCurrency::None),
            Told::Not => {}
        }
        let amount = match argument {
            Expr::Column(column) => column.name.as_str(),
            _ => "…",
        };
        let currency = self.currencies.first().map_or("currency", String::as_str);
        Err(format!(
            "amounts in several currencies would be added; convert them: {function}(convert({amount}, {currency}, 'EUR')), \
             or take those of one: filter (where {currency} = 'EUR'), or measure min({currency}) and max({currency}) too and let \
             the metric compare them; what is no money can be cast to double"
        ))
    }

    /// The one currency that an amount is in because it was converted to it.
    fn converted_to(&self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Column(column) => self.converted.get(&column.name).cloned(),
            Expr::Alias(alias) => self.converted_to(&alias.expr),
            Expr::Negative(inner) => self.converted_to(inner),
            Expr::ScalarFunction(call) => match (call.func.name(), call.args.as_slice()) {
                ("convert", [_, from, to]) if self.tells_currency(from) => text_of(to),
                _ => None,
            },
            _ => None,
        }
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

    /// The one currency that a condition holds for, if there is but one.
    fn one_currency(&self, condition: &Expr) -> Option<String> {
        split_conjunction(condition).into_iter().find_map(|part| {
            let Expr::BinaryExpr(binary) = part else {
                return None;
            };
            let (left, right) = (&*binary.left, &*binary.right);
            if binary.op != Operator::Eq {
                None
            } else if self.tells_currency(left) {
                text_of(right)
            } else if self.tells_currency(right) {
                text_of(left)
            } else {
                None
            }
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
                    None => self.one_currency(when).is_some(),
                };
                let thens = case.when_then_expr.iter();
                thens
                    .filter(|(when, _)| !picks(when))
                    .map(|(_, then)| then)
                    .chain(&case.else_expr)
                    .any(|result| self.is_amount(result))
            }
            Expr::ScalarFunction(call) => match (call.func.name(), call.args.as_slice()) {
                ("convert", [_, from, to]) if is_literal(to) && self.tells_currency(from) => false,
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

/// A literal as it is written.
fn text_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(value, _) if !value.is_null() => Some(value.to_string()),
        _ => None,
    }
}
