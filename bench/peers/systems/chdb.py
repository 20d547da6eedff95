"""chDB, which is ClickHouse in process: a batch over the file, and the same over a MergeTree it was loaded into."""

import importlib.metadata

import boards
import measure
import place
from systems import Run

name = "chDB (ClickHouse)"
promises = (
    "a batch: nothing is known until all is read, and the next minute reads all again; late events count; repeated ones count twice unless the query "
    "removes them; inserted rows are written without fsync by default"
)

COLUMNS = (
    "event_id String, occurred_at DateTime64(3, 'UTC'), payment_id String, merchant_id LowCardinality(String), customer_id String, amount Decimal(18, 2), "
    "currency LowCardinality(String), method LowCardinality(String), status LowCardinality(String), decline_code LowCardinality(Nullable(String)), "
    "psp LowCardinality(String), issuer LowCardinality(String), country LowCardinality(String), latency_ms Int64"
)
# Times with a T and a Z are only read this way.
SETTINGS = "date_time_input_format = 'best_effort'"
ANSWER = """
select toDateTime(toStartOfMinute(occurred_at), 'UTC') as minute, toString(merchant_id) as merchant_id, toString(method) as method, toString(status) as status,
       count() as n, sum(amount) as volume, toString(min(currency)) as currency_first, toString(max(currency)) as currency_last,
       uniqExact(customer_id) as customers, quantileExactHigh(0.95)(latency_ms) as p95
from {source} group by minute, merchant_id, method, status"""
ONCE = "(select * from {source} limit 1 by event_id)"


def version():
    found = {distribution: importlib.metadata.version(distribution) for distribution in ("chdb", "chdb-core")}
    return f"{found['chdb']}, ClickHouse {found['chdb-core']}"


def _run(*statements, at=":memory:"):
    script = f"from chdb import session\ndb = session.Session({str(at)!r})\n"
    script += "\n".join(f"db.query({statement!r})" for statement in statements)
    return measure.run([place.PYTHON, "-c", script])[1]


def q1(workload, folder):
    """Over the file as it is, over the file with each id once, and loaded into a table first."""
    file = f"file('{workload.file}', 'JSONEachRow', $${COLUMNS}$$)"

    def answer(source, to):
        return f"insert into function file('{folder / to}', 'Parquet') {ANSWER.format(source=source)} settings {SETTINGS}"

    cost = _run(answer(file, "plain.parquet"))
    yield Run("batch, repeated ids counted", cost, folder / "plain.parquet")
    cost = _run(answer(ONCE.format(source=file), "once.parquet"))
    yield Run("batch, each id once", cost, folder / "once.parquet")
    cost = _run(
        "create database w engine = Atomic",
        f"create table w.events ({COLUMNS}) engine = MergeTree order by (occurred_at)",
        f"insert into w.events select * from {file} settings {SETTINGS}",
        answer(ONCE.format(source="w.events"), "table.parquet"),
        at=folder / "table",
    )
    yield Run("inserted into a MergeTree, then asked, each id once", cost, folder / "table.parquet")


WINDOWS = """
select addSeconds(bucket, 10 * (k + 1)) as ends_at, toString(merchant) as merchant_id, sum(part) as n, sum(part_declined) as declined
from (select toStartOfInterval(occurred_at, interval 10 second, 'UTC') as bucket, merchant_id as merchant, count() as part, countIf(status = 'declined') as part_declined
      from {source} group by bucket, merchant)
array join range(30) as k
group by ends_at, merchant having n >= 30 and declined > 0.4 * n"""


def windows(workload, folder):
    """A batch over the file, each id once; ten seconds are added up once and then used by thirty windows."""
    source = ONCE.format(source=f"file('{workload.file}', 'JSONEachRow', $${COLUMNS}$$)")
    cost = _run(f"insert into function file('{folder / 'answer.parquet'}', 'Parquet') {WINDOWS.format(source=source)} settings {SETTINGS}")
    yield Run("batch, each id once", cost, folder / "answer.parquet")


def q6(workload, folder, seconds):
    """Raw events as Parquet, and a MergeTree rolled up by the hour."""
    raw, database = boards.raw_parquet(workload), folder / "board"
    roll_up = boards.ROLL_UP.format(raw="w.raw").replace("date_trunc('hour', occurred_at)", "assumeNotNull(toStartOfHour(occurred_at, 'UTC'))")
    prepared = _run(
        "create database w engine = Atomic",
        f"create view w.raw as select * from file('{raw}', 'Parquet')",
        f"create table w.rolled_up engine = MergeTree order by bucket as {roll_up.replace('group by all', 'group by bucket, method, status, psp')}",
        at=database,
    )
    asked, phases, answers = boards.ask("chdb", {"database": str(database)}, seconds)
    disk = raw.stat().st_size + boards.folder_bytes(database)
    yield boards.BoardRun("in process, Parquet and a rolled-up MergeTree", prepared, disk, asked, phases, answers)
