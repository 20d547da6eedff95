"""A full disk: new events are refused with 507, everything else goes on, and so do they when there is room."""

import itertools

import pytest

from harness import until
from small_disk import limit_file_size, small_disk

DISK_BYTES = 16 << 20
BALLAST_BYTES = 6 << 20
EVENTS_PER_REQUEST = 20

DEFINITIONS = """
streams:
  notes:
    id: id
    time: at
    fields: {id: string, at: timestamp, n: int64, amount: "decimal(18, 2)", text: string}
cubes:
  note_sums:
    from: notes
    bucket: 1h
    measures: {events: count(*), amount: sum(amount)}
limits: {journal: {segment_bytes_max: SEGMENT}}
"""


class Writer:
    """Sends request after request; a refused one is sent again as it was."""

    def __init__(self, server):
        self.server = server
        self.number = 0
        self.sizes = itertools.cycle([3000, 200, 3000, 20000])
        self.waiting = self.events()

    def events(self):
        size = next(self.sizes)
        first = self.number * EVENTS_PER_REQUEST
        return [
            {
                "id": f"n{n}",
                "at": f"2026-05-01T{n % 24:02}:00:00Z",
                "n": n,
                "amount": f"{n}.{n % 100:02}",
                # Such that nothing makes it small.
                "text": "".join(chr(33 + (n * 7919 + i * i * 31) % 90) for i in range(size)),
            }
            for n in range(first, first + EVENTS_PER_REQUEST)
        ]

    def send(self):
        answer = self.server.post("notes", self.waiting)
        if answer.status == 200:
            assert answer.json()["accepted"] == EVENTS_PER_REQUEST, answer.body
            self.number += 1
            self.waiting = self.events()
        return answer

    def fill(self):
        """Until the disk takes no more; gives the refusal."""
        for _ in range(5000):
            answer = self.send()
            if answer.status != 200:
                return answer
        raise AssertionError("the disk never fills up")

    def check(self):
        """Every acknowledged event is there once, and no other."""
        count = self.number * EVENTS_PER_REQUEST
        cents = sum(n * 100 + n % 100 for n in range(count))
        total = f"{cents // 100}.{cents % 100:02}" if count else None
        assert self.server.sql("select count(*), count(distinct n), sum(amount) from notes") == [
            [count, count, total]
        ]
        assert self.server.sql("select measure(events), measure(amount) from note_sums") == [[count, total]]


def refused_as_full(answer):
    assert answer.status == 507, (answer.status, answer.body)
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.fixture
def disk(tmp_path):
    disk = small_disk(tmp_path / "small", DISK_BYTES)
    print(f"a small disk by {type(disk).__name__}")
    yield disk
    disk.close()


def test_a_full_disk_refuses_events_serves_reads_and_recovers_by_itself(serving, disk):
    server = serving(DEFINITIONS.replace("SEGMENT", "1MiB"), disk.path / "data")
    server.wrapper = disk.wrapper
    server.start()
    ballast = disk.seen / "ballast"
    ballast.write_bytes(b"x" * BALLAST_BYTES)
    writer = Writer(server)
    refused_as_full(writer.fill())
    for _ in range(20):
        # It stays so, and readers notice nothing.
        refused_as_full(writer.send())
        writer.check()
    assert server.get("/healthz").status == 200
    assert server.get("/v1/status").status == 200
    before = writer.number
    ballast.unlink()
    until(lambda: writer.send().status == 200, "events are taken again when there is room")
    refused_as_full(writer.fill())
    assert writer.number > before + 1
    writer.check()


def test_a_server_starts_on_a_full_disk_serves_reads_and_recovers_by_itself(serving, disk):
    server = serving(DEFINITIONS.replace("SEGMENT", "1MiB"), disk.path / "data")
    server.wrapper = disk.wrapper
    server.start()
    ballast = disk.seen / "ballast"
    ballast.write_bytes(b"x" * BALLAST_BYTES)
    writer = Writer(server)
    refused_as_full(writer.fill())
    fill_up(disk.seen / "rest")
    for _ in range(3):
        server.kill()
        server.start()
        writer.check()
        refused_as_full(writer.send())
    ballast.unlink()
    until(lambda: writer.send().status == 200, "events are taken again when there is room")
    server.kill()
    server.start()
    writer.check()


def fill_up(path):
    """To the last byte."""
    with path.open("wb", buffering=0) as file:
        for bytes_ in (1 << 20, 1 << 12, 1):
            try:
                while file.write(b"x" * bytes_) == bytes_:
                    pass
            except OSError:
                continue


def test_a_limit_on_file_sizes_is_a_full_disk(serving, tmp_path):
    server = serving(DEFINITIONS.replace("SEGMENT", "64MiB"), tmp_path / "data")
    server.wrapper = ["sh", "-c", 'trap "" XFSZ; exec "$0" "$@"']
    server.start()
    limit_file_size(server.process.pid, 3 << 20)
    writer = Writer(server)
    refused_as_full(writer.fill())
    for _ in range(5):
        refused_as_full(writer.send())
        writer.check()
    limit_file_size(server.process.pid, None)
    until(lambda: writer.send().status == 200, "events are taken again when there is room")
    writer.check()
    server.kill()
    server.start()
    writer.check()
