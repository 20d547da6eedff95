"""Overload, and a disk that is nearly full, against the real binary."""

import overload

DISK = """
limits:
  journal: {{free_bytes_min: {free_bytes_min}}}
streams:
  orders:
    id: id
    time: at
    fields: {{id: string, at: timestamp}}
cubes:
  order_counts:
    from: orders
    bucket: 1m
    measures: {{n: count(*)}}
"""

EVENT = [{"id": "o1", "at": "2026-05-01T00:00:00Z"}]


def test_overload_is_refused_and_counted_and_neither_memory_nor_another_stream_suffers(start):
    server = start(overload.DEFINITIONS)
    totals = overload.drive(server, seconds=45)
    print("\n".join(totals.lines()))
    assert totals.ratio >= 10, f"only {totals.ratio:.1f} offered per taken: no overload"
    overload.check(server, totals)


def test_a_disk_that_is_nearly_full_answers_507_and_serves_reads(start):
    server = start(DISK.format(free_bytes_min=0))
    assert server.post("orders", EVENT).status == 200
    server.kill()
    # No disk has as much.
    server = start(DISK.format(free_bytes_min=1 << 60))
    refused = server.post("orders", [{**EVENT[0], "id": "o2"}])
    assert refused.status == 507, refused.body
    problem = refused.json()
    assert problem["type"].endswith("/disk-low")
    assert 0 < problem["free_bytes"] < problem["free_bytes_min"] == 1 << 60
    assert server.scalar("select measure(n) from order_counts") == 1
    assert server.get("/readyz").status == 200
    journal = server.get("/v1/status").json()["journal"]
    assert journal["state"] == "disk_low" and journal["refused_full"] == 1, journal
    assert overload.metric(server, "tillwatch_disk_low") == 1
    assert overload.metric(server, "tillwatch_journal_writable") == 0
    server.kill()
    server = start(DISK.format(free_bytes_min=0))
    assert server.post("orders", [{**EVENT[0], "id": "o2"}]).status == 200
    assert server.scalar("select measure(n) from order_counts") == 2
