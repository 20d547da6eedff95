//! What numbers and times in a query are, where the engine would have it otherwise.
//!
//! A number with a point is a decimal, so that money is compared and computed exactly. One with an
//! exponent is a float64, as SQL has it, and so is one with more digits than decimals have. Times are
//! kept in microseconds, in which there are years to 9999; the engine takes a `timestamp` for one in
//! nanoseconds, which end with the year 2262.

use std::convert::Infallible;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, ExactNumberInfo, Expr, TypedString, Value, VisitMut, VisitorMut,
};

/// Digits that a decimal can have.
const DECIMAL_DIGITS_MAX: usize = 76;

/// The digits after the second that columns have.
const MICROSECONDS: u64 = 6;

/// Writes numbers and times of a query, or of a part of it, as they are meant.
pub(crate) fn write_exactly(part: &mut impl VisitMut) {
    let _: ControlFlow<Infallible> = part.visit(&mut Exactly);
}

struct Exactly;

impl VisitorMut for Exactly {
    type Break = Infallible;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Infallible> {
        match expr {
            Expr::Value(value) => {
                if let Value::Number(text, _) = &value.value
                    && is_float(text)
                {
                    let mut inner = value.clone();
                    inner.value = Value::SingleQuotedString(text.clone());
                    *expr = Expr::Cast {
                        kind: CastKind::Cast,
                        expr: Box::new(Expr::Value(inner)),
                        data_type: DataType::Double(ExactNumberInfo::None),
                        array: false,
                        format: None,
                    };
                }
            }
            Expr::Cast { data_type, .. }
            | Expr::TypedString(TypedString { data_type, .. })
            | Expr::Convert {
                data_type: Some(data_type),
                ..
            } => {
                if let DataType::Timestamp(precision @ None, _) = data_type {
                    *precision = Some(MICROSECONDS);
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn is_float(text: &str) -> bool {
    text.contains(['e', 'E']) && !text.starts_with("0x")
        || text.bytes().filter(u8::is_ascii_digit).count() > DECIMAL_DIGITS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_exponents_are_floats_and_those_with_points_are_not() {
        for (text, float) in [
            ("1", false),
            ("0.029", false),
            ("9999999999999999.98", false),
            ("1e6", true),
            ("2.5E-3", true),
        ] {
            assert_eq!(is_float(text), float, "{text}");
        }
        assert!(is_float(&"9".repeat(77)));
    }
}
