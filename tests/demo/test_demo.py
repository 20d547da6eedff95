"""The demo: history, live traffic, an incident on the board, its webhook, and a second start that goes on."""

import json
import re

from harness import Server, until
from pages import check_pages

# What the board's own test needs to make an event of the payments pack.
EVENT = {
    "customer_id": "c1",
    "channel": "web",
    "initiator": "customer",
    "attempt": 1,
    "issuer_country": "DE",
}


def incidents(server):
    answer = server.get("/v1/incidents", limit=50)
    return answer.json()["incidents"] if answer.status == 200 else []


def events(server):
    status = server.get("/v1/status").json()
    return {stream["name"]: stream["events"] for stream in status["streams"]}


def check_board(server, psp, issuer):
    """Chromium sees a figure change within a second of an event, the incident with its slice, and every other page."""
    check_pages(server, "board", "pages",
        TILLWATCH_EVENT=json.dumps(EVENT),
        TILLWATCH_SLICE=json.dumps({"psp": psp, "issuer": issuer}),
    )


def test_the_demo_tells_of_its_incident_and_goes_on_where_it_was(tmp_path):
    demo = Server(tmp_path, tmp_path / "demo", "--days", "2", "--events-per-day", "400000", command="demo")
    # The address comes after the history is filled.
    demo.start(ready=False, deadline_s=240)
    try:
        assert re.search(r"history\s+[\d,]+ events", "".join(demo.output))
        trouble = demo.wait_for_line(r"incident\s+(\w+) now approves only \d+ % of payments through (\w+)", 90)
        issuer, psp = trouble.group(1), trouble.group(2)

        def told():
            return [
                incident
                for incident in incidents(demo)
                if incident["metric"] == "authorization_rate"
                and incident["slice"].get("psp") == psp
                and incident["slice"].get("issuer") == issuer
            ]

        found = until(told, f"an incident on psp={psp}, issuer={issuer}: {incidents(demo)}", 240)
        assert found[0]["value"] < found[0]["expected"], found
        assert found[0]["affected"] > 0, found

        def explained():
            # With a few payments other slices explain it as well; it is found anew as more come.
            one = demo.get(f"/v1/incidents/{found[0]['id']}").json()
            parts = [part["slice"] for part in (one["explanation"] or {"parts": []})["parts"]]
            return one if any(part.get("psp") == psp and part.get("issuer") == issuer for part in parts) else None

        # It says which slice explains the fall, how much money that is about, and which events are behind it.
        one = until(explained, f"the slice explains it: {demo.get('/v1/incidents/' + found[0]['id']).json()}", 120)
        assert one["impact"]["unit"] == "EUR" and one["impact"]["value"] > 0, one
        behind = demo.sql(one["explanation"]["events_sql"])
        assert behind and len(behind) <= 1000, one["explanation"]["events_sql"]
        # Another monitor may have seen the same cause sooner, as a fall of the whole PSP; then that incident is the one that is told.
        line = demo.wait_for_line(rf"webhook\s+.*(?:{issuer}|{psp}).*signature verified\) http://127\.0\.0\.1:{demo.port}/", 60)
        print(line.group(0))

        def delivered():
            one = demo.get(f"/v1/incidents/{found[0]['id']}").json()
            leader = demo.get(f"/v1/incidents/{one['part_of']}").json() if one["part_of"] else one
            return any(entry["kind"] == "delivered" for entry in leader["timeline"])

        until(delivered, "the delivery stands in the timeline")
        check_board(demo, psp, issuer)
        before = events(demo)
        assert demo.stop() == 0

        again = Server(tmp_path, tmp_path / "demo", "--days", "2", "--events-per-day", "400000", command="demo")
        again.start(ready=False, deadline_s=240)
        try:
            assert "going on from there" in "".join(again.output)
            after = events(again)
            assert all(after[name] >= count for name, count in before.items()), (before, after)
            kept = [incident["id"] for incident in incidents(again)]
            assert found[0]["id"] in kept
            counted = again.sql("select count(*), count(distinct event_id) from payments")
            assert counted[0][0] == counted[0][1], counted
            # Its own incident is elsewhere, so that it is a new one while the first is still open.
            second = again.wait_for_line(r"incident\s+(\w+) now approves only \d+ % of payments through (\w+)", 90)
            assert second.group(1) != issuer, second.group(0)
            again.wait_for_line(rf"webhook\s+.*(?:{second.group(1)}|{second.group(2)}).*signature verified", 240)
        finally:
            assert again.stop() == 0
    finally:
        if demo.process.poll() is None:
            demo.kill()
