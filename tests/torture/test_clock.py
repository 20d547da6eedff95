"""Clocks that jump, summer time and the leap day: nothing lost, nothing doubled, every bucket right."""

import datetime
import itertools
import random

import pytest

from clients import Crowd
from clock import Clock
from harness import until
from oracle import Oracle
from traffic import definitions

HOUR_S = 3600

DEFINITIONS = """
streams:
  visits:
    id: id
    time: at
    dedup: 2h
    fields: {id: string, at: timestamp, n: int64}
  steps:
    time: at
    dedup: 2h
    fields: {at: timestamp, n: int64}
cubes:
  visits_by_minute: {from: visits, bucket: 1m, measures: {events: count(*), total: sum(n)}}
  visits_by_hour: {from: visits, bucket: 1h, measures: {events: count(*), total: sum(n)}}
  visits_by_day: {from: visits, bucket: 1d, measures: {events: count(*), total: sum(n)}}
metrics:
  visits_seen: {of: visits_by_minute, expr: events}
"""


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path)


def server_clock(server):
    """What the server takes for now, in SQL."""
    return datetime.datetime.fromisoformat(server.scalar("select now()"))


def runs_by(server, clock):
    """Proves that the server's clock is the one of the test."""
    apart = abs((server_clock(server) - clock.now()).total_seconds())
    assert apart < 30, f"the server's clock is {apart} s from the one it was given"


def test_a_clock_that_jumps_by_an_hour_loses_and_doubles_nothing(serving, seed, totals, tmp_path, clock):
    rng = random.Random(seed)
    server = serving(definitions(False), tmp_path / "data")
    server.wrapper = clock.wrapper()
    server.start()
    runs_by(server, clock)
    oracle = Oracle(totals)
    crowd = Crowd(seed, oracle, itertools.count(1))
    for life in range(4):
        crowd.begin(server.port)
        for _ in range(4):
            before = crowd.acknowledged
            clock.jump(rng.choice([HOUR_S, -HOUR_S]))
            totals.add("clock jumps")
            until(lambda: crowd.acknowledged > before, "events are taken after the jump")
        runs_by(server, clock)
        if life % 2:
            crowd.stop.set()
            crowd.end()
        server.kill()
        totals.add("kills")
        totals.add("kills while sending")
        crowd.end()
        # The clock may have been put right while the machine was off.
        clock.jump(rng.choice([0, HOUR_S, -HOUR_S]))
        server.start()
        oracle.check(server)
    crowd.settle(server.port)
    oracle.check_every_event(server)


def send_visit(server, name):
    """(accepted, duplicates) of one event, whose time is long ago: the horizon is one of receipt."""
    answer = server.post("visits", [{"id": name, "at": "2026-01-01T00:00:00Z", "n": 1}])
    assert answer.status == 200, answer.body
    receipt = answer.json()
    return receipt["accepted"], receipt["duplicates"]


def send_step(server, key):
    answer = server.post("steps", [{"at": "2026-01-01T00:00:00Z", "n": 1}], Idempotency_Key=key)
    assert answer.status == 200, answer.body
    receipt = answer.json()
    return receipt["accepted"], receipt["duplicates"]


def test_an_id_is_remembered_for_its_horizon_whatever_the_clock_does(serving, tmp_path, clock):
    server = serving(DEFINITIONS, tmp_path / "data")
    clock.set_to("2026-10-25T02:30:00+02:00")
    server.wrapper = clock.wrapper("Europe/Berlin")
    server.start()
    runs_by(server, clock)
    assert send_visit(server, "a") == send_step(server, "a") == (1, 0)
    # Ahead and back, with a restart at each end, never more than the horizon from the first receipt.
    for jumps in ([HOUR_S, 0.9 * HOUR_S], [-HOUR_S], [-HOUR_S, -0.9 * HOUR_S], [HOUR_S, 0.5 * HOUR_S]):
        for jump in jumps:
            clock.jump(jump)
            assert send_visit(server, "a") == send_step(server, "a") == (0, 1), clock.now()
        server.kill()
        server.start()
        assert send_visit(server, "a") == send_step(server, "a") == (0, 1), clock.now()
    # Behind the horizon it may come again, and is remembered again.
    clock.set_to("2026-10-25T06:00:00+01:00")
    assert send_visit(server, "a") == send_step(server, "a") == (1, 0)
    assert send_visit(server, "a") == send_step(server, "a") == (0, 1)
    server.kill()
    server.start()
    assert send_visit(server, "a") == send_step(server, "a") == (0, 1)
    assert server.sql("select count(*) from visits") == [[2]]


def check_buckets(server, moments):
    """Each cube holds the events of each bucket, as counted here; `moments` maps n to its time in UTC."""
    for cube, cut in (
        ("visits_by_minute", {"second": 0, "microsecond": 0}),
        ("visits_by_hour", {"minute": 0, "second": 0, "microsecond": 0}),
        ("visits_by_day", {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}),
    ):
        expected = {}
        for n, moment in moments.items():
            bucket = moment.astimezone(datetime.timezone.utc).replace(**cut)
            events, total = expected.get(bucket, (0, 0))
            expected[bucket] = (events + 1, total + n)
        rows = server.sql(f"select bucket, measure(events), measure(total) from {cube} group by bucket")
        found = {datetime.datetime.fromisoformat(at): (int(e), int(t)) for at, e, t in rows}
        assert found == expected, cube


def live_over(serving, tmp_path, clock, begin, timezone, seconds=6):
    """Sends an event a time by the server's own clock, over a moment that comes `seconds / 2` after `begin`."""
    clock.set_to(begin)
    server = serving(DEFINITIONS, tmp_path / "data")
    server.wrapper = clock.wrapper(timezone)
    server.start()
    runs_by(server, clock)
    moments = {}
    # The start may have taken its time; the moment is still to come.
    clock.set_to(begin)
    end = clock.now() + datetime.timedelta(seconds=seconds)
    local = datetime.timezone(datetime.timedelta(hours=1))

    def send():
        n = len(moments)
        moment = clock.now()
        # In turn as UTC and with an offset, as clients write it.
        text = (moment.astimezone(local) if n % 2 else moment).isoformat(timespec="microseconds")
        answer = server.post("visits", [{"id": f"v{n}", "at": text, "n": n}])
        assert answer.status == 200 and answer.json()["accepted"] == 1, answer.body
        moments[n] = moment
        return moment > end

    until(send, "the moment has passed", pause_s=0.05)
    check_buckets(server, moments)
    first, last = min(moments.values()), max(moments.values())
    answer = server.get(
        "/v1/metrics/visits_seen",
        **{"from": floor_minute(first), "to": floor_minute(last + datetime.timedelta(minutes=1)), "step": "1m"},
    )
    assert answer.status == 200, answer.body
    points = [value or 0 for series in answer.json()["series"] for _, value in series["points"]]
    assert sum(int(value) for value in points) == len(moments), points
    # Again after a kill, and each sent again is a duplicate.
    server.kill()
    server.start()
    check_buckets(server, moments)
    again = [{"id": f"v{n}", "at": "2026-01-01T00:00:00Z", "n": n} for n in moments]
    receipt = server.post("visits", again).json()
    assert (receipt["accepted"], receipt["duplicates"]) == (0, len(moments)), receipt
    return server, moments


def floor_minute(moment):
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:00Z")


def test_when_summer_time_begins_every_event_is_in_its_bucket(serving, tmp_path, clock):
    _, moments = live_over(serving, tmp_path, clock, "2026-03-29T01:59:57+01:00", "Europe/Berlin")
    assert {moment.hour for moment in moments.values()} == {0, 1}


def test_when_summer_time_ends_every_event_is_in_its_bucket(serving, tmp_path, clock):
    _, moments = live_over(serving, tmp_path, clock, "2026-10-25T02:59:57+02:00", "Europe/Berlin")
    assert {moment.hour for moment in moments.values()} == {0, 1}


def test_the_leap_day_is_a_day(serving, tmp_path, clock):
    server, moments = live_over(serving, tmp_path, clock, "2028-02-29T23:59:57+00:00", "UTC")
    assert {(moment.month, moment.day) for moment in moments.values()} == {(2, 29), (3, 1)}
    # A leap day of a year that has none is none.
    answer = server.post(
        "visits",
        [
            {"id": "x1", "at": "2027-02-29T12:00:00Z", "n": 1},
            {"id": "x2", "at": "2024-02-29T12:00:00Z", "n": 2},
            {"id": "x3", "at": "2100-02-29T12:00:00Z", "n": 3},
            {"id": "x4", "at": "2000-02-29T12:00:00Z", "n": 4},
        ],
    )
    receipt = answer.json()
    assert (receipt["accepted"], receipt["rejected"]) == (2, 2), receipt
    for year in (2000, 2024):
        bucket = f"{year}-02-29T00:00:00Z"
        rows = server.sql(f"select measure(events) from visits_by_day where bucket = timestamptz '{bucket}'")
        assert rows == [[1]], year
