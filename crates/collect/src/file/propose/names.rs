//! What names suggest, and names for what has none.

use std::collections::HashSet;

use tillwatch_event::schema::{name_fault, suggested_name};
use tillwatch_event::{SchemaLimits, guard};

use super::column::Hints;

const TIME_WORDS: [&str; 19] = [
    "datum",
    "uhrzeit",
    "fecha",
    "heure",
    "time",
    "date",
    "day",
    "at",
    "timestamp",
    "tstamp",
    "ts",
    "when",
    "datetime",
    "dt",
    "occurred",
    "created",
    "ordered",
    "on",
    "epoch",
];
const MONEY_WORDS: [&str; 22] = [
    "amount",
    "price",
    "cost",
    "value",
    "total",
    "revenue",
    "fee",
    "fees",
    "tax",
    "discount",
    "refund",
    "sales",
    "freight",
    "insurance",
    "payment",
    "paid",
    "balance",
    "margin",
    "profit",
    "usd",
    "eur",
    "subtotal",
];
const ID_WORDS: [&str; 9] = [
    "id", "key", "uuid", "guid", "number", "no", "code", "sku", "zip",
];
const DURATION_WORDS: [&str; 10] = [
    "latency", "duration", "elapsed", "ms", "seconds", "minutes", "hours", "took", "millis",
    "delay",
];
/// Who or what an event is about: how many different ones there are is worth a measure.
const SUBJECT_WORDS: [&str; 16] = [
    "customer", "user", "visitor", "session", "order", "account", "card", "merchant", "device",
    "payer", "product", "item", "shipment", "invoice", "client", "buyer",
];

/// Words that stand for something else than a column in some place of an SQL expression.
const SQL_WORDS: &[&str] = &[
    "all",
    "analyze",
    "and",
    "any",
    "anti",
    "array",
    "as",
    "asc",
    "asof",
    "between",
    "both",
    "by",
    "case",
    "cast",
    "cluster",
    "column",
    "connect",
    "convert",
    "create",
    "cross",
    "cube",
    "current",
    "current_date",
    "current_time",
    "current_timestamp",
    "date",
    "day",
    "default",
    "delete",
    "desc",
    "distinct",
    "distribute",
    "dump",
    "else",
    "end",
    "escape",
    "except",
    "exists",
    "explain",
    "extract",
    "false",
    "fetch",
    "fields",
    "filter",
    "final",
    "first",
    "for",
    "format",
    "from",
    "full",
    "global",
    "grant",
    "group",
    "having",
    "hour",
    "if",
    "in",
    "inner",
    "insert",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "last",
    "lateral",
    "left",
    "like",
    "limit",
    "lines",
    "localtime",
    "localtimestamp",
    "match_condition",
    "match_recognize",
    "metrics",
    "minus",
    "minute",
    "month",
    "natural",
    "not",
    "null",
    "nulls",
    "offset",
    "on",
    "open",
    "option",
    "or",
    "order",
    "outer",
    "over",
    "overlaps",
    "partition",
    "pivot",
    "position",
    "prewhere",
    "procedure",
    "qualify",
    "quarter",
    "range",
    "reduce",
    "right",
    "row",
    "rows",
    "sample",
    "second",
    "select",
    "semi",
    "session_user",
    "set",
    "settings",
    "show",
    "sort",
    "start",
    "substring",
    "symmetric",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "top",
    "trim",
    "true",
    "try_cast",
    "union",
    "unknown",
    "unnest",
    "unpivot",
    "update",
    "user",
    "using",
    "values",
    "view",
    "week",
    "when",
    "where",
    "window",
    "with",
    "year",
];

/// Whether one of the words of `name` is in `words`.
fn has(name: &str, words: &[&str]) -> bool {
    name.split('_').any(|word| words.contains(&word))
}

/// What a field's name suggests about its values.
pub(super) fn hints(name: &str, from_file: bool) -> Hints {
    if !from_file {
        return Hints::default();
    }
    let time = has(name, &TIME_WORDS);
    Hints {
        time,
        money: has(name, &MONEY_WORDS) && !is_id(name),
        identity: has(name, &ID_WORDS) && !time,
    }
}

pub(super) fn is_money(name: &str) -> bool {
    has(name, &MONEY_WORDS)
}

/// Whether figures of that name say something per unit, so that their sum says nothing.
pub(super) fn is_ratio(name: &str) -> bool {
    has(
        name,
        &[
            "price", "rate", "ratio", "percent", "pct", "share", "score", "average", "avg", "per",
            "unit",
        ],
    )
}

/// Whether the name is one that figures are commonly split by.
pub(super) fn is_slice(name: &str) -> bool {
    has(
        name,
        &[
            "country", "region", "city", "mode", "method", "status", "state", "type", "kind",
            "category", "group", "channel", "source", "medium", "brand", "vendor", "merchant",
            "psp", "provider", "issuer", "device", "platform", "event", "action", "reason",
            "segment", "plan",
        ],
    )
}

pub(super) fn is_duration(name: &str) -> bool {
    has(name, &DURATION_WORDS)
}

pub(super) fn is_subject(name: &str) -> bool {
    has(name, &SUBJECT_WORDS)
}

/// Whether the name is that of an id: `id`, `event_id`, `order_key`.
pub(super) fn is_id(name: &str) -> bool {
    let last = name.rsplit('_').next().unwrap_or(name);
    matches!(last, "id" | "key" | "uuid" | "guid")
}

/// How well a field's name says that it is when the event happened: higher is better.
pub(super) fn event_time_rank(name: &str) -> i32 {
    let good = [
        "occurred",
        "event",
        "created",
        "ordered",
        "order",
        "purchase",
        "purchased",
        "transaction",
        "delivered",
        "timestamp",
        "derived",
        "time",
    ];
    let vague = ["date", "day", "at", "tstamp", "ts", "when", "datetime"];
    let other = [
        "scheduled",
        "expected",
        "planned",
        "due",
        "estimated",
        "promised",
        "updated",
        "modified",
        "loaded",
        "load",
        "etl",
        "recorded",
        "received",
        "birth",
        "expiry",
        "expires",
        "sent",
        "end",
        "collector",
        "refr",
    ];
    let rank = |words: &[&str], points: i32| if has(name, words) { points } else { 0 };
    rank(&good, 3) + rank(&vague, 1) + rank(&other, -5)
}

/// Whether the name is that of a day or time something was to happen.
pub(super) fn is_plan(name: &str) -> bool {
    has(
        name,
        &[
            "scheduled",
            "expected",
            "planned",
            "due",
            "estimated",
            "promised",
        ],
    )
}

/// Whether the name is that of a day or time something was done.
pub(super) fn is_done(name: &str) -> bool {
    has(
        name,
        &[
            "delivered",
            "arrived",
            "completed",
            "actual",
            "shipped",
            "finished",
        ],
    )
}

/// Gives every field a name of its own.
pub(super) struct Namer {
    limits: SchemaLimits,
    taken: HashSet<String>,
}

impl Namer {
    pub(super) fn new() -> Self {
        Self {
            limits: SchemaLimits::default(),
            taken: HashSet::new(),
        }
    }

    /// As `wish`, shortened to what a name may have and told from those given before.
    pub(super) fn made(&mut self, wish: &str) -> String {
        if wish.len() <= self.limits.name_bytes_max && self.taken.insert(wish.to_owned()) {
            return wish.to_owned();
        }
        let mut number = 2;
        loop {
            let end = format!("_{number}");
            let room = self.limits.name_bytes_max.saturating_sub(end.len());
            let start: String = wish.chars().take(room).collect();
            let name = format!("{}{end}", start.trim_end_matches('_'));
            if self.taken.insert(name.clone()) {
                return name;
            }
            number += 1;
        }
    }

    /// Takes a name that is given already.
    pub(super) fn taken(&mut self, name: &str) {
        self.taken.insert(name.to_owned());
    }

    /// A name made from `wish`, or else `fallback`, that is valid and not taken.
    pub(super) fn name(&mut self, wish: &str, fallback: &str) -> String {
        // Room for a number at the end.
        let bytes_max = self.limits.name_bytes_max - 4;
        // A name goes into every listing, where a card number must not.
        let masked = guard::mask_line(wish);
        let base = suggested_name(&masked, bytes_max)
            .filter(|name| name_fault(name, &self.limits).is_none())
            .unwrap_or_else(|| fallback.to_owned());
        let mut name = base.clone();
        let mut number = 2;
        while !self.taken.insert(name.clone()) {
            name = format!("{base}_{number}");
            number += 1;
        }
        name
    }
}

/// A name as YAML: words that some reader of YAML takes for something else than text stand in quotes.
pub(super) fn in_yaml(name: &str) -> String {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let number = name.starts_with(|c: char| c.is_ascii_digit() || "+-.~".contains(c));
    if number || name.is_empty() || WORDS.contains(&name) {
        format!("\"{name}\"")
    } else {
        name.to_owned()
    }
}

/// A field's name as an SQL expression: words that SQL reads otherwise stand in quotes.
pub(super) fn in_sql(name: &str) -> String {
    if SQL_WORDS.contains(&name) {
        format!("\"{name}\"")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_valid_and_distinct() {
        let mut namer = Namer::new();
        assert_eq!(namer.name("PO / SO #", "column_1"), "po_so");
        assert_eq!(namer.name("po so", "column_2"), "po_so_2");
        assert_eq!(namer.name("###", "column_3"), "column_3");
        assert_eq!(namer.name("bucket", "column_4"), "column_4");
        assert_eq!(
            namer.name("Unit of Measure (Per Pack)", "column_5"),
            "unit_of_measure_per_pack"
        );
        assert!(
            !namer
                .name("4111 1111 1111 1111", "column_6")
                .contains("41111111111111")
        );
    }

    #[test]
    fn the_best_name_for_the_time_of_an_event_wins() {
        let best =
            |names: &[&'static str]| *names.iter().max_by_key(|n| event_time_rank(n)).unwrap();
        assert_eq!(
            best(&[
                "scheduled_delivery_date",
                "delivered_to_client_date",
                "delivery_recorded_date"
            ]),
            "delivered_to_client_date"
        );
        assert_eq!(
            best(&["etl_tstamp", "collector_tstamp", "derived_tstamp"]),
            "derived_tstamp"
        );
        assert_eq!(best(&["updated_at", "created_at"]), "created_at");
    }
}
