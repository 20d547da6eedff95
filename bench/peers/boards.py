"""Q6: prepares the true answers, lets `board.py` ask a system, and compares what it was told."""

import base64
import dataclasses
import decimal
import json

import duckdb

import board
import measure
import place
import workload as workloads
from measure import Cost

CLIENTS = 16
ROLL_UP = """
select date_trunc('hour', occurred_at) as bucket, method, status, psp, count(*) as attempts,
       count(*) filter (where status = 'declined') as declined, sum(case when currency = 'EUR' then amount else 0 end) as volume
from {raw} group by all"""


@dataclasses.dataclass
class BoardRun:
    """What one system's clients saw."""

    variant: str
    # Before the first question: loading, rolling up.
    prepared: Cost
    disk_bytes: int
    asked: Cost
    phases: dict
    answers: dict

    def at(self, phase, quantile):
        took = self.phases[phase]
        return took[round((len(took) - 1) * quantile)]


def raw_parquet(workload):
    """All events, each once, by time, as a lake would hold them."""
    file = workload.file.with_suffix(".raw.parquet")
    if not file.exists():
        unfinished = file.with_suffix(".unfinished")
        with duckdb.connect() as db:
            once = f"select distinct on (event_id) * from {workloads.source(workload.file)}"
            db.execute(f"copy (select * from ({once}) order by occurred_at) to '{unfinished}' (format parquet, compression zstd)")
        unfinished.rename(file)
    return file


def truth(workload):
    """The right rows of every tile."""
    with duckdb.connect() as db:
        db.execute(f"create view raw as select * from '{raw_parquet(workload)}'")
        db.execute(f"create table rolled_up as {ROLL_UP.format(raw='raw')}")
        names = [*board.ROLLED_UP, *board.RAW]
        return {name: plain(db.execute(board.sql(name, "rolled_up", "raw")).fetchall()) for name in names}


def plain(rows):
    """Rows that compare: figures as decimals however they are written, days as text."""
    return [tuple(_plain(cell) for cell in row) for row in rows]


def _plain(cell):
    try:
        return decimal.Decimal(str(cell)).normalize()
    except decimal.InvalidOperation:
        return str(cell)


def wrong_tiles(true, answers):
    """The tiles of which any row differs."""
    return [name for name, rows in true.items() if sorted(map(str, plain(answers[name]))) != sorted(map(str, rows))]


def ask(system, settings, seconds, pids=None):
    """Runs the clients; the cost is that of `pids`, or of the clients' process when the system lives in it."""
    settings = settings | {"clients": CLIENTS, "seconds": seconds}
    text = base64.b64encode(json.dumps(settings).encode()).decode()
    command = [place.PYTHON, place.ROOT / "bench" / "peers" / "board.py", system, text]
    if pids is None:
        output, cost = measure.run(command)
    else:
        with measure.Meter(pids) as meter:
            output, _ = measure.run(command)
        cost = meter.cost
    document = json.loads(output.splitlines()[-1])
    return cost, document["phases"], document["answers"]


def folder_bytes(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
