//! What names suggest, and names for what has none.

use std::collections::HashSet;

use tillwatch_event::schema::{name_fault, suggested_name};
use tillwatch_event::{SchemaLimits, guard};

use super::column::Hints;

const TIME_WORDS: [&str; 15] = [
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
const CURRENCY_WORDS: [&str; 3] = ["currency", "ccy", "curr"];
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
        currency: has(name, &CURRENCY_WORDS),
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

/// A field's name as an SQL expression: words that SQL reads otherwise stand in quotes.
pub(super) fn in_sql(name: &str) -> String {
    const WORDS: [&str; 64] = [
        "all",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "between",
        "both",
        "by",
        "case",
        "cast",
        "check",
        "column",
        "create",
        "cross",
        "current",
        "date",
        "day",
        "default",
        "delete",
        "desc",
        "distinct",
        "else",
        "end",
        "except",
        "exists",
        "false",
        "fetch",
        "for",
        "from",
        "full",
        "group",
        "having",
        "in",
        "inner",
        "insert",
        "interval",
        "into",
        "is",
        "join",
        "left",
        "like",
        "limit",
        "natural",
        "not",
        "null",
        "offset",
        "on",
        "or",
        "order",
        "outer",
        "right",
        "select",
        "table",
        "then",
        "time",
        "timestamp",
        "to",
        "true",
        "union",
        "user",
        "values",
        "when",
        "where",
    ];
    if WORDS.contains(&name) {
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
