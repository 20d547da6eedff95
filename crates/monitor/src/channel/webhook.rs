//! One attempt to post a message.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};

use super::guard::{self, PublicResolver};
use super::{client, signature};
use crate::MonitorError;
use crate::catalogue::Message;
use crate::definition::{ChannelDefinition, ChannelKind, WebhookDefinition};

const USER_AGENT: &str = concat!("Tillwatch/", env!("CARGO_PKG_VERSION"));
/// A receiver may ask for a pause of at most a day.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

/// A webhook that is ready to post.
pub(super) struct Webhook {
    url: url::Url,
    definition: WebhookDefinition,
    client: reqwest::Client,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Attempt {
    /// Taken, with the status.
    Delivered(u16),
    /// Not taken now; perhaps later.
    Later {
        error: String,
        retry_after: Option<Duration>,
    },
    /// Not taken, and it will not be.
    Never(String),
}

impl Webhook {
    /// Prepares the client of a channel.
    pub fn new(channel: &ChannelDefinition, timeout: Duration) -> Result<Self, MonitorError> {
        if let Some(fault) = channel.validate().into_iter().next() {
            let item = format!("channel `{}`", channel.name);
            return Err(MonitorError::Definition { item, fault });
        }
        let ChannelKind::Webhook(definition) = &channel.kind;
        let url = url::Url::parse(&definition.url)
            .map_err(|error| MonitorError::Client(error.to_string()))?;
        let prepare = || {
            let builder = reqwest::Client::builder()
                .user_agent(USER_AGENT)
                .timeout(timeout)
                .connect_timeout(timeout)
                // A redirect would lead around the address check and take the signature elsewhere.
                .redirect(reqwest::redirect::Policy::none())
                // A proxy would resolve the name itself, unseen by the check.
                .no_proxy();
            if definition.allow_private {
                return builder;
            }
            builder.dns_resolver(std::sync::Arc::new(PublicResolver))
        };
        let client =
            client::build(prepare).map_err(|error| MonitorError::Client(error.to_string()))?;
        Ok(Self {
            url,
            definition: definition.clone(),
            client,
        })
    }

    /// Posts a message once. The answer's body is never read: nothing in it matters.
    pub async fn post(&self, message: &Message, now_us: i64) -> Attempt {
        if let Err(refused) = guard::check_literal(&self.url, &self.definition) {
            return Attempt::Never(refused.to_string());
        }
        let mut request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", message.idempotency_key());
        if let Some(secret) = &self.definition.secret {
            let at_s = now_us.div_euclid(1_000_000);
            let signed = signature::sign(secret, at_s, message.body.as_bytes());
            request = request.header(signature::HEADER, signed);
        }
        match request.body(message.body.clone()).send().await {
            Ok(answer) => judge(answer.status(), answer.headers(), now_us),
            Err(error) => match guard::refusal(&error) {
                Some(refused) => Attempt::Never(refused.to_string()),
                // Without the URL, which may hold a token of the receiver's.
                None => Attempt::Later {
                    error: reason(&error),
                    retry_after: None,
                },
            },
        }
    }
}

fn judge(status: StatusCode, headers: &HeaderMap, now_us: i64) -> Attempt {
    if status.is_success() {
        return Attempt::Delivered(status.as_u16());
    }
    if status.is_redirection() {
        return Attempt::Never(format!("answered {status}, and redirects are not followed"));
    }
    if status == StatusCode::GONE {
        return Attempt::Never(format!("answered {status}"));
    }
    Attempt::Later {
        error: format!("answered {status}"),
        retry_after: retry_after(headers, now_us),
    }
}

/// `Retry-After` in seconds or as an HTTP date.
fn retry_after(headers: &HeaderMap, now_us: i64) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            Duration::from_micros(u64::try_from(at.as_microsecond() - now_us).ok()?)
        }
    };
    Some(pause.min(RETRY_AFTER_MAX))
}

fn reason(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "could not connect"
    } else {
        "failed while sending"
    };
    what.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(retry_after: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
        headers
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date_and_capped() {
        let now_us = 1_795_356_300_000_000; // 2026-11-22T14:05:00Z
        for (text, seconds) in [
            ("120", Some(120)),
            ("Sun, 22 Nov 2026 14:06:30 GMT", Some(90)),
            ("Sun, 22 Nov 2026 14:00:00 GMT", None),
            ("soon", None),
            ("-1", None),
            ("999999999", Some(24 * 3600)),
        ] {
            let found = retry_after(&headers(text), now_us);
            assert_eq!(found, seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn what_an_answer_means() {
        let none = HeaderMap::new();
        let of = |code: u16| judge(StatusCode::from_u16(code).unwrap(), &none, 0);
        assert_eq!(of(204), Attempt::Delivered(204));
        assert!(matches!(of(302), Attempt::Never(_)));
        assert!(matches!(of(410), Attempt::Never(_)));
        for code in [400, 401, 404, 408, 429, 500, 503] {
            assert!(matches!(of(code), Attempt::Later { .. }), "{code}");
        }
    }
}
