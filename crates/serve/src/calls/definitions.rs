//! The definitions folder: its files, and single definitions in them.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::app::App;
use crate::calls::{content, json};
use crate::documents::{
    CalendarList, DefinitionChanged, DefinitionItem, DefinitionList, ProposalDocument,
};
use crate::live::off_runtime;
use crate::ports::{DefinitionChange, DefinitionPlace, FileSample, Precondition, TaggedText};
use crate::problem::{Problem, ProblemDocument, Slug};
use crate::request::body::receive;
use crate::request::conditions::precondition;
use crate::request::named::Named;
use crate::request::params::Params;
use crate::request::time::shorten;

const YAML: &str = "application/yaml; charset=utf-8";
/// Types of a body of definitions; JSON is YAML as well.
const TYPES: [&str; 5] = [
    "application/yaml",
    "text/yaml",
    "application/x-yaml",
    "text/x-yaml",
    "application/json",
];

/// The definitions folder
///
/// Its files with what each holds, the packs they name, whether they can be changed here, and what is wrong with them as they
/// stand.
#[utoipa::path(
    get, path = "/v1/definitions", tag = "definitions",
    responses((status = 200, description = "The folder", body = DefinitionList))
)]
pub(crate) async fn list_definitions(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let definitions = app.definitions()?;
    json(&off_runtime(move || definitions.list()).await?)
}

/// A file of the folder
#[utoipa::path(
    get, path = "/v1/definitions/files/{file}", tag = "definitions",
    params(("file" = String, Path, description = "Its path in the folder, with slashes")),
    responses(
        (status = 200, description = "Its text; its ETag is what `If-Match` takes", body = String, content_type = "application/yaml"),
        (status = 404, description = "No such file", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "It holds a secret, or is a link out of the folder, and is not shown", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_file(
    State(app): State<App>,
    Named(file): Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let definitions = app.definitions()?;
    text(off_runtime(move || definitions.file(&file)).await?)
}

/// A file of a pack
#[utoipa::path(
    get, path = "/v1/definitions/packs/{pack}/{file}", tag = "definitions",
    params(
        ("pack" = String, Path, description = "The pack's name"),
        ("file" = String, Path, description = "Its path in the pack"),
    ),
    responses(
        (status = 200, description = "Its text", body = String, content_type = "application/yaml"),
        (status = 404, description = "No such file", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_pack_file(
    State(app): State<App>,
    Named((pack, file)): Named<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let definitions = app.definitions()?;
    text(off_runtime(move || definitions.pack_file(&pack, &file)).await?)
}

/// Write a file of the folder
///
/// The whole folder is checked with this file in place before anything is written. The answer comes when the change is in force,
/// or says why it is not yet.
#[utoipa::path(
    put, path = "/v1/definitions/files/{file}", tag = "definitions",
    params(
        ("file" = String, Path, description = "Its path in the folder: a new one has letters, digits, - _ and . in its names, and ends with .yaml or .yml"),
        ("dry_run" = Option<bool>, Query, description = "true to check only"),
        ("If-Match" = Option<String>, Header, description = "The file's ETag as it was read, to change it; * to change it whatever it is"),
        ("If-None-Match" = Option<String>, Header, description = "*, to make it"),
    ),
    request_body(description = "The text", content((String = "application/yaml"))),
    responses(
        (status = 200, description = "Written in place of the one before, or checked", body = DefinitionChanged),
        (status = 201, description = "Written, and new", body = DefinitionChanged),
        (status = 400, description = "The name, the body or a header is wrong", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "The folder is not changed here (`definitions-read-only`), or this file is not", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "It is not what `If-Match` or `If-None-Match` says; with its `etag`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "It is too large", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The folder would not work with it; `faults` says why, each with `file`, `line`, `column`, `reason` and perhaps a `suggestion`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 428, description = "Neither `If-Match` nor `If-None-Match` was sent", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 507, description = "The disk is full", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn put_file(
    State(app): State<App>,
    Named(file): Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    change(&app, DefinitionPlace::File(file), request, true).await
}

/// Remove a file of the folder
///
/// Refused if what is left would not work.
#[utoipa::path(
    delete, path = "/v1/definitions/files/{file}", tag = "definitions",
    params(
        ("file" = String, Path, description = "Its path in the folder"),
        ("dry_run" = Option<bool>, Query, description = "true to check only"),
        ("If-Match" = Option<String>, Header, description = "The file's ETag as it was read; *, whatever it is"),
    ),
    responses(
        (status = 200, description = "Removed, or checked", body = DefinitionChanged),
        (status = 404, description = "No such file", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "The folder is not changed here, or this file is not", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "It is not what `If-Match` says; with its `etag`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The rest would not work without it; `faults` says why", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 428, description = "`If-Match` was not sent", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete_file(
    State(app): State<App>,
    Named(file): Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    change(&app, DefinitionPlace::File(file), request, false).await
}

/// One definition as it is written
#[utoipa::path(
    get, path = "/v1/definitions/{section}/{name}", tag = "definitions",
    params(
        ("section" = String, Path, description = "monitors, calendars or maintenance"),
        ("name" = String, Path, description = "Its name"),
    ),
    responses(
        (status = 200, description = "Where it stands, its YAML, and whether it can be changed here", body = DefinitionItem),
        (status = 404, description = "No such definition", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_item(
    State(app): State<App>,
    Named((section, name)): Named<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let definitions = app.definitions()?;
    let item = off_runtime(move || definitions.item(&section, &name)).await?;
    let tag = HeaderValue::from_str(&item.etag).map_err(|cause| Problem::internal(&cause))?;
    let mut response = json(&item)?;
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}

/// Write one definition
///
/// Where it stands in a file already, exactly its lines are replaced; a new one goes to the end of its section in
/// `{section}.yaml`. Checked and answered as a whole file is.
#[utoipa::path(
    put, path = "/v1/definitions/{section}/{name}", tag = "definitions",
    params(
        ("section" = String, Path, description = "monitors, calendars or maintenance"),
        ("name" = String, Path, description = "Its name: a-z, 0-9 and _, beginning with a letter, at most 63 characters"),
        ("dry_run" = Option<bool>, Query, description = "true to check only"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the definition as it was read; *, if there is one"),
        ("If-None-Match" = Option<String>, Header, description = "*, if there is none"),
    ),
    request_body(description = "Its keys, or the section with it alone, as YAML or JSON", content((String = "application/yaml"), (serde_json::Value = "application/json"))),
    responses(
        (status = 200, description = "Written in place of the one before, or checked", body = DefinitionChanged),
        (status = 201, description = "Written, and new", body = DefinitionChanged),
        (status = 404, description = "No such section", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "It is a pack's, or its lines cannot be replaced safely; or the folder is not changed here", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "It is not what `If-Match` or `If-None-Match` says; with its `etag`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The folder would not work with it; `faults` says why", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn put_item(
    State(app): State<App>,
    Named((section, name)): Named<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let place = DefinitionPlace::Item { section, name };
    change(&app, place, request, true).await
}

/// Remove one definition
///
/// Its lines are taken out of the file.
#[utoipa::path(
    delete, path = "/v1/definitions/{section}/{name}", tag = "definitions",
    params(
        ("section" = String, Path, description = "monitors, calendars or maintenance"),
        ("name" = String, Path, description = "Its name"),
        ("dry_run" = Option<bool>, Query, description = "true to check only"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the definition as it was read"),
    ),
    responses(
        (status = 200, description = "Removed, or checked", body = DefinitionChanged),
        (status = 404, description = "No such definition", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "It is a pack's, or its lines cannot be removed safely; or the folder is not changed here", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "It is not what `If-Match` says; with its `etag`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The rest would not work without it; `faults` says why", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete_item(
    State(app): State<App>,
    Named((section, name)): Named<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let place = DefinitionPlace::Item { section, name };
    change(&app, place, request, false).await
}

/// Calendars and maintenance windows
///
/// Those in force, with the monitors that go by a calendar and when each window is next.
#[utoipa::path(
    get, path = "/v1/calendars", tag = "definitions",
    responses((status = 200, description = "Calendars and maintenance windows", body = CalendarList))
)]
pub(crate) async fn list_calendars(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let definitions = app.definitions()?;
    json(&off_runtime(move || definitions.calendars()).await?)
}

/// Propose definitions for a file
///
/// The body is the file, or its beginning: CSV, NDJSON or a JSON array, plain or compressed with gzip or zstd. Nothing of it is
/// kept.
#[utoipa::path(
    post, path = "/v1/propose", tag = "definitions",
    params(
        ("stream" = Option<String>, Query, description = "The stream's name; made from the file's unless told"),
        ("file_name" = Option<String>, Query, description = "The file's name"),
        ("whole" = Option<bool>, Query, description = "true when the body is all of the file; else a last line that is cut off is not looked at"),
    ),
    request_body(description = "The file, or its beginning", content((String = "application/octet-stream"))),
    responses(
        (status = 200, description = "Definitions that take its events, and a board for them", body = ProposalDocument),
        (status = 413, description = "The body is too large; send the beginning", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "Nothing can be proposed, as no column has a time", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn post_propose(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &["stream", "file_name", "whole"])?;
    let whole = flag(&params, "whole")?;
    let text = |name| Ok::<_, Problem>(params.one(name)?.map(str::to_owned));
    let (stream, file_name) = (text("stream")?, text("file_name")?);
    let definitions = app.definitions()?;
    let inner = app.inner();
    let (parts, body) = request.into_parts();
    let limits = &inner.limits;
    let (most, timeout) = (limits.propose_bytes_max, limits.body_timeout());
    let received = receive("", &parts.headers, body, most, timeout, &inner.bodies).await?;
    let sample = FileSample {
        bytes: received.bytes.clone(),
        whole,
        file_name,
        stream,
    };
    let proposed = off_runtime(move || {
        let proposal = definitions.propose(&sample);
        drop(received);
        proposal
    });
    json(&proposed.await?)
}

/// A parameter that is true or false; false unless told.
fn flag(params: &Params, name: &str) -> Result<bool, Problem> {
    match params.one(name)? {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => {
            let detail = format!("'{name}' is true or false, and not '{}'.", shorten(other));
            Err(Problem::parameter(name, detail))
        }
    }
}

fn text(tagged: TaggedText) -> Result<Response, Problem> {
    let tag = HeaderValue::from_str(&format!("\"{}\"", tagged.tag));
    let mut response = content(YAML, tagged.text);
    let tag = tag.map_err(|cause| Problem::internal(&cause))?;
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}

async fn change(
    app: &App,
    place: DefinitionPlace,
    request: Request,
    writes: bool,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &["dry_run"])?;
    let dry_run = flag(&params, "dry_run")?;
    let definitions = app.definitions()?;
    let precondition = precondition(request.headers())?;
    let is_file = matches!(place, DefinitionPlace::File(_));
    if is_file && !dry_run && precondition == Precondition::Always {
        return Err(unconditional(writes));
    }
    let text = if writes {
        Some(sent_text(app, request).await?)
    } else {
        None
    };
    let change = DefinitionChange {
        place,
        text,
        precondition,
        dry_run,
    };
    let work = definitions.change(change);
    let (changed, is_new) = if dry_run {
        // Nobody waits for the answer of a check whose client has hung up.
        work.await?
    } else {
        // A client that hangs up does not leave a change half made: the work goes on by itself.
        let changed = tokio::spawn(work).await;
        changed.map_err(|cause| Problem::internal(&cause))??
    };
    let mut response = json(&changed)?;
    if let Some(tag) = &changed.etag {
        let tag = HeaderValue::from_str(tag).map_err(|cause| Problem::internal(&cause))?;
        response.headers_mut().insert(header::ETAG, tag);
    }
    if is_new && !dry_run {
        *response.status_mut() = StatusCode::CREATED;
    }
    Ok(response)
}

fn unconditional(writes: bool) -> Problem {
    let detail = if writes {
        "Send If-Match with the file's ETag as you read it to change it, or 'If-None-Match: *' to make it, so that nobody's change is lost."
    } else {
        "Send If-Match with the file's ETag as you read it, so that nobody's change is lost."
    };
    Problem::new(Slug::PreconditionRequired, detail)
}

/// Whether a body is of definitions, and not compressed.
fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    if headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|encoding| encoding != "identity")
    {
        return Err(Problem::new(
            Slug::UnsupportedContentEncoding,
            "This call reads bodies that are not compressed.",
        ));
    }
    let sent = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = sent.split(';').next().unwrap_or_default().trim();
    if TYPES.iter().any(|known| kind.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    Err(Problem::new(
        Slug::UnsupportedContentType,
        "This call reads YAML, and JSON: send the header 'Content-Type: application/yaml'.",
    )
    .with("supported", TYPES.to_vec()))
}

async fn sent_text(app: &App, request: Request) -> Result<String, Problem> {
    let inner = app.inner();
    let (parts, body) = request.into_parts();
    let limits = &inner.limits;
    let (most, timeout) = (limits.definition_bytes_max, limits.body_timeout());
    let received = receive("", &parts.headers, body, most, timeout, &inner.bodies).await?;
    check_type(&parts.headers)?;
    let text = std::str::from_utf8(&received.bytes);
    let text = text.map_err(|fault| {
        let detail = format!("The body is not UTF-8 text: {fault}.");
        Problem::new(Slug::BodyUnreadable, detail)
    })?;
    Ok(text.to_owned())
}
