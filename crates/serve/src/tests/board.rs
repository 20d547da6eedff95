//! A board in one call, and one computation for however many ask the same.

use futures::future::join_all;
use serde_json::{Value, json};

use super::parts::SECOND;
use super::real::{AT, Till, event};
use super::stand::{Stand, problem};
use crate::Limits;
use crate::request::time::now_us;

/// The address of a call for several series.
fn several(questions: &[&str]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for question in questions {
        query.append_pair("q", question);
    }
    format!("/v1/series?{}", query.finish())
}

/// A range that does not move.
const RANGE: &str = "from=2026-11-22T13:59:00Z&to=2026-11-22T14:01:00Z&step=1s";

fn total(document: &Value) -> i64 {
    let series = document["series"].as_array().unwrap().iter();
    let points = series.flat_map(|one| one["points"].as_array().unwrap());
    points.filter_map(|point| point[1].as_i64()).sum()
}

#[tokio::test]
async fn several_questions_are_answered_in_their_order_and_one_at_fault_harms_no_other() {
    let stand = Stand::start().await;
    let at = now_us() - 20 * SECOND;
    stand.counts.add("adyen", at);
    stand.counts.add("stripe", at);
    let path = several(&[
        "payments?from=-1m&step=1s&where=psp:adyen",
        "paymens?from=-1m",
        "payments?from=-1m&step=1s&by=psp",
        "payments?from=yesterday",
        "payments",
        "payments?by=pps",
        "",
        "payments?from=-1m&step=1s&where=psp:adyen",
    ]);
    let list = stand.json(&path).await;
    let answers = list["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 8);
    assert_eq!(list.as_object().unwrap().len(), 1);
    assert_eq!(total(&answers[0]), 1);
    assert_eq!(answers[1]["status"], 404);
    assert_eq!(answers[1]["suggestion"], "payments");
    assert_eq!(
        answers[1]["type"],
        "https://tillwatch.dev/problems/unknown-metric"
    );
    assert_eq!(total(&answers[2]), 2);
    assert_eq!(answers[2]["by"], json!(["psp"]));
    assert_eq!(
        (&answers[3]["status"], &answers[3]["parameter"]),
        (&json!(400), &json!("from"))
    );
    assert_eq!(answers[4]["metric"], "payments");
    assert_eq!(answers[5]["suggestion"], "psp");
    assert_eq!(answers[6]["status"], 404);
    assert_eq!(answers[7]["series"], answers[0]["series"]);
    // Each is what the call for one answers.
    let alone = stand
        .json("/v1/metrics/payments?from=-1m&step=1s&by=psp")
        .await;
    assert_eq!(alone["series"], answers[2]["series"]);
}

#[tokio::test]
async fn when_all_questions_are_at_fault_the_call_is_answered_all_the_same() {
    let stand = Stand::start().await;
    stand
        .counts
        .failing
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let list = stand.json(&several(&["payments", "nothing"])).await;
    assert_eq!(list["answers"][0]["status"], 429);
    assert_eq!(list["answers"][1]["status"], 404);
}

#[tokio::test]
async fn one_call_has_only_so_many_questions() {
    let stand = Stand::with(Limits {
        live_queries_per_client_max: 2,
        ..Limits::default()
    })
    .await;
    let list = stand.json(&several(&["payments", "payments"])).await;
    assert_eq!(list["answers"].as_array().unwrap().len(), 2);
    let path = several(&["payments", "payments", "payments"]);
    let (status, slug, document) = problem(stand.get(&path).await).await;
    assert_eq!((status, slug.as_str()), (400, "bad-parameter"));
    assert!(document["detail"].as_str().unwrap().contains("1 to 2"));
    assert!(
        stand.counts.asked.lock().unwrap().len() == 2,
        "nothing is computed for a call that is refused"
    );
}

#[tokio::test]
async fn answers_beyond_the_room_are_problems_and_the_others_stand() {
    let stand = Stand::with(Limits {
        series_answer_bytes_max: 3_000,
        ..Limits::default()
    })
    .await;
    stand.counts.add("adyen", now_us() - 20 * SECOND);
    let small = "payments?from=-10s&step=1s";
    let large = "payments?from=-1h&step=1s";
    let list = stand.json(&several(&[small, large, small])).await;
    assert_eq!(list["answers"][0]["metric"], "payments");
    assert_eq!(list["answers"][1]["status"], 422);
    assert!(
        list["answers"][1]["detail"]
            .as_str()
            .unwrap()
            .contains("alone")
    );
    assert_eq!(list["answers"][2]["metric"], "payments");
}

#[tokio::test]
async fn questions_that_take_too_long_are_problems_and_the_others_stand() {
    let stand = Stand::with(Limits {
        series_deadline_ms: 50,
        ..Limits::default()
    })
    .await;
    stand.counts.add("adyen", now_us() - 20 * SECOND);
    let quick = "payments?from=-1m&step=1s";
    let slow = "payments?from=-1m&step=1s&where=psp:slow";
    // More slow ones than are computed at once, so that some are not even begun.
    let list = stand
        .json(&several(&[quick, slow, slow, slow, slow, slow, quick]))
        .await;
    let answers = list["answers"].as_array().unwrap();
    assert_eq!(total(&answers[0]), 1);
    for answer in &answers[1..6] {
        assert_eq!(answer["status"], 504);
        assert!(answer["detail"].as_str().unwrap().contains("alone"));
    }
    // The last one waited for those before it until the time was up.
    assert!(answers[6]["status"] == 504 || total(&answers[6]) == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn simultaneous_equal_questions_are_computed_once() {
    let till = Till::start().await;
    till.send(&event(1, AT, "adyen", "approved", "1.00")).await;
    for (round, expected) in [(1, 1), (2, 2)] {
        let path = format!("/v1/metrics/payments?{RANGE}&by=psp");
        let answers = join_all((0..200).map(|_| till.json(&path))).await;
        assert!(answers.iter().all(|answer| total(answer) == expected));
        assert_eq!(till.counter("series_computations_total").await, round);
        let saved =
            till.counter("series_reused_total").await + till.counter("series_shared_total").await;
        assert_eq!(saved, 199 * round);
        // A write in between is in the next answer.
        till.send(&event(2, AT, "adyen", "approved", "1.00")).await;
    }
    assert!(till.counter("series_kept_size_bytes").await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_live_clients_of_one_metric_cost_one_computation_per_change() {
    let till = Till::start().await;
    till.send(&event(0, AT, "adyen", "approved", "1.00")).await;
    let path = format!("/v1/metrics/payments/live?{RANGE}");
    let mut clients = join_all((0..200).map(|_| till.events(&path))).await;
    for told in join_all(clients.iter_mut().map(|client| client.told())).await {
        assert_eq!((told.name.as_str(), total(&told.data)), ("snapshot", 1));
    }
    assert_eq!(till.counter("series_computations_total").await, 1);
    assert_eq!(till.counter("live_clients").await, 200);
    for change in 1..=5 {
        till.send(&event(change, AT, "adyen", "approved", "1.00"))
            .await;
        for told in join_all(clients.iter_mut().map(|client| client.told())).await {
            let count = i64::from(change) + 1;
            assert_eq!((told.name.as_str(), total(&told.data)), ("update", count));
        }
        let computed = till.counter("series_computations_total").await;
        assert_eq!(computed, u64::from(change) + 1, "one per change");
        assert_eq!(till.counter("live_computations_total").await, computed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_of_24_panels_is_one_call_and_computes_each_question_once() {
    let till = Till::start().await;
    till.send(&event(1, AT, "adyen", "approved", "1.00")).await;
    let metrics = ["payments", "authorization_rate", "payment_volume"];
    // Two panels each show the same.
    let panels: Vec<String> = (0..24)
        .map(|panel| {
            let (metric, step) = (metrics[panel % 3], 1 + panel % 12 / 3);
            format!("{metric}?{}{step}0s", RANGE.trim_end_matches("1s"))
        })
        .collect();
    let panels: Vec<&str> = panels.iter().map(String::as_str).collect();
    let list = till.json(&several(&panels)).await;
    let answers = list["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 24);
    for (panel, answer) in answers.iter().enumerate() {
        assert_eq!(answer["metric"], metrics[panel % 3]);
    }
    assert_eq!(total(&answers[0]), 1);
    assert_eq!(till.counter("series_computations_total").await, 12);
    // Boards and live streams answer each other's questions.
    let path = format!(
        "/v1/metrics/payments/live?{}10s",
        RANGE.trim_end_matches("1s")
    );
    assert_eq!(total(&till.events(&path).await.told().await.data), 1);
    assert_eq!(till.counter("series_computations_total").await, 12);
}
