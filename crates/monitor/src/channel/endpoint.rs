//! An address that messages are posted to over HTTP.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};

use super::attempt::Attempt;
use super::client;
use super::guard::{self, PublicResolver};
use crate::MonitorError;

const USER_AGENT: &str = concat!("Tillwatch/", env!("CARGO_PKG_VERSION"));
/// What is read of an answer: enough for a code and a reason.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// What is told of a reason that a receiver gives, in characters.
const REASON_CHARS_MAX: usize = 200;

/// An address that is ready to post to.
pub(super) struct Endpoint {
    pub url: url::Url,
    allow_private: bool,
    client: reqwest::Client,
}

/// What is posted.
pub(super) struct Request {
    /// Where, if not to the endpoint's own URL: the same host, with parameters.
    pub url: Option<url::Url>,
    /// What a receiver recognises repetitions by.
    pub key: String,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: String,
    /// Whether the answer's body says something that its status does not.
    pub reads_answer: bool,
}

/// What was answered.
pub(super) struct Answer {
    /// What its status means.
    pub attempt: Attempt,
    /// The status.
    pub status: u16,
    /// The beginning of its body.
    pub text: String,
}

impl Endpoint {
    /// Prepares the client.
    pub fn new(url: &str, allow_private: bool, timeout: Duration) -> Result<Self, MonitorError> {
        let url = url::Url::parse(url).map_err(|error| MonitorError::Client(error.to_string()))?;
        let prepare = || {
            let builder = reqwest::Client::builder()
                .user_agent(USER_AGENT)
                .timeout(timeout)
                .connect_timeout(timeout)
                // A redirect would lead around the address check and take the signature elsewhere.
                .redirect(reqwest::redirect::Policy::none())
                // A proxy would resolve the name itself, unseen by the check.
                .no_proxy();
            if allow_private {
                return builder;
            }
            builder.dns_resolver(std::sync::Arc::new(PublicResolver))
        };
        let client =
            client::build(prepare).map_err(|error| MonitorError::Client(error.to_string()))?;
        Ok(Self {
            url,
            allow_private,
            client,
        })
    }

    /// Posts once. `Err` where there is no answer.
    pub async fn post(&self, request: Request, now_us: i64) -> Result<Answer, Attempt> {
        let refused = guard::check_literal(&self.url, self.allow_private);
        refused.map_err(|refused| Attempt::Never(refused.to_string()))?;
        let url = request.url.unwrap_or_else(|| self.url.clone());
        let mut posted = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", request.key);
        for (name, value) in request.headers {
            posted = posted.header(name, value);
        }
        let answer = posted.body(request.body).send().await.map_err(failed)?;
        let (status, headers): (_, HeaderMap) = (answer.status(), answer.headers().clone());
        Ok(Answer {
            attempt: Attempt::of_answer(status, &headers, now_us),
            status: status.as_u16(),
            text: if request.reads_answer {
                beginning(answer).await
            } else {
                String::new()
            },
        })
    }
}

impl Answer {
    /// What its status means, but 400 is final: the receiver has read the message and will refuse it again.
    pub fn unless_refused(self) -> Attempt {
        if self.status == 400 {
            let reason = super::escape::plain(&self.text, REASON_CHARS_MAX);
            return Attempt::Never(format!("answered 400 Bad Request: {reason}"));
        }
        self.attempt
    }

    /// Of receivers that answer 200 whatever they think of a message, and say in JSON what they do:
    /// `code` is the first of `names` in the answer, and 0 is good.
    pub fn by_code(self, names: [&str; 2], message: &str) -> Attempt {
        if !matches!(self.attempt, Attempt::Delivered(_)) {
            return self.attempt;
        }
        let said: serde_json::Value = serde_json::from_str(&self.text).unwrap_or_default();
        let code = names
            .iter()
            .find_map(|name| said.get(*name))
            .and_then(serde_json::Value::as_i64);
        match code {
            Some(0) => self.attempt,
            Some(code) => {
                let reason = said.get(message).and_then(serde_json::Value::as_str);
                let reason = super::escape::plain(reason.unwrap_or_default(), REASON_CHARS_MAX);
                // Too many messages, a wrong clock and a forgotten keyword can be mended.
                Attempt::later(format!("answered code {code}: {reason}"))
            }
            None => Attempt::later(format!("answered {} without a code", self.status)),
        }
    }
}

/// The beginning of an answer's body; what cannot be read is left out, as the status says enough.
async fn beginning(mut answer: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER_BYTES_MAX {
        match answer.chunk().await {
            Ok(Some(chunk)) => {
                let room = ANSWER_BYTES_MAX - bytes.len();
                bytes.extend(chunk.iter().take(room));
            }
            Ok(None) | Err(_) => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn failed(error: reqwest::Error) -> Attempt {
    if let Some(refused) = guard::refusal(&error) {
        return Attempt::Never(refused.to_string());
    }
    // Without the URL, which may hold a token of the receiver's.
    let what = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "could not connect"
    } else {
        "failed while sending"
    };
    Attempt::later(what)
}
