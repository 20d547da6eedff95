use super::*;
use crate::limits::SchemaLimits;

/// What a case does to a schema that works.
type Change = Box<dyn FnOnce(&mut StreamSchema)>;

fn payments() -> StreamSchema {
    StreamSchema {
        name: "payments".to_owned(),
        id: Some("event_id".to_owned()),
        time: "occurred_at".to_owned(),
        dedup: Duration::from_secs(86_400),
        fields: vec![
            Field::new("event_id", FieldType::String, false),
            Field::new("occurred_at", FieldType::Timestamp, false),
            Field::new(
                "amount",
                FieldType::Decimal {
                    precision: 18,
                    scale: 2,
                },
                false,
            ),
            Field::new("decline_code", FieldType::String, true),
        ],
    }
}

fn faults(change: impl FnOnce(&mut StreamSchema)) -> Vec<String> {
    let mut schema = payments();
    change(&mut schema);
    schema
        .faults(&SchemaLimits::default())
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_schema_that_works_has_no_faults() {
    assert_eq!(faults(|_| {}), Vec::<String>::new());
    assert_eq!(faults(|s| s.id = None), Vec::<String>::new());
}

#[test]
fn each_fault_is_named_exactly() {
    let cases: Vec<(Change, &str)> = vec![
        (
            Box::new(|s| s.id = Some("event_di".to_owned())),
            "`id` names 'event_di', which is not a field; did you mean 'event_id'?",
        ),
        (
            Box::new(|s| s.time = "when".to_owned()),
            "`time` names 'when', which is not a field",
        ),
        (
            Box::new(|s| s.time = "amount".to_owned()),
            "the time field 'amount' is decimal(18, 2), but must be timestamp or date and not optional",
        ),
        (
            Box::new(|s| s.fields[1].optional = true),
            "the time field 'occurred_at' is timestamp?, but must be timestamp or date and not optional",
        ),
        (
            Box::new(|s| s.fields[0].optional = true),
            "the id field 'event_id' is string?, but must be string or int64 and not optional",
        ),
        (
            Box::new(|s| s.dedup = Duration::ZERO),
            "`dedup` must be longer than 0s when the stream has an `id`",
        ),
        (
            Box::new(|s| s.fields.push(Field::new("amount", FieldType::Int64, true))),
            "the field 'amount' is declared twice",
        ),
        (
            Box::new(|s| s.fields[3].name = "bucket".to_owned()),
            "the name 'bucket' is reserved",
        ),
        (
            Box::new(|s| s.fields[3].name = "__x".to_owned()),
            "the name '__x' is reserved",
        ),
        (
            Box::new(|s| s.fields[3].name = "PO / SO #".to_owned()),
            "the name 'PO / SO #' must be lower-case letters, digits and _, not start with a digit and have 1 to 63 bytes; did you mean 'po_so'?",
        ),
        (
            Box::new(|s| s.fields[3].name = "cvv".to_owned()),
            "the field 'cvv' holds card verification or track data, which may not be stored (PCI DSS 3.3.1); remove it",
        ),
        (
            Box::new(|s| s.fields[3].from = Some("card.cvc2".to_owned())),
            "the field 'decline_code' holds card verification or track data, which may not be stored (PCI DSS 3.3.1); remove it",
        ),
        (
            Box::new(|s| {
                s.fields[2].kind = FieldType::Decimal {
                    precision: 39,
                    scale: 0,
                }
            }),
            "'decimal(39, 0)' needs its digits: decimal(precision 1 to 38, scale 0 to precision), such as decimal(18, 2)",
        ),
        (
            Box::new(|s| s.fields[2].null_values = vec!["N/A".to_owned()]),
            "the field 'amount' has `nulls`, but is not optional; write its type with a ?",
        ),
        (
            Box::new(|s| {
                s.fields[3].format = Some(TimeFormat {
                    pattern: None,
                    zone: Some("UTC".to_owned()),
                });
            }),
            "the field 'decline_code' has a time format, but is neither timestamp nor date",
        ),
        (
            Box::new(|s| {
                s.fields[1].format = Some(TimeFormat {
                    pattern: None,
                    zone: Some("Mars/Base".to_owned()),
                });
            }),
            "unknown time zone 'Mars/Base'; use an IANA name such as Europe/Berlin",
        ),
        (
            Box::new(|s| s.fields[3].from = Some(String::new())),
            "the field 'decline_code' is read from '', which must have 1 to 16 steps",
        ),
    ];
    for (change, message) in cases {
        assert_eq!(faults(change), vec![message.to_owned()]);
    }
}

#[test]
fn all_faults_are_found_at_once() {
    let found = faults(|s| {
        s.time = "nowhere".to_owned();
        s.fields[3].name = "bucket".to_owned();
    });
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn every_limit_of_a_schema_holds() {
    let limits = SchemaLimits {
        fields_max: 2,
        name_bytes_max: 10,
        null_values_max: 1,
        path_steps_max: 2,
    };
    let mut schema = payments();
    schema.fields[3].null_values = vec!["-".to_owned(), "N/A".to_owned()];
    schema.fields[3].from = Some("a.b.c".to_owned());
    let found = schema.faults(&limits);
    assert!(found.contains(&SchemaError::TooManyFields { max: 2 }));
    assert!(
        found
            .iter()
            .any(|f| matches!(f, SchemaError::BadName { max: 10, .. }))
    );
    assert!(
        found
            .iter()
            .any(|f| matches!(f, SchemaError::TooManyNulls { max: 1, .. }))
    );
    assert!(
        found
            .iter()
            .any(|f| matches!(f, SchemaError::BadPath { max: 2, .. }))
    );
}

#[test]
fn a_name_of_the_world_becomes_a_column_name() {
    for (name, column) in [
        ("PO / SO #", Some("po_so")),
        ("Freight Cost (USD)", Some("freight_cost_usd")),
        ("eventId", Some("event_id")),
        ("3ds", Some("n3ds")),
        ("bucket", None),
        ("订单", None),
    ] {
        assert_eq!(suggested_name(name, 63).as_deref(), column, "{name}");
    }
}
