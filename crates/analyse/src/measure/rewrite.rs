//! The replacement of `measure(name)` in a parsed query.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments,
    GroupByExpr, Ident, ObjectName, OrderBy, Query, Select, SelectItem, SetExpr, Spanned,
    TableFactor, TableWithJoins, Value, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::MEASURE;
use super::names::{MeasureNames, merge_function, metric_function, state_column};
use super::scope::{Env, Lineage, Relation, Scope, normal, qualifier, table_name};
use crate::error::{AnalyseError, Fault, Position};
use crate::forecast::FORECAST;
use crate::guard::position;
use crate::suggest;
use crate::windowed::{DIMENSION, FUNCTIONS};

/// Replaces every `measure(name)` in the query and its subqueries.
pub(crate) fn rewrite(query: &mut Query, names: &MeasureNames) -> Result<(), AnalyseError> {
    Rewriter { names }.query(query, &Env::new()).map(drop)
}

struct Rewriter<'a> {
    names: &'a MeasureNames,
}

impl Rewriter<'_> {
    fn query(&self, query: &mut Query, outer: &Env) -> Result<Lineage, AnalyseError> {
        let mut env = outer.clone();
        if let Some(with) = &mut query.with {
            for cte in &mut with.cte_tables {
                let lineage = self.query(&mut cte.query, &env)?;
                env.insert(normal(&cte.alias.name), lineage);
            }
        }
        match query.body.as_mut() {
            SetExpr::Select(select) => self.select(select, query.order_by.as_mut(), &env),
            body => self.body(body, &env),
        }
    }

    fn body(&self, body: &mut SetExpr, env: &Env) -> Result<Lineage, AnalyseError> {
        match body {
            SetExpr::Select(select) => self.select(select, None, env),
            SetExpr::Query(query) => self.query(query, env),
            SetExpr::SetOperation { left, right, .. } => {
                let mut lineage = self.body(left, env)?;
                lineage.extend(self.body(right, env)?);
                Ok(lineage)
            }
            _ => Ok(Lineage::new()),
        }
    }

    fn select(
        &self,
        select: &mut Select,
        order_by: Option<&mut OrderBy>,
        env: &Env,
    ) -> Result<Lineage, AnalyseError> {
        let mut scope = Scope::default();
        for table in &mut select.from {
            self.joined(table, env, &mut scope)?;
        }
        let mut found = 0;
        for item in &mut select.projection {
            found += self.item(item, &scope, env)?;
        }
        found += self.part(&mut select.having, &scope, env, None)?;
        found += self.part(&mut select.qualify, &scope, env, None)?;
        if let Some(order_by) = order_by {
            found += self.part(order_by, &scope, env, None)?;
        }
        self.part(
            &mut select.selection,
            &scope,
            env,
            Some("where; filter by it with having"),
        )?;
        self.part(&mut select.group_by, &scope, env, Some("group by"))?;
        // A select that groups, or that reads one figure, hands on figures; others hand on rows.
        let groups = match &select.group_by {
            GroupByExpr::All(_) => true,
            GroupByExpr::Expressions(by, _) => !by.is_empty(),
        };
        Ok(if groups || found > 0 {
            Lineage::new()
        } else {
            scope.cubes()
        })
    }

    fn joined(
        &self,
        table: &mut TableWithJoins,
        env: &Env,
        scope: &mut Scope,
    ) -> Result<(), AnalyseError> {
        self.factor(&mut table.relation, env, scope)?;
        for join in &mut table.joins {
            self.factor(&mut join.relation, env, scope)?;
            self.part(
                &mut join.join_operator,
                scope,
                env,
                Some("a join's condition"),
            )?;
        }
        Ok(())
    }

    fn factor(
        &self,
        factor: &mut TableFactor,
        env: &Env,
        scope: &mut Scope,
    ) -> Result<(), AnalyseError> {
        let relation = match factor {
            TableFactor::Table {
                name,
                alias,
                args: Some(call),
                ..
            } => {
                if forecast_call(name, &mut call.args) {
                    return Ok(());
                }
                let Some((function, cube)) = window_cube(name, &mut call.args) else {
                    return Ok(());
                };
                Relation {
                    // The planner calls the table so where it has no other name.
                    qualifier: qualifier(alias.as_ref(), None)
                        .or_else(|| Some(Ident::with_quote('"', format!("{function}()")))),
                    cubes: (self.names.cubes.contains_key(&cube))
                        .then_some(cube)
                        .into_iter()
                        .collect(),
                }
            }
            TableFactor::Table { name, alias, .. } => {
                let Some((ident, alone)) = table_name(name) else {
                    return Ok(());
                };
                let text = normal(ident);
                let cubes = match env.get(&text) {
                    Some(lineage) if alone => lineage.clone(),
                    _ if self.names.cubes.contains_key(&text) => Lineage::from([text]),
                    _ => Lineage::new(),
                };
                Relation {
                    qualifier: qualifier(alias.as_ref(), Some(ident)),
                    cubes,
                }
            }
            TableFactor::Derived {
                subquery, alias, ..
            } => {
                let cubes = self.query(subquery, env)?;
                Relation {
                    qualifier: qualifier(alias.as_ref(), None),
                    cubes,
                }
            }
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => {
                return self.joined(table_with_joins, env, scope);
            }
            _ => return Ok(()),
        };
        scope.relations.push(relation);
        Ok(())
    }

    /// A select item keeps a readable name: the metric's for a bare `measure(metric)`, otherwise
    /// the text as it was written.
    fn item(&self, item: &mut SelectItem, scope: &Scope, env: &Env) -> Result<usize, AnalyseError> {
        let SelectItem::UnnamedExpr(expr) = item else {
            return self.part(item, scope, env, None);
        };
        let name = match measure_argument(expr) {
            Some(Ok((_, name))) => normal(&name),
            _ => expr.to_string(),
        };
        let mut expr = expr.clone();
        let found = self.part(&mut expr, scope, env, None)?;
        if found > 0 {
            *item = SelectItem::ExprWithAlias {
                expr,
                alias: Ident::with_quote('"', name),
            };
        } else {
            *item = SelectItem::UnnamedExpr(expr);
        }
        Ok(found)
    }

    /// Replaces in one part of a select; `refused` names a place where no aggregate may stand.
    fn part(
        &self,
        part: &mut impl VisitMut,
        scope: &Scope,
        env: &Env,
        refused: Option<&'static str>,
    ) -> Result<usize, AnalyseError> {
        let mut visitor = Replace {
            rewriter: self,
            scope,
            env,
            refused,
            depth: 0,
            found: 0,
        };
        match part.visit(&mut visitor) {
            ControlFlow::Continue(()) => Ok(visitor.found),
            ControlFlow::Break(error) => Err(*error),
        }
    }

    fn replacement(&self, call: &Function, scope: &Scope) -> Result<Expr, AnalyseError> {
        let place = position(call.name.span().start);
        if call.over.is_some() || !call.within_group.is_empty() || call.null_treatment.is_some() {
            return Err(AnalyseError::Invalid(
                Fault::new("measure() takes no 'over', 'within group' or 'nulls'").at(place),
            ));
        }
        let (of, name) = argument(call).map_err(|fault| AnalyseError::Invalid(fault.at(place)))?;
        let target = self.target(&name, of.as_ref(), scope, place)?;
        let span = call.name.span();
        let merges = target.measures.iter().map(|measure| {
            let parts = self
                .names
                .cubes
                .get(&target.cube)
                .and_then(|m| m.get(measure))
                .copied();
            let columns = (0..parts.unwrap_or(0))
                .map(|part| {
                    column(
                        target.qualifier.as_ref(),
                        &state_column(measure, part),
                        span,
                    )
                })
                .collect();
            function(
                &merge_function(&target.cube, measure),
                columns,
                call.filter.clone(),
            )
        });
        let mut merges: Vec<Expr> = merges.collect();
        match target.metric {
            Some(metric) => Ok(function(&metric_function(&metric), merges, None)),
            None => merges.pop().ok_or(AnalyseError::Internal),
        }
    }

    fn target(
        &self,
        name: &Ident,
        of: Option<&Ident>,
        scope: &Scope,
        place: Option<Position>,
    ) -> Result<Target, AnalyseError> {
        let text = normal(name);
        let carriers: Vec<&Relation> = scope.carriers().collect();
        let fitting: Vec<&&Relation> = carriers
            .iter()
            .filter(|relation| {
                of.is_none_or(|of| {
                    relation
                        .qualifier
                        .as_ref()
                        .is_some_and(|q| normal(q) == normal(of))
                })
            })
            .collect();
        if fitting.is_empty() {
            return Err(self.no_cube(&text, of, place));
        }
        if carriers.len() > 1 {
            let fault = Fault::new("a join of two cubes would count rows several times")
                .at(place)
                .suggest(Some(
                    "group each cube in a subquery and join the answers".into(),
                ));
            return Err(AnalyseError::Invalid(fault));
        }
        for relation in &fitting {
            for cube in &relation.cubes {
                let qualifier = relation.qualifier.clone();
                if let Some((of, measures)) = self.names.metrics.get(&text)
                    && of == cube
                {
                    let (cube, measures) = (cube.clone(), measures.clone());
                    return Ok(Target {
                        cube,
                        measures,
                        metric: Some(text),
                        qualifier,
                    });
                }
                if self
                    .names
                    .cubes
                    .get(cube)
                    .is_some_and(|m| m.contains_key(&text))
                {
                    let (cube, measures) = (cube.clone(), vec![text]);
                    return Ok(Target {
                        cube,
                        measures,
                        metric: None,
                        qualifier,
                    });
                }
            }
        }
        Err(self.not_of(&text, &scope.cubes(), place))
    }

    fn no_cube(&self, name: &str, of: Option<&Ident>, place: Option<Position>) -> AnalyseError {
        let message = match of {
            Some(of) => format!("'{}' is no cube of this query's 'from'", of.value),
            None => format!("measure({name}) needs a cube in the 'from' of the same select"),
        };
        let suggestion = match self.names.metrics.get(name) {
            Some((cube, _)) => Some(format!("'{name}' is a metric of the cube '{cube}'")),
            None => suggest::did_you_mean(name, self.names.metrics.keys().map(String::as_str)),
        };
        AnalyseError::Invalid(Fault::new(message).at(place).suggest(suggestion))
    }

    fn not_of(&self, name: &str, cubes: &Lineage, place: Option<Position>) -> AnalyseError {
        let here = suggest::listed(cubes.iter().map(String::as_str));
        if let Some((cube, _)) = self.names.metrics.get(name) {
            let fault = Fault::new(format!(
                "the metric '{name}' is of the cube '{cube}', not of {here}"
            ));
            return AnalyseError::Invalid(
                fault
                    .at(place)
                    .suggest(Some(format!("select it from {cube}"))),
            );
        }
        let known = || cubes.iter().flat_map(|cube| self.names.all_of(cube));
        let suggestion = suggest::did_you_mean(name, known())
            .or_else(|| Some(format!("there are {}", suggest::listed(known()))));
        let fault = Fault::new(format!("{here} has no metric or measure '{name}'"));
        AnalyseError::Unknown(fault.at(place).suggest(suggestion))
    }
}

/// What a `measure(name)` stands for.
struct Target {
    cube: String,
    measures: Vec<String>,
    metric: Option<String>,
    qualifier: Option<Ident>,
}

struct Replace<'a, 'n> {
    rewriter: &'a Rewriter<'n>,
    scope: &'a Scope,
    env: &'a Env,
    refused: Option<&'static str>,
    depth: usize,
    found: usize,
}

impl VisitorMut for Replace<'_, '_> {
    type Break = Box<AnalyseError>;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Box<AnalyseError>> {
        // A subquery has a scope of its own and is replaced as a whole at its outermost level.
        if self.depth == 0
            && let Err(error) = self.rewriter.query(query, self.env)
        {
            return ControlFlow::Break(Box::new(error));
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<Box<AnalyseError>> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Box<AnalyseError>> {
        if self.depth > 0 {
            return ControlFlow::Continue(());
        }
        let Expr::Function(call) = expr else {
            return ControlFlow::Continue(());
        };
        if !is_measure(call) {
            return ControlFlow::Continue(());
        }
        if let Some(place) = self.refused {
            let fault = Fault::new(format!("measure() cannot stand in {place}"));
            let at = position(call.name.span().start);
            return ControlFlow::Break(Box::new(AnalyseError::Invalid(fault.at(at))));
        }
        match self.rewriter.replacement(call, self.scope) {
            Ok(replacement) => {
                *expr = replacement;
                self.found += 1;
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(Box::new(error)),
        }
    }
}

fn is_measure(call: &Function) -> bool {
    matches!(table_name(&call.name), Some((ident, true)) if normal(ident) == MEASURE)
}

fn measure_argument(expr: &Expr) -> Option<Result<(Option<Ident>, Ident), Fault>> {
    match expr {
        Expr::Function(call) if is_measure(call) && call.filter.is_none() => Some(argument(call)),
        _ => None,
    }
}

/// Whether it is a call for a forecast; the name of the metric becomes a text in it, as functions of tables
/// have no columns to name.
fn forecast_call(name: &mut ObjectName, args: &mut [FunctionArg]) -> bool {
    let Some((function, true)) = table_name(name) else {
        return false;
    };
    if normal(function) != FORECAST {
        return false;
    }
    *name = ObjectName::from(vec![Ident::new(FORECAST)]);
    if let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))) = args.first_mut()
        && let Expr::Identifier(ident) = expr
    {
        *expr = Expr::value(Value::SingleQuotedString(normal(ident)));
    }
    true
}

/// The function and the cube of a call for windows. Names in it become texts: functions of tables have no
/// columns to name.
fn window_cube(name: &mut ObjectName, args: &mut [FunctionArg]) -> Option<(String, String)> {
    let (function, alone) = table_name(name)?;
    let function = normal(function);
    if !alone || !FUNCTIONS.contains(&function.as_str()) {
        return None;
    }
    *name = ObjectName::from(vec![Ident::new(function.as_str())]);
    let mut cube = None;
    for (at, arg) in args.iter_mut().enumerate() {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = arg else {
            continue;
        };
        if let Expr::Identifier(ident) = expr {
            let named = normal(ident);
            let text = if at == 0 {
                named
            } else {
                format!("{DIMENSION}{named}")
            };
            *expr = Expr::value(Value::SingleQuotedString(text));
        }
        if at == 0
            && let Expr::Value(value) = expr
            && let Value::SingleQuotedString(text) = &value.value
        {
            cube = Some(text.clone());
        }
    }
    Some((function, cube?))
}

/// The one name `measure()` takes, with the relation it is written after.
fn argument(call: &Function) -> Result<(Option<Ident>, Ident), Fault> {
    let wrong = || {
        Fault::new("measure() takes the name of one metric or measure")
            .suggest(Some("write measure(name)".into()))
    };
    let FunctionArguments::List(FunctionArgumentList {
        duplicate_treatment: None,
        args,
        clauses,
    }) = &call.args
    else {
        return Err(wrong());
    };
    if !clauses.is_empty() {
        return Err(wrong());
    }
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] = args.as_slice() else {
        return Err(wrong());
    };
    match argument {
        Expr::Identifier(name) => Ok((None, name.clone())),
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [of, name] => Ok((Some(of.clone()), name.clone())),
            _ => Err(wrong()),
        },
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Ok((None, Ident::with_quote('"', text))),
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

/// A state column, with the place of the call it stands for.
fn column(qualifier: Option<&Ident>, name: &str, span: Span) -> Expr {
    let name = Ident::with_quote_and_span('"', span, name);
    match qualifier {
        Some(qualifier) => {
            let qualifier = Ident {
                span,
                ..qualifier.clone()
            };
            Expr::CompoundIdentifier(vec![qualifier, name])
        }
        None => Expr::Identifier(name),
    }
}

fn function(name: &str, args: Vec<Expr>, filter: Option<Box<Expr>>) -> Expr {
    let args = args
        .into_iter()
        .map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)))
        .collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::with_quote('"', name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args,
            clauses: Vec::new(),
        }),
        filter,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
