"""Monitors judge the past: what they find of a known failure, which versions find it, and what that leaves untouched."""

import datetime
import json
import sqlite3

import pytest
from harness import Server, run

DEFINITIONS = """
packs: [payments]
monitors:
  approvals:
    metric: authorization_rate
    by: [psp]
    detect: {rate: {history: 2d}}
    direction: down
"""
# One provider fails for an hour on the fifth of six days.
SCENARIO = """
incidents:
  - {start: 2026-05-08T10:00:00Z, duration: 1h, kind: {psp_outage: {psp: adyen, share: 0.7}}}
"""
LABELS = """
- {from: 2026-05-08T10:00:00Z, to: 2026-05-08T11:00:00Z, where: {psp: adyen}}
- {from: 2026-05-04T00:00:00Z, to: 2026-05-10T00:00:00Z, verdict: false_alarm}
"""
BROKEN = datetime.datetime(2026, 5, 8, 10, tzinfo=datetime.timezone.utc)
# The pack keeps ten seconds for a day and minutes for eight, so two days of history are behind every minute of these.
SPAN = ("--from", "2026-05-06T12:00:00Z")


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A folder with six days of payments and their definitions, and a file of labels. No server has seen it."""
    folder = tmp_path_factory.mktemp("history")
    (folder / "definitions").mkdir()
    (folder / "definitions/test.yaml").write_text(DEFINITIONS)
    (folder / "scenario.yaml").write_text(SCENARIO)
    (folder / "labels.yaml").write_text(LABELS)
    run("simulate", "--from", "2026-05-04", "--for", "6d", "--events-per-day", 240_000, "--seed", 5,
        "--stream", "payments", "--scenario", folder / "scenario.yaml", "--out", folder / "traffic")
    (file,) = (folder / "traffic").glob("payments*")
    run("ingest", file, "--stream", "payments", "--quiet", "--state", folder / "state", *place(folder))
    return folder


def place(folder):
    return "--config", folder / "definitions", "--data", folder / "data"


def backtest(folder, monitor, *more, where=None, code=0):
    done = run("backtest", monitor, *SPAN, *more, "--json", *(where or place(folder)), check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout) if code == 0 else done.stderr


def minutes_after(text):
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (at - BROKEN).total_seconds() / 60


def is_the_failure(found):
    incident = found["incident"]
    assert incident["slice"] == {"psp": "adyen"}, incident
    assert -5 <= minutes_after(incident["started_at"]) <= 10, incident
    assert 0 < minutes_after(incident["opened_at"]) <= 15, incident
    assert 60 <= minutes_after(incident["resolved_at"]) <= 90, incident
    assert incident["value"] < 0.6 < incident["expected"], incident
    assert incident["affected"] > 20 and incident["probability"] > 0.9, incident
    assert incident["summary"] and incident["timeline"][0]["kind"] == "opened", incident


def catalogue(folder):
    with sqlite3.connect(f"file:{folder}/data/catalogue.sqlite?mode=ro", uri=True) as db:
        return list(db.iterdump())


def test_a_known_failure_is_found_when_and_where_it_was(history):
    answer = backtest(history, "approvals", "--labels", history / "labels.yaml")
    existing = answer["existing"]
    assert answer["proposed"] is None and answer["comparison"] is None
    (found,) = existing["incidents"]
    is_the_failure(found)
    assert found["verdict"] == "real" and found["label"] == 0 and found["live"] is None
    assert existing["counts"] == {"found": 1, "real": 1, "false_alarms": 0, "unlabelled": 0, "missed": 0}
    assert existing["learning_hours"] == 0 and existing["steps"] > 3000
    # Older than a day there are only minutes left.
    assert [part["step_s"] for part in existing["resolution"]] == [60, 10]
    text = run("backtest", "approvals", *SPAN, *place(history)).stdout
    assert "existing: rate on authorization_rate by psp" in text, text
    assert "1 incident (" in text and "psp=adyen" in text, text


def test_a_proposed_version_is_compared_and_a_new_one_needs_no_existing_one(history, tmp_path):
    stricter = tmp_path / "stricter.yaml"
    stricter.write_text("metric: authorization_rate\nby: [psp]\ndirection: down\ndetect: {rate: {history: 2d, min_change: 0.9}}\n")
    answer = backtest(history, "approvals", "--proposed", stricter)
    (found,) = answer["existing"]["incidents"]
    assert answer["proposed"]["counts"]["found"] == 0
    assert answer["comparison"] == {"both": [], "only_existing": [found["incident"]["id"]], "only_proposed": []}
    # By a bound, in a file as the definitions have them.
    bound = tmp_path / "bound.yaml"
    bound.write_text(
        "monitors:\n  bounded:\n    metric: error_rate\n    by: [psp]\n"
        "    detect: {threshold: {above: 0.4, min_samples: 20, window: 10m}}\n"
    )
    answer = backtest(history, "bounded", "--proposed", bound, "--labels", history / "labels.yaml")
    assert answer["existing"] is None
    found = answer["proposed"]["incidents"]
    assert found and all(one["incident"]["slice"] == {"psp": "adyen"} for one in found), found
    assert answer["proposed"]["counts"]["missed"] == 0
    assert answer["proposed"]["counts"]["false_alarms"] == 0, found
    assert found[0]["incident"]["bound"] == 0.4 and found[0]["delay_s"] == 600
    # Two versions that both find it.
    looser = tmp_path / "looser.yaml"
    looser.write_text("metric: authorization_rate\nby: [psp, method]\ndirection: down\ndetect: {rate: {history: 2d}}\n")
    both = backtest(history, "approvals", "--proposed", looser)["comparison"]["both"]
    assert len(both) == 1 and abs(both[0]["later_s"]) < 900, both
    text = run("backtest", "approvals", *SPAN, "--proposed", looser, *place(history)).stdout
    assert "1 found by both" in text, text


def test_a_server_answers_the_same_and_nothing_of_it_changes(history):
    expected = backtest(history, "approvals")["existing"]
    server = Server(history / "definitions", history / "data").start()
    try:
        where = ("--server", f"http://127.0.0.1:{server.port}")
        before = server.get("/v1/incidents").json()
        answer = backtest(history, "approvals", where=where)
        assert answer["existing"]["incidents"] == expected["incidents"]
        assert answer["took_s"] < 60
        asked = server.request("POST", "/v1/monitors/approvals/backtest")
        assert asked.status == 200, asked.body
        # Two weeks unless told, up to where events are complete, also where there are none.
        span = [datetime.datetime.fromisoformat(asked.json()[key].replace("Z", "+00:00")) for key in ("from", "to")]
        assert span[1] - span[0] == datetime.timedelta(days=14)
        assert server.get("/v1/incidents").json() == before
        judged = {monitor["name"] for monitor in server.get("/v1/monitors").json()["monitors"]}
        assert "approvals" in judged and "bounded" not in judged
    finally:
        assert server.stop() == 0
    kept = catalogue(history)
    backtest(history, "approvals")
    assert catalogue(history) == kept


def test_what_is_wrong_is_said_where_it_is_wrong(history, tmp_path):
    unknown = backtest(history, "aprovals", code=1)
    assert "There is no monitor 'aprovals'" in unknown and "approvals" in unknown.split("help:")[1], unknown
    bad = tmp_path / "bad.yaml"
    bad.write_text("metric: authorization_rat\nby: [psp]\ndetect:\n  rate:\n    windw: 5m\n    min_change: much\n")
    told = backtest(history, "approvals", "--proposed", bad, code=1)
    assert f"{bad}:1:9: there is no metric 'authorization_rat'" in told, told
    assert f"{bad}:5:12: unknown key 'windw'\n    help: did you mean 'window'?" in told, told
    assert f"{bad}:6:17: found the text 'much', expected a number" in told and "3 faults" in told, told
    labels = tmp_path / "labels.yaml"
    labels.write_text("- {from: 2026-05-08T10:00:00Z}\n")
    assert f"{labels}:1:3: the key 'to' is missing" in backtest(history, "approvals", "--labels", labels, code=1)
    late = backtest(history, "approvals", "--to", "2026-05-01T00:00:00Z", code=1)
    assert "'from' must be before 'to'" in late, late
    for wrong in [["backtest"], ["backtest", "approvals", "--config", "x"], ["backtest", "a", "--form", "-1d"]]:
        assert run(*wrong, check=False).returncode == 2, wrong
    help_text = run("backtest", "--help").stdout
    assert "tillwatch backtest authorization_drop --from -30d" in help_text
    server = Server(history / "definitions", history / "data").start()
    try:
        told = backtest(history, "approvals", "--proposed", bad, code=1, where=("--server", f"http://127.0.0.1:{server.port}"))
        assert f"{bad}:5:12: unknown key 'windw'" in told, told
        body = {"monitor": {"metric": "authorization_rate", "detect": {"rate": {"window": "5s"}}}}
        answer = server.request(
            "POST", "/v1/monitors/approvals/backtest", json.dumps(body), {"Content-Type": "application/json"}
        )
        assert answer.status == 422, answer.body
        document = answer.json()
        assert document["type"].endswith("/bad-definition"), document
        assert document["faults"] == [{"path": "monitor.detect.rate.window", "message": "must be between 10s and 24h"}]
        missing = server.request("POST", "/v1/monitors/aprovals/backtest")
        assert (missing.status, missing.json()["suggestion"]) == (404, "approvals")
    finally:
        assert server.stop() == 0
