//! Questions in SQL.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;

use crate::app::App;
use crate::calls::{content, json_body};
use crate::documents::{SqlAnswer, SqlRequest};
use crate::ports::{SqlFormat, SqlLimits};
use crate::problem::{Problem, ProblemDocument, Slug};
use crate::request::content::negotiate;
use crate::request::params::Params;

const JSON: &str = "application/json";
const CSV: &str = "text/csv";
const ARROW: &str = "application/vnd.apache.arrow.stream";

/// Ask in SQL
///
/// One reading statement over streams, cubes and metrics. `Accept` chooses among JSON, CSV and an Arrow stream. A client that
/// hangs up cancels its query.
#[utoipa::path(
    post, path = "/v1/sql", tag = "sql",
    request_body = SqlRequest,
    responses(
        (status = 200, description = "The answer", content(
            (SqlAnswer = "application/json"), (String = "text/csv"), (Vec<u8> = "application/vnd.apache.arrow.stream"),
        )),
        (status = 400, description = "The query cannot be run; `line`, `column` and `suggestion` say more where they can", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 406, description = "None of the formats is acceptable", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The query is over its limits", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "Too many queries wait", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 504, description = "The query took too long", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn post_sql(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    let figures = app.services()?.figures;
    Params::read(request.uri().query(), &[])?;
    let format = negotiate(request.headers(), &[JSON, CSV, ARROW])?;
    let asked: SqlRequest = json_body(&app, request, None).await?;
    for (name, is_none) in [
        ("rows_max", asked.rows_max == Some(0)),
        ("timeout_ms", asked.timeout_ms == Some(0)),
    ] {
        if is_none {
            let detail = format!("'{name}' must be at least 1: nothing can be answered within 0.");
            return Err(Problem::new(Slug::QueryTooLarge, detail).with("parameter", name));
        }
    }
    let limits = SqlLimits {
        rows_max: asked.rows_max,
        timeout: asked.timeout_ms.map(Duration::from_millis),
    };
    let (kind, format) = match format {
        CSV => ("text/csv; charset=utf-8; header=present", SqlFormat::Csv),
        ARROW => (ARROW, SqlFormat::ArrowStream),
        _ => (JSON, SqlFormat::Json),
    };
    Ok(content(kind, figures.sql(asked.sql, limits, format).await?))
}
