//! Decode speed: events per second of CPU time, beside sonic-rs going over the same objects.
//!
//! `cargo run --release -p tillwatch-collect --example decode_speed [events]`
//!
//! The body is NDJSON of payment events of about 300 bytes with 12 declared fields. `sonic-rs` here
//! only iterates over the members of each object and keeps nothing: it is the floor below which a
//! decoder on top of it could not get. Measured figures stand in `DECODING.md`.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tillwatch_collect::{CsvOptions, DecodeLimits, Decoder, Format};
use tillwatch_event::{Field, FieldType, StreamSchema};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let events = std::env::args()
        .nth(1)
        .map_or(Ok(100_000), |text| text.parse())?;
    let body = body(events)?;
    let bytes = body.len() / events;
    println!("{events} events of {bytes} bytes");
    let decoder = Decoder::new(Arc::new(schema()), DecodeLimits::default())?;
    measure("decode NDJSON", events, body.len(), || {
        let decoded = decoder.decode(&Format::Ndjson, body.as_bytes())?;
        check(decoded.batch.num_rows(), events)
    })?;
    let array = format!("[{}]", body.trim_end().replace('\n', ","));
    measure("decode array", events, array.len(), || {
        let decoded = decoder.decode(&Format::Json, array.as_bytes())?;
        check(decoded.batch.num_rows(), events)
    })?;
    let csv = csv(events)?;
    measure("decode CSV", events, csv.len(), || {
        let decoded = decoder.decode(&Format::Csv(CsvOptions::default()), csv.as_bytes())?;
        check(decoded.batch.num_rows(), events)
    })?;
    measure("sonic-rs, members only", events, body.len(), || {
        let mut members = 0_usize;
        for line in body.lines() {
            for member in sonic_rs::to_object_iter(line) {
                let (key, value) = member?;
                members += usize::from(!key.is_empty() && !value.as_raw_str().is_empty());
            }
        }
        check(members, events * 13)
    })
}

fn check(got: usize, expected: usize) -> Outcome {
    if got == expected {
        Ok(())
    } else {
        Err(format!("{got} instead of {expected}").into())
    }
}

/// The best of nine runs, on one thread: the least disturbed by others on the machine.
fn measure(what: &str, events: usize, bytes: usize, mut run: impl FnMut() -> Outcome) -> Outcome {
    let started = Instant::now();
    let mut best = f64::MAX;
    for _ in 0..9 {
        let before = cpu_seconds(started);
        run()?;
        best = best.min(cpu_seconds(started) - before);
    }
    let (rate, volume) = (events as f64 / best / 1e6, bytes as f64 / best / 1e6);
    println!("{what:24} {rate:6.2} M events/CPU s  {volume:7.0} MB/CPU s");
    Ok(())
}

/// Seconds this thread has had a processor, as Linux counts them; elsewhere the time that passed.
fn cpu_seconds(started: Instant) -> f64 {
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = counted.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanos.map_or_else(|| started.elapsed().as_secs_f64(), |nanos| nanos / 1e9)
}

fn schema() -> StreamSchema {
    let field = Field::new;
    StreamSchema {
        name: "payments".into(),
        id: Some("event_id".into()),
        time: "occurred_at".into(),
        dedup: Duration::from_secs(86_400),
        fields: vec![
            field("event_id", FieldType::String, false),
            field("occurred_at", FieldType::Timestamp, false),
            field("payment_id", FieldType::String, false),
            field("status", FieldType::String, false),
            field(
                "amount",
                FieldType::Decimal {
                    precision: 18,
                    scale: 2,
                },
                false,
            ),
            field("currency", FieldType::Currency, false),
            field("psp", FieldType::String, false),
            field("method", FieldType::String, false),
            field("issuer", FieldType::String, false),
            field("country", FieldType::String, false),
            field("decline_code", FieldType::String, true),
            field("latency_ms", FieldType::Int64, true),
        ],
    }
}

struct Values {
    n: usize,
    time: String,
    status: &'static str,
    decline: &'static str,
}

fn values(n: usize) -> Values {
    let (minute, second, milli) = (n / 60_000 % 60, n / 1000 % 60, n % 1000);
    let declined = n.is_multiple_of(8);
    Values {
        n,
        time: format!("2026-11-22T14:{minute:02}:{second:02}.{milli:03}Z"),
        status: if declined { "declined" } else { "approved" },
        decline: if declined { "insufficient_funds" } else { "" },
    }
}

fn body(events: usize) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    for n in 0..events {
        let Values {
            n,
            time,
            status,
            decline,
        } = values(n);
        let decline = if decline.is_empty() {
            "null".to_owned()
        } else {
            format!("\"{decline}\"")
        };
        writeln!(
            out,
            r#"{{"event_id":"evt_{n:016x}","occurred_at":"{time}","payment_id":"pay_{:016x}","status":"{status}","amount":"{}.{:02}","currency":"EUR","psp":"adyen","method":"card","issuer":"bank_{}","country":"DE","decline_code":{decline},"latency_ms":{},"customer_id":"cus_{:010}"}}"#,
            n * 7919,
            n % 997,
            n % 100,
            n % 40,
            80 + n % 900,
            n % 1_000_000,
        )?;
    }
    Ok(out)
}

fn csv(events: usize) -> Result<String, std::fmt::Error> {
    let mut out = String::from(
        "event_id,occurred_at,payment_id,status,amount,currency,psp,method,issuer,country,decline_code,latency_ms\n",
    );
    for n in 0..events {
        let Values {
            n,
            time,
            status,
            decline,
        } = values(n);
        writeln!(
            out,
            "evt_{n:016x},{time},pay_{:016x},{status},{}.{:02},EUR,adyen,card,bank_{},DE,{decline},{}",
            n * 7919,
            n % 997,
            n % 100,
            n % 40,
            80 + n % 900,
        )?;
    }
    Ok(out)
}
