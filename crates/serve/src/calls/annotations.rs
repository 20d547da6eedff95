//! Annotations: written by people and by what deploys for them, read by charts.

use std::borrow::Cow;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use percent_encoding::percent_decode_str;
use tillwatch_event::guard::mask;

use crate::access::Caller;
use crate::app::App;
use crate::calls::events::idempotency_key;
use crate::calls::{json, json_body};
use crate::documents::{Annotation, AnnotationKind, AnnotationList, WrittenAnnotation};
use crate::live::off_runtime;
use crate::ports::{AnnotationQuery, NewAnnotation};
use crate::problem::{Problem, ProblemDocument, Slug};
use crate::request::named::Named;
use crate::request::params::{Params, nearest};
use crate::request::time::{DAY, Instant, now_us, shorten};

/// Annotations of one answer when the caller names no limit.
const ANNOTATIONS_DEFAULT: usize = 200;
/// A title or a name may have this many characters.
const TITLE_CHARS_MAX: usize = 200;
/// The text may have this many characters.
const TEXT_CHARS_MAX: usize = 2_000;
/// An address may have this many characters.
const URL_CHARS_MAX: usize = 2_000;
/// Dimensions that one annotation may be limited by.
const DIMENSIONS_MAX: usize = 16;

/// Annotations
///
/// What people, and what deploys for them, noted: deployments, changes, campaigns, outages of others.
#[utoipa::path(
    get, path = "/v1/annotations", tag = "annotations",
    params(
        ("from" = Option<String>, Query, description = "Those that were not over then: RFC 3339, epoch milliseconds or an offset; a day ago unless told"),
        ("to" = Option<String>, Query, description = "Those that had begun before then; now unless told"),
        ("kind" = Option<String>, Query, description = "deployment, change, campaign, outage or note; all unless told"),
        ("limit" = Option<usize>, Query, description = "At most so many, the latest; 200 unless told"),
    ),
    responses(
        (status = 200, description = "The annotations, the first of them first", body = AnnotationList),
        (status = 400, description = "A parameter is wrong", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_annotations(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &["from", "to", "kind", "limit"])?;
    let now_us = now_us();
    let time = |name: &'static str, default: Instant| match params.one(name)? {
        None => Ok(default.resolve_us(now_us)),
        Some(text) => Instant::parse(text)
            .map(|instant| instant.resolve_us(now_us))
            .map_err(|fault| Problem::parameter(name, format!("'{name}': {fault}."))),
    };
    let query = AnnotationQuery {
        from_us: time("from", Instant::FromNow(-DAY))?,
        // What is noted of this very moment has begun.
        to_us: time("to", Instant::FromNow(1))?,
        kind: params.one("kind")?.map(read_kind).transpose()?,
        limit: params.count(
            "limit",
            ANNOTATIONS_DEFAULT,
            app.inner().limits.list_rows_max,
        )?,
    };
    if query.from_us >= query.to_us {
        return Err(Problem::parameter("from", "'from' must be before 'to'."));
    }
    let annotations = app.services()?.annotations;
    json(&AnnotationList {
        annotations: off_runtime(move || annotations.list(&query)).await?,
    })
}

fn read_kind(text: &str) -> Result<AnnotationKind, Problem> {
    AnnotationKind::from_name(text).ok_or_else(|| {
        let names = AnnotationKind::ALL.map(AnnotationKind::name);
        let detail = format!("'{}' is none of {}.", shorten(text), names.join(", "));
        Problem::parameter("kind", detail).suggesting(nearest(text, names.into_iter()))
    })
}

/// Note something
///
/// Charts show it, and so do the pages of incidents that begin soon after. With an `Idempotency-Key`, sending it again is harmless:
/// the answer is what was kept the first time. Card numbers in texts are masked; `by` is the token's name unless told.
#[utoipa::path(
    post, path = "/v1/annotations", tag = "annotations",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless")),
    request_body(content = WrittenAnnotation),
    responses(
        (status = 200, description = "It was kept before, under the same key", body = Annotation),
        (status = 201, description = "It is kept", body = Annotation),
        (status = 400, description = "The body cannot be read, or something in it is too long", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn post_annotation(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let annotations = app.services()?.annotations;
    let key = idempotency_key(request.headers())?;
    let mut written: WrittenAnnotation = json_body(&app, request, None).await?;
    written.by = caller.acting(written.by.take());
    let new = checked(written, now_us())?;
    let kept = off_runtime(move || annotations.add(new, key.as_deref()));
    let (annotation, is_new) = kept.await?;
    let mut response = json(&annotation)?;
    if is_new {
        *response.status_mut() = StatusCode::CREATED;
    }
    Ok(response)
}

/// Remove an annotation
#[utoipa::path(
    delete, path = "/v1/annotations/{id}", tag = "annotations",
    params(("id" = i64, Path, description = "Its number")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "No such annotation", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete_annotation(
    State(app): State<App>,
    Named(id): Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let unknown = || {
        let detail = format!("There is no annotation '{}'.", shorten(&id));
        Problem::new(Slug::UnknownAnnotation, detail)
    };
    let number: i64 = id.parse().map_err(|_| unknown())?;
    let annotations = app.services()?.annotations;
    if !off_runtime(move || annotations.remove(number)).await? {
        return Err(unknown());
    }
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

fn wrong(detail: String) -> Problem {
    Problem::new(Slug::BodyUnreadable, detail)
}

fn checked(written: WrittenAnnotation, now_us: i64) -> Result<NewAnnotation, Problem> {
    let time = |name: &str, text: &str| {
        Instant::parse(text)
            .map(|instant| instant.resolve_us(now_us))
            .map_err(|fault| wrong(format!("'{name}': {fault}.")))
    };
    let at_us = match &written.at {
        Some(text) => time("at", text)?,
        None => now_us,
    };
    let until_us = written.until.as_deref().map(|text| time("until", text));
    let until_us = until_us.transpose()?;
    if until_us.is_some_and(|until_us| until_us < at_us) {
        return Err(wrong("'until' must not be before 'at'.".to_owned()));
    }
    let title = text("title", written.title, TITLE_CHARS_MAX, false)?;
    if title.is_empty() {
        return Err(wrong("'title' must say something.".to_owned()));
    }
    let optional = |name, value: Option<String>, max, lines| {
        let value = value.map(|value| text(name, value, max, lines)).transpose();
        value.map(|value| value.filter(|value| !value.is_empty()))
    };
    if written.slice.len() > DIMENSIONS_MAX {
        let detail = format!("'where' may name at most {DIMENSIONS_MAX} dimensions.");
        return Err(wrong(detail));
    }
    let slice = written.slice.into_iter().map(|(dimension, value)| {
        let value = value.map(|value| text("where", value, TITLE_CHARS_MAX, false));
        Ok((
            text("where", dimension, TITLE_CHARS_MAX, false)?,
            value.transpose()?,
        ))
    });
    Ok(NewAnnotation {
        kind: written.kind,
        at_us,
        until_us,
        title,
        text: optional("text", written.text, TEXT_CHARS_MAX, true)?,
        by: optional("by", written.by, TITLE_CHARS_MAX, false)?,
        url: optional("url", written.url, URL_CHARS_MAX, false)?
            .map(web_address)
            .transpose()?,
        slice: slice.collect::<Result<_, Problem>>()?,
    })
}

/// A text of at most so many characters, without card numbers, control characters and space around it.
fn text(name: &str, value: String, chars_max: usize, lines: bool) -> Result<String, Problem> {
    let value = value.trim();
    let chars = value.chars().count();
    if chars > chars_max {
        let detail = format!("'{name}' has {chars} characters, and may have {chars_max}.");
        return Err(wrong(detail));
    }
    let is_foreign = |sign: char| sign.is_control() && !(lines && matches!(sign, '\n' | '\t'));
    if value.chars().any(is_foreign) {
        let detail = format!("'{name}' must not have control characters.");
        return Err(wrong(detail));
    }
    Ok(match mask(value) {
        Cow::Borrowed(value) => value.to_owned(),
        Cow::Owned(masked) => masked,
    })
}

/// Only what a browser opens as a page: an address of another scheme could run what it holds.
fn web_address(text: String) -> Result<String, Problem> {
    let url = url::Url::parse(&text).map_err(|fault| {
        wrong(format!(
            "'url' is no address: {fault}; it begins with https:// or http://."
        ))
    })?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(wrong(format!(
            "'url' begins with https:// or http://, not '{}:'.",
            shorten(url.scheme())
        )));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            "'url' must not have a user or a password in it.".to_owned(),
        ));
    }
    // What is written in the signs of an address is read without them.
    let read = percent_decode_str(&text).decode_utf8_lossy();
    if mask(&read) != read {
        return Err(wrong("'url' must not have a card number in it.".to_owned()));
    }
    Ok(url.into())
}
