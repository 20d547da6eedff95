//! What a metric is expected to do.

use axum::extract::{Request, State};
use axum::response::Response;

use crate::app::App;
use crate::calls::json;
use crate::calls::metrics::{askable, find};
use crate::documents::ForecastDocument;
use crate::problem::{Problem, ProblemDocument};
use crate::request::forecast::{PARAMETERS, read};
use crate::request::named::Named;
use crate::request::params::Params;
use crate::request::time::{now_us, shorten};

/// A metric's forecast
///
/// Expected values of the steps to come with the intervals that hold 80 and 95 of 100 values, and for metrics that add up
/// the expected total of the day. The first step is the first that is not complete. With too little history the status of
/// a slice is `learning`, and `reason` says how much is missing.
#[utoipa::path(
    get, path = "/v1/metrics/{metric}/forecast", tag = "metrics",
    params(
        ("metric" = String, Path, description = "Name of the metric"),
        ("horizon" = Option<String>, Query, description = "How far ahead: a duration such as 24h (the default) or 7d, from the step that `at` lies in; or day, week, month, quarter or year for the rest of it"),
        ("step" = Option<String>, Query, description = "Distance of the points, such as 15m, a multiple of the cube's bucket; an hour unless told, or as many buckets as make one"),
        ("zone" = Option<String>, Query, description = "Whose midnight begins a day, such as Europe/Berlin; UTC unless told"),
        ("at" = Option<String>, Query, description = "The forecast as it was at this time: RFC 3339, epoch milliseconds, or an offset such as -1d; now unless told"),
        ("by" = Option<Vec<String>>, Query, description = "Dimension to split by; repeatable"),
        ("where" = Option<Vec<String>>, Query, description = "Filter, written dimension:value; repeatable"),
        ("limit" = Option<usize>, Query, description = "At most so many slices, 8 unless told; the heaviest are kept"),
    ),
    responses(
        (status = 200, description = "The forecast", body = ForecastDocument),
        (status = 400, description = "A parameter is wrong; the member `parameter` names it", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "No such metric", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "Too many forecasts wait", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 504, description = "The forecast took too long", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_forecast(
    State(app): State<App>,
    Named(metric): Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    let services = app.services()?;
    let metric = find(&services, &metric)?;
    let params = Params::read(request.uri().query(), PARAMETERS)?;
    let limits = &app.inner().limits;
    let question = read(&params, askable(&metric), limits, now_us()).inspect_err(|problem| {
        tracing::debug!(
            metric = shorten(&metric.name),
            detail = problem.detail(),
            "refused"
        );
    })?;
    json(&services.figures.forecast(question).await?)
}
