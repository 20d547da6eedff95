//! A recount of NDJSON events that shares nothing with the product: one event after another, a map, and 128-bit
//! integers for money. Slow, obvious and exact, to compare served figures with.
//!
//! ```
//! use tillwatch_testkit::oracle::{Decimal, Recount};
//!
//! let mut recount = Recount::new("at", 60_000_000).by(&["psp"]).id("id").sum("amount");
//! recount.add(br#"{"id":"a","at":"2026-11-02T12:00:01Z","psp":"x","amount":"0.10"}"#).unwrap();
//! recount.add(br#"{"id":"b","at":"2026-11-02T12:00:02Z","psp":"x","amount":0.20}"#).unwrap();
//! recount.add(br#"{"id":"b","at":"2026-11-02T12:00:02Z","psp":"x","amount":0.20}"#).unwrap();
//! let totals = recount.total();
//! assert_eq!((totals.events, recount.duplicates()), (2, 1));
//! assert_eq!(totals.sums["amount"], "0.3".parse::<Decimal>().unwrap());
//! ```

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::str::FromStr;

use serde_json::Value;

/// Digits after the point that every oracle decimal carries. More is an error, never a rounding.
const SCALE: usize = 12;
const ONE: i128 = 1_000_000_000_000;

/// An exact decimal with twelve digits after the point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i128);

/// Why an event cannot be recounted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OracleError {
    /// The line is not a JSON object.
    #[error("not a JSON object: {0}")]
    Json(String),
    /// A field that is needed is absent or of the wrong type.
    #[error("field '{0}' is absent or of the wrong type")]
    Field(String),
    /// A text is not a decimal of at most twelve places, or too large.
    #[error("'{0}' is not a decimal of at most {SCALE} places")]
    Decimal(String),
}

impl FromStr for Decimal {
    type Err = OracleError;

    fn from_str(text: &str) -> Result<Self, OracleError> {
        let fault = || OracleError::Decimal(text.to_owned());
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |d| (true, d));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let numeric = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !numeric(whole) || !numeric(part) || part.len() > SCALE {
            return Err(fault());
        }
        let whole: i128 = whole.parse().map_err(|_| fault())?;
        let part: i128 = format!("{part:0<SCALE$}").parse().map_err(|_| fault())?;
        let sum = whole
            .checked_mul(ONE)
            .and_then(|w| w.checked_add(part))
            .ok_or_else(fault)?;
        Ok(Self(if negative { -sum } else { sum }))
    }
}

impl fmt::Display for Decimal {
    /// As short as it can be: no zeros at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (
            self.0.unsigned_abs() / ONE.unsigned_abs(),
            self.0.unsigned_abs() % ONE.unsigned_abs(),
        );
        let part = format!("{part:012}");
        let part = part.trim_end_matches('0');
        let point = if part.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{part}")
    }
}

impl std::ops::AddAssign for Decimal {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Decimal {
    /// Reads a JSON text or number. A number passes through a double in its shortest form, so `0.1` stays a tenth, and
    /// up to 15 significant digits are exact; for more, write a text.
    ///
    /// # Errors
    /// When it is neither, or has too many places.
    pub fn from_json(value: &Value) -> Result<Self, OracleError> {
        match value {
            Value::String(text) => text.parse(),
            Value::Number(number) => number.to_string().parse(),
            other => Err(OracleError::Decimal(other.to_string())),
        }
    }

    /// Converts at a rate of so many units for one of the base: divides, rounding half away from zero to `places`.
    /// None for a rate of zero or an amount too large.
    #[must_use]
    pub fn divide(self, rate: Self, places: u32) -> Option<Self> {
        let step = 10_i128.checked_pow(u32::try_from(SCALE).ok()?.checked_sub(places)?)?;
        if rate.0 == 0 {
            return None;
        }
        // value / rate in units of `step`: value * ONE / (rate * step)
        let top = self.0.checked_mul(ONE)?;
        let bottom = rate.0.checked_mul(step)?;
        let half = bottom.abs() / 2;
        let rounded = (top.abs() + half) / bottom.abs();
        let sign = if (top < 0) == (bottom < 0) { 1 } else { -1 };
        rounded.checked_mul(step).map(|r| Self(sign * r))
    }
}

/// What one slice of one bucket comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// All events, each id once.
    pub events: u64,
    /// Of these, how many have each counted value: `("status", "approved")`.
    pub counts: BTreeMap<(String, String), u64>,
    /// Exact sums of decimal fields, over the events that have them.
    pub sums: BTreeMap<String, Decimal>,
}

impl Totals {
    /// How many events have this value in a counted field.
    #[must_use]
    pub fn count(&self, field: &str, value: &str) -> u64 {
        self.counts
            .get(&(field.to_owned(), value.to_owned()))
            .copied()
            .unwrap_or(0)
    }

    /// Events with this value ÷ all events, as the pair of both: rates are compared by cross-multiplication.
    #[must_use]
    pub fn rate(&self, field: &str, value: &str) -> (u64, u64) {
        (self.count(field, value), self.events)
    }

    fn merge(&mut self, other: &Self) {
        self.events += other.events;
        for (key, count) in &other.counts {
            *self.counts.entry(key.clone()).or_default() += count;
        }
        for (field, sum) in &other.sums {
            *self.sums.entry(field.clone()).or_default() += *sum;
        }
    }
}

/// The bucket's start in microseconds since 1970, and the values of the slice.
pub type SliceKey = (i64, Vec<String>);

/// A recount under way.
#[derive(Debug, Clone)]
pub struct Recount {
    time: String,
    bucket_us: i64,
    by: Vec<String>,
    id: Option<String>,
    counted: Vec<String>,
    summed: Vec<String>,
    seen: HashSet<String>,
    duplicates: u64,
    slices: BTreeMap<SliceKey, Totals>,
}

impl Recount {
    /// Counts events per bucket of the RFC 3339 field `time`.
    #[must_use]
    pub fn new(time: &str, bucket_us: i64) -> Self {
        Self {
            time: time.to_owned(),
            bucket_us: bucket_us.max(1),
            by: Vec::new(),
            id: None,
            counted: Vec::new(),
            summed: Vec::new(),
            seen: HashSet::new(),
            duplicates: 0,
            slices: BTreeMap::new(),
        }
    }

    /// Splits by these text fields; an absent one is the empty text.
    #[must_use]
    pub fn by(mut self, fields: &[&str]) -> Self {
        self.by = fields.iter().map(|&f| f.to_owned()).collect();
        self
    }

    /// Takes each value of this field once.
    #[must_use]
    pub fn id(mut self, field: &str) -> Self {
        self.id = Some(field.to_owned());
        self
    }

    /// Counts each value of this field.
    #[must_use]
    pub fn count(mut self, field: &str) -> Self {
        self.counted.push(field.to_owned());
        self
    }

    /// Sums this decimal field. Split by the currency, or every amount must have the same.
    #[must_use]
    pub fn sum(mut self, field: &str) -> Self {
        self.summed.push(field.to_owned());
        self
    }

    /// Adds one event.
    ///
    /// # Errors
    /// When the line is no JSON object or a field is not what it should be; the recount is as before.
    pub fn add(&mut self, line: &[u8]) -> Result<(), OracleError> {
        let event: Value =
            serde_json::from_slice(line).map_err(|e| OracleError::Json(e.to_string()))?;
        let Value::Object(event) = event else {
            return Err(OracleError::Json(event.to_string()));
        };
        let missing = |field: &str| OracleError::Field(field.to_owned());
        let at = event
            .get(&self.time)
            .and_then(Value::as_str)
            .ok_or_else(|| missing(&self.time))?;
        let at: jiff::Timestamp = at.parse().map_err(|_| missing(&self.time))?;
        let mut sums = Vec::new();
        for field in &self.summed {
            match event.get(field) {
                None | Some(Value::Null) => {}
                Some(value) => sums.push((field.clone(), Decimal::from_json(value)?)),
            }
        }
        if let Some(id) = &self.id {
            let id = event.get(id).map(text).ok_or_else(|| missing(id))?;
            if !self.seen.insert(id) {
                self.duplicates += 1;
                return Ok(());
            }
        }
        let slice = self
            .by
            .iter()
            .map(|f| event.get(f).map(text).unwrap_or_default())
            .collect();
        let bucket_us = at.as_microsecond().div_euclid(self.bucket_us) * self.bucket_us;
        let totals = self.slices.entry((bucket_us, slice)).or_default();
        totals.events += 1;
        for field in &self.counted {
            if let Some(value) = event.get(field).filter(|v| !v.is_null()) {
                *totals
                    .counts
                    .entry((field.clone(), text(value)))
                    .or_default() += 1;
            }
        }
        for (field, sum) in sums {
            *totals.sums.entry(field).or_default() += sum;
        }
        Ok(())
    }

    /// Adds every line of a body that is not empty.
    ///
    /// # Errors
    /// At the first line that cannot be added.
    pub fn add_ndjson(&mut self, body: &[u8]) -> Result<(), OracleError> {
        body.split(|b| *b == b'\n')
            .filter(|l| !l.is_empty())
            .try_for_each(|l| self.add(l))
    }

    /// Events left out because their id had been seen.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Every slice of every bucket.
    #[must_use]
    pub fn slices(&self) -> &BTreeMap<SliceKey, Totals> {
        &self.slices
    }

    /// Everything together.
    #[must_use]
    pub fn total(&self) -> Totals {
        self.total_where(|_, _| true)
    }

    /// Everything together of the slices that `keep` wants, given bucket start and values.
    #[must_use]
    pub fn total_where(&self, keep: impl Fn(i64, &[String]) -> bool) -> Totals {
        let mut all = Totals::default();
        self.slices
            .iter()
            .filter(|((at, slice), _)| keep(*at, slice))
            .for_each(|(_, t)| all.merge(t));
        all
    }
}

/// A value as the text it is split and counted by.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
