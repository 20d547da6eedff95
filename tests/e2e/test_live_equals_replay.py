"""Live = replay: every measure of every bucket against SQL over the raw events and against DuckDB."""

import datetime
import decimal
import json
import math
import random

import duckdb

DEFINITIONS = """
streams:
  trades:
    id: id
    time: moment
    dedup: 24h
    fields:
      id: string
      moment: timestamp
      shop: string
      kind: string?
      amount: decimal(18, 4)
      units: int64?
      x: float64
      y: float64?
      customer: string
    derive:
      amount_double: amount * 2
cubes:
  trade_sums:
    from: trades
    bucket: BUCKET
    dimensions: [shop, kind]
    measures:
      n: count(*)
      n_units: count(units)
      n_sale: count(*) filter (where kind = 'sale')
      amount: sum(amount)
      amount_sale: sum(amount) filter (where kind = 'sale')
      double: sum(amount_double)
      units: sum(units)
      lowest: min(amount)
      highest: max(units)
      first_at: min(moment)
      mean: avg(x)
      mean_amount: avg(amount)
      variance: var_samp(x)
      spread: stddev_pop(x)
      slope: regr_slope(y, x)
      intercept: regr_intercept(y, x)
      pairs: regr_count(y, x)
      correlation: corr(y, x)
      customers: distinct(customer)
      sizes: quantile(x)
"""

# Each measure, its SQL over the raw events in both engines, and how closely they must agree.
MEASURES = [
    ("n", "count(*)", None),
    ("n_units", "count(units)", None),
    ("n_sale", "count(*) filter (where kind = 'sale')", None),
    ("amount", "sum(amount)", None),
    ("amount_sale", "sum(amount) filter (where kind = 'sale')", None),
    ("double", "sum(amount * 2)", None),
    ("units", "sum(units)", None),
    ("lowest", "min(amount)", None),
    ("highest", "max(units)", None),
    ("first_at", "min(moment)", None),
    ("mean", "avg(x)", 1e-9),
    ("mean_amount", "avg(amount)", 1e-4),
    ("variance", "var_samp(x)", 1e-7),
    ("spread", "stddev_pop(x)", 1e-7),
    ("slope", "regr_slope(y, x)", 1e-6),
    ("intercept", "regr_intercept(y, x)", 1e-6),
    ("pairs", "regr_count(y, x)", None),
    ("correlation", "corr(y, x)", 1e-6),
]
DISTINCT_ERROR = 0.05
QUANTILE_ERROR = 0.0101


def make_events(rng, count):
    base = datetime.datetime(2026, 3, 28, 22, tzinfo=datetime.timezone.utc)
    events = []
    for index in range(count):
        at = base + datetime.timedelta(seconds=rng.uniform(0, 4 * 3600))
        x = rng.lognormvariate(3, 1)
        events.append(
            {
                "id": f"t{index}",
                "moment": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
                "shop": rng.choice(["north", "south", "east's", "wést"]),
                "kind": rng.choice(["sale", "return", None]),
                "amount": f"{rng.randrange(-10**9, 10**12) / 10**4:.4f}",
                "units": rng.choice([None, rng.randrange(-50, 1000)]),
                "x": x,
                "y": rng.choice([None, 3.5 * x - 2 + rng.gauss(0, 1)]),
                "customer": f"c{rng.randrange(400)}",
            }
        )
    return events


def send_in_random_batches(server, rng, events):
    """Shuffled, a third sent twice, in batches of all sizes and formats."""
    sent = events + rng.sample(events, len(events) // 3)
    rng.shuffle(sent)
    accepted = duplicates = 0
    while sent:
        size = rng.choice([1, 2, 7, 100, 700])
        batch, sent = sent[:size], sent[size:]
        if rng.random() < 0.3:
            answer = server.post("trades", json.dumps(batch), "application/json")
        else:
            answer = server.post("trades", batch)
        assert answer.status == 200, answer.body
        receipt = answer.json()
        assert receipt["rejected"] == 0, receipt
        accepted += receipt["accepted"]
        duplicates += receipt["duplicates"]
    assert accepted == len(events)
    assert duplicates == len(events) // 3


def number(value):
    if value is None:
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc)
    if isinstance(value, str):
        try:
            return decimal.Decimal(value)
        except decimal.InvalidOperation:
            return datetime.datetime.fromisoformat(value)
    if isinstance(value, float):
        return None if math.isnan(value) else value
    return decimal.Decimal(value)


def agree(name, mine, theirs, tolerance, where):
    mine, theirs = number(mine), number(theirs)
    if mine is None or theirs is None or tolerance is None:
        assert mine == theirs, f"{name} at {where}: {mine} is not {theirs}"
        return
    mine, theirs = float(mine), float(theirs)
    assert math.isclose(mine, theirs, rel_tol=tolerance, abs_tol=tolerance), (
        f"{name} at {where}: {mine} is not {theirs}"
    )


def rows_by_key(rows):
    keyed = {}
    for bucket, shop, kind, *values in rows:
        if isinstance(bucket, str):
            bucket = datetime.datetime.fromisoformat(bucket)
        keyed[(bucket.astimezone(datetime.timezone.utc), shop, kind)] = values
    return keyed


def duckdb_of(events):
    base = duckdb.connect()
    base.execute("set timezone = 'UTC'")
    base.execute(
        "create table trades(id varchar, moment timestamptz, shop varchar, kind varchar,"
        " amount decimal(18,4), units bigint, x double, y double, customer varchar)"
    )
    base.executemany(
        "insert into trades values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [tuple(event.values()) for event in events],
    )
    return base


def compare(server, oracle, seconds, where):
    names = [name for name, _, _ in MEASURES]
    raw = ", ".join(sql for _, sql, _ in MEASURES)
    live = rows_by_key(
        server.sql(
            "select bucket, shop, kind, "
            + ", ".join(f"measure({name})" for name in names)
            + ", measure(customers), quantile_at(measure(sizes), 0.5), quantile_at(measure(sizes), 0.95)"
            " from trade_sums group by bucket, shop, kind"
        )
    )
    replay = rows_by_key(
        server.sql(
            f"select date_bin(interval '{seconds} seconds', moment), shop, kind, {raw}, distinct(customer),"
            " quantile_at(quantile(x), 0.5), quantile_at(quantile(x), 0.95)"
            " from trades group by 1, 2, 3"
        )
    )
    bucket = f"time_bucket(interval '{seconds} seconds', moment, timestamptz '1970-01-01 00:00:00+00')"
    duck = rows_by_key(
        oracle.execute(
            f"select {bucket}, shop, kind, {raw}, count(distinct customer),"
            f" list_sort(list(x)), list_sort(list(x)) from trades group by 1, 2, 3"
        ).fetchall()
    )
    assert live.keys() == replay.keys() == duck.keys(), where
    for key, theirs in duck.items():
        for (name, _, tolerance), mine, again, other in zip(
            MEASURES, live[key], replay[key], theirs
        ):
            agree(name, mine, again, tolerance, (where, key, "replay"))
            agree(name, mine, other, tolerance, (where, key, "DuckDB"))
        check_sketches(live[key][-3:], theirs[-3:], (where, key, "live"))
        check_sketches(replay[key][-3:], theirs[-3:], (where, key, "replay"))


def check_sketches(mine, theirs, where):
    distinct, median, p95 = mine
    exact, values, _ = theirs
    assert abs(int(distinct) - exact) <= max(1, DISTINCT_ERROR * exact), (where, distinct, exact)
    for quantile, estimate in ((0.5, median), (0.95, p95)):
        rank = quantile * (len(values) - 1)
        low, high = values[math.floor(rank)], values[math.ceil(rank)]
        assert low * (1 - QUANTILE_ERROR) <= estimate <= high * (1 + QUANTILE_ERROR), (
            where,
            quantile,
            estimate,
            (low, high),
        )


def test_every_measure_of_every_bucket_equals_sql_over_the_raw_events_and_duckdb(start, seed):
    rng = random.Random(seed)
    seconds, text = rng.choice([(1, "1s"), (10, "10s"), (60, "1m"), (900, "15m"), (3600, "1h"), (86400, "1d")])
    events = make_events(rng, 3000)
    server = start(DEFINITIONS.replace("BUCKET", text))
    send_in_random_batches(server, rng, events)
    oracle = duckdb_of(events)
    compare(server, oracle, seconds, "live")

    # After a kill the same figures come from the journal.
    server.kill()
    server.start()
    compare(server, oracle, seconds, "recovered")

    # Events of long ago still merge into their buckets.
    late = make_events(rng, 200)
    for index, event in enumerate(late):
        event["id"] = f"late{index}"
        event["moment"] = event["moment"].replace("2026-", "2024-")
    assert server.post("trades", late).json()["accepted"] == 200
    compare(server, duckdb_of(events + late), seconds, "late")


def test_a_coarser_step_is_the_same_as_the_raw_events_in_that_step(start, seed):
    rng = random.Random(seed)
    events = make_events(rng, 1000)
    server = start(
        DEFINITIONS.replace("BUCKET", "10s")
        + "metrics:\n  total: {of: trade_sums, expr: amount}\n  share: {of: trade_sums, expr: n_sale / n}\n"
    )
    send_in_random_batches(server, rng, events)
    oracle = duckdb_of(events)
    answer = server.get(
        "/v1/metrics/total",
        **{"from": "2026-03-28T22:00:00Z", "to": "2026-03-29T02:00:00Z", "step": "1h", "by": "shop"},
    )
    assert answer.status == 200, answer.body
    mine = {
        (series["by"]["shop"], at): decimal.Decimal(value)
        for series in answer.json()["series"]
        for at, value in series["points"]
        if value is not None
    }
    theirs = dict(
        ((shop, int(at.timestamp() * 1000)), total)
        for shop, at, total in oracle.execute(
            "select shop, date_trunc('hour', moment), sum(amount) from trades group by 1, 2"
        ).fetchall()
    )
    assert {key: value for key, value in mine.items() if key in theirs or value != 0} == theirs
