//! Problem documents: how every error is answered (RFC 9457).

mod slug;

use std::borrow::Cow;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use tillwatch_event::guard::{mask, mask_line};
use utoipa::ToSchema;

pub use slug::Slug;

/// What the `type` of every problem document starts with.
pub const TYPE_BASE: &str = "https://tillwatch.dev/problems/";

/// The content type of problem documents.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// An error on its way to the client.
///
/// The detail is for people and may name what they sent, without the card numbers in it: every text
/// of the document is masked here, wherever it comes from.
#[derive(Debug, Clone)]
pub struct Problem {
    slug: Slug,
    detail: String,
    extras: Map<String, Value>,
    retry_after_s: Option<u32>,
}

/// The members that every problem document has. Further members depend on the kind.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemDocument {
    /// A URI that names the kind of problem; its last part is the slug.
    #[schema(
        rename = "type",
        example = "https://tillwatch.dev/problems/unknown-stream"
    )]
    #[serde(rename = "type")]
    pub kind: String,
    /// One sentence, the same for all problems of this kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong in this case.
    pub detail: String,
    /// A name that may have been meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

impl Problem {
    /// A problem of this kind with its detail.
    pub fn new(slug: Slug, detail: impl Into<String>) -> Self {
        Self {
            slug,
            detail: masked(detail.into()),
            extras: Map::new(),
            retry_after_s: None,
        }
    }

    /// Adds a member to the document.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        let mut value = value.into();
        mask_texts(&mut value);
        self.extras.insert(name.to_owned(), value);
        self
    }

    /// Adds the member `suggestion` if there is one.
    #[must_use]
    pub fn suggesting(self, suggestion: Option<&str>) -> Self {
        match suggestion {
            Some(name) => self.with("suggestion", name),
            None => self,
        }
    }

    /// Adds a `Retry-After` header, in seconds.
    #[must_use]
    pub fn retry_after_s(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// As [`Self::retry_after_s`], rounded up to whole seconds.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_millis().div_ceil(1_000).max(1);
        self.retry_after_s(u32::try_from(seconds).unwrap_or(u32::MAX))
    }

    /// The kind.
    #[must_use]
    pub fn slug(&self) -> Slug {
        self.slug
    }

    /// What is wrong in this case.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The status it is answered with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.slug.status()
    }

    /// The document as JSON.
    #[must_use]
    pub fn document(&self) -> Value {
        let mut members = Map::new();
        members.insert(
            "type".into(),
            format!("{TYPE_BASE}{}", self.slug.as_str()).into(),
        );
        members.insert("title".into(), self.slug.title().into());
        members.insert("status".into(), self.status().as_u16().into());
        members.insert("detail".into(), self.detail.clone().into());
        members.extend(self.extras.clone());
        Value::Object(members)
    }

    /// A parameter that is wrong, with its name as member `parameter`.
    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self::new(Slug::BadParameter, detail).with("parameter", name)
    }

    /// A fault of ours: the cause goes to the log, not to the client.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        let cause = cause.to_string();
        tracing::error!(cause = %mask_line(&cause), "internal error");
        Self::new(
            Slug::Internal,
            "The cause is in the server's log under this request's id.",
        )
    }
}

fn masked(text: String) -> String {
    match mask(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(masked) => masked,
    }
}

fn mask_texts(value: &mut Value) {
    match value {
        Value::String(text) => *text = masked(std::mem::take(text)),
        Value::Array(items) => items.iter_mut().for_each(mask_texts),
        Value::Object(members) => members.values_mut().for_each(mask_texts),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.document().to_string();
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"tillwatch\""),
            );
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn slugs_are_unique_kebab_case_and_errors() {
        let mut seen = HashSet::new();
        for slug in Slug::ALL {
            assert!(seen.insert(slug.as_str()), "{} twice", slug.as_str());
            assert!(
                slug.as_str()
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '-')
            );
            assert!(slug.status().is_client_error() || slug.status().is_server_error());
            assert!(!slug.title().ends_with('.'));
        }
    }

    #[test]
    fn a_document_has_the_members_of_the_standard_and_extras() {
        let problem = Problem::new(Slug::UnknownStream, "There is no stream 'paymets'.")
            .suggesting(Some("payments"));
        assert_eq!(
            problem.document().to_string(),
            r#"{"type":"https://tillwatch.dev/problems/unknown-stream","title":"No such stream","status":404,"detail":"There is no stream 'paymets'.","suggestion":"payments"}"#
        );
    }

    #[test]
    fn no_card_number_gets_into_a_document() {
        let card = "4111 1111 1111 1111";
        let problem = Problem::new(Slug::UnknownStream, format!("There is no stream '{card}'."))
            .suggesting(Some(card))
            .with("offered", vec![card, "a"])
            .with("deep", serde_json::json!({"in": [{"it": card}]}));
        let text = problem.document().to_string();
        assert!(!text.contains("1111 1111 1111"), "{text}");
        assert_eq!(
            text.matches("411111").count() + text.matches("4111 11").count(),
            4,
            "{text}"
        );
    }

    #[test]
    fn a_problem_to_retry_says_when() {
        let response = Problem::new(Slug::Overloaded, "x")
            .retry_after_s(2)
            .into_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
        assert_eq!(response.headers()[header::CONTENT_TYPE], CONTENT_TYPE);
    }
}
