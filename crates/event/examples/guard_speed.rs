//! Guard speed: nanoseconds per text for the texts that events are made of.
//!
//! `cargo run --release -p tillwatch-event --example guard_speed [rounds]`

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::hint::black_box;
use std::time::Instant;

use tillwatch_event::guard;

/// Kinds of texts, some of each, so that the branch predictor does not learn a single one.
const TEXTS: &[(&str, &[&str])] = &[
    (
        "short word",
        &["EUR", "visa", "captured", "card", "DE", "web"],
    ),
    (
        "id of 20",
        &[
            "pay_3k9x0q4mz7w1t8",
            "ord_000000018273645",
            "evt_0a9b8c7d6e5f41",
        ],
    ),
    (
        "hexadecimal id of 32",
        &[
            "d41d8cd98f00b204e9800998ecf8427e",
            "7215ee9c7d9dc229d2921a40e899ec5f",
            "5f4dcc3b5aa765d61d8327deb882cf99",
        ],
    ),
    (
        "UUID",
        &[
            "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            "9b2f6c1e-73d4-4d0a-8f55-1c0f2b7e6a90",
            "41c8e2b7-5a31-4907-b6d2-8e93f01a4c75",
        ],
    ),
    (
        "time",
        &[
            "2026-11-22T14:03:00.123456Z",
            "2026-11-22 14:03:01.654321",
            "2026-11-23T00:00:59.000001+01:00",
        ],
    ),
    (
        "number of 16",
        &["1795356180123456", "2046125907723188", "7000123400056789"],
    ),
    (
        "sentence",
        &[
            "The issuer declined: insufficient funds (code 51), try again after 2026-11-23",
            "Receipt 18273645 for order 2026-000123, customer 991823, 3 items, 149.90 EUR",
            "Refund of 20.00 EUR for the customer's order, confirmed by the service at 14:03",
        ],
    ),
    (
        "sentence beyond ASCII",
        &[
            "Zahlung für Bestellung 2026-000123 über 149,90 € wurde bestätigt (Kunde 991823)",
            "Оплата заказа 2026-000123 подтверждена, сумма 149,90, клиент 991823",
            "订单 2026-000123 已付款 149.90 元,客户 991823",
        ],
    ),
    (
        "card",
        &[
            "paid with 4111111111111111, thanks",
            "4111 1111 1111 1111",
            "card 5555-5555-5555-4444 ok",
        ],
    ),
];

const JSON: &[&str] = &[
    r#"{"order_id":"ord_000000018273645","items":[{"sku":"A-1","quantity":2,"price":19.9}],"shipping":{"country":"DE","method":"standard"},"card":{"scheme":"visa","bin":"411111"}}"#,
    r#"{"id":"3f2504e0-4f89-41d3-9a0c-0305e82c3301","created_at":1795356180123,"payment_method":"card","amount":149.9,"currency":"EUR"}"#,
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rounds: usize = std::env::args()
        .nth(1)
        .map_or(Ok(1_000_000), |text| text.parse())?;
    for (name, texts) in TEXTS {
        measure(name, rounds, texts, |text| guard::mask(text).len());
    }
    measure("JSON object", rounds / 4, JSON, |text| {
        guard::mask_json(text).len()
    });
    Ok(())
}

/// The best of many short runs, as other work on the machine only ever slows a run down.
fn measure(name: &str, rounds: usize, texts: &[&str], run: impl Fn(&str) -> usize) {
    const RUN: usize = 1_200;
    let mut best = f64::MAX;
    for _ in 0..(rounds / RUN).max(1) {
        let started = Instant::now();
        let mut bytes = 0;
        for text in texts.iter().cycle().take(RUN) {
            bytes += run(black_box(text));
        }
        black_box(bytes);
        best = best.min(started.elapsed().as_secs_f64());
    }
    println!("{name:>22}: {:6.1} ns", best * 1e9 / RUN as f64);
}
