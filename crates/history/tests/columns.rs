//! Columns of every type come back as they went in; definitions change, and what does not fit is said.

use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::*;
use object_store::memory::InMemory;
use tillwatch_history::{History, HistoryError, HistoryOptions, Table, TableSpec};
use url::Url;

use crate::{NOON_US, simple_spec, time_type};

#[allow(
    non_camel_case_types,
    reason = "the name of every primitive type is lower case"
)]
type f16 = <Float16Type as ArrowPrimitiveType>::Native;

fn history() -> Arc<History> {
    let url = Url::parse("s3://bucket").unwrap();
    History::in_store(Arc::new(InMemory::new()), &url, HistoryOptions::default()).unwrap()
}

fn spec(name: &str, columns: &[(&str, ArrayRef)]) -> TableSpec {
    let time = Field::new("at", time_type(), false);
    let fields = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true));
    TableSpec {
        name: name.to_owned(),
        schema: Arc::new(Schema::new(
            std::iter::once(time).chain(fields).collect::<Vec<_>>(),
        )),
        time: "at".to_owned(),
        sort: vec![],
        description: String::new(),
        app: "journal-1".to_owned(),
    }
}

fn batch(spec: &TableSpec, columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let rows = columns[0].1.len();
    let at = TimestampMicrosecondArray::from_iter_values((0..rows).map(|i| NOON_US + i as i64));
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(at.with_timezone("UTC"))];
    arrays.extend(columns.iter().map(|(_, array)| Arc::clone(array)));
    RecordBatch::try_new(Arc::clone(&spec.schema), arrays).unwrap()
}

fn all(table: &Table) -> RecordBatch {
    let view = table.view();
    let batches: Vec<_> = view
        .files
        .iter()
        .flat_map(|file| table.read(file, None, None).unwrap())
        .map(Result::unwrap)
        .collect();
    arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap()
}

/// One column of every type that is kept, with nulls and the ends of its range.
fn every_type() -> Vec<(&'static str, ArrayRef)> {
    let text = || vec![Some("a"), None, Some("Grüße \"\\\u{1F4B6}")];
    let bytes = || vec![Some(&b"\0\xff"[..]), None, Some(&b""[..])];
    let numbers = Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX)]);
    let list = |element: ArrayRef, name: &str| {
        let field = Field::new(name, element.data_type().clone(), true);
        let nulls = Some(NullBuffer::from(vec![true, false, true]));
        ListArray::new(
            Arc::new(field),
            OffsetBuffer::from_lengths([2, 0, 1]),
            element,
            nulls,
        )
    };
    let fixed =
        |field: Field, values: ArrayRef| FixedSizeListArray::new(Arc::new(field), 1, values, None);
    let unsigned: ArrayRef = Arc::new(UInt64Array::from(vec![Some(u64::MAX), None, Some(0)]));
    let inner = StructArray::new(
        vec![
            Field::new("count", DataType::UInt64, true),
            Field::new("text", DataType::Utf8View, true),
        ]
        .into(),
        vec![
            Arc::clone(&unsigned),
            Arc::new(StringViewArray::from(text())),
        ],
        Some(NullBuffer::from(vec![true, true, false])),
    );
    let deep = list(Arc::new(inner.clone()), "item");
    let largest = i256::from_string(&"9".repeat(50)).unwrap();
    let wide = Decimal256Array::from(vec![Some(largest), None, Some(-largest)]);
    let wide = wide.with_precision_and_scale(50, 2).unwrap();
    let dictionary: DictionaryArray<Int32Type> = text().into_iter().collect();
    vec![
        (
            "boolean",
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        ),
        (
            "int8",
            Arc::new(Int8Array::from(vec![Some(i8::MIN), None, Some(i8::MAX)])),
        ),
        (
            "int16",
            Arc::new(Int16Array::from(vec![Some(i16::MIN), None, Some(i16::MAX)])),
        ),
        (
            "int32",
            Arc::new(Int32Array::from(vec![Some(i32::MIN), None, Some(i32::MAX)])),
        ),
        ("int64", Arc::new(numbers)),
        ("decimal_50", Arc::new(wide)),
        (
            "uint8",
            Arc::new(UInt8Array::from(vec![Some(0), None, Some(u8::MAX)])),
        ),
        (
            "uint16",
            Arc::new(UInt16Array::from(vec![Some(0), None, Some(u16::MAX)])),
        ),
        (
            "uint32",
            Arc::new(UInt32Array::from(vec![Some(0), None, Some(u32::MAX)])),
        ),
        ("uint64", unsigned),
        (
            "float16",
            Arc::new(Float16Array::from(vec![
                Some(f16::MIN),
                None,
                Some(f16::EPSILON),
            ])),
        ),
        (
            "float32",
            Arc::new(Float32Array::from(vec![
                Some(f32::MIN),
                None,
                Some(f32::INFINITY),
            ])),
        ),
        (
            "float64",
            Arc::new(Float64Array::from(vec![Some(f64::MIN), None, Some(-0.0)])),
        ),
        ("utf8", Arc::new(StringArray::from(text()))),
        ("large_utf8", Arc::new(LargeStringArray::from(text()))),
        ("utf8_view", Arc::new(StringViewArray::from(text()))),
        ("dictionary", Arc::new(dictionary)),
        ("binary", Arc::new(BinaryArray::from(bytes()))),
        ("large_binary", Arc::new(LargeBinaryArray::from(bytes()))),
        ("binary_view", Arc::new(BinaryViewArray::from(bytes()))),
        (
            "fixed_binary",
            Arc::new(
                FixedSizeBinaryArray::try_from_sparse_iter_with_size(
                    [Some([1u8, 255]), None, Some([0, 0])].into_iter(),
                    2,
                )
                .unwrap(),
            ),
        ),
        (
            "date32",
            Arc::new(Date32Array::from(vec![
                Some(-719_162),
                None,
                Some(2_932_896),
            ])),
        ),
        (
            "date64",
            Arc::new(Date64Array::from(vec![Some(0), None, Some(86_400_000)])),
        ),
        (
            "time32",
            Arc::new(Time32MillisecondArray::from(vec![
                Some(0),
                None,
                Some(86_399_999),
            ])),
        ),
        (
            "time64",
            Arc::new(Time64NanosecondArray::from(vec![
                Some(1),
                None,
                Some(86_399_999_999_999),
            ])),
        ),
        (
            "duration",
            Arc::new(DurationNanosecondArray::from(vec![
                Some(-1),
                None,
                Some(i64::MAX),
            ])),
        ),
        (
            "timestamp_s",
            Arc::new(TimestampSecondArray::from(vec![
                Some(i64::MAX),
                None,
                Some(0),
            ])),
        ),
        (
            "timestamp_ns",
            Arc::new(
                TimestampNanosecondArray::from(vec![Some(i64::MAX), None, Some(1)])
                    .with_timezone("UTC"),
            ),
        ),
        (
            "timestamp_local",
            Arc::new(TimestampMicrosecondArray::from(vec![
                Some(1),
                None,
                Some(0),
            ])),
        ),
        (
            "timestamp_zone",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(1), None, Some(NOON_US)])
                    .with_timezone("+02:00"),
            ),
        ),
        (
            "decimal",
            Arc::new(
                Decimal128Array::from(vec![Some(10i128.pow(38) - 1), None, Some(-1)])
                    .with_precision_and_scale(38, 10)
                    .unwrap(),
            ),
        ),
        (
            "small_decimal",
            Arc::new(
                Decimal128Array::from(vec![Some(99_999), None, Some(-99_999)])
                    .with_precision_and_scale(5, 2)
                    .unwrap(),
            ),
        ),
        (
            "decimal64",
            Arc::new(
                Decimal64Array::from(vec![Some(99_999), None, Some(-99_999)])
                    .with_precision_and_scale(12, 2)
                    .unwrap(),
            ),
        ),
        (
            "list",
            Arc::new(list(
                Arc::new(UInt64Array::from(vec![Some(1), None, Some(u64::MAX)])),
                "item",
            )),
        ),
        ("structs", Arc::new(inner)),
        ("list_of_structs", Arc::new(deep)),
        (
            "fixed_list",
            Arc::new(fixed(
                Field::new("x", DataType::Float32, true),
                Arc::new(Float32Array::from(vec![Some(1.5), None, Some(2.5)])),
            )),
        ),
    ]
}

#[test]
fn every_type_comes_back_as_it_went_in() {
    let history = history();
    let columns = every_type();
    let spec = spec("types", &columns);
    let table = history.table(spec.clone()).unwrap();
    let rows = batch(&spec, &columns);
    table.append(1, std::slice::from_ref(&rows)).unwrap();
    let found = all(&table);
    assert_eq!(found.schema(), spec.schema);
    for (at, field) in spec.schema.fields().iter().enumerate() {
        assert_eq!(found.column(at), rows.column(at), "{}", field.name());
    }
    assert_eq!(table.verify().unwrap().faults, []);
    // Another batch of the same, so that arrays are put together, and a table that is opened anew.
    table.append(2, &[rows.clone(), rows.slice(1, 2)]).unwrap();
    assert_eq!(all(&table).num_rows(), 8);
}

#[test]
fn what_no_table_keeps_is_refused_by_column() {
    let history = history();
    let negative = Decimal128Array::from(vec![1])
        .with_precision_and_scale(5, -2)
        .unwrap();
    let interval = IntervalDayTimeArray::from(vec![None]);
    let bad: Vec<ArrayRef> = vec![
        Arc::new(negative),
        Arc::new(interval),
        Arc::new(NullArray::new(1)),
    ];
    for array in bad {
        let error = history.table(spec("bad", &[("odd", array)])).unwrap_err();
        assert!(
            matches!(&error, HistoryError::Column { column, .. } if column == "odd"),
            "{error}"
        );
    }
    let number = || -> ArrayRef { Arc::new(Int64Array::from(vec![1])) };
    for name in ["_day", "_DAY", "a b", "sum(x)", "", "at", "AT"] {
        let error = history.table(spec("bad", &[(name, number())])).unwrap_err();
        assert!(
            matches!(error, HistoryError::Column { .. }),
            "{name}: {error}"
        );
    }
    let names = [
        "",
        "/a",
        "a/",
        "a//b",
        "../a",
        "a/../b",
        "_delta_log",
        "a b",
        "a/.hidden",
        "ä",
    ];
    for name in names {
        let error = history.table(spec(name, &[("n", number())])).unwrap_err();
        assert!(
            matches!(error, HistoryError::Spec { .. }),
            "{name}: {error}"
        );
    }
    let mut no_time = simple_spec("bad");
    for time in ["number", "psp", "none"] {
        no_time.time = time.to_owned();
        assert!(history.table(no_time.clone()).is_err(), "{time}");
    }
    assert_eq!(history.tables().unwrap(), Vec::<String>::new());
}

#[test]
fn a_definition_with_more_columns_adds_them_and_one_with_fewer_reads_on() {
    let history = history();
    let number = |value: i64| -> ArrayRef { Arc::new(Int64Array::from(vec![value])) };
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let old_columns = [("one", number(1))];
    let old = spec("events", &old_columns);
    let table = history.table(old.clone()).unwrap();
    table.append(1, &[batch(&old, &old_columns)]).unwrap();

    let new_columns = [("two", Arc::clone(&text)), ("one", number(2))];
    let new = spec("events", &new_columns);
    let newer = history.table(new.clone()).unwrap();
    newer.append(2, &[batch(&new, &new_columns)]).unwrap();
    let names = |table: &Table| -> Vec<Vec<String>> {
        let view = table.view();
        let files = view.files.iter().map(|file| {
            let rows = table.read(file, None, None).unwrap();
            rows.schema()
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect()
        });
        let mut names: Vec<Vec<String>> = files.collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names(&newer), [vec!["at", "one"], vec!["at", "two", "one"]]);
    // The old definition goes on beside, and sees what it does not name as it is kept.
    table.append(3, &[batch(&old, &old_columns)]).unwrap();
    assert_eq!(names(&table).len(), 3);

    for wrong in [text, Arc::new(Int32Array::from(vec![1])) as ArrayRef] {
        let error = history
            .table(spec("events", &[("one", wrong)]))
            .unwrap_err();
        let HistoryError::TypeConflict {
            table,
            column,
            stored,
            wanted,
        } = &error
        else {
            panic!("{error}")
        };
        assert_eq!((table.as_str(), column.as_str()), ("events", "one"));
        assert!(
            stored.contains("long") && !wanted.contains("long"),
            "{error}"
        );
    }
    let upper = history
        .table(spec("events", &[("ONE", number(1))]))
        .unwrap_err();
    assert!(
        matches!(upper, HistoryError::TypeConflict { .. }),
        "{upper}"
    );
}

#[test]
fn rows_that_do_not_fit_are_refused_whole() {
    let table = history().table(simple_spec("events")).unwrap();
    let number = |array: ArrayRef| {
        let at = TimestampMicrosecondArray::from(vec![NOON_US]).with_timezone("UTC");
        RecordBatch::try_from_iter([("at", Arc::new(at) as ArrayRef), ("number", array)]).unwrap()
    };
    let wrong_type = number(Arc::new(Int32Array::from(vec![1])));
    let extra =
        RecordBatch::try_from_iter([("more", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]);
    let no_time = TimestampMicrosecondArray::from(vec![None]).with_timezone("UTC");
    let no_time =
        RecordBatch::try_from_iter_with_nullable([("at", Arc::new(no_time) as ArrayRef, true)]);
    let far = TimestampMicrosecondArray::from(vec![i64::MAX]).with_timezone("UTC");
    let far = RecordBatch::try_from_iter([("at", Arc::new(far) as ArrayRef)]);
    let good = crate::rows(&[(NOON_US, 1)]);
    for bad in [wrong_type, extra.unwrap(), no_time.unwrap(), far.unwrap()] {
        let error = table.append(1, &[good.clone(), bad]).unwrap_err();
        assert!(matches!(error, HistoryError::Rows { .. }), "{error}");
        assert_eq!(table.view().version, -1);
    }
    // A column that is left out is null.
    let at = TimestampMicrosecondArray::from(vec![NOON_US]).with_timezone("UTC");
    let one = Arc::new(Int64Array::from(vec![1]));
    let less = RecordBatch::try_from_iter([
        ("at", Arc::new(at) as ArrayRef),
        ("number", one as ArrayRef),
    ]);
    table.append(1, &[less.unwrap()]).unwrap();
    assert_eq!(all(&table)["psp"].null_count(), 1);
}

#[test]
fn a_date_may_be_the_time() {
    let days = Date32Array::from(vec![20_786, 20_785, 20_786]);
    let number = Int64Array::from(vec![1, 2, 3]);
    let rows = RecordBatch::try_from_iter([
        ("day", Arc::new(days) as ArrayRef),
        ("number", Arc::new(number) as ArrayRef),
    ])
    .unwrap();
    let mut spec = simple_spec("daily");
    spec.schema = rows.schema();
    spec.time = "day".to_owned();
    spec.sort = vec!["number".to_owned()];
    let table = history().table(spec).unwrap();
    let view = table.append(1, &[rows]).unwrap();
    let days: Vec<_> = view
        .files
        .iter()
        .map(|file| (file.day, file.rows))
        .collect();
    assert_eq!(days, [(20_785, 1), (20_786, 2)]);
    assert_eq!(view.files[0].min_us, 20_785 * crate::DAY_US);
    let range = (20_786 * crate::DAY_US, i64::MAX);
    assert_eq!(
        table
            .read(&view.files[0], None, Some(range))
            .unwrap()
            .count(),
        0
    );
    assert_eq!(
        table
            .read(&view.files[1], None, Some(range))
            .unwrap()
            .count(),
        1
    );
    assert_eq!(table.verify().unwrap().faults, []);
}
