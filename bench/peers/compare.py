#!/usr/bin/env python3
"""Runs every system alone on the same file of workload W, checks every answer, and writes bench/RESULTS.md.

    bench/peers/compare.py --events 200000 --runs 2 --systems tillwatch duckdb
"""

import argparse
import pathlib
import random
import shutil
import sys
import tempfile
import traceback

import boards
import check
import floors
import place
import questions
import report
import systems
import tables
import workload as workloads
from systems import NotExpressible

QUESTIONS = ["q1", "windows", "q6", "q2"]


def log(text):
    print(text, file=sys.stderr, flush=True)


class Row:
    """All runs of one variant of one system."""

    def __init__(self, system, variant):
        self.system, self.variant = system, variant
        self.runs, self.verdicts = [], []

    def add(self, run, verdict):
        self.runs.append(run)
        self.verdicts.append(verdict)

    @property
    def right(self):
        """Whether every answer was right: a verdict of Q1, or no wrong tile of Q6."""
        return all(not verdict if isinstance(verdict, list) else verdict.right for verdict in self.verdicts)


def in_turns(question, names, runs, folder, failures, ask, keep):
    """Asks every system in turns, run by run, each in a fresh folder; one that fails stops no other. What is known is kept after each.

    The order is drawn anew for each run, by a fixed seed: what a system leaves behind, as memory that a shared host has taken back
    and must find again, meets another one each time."""
    dice = random.Random(1)
    for number in range(runs):
        for name in dice.sample(names, len(names)):
            system = systems.load(name)
            if not hasattr(system, question):
                continue
            others = report.others()
            log(f"{question}, run {number + 1} of {runs}: {system.name} ({others:.2f} processors used by others)")
            place_of_run = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder))
            try:
                ask(name, system, place_of_run)
            except NotExpressible as refusal:
                failures[question, name] = (system, f"not expressible: {refusal}")
                log(f"  not expressible: {refusal}")
            except Exception as error:
                text = str(error).strip() or repr(error)
                failures[question, name] = (system, f"failed: {text.splitlines()[-1][:300]}")
                log(traceback.format_exc())
            finally:
                shutil.rmtree(place_of_run, ignore_errors=True)
            keep(others)


def over_file(question, verdict_of, names, workload, runs, folder, failures, keep):
    """The rows of a question about the whole file."""
    truth = workloads.truth(workload, question)
    rows = {}

    def ask(name, system, place_of_run):
        for run in getattr(system, question.name)(workload, place_of_run):
            verdict = verdict_of(truth, run)
            rows.setdefault((name, run.variant), Row(system, run.variant)).add(run, verdict)
            log(f"  {run.variant}: {run.cost.cpu_s:.2f} CPU s, {run.cost.wall_s:.2f} s; {verdict.text()}")

    in_turns(question.name, names, runs, folder, failures, ask, lambda others: keep(list(rows.values()), others))
    return list(rows.values())


def q1(*about):
    """The rows of Q1."""
    return over_file(questions.Q1, lambda truth, run: check.q1(truth, run.answer, run.sketches), *about)


def windows(*about):
    """The rows of the windows that slide."""
    return over_file(questions.WINDOWS, lambda truth, run: check.windows(truth, run.answer), *about)


def q6(names, workload, runs, folder, failures, seconds, keep):
    """The rows of Q6."""
    true = boards.truth(workload)
    rows = {}

    def ask(name, system, place_of_run):
        for run in system.q6(workload, place_of_run, seconds):
            verdict = boards.wrong_tiles(true, run.answers)
            rows.setdefault((name, run.variant), Row(system, run.variant)).add(run, verdict)
            told = ", ".join(f"{phase}: p50 {run.at(phase, 0.5):.1f}, p99 {run.at(phase, 0.99):.1f} ms" for phase in run.phases)
            log(f"  {told}; wrong tiles: {verdict or 'none'}")

    in_turns("q6", names, runs, folder, failures, ask, lambda others: keep(list(rows.values()), others))
    return list(rows.values())


def q2(names, runs, folder, failures, minutes, rate, keep):
    """The rows of Q2."""
    rows = {}

    def ask(name, system, place_of_run):
        for run in system.q2(minutes, rate, place_of_run):
            rows.setdefault((name, run.variant), Row(system, run.variant)).add(run, [])
            told = ", ".join(f"{rule} after {delay_s:.1f} s" for rule, delay_s in sorted(run.delays_s.items()))
            log(f"  {told or 'no alert'}; {run.false} false alerts; {run.cost.cpu_s:.1f} CPU s")

    in_turns("q2", names, runs, folder, failures, ask, lambda others: keep(list(rows.values()), others))
    return list(rows.values())


def told_rightly(rows):
    """Whether Tillwatch was asked, and never answered wrongly."""
    ours = [row for row in rows if row.system.name == "Tillwatch"]
    return bool(ours) and all(row.right for row in ours)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--events", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--systems", nargs="*", default=systems.NAMES, choices=systems.NAMES)
    options.add_argument("--questions", nargs="*", default=QUESTIONS, choices=QUESTIONS)
    options.add_argument("--seconds", type=float, default=20, help="how long the clients of Q6 ask, each way")
    options.add_argument("--alert-minutes", type=float, default=16, help="how long Q2 sends traffic; a quarter of it fails")
    options.add_argument("--alert-rate", type=int, default=1_000, help="events a second of Q2")
    options.add_argument("--alert-runs", type=int, default=1, help="runs of Q2, which lasts by the clock and not by the machine")
    options.add_argument("--out", type=pathlib.Path, default=place.RESULTS)
    options.add_argument("--folder", type=pathlib.Path, help="where the workload and the runs are kept")
    chosen = options.parse_args()
    if chosen.folder:
        chosen.folder.mkdir(parents=True, exist_ok=True)
    # Whoever has a fault in his file has it now and not after an hour.
    for name in chosen.systems:
        systems.load(name)
    failures, rows, loads = {}, {}, {}

    with tempfile.TemporaryDirectory(prefix="bench-peers-", dir=chosen.folder or place.CACHE) as folder:
        workload = workloads.make(chosen.events, chosen.seed, "1h", chosen.folder)
        floor = {}

        def ask(question, act):
            # Hours of work are not lost when somebody stops it.
            def keep(found, others=None):
                rows[question] = found
                loads.setdefault(question, []).extend([others] if others is not None else [])
                report.write(chosen.out, tables.sections(chosen, workload, floor, rows, failures, loads))

            keep(act(keep))

        if "q1" in chosen.questions:
            floor = floors.measure_all(workload, chosen.runs, pathlib.Path(folder))
            ask("q1", lambda keep: q1(chosen.systems, workload, chosen.runs, folder, failures, keep))
        if "windows" in chosen.questions:
            ask("windows", lambda keep: windows(chosen.systems, workload, chosen.runs, folder, failures, keep))
        if "q6" in chosen.questions:
            month = workloads.make(chosen.events, chosen.seed, "30d", chosen.folder)
            ask("q6", lambda keep: q6(chosen.systems, month, chosen.runs, folder, failures, chosen.seconds, keep))
        if "q2" in chosen.questions:
            ask("q2", lambda keep: q2(chosen.systems, chosen.alert_runs, folder, failures, chosen.alert_minutes, chosen.alert_rate, keep))
    log(f"written: {chosen.out}")
    if "tillwatch" in chosen.systems and not all(told_rightly(rows[question]) for question in rows):
        log("Tillwatch's own answer is wrong or missing")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
