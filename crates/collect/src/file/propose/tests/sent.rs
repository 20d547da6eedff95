//! Files in memory, and beginnings of files.

use std::path::Path;

use super::*;

const CARD: &str = "4111 1111 1111 1111";

fn sent(name: &str, bytes: impl Into<Vec<u8>>, whole: bool) -> Result<Proposal, FileError> {
    let bytes = Bytes::from(bytes.into());
    propose_sample(Path::new(name), bytes, whole, &ProposeOptions::default())
}

fn gzip(text: &str) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap()
}

/// Rows with a quoted line end each.
fn rows(count: usize) -> String {
    let rows = (0..count).map(|n| format!("{n},2026-11-01T10:00:00Z,\"a\nb\",{n}.5,c{}\n", n % 3));
    format!("id,at,note,total,shop\n{}", rows.collect::<String>())
}

#[test]
fn a_file_that_is_sent_is_told_as_the_one_on_the_disk() {
    for (name, text) in [
        ("Deliveries 2006.csv", SHIPMENTS.to_owned()),
        ("shop.csv", rows(50)),
        ("a.ndjson", "{\"at\":\"2026-11-01T10:00:00Z\",\"n\":1}\n".repeat(3)),
        ("a.json", "[{\"at\":\"2026-11-01T10:00:00Z\",\"n\":1},\n{\"at\":\"2026-11-01T11:00:00Z\",\"n\":2}]".to_owned()),
    ] {
        let disk = proposed(name, &text);
        for bytes in [text.clone().into_bytes(), gzip(&text), zstd::encode_all(text.as_bytes(), 1).unwrap()] {
            let memory = sent(name, bytes, true).unwrap();
            assert_eq!(memory.yaml, disk.yaml);
            assert_eq!((memory.lines, memory.rejected, memory.whole), (disk.lines, disk.rejected, true));
        }
    }
}

#[test]
fn a_beginning_that_ends_anywhere_costs_no_line_and_says_that_it_is_one() {
    let text = rows(40);
    for cut in (text.len() / 2)..text.len() {
        let proposal = sent("shop.csv", &text.as_bytes()[..cut], false).unwrap();
        assert_eq!((proposal.rejected, proposal.whole), (0, false), "{cut}");
        // Each row has one line end within its note and one at its end.
        let ends = text[..cut].matches('\n').count() as u64;
        assert_eq!(proposal.lines, (ends - 1) / 2, "{cut}");
    }
    let packed = gzip(&rows(5_000));
    let proposal = sent("shop.csv.gz", &packed[..packed.len() / 2], false).unwrap();
    assert!(
        proposal.lines > 500 && proposal.rejected == 0,
        "{}",
        proposal.lines
    );
    assert!(sent("shop.csv.gz", &packed[..packed.len() / 2], true).is_err());
}

#[test]
fn fields_are_told_with_examples_and_no_card_number() {
    let text = format!(
        "order id,at,pan {CARD},memo,total\n1,2026-11-01T10:00:00Z,x,{CARD},1.50\n2,2026-11-01T10:00:00Z,y,none,\n"
    );
    let proposal = sent("shop.csv", text, true).unwrap();
    let told = format!("{proposal:?}");
    assert!(!told.contains(CARD), "{told}");
    let field = |name: &str| {
        proposal
            .fields
            .iter()
            .find(|field| field.name == name)
            .unwrap()
    };
    assert_eq!(field("order_id").from.as_deref(), Some("order id"));
    assert_eq!(field("order_id").examples, ["1", "2"]);
    assert!(field("total").optional && !field("at").optional);
    assert_eq!(proposal.schema.id.as_deref(), Some("order_id"));
    assert_eq!(proposal.left_out.len(), 1);
    assert!(!proposal.metrics.is_empty());
}

#[test]
fn what_nothing_can_be_proposed_for_says_why() {
    for (name, bytes, reason) in [
        (
            "a.csv",
            &b"a,b\n1,x\n2,y\n"[..],
            "no column with a date or time",
        ),
        ("a.csv", b"", "holds no records"),
        ("a.csv", b"id,at\n", "holds no records"),
        (
            "a.parquet",
            b"PAR1\0\0\0\0PAR1",
            "only a whole file on the disk",
        ),
    ] {
        let refused = sent(name, bytes, true).unwrap_err().to_string();
        assert!(refused.contains(reason), "{name}: {refused}");
    }
}
