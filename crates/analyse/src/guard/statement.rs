//! Exactly one statement, and one that only reads our own tables.

use std::ops::ControlFlow;

use datafusion::common::DataFusionError;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{
    Expr, Query, Select, SetExpr, Statement as SqlStatement, Visit, Visitor,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;

use crate::error::{AnalyseError, Fault};
use crate::friendly;

/// Depth of the parser's own recursion, above what the text's nesting limit lets through.
const PARSER_DEPTH: usize = 300;

/// Expressions in one `cube(…)`: each doubles the number of grouping sets.
const CUBE_EXPRESSIONS_MAX: usize = 6;

/// Expressions in one `rollup(…)` or sets in one `grouping sets (…)`.
const GROUPING_SETS_MAX: usize = 64;

/// Parses a text that `check_text` let through. Recurses: call it on a worker's large stack.
pub(crate) fn parse(sql: &str) -> Result<Statement, AnalyseError> {
    let parsed = DFParserBuilder::new(sql)
        .with_dialect(&GenericDialect {})
        .with_recursion_limit(PARSER_DEPTH)
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|e: DataFusionError| friendly::explain(&e, None))?;
    let mut statements = parsed.into_iter();
    let Some(statement) = statements.next() else {
        return Err(AnalyseError::Syntax(Fault::new("the query is empty")));
    };
    if statements.next().is_some() {
        return Err(AnalyseError::Forbidden(
            Fault::new("only one statement at a time can be answered")
                .suggest(Some("send each in a call of its own".into())),
        ));
    }
    check_kind(&statement)?;
    Ok(statement)
}

fn check_kind(statement: &Statement) -> Result<(), AnalyseError> {
    let refused = match statement {
        Statement::Statement(inner) => match inner.as_ref() {
            SqlStatement::Query(query) => return check_query(query),
            SqlStatement::ShowTables { .. }
            | SqlStatement::ShowColumns { .. }
            | SqlStatement::ExplainTable { .. } => return Ok(()),
            SqlStatement::Explain { .. } => "explain".to_owned(),
            other => first_words(&other.to_string()),
        },
        Statement::CreateExternalTable(_) => "create external table".to_owned(),
        Statement::CopyTo(_) => "copy".to_owned(),
        Statement::Explain(_) => "explain".to_owned(),
        Statement::Reset(_) => "reset".to_owned(),
    };
    Err(AnalyseError::Forbidden(
        Fault::new(format!("'{refused}' is not allowed: queries only read"))
            .suggest(Some("ask with select, show tables or describe".into())),
    ))
}

fn first_words(text: &str) -> String {
    text.split_whitespace()
        .take(2)
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

fn check_query(query: &Query) -> Result<(), AnalyseError> {
    match query.visit(&mut ReadOnly) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(refused) => Err(AnalyseError::Forbidden(Fault::new(refused))),
    }
}

struct ReadOnly;

impl Visitor for ReadOnly {
    type Break = String;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        if !query.pipe_operators.is_empty() {
            return ControlFlow::Break("pipe operators are not supported".into());
        }
        if !query.locks.is_empty() {
            return ControlFlow::Break("'for update' is not allowed: queries only read".into());
        }
        check_body(&query.body)
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<String> {
        if select.into.is_some() {
            return ControlFlow::Break("'select into' is not allowed: queries only read".into());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, _: &SqlStatement) -> ControlFlow<String> {
        ControlFlow::Break("a statement inside a query is not allowed: queries only read".into())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<String> {
        let (what, length, max) = match expr {
            Expr::Cube(sets) => ("cube", sets.len(), CUBE_EXPRESSIONS_MAX),
            Expr::Rollup(sets) => ("rollup", sets.len(), GROUPING_SETS_MAX),
            Expr::GroupingSets(sets) => ("grouping sets", sets.len(), GROUPING_SETS_MAX),
            _ => return ControlFlow::Continue(()),
        };
        if length > max {
            return ControlFlow::Break(format!("'{what}' takes at most {max} expressions"));
        }
        ControlFlow::Continue(())
    }
}

fn check_body(body: &SetExpr) -> ControlFlow<String> {
    match body {
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
            ControlFlow::Break("queries only read: no insert, update, delete or merge".into())
        }
        _ => ControlFlow::Continue(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(sql: &str) -> String {
        parse(sql).unwrap_err().to_string()
    }

    #[test]
    fn questions_pass() {
        for sql in [
            "select 1",
            "with a as (select 1 as x) select * from a union all values (2);",
            "show tables",
            "describe payments",
            "-- a comment\nselect 1 /* and another */",
        ] {
            parse(sql).unwrap();
        }
    }

    #[test]
    fn everything_that_is_not_a_question_is_refused() {
        for sql in [
            "insert into t values (1)",
            "update t set a = 1",
            "delete from t",
            "drop table t",
            "create table t as select 1",
            "create view v as select 1",
            "create external table t stored as csv location '/etc/passwd'",
            "copy (select 1) to '/tmp/x.csv'",
            "set datafusion.execution.batch_size = 1",
            "explain select 1",
            "explain analyze select 1",
            "create function f() returns int return 1",
            "prepare p as select 1",
            "begin",
            "with a as (insert into t values (1) returning *) select * from a",
            "select 1 into t",
            "reset datafusion.execution.batch_size",
        ] {
            let error = parse(sql).unwrap_err();
            assert!(
                matches!(error, AnalyseError::Forbidden(_) | AnalyseError::Syntax(_)),
                "{sql}: {error:?}"
            );
        }
        assert_eq!(
            refusal("drop table t"),
            "'drop table' is not allowed: queries only read; ask with select, show tables or describe"
        );
    }

    #[test]
    fn two_statements_and_none_are_refused() {
        assert!(refusal("select 1; select 2").starts_with("only one statement"));
        assert_eq!(refusal(" -- nothing"), "the query is empty");
    }

    #[test]
    fn grouping_sets_cannot_explode() {
        assert_eq!(
            refusal("select count(*) from t group by cube(a,b,c,d,e,f,g)"),
            "'cube' takes at most 6 expressions"
        );
    }
}
