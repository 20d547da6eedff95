//! To a running server.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect};
use serde::Deserialize;

use super::sink::{Answer, Parcel, Sink, SinkError, of_instance};
use crate::decode::Rejection;
use crate::outgoing::http_client;

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// Seconds to wait when a server is overloaded and does not say how long.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(1);

/// How a server is reached.
#[derive(Debug, Clone)]
pub struct HttpSinkOptions {
    /// The server's address, such as `http://127.0.0.1:7878`.
    pub server: Url,
    /// The token to present, if it wants one.
    pub token: Option<String>,
    /// How long a connection may take. Default 10 s.
    pub connect_timeout: Duration,
    /// How long an answer may take. Default 120 s.
    pub answer_timeout: Duration,
}

impl HttpSinkOptions {
    /// The defaults for the server at this address.
    #[must_use]
    pub fn new(server: Url) -> Self {
        Self {
            server,
            token: None,
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(120),
        }
    }
}

/// Posts chunks to a running server.
pub struct HttpSink {
    client: Client,
    url: Url,
    status: Url,
    authorization: Option<HeaderValue>,
}

/// The answer to events. A field that is absent is zero.
#[derive(Deserialize)]
struct Body {
    accepted: u64,
    #[serde(default)]
    duplicates: u64,
    #[serde(default)]
    rejected: u64,
    #[serde(default)]
    rejections: Vec<BodyRejection>,
}

#[derive(Deserialize)]
struct BodyRejection {
    line: u64,
    #[serde(default)]
    field: Option<String>,
    reason: String,
    #[serde(default)]
    raw: String,
}

/// The part of `GET /v1/status` that tells one server's data from another's.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    journal: JournalStatus,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct JournalStatus {
    instance: Option<String>,
}

/// What a problem document says (RFC 9457).
#[derive(Deserialize, Default)]
#[serde(default)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    suggestion: Option<String>,
}

impl HttpSink {
    /// Posts to `stream` of a server.
    ///
    /// # Errors
    /// [`SinkError::Refused`] when the address or the token cannot be used.
    pub fn new(stream: &str, options: &HttpSinkOptions) -> Result<Self, SinkError> {
        let refused = |what: &str| SinkError::Refused(what.to_owned());
        let no_base = || refused("the server's address must be http:// or https://");
        if !matches!(options.server.scheme(), "http" | "https") {
            return Err(no_base());
        }
        let below = |path: &[&str]| {
            let mut url = options.server.clone();
            url.path_segments_mut()
                .map_err(|()| no_base())?
                .pop_if_empty()
                .extend(path);
            Ok(url)
        };
        let url = below(&["v1", "streams", stream, "events"])?;
        let status = below(&["v1", "status"])?;
        let authorization = match &options.token {
            None => None,
            Some(token) => {
                let mut value = HeaderValue::try_from(format!("Bearer {token}"))
                    .map_err(|_| refused("the token holds characters that no header may"))?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let prepare = || {
            Client::builder()
                .connect_timeout(options.connect_timeout)
                .timeout(options.answer_timeout)
                .redirect(redirect::Policy::none())
        };
        let client = http_client(prepare).map_err(|error| SinkError::Refused(error.to_string()))?;
        Ok(Self {
            client,
            url,
            status,
            authorization,
        })
    }

    /// What is answered, unless it says to try again.
    async fn answered(&self, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), SinkError> {
        let request = match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization.clone()),
            None => request,
        };
        let response = request
            .send()
            .await
            .map_err(|error| unreachable_server(&self.url, &error))?;
        let status = response.status();
        let retry_after = retry_after(&response);
        let body = read(response).await?;
        match status {
            StatusCode::TOO_MANY_REQUESTS => {
                let reason = format!("the server is overloaded: {}", problem(status, &body));
                Err(SinkError::Overloaded {
                    reason,
                    retry_after: retry_after.unwrap_or(RETRY_AFTER_DEFAULT),
                })
            }
            status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => Err(
                SinkError::Unavailable(format!("the server failed: {}", problem(status, &body))),
            ),
            status => Ok((status, body)),
        }
    }
}

impl Sink for HttpSink {
    /// The server's journal. A server that does not tell it is told by its address, as well as can be.
    async fn target(&self) -> Result<String, SinkError> {
        let (status, body) = self.answered(self.client.get(self.status.clone())).await?;
        if status == StatusCode::UNAUTHORIZED {
            return Err(refusal(status, &body));
        }
        let told: Status = serde_json::from_slice(&body).unwrap_or_default();
        Ok(match told.journal.instance {
            Some(instance) => of_instance(&instance),
            None => format!("server {}", self.status),
        })
    }

    async fn send(&self, parcel: &Parcel) -> Result<Answer, SinkError> {
        let request = self
            .client
            .post(self.url.clone())
            .header(
                CONTENT_TYPE,
                parcel.format.chunk_content_type(parcel.chunk.repeated),
            )
            .header("Idempotency-Key", &parcel.idempotency_key)
            .body(parcel.chunk.body.clone());
        let (status, body) = self.answered(request).await?;
        match status {
            StatusCode::OK | StatusCode::UNPROCESSABLE_ENTITY => answer(status, &body),
            status => Err(refusal(status, &body)),
        }
    }
}

fn refusal(status: StatusCode, body: &[u8]) -> SinkError {
    SinkError::Refused(format!("the server refused: {}", problem(status, body)))
}

fn unreachable_server(url: &Url, error: &reqwest::Error) -> SinkError {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let why = match error {
        error if error.is_timeout() => "it did not answer in time",
        error if error.is_connect() => "no connection; is it running?",
        _ => "the connection was lost",
    };
    SinkError::Unavailable(format!(
        "the server at {host}:{port} cannot be reached: {why}"
    ))
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

async fn read(mut response: Response) -> Result<Vec<u8>, SinkError> {
    let lost =
        |error: reqwest::Error| SinkError::Unavailable(format!("the answer broke off: {error}"));
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(lost)? {
        if body.len() + part.len() > ANSWER_BYTES_MAX {
            return Err(SinkError::Refused(
                "the server's answer is too long".to_owned(),
            ));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

fn answer(status: StatusCode, body: &[u8]) -> Result<Answer, SinkError> {
    // A body without counts is a problem document: the chunk as a whole was not understood.
    let body: Body = serde_json::from_slice(body).map_err(|_| refusal(status, body))?;
    let rejection = |r: BodyRejection| Rejection {
        line: r.line,
        field: r.field,
        reason: r.reason,
        raw: r.raw,
    };
    Ok(Answer {
        accepted: body.accepted,
        duplicates: body.duplicates,
        rejected: body.rejected,
        rejections: body.rejections.into_iter().map(rejection).collect(),
    })
}

fn problem(status: StatusCode, body: &[u8]) -> String {
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    let said = problem.detail.or(problem.title);
    let said = said.unwrap_or_else(|| status.canonical_reason().unwrap_or_default().to_owned());
    let hint = problem
        .suggestion
        .map(|hint| format!(" ({hint})"))
        .unwrap_or_default();
    // A server that is none of ours may answer anything.
    let said: String = said.chars().filter(|c| !c.is_control()).take(300).collect();
    format!("{} {said}{hint}", status.as_u16())
}
