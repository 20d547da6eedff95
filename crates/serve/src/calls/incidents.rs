//! Incidents, what is done about them, and the monitors that open them.

use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tillwatch_event::guard::mask;

use crate::access::Caller;
use crate::app::App;
use crate::calls::{json, json_body};
use crate::documents::{
    ActionRequest, Incident, IncidentList, IncidentState, MonitorList, SilenceList, Verdict,
};
use crate::live::{Place, incident_stream, off_runtime};
use crate::ports::IncidentAction;
use crate::problem::{Problem, ProblemDocument, Slug};
use crate::request::named::Named;
use crate::request::params::{Params, nearest};
use crate::request::time::{parse_duration_us, shorten};

/// Incidents shown when the caller names no limit.
const INCIDENTS_DEFAULT: usize = 100;

/// A silence lasts this long unless told.
const SILENCE_DEFAULT: Duration = Duration::from_secs(3_600);

/// A silence lasts at most this long; a longer one is forgotten by those who made it.
const SILENCE_MAX: Duration = Duration::from_secs(30 * 86_400);

/// A note or a name may have this many characters.
const NOTE_CHARS_MAX: usize = 2_000;

/// Incidents
#[utoipa::path(
    get, path = "/v1/incidents", tag = "incidents",
    params(
        ("state" = Option<String>, Query, description = "open, acknowledged or resolved; all unless told"),
        ("limit" = Option<usize>, Query, description = "At most so many, 100 unless told"),
    ),
    responses((status = 200, description = "The incidents, latest first", body = IncidentList))
)]
pub(crate) async fn list_incidents(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &["state", "limit"])?;
    let limit = params.count("limit", INCIDENTS_DEFAULT, app.inner().limits.list_rows_max)?;
    let state = params.one("state")?.map(read_state).transpose()?;
    let incidents = app.services()?.incidents;
    json(&IncidentList {
        incidents: off_runtime(move || incidents.list(state, limit)).await?,
    })
}

fn read_state(text: &str) -> Result<IncidentState, Problem> {
    IncidentState::from_name(text).ok_or_else(|| {
        let detail = format!(
            "'{}' is none of open, acknowledged, resolved.",
            shorten(text)
        );
        let nearest = nearest(text, ["open", "acknowledged", "resolved"].into_iter());
        Problem::parameter("state", detail).suggesting(nearest)
    })
}

/// One incident
#[utoipa::path(
    get, path = "/v1/incidents/{id}", tag = "incidents",
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 200, description = "The incident with its timeline", body = Incident),
        (status = 404, description = "No such incident", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_incident(
    State(app): State<App>,
    Named(id): Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let incidents = app.services()?.incidents;
    let asked = id.clone();
    let found = off_runtime(move || incidents.one(&asked)).await?;
    json(&found.ok_or_else(|| unknown(&id))?)
}

/// Incidents, live
///
/// Server-sent events: `snapshot` (a list), then `incident` for each that changes, and `heartbeat` every 15 s.
#[utoipa::path(
    get, path = "/v1/incidents/live", tag = "incidents",
    responses(
        (status = 200, description = "The stream of events", body = String, content_type = "text/event-stream"),
        (status = 503, description = "Too many live streams are open", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn live_incidents(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let services = app.inner().services.subscribe();
    let incidents = app.services()?.incidents;
    let place = Place::take(&app, &caller)?;
    let stream = incident_stream(place, services, incidents).await?;
    Ok(stream.into_response())
}

/// Do something about an incident
///
/// `acknowledge` says that somebody has taken it, `resolve` that it is over, `silence` that nothing is to be announced about
/// it for a while (one hour unless `for` says otherwise, at most 30 days). `feedback` says by its `verdict` whether it was
/// `real` or a `false_alarm`, at any time; the probabilities of its monitor learn from that. `note` writes its `note` into the
/// timeline, at any time.
#[utoipa::path(
    post, path = "/v1/incidents/{id}/{action}", tag = "incidents",
    params(
        ("id" = String, Path, description = "Its id"),
        ("action" = String, Path, description = "acknowledge, resolve, silence, feedback or note"),
    ),
    request_body(content = Option<ActionRequest>, description = "Optional"),
    responses(
        (status = 200, description = "The incident as it is now", body = Incident),
        (status = 404, description = "No such incident or action", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "Its state does not allow this", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn act_on_incident(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named((id, action)): Named<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    const ACTIONS: [&str; 5] = ["acknowledge", "resolve", "silence", "feedback", "note"];
    if !ACTIONS.contains(&action.as_str()) {
        return Err(Problem::new(
            Slug::NotFound,
            format!("'{}' is none of {}.", shorten(&action), ACTIONS.join(", ")),
        )
        .suggesting(nearest(&action, ACTIONS.into_iter())));
    }
    let incidents = app.services()?.incidents;
    let mut asked = json_body(&app, request, Some(ActionRequest::default())).await?;
    check_texts(&mut asked)?;
    asked.by = caller.acting(asked.by.take());
    let action = match action.as_str() {
        "acknowledge" => IncidentAction::Acknowledge,
        "resolve" => IncidentAction::Resolve,
        "note"
            if asked
                .note
                .as_ref()
                .is_none_or(|note| note.trim().is_empty()) =>
        {
            return Err(Problem::new(
                Slug::BodyUnreadable,
                "A note needs a 'note', which is its text.",
            ));
        }
        "note" => IncidentAction::Note,
        "feedback" => IncidentAction::Feedback {
            is_real: asked
                .verdict
                .map(|verdict| verdict == Verdict::Real)
                .ok_or_else(|| {
                    Problem::new(
                        Slug::BodyUnreadable,
                        "Feedback needs a 'verdict', which is 'real' or 'false_alarm'.",
                    )
                })?,
        },
        _ => IncidentAction::Silence {
            duration: silence_duration(&asked)?,
        },
    };
    let target = id.clone();
    let changed = off_runtime(move || incidents.act(&target, action, &asked)).await?;
    json(&changed.ok_or_else(|| unknown(&id))?)
}

/// What people write stands in the timeline and in messages: it has a length, and card numbers in it are masked.
fn check_texts(asked: &mut ActionRequest) -> Result<(), Problem> {
    for (name, text) in [("note", &mut asked.note), ("by", &mut asked.by)] {
        let Some(text) = text else {
            continue;
        };
        if text.chars().count() > NOTE_CHARS_MAX {
            return Err(Problem::new(
                Slug::BodyUnreadable,
                format!("'{name}' may have at most {NOTE_CHARS_MAX} characters."),
            ));
        }
        *text = mask(text).into_owned();
    }
    Ok(())
}

fn silence_duration(asked: &ActionRequest) -> Result<Duration, Problem> {
    let Some(text) = &asked.duration else {
        return Ok(SILENCE_DEFAULT);
    };
    let us = parse_duration_us(text)
        .map_err(|fault| Problem::new(Slug::BodyUnreadable, format!("'for': {fault}.")))?;
    let duration = Duration::from_micros(us.unsigned_abs());
    if duration > SILENCE_MAX {
        return Err(Problem::new(
            Slug::BodyUnreadable,
            "A silence lasts at most 30 days.",
        ));
    }
    Ok(duration)
}

fn unknown(id: &str) -> Problem {
    Problem::new(
        Slug::UnknownIncident,
        format!("There is no incident '{}'.", shorten(id)),
    )
}

/// Monitors
#[utoipa::path(
    get, path = "/v1/monitors", tag = "incidents",
    responses((status = 200, description = "All monitors and what they see", body = MonitorList))
)]
pub(crate) async fn list_monitors(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let incidents = app.services()?.incidents;
    json(&MonitorList {
        monitors: off_runtime(move || incidents.monitors()).await?,
    })
}

/// Silences
///
/// What nobody is told of for a while, because somebody silenced an incident. They end by themselves.
#[utoipa::path(
    get, path = "/v1/silences", tag = "incidents",
    params(("limit" = Option<usize>, Query, description = "At most so many, 100 unless told")),
    responses((status = 200, description = "The silences that last, those that end first before the others", body = SilenceList))
)]
pub(crate) async fn list_silences(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &["limit"])?;
    let limit = params.count("limit", INCIDENTS_DEFAULT, app.inner().limits.list_rows_max)?;
    let incidents = app.services()?.incidents;
    json(&SilenceList {
        silences: off_runtime(move || incidents.silences(limit)).await?,
    })
}

/// End a silence
///
/// What it kept back is told then, if it is still so.
#[utoipa::path(
    delete, path = "/v1/silences/{id}", tag = "incidents",
    params(
        ("id" = i64, Path, description = "Its number"),
        ("by" = Option<String>, Query, description = "Who ends it, for the incident's timeline"),
    ),
    responses(
        (status = 204, description = "It is over"),
        (status = 404, description = "No such silence, or it was over already", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn end_silence(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &["by"])?;
    let by = params.one("by")?.map(|by| mask(by).into_owned());
    if by
        .as_ref()
        .is_some_and(|by| by.chars().count() > NOTE_CHARS_MAX)
    {
        let detail = format!("'by' may have at most {NOTE_CHARS_MAX} characters.");
        return Err(Problem::parameter("by", detail));
    }
    let by = caller.acting(by);
    let unknown = || {
        let detail = format!("There is no silence '{}', or it is over.", shorten(&id));
        Problem::new(Slug::UnknownSilence, detail)
    };
    let number: i64 = id.parse().map_err(|_| unknown())?;
    let incidents = app.services()?.incidents;
    let ended = off_runtime(move || incidents.end_silence(number, by.as_deref()));
    if !ended.await? {
        return Err(unknown());
    }
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}
