#!/usr/bin/env python3
"""Q6: many clients ask what a board shows of 30 days. A process of its own, so that its cost can be told from the system's.

    board.py SYSTEM SETTINGS     SETTINGS is JSON in base64: where the data is, how many clients, how long; prints JSON

A tile is asked for in two ways: of what is kept rolled up by the hour, and of the raw events.
"""

import base64
import contextlib
import datetime
import http.client
import json
import random
import sys
import threading
import time
import urllib.parse

FROM, TO = datetime.datetime(2026, 10, 1), datetime.datetime(2026, 10, 31)
# What each tile shows: a figure by day and by one dimension.
ROLLED_UP = {
    "attempts by day and method": ("attempts", "method"),
    "attempts by day and psp": ("attempts", "psp"),
    "volume in EUR by day and method": ("volume", "method"),
    "declines by day and psp": ("declined", "psp"),
}
RAW = {
    "payments of one merchant by day: count and volume in EUR": "m00030",
    "payments of another merchant by day: count and volume in EUR": "m00100",
}


def sql(name, rolled_up, raw, day="date_trunc('day', {})", figure=None):
    """A tile as SQL over tables of these names."""
    if name in RAW:
        return (
            f"select cast({day.format('occurred_at')} as date) as day, count(*) as n, sum(case when currency = 'EUR' then amount else 0 end) as volume from {raw} "
            f"where merchant_id = '{RAW[name]}' and occurred_at >= timestamp '{FROM}' and occurred_at < timestamp '{TO}' group by 1 order by 1"
        )
    what, dimension = ROLLED_UP[name]
    return (
        f"select cast({day.format('bucket')} as date) as day, {dimension}, {(figure or 'sum({})').format(what)} as figure from {rolled_up} "
        f"where bucket >= timestamp '{FROM}' and bucket < timestamp '{TO}' group by 1, 2 order by 1, 2"
    )


class DuckDB:
    """In process; a connection each client."""

    def __init__(self, settings):
        import duckdb

        self.db = duckdb.connect(settings["database"], read_only=True)

    def client(self):
        cursor = self.db.cursor()
        return lambda name: [tuple(map(str, row)) for row in cursor.execute(sql(name, "rolled_up", "raw")).fetchall()]


class ClickHouse:
    """In process; one engine for all clients, which is all that chDB has."""

    def __init__(self, settings):
        from chdb import session

        self.db = session.Session(settings["database"])

    def client(self):
        def ask(name):
            text = sql(name, "w.rolled_up", "w.raw", day="toDate({})")
            answer = str(self.db.query(text, "JSONCompact"))
            return [tuple(map(str, row)) for row in json.loads(answer, parse_float=str)["data"]]

        return ask


class Tillwatch:
    """Over HTTP; a connection each client."""

    METRICS = {"attempts": "board_attempt_count", "volume": "board_volume_eur", "declined": "board_declined_count"}

    def __init__(self, settings):
        self.port = settings["port"]

    def client(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

        def ask(name):
            if name in RAW:
                text = json.dumps({"sql": sql(name, None, "payments")})
                connection.request("POST", "/v1/sql", text, {"Content-Type": "application/json"})
            else:
                what, dimension = ROLLED_UP[name]
                query = {"from": f"{FROM.isoformat()}Z", "to": f"{TO.isoformat()}Z", "step": "1d", "by": dimension}
                connection.request("GET", f"/v1/metrics/{self.METRICS[what]}?{urllib.parse.urlencode(query)}")
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{name}: {answer.status} {body[:500]}")
            document = json.loads(body)
            if name in RAW:
                return [tuple(str(cell).removesuffix("T00:00:00Z") for cell in row) for row in document["rows"]]
            rows = []
            for series in document["series"]:
                for at_ms, value in series["points"]:
                    day = datetime.datetime.fromtimestamp(at_ms / 1000, datetime.UTC).date()
                    rows.append((str(day), series["by"][dimension], str(value)))
            return sorted(rows)

        return ask


SYSTEMS = {"duckdb": DuckDB, "chdb": ClickHouse, "tillwatch": Tillwatch}


def drive(system, names, clients, seconds, every_s):
    """Lets clients ask, each every so often (at once after an answer when that is 0), and gives how long answers took, in milliseconds."""
    took, failures, lock = [], [], threading.Lock()
    end = time.monotonic() + seconds

    def client(number):
        rng = random.Random(number)
        try:
            ask = system.client()
            # Not all at the same moment.
            due = time.monotonic() + every_s * rng.random()
            mine = []
            while (now := max(time.monotonic(), due)) < end:
                with contextlib.suppress(ValueError):
                    time.sleep(due - time.monotonic())
                # Counted from when it was due, so that a system that falls behind does not look fast.
                began = due if every_s else now
                ask(rng.choice(names))
                mine.append((time.monotonic() - began) * 1000)
                due = due + every_s if every_s else time.monotonic()
            with lock:
                took.extend(mine)
        except Exception as error:
            failures.append(repr(error))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(f"{len(failures)} clients failed: {failures[0]}")
    return sorted(took)


def main():
    settings = json.loads(base64.b64decode(sys.argv[2]))
    system = SYSTEMS[sys.argv[1]](settings)
    ask = system.client()
    answers = {name: ask(name) for name in [*ROLLED_UP, *RAW]}
    phases = {}
    for phase, names, every_s in [
        ("rolled up, each client asks once a second", list(ROLLED_UP), 1.0),
        ("rolled up, each asks again at once", list(ROLLED_UP), 0.0),
        ("raw, each client asks every four seconds", list(RAW), 4.0),
        ("raw, each asks again at once", list(RAW), 0.0),
    ]:
        took = drive(system, names, settings["clients"], settings["seconds"], every_s)
        phases[phase] = took
    print(json.dumps({"answers": answers, "phases": phases}))


if __name__ == "__main__":
    main()
