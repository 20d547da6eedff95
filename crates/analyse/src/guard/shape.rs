//! How large a query becomes when it is planned.
//!
//! The planner puts the body of a common table expression in every place that names it, and the
//! optimiser copies inner columns into outer conditions. Both double with every level, so a short
//! text can ask for a plan that fits no memory. Sizes are therefore computed here, without building.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, ObjectName, Query, Select, SelectItem, SetExpr, TableFactor, TableWithJoins, Visit,
    Visitor,
};

use crate::error::{AnalyseError, Fault};
use crate::limits::QueryLimits;

/// Refuses queries whose plan would be out of proportion to their text.
pub(crate) fn check_shape(query: &Query, limits: &QueryLimits) -> Result<(), AnalyseError> {
    let size = query_size(query, &HashMap::new());
    if size.relations > limits.relations_max {
        return Err(AnalyseError::TooLarge(Fault::new(format!(
            "the query reads {} tables once every 'with' is put in place; at most {} are allowed",
            size.relations, limits.relations_max
        ))));
    }
    if size.expansion > limits.expansion_max {
        return Err(AnalyseError::TooLarge(
            Fault::new(format!(
                "columns of inner queries are repeated {} times in outer ones; at most {} are allowed",
                size.expansion, limits.expansion_max
            ))
            .suggest(Some("use fewer levels of subqueries".into())),
        ));
    }
    if size.columns > limits.columns_max {
        return Err(AnalyseError::TooLarge(Fault::new(format!(
            "a select lists {} columns; at most {} are allowed",
            size.columns, limits.columns_max
        ))));
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Size {
    /// Table references after putting every common table expression in place.
    relations: usize,
    /// References to columns of tables in one output column, inner columns put in place.
    references: usize,
    /// The most of these where inner columns were put in place.
    expansion: usize,
    /// The longest select list.
    columns: usize,
}

impl Size {
    const TABLE: Self = Self {
        relations: 1,
        references: 1,
        expansion: 1,
        columns: 0,
    };
    const NONE: Self = Self {
        relations: 0,
        references: 1,
        expansion: 1,
        columns: 0,
    };

    fn beside(self, other: Self) -> Self {
        Self {
            relations: self.relations.saturating_add(other.relations),
            references: self.references.max(other.references),
            expansion: self.expansion.max(other.expansion),
            columns: self.columns.max(other.columns),
        }
    }
}

type Named = HashMap<String, Size>;

fn query_size(query: &Query, outer: &Named) -> Size {
    let mut named = outer.clone();
    // The body of an unused expression is planned too, so the longest list counts either way.
    let mut unused = Size::NONE;
    if let Some(with) = &query.with {
        for cte in &with.cte_tables {
            let size = query_size(&cte.query, &named);
            unused = unused.beside(Size {
                relations: 0,
                ..size
            });
            named.insert(cte.alias.name.value.to_lowercase(), size);
        }
    }
    let mut size = body_size(&query.body, &named).beside(unused);
    if let Some(order_by) = &query.order_by {
        size = size.beside(inner_size(order_by, &named));
    }
    if let Some(limit) = &query.limit_clause {
        size = size.beside(inner_size(limit, &named));
    }
    size
}

fn body_size(body: &SetExpr, named: &Named) -> Size {
    match body {
        SetExpr::Select(select) => select_size(select, named),
        SetExpr::Query(query) => query_size(query, named),
        SetExpr::SetOperation { left, right, .. } => {
            body_size(left, named).beside(body_size(right, named))
        }
        SetExpr::Values(values) => {
            let columns = values.rows.iter().map(|row| row.len()).max().unwrap_or(0);
            Size {
                columns,
                ..Size::TABLE
            }
        }
        // The other bodies were refused as statements that write.
        _ => Size::TABLE,
    }
}

fn select_size(select: &Select, named: &Named) -> Size {
    let from = select
        .from
        .iter()
        .map(|table| joined_size(table, named))
        .fold(Size::NONE, Size::beside);
    let copies = select
        .projection
        .iter()
        .map(item_references)
        .max()
        .unwrap_or(1)
        .max(1);
    let mut within = Size::NONE;
    for item in &select.projection {
        within = within.beside(inner_size(item, named));
    }
    within = within
        .beside(inner_size(&select.selection, named))
        .beside(inner_size(&select.having, named))
        .beside(inner_size(&select.group_by, named))
        .beside(inner_size(&select.qualify, named));
    let references = from.references.saturating_mul(copies);
    Size {
        // A select without tables is a node of the plan too, and doubles like one.
        relations: from.relations.max(1).saturating_add(within.relations),
        references,
        // Columns of tables are as often in the plan as in the text; only inner ones multiply.
        expansion: if from.references > 1 { references } else { 1 }
            .max(from.expansion)
            .max(within.expansion),
        columns: from
            .columns
            .max(within.columns)
            .max(select.projection.len()),
    }
}

fn joined_size(table: &TableWithJoins, named: &Named) -> Size {
    table
        .joins
        .iter()
        .map(|join| {
            factor_size(&join.relation, named).beside(inner_size(&join.join_operator, named))
        })
        .fold(factor_size(&table.relation, named), Size::beside)
}

fn factor_size(factor: &TableFactor, named: &Named) -> Size {
    match factor {
        TableFactor::Table { name, .. } => cte_name(name)
            .and_then(|name| named.get(&name).copied())
            .unwrap_or(Size::TABLE),
        TableFactor::Derived { subquery, .. } => query_size(subquery, named),
        TableFactor::NestedJoin {
            table_with_joins, ..
        } => joined_size(table_with_joins, named),
        other => Size::TABLE.beside(inner_size(other, named)),
    }
}

fn cte_name(name: &ObjectName) -> Option<String> {
    match name.0.as_slice() {
        [part] => part.as_ident().map(|ident| ident.value.to_lowercase()),
        _ => None,
    }
}

fn item_references(item: &SelectItem) -> usize {
    let mut count = References(0);
    let _ = item.visit(&mut count);
    count.0
}

struct References(usize);

impl Visitor for References {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
            self.0 += 1;
        }
        ControlFlow::Continue(())
    }
}

/// The size of the queries inside an expression.
fn inner_size(part: &impl Visit, named: &Named) -> Size {
    let mut inner = Inner {
        named,
        depth: 0,
        size: Size::NONE,
    };
    let _ = part.visit(&mut inner);
    inner.size
}

struct Inner<'a> {
    named: &'a Named,
    depth: usize,
    size: Size,
}

impl Visitor for Inner<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        // `query_size` walks into the inner queries of this one by itself.
        if self.depth == 0 {
            self.size = self.size.beside(query_size(query, self.named));
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::parser::Statement;
    use datafusion::sql::sqlparser::ast::Statement as SqlStatement;
    use std::fmt::Write;

    fn check(sql: &str) -> Result<(), String> {
        let Statement::Statement(statement) = crate::guard::parse(sql).unwrap() else {
            panic!("not a statement: {sql}")
        };
        let SqlStatement::Query(query) = *statement else {
            panic!("not a query: {sql}")
        };
        check_shape(&query, &QueryLimits::default()).map_err(|e| e.to_string())
    }

    #[test]
    fn ordinary_nesting_passes() {
        check(
            "with a as (select psp, sum(x) as s from t group by psp), \
             b as (select psp, s / 2 + s as h from a where s > (select avg(s) from a)) \
             select a.psp, h from a join b on a.psp = b.psp where h in (select h from b)",
        )
        .unwrap();
    }

    #[test]
    fn doubling_with_expressions_are_counted_not_built() {
        let mut sql = "with c0 as (select 1 as x)".to_owned();
        for level in 1..40 {
            let below = level - 1;
            write!(
                sql,
                ", c{level} as (select a.x from c{below} a cross join c{below} b)"
            )
            .unwrap();
        }
        sql.push_str(" select * from c39");
        let error = check(&sql).unwrap_err();
        assert!(error.contains("at most 64 are allowed"), "{error}");
    }

    #[test]
    fn doubling_columns_are_counted_not_built() {
        let mut sql = "select 1 as x".to_owned();
        for _ in 0..30 {
            sql = format!("select x + x as x from ({sql})");
        }
        let error = check(&format!("select * from ({sql}) where x = 1")).unwrap_err();
        assert!(error.contains("repeated 1073741824 times"), "{error}");
    }

    #[test]
    fn a_very_wide_select_is_refused() {
        let error = check(&format!("select {} from t", vec!["a"; 201].join(","))).unwrap_err();
        assert!(error.contains("lists 201 columns; at most 200"), "{error}");
    }
}
