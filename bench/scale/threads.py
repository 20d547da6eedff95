"""What each part of the server's process costs, told apart by the names of its threads."""

import contextlib
import pathlib
import time

import measure

# The threads that are one of a kind: what they do cannot be spread over more processors. The keeper writes
# history, by itself and by threads that wait for the disk. A monitor's question is asked by the judge, who waits for it.
PARTS = {
    "process": "process",
    "journal-writer": "journal",
    "history-keeper": "keeper",
    "history-io": "keeper",
    "judge": "judge",
    "tillwatch-figur": "judge",
}
NS_PER_S = 1e9
CPUCLOCK_SCHED = 2


def of_threads(pid):
    """CPU seconds so far by thread: (id, part) -> seconds, of the threads that are one of a kind."""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*"):
        # A thread may end while it is looked at.
        with contextlib.suppress(OSError):
            part = PARTS.get((task / "comm").read_text().strip())
            if part:
                found[task.name, part] = int((task / "schedstat").read_text().split()[0]) / NS_PER_S
    return found


def whole_s(pid):
    """CPU seconds of the process since it began, threads that have ended among them, in nanoseconds and not in hundredths of a second."""
    # The clock of another process, as clock_getcpuclockid(3) makes its number, which Python does not offer.
    return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)


class Meter:
    """CPU seconds of a server between entering and leaving: `cpu_s` by part, `rest` being all other threads."""

    def __init__(self, pid):
        self.pid = pid
        self.memory = measure.Memory([pid])
        self.cpu_s, self.wall_s = {}, 0.0

    def __enter__(self):
        self.memory.__enter__()
        self._began = time.monotonic()
        self._all, self._threads = whole_s(self.pid), of_threads(self.pid)
        return self

    def __exit__(self, *failure):
        self.wall_s = time.monotonic() - self._began
        self.memory.__exit__(*failure)
        # A server that has died has no figures, and why it did is what its user is to be told.
        if failure[0] is not None:
            return
        whole, threads = whole_s(self.pid) - self._all, of_threads(self.pid)
        self.cpu_s = dict.fromkeys(PARTS.values(), 0.0)
        for (task, part), cpu_s in threads.items():
            self.cpu_s[part] += cpu_s - self._threads.get((task, part), 0.0)
        # The whole also has threads that ended meanwhile.
        self.cpu_s["rest"] = max(0.0, whole - sum(self.cpu_s.values()))
        self.cpu_s["all"] = whole

    @property
    def memory_bytes(self):
        return self.memory.peak
