#!/usr/bin/env python3
"""Weeks of payments in history: what disk, start, memory and questions cost as history grows, and that no figure differs.

    scripts/long_history.py --days 30 --events-per-day 7000000 --csv history.csv

Each day is made by seed, loaded with `tillwatch ingest` into a running server, and recounted by DuckDB. After some days the
server is killed with `kill -9`, and its start, its memory and questions of a fixed length to each length of bucket are
measured. At the end every hour's figure of the cube is compared with DuckDB's.
"""

import argparse
import datetime
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import duckdb

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "e2e"))

from harness import BINARY, Server, until  # noqa: E402

# The rememberings of ids are for as long as a day takes to load, as 24 hours would be for traffic as it comes.
DEFINITIONS = """
limits:
  memory: {{bytes_max: {memory}}}
streams:
  payments:
    id: event_id
    time: occurred_at
    dedup: 2m
    fields:
      event_id: string
      occurred_at: timestamp
      payment_id: string
      merchant: string
      customer: string
      status: string
      amount: decimal(18, 2)
      currency: currency
      psp: string
      method: string
      issuer: string
      country: string
      decline_code: string?
      latency_ms: int64
cubes:
  board:
    from: payments
    bucket: 10s
    dimensions: [method, country]
    measures:
      attempts: count(*)
      approved: count(*) filter (where status = 'approved')
      volume: sum(amount) filter (where currency = 'EUR')
      latency: quantile(latency_ms)
    keep: {{10s: 2d, 1m: 10d, 1h: 3y}}
  merchants:
    from: payments
    bucket: 1m
    dimensions: [merchant, method, status]
    measures:
      attempts: count(*)
      volume: sum(amount) filter (where currency = 'EUR')
      customers: distinct(customer)
      latency: quantile(latency_ms)
    keep: {{1m: 2d, 1h: 3y}}
metrics:
  authorization_rate: {{of: board, expr: approved / attempts, unit: percent}}
  merchant_volume: {{of: merchants, expr: volume, unit: EUR}}
  latency_p95: {{of: board, expr: "quantile_at(latency, 0.95)", unit: ms}}
"""

# Event `i` of day `d`: 2 % are an earlier event again, 5 % up to a minute and 0.2 % up to two hours older than their place.
# Merchants by Zipf's law with exponent 1, by the inverse of its integral.
DAY = """
copy (
  with placed as (
    select i, case when hash(i * 2654435761 + {seed}) % 100 < 2 and i > {first} + 1000 then i - 1 - (hash(i + 77) % 1000)::bigint else i end as e
    from range({first}, {last}) t(i)
  ), drawn as (
    select i, e, (hash(e * 31 + {seed}) % 1000000007)::bigint as a, (hash(e * 37 + {seed}) % 1000000007)::bigint as b,
           (hash(e * 41 + {seed}) % 1000000007)::bigint as c from placed
  )
  select
    'e' || lpad(e::varchar, 12, '0') as event_id,
    timestamp '{day}' + to_microseconds((e - {first}) * {spacing_us}
      - case when a % 1000 < 50 then b % 60000000 when a % 1000 < 52 then b % 7200000000 else 0 end) as occurred_at,
    'pay_' || md5(e::varchar) as payment_id,
    'm' || lpad((exp((a / 1000000007.0) * ln(5000)))::int::varchar, 5, '0') as merchant,
    'c' || lpad((b % 1000000)::varchar, 7, '0') as customer,
    case when c % 100 < 91 then 'approved' when c % 100 < 99 then 'declined' else 'error' end as status,
    ((b % 5000000) / 100.0)::decimal(18, 2) as amount,
    (['EUR', 'USD', 'GBP', 'JPY'])[1 + c % 4] as currency,
    (['adyen', 'stripe', 'worldline'])[1 + a % 3] as psp,
    (['card', 'wallet', 'transfer'])[1 + b % 3] as method,
    'issuer-' || lpad((c % 300)::varchar, 3, '0') as issuer,
    (['DE', 'FR', 'NL', 'ES', 'IT', 'PL', 'SE', 'BR', 'IN', 'CN'])[1 + a % 10] as country,
    case when c % 100 between 91 and 98 then (['51', '05', '14', '54'])[1 + b % 4] end as decline_code,
    (50 + b % 400 + c % 97) as latency_ms
  from drawn order by i
) to '{path}' (format parquet, compression zstd, row_group_size 200000)
"""


class Month:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        config = folder / "definitions"
        config.mkdir()
        (config / "payments.yaml").write_text(DEFINITIONS.format(memory=options.memory))
        self.server = Server(config, folder / "data")
        self.duckdb = duckdb.connect(str(folder / "recount.duckdb"))
        self.duckdb.execute("set memory_limit = '3GB'; set threads = 2; set preserve_insertion_order = true")
        self.duckdb.execute("create table hours (hour timestamp, merchant varchar, method varchar, status varchar, attempts bigint, volume decimal(38, 2))")
        self.first_day = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
        self.first_day -= datetime.timedelta(days=options.days)
        self.events = 0
        self.ingest_s = 0.0
        self.rows = []

    def day(self, number):
        """Makes a day, loads it and recounts it."""
        path = self.folder / "day.parquet"
        many = self.options.events_per_day
        self.duckdb.execute(DAY.format(
            seed=self.options.seed, first=number * many, last=(number + 1) * many, day=self.first_day + datetime.timedelta(days=number),
            spacing_us=86_400_000_000 // many, path=path,
        ))
        began = time.monotonic()
        subprocess.run(
            [str(BINARY), "ingest", "--stream", "payments", "--server", f"http://127.0.0.1:{self.server.port}", "--quiet", "--restart",
             "--state", str(self.folder / "loaded"), str(path)],
            check=True, stdout=subprocess.DEVNULL,
        )
        took = time.monotonic() - began
        self.ingest_s += took
        (distinct,) = self.duckdb.execute(f"select count(distinct event_id) from '{path}'").fetchone()
        self.events += distinct
        self.duckdb.execute(
            f"""insert into hours select date_trunc('hour', occurred_at), merchant, method, status, count(*),
                    coalesce(sum(amount) filter (where currency = 'EUR'), 0)
                from (select distinct on (event_id) * from '{path}') group by 1, 2, 3, 4"""
        )
        path.unlink()
        print(f"day {number + 1}: {many / took:,.0f} events a second; {self.status_line()}", flush=True)

    def status_line(self):
        memory = self.memory_mib()
        history = self.server.get("/v1/status").json()["history"]
        return f"memory {memory:.0f} MiB; not flushed {history['unflushed_events']:,}"

    def memory_mib(self, field="VmRSS"):
        text = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+)", text)[1]) / 1024

    def cpu_s(self):
        stat = pathlib.Path(f"/proc/{self.server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(stat[11]) + int(stat[12])) / 100

    def settle(self):
        """Waits until everything is in history and maintenance has nothing left to do."""

        def quiet():
            history = self.server.get("/v1/status").json()["history"]
            assert history["fault"] is None, history
            return history["unflushed_events"] == 0

        until(quiet, "history holds everything", 1800, 0.2)
        calm, last = 0, self.cpu_s()
        began = time.monotonic()
        while calm < 3 and time.monotonic() - began < 1800:
            time.sleep(2)
            now = self.cpu_s()
            calm = calm + 1 if now - last < 0.1 else 0
            last = now

    def bytes_of(self, name):
        folder = self.folder / "data" / name
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())

    def measure(self, days):
        began = time.monotonic()
        self.settle()
        settled = time.monotonic() - began
        peak = self.memory_mib("VmHWM")
        self.server.kill()
        began = time.monotonic()
        self.server.start(deadline_s=600)
        start_s = time.monotonic() - began
        start_cpu = self.cpu_s()
        at_start = self.memory_mib()
        end = self.first_day + datetime.timedelta(days=days)

        def ask(metric, back, step, times=15, until_back=datetime.timedelta(0), **more):
            took = []
            for _ in range(times):
                began = time.monotonic()
                answer = self.server.get(
                    f"/v1/metrics/{metric}", **{"from": (end - until_back - back).isoformat() + "Z", "to": (end - until_back).isoformat() + "Z", "step": step, **more}
                )
                took.append((time.monotonic() - began) * 1000)
                assert answer.status == 200, answer.body
            return took[0], statistics.median(took)

        hour, day = datetime.timedelta(hours=1), datetime.timedelta(days=1)
        asked = {
            "10 s buckets, 1 h": ask("authorization_rate", hour, "10s"),
            "1 min buckets, 12 h, by method": ask("authorization_rate", 12 * hour, "1m", by="method"),
            "1 h steps, 24 h, by country": ask("latency_p95", day, "1h", by="country"),
            "merchants by 1 min, 1 h, one merchant": ask("merchant_volume", hour, "1m", where="merchant:m00003"),
            "merchants by 1 h, 24 h, top 10": ask("merchant_volume", day, "1h", times=5, by="merchant", limit=10),
        }
        if days >= 4:
            asked["rolled up: 1 h, 24 h, by country"] = ask("latency_p95", day, "1h", until_back=3 * day, by="country")
            asked["rolled up: merchants, 24 h, top 10"] = ask("merchant_volume", day, "1h", times=5, until_back=3 * day, by="merchant", limit=10)
        asked["all days, 1 h steps"] = ask("authorization_rate", days * day, "1h", times=5)
        tables = {path.name.split(".")[0]: self.bytes_of(path.relative_to(self.folder / "data")) for kind in ("events", "cubes") for path in (self.folder / "data" / "history" / kind).iterdir()}
        row = {
            "days": days,
            "events": self.events,
            "settled_s": settled,
            "start_s": start_s,
            "start_cpu_s": start_cpu,
            "memory_at_start_mib": at_start,
            "memory_after_questions_mib": self.memory_mib(),
            "peak_before_mib": peak,
            "events_bytes": tables.get("payments", 0),
            "board_bytes": tables.get("board", 0),
            "merchants_bytes": tables.get("merchants", 0),
            "journal_bytes": self.bytes_of("journal"),
            **{f"{name}: first, ms": first for name, (first, _) in asked.items()},
            **{f"{name}: median, ms": median for name, (_, median) in asked.items()},
        }
        self.rows.append(row)
        print(f"-- after {days} days", flush=True)
        for name, value in row.items():
            print(f"   {name}: {value:,.1f}" if isinstance(value, float) else f"   {name}: {value:,}", flush=True)

    def compare(self, days):
        """Every hour's figures of the cube against DuckDB's."""
        differ = groups = 0
        for number in range(-1, days):
            start = self.first_day + datetime.timedelta(days=number)
            for part in range(24):
                begin = start + datetime.timedelta(hours=part)
                mine = {
                    (merchant, method, status): (attempts, volume)
                    for merchant, method, status, attempts, volume in self.server.sql(
                        f"select merchant, method, status, measure(attempts), measure(merchant_volume) from merchants "
                        f"where bucket >= timestamp '{begin}' and bucket < timestamp '{begin + datetime.timedelta(hours=1)}' group by 1, 2, 3"
                    )
                }
                theirs = self.duckdb.execute(
                    "select merchant, method, status, attempts::bigint, volume from (select merchant, method, status, sum(attempts) attempts, sum(volume) volume from hours where hour = ? group by 1, 2, 3)",
                    [begin],
                ).fetchall()
                groups += len(theirs)
                assert len(mine) == len(theirs), f"{begin}: {len(mine)} groups instead of {len(theirs)}"
                for merchant, method, status, attempts, volume in theirs:
                    got = mine.get((merchant, method, status))
                    if got is None or got[0] != attempts or float(got[1] or 0) != float(volume):
                        differ += 1
                        if differ < 10:
                            print(f"differs: {begin} {merchant} {method} {status}: {got} instead of {attempts}, {volume}", flush=True)
        print(f"groups compared: {groups:,}; differ: {differ}", flush=True)
        assert differ == 0
        total = self.server.sql("select measure(attempts) from board")[0][0]
        assert total == self.events, f"{total} events in the cube, {self.events} sent"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--days", type=int, default=30)
    options.add_argument("--events-per-day", type=int, default=7_000_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--memory", default="1GiB", help="limits.memory.bytes_max")
    options.add_argument("--measure-after", type=int, nargs="*", default=[1, 4, 10, 30], help="days after which to measure")
    options.add_argument("--csv", help="where the measurements go")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        month = Month(chosen, pathlib.Path(folder))
        month.server.start()
        try:
            for number in range(chosen.days):
                month.day(number)
                if number + 1 in chosen.measure_after or number + 1 == chosen.days:
                    month.measure(number + 1)
            print(f"loaded {month.events:,} events at {chosen.days * chosen.events_per_day / month.ingest_s:,.0f} a second", flush=True)
            month.compare(chosen.days)
        finally:
            month.server.kill()
        if chosen.csv:
            names = list(dict.fromkeys(name for row in month.rows for name in row))
            with open(chosen.csv, "w") as out:
                out.write(",".join(f'"{name}"' for name in names) + "\n")
                for row in month.rows:
                    out.write(",".join(str(row.get(name, "")) for name in names) + "\n")


if __name__ == "__main__":
    main()
