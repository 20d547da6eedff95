"""Windows of every kind over HTTP: against a recount of the raw events, live against asked, and judged by a monitor."""

import datetime
import random
import time
import zoneinfo

from harness import Live, until

DEFINITIONS = """
streams:
  sold:
    id: id
    time: at
    fields: {id: string, at: timestamp, shop: string, zone: string, total: "decimal(12,2)", customer: string}
cubes:
  sales:
    from: sold
    bucket: 1m
    dimensions: [shop, zone]
    measures: {sales: count(*), revenue: sum(total), customers: distinct(customer)}
metrics:
  sales: {of: sales, expr: sales, unit: count}
  revenue: {of: sales, expr: revenue, unit: EUR}
  customers: {of: sales, expr: customers, unit: count}
"""

ZONES = [
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
]
# In Berlin and Lord Howe clocks change in this time.
FIRST = datetime.datetime(2026, 3, 27, tzinfo=datetime.timezone.utc)
LAST = datetime.datetime(2026, 4, 8, tzinfo=datetime.timezone.utc)


def events_of(rng, count):
    events = []
    for number in range(count):
        zone = rng.choice(ZONES)
        at = FIRST + (LAST - FIRST) * rng.random()
        events.append(
            {
                "id": f"s{number}",
                "at": at.isoformat(),
                "shop": f"shop_{ZONES.index(zone)}_{rng.randrange(2)}",
                "zone": zone,
                "total": f"{rng.randrange(1, 90)}.{rng.randrange(100):02}",
                "customer": f"c{rng.randrange(60)}",
            }
        )
    return events


def start_of(period, local):
    """The start of the period that a local time lies in, as a local time."""
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if period == "week":
        return midnight - datetime.timedelta(days=midnight.weekday())
    if period == "month":
        return midnight.replace(day=1)
    return midnight


def is_in(event, question, at):
    """Whether an event is in the window of the point at a time, looked at by itself."""
    moment = datetime.datetime.fromisoformat(event["at"])
    zone = question.get("zone", "UTC")
    zone = zoneinfo.ZoneInfo(event["zone"] if zone.startswith("dim:") else zone)
    step = question["step"]
    if step in ("day", "week", "month"):
        named = at if question["zone"].startswith("dim:") else at.astimezone(zone)
        local = moment.astimezone(zone)
        return start_of(step, local).date() == start_of(step, named).date()
    step = datetime.timedelta(minutes=int(step[:-1]) * (60 if step.endswith("h") else 1))
    end = at + step
    if "window" in question:
        return end - datetime.timedelta(hours=int(question["window"][:-1])) <= moment < end
    last = end - datetime.timedelta(microseconds=1)
    same = start_of(question["since"], moment.astimezone(zone)).date()
    return moment < end and same == start_of(question["since"], last.astimezone(zone)).date()


QUESTIONS = [
    {"window": "3h", "step": "30m"},
    {"window": "26h", "step": "1h", "by": "shop"},
    {"since": "day", "step": "30m", "zone": "Asia/Kathmandu"},
    {"since": "day", "step": "1h", "zone": "dim:zone", "by": "zone"},
    {"since": "month", "step": "1h", "zone": "Australia/Lord_Howe"},
    {"step": "day", "zone": "Europe/Berlin", "by": "shop"},
    {"step": "day", "zone": "dim:zone"},
    {"step": "week", "zone": "America/Sao_Paulo"},
    {"step": "month", "zone": "Asia/Kolkata", "by": "zone"},
]


def ask(server, metric, question):
    range_ = {"from": FIRST.isoformat(), "to": LAST.isoformat(), "limit": 100}
    answer = server.get(f"/v1/metrics/{metric}", **range_, **question)
    assert answer.status == 200, answer.body
    return answer.json()


def recount(server, events):
    compared = 0
    for question in QUESTIONS:
        counts = ask(server, "sales", question)
        amounts = ask(server, "revenue", question)
        assert counts.get("notes") is None, counts["notes"]
        revenue = {str(one["by"]): dict(one["points"]) for one in amounts["series"]}
        for one in counts["series"]:
            own = [e for e in events if all(e[name] == value for name, value in one["by"].items())]
            for at_ms, count in one["points"]:
                at = datetime.datetime.fromtimestamp(at_ms / 1000, datetime.timezone.utc)
                inside = [event for event in own if is_in(event, question, at)]
                assert (count or 0) == len(inside), (question, one["by"], at)
                cents = sum(int(event["total"].replace(".", "")) for event in inside)
                if inside:
                    expected = f"{cents // 100}.{cents % 100:02}"
                    assert revenue[str(one["by"])][at_ms] == expected, (question, one["by"], at)
                    compared += 1
    return compared


def test_windows_in_zones_equal_a_recount_of_the_raw_events(start, seed):
    rng = random.Random(seed)
    events = events_of(rng, 1500)
    server = start(DEFINITIONS)
    shuffled = rng.sample(events, len(events))
    for begin in range(0, len(shuffled), 250):
        assert server.post("sold", shuffled[begin : begin + 250]).status == 200
    assert recount(server, events) > 1000
    # And after a crash, from history and journal.
    server.kill()
    server.start()
    assert recount(server, events) > 1000


def test_a_question_for_windows_that_cannot_be_is_refused_with_the_parameter(start):
    server = start(DEFINITIONS)
    for question, parameter in [
        ("window=5m&since=day", "since"),
        ("window=90s&step=1m", "window"),
        ("window=day", "window"),
        ("since=fortnight", "since"),
        ("since=day&zone=Mars/Base", "zone"),
        ("since=day&zone=dim:zon", "zone"),
        ("step=day&zone=%00", "zone"),
        ("zone=Europe/Berlin", "zone"),
        ("step=month&window=30d&from=-400d", "window"),
    ]:
        answer = server.get(f"/v1/metrics/sales?{question}")
        assert answer.status == 400, (question, answer.body)
        assert answer.json()["parameter"] == parameter, answer.body
    # A year of windows at every step is answered, and an odd one of any length does no harm.
    assert server.get("/v1/metrics/sales?window=365d&step=1m&from=-1h").status == 200
    assert server.get("/v1/metrics/sales?window=365000d&step=1m&from=-1h").status in (200, 400)


def applied(document, update):
    """The document with an update, as a client does it."""
    series = {str(one["by"]): dict(one["points"]) for one in document["series"]}
    for one in update["series"]:
        series.setdefault(str(one["by"]), {}).update(dict(one["points"]))
    return series


def known(series):
    return {
        slice_: {at: value for at, value in points.items() if value is not None}
        for slice_, points in series.items()
    }


def test_live_windows_become_what_is_asked(start, seed):
    rng = random.Random(seed)
    events = events_of(rng, 400)
    server = start(DEFINITIONS)
    assert server.post("sold", events[:100]).status == 200
    for question in [QUESTIONS[0], QUESTIONS[3], QUESTIONS[5], QUESTIONS[6]]:
        parameters = "&".join(f"{name}={value}" for name, value in question.items())
        times = f"from={FIRST:%Y-%m-%dT%H:%M:%SZ}&to={LAST:%Y-%m-%dT%H:%M:%SZ}&limit=100"
        live = Live(server, f"/v1/metrics/customers/live?{times}&{parameters}")
        _, document, _ = live.next("snapshot")
        held = applied(document, {"series": []})
        fresh, events = events[100:160], events[:100] + events[160:] + events[100:160]
        for begin in range(0, len(fresh), 20):
            assert server.post("sold", fresh[begin : begin + 20]).status == 200

        def is_as_asked():
            nonlocal held
            while not live.events.empty():
                name, told, _ = live.events.get()
                if name == "snapshot":
                    held = applied(told, {"series": []})
                elif name == "update":
                    told_now = {"series": [{"by": by, "points": list(p.items())} for by, p in held.items()]}
                    held = applied(told_now, told)
            asked = applied(ask(server, "customers", question), {"series": []})
            return known(held) == known(asked)

        until(is_as_asked, f"the live windows of {question} are those asked for", 20, 0.1)
        live.close()


def test_a_monitor_judges_the_trailing_window(start):
    definitions = DEFINITIONS.replace("bucket: 1m", "bucket: 1s") + """
monitors:
  many:
    metric: sales
    by: [shop]
    detect: {threshold: {above: 5}}
    over: 30s
limits:
  process: {lateness_ms: 1s}
"""
    server = start(definitions)
    # Three and three: no ten seconds have more than five, thirty have.
    now = datetime.datetime.now(datetime.timezone.utc)
    events = [
        {
            "id": f"s{number}",
            "at": (now - datetime.timedelta(seconds=5 if number < 3 else 17)).isoformat(),
            "shop": "one",
            "zone": "UTC",
            "total": "1.00",
            "customer": "c",
        }
        for number in range(6)
    ]
    assert server.post("sold", events).status == 200

    def opened():
        # Time goes on by events, each of a shop of its own, for many of one shop would be a second slice beyond the bound.
        at = datetime.datetime.now(datetime.timezone.utc).isoformat()
        tick = {**events[0], "id": f"t{time.monotonic_ns()}", "at": at, "shop": f"shop {time.monotonic_ns()}"}
        server.post("sold", [tick])
        found = server.get("/v1/incidents").json()["incidents"]
        return [incident for incident in found if incident["monitor"] == "many"]

    incident = until(opened, "the trailing window opens an incident", 60, 0.5)[-1]
    assert incident["slice"] == {"shop": "one"}, incident
    assert incident["value"] == 6, incident
