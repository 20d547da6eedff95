//! Times beyond the year 2262, which the engine's nanoseconds cannot count.
//!
//! Columns have microseconds and years to 9999, and what the engine computes in nanoseconds would end
//! the whole query for one event far ahead. A value that has no nanoseconds has no result there
//! instead; the other rows have theirs. `date_trunc`, which boards group by, has one for all.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{DataType, FieldRef, TimeUnit, TimestampMicrosecondType};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    Between, BinaryExpr, Cast, ColumnarValue, Documentation, Expr, ExprSchemable, LogicalPlan,
    ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TryCast,
};
use datafusion::optimizer::AnalyzerRule;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Microseconds from which on, before and after 1970, a time is left to us: a year less than
/// nanoseconds reach.
const FAR: i64 = i64::MAX / 1_000 - 366 * DAY;

fn is_far(at_us: i64) -> bool {
    at_us.unsigned_abs() > FAR.unsigned_abs()
}

/// Makes every step from coarser times to nanoseconds one that has no result where there is none.
/// It runs after the engine has put such steps where types differ.
#[derive(Debug)]
pub(super) struct NearTimes;

impl AnalyzerRule for NearTimes {
    fn name(&self) -> &'static str {
        "near_times"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|plan| {
            let schema = merge_schema(&plan.inputs());
            let names = NamePreserver::new(&plan);
            let rewritten = plan.map_expressions(|expr| {
                let name = names.save(&expr);
                let rewritten = expr.transform_up(|expr| Ok(near(expr, &schema)))?;
                Ok(rewritten.update_data(|expr| name.restore(expr)))
            })?;
            if rewritten.transformed {
                rewritten.map_data(LogicalPlan::recompute_schema)
            } else {
                Ok(rewritten)
            }
        })
        .map(|transformed| transformed.data)
    }
}

fn near(mut expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let compared = match &mut expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if op.supports_propagation() => {
            vec![left.as_mut(), right.as_mut()]
        }
        Expr::Between(Between {
            expr, low, high, ..
        }) => vec![expr.as_mut(), low.as_mut(), high.as_mut()],
        Expr::InList(InList { expr, list, .. }) => {
            std::iter::once(expr.as_mut()).chain(list).collect()
        }
        _ => Vec::new(),
    };
    if in_microseconds(compared, schema) {
        return Transformed::yes(expr);
    }
    match expr {
        Expr::Cast(Cast { expr, field })
            if matches!(
                field.data_type(),
                DataType::Timestamp(TimeUnit::Nanosecond, _)
            ) && matches!(
                expr.get_type(schema),
                Ok(DataType::Timestamp(
                    TimeUnit::Second | TimeUnit::Millisecond | TimeUnit::Microsecond,
                    _
                ))
            ) =>
        {
            Transformed::yes(Expr::TryCast(TryCast { expr, field }))
        }
        other => Transformed::no(other),
    }
}

/// A time compared with a text is compared in nanoseconds, although both are kept, or written, in
/// coarser ones: puts such a comparison into microseconds, in which no year is far.
fn in_microseconds(compared: Vec<&mut Expr>, schema: &DFSchema) -> bool {
    let mut fields = Vec::new();
    let mut times = 0;
    for expr in compared {
        let (Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field })) = expr
        else {
            return false;
        };
        if !matches!(
            field.data_type(),
            DataType::Timestamp(TimeUnit::Nanosecond, _)
        ) {
            return false;
        }
        match expr.get_type(schema) {
            Ok(DataType::Timestamp(TimeUnit::Nanosecond, _)) => return false,
            Ok(DataType::Timestamp(_, _)) => times += 1,
            Ok(DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8) => {}
            _ => return false,
        }
        fields.push(field);
    }
    for field in &mut fields {
        if let DataType::Timestamp(_, zone) = field.data_type().clone() {
            let coarser = DataType::Timestamp(TimeUnit::Microsecond, zone);
            if times > 0 {
                **field = Arc::new(field.as_ref().clone().with_data_type(coarser));
            }
        }
    }
    times > 0 && !fields.is_empty()
}

/// `date_trunc` for all years.
pub(super) fn date_trunc(inner: Arc<ScalarUDF>) -> ScalarUDF {
    ScalarUDF::from(DateTrunc { inner })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct DateTrunc {
    inner: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for DateTrunc {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arg_types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn output_ordering(&self, input: &[ExprProperties]) -> Result<SortProperties> {
        self.inner.inner().output_ordering(input)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(far) = args.args.get(1).and_then(FarTimes::of) else {
            return self.inner.invoke_with_args(args);
        };
        let unit = args.args.first().and_then(unit_of);
        if let Some(times) = args.args.get_mut(1) {
            *times = far.without();
        }
        let near = self.inner.invoke_with_args(args)?;
        far.filled(&near, |at_us| unit.and_then(|unit| truncated(at_us, unit)))
    }
}

/// An argument with times among it that are far.
struct FarTimes {
    times: TimestampMicrosecondArray,
    is_scalar: bool,
    /// Whether days begin at midnight of UTC.
    is_utc: bool,
}

impl FarTimes {
    fn of(argument: &ColumnarValue) -> Option<Self> {
        let DataType::Timestamp(TimeUnit::Microsecond, zone) = argument.data_type() else {
            return None;
        };
        let (times, is_scalar): (ArrayRef, bool) = match argument {
            ColumnarValue::Array(times) => (Arc::clone(times), false),
            ColumnarValue::Scalar(time) => (time.to_array().ok()?, true),
        };
        let times = times
            .as_primitive_opt::<TimestampMicrosecondType>()?
            .clone();
        times.iter().flatten().any(is_far).then(|| Self {
            is_scalar,
            is_utc: zone.is_none_or(|zone| matches!(&*zone, "UTC" | "Z" | "+00:00")),
            times,
        })
    }

    fn without(&self) -> ColumnarValue {
        let near = self
            .times
            .unary_opt::<_, TimestampMicrosecondType>(|at_us| (!is_far(at_us)).then_some(at_us));
        ColumnarValue::Array(Arc::new(
            near.with_data_type(self.times.data_type().clone()),
        ))
    }

    /// The results for those that are near, and for the far ones what `of` makes of them.
    fn filled(
        &self,
        near: &ColumnarValue,
        of: impl Fn(i64) -> Option<i64>,
    ) -> Result<ColumnarValue> {
        let near = near.to_array(self.times.len())?;
        let Some(near) = near.as_primitive_opt::<TimestampMicrosecondType>() else {
            return Ok(ColumnarValue::Array(near));
        };
        let all: TimestampMicrosecondArray = self
            .times
            .iter()
            .zip(near.iter())
            .map(|(time, near)| match time {
                Some(at_us) if is_far(at_us) && self.is_utc => of(at_us),
                _ => near,
            })
            .collect();
        let all = all.with_data_type(self.times.data_type().clone());
        if self.is_scalar {
            return ScalarValue::try_from_array(&all, 0).map(ColumnarValue::Scalar);
        }
        Ok(ColumnarValue::Array(Arc::new(all)))
    }
}

/// What times are cut to.
#[derive(Debug, Clone, Copy)]
enum Unit {
    /// Of this many microseconds.
    Even(i64),
    Week,
    /// Of this many months.
    Months(i8),
}

fn unit_of(argument: &ColumnarValue) -> Option<Unit> {
    let ColumnarValue::Scalar(text) = argument else {
        return None;
    };
    let text = text.try_as_str()??.to_lowercase();
    Some(match text.as_str() {
        "microsecond" => Unit::Even(1),
        "millisecond" => Unit::Even(SECOND / 1_000),
        "second" => Unit::Even(SECOND),
        "minute" => Unit::Even(60 * SECOND),
        "hour" => Unit::Even(3_600 * SECOND),
        "day" => Unit::Even(DAY),
        "week" => Unit::Week,
        "month" => Unit::Months(1),
        "quarter" => Unit::Months(3),
        "year" => Unit::Months(12),
        _ => return None,
    })
}

/// The start of the unit a time lies in, in UTC; none outside of the years that calendars have.
fn truncated(at_us: i64, unit: Unit) -> Option<i64> {
    let day = at_us.div_euclid(DAY);
    match unit {
        Unit::Even(us) => Some(at_us - at_us.rem_euclid(us)),
        // The first of January 1970 was a Thursday.
        Unit::Week => (day - (day + 3).rem_euclid(7)).checked_mul(DAY),
        Unit::Months(months) => {
            let epoch = jiff::civil::date(1970, 1, 1);
            let date = epoch
                .checked_add(jiff::Span::new().try_days(day).ok()?)
                .ok()?;
            let month = (date.month() - 1) / months * months + 1;
            let first = jiff::civil::Date::new(date.year(), month, 1).ok()?;
            (first.duration_since(epoch).as_hours() / 24).checked_mul(DAY)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_times_are_cut_as_near_ones_are() {
        // 3000-08-19T14:03:05.123456Z, a Tuesday.
        let at = 32_523_602_585_123_456;
        let text = |unit| {
            truncated(at, unit)
                .and_then(tillwatch_event::time::rfc3339)
                .unwrap()
        };
        assert_eq!(
            tillwatch_event::time::rfc3339(at).unwrap(),
            "3000-08-19T14:03:05.123456Z"
        );
        assert_eq!(text(Unit::Even(60 * SECOND)), "3000-08-19T14:03:00Z");
        assert_eq!(text(Unit::Even(DAY)), "3000-08-19T00:00:00Z");
        assert_eq!(text(Unit::Week), "3000-08-18T00:00:00Z");
        assert_eq!(text(Unit::Months(1)), "3000-08-01T00:00:00Z");
        assert_eq!(text(Unit::Months(3)), "3000-07-01T00:00:00Z");
        assert_eq!(text(Unit::Months(12)), "3000-01-01T00:00:00Z");
        assert_eq!(truncated(-1, Unit::Months(12)), Some(-365 * DAY));
    }
}
