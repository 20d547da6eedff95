"""Measured points: what was measured where, kept in a file so that single axes can be measured again."""

import csv
import dataclasses
import statistics


@dataclasses.dataclass
class Point:
    """One run at one place of one axis."""

    axis: str
    # Where it was meant to be; where it came to be is a figure of its own on some axes.
    at: float
    run: int
    figures: dict


def load(file):
    """The points of a file, in the order in which they were measured."""
    found = {}
    if not file.exists():
        return []
    with file.open(newline="") as lines:
        for row in csv.DictReader(lines):
            key = row["axis"], float(row["at"]), int(row["run"])
            found.setdefault(key, Point(*key, {})).figures[row["figure"]] = float(row["value"])
    return list(found.values())


def save(file, points):
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(["axis", "at", "run", "figure", "value"])
        for point in points:
            for figure, value in point.figures.items():
                rows.writerow([point.axis, f"{point.at:g}", point.run, figure, f"{value:.6g}"])


def of_axis(points, axis):
    return [point for point in points if point.axis == axis]


def columns(points, figure, x="x"):
    """x and y of every run that has both figures."""
    both = [point for point in points if figure in point.figures and x in point.figures]
    return [point.figures[x] for point in both], [point.figures[figure] for point in both]


def spreads(points, figure, x="x"):
    """By place: x, median, least and most of a figure."""
    places = {}
    for point in points:
        if figure in point.figures:
            places.setdefault(point.at, []).append(point.figures)
    found = []
    for _, runs in sorted(places.items()):
        values = [run[figure] for run in runs]
        found.append((statistics.median(run[x] for run in runs), statistics.median(values), min(values), max(values)))
    return found
