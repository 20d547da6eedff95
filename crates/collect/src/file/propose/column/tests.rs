use super::*;

fn verdict(values: &[&str], hints: Hints) -> Verdict {
    let mut column = Column::new(None);
    for value in values {
        column.push(value);
    }
    column.verdict(hints).unwrap()
}

fn kind(values: &[&str]) -> String {
    verdict(values, Hints::default()).kind.to_string()
}

#[test]
fn a_table_of_columns_gets_types_that_hold_all_values() {
    for (values, expected) in [
        (["1", "2", "-3"].as_slice(), "int64"),
        (&["1", "2.5"], "decimal(18, 1)"),
        (&["11.77", "77.00"], "decimal(18, 2)"),
        (&["12345678901234567.89", "1"], "decimal(23, 2)"),
        (&["0.1234567890123", "2"], "float64"),
        (&["1e-5", "2.5"], "float64"),
        (&["99999999999999999999"], "decimal(24, 0)"),
        (&["00501", "10001"], "string"),
        (&["true", "false"], "bool"),
        (&["true", "false", "maybe"], "string"),
        (&["20210101", "20211231"], "date"),
        (&["20210101", "20211331"], "int64"),
        (&["2021-01-31", "2021-02-01"], "date"),
        (
            &["2021-01-31T00:00:00Z", "2021-02-01 10:00:00.5+00:00"],
            "timestamp",
        ),
        (&["1/31/2021 5:00", "2/1/2021 15:30"], "timestamp"),
        (&["EUR", "USD", "GBP"], "currency"),
        (&["DEU", "USA", "FRA"], "string"),
        (&["{\"a\":1}", "[]"], "json"),
        (&["4111111111111111", "4012888888881881"], "string"),
        (&["Air", "Truck"], "string"),
        (
            &[
                "13",
                "See ASN-93 (ID#:1281)",
                "Weight Captured Separately",
                "7",
            ],
            "string",
        ),
        (&[], "string"),
    ] {
        assert_eq!(kind(values), expected, "{values:?}");
    }
}

#[test]
fn a_few_texts_among_many_values_mean_no_value() {
    let found = verdict(
        &["02-Jun-06", "14-Nov-06", "27-Aug-06", "Pre-PQ Process"],
        Hints::default(),
    );
    assert_eq!(found.kind, FieldType::Date);
    assert_eq!(found.nulls, ["Pre-PQ Process"]);
    let found = verdict(
        &["1.5", "2", "3", "N/A", "4", "5", "6", "-"],
        Hints::default(),
    );
    assert_eq!(found.kind.to_string(), "decimal(18, 1)");
    assert_eq!(found.nulls, ["N/A", "-"]);
}

#[test]
fn a_date_that_can_be_read_in_two_ways_says_so() {
    let found = verdict(&["01/02/2021", "03/04/2021"], Hints::default());
    assert_eq!(found.format.unwrap().pattern.as_deref(), Some("%m/%d/%Y"));
    assert_eq!(found.also, Some("%d/%m/%Y"));
    let found = verdict(&["01/02/2021", "13/04/2021"], Hints::default());
    assert_eq!(found.format.unwrap().pattern.as_deref(), Some("%d/%m/%Y"));
    assert_eq!(found.also, None);
}

#[test]
fn json_values_get_types_that_take_them_as_they_are_written() {
    let verdict = |values: &[(&str, Mark)]| {
        let mut column = Column::new(None);
        for (text, mark) in values {
            column.push_marked(text, *mark);
        }
        column.verdict(Hints::default()).map(|v| v.kind.to_string())
    };
    let expect = |values: &[(&str, Mark)], kind: Option<&str>| {
        assert_eq!(verdict(values).as_deref(), kind, "{values:?}");
    };
    expect(&[("true", Mark::Bool), ("false", Mark::Bool)], Some("bool"));
    expect(&[("true", Mark::Text)], Some("string"));
    expect(
        &[("12.50", Mark::Text), ("3", Mark::Number)],
        Some("decimal(18, 2)"),
    );
    expect(&[("a", Mark::Text), ("3", Mark::Number)], None);
    expect(&[("a", Mark::Text), ("true", Mark::Bool)], None);
    expect(&[("{\"a\":1}", Mark::Nested)], Some("json"));
    expect(&[("{\"a\":1}", Mark::Text)], Some("string"));
    expect(&[("1e-7", Mark::Number)], Some("float64"));
    expect(&[("4111111111111111", Mark::Number)], None);
}

#[test]
fn the_name_decides_what_the_values_leave_open() {
    let values = ["20210101", "20210102"];
    assert_eq!(
        verdict(
            &values,
            Hints {
                identity: true,
                ..Hints::default()
            }
        )
        .kind,
        FieldType::Int64
    );
    let values = ["1700000000", "1700000001"];
    assert_eq!(
        verdict(
            &values,
            Hints {
                time: true,
                ..Hints::default()
            }
        )
        .kind,
        FieldType::Timestamp
    );
    assert_eq!(verdict(&values, Hints::default()).kind, FieldType::Int64);
    let money = Hints {
        money: true,
        ..Hints::default()
    };
    assert_eq!(
        verdict(&["1", "20"], money).kind.to_string(),
        "decimal(18, 2)"
    );
}
