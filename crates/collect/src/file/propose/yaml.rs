//! Writes a proposal as a definitions file that people read and go on from.

use std::fmt::Write as _;
use std::path::Path;

use tillwatch_event::guard;

use super::Trial;
use super::names::{in_sql, in_yaml};
use super::plan::{Plan, PlannedField};
use super::roles::{Dimension, Roles};
use super::survey::Survey;
use crate::decode::Delimiter;
use crate::file::dialect::{Dialect, FileFormat};

/// The whole file.
pub(super) fn write(
    path: &Path,
    survey: &Survey,
    plan: &Plan,
    roles: &Roles,
    trial: &Trial,
) -> String {
    let mut out = String::new();
    head(&mut out, path, survey, trial);
    stream(&mut out, survey, plan);
    cube(&mut out, plan, roles);
    metrics(&mut out, roles);
    out
}

// Writing to a `String` cannot fail; this takes the result away in one place.
macro_rules! line {
    ($out:expr, $($text:tt)*) => {{
        let _ = writeln!($out, $($text)*);
    }};
}

fn head(out: &mut String, path: &Path, survey: &Survey, trial: &Trial) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    line!(
        out,
        "# Proposed from {}: {}.",
        comment(&name),
        survey.format.name()
    );
    let extent = if survey.whole { "all" } else { "the first" };
    match trial.rejected {
        0 => line!(
            out,
            "# Tried on {extent} {} lines: every one loads.",
            trial.lines
        ),
        rejected => {
            line!(
                out,
                "# Tried on {extent} {} lines: {rejected} {} rejected, such as",
                trial.lines,
                if rejected == 1 { "is" } else { "are" }
            );
            for reason in &trial.reasons {
                line!(out, "#   {}", comment(reason));
            }
        }
    }
    if let Some(key) = &survey.wrapped {
        line!(
            out,
            "# It is one object, one event. If its events are in `{}`, write them one a line: jq -c '.{}[]'.",
            comment(key),
            comment(key)
        );
    }
    line!(
        out,
        "# Names, descriptions and units are guesses: change them before you rely on them."
    );
    line!(out, "");
}

fn stream(out: &mut String, survey: &Survey, plan: &Plan) {
    line!(out, "streams:");
    line!(out, "  {}:", in_yaml(&plan.stream));
    match (&plan.id, &plan.almost_id) {
        (Some(id), _) => {
            line!(
                out,
                "    id: {}  # different in every line; a repeated one counts once",
                in_yaml(id)
            );
            line!(out, "    dedup: 24h");
        }
        (None, Some(almost)) => {
            line!(
                out,
                "    # No id: {almost} repeats. Set `id: {almost}` if repeats are the same event."
            );
        }
        (None, None) => {
            line!(
                out,
                "    # No id: no column tells every line apart. Loading the file again counts it again,"
            );
            line!(
                out,
                "    # unless the loader says that it is the same file, as `tillwatch ingest` does."
            );
        }
    }
    let others = match plan.other_times.as_slice() {
        [] => String::new(),
        names => format!("  # or: {}", names.join(", ")),
    };
    line!(out, "    time: {}{others}", in_yaml(&plan.time));
    if plan.time_missing > 0 {
        line!(
            out,
            "    # {} {} no {} and {} rejected.",
            plan.time_missing,
            if plan.time_missing == 1 {
                "line has"
            } else {
                "lines have"
            },
            plan.time,
            if plan.time_missing == 1 { "is" } else { "are" },
        );
    }
    if let FileFormat::Csv(dialect) = survey.format {
        csv_options(out, dialect);
    }
    line!(out, "    fields:");
    for planned in plan.declared() {
        field(out, survey, planned);
    }
    for (name, reason) in &plan.left_out {
        line!(
            out,
            "      # Left out: {}, because {reason}.",
            comment(name)
        );
    }
    derived(out, plan);
    line!(out, "");
}

/// The numbers that stand in texts.
fn derived(out: &mut String, plan: &Plan) {
    if plan.derived().next().is_none() {
        return;
    }
    line!(out, "    derive:");
    for (planned, expr) in plan.derived() {
        let note = planned.note.as_ref();
        let note = note.map_or_else(String::new, |note| format!("  # {}", comment(note)));
        let name = in_yaml(&planned.field.name);
        line!(out, "      {name}: {}{note}", quoted(expr));
    }
}

fn csv_options(out: &mut String, dialect: Dialect) {
    if dialect == Dialect::default() {
        return;
    }
    let delimiter = match dialect.delimiter {
        Delimiter::Byte(byte) => quoted(&char::from(byte).to_string()),
        Delimiter::Whitespace => "whitespace".to_owned(),
    };
    line!(
        out,
        "    csv: {{delimiter: {delimiter}, header: {}}}",
        dialect.header
    );
    if !dialect.header {
        line!(
            out,
            "    # The file has no header: the fields are its columns in this order. Rename them as you like."
        );
    }
}

fn field(out: &mut String, survey: &Survey, planned: &PlannedField) {
    let field = &planned.field;
    let kind = format!("{}{}", field.kind, if field.optional { "?" } else { "" });
    let mut details = Vec::new();
    if let Some(from) = &field.from {
        details.push(format!("from: {}", quoted(from)));
    }
    if let Some(pattern) = field
        .format
        .as_ref()
        .and_then(|format| format.pattern.as_ref())
    {
        details.push(format!("format: {}", quoted(pattern)));
    }
    if !field.null_values.is_empty() {
        let texts: Vec<String> = field.null_values.iter().map(|text| quoted(text)).collect();
        details.push(format!("nulls: [{}]", texts.join(", ")));
    }
    let mut notes = Vec::new();
    if let Some(column) = survey.columns.get(planned.column)
        && column.empty > 0
    {
        let share = column.empty as f64 * 100.0 / survey.rows.max(1) as f64;
        notes.push(if column.filled == 0 {
            "always empty".to_owned()
        } else {
            format!("{share:.1} % empty")
        });
    }
    if let Some(also) = planned.verdict.also {
        notes.push(format!("all values can be read as {also} too: check"));
    }
    notes.extend(planned.note.clone());
    let note = match notes.as_slice() {
        [] => String::new(),
        notes => format!("  # {}", comment(&notes.join("; "))),
    };
    let name = in_yaml(&field.name);
    if details.is_empty() {
        line!(out, "      {name}: {kind}{note}");
    } else {
        let kind = if kind.contains(',') {
            quoted(&kind)
        } else {
            kind
        };
        line!(
            out,
            "      {name}: {{type: {kind}, {}}}{note}",
            details.join(", ")
        );
    }
}

fn cube(out: &mut String, plan: &Plan, roles: &Roles) {
    line!(out, "cubes:");
    line!(out, "  {}:", in_yaml(&roles.cube));
    line!(out, "    from: {}", in_yaml(&plan.stream));
    line!(out, "    bucket: {}", roles.bucket);
    if roles.dimensions.is_empty() {
        line!(
            out,
            "    dimensions: []  # no column has few enough different values"
        );
    } else {
        line!(out, "    dimensions:");
        for dimension in &roles.dimensions {
            let name = in_yaml(&dimension.name);
            let sql = in_sql(&dimension.name);
            if sql == dimension.name {
                line!(out, "      - {name}  # {}", values(dimension));
            } else {
                // A name alone is read as SQL, too.
                line!(
                    out,
                    "      - {name}: {}  # {}",
                    quoted(&sql),
                    values(dimension)
                );
            }
        }
    }
    if !roles.more_dimensions.is_empty() {
        line!(
            out,
            "      # Others with few values: {}.",
            roles.more_dimensions.join(", ")
        );
    }
    line!(out, "    measures:");
    for measure in &roles.measures {
        line!(
            out,
            "      {}: {}",
            in_yaml(&measure.name),
            plain_or_quoted(&measure.expr)
        );
    }
    line!(
        out,
        "    # Without `keep` all buckets are kept. For instance: keep: {{{}: 3y}}",
        roles.bucket
    );
    line!(out, "");
}

fn values(dimension: &Dimension) -> String {
    let shown = dimension.shown.join(", ");
    let more = if dimension.values > dimension.shown.len() {
        ", …"
    } else {
        ""
    };
    comment(&format!("{} values: {shown}{more}", dimension.values))
}

fn metrics(out: &mut String, roles: &Roles) {
    line!(out, "metrics:");
    for metric in &roles.metrics {
        line!(out, "  {}:", in_yaml(&metric.name));
        line!(out, "    of: {}", in_yaml(&roles.cube));
        line!(out, "    expr: {}", plain_or_quoted(&metric.expr));
        line!(out, "    unit: {}", metric.unit);
        line!(out, "    description: {}", quoted(&metric.description));
        line!(out, "    formula: {}", quoted(&metric.formula));
    }
    line!(out, "");
    line!(
        out,
        "# In SQL: select bucket, measure({}) from {} group by bucket",
        in_sql(&first_metric(roles)),
        roles.cube
    );
}

fn first_metric(roles: &Roles) -> String {
    roles
        .metrics
        .first()
        .map(|metric| metric.name.clone())
        .unwrap_or_default()
}

/// A YAML text in double quotes, which are JSON's.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// SQL is plain YAML unless it has a sign that YAML reads otherwise.
fn plain_or_quoted(expr: &str) -> String {
    let special = expr.contains(": ")
        || expr.contains(" #")
        || expr.ends_with(':')
        || in_yaml(expr) != expr
        || expr.starts_with(['"', '\'', '[', '{', '*', '&']);
    if special {
        quoted(expr)
    } else {
        expr.to_owned()
    }
}

/// A text that stays within its comment and shows no card number.
pub(super) fn comment(text: &str) -> String {
    guard::mask_line(text)
        .chars()
        .map(|c| match c {
            // Some readers of YAML end a line there.
            '\u{2028}' | '\u{2029}' => ' ',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}
