"""A running server is verified and maintained while it takes events."""

import contextlib
import json
import pathlib
import threading

from harness import run, until
from test_history import definitions, event, files, flushed, send

JSON = {"Content-Type": "application/json"}
CUBE = "select bucket, shop, measure(n), measure(amount) from per_hour group by bucket, shop order by 1, 2"
TOTALS = "select shop, count(*), sum(amount) from orders group by shop order by shop"
EXTRA = """
streams:
  refunds:
    id: id
    time: at
    fields: {id: string, at: timestamp, shop: string, refunded_at: timestamp, amount: 'decimal(12,2)'}
cubes:
  refunds_per_hour: {from: refunds, bucket: 1h, dimensions: [shop], measures: {n: count(*)}}
"""


def url(server):
    return f"http://127.0.0.1:{server.port}"


def verify(server, *extra, code=0):
    done = run("verify", "--server", url(server), "--json", *extra, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def verify_folder(server, *extra, code=0):
    done = run(
        "verify", "--config", server.config, "--data", server.data, "--json", *extra, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def places(report):
    return {place["place"]: place for place in report["places"]}


def faults(report):
    return {place["place"]: place["faults"] for place in report["places"] if place["faults"]}


def damage(file):
    """Changes one bit where it lies; gives what undoes it."""
    whole = file.read_bytes()
    at = len(whole) // 2

    def put(byte):
        with file.open("r+b") as opened:
            opened.seek(at)
            opened.write(bytes([byte]))

    put(whole[at] ^ 1)
    return lambda: put(whole[at])


@contextlib.contextmanager
def traffic(server, first):
    """Sends events all the time; gives what tells how many were acknowledged."""
    sent, failed, stop = [first], [], threading.Event()

    def keep_sending():
        while not stop.is_set():
            answer = server.post("orders", [event(i) for i in range(sent[0], sent[0] + 20)])
            if answer.status != 200:
                failed.append(answer.body)
                return
            sent[0] += 20

    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        until(lambda: failed or sent[0] > first + 100, "events come")
        yield lambda: sent[0]
    finally:
        stop.set()
        sender.join()
    assert failed == []


def test_a_running_server_is_verified_while_events_come_and_definitions_change(start):
    server = start(definitions())
    send(server, 0, 4000)
    flushed(server)
    with traffic(server, 4000) as sent:
        before = sent()
        report = verify(server, "--all")
        assert report["ok"], report
        found = places(report)
        assert found["events/orders"]["entries"] >= 4000, found
        assert found["state"]["entries"] >= 4000, found
        assert found["journal"]["entries"] >= 1, found
        (cube,) = report["cubes"]
        assert (cube["differences"], cube["skipped"], cube["unsure"]) == (0, 0, 0), cube
        assert cube["events"] >= before, (cube, before)
        # Definitions that change meanwhile, and maintenance, make no false alarm.
        begun = server.request("POST", "/v1/verify", '{"all": true}', JSON)
        assert begun.status == 202, begun.body
        (server.config / "test.yaml").write_text(
            definitions(measures="n: count(*), amount: sum(amount), most: max(amount)")
        )
        until(
            lambda: server.request(
                "POST", "/v1/sql", json.dumps({"sql": "select measure(most) from per_hour"}), JSON
            ).status
            == 200,
            "the changed definitions are in force",
        )
        run("maintain", "--server", url(server))
        until(
            lambda: server.get("/v1/verify").json()["verify"]["state"] != "running",
            "the verification ends",
        )
        last = server.get("/v1/verify").json()["verify"]
        assert last["state"] == "done" and last["report"]["ok"], last
        text = run("verify", "--server", url(server), "--sample", "20").stdout
        assert "all is well" in text, text
    # The same seed chooses the same buckets.
    one, other = (verify(server, "--sample", "20", "--seed", "5") for _ in range(2))
    assert one["seed"] == 5 and one["cubes"] == other["cubes"], (one, other)


def test_a_second_verification_is_refused_while_one_is_running(start):
    server = start(definitions())
    send(server, 0, 4000)
    flushed(server)

    def begin():
        return server.request("POST", "/v1/verify", '{"all": true}', JSON)

    def refused():
        first, second = begin(), begin()
        return second if (first.status, second.status) == (202, 409) else None

    answer = until(refused, "a second one comes while the first is running")
    assert "Another verification is running" in answer.json()["detail"], answer.body
    # An end that comes while it reads is no end of the server.
    assert server.stop() == 0


def test_a_damaged_table_of_a_running_server_is_found(start):
    server = start(definitions())
    send(server, 0, 2000)
    flushed(server)
    run("maintain", "--server", url(server))
    assert verify(server, "--all")["ok"]
    table = pathlib.Path(server.data) / "history" / "events" / "orders"
    file = pathlib.Path(files(table)[0])
    repair = damage(file)
    report = verify(server, "--sample", "0", code=1)
    (found,) = faults(report)["events/orders"]
    assert found["path"] == str(file.relative_to(table)) and "checksum" in found["reason"], found
    text = run("verify", "--server", url(server), "--sample", "0", check=False)
    assert text.returncode == 1 and "not all is well" in text.stdout, text
    assert found["path"] in text.stdout, text
    repair()
    # A file that is gone and not replaced is a fault as well.
    file.rename(file.with_suffix(".away"))
    report = verify(server, "--sample", "0", code=1)
    assert [fault["path"] for fault in faults(report)["events/orders"]] == [found["path"]], report
    file.with_suffix(".away").rename(file)
    assert verify(server, "--all")["ok"]
    (ids, *_) = (pathlib.Path(server.data) / "state").glob("*.ids")
    repair = damage(ids)
    assert faults(verify(server, "--sample", "0", code=1))["state"][0]["path"] == ids.name
    repair()
    segment = max((pathlib.Path(server.data) / "journal").glob("*.segment"))
    repair = damage(segment)
    assert faults(verify(server, "--sample", "0", code=1))["journal"]
    repair()
    assert verify(server, "--sample", "0")["ok"]


def test_tables_that_no_definition_has_any_more_are_verified(start):
    server = start(definitions())
    (server.config / "extra.yaml").write_text(EXTRA)

    def refunds():
        # Not in the order of their time, so that only the column of time is sorted.
        events = [
            {**event(i), "refunded_at": f"2026-06-01T00:{59 - i % 60:02}:00Z"} for i in range(500)
        ]
        return server.post("refunds", events).status == 200

    until(refunds, "the other stream is in force")
    send(server, 0, 500)
    flushed(server)
    (server.config / "extra.yaml").unlink()
    until(
        lambda: [s["name"] for s in server.get("/v1/status").json()["streams"]] == ["orders"],
        "the other stream is gone",
    )
    history = pathlib.Path(server.data) / "history"
    (cube,) = (history / "cubes").glob("refunds_per_hour.*")
    orphans = {"events/refunds": 500, f"cubes/{cube.name}": None}

    def look(verify_it):
        report = verify_it("--all")
        assert report["ok"], report
        for name, rows in orphans.items():
            place = places(report)[name]
            assert place["files"] > 0 and rows in (None, place["entries"]), place
        file = pathlib.Path(files(history / "events" / "refunds")[0])
        repair = damage(file)
        report = verify_it("--sample", "0", code=1)
        assert list(faults(report)) == ["events/refunds"], report
        repair()

    look(lambda *extra, **more: verify(server, *extra, **more))
    assert server.stop() == 0
    before = sorted(str(path) for path in history.rglob("*") if "refunds" in str(path))
    look(lambda *extra, **more: verify_folder(server, *extra, **more))
    # Looking creates and changes nothing.
    assert before == sorted(str(path) for path in history.rglob("*") if "refunds" in str(path))


def test_a_running_server_is_maintained_by_hand_and_no_figure_changes(start):
    slow = "limits: {history: {flush_interval_ms: 200ms, maintain_share_percent: 1}}\n"
    server = start(definitions().rsplit("limits:", 1)[0] + slow)
    assert server.get("/v1/maintain").json() == {"maintain": None}
    done, compactions = 0, 0

    def maintained():
        nonlocal done, compactions
        for _ in range(3):
            send(server, done, done + 400)
            done += 400
            flushed(server)
        figures = server.sql(CUBE), server.sql(TOTALS)
        text = run("maintain", "--server", url(server)).stdout
        assert "compactions" in text, text
        assert (server.sql(CUBE), server.sql(TOTALS)) == figures
        last = server.get("/v1/maintain").json()["maintain"]
        assert (last["state"], last["fault"]) == ("done", None) and last["took_s"] > 0, last
        compactions += last["compactions"]
        return compactions

    until(maintained, "files are laid together by hand")
    # While events come they are flushed all the same, and what is asked for ends.
    with traffic(server, done) as sent:
        run("maintain", "--server", url(server))
        assert server.get("/v1/maintain").json()["maintain"]["flushed_events"] > 0
    flushed(server)
    assert server.scalar("select count(*) from orders") == sent()
    assert server.scalar("select measure(n) from per_hour") == sent()
    assert verify(server, "--all")["ok"]
    # Then nothing is left to do.
    run("maintain", "--server", url(server))
    run("maintain", "--server", url(server))
    last = server.get("/v1/maintain").json()["maintain"]
    assert (last["flushed_events"], last["compactions"], last["roll_ups"]) == (0, 0, 0), last
    assert not last["deletion_deferred"], last
    assert server.stop() == 0


def test_both_commands_say_what_is_wrong_with_their_place(start):
    for command in ["verify", "maintain"]:
        done = run(command, check=False)
        assert done.returncode == 2 and "--config" in done.stderr, done.stderr
        away = run(command, "--server", "http://127.0.0.1:9", check=False)
        assert away.returncode == 1 and "no server answers" in away.stderr, away.stderr
    token = "0123456789abcdef"
    server = start(definitions(), env={"TILLWATCH_TOKEN": token})
    for command in ["verify", "maintain"]:
        refused = run(command, "--server", url(server), check=False)
        assert refused.returncode == 1 and "Authorization" in refused.stderr, refused.stderr
        run(command, "--server", url(server), "--token", token)
