"""How costs grow, in small: it measures and draws every axis, known growths are recognised, and the page keeps what was written by hand."""

import random
import subprocess
import sys

import pytest

from harness import BINARY, ROOT

SCALE = ROOT / "bench" / "scale"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def scale(monkeypatch):
    """Its modules, and those of the comparison that it uses, are no packages."""
    monkeypatch.syspath_prepend(str(ROOT / "bench" / "peers"))
    monkeypatch.syspath_prepend(str(SCALE))


def run(folder, *options):
    command = [sys.executable, SCALE / "scale.py", "--events", 2_000, "--runs", 1, "--live-seconds", 6, "--live-rate", 100, "--rest-seconds", 0]
    command += ["--places", 3, "--folder", folder / "kept", "--out", folder / "docs" / "scale.md", *options]
    done = subprocess.run(
        [str(word) for word in command],
        env={"TILLWATCH_BIN": str(BINARY), "PATH": "/usr/bin:/bin", "MPLCONFIGDIR": str(folder / "fonts")},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return (folder / "docs" / "scale.md").read_text()


def test_every_axis_is_measured_and_drawn_and_told(tmp_path, scale):
    import axes
    import page
    import points

    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "scale.md").write_text("# Scale\n\nby hand\n")
    text = run(tmp_path)
    assert text.startswith("# Scale\n\nby hand\n")
    for section in page.SECTIONS:
        begin, end = page.marks(section)
        assert begin in text and end in text, section
        inside = text.split(begin)[1].split(end)[0]
        if section in axes.NAMES:
            assert f"](scale/{section}.png)" in inside
            assert inside.count("\n|---|") == 2, f"{section} has a table of what was measured and one of fits"
            assert (docs / "scale" / f"{section}.png").read_bytes().startswith(PNG)
    assert (docs / "scale" / "machine.png").read_bytes().startswith(PNG)
    for cost in [" nan", " inf", "None"]:
        assert cost not in text, cost

    kept = points.load(docs / "scale" / "points.csv")
    for name in axes.NAMES:
        assert len({point.at for point in kept if point.axis == name}) == 3, name
    # Threads were told apart, and what they cost is part of the whole.
    for point in points.of_axis(kept, "cubes"):
        parts = [point.figures[f"{part}_us_per_event"] for part in ("process", "journal", "rest")]
        assert point.figures["process_us_per_event"] > 0
        # The two clocks are not read at one moment.
        assert sum(parts) <= point.figures["cpu_us_per_event"] + 0.005 * 1e6 / 2_000
    judged = {point.at: point.figures["judged_slices"] for point in points.of_axis(kept, "monitors")}
    assert judged[0] == 0 < judged[4] < judged[64]

    # One axis measured again takes the place of its own points alone.
    (docs / "scale.md").write_text(text + "\nbelow, by hand\n")
    again = run(tmp_path, "--axes", "cubes")
    assert again.count("## Number of cubes") == 1
    assert again.startswith("# Scale\n\nby hand\n") and again.endswith("\nbelow, by hand\n")
    renewed = points.load(docs / "scale" / "points.csv")
    assert points.of_axis(renewed, "history") == points.of_axis(kept, "history")
    assert points.of_axis(renewed, "cubes") != points.of_axis(kept, "cubes")


def grown(shape, places, seed, noise=0.03, runs=5):
    dice = random.Random(seed)
    x = [float(place) for place in places for _ in range(runs)]
    return x, [shape(at) * (1 + dice.uniform(-noise, noise)) for at in x]


def test_known_growths_are_recognised(scale):
    import math

    import fits

    places = [1, 2, 4, 8, 16, 32]
    growths = {
        "linear": (lambda x: 2.0 + 0.25 * x, 2.0, 0.25),
        "log": (lambda x: 2.0 + 0.9 * math.log(x), 2.0, 0.9),
        "power": (lambda x: 1.5 * x**0.6, 1.5, 0.6),
        "flat": (lambda x: 3.0, 3.0, 0.0),
    }
    for kind, (shape, a, b) in growths.items():
        for seed in range(5):
            found = fits.best(*grown(shape, places, seed))
            assert found.kind == kind, (kind, seed, found)
            assert found.a == pytest.approx(a, rel=0.1), (kind, seed, found)
            assert found.b == pytest.approx(b, rel=0.1), (kind, seed, found)
            assert found.b_least <= found.b <= found.b_most
            assert not found.superlinear, (kind, seed, found)
            # The curve goes through what it was made of.
            assert list(found([1.0, 32.0])) == pytest.approx([shape(1), shape(32)], rel=0.1)


def test_costs_too_small_to_measure_are_flat(scale):
    import fits

    x = [1.0, 4.0, 32.0]
    assert fits.line(x, [0.0] * 3).a == 0.0
    found = fits.best(x, [0.0] * 3)
    assert (found.kind, found.a, found.certain) == ("flat", 0.0, False)


def test_more_than_in_proportion_is_named(scale):
    import fits

    places = [1, 2, 4, 8, 16, 32]
    for shape in [lambda x: 0.5 * x**1.6, lambda x: 3.0 + 0.02 * x + 0.01 * x * x]:
        for seed in range(5):
            assert fits.best(*grown(shape, places, seed)).superlinear, seed
    # Where x can be nothing there is only a line.
    x, y = grown(lambda x: 20.0 + 3.0 * x, [0, 1, 4, 16, 64], 1)
    assert fits.best(x, y).kind == "linear"
    # The quantile of Student's t, from a table.
    assert [fits.student_975(freedom) for freedom in (4, 10, 28)] == pytest.approx([2.776, 2.228, 2.048], rel=0.01)


def figures(axis, x):
    """Costs that follow the model to the letter, without noise: processing 0.5 + 0.1 a cube, history 2 + 0.05 a cube and 10 ms a flush."""
    cubes = x if axis == "cubes" else 1
    return {
        "x": x,
        "events": 1e6,
        "cpu_us_per_event": 2.0 + 0.1 * cubes,
        "process_us_per_event": 0.5 + 0.1 * cubes,
        "journal_us_per_event": 0.1,
        "rest_us_per_event": 1.4,
        "history_us_per_event": 2.0 + 0.05 * cubes + 1e3 * 10 / 1e6,
        "flush_ms": 10.0,
        "judge_us_per_slice": 8.0,
        "journal_bytes_per_event": 250.0,
        "stored_bytes_per_event": 40.0,
        "bytes_per_id": 24.0,
        "state_bytes_per_row": 150.0,
        "stored_bytes_per_row": 20.0,
        "memory_start_mib": 110.0,
    }


def test_the_model_says_what_its_formulas_say(scale):
    import dataclasses

    import axes
    import capacity
    from points import Point

    points = [Point(name, x, run, figures(name, x)) for name in axes.NAMES for x in (1, 2, 4, 8) for run in (1, 2)]
    costs = capacity.Costs(points)
    place = capacity.Installation("a shop", 1_000, 100, 1_000, capacity.Work(10, 3, 60), 100, 600, 60)
    assert costs.us_per_event("process", place) == pytest.approx(0.5 + 0.1 * 10)
    assert costs.us_per_event("history", place) == pytest.approx(2.0 + 0.05 * 10)
    machine = capacity.Machine()
    told = capacity.verdict(costs, machine, place)
    assert told.shares["processing"] == pytest.approx(1_000 * 1.5 / 1e6)
    assert told.shares["thread `judge`"] == pytest.approx(100 * 600 / 60 * 8 / 1e6)
    # History is the dearest that one thread has to do: 2.5 µs an event and 10 ms for every 250 000.
    assert told.first == "thread `history-keeper`"
    assert told.most_events_per_s == pytest.approx(0.7 / (2.5e-6 + 0.010 / 250_000), rel=1e-3)
    # What one thread has to do is done no sooner by more of them.
    more = capacity.verdict(costs, dataclasses.replace(machine, processors=64), place)
    assert more.most_events_per_s == pytest.approx(told.most_events_per_s)
    few = capacity.verdict(costs, dataclasses.replace(machine, processors=2), place)
    assert few.first == "all processors" and few.most_events_per_s < told.most_events_per_s
    # A judge that cannot finish in time is no matter of events.
    late = capacity.verdict(costs, machine, dataclasses.replace(place, monitors=10_000))
    assert late.first == "thread `judge`" and late.most_events_per_s == pytest.approx(0.0, abs=1e-6)


def test_what_was_written_by_hand_around_the_sections_stays(tmp_path, scale):
    import page

    file = tmp_path / "scale.md"
    file.write_text("# Scale\n\nby hand\n")
    page.write(file, {"head": "H", "cubes": "C"})
    file.write_text(file.read_text() + "\nbelow, by hand\n")
    page.write(file, {"head": "H again"})
    page.write(file, {"machine": "M"})
    text = file.read_text()
    places = [text.index(part) for part in ("by hand", "H again", "\nC\n", "below, by hand", "\nM\n")]
    assert places == sorted(places), text
    assert "\nH\n" not in text
