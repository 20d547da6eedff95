//! What table functions are called with: texts and lengths of time, written out.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;

/// A text that is written out.
pub(crate) fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(value, _) => value.try_as_str().flatten(),
        _ => None,
    }
}

/// A length that is the same at all times, in microseconds.
pub(crate) fn length_us(expr: &Expr) -> Option<i64> {
    let Expr::Literal(value, _) = expr else {
        return None;
    };
    let us = match value {
        ScalarValue::IntervalMonthDayNano(Some(length)) if length.months == 0 => {
            let days_us = i64::from(length.days).checked_mul(86_400_000_000)?;
            (length.nanoseconds % 1_000 == 0)
                .then(|| days_us.checked_add(length.nanoseconds / 1_000))?
        }
        _ => None,
    };
    us.filter(|us| *us > 0)
}
