//! What a measure counts, read off its SQL.

use datafusion::arrow::datatypes::DataType;
use datafusion::sql::parser::DFParser;
use datafusion::sql::sqlparser::ast::Expr;
use tillwatch_process::FigureCurrency;

/// The value of a measure where there are no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EmptyValue {
    /// A count of nothing is zero.
    Zero,
    /// SQL calls the sum of nothing null; a series calls it zero, because nothing was taken.
    SumZero,
    /// There is no average, quantile or maximum of nothing.
    Null,
}

/// What a metric needs to know about one measure of its cube.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MeasureInfo {
    pub(crate) name: String,
    pub(crate) data_type: DataType,
    pub(crate) empty: EmptyValue,
    /// Whether it is `count(…)`, exactly, so that it can be a number of trials.
    pub(crate) is_count: bool,
    /// Whether the figures of slices, or of shorter stretches, add up to that of the whole.
    pub(crate) is_additive: bool,
    /// The currency of its figures.
    pub(crate) currency: FigureCurrency,
}

impl MeasureInfo {
    pub(crate) fn new(name: &str, sql: &str, data_type: DataType) -> Self {
        let function = aggregate_name(sql).unwrap_or_default();
        let empty = match function.as_str() {
            "count" | "regr_count" | "distinct" | "approx_distinct" => EmptyValue::Zero,
            "sum" => EmptyValue::SumZero,
            _ => EmptyValue::Null,
        };
        let is_count = function == "count" && data_type.is_integer();
        let is_additive = matches!(function.as_str(), "count" | "regr_count" | "sum");
        // A sketch of no rows is not the number zero.
        let empty = if data_type.is_numeric() {
            empty
        } else {
            EmptyValue::Null
        };
        Self {
            name: name.to_owned(),
            data_type,
            empty,
            is_count,
            is_additive,
            currency: FigureCurrency::None,
        }
    }
}

/// The aggregate a measure consists of; the cube checked that it consists of one.
fn aggregate_name(sql: &str) -> Option<String> {
    match DFParser::parse_sql_into_expr(sql).ok()?.expr {
        Expr::Function(call) => call
            .name
            .0
            .last()?
            .as_ident()
            .map(|i| i.value.to_lowercase()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_aggregate_decides_what_nothing_is() {
        let empty = |sql: &str, kind| MeasureInfo::new("m", sql, kind).empty;
        let count = "COUNT(*) filter (where status = 'approved')";
        assert_eq!(empty(count, DataType::Int64), EmptyValue::Zero);
        assert!(MeasureInfo::new("m", count, DataType::Int64).is_count);
        assert_eq!(
            empty("sum(amount)", DataType::Decimal128(38, 2)),
            EmptyValue::SumZero
        );
        assert!(!MeasureInfo::new("m", "sum(items)", DataType::Int64).is_count);
        assert_eq!(
            empty("avg(latency_ms)", DataType::Float64),
            EmptyValue::Null
        );
        let adds_up = |sql: &str| MeasureInfo::new("m", sql, DataType::Float64).is_additive;
        assert!(adds_up("sum(amount)") && adds_up(count));
        assert!(!adds_up("avg(amount)") && !adds_up("max(amount)") && !adds_up("distinct(card)"));
        assert_eq!(empty("distinct(card)", DataType::Binary), EmptyValue::Null);
    }
}
