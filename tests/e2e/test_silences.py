"""Silences in a running server: listed, kept over a kill, ended by hand; and what monitors tell of themselves."""

import datetime
import json

from harness import until

JSON = {"Content-Type": "application/json"}
DEFINITIONS = """
streams:
  orders:
    id: id
    time: at
    fields: {id: string, at: timestamp, shop: string}
cubes:
  per_second: {from: orders, bucket: 1s, dimensions: [shop], measures: {n: count(*)}}
metrics:
  orders: {of: per_second, expr: n, unit: count}
calendars:
  berlin: {zone: Europe/Berlin}
monitors:
  many:
    description: orders that fail
    metric: orders
    by: [shop]
    detect: {threshold: {above: 2, window: 1s}}
    direction: up
    for: 0s
    resolve_after: 90m
    owner: shop team
    impact: orders
    calendar: berlin
limits: {process: {lateness_ms: 1s}}
"""


def test_a_silence_is_listed_kept_and_ended(start):
    server = start(DEFINITIONS)
    now = datetime.datetime.now(datetime.timezone.utc)
    events = [
        {"id": f"o{second}-{n}", "at": (now - datetime.timedelta(seconds=second)).isoformat(), "shop": "a"}
        for second in range(60)
        for n in range(5)
    ]
    assert server.post("orders", events).json()["accepted"] == 300

    def incidents():
        return server.get("/v1/incidents").json()["incidents"]

    (incident,) = until(incidents, "an incident opens")
    path = f"/v1/incidents/{incident['id']}/silence"
    body = json.dumps({"by": "ada", "note": "release", "for": "2h"})
    assert server.request("POST", path, body, JSON).status == 200
    (silence,) = server.get("/v1/silences").json()["silences"]
    assert (silence["monitor"], silence["slice"], silence["incident"]) == ("many", incident["slice"], incident["id"])
    assert (silence["by"], silence["note"]) == ("ada", "release")
    server.kill()
    server.start()
    assert server.get("/v1/silences").json()["silences"] == [silence]
    assert incidents()[0]["silenced_until"] == silence["until"]
    ended = f"/v1/silences/{silence['id']}"
    assert server.request("DELETE", f"{ended}?by=eve").status == 204
    assert server.request("DELETE", ended).status == 404
    assert server.get("/v1/silences").json()["silences"] == []
    one = server.get(f"/v1/incidents/{incident['id']}").json()
    assert one["silenced_until"] is None
    assert "silence ended by eve" in [entry["text"] for entry in one["timeline"]]


def test_a_monitor_tells_how_it_is_defined(start):
    server = start(DEFINITIONS)
    (monitor,) = server.get("/v1/monitors").json()["monitors"]
    told = {key: monitor[key] for key in ("description", "direction", "for", "resolve_after", "early", "owner", "impact", "calendar")}
    assert told == {
        "description": "orders that fail", "direction": "up", "for": "0s", "resolve_after": "90m", "early": True, "owner": "shop team", "impact": "orders", "calendar": "berlin",
    }
