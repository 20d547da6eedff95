"""More events than the server can take, from many clients, for as long as one likes.

`drive` sends them and returns totals and a memory curve; the test and `scripts/overload.py` use it.
"""

import gzip
import http.client
import json
import pathlib
import re
import statistics
import threading
import time

from harness import until

MEMORY_MIB = 512

# A queue that is soon full, and cubes that make each event dear.
DEFINITIONS = f"""
limits:
  memory: {{bytes_max: {MEMORY_MIB}MiB}}
  intake: {{queue_bytes_max: 16MiB, queue_batches_max: 16}}
  http: {{ingest_at_once_max: 24, body_bytes_max: 8MiB, bodies_in_flight_bytes_max: 16MiB}}
streams:
  flood:
    time: at
    fields: {{at: timestamp, shop: string, card: string, amount: "decimal(12,2)", took_ms: int64}}
  calm:
    time: at
    fields: {{at: timestamp, amount: "decimal(12,2)"}}
cubes:
  flood_sums:
    from: flood
    bucket: 1m
    measures: {{n: count(*), amount: sum(amount)}}
  flood_shops:
    from: flood
    bucket: 10s
    dimensions: [shop]
    measures: {{n: count(*), cards: distinct(card), took: quantile(took_ms)}}
  calm_sums:
    from: calm
    bucket: 1m
    measures: {{n: count(*), amount: sum(amount)}}
"""

EVENTS_PER_BODY = 4000


def flood_body(seed):
    lines = []
    for i in range(EVENTS_PER_BODY):
        n = seed * EVENTS_PER_BODY + i
        lines.append(
            f'{{"at":"2026-05-01T00:0{n % 10}:{n % 60:02}Z","shop":"s{n * 7919 % 200}",'
            f'"card":"c{n * 104729 % 50000}","amount":"1.00","took_ms":{n % 977}}}\n'
        )
    return gzip.compress("".join(lines).encode(), 1)


def calm_body(index):
    return "".join(
        json.dumps({"at": f"2026-05-01T00:00:{i:02}Z", "amount": "1.00"}) + "\n" for i in range(10)
    ).encode()


class Client:
    """One that keeps its connection and counts its answers."""

    def __init__(self, port, stream):
        self.port = port
        self.stream = stream
        self.connection = None
        self.acknowledged = 0
        self.statuses = {}
        self.retry_after_s = []
        self.broken = 0
        self.waits_s = []

    def send(self, body, headers):
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        begin = time.monotonic()
        try:
            self.connection.request("POST", f"/v1/streams/{self.stream}/events", body, headers)
            answer = self.connection.getresponse()
            document = json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            self.broken += 1
            return 0
        self.waits_s.append(time.monotonic() - begin)
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        if answer.status == 200:
            self.acknowledged += document["accepted"]
        elif answer.status == 429:
            self.retry_after_s.append(int(answer.headers["Retry-After"]))
        return answer.status


def resident_bytes(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1)) * 1024


def metric(server, name, **labels):
    """The value of one line of the exposition; 0 when there is none."""
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    for line in server.get("/metrics").body.decode().splitlines():
        key, _, value = line.rpartition(" ")
        if re.match(rf"{name}(\{{|$)", key) and all(part in key for part in wanted):
            return float(value)
    return 0.0


class Totals:
    """What came of it."""

    def __init__(self):
        self.curve = []
        self.flood = []
        self.calm = None
        self.questions = {}

    def sum(self, status):
        return sum(client.statuses.get(status, 0) for client in self.flood)

    @property
    def flood_acknowledged(self):
        return sum(client.acknowledged for client in self.flood)

    @property
    def ratio(self):
        """Requests offered for each one taken."""
        offered = sum(sum(client.statuses.values()) for client in self.flood)
        return offered / max(1, self.sum(200))

    def settled(self):
        """The memory curve without its first quarter, and at least its first 20 s: until then the cubes and the
        allocator fill, and history has its first files to lay together."""
        begin = max(20.0, self.curve[-1][0] / 4)
        return [bytes for at, bytes in self.curve if at >= begin]

    def flatness(self):
        """The median of the last third over that of the first, after settling."""
        curve = self.settled()
        third = max(1, len(curve) // 3)
        return statistics.median(curve[-third:]) / statistics.median(curve[:third])

    def lines(self):
        waits = sorted(self.calm.waits_s)
        flood_retries = [s for client in self.flood for s in client.retry_after_s]
        yield f"flood: {self.sum(200)} taken, {self.sum(429)} refused, {self.ratio:.1f} offered per taken"
        yield f"flood: {self.flood_acknowledged} events acknowledged"
        if flood_retries:
            yield f"flood: Retry-After {min(flood_retries)} to {max(flood_retries)} s"
        yield f"calm: {self.calm.statuses}, median {statistics.median(waits) * 1000:.0f} ms, longest {waits[-1] * 1000:.0f} ms"
        yield f"questions: {self.questions}"
        high = max(bytes for _, bytes in self.curve)
        yield f"memory: {high >> 20} MiB at most of {MEMORY_MIB}; last third over first {self.flatness():.3f}"


def drive(server, seconds, clients=32, csv=None):
    """Floods the server for so long; a calm client and one that asks questions go on beside."""
    totals = Totals()
    totals.flood = [Client(server.port, "flood") for _ in range(clients)]
    totals.calm = Client(server.port, "calm")
    bodies = [flood_body(seed) for seed in range(8)]
    begin = time.monotonic()
    over = threading.Event()
    headers = {"Content-Type": "application/x-ndjson"}

    def flood(client, at):
        while not over.is_set():
            # It does not wait as it is asked to: that is the overload.
            client.send(bodies[at % len(bodies)], {**headers, "Content-Encoding": "gzip"})
            at += 1

    def calm():
        index = 0
        while not over.wait(0.05):
            totals.calm.send(calm_body(index), headers)
            index += 1

    def ask():
        question = json.dumps({"sql": "select measure(n) from calm_sums"})
        while not over.wait(0.25):
            answer = server.request("POST", "/v1/sql", question, {"Content-Type": "application/json"})
            totals.questions[answer.status] = totals.questions.get(answer.status, 0) + 1

    threads = [threading.Thread(target=flood, args=pair) for pair in zip(totals.flood, range(clients))]
    threads += [threading.Thread(target=calm), threading.Thread(target=ask)]
    for thread in threads:
        thread.start()
    while time.monotonic() - begin < seconds:
        totals.curve.append((time.monotonic() - begin, resident_bytes(server.process.pid)))
        over.wait(0.25)
    over.set()
    for thread in threads:
        thread.join()
    if csv:
        rows = "".join(f"{at:.2f},{bytes}\n" for at, bytes in totals.curve)
        pathlib.Path(csv).write_text("seconds,resident_bytes\n" + rows)
    return totals


def check(server, totals, restart=True):
    """Fails unless memory was bounded and flat, refusals were counted, and nothing acknowledged is lost."""
    assert all(client.broken == 0 for client in [*totals.flood, totals.calm]), "connections broke off"
    assert totals.sum(200) + totals.sum(429) == sum(sum(c.statuses.values()) for c in totals.flood)
    assert set(totals.calm.statuses) == {200}, totals.calm.statuses
    assert set(totals.questions) == {200}, totals.questions
    waits = totals.calm.waits_s
    assert max(waits) < 30, "a calm client waited long"
    high = max(bytes for _, bytes in totals.curve)
    assert high <= MEMORY_MIB << 20, f"{high} bytes resident"
    assert totals.flatness() < 1.15, totals.flatness()
    status = server.get("/v1/status").json()
    streams = {stream["name"]: stream for stream in status["streams"]}
    assert streams["flood"]["overloaded"] == totals.sum(429)
    assert streams["calm"]["overloaded"] == 0
    assert metric(server, "tillwatch_overloaded_requests_total", stream="flood") == totals.sum(429)
    route = "/v1/streams/{stream}/events"
    assert metric(server, "tillwatch_http_requests_total", route=route, status=429) == totals.sum(429)
    assert status["journal"]["queued_bytes"] == 0
    assert status["journal"]["queued_bytes_high"] <= 16 << 20
    assert 1 <= min(s for c in totals.flood for s in c.retry_after_s)
    assert max(s for c in totals.flood for s in c.retry_after_s) <= 30

    def no_reservation_left():
        parts = {part["part"]: part["bytes"] for part in server.get("/v1/status").json()["memory"]["parts"]}
        return parts["ingest"] == 0 and parts["queries"] == 0

    until(no_reservation_left, "what ingest and queries held is given back")

    def counted():
        assert server.scalar("select measure(n) from flood_sums") == totals.flood_acknowledged
        assert server.scalar("select measure(n) from calm_sums") == totals.calm.acknowledged

    counted()
    if restart:
        server.kill()
        server.start(deadline_s=600)
        counted()
