"""What is kept can be verified, maintained and audited: by hand on a data folder, and all the time in a server."""

import json
import pathlib
import urllib.parse

import duckdb

from harness import run, until

DEFINITIONS = """
streams:
  orders:
    id: id
    time: at
    fields: {{id: string, at: timestamp, shop: string, amount: 'decimal(12,2)', x: float64}}
    derive: {{half: amount / 2, part: 'cast(shop as bigint)'}}
cubes:
  per_hour:
    from: orders
    bucket: 1h
    dimensions: [shop]
    measures:
      n: count(*)
      amount: sum(amount)
      halves: sum(half)
      mean: avg(x)
      spread: quantile(x)
      ids: distinct(id)
      bad: sum(part)
  per_minute:
    from: orders
    bucket: 1m
    dimensions: []
    measures: {{n: count(*), amount: sum(amount)}}
    keep: {{1m: 1d, 1h: 60d}}
limits:
  history: {{flush_interval_ms: 200ms}}
  journal: {{segment_bytes_max: 64KiB}}
{more}"""
FAST_AUDIT = "  audit: {interval_ms: 10ms, behind_ms: 0, share_percent: 100}\n"
SLOW_AUDIT = "  audit: {interval_ms: 1h}\n"


def event(index):
    day, minute = 1 + index % 4, index % 1440
    return {
        "id": f"o{index}",
        "at": f"2026-05-{day:02}T{minute // 60:02}:{minute % 60:02}:00Z",
        "shop": f"shop-{index % 7}",
        "amount": f"{index % 977}.{index % 100:02}",
        "x": index * 0.37,
    }


def send(server, first, last, step=500):
    for start in range(first, last, step):
        events = [event(i) for i in range(start, min(last, start + step))]
        answer = server.post("orders", events + events[:20])
        assert answer.status == 200, answer.body


def filled(start, more=SLOW_AUDIT, events=4000):
    """A server with some events in history and some in the journal only."""
    server = start(DEFINITIONS.format(more=more))
    send(server, 0, events)
    # The last flush of an orderly end, so that a checkpoint tells of all of it.
    assert server.stop() == 0
    server.start()
    send(server, events, events + 100)
    return server


def verify(server, *extra, code=0):
    done = run(
        "verify", "--config", server.config, "--data", server.data, "--json", *extra, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def places(report):
    return {place["place"]: place for place in report["places"]}


def tamper(server, cube="per_hour", column="n"):
    """Adds one to a count in a file of a cube's table, as a fault of our own would."""
    (table,) = (pathlib.Path(server.data) / "history" / "cubes").glob(f"{cube}.*")
    for entry in sorted((table / "_delta_log").glob("*.json")):
        lines = entry.read_text().splitlines()
        for at, line in enumerate(lines):
            action = json.loads(line)
            if "add" not in action:
                continue
            file = table / urllib.parse.unquote(action["add"]["path"])
            other = file.with_suffix(".other")
            duckdb.sql(
                f"copy (select * replace (case when row_number() over () = 1 then {column} + 1 else {column} end"
                f" as {column}) from read_parquet('{file}', hive_partitioning = false) order by bucket)"
                f" to '{other}' (format parquet)"
            )
            other.replace(file)
            action["add"]["size"] = file.stat().st_size
            lines[at] = json.dumps(action)
            entry.write_text("\n".join(lines) + "\n")
            return str(file.relative_to(table))
    raise AssertionError("the table has no file")


def test_a_sound_folder_is_verified_and_a_running_server_keeps_others_out(start):
    server = filled(start)
    refused = run("verify", "--config", server.config, "--data", server.data, check=False)
    assert refused.returncode == 1 and "open" in refused.stderr, refused.stderr
    refused = run("maintain", "--config", server.config, "--data", server.data, check=False)
    assert refused.returncode == 1, refused.stderr
    server.kill()
    report = verify(server, "--all")
    assert report["ok"], report
    found = places(report)
    assert found["events/orders"]["entries"] >= 4000
    assert found["state"]["entries"] >= 4000
    assert found["journal"]["entries"] >= 1
    for cube in report["cubes"]:
        assert (cube["differences"], cube["skipped"], cube["unsure"]) == (0, 0, 0), cube
        assert cube["events"] == 4100, cube
    # By hand, for people; a sample by its seed is the same sample.
    text = run("verify", "--config", server.config, "--data", server.data, "--sample", "20").stdout
    assert "all is well" in text, text
    one, other = (verify(server, "--sample", "20", "--seed", "5") for _ in range(2))
    assert one == other
    assert 10 <= one["cubes"][0]["buckets"] <= 20, one["cubes"]
    missing = run("verify", "--config", server.config, "--data", server.data / "none", check=False)
    assert missing.returncode == 1 and "no data folder" in missing.stderr


def test_maintaining_by_hand_changes_no_figure(start):
    server = filled(start)
    question = "select date_trunc('hour', bucket), measure(n), measure(amount) from per_minute group by 1 order by 1"
    before = server.sql(question)
    server.kill()
    done = run("maintain", "--config", server.config, "--data", server.data)
    assert "compactions" in done.stdout, done.stdout
    assert verify(server, "--all")["ok"]
    server.start()
    assert server.sql(question) == before


def test_a_figure_that_is_off_is_found_by_hand_and_by_the_server(start):
    server = filled(start, events=1000)
    assert server.stop() == 0
    file = tamper(server)
    report = verify(server, "--all", code=1)
    (table,) = [place for place in report["places"] if place["place"].startswith("cubes/per_hour")]
    assert file in [fault["path"] for fault in table["faults"]], table
    hours = next(cube for cube in report["cubes"] if cube["cube"] == "per_hour")
    assert hours["differences"] == 1, hours
    (difference,) = hours["described"]
    assert difference["measure"] == "n", difference
    assert int(difference["kept"]) == int(difference["recounted"]) + 1, difference

    (server.config / "test.yaml").write_text(DEFINITIONS.format(more=FAST_AUDIT))
    server.start()
    incident = until(
        lambda: server.get("/v1/incidents").json()["incidents"], "the audit opens an incident"
    )
    assert len(incident) == 1, incident
    assert incident[0]["severity"] == "critical" and incident[0]["monitor"] == "__audit__"
    status = server.get("/v1/status").json()["audit"]
    assert status["differences"] >= 1 and " n is kept as " in status["last_difference"], status
    until(
        lambda: server.get("/v1/status").json()["audit"]["differences"] > status["differences"],
        "it is found again",
    )
    assert len(server.get("/v1/incidents").json()["incidents"]) == 1
    metrics = server.get("/metrics").body.decode()
    assert "tillwatch_audit_differences_total" in metrics


def test_the_server_audits_all_the_time_and_is_silent_where_all_is_well(start):
    server = filled(start, more=FAST_AUDIT)
    last = 4100

    def audited():
        nonlocal last
        send(server, last, last + 50)
        last += 50
        status = server.get("/v1/status").json()["audit"]
        assert status["fault"] is None, status
        return status if status["figures"] > 2000 else None

    status = until(audited, "enough figures are compared")
    assert (status["differences"], status["unsure"]) == (0, 0), status
    assert status["buckets"] > 0 and status["last_at"], status
    assert server.get("/v1/incidents").json()["incidents"] == []
    assert server.stop() == 0


def test_a_damaged_file_of_the_state_or_the_journal_is_told(start):
    server = filled(start)
    server.kill()
    (ids, *_) = (pathlib.Path(server.data) / "state").glob("*.ids")
    whole = ids.read_bytes()
    ids.write_bytes(whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:])
    report = verify(server, code=1)
    assert places(report)["state"]["faults"][0]["path"] == ids.name, report
    ids.write_bytes(whole)
    segment = max((pathlib.Path(server.data) / "journal").glob("*.segment"))
    bytes_ = bytearray(segment.read_bytes())
    bytes_[len(bytes_) // 2] ^= 1
    segment.write_bytes(bytes_)
    report = verify(server, code=1)
    assert places(report)["journal"]["faults"], report
