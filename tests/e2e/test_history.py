"""History: the tables hold everything, any engine reads them as they lie, and the journal forgets."""

import json
import pathlib
import urllib.parse

import duckdb

from harness import run, until

FAST = "limits: {history: {flush_interval_ms: 200ms}, journal: {segment_bytes_max: 64KiB}}\n"


def definitions(fields="amount: 'decimal(12,2)'", measures="n: count(*), amount: sum(amount)", more=""):
    return f"""
streams:
  orders:
    id: id
    time: at
    fields: {{id: string, at: timestamp, shop: string, {fields}}}
cubes:
  per_hour:
    from: orders
    bucket: 1h
    dimensions: [shop]
    measures: {{{measures}}}
{more}
{FAST}"""


def event(index):
    day, minute = 1 + index % 4, index % 1440
    return {
        "id": f"o{index}",
        "at": f"2026-05-{day:02}T{minute // 60:02}:{minute % 60:02}:00Z",
        "shop": f"shop-{index % 7}",
        "amount": f"{index % 977}.{index % 100:02}",
    }


def send(server, first, last, step=500, **change):
    for start in range(first, last, step):
        events = [{**event(i), **change} for i in range(start, min(last, start + step))]
        answer = server.post("orders", events)
        assert answer.status == 200, answer.body


def flushed(server):
    """Waits until history holds everything, and gives the status."""

    def held():
        status = server.get("/v1/status").json()
        history = status["history"]
        assert history["fault"] is None, history
        return status if history["unflushed_events"] == 0 and history["flushed_to"] else None

    return until(held, "history holds everything")


def files(folder):
    """The data files of a Delta table, read from its log as it stands, checkpoints left aside."""
    live = {}
    for entry in sorted((folder / "_delta_log").glob("*.json")):
        for line in entry.read_text().splitlines():
            action = json.loads(line)
            if "add" in action:
                live[action["add"]["path"]] = action["add"]
            if "remove" in action:
                live.pop(action["remove"]["path"], None)
    return [str(folder / urllib.parse.unquote(path)) for path in live]


TOTALS = "select shop, count(*), sum(amount) from {} group by shop order by shop"


def test_what_is_flushed_survives_kill_9_and_the_journal_has_forgotten_it(start):
    server = start(definitions())
    send(server, 0, 8000)
    status = flushed(server)
    until(lambda: server.get("/v1/status").json()["journal"]["bytes"] < 200_000, "the journal forgets")
    assert status["streams"][0]["stored_events"] == 8000
    before = server.sql(TOTALS.format("orders"))
    series = server.sql("select bucket, shop, measure(n), measure(amount) from per_hour group by 1, 2 order by 1, 2")
    server.kill()
    server.start()
    assert server.sql(TOTALS.format("orders")) == before
    assert server.sql("select bucket, shop, measure(n), measure(amount) from per_hour group by 1, 2 order by 1, 2") == series
    # Ids that are in no journal any more are known all the same.
    answer = server.post("orders", [event(i) for i in range(0, 8000, 16)]).json()
    assert (answer["accepted"], answer["duplicates"]) == (0, 500)


def test_duckdb_reads_the_tables_as_they_lie(start):
    server = start(definitions())
    send(server, 0, 4000)
    flushed(server)
    history = pathlib.Path(server.data) / "history"
    events = files(history / "events" / "orders")
    mine = server.sql(TOTALS.format("orders"))
    theirs = duckdb.sql(
        f"select shop, count(*), sum(amount) from read_parquet({events}, hive_partitioning = true) group by shop order by shop"
    ).fetchall()
    assert [[shop, n, f"{amount:.2f}"] for shop, n, amount in theirs] == mine
    (cube,) = (history / "cubes").iterdir()
    theirs = duckdb.sql(
        f"select shop, sum(n), sum(amount) from read_parquet({files(cube)}, hive_partitioning = true) group by shop order by shop"
    ).fetchall()
    assert [[shop, n, f"{amount:.2f}"] for shop, n, amount in theirs] == mine


def test_a_cube_that_is_changed_while_running_covers_what_the_journal_forgot(start):
    server = start(definitions())
    send(server, 0, 3000)
    flushed(server)
    changed = definitions(measures="n: count(*), largest: max(amount)")
    (server.config / "test.yaml").write_text(changed)
    wanted = server.sql("select shop, count(*), max(amount) from orders group by shop order by shop")

    def covers():
        answer = server.request(
            "POST",
            "/v1/sql",
            json.dumps({"sql": "select shop, measure(n), measure(largest) from per_hour group by shop order by shop"}),
            {"Content-Type": "application/json"},
        )
        return answer.status == 200 and answer.json()["rows"] == wanted

    until(covers, "the changed cube covers everything")
    send(server, 3000, 3100)
    wanted = server.sql("select shop, count(*), max(amount) from orders group by shop order by shop")
    assert covers()


def test_a_type_that_became_wider_goes_on_in_another_table(start):
    server = start(definitions(fields="amount: int64"))
    send(server, 0, 2000, amount=3)
    flushed(server)
    (server.config / "test.yaml").write_text(definitions(fields="amount: 'decimal(24,2)'"))
    server.kill()
    server.start()
    send(server, 2000, 2500, amount="0.25")
    flushed(server)
    assert server.sql("select count(*), sum(amount) from orders") == [[2500, "6125.00"]]
    assert server.sql("select measure(n), measure(amount) from per_hour") == [[2500, "6125.00"]]
    server.kill()
    server.start()
    assert server.sql("select count(*), sum(amount) from orders") == [[2500, "6125.00"]]
    assert server.sql("select measure(n), measure(amount) from per_hour") == [[2500, "6125.00"]]


def test_rejected_lines_are_read_and_replayed_from_history(start):
    server = start(definitions())
    bad = {**event(1), "amount": "x"}
    good = {**event(2), "id": None}
    answer = server.post("orders", [event(0), bad, good])
    assert answer.json()["rejected"] == 2
    send(server, 10, 4000)
    flushed(server)
    server.kill()
    server.start()
    lines = server.get("/v1/streams/orders/quarantine").json()["lines"]
    assert [line["line"] for line in lines] == [2, 3]
    (server.config / "test.yaml").write_text(definitions(fields="amount: string", measures="n: count(*)"))
    server.kill()
    server.start()
    replay = server.request("POST", "/v1/streams/orders/quarantine/replay")
    assert replay.status == 200, replay.body


def test_a_stream_that_is_gone_and_comes_back_has_all_its_events(start):
    both = definitions(
        more="""
"""
    )
    server = start(both)
    send(server, 0, 1000)
    flushed(server)
    send(server, 1000, 1010)
    server.kill()
    (server.config / "test.yaml").write_text(
        "streams:\n  other: {time: at, fields: {at: timestamp}}\n" + FAST
    )
    server.start()
    server.post("other", [{"at": "2026-05-01T00:00:00Z"}])
    until(lambda: server.get("/v1/status").json()["history"]["unflushed_events"] == 0, "it is flushed")
    server.kill()
    (server.config / "test.yaml").write_text(both)
    server.start()
    assert server.sql("select count(*) from orders") == [[1010]]
    assert server.sql("select measure(n) from per_hour") == [[1010]]
    server.kill()
    server.start()
    assert server.sql("select count(*) from orders") == [[1010]]


def test_raw_events_of_age_go_and_cubes_keep_their_figures(start):
    kept = definitions().replace("    time: at\n", "    time: at\n    keep: 1d\n")
    server = start(definitions())
    send(server, 0, 8000)
    flushed(server)
    server.kill()
    (server.config / "test.yaml").write_text(kept)
    figures = "select bucket, shop, measure(n), measure(amount) from per_hour group by 1, 2 order by 1, 2"
    server.start()
    before = server.sql(figures)
    by_day = server.sql("select count(*) from orders where at >= '2026-05-03T00:00:00Z'")

    def gone():
        status = server.get("/v1/status").json()
        return status if status["history"]["files_expired"] > 0 and server.sql("select count(*) from orders") == by_day else None

    # The newest event is of the fourth: a day before it begins on the third.
    status = until(gone, "days of age are gone")
    assert status["streams"][0]["events_kept_from"] == "2026-05-03T00:00:00Z"
    assert status["cubes"][0]["covers_from"] is None
    assert "tillwatch_history_expired_files_total" in server.get("/metrics").body.decode()
    assert server.sql(figures) == before
    # A late one counts in the cube, and goes.
    answer = server.post("orders", [{**event(0), "id": "late"}]).json()
    assert answer["accepted"] == 1
    assert server.sql("select measure(n) from per_hour") == [[8001]]
    flushed(server)
    until(lambda: server.sql("select count(*) from orders") == by_day, "the late event is gone")
    server.kill()
    server.start()
    assert server.sql("select measure(n) from per_hour") == [[8001]]
    assert server.sql("select count(*) from orders") == by_day
    # A cube that is changed says from when on it covers.
    (server.config / "test.yaml").write_text(kept.replace("n: count(*)", "n: count(*), largest: max(amount)"))
    covers = until(lambda: server.get("/v1/status").json()["cubes"][0]["covers_from"], "the changed cube is filled")
    assert covers == "2026-05-03T00:00:00Z"
    assert server.sql("select measure(n) from per_hour") == by_day
    assert server.stop() == 0
    done = run("verify", "--config", server.config, "--data", server.data, "--json", "--all")
    verified = json.loads(done.stdout)
    assert verified["ok"] and verified["cubes"][0]["buckets"] > 0, verified
    assert (verified["cubes"][0]["differences"], verified["cubes"][0]["skipped"]) == (0, 0), verified
