"""What a run costs: CPU time of a process and its children, time by the clock, memory."""

import contextlib
import dataclasses
import os
import pathlib
import resource
import subprocess
import threading
import time

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
SAMPLE_S = 0.05


@dataclasses.dataclass
class Cost:
    """The cost of one run, or of one part of it."""

    cpu_s: float
    wall_s: float
    memory_bytes: int = 0


def _children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found


def tree(pids):
    """The processes and all that descend from them."""
    waiting, found = list(pids), []
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        with contextlib.suppress(OSError):
            waiting += _children(pid)
    return found


def cpu_seconds(pids):
    """User and system time so far of the processes, their children, and children that have ended."""
    ticks = 0
    for pid in tree(pids):
        with contextlib.suppress(OSError):
            # The name stands in parentheses and may hold blanks.
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS_PER_S


def _resident_bytes(pids):
    pages = 0
    for pid in tree(pids):
        with contextlib.suppress(OSError):
            pages += int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * PAGE_BYTES


class Memory:
    """Samples the memory that processes hold together; `peak` is the most seen."""

    def __init__(self, pids):
        self.pids = pids
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def _sample(self):
        while True:
            self.peak = max(self.peak, _resident_bytes(self.pids))
            if self._stop.wait(SAMPLE_S):
                return

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


class Meter:
    """Measures what running processes do between entering and leaving; see `cost`."""

    def __init__(self, pids):
        self.pids = pids
        self.memory = Memory(pids)
        self.cost = None

    def __enter__(self):
        self.memory.__enter__()
        self._cpu_s, self._began = cpu_seconds(self.pids), time.monotonic()
        return self

    def __exit__(self, *failure):
        wall_s, cpu_s = time.monotonic() - self._began, cpu_seconds(self.pids) - self._cpu_s
        self.memory.__exit__(*failure)
        self.cost = Cost(cpu_s, wall_s, self.memory.peak)


def run(command, **options):
    """Runs a command to its end: its output and its cost, all its descendants included."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )
    with Memory([process.pid]) as memory:
        output, _ = process.communicate()
    wall_s, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{output[-4000:]}")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return output, Cost(cpu_s, wall_s, memory.peak)
