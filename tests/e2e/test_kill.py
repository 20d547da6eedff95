"""kill -9 in the middle of an ingest, restart, resend: every event is there exactly once."""

import json
import random
import threading

from harness import until

DEFINITIONS = """
streams:
  orders:
    id: id
    time: at
    fields: {id: string, at: timestamp, amount: "decimal(12,2)"}
  readings:
    time: at
    fields: {at: timestamp, amount: "decimal(12,2)"}
cubes:
  order_sums:
    from: orders
    bucket: 1m
    measures: {n: count(*), amount: sum(amount)}
  reading_sums:
    from: readings
    bucket: 1m
    measures: {n: count(*), amount: sum(amount)}
"""


def event(index):
    return {"id": f"o{index}", "at": f"2026-05-01T00:{index // 60 % 60:02}:{index % 60:02}Z", "amount": f"{index % 977}.{index % 100:02}"}


def cents(count):
    return sum((index % 977) * 100 + index % 100 for index in range(count))


def check(server, stream, cube, count):
    total = f"{cents(count) // 100}.{cents(count) % 100:02}"
    assert server.sql(f"select count(*), sum(amount) from {stream}") == [[count, total]]
    assert server.sql(f"select measure(n), measure(amount) from {cube}") == [[count, total]]


def send_while_being_killed(server, stream, bodies, rng, header):
    """Sends every body until it is answered; kills the server at random moments meanwhile."""
    acknowledged = threading.Event()
    done = [0]

    def killer():
        for _ in range(4):
            goal = done[0] + rng.randrange(1, max(2, len(bodies) // 6))
            while done[0] < min(goal, len(bodies) - 1) and not acknowledged.wait(0.001):
                pass
            if acknowledged.is_set():
                return
            server.kill()
            server.start()
            kills.append(done[0])

    kills = []
    thread = threading.Thread(target=killer)
    thread.start()
    for index, body in enumerate(bodies):

        def attempt():
            try:
                answer = server.post(stream, body, **header(index))
            except OSError:
                return False
            if answer.status == 503:
                return False
            assert answer.status == 200, answer.body
            return True

        until(attempt, f"batch {index} is acknowledged")
        done[0] = index + 1
    acknowledged.set()
    thread.join()
    return kills


def test_an_ingest_that_is_killed_and_resent_counts_every_event_once(start, seed):
    rng = random.Random(seed)
    server = start(DEFINITIONS)
    count = 6000
    bodies = [[event(i) for i in range(first, first + 50)] for first in range(0, count, 50)]
    kills = send_while_being_killed(server, "orders", bodies, rng, lambda index: {})
    print(f"killed at batches {kills}")
    assert kills, "the server was never killed"
    check(server, "orders", "order_sums", count)
    server.kill()
    server.start()
    check(server, "orders", "order_sums", count)


def test_events_without_an_id_count_once_by_their_idempotency_key(start, seed):
    rng = random.Random(seed)
    server = start(DEFINITIONS)
    count = 3000
    bodies = [
        "".join(json.dumps({k: v for k, v in event(i).items() if k != "id"}) + "\n" for i in range(first, first + 50))
        for first in range(0, count, 50)
    ]
    kills = send_while_being_killed(
        server, "readings", bodies, rng, lambda index: {"Idempotency_Key": f"file-1:{index}"}
    )
    assert kills, "the server was never killed"
    check(server, "readings", "reading_sums", count)


def test_a_second_server_on_the_same_data_is_refused(start):
    from harness import run

    server = start(DEFINITIONS)
    refused = run(
        "serve", "--config", server.config, "--data", server.data, "--listen", "127.0.0.1:0", check=False
    )
    assert refused.returncode == 1
    assert "is in use by process" in refused.stderr, refused.stderr
    check_still = server.get("/readyz")
    assert check_still.status == 200
