"""Forecasts of simulated traffic against what came, over HTTP and in SQL, and over a restart."""

import datetime

import harness
import pytest
from harness import BINARY, Server

DEFINITIONS = "packs: [payments]\n"
# A Monday. Long ago, so that every `at` is in the past; no clock changes in these weeks.
FIRST = datetime.datetime(2025, 1, 6, tzinfo=datetime.timezone.utc)
DAYS = 31
HOUR_MS = 3_600_000
SUMS = ["attempt_count", "payment_volume"]
# Days after the first, and hours: weekdays and weekends, early and late.
ORIGINS = [(24, 6), (25, 15), (26, 9), (26, 21), (27, 12), (28, 9), (28, 18), (29, 3)]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that has a month of payments."""
    folder = tmp_path_factory.mktemp("month")
    harness.run(
        "simulate", "--from", FIRST.date().isoformat(), "--for", f"{DAYS}d", "--stream", "payments",
        "--events-per-day", "60000", "--seed", "7", "--out", folder / "traffic",
    )  # fmt: skip
    config = folder / "definitions"
    config.mkdir()
    (config / "test.yaml").write_text(DEFINITIONS)
    assert BINARY.exists()
    server = Server(config, folder / "data").start()
    try:
        [file] = (folder / "traffic").iterdir()
        harness.run("ingest", file, "--stream", "payments", "--server", f"http://127.0.0.1:{server.port}")
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


def at(days, hours=0, minutes=0):
    return FIRST + datetime.timedelta(days=days, hours=hours, minutes=minutes)


def ms(moment):
    return round(moment.timestamp() * 1_000)


def forecast(server, metric, moment, **parameters):
    answer = server.get(f"/v1/metrics/{metric}/forecast", at=moment.isoformat(), **parameters)
    assert answer.status == 200, answer.body
    return answer.json()


def only(document):
    [one] = document["forecasts"]
    assert one["status"] == "ready", one
    return one


def came(server, metric, start, end, **parameters):
    """The figures of a range by their start in ms."""
    answer = server.get(
        f"/v1/metrics/{metric}", **{"from": start.isoformat(), "to": end.isoformat(), "step": "1h"} | parameters
    )
    assert answer.status == 200, answer.body
    [one] = answer.json()["series"]
    return {start: float(value or 0) for start, value in one["points"]}


def test_bands_hold_what_comes_and_forecasts_are_near_it(server):
    for metric, off_max in [*((metric, 0.25) for metric in SUMS), ("authorization_rate", 0.08)]:
        held, within_80, within_95, off, size = 0, 0, 0, 0.0, 0.0
        for days, hours in ORIGINS:
            document = forecast(server, metric, at(days, hours, 20), horizon="36h")
            one = only(document)
            assert one["footing"] == "full", one
            assert abs(sum(method["weight"] for method in one["methods"]) - 1) < 1e-9
            truth = came(server, metric, at(days, hours), at(days, hours + 36))
            assert [point["start"] for point in one["points"]] == sorted(truth)
            for point in one["points"]:
                value = truth[point["start"]]
                assert point["lower_95"] <= point["lower_80"] <= point["value"] <= point["upper_80"] <= point["upper_95"]
                assert point["lower_95"] >= 0, point
                assert metric != "authorization_rate" or point["upper_95"] <= 1, point
                held += 1
                within_80 += point["lower_80"] <= value <= point["upper_80"]
                within_95 += point["lower_95"] <= value <= point["upper_95"]
                off += abs(point["value"] - value)
                size += value
        print(f"{metric}: {within_80 / held:.3f} within 80 %, {within_95 / held:.3f} within 95 %, off by {off / size:.3f}")
        assert 0.65 <= within_80 / held <= 0.95, (metric, within_80 / held)
        assert within_95 / held >= 0.87, (metric, within_95 / held)
        assert off / size < off_max, (metric, off / size)


@pytest.mark.parametrize("zone,ahead_h", [("UTC", 0), ("Asia/Shanghai", 8), ("Asia/Kolkata", 5.5)])
def test_the_total_of_the_day_is_what_came_and_what_is_expected(server, zone, ahead_h):
    for metric in SUMS:
        inside = 0
        for days, hours in ORIGINS:
            begin = at(days) - datetime.timedelta(hours=ahead_h)
            moment = begin + datetime.timedelta(hours=hours, minutes=20)
            one = only(forecast(server, metric, moment, horizon="day", zone=zone))
            day = one["day"]
            assert (day["from"], day["to"]) == (ms(begin), ms(begin) + 24 * HOUR_MS)
            assert day["complete_to"] == ms(moment)
            so_far = came(server, metric, begin, moment, step=f"{hours * 60 + 20}m")
            assert [float(day["so_far"])] == list(so_far.values()), day
            [total] = came(server, metric, begin, begin + datetime.timedelta(days=1), step="24h").values()
            assert day["lower_95"] <= day["lower_80"] <= day["value"] <= day["upper_80"] <= day["upper_95"]
            assert day["lower_95"] >= float(day["so_far"]), day
            assert abs(day["value"] - total) < 0.15 * total, (metric, moment, day, total)
            inside += day["lower_95"] <= total <= day["upper_95"]
        assert inside >= len(ORIGINS) - 1, (metric, inside)


def test_a_split_is_forecast_by_slice(server):
    document = forecast(server, "attempt_count", at(28, 9), by="psp", limit=3)
    assert document["truncated"] and len(document["forecasts"]) == 3, document
    for one in document["forecasts"]:
        assert one["status"] == "ready"
        alone = forecast(server, "attempt_count", at(28, 9), where=f"psp:{one['by']['psp']}")
        assert only(alone)["points"] == one["points"]


def test_too_little_history_is_said_and_bad_questions_are_refused(server):
    document = forecast(server, "attempt_count", at(0, 6))
    [one] = document["forecasts"]
    assert (one["status"], one["points"], one["day"]) == ("learning", [], None)
    assert one["known_steps"] < one["needed_steps"] and "more are missing" in one["reason"], one
    for question, parameter, suggestion in [
        ({"horizon": "soon"}, "horizon", None),
        ({"horizon": "400d"}, "horizon", None),
        ({"step": "7s"}, "step", None),
        ({"zone": "Europe/Berln"}, "zone", "Europe/Berlin"),
        ({"at": "2999-01-01T00:00:00Z"}, "at", None),
        ({"by": "pps"}, "by", "psp"),
        ({"where": "psp"}, "where", None),
        ({"from": "-1h"}, "from", None),
    ]:
        answer = server.get("/v1/metrics/attempt_count/forecast", **question)
        problem = answer.json()
        assert (answer.status, problem["parameter"]) == (400, parameter), problem
        assert suggestion is None or problem["suggestion"] == suggestion, problem
    answer = server.get("/v1/metrics/atempt_count/forecast")
    assert (answer.status, answer.json()["suggestion"]) == (404, "attempt_count")


def test_sql_has_it_as_a_table(server):
    rows = server.sql("select start, value, lower_80, upper_80 from forecast('attempt_count', interval '7 days') order by start")
    # Events ended long ago: it begins with the hour in which they did.
    end = datetime.datetime.fromisoformat(rows[0][0])
    assert at(DAYS) - datetime.timedelta(hours=2) <= end <= at(DAYS + 1), rows[0]
    assert all(low <= value <= high for _, value, low, high in rows)
    [[days, least]] = server.sql(
        "select count(*), min(total) from (select date_trunc('day', start) as day, sum(value) as total, count(*) as n "
        "from forecast(attempt_count, interval '7 days') group by 1) as d where n = 24"
    )
    assert days > 7 and least > 0


def test_a_restart_forecasts_the_same(server):
    questions = [("attempt_count", {"horizon": "7d"}), ("authorization_rate", {"by": "psp"})]
    before = [forecast(server, metric, at(28, 9), **question) for metric, question in questions]
    server.kill()
    server.start()
    assert before == [forecast(server, metric, at(28, 9), **question) for metric, question in questions]
