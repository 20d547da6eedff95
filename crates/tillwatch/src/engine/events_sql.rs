//! SQL that shows the raw events behind some slices of a cube.

use tillwatch_event::time::rfc3339;
use tillwatch_monitor::figure::Slice;
use tillwatch_process::OTHER;

/// As many of the newest events are shown.
const EVENTS_MAX: usize = 1_000;

/// The events of a stream, as a cube parts them.
pub(super) struct Events<'a> {
    pub stream: &'a str,
    /// The name of the column with the event time.
    pub time: &'a str,
    /// The cube's dimensions as (name, SQL expression).
    pub dimensions: &'a [(String, String)],
}

impl Events<'_> {
    /// A statement for the events of `slices` from one time to another, µs; `is_text` says which names are those of columns with
    /// text. `None` where a slice is not one of events: `__other__` stands for whatever came too late to be told apart.
    pub fn sql(
        &self,
        is_text: impl Fn(&str) -> bool,
        slices: &[Slice],
        (from_us, to_us): (i64, i64),
    ) -> Option<String> {
        let column = |dimension: &str| {
            let (_, sql) = self.dimensions.iter().find(|(name, _)| name == dimension)?;
            let sql = sql.trim();
            // What a dimension shows is text, whatever its type is.
            let text = if is_text(sql) {
                name(sql)
            } else {
                format!("cast({sql} as varchar)")
            };
            Some(text)
        };
        let mut wanted = Vec::new();
        for slice in slices {
            let mut all = Vec::new();
            for (dimension, value) in slice.pairs() {
                let column = column(dimension)?;
                match value {
                    Some(OTHER) => return None,
                    Some(value) => all.push(format!("{column} = {}", literal(value))),
                    None => all.push(format!("{column} is null")),
                }
            }
            wanted.push(all.join(" and "));
        }
        let of_slices = match wanted.as_slice() {
            // Of everything, the others are part.
            all if all.iter().any(String::is_empty) => String::new(),
            [] => String::new(),
            [one] => format!(" and {one}"),
            several => format!(" and (({}))", several.join(") or (")),
        };
        let (from, to) = (rfc3339(from_us)?, rfc3339(to_us)?);
        let (stream, time) = (name(self.stream), name(self.time));
        Some(format!(
            "select * from {stream} where {time} >= timestamp '{from}' and {time} < timestamp '{to}'{of_slices} \
             order by {time} desc limit {EVENTS_MAX}"
        ))
    }
}

/// A name as SQL takes it whatever is in it.
fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL takes it whatever is in it: values are chosen by whoever sends events.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(slices: &[Slice]) -> Option<String> {
        let dimensions = [("psp", "psp"), ("kind", "upper(method)"), ("size", "items")];
        let events = Events {
            stream: "payments",
            time: "occurred_at",
            dimensions: &dimensions.map(|(name, sql)| (name.to_owned(), sql.to_owned())),
        };
        events.sql(|column| column == "psp", slices, (0, 60_000_000))
    }

    #[test]
    fn events_of_slices_are_asked_for_by_what_their_dimensions_are_made_of() {
        let start = "select * from \"payments\" where \"occurred_at\" >= timestamp '1970-01-01T00:00:00Z' and \
                     \"occurred_at\" < timestamp '1970-01-01T00:01:00Z'";
        let end = " order by \"occurred_at\" desc limit 1000";
        let of = |slices: &[Slice], conditions: &str| {
            assert_eq!(sql(slices), Some(format!("{start}{conditions}{end}")));
        };
        let adyen = Slice::from([("psp", "adyen"), ("kind", "CARD")]);
        of(
            std::slice::from_ref(&adyen),
            " and cast(upper(method) as varchar) = 'CARD' and \"psp\" = 'adyen'",
        );
        let none: Slice = [("size", None::<&str>)].into_iter().collect();
        of(
            &[none, Slice::from([("psp", "o'neill' or 'a'='a")])],
            " and ((cast(items as varchar) is null) or (\"psp\" = 'o''neill'' or ''a''=''a'))",
        );
        of(&[], "");
        of(&[adyen, Slice::whole()], "");
    }

    #[test]
    fn what_is_no_slice_of_events_has_no_statement() {
        assert_eq!(sql(&[Slice::from([("psp", OTHER)])]), None);
        assert_eq!(sql(&[Slice::from([("gone", "x")])]), None);
    }
}
