//! Files as people and their programs write them: numbers, times, mistakes.

use super::{proposed, types};

#[test]
fn a_few_wrong_times_cost_their_lines_and_not_the_column() {
    let mut text = "id,birthday,at\n".to_owned();
    for n in 0..300 {
        let at = match n {
            0 => "rubbish 1".to_owned(),
            150 => "2026-13-01".to_owned(),
            _ => format!("2026-01-{:02}T00:00:{:02}Z", n % 28 + 1, n % 60),
        };
        text.push_str(&format!("{n},1970-01-{:02},{at}\n", n % 28 + 1));
    }
    let proposal = proposed("x.csv", &text);
    assert_eq!((proposal.lines, proposal.rejected), (300, 2));
    assert_eq!(
        types(&proposal),
        ["id int64", "birthday date", "at timestamp"]
    );
    assert_eq!(proposal.schema.time, "at");
    for line in [
        "      at: timestamp  # 2 different values are no time like the others; their lines are rejected",
        "# Tried on all 300 lines: 2 are rejected, such as",
        "    time: at  # or: birthday",
    ] {
        assert!(
            proposal.yaml.lines().any(|l| l == line),
            "{line}\n{}",
            proposal.yaml
        );
    }
    // Where many are wrong, a column that has one in every line is the time.
    let text = text.replace("T00:00:1", " 5 Uhr ");
    assert_eq!(proposed("x.csv", &text).schema.time, "birthday");
}

#[test]
fn numbers_written_for_people_are_derived_from_their_text() {
    let csv = "id;at;Betrag;cur;plz\n1;2026-01-01;1.234,50;EUR;1,5\n2;2026-01-02;-0,5 €;EUR;2,5\n3;2026-01-03;;USD;3,5\n4;2026-01-03;n/a;USD;4,5\n";
    let proposal = proposed("x.csv", csv);
    assert_eq!(proposal.rejected, 0, "{}", proposal.yaml);
    for line in [
        "      betrag_text: {type: string?, from: \"Betrag\", nulls: [\"n/a\"]}  # 25.0 % empty",
        "    derive:",
        "      betrag: \"cast(replace(regexp_replace(betrag_text, '[^0-9,-]', '', 'g'), ',', '.') as decimal(18, 2))\"  # 1.234,50 is read as 1234.50",
        "      betrag_sum: sum(betrag)",
        "      betrag_count: count(betrag)",
        "    expr: case when currency_first = currency_last then betrag_sum / betrag_count end",
    ] {
        assert!(
            proposal.yaml.lines().any(|l| l == line),
            "{line}\n{}",
            proposal.yaml
        );
    }
    let json = "{\"at\":\"2026-01-01\",\"paid\":\"$1,234.5\"}\n{\"at\":\"2026-01-02\",\"paid\":\"$7.25\"}\n";
    let yaml = proposed("x.ndjson", json).yaml;
    let derived = "      paid: \"cast(regexp_replace(paid_text, '[^0-9.-]', '', 'g') as decimal(18, 2))\"  # 1,234.50 is read as 1234.50";
    assert!(yaml.lines().any(|line| line == derived), "{yaml}");
    // Without names the columns stay in their order.
    let bare = proposed("x.csv", "2026-01-01;1,5;a\n2026-01-02;2,5;b\n");
    let fields = ["day date", "column_2_text string", "column_3 string"];
    assert_eq!(types(&bare), fields, "{}", bare.yaml);
    assert_eq!(bare.rejected, 0);
}

/// The derived columns' lines.
fn derived(yaml: &str) -> Vec<&str> {
    yaml.lines()
        .filter(|line| line.contains("_text, '[^0-9") || line.contains("'^[(]'"))
        .map(str::trim)
        .collect()
}

#[test]
fn one_column_that_proves_a_decimal_comma_decides_for_all() {
    let weights = "Datum;Gewicht;Kurs;Menge;Preis\n02.01.2024;0,125;1,085;1.234;1,50\n15.01.2024;1,250;1,092;12.345;2,00\n";
    let yaml = proposed("x.csv", weights).yaml;
    let comma = |name: &str, scale: u8| {
        format!(
            "{name}: \"cast(replace(regexp_replace({name}_text, '[^0-9,-]', '', 'g'), ',', '.') as decimal(18, {scale}))\"  # 1.234,50 is read as 1234.50"
        )
    };
    let expected = [
        comma("gewicht", 3),
        comma("kurs", 3),
        comma("menge", 0),
        comma("preis", 2),
    ];
    assert_eq!(derived(&yaml), expected, "{yaml}");
    // Without such a column both readings are named.
    let yaml = proposed("x.csv", "at;n\n2024-01-02;1,085\n2024-01-03;1,092\n").yaml;
    let both = "# 1,234.50 is read as 1234.50; but 1.234,50 is read as 1234.50 fits too: check";
    assert!(yaml.contains(both), "{yaml}");
    // A column of points proves the point.
    let yaml = proposed(
        "x.csv",
        "at;n;m\n2024-01-02;1,085;1.5\n2024-01-03;1,092;2.25\n",
    )
    .yaml;
    assert!(yaml.contains("# 1,234.50 is read as 1234.50\n"), "{yaml}");
}

#[test]
fn amounts_with_several_signs_and_dotted_codes_are_no_numbers_and_brackets_are_a_minus() {
    let csv = "at,price,share,version,paid\n2024-01-02,\"$1,234.50\",5%,10.123.456,\"(1,234.50)\"\n2024-01-03,€500.00,0.05,20.123.456,2.00\n";
    let proposal = proposed("x.csv", csv);
    let fields = [
        "at date",
        "price string",
        "share string",
        "version string",
        "paid_text string",
    ];
    assert_eq!(types(&proposal), fields, "{}", proposal.yaml);
    let paid = "paid: \"cast(regexp_replace(regexp_replace(paid_text, '^[(]', '-'), '[^0-9.-]', '', 'g') as decimal(18, 2))\"  # 1,234.50 is read as 1234.50";
    assert_eq!(derived(&proposal.yaml), [paid], "{}", proposal.yaml);
}

#[test]
fn wrong_times_are_weighed_by_their_lines() {
    let mut text = "at,n\n0000-00-00,1\n".to_owned();
    for n in 0..700 {
        text.push_str(&format!("2026-01-0{},{n}\n", n % 7 + 1));
    }
    let proposal = proposed("x.csv", &text);
    assert_eq!((proposal.lines, proposal.rejected), (701, 1));
}

#[test]
fn times_as_shops_and_banks_export_them_are_read() {
    for (first, second) in [
        ("2024-01-02 10:11:12 +0100", "2024-01-13 10:11:12 +0000"),
        ("02.01.2024 10:11:12 UTC", "13.01.2024 10:11:12 UTC"),
        ("Jan 2, 2024 10:11:12 PM", "Jan 13, 2024 1:11:12 AM"),
        ("2 Jan 2024 10:11:12", "13 Jan 2024 10:11:12"),
    ] {
        let text = format!("Created at,n\n\"{first}\",1\n\"{second}\",2\n");
        let proposal = proposed("x.csv", &text);
        assert_eq!(
            types(&proposal),
            ["created_at timestamp", "n int64"],
            "{first}"
        );
        assert_eq!(proposal.rejected, 0, "{first}");
    }
}
