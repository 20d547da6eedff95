//! Who calls.

use axum::Extension;
use axum::extract::Request;
use axum::response::Response;

use crate::access::{Caller, Right};
use crate::calls::json;
use crate::documents::AccessDocument;
use crate::problem::{Problem, ProblemDocument};
use crate::request::params::Params;
use crate::request::time::rfc3339;

/// Who am I
///
/// The name and the role of the token that the call came with, and what they may do. It is answered to every token of this
/// server's, and while recovering, too.
#[utoipa::path(
    get, path = "/v1/access", tag = "status",
    responses(
        (status = 200, description = "Who calls, and what they may do", body = AccessDocument),
        (status = 401, description = "A token is required and missing, wrong, over or revoked", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_access(
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let may = Right::ALL
        .into_iter()
        .filter(|right| right.is_of(caller.role));
    json(&AccessDocument {
        required: caller.required,
        role: caller.role.name().to_owned(),
        may: may.map(|right| right.name().to_owned()).collect(),
        expires_at: caller.expires_at_us.map(rfc3339),
        name: caller.name,
    })
}
