//! What the engine says about a fault, in the words of those who write SQL and not planners.

use datafusion::error::DataFusionError;

/// The first line of an engine error without its technical prefix, fit for a definition's author.
pub(crate) fn engine_reason(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let line = text.lines().next().unwrap_or_default();
    let line = ["type_coercion", "caused by"]
        .iter()
        .fold(line.trim(), |line, word| {
            line.strip_prefix(word).unwrap_or(line).trim()
        });
    let line = in_plain_words(line);
    if line.is_empty() {
        return text.replace('\n', " ");
    }
    line
}

/// An engine's message in plain words: without technical prefixes and candidate lists, and with the
/// types that definitions have.
///
/// What is not known stays as it is.
#[must_use]
pub fn in_plain_words(message: &str) -> String {
    let line = without_prefixes(message.lines().next().unwrap_or_default());
    let (line, candidates) = match line.split_once(". No function matches the given name") {
        Some((line, rest)) => (line, quoted(rest)),
        None => (line, None),
    };
    let line = line.trim_end_matches('.');
    let told = about_function(line, candidates)
        .or_else(|| about_name(line))
        .unwrap_or_else(|| line.to_owned());
    about_operator(with_types(&told))
}

fn without_prefixes(line: &str) -> &str {
    let mut line = line.trim();
    let prefixes = [
        "Error during planning: ",
        "Schema error: ",
        "SQL error: ",
        "This feature is not implemented: ",
        "Internal error: ",
        "Execution error: ",
        "Arrow error: ",
        "Compute error: ",
        "Parser error: ",
        "Cast error: ",
        "External error: ",
    ];
    while let Some(rest) = prefixes.iter().find_map(|prefix| line.strip_prefix(prefix)) {
        line = rest.trim();
    }
    ["ParserError(\"", "TokenizerError(\""]
        .iter()
        .find_map(|kind| line.strip_prefix(kind))
        .map_or(line, |inner| inner.trim_end_matches("\")"))
}

/// Names that do not exist.
fn about_name(line: &str) -> Option<String> {
    if let Some(name) = line.strip_prefix("Invalid function ") {
        return Some(format!("there is no function {name}"));
    }
    let (name, hint) = {
        let rest = line.strip_prefix("No field named ")?;
        rest.split_once(". ").unwrap_or((rest, ""))
    };
    let near = hint
        .strip_prefix("Did you mean ")
        .map(|near| format!("; did you mean {near}"))
        .unwrap_or_default();
    Some(format!(
        "there is no field '{}'{near}",
        name.trim_matches('"')
    ))
}

/// Arguments that a function does not take. `candidates` is the call as the engine saw it.
fn about_function(line: &str, candidates: Option<&str>) -> Option<String> {
    if let Some(rest) = line.strip_prefix("Failed to coerce arguments to satisfy a call to '") {
        let (name, rest) = rest.split_once("' function: coercion from ")?;
        let (types, _) = rest.split_once(" to the signature")?;
        let types = types.trim_matches(['[', ']']);
        return Some(format!("{name} does not take ({types})"));
    }
    let (name, rest) = line
        .strip_prefix("Function '")
        .or_else(|| line.strip_prefix("function '"))?
        .split_once("' ")?;
    if let Some(reason) = rest.strip_prefix("user-defined coercion failed with: ") {
        let reason = without_prefixes(reason);
        // Functions of ours say what they take; the others name what they tried in vain.
        return Some(match candidates {
            Some(call) if !reason.starts_with(name) => {
                let types = call.strip_prefix(name).unwrap_or(call);
                format!("{name} does not take {types}")
            }
            None if !reason.starts_with(name) => format!("{name} does not take these arguments"),
            _ => reason.to_owned(),
        });
    }
    let tried = match rest.split_once(", errors: ") {
        Some((_, errors)) if rest.starts_with("failed to match any signature") => errors,
        _ => rest,
    };
    let (mut counts, mut kinds, mut got) = (Vec::new(), Vec::new(), None);
    for attempt in tried.split(",Error during planning: ") {
        let attempt = without_prefixes(attempt).trim_end_matches('.');
        let attempt = attempt.split_once("' ").map_or(attempt, |(_, told)| told);
        if let Some((wanted, given)) = between(attempt, "expects ", " arguments but received ") {
            push_new(&mut counts, wanted.to_owned());
            got.get_or_insert_with(|| given.to_owned());
        } else if let Some((wanted, given)) = between(attempt, "requires ", ", but received ")
            .or_else(|| between(attempt, "expects ", " but received "))
        {
            push_new(&mut kinds, class(wanted));
            let kind = given.split_once("(DataType: ");
            let kind = kind
                .and_then(|(_, kind)| kind.strip_suffix(')'))
                .unwrap_or(given);
            got = Some(kind.to_owned());
        }
    }
    let got = got?;
    Some(if kinds.is_empty() {
        let what = if counts == ["1"] {
            "argument"
        } else {
            "arguments"
        };
        format!("{name} takes {} {what}, not {got}", listed(&counts))
    } else {
        format!("{name} takes {}, not {got}", listed(&kinds))
    })
}

/// Classes of types as the engine names them in signatures.
fn class(name: &str) -> String {
    match name {
        "Numeric" | "Float64" | "Float32" => "numbers".to_owned(),
        "Integer" => "integers".to_owned(),
        "String" => "a string".to_owned(),
        "Decimal" => "decimals".to_owned(),
        other => with_types(other).to_lowercase(),
    }
}

fn about_operator(line: String) -> String {
    if line.contains("does not support logical expression Wildcard") {
        return "`*` can only be counted: count(*)".to_owned();
    }
    let operation = line
        .strip_prefix("Cannot coerce arithmetic expression ")
        .and_then(|rest| rest.strip_suffix(" to valid types"))
        .or_else(|| {
            line.strip_prefix("Cannot infer common argument type for logical boolean operation ")
        });
    if let Some(operation) = operation {
        return format!("{operation} cannot be computed");
    }
    if let Some((left, right)) =
        between(&line, "Can not find compatible types to compare ", " with ")
    {
        return format!(
            "{left} cannot be compared with {}",
            right.trim_matches(['[', ']'])
        );
    }
    line
}

/// The same text with the engine's types as definitions write them.
fn with_types(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(start) = rest.find(|c| is_word(c) || c == '\'') {
        let (before, from) = rest.split_at(start);
        if from.starts_with('\'') {
            // What somebody wrote is repeated as it is.
            let end = from
                .get(1..)
                .and_then(|inside| inside.find('\''))
                .map(|end| end + 2);
            let (told, after) = from.split_at(end.unwrap_or(from.len()));
            out.push_str(before);
            out.push_str(told);
            rest = after;
            continue;
        }
        let (word, after) = from.split_at(from.find(|c| !is_word(c)).unwrap_or(from.len()));
        out.push_str(before);
        rest = after;
        match word {
            "Utf8" | "Utf8View" | "LargeUtf8" => out.push_str("string"),
            "Int8" | "Int16" | "Int32" | "Int64" => out.push_str("int64"),
            "UInt8" | "UInt16" | "UInt32" | "UInt64" => out.push_str("uint64"),
            "Float16" | "Float32" | "Float64" => out.push_str("float64"),
            "Boolean" => out.push_str("bool"),
            "Date32" | "Date64" => out.push_str("date"),
            "Decimal32" | "Decimal64" | "Decimal128" | "Decimal256" => out.push_str("decimal"),
            "Timestamp" if after.starts_with('(') => {
                out.push_str("timestamp");
                rest = after
                    .find(')')
                    .and_then(|end| after.get(end + 1..))
                    .unwrap_or_default();
            }
            "Binary" | "LargeBinary" | "BinaryView" => out.push_str("a sketch"),
            other => out.push_str(other),
        }
    }
    out.push_str(rest);
    out
}

fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn push_new(list: &mut Vec<String>, item: String) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// What stands between `first` at the beginning and `second`, and what stands behind.
fn between<'a>(text: &'a str, first: &str, second: &str) -> Option<(&'a str, &'a str)> {
    text.strip_prefix(first)?.split_once(second)
}

fn quoted(text: &str) -> Option<&str> {
    let (_, from) = text.split_once('\'')?;
    from.split_once('\'').map(|(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_is_put_in_plain_words() {
        for (said, expected) in [
            (
                "Execution error: Function 'sum' user-defined coercion failed with: Error during planning: sum takes numbers, got Utf8View. \
                 No function matches the given name and argument types 'sum(Utf8View)'. You might need to add explicit type casts.",
                "sum takes numbers, got string",
            ),
            (
                "Function 'coalesce' user-defined coercion failed with: Execution error: Fail to find the coerced type, errors: Execution error: \
                 Expect to get struct but got Date32. No function matches the given name and argument types 'coalesce(Date32, Decimal128(18, 2))'. You might",
                "coalesce does not take (date, decimal(18, 2))",
            ),
            (
                "Internal error: Function 'substr' failed to match any signature, errors: Error during planning: Function 'substr' expects 2 arguments \
                 but received 4,Error during planning: Function 'substr' expects 3 arguments but received 4",
                "substr takes 2 or 3 arguments, not 4",
            ),
            (
                "Internal error: Function 'round' failed to match any signature, errors: Error during planning: Function 'round' expects 2 arguments but \
                 received 1,Error during planning: Function 'round' requires Decimal, but received String (DataType: Utf8).,Error during planning: \
                 Function 'round' requires Float64, but received String (DataType: Utf8)",
                "round takes decimals or numbers, not string",
            ),
            (
                "Function 'lower' expects 1 arguments but received 2",
                "lower takes 1 argument, not 2",
            ),
            (
                "Function 'abs' expects Numeric but received Timestamp(µs, \"UTC\")",
                "abs takes numbers, not timestamp",
            ),
            (
                "Cannot coerce arithmetic expression Utf8View + Int64 to valid types",
                "string + int64 cannot be computed",
            ),
            (
                "Can not find compatible types to compare Utf8View with [Int64, Timestamp(µs, \"UTC\")]",
                "string cannot be compared with int64, timestamp",
            ),
            (
                "Failed to coerce arguments to satisfy a call to 'corr' function: coercion from Utf8View, Int64 to the signature Exact(Float64, Float64) failed",
                "corr does not take (string, int64)",
            ),
            ("Invalid function 'summ'.", "there is no function 'summ'"),
            (
                "Schema error: No field named a. Did you mean 's.b'?.",
                "there is no field 'a'; did you mean 's.b'?",
            ),
            (
                "Arrow error: Cast error: Cannot cast string '' to value of Int64 type",
                "Cannot cast string '' to value of int64 type",
            ),
            ("Unknown type 'Int64'", "Unknown type 'Int64'"),
            ("something else", "something else"),
            ("", ""),
        ] {
            assert_eq!(in_plain_words(said), expected);
        }
    }
}
