//! Events, definitions and the oracle that the tests share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, RecordBatch,
    StringViewArray, TimestampMicrosecondArray,
};
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext, col};
use tillwatch_collect::{JournalRecord, RecordKind};
use tillwatch_event::{Field, FieldType, StreamSchema};
use tillwatch_journal::Offset;
use tillwatch_process::{
    Cube, CubeDefinition, ProcessOptions, Processor, Rates, StreamDefinition, register_functions,
};

/// One event of the test stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: u32,
    pub at_us: i64,
    pub psp: Option<&'static str>,
    pub ok: bool,
    /// In cents.
    pub amount: Option<i64>,
    pub quantity: Option<i64>,
    pub x: Option<f64>,
    pub y: f64,
    pub user: Option<u32>,
}

pub fn schema(id: Option<&str>) -> Arc<StreamSchema> {
    let money = FieldType::Decimal {
        precision: 18,
        scale: 2,
    };
    Arc::new(StreamSchema {
        name: "events".to_owned(),
        id: id.map(str::to_owned),
        time: "at".to_owned(),
        dedup: Duration::from_secs(3600),
        fields: vec![
            Field::new("id", FieldType::String, false),
            Field::new("at", FieldType::Timestamp, false),
            Field::new("psp", FieldType::String, true),
            Field::new("ok", FieldType::Bool, false),
            Field::new("amount", money, true),
            Field::new("quantity", FieldType::Int64, true),
            Field::new("x", FieldType::Float64, true),
            Field::new("y", FieldType::Float64, false),
            Field::new("shopper", FieldType::String, true),
            Field::new("currency", FieldType::Currency, false),
        ],
    })
}

pub fn stream(id: Option<&str>) -> StreamDefinition {
    StreamDefinition {
        schema: schema(id),
        derive: vec![
            (
                "amount_eur".to_owned(),
                "convert(amount, currency, 'EUR')".to_owned(),
            ),
            ("double_eur".to_owned(), "amount_eur * 2".to_owned()),
        ],
        keep: None,
        quarantine_keep: None,
    }
}

pub fn rates() -> Arc<Rates> {
    Arc::new(Rates::new("EUR", None, [("USD", "1.0850"), ("JPY", "163.1")]).expect("rates"))
}

/// Every kind of measure. The names end in `_f` where the figure is a float.
pub const MEASURES: &[(&str, &str)] = &[
    ("events", "count(*)"),
    ("with_amount", "count(amount)"),
    ("approved", "count(*) filter (where ok)"),
    ("currency_first", "min(currency)"),
    ("currency_last", "max(currency)"),
    ("volume", "sum(amount)"),
    ("volume_eur", "sum(amount_eur)"),
    ("volume_double", "sum(double_eur)"),
    (
        "volume_ok",
        "sum(amount) filter (where ok and psp = 'adyen')",
    ),
    ("quantity", "sum(quantity)"),
    ("smallest", "min(amount)"),
    ("largest", "max(amount)"),
    ("first_at", "min(at)"),
    ("mean_amount", "avg(amount)"),
    ("all_ok", "bool_and(ok)"),
    ("shoppers", "distinct(shopper)"),
    ("shoppers_ok", "distinct(shopper) filter (where ok)"),
    ("spread", "quantile(x)"),
    ("spread_amount", "quantile(amount) filter (where ok)"),
    ("sum_f", "sum(x)"),
    ("mean_f", "avg(x)"),
    ("var_f", "var_samp(x)"),
    ("dev_f", "stddev_pop(x)"),
    ("cov_f", "covar_pop(x, y)"),
    ("corr_f", "corr(x, y)"),
    ("corr_far_f", "corr(x + 1700000, y)"),
    ("slope_f", "regr_slope(y, x)"),
    ("intercept_f", "regr_intercept(y, x)"),
];

pub fn cube(name: &str, bucket: Duration, dimensions: &[(&str, &str)]) -> CubeDefinition {
    let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect()
    };
    CubeDefinition {
        name: name.to_owned(),
        from: "events".to_owned(),
        bucket,
        dimensions: own(dimensions),
        measures: own(MEASURES),
        keep: vec![],
    }
}

pub fn processor(stream: StreamDefinition, cubes: Vec<CubeDefinition>) -> Processor {
    Processor::new(vec![stream], cubes, rates(), ProcessOptions::default()).expect("definitions")
}

pub fn batch(events: &[Event]) -> RecordBatch {
    let amounts: Decimal128Array = events.iter().map(|e| e.amount.map(i128::from)).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringViewArray::from_iter_values(
            events.iter().map(|e| format!("event-{}", e.id)),
        )),
        Arc::new(
            TimestampMicrosecondArray::from_iter_values(events.iter().map(|e| e.at_us))
                .with_timezone("UTC"),
        ),
        Arc::new(events.iter().map(|e| e.psp).collect::<StringViewArray>()),
        Arc::new(events.iter().map(|e| Some(e.ok)).collect::<BooleanArray>()),
        Arc::new(amounts.with_precision_and_scale(18, 2).expect("decimal")),
        Arc::new(events.iter().map(|e| e.quantity).collect::<Int64Array>()),
        Arc::new(events.iter().map(|e| e.x).collect::<Float64Array>()),
        Arc::new(events.iter().map(|e| Some(e.y)).collect::<Float64Array>()),
        Arc::new(
            (events.iter())
                .map(|e| e.user.map(|u| format!("user-{u}")))
                .collect::<StringViewArray>(),
        ),
        Arc::new(StringViewArray::from_iter_values(
            events
                .iter()
                .map(|e| ["EUR", "USD", "JPY"][e.id as usize % 3]),
        )),
    ];
    RecordBatch::try_new(schema(Some("id")).arrow_schema(), columns).expect("columns fit")
}

pub fn record(position: u64, received_at_us: i64, events: &[Event]) -> JournalRecord {
    JournalRecord {
        offset: Offset {
            segment: 1,
            position,
        },
        kind: RecordKind::Events,
        stream: "events".into(),
        received_at_us,
        idempotency_key: None,
        source: None,
        first_row: 0,
        batch: batch(events),
    }
}

/// Runs a query; DataFusion's own plans may want a runtime, which processing itself never does.
pub fn block_on<F: Future>(query: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(query)
}

pub fn context() -> SessionContext {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    let mut state = context.state();
    register_functions(&mut state, &rates()).expect("functions register");
    SessionContext::new_with_state(state)
}

/// Key → measure → value; binary values as hexadecimal text.
pub type Figures = BTreeMap<Vec<String>, BTreeMap<String, String>>;

/// Rows by their first `keys` columns; no key twice.
pub fn figures(batches: &[RecordBatch], keys: usize) -> Figures {
    let mut out = Figures::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let text = |column: &ArrayRef| {
                if column.is_null(row) {
                    "null".to_owned()
                } else {
                    array_value_to_string(column, row).expect("a value has a text")
                }
            };
            let key: Vec<String> = batch.columns()[..keys].iter().map(text).collect();
            let values = (keys..batch.num_columns())
                .map(|i| {
                    (
                        batch.schema().field(i).name().clone(),
                        text(batch.column(i)),
                    )
                })
                .collect();
            assert!(
                out.insert(key.clone(), values).is_none(),
                "key {key:?} twice"
            );
        }
    }
    out
}

/// The states of a range.
pub fn states(cube: &Cube, from_us: Option<i64>, to_us: Option<i64>) -> Vec<RecordBatch> {
    let view = cube.view(from_us, to_us);
    view.batches()
        .collect::<Result<_, _>>()
        .expect("states are read")
}

/// The kept states finished with `Measure::merge` in an ordinary query.
pub fn live(cube: &Cube) -> Figures {
    let context = context();
    let states = states(cube, None, None);
    let table = MemTable::try_new(cube.state_schema(), vec![states]).expect("states fit");
    let keys = 1 + cube.definition().dimensions.len();
    let groups = (cube.state_schema().fields().iter().take(keys))
        .map(|f| col(f.name()))
        .collect();
    let measures = (cube.measures().iter())
        .map(|m| {
            m.merge
                .call(m.state_columns.iter().map(|c| col(c.as_str())).collect())
                .alias(&m.name)
        })
        .collect();
    let frame = context
        .read_table(Arc::new(table))
        .and_then(|f| f.aggregate(groups, measures))
        .expect("a plan over states");
    figures(&block_on(frame.collect()).expect("merged"), keys)
}

/// The same figures by SQL over the raw rows, sharing nothing with the cube but the functions.
pub fn oracle(definition: &CubeDefinition, stream: &StreamDefinition, rows: &[Event]) -> Figures {
    let context = context();
    let batch = batch(rows);
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).expect("rows fit");
    context
        .register_table("raw", Arc::new(table))
        .expect("raw registers");
    let mut from = "raw".to_owned();
    for (name, sql) in &stream.derive {
        from = format!("(select *, {sql} as {name} from {from})");
    }
    let dimensions: String = definition
        .dimensions
        .iter()
        .map(|(name, sql)| format!(", {sql} as {name}"))
        .collect();
    let measures: String = definition
        .measures
        .iter()
        .map(|(name, sql)| format!(", {sql} as {name}"))
        .collect();
    let places: Vec<String> = (1..=1 + definition.dimensions.len())
        .map(|i| i.to_string())
        .collect();
    let sql = format!(
        "select arrow_cast(date_bin(interval '{} microseconds', at, timestamp '1970-01-01T00:00:00Z'), \
         'Timestamp(Microsecond, Some(\"UTC\"))'){dimensions}{measures} \
         from {from} group by {}",
        definition.bucket.as_micros(),
        places.join(", "),
    );
    let frame = block_on(context.sql(&sql)).expect("the oracle's SQL");
    let batches = block_on(frame.collect()).expect("the oracle's answer");
    figures(&batches, 1 + definition.dimensions.len())
}

/// Panics with the first difference. Floats agree to 1e-9, everything else to the last character.
pub fn assert_same(live: &Figures, want: &Figures) {
    let keys = |f: &Figures| f.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(live), keys(want), "the keys differ");
    for (key, values) in want {
        for (measure, wanted) in values {
            let got = &live[key][measure];
            let close = || {
                let (got, wanted): (f64, f64) = (got.parse().ok()?, wanted.parse().ok()?);
                let near = (got - wanted).abs() <= 1e-9 * wanted.abs().max(1.0);
                Some(near || (got.is_nan() && wanted.is_nan()))
            };
            let same = got == wanted || (measure.ends_with("_f") && close() == Some(true));
            assert!(same, "{measure} at {key:?}: live {got}, raw {wanted}");
        }
    }
}
