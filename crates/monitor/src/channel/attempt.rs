//! How an attempt to deliver ended.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// A receiver may ask for a pause of at most a day.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Attempt {
    /// Taken, with the status.
    Delivered(u16),
    /// Taken by some of several recipients and refused by the others for good, with who and why.
    Partly(String),
    /// Not taken now; perhaps later.
    Later {
        error: String,
        retry_after: Option<Duration>,
    },
    /// Not taken, and it will not be.
    Never(String),
}

impl Attempt {
    /// Not taken now, with nothing said of when.
    pub fn later(error: impl Into<String>) -> Self {
        Self::Later {
            error: error.into(),
            retry_after: None,
        }
    }

    /// What the status of an HTTP answer means.
    pub fn of_answer(status: StatusCode, headers: &HeaderMap, now_us: i64) -> Self {
        if status.is_success() {
            return Self::Delivered(status.as_u16());
        }
        if status.is_redirection() {
            return Self::Never(format!("answered {status}, and redirects are not followed"));
        }
        if status == StatusCode::GONE {
            return Self::Never(format!("answered {status}"));
        }
        Self::Later {
            error: format!("answered {status}"),
            retry_after: retry_after(headers, now_us),
        }
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
        let of = |code: u16| Attempt::of_answer(StatusCode::from_u16(code).unwrap(), &none, 0);
        assert_eq!(of(204), Attempt::Delivered(204));
        assert!(matches!(of(302), Attempt::Never(_)));
        assert!(matches!(of(410), Attempt::Never(_)));
        for code in [400, 401, 404, 408, 429, 500, 503] {
            assert!(matches!(of(code), Attempt::Later { .. }), "{code}");
        }
    }
}
