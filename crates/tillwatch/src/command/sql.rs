//! `sql`: ask a server or a data folder.

use std::io::Read;
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::Value;
use tillwatch_analyse::{Analyst, LimitOverride};

use super::client::ServerClient;
use crate::cli::{Output, Sql};
use crate::engine::{open_journal, replay};
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
            let processor = replay(&journal, &loaded, &|_| ())?;
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
        Output::Csv => print_rows(&serde_json::from_str(&json)?, csv_line),
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

fn rows(answer: &Value) -> impl Iterator<Item = Vec<String>> {
    let rows = answer
        .get("rows")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    rows.map(|row| row.as_array().into_iter().flatten().map(cell).collect())
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn print_rows(answer: &Value, line: impl Fn(&[String]) -> String) {
    terminal::line(line(&names(answer)));
    for row in rows(answer) {
        terminal::line(line(&row));
    }
}

fn csv_line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| {
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.clone()
        }
    });
    quoted.collect::<Vec<_>>().join(",")
}

fn table(answer: &Value) {
    let header = names(answer);
    let rows: Vec<_> = rows(answer).collect();
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .chain(header.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..header.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    terminal::line(line(&header));
    terminal::line(
        widths
            .iter()
            .map(|width| "─".repeat(*width))
            .collect::<Vec<_>>()
            .join("  "),
    );
    for row in &rows {
        terminal::line(line(row));
    }
    let noun = if rows.len() == 1 { "row" } else { "rows" };
    terminal::complain(format!("{} {noun}", rows.len()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_with_commas_quotes_and_line_breaks_are_quoted() {
        let cells = ["a,b", "say \"x\"", "two\nlines", "plain", ""].map(str::to_owned);
        assert_eq!(
            csv_line(&cells),
            "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",plain,"
        );
    }
}
