"""What a request costs that brings a single event, for those who do not send many at once."""

import concurrent.futures
import http.client

import definitions
import server as servers
import threads

AXIS = "single events"
SENDERS = 16
REQUESTS = 3_200
WHAT = f"{REQUESTS:,} requests of one event each over {SENDERS} connections"


def measure(settings, folder):
    folder.mkdir(parents=True, exist_ok=True)
    lines = settings.file(REQUESTS, "10m").read_bytes().splitlines()
    with servers.running(folder, definitions.whole([definitions.cube(0)])) as server:
        with threads.Meter(server.pid) as meter, concurrent.futures.ThreadPoolExecutor(SENDERS) as senders:
            for done in [senders.submit(send, server.port, lines[number::SENDERS]) for number in range(SENDERS)]:
                done.result()
    per_request = 1e6 / len(lines)
    meter.cpu_s["process"] += meter.cpu_s["keeper"]
    found = {f"{part}_us_per_request": meter.cpu_s[part] * per_request for part in ("process", "journal", "rest")}
    return {"x": 1, "cpu_us_per_event": meter.cpu_s["all"] * per_request, "requests_per_s": len(lines) / meter.wall_s, **found}


def send(port, lines):
    """Each line by a request of its own, one after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for line in lines:
        connection.request("POST", "/v1/streams/payments/events", line, {"Content-Type": "application/x-ndjson"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"an event was answered {answer.status}: {answer.read()[:500].decode()}")
        answer.read()
    connection.close()
