//! Queries made to hurt: each is answered with an error within its deadline, and life goes on.

use std::fmt::Write;
use std::time::{Duration, Instant};

use super::fixture::Fixture;
use crate::{AnalyseError, LimitOverride, QueryLimits};

/// How long past its deadline an answer may come on a loaded machine.
const GRACE: Duration = Duration::from_secs(20);

fn doubling_with() -> String {
    let mut sql = "with c0 as (select 1 as x)".to_owned();
    for level in 1..50 {
        let below = level - 1;
        write!(
            sql,
            ", c{level} as (select a.x from c{below} a, c{below} b)"
        )
        .unwrap();
    }
    sql + " select count(*) from c49"
}

fn doubling_text() -> String {
    let mut sql = "with c0 as (select repeat('x', 8000) as x)".to_owned();
    for level in 1..30 {
        write!(
            sql,
            ", c{level} as (select x || x as x from c{})",
            level - 1
        )
        .unwrap();
    }
    sql + " select length(x) from c29"
}

fn hostile() -> Vec<(&'static str, String)> {
    let rows = "payments a, payments b, payments c, payments d, payments e";
    vec![
        ("deep parentheses", format!("select {}1{}", "(".repeat(5_000), ")".repeat(5_000))),
        ("deep parentheses below the limit", format!("select {}1{}", "(".repeat(48), ")".repeat(48)) + " from nowhere"),
        ("deep subqueries", format!("{}select 1{}", "select * from (".repeat(500), ")".repeat(500))),
        ("ten thousand operators", format!("select 1{}", " + 1".repeat(10_000))),
        ("ten thousand conditions", format!("select 1 from payments where retry = 0{}", " or retry = 1".repeat(10_000))),
        ("a huge list", format!("select 1 where 1 in (1{})", ",1".repeat(30_000))),
        ("a huge text", format!("select '{}'", "x".repeat(10_000_000))),
        ("repeat", "select repeat('x', 1000000000)".to_owned()),
        ("repeat per row", "select max(length(repeat(psp, 1000000))) from payments".to_owned()),
        ("repeat as the optimiser's constant", "select * from payments where psp = repeat('x', 2000000000)".to_owned()),
        ("lpad", "select lpad('x', 1000000000, 'y')".to_owned()),
        ("rpad", "select rpad(psp, 2147483647) from payments".to_owned()),
        ("replace", "select replace(repeat('x', 8000), 'x', repeat('y', 8000))".to_owned()),
        ("regexp_replace", "select regexp_replace(repeat('x', 8000), 'x', repeat('y', 8000), 'g')".to_owned()),
        ("doubling text", doubling_text()),
        ("doubling with", doubling_with()),
        ("concat", format!("select concat({})", vec!["repeat('x', 8000)"; 100].join(","))),
        ("to_char", format!("select to_char(now(), '{}')", "%c".repeat(2_000))),
        ("a list of fixed size", "select cast(null as int[1000000000]) from generate_series(1, 10)".to_owned()),
        ("a list of fixed size, with colons", "select null::int[1000000000]".to_owned()),
        ("a list of fixed size, tried", "select try_cast(null as int[1000000000])".to_owned()),
        ("a list of fixed size inside a struct", "select cast(null as struct<a int[1000000000]>)".to_owned()),
        ("a list of fixed size inside a list", "select cast(null as int[1000000000][])".to_owned()),
        ("a list of fixed size in a table's arguments", "select * from generate_series(1, coalesce(length(cast(cast(null as int[1000000000]) as varchar)), 2))".to_owned()),
        ("bytes of fixed size", format!("select {} from generate_series(1, 2048)", vec!["arrow_cast(null, 'FixedSizeBinary(2147483647)')"; 40].join(", "))),
        ("bytes of fixed size in a dictionary", "select arrow_cast(null, 'Dictionary(Int32, FixedSizeBinary(2147483647))')".to_owned()),
        ("a type from a column", "select arrow_cast(null, psp) from payments".to_owned()),
        ("a type by name", "select arrow_cast(value => null, data_type => 'FixedSizeBinary(2147483647)')".to_owned()),
        ("a pattern from a column", r"select count(*) from generate_series(1, 2048) where 'a' ~ ('(?:\w{40}){3}' || cast(value as varchar))".to_owned()),
        ("a pattern from a column, not matched", r"select count(*) from payments where psp !~* issuer".to_owned()),
        ("a pattern from an inner query", r"with p as (select '(?:\w{40}){3}' as p) select count(*) from payments, p where psp ~ p".to_owned()),
        ("a pattern from a column for like", "select count(*) from generate_series(1, 2048) where repeat('a', 8000) like (repeat('_a', 2000) || cast(value as varchar))".to_owned()),
        ("a pattern from a column for ilike", "select count(*) from payments where psp not ilike '%' || issuer".to_owned()),
        ("a pattern from a column for ~~", "select count(*) from payments where psp ~~ issuer".to_owned()),
        ("a pattern from a column, similar to", "select count(*) from payments where psp similar to issuer".to_owned()),
        ("a pattern from a column, called", "select count(*) from payments where regexp_like(psp, issuer)".to_owned()),
        ("a pattern by name", "select regexp_like(str => 'a', regexp => psp) from payments".to_owned()),
        ("flags from a column", "select regexp_replace(psp, 'a', 'b', issuer) from payments".to_owned()),
        ("a pattern that repeats repetitions", r"select regexp_count(psp, '(\w{100}){100}') from payments".to_owned()),
        ("a pattern behind flags", r"select regexp_like('a', 'a', 'i)(\w{100}){100}(?i')".to_owned()),
        ("many patterns", format!("select count(*) from payments where {}", vec![r"psp ~ '\w{10}'"; 500].join(" or "))),
        ("array repeat", "select array_repeat(1, 1000000000)".to_owned()),
        ("a range as a value", "select range(1000000000000)".to_owned()),
        ("generate_series as a value", "select generate_series(1, 1000000000000)".to_owned()),
        ("generate_series collected", "select value from generate_series(1, 1000000000000)".to_owned()),
        ("generate_series counted", "select count(*) from generate_series(1, 1000000000000)".to_owned()),
        ("generate_series sorted", "select value from generate_series(1, 1000000000000) order by value desc limit 1000000000".to_owned()),
        ("generate_series grouped", "select value, count(*) from generate_series(1, 1000000000000) group by value".to_owned()),
        ("cross joins", format!("select count(*) from {rows} where a.retry + b.retry + c.retry + d.retry + e.retry = 99")),
        ("cross joins collected", format!("select a.psp from {rows}")),
        ("endless recursion", "with recursive t as (select 1 as n union all select n + 1 from t) select count(*) from t".to_owned()),
        ("cube of everything", format!("select count(*) from payments group by cube({})", vec!["psp"; 30].join(","))),
        ("string_agg", "select string_agg(psp, ',') from payments".to_owned()),
        ("a file as a table", "select * from '/etc/passwd'".to_owned()),
        ("a quoted file as a table", "select * from \"/etc/passwd.csv\"".to_owned()),
        ("a file url", "select * from 'file:///etc/hostname'".to_owned()),
        ("a file function", "select * from read_csv('/etc/passwd')".to_owned()),
        ("an external table", "create external table t stored as csv location '/etc/passwd'".to_owned()),
        ("copy", "copy payments to '/tmp/tillwatch-stolen.csv'".to_owned()),
        ("create table", "create table t as select * from payments".to_owned()),
        ("create view", "create view v as select 1".to_owned()),
        ("drop", "drop table payments".to_owned()),
        ("insert", "insert into payments values (1)".to_owned()),
        ("update", "update payments set psp = 'x'".to_owned()),
        ("delete", "delete from payments".to_owned()),
        ("set", "set batch_size = 1000000".to_owned()),
        ("two statements", "select 1; select 2".to_owned()),
        ("a statement behind a comment", "select 1 /* ; */ ; -- ;\n drop table payments".to_owned()),
        ("only a comment", "-- select 1".to_owned()),
        ("an open comment", "/* /* */ select 1".to_owned()),
        ("an open string", "select 'abc".to_owned()),
        ("a null byte", "select \0".to_owned()),
        ("nothing", String::new()),
        ("an inner function", "select \"metric:authorization_rate\"(1, 1)".to_owned()),
        ("an inner aggregate", "select \"measure:payment_attempts.attempts\"(1)".to_owned()),
        ("the engine's version", "select version()".to_owned()),
        ("division by zero", "select 1 / 0".to_owned()),
        ("a factorial", "select factorial(1000000)".to_owned()),
    ]
}

#[tokio::test]
async fn every_hostile_query_gets_an_error_in_time() {
    let fixture = Fixture::new();
    let deadline = Duration::from_secs(2);
    let by = LimitOverride {
        deadline: Some(deadline),
        rows_max: None,
    };
    for (name, sql) in hostile() {
        let started = Instant::now();
        let answer = fixture.analyst.sql(&sql, by).await;
        let took = started.elapsed();
        let error = match answer {
            Err(error) => error,
            Ok(result) => panic!("{name}: answered with {} rows", result.rows()),
        };
        assert!(took < deadline + GRACE, "{name}: took {took:?}: {error}");
        assert_ne!(error, AnalyseError::Internal, "{name}");
        let text = error.to_string();
        for inner in [
            "DataFusion",
            "datafusion",
            "panicked",
            ".rs:",
            "Arrow error",
            "internal error",
        ] {
            assert!(!text.contains(inner), "{name}: {text}");
        }
        // The next one is answered as if nothing had happened.
        assert_eq!(
            fixture.rows("select 1 + 1").await,
            serde_json::json!([[2]]),
            "after {name}"
        );
    }
}

#[tokio::test]
async fn long_queries_below_the_limits_are_planned_in_time() {
    let fixture = Fixture::new();
    let or = format!(
        "select count(*) from payments where retry = 0{}",
        " or retry = 1".repeat(900)
    );
    let sum = format!("select {}1 from payments limit 1", "retry + ".repeat(120));
    let text = format!("select psp{} from payments limit 1", " || 'x'".repeat(900));
    for sql in [or, sum, text] {
        let started = Instant::now();
        fixture.sql(&sql).await.unwrap();
        assert!(started.elapsed() < GRACE, "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn casts_and_patterns_are_refused_with_their_reason() {
    let fixture = Fixture::new();
    assert_eq!(
        fixture.refusal("select 1, cast(null as int[5])").await,
        "a cast to 'INT[5]' is not allowed in queries (line 1, column 16); cast to a number, a text, a bool, a date or a time"
    );
    assert_eq!(
        fixture
            .refusal("select * from payments where psp ~ issuer")
            .await,
        "a pattern must be a text in quotes (line 1, column 30); to compare with a column, use =, starts_with, ends_with or strpos"
    );
    assert_eq!(
        fixture
            .refusal(r"select regexp_like(psp, '(\w{100}){100}') from payments")
            .await,
        "the patterns of the query become too large once repetitions are written out (line 1, column 8); repeat less, or name signs as in [a-z0-9_] where \\w or \\d stands"
    );
    assert_eq!(
        fixture
            .rows("select 'ab' ~ '^\\w+$', 'ab' like 'a%', 'Ab' ~* '^a', regexp_replace('a1b2', '\\d', '', 'g'), 'x' similar to 'x|y', arrow_cast(1.5, 'Float64'), '2'::decimal(9, 2)")
            .await,
        serde_json::json!([[true, true, true, "ab", true, 1.5, "2.00"]])
    );
}

#[tokio::test]
async fn limits_on_rows_bytes_columns_and_memory_hold() {
    let tight = QueryLimits {
        rows_max: 100,
        result_bytes_max: 4_000,
        memory_bytes_max: 200_000,
        columns_max: 5,
        ..QueryLimits::default()
    };
    let fixture = Fixture::with(tight);
    assert_eq!(
        fixture.sql("select psp from payments").await.unwrap_err(),
        AnalyseError::TooManyRows { rows_max: 100 }
    );
    assert_eq!(
        fixture
            .sql("select repeat(psp, 100) from payments limit 90")
            .await
            .unwrap_err(),
        AnalyseError::AnswerTooLarge { bytes_max: 4_000 }
    );
    assert_eq!(
        fixture
            .sql("select count(*) from (select value * 7 % 1000003 as v from generate_series(1, 1000000) group by 1)")
            .await
            .unwrap_err(),
        AnalyseError::Memory { bytes_max: 200_000 }
    );
    assert_eq!(
        fixture.refusal("select * from payments").await,
        "the answer has 9 columns; at most 5 are allowed"
    );
}

#[tokio::test]
async fn figures_are_answered_while_sql_is_flooded() {
    let fixture = std::sync::Arc::new(Fixture::with(QueryLimits {
        running_max: 1,
        waiting_max: 1,
        workers: 1,
        generated_rows_max: usize::MAX,
        ..QueryLimits::default()
    }));
    let flood: Vec<_> = (0..3)
        .map(|_| {
            let fixture = std::sync::Arc::clone(&fixture);
            tokio::spawn(async move {
                let by = LimitOverride {
                    deadline: Some(Duration::from_secs(5)),
                    rows_max: None,
                };
                let sql = "select count(*) from generate_series(1, 1000000000000)";
                fixture.analyst.sql(sql, by).await
            })
        })
        .collect();
    let query = crate::SeriesQuery {
        metric: "attempt_count".to_owned(),
        from_us: super::fixture::START_US,
        to_us: super::fixture::START_US + 600_000_000,
        step_us: 60_000_000,
        ..crate::SeriesQuery::default()
    };
    assert_eq!(
        fixture.analyst.series(&query).await.unwrap().series.len(),
        1
    );
    let mut errors = Vec::new();
    for one in flood {
        errors.push(one.await.unwrap().unwrap_err());
    }
    assert!(errors.contains(&AnalyseError::Busy), "{errors:?}");
    assert!(
        errors.contains(&AnalyseError::Deadline { deadline_ms: 5_000 }),
        "{errors:?}"
    );
}

#[tokio::test]
async fn a_dropped_question_frees_its_worker() {
    let fixture = Fixture::with(QueryLimits {
        running_max: 1,
        workers: 1,
        deadline: Duration::from_secs(60),
        generated_rows_max: usize::MAX,
        ..QueryLimits::default()
    });
    let endless = fixture.sql("select count(*) from generate_series(1, 1000000000000)");
    assert!(
        tokio::time::timeout(Duration::from_millis(200), endless)
            .await
            .is_err()
    );
    assert_eq!(fixture.rows("select 2").await, serde_json::json!([[2]]));
}

#[tokio::test]
async fn integers_without_room_are_an_error_and_never_another_number() {
    let fixture = Fixture::new();
    let numbers = "(values (9223372036854775807), (1)) as t(n)";
    for expr in ["n + 1", "n * 2", "-2 - n", "n + n", "1 + n * 3"] {
        let refusal = fixture
            .refusal(&format!("select {expr} from {numbers}"))
            .await;
        assert!(
            refusal.to_lowercase().contains("overflow"),
            "{expr}: {refusal}"
        );
    }
    let rows = fixture
        .rows(&format!(
            "select n - 1, n * 1, n + 0, sum(n) over () from {numbers} order by n + 0 limit 1 + 0"
        ))
        .await;
    assert_eq!(rows, serde_json::json!([[0, 1, 1, "9223372036854775808"]]));
    let rows = fixture
        .rows("select n + 1, count(*) from (values (1), (1), (2)) as t(n) group by n + 1 having n + 1 > 2")
        .await;
    assert_eq!(rows, serde_json::json!([[3, 1]]));
}

/// Steps that hold rows the engine does not count, or compute much in one go.
fn heavy() -> Vec<(&'static str, String)> {
    let series = "generate_series(1, 100000000)";
    let over = |window: &str| format!("select {window} from {series} limit 1");
    vec![
        (
            "a window to the end",
            over("sum(value) over (order by value desc)"),
        ),
        (
            "a window to the end, many functions",
            over(
                &(0..30)
                    .map(|n| format!("sum(value + {n}) over (order by value desc)"))
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
        ),
        ("a window over all", over("sum(value) over ()")),
        (
            "a window over all in groups",
            over("sum(value) over (partition by value % 10)"),
        ),
        (
            "a sliding window",
            over(
                "max(value) over (order by value rows between 1000000 preceding and 1000000 following)",
            ),
        ),
        (
            "a window of mixed groups",
            over("sum(value) over (partition by value % 50000000 order by value)"),
        ),
        (
            "ranks to the end",
            over("ntile(4) over (order by value), cume_dist() over (order by value)"),
        ),
        (
            "a running median",
            over("median(value) over (order by value)"),
        ),
        (
            "a sliding median",
            over(
                "median(value) over (order by value rows between 100000 preceding and current row)",
            ),
        ),
        (
            "a running quantile",
            over("approx_percentile_cont(value, 0.5) over (order by value)"),
        ),
        (
            "a running distinct sum",
            over("sum(distinct value) over (order by value)"),
        ),
        (
            "a cross join",
            format!(
                "select count(*) from {series} a cross join {series} b where a.value + b.value = 0"
            ),
        ),
        (
            "a nested loop",
            format!(
                "select count(*) from {series} a join {series} b on a.value < b.value - 99999999"
            ),
        ),
        (
            "a hash join",
            format!("select count(*) from {series} a join {series} b on a.value = b.value + 1"),
        ),
        (
            "an anti join",
            format!(
                "select count(*) from {series} a where not exists (select 1 from {series} b where b.value = a.value)"
            ),
        ),
        (
            "a sort",
            format!("select value from {series} order by value % 1000, value limit 90000000"),
        ),
        (
            "distinct",
            format!("select count(distinct value) from {series}"),
        ),
        (
            "distinct rows",
            format!("select count(*) from (select distinct value from {series})"),
        ),
        (
            "groups",
            format!("select count(*) from (select value, sum(value) from {series} group by value)"),
        ),
        ("a median", format!("select median(value) from {series}")),
        (
            "medians in groups",
            format!(
                "select count(*) from (select value % 1000000, median(value) from {series} group by 1)"
            ),
        ),
        (
            "a union, sorted",
            format!(
                "select * from (select value from {series} union select -value from {series}) order by 1 limit 1"
            ),
        ),
        (
            "an intersection",
            format!(
                "select count(*) from (select value from {series} intersect select value from {series})"
            ),
        ),
        (
            "first values",
            format!(
                "select count(*) from (select value, first_value(value order by -value) from {series} group by value)"
            ),
        ),
    ]
}

/// How long after its deadline a query may hold its worker. It lets go within a second on a machine that does nothing else.
const FREE_AFTER_MAX: Duration = Duration::from_secs(10);

/// How much the process may grow while a query with 256 MiB of memory runs, other tests beside it.
const GROWTH_BYTES_MAX: usize = 1_500 << 20;

/// What this process takes of the machine's memory, in bytes; none where that is not told.
fn resident_bytes() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: usize = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// One worker, so that the next question is only answered when the one before has let go of it.
#[tokio::test]
async fn after_its_deadline_a_query_holds_neither_worker_nor_memory() {
    let fixture = Fixture::with(QueryLimits {
        running_max: 1,
        workers: 1,
        generated_rows_max: usize::MAX,
        ..QueryLimits::default()
    });
    let by = LimitOverride {
        deadline: Some(Duration::from_secs(3)),
        rows_max: None,
    };
    let mut faults = Vec::new();
    for (name, sql) in heavy() {
        let before = resident_bytes().unwrap_or(0);
        let asked = fixture.analyst.sql(&sql, by);
        tokio::pin!(asked);
        let mut most = before;
        let answer = loop {
            tokio::select! {
                answer = &mut asked => break answer.map(|result| result.rows()),
                () = tokio::time::sleep(Duration::from_millis(20)) => {
                    most = most.max(resident_bytes().unwrap_or(0));
                }
            }
        };
        let began = Instant::now();
        assert_eq!(fixture.rows("select 2").await, serde_json::json!([[2]]));
        let free_after = began.elapsed();
        most = most.max(resident_bytes().unwrap_or(0));
        let grew = most.saturating_sub(before);
        let told = format!(
            "{name}: {} MiB, free after {free_after:?}: {answer:?}",
            grew >> 20
        );
        if free_after > FREE_AFTER_MAX || grew > GROWTH_BYTES_MAX {
            faults.push(told);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
