"""The benchmarks of detection, explanation and forecasts read what is laid before them, and say what is wrong with it."""

import csv
import datetime
import json
import math
import random

import pytest
from harness import run

BEGIN = datetime.datetime(2026, 10, 5)


def series(path, count, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["timestamp", "value"])
        for i in range(count):
            rows.writerow([(BEGIN + i * datetime.timedelta(minutes=5)).isoformat(" "), value(i)])


def wave(dice):
    return lambda i: 100 + 40 * math.sin(2 * math.pi * i / 288) + dice.gauss(0, 2)


def test_a_series_is_judged_in_the_format_of_the_benchmark_and_scored(tmp_path):
    dice = random.Random(7)
    quiet, broken = wave(dice), wave(dice)
    series(tmp_path / "nab/calm/quiet.csv", 4000, quiet)
    series(tmp_path / "nab/loud/broken.csv", 4000, lambda i: 400 if 3000 <= i < 3010 else broken(i))
    window = [(BEGIN + i * datetime.timedelta(minutes=5)).isoformat(" ") + ".000000" for i in (2950, 3050)]
    (tmp_path / "nab/windows.json").write_text(json.dumps({"calm/quiet.csv": [], "loud/broken.csv": [window]}))
    done = run("bench", "nab", "--data", tmp_path / "nab", "--out", tmp_path / "out")
    assert "1/1" in done.stdout, done.stdout
    (found,) = (tmp_path / "out/loud").iterdir()
    rows = list(csv.DictReader(found.open()))
    assert list(rows[0]) == ["timestamp", "value", "anomaly_score", "label"]
    assert len(rows) == 4000
    scores = [float(row["anomaly_score"]) for row in rows]
    assert all(0 <= score <= 1 for score in scores)
    assert max(scores[2950:3050]) > 0.9 and [row["label"] for row in rows].count("1") == 101
    # It was not told what comes: a series cut off before the fault is judged the same up to there.
    series(tmp_path / "cut/calm/broken.csv", 1, quiet)
    kept = (tmp_path / "nab/loud/broken.csv").read_text().splitlines()[:2901]
    (tmp_path / "cut/calm/broken.csv").write_text("\n".join(kept) + "\n")
    run("bench", "nab", "--data", tmp_path / "cut", "--out", tmp_path / "before")
    (before,) = (tmp_path / "before/calm").iterdir()
    assert [float(row["anomaly_score"]) for row in csv.DictReader(before.open())] == scores[:2900]


def test_a_planted_cause_is_found_in_a_folder_of_incidents(tmp_path):
    dice = random.Random(3)
    with (tmp_path / "one.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["min", "value", "cnt", "psp", "method"])
        for minute in range(10):
            for psp in "abc":
                for method in ("card", "wallet", "transfer"):
                    attempts = 200 + dice.randrange(50)
                    share = 0.5 if minute == 9 and psp == "b" else 0.05
                    failures = sum(dice.random() < share for _ in range(attempts))
                    rows.writerow([1_600_000_000 + 60 * minute, failures, attempts, psp, method])
    (tmp_path / "labels.yaml").write_text("- data: one\n  timestamp: 1600000540\n  cause:\n    psp: b\n")
    done = run("bench", "rootcause", "--data", tmp_path)
    (whole,) = [line.split() for line in done.stdout.splitlines() if line.startswith("all")]
    assert whole[1:5] == ["1", "1.000", "1.000", "1.000"], done.stdout
    drawn = run("bench", "rootcause", "--generate", "--cases", "3", "--level", "B1")
    assert "B1" in drawn.stdout
    wrong = run("bench", "rootcause", "--generate", "--level", "Z9", check=False)
    assert wrong.returncode == 1 and "there is no level 'Z9'" in wrong.stderr, wrong.stderr


def test_series_with_a_day_and_a_week_are_forecast_better_than_by_last_week(tmp_path):
    dice = random.Random(5)
    train, test = [], []
    for name in range(4):
        def value(hour, name=name):
            weekend = 0.6 if hour // 24 % 7 >= 5 else 1.0
            return (500 + 100 * name) * weekend * (1.5 + math.sin(2 * math.pi * hour / 24)) + dice.gauss(0, 20) + hour * 0.2

        values = [f"{value(hour):.1f}" for hour in range(816)]
        train.append(",".join([f"H{name}", *values[:768]]))
        test.append(",".join([f"H{name}", *values[768:]]))
    (tmp_path / "m4_hourly_train.csv").write_text("\n".join(train) + "\n")
    (tmp_path / "m4_hourly_test.csv").write_text("\n".join(test) + "\n")
    done = run("bench", "forecast", "--data", tmp_path)
    figures = {line.split()[0]: float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("tillwatch")}
    (naive,) = [float(line.split()[2]) for line in done.stdout.splitlines() if line.startswith("seasonal naive")]
    assert figures["tillwatch"] < 0.6 * naive, done.stdout


@pytest.mark.parametrize("part", ["nab", "rootcause", "forecast"])
def test_a_folder_without_data_says_so(tmp_path, part):
    done = run("bench", part, "--data", tmp_path / "nothing", check=False)
    assert done.returncode == 1 and "nothing" in done.stderr, done.stderr


def test_a_line_that_cannot_be_read_is_named(tmp_path):
    series(tmp_path / "calm/odd.csv", 50, lambda i: "many" if i == 20 else i)
    done = run("bench", "nab", "--data", tmp_path, check=False)
    assert done.returncode == 1 and "odd.csv" in done.stderr and "22" in done.stderr, done.stderr


def test_simulated_faults_are_found_and_told_against_the_least_delay():
    done = run("bench", "delay", "--weeks", 1, "--quiet-weeks", 1, "--seed", 3)
    text = done.stdout
    for name in ("`rate` on approvals", "`count` on attempts"):
        assert name in text, text
    totals = [line.split("|") for line in text.splitlines() if line.startswith("| **all**")]
    assert len(totals) == 2, text
    for cells in totals:
        found, of = map(int, cells[2].split(" of "))
        explained, told = map(int, cells[6].split(" of "))
        assert of == 28 and found >= 14 and told == found and explained >= found / 2, text
        assert float(cells[5]) > 0.5, "no test is sooner than the least delay by much"
