//! Boards.

use axum::extract::{Request, State};
use axum::response::Response;

use crate::app::App;
use crate::calls::json;
use crate::documents::{Board, BoardList, BoardSummary};
use crate::problem::{Problem, ProblemDocument, Slug};
use crate::request::named::Named;
use crate::request::params::{Params, nearest};
use crate::request::time::shorten;

/// All boards
#[utoipa::path(
    get, path = "/v1/boards", tag = "boards",
    responses((status = 200, description = "All boards that are defined", body = BoardList))
)]
pub(crate) async fn list_boards(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let boards = app.services()?.boards;
    let boards = boards
        .iter()
        .map(|board| BoardSummary {
            name: board.name.clone(),
            title: board.title.clone(),
        })
        .collect();
    json(&BoardList { boards })
}

/// One board
#[utoipa::path(
    get, path = "/v1/boards/{name}", tag = "boards",
    params(("name" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "The board", body = Board),
        (status = 404, description = "No such board", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_board(
    State(app): State<App>,
    Named(name): Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let boards = app.services()?.boards;
    let found = boards
        .iter()
        .find(|board| board.name == name)
        .ok_or_else(|| {
            Problem::new(
                Slug::UnknownBoard,
                format!("There is no board '{}'.", shorten(&name)),
            )
            .suggesting(nearest(&name, boards.iter().map(|b| b.name.as_str())))
        })?;
    json(found)
}
