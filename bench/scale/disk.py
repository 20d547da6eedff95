"""What the disk gives: how long a sync takes, and how many bytes a second reach it."""

import os
import statistics
import time

SMALL_BYTES = 4096
SMALL_WRITES = 60
LARGE_BYTES = 1 << 20
LARGE_WRITES = 96


def _writes(file, size, count):
    """Seconds that each write with its sync took."""
    data, times = os.urandom(size), []
    with file.open("wb", buffering=0) as out:
        for _ in range(count):
            began = time.monotonic()
            out.write(data)
            os.fdatasync(out.fileno())
            times.append(time.monotonic() - began)
    file.unlink()
    return times


def measure(folder):
    """Milliseconds of a small sync, and megabytes a second in groups of a mebibyte."""
    small = statistics.median(_writes(folder / "small", SMALL_BYTES, SMALL_WRITES))
    large = _writes(folder / "large", LARGE_BYTES, LARGE_WRITES)
    return {"sync_ms": 1e3 * small, "disk_mb_per_s": LARGE_BYTES * LARGE_WRITES / 1e6 / sum(large)}
