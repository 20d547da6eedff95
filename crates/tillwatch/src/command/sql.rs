//! `sql`: ask a server or a data folder.

use std::io::Read;
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::Value;
use tillwatch_analyse::{Analyst, LimitOverride};
use tillwatch_event::MemoryBudget;

use super::client::ServerClient;
use crate::cli::{Output, Sql};
use crate::engine::{open_journal, open_keeping, replay};
use crate::terminal;

/// Asks and prints.
pub async fn run(options: Sql) -> Result<ExitCode> {
    let mut query = options.query.clone();
    if query == "-" {
        query.clear();
        std::io::stdin().read_to_string(&mut query)?;
    }
    let json = match (&options.config, &options.data) {
        (Some(config), Some(data)) => {
            let Some(loaded) = super::load(config) else {
                return Ok(ExitCode::from(1));
            };
            let journal = open_journal(data, &loaded)?;
            let keeping = open_keeping(data, &journal, &loaded, MemoryBudget::unbounded())?;
            let processor = replay(&journal, &loaded, keeping, &|_| ())?;
            let analyst = Analyst::new(
                &processor,
                &journal.reader(),
                loaded.metrics.clone(),
                loaded.limits.query.limits(),
            )?;
            match analyst.sql(&query, LimitOverride::default()).await {
                Ok(answer) => String::from_utf8(answer.to_json()?)?,
                Err(error) => bail!("{error}"),
            }
        }
        _ => {
            let client = ServerClient::new(&options.server)?;
            let request = client
                .post("/v1/sql")?
                .json(&serde_json::json!({ "sql": query }));
            client.send(request).await?.text().await?
        }
    };
    match options.format {
        Output::Json => terminal::line(json),
        Output::Csv => csv(&serde_json::from_str(&json)?),
        Output::Table => table(&serde_json::from_str(&json)?),
    }
    Ok(ExitCode::SUCCESS)
}

fn names(answer: &Value) -> Vec<String> {
    let columns = answer
        .get("columns")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    columns
        .filter_map(|column| column.get("name")?.as_str().map(str::to_owned))
        .collect()
}

fn rows(answer: &Value) -> impl Iterator<Item = &[Value]> {
    let rows = answer
        .get("rows")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    rows.filter_map(|row| row.as_array().map(Vec::as_slice))
}

fn csv(answer: &Value) {
    let header: Vec<_> = names(answer).into_iter().map(Value::from).collect();
    terminal::line(csv_line(&header));
    for row in rows(answer) {
        terminal::line(csv_line(row));
    }
}

/// One line of CSV: no value is empty, a text without a character is `""`, as the server writes it.
fn csv_line(cells: &[Value]) -> String {
    let written = cells.iter().map(|cell| match cell {
        Value::Null => String::new(),
        Value::String(text) if text.is_empty() || text.contains([',', '"', '\n', '\r']) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    written.collect::<Vec<_>>().join(",")
}

/// A value in a table. What a terminal would take for a command is written out: values come from
/// whoever sent the events.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => shown(text),
        other => shown(&other.to_string()),
    }
}

/// A text whose control characters are written out.
pub fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // Marks of writing direction are no control characters, yet they rearrange the line.
        if c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

fn table(answer: &Value) {
    let header: Vec<String> = names(answer).iter().map(|name| shown(name)).collect();
    let rows: Vec<Vec<String>> = rows(answer)
        .map(|row| row.iter().map(cell).collect())
        .collect();
    terminal::table(&header, &rows);
    let noun = if rows.len() == 1 { "row" } else { "rows" };
    terminal::complain(format!("{} {noun}", rows.len()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_with_commas_quotes_and_line_breaks_are_quoted() {
        let cells = ["a,b", "say \"x\"", "two\nlines", "plain"].map(Value::from);
        assert_eq!(
            csv_line(&cells),
            "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",plain"
        );
    }

    #[test]
    fn no_value_and_an_empty_text_differ() {
        assert_eq!(csv_line(&[Value::Null, "".into(), 1.into()]), ",\"\",1");
    }

    #[test]
    fn nothing_in_a_table_commands_the_terminal() {
        assert_eq!(
            cell(&"\u{1b}]0;x\u{7}a\r\nb\u{9b}2J\u{202e}ü".into()),
            "\\u{1b}]0;x\\u{7}a\\r\\nb\\u{9b}2J\\u{202e}ü"
        );
    }
}
