//! Sales of shops in several time zones: a stream, a cube over it, and the events themselves.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tillwatch_event::MemoryBudget;
use tillwatch_journal::{DiskStorage, Journal, JournalOptions};
use tillwatch_process::{
    CubeDefinition, ProcessOptions, Processor, Rates, RecoverRange, StreamDefinition,
};

use super::fixture::{append_at, metric, pairs, stream};
use crate::{Analyst, QueryLimits};

/// One event.
#[derive(Debug, Clone)]
pub(super) struct Sale {
    pub(super) at_us: i64,
    pub(super) shop: String,
    pub(super) zone: Option<String>,
    pub(super) cents: i64,
    pub(super) latency_ms: i64,
    pub(super) customer: u64,
}

/// Numbers by luck, the same on every machine.
pub(super) struct Ticket(u64);

impl Ticket {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn draw(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    pub(super) fn number(&mut self, sides: usize) -> i64 {
        i64::try_from(self.draw(sides)).unwrap()
    }
}

/// The events and the one who answers about them. The journal lives as long as this.
pub(super) struct Sales {
    pub(super) analyst: Analyst,
    pub(super) events: Vec<Sale>,
    _journal: Journal,
    _folder: tempfile::TempDir,
}

/// When all were received: 2027-01-01T00:00:00Z.
const RECEIVED_US: i64 = 1_798_761_600_000_000;

/// A shop and its zone; two have one that nobody knows.
const SHOPS: [(&str, Option<&str>); 8] = [
    ("altona", Some("Europe/Berlin")),
    ("mitte", Some("Europe/Berlin")),
    ("pinheiros", Some("America/Sao_Paulo")),
    ("bandra", Some("Asia/Kolkata")),
    ("thamel", Some("Asia/Kathmandu")),
    ("lagoon", Some("Australia/Lord_Howe")),
    ("olympus", Some("Mars/Olympus <b>")),
    ("nowhere", None),
];

impl Sales {
    /// Events within four days around some times.
    pub(super) fn around(times_us: &[i64], count: usize, keep: &[(u64, u64)]) -> Self {
        Self::with(times_us, count, keep, QueryLimits::default())
    }

    pub(super) fn with(
        times_us: &[i64],
        count: usize,
        keep: &[(u64, u64)],
        limits: QueryLimits,
    ) -> Self {
        let mut ticket = Ticket::new(3);
        let mut events: Vec<Sale> = (0..count).map(|_| sale(&mut ticket, times_us)).collect();
        events.sort_by_key(|sale| sale.at_us);
        let folder = tempfile::tempdir().unwrap();
        let storage = Arc::new(DiskStorage::open(folder.path().join("journal")).unwrap());
        let (mut journal, _) = Journal::open(storage, JournalOptions::default()).unwrap();
        let schema = stream(
            "sold",
            "id",
            "at",
            &[
                ("id", "string"),
                ("at", "timestamp"),
                ("shop", "string"),
                ("zone", "string?"),
                ("till", "int64"),
                ("amount", "decimal(18, 2)"),
                ("latency_ms", "int64"),
                ("customer", "int64"),
            ],
        );
        let lines: Vec<String> = events.iter().enumerate().map(line).collect();
        for chunk in lines.chunks(101) {
            append_at(&mut journal, &schema, &chunk.concat(), RECEIVED_US);
        }
        journal.sync().unwrap();
        let seconds = Duration::from_secs;
        let cube = CubeDefinition {
            name: "sales".to_owned(),
            from: "sold".to_owned(),
            bucket: seconds(10),
            dimensions: pairs(&[("shop", "shop"), ("zone", "zone"), ("till", "till")]),
            measures: pairs(&[
                ("count", "count(*)"),
                ("big", "count(*) filter (where amount > 50)"),
                ("amount", "sum(amount)"),
                ("latency", "quantile(latency_ms)"),
                ("mean_latency", "avg(latency_ms)"),
                ("slowest", "max(latency_ms)"),
                ("customers", "distinct(customer)"),
            ]),
            keep: keep
                .iter()
                .map(|(width, age)| (seconds(*width), seconds(*age)))
                .collect(),
        };
        let streams = vec![StreamDefinition {
            schema,
            derive: Vec::new(),
            keep: None,
            quarantine_keep: None,
        }];
        let rates = Arc::new(Rates::none());
        let processor =
            Processor::new(streams, vec![cube], rates, ProcessOptions::default()).unwrap();
        let processor = Arc::new(processor);
        let reader = journal.reader();
        processor
            .recover(&reader, RecoverRange::default(), &|_| {})
            .unwrap();
        let metrics = vec![
            metric("sales", "sales", "count", "count"),
            metric("revenue", "sales", "amount", "EUR"),
            metric("latency_p95", "sales", "quantile_at(latency, 0.95)", "ms"),
            metric("buyers", "sales", "customers", "count"),
            metric("mean_ticket", "sales", "mean_latency", "ms"),
            metric("big_share", "sales", "big / count", "percent"),
            metric("slowest", "sales", "slowest", "ms"),
        ];
        let memory = MemoryBudget::unbounded();
        let analyst = Analyst::sharing(&processor, &reader, metrics, limits, memory).unwrap();
        Self {
            analyst,
            events,
            _journal: journal,
            _folder: folder,
        }
    }
}

fn sale(ticket: &mut Ticket, times_us: &[i64]) -> Sale {
    let around_us = times_us[ticket.draw(times_us.len())];
    let aside_ms = ticket.number(8 * 86_400_000) - 4 * 86_400_000;
    let (shop, zone) = SHOPS[ticket.draw(SHOPS.len())];
    Sale {
        at_us: around_us + aside_ms * 1_000,
        shop: shop.to_owned(),
        zone: zone.map(str::to_owned),
        cents: 1 + ticket.number(10_000),
        latency_ms: 1 + ticket.number(900),
        customer: ticket.draw(300) as u64,
    }
}

fn line((at, sale): (usize, &Sale)) -> String {
    let mut line = String::new();
    let zone = serde_json::Value::from(sale.zone.clone());
    writeln!(
        line,
        "{{\"id\":\"s{at}\",\"at\":{},\"shop\":\"{}\",\"zone\":{zone},\"till\":{},\"amount\":\"{}.{:02}\",\"latency_ms\":{},\"customer\":{}}}",
        sale.at_us / 1_000,
        sale.shop,
        at % 3,
        sale.cents / 100,
        sale.cents % 100,
        sale.latency_ms,
        sale.customer,
    )
    .unwrap();
    line
}
