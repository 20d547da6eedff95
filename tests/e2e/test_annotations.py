"""Annotations against the real binary: kept over kill -9, once under a key, in backups, and not beyond their number."""

import json

from harness import Server, run, until

JSON = {"Content-Type": "application/json"}

DEFINITIONS = """
streams:
  payments: {id: id, time: at, fields: {id: string, at: timestamp, psp: string}}
limits:
  http: {annotations_kept_max: 3}
"""


def note(server, body, **headers):
    return server.request("POST", "/v1/annotations", json.dumps(body).encode(), {**JSON, **headers})


def titles(server):
    found = server.get("/v1/annotations?from=2026-01-01T00:00:00Z").json()["annotations"]
    return [one["title"] for one in found]


def test_annotations_survive_kill_9_and_a_backup_and_those_that_began_first_are_forgotten(start, tmp_path):
    server = start(DEFINITIONS, "--backups", tmp_path / "backups")
    release = {"kind": "deployment", "title": "checkout 4.12.0", "at": "2026-11-01T12:00:00Z", "by": "ci"}
    first = note(server, release, **{"Idempotency-Key": "run-7"})
    assert first.status == 201, first.body
    server.kill()
    server.start()
    again = note(server, release, **{"Idempotency-Key": "run-7"})
    assert (again.status, again.json()) == (200, first.json())
    assert titles(server) == ["checkout 4.12.0"]
    assert server.request("POST", "/v1/backup", json.dumps({"name": "b"}), JSON).status == 202
    until(lambda: server.get("/v1/backup").json()["backup"]["state"] == "done", "it is backed up")
    restored = tmp_path / "restored"
    run("restore", "--from", tmp_path / "backups" / "b", "--data", restored)
    other = Server(server.config, restored).start()
    try:
        assert titles(other) == ["checkout 4.12.0"]
    finally:
        other.stop()
    for day in (2, 3, 4):
        assert note(server, {"title": f"day {day}", "at": f"2026-11-0{day}T12:00:00Z"}).status == 201
    assert titles(server) == ["day 2", "day 3", "day 4"]
