"""Q2: live traffic in which one merchant's payments begin to fail, and how long until a system says so."""

import dataclasses
import datetime
import threading
import time

import measure
import workload as workloads
from measure import Cost

# As the workload has it: this merchant declines 60 % of its payments from half to three quarters of the time.
FAILING = "m00020"
BATCH_S = 0.1
POLL_S = 0.25
# The generator needs a moment before the traffic begins.
HEAD_START_S = 4


@dataclasses.dataclass
class AlertRun:
    """What happened in one run."""

    variant: str
    cost: Cost
    # By rule: seconds from the failure to the first answer that has the alert, or none.
    delays_s: dict
    # Alerts of other merchants, or from before the failure.
    false: int
    # Seconds the sender fell behind at most; the delays contain it.
    behind_s: float


def run(variant, minutes, rate, folder, pids, send, firing):
    """Sends traffic for so long, asking `firing` for pairs of rule and merchant."""
    file = folder / "live.ndjson"
    start = time.time() + HEAD_START_S + rate * minutes * 60 / 1e6
    begin = datetime.datetime.fromtimestamp(start, datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    workloads.write(file, int(rate * minutes * 60), 1, f"{round(minutes * 60)}s", begin)
    failure = start + minutes * 30
    first, false, stop, faults = {}, set(), threading.Event(), []

    def watch():
        try:
            while not stop.wait(POLL_S):
                now = time.time()
                for rule, merchant in firing():
                    if merchant == FAILING and now >= failure:
                        first.setdefault(rule, now - failure)
                    else:
                        false.add((rule, merchant))
        except Exception as error:
            faults.append(error)

    watcher = threading.Thread(target=watch)
    time.sleep(max(0.0, start - time.time()))
    with measure.Meter(pids) as meter:
        watcher.start()
        behind_s = feed(file, start, rate, send)
        stop.set()
        watcher.join()
    if faults:
        raise faults[0]
    return AlertRun(variant, meter.cost, first, len(false), behind_s)


def feed(file, start, rate, send):
    """Sends the lines at their rate; gives by how much it fell behind at most."""
    behind_s = sent = 0
    with file.open("rb") as lines:
        while True:
            due = start + (sent + rate * BATCH_S) / rate
            batch = [line for _, line in zip(range(int(rate * BATCH_S)), lines, strict=False)]
            if not batch:
                return behind_s
            time.sleep(max(0.0, due - time.time()))
            send(b"".join(batch))
            sent += len(batch)
            behind_s = max(behind_s, time.time() - due)
