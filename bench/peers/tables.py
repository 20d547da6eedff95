"""What the report says: its sentences and its tables."""

import statistics

import place
import questions
import report
import systems
from report import spread


# Processors that others keep busy, from which on times are not believed.
BUSY = 0.25


def sections(chosen, workload, kept):
    """The text of each section that was measured."""
    texts = {"head": introduction(chosen, workload)}
    rows = {question: list(kept.rows.get(question, {}).values()) for question in chosen.questions}
    floor, failures, loads = kept.floor, kept.failures, {question: kept.loads.get(question, [0.0]) for question in chosen.questions}
    if "q1" in rows:
        table = report.table(
            ["floor of this machine", "thousand events per CPU second", "thousand events a second"],
            [
                [name, spread([cpu / 1e3 for cpu, _ in runs]), spread([wall / 1e3 for _, wall in runs])]
                for name, runs in floor.items()
            ],
        )
        body = [over_file(workload, rows["q1"], failed(failures, "q1")), table]
        texts["q1"] = section(f"Q1: {questions.Q1.title}", f"{chosen.events:,} events in one hour. {taken(chosen, 'q1', rows['q1'], loads['q1'])}", *body)
    if "windows" in rows:
        how = f"{chosen.events:,} events in one hour. {taken(chosen, 'windows', rows['windows'], loads['windows'])}"
        texts["windows"] = section(questions.WINDOWS.title, how, over_file(workload, rows["windows"], failed(failures, "windows")))
    if "q6" in rows:
        how = f"{chosen.events:,} events in 30 days. {taken(chosen, 'q6', rows['q6'], loads['q6'])}"
        texts["q6"] = section("Q6: a board over 30 days, 16 clients", how, q6(rows["q6"], failed(failures, "q6")))
    if "q2" in rows:
        title = f"Q2: how soon a failing merchant is told, {chosen.alert_rate:,} events a second for {chosen.alert_minutes:g} minutes"
        texts["q2"] = section(title, taken(chosen, "q2", rows["q2"], loads["q2"]), q2(rows["q2"], failed(failures, "q2")))
    texts["promises"] = section("What each promises", promises())
    return texts


def section(title, *parts):
    return "\n\n".join([f"### {title}", *(part for part in parts if part)])


def taken(chosen, question, rows, loads):
    """By which command, when and on what the figures were taken."""
    counts = sorted({len(row.runs) for row in rows})
    runs = " to ".join(str(count) for count in (counts[:1] + counts[1:][-1:]))
    busy = (
        f"**The machine was busy with other work** (before the runs it kept {max(loads):.1f} processors busy at most), so times by the clock are upper bounds and CPU times too high."
        if max(loads) > BUSY
        else f"Nothing else was running (before each run others kept {max(loads):.2f} processors busy at most)."
    )
    profile = place.TILLWATCH.parent.name
    built = f"PROFILE={profile} " if profile != "release" else ""
    only = "" if tuple(chosen.systems) == systems.NAMES else f" --systems {' '.join(chosen.systems)}"
    command = f'make bench-peers {built}BENCH_EVENTS={chosen.events} BENCH_RUNS={chosen.runs} BENCH_ARGS="--questions {question}{only}"'
    return f"`{command}`, {report.today()}, {report.machine()}, {runs} {'run' if runs == '1' else 'runs'}. {busy}"


def failed(failures, question):
    return [f"{systems.load(name).name}: {reason}." for (asked, name), reason in failures.items() if asked == question]


def introduction(chosen, workload):
    return (
        "## Against others\n\n"
        "`make bench-peers`; how it is done and what the rules are stands in `bench/peers/README.md`, the statements every system is given in `bench/peers/systems/`. "
        f"Workload W (`tillwatch bench workload --events {chosen.events} --seed {chosen.seed} --span {workload.span}`): payments of {workload.bytes / chosen.events:.0f} bytes each as NDJSON, "
        "5 000 merchants by Zipf's law, 1 M customers, 2 % sent twice, 5 % out of order by up to a minute, 0.2 % later, by up to half an hour. "
        "Each system runs alone on the same file, in turns; figures are the median with the least and the most. "
        "CPU time is that of all its processes, children included; memory is the most they held together, sampled twenty times a second. "
        "Every answer is compared with DuckDB's over the file with each id once: counts and sums must be exact to the cent; exact systems must have the exact "
        "number of customers and a latency at the rank, sketches may be off by their published error."
    )


def per_cpu_s(workload, row):
    return [workload.events / max(run.cost.cpu_s, 0.01) for run in row.runs]


def over_file(workload, rows, failures):
    ours = next((row for row in rows if row.system.name == "Tillwatch"), None)
    reference = statistics.median(per_cpu_s(workload, ours)) if ours else None
    body = []
    for row in rows:
        rates = per_cpu_s(workload, row)
        ratio = f"{reference / statistics.median(rates):.2f} ×" if reference and row is not ours else "1"
        body.append(
            [
                f"{row.system.name} {row.system.version()}: {row.variant}",
                spread([rate / 1e3 for rate in rates]),
                ratio,
                spread([run.cost.wall_s for run in row.runs], "{:.1f}"),
                spread([run.cost.memory_bytes / 2**20 for run in row.runs]),
                next((verdict.text() for verdict in row.verdicts if not verdict.right), row.verdicts[-1].text()),
            ]
        )
    head = ["system", "thousand events per CPU second", "Tillwatch's first row ÷ this", "s by the clock", "MiB", "answer"]
    notes = [report.table(head, body)] if body else []
    notes += failures
    notes += dict.fromkeys(f"{row.system.name}: {row.system.remark}." for row in rows if hasattr(row.system, "remark"))
    for row in rows:
        if row.runs[0].more:
            names = row.runs[0].more
            told = ", ".join(f"{name} {spread([run.more[name] for run in row.runs], '{:.2f}')}" for name in names)
            notes.append(f"{row.system.name}, {row.variant}, in CPU seconds: {told}.")
    return "\n\n".join(notes)


def q6(rows, failures):
    phases = list(rows[0].runs[0].phases) if rows else []
    body = []
    for row in rows:
        wrong = {tile for verdict in row.verdicts for tile in verdict}
        body.append([f"{row.system.name}: {row.variant}"] + [figure(row, phase) for phase in phases] + ["**wrong**: " + ", ".join(sorted(wrong)) if wrong else "right"])
    head = ["system", *(f"{phase}: p50 / p99 ms" for phase in phases), "answers"]
    notes = [report.table(head, body)] if body else []
    for row in rows:
        notes.append(
            f"{row.system.name}: prepared in {spread([run.prepared.cpu_s for run in row.runs], '{:.1f}')} CPU seconds; "
            f"{spread([run.disk_bytes / 2**20 for run in row.runs])} MiB on disk; all questions took {spread([run.asked.cpu_s for run in row.runs], '{:.1f}')} CPU seconds, "
            f"{spread([run.asked.memory_bytes / 2**20 for run in row.runs])} MiB at most."
        )
    notes.append(
        "Times are those of the clients, from when a question was due. Of a system in process the clients' own work is in its CPU time, of a server it is not, but both "
        "share the processors. The Parquet file of the raw events is one file in order of time, made beforehand."
    )
    return "\n\n".join(notes + failures)


def figure(row, phase):
    each = [(run.at(phase, 0.5), run.at(phase, 0.99), len(run.phases[phase])) for run in row.runs]
    middle = [statistics.median(column) for column in zip(*each, strict=True)]
    rate = f", {middle[2]:,.0f} answers" if "at once" in phase else ""
    return f"{middle[0]:.1f} / {middle[1]:.1f}{rate}"


def q2(rows, failures):
    body = []
    for row in rows:
        cells = [f"{row.system.name} {row.system.version()}: {row.variant}"]
        for window in ("1m", "5m"):
            delays = [run.delays_s.get(f"declines_{window}") for run in row.runs]
            cells.append(spread(delays, "{:.0f}") if None not in delays else f"none in {delays.count(None)} of {len(delays)} runs")
        cells.append(spread([run.false for run in row.runs]))
        cells.append(spread([run.cost.cpu_s for run in row.runs], "{:.1f}"))
        cells.append(spread([run.cost.memory_bytes / 2**20 for run in row.runs]))
        body.append(cells)
    head = ["system", "s from the failure to the alert, window of 1 min", "window of 5 min", "other alerts", "CPU s", "MiB"]
    behind_s = max((run.behind_s for row in rows for run in row.runs), default=0)
    note = (
        "One merchant of 5 000, the 20th in size, declines 60 % of its payments from half to three quarters of the time; the rule is a share of more than 40 % of at least 30 payments. "
        "All judge the last one and the last five minutes; Prometheus every ten seconds by time of arrival, Tillwatch by event time: every five seconds what has come, and every ten what is complete, once it has waited for events out of order: of these "
        "events one in twenty is, by up to a minute. What comes later still counts, and is told as a revision. The exporter is part of the sender and its cost is not in Prometheus's; "
        f"decoding, deduplicating and storing every event is in Tillwatch's. The sender was {behind_s:.1f} s behind at most."
    )
    return "\n\n".join([report.table(head, body) if body else "", note, *failures]).strip()


def promises():
    told = [f"- {system.name}: {system.promises}." for system in map(systems.load, systems.NAMES)]
    return "\n".join(told + [f"- Not measured: {name}: {reason}." for name, reason in systems.NOT_MEASURED.items()])
