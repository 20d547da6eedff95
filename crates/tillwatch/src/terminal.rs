//! What is printed for people. Everything else goes to the log.

use std::io::Write;

use indicatif::{ProgressBar, ProgressStyle};

/// Prints a line to standard output. A reader that has gone away is no fault of ours.
pub fn line(text: impl AsRef<str>) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{}", text.as_ref());
    let _ = out.flush();
}

/// Prints a line to standard error.
pub fn complain(text: impl AsRef<str>) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "{}", text.as_ref());
}

/// An error and what caused it, each told once: some errors name their cause themselves.
#[must_use]
pub fn with_causes(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            text.push_str(&format!(": {cause}"));
        }
    }
    text
}

/// A bar of bytes done on standard error; nothing is drawn when that is no terminal.
#[must_use]
pub fn bytes_bar(what: &'static str, bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(bytes).with_prefix(what);
    let style =
        ProgressStyle::with_template("{prefix} [{bar:40}] {bytes}/{total_bytes}, {eta} left");
    if let Ok(style) = style {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar
}

/// A bar of things done on standard error; nothing is drawn when that is no terminal.
#[must_use]
pub fn count_bar(what: &'static str, count: u64) -> ProgressBar {
    let bar = ProgressBar::new(count).with_prefix(what);
    let style =
        ProgressStyle::with_template("{prefix} [{bar:40}] {human_pos}/{human_len}, {eta} left");
    if let Ok(style) = style {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar
}

/// Prints rows in aligned columns below their names.
pub fn table(header: &[String], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .chain(header.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..header.len()).map(width).collect();
    let aligned = |cells: &[String]| {
        let padded = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    line(aligned(header));
    let rules = widths.iter().map(|width| "─".repeat(*width));
    line(rules.collect::<Vec<_>>().join("  "));
    for row in rows {
        line(aligned(row));
    }
}

/// `1234567` as `1,234,567`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::Context;
    use tillwatch_collect::file::{ProposeOptions, propose};

    use super::{thousands, with_causes};

    #[test]
    fn a_cause_is_told_once() {
        let fault = propose("/nope".as_ref(), &ProposeOptions::default())
            .context("reading")
            .unwrap_err();
        assert_eq!(
            with_causes(&fault),
            "reading: cannot open /nope: No such file or directory (os error 2)"
        );
        let plain = anyhow::anyhow!("inner").context("outer");
        assert_eq!(with_causes(&plain), "outer: inner");
    }

    #[test]
    fn long_numbers_are_grouped() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345_678, "12,345,678"),
        ];
        for (number, text) in cases {
            assert_eq!(thousands(number), text);
        }
    }
}
