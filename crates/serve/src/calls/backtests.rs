//! Monitors over the past.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{Request, State};
use axum::response::Response;

use crate::app::App;
use crate::calls::{json, json_body};
use crate::documents::{BacktestAnswer, BacktestRequest};
use crate::live::off_runtime;
use crate::problem::{Problem, ProblemDocument};
use crate::request::named::Named;
use crate::request::params::Params;

/// Tells what runs off the async threads when the call is over, however it ends.
struct Call(Arc<AtomicBool>);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a monitor would have found
///
/// Judges the past with the monitor of that name, or with a proposed version of it, which need not exist; with both, it compares them. The
/// engine is that of live monitors and knows at each time only what came before. Nothing is announced and nothing kept. The answer comes
/// when all is judged, after seconds; a client that hangs up ends the test.
#[utoipa::path(
    post, path = "/v1/monitors/{name}/backtest", tag = "incidents",
    params(("name" = String, Path, description = "The monitor's name")),
    request_body(content = Option<BacktestRequest>, description = "Optional: the existing monitor over the last 14 days"),
    responses(
        (status = 200, description = "What would have opened", body = BacktestAnswer),
        (status = 400, description = "A time or a label is wrong", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "No such monitor, and none was proposed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The proposed definition cannot work, and `faults` says why; or the past cannot be judged like this", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "Another test is running", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 504, description = "It took too long", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn post_backtest(
    State(app): State<App>,
    Named(name): Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let backtests = app.services()?.backtests;
    let asked = json_body(&app, request, Some(BacktestRequest::default())).await?;
    let is_over = Arc::new(AtomicBool::new(false));
    let _call = Call(Arc::clone(&is_over));
    let stop = app.inner().stop.clone();
    let answer = off_runtime(move || {
        let mut go_on = |_: f64| !is_over.load(Ordering::Relaxed) && !stop.is_cancelled();
        backtests.run(&name, &asked, &mut go_on)
    });
    json(&answer.await?)
}
