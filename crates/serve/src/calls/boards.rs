//! Boards.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::access::Caller;
use crate::app::App;
use crate::calls::{content, json};
use crate::documents::{Board, BoardList, BoardPlace, WrittenBoard};
use crate::live::off_runtime;
use crate::ports::BoardText;
use crate::problem::{Problem, ProblemDocument, Slug};
use crate::request::body::receive;
use crate::request::conditions::condition;
use crate::request::content::negotiate;
use crate::request::named::Named;
use crate::request::params::{Params, nearest};
use crate::request::time::shorten;

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";

/// All boards
///
/// Those of the definitions folder and those that people saved.
#[utoipa::path(
    get, path = "/v1/boards", tag = "boards",
    responses((status = 200, description = "All boards", body = BoardList))
)]
pub(crate) async fn list_boards(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let boards = app.services()?.boards;
    json(&off_runtime(move || boards.list()).await?)
}

/// One board
///
/// The folder's where both have the name, unless `from=catalogue` asks for the saved one. As YAML it is the section `boards`
/// with it alone, which a file of the definitions can hold.
#[utoipa::path(
    get, path = "/v1/boards/{name}", tag = "boards",
    params(
        ("name" = String, Path, description = "Its name"),
        ("from" = Option<String>, Query, description = "folder or catalogue; wherever it is unless told"),
    ),
    responses(
        (status = 200, description = "The board; its ETag is the version that `If-Match` takes", content((Board = "application/json"), (String = "application/yaml"))),
        (status = 404, description = "No such board", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 406, description = "Neither JSON nor YAML is accepted", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_board(
    State(app): State<App>,
    Named(name): Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &["from"])?;
    let from = params.one("from")?.map(read_place).transpose()?;
    let format = negotiate(request.headers(), &[JSON, YAML])?;
    let boards = app.services()?.boards;
    let (mut response, tag) = if format == YAML {
        let (yaml, tag) = off_runtime(move || boards.written(&name, from)).await?;
        (content(YAML, yaml), tag)
    } else {
        let (board, tag) = off_runtime(move || boards.one(&name, from)).await?;
        (json(&board)?, tag)
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, entity_tag(&tag)?);
    headers.append(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

/// Save a board
///
/// Makes a board, or takes the place of the saved one of that name, whole. It is checked as one in a file of the definitions
/// is, and every fault is told. `If-Match` with the version that was read keeps from undoing what another has saved since,
/// `If-None-Match: *` from taking the place of any.
#[utoipa::path(
    put, path = "/v1/boards/{name}", tag = "boards",
    params(
        ("name" = String, Path, description = "Its name: a-z, 0-9 and _, beginning with a letter, at most 63 characters"),
        ("If-Match" = Option<String>, Header, description = "Versions in quotes: save only if it is at one of them; * if there is one"),
        ("If-None-Match" = Option<String>, Header, description = "*: save only if there is none"),
    ),
    request_body(description = "The board; as YAML also the section `boards` with it alone", content((WrittenBoard = "application/json"), (String = "application/yaml"))),
    responses(
        (status = 200, description = "Saved in place of the one before", body = Board),
        (status = 201, description = "Saved, and new", body = Board),
        (status = 400, description = "The body or a header cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "It is a board of the definitions folder, and `suggestion` is a name that is free; or too many are saved", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "It is not what `If-Match` or `If-None-Match` says; with its `version` and `changed_at`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "It is too large", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is neither JSON nor YAML", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "It cannot work, and `faults` says why, each with its `path` such as `panels[2].metric`", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn put_board(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(name): Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let boards = app.services()?.boards;
    let condition = condition(request.headers())?;
    let text = board_text(&app, request).await?;
    let saved = off_runtime(move || boards.save(&name, &text, caller.name.as_deref(), &condition));
    let (board, tag, is_new) = saved.await?;
    let mut response = json(&board)?;
    response
        .headers_mut()
        .insert(header::ETAG, entity_tag(&tag)?);
    if is_new {
        *response.status_mut() = StatusCode::CREATED;
    }
    Ok(response)
}

/// Remove a saved board
///
/// Also one whose name the folder has taken since; the folder's stays.
#[utoipa::path(
    delete, path = "/v1/boards/{name}", tag = "boards",
    params(
        ("name" = String, Path, description = "Its name"),
        ("If-Match" = Option<String>, Header, description = "Versions in quotes: remove it only if it is at one of them"),
    ),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "No such board", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "It is a board of the definitions folder", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "It is not what `If-Match` says; with its `version` and `changed_at`", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete_board(
    State(app): State<App>,
    Named(name): Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let boards = app.services()?.boards;
    let condition = condition(request.headers())?;
    off_runtime(move || boards.remove(&name, &condition)).await?;
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

fn read_place(text: &str) -> Result<BoardPlace, Problem> {
    match text {
        "folder" => Ok(BoardPlace::Folder),
        "catalogue" => Ok(BoardPlace::Catalogue),
        _ => {
            let detail = format!("'{}' is none of folder, catalogue.", shorten(text));
            let nearest = nearest(text, ["folder", "catalogue"].into_iter());
            Err(Problem::parameter("from", detail).suggesting(nearest))
        }
    }
}

fn entity_tag(tag: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(&format!("\"{tag}\"")).map_err(|cause| Problem::internal(&cause))
}

/// Which of the formats of a board a body has.
fn is_yaml(headers: &HeaderMap) -> Result<bool, Problem> {
    let sent = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = sent.split(';').next().unwrap_or_default().trim();
    if headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|encoding| encoding != "identity")
    {
        return Err(Problem::new(
            Slug::UnsupportedContentEncoding,
            "This call reads bodies that are not compressed.",
        ));
    }
    match kind.to_ascii_lowercase().as_str() {
        JSON => Ok(false),
        YAML => Ok(true),
        _ => Err(Problem::new(
            Slug::UnsupportedContentType,
            "This call reads JSON and YAML: send the header 'Content-Type: application/json' or 'application/yaml'.",
        )
        .with("supported", vec![JSON, YAML])),
    }
}

async fn board_text(app: &App, request: Request) -> Result<BoardText, Problem> {
    let inner = app.inner();
    let (parts, body) = request.into_parts();
    let limits = &inner.limits;
    let (most, timeout) = (limits.board_bytes_max, limits.body_timeout());
    let received = receive("", &parts.headers, body, most, timeout, &inner.bodies).await?;
    let unreadable = |fault: String| {
        Problem::new(
            Slug::BodyUnreadable,
            format!("The body is not the board expected: {fault}."),
        )
    };
    if is_yaml(&parts.headers)? {
        let text = std::str::from_utf8(&received.bytes);
        let text = text.map_err(|fault| unreadable(fault.to_string()))?;
        return Ok(BoardText::Yaml(text.to_owned()));
    }
    let keys = serde_json::from_slice(&received.bytes);
    keys.map(BoardText::Json)
        .map_err(|fault| unreadable(fault.to_string()))
}
