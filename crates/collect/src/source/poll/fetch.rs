//! One request and its answer.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName,
    HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER,
};
use reqwest::{Client, Response, StatusCode, Url, redirect};

use super::{PollFault, PollOptions, SourceError};
use crate::decode::{CsvOptions, Encoding, Format, decompress};
use crate::outgoing::http_client;
use crate::source::address::{NotPublic, PublicResolver, is_forbidden_literal};
use crate::source::backoff::retry_after;

/// What a server said.
pub(super) enum Answer {
    /// Nothing new since the answer whose marks are remembered.
    NotModified,
    /// An answer without a body, such as 204: no events.
    Empty { marks: Marks },
    /// An answer.
    Body {
        body: Vec<u8>,
        /// The form its `Content-Type` names, if it is one of ours.
        format: Option<Format>,
        marks: Marks,
    },
}

/// What to send with the next request, so that an unchanged answer is not sent again.
#[derive(Debug, Default, Clone)]
pub(super) struct Marks {
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
}

pub(super) struct Fetcher {
    client: Client,
    url: Url,
    headers: HeaderMap,
    marks: Marks,
    bytes_max: usize,
    csv: CsvOptions,
}

/// The URL, if it may be asked.
pub(super) fn usable_url(options: &PollOptions) -> Result<Url, SourceError> {
    let fault = |reason: String| SourceError::Url {
        name: options.name.clone(),
        reason,
    };
    let url: Url = options
        .url
        .parse()
        .map_err(|e: url::ParseError| fault(e.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(fault(format!(
            "its scheme is {}, use http or https",
            url.scheme()
        )));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fault(
            "it has a user or password, use `headers` with env:".to_owned(),
        ));
    }
    if !options.allow_private && is_forbidden_literal(&url) {
        let host = url.host_str().unwrap_or_default().to_owned();
        return Err(fault(NotPublic(host).to_string()));
    }
    Ok(url)
}

impl Fetcher {
    pub(super) fn new(
        options: &PollOptions,
        csv: CsvOptions,
        headers: Vec<(HeaderName, HeaderValue)>,
    ) -> Result<Self, SourceError> {
        let url = usable_url(options)?;
        let prepare = || {
            let builder = Client::builder()
                .redirect(redirect::Policy::none())
                // A proxy would connect for us, and the check of addresses with it.
                .no_proxy()
                .timeout(Duration::from_millis(options.limits.timeout_ms))
                .connect_timeout(Duration::from_millis(options.limits.connect_timeout_ms))
                .user_agent(concat!("tillwatch/", env!("CARGO_PKG_VERSION")));
            if options.allow_private {
                return builder;
            }
            builder.dns_resolver(Arc::new(PublicResolver))
        };
        let client = http_client(prepare).map_err(|e| SourceError::Client {
            name: options.name.clone(),
            reason: e.to_string(),
        })?;
        let mut map = HeaderMap::new();
        map.insert(
            ACCEPT,
            HeaderValue::from_static(
                "application/json, application/x-ndjson, text/csv;q=0.9, */*;q=0.1",
            ),
        );
        map.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, zstd"));
        map.extend(headers);
        Ok(Self {
            client,
            url,
            headers: map,
            marks: Marks::default(),
            bytes_max: options.limits.response_bytes_max,
            csv,
        })
    }

    /// Remembers the marks of an answer whose events are durable.
    pub(super) fn remember(&mut self, marks: Marks) {
        self.marks = marks;
    }

    pub(super) async fn fetch(&self, now_us: i64) -> Result<Answer, PollFault> {
        let mut request = self
            .client
            .get(self.url.clone())
            .headers(self.headers.clone());
        if let Some(etag) = &self.marks.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(date) = &self.marks.last_modified {
            request = request.header(IF_MODIFIED_SINCE, date);
        }
        let response = request.send().await.map_err(request_fault)?;
        let status = response.status();
        if status == StatusCode::NOT_MODIFIED {
            return Ok(Answer::NotModified);
        }
        if !status.is_success() {
            return Err(status_fault(&response, now_us));
        }
        let header = |name: HeaderName| {
            let value = response.headers().get(name);
            value
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        let marks = Marks {
            etag: response.headers().get(ETAG).cloned(),
            last_modified: response.headers().get(LAST_MODIFIED).cloned(),
        };
        let encoding = header(CONTENT_ENCODING);
        let format = Format::of_answer(&header(CONTENT_TYPE), &self.csv);
        let raw = read_body(response, self.bytes_max).await?;
        if raw.is_empty() {
            return Ok(Answer::Empty { marks });
        }
        let encoding = Encoding::from_header(&encoding).map_err(PollFault::new)?;
        let body = match encoding {
            Encoding::Identity => raw,
            encoding => {
                let bytes_max = self.bytes_max;
                tokio::task::spawn_blocking(move || {
                    decompress(encoding, &raw, bytes_max).map(std::borrow::Cow::into_owned)
                })
                .await
                .map_err(PollFault::new)?
                .map_err(PollFault::new)?
            }
        };
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Answer::Empty { marks });
        }
        Ok(Answer::Body {
            body,
            format,
            marks,
        })
    }
}

async fn read_body(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, PollFault> {
    let too_large = || {
        PollFault::new(format!(
            "the answer has more than {bytes_max} bytes (limit response_bytes_max)"
        ))
    };
    let announced = response.content_length().unwrap_or(0);
    if announced > bytes_max as u64 {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
    while let Some(chunk) = response.chunk().await.map_err(request_fault)? {
        if body.len() + chunk.len() > bytes_max {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn status_fault(response: &Response, now_us: i64) -> PollFault {
    let status = response.status();
    let wait = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| retry_after(value, now_us));
    let reason = if status.is_redirection() {
        format!(
            "the server answered {status}; redirects are not followed, use the URL they lead to"
        )
    } else {
        format!("the server answered {status}")
    };
    PollFault { reason, wait }
}

/// The causes of a failed request, without its URL: that may hold a key.
fn request_fault(error: reqwest::Error) -> PollFault {
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !reason.ends_with(&text) {
            reason = format!("{reason}: {text}");
        }
        cause = inner.source();
    }
    PollFault::new(reason)
}
