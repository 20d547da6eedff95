//! Queries and the memory that the process shares.

use tillwatch_event::{MemoryBudget, MemoryPart};

use super::fixture::Fixture;
use crate::error::AnalyseError;
use crate::limits::QueryLimits;

const SORTED: &str =
    "select value from generate_series(1, 200000) order by value desc limit 150000";

#[tokio::test]
async fn a_query_without_memory_is_told_so_and_answered_when_there_is_some_again() {
    let memory = MemoryBudget::new(32 << 20);
    let limits = QueryLimits {
        rows_max: 1_000_000,
        ..QueryLimits::default()
    };
    let fixture = Fixture::sharing(limits, memory.clone());
    // Ingest holds all but the part of queries, and the cubes all but a little of that.
    memory.measured(MemoryPart::Cubes, 30 << 20);
    let refused = fixture.sql(SORTED).await.unwrap_err();
    assert_eq!(refused, AnalyseError::Crowded);
    assert!(!refused.is_askers());
    // What is small is answered all the same.
    assert_eq!(fixture.sql("select 1").await.unwrap().rows(), 1);
    memory.measured(MemoryPart::Cubes, 0);
    let answer = fixture.sql(SORTED).await.unwrap();
    assert_eq!(answer.rows(), 150_000);
    // An answer counts for as long as it is there.
    assert!(
        memory.status().bytes >= 150_000 * 8,
        "{:?}",
        memory.status()
    );
    drop(answer);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while memory.status().bytes > 0 {
        assert!(
            std::time::Instant::now() < deadline,
            "{:?}",
            memory.status()
        );
        tokio::task::yield_now().await;
    }
    assert!(memory.status().parts.iter().any(|part| part.refused > 0));
}

#[tokio::test]
async fn groups_that_come_in_pieces_of_one_batch_count_once_in_the_answer() {
    let limits = QueryLimits {
        rows_max: 1_000_000,
        result_bytes_max: 8 << 20,
        ..QueryLimits::default()
    };
    let fixture = Fixture::with(limits);
    let groups = "select cast(value as varchar) as v, count(*) as n from generate_series(1, 100000) group by 1";
    assert_eq!(fixture.sql(groups).await.unwrap().rows(), 100_000);
}
