//! Incidents on order: a scenario is a list of what goes wrong, when and for how long.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Stream;
use super::config::SimulateError;
use super::world::{COUNTRIES, ISSUERS, LENDERS, PSPS, products};

/// Most incidents a scenario may have.
pub const INCIDENTS_MAX: usize = 64;

/// A scenario file.
///
/// ```
/// use tillwatch_testkit::simulate::Scenario;
///
/// let scenario = Scenario::from_yaml("
/// incidents:
///   - start: +30s
///     duration: 10m
///     kind: {issuer_decline: {psp: adyen, issuer: bank_17, approval: 0.05}}
///   - start: 2026-11-27T00:05:00Z
///     duration: 1h
///     kind: {price_error: {product: sku-3004, factor: 0.01}}
/// ").unwrap();
/// assert_eq!(scenario.incidents.len(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What goes wrong.
    pub incidents: Vec<ScenarioIncident>,
}

/// One incident of a scenario file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioIncident {
    /// When it starts: an RFC 3339 time, or `+30s`, `+5m`, `+2h`, `+1d` after the simulation's origin.
    pub start: String,
    /// How long it lasts: `90s`, `10m`, `2h`, `1d`.
    pub duration: String,
    /// What goes wrong.
    pub kind: IncidentKind,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum IncidentKind {
    /// One bank approves only this share of the attempts that reach it through one PSP.
    IssuerDecline {
        /// The PSP.
        psp: String,
        /// The bank or lender.
        issuer: String,
        /// Share approved, 0 to 1.
        approval: f64,
    },
    /// Attempts at a PSP end in technical errors.
    PspOutage {
        /// The PSP.
        psp: String,
        /// Share of attempts hit, 0 to 1; all of them by default.
        #[serde(default = "everything")]
        share: f64,
    },
    /// A PSP answers slowly.
    Latency {
        /// The PSP.
        psp: String,
        /// How many times slower, 0.1 to 100.
        factor: f64,
    },
    /// Events of a PSP, of a stream, or of a PSP in one stream are never sent.
    Silence {
        /// The PSP; any when absent.
        #[serde(default)]
        psp: Option<String>,
        /// The stream; any when absent.
        #[serde(default)]
        stream: Option<String>,
    },
    /// Stolen cards are tried out with tiny amounts.
    CardTesting {
        /// Where the attempts come from.
        country: String,
        /// The bank whose cards are tried; all banks of the country when absent.
        #[serde(default)]
        issuer: Option<String>,
        /// Attempts a minute, 1 to 100 000.
        per_minute: u32,
    },
    /// A product is sold at a wrong price.
    PriceError {
        /// The product, such as `sku-3004`.
        product: String,
        /// Wrong price ÷ right price, 0.0001 to 10 000.
        factor: f64,
    },
}

fn everything() -> f64 {
    1.0
}

/// An incident with its place in time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// First microsecond since 1970 it holds.
    pub from_us: i64,
    /// First microsecond it no longer holds.
    pub to_us: i64,
    /// What goes wrong.
    pub kind: IncidentKind,
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// [`SimulateError::Scenario`] with line and column when the text is not a scenario.
    pub fn from_yaml(text: &str) -> Result<Self, SimulateError> {
        serde_saphyr::from_str(text).map_err(|e| SimulateError::Scenario(e.to_string()))
    }

    /// Gives each incident its place in time; relative starts count from `origin_us`. To repeat a simulation, repeat its origin.
    ///
    /// # Errors
    /// When a time, name or number makes no sense; the error says which incident.
    pub fn resolve(&self, origin_us: i64) -> Result<Vec<Incident>, SimulateError> {
        if self.incidents.len() > INCIDENTS_MAX {
            return Err(SimulateError::Scenario(format!(
                "at most {INCIDENTS_MAX} incidents"
            )));
        }
        (1..)
            .zip(&self.incidents)
            .map(|(incident, i)| {
                let fault = |text: &str, what| SimulateError::Time {
                    incident,
                    text: text.to_owned(),
                    what,
                };
                let from_us = match i.start.strip_prefix('+') {
                    Some(after) => duration_us(after).and_then(|d| origin_us.checked_add(d)),
                    None => i
                        .start
                        .parse::<jiff::Timestamp>()
                        .ok()
                        .map(jiff::Timestamp::as_microsecond),
                }
                .ok_or_else(|| fault(&i.start, "an RFC 3339 time or a distance such as +30s"))?;
                let to_us = duration_us(&i.duration)
                    .and_then(|d| from_us.checked_add(d))
                    .ok_or_else(|| fault(&i.duration, "a duration such as 10m"))?;
                check(incident, &i.kind)?;
                Ok(Incident {
                    from_us,
                    to_us,
                    kind: i.kind.clone(),
                })
            })
            .collect()
    }
}

/// Reads `90s`, `10m`, `2h`, `1d` as microseconds.
fn duration_us(text: &str) -> Option<i64> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(at)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(seconds * 1_000_000)
}

/// Whether everything an incident names exists and every number is in range.
pub(crate) fn check(incident: usize, kind: &IncidentKind) -> Result<(), SimulateError> {
    let known = |what, name: &str, names: Vec<String>| {
        if names.iter().any(|n| n == name) {
            return Ok(());
        }
        Err(SimulateError::Unknown {
            incident,
            what,
            name: name.to_owned(),
            known: names.join(", "),
        })
    };
    let psp = |name: &str| {
        known(
            "PSP",
            name,
            PSPS.iter().map(|p| p.name.to_owned()).collect(),
        )
    };
    let issuer = |name: &str| {
        known(
            "issuer",
            name,
            ISSUERS
                .iter()
                .chain(&LENDERS)
                .map(|i| i.name.to_owned())
                .collect(),
        )
    };
    let number = |name, value: f64, low: f64, high: f64, range| {
        if (low..=high).contains(&value) {
            return Ok(());
        }
        Err(SimulateError::Number {
            incident,
            name,
            range,
            value,
        })
    };
    match kind {
        IncidentKind::IssuerDecline {
            psp: p,
            issuer: i,
            approval,
        } => {
            psp(p)?;
            issuer(i)?;
            number("approval", *approval, 0.0, 1.0, "0 to 1")
        }
        IncidentKind::PspOutage { psp: p, share } => {
            psp(p)?;
            number("share", *share, 0.0, 1.0, "0 to 1")
        }
        IncidentKind::Latency { psp: p, factor } => {
            psp(p)?;
            number("factor", *factor, 0.1, 100.0, "0.1 to 100")
        }
        IncidentKind::Silence { psp: p, stream } => {
            if let Some(p) = p {
                psp(p)?;
            }
            match stream {
                Some(s) => known(
                    "stream",
                    s,
                    Stream::ALL.iter().map(|s| s.name().to_owned()).collect(),
                ),
                None if p.is_none() => Err(SimulateError::Scenario(format!(
                    "incident {incident}: silence needs a psp, a stream or both"
                ))),
                None => Ok(()),
            }
        }
        IncidentKind::CardTesting {
            country,
            issuer: i,
            per_minute,
        } => {
            known(
                "country",
                country,
                COUNTRIES.iter().map(|c| c.code.to_owned()).collect(),
            )?;
            if let Some(i) = i {
                known(
                    "issuer",
                    i,
                    ISSUERS.iter().map(|i| i.name.to_owned()).collect(),
                )?;
            }
            number(
                "per_minute",
                f64::from(*per_minute),
                1.0,
                100_000.0,
                "1 to 100 000",
            )
        }
        IncidentKind::PriceError { product, factor } => {
            known(
                "product",
                product,
                products()
                    .iter()
                    .map(|p| format!("sku-{}", p.number))
                    .collect(),
            )?;
            number("factor", *factor, 0.0001, 10_000.0, "0.0001 to 10 000")
        }
    }
}

/// The incidents of one simulation, asked by the traffic as it is made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Incidents(pub(crate) Vec<Incident>);

impl Incidents {
    fn at(&self, at_us: i64) -> impl Iterator<Item = &IncidentKind> {
        self.0
            .iter()
            .filter(move |i| i.from_us <= at_us && at_us < i.to_us)
            .map(|i| &i.kind)
    }

    /// The share this bank approves through this PSP, where an incident rules it.
    pub(crate) fn approval(&self, at_us: i64, psp_name: &str, issuer_name: &str) -> Option<f64> {
        self.at(at_us).find_map(|kind| match kind {
            IncidentKind::IssuerDecline {
                psp,
                issuer,
                approval,
            } if psp == psp_name && issuer == issuer_name => Some(*approval),
            _ => None,
        })
    }

    /// The share of attempts at this PSP that an outage hits.
    pub(crate) fn outage(&self, at_us: i64, psp_name: &str) -> Option<f64> {
        self.at(at_us).find_map(|kind| match kind {
            IncidentKind::PspOutage { psp, share } if psp == psp_name => Some(*share),
            _ => None,
        })
    }

    /// How many times slower this PSP answers.
    pub(crate) fn slowness(&self, at_us: i64, psp_name: &str) -> f64 {
        self.at(at_us).fold(1.0, |all, kind| match kind {
            IncidentKind::Latency { psp, factor } if psp == psp_name => all * factor,
            _ => all,
        })
    }

    /// Whether an event of this stream and PSP is never sent.
    pub(crate) fn silent(&self, at_us: i64, in_stream: Stream, of_psp: Option<&str>) -> bool {
        self.at(at_us).any(|kind| match kind {
            IncidentKind::Silence { psp, stream } => {
                psp.as_deref().is_none_or(|p| Some(p) == of_psp)
                    && stream.as_deref().is_none_or(|s| s == in_stream.name())
            }
            _ => false,
        })
    }

    /// By how much the price of this product is wrong.
    pub(crate) fn price_factor(&self, at_us: i64, product_number: u32) -> Option<f64> {
        self.at(at_us).find_map(|kind| match kind {
            IncidentKind::PriceError { product, factor }
                if product.strip_prefix("sku-").and_then(|n| n.parse().ok())
                    == Some(product_number) =>
            {
                Some(*factor)
            }
            _ => None,
        })
    }
}
