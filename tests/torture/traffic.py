"""What the clients of the torture suite send, and the definitions it is sent to."""

import csv
import dataclasses
import datetime
import io
import json

CURRENCIES = ["EUR", "USD", "JPY"]
SHOPS = ["north", "south", "east's", "wést"]
BASE = datetime.datetime(2026, 5, 1, tzinfo=datetime.timezone.utc)

FIELDS = """
      at: timestamp
      batch: int64
      n: int64
      amount: decimal(18, 2)
      currency: currency
      shop: string
      customer: string
      ms: float64
"""

# Orders and refunds have ids; readings do not and are known by the request's Idempotency-Key.
STREAMS = f"""
streams:
  orders:
    id: id
    time: at
    dedup: 24h
    fields:
      id: string{FIELDS}
  refunds:
    id: id
    time: at
    dedup: 24h
    fields:
      id: string{FIELDS}
  readings:
    time: at
    dedup: 24h
    fields:{FIELDS}
"""

# Measures and their SQL over the raw events. The sketches are compared with the sketches of a replay.
MEASURES = [
    ("events", "count(*)"),
    ("amount", "sum(amount)"),
    # A cube that adds amounts of several currencies tells which; here its dimension does too.
    ("first_currency", "min(currency)"),
    ("last_currency", "max(currency)"),
    ("lowest", "min(amount)"),
    ("highest", "max(amount)"),
    ("large", "count(*) filter (where amount > 100)"),
    ("customers", "distinct(customer)"),
    ("sizes", "quantile(ms)"),
]
SKETCHES = {"customers", "sizes"}

CUBES = """
cubes:
""" + "".join(
    f"""  {stream}_by_shop:
    from: {stream}
    bucket: 1m
    dimensions: [shop, currency]
    measures:
"""
    + "".join(f"      {name}: {sql}\n" for name, sql in MEASURES)
    + f"""  {stream}_by_day:
    from: {stream}
    bucket: 1d
    dimensions: [currency]
    measures: {{events: count(*), amount: sum(amount), first: min(currency), last: max(currency)}}
"""
    for stream in ("orders", "refunds", "readings")
)

# Small segments, so that a short campaign sees many.
# Often flushed, so that kills meet flushes, laying together and forgetting too.
LIMITS = """limits:
  journal: {segment_bytes_max: 1MiB}
  history: {flush_interval_ms: 150ms, maintain_share_percent: 80}
"""

# Comes and goes with restarts: it must cover what was there before it.
TOUCHED = """  touched:
    from: orders
    bucket: 1h
    dimensions: [currency]
    measures: {events: count(*), amount: sum(amount), first: min(currency), last: max(currency)}
"""


def definitions(touched):
    return STREAMS + CUBES + (TOUCHED if touched else "") + LIMITS


@dataclasses.dataclass
class Batch:
    """One request's events."""

    stream: str
    number: int
    body: bytes
    content_type: str
    headers: dict
    # Events that count, and lines that are rejected.
    size: int
    repeated: int
    rejected: int
    # Cents by currency.
    cents: dict
    serials: range
    acknowledged: bool = False


def make_batch(rng, stream, number):
    size = rng.choice([1, 3, 20, 60])
    serials = range(number * 1000, number * 1000 + size)
    events, cents = [], {}
    for serial in serials:
        at = BASE + datetime.timedelta(seconds=rng.uniform(0, 6 * 3600))
        if rng.random() < 0.05:
            at -= datetime.timedelta(days=rng.choice([1, 40, 700]))
        amount = rng.randrange(-10_000, 2_000_000)
        currency = rng.choice(CURRENCIES)
        cents[currency] = cents.get(currency, 0) + amount
        event = {
            "id": f"{stream}-{serial}",
            "at": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "batch": number,
            "n": serial,
            "amount": decimal_text(amount),
            "currency": currency,
            "shop": rng.choice(SHOPS),
            "customer": f"c{rng.randrange(500)}",
            "ms": round(rng.lognormvariate(3, 1), 3),
        }
        if stream == "readings":
            del event["id"]
        events.append(event)
    repeated = 0
    if stream != "readings" and rng.random() < 0.1:
        # The same event twice in one request.
        events.append(events[rng.randrange(size)])
        repeated = 1
    rejected = 0
    bad = None
    if rng.random() < 0.2:
        rejected = 1
        bad = rng.randrange(len(events) + 1)
        events.insert(bad, {**events[0], "amount": rng.choice(["12.345", "abc", ""]), "id": "bad"})
    headers = {"Idempotency-Key": f"{stream}-{number}"} if stream == "readings" else {}
    form = rng.choice(["ndjson", "json", "csv"])
    if form == "csv":
        names = [name for name in events[-1 if bad == 0 else 0]]
        out = io.StringIO()
        writer = csv.DictWriter(out, names, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(events)
        body, content_type = out.getvalue(), "text/csv"
    elif form == "json":
        body, content_type = json.dumps(events), "application/json"
    else:
        body = "".join(json.dumps(event) + "\n" for event in events)
        content_type = "application/x-ndjson"
    return Batch(
        stream, number, body.encode(), content_type, headers, size, repeated, rejected, cents, serials
    )


def decimal_text(cents):
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02}"
