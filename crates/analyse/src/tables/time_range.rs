//! The range of time that a query's conditions leave, for reading no more than that.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Between, BinaryExpr, Cast, Expr, Operator, TryCast};

/// A half-open range of microseconds since 1970; an end that is missing is open.
///
/// It only narrows what is read: the conditions themselves are evaluated again on every row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TimeRange {
    /// The first microsecond inside.
    pub(crate) from_us: Option<i64>,
    /// The first microsecond after.
    pub(crate) to_us: Option<i64>,
}

impl TimeRange {
    fn from(from_us: i64) -> Self {
        Self {
            from_us: Some(from_us),
            to_us: None,
        }
    }

    fn to(to_us: i64) -> Self {
        Self {
            from_us: None,
            to_us: Some(to_us),
        }
    }

    /// What lies in both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            from_us: match (self.from_us, other.from_us) {
                (Some(a), Some(b)) => Some(a.max(b)),
                (a, b) => a.or(b),
            },
            to_us: match (self.to_us, other.to_us) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
        }
    }

    /// The smallest range that holds both.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            from_us: self.from_us.zip(other.from_us).map(|(a, b)| a.min(b)),
            to_us: self.to_us.zip(other.to_us).map(|(a, b)| a.max(b)),
        }
    }
}

/// The range that conditions on the column `time` leave; all of them hold together.
pub(crate) fn time_range<'a>(time: &str, filters: impl IntoIterator<Item = &'a Expr>) -> TimeRange {
    filters
        .into_iter()
        .fold(TimeRange::default(), |range, filter| {
            range.and(of(time, filter))
        })
}

fn of(time: &str, filter: &Expr) -> TimeRange {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::And => of(time, left).and(of(time, right)),
            Operator::Or => of(time, left).or(of(time, right)),
            _ => compared(time, left, *op, right),
        },
        Expr::Between(Between {
            expr,
            negated: false,
            low,
            high,
        }) => compared(time, expr, Operator::GtEq, low).and(compared(
            time,
            expr,
            Operator::LtEq,
            high,
        )),
        _ => TimeRange::default(),
    }
}

fn compared(time: &str, left: &Expr, op: Operator, right: &Expr) -> TimeRange {
    let (op, literal) = if is_column(left, time) {
        (Some(op), right)
    } else if is_column(right, time) {
        (op.swap(), left)
    } else {
        return TimeRange::default();
    };
    let Some((floor, ceil)) = op.and(instant(literal)) else {
        return TimeRange::default();
    };
    match op {
        Some(Operator::Gt | Operator::GtEq) => TimeRange::from(floor),
        Some(Operator::Lt) => TimeRange::to(ceil),
        Some(Operator::LtEq) => TimeRange::to(ceil.saturating_add(1)),
        Some(Operator::Eq) => TimeRange::from(floor).and(TimeRange::to(ceil.saturating_add(1))),
        _ => TimeRange::default(),
    }
}

/// The time column, also under the cast that comparing it with another time type brings.
fn is_column(expr: &Expr, time: &str) -> bool {
    match expr {
        Expr::Column(column) => column.name == time,
        Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field }) => {
            // A cast to a date moves an instant to the start of its day, which is not this instant.
            matches!(
                field.data_type(),
                datafusion::arrow::datatypes::DataType::Timestamp(_, _)
            ) && is_column(expr, time)
        }
        _ => false,
    }
}

/// A literal in microseconds, rounded down and up.
fn instant(expr: &Expr) -> Option<(i64, i64)> {
    let Expr::Literal(value, _) = expr else {
        return None;
    };
    let (value, per_us) = match value {
        ScalarValue::TimestampSecond(Some(v), _) => return exact(v.checked_mul(1_000_000)?),
        ScalarValue::TimestampMillisecond(Some(v), _) => return exact(v.checked_mul(1_000)?),
        ScalarValue::TimestampMicrosecond(Some(v), _) => return exact(*v),
        ScalarValue::Date32(Some(v)) => return exact(i64::from(*v).checked_mul(86_400_000_000)?),
        ScalarValue::TimestampNanosecond(Some(v), _) => (*v, 1_000),
        _ => return None,
    };
    let floor = value.div_euclid(per_us);
    Some((floor, floor + i64::from(value.rem_euclid(per_us) > 0)))
}

fn exact(us: i64) -> Option<(i64, i64)> {
    Some((us, us))
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::logical_expr::{col, lit};

    fn us(value: i64) -> Expr {
        lit(ScalarValue::TimestampMicrosecond(
            Some(value),
            Some("UTC".into()),
        ))
    }

    fn range(filters: &[Expr]) -> (Option<i64>, Option<i64>) {
        let range = time_range("bucket", filters);
        (range.from_us, range.to_us)
    }

    #[test]
    fn comparisons_become_a_half_open_range() {
        assert_eq!(
            range(&[col("bucket").gt_eq(us(5)), col("bucket").lt(us(9))]),
            (Some(5), Some(9))
        );
        assert_eq!(range(&[us(5).lt(col("bucket"))]), (Some(5), None));
        assert_eq!(range(&[col("bucket").lt_eq(us(9))]), (None, Some(10)));
        assert_eq!(range(&[col("bucket").eq(us(7))]), (Some(7), Some(8)));
        assert_eq!(
            range(&[col("bucket").between(us(1), us(3))]),
            (Some(1), Some(4))
        );
    }

    #[test]
    fn either_of_two_ranges_reads_both() {
        let either = col("bucket").lt(us(3)).or(col("bucket").gt(us(8)));
        assert_eq!(range(&[either]), (None, None));
        let both = col("bucket").eq(us(3)).or(col("bucket").eq(us(8)));
        assert_eq!(range(&[both]), (Some(3), Some(9)));
    }

    #[test]
    fn what_says_nothing_about_the_time_narrows_nothing() {
        assert_eq!(range(&[col("psp").eq(lit("adyen"))]), (None, None));
        assert_eq!(range(&[col("bucket").not_eq(us(5))]), (None, None));
        assert_eq!(
            range(&[col("psp").eq(lit("a")).or(col("bucket").gt(us(5)))]),
            (None, None)
        );
    }

    #[test]
    fn nanoseconds_are_rounded_outwards() {
        let ns = |value| lit(ScalarValue::TimestampNanosecond(Some(value), None));
        assert_eq!(
            range(&[col("bucket").gt_eq(ns(1_500)), col("bucket").lt(ns(2_500))]),
            (Some(1), Some(3))
        );
    }
}
