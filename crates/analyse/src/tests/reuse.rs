//! Answers that are given again, beside the same questions computed anew, while events keep coming.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tillwatch_event::{MemoryBudget, StreamSchema};
use tillwatch_journal::{DiskStorage, Journal, JournalOptions, Offset};
use tillwatch_process::{
    CubeDefinition, ProcessOptions, Processor, Rates, RecoverRange, StreamDefinition,
};

use super::fixture::{SECOND_US, START_US, append_at, metric, pairs, stream};
use super::sales::Ticket;
use crate::{Analyst, Period, PointValue, QueryLimits, Series, SeriesQuery, Span, Windows, Zone};

/// A running processor, one who keeps answers and one who does not.
struct Shop {
    keeping: Analyst,
    anew: Analyst,
    processor: Arc<Processor>,
    journal: Journal,
    schema: Arc<StreamSchema>,
    last: Option<Offset>,
    sold: u64,
    _folder: tempfile::TempDir,
}

impl Shop {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let storage = Arc::new(DiskStorage::open(folder.path().join("journal")).unwrap());
        let (journal, _) = Journal::open(storage, JournalOptions::default()).unwrap();
        let schema = stream(
            "sold",
            "id",
            "at",
            &[
                ("id", "string"),
                ("at", "timestamp"),
                ("shop", "string"),
                ("zone", "string"),
                ("amount", "decimal(18, 2)"),
            ],
        );
        let seconds = Duration::from_secs;
        let sales = CubeDefinition {
            name: "sales".to_owned(),
            from: "sold".to_owned(),
            bucket: seconds(10),
            dimensions: pairs(&[("shop", "shop"), ("zone", "zone")]),
            measures: pairs(&[("count", "count(*)"), ("amount", "sum(amount)")]),
            keep: Vec::new(),
        };
        let aging = CubeDefinition {
            name: "aging".to_owned(),
            keep: vec![
                (seconds(10), seconds(300)),
                (seconds(60), seconds(1_800)),
                (seconds(600), seconds(7_200)),
            ],
            ..sales.clone()
        };
        let streams = vec![StreamDefinition {
            schema: Arc::clone(&schema),
            derive: Vec::new(),
            keep: None,
            quarantine_keep: None,
        }];
        let rates = Arc::new(Rates::none());
        let options = ProcessOptions::default();
        let processor =
            Arc::new(Processor::new(streams, vec![sales, aging], rates, options).unwrap());
        let analyst = |series_cache_bytes_max| {
            let limits = QueryLimits {
                series_cache_bytes_max,
                ..QueryLimits::default()
            };
            let metrics = vec![
                metric("sales", "sales", "count", "count"),
                metric("revenue", "sales", "amount", "EUR"),
                metric("average", "sales", "amount / count", "EUR"),
                metric("old_sales", "aging", "count", "count"),
            ];
            let memory = MemoryBudget::unbounded();
            Analyst::sharing(&processor, &journal.reader(), metrics, limits, memory).unwrap()
        };
        Self {
            keeping: analyst(1 << 20),
            anew: analyst(0),
            processor: Arc::clone(&processor),
            journal,
            schema,
            last: None,
            sold: 0,
            _folder: folder,
        }
    }

    /// Takes events at these times, as they would be before they are acknowledged.
    fn sell(&mut self, ticket: &mut Ticket, times_us: &[i64], received_at_us: i64) {
        let mut lines = String::new();
        for at_us in times_us {
            let (shop, zone) = [
                ("a", "Europe/Berlin"),
                ("b", "Asia/Kathmandu"),
                ("c", "Mars"),
            ][ticket.draw(3)];
            writeln!(
                lines,
                "{{\"id\":\"s{}\",\"at\":{},\"shop\":\"{shop}\",\"zone\":\"{zone}\",\"amount\":\"{}.10\"}}",
                self.sold,
                at_us / 1_000,
                ticket.draw(90)
            )
            .unwrap();
            self.sold += 1;
        }
        append_at(&mut self.journal, &self.schema, &lines, received_at_us);
        self.journal.sync().unwrap();
        let range = RecoverRange {
            after: self.last,
            ..RecoverRange::default()
        };
        let report = (self.processor)
            .recover(&self.journal.reader(), range, &|_| {})
            .unwrap();
        assert_eq!(report.events, times_us.len() as u64);
        self.last = report.last;
    }
}

/// All of an answer but the metric and the version.
fn shown(series: &Series) -> String {
    format!(
        "{:?}",
        (
            (series.from_us, series.to_us, series.step_us),
            (&series.series, series.truncated, series.known_us),
            (&series.windows, &series.notes, &series.empty),
        )
    )
}

/// A question about the three hours around the start.
fn question(ticket: &mut Ticket) -> SeriesQuery {
    let step_us = [10, 60, 300, 600][ticket.draw(4)] * SECOND_US;
    let from_us =
        START_US + (ticket.number(180) - 120) * 60 * SECOND_US + ticket.number(7) * SECOND_US;
    let steps = 1 + ticket.number(30);
    let windows = match ticket.draw(8) {
        0 => Windows {
            span: Span::Trailing(3 * step_us),
            ..Windows::default()
        },
        1 => Windows {
            span: Span::Since(Period::Day),
            zone: Zone::Dimension("zone".to_owned()),
            ..Windows::default()
        },
        2 => Windows {
            step: Some(Period::Day),
            zone: Zone::Named("Asia/Kathmandu".to_owned()),
            ..Windows::default()
        },
        _ => Windows::default(),
    };
    let names = ["sales", "revenue", "average", "old_sales"];
    SeriesQuery {
        metric: names[ticket.draw(4)].to_owned(),
        from_us,
        to_us: from_us + steps * step_us,
        step_us,
        windows,
        by: [vec![], vec!["shop".to_owned()]][ticket.draw(2)].clone(),
        filters: [vec![], vec![("shop".to_owned(), "a".to_owned())]][ticket.draw(2)].clone(),
        limit_series: [None, Some(2)][ticket.draw(2)],
    }
}

fn seed() -> u64 {
    let seed = match std::env::var("TILLWATCH_SEED") {
        Ok(text) => text.parse().unwrap(),
        Err(_) => std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs(),
    };
    println!("seed {seed}; TILLWATCH_SEED={seed} repeats it");
    seed
}

/// Random events and questions by a seed; how often an answer was given again.
async fn drive(seed: u64) -> u64 {
    let mut ticket = Ticket::new(seed);
    let mut shop = Shop::open();
    let questions: Vec<SeriesQuery> = (0..12).map(|_| question(&mut ticket)).collect();
    let mut now_us = START_US;
    for round in 0..80 {
        if ticket.draw(3) > 0 {
            now_us += ticket.number(120) * SECOND_US;
            let count = 1 + ticket.draw(5);
            let times: Vec<i64> = (0..count)
                .map(|_| match ticket.draw(8) {
                    0 => now_us - ticket.number(7_200) * SECOND_US,
                    1 => now_us + ticket.number(600) * SECOND_US,
                    2 => now_us - ticket.number(100_000) * SECOND_US,
                    _ => now_us - ticket.number(20) * SECOND_US,
                })
                .collect();
            shop.sell(&mut ticket, &times, now_us);
        }
        for _ in 0..3 {
            let query = &questions[ticket.draw(questions.len())];
            // When `keep` makes other buckets of old ones is not a question of what was acknowledged: it happens when
            // a cube is read, which the one who computes anew does for both.
            let first_anew = query.metric == "old_sales" || ticket.draw(2) == 0;
            let (expected, given) = if first_anew {
                let expected = shop.anew.series(query).await;
                (expected, shop.keeping.series(query).await)
            } else {
                let given = shop.keeping.series(query).await;
                (shop.anew.series(query).await, given)
            };
            let text = |answer: Result<Arc<Series>, _>| answer.map(|series| shown(&series));
            assert_eq!(
                text(given),
                text(expected),
                "seed {seed}, round {round}, {query:?}"
            );
        }
    }
    let status = shop.keeping.reuse();
    assert_eq!(status.computed + status.reused + status.shared, 240);
    assert_eq!(shop.anew.reuse().reused, 0);
    status.reused
}

#[tokio::test]
async fn events_that_wait_do_not_change_the_range_that_is_answered() {
    let mut ticket = Ticket::new(1);
    let mut shop = Shop::open();
    let sold = |minutes: i64| vec![START_US + minutes * 60 * SECOND_US];
    shop.sell(&mut ticket, &sold(0), START_US);
    let query = SeriesQuery {
        metric: "old_sales".to_owned(),
        from_us: START_US + 4 * SECOND_US,
        to_us: START_US + 604 * SECOND_US,
        step_us: 600 * SECOND_US,
        ..SeriesQuery::default()
    };
    shop.anew.series(&query).await.unwrap();
    // These make the buckets of the question's range ten minutes wide once they are aggregated.
    shop.sell(&mut ticket, &sold(45), START_US + 45 * 60 * SECOND_US);
    let first = shop.anew.series(&query).await.unwrap();
    let again = shop.anew.series(&query).await.unwrap();
    assert_eq!(shown(&first), shown(&again));
    assert_eq!(first.from_us % (600 * SECOND_US), 0, "whole buckets");
    assert!(first.notes.is_empty(), "{:?}", first.notes);

    // What starts before all that is kept is of as wide buckets as the oldest.
    shop.sell(&mut ticket, &sold(600), START_US + 600 * 60 * SECOND_US);
    let past = shop.anew.series(&query).await.unwrap();
    assert_eq!(past.from_us, first.from_us);
}

#[tokio::test]
async fn an_answer_given_again_is_what_computing_it_anew_gives() {
    let seed = seed();
    let mut reused = 0;
    for part in 0..12 {
        reused += drive(seed.wrapping_add(part)).await;
    }
    assert!(reused > 300, "many are given again: {reused} of 2880");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_has_all_events_acknowledged_before_it_was_asked_for() {
    let seed = seed();
    let mut ticket = Ticket::new(seed);
    let mut shop = Shop::open();
    let keeping = {
        let metrics = vec![metric("sales", "sales", "count", "count")];
        let reader = shop.journal.reader();
        Arc::new(Analyst::new(&shop.processor, &reader, metrics, QueryLimits::default()).unwrap())
    };
    let acknowledged = Arc::new(AtomicI64::new(0));
    let begun = Arc::new(AtomicI64::new(0));
    let query = SeriesQuery {
        metric: "sales".to_owned(),
        from_us: START_US - 600 * SECOND_US,
        to_us: START_US + 600 * SECOND_US,
        step_us: 60 * SECOND_US,
        ..SeriesQuery::default()
    };
    let askers: Vec<_> = (0..8)
        .map(|_| {
            let (keeping, query) = (Arc::clone(&keeping), query.clone());
            let (acknowledged, begun) = (Arc::clone(&acknowledged), Arc::clone(&begun));
            tokio::spawn(async move {
                loop {
                    let least = acknowledged.load(Ordering::SeqCst);
                    let answer = keeping.series(&query).await.unwrap();
                    let most = begun.load(Ordering::SeqCst);
                    let points = answer.series[0].points.iter();
                    let total: i64 = points
                        .map(|(_, value)| match value {
                            PointValue::Int(count) => *count,
                            _ => 0,
                        })
                        .sum();
                    assert!(
                        (least..=most).contains(&total),
                        "seed {seed}: {total} is not within {least}..={most}"
                    );
                    if least == 600 {
                        break;
                    }
                }
            })
        })
        .collect();
    let writing = tokio::task::spawn_blocking(move || {
        for _ in 0..200 {
            let times: Vec<i64> = (0..3)
                .map(|_| START_US + (ticket.number(1_200) - 600) * SECOND_US)
                .collect();
            begun.fetch_add(3, Ordering::SeqCst);
            shop.sell(&mut ticket, &times, START_US + 600 * SECOND_US);
            acknowledged.fetch_add(3, Ordering::SeqCst);
        }
        shop
    });
    let _shop = writing.await.unwrap();
    for asker in askers {
        asker.await.unwrap();
    }
    let status = keeping.reuse();
    println!("{status:?}");
    assert!(status.shared + status.reused > 0, "{status:?}");
}

#[tokio::test]
async fn questions_of_one_moment_or_another_within_a_bucket_are_the_same() {
    let mut shop = Shop::open();
    let mut ticket = Ticket::new(1);
    shop.sell(&mut ticket, &[START_US], START_US);
    // The last hour in one figure and in steps, asked at every second of a bucket of ten.
    for step_us in [3_600 * SECOND_US, 60 * SECOND_US] {
        let before = shop.keeping.reuse().computed;
        let mut shows = Vec::new();
        for second in 1..10 {
            let to_us = START_US + second * SECOND_US;
            let query = SeriesQuery {
                metric: "sales".to_owned(),
                from_us: to_us - 3_600 * SECOND_US,
                to_us,
                step_us,
                ..SeriesQuery::default()
            };
            let given = shown(&shop.keeping.series(&query).await.unwrap());
            assert_eq!(given, shown(&shop.anew.series(&query).await.unwrap()));
            shows.push(given);
        }
        shows.dedup();
        assert_eq!(shows.len(), 1);
        assert_eq!(shop.keeping.reuse().computed, before + 1);
    }
}
