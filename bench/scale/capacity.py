"""The model: from measured costs to what a machine holds.

    cost(part)  = event + cubes · (cube + dimension · (d − 3) + combos(x) − combos(60)) + stream · (s − 1) + request / events_per_request   µs
    use(thread) = events_per_s · cost(thread) / 10⁶                                                    of one processor
    use(keeper) = the same + flushes_per_s · flush_s, flushes_per_s = max(1 / 60, events_per_s / 250 000)
    use(judge)  = monitors · slices / window_s · judge_us / 10⁶
    use(all)    = (sum of all these and of all other threads) / processors

The machine is full when the first of these reaches `share_max`; a thread cannot use more than one processor, whatever their number.
"""

import dataclasses
import statistics

import definitions
import fits
import points as kept
import single_events

# What an event costs, by who pays. Three are done by one thread at a time: processing (deduplicating and aggregating, by the thread
# `process` or under its lock), the journal, and history. All others are spread over the processors.
PARTS = ("process", "journal", "rest", "history")
SERIAL = {"process": "processing", "journal": "thread `journal-writer`", "history": "thread `history-keeper`"}
# What the axes of cubes and streams were measured with.
DIMENSIONS = len(definitions.DIMENSIONS)
COMBINATIONS = 60
SECONDS_PER_DAY = 86_400
# Defaults of the limits, see docs/definitions.md.
GROUP_REQUESTS_MAX = 256
GROUP_BYTES_MAX = 16 << 20
FLUSH_EVENTS_MAX = 250_000
FLUSH_INTERVAL_S = 60
DEDUP_BYTES_MAX = 256 << 20
# The queue, the bodies and the caches, each at its limit.
RESERVED_BYTES = (256 + 256 + 128) << 20
# An event's columns are written to history once, and at most so often again when files are laid together.
HISTORY_WRITES = 3
RATE_MAX = 1e7


@dataclasses.dataclass
class Work:
    """What is done with each event."""

    # That an event feeds, so those of its stream.
    cubes: float
    dimensions: float
    # Of a cube in a minute.
    combinations: float
    streams: float = 1


@dataclasses.dataclass
class Installation:
    """A customer's day."""

    name: str
    # The busiest minute, and the mean of the day.
    events_per_s: float
    mean_events_per_s: float
    events_per_request: float
    work: Work
    monitors: int
    slices: int
    window_s: float


@dataclasses.dataclass
class Machine:
    """What it runs on."""

    processors: int = 16
    memory_gib: float = 64
    # Of anything, so that a busy minute or a slow disk does not end in 429.
    share_max: float = 0.7
    sync_ms: float = 1.0
    disk_mb_per_s: float = 500


INSTALLATIONS = (
    Installation("small shop", 50, 5, 1, Work(4, 3, 200, 2), 10, 20, 60),
    Installation("mid-size PSP", 5_000, 800, 50, Work(8, 4, 5_000, 3), 40, 300, 60),
    Installation("large PSP", 60_000, 15_000, 500, Work(12, 5, 50_000, 4), 150, 1_000, 60),
)

# What the chart of the machine is drawn for: by the number of cubes, an installation without monitors.
CHARTED = {
    "3 dimensions, 60 combinations": lambda cubes: Installation("", 1, 1, 500, Work(cubes, 3, 60), 0, 0, 60),
    "5 dimensions, 100,000 combinations": lambda cubes: Installation("", 1, 1, 500, Work(cubes, 5, 100_000), 0, 0, 60),
}


class Costs:
    """Measured costs, as the model needs them."""

    def __init__(self, points):
        # Growth with cubes is aggregation, which is done under one lock, by whichever thread looks first; those that answer
        # requests do some of it, and their names do not tell. So all that grows with them is taken for processing.
        for point in points:
            if {"process_us_per_event", "rest_us_per_event"} <= point.figures.keys():
                point.figures["taking_us_per_event"] = point.figures["process_us_per_event"] + point.figures["rest_us_per_event"]
        self.points = points
        self.base, self.cube, self.dimension, self.combinations, self.stream, self.request = {}, {}, {}, {}, {}, {}
        for part in PARTS:
            figure = f"{part}_us_per_event"
            line = self._line("cubes", "taking_us_per_event" if part == "process" else figure)
            self.base[part], self.cube[part] = line.a, line.b
            self.dimension[part] = self._line("dimensions", figure).b
            self.combinations[part] = fits.best(*self._columns("combinations", figure))
            self.stream[part] = self._line("streams", figure).b
            self.request[part] = self._median(single_events.AXIS, f"{part}_us_per_request", 0.0)
        self.base["process"] = max(0.0, self.base["process"] - self.base["rest"])
        self._keep_base("rest")
        # The journal knows neither cubes nor their dimensions: what seems to grow there is noise.
        self._keep_base("journal")
        self.base["journal"] = self._median("cubes", "journal_us_per_event")
        self._split_flushes()
        self.range = [min(self._columns("combinations", "cpu_us_per_event")[0]), max(self._columns("combinations", "cpu_us_per_event")[0])]
        self.judge_us = self._median("monitors", "judge_us_per_slice")
        self.journal_bytes = self._median("cubes", "journal_bytes_per_event")
        self.event_bytes = self._median("history", "stored_bytes_per_event")
        self.id_bytes = self._median("cubes", "bytes_per_id")
        self.row_bytes = self._median("combinations", "state_bytes_per_row")
        self.stored_row_bytes = self._median("combinations", "stored_bytes_per_row")
        self.memory_mib = self._median("history", "memory_start_mib")

    def _keep_base(self, part):
        """Leaves a part nothing that grows with cubes."""
        self.cube[part] = self.dimension[part] = 0.0
        self.combinations[part] = dataclasses.replace(self.combinations[part], kind="flat")

    def _split_flushes(self):
        """Parts what history costs an event from what it costs a flush, which every measurement has one of, spread over its events."""
        cubes, streams = self._line("cubes", "flush_ms"), self._line("streams", "flush_ms")
        self.flush_ms, self.flush_cube_ms, self.flush_stream_ms = max(0.0, cubes.a), max(0.0, cubes.b), max(0.0, streams.b)
        events = self._median("cubes", "events")
        self.base["history"] -= 1e3 * self.flush_ms / events
        self.cube["history"] -= 1e3 * self.flush_cube_ms / events
        self.stream["history"] = max(0.0, self.stream["history"] - 1e3 * self.flush_stream_ms / events)

    def _columns(self, axis, figure):
        return kept.columns(kept.of_axis(self.points, axis), figure)

    def _line(self, axis, figure):
        found = fits.line(*self._columns(axis, figure))
        # What may as well be nothing is nothing; an invented slope would be multiplied by the number of cubes.
        if found.certain:
            return found
        _, costs = self._columns(axis, figure)
        return dataclasses.replace(found, a=statistics.fmean(costs), b=0.0)

    def _median(self, axis, figure, missing=None):
        values = [point.figures[figure] for point in kept.of_axis(self.points, axis) if figure in point.figures]
        return statistics.median(values) if values or missing is None else missing

    def combos(self, part, combinations):
        """By the fit, and outside of what was measured as at its end: more combinations than events are not met."""
        least, most = self.range
        return float(self.combinations[part](min(max(combinations, least), most)))

    def us_per_event(self, part, installation):
        work = installation.work
        cube = self.cube[part] + self.dimension[part] * (work.dimensions - DIMENSIONS) + self.combos(part, work.combinations) - self.combos(part, COMBINATIONS)
        whole = self.base[part] + work.cubes * max(0.0, cube) + self.stream[part] * (work.streams - 1)
        return max(0.0, whole) + self.request[part] / installation.events_per_request

    def flush_s(self, work):
        """CPU seconds of a flush before it writes anything."""
        return (self.flush_ms + self.flush_cube_ms * work.streams * (work.cubes - 1) + self.flush_stream_ms * (work.streams - 1)) / 1e3


@dataclasses.dataclass
class Verdict:
    """What an installation takes of a machine: the part of each resource in use, and the events a second at which the first is full."""

    shares: dict
    most: dict
    memory_bytes: float
    ids_bytes: float
    disk_gb_per_day: float

    @property
    def first(self):
        return min(self.most, key=self.most.get)

    @property
    def most_events_per_s(self):
        return self.most[self.first]


def verdict(costs, machine, installation):
    """How far a machine carries an installation."""
    shares = _shares(costs, machine, installation, installation.events_per_s)
    # No event at all is the least, ten millions a second are more than anything holds. Every share grows with the rate.
    most = {}
    for name in shares:
        low, high = 0.0, RATE_MAX
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if _shares(costs, machine, installation, middle)[name] < machine.share_max else (low, middle)
        most[name] = low
    memory, ids = _memory(costs, installation)
    disk = installation.mean_events_per_s * SECONDS_PER_DAY * costs.event_bytes + _rows_per_day(installation) * costs.stored_row_bytes
    return Verdict(shares, most, memory, ids, disk / 1e9)


def _shares(costs, machine, installation, rate):
    """The part of each resource that is in use at so many events a second."""
    cost = {part: costs.us_per_event(part, installation) / 1e6 for part in PARTS}
    threads = {SERIAL[part]: rate * cost[part] for part in SERIAL}
    threads[SERIAL["history"]] += max(1 / FLUSH_INTERVAL_S, rate / FLUSH_EVENTS_MAX) * costs.flush_s(installation.work)
    # Judging does not grow with the events: a judge that is not done in time is too late at any rate.
    threads["thread `judge`"] = installation.monitors * installation.slices / installation.window_s * costs.judge_us / 1e6
    groups = rate * max(1 / installation.events_per_request / GROUP_REQUESTS_MAX, costs.journal_bytes / GROUP_BYTES_MAX)
    written = rate * (costs.journal_bytes + HISTORY_WRITES * costs.event_bytes)
    return threads | {
        "all processors": (sum(threads.values()) + rate * cost["rest"]) / machine.processors,
        "syncs of the journal": groups * machine.sync_ms / 1e3,
        "bytes to the disk": written / 1e6 / machine.disk_mb_per_s,
    }


def _memory(costs, installation):
    """Bytes of memory, and those that the ids of a day would take of it if they all stayed there."""
    work, rate = installation.work, max(installation.events_per_s, 1e-9)
    waiting = min(FLUSH_EVENTS_MAX, rate * FLUSH_INTERVAL_S)
    rows_of_cube = min(work.combinations * (1 + waiting / rate / 60), waiting / work.streams)
    # While one flush is written the states of the next come.
    states = 2 * work.cubes * work.streams * rows_of_cube * costs.row_bytes
    ids = installation.mean_events_per_s * SECONDS_PER_DAY * costs.id_bytes
    return costs.memory_mib * 2**20 + states + min(ids, DEDUP_BYTES_MAX) + RESERVED_BYTES, ids


def _rows_per_day(installation):
    """State rows of all cubes as long as nothing is rolled up."""
    work = installation.work
    events_per_minute = 60 * installation.mean_events_per_s / work.streams
    return SECONDS_PER_DAY / 60 * work.cubes * work.streams * min(work.combinations, events_per_minute)
