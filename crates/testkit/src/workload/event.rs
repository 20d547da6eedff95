//! What an event says. All of it follows from the seed and the event's number.

use super::arrival::Arrival;
use super::{CUSTOMERS, FAILING_MERCHANT, FAILURE_DECLINED, MERCHANTS};
use crate::simulate::line::Line;
use crate::simulate::random::{mix, unit};
use crate::simulate::world::Currency;

/// Exponent of Zipf's law for the sizes of merchants.
const ZIPF_EXPONENT: f64 = 1.0;
/// The table that says where a search among merchants may begin has so many places.
const GUIDE_PLACES: usize = 4_096;
/// Countries, each with its currency. All of them have cents, so that one type of column is exact for all.
const COUNTRIES: [(&str, &str, f64); 8] = [
    ("DE", "EUR", 0.25),
    ("FR", "EUR", 0.43),
    ("NL", "EUR", 0.53),
    ("US", "USD", 0.73),
    ("GB", "GBP", 0.85),
    ("PL", "PLN", 0.91),
    ("SE", "SEK", 0.96),
    ("CH", "CHF", 1.0),
];
const METHODS: [(&str, f64); 5] = [
    ("card", 0.62),
    ("wallet", 0.83),
    ("bank_transfer", 0.92),
    ("bnpl", 0.98),
    ("voucher", 1.0),
];
const PSPS: [(&str, f64); 4] = [
    ("adyen", 0.4),
    ("stripe", 0.7),
    ("checkout", 0.9),
    ("worldpay", 1.0),
];
const CODES: [(&str, f64); 5] = [
    ("insufficient_funds", 0.45),
    ("do_not_honor", 0.75),
    ("expired_card", 0.85),
    ("suspected_fraud", 0.95),
    ("invalid_account", 1.0),
];
const ISSUERS: u64 = 40;
const DECLINED_SHARE: f64 = 0.11;
const ERROR_SHARE: f64 = 0.02;
/// A customer pays at home, or in another country.
const AT_HOME_SHARE: f64 = 0.92;
const AMOUNT_MEDIAN_CENTS: f64 = 4_200.0;
const AMOUNT_SIGMA: f64 = 1.1;
const AMOUNT_CENTS_MAX: f64 = 5_000_000.0;
const LATENCY_MEDIAN_MS: f64 = 340.0;
const LATENCY_SIGMA: f64 = 0.7;
const LATENCY_MS_MAX: f64 = 60_000.0;

/// The maker of events.
#[derive(Debug)]
pub(super) struct Events {
    key: u64,
    /// Merchants by size: the share of all payments up to each, itself included.
    upto: Vec<f64>,
    /// For each part of [0, 1), the first merchant it reaches.
    guide: Vec<usize>,
}

impl Events {
    pub(super) fn new(seed: u64) -> Self {
        let weight = |rank: u64| 1.0 / libm::pow(whole(rank), ZIPF_EXPONENT);
        let total: f64 = (1..=MERCHANTS).map(weight).sum();
        let mut sum = 0.0;
        let upto: Vec<f64> = (1..=MERCHANTS)
            .map(|rank| {
                sum += weight(rank) / total;
                sum
            })
            .collect();
        let guide = (0..GUIDE_PLACES as u64)
            .map(|place| {
                let from = whole(place) / whole(GUIDE_PLACES as u64);
                upto.partition_point(|share| *share <= from)
            })
            .collect();
        Self {
            key: mix(seed ^ 0x6576_656e_7473),
            upto,
            guide,
        }
    }

    /// Appends the line of an event.
    pub(super) fn write(&self, arrival: &Arrival, buffer: &mut Vec<u8>) {
        let mut dice = Dice(mix(self.key ^ arrival.number));
        let rank = self.merchant(dice.unit());
        // A merchant stays where it is, and so sells in one currency.
        let (home, currency, _) = pick_country(unit(mix(rank.wrapping_mul(0x9e37_79b9))));
        let country = if dice.unit() < AT_HOME_SHARE {
            home
        } else {
            pick_country(dice.unit()).0
        };
        let fails = arrival.failing && rank == FAILING_MERCHANT;
        let declined = if fails {
            FAILURE_DECLINED
        } else {
            DECLINED_SHARE
        };
        let ending = dice.unit();
        let (status, code) = if ending < declined {
            ("declined", Some(pick(&CODES, dice.unit())))
        } else if ending < declined + ERROR_SHARE {
            ("error", None)
        } else {
            ("approved", None)
        };
        let (first, second) = dice.normals();
        let cents = log_normal(first, AMOUNT_MEDIAN_CENTS, AMOUNT_SIGMA, AMOUNT_CENTS_MAX);
        let latency_ms = log_normal(second, LATENCY_MEDIAN_MS, LATENCY_SIGMA, LATENCY_MS_MAX);

        let mut line = Line::begin(buffer);
        // No two events share an id, because mixing is one to one.
        let id = mix(arrival.number.wrapping_add(self.key));
        line.split_id("event_id", "evt_", id);
        line.time("occurred_at", arrival.occurred_us);
        line.split_id("payment_id", "pay_", mix(id));
        line.padded("merchant_id", "m", rank, 5);
        line.padded("customer_id", "c", dice.below(CUSTOMERS), 7);
        let cents_of = Currency {
            code: currency,
            exponent: 2,
            per_euro: 1.0,
        };
        line.money("amount", cents, &cents_of);
        line.text("currency", currency);
        line.text("method", pick(&METHODS, dice.unit()));
        line.text("status", status);
        line.text_if("decline_code", code);
        line.text("psp", pick(&PSPS, dice.unit()));
        line.padded("issuer", "bank_", 1 + dice.below(ISSUERS), 2);
        line.text("country", country);
        line.int("latency_ms", latency_ms);
        line.end();
    }

    /// The rank of the merchant at this point of [0, 1).
    fn merchant(&self, at: f64) -> u64 {
        let place = index(at, GUIDE_PLACES);
        let mut rank = self.guide.get(place).copied().unwrap_or(0);
        while self.upto.get(rank).is_some_and(|share| *share <= at) {
            rank += 1;
        }
        (rank as u64 + 1).min(MERCHANTS)
    }
}

/// Random numbers of one event: a counter, mixed, which costs a fraction of what a cipher does.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    fn unit(&mut self) -> f64 {
        unit(self.bits())
    }

    fn below(&mut self, limit: u64) -> u64 {
        u64::try_from((u128::from(self.bits()) * u128::from(limit)) >> 64).unwrap_or(0)
    }

    /// Two independent standard normals, by Box and Muller.
    fn normals(&mut self) -> (f64, f64) {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        let (sine, cosine) = libm::sincos(core::f64::consts::TAU * self.unit());
        (radius * cosine, radius * sine)
    }
}

fn pick<const N: usize>(table: &[(&'static str, f64); N], at: f64) -> &'static str {
    table
        .iter()
        .find(|(_, upto)| at < *upto)
        .or(table.last())
        .map_or("", |(name, _)| name)
}

fn pick_country(at: f64) -> (&'static str, &'static str, f64) {
    COUNTRIES
        .iter()
        .find(|(_, _, upto)| at < *upto)
        .or(COUNTRIES.last())
        .copied()
        .unwrap_or(("DE", "EUR", 1.0))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the value is capped far below 2^52"
)]
fn log_normal(normal: f64, median: f64, sigma: f64, most: f64) -> i64 {
    ((median * libm::exp(sigma * normal)).min(most) as i64).max(1)
}

#[expect(clippy::cast_precision_loss, reason = "counts of thousands")]
fn whole(number: u64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a point of [0, 1) times a few thousand places"
)]
fn index(at: f64, places: usize) -> usize {
    (at * places as f64) as usize
}
