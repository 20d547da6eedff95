#!/usr/bin/env python3
"""Runs every system alone on the same file of workload W, checks every answer, and writes bench/RESULTS.md.

    bench/peers/compare.py --events 200000 --runs 2 --systems tillwatch duckdb
"""

import argparse
import dataclasses
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import traceback

import boards
import check
import floors
import place
import progress
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

    def __init__(self, name, variant):
        self.name, self.variant = name, variant
        self.runs, self.verdicts = [], []

    def add(self, run, verdict):
        self.runs.append(run)
        self.verdicts.append(verdict)

    @property
    def system(self):
        return systems.load(self.name)

    @property
    def right(self):
        """Whether every answer was right: a verdict of Q1, or no wrong tile of Q6."""
        return all(not verdict if isinstance(verdict, list) else verdict.right for verdict in self.verdicts)


class Turns:
    """Asks every system in turns, run by run, each in a fresh folder; one that fails stops no other. What is known is kept after each.

    The order is drawn anew for each run, by a fixed seed: what a system leaves behind, as memory that a shared host has taken back
    and must find again, meets another one each time."""

    def __init__(self, names, folder, kept, ended):
        self.names, self.folder, self.kept, self.ended = names, folder, kept, ended

    def take(self, question, runs, ask):
        """`ask(system, folder)` gives (run, verdict, what to say of it), one a variant. Turns that ended well before, or found that a system
        cannot be asked, are not taken again."""
        dice, done = random.Random(1), self.kept.taken.get(question, set())
        turns = [(number, name) for number in range(runs) for name in dice.sample(self.names, len(self.names)) if hasattr(systems.load(name), question)]
        for turn in turns:
            if turn not in done:
                self._take_one(question, runs, turn, ask)

    def _take_one(self, question, runs, turn, ask):
        number, name = turn
        system, others, found = systems.load(name), report.others(), []
        log(f"{question}, run {number + 1} of {runs}: {system.name} ({others:.2f} processors used by others)")
        place_of_run = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        try:
            for run, verdict, told in ask(system, place_of_run):
                found.append((run, verdict))
                log(f"  {run.variant}: {told}")
        except NotExpressible as refusal:
            self.kept.failures[question, name] = f"not expressible: {refusal}"
            log(f"  not expressible: {refusal}")
        except Exception as error:
            # What was found before is not kept either: all variants of a system have as many runs.
            text = str(error).strip() or repr(error)
            self.kept.failures[question, name] = f"failed: {text.splitlines()[-1][:300]}"
            log(traceback.format_exc())
            return
        else:
            self.kept.failures.pop((question, name), None)
        finally:
            shutil.rmtree(place_of_run, ignore_errors=True)
        rows = self.kept.rows.setdefault(question, {})
        for run, verdict in found:
            rows.setdefault((name, run.variant), Row(name, run.variant)).add(run, verdict)
        self.kept.turn_ended(question, turn, others)
        self.ended()


def over_file(question, verdict_of, workload):
    """Asks a question about the whole file."""
    truth = workloads.truth(workload, question)

    def ask(system, folder):
        for run in getattr(system, question.name)(workload, folder):
            verdict = verdict_of(truth, run)
            # The folder with the answer goes.
            yield dataclasses.replace(run, answer=None), verdict, f"{run.cost.cpu_s:.2f} CPU s, {run.cost.wall_s:.2f} s; {verdict.text()}"

    return ask


def q6(workload, seconds):
    """Asks Q6."""
    true = boards.truth(workload)

    def ask(system, folder):
        for run in system.q6(workload, folder, seconds):
            verdict = boards.wrong_tiles(true, run.answers)
            told = ", ".join(f"{phase}: p50 {run.at(phase, 0.5):.1f}, p99 {run.at(phase, 0.99):.1f} ms" for phase in run.phases)
            yield dataclasses.replace(run, answers={}), verdict, f"{told}; wrong tiles: {verdict or 'none'}"

    return ask


def q2(minutes, rate):
    """Asks Q2."""

    def ask(system, folder):
        for run in system.q2(minutes, rate, folder):
            told = ", ".join(f"{rule} after {delay_s:.1f} s" for rule, delay_s in sorted(run.delays_s.items()))
            yield run, [], f"{told or 'no alert'}; {run.false} false alerts; {run.cost.cpu_s:.1f} CPU s"

    return ask


def told_rightly(rows):
    """Whether Tillwatch was asked, and never answered wrongly."""
    ours = [row for row in rows if row.name == "tillwatch"]
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
    # So that servers are stopped and folders removed also when somebody stops this by a signal.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options.add_argument("--resume", type=pathlib.Path, metavar="FILE", help="go on where a measurement that was stopped has left FILE, which is made if it is not there")
    chosen = options.parse_args()
    chosen.systems = tuple(chosen.systems)
    if chosen.folder:
        chosen.folder.mkdir(parents=True, exist_ok=True)
    # Whoever has a fault in his file has it now and not after an hour.
    for name in chosen.systems:
        systems.load(name)
    try:
        kept = progress.Progress(chosen)
    except progress.Stale as stale:
        options.error(str(stale))

    with tempfile.TemporaryDirectory(prefix="bench-peers-", dir=chosen.folder or place.CACHE) as folder:
        workload = workloads.make(chosen.events, chosen.seed, "1h", chosen.folder)
        # Hours of work are not lost when somebody stops it.
        def write():
            report.write(chosen.out, tables.sections(chosen, workload, kept))

        turns = Turns(chosen.systems, folder, kept, write)

        if "q1" in chosen.questions:
            if not kept.floor:
                kept.floor = floors.measure_all(workload, chosen.runs, pathlib.Path(folder))
                kept.keep()
            turns.take("q1", chosen.runs, over_file(questions.Q1, lambda truth, run: check.q1(truth, run.answer, run.sketches), workload))
        if "windows" in chosen.questions:
            turns.take("windows", chosen.runs, over_file(questions.WINDOWS, lambda truth, run: check.windows(truth, run.answer), workload))
        if "q6" in chosen.questions:
            turns.take("q6", chosen.runs, q6(workloads.make(chosen.events, chosen.seed, "30d", chosen.folder), chosen.seconds))
        if "q2" in chosen.questions:
            turns.take("q2", chosen.alert_runs, q2(chosen.alert_minutes, chosen.alert_rate))
        write()
    log(f"written: {chosen.out}")
    if "tillwatch" in chosen.systems and not all(told_rightly(kept.rows.get(question, {}).values()) for question in chosen.questions):
        log("Tillwatch's own answer is wrong or missing")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
