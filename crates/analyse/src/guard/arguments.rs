//! What a call in the text looks like: its name and its arguments.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
};

/// The name under which the engine looks a function up.
pub(super) fn called(call: &Function) -> String {
    match call.name.0.as_slice() {
        [part] => part.as_ident().map(|ident| match ident.quote_style {
            Some(_) => ident.value.clone(),
            None => ident.value.to_lowercase(),
        }),
        _ => None,
    }
    .unwrap_or_else(|| call.name.to_string())
}

/// The argument at a place, counted from 0; none when any is given by name, because its place is
/// then not where it stands.
pub(super) fn argument(call: &Function, at: usize) -> Option<&Expr> {
    let FunctionArguments::List(list) = &call.args else {
        return None;
    };
    let places: Option<Vec<&Expr>> = list
        .args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect();
    places?.get(at).copied()
}

/// How many arguments a call has.
pub(super) fn arguments(call: &Function) -> usize {
    match &call.args {
        FunctionArguments::List(list) => list.args.len(),
        FunctionArguments::Subquery(_) => 1,
        FunctionArguments::None => 0,
    }
}

/// The text of a literal, however it is quoted.
pub(super) fn text_literal(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Nested(inner) => text_literal(inner),
        Expr::Value(value) => value.clone().into_string(),
        _ => None,
    }
}
