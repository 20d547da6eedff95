"""DuckDB in process: a batch over the file, and the same over a table it was loaded into."""

import importlib.metadata
import sys

import boards
import measure
import workload as workloads
from systems import Run

name = "DuckDB"
promises = (
    "a batch: nothing is known until all is read, and the next minute reads all again; late events count; repeated ones count twice unless the query "
    "removes them, by all ids it ever saw; the table is durable once the load is committed"
)

UNORDERED = "set preserve_insertion_order = false"
ANSWER = """
select time_bucket(interval '1 minute', occurred_at) as minute, merchant_id, method, status, count(*) as n, sum(amount) as volume,
       min(currency) as currency_first, max(currency) as currency_last, count(distinct customer_id) as customers, quantile_disc(latency_ms, 0.95) as p95
from {source} group by all"""
# The columns are named so that no other is carried along.
ONCE = "(select distinct on (event_id) event_id, occurred_at, merchant_id, method, status, amount, currency, customer_id, latency_ms from {source})"


def version():
    return importlib.metadata.version("duckdb")


def _run(database, script, folder):
    # What does not fit in memory goes to a folder below the working one.
    return measure.run([sys.executable, "-c", f"import duckdb\ndb = duckdb.connect({str(database)!r})\n{script}"], cwd=folder)[1]


def _statements(*statements):
    return "\n".join(f"db.execute({statement!r})" for statement in statements)


def q1(workload, folder):
    """Over the file as it is, over the file with each id once, and loaded into a table first."""
    file = workloads.source(workload.file)

    def answer(source, to):
        return f"copy ({ANSWER.format(source=source)}) to '{folder / to}' (format parquet)"

    cost = _run(":memory:", _statements(UNORDERED, answer(file, "plain.parquet")), folder)
    yield Run("batch, repeated ids counted", cost, folder / "plain.parquet")
    once = ONCE.format(source=file)
    cost = _run(":memory:", _statements(UNORDERED, answer(once, "once.parquet")), folder)
    yield Run("batch, each id once", cost, folder / "once.parquet")
    load = f"create table events as select * from {file}"
    asked = answer(ONCE.format(source="events"), "table.parquet")
    cost = _run(folder / "table.duckdb", _statements(UNORDERED, load, "checkpoint", asked), folder)
    yield Run("loaded into a table, then asked, each id once", cost, folder / "table.parquet")


WINDOWS = """
select ends_at, merchant_id, sum(n)::bigint as n, sum(declined)::bigint as declined
from (
  select bucket + (k + 1) * interval '10 seconds' as ends_at, merchant_id, n, declined
  from (select time_bucket(interval '10 seconds', occurred_at) as bucket, merchant_id, count(*) as n, count(*) filter (where status = 'declined') as declined
        from {source} group by all) cross join range(30) t(k)
) group by all having sum(n) >= 30 and sum(declined) > 0.4 * sum(n)"""


def windows(workload, folder):
    """A batch over the file, each id once; ten seconds are added up once and then used by thirty windows."""
    source = ONCE.format(source=workloads.source(workload.file))
    text = f"copy ({WINDOWS.format(source=source)}) to '{folder / 'answer.parquet'}' (format parquet)"
    cost = _run(":memory:", _statements(UNORDERED, text), folder)
    yield Run("batch, each id once", cost, folder / "answer.parquet")


def q6(workload, folder, seconds):
    """Raw events as Parquet, and a table rolled up by the hour."""
    raw, database = boards.raw_parquet(workload), folder / "board.duckdb"
    prepare = _statements(f"create view raw as select * from '{raw}'", f"create table rolled_up as {boards.ROLL_UP.format(raw='raw')}", "checkpoint")
    prepared = _run(database, prepare, folder)
    asked, phases, answers = boards.ask("duckdb", {"database": str(database)}, seconds)
    disk = raw.stat().st_size + database.stat().st_size
    yield boards.BoardRun("in process, Parquet and a rolled-up table", prepared, disk, asked, phases, answers)
