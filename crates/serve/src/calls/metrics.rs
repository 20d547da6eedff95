//! Metrics: what there is, series, and series as they change.

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, StreamExt};
use tokio::time::{Instant, timeout_at};

use crate::access::Caller;
use crate::app::{App, Services};
use crate::calls::{content, json};
use crate::documents::{MetricList, SeriesDocument, SeriesList, SeriesOrProblem};
use crate::live::{Meta, Place, combined_stream, document, series_stream};
use crate::problem::{Problem, ProblemDocument, Slug};
use crate::request::named::Named;
use crate::request::params::Params;
use crate::request::series::{Askable, PARAMETERS, Question, unknown_metric};
use crate::request::time::{MS, now_us, shorten};

/// All metrics
#[utoipa::path(
    get, path = "/v1/metrics", tag = "metrics",
    responses((status = 200, description = "All metrics that are defined", body = MetricList))
)]
pub(crate) async fn list_metrics(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    json(&MetricList {
        metrics: app.services()?.figures.metrics(),
    })
}

/// A metric over time
///
/// Without `step` the smallest readable one is chosen that gives at most 500 points. A point is named by the start of its step
/// and stands for that step; with `window` for the time of that length that ends with the step; with `since` for the time from
/// the start of the day, week, month, quarter or year that the step's end lies in up to that end.
#[utoipa::path(
    get, path = "/v1/metrics/{metric}", tag = "metrics",
    params(
        ("metric" = String, Path, description = "Name of the metric"),
        ("from" = Option<String>, Query, description = "RFC 3339, epoch milliseconds, or an offset such as -1h (the default)"),
        ("to" = Option<String>, Query, description = "The same; now unless told"),
        ("step" = Option<String>, Query, description = "Distance of the points, such as 10s, a multiple of the cube's bucket; or day, week, month, quarter or year"),
        ("window" = Option<String>, Query, description = "Trailing window (HOP) such as 5m, a multiple of the step: each point stands for the time of this length that ends with its step"),
        ("since" = Option<String>, Query, description = "Cumulative window (CUMULATE): day, week, month, quarter or year; each point stands for the time since that began, up to the end of its step"),
        ("zone" = Option<String>, Query, description = "Whose midnight begins a period: a name such as Europe/Berlin, or dim:NAME for the zone that a dimension names for each event; UTC unless told"),
        ("by" = Option<Vec<String>>, Query, description = "Dimension to split by; repeatable"),
        ("where" = Option<Vec<String>>, Query, description = "Filter, written dimension:value; repeatable"),
        ("limit" = Option<usize>, Query, description = "At most so many slices, 50 unless told; the heaviest are kept"),
    ),
    responses(
        (status = 200, description = "The series", body = SeriesDocument),
        (status = 400, description = "A parameter is wrong; the member `parameter` names it", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "No such metric", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_series(
    State(app): State<App>,
    Named(metric): Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    let services = app.services()?;
    let now = now_us();
    let question = question(&app, &services, &metric, request.uri().query(), now)?;
    json(&answer(&services, question, now).await?)
}

/// A metric over time, live
///
/// Server-sent events: `snapshot` (the document of the series), then `update` (the same shape with only the buckets that
/// changed), `heartbeat` every 15 s and `problem` when a computation fails. A client that reads too slowly, or comes back,
/// gets a new `snapshot`.
#[utoipa::path(
    get, path = "/v1/metrics/{metric}/live", tag = "metrics",
    params(
        ("metric" = String, Path, description = "Name of the metric"),
        ("from" = Option<String>, Query, description = "As for the series"),
        ("to" = Option<String>, Query, description = "As for the series"),
        ("step" = Option<String>, Query, description = "As for the series"),
        ("window" = Option<String>, Query, description = "As for the series"),
        ("since" = Option<String>, Query, description = "As for the series"),
        ("zone" = Option<String>, Query, description = "As for the series"),
        ("by" = Option<Vec<String>>, Query, description = "As for the series"),
        ("where" = Option<Vec<String>>, Query, description = "As for the series"),
        ("limit" = Option<usize>, Query, description = "As for the series"),
    ),
    responses(
        (status = 200, description = "The stream of events", body = String, content_type = "text/event-stream"),
        (status = 404, description = "No such metric", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "Too many live streams are open", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn live_series(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(metric): Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    let services = app.services()?;
    let question = question(&app, &services, &metric, request.uri().query(), now_us())?;
    let place = Place::take(&app, &caller)?;
    let mut subscription = app.inner().hub.subscribe(question);
    subscription.ready().await?;
    Ok(series_stream(place, subscription).into_response())
}

/// Several metrics over time, live, in one stream
///
/// Browsers open few connections to one server, so a board follows all its metrics in one. Each `q` is a metric and its
/// parameters, written as in the address of its series (`authorization_rate?from=-1h&by=psp`) and percent-encoded. The data
/// of each event begins with the member `query`, the number of the `q` it belongs to, from 0. A question that is refused or
/// fails says so in an event `problem`, and the others go on; with a status of 400 or 404 it is over. Only when all are
/// refused is the call itself.
#[utoipa::path(
    get, path = "/v1/live", tag = "metrics",
    params(("q" = Vec<String>, Query, description = "A metric and its parameters; repeatable")),
    responses(
        (status = 200, description = "The stream of events", body = String, content_type = "text/event-stream"),
        (status = 400, description = "A parameter is wrong", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "No such metric", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "Too many live streams are open", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn live_combined(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let services = app.services()?;
    let questions = questions(&app, &services, request.uri().query(), now_us())?;
    // A stream with nothing to tell would hide what is wrong.
    if questions.iter().all(Result::is_err)
        && let Some(Err(first)) = questions.first()
    {
        return Err(first.clone());
    }
    let place = Place::take(&app, &caller)?;
    let hub = &app.inner().hub;
    let subscriptions = questions
        .into_iter()
        .map(|question| question.map(|question| hub.subscribe(question)));
    Ok(combined_stream(place, subscriptions.collect()).into_response())
}

/// Several metrics over time, at once
///
/// A board asks for all its panels in one call. Each `q` is a metric and its parameters, as in `/v1/live`. There is an answer
/// for each, in their order: the document of its series, or the problem that this one has. The status is 200 whatever the
/// answers are, unless the call itself cannot be read. Answers with no room within `limits.http.series_answer_bytes_max`, and
/// those that are not there within `limits.http.series_deadline_ms`, are problems too: ask for those alone.
#[utoipa::path(
    get, path = "/v1/series", tag = "metrics",
    params(("q" = Vec<String>, Query, description = "A metric and its parameters, such as `payments?from=-1h&by=psp`, percent-encoded; repeatable")),
    responses(
        (status = 200, description = "The answers", body = SeriesList),
        (status = 400, description = "There is no question, or there are too many", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_several_series(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    let services = app.services()?;
    let now = now_us();
    let questions = questions(&app, &services, request.uri().query(), now)?;
    let limits = &app.inner().limits;
    let until = Instant::now() + limits.series_deadline();
    let answers = questions.into_iter().map(|question| {
        let services = services.clone();
        async move {
            let answer = answer(&services, question?, now);
            timeout_at(until, answer).await.unwrap_or_else(|_| {
                let detail = format!(
                    "There was no answer within {} ms, in which all of this call have to come; ask for this one alone.",
                    limits.series_deadline_ms
                );
                Err(Problem::new(Slug::Timeout, detail))
            })
        }
    });
    let mut answers = stream::iter(answers).buffered(ANSWERS_AT_ONCE_MAX);
    // Each is written as it comes, so that only their text is held and its size is known.
    let mut list = TextList::new(limits.series_answer_bytes_max);
    while let Some(answer) = answers.next().await {
        list.push(answer)?;
    }
    Ok(content("application/json", list.end()))
}

/// Answers of one call that are computed at the same time. More would only fill the queue before the workers, in which others
/// wait too.
const ANSWERS_AT_ONCE_MAX: usize = 4;

/// The text of a [`SeriesList`](crate::documents::SeriesList) as its answers come.
struct TextList {
    text: String,
    bytes_max: usize,
}

impl TextList {
    fn new(bytes_max: usize) -> Self {
        Self {
            text: r#"{"answers":["#.to_owned(),
            bytes_max,
        }
    }

    fn push(&mut self, answer: Result<SeriesDocument, Problem>) -> Result<(), Problem> {
        let mut text = written(match answer {
            Ok(document) => SeriesOrProblem::Series(Box::new(document)),
            Err(problem) => SeriesOrProblem::Problem(problem.document()),
        })?;
        if self.text.len().saturating_add(text.len()) > self.bytes_max {
            let detail = format!(
                "All answers together are larger than {} bytes; ask for this one alone.",
                self.bytes_max
            );
            let problem = Problem::new(Slug::QueryTooLarge, detail);
            text = written(SeriesOrProblem::Problem(problem.document()))?;
        }
        if !self.text.ends_with('[') {
            self.text.push(',');
        }
        self.text.push_str(&text);
        Ok(())
    }

    fn end(mut self) -> String {
        self.text.push_str("]}");
        self.text
    }
}

fn written(answer: SeriesOrProblem) -> Result<String, Problem> {
    serde_json::to_string(&answer).map_err(|cause| Problem::internal(&cause))
}

async fn answer(
    services: &Services,
    question: Question,
    now_us: i64,
) -> Result<SeriesDocument, Problem> {
    let metric = find(services, &question.metric)?;
    let meta = Meta::new(&question, &metric, now_us);
    let answer = services.figures.series(meta.whole(&question)).await?;
    Ok(document(&meta, answer))
}

/// The questions of a call, each of which may be refused by itself.
fn questions(
    app: &App,
    services: &Services,
    query: Option<&str>,
    now_us: i64,
) -> Result<Vec<Result<Question, Problem>>, Problem> {
    let params = Params::read(query, &["q"])?;
    let max = app.inner().limits.live_queries_per_client_max;
    let count = params.all("q").count();
    if count == 0 || count > max {
        return Err(Problem::parameter(
            "q",
            format!("Give 1 to {max} questions, each as 'q=metric?from=-1h'."),
        ));
    }
    let read = params.all("q").map(|text| {
        let (metric, query) = text.split_once('?').unwrap_or((text, ""));
        question(app, services, metric, Some(query), now_us)
    });
    Ok(read.collect())
}

pub(super) fn find(services: &Services, name: &str) -> Result<crate::documents::Metric, Problem> {
    services.figures.metric(name).ok_or_else(|| {
        let metrics = services.figures.metrics();
        unknown_metric(name, metrics.iter().map(|m| m.name.as_str()))
    })
}

/// What of a metric checking a question needs.
pub(super) fn askable(metric: &crate::documents::Metric) -> Askable<'_> {
    Askable {
        metric: &metric.name,
        dimensions: &metric.dimensions,
        bucket_us: metric.bucket_ms.saturating_mul(MS).max(1),
    }
}

fn question(
    app: &App,
    services: &Services,
    metric: &str,
    query: Option<&str>,
    now_us: i64,
) -> Result<Question, Problem> {
    let metric = find(services, metric)?;
    let params = Params::read(query, PARAMETERS)?;
    Question::read(&params, askable(&metric), &app.inner().limits, now_us).inspect_err(|problem| {
        tracing::debug!(
            metric = shorten(&metric.name),
            detail = problem.detail(),
            "refused"
        );
    })
}
