//! Payment events to measure with: the same for every run.

use std::fmt::Write;

use bytes::{Bytes, BytesMut};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Events of one request.
pub const EVENTS_A_BODY: usize = 5_000;
/// Of a hundred events, so many are sent twice.
const TWICE_PERCENT: u32 = 2;
const PSPS: [&str; 4] = ["adyen", "stripe", "checkout", "worldpay"];
const METHODS: [(&str, u32); 4] = [
    ("card", 70),
    ("wallet", 90),
    ("bank_transfer", 97),
    ("bnpl", 100),
];
const COUNTRIES: [(&str, &str); 6] = [
    ("DE", "EUR"),
    ("FR", "EUR"),
    ("GB", "GBP"),
    ("US", "USD"),
    ("JP", "JPY"),
    ("PL", "PLN"),
];
/// 2026-11-01T00:00:00Z in milliseconds.
const START_MS: u64 = 1_793_491_200_000;

/// Bodies of NDJSON.
pub struct Workload {
    bodies: Vec<Bytes>,
    events: u64,
    sent: u64,
    bytes: u64,
}

impl Workload {
    /// Events over one day, some out of order, some twice.
    #[must_use]
    pub fn new(events: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut bodies = Vec::new();
        let mut body = String::new();
        let (mut lines, mut sent, mut bytes) = (0, 0, 0);
        for number in 0..events {
            let begin = body.len();
            event(
                &mut body,
                &mut random,
                number,
                number * 86_400_000 / events.max(1),
            );
            let line = body.get(begin..).unwrap_or_default().to_owned();
            lines += 1;
            sent += 1;
            bytes += line.len() as u64;
            if random.random_range(0..100) < TWICE_PERCENT {
                body.push_str(&line);
                sent += 1;
            }
            if lines == EVENTS_A_BODY || number + 1 == events {
                bodies.push(Bytes::from(std::mem::take(&mut body)));
                lines = 0;
            }
        }
        Self {
            bodies,
            events,
            sent,
            bytes,
        }
    }

    /// The requests' bodies.
    #[must_use]
    pub fn bodies(&self) -> &[Bytes] {
        &self.bodies
    }

    /// A body with other ids, the same for the same `lap`, so that its events are new to who has had the body itself.
    #[must_use]
    pub fn again(body: &Bytes, lap: usize) -> Bytes {
        // Every line begins with its id; the underscore and two of its twelve digits, zeros, give way.
        const ID: &[u8] = b"{\"event_id\":\"evt";
        let mark = format!("l{:02x}", lap % 256);
        let mut new = BytesMut::from(body.as_ref());
        let mut start = 0;
        for line in body.split_inclusive(|byte| *byte == b'\n') {
            let place = start + ID.len()..start + ID.len() + mark.len();
            if let (true, Some(place)) = (line.starts_with(ID), new.get_mut(place)) {
                place.copy_from_slice(mark.as_bytes());
            }
            start += line.len();
        }
        new.freeze()
    }

    /// Different events.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Events with those sent twice.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Bytes of the different events.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

fn event(out: &mut String, random: &mut ChaCha8Rng, number: u64, at_ms: u64) {
    let pick = random.random_range(0..100);
    let (method, _) = METHODS
        .iter()
        .find(|(_, upto)| pick < *upto)
        .copied()
        .unwrap_or(("card", 0));
    let psp = PSPS
        .get(random.random_range(0..PSPS.len()))
        .copied()
        .unwrap_or_default();
    let place = COUNTRIES
        .get(random.random_range(0..COUNTRIES.len()))
        .copied();
    let (country, currency) = place.unwrap_or_default();
    let approved = random.random_range(0..100) < 87;
    let seconds = START_MS / 1_000 + at_ms / 1_000;
    // Some events are up to a minute late.
    let seconds = seconds
        - if random.random_range(0..100) < 5 {
            random.random_range(0..60)
        } else {
            0
        };
    let status = if approved {
        "\"status\":\"approved\",\"payment_status\":\"succeeded\"".to_owned()
    } else {
        "\"status\":\"declined\",\"decline_code\":\"insufficient_funds\",\"decline_kind\":\"soft\""
            .to_owned()
    };
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{{\"event_id\":\"evt_{number:012x}\",\"occurred_at\":{seconds}{:03},\"payment_id\":\"pay_{number:010x}\",\"customer_id\":\"cus_{:06}\",\"channel\":\"web\",\"initiator\":\"customer\",\"attempt\":1,\"amount\":\"{}.{:02}\",\"currency\":\"{currency}\",\"psp\":\"{psp}\",\"method\":\"{method}\",\"issuer\":\"bank_{:02}\",\"issuer_country\":\"{country}\",\"country\":\"{country}\",{status},\"latency_ms\":{}}}",
        at_ms % 1_000,
        random.random_range(0..200_000),
        random.random_range(1..400),
        random.random_range(0..100),
        random.random_range(0..20),
        random.random_range(80..2_500),
    );
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Workload;

    #[test]
    fn another_lap_has_other_ids_and_nothing_else_changes() {
        let workload = Workload::new(2_000);
        let ids = |body: &str| -> HashSet<String> {
            let values = body.lines().map(serde_json::from_str::<serde_json::Value>);
            let ids = values.map(|value| value.unwrap()["event_id"].as_str().unwrap().to_owned());
            ids.collect()
        };
        let body = &workload.bodies()[0];
        let text = |lap| String::from_utf8(Workload::again(body, lap).to_vec()).unwrap();
        let (first, second) = (text(0), text(255));
        assert_eq!(ids(&first).len(), 2_000);
        assert!(ids(&first).is_disjoint(&ids(&second)));
        assert_eq!(text(0), first);
        let without = |text: &str, mark: &str| text.replace(&format!("evt{mark}"), "evt_00");
        assert_eq!(without(&first, "l00").as_bytes(), body.as_ref());
        assert_eq!(without(&second, "lff").as_bytes(), body.as_ref());
    }
}
