"""How many monitors judge, each slice by slice, while events come as they happen."""

import datetime
import itertools
import threading
import time

import alerts
import definitions
import server as servers
import threads
import workload as workloads
from axes import Panel

title = "Number of monitors"
x_label = "monitors"
says = (
    "Live traffic into one cube of five seconds by merchant and status; so many monitors judge every merchant each five seconds. Traffic is slow beside what the other axes send, "
    "so an event costs more before any monitor judges: a request brings a hundred events and every question ends a batch. Judging is the time of the thread `judge` and of those that answer its questions, for which it waits."
)
PLACES = (0, 1, 4, 16, 64)
PANELS = (
    Panel("Cost of an event", "CPU time, µs per event", {"cpu_us_per_event": "whole server", "judge_us_per_event": "of that, judging"}),
    Panel("Cost of a slice", "CPU time, µs per judged slice", {"judge_us_per_slice": "judging"}),
)
LOG_X = False
WINDOW_S = 5
# The watermark stays a minute behind, so what came in this time is sent at once, and windows are complete from the first second on.
WARM_S = 75
# The generator and the start take a moment.
HEAD_START_S = 3
POLL_S = WINDOW_S


def measure(place, settings, folder):
    folder.mkdir(parents=True, exist_ok=True)
    cube = definitions.cube(0, dimensions=("merchant_id", "status"), bucket=f"{WINDOW_S}s")
    monitors = [definitions.monitor(number, ["merchant_id"], f"{WINDOW_S}s") for number in range(place)]
    text = definitions.whole([cube], monitors=monitors)
    with servers.running(folder / "server", text, servers.MANY_SLICES) as server:
        return {"x": place, **live(server, place, settings, folder)}


def live(server, monitors, settings, folder):
    """Sends traffic at its rate, and counts what was judged meanwhile."""
    rate, seconds = settings.live_rate, settings.live_s
    file, warm, rest = folder / "live.ndjson", folder / "warm.ndjson", folder / "rest.ndjson"
    start = time.time() + HEAD_START_S
    begin = datetime.datetime.fromtimestamp(start - WARM_S, datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    workloads.write(file, rate * (WARM_S + seconds), settings.seed, f"{WARM_S + seconds}s", begin)
    with file.open("rb") as lines:
        warm.write_bytes(b"".join(itertools.islice(lines, rate * WARM_S)))
        rest.write_bytes(lines.read())
    server.take([("payments", warm)])
    time.sleep(max(0.0, start - time.time()))
    watched = Watched(server, monitors)
    with threads.Meter(server.pid) as meter:
        with watched:
            behind_s = alerts.feed(rest, start, rate, server.post)
    judged, events = watched.slices, rate * seconds
    found = {
        "cpu_us_per_event": meter.cpu_s["all"] * 1e6 / events,
        "judge_us_per_event": meter.cpu_s["judge"] * 1e6 / events,
        "process_us_per_event": meter.cpu_s["process"] * 1e6 / events,
        "judged_slices": judged,
        "behind_s": behind_s,
        "memory_mib": meter.memory_bytes / 2**20,
    }
    if judged:
        found["judge_us_per_slice"] = meter.cpu_s["judge"] * 1e6 / judged
    return found


class Watched:
    """Counts the slices that monitors judge between entering and leaving, by asking at every window what they did."""

    def __init__(self, server, monitors):
        self.server, self.monitors = server, monitors
        self.slices = 0
        self.faults = []
        self._upto = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _look(self, counting=True):
        for monitor in self.server.monitors():
            if monitor["error"]:
                raise RuntimeError(f"{monitor['name']}: {monitor['error']}")
            if monitor["last_judged_at"] is None:
                continue
            upto = datetime.datetime.fromisoformat(monitor["last_judged_at"])
            before = self._upto.get(monitor["name"])
            self._upto[monitor["name"]] = upto
            if counting and before is not None:
                self.slices += monitor["slices"] * round((upto - before).total_seconds() / WINDOW_S)

    def _watch(self):
        try:
            while not self._stop.wait(POLL_S):
                self._look()
        except Exception as error:
            self.faults.append(error)

    def __enter__(self):
        if self.monitors:
            self._look(counting=False)
            self._thread.start()
        return self

    def __exit__(self, *failure):
        if not self.monitors:
            return
        self._stop.set()
        self._thread.join()
        self._look()
        if self.faults:
            raise self.faults[0]
