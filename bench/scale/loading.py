"""Feeding a server and reading off what it cost: the part of a measurement that most axes have in common."""

import dataclasses
import pathlib

import definitions
import server as servers
import threads
import workload as workloads

FEW_EVENTS, FEW_SPAN = 500, "10m"
# Far from the seeds that somebody chooses.
FEW_SEED = 1_000_000


@dataclasses.dataclass
class Settings:
    """How large a measurement is, the same for all its points."""

    events: int
    seed: int
    # Traffic as it comes, for the monitors.
    live_s: int
    live_rate: int
    # In this time a server gives back to the system what a load held for a moment.
    rest_s: int
    # Where files of the workload are kept.
    workloads: pathlib.Path

    def file(self, events, span):
        self.workloads.mkdir(parents=True, exist_ok=True)
        return workloads.make(events, self.seed, span, self.workloads).file

    def few(self):
        """A few events that are in no other file, each with the further fields that some streams have."""
        file = self.workloads / f"few-{self.seed}.ndjson"
        if not file.exists():
            self.workloads.mkdir(parents=True, exist_ok=True)
            unfinished = file.with_suffix(".unfinished")
            workloads.write(unfinished, FEW_EVENTS, self.seed + FEW_SEED, FEW_SPAN)
            lines = unfinished.read_bytes().splitlines()
            further = "".join(f',"{field}":"r00000"' for field in definitions.FURTHER).encode()
            file.write_bytes(b"".join(line[:-1] + further + b"}\n" for line in lines))
            unfinished.unlink()
        return file


def load(folder, text, files, settings):
    """Takes files into a fresh server: the costs of taking them, and of writing them to history afterwards."""
    few = settings.few()
    with servers.running(folder, text) as server:
        with threads.Meter(server.pid) as taking:
            server.take(files)
        # What waits for a larger batch is aggregated by whoever looks at the cubes, while the processing thread would
        # have to wait: it is that thread's work, done by another.
        with threads.Meter(server.pid) as asking:
            server.aggregate()
        before = server.status()
        with threads.Meter(server.pid) as settling:
            server.settle()
        after = server.status()
        # Once more with hardly anything new, for what a flush costs however little it has to write.
        server.take([(stream, few) for stream, _ in files])
        server.aggregate()
        with threads.Meter(server.pid) as again:
            server.settle()
    return figures(taking, asking, settling, before, after, settings.events) | {"flush_ms": 1e3 * again.cpu_s["all"]}


def figures(taking, asking, settling, before, after, events):
    """What one load cost, an event."""
    cubes, streams = before["cubes"], before["streams"]
    # The keeper, which has nothing to flush meanwhile, looks at the cubes as well.
    processing = taking.cpu_s["process"] + taking.cpu_s["keeper"] + asking.cpu_s["all"]
    rows, stored = sum(cube["rows"] for cube in cubes), after["cubes"]
    per_event = 1e6 / events
    return {
        "cpu_us_per_event": (taking.cpu_s["all"] + asking.cpu_s["all"]) * per_event,
        "process_us_per_event": processing * per_event,
        "journal_us_per_event": taking.cpu_s["journal"] * per_event,
        "rest_us_per_event": (taking.cpu_s["rest"] + taking.cpu_s["judge"]) * per_event,
        # The whole of settling is the keeper's work, in its own thread or in those it hands files to.
        "history_us_per_event": settling.cpu_s["all"] * per_event,
        "keeper_us_per_event": settling.cpu_s["keeper"] * per_event,
        "memory_mib": taking.memory_bytes / 2**20,
        "events": events,
        "state_rows": rows,
        "combinations": max(cube["combinations"] for cube in cubes),
        "state_bytes_per_row": sum(cube["bytes"] for cube in cubes) / max(rows, 1),
        "stored_bytes_per_row": sum(cube["stored_bytes"] for cube in stored) / max(sum(cube["stored_rows"] for cube in stored), 1),
        "stored_bytes_per_event": sum(stream["stored_bytes"] for stream in after["streams"]) / events,
        "journal_bytes_per_event": before["journal"]["bytes"] / events,
        "bytes_per_id": sum(stream["dedup_bytes"] for stream in streams) / max(sum(stream["dedup_ids"] for stream in streams), 1),
    }
