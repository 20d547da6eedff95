//! The catalogue's tables, and how older files are brought up to date.

use rusqlite::Connection;

use crate::MonitorError;

/// One script per schema version, in order. Released ones are never changed: a new version is a
/// further script.
const MIGRATIONS: [&str; 10] = [
    r"
create table incidents (
    id text primary key,
    monitor text not null,
    metric text not null,
    unit text,
    severity text not null,
    state text not null,
    slice text not null,
    opened_at_us integer not null,
    started_at_us integer not null,
    updated_at_us integer not null,
    resolved_at_us integer,
    value real,
    expected real,
    numerator real,
    denominator real,
    affected real,
    probability real,
    direction text not null,
    summary text not null,
    notify text not null,
    silenced_until_us integer,
    transition integer not null
) strict;
create index incidents_live on incidents (monitor) where state <> 'resolved';
create index incidents_by_time on incidents (opened_at_us);

create table timeline (
    id integer primary key,
    incident text not null references incidents (id) on delete cascade,
    at_us integer not null,
    kind text not null,
    text text not null
) strict;
create index timeline_by_incident on timeline (incident, id);

create table silences (
    id integer primary key,
    monitor text not null,
    slice text not null,
    until_us integer not null
) strict;

create table outbox (
    id integer primary key,
    incident text not null references incidents (id) on delete cascade,
    transition integer not null,
    channel text not null,
    kind text not null,
    body text not null,
    created_at_us integer not null,
    next_at_us integer not null,
    attempts integer not null default 0,
    state text not null default 'pending',
    last_error text,
    unique (incident, transition, channel)
) strict;
create index outbox_due on outbox (next_at_us) where state = 'pending';

create table progress (
    monitor text primary key,
    fingerprint text not null,
    judged_upto_us integer not null
) strict;

create table slice_states (
    monitor text not null,
    slice text not null,
    state text not null,
    primary key (monitor, slice)
) strict, without rowid;
",
    // `bound`: what a threshold's incident broke. `told`: whether channels last heard that the
    // incident is open; where that is not so, a silence kept it back.
    r"
alter table incidents add column bound real;
alter table incidents add column told integer not null default 0;
update incidents set told = (state <> 'resolved');
create index incidents_untold on incidents (id) where told <> (state <> 'resolved');
",
    // `judged`: the buckets that the figures are of. `revised_at_us` and `revision`: what events have
    // changed in them that came later.
    r"
alter table incidents add column judged text;
alter table incidents add column revised_at_us integer;
alter table incidents add column revision text;
create index incidents_resolved on incidents (monitor, resolved_at_us) where state = 'resolved';
",
    // `told` for each channel by itself, as quiet hours are a channel's own. `repeat`: what is told
    // again of a transition. `batch`: the first of the messages that go out as one.
    r"
create table told (
    incident text not null references incidents (id) on delete cascade,
    channel text not null,
    open integer not null,
    at_us integer not null,
    repeats integer not null default 0,
    primary key (incident, channel)
) strict, without rowid;
create index told_open on told (incident) where open <> 0;
insert into told (incident, channel, open, at_us)
    select distinct i.id, n.value, i.told, i.updated_at_us
    from incidents i, json_each(i.notify) n where i.told <> 0;
drop index incidents_untold;
alter table incidents drop column told;

create table messages (
    id integer primary key,
    incident text not null references incidents (id) on delete cascade,
    transition integer not null,
    channel text not null,
    kind text not null,
    body text not null,
    created_at_us integer not null,
    next_at_us integer not null,
    attempts integer not null default 0,
    state text not null default 'pending',
    last_error text,
    repeat integer not null default 0,
    batch integer,
    unique (incident, transition, channel, repeat)
) strict;
insert into messages
    select id, incident, transition, channel, kind, body, created_at_us, next_at_us, attempts,
        state, last_error, 0, null from outbox;
drop table outbox;
alter table messages rename to outbox;
create index outbox_due on outbox (next_at_us) where state = 'pending';
create index outbox_batch on outbox (batch) where batch is not null;
",
    // `evidence`: −log₁₀ of the smallest p-value. `feedback`: what people said of incidents.
    r"
alter table incidents add column evidence real;
create table feedback (
    incident text primary key references incidents (id) on delete cascade,
    monitor text not null,
    evidence real,
    is_real integer not null,
    at_us integer not null
) strict, without rowid;
create index feedback_by_monitor on feedback (monitor, at_us);
",
    // `explanation`: which slices explain the change; `impact`: how much is at stake; both as JSON. `owner`: who
    // looks after it. `part_of`: the incident of another monitor that has the same cause.
    r"
alter table incidents add column explanation text;
alter table incidents add column impact text;
alter table incidents add column owner text;
alter table incidents add column part_of text;
create index incidents_by_leader on incidents (part_of) where part_of is not null;
",
    // Boards that people saved; a version is never given twice. `silences`: for which incident, by whom, why and when.
    r"
create table boards (
    version integer primary key autoincrement,
    name text not null unique,
    title text not null,
    board text not null,
    changed_at_us integer not null
) strict;
alter table silences add column incident text;
alter table silences add column by_whom text;
alter table silences add column note text;
alter table silences add column created_at_us integer;
",
    // What people did or heard of that may be why a figure moved. `request_key`: by which it was sent, so that it is kept once.
    r"
create table annotations (
    id integer primary key autoincrement,
    created_at_us integer not null,
    kind text not null,
    at_us integer not null,
    until_us integer,
    title text not null,
    text text,
    by_whom text,
    url text,
    slice text not null,
    request_key text unique
) strict;
create index annotations_by_time on annotations (at_us);
",
    // Access tokens: who may do what. Of a token only the hash is kept; a name is free again when its token was revoked.
    // `by_whom`: who saved a board.
    r"
create table tokens (
    id integer primary key autoincrement,
    name text not null,
    role text not null,
    hash blob not null unique,
    created_at_us integer not null,
    expires_at_us integer,
    last_used_at_us integer,
    revoked_at_us integer
) strict;
create unique index tokens_by_name on tokens (name) where revoked_at_us is null;
alter table boards add column by_whom text;
",
    // `passed`: how many events there were where nobody can tell how many were affected.
    r"
alter table incidents add column passed real;
",
];

/// Runs the scripts that the file has not seen yet, each in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), MonitorError> {
    let found: u32 = connection.query_row("pragma user_version", [], |row| row.get(0))?;
    let known = MIGRATIONS.len() as u32;
    if found > known {
        return Err(MonitorError::NewerSchema { found, known });
    }
    for (script, version) in MIGRATIONS.iter().zip(1_u32..).skip(found as usize) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(script)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Catalogue, IncidentFilter, told};
    use crate::figure::Slice;
    use crate::incident::IncidentId;

    #[test]
    fn a_catalogue_is_opened_again_with_its_schema_and_a_newer_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalogue.db");
        drop(Catalogue::open(&path).unwrap());
        drop(Catalogue::open(&path).unwrap());
        Connection::open(&path)
            .unwrap()
            .pragma_update(None, "user_version", 99)
            .unwrap();
        let refused = Catalogue::open(&path).unwrap_err();
        let expected = "catalogue: schema version 99 is newer than 10, which this version knows";
        assert_eq!(refused.to_string(), expected);
    }

    #[test]
    fn a_file_of_the_first_version_is_brought_up_to_date_and_tells_nothing_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalogue.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(MIGRATIONS[0]).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        for (number, state) in [(0, "open"), (1, "resolved")] {
            let id = IncidentId::new(1, "m", &Slice::whole(), number);
            old.execute(
                "insert into incidents values (?1, 'm', 'metric', null, 'warning', ?2, '{}', 1, 1,
                     1, null, 0.5, 0.9, null, null, null, null, 'down', 'it fell',
                     '[\"on_call\"]', null, 1)",
                rusqlite::params![id.as_str(), state],
            )
            .unwrap();
        }
        let open = IncidentId::new(1, "m", &Slice::whole(), 0);
        old.execute(
            "insert into outbox (incident, transition, channel, kind, body, created_at_us, next_at_us)
             values (?1, 1, 'on_call', 'opened', '{}', 1, 1)",
            [open.as_str()],
        )
        .unwrap();
        drop(old);
        let catalogue = Catalogue::open(&path).unwrap();
        let found = catalogue.incidents(&IncidentFilter::default()).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].figures.bound, None);
        let standing = catalogue.read(told::standing).unwrap();
        assert_eq!(standing.len(), 1, "{standing:?}");
        let (channel, told) = &standing[0].channels[0];
        assert_eq!(channel, "on_call");
        assert!(told.is_some_and(|told| told.open && told.repeats == 0));
        let waiting = catalogue.due(2, 16, &[]).unwrap();
        assert_eq!(waiting.len(), 1, "what waited goes on waiting");
        assert_eq!(waiting[0][0].idempotency_key(), format!("{open}:1"));
    }

    #[test]
    fn a_file_that_is_no_catalogue_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalogue.db");
        std::fs::write(&path, "x".repeat(8192)).unwrap();
        assert!(matches!(
            Catalogue::open(&path),
            Err(MonitorError::Catalogue(_))
        ));
    }
}
