//! The written forms of channels, routes and maintenance windows.

use std::fmt;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use super::super::scalar::DurationText;

/// A channel. Which keys it takes depends on its kind.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// `webhook`, `slack`, `email`, `pagerduty`, `alertmanager`, `feishu` or `dingtalk`.
    pub kind: String,
    /// Where to send, or `env:NAME`. A channel whose variable is unset is inactive. For `slack`, `feishu` and
    /// `dingtalk` always `env:NAME`, as it holds a token.
    #[serde(default)]
    pub url: Option<String>,
    /// The signing secret as `env:NAME`, for `webhook`, `feishu` and `dingtalk`.
    #[serde(default)]
    pub secret: Option<String>,
    /// The integration key of PagerDuty as `env:NAME`.
    #[serde(default)]
    pub routing_key: Option<String>,
    /// The mail server, or `env:NAME`.
    #[serde(default)]
    pub host: Option<String>,
    /// The mail server's port. Default 587, 465 with `tls: implicit`, 25 with `tls: none`.
    #[serde(default)]
    pub port: Option<u16>,
    /// `starttls`, `implicit` or, for a mail server on this machine only, `none`. Default `starttls`.
    #[serde(default)]
    pub tls: Option<String>,
    /// Who logs in at the mail server or Alertmanager, or `env:NAME`.
    #[serde(default)]
    pub user: Option<String>,
    /// The password as `env:NAME`.
    #[serde(default)]
    pub password: Option<String>,
    /// The sender's address, or `env:NAME`.
    #[serde(default)]
    pub from: Option<String>,
    /// The recipients' addresses, or `env:NAME`.
    #[serde(default)]
    pub to: Vec<String>,
    /// The language of what people read: `en` or `zh`. Default `en`.
    #[serde(default)]
    pub language: Option<String>,
    /// How long the first message waits for others that go out with it as one, up to 10m. Default 0s. For `slack`,
    /// `email`, `feishu` and `dingtalk`.
    #[serde(default)]
    pub group_wait: Option<DurationText>,
    /// After how long an incident that is open and that nobody has acknowledged is told again, 1m to 7d. Never when absent.
    #[serde(default)]
    pub repeat_every: Option<DurationText>,
    /// When it hears only of what is urgent.
    #[serde(default)]
    pub quiet_hours: Option<QuietHours>,
    /// What it says in other words than the standard ones. For every kind but `webhook`.
    #[serde(default)]
    pub message: Option<Message>,
    /// Whether private and loopback addresses may be called. Default false.
    #[serde(default)]
    pub allow_private: bool,
}

/// Templates in the language of Jinja; what is not set has the standard words.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// One line: a subject, a heading, a notification.
    #[serde(default)]
    pub title: Option<String>,
    /// What is told of one incident.
    #[serde(default)]
    pub text: Option<String>,
}

/// Hours in which incidents below a severity wait. What is still open at the end is told then.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// The days they begin on, `mon` to `sun`. Every day when absent.
    #[serde(default)]
    pub days: Vec<String>,
    /// Begin, `HH:MM`.
    pub from: String,
    /// End, `HH:MM`; not after `from` on the next day.
    pub to: String,
    /// The IANA zone of the clock. UTC when absent.
    #[serde(default)]
    pub zone: Option<String>,
    /// Incidents below this severity wait. Default `critical`.
    #[serde(default)]
    pub below: Option<String>,
}

/// Tells channels of the incidents it picks, besides those that monitors name under `notify`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Only incidents at least this urgent: `critical`, `warning` or `info`.
    #[serde(default)]
    pub severity: Option<String>,
    /// Only incidents of these monitors.
    #[serde(default)]
    pub monitors: Vec<String>,
    /// Only incidents of these metrics.
    #[serde(default)]
    pub metrics: Vec<String>,
    /// Only incidents of slices with these values, one or a list by dimension; `null` is the dimension without a value.
    #[serde(default, rename = "where")]
    pub filter: IndexMap<String, Values>,
    /// The channels that are told.
    pub channels: Vec<String>,
}

/// A clock, and days that are unlike the others.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// The IANA zone of the clock. UTC when absent.
    #[serde(default)]
    pub zone: Option<String>,
    /// `YYYY-MM-DD` and what that day is like: `mon` to `sun`, or `none`.
    #[serde(default)]
    pub days: IndexMap<String, String>,
}

/// A time in which no channel is told of the incidents it picks. What is still open at the end is told then.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// The days it begins on, `mon` to `sun`, for a window of every week. Every day when absent.
    #[serde(default)]
    pub days: Vec<String>,
    /// Begin: `HH:MM` for every week, `YYYY-MM-DD HH:MM` for once.
    pub from: String,
    /// End, written as `from` is. A time of day not after `from` is on the next day.
    pub to: String,
    /// The IANA zone of the clock. UTC when absent.
    #[serde(default)]
    pub zone: Option<String>,
    /// Only incidents at least this urgent.
    #[serde(default)]
    pub severity: Option<String>,
    /// Only incidents of these monitors.
    #[serde(default)]
    pub monitors: Vec<String>,
    /// Only incidents of these metrics.
    #[serde(default)]
    pub metrics: Vec<String>,
    /// Only incidents of slices with these values, one or a list by dimension.
    #[serde(default, rename = "where")]
    pub filter: IndexMap<String, Values>,
}

/// One value or several; `null` is no value.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Values {
    /// One.
    One(Option<String>),
    /// Any of several.
    Several(Vec<Option<String>>),
}

impl Values {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<Option<String>> {
        match self {
            Self::One(value) => vec![value.clone()],
            Self::Several(values) => values.clone(),
        }
    }
}

// Read by hand rather than as an untagged enum, which forgets where a fault stands and what it was.
impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValuesVisitor)
    }
}

struct ValuesVisitor;

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, null, or a list of them")
    }

    fn visit_unit<E: Error>(self) -> Result<Values, E> {
        Ok(Values::One(None))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Values, E> {
        Ok(Values::One(Some(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Values, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element()? {
            values.push(value);
        }
        Ok(Values::Several(values))
    }
}
