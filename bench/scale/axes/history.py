"""How many days lie in history."""

import datetime
import statistics
import time

import definitions
import server as servers
import threads
from axes import Panel

title = "Length of history"
x_label = "days in history"
says = (
    "One stream and one cube of minutes by method, status and PSP, no roll-up; history is flushed as a user gets it. All days but the last are loaded and settled first. Then the last day is loaded and settled (its cost an event), "
    "a small question is asked (that day's last hour by the minute), and the server is killed with `kill -9` and started again."
)
PLACES = (1, 2, 5, 10, 20, 30)
PANELS = (
    Panel("Cost of an event of the last day", "CPU time, µs per event", {"cpu_us_per_event": "taken and settled", "process_us_per_event": "thread `process`", "keeper_us_per_event": "the keeper's threads"}),
    Panel("Start after kill -9", "time, s", {"start_s": "by the clock", "start_cpu_s": "CPU time"}),
    Panel("Memory", "resident, MiB", {"memory_start_mib": "after the start and a question", "memory_rest_mib": "some seconds after the last day"}),
    Panel("A small question", "time by the clock, ms", {"question_ms": "median of twenty"}),
)
LOG_X = False
DAYS = max(PLACES)
# A day has this part of the events of the other axes, so that a month has three times as many.
DAY_SHARE = 0.1
FIRST_DAY = datetime.datetime(2026, 10, 1, tzinfo=datetime.UTC)
QUESTIONS = 20


def days(settings):
    """A file a day, made once."""
    lines = max(1, round(settings.events * DAY_SHARE))
    month = settings.file(lines * DAYS, f"{DAYS}d")
    files = [month.with_suffix(f".day-{day + 1}") for day in range(DAYS)]
    if not files[-1].exists():
        with month.open("rb") as source:
            for file in files:
                unfinished = file.with_name(file.name + ".unfinished")
                unfinished.write_bytes(b"".join(line for _, line in zip(range(lines), source, strict=False)))
                unfinished.rename(file)
    return files, lines


def measure(place, settings, folder):
    files, lines = days(settings)
    text = definitions.whole([definitions.cube(0)])
    with servers.running(folder, text, servers.AS_IT_COMES) as server:
        for file in files[: place - 1]:
            server.take([("payments", file)])
        server.settle()
        with threads.Meter(server.pid) as meter:
            server.take([("payments", files[place - 1])])
            server.settle()
        time.sleep(settings.rest_s)
        rest_bytes = server.resident_bytes()
        end = FIRST_DAY + datetime.timedelta(days=place)
        # Each about another hour, or all but the first would be answered with what was kept.
        asked = [ask(server, end - datetime.timedelta(minutes=number)) for number in range(QUESTIONS)]
        status = server.status()
        start_s = server.restart()
        start_cpu_s = threads.whole_s(server.pid)
        ask(server, end)
        return {
            "x": place,
            "cpu_us_per_event": meter.cpu_s["all"] * 1e6 / lines,
            "process_us_per_event": meter.cpu_s["process"] * 1e6 / lines,
            "keeper_us_per_event": meter.cpu_s["keeper"] * 1e6 / lines,
            "memory_rest_mib": rest_bytes / 2**20,
            "memory_mib": meter.memory_bytes / 2**20,
            "question_ms": 1e3 * statistics.median(asked),
            "start_s": start_s,
            "start_cpu_s": start_cpu_s,
            "memory_start_mib": server.resident_bytes() / 2**20,
            "stored_bytes_per_event": sum(stream["stored_bytes"] for stream in status["streams"]) / (lines * place),
            "stored_files": sum(part["stored_files"] for part in [*status["streams"], *status["cubes"]]),
            "stored_bytes_per_row": sum(cube["stored_bytes"] for cube in status["cubes"]) / max(sum(cube["stored_rows"] for cube in status["cubes"]), 1),
        }


def ask(server, end):
    began = time.monotonic()
    server.series("attempts_0", f"{end - datetime.timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}", f"{end:%Y-%m-%dT%H:%M:%SZ}")
    return time.monotonic() - began
