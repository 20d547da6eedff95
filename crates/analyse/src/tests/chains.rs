//! Long chains and deep nests of every kind: each gets an answer or a refusal, none the stack's end,
//! which would end the process with every call that is under way.

use std::time::Duration;

use super::fixture::{Fixture, metric};
use crate::{LimitOverride, check_metrics};

/// How often each link is repeated; the limit on tokens comes before two thousand of most.
const LENGTHS: [usize; 4] = [100, 900, 1_400, 1_995];

/// Chains: a start, the link and what closes it at the end.
const CHAINS: &[(&str, &str, &str)] = &[
    ("select true", " or true", ""),
    ("select true", " and true", ""),
    ("select true", " or true and true", ""),
    ("select true", " xor true", ""),
    ("select ''", "||''", ""),
    ("select psp", "||issuer", " from payments"),
    ("select 1", "+1", ""),
    ("select 1", "-1", ""),
    ("select 1", "*1", ""),
    ("select 1", "/1", ""),
    ("select 1", "%1", ""),
    ("select 1", "&1", ""),
    ("select 1", "|1", ""),
    ("select 1", "^1", ""),
    ("select 1", "<<1", ""),
    ("select 1", "=1", ""),
    ("select 1", "<1", ""),
    ("select 1", "<>1", ""),
    ("select 'a'", "~'a'", ""),
    ("select 'a'", " like 'a'", ""),
    ("select 'a'", " ilike 'a'", ""),
    ("select 'a'", " similar to 'a'", ""),
    ("select 1", " is null", ""),
    ("select 1", " is true", ""),
    ("select 1", " is distinct from 1", ""),
    ("select 1", "::int", ""),
    ("select now()", " at time zone 'UTC'", ""),
    ("select 'a'", " collate x", ""),
    ("select 1", " in (1)", ""),
    ("select 1", " between 1 and 1", ""),
    ("select psp", "[1]", " from payments"),
    ("select psp", ".a", " from payments"),
    ("select psp", "->'a'", " from payments"),
    ("select 1", " union select 1", ""),
    ("select 1", " union all select 1", ""),
    ("select 1", " except select 1", ""),
    (
        "select count(*) from payments a",
        " cross join payments",
        "",
    ),
    ("select count(*) from payments a", ", payments", ""),
    ("select 1 where 1 in (1", ",1", ")"),
    ("select 1", ",1", ""),
    ("select 1 order by 1", ",1", ""),
    ("select count(*) from payments group by psp", ",psp", ""),
    ("select concat(''", ",''", ")"),
    ("select coalesce(psp", ",issuer", ") from payments"),
    (
        "select count(*) from payments where psp like psp",
        "||psp",
        "",
    ),
    (
        "select count(*) from payments where psp ~ issuer",
        "||psp",
        "",
    ),
    (
        "select count(*) from payments where psp = 'x'",
        " or psp = 'x'",
        "",
    ),
    (
        "select count(*) from payments where retry > 0",
        " and retry > 0",
        "",
    ),
    ("select nosuch(psp", "||psp", ") from payments"),
    ("select nosuch(true", " or true", ")"),
    ("select cast(psp", "||psp", " as int[5]) from payments"),
    ("select measure(psp", "||psp", ") from payment_attempts"),
    (
        "select measure(attempts)",
        "+measure(attempts)",
        " from payment_attempts",
    ),
    (
        "select measure(attempts)>0",
        " or measure(attempts)>0",
        " from payment_attempts",
    ),
    ("select nosuch", "||nosuch", " from payments"),
    ("insert into payments values (1", "+1", ")"),
    ("explain select 1", " or true", ""),
    ("delete from payments where true", " or true", ""),
    ("select case when true", " when true then 1", " end"),
    ("select case", " when true then 1", " end"),
    ("values (1)", ",(1)", ""),
    ("with a as (select 1)", ", b as (select 1)", " select 1"),
    ("select 1", ";", ""),
    ("select 1", " --\n", ""),
];

/// Nests: what opens, what is inside, what closes, as often.
const NESTS: &[(&str, &str, &str)] = &[
    ("(", "1", ")"),
    ("-", "1", ""),
    ("- ", "1", ""),
    ("+ ", "1", ""),
    ("~ ", "1", ""),
    ("! ", "true", ""),
    ("@ ", "1", ""),
    ("|/ ", "1", ""),
    ("not ", "true", ""),
    ("prior ", "1", ""),
    ("interval ", "'1 day'", ""),
    ("case when true then ", "1", " end"),
    ("case when ", "true", " then true end"),
    ("abs(", "1", ")"),
    ("abs(-", "1", ")"),
    ("concat('',", "''", ")"),
    ("nosuch(", "1", ")"),
    ("cast(", "1", " as int)"),
    ("(select ", "1", ")"),
    ("exists(select ", "1", ")"),
    ("1 in (select ", "1", ")"),
    ("1 in (", "1", ")"),
    ("[", "1", "]"),
    ("{a:", "1", "}"),
    ("array[", "1", "]"),
    ("1+(", "1", ")"),
    ("true or (", "true", ")"),
    ("true or not (", "true", ")"),
    ("x -> ", "1", ""),
    ("substring('a' from ", "1", ")"),
    ("extract(year from ", "now()", ")"),
    ("1 = any(", "1", ")"),
];

/// Asks, whatever comes of it, and that the next question is answered as if nothing had happened.
async fn ask(fixture: &Fixture, sql: &str) {
    let by = LimitOverride {
        deadline: Some(Duration::from_secs(120)),
        rows_max: None,
    };
    let _ = fixture.analyst.sql(sql, by).await;
    assert_eq!(fixture.rows("select 2").await, serde_json::json!([[2]]));
}

#[tokio::test]
async fn long_chains_of_every_kind_are_answered_or_refused() {
    let fixture = Fixture::new();
    for (start, link, end) in CHAINS {
        for length in LENGTHS {
            let sql = format!("{start}{}{end}", link.repeat(length));
            ask(&fixture, &sql).await;
        }
    }
}

#[tokio::test]
async fn deep_nests_of_every_kind_are_answered_or_refused() {
    let fixture = Fixture::new();
    for (open, inside, close) in NESTS {
        for depth in [8, 20, 47, 140, 290, 1_990] {
            let sql = format!(
                "select {}{inside}{}",
                open.repeat(depth),
                close.repeat(depth)
            );
            ask(&fixture, &sql).await;
        }
    }
}

/// Metrics are checked by whoever loads the definitions, on a thread with an ordinary stack.
#[tokio::test]
async fn long_chains_in_metrics_are_checked_or_refused() {
    let fixture = Fixture::new();
    for (start, link, end) in [
        ("attempts", "+attempts", ""),
        (
            "case when attempts > 0",
            " or attempts > 0",
            " then 1 else 0 end",
        ),
        ("length(''", "||''", ")"),
    ] {
        for length in LENGTHS {
            let expr = format!("{start}{}{end}", link.repeat(length));
            let definition = metric("m", "payment_attempts", &expr, "");
            let _ = check_metrics(&fixture.processor, vec![definition]);
        }
    }
}
