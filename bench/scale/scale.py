#!/usr/bin/env python3
"""Measures what an event costs as cubes, dimensions, combinations, monitors, streams and history grow, and writes docs/scale.md.

    bench/scale/scale.py --events 200000 --runs 2 --axes cubes streams
"""

import argparse
import pathlib
import random
import shutil
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "peers"))

import axes
import capacity
import disk
import loading
import mixed
import page
import place
import plots
import points as kept
import report
import single_events
import told

CACHE = place.ROOT / ".cache" / "scale"
PAGE = place.ROOT / "docs" / "scale.md"
# What is measured besides the axes, for the model: where it is to be checked, and what a request costs.
OTHERS = (mixed, single_events)
# The model's chart.
CUBES = range(1, 41)


def log(text):
    print(text, file=sys.stderr, flush=True)


def places(name, most):
    """Where an axis is measured; of more places than `most`, so many from the first to the last."""
    whole = axes.load(name).PLACES
    if most is None or most >= len(whole):
        return whole
    return tuple(whole[round(number * (len(whole) - 1) / (most - 1))] for number in range(most))


def planned(names, runs, seed, most=None):
    """All points, run by run. Within a run their order is shuffled, so that a machine that gets slower does not look like a cost that grows."""
    for run in range(1, runs + 1):
        tasks = [(name, at) for name in names for at in places(name, most)] + [(other.AXIS, 0) for other in OTHERS]
        random.Random(seed * 1_000 + run).shuffle(tasks)
        yield from ((run, name, at) for name, at in tasks)


def point(name, at, settings, folder):
    """The figures of one point."""
    for other in OTHERS:
        if name == other.AXIS:
            return other.measure(settings, folder)
    return axes.load(name).measure(at, settings, folder)


def measure(tasks, settings, folder):
    """The points, each by a fresh server in a fresh folder."""
    found, tasks = [], list(tasks)
    for number, (run, name, at) in enumerate(tasks):
        log(f"{number + 1} of {len(tasks)}: {name} {at:,}, run {run} (load {report.load():.1f})")
        place_of_run = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder))
        try:
            figures = point(name, at, settings, place_of_run)
        finally:
            shutil.rmtree(place_of_run, ignore_errors=True)
        log(f"  {figures['cpu_us_per_event']:.2f} µs per event")
        found.append(kept.Point(name, at, run, figures))
    return found


def draw(points, folder):
    """A picture of every axis that was ever measured, and the sections they are in."""
    pictures = folder / "scale"
    pictures.mkdir(parents=True, exist_ok=True)
    texts = {}
    there = [name for name in axes.NAMES if kept.of_axis(points, name)]
    for name in there:
        plots.axis(pictures / f"{name}.png", axes.load(name), kept.of_axis(points, name))
        texts[name] = told.axis(name, points, "scale")
    # The model needs every axis.
    if len(there) == len(axes.NAMES):
        costs, model = capacity.Costs(points), capacity.Machine()
        plots.machine(pictures / "machine.png", costs, model, capacity.CHARTED, CUBES)
        texts["machine"] = told.machine(costs, model, "scale")
        texts["validation"] = told.validation(costs, points)
    return texts


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--events", type=int, default=1_000_000, help="of a point; a day of history has a tenth")
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--axes", nargs="+", default=list(axes.NAMES), choices=axes.NAMES, help="those that are not measured keep their points")
    options.add_argument("--live-seconds", type=int, default=30, help="how long monitors judge at each of their points")
    options.add_argument("--live-rate", type=int, default=1_000, help="events a second meanwhile")
    options.add_argument("--rest-seconds", type=int, default=10, help="how long a server rests before its memory is read")
    options.add_argument("--places", type=int, help="of an axis at most, from two on; all when absent")
    options.add_argument("--out", type=pathlib.Path, default=PAGE, help="the page; pictures and points are kept in `scale` beside it")
    options.add_argument("--folder", type=pathlib.Path, default=CACHE, help="where workloads and runs are kept")
    options.add_argument("--draw-only", action="store_true", help="measure nothing, draw the kept points again")
    chosen = options.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    kept_points = chosen.out.parent / "scale" / "points.csv"
    before, points = report.load(), kept.load(kept_points)
    texts = {}
    if not chosen.draw_only:
        settings = loading.Settings(chosen.events, chosen.seed, chosen.live_seconds, chosen.live_rate, chosen.rest_seconds, chosen.folder / "workload")
        with tempfile.TemporaryDirectory(prefix="bench-scale-", dir=chosen.folder) as folder:
            speed = disk.measure(pathlib.Path(folder))
            new = measure(planned(chosen.axes, chosen.runs, chosen.seed, chosen.places), settings, pathlib.Path(folder))
        renewed = {point.axis for point in new}
        points = [point for point in points if point.axis not in renewed] + new
        kept.save(kept_points, points)
        texts["head"] = told.head(chosen, (before, report.load()), speed, report.today())
    texts.update(draw(points, chosen.out.parent))
    page.write(chosen.out, texts)
    log(f"written: {chosen.out}")


if __name__ == "__main__":
    main()
