//! Incidents and their timelines.

use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::{Catalogue, damaged, from_json, to_json};
use crate::MonitorError;
use crate::definition::Severity;
use crate::figure::Slice;
use crate::incident::{
    Deviation, Incident, IncidentFigures, IncidentId, IncidentState, TimelineEntry, TimelineKind,
};

/// Which incidents are listed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IncidentFilter {
    /// Only of this state.
    pub state: Option<IncidentState>,
    /// Only of this monitor.
    pub monitor: Option<String>,
    /// At most this many, the newest first; `None` and anything larger is [`LIST_MAX`].
    pub limit: Option<usize>,
}

/// Most incidents that one call lists.
pub const LIST_MAX: usize = 1000;
/// Most incidents of one metric that are read at once.
pub const METRIC_MAX: usize = 5_000;
/// Most lines of a timeline that are read.
const TIMELINE_MAX: usize = 1000;

const SELECT: &str = "select id, monitor, metric, unit, severity, state, slice, opened_at_us, \
     started_at_us, updated_at_us, resolved_at_us, value, expected, numerator, denominator, \
     affected, probability, direction, summary, silenced_until_us, transition, bound, judged, \
     revised_at_us, revision, evidence, explanation, impact, owner, part_of, passed, \
     (select json_group_array(part.id) from incidents part where part.part_of = incidents.id) as parts, \
     (select is_real from feedback where incident = incidents.id) as is_real \
     from incidents ";

impl Catalogue {
    /// The incidents that match, the newest first.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn incidents(&self, filter: &IncidentFilter) -> Result<Vec<Incident>, MonitorError> {
        let state = filter.state.map(IncidentState::name);
        let limit = filter.limit.unwrap_or(LIST_MAX).min(LIST_MAX);
        let rest = "where (?1 is null or state = ?1) and (?2 is null or monitor = ?2) \
                    order by opened_at_us desc, id desc limit ?3";
        self.read(|db| select(db, rest, params![state, filter.monitor, limit as i64]))
    }

    /// The incidents of a metric that lasted into a stretch of time, the oldest first; of more than [`METRIC_MAX`] the
    /// last.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn incidents_of_metric(
        &self,
        metric: &str,
        from_us: i64,
        to_us: i64,
    ) -> Result<Vec<Incident>, MonitorError> {
        let rest = "where metric = ?1 and started_at_us < ?3 and coalesce(resolved_at_us, ?3) >= ?2 \
                    order by opened_at_us desc, id desc limit ?4";
        let range = params![metric, from_us, to_us, METRIC_MAX as i64];
        let mut found = self.read(|db| select(db, rest, range))?;
        found.reverse();
        Ok(found)
    }

    /// The incident of that id.
    ///
    /// # Errors
    /// [`MonitorError::UnknownIncident`], or the catalogue cannot be read.
    pub fn incident(&self, id: &str) -> Result<Incident, MonitorError> {
        self.read(|db| get(db, id))
    }
}

/// The incident of that id, with its timeline.
pub(crate) fn get(db: &Connection, id: &str) -> Result<Incident, MonitorError> {
    let found = select(db, "where id = ?1", [id])?.pop();
    found.ok_or_else(|| MonitorError::UnknownIncident(id.to_owned()))
}

/// Every incident of `monitor`, or of any, that is not resolved; the oldest first.
pub(crate) fn live(db: &Connection, monitor: Option<&str>) -> Result<Vec<Incident>, MonitorError> {
    let rest = "where state <> 'resolved' and (?1 is null or monitor = ?1) \
                order by opened_at_us, id";
    select(db, rest, [monitor])
}

/// Incidents of `monitor` that lasted beyond `from_us`: what baselines leave out.
pub(crate) fn since(
    db: &Connection,
    monitor: &str,
    from_us: i64,
) -> Result<Vec<Incident>, MonitorError> {
    let rest = "where monitor = ?1 and coalesce(resolved_at_us, ?2) >= ?2";
    select(db, rest, params![monitor, from_us])
}

/// The last incident of `monitor` and `slice` that was resolved at or after `since_us`.
pub(crate) fn lately_resolved(
    db: &Connection,
    monitor: &str,
    slice: &Slice,
    direction: Deviation,
    since_us: i64,
) -> Result<Option<Incident>, MonitorError> {
    let rest = "where monitor = ?1 and slice = ?2 and direction = ?3 and state = 'resolved' \
                and resolved_at_us >= ?4 order by resolved_at_us desc limit 1";
    let slice = to_json("slice", slice)?;
    Ok(select(
        db,
        rest,
        params![monitor, slice, direction.name(), since_us],
    )?
    .pop())
}

/// The last incidents of `monitor` that were resolved at or after `since_us`, at most `limit`.
pub(crate) fn resolved_since(
    db: &Connection,
    monitor: &str,
    since_us: i64,
    limit: usize,
) -> Result<Vec<Incident>, MonitorError> {
    let rest = "where monitor = ?1 and state = 'resolved' and resolved_at_us >= ?2 \
                order by resolved_at_us desc limit ?3";
    select(db, rest, params![monitor, since_us, limit as i64])
}

/// Writes an incident, new or changed, without its timeline.
pub(crate) fn put(db: &Connection, i: &Incident, notify: &[String]) -> Result<(), MonitorError> {
    let f = &i.figures;
    db.prepare_cached(
        "insert into incidents (id, monitor, metric, unit, severity, state, slice, opened_at_us,
             started_at_us, updated_at_us, resolved_at_us, value, expected, numerator, denominator,
             affected, probability, direction, summary, silenced_until_us, transition, notify, bound,
             judged, revised_at_us, revision, evidence, explanation,
             impact, owner, passed)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
             ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31)
         on conflict (id) do update set severity = ?5, state = ?6, slice = ?7, started_at_us = ?9,
             updated_at_us = ?10, resolved_at_us = ?11, value = ?12, expected = ?13,
             numerator = ?14, denominator = ?15, affected = ?16, probability = ?17, summary = ?19,
             silenced_until_us = ?20, transition = ?21, notify = ?22, bound = ?23,
             judged = ?24, revised_at_us = ?25, revision = ?26, evidence = ?27,
             explanation = ?28, impact = ?29, owner = ?30, passed = ?31",
    )?
    .execute(params![
        i.id.as_str(),
        i.monitor,
        i.metric,
        i.unit,
        i.severity.name(),
        i.state.name(),
        to_json("slice", &i.slice)?,
        i.opened_at_us,
        i.started_at_us,
        i.updated_at_us,
        i.resolved_at_us,
        f.value,
        f.expected,
        f.numerator,
        f.denominator,
        f.affected,
        f.probability,
        i.direction.name(),
        i.summary,
        i.silenced_until_us,
        i.transition,
        to_json("notify", &notify)?,
        f.bound,
        (i.judged.as_ref())
            .map(|judged| to_json("judged", judged))
            .transpose()?,
        i.revised_at_us,
        (i.revision.as_ref())
            .map(|revision| to_json("revision", revision))
            .transpose()?,
        f.evidence,
        (i.explanation.as_ref())
            .map(|explanation| to_json("explanation", explanation))
            .transpose()?,
        (i.impact.as_ref())
            .map(|impact| to_json("impact", impact))
            .transpose()?,
        i.owner,
        f.passed,
    ])?;
    Ok(())
}

/// The incidents of `monitor` that say they are silenced beyond `now_us`.
pub(crate) fn silenced(
    db: &Connection,
    monitor: &str,
    now_us: i64,
) -> Result<Vec<Incident>, MonitorError> {
    let rest = "where monitor = ?1 and silenced_until_us > ?2 order by id";
    select(db, rest, params![monitor, now_us])
}

/// Writes until when an incident is silenced.
pub(crate) fn set_silenced(
    db: &Connection,
    id: &IncidentId,
    until_us: Option<i64>,
) -> Result<(), MonitorError> {
    db.prepare_cached("update incidents set silenced_until_us = ?2 where id = ?1")?
        .execute(params![id.as_str(), until_us])?;
    Ok(())
}

/// Makes an incident part of another, or of none.
pub(crate) fn join(
    db: &Connection,
    id: &IncidentId,
    leader: Option<&IncidentId>,
) -> Result<(), MonitorError> {
    db.prepare_cached("update incidents set part_of = ?2 where id = ?1")?
        .execute(params![id.as_str(), leader.map(IncidentId::as_str)])?;
    Ok(())
}

/// Makes what is part of one incident part of another.
pub(crate) fn hand_over(
    db: &Connection,
    from: &IncidentId,
    to: &IncidentId,
) -> Result<(), MonitorError> {
    db.prepare_cached("update incidents set part_of = ?2 where part_of = ?1 and id <> ?2")?
        .execute(params![from.as_str(), to.as_str()])?;
    Ok(())
}

/// Incidents of other monitors that are not over and began within a time of another; the oldest first.
pub(crate) fn beginning_near(
    db: &Connection,
    monitor: &str,
    started_at_us: i64,
    within_us: i64,
) -> Result<Vec<Incident>, MonitorError> {
    let rest = "where state <> 'resolved' and monitor <> ?1 and abs(started_at_us - ?2) <= ?3 \
                order by opened_at_us, id";
    select(db, rest, params![monitor, started_at_us, within_us])
}

/// Most incidents between a part and what it is part of.
const CHAIN_MAX: usize = 8;

/// Whether a channel has been told of an incident of this severity or a higher one, or of what that is part of, that lasts or was
/// over no earlier than `since_us`.
pub(crate) fn is_told(
    db: &Connection,
    id: &str,
    severity: Severity,
    channel: &str,
    since_us: i64,
) -> Result<bool, MonitorError> {
    let sql = "select severity, part_of, exists (select 1 from told where incident = ?1 and channel = ?2 \
                   and (open <> 0 or incidents.state = 'resolved')) \
               from incidents where id = ?1 and (state <> 'resolved' or resolved_at_us >= ?3)";
    let mut statement = db.prepare_cached(sql)?;
    let mut at = id.to_owned();
    for _ in 0..CHAIN_MAX {
        let found: Option<(String, Option<String>, bool)> = statement
            .query_row(params![at, channel, since_us], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((own, part_of, is_told)) = found else {
            return Ok(false);
        };
        let own = Severity::parse(&own).map_err(|fault| damaged("severity", fault))?;
        if is_told {
            return Ok(own >= severity);
        }
        let Some(next) = part_of else {
            return Ok(false);
        };
        at = next;
    }
    Ok(false)
}

fn parse_id(id: &str) -> Result<IncidentId, MonitorError> {
    IncidentId::parse(id).ok_or_else(|| damaged("incident id", id))
}

/// The channels that are told of an incident, as its monitor named them when it opened.
pub(crate) fn notify(db: &Connection, id: &IncidentId) -> Result<Vec<String>, MonitorError> {
    let text: Option<String> = db
        .query_row(
            "select notify from incidents where id = ?1",
            [id.as_str()],
            |row| row.get(0),
        )
        .optional()?;
    text.map_or(Ok(Vec::new()), |text| from_json("notify", &text))
}

/// Appends a line to an incident's timeline.
pub(crate) fn append(
    db: &Connection,
    id: &IncidentId,
    entry: &TimelineEntry,
) -> Result<(), MonitorError> {
    db.prepare_cached(
        "insert into timeline (incident, at_us, kind, text) values (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        id.as_str(),
        entry.at_us,
        entry.kind.name(),
        entry.text
    ])?;
    Ok(())
}

fn select(
    db: &Connection,
    rest: &str,
    parameters: impl Params,
) -> Result<Vec<Incident>, MonitorError> {
    let mut statement = db.prepare_cached(&format!("{SELECT}{rest}"))?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut incident = read_row(row)?;
        incident.timeline = timeline(db, &incident.id)?;
        found.push(incident);
    }
    Ok(found)
}

fn timeline(db: &Connection, id: &IncidentId) -> Result<Vec<TimelineEntry>, MonitorError> {
    let mut statement = db.prepare_cached(
        "select at_us, kind, text from timeline where incident = ?1 order by id limit ?2",
    )?;
    let mut rows = statement.query(params![id.as_str(), TIMELINE_MAX as i64])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let kind: String = row.get(1)?;
        let kind = TimelineKind::parse(&kind).ok_or_else(|| damaged("timeline kind", &kind))?;
        entries.push(TimelineEntry {
            at_us: row.get(0)?,
            kind,
            text: row.get(2)?,
        });
    }
    Ok(entries)
}

fn read_row(row: &Row<'_>) -> Result<Incident, MonitorError> {
    let text = |column: &str| -> Result<String, MonitorError> { Ok(row.get(column)?) };
    let id = text("id")?;
    let (judged, revision): (Option<String>, Option<String>) =
        (row.get("judged")?, row.get("revision")?);
    let (explanation, impact): (Option<String>, Option<String>) =
        (row.get("explanation")?, row.get("impact")?);
    let (severity, state, direction) = (text("severity")?, text("state")?, text("direction")?);
    Ok(Incident {
        id: parse_id(&id)?,
        monitor: text("monitor")?,
        metric: text("metric")?,
        unit: row.get("unit")?,
        severity: Severity::parse(&severity).map_err(|fault| damaged("severity", fault))?,
        state: IncidentState::parse(&state).ok_or_else(|| damaged("state", &state))?,
        slice: from_json("slice", &text("slice")?)?,
        opened_at_us: row.get("opened_at_us")?,
        started_at_us: row.get("started_at_us")?,
        updated_at_us: row.get("updated_at_us")?,
        resolved_at_us: row.get("resolved_at_us")?,
        figures: IncidentFigures {
            value: row.get("value")?,
            expected: row.get("expected")?,
            bound: row.get("bound")?,
            numerator: row.get("numerator")?,
            denominator: row.get("denominator")?,
            affected: row.get("affected")?,
            passed: row.get("passed")?,
            probability: row.get("probability")?,
            evidence: row.get("evidence")?,
        },
        direction: match direction.as_str() {
            "up" => Deviation::Up,
            "down" => Deviation::Down,
            other => return Err(damaged("direction", other)),
        },
        summary: text("summary")?,
        timeline: Vec::new(),
        revised_at_us: row.get("revised_at_us")?,
        revision: (revision.as_deref())
            .map(|revision| from_json("revision", revision))
            .transpose()?,
        judged: (judged.as_deref())
            .map(|judged| from_json("judged", judged))
            .transpose()?,
        silenced_until_us: row.get("silenced_until_us")?,
        transition: row.get("transition")?,
        is_real: row.get("is_real")?,
        // Worth having, and not worth losing the incident for.
        explanation: explanation.and_then(|text| from_json("explanation", &text).ok()),
        impact: impact.and_then(|text| from_json("impact", &text).ok()),
        owner: row.get("owner")?,
        part_of: (row.get::<_, Option<String>>("part_of")?)
            .map(|id| parse_id(&id))
            .transpose()?,
        parts: from_json::<Vec<String>>("parts", &text("parts")?)?
            .iter()
            .map(|id| parse_id(id))
            .collect::<Result<_, _>>()?,
    })
}
