"""Writes a fixture: a data folder of today's formats with all that one can hold, and the figures it must give."""

import contextlib
import json
import pathlib
import shutil
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness import Server, until  # noqa: E402

DEFINITIONS = """
streams:
  orders:
    id: id
    time: at
    dedup: 3650d
    fields:
      id: string
      at: timestamp
      shop: string
      amount: decimal(12, 2)
      currency: currency
      weight: float64?
      pieces: int64?
      gift: bool
      day: date?
      note: json?
    derive: {half: amount / 2}
cubes:
  per_hour:
    from: orders
    bucket: 1h
    dimensions: [shop, currency]
    measures:
      n: count(*)
      amount: sum(amount) filter (where currency = 'EUR')
      halves: sum(half) filter (where currency = 'EUR')
      mean_weight: avg(weight)
      heaviest: max(weight)
      pieces: sum(pieces)
      gifts: count(*) filter (where gift)
      weights: quantile(weight)
      buyers: distinct(id)
  aging:
    from: orders
    bucket: 1m
    dimensions: [shop]
    measures: {n: count(*), amount: "sum(amount) filter (where currency = 'EUR')"}
    keep: {1m: 1d, 1h: 2d, 1d: 365d}
metrics:
  orders: {of: per_hour, expr: n}
monitors:
  many_orders:
    metric: orders
    by: [shop]
    detect: {threshold: {above: 1}}
    severity: warning
limits:
  process: {lateness_ms: 1s}
  history: {flush_interval_ms: 100ms}
  journal: {segment_bytes_max: 16KiB}
"""

QUESTIONS = [
    "select count(*), sum(amount), sum(half), sum(pieces), count(weight), min(at), max(at), max(day) from orders",
    "select shop, currency, count(*), sum(amount), count(*) filter (where gift) from orders group by shop, currency order by 1, 2",
    "select id, at, amount, note from orders order by id limit 20",
    "select bucket, shop, currency, measure(n), measure(amount), measure(halves), measure(heaviest), measure(pieces), measure(gifts),"
    " measure(buyers) from per_hour group by bucket, shop, currency order by 1, 2, 3",
    "select date_trunc('day', bucket), shop, measure(n), measure(amount) from aging group by 1, 2 order by 1, 2",
]


def event(index):
    day, minute = 1 + index % 2, (index * 37) % 1440
    return {
        "id": f"o{index:05}",
        "at": f"2026-03-{day:02}T{minute // 60:02}:{minute % 60:02}:{index % 60:02}.{index % 1000:03}Z",
        "shop": f"shop-{index % 3}",
        "amount": f"{index % 877}.{index % 100:02}",
        "currency": ["EUR", "USD"][index % 2],
        "weight": None if index % 7 == 0 else index * 0.125,
        "pieces": None if index % 5 == 0 else index % 11,
        "gift": index % 4 == 0,
        "day": f"2026-03-{day:02}" if index % 3 else None,
        "note": {"n": index, "text": "ü"} if index % 6 == 0 else None,
    }


def expected(server):
    """What a server on the folder must answer."""
    return {
        "answers": {question: server.sql(question) for question in QUESTIONS},
        "incidents": sorted(
            (one["id"], one["monitor"], one["state"])
            for one in server.get("/v1/incidents").json()["incidents"]
        ),
        "quarantine": len(server.get("/v1/streams/orders/quarantine").json()["lines"]),
        "instance": server.get("/v1/status").json()["journal"]["instance"],
    }


def write(folder):
    if folder.exists():
        raise SystemExit(f"{folder} is there: a fixture is written once")
    definitions = folder / "definitions"
    definitions.mkdir(parents=True)
    (definitions / "fixture.yaml").write_text(DEFINITIONS)
    server = Server(definitions, folder / "data").start()
    for first in range(0, 600, 300):
        body = [event(index) for index in range(first, first + 300)]
        assert server.post("orders", body).status == 200
        until(lambda: server.get("/v1/status").json()["history"]["unflushed_events"] == 0, "flushed")
    assert server.post("orders", [event(1), {**event(601), "amount": "x"}]).json()["rejected"] == 1
    assert server.stop() == 0
    # And something that is only in the journal: killed before the next flush.
    slow = DEFINITIONS.replace("flush_interval_ms: 100ms", "flush_interval_ms: 1h")
    (definitions / "fixture.yaml").write_text(slow)
    server.start()
    assert server.post("orders", [event(index) for index in range(602, 640)]).status == 200
    told = json.dumps(expected(server), indent=1, ensure_ascii=False)
    (folder / "expected.json").write_text(told + "\n")
    server.kill()
    # Smaller, and the same: what stands in the catalogue's log goes into its file.
    with contextlib.closing(sqlite3.connect(folder / "data" / "catalogue.sqlite")) as catalogue:
        catalogue.execute("pragma wal_checkpoint(truncate)")
        catalogue.execute("vacuum")
    for left in [*folder.rglob("lock"), *folder.rglob("*-shm"), *folder.rglob("*-wal")]:
        left.unlink(missing_ok=True)
    bytes_ = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"{folder}: {bytes_} bytes")
    if bytes_ > 300_000:
        shutil.rmtree(folder)
        raise SystemExit("that is too much for a fixture")


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]).resolve())
