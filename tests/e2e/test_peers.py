"""The comparison with other systems in small: it runs, Tillwatch's answer is right, and a wrong one is noticed."""

import subprocess
import sys

import duckdb

from harness import BINARY, ROOT

PEERS = ROOT / "bench" / "peers"


def peers(monkeypatch):
    """Its modules, which are no package."""
    monkeypatch.syspath_prepend(str(PEERS))
    import check

    return check


def compare(folder, *options):
    command = [sys.executable, PEERS / "compare.py", "--events", 20_000, "--runs", 1, "--systems", "tillwatch", "duckdb", "--questions", "q1", "windows"]
    return subprocess.run(
        [str(word) for word in [*command, "--folder", folder, *options]],
        env={"TILLWATCH_BIN": str(BINARY), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_comparison_runs_and_says_whose_answers_are_right(tmp_path):
    report = tmp_path / "RESULTS.md"
    report.write_text("# Measurements\n\nby hand\n")
    done = compare(tmp_path, "--out", report)
    assert done.returncode == 0, done.stderr
    text = report.read_text()
    assert text.startswith("# Measurements\n\nby hand\n")
    rows = [line for line in text.splitlines() if line.startswith(("| Tillwatch", "| DuckDB"))]
    assert len(rows) == 7, text
    for row in rows:
        # A batch that counts repeated ids twice is the one that has to be caught.
        caught = "repeated ids counted" in row
        assert ("**wrong**" in row, "right in all" in row) == (caught, not caught), row
    # A second run replaces its section and nothing else.
    again = compare(tmp_path, "--out", report)
    assert again.returncode == 0, again.stderr
    assert report.read_text().count("## Against others") == 1
    assert report.read_text().startswith("# Measurements\n\nby hand\n")


def test_a_measurement_that_was_stopped_goes_on(tmp_path):
    kept, report = tmp_path / "so-far", tmp_path / "RESULTS.md"
    options = ["--out", report, "--resume", kept, "--systems", "duckdb"]
    first = compare(tmp_path, *options)
    assert first.returncode == 0 and first.stderr.count("run 1 of 1: DuckDB") == 2, first.stderr
    # What was measured is not measured again, and two runs are the one there is and another.
    report.unlink()
    again = compare(tmp_path, *options)
    assert again.returncode == 0 and "DuckDB" not in again.stderr, again.stderr
    assert report.read_text().count(", 1 run. ") == 2, "what is known is written in any case"
    more = compare(tmp_path, *options, "--runs", 2)
    assert more.returncode == 0 and more.stderr.count("run 2 of 2: DuckDB") == 2 and "run 1 of 2" not in more.stderr, more.stderr
    assert report.read_text().count(", 2 runs. ") == 2
    # Runs of another size do not stand beside them, and what is damaged is not taken for anything.
    other = compare(tmp_path, *options, "--events", 10_000)
    assert other.returncode != 0 and "events differ" in other.stderr and "Traceback" not in other.stderr, other.stderr
    kept.write_bytes(b"x")
    damaged = compare(tmp_path, *options)
    assert damaged.returncode != 0 and "cannot be read" in damaged.stderr and "Traceback" not in damaged.stderr, damaged.stderr


def test_a_turn_that_fails_half_way_is_taken_again_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(PEERS))
    import argparse

    import compare as command
    import progress
    from measure import Cost
    from systems import Run

    chosen = {"events": 1, "seed": 1, "systems": ("duckdb",), "seconds": 1, "alert_minutes": 1, "alert_rate": 1, "resume": tmp_path / "so-far"}
    monkeypatch.setattr(progress, "about", lambda chosen: {"events": chosen.events})
    kept = progress.Progress(argparse.Namespace(**chosen))
    written = []
    turns = command.Turns(("duckdb",), tmp_path, kept, lambda: written.append(len(kept.loads["q1"])))
    fails = [None, RuntimeError("no disk"), KeyboardInterrupt()]

    def ask(_system, _folder):
        yield Run("first", Cost(1.0, 1.0)), [], ""
        failure = fails.pop()
        if failure:
            raise failure
        yield Run("second", Cost(1.0, 1.0)), [], ""

    try:
        turns.take("q1", 1, ask)
    except KeyboardInterrupt:
        pass
    assert kept.rows == {} and kept.taken == {}
    turns.take("q1", 1, ask)
    assert kept.rows == {} and kept.failures["q1", "duckdb"] == "failed: no disk"
    turns.take("q1", 1, ask)
    assert {variant: len(row.runs) for (_, variant), row in kept.rows["q1"].items()} == {"first": 1, "second": 1}
    assert kept.failures == {} and written == [1]
    turns.take("q1", 1, ask)
    again = progress.Progress(argparse.Namespace(**chosen))
    assert again.taken == {"q1": {(0, "duckdb")}}


def test_a_wrong_answer_is_noticed(tmp_path, monkeypatch):
    check = peers(monkeypatch)
    truth, answer = tmp_path / "truth.parquet", tmp_path / "answer.parquet"
    rows = """
        select timestamp '2026-10-01' + interval (i) minute as minute, 'm' || i as merchant_id, 'card' as method, 'approved' as status,
               i + 1 as n, (i + 0.07)::decimal(18, 2) as volume, 'EUR' as currency_first, 'EUR' as currency_last, i + 1 as customers, {p95}
        from range(100) t(i)"""
    duckdb.sql(f"copy ({rows.format(p95='100 as p95_low, 110 as p95_high')}) to '{truth}' (format parquet)")
    right = rows.format(p95="105.0::double as p95")

    def verdict(text, sketches=False):
        duckdb.sql(f"copy ({text}) to '{answer}' (format parquet)")
        return check.q1(truth, answer, sketches)

    assert verdict(right).right
    assert verdict(right).text() == "right in all 100 groups"
    cases = {
        "missing": f"select * from ({right}) where n <> 7",
        "invented": f"{right} union all select minute - interval 9 day, merchant_id, method, status, n, volume, currency_first, currency_last, customers, p95 from ({right}) where n = 1",
        "counts_differ": f"select * replace (n + (n = 5)::int as n) from ({right})",
        "sums_differ": f"select * replace (volume + (n = 5)::int * 0.01 as volume) from ({right})",
        "distinct_differ": f"select * replace (customers - (n = 5)::int as customers) from ({right})",
        "p95_differ": f"select * replace (case when n = 5 then 111.0 else p95 end as p95) from ({right})",
    }
    for field, text in cases.items():
        found = verdict(text)
        assert not found.right and getattr(found, field) == 1, (field, found)
        others = {name: getattr(found, name) for name in cases if name != field}
        assert not any(others.values()), (field, found)
    lost = verdict(f"select * replace (null::decimal(18, 2) as volume) from ({right})")
    assert lost.sums_differ == 100
    # What a sketch may be off by is right for a sketch alone, and no more than that.
    near = f"select * replace (p95 * 1.05 as p95, customers + (customers = 100)::int * 8 as customers) from ({right})"
    assert verdict(near, sketches=True).right
    assert not verdict(near).right
    far = f"select * replace (customers + (customers = 100)::int * 10 as customers) from ({right})"
    assert verdict(far, sketches=True).distinct_differ == 1
    windows = "select timestamp '2026-10-01' + interval (i) minute as ends_at, 'm' || i as merchant_id, i as n, i // 2 as declined from range(9) t(i)"
    duckdb.sql(f"copy ({windows}) to '{truth}' (format parquet)")
    for text, field in [(windows, None), (f"select * from ({windows}) where n <> 3", "missing"), (f"select * replace (declined + 1 as declined) from ({windows})", "counts_differ")]:
        duckdb.sql(f"copy ({text}) to '{answer}' (format parquet)")
        found = check.windows(truth, answer)
        assert found.right == (field is None), found
        assert field is None or getattr(found, field) > 0, found


def test_tillwatch_is_asked_every_question(monkeypatch):
    monkeypatch.syspath_prepend(str(PEERS))
    import compare as command
    import systems

    assert [question for question in command.QUESTIONS if not hasattr(systems.load("tillwatch"), question)] == []
    # Where it is missing or wrong, the command fails.
    assert not command.told_rightly([])
    row = command.Row("tillwatch", "a run")
    row.add(None, [])
    assert command.told_rightly([row])
    row.add(None, ["a tile"])
    assert not command.told_rightly([row])


def test_what_was_written_by_hand_around_the_sections_stays(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(PEERS))
    import report

    page = tmp_path / "RESULTS.md"
    page.write_text("# Measurements\n\nby hand\n")
    report.write(page, {"head": "H", "promises": "P"})
    page.write_text(page.read_text() + "\nbelow, by hand\n")
    report.write(page, {"q2": "Q2", "head": "H again"})
    report.write(page, {"q1": "Q1"})
    text = page.read_text()
    places = [text.index(part) for part in ("by hand", "H again", "\nQ1\n", "\nQ2\n", "\nP\n", "below, by hand")]
    assert places == sorted(places), text
    assert "\nH\n" not in text
    assert "\nH\n" not in text
