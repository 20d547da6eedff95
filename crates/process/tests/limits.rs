//! What is bounded, what is counted, and what one bad row or definition cannot do to the others.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use tillwatch_collect::{Downstream, JournalRecord};
use tillwatch_process::{OTHER, ProcessOptions, Processor, StreamDefinition};

use crate::support::{Event, cube, live, processor, rates, record, stream};

const HOUR: i64 = 3_600_000_000;

fn event(id: u32, at_us: i64) -> Event {
    Event {
        id,
        at_us,
        psp: Some("adyen"),
        ok: true,
        amount: Some(100),
        quantity: Some(1),
        x: Some(1.0),
        y: 1.0,
        user: Some(id),
    }
}

#[test]
fn an_id_is_known_for_the_whole_horizon_and_forgotten_after() {
    let processor = processor(stream(Some("id")), vec![]);
    let send = |received, ids: &[u32]| {
        let events: Vec<_> = ids.iter().map(|id| event(*id, 0)).collect();
        let applied = processor.apply(&[record(0, received, &events)]);
        (applied[0].accepted, applied[0].duplicates)
    };
    assert_eq!(send(5, &[1, 2, 2]), (2, 1));
    assert_eq!(send(HOUR / 2, &[1, 3]), (1, 1));
    // The horizon of the test stream is one hour, both ends included.
    assert_eq!(send(HOUR + 5, &[1, 2]), (0, 2));
    // Seeing a duplicate does not prolong it: 1 was received at the start.
    assert_eq!(send(HOUR + HOUR / 32, &[1]), (1, 0));
    assert_eq!(send(HOUR + HOUR / 32, &[3]), (0, 1));
    // A clock that runs backwards forgets nothing and revives nothing.
    assert_eq!(send(0, &[1, 3]), (0, 2));
    // Far beyond every generation, nothing is left over.
    assert_eq!(send(300 * HOUR, &[1, 2, 3]), (3, 0));
    assert_eq!(processor.status().streams[0].dedup_ids, 3);
}

#[test]
fn memory_of_expired_ids_is_given_back() {
    let processor = processor(stream(Some("id")), vec![]);
    for step in 0..40_u32 {
        let events: Vec<_> = (0..500).map(|i| event(step * 500 + i, 0)).collect();
        processor.apply(&[record(u64::from(step), i64::from(step) * HOUR / 4, &events)]);
    }
    let status = processor.status().streams.remove(0);
    assert_eq!(status.events, 20_000);
    // Four steps are an hour; the rest is the step under way and what waits for the next sweep.
    assert!(
        (2_000..=3_000).contains(&status.dedup_ids),
        "{}",
        status.dedup_ids
    );
    assert!(status.dedup_bytes >= status.dedup_ids * 16);
}

#[test]
fn rows_of_a_request_with_a_key_repeat_only_under_that_key() {
    let processor = processor(stream(None), vec![]);
    let send = |key: Option<&str>, first_row, rows: usize| {
        let events: Vec<_> = (0..rows).map(|_| event(1, 0)).collect();
        let record = JournalRecord {
            idempotency_key: key.map(str::to_owned),
            first_row,
            ..record(0, 0, &events)
        };
        processor.apply(&[record])[0].accepted
    };
    assert_eq!(send(Some("k"), 0, 3), 3);
    assert_eq!(send(Some("k"), 0, 3), 0);
    // The second half of a large request starts at its own row.
    assert_eq!(send(Some("k"), 3, 2), 2);
    assert_eq!(send(Some("k"), 2, 2), 0);
    assert_eq!(send(Some("other"), 0, 3), 3);
    assert_eq!(send(None, 0, 3), 3);
    assert_eq!(send(None, 0, 3), 3);
}

#[test]
fn a_row_is_told_by_its_place_in_the_request_also_when_other_lines_of_it_are_accepted_later() {
    let processor = processor(stream(None), vec![]);
    let send = |places: Option<Vec<u64>>, rows: usize| {
        let events: Vec<_> = (0..rows).map(|_| event(1, 0)).collect();
        let mut record = JournalRecord {
            idempotency_key: Some("k".to_owned()),
            ..record(0, 0, &events)
        };
        if let Some(places) = places {
            let names = record.batch.schema();
            let names = names.fields().iter().map(|field| field.name().clone());
            let columns = names.zip(record.batch.columns().to_vec());
            let places: ArrayRef = Arc::new(UInt64Array::from(places));
            record.batch =
                RecordBatch::try_from_iter(columns.chain([("__place".to_owned(), places)]))
                    .expect("columns of one length");
        }
        processor.apply(&[record])[0]
    };
    // The first of three lines is rejected; when the definition is mended all three are accepted.
    let first = send(Some(vec![1, 2]), 2);
    assert_eq!((first.accepted, first.duplicates), (2, 0));
    let again = send(None, 3);
    assert_eq!((again.accepted, again.duplicates), (1, 2));
}

#[test]
fn combinations_over_the_limit_go_to_other_and_are_counted() {
    let definition = cube(
        "c",
        Duration::from_secs(60),
        &[("shopper", "shopper"), ("pieces", "quantity")],
    );
    let options = ProcessOptions {
        combinations_max: 3,
        ..ProcessOptions::default()
    };
    let processor = Processor::new(vec![stream(None)], vec![definition], rates(), options)
        .expect("definitions");
    let events: Vec<_> = (0..10).map(|id| event(id % 5, 0)).collect();
    let cube = processor.cube("c").expect("the cube exists");
    processor.apply(&[record(1, 0, &events[..5])]);
    // State rows are counted, and whoever looks has what waits aggregated.
    assert_eq!(cube.status().other_rows, 2);
    processor.apply(&[record(2, 0, &events[5..])]);
    let figures = live(&cube);
    let keys: Vec<_> = figures
        .keys()
        .map(|k| (k[1].as_str(), k[2].as_str()))
        .collect();
    assert_eq!(
        keys,
        [
            (OTHER, "null"),
            ("user-0", "1"),
            ("user-1", "1"),
            ("user-2", "1")
        ]
    );
    let events: Vec<u64> = figures
        .values()
        .map(|v| v["events"].parse().expect("a count"))
        .collect();
    assert_eq!(events, [4, 2, 2, 2]);
    let status = cube.status();
    assert_eq!((status.combinations, status.other_rows), (3, 4));
}

#[test]
fn one_row_that_cannot_be_computed_is_null_and_the_others_are_right() {
    let mut stream = stream(None);
    stream
        .derive
        .push(("ratio".to_owned(), "100 / quantity".to_owned()));
    let mut definition = cube("c", Duration::from_secs(60), &[]);
    definition.measures = vec![
        ("ratios".to_owned(), "sum(ratio)".to_owned()),
        ("events".to_owned(), "count(*)".to_owned()),
    ];
    let mut strict = definition.clone();
    strict.name = "strict".to_owned();
    strict.measures[0].1 = "sum(10 / quantity)".to_owned();
    let processor = processor(stream, vec![definition, strict]);
    let mut events: Vec<_> = (0..9).map(|id| event(id, 0)).collect();
    events[4].quantity = Some(0);
    processor.apply(&[record(1, 0, &events)]);
    let value = |cube: &str, measure: &str| {
        let figures = live(&processor.cube(cube).expect("the cube exists"));
        figures
            .values()
            .map(|v| v[measure].clone())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        (value("c", "ratios"), value("c", "events")),
        ("800".to_owned(), "9".to_owned())
    );
    assert_eq!(
        (value("strict", "ratios"), value("strict", "events")),
        ("80".to_owned(), "9".to_owned())
    );
    let status = processor.status();
    assert_eq!(status.streams[0].derive_failed, 1);
    assert_eq!(status.streams[0].measure_failed, 1);
    assert_eq!(status.cubes.iter().map(|c| c.failed_rows).sum::<u64>(), 0);
}

#[test]
fn what_cannot_be_computed_is_missing_from_its_own_measure_only() {
    let measures = [
        ("events", "count(*)"),
        ("volume", "sum(quantity)"),
        ("shares", "sum(100 / quantity)"),
        ("number", "max(cast(psp as bigint))"),
        ("large", "count(*) filter (where 100 / quantity > 20)"),
        ("doubled", "sum(quantity * 4611686018427387904)"),
        ("turned", "sum(-quantity)"),
    ];
    let mut by_share = cube(
        "by_share",
        Duration::from_secs(60),
        &[("share", "100 / quantity")],
    );
    let mut whole = cube("whole", Duration::from_secs(60), &[]);
    for cube in [&mut by_share, &mut whole] {
        cube.measures = measures
            .map(|(name, sql)| (name.to_owned(), sql.to_owned()))
            .to_vec();
    }
    let processor = processor(stream(None), vec![by_share, whole]);
    let mut events: Vec<_> = (0..400).map(|id| event(id, 0)).collect();
    for (at, event) in events.iter_mut().enumerate() {
        let odd = at % 2 == 1;
        event.psp = Some(if odd { "x" } else { "7" });
        event.quantity = Some(if odd { 0 } else { 1 });
    }
    events[0].quantity = Some(i64::MIN);
    processor.apply(&[record(1, 0, &events)]);
    let figures = live(&processor.cube("whole").expect("the cube exists"));
    let whole = figures.values().next().expect("one bucket");
    let value = |measure: &str| whole[measure].as_str();
    assert_eq!(value("events"), "400");
    assert_eq!(value("volume"), "-9223372036854775609");
    assert_eq!(value("shares"), "19900");
    assert_eq!(value("number"), "7");
    assert_eq!(value("large"), "199");
    assert_eq!(value("doubled"), (199_i128 << 62).to_string());
    assert_eq!(value("turned"), "-199");
    let shares = live(&processor.cube("by_share").expect("the cube exists"));
    let events: Vec<_> = (shares.iter())
        .map(|(key, value)| (key[1].as_str(), value["events"].as_str()))
        .collect();
    assert_eq!(events, [("0", "1"), ("100", "199"), ("null", "200")]);
    // 200 texts that are no numbers, 200 zero divisors in the dimension, in the sum and in the filter,
    // once for both cubes, and one value each that has no room.
    assert_eq!(processor.status().streams[0].measure_failed, 802);
}

#[test]
fn an_event_that_asks_for_a_huge_value_gets_a_null_and_harms_no_other() {
    let mut stream = stream(None);
    let derive = [
        ("long", "repeat(psp, quantity)"),
        ("wide", "lpad(psp, quantity, '-')"),
        ("joined", "concat(repeat('x', quantity), psp)"),
    ];
    for (name, sql) in derive {
        stream.derive.push((name.to_owned(), sql.to_owned()));
    }
    let mut definition = cube("c", Duration::from_secs(60), &[]);
    definition.measures = vec![
        ("events".to_owned(), "count(*)".to_owned()),
        ("long".to_owned(), "max(length(long))".to_owned()),
        ("wide".to_owned(), "max(length(wide))".to_owned()),
        ("joined".to_owned(), "max(length(joined))".to_owned()),
    ];
    let mut strict = definition.clone();
    strict.name = "strict".to_owned();
    strict.measures = vec![
        ("events".to_owned(), "count(*)".to_owned()),
        ("long".to_owned(), "max(repeat(psp, quantity))".to_owned()),
    ];
    let processor = processor(stream, vec![definition, strict]);
    let mut events: Vec<_> = (0..9).map(|id| event(id, 0)).collect();
    for event in &mut events {
        event.psp = Some("adyen");
        event.quantity = Some(3);
    }
    events[4].quantity = Some(i64::from(i32::MAX));
    processor.apply(&[record(1, 0, &events)]);
    let value = |cube: &str, measure: &str| {
        let figures = live(&processor.cube(cube).expect("the cube exists"));
        let values: Vec<_> = figures.values().map(|v| v[measure].clone()).collect();
        values.join(" ")
    };
    let figures = ["events", "long", "wide", "joined"].map(|measure| value("c", measure));
    assert_eq!(figures, ["9", "15", "3", "8"]);
    assert_eq!(value("strict", "events"), "9");
    let status = processor.status();
    assert_eq!(status.streams[0].derive_failed, 3);
    assert_eq!(status.streams[0].measure_failed, 1);
}

#[test]
fn a_record_of_an_unknown_stream_or_an_unfit_schema_stops_nothing() {
    let definition = cube("c", Duration::from_secs(60), &[]);
    let processor = processor(stream(None), vec![definition]);
    let stranger = JournalRecord {
        stream: "gone".into(),
        ..record(1, 0, &[event(1, 0)])
    };
    let mut unfit = record(2, 0, &[event(2, 0)]);
    unfit.batch = unfit.batch.project(&[0, 2]).expect("a projection");
    let applied = processor.apply(&[stranger, unfit, record(3, 0, &[event(3, 0)])]);
    assert_eq!(
        applied
            .iter()
            .map(|a| (a.accepted, a.failed))
            .collect::<Vec<_>>(),
        [(0, 1), (0, 1), (1, 0)]
    );
    let status = processor.status();
    assert_eq!(
        status.streams[0].failed_reason.as_deref(),
        Some(
            "the field 'at' was written as nothing and cannot be read as timestamp: it is required, but older events do not have it; write `timestamp?`"
        )
    );
    assert_eq!(
        (
            status.unknown_records,
            status.streams[0].failed,
            status.streams[0].events
        ),
        (1, 1, 1)
    );
    assert_eq!(*processor.changes().borrow(), 1);
}

#[test]
fn a_stream_by_date_has_its_buckets_at_midnight() {
    use datafusion::arrow::array::{Date32Array, RecordBatch};
    use tillwatch_event::{Field, FieldType, StreamSchema};
    let schema = Arc::new(StreamSchema {
        name: "events".to_owned(),
        id: None,
        time: "day".to_owned(),
        dedup: Duration::from_secs(60),
        fields: vec![Field::new("day", FieldType::Date, false)],
    });
    let mut definition = cube("c", Duration::from_secs(86_400), &[]);
    definition.measures = vec![("events".to_owned(), "count(*)".to_owned())];
    let stream = StreamDefinition {
        schema: Arc::clone(&schema),
        derive: vec![],
        keep: None,
        quarantine_keep: None,
    };
    let processor = processor(stream, vec![definition]);
    let days = Arc::new(Date32Array::from(vec![-1, 0, 0, 10_000]));
    let batch = RecordBatch::try_new(schema.arrow_schema(), vec![days]).expect("columns fit");
    processor.apply(&[JournalRecord {
        batch,
        ..record(1, 0, &[event(1, 0)])
    }]);
    let figures = live(&processor.cube("c").expect("the cube exists"));
    let got: Vec<_> = figures
        .iter()
        .map(|(k, v)| (k[0].as_str(), v["events"].as_str()))
        .collect();
    assert_eq!(
        got,
        [
            ("1969-12-31T00:00:00Z", "1"),
            ("1970-01-01T00:00:00Z", "2"),
            ("1997-05-19T00:00:00Z", "1")
        ]
    );
}

#[test]
fn amounts_without_a_rate_are_counted_once_however_the_batch_is_cut() {
    use datafusion::arrow::array::StringViewArray;
    let mut definition = cube("c", Duration::from_secs(60), &[]);
    // One row of this cube fails, so that the batch is cut into halves and computed again.
    definition.measures = vec![(
        "v".to_owned(),
        "sum(convert(amount, currency, 'JPY') / quantity)".to_owned(),
    )];
    let processor = processor(stream(None), vec![definition]);
    let mut events: Vec<_> = (0..8).map(|id| event(id, 0)).collect();
    events[3].quantity = Some(0);
    events[4].amount = None;
    let mut sent = record(1, 0, &events);
    let currencies: ArrayRef = Arc::new(StringViewArray::from(vec![
        "EUR", "USD", "XAU", "EUR", "XAU", "EUR", "XTS", "JPY",
    ]));
    let mut columns = sent.batch.columns().to_vec();
    let last = columns.len() - 1;
    columns[last] = currencies;
    sent.batch = RecordBatch::try_new(sent.batch.schema(), columns).expect("columns fit");
    processor.apply(&[sent]);
    let status = processor.status().streams.remove(0);
    // XAU and XTS have no rate: once each in the derived column, once each in the cube. The row
    // without an amount has nothing to convert.
    assert_eq!(status.unconverted, 4);
}
