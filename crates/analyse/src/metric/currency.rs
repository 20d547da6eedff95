//! A metric never adds amounts of different currencies.
//!
//! Where a cube adds amounts in the events' own currencies beside the first and the last of them, a
//! metric may show the sum only where both are equal. Amounts of one currency each may be added only
//! if it is the same one.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Case, Expr, Operator};
use tillwatch_process::FigureCurrency;

use super::MeasureInfo;
use crate::error::Fault;

/// What a part of a metric is in; none for what is no money.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Money {
    /// A currency, as the definition writes it.
    In(String),
    /// The one currency of the figure, whichever it is.
    Told,
}

/// Refuses an expression over measures that adds several currencies.
pub(super) fn check(expr: &Expr, measures: &[MeasureInfo]) -> Result<(), Fault> {
    Currencies { measures }.of(expr, &[]).map(|_| ())
}

struct Currencies<'a> {
    measures: &'a [MeasureInfo],
}

/// Two measures that are equal where an expression is looked at.
type Equal<'a> = (&'a str, &'a str);

impl<'a> Currencies<'a> {
    fn of(&self, expr: &'a Expr, equal: &[Equal<'a>]) -> Result<Option<Money>, Fault> {
        match expr {
            Expr::Column(column) => self.measure(&column.name, equal),
            Expr::Case(case) => self.case(case, equal),
            Expr::BinaryExpr(binary) => {
                let left = self.of(&binary.left, equal)?;
                let right = self.of(&binary.right, equal)?;
                match binary.op {
                    Operator::Divide if left == right => Ok(None),
                    Operator::Divide | Operator::Modulo if right.is_none() => Ok(left),
                    Operator::Multiply => Ok(left.or(right)),
                    _ => one(left, right),
                }
            }
            other => {
                let mut found = Ok(None);
                other
                    .apply_children(|part| {
                        found = found
                            .clone()
                            .and_then(|found| one(found, self.of(part, equal)?));
                        Ok(if found.is_ok() {
                            TreeNodeRecursion::Continue
                        } else {
                            TreeNodeRecursion::Stop
                        })
                    })
                    .map_err(|e| Fault::new(e.to_string()))?;
                found
            }
        }
    }

    fn measure(&self, name: &str, equal: &[Equal<'_>]) -> Result<Option<Money>, Fault> {
        let info = self.measures.iter().find(|measure| measure.name == name);
        match info.map(|info| &info.currency) {
            None | Some(FigureCurrency::None) => Ok(None),
            Some(FigureCurrency::One(currency)) => Ok(Some(Money::In(currency.clone()))),
            Some(FigureCurrency::Apart { first, last }) => {
                let told = (first.as_str(), last.as_str());
                let is_told = (equal.iter()).any(|(a, b)| (*a, *b) == told || (*b, *a) == told);
                if is_told {
                    return Ok(Some(Money::Told));
                }
                Err(Fault::new(format!("'{name}' adds amounts in several currencies")).suggest(
                    Some(format!(
                        "show it where there is but one: case when {first} = {last} then {name} end, \
                         or measure converted amounts"
                    )),
                ))
            }
        }
    }

    fn case(&self, case: &'a Case, equal: &[Equal<'a>]) -> Result<Option<Money>, Fault> {
        let mut found = None;
        if let Some(of) = &case.expr {
            self.of(of, equal)?;
        }
        for (when, then) in &case.when_then_expr {
            self.of(when, equal)?;
            let mut known = equal.to_vec();
            if case.expr.is_none() {
                known.extend(split_conjunction(when).into_iter().filter_map(equality));
            }
            found = one(found, self.of(then, &known)?)?;
        }
        match &case.else_expr {
            Some(otherwise) => one(found, self.of(otherwise, equal)?),
            None => Ok(found),
        }
    }
}

fn equality(condition: &Expr) -> Option<Equal<'_>> {
    match condition {
        Expr::BinaryExpr(binary) if binary.op == Operator::Eq => {
            match (binary.left.as_ref(), binary.right.as_ref()) {
                (Expr::Column(a), Expr::Column(b)) => Some((&a.name, &b.name)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What two parts that are added or chosen from are in together.
fn one(left: Option<Money>, right: Option<Money>) -> Result<Option<Money>, Fault> {
    let name = |money: &Money| match money {
        Money::In(currency) => currency.clone(),
        Money::Told => "the figure's own currency".to_owned(),
    };
    match (left, right) {
        (Some(left), Some(right)) if left != right => Err(Fault::new(format!(
            "amounts in {} and {} are put together",
            name(&left),
            name(&right)
        ))
        .suggest(Some(
            "measure amounts converted to one currency: sum(convert(amount, currency, 'EUR'))"
                .into(),
        ))),
        (left, right) => Ok(left.or(right)),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use datafusion::common::DFSchema;
    use datafusion::prelude::SessionContext;

    use super::*;

    fn checked(sql: &str) -> Result<(), String> {
        let apart = FigureCurrency::Apart {
            first: "c1".to_owned(),
            last: "c2".to_owned(),
        };
        let one = |currency: &str| FigureCurrency::One(currency.to_owned());
        let measures: Vec<MeasureInfo> = [
            ("c1", DataType::Utf8, FigureCurrency::None),
            ("c2", DataType::Utf8, FigureCurrency::None),
            ("n", DataType::Int64, FigureCurrency::None),
            ("own", DataType::Decimal128(38, 2), apart.clone()),
            ("fees", DataType::Decimal128(38, 2), apart),
            ("eur", DataType::Decimal128(38, 2), one("EUR")),
            ("eur2", DataType::Decimal128(38, 2), one("EUR")),
            ("usd", DataType::Decimal128(38, 2), one("USD")),
        ]
        .into_iter()
        .map(|(name, kind, currency)| MeasureInfo {
            currency,
            ..MeasureInfo::new(name, "sum(x)", kind)
        })
        .collect();
        let fields: Vec<Field> = (measures.iter())
            .map(|m| Field::new(&m.name, m.data_type.clone(), true))
            .collect();
        let schema = DFSchema::try_from(Schema::new(fields)).unwrap();
        let expr = SessionContext::new().parse_sql_expr(sql, &schema).unwrap();
        check(&expr, &measures).map_err(|fault| fault.to_string())
    }

    #[test]
    fn several_currencies_are_never_put_together() {
        for sql in [
            "own",
            "own / n",
            "own + 1",
            "coalesce(own, 0)",
            "case when c1 = c2 then n else own end",
            "case when c1 <> c2 then own end",
            "case when c1 = c2 or n > 1 then own end",
            "case when n = 1 then own end",
            "case c1 when c2 then own end",
            "eur + usd",
            "eur - usd",
            "eur / usd",
            "coalesce(eur, usd)",
            "case when n > 1 then eur else usd end",
            "greatest(eur, usd) * 2",
            "case when c1 = c2 then own + eur end",
            "abs(eur + usd)",
        ] {
            assert!(checked(sql).is_err(), "{sql}");
        }
    }

    #[test]
    fn one_currency_is_taken() {
        for sql in [
            "n",
            "eur",
            "eur + eur2",
            "eur / n",
            "eur / eur2",
            "eur * 2",
            "coalesce(eur, 0)",
            "case when c1 = c2 then own end",
            "case when c2 = c1 and n > 1 then own / n end",
            "case when c1 = c2 then own - fees end",
            "case when c1 = c2 then fees / own end",
            "case when usd > 0 then eur end",
        ] {
            assert_eq!(checked(sql), Ok(()), "{sql}");
        }
    }
}
