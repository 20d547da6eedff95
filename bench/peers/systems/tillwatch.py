"""Tillwatch: the real server, fed over HTTP by `tillwatch ingest`."""

import contextlib
import datetime
import http.client
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import time

import alerts
import boards
import measure
import place
from measure import Cost
from systems import Run

name = "Tillwatch"
promises = (
    "every event is on disk (fsync) before it is acknowledged; ids count once for 24 h; late events count in their minute; "
    "distinct customers and p95 come from sketches (1.6 % standard error, 1 % relative error) that later roll-ups can merge"
)

# The answer is a table of some million rows, which no person asks for, so the limits on answers are set aside.
LIMITS = """limits:
  query: {rows_max: 10000000, result_bytes_max: 2GiB, memory_bytes_max: 4GiB, deadline_ms: 10m}
  http: {request_timeout_ms: 11m}
"""
# Every answer is computed, as the others do; as it comes, one that is asked for again is given again while nothing has changed.
COMPUTED = LIMITS.replace("deadline_ms: 10m}", "deadline_ms: 10m, series_cache_bytes_max: 0}", 1)
# Monitors that wait less for events out of order than the minute of a server as it comes.
IMPATIENT = LIMITS + "  process: {lateness_ms: 5s}\n"
# Only the size of the journal then ends a run.
WITHOUT_FLUSH = LIMITS + "  history: {flush_interval_ms: 7d, flush_events_max: 1000000000000}\n"


def version():
    done = subprocess.run([place.TILLWATCH, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]

SETTLE_S = 3_600


class Server:
    """A server on a free port of loopback, with a fresh data folder."""

    def __init__(self, folder, definitions, limits=LIMITS):
        self.folder = folder
        config = folder / "definitions"
        config.mkdir(parents=True)
        for file in definitions:
            shutil.copy(place.DEFINITIONS / file, config)
        (config / "limits.yaml").write_text(limits)
        self.start()

    def start(self):
        """Starts it, also on what a run before has left."""
        command = [place.TILLWATCH, "serve", "--config", self.folder / "definitions", "--data", self.folder / "data", "--listen", "127.0.0.1:0"]
        self.log = (self.folder / "log").open("w")
        self.process = subprocess.Popen(
            [str(word) for word in command], stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        self.port = self.feed = None
        for line in self.process.stdout:
            found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            self.port = int(found.group(1)) if found else self.port
            if line.strip() == "ready":
                return
        raise RuntimeError(f"the server did not start:\n{(self.folder / 'log').read_text()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=120)
        self.log.close()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def request(self, method, path, body=None, ok=200, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=700)
        with contextlib.closing(connection):
            connection.request(method, path, body, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            content = answer.read()
        if answer.status != ok:
            raise RuntimeError(f"{path} was answered {answer.status}: {content[:2000].decode()}")
        return content

    def sql(self, text, form="application/json"):
        return self.request("POST", "/v1/sql", json.dumps({"sql": text}), Accept=form)

    def ingest(self, file):
        """Loads a file and gives what the client cost."""
        command = [place.TILLWATCH, "ingest", file, "--stream", "payments", "--server", self.address]
        output, cost = measure.run([*command, "--state", self.folder / "state", "--quiet"])
        if "rejected" in output:
            raise RuntimeError(output)
        return cost

    def post(self, lines):
        """Sends events over a connection of its own that is kept."""
        self.feed = self.feed or http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.feed.request("POST", "/v1/streams/payments/events", lines, {"Content-Type": "application/x-ndjson"})
        answer = self.feed.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"events were answered {answer.status}: {content[:500].decode()}")

    def settle(self):
        """Waits until history holds all that came, its small files laid together."""
        self.request("POST", "/v1/maintain", ok=202)
        end = time.monotonic() + SETTLE_S
        while json.loads(self.request("GET", "/v1/maintain"))["maintain"]["state"] == "running":
            if time.monotonic() > end:
                raise RuntimeError("history was not settled in time")
            time.sleep(0.2)


Q1 = """
select bucket, merchant_id, method, status, measure(attempts), measure(payment_volume), measure(currency_first), measure(currency_last),
       measure(customers), measure(latency_p95)
from payments_by_minute where bucket >= timestamp '{}' and bucket < timestamp '{}' group by 1, 2, 3, 4"""
# A question for so many minutes at once keeps answers to some hundred thousand rows.
MINUTES_AT_ONCE = 10


def q1(workload, folder):
    """Once without flushes of history, once with the settings a user gets."""
    for variant, limits in [("history not flushed", WITHOUT_FLUSH), ("as it comes, history flushed", LIMITS)]:
        place_of_run = folder / variant.replace(" ", "-").replace(",", "")
        place_of_run.mkdir()
        with Server(place_of_run, ["streams.yaml", "q1.yaml"], limits) as server:
            pids = [server.process.pid]
            with measure.Meter(pids) as ingest:
                client = server.ingest(workload.file)
            with measure.Meter(pids) as asking:
                answer = _ask(server, place_of_run, "payments_by_minute", Q1, 1, Q1_COLUMNS)
        whole = _whole(ingest.cost, client, asking.cost)
        more = {"server": ingest.cost.cpu_s, "client": client.cpu_s, "answer": asking.cost.cpu_s}
        yield Run(variant, whole, answer, sketches=True, more=more)


Q1_COLUMNS = {
    "minute": "TIMESTAMP",
    "merchant_id": "VARCHAR",
    "method": "VARCHAR",
    "status": "VARCHAR",
    "n": "BIGINT",
    "volume": "DECIMAL(38, 2)",
    "currency_first": "VARCHAR",
    "currency_last": "VARCHAR",
    "customers": "BIGINT",
    "p95": "DOUBLE",
}
WINDOWS_COLUMNS = {"ends_at": "TIMESTAMP", "merchant_id": "VARCHAR", "n": "BIGINT", "declined": "BIGINT"}


def _ask(server, folder, cube, question, times, columns):
    """The whole answer as a Parquet file, asked stretch by stretch; the question takes both ends of it so many times."""
    rows = json.loads(server.sql(f"select min(bucket), max(bucket) from {cube}"))["rows"]
    first, last = (datetime.datetime.fromisoformat(text).replace(tzinfo=None) for text in rows[0])
    # Also the windows that end after the last bucket.
    last += datetime.timedelta(minutes=5)
    parts = folder / "answer"
    parts.mkdir()
    step = datetime.timedelta(minutes=MINUTES_AT_ONCE)
    while first <= last:
        (parts / f"{first:%Y%m%dT%H%M%S}").write_bytes(server.sql(question.format(*[first, first + step] * times), FORM))
        first += step
    answer = folder / "answer.parquet"
    # In a process of its own, so that its CPU time is nobody's.
    subprocess.run([sys.executable, "-c", COLLECT, parts, answer, json.dumps(columns)], check=True)
    return answer


WINDOWS = """
select window_end, merchant_id, measure(attempts), measure(declined)
from hop(declines_by_merchant, interval '10 seconds', interval '5 minutes')
where bucket >= timestamp '{}' - interval '5 minutes' and bucket < timestamp '{}' and window_end > timestamp '{}' and window_end <= timestamp '{}'
group by 1, 2 having measure(attempts) >= 30 and measure(declined) > 0.4 * measure(attempts)"""


def windows(workload, folder):
    """By SQL over the cube of ten seconds. Its monitors judge the same windows while the events come."""
    with Server(folder, ["streams.yaml", "q2.yaml"]) as server:
        pids = [server.process.pid]
        with measure.Meter(pids) as ingest:
            client = server.ingest(workload.file)
        with measure.Meter(pids) as asking:
            answer = _ask(server, folder, "declines_by_merchant", WINDOWS, 2, WINDOWS_COLUMNS)
    more = {"server": ingest.cost.cpu_s, "client": client.cpu_s, "answer": asking.cost.cpu_s}
    yield Run("as it comes, monitors on, windows by SQL", _whole(ingest.cost, client, asking.cost), answer, more=more)


def _whole(ingest, client, asking):
    """Reading the file, taking the events and answering: all of it is work that the others do as well."""
    memory = max(ingest.memory_bytes, asking.memory_bytes) + client.memory_bytes
    return Cost(ingest.cpu_s + client.cpu_s + asking.cpu_s, ingest.wall_s + asking.wall_s, memory)


def q6(workload, folder, seconds):
    """Over HTTP: tiles as metrics of a cube by the hour, raw events as SQL; asked once history holds all."""
    with Server(folder, ["streams.yaml", "q6.yaml"], COMPUTED) as server:
        pids = [server.process.pid]
        with measure.Meter(pids) as meter:
            client = server.ingest(workload.file)
            server.settle()
        prepared = Cost(meter.cost.cpu_s + client.cpu_s, meter.cost.wall_s, meter.cost.memory_bytes)
        asked, phases, answers = boards.ask("tillwatch", {"port": server.port}, seconds, pids)
        disk = boards.folder_bytes(folder / "data")
    yield boards.BoardRun("a server, HTTP", prepared, disk, asked, phases, answers)


def q2(minutes, rate, folder):
    """Its own monitors, on the events themselves: as they come, and waiting less for events out of order."""
    for variant, limits in [("monitors on every event, waiting a minute for late ones", LIMITS), ("the same, waiting five seconds", IMPATIENT)]:
        place_of_run = folder / f"lateness-{len(limits)}"
        place_of_run.mkdir()
        with Server(place_of_run, ["streams.yaml", "q2.yaml"], limits) as server:

            def firing(server=server):
                found = json.loads(server.request("GET", "/v1/incidents?state=open"))["incidents"]
                return {(incident["monitor"], incident["slice"].get("merchant_id")) for incident in found}

            yield alerts.run(variant, minutes, rate, place_of_run, [server.process.pid], server.post, firing)


COLLECT_CSV = """
import duckdb, sys
duckdb.sql(f"copy (select * from read_csv('{sys.argv[1]}/*', header=true, columns={sys.argv[3]})) to '{sys.argv[2]}' (format parquet)")
"""
COLLECT_ARROW = """
import json, pathlib, sys
import duckdb, pyarrow
from pyarrow import ipc
columns = json.loads(sys.argv[3])
tables = [ipc.open_stream(file.read_bytes()).read_all().rename_columns(list(columns)) for file in sorted(pathlib.Path(sys.argv[1]).iterdir())]
answer = pyarrow.concat_tables(tables)
db = duckdb.connect()
db.execute("set timezone = 'UTC'")
db.sql(f"copy (select {', '.join(f'{name}::{kind} as {name}' for name, kind in columns.items())} from answer) to '{sys.argv[2]}' (format parquet)")
"""
# Columns cost the server less than text; reading them needs a package that comes with chDB.
ARROW = importlib.util.find_spec("pyarrow") is not None
FORM, COLLECT = ("application/vnd.apache.arrow.stream", COLLECT_ARROW) if ARROW else ("text/csv", COLLECT_CSV)
