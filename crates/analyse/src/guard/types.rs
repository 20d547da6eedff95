//! The types a query may cast to.
//!
//! A value of a sized type takes its whole size even when it is null, and constants are computed
//! while a query is planned: `cast(null as int[1000000000])` asks for gigabytes that no memory pool
//! counts. Only flat types are cast to; no column is a list.

use std::ops::ControlFlow;

use datafusion::arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{DataType as SqlType, Expr, TypedString, Visit, Visitor};

use super::arguments::{argument, called, text_literal};
use super::place::start;
use crate::error::{AnalyseError, Fault};

/// Refuses casts to anything but flat types, before anything is planned.
pub(crate) fn check_types(part: &impl Visit) -> Result<(), AnalyseError> {
    match part.visit(&mut Casts) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(*error),
    }
}

/// Whether one value of the type takes no more than what is in it.
pub(super) fn is_allowed(kind: &DataType) -> bool {
    match kind {
        DataType::FixedSizeBinary(_)
        | DataType::List(_)
        | DataType::LargeList(_)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::FixedSizeList(_, _)
        | DataType::Struct(_)
        | DataType::Union(_, _)
        | DataType::Map(_, _)
        | DataType::RunEndEncoded(_, _) => false,
        DataType::Dictionary(_, value) => is_allowed(value),
        _ => true,
    }
}

/// The types of SQL that stand for a flat type. What is not listed the planner does not know.
fn is_flat(kind: &SqlType) -> bool {
    matches!(
        kind,
        SqlType::Boolean
            | SqlType::Bool
            | SqlType::TinyInt(_)
            | SqlType::SmallInt(_)
            | SqlType::Int2(_)
            | SqlType::Int(_)
            | SqlType::Integer(_)
            | SqlType::Int4(_)
            | SqlType::BigInt(_)
            | SqlType::Int8(_)
            | SqlType::TinyIntUnsigned(_)
            | SqlType::SmallIntUnsigned(_)
            | SqlType::Int2Unsigned(_)
            | SqlType::IntUnsigned(_)
            | SqlType::IntegerUnsigned(_)
            | SqlType::Int4Unsigned(_)
            | SqlType::BigIntUnsigned(_)
            | SqlType::Int8Unsigned(_)
            | SqlType::Float(_)
            | SqlType::Float4
            | SqlType::Float8
            | SqlType::Real
            | SqlType::Double(_)
            | SqlType::DoublePrecision
            | SqlType::Numeric(_)
            | SqlType::Decimal(_)
            | SqlType::Varchar(_)
            | SqlType::Char(_)
            | SqlType::Text
            | SqlType::String(_)
            | SqlType::Bytea
            | SqlType::Timestamp(_, _)
            | SqlType::Date
            | SqlType::Time(_, _)
            | SqlType::Interval { .. }
    )
}

struct Casts;

impl Visitor for Casts {
    type Break = Box<AnalyseError>;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Box<AnalyseError>> {
        let refused = match expr {
            Expr::Cast { data_type, .. }
            | Expr::TypedString(TypedString { data_type, .. })
            | Expr::Convert {
                data_type: Some(data_type),
                ..
            } if !is_flat(data_type) => {
                format!("a cast to '{data_type}' is not allowed in queries")
            }
            Expr::Function(call) if called(call) == "arrow_cast" => {
                match argument(call, 1).and_then(text_literal) {
                    Some(name) => match name.parse::<DataType>() {
                        Ok(kind) if !is_allowed(&kind) => {
                            format!("a cast to '{name}' is not allowed in queries")
                        }
                        // The planner says what is wrong with a name that is no type.
                        _ => return ControlFlow::Continue(()),
                    },
                    None => "the type for 'arrow_cast' must be a text in quotes".to_owned(),
                }
            }
            _ => return ControlFlow::Continue(()),
        };
        ControlFlow::Break(Box::new(AnalyseError::Forbidden(
            Fault::new(refused).at(start(expr)).suggest(Some(
                "cast to a number, a text, a bool, a date or a time".into(),
            )),
        )))
    }
}
