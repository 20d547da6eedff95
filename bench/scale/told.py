"""What the page says of the points, in tables and sentences."""

import dataclasses
import statistics

import axes
import capacity
import fits
import mixed
import points as kept
import report

FIT_HEAD = ["cost", "fit", "95 % interval of b", "growth from the first to the last place", "ΔAIC of the others"]
# Machines beside the one of 16.
PROCESSORS = (2, 4, 8, 16, 32, 64)
KINDS = {"linear": "a + b·x", "log": "a + b·ln x", "power": "a·x^b"}


def _span(points, figure):
    """The fit at the last place over that at the first."""
    spread = kept.spreads(points, figure)
    return spread[0][1], spread[-1][1]


def _fit_row(label, points, figure):
    x, y = kept.columns(points, figure)
    best, others = fits.best(x, y), fits.all_of(x, y)
    least = min(fit.aic for fit in others)
    first, last = _span(points, figure)
    kind = f"{KINDS[best.kind]}: " if best.kind in KINDS else ""
    also = ", ".join(f"{fit.kind} +{fit.aic - least:.1f}" for fit in others if fit.aic > least) or "–"
    growth = f"× {fits.number(last / first)}" if first > 0 else f"{fits.number(first)} → {fits.number(last)}"
    note = ", **bends upward**" if best.superlinear else ""
    return [label, f"{kind}{best.text()}{note}", f"{fits.number(best.b_least)} to {fits.number(best.b_most)}", growth, also]


def _sentence(label, unit, points, figure):
    """What the curve says."""
    best = fits.best(*kept.columns(points, figure))
    (first, last), places = _span(points, figure), kept.spreads(points, figure)
    reach = f"{fits.number(first)} {unit} at {places[0][0]:,.0f}, {fits.number(last)} at {places[-1][0]:,.0f}"
    if best.kind == "flat":
        return f"{label}: {reach}; no growth or fall that can be told from noise."
    how = {"linear": "in a straight line", "log": "with the logarithm", "power": f"with the power {fits.number(best.b)}"}[best.kind]
    more = ", bending upward: **the last ones cost more than the first**" if best.superlinear else ""
    return f"{label}: {reach}; {'falling' if best.b < 0 else 'growing'} {how}{more}."


def axis(name, points, folder):
    """The section of an axis."""
    module, found = axes.load(name), kept.of_axis(points, name)
    sentences, fit_rows, heads = [], [], []
    for panel in module.PANELS:
        unit = panel.y_label.split(", ")[-1]
        for figure, label in panel.costs.items():
            whole = f"{panel.title}, {label}" if panel.title else label
            heads.append(f"{whole}, {unit}" if panel.title else label)
            if len({point.figures["x"] for point in found if figure in point.figures}) > 2:
                sentences.append(_sentence(whole[:1].upper() + whole[1:], unit, found, figure))
                fit_rows.append(_fit_row(whole, found, figure))
    alt = f"{module.title}. {' '.join(sentences)}"
    for mark in "`*[]":
        alt = alt.replace(mark, "")
    rows = []
    for at in sorted({point.at for point in found}):
        here = [point.figures for point in found if point.at == at]
        row = [f"{statistics.median(run['x'] for run in here):,.0f}"]
        for panel in module.PANELS:
            for figure in panel.costs:
                values = [run[figure] for run in here if figure in run]
                row.append(report.spread(values, "{:,.2f}") if values else "–")
        rows.append(row)
    measured = report.table([module.x_label.split(" (")[0], *heads], rows)
    if not module.PANELS[0].title:
        measured = f"{module.PANELS[0].y_label}:\n\n{measured}"
    return "\n\n".join(
        [
            f"## {module.title}",
            module.says,
            f"![{alt}]({folder}/{name}.png)",
            "\n".join(f"- {sentence}" for sentence in sentences),
            measured,
            report.table(FIT_HEAD, fit_rows),
        ]
    )


def head(chosen, loads, disk, date):
    """Where and how."""
    before, after = loads
    busy = f" **The machine was busy with other work** (load {before:.1f} before, {after:.1f} after), so CPU times are too high." if before > 1.0 else ""
    again = f"`make bench-scale SCALE_EVENTS={chosen.events} SCALE_RUNS={chosen.runs}`"
    return f"""Last written by {again}, {date}, {report.machine()}: {chosen.events:,} events a point, {chosen.runs} run{"s" if chosen.runs > 1 else ""}, axes measured: {", ".join(chosen.axes)}.{busy} A sync of 4 KiB took {disk["sync_ms"]:.2f} ms \
(median), groups of 1 MiB reached the disk at {disk["disk_mb_per_s"]:,.0f} MB/s.

Marks are medians, bars go from the least to the most of the runs, dashes are the curve that says all runs best. Growth is read as a line (a + b·x), a logarithm (a + b·ln x) or a power (a·x^b) by least squares, whichever has the least AIC, \
and called flat where the 95 % interval of b holds 0. Every single run is in [scale/points.csv](scale/points.csv)."""


def _share(value, model):
    text = f"{100 * value:,.1f} %" if value < 0.1 else f"{100 * value:,.0f} %"
    return f"**{text}**" if value > model.share_max else text


def machine(costs, model, folder):
    """What it holds."""
    rows = []
    verdicts = [(place, capacity.verdict(costs, model, place)) for place in capacity.INSTALLATIONS]

    def row(label, tell):
        rows.append([label, *(tell(place, verdict) for place, verdict in verdicts)])

    row("events per second, busiest minute / mean", lambda place, _: f"{place.events_per_s:,} / {place.mean_events_per_s:,}")
    row("events per request", lambda place, _: place.events_per_request)
    row("streams × cubes of each", lambda place, _: f"{place.work.streams} × {place.work.cubes}")
    row("dimensions, combinations of a cube in a minute", lambda place, _: f"{place.work.dimensions}, {place.work.combinations:,}")
    row("monitors × slices, window", lambda place, _: f"{place.monitors} × {place.slices:,}, {place.window_s} s")
    row("*an event, µs: process, journal, rest, history*", lambda place, _: ", ".join(f"{costs.us_per_event(part, place):.2f}" for part in capacity.PARTS))
    for name in verdicts[0][1].shares:
        row(f"*{name}, in use*", lambda _, verdict, name=name: _share(verdict.shares[name], model))
    row("*memory, GiB*", lambda _, verdict: f"{verdict.memory_bytes / 2**30:.1f}")
    row("*ids of 24 h if all stayed in memory, GiB*", lambda _, verdict: f"{verdict.ids_bytes / 2**30:.2f}")
    row("*disk, GB a day, nothing rolled up*", lambda _, verdict: f"{verdict.disk_gb_per_day:,.1f}")
    row(f"**events per second when something is used by {model.share_max:.0%}**", lambda _, verdict: f"**{fits.number(verdict.most_events_per_s)}**")
    row("**what that is**", lambda _, verdict: verdict.first)
    row("**times the busiest minute**", lambda place, verdict: f"**× {fits.number(verdict.most_events_per_s / place.events_per_s)}**")
    installations = report.table(["", *(place.name for place, _ in verdicts)], rows)
    sizes = []
    for processors in PROCESSORS:
        sized = dataclasses.replace(model, processors=processors)
        each = [capacity.verdict(costs, sized, place) for place in capacity.INSTALLATIONS]
        sizes.append([processors, *(f"{fits.number(verdict.most_events_per_s)}, {verdict.first}" for verdict in each)])
    ends = [f"{place.name} at {fits.number(verdict.most_events_per_s)} events per second ({verdict.first})" for place, verdict in verdicts]
    parts = [
        [
            capacity.SERIAL.get(part, "all other threads"),
            f"{costs.base[part]:.3f}",
            f"{costs.cube[part]:.4f}",
            f"{costs.dimension[part]:.4f}",
            f"{costs.combos(part, 1e5) - costs.combos(part, capacity.COMBINATIONS):.3f}",
            f"{costs.stream[part]:.4f}",
            f"{costs.request[part]:.1f}",
        ]
        for part in capacity.PARTS
    ]
    return "\n\n".join(
        [
            "## What one machine of 16 processors would hold",
            f"""**This is computed, not measured**: the costs above, taken on {report.machine()}, carried over to {model.processors} processors as fast as these, {model.memory_gib:g} GiB, a sync in {model.sync_ms:g} ms and {model.disk_mb_per_s:,.0f} MB/s to the \
disk. Nothing may be used by more than {model.share_max:.0%}; what is, is bold. The first five lines are assumed, those in italics are what the model makes of them.""",
            installations,
            f"By this model scale-out takes over for the {', for the '.join(ends)}.",
            f"![Events per second at which each resource of a machine of 16 processors is used by {model.share_max:.0%}, against the number of cubes, by the model. The lowest line is the limit; it falls as cubes are added.]({folder}/machine.png)",
            "The same on other machines, events per second and what is full first; where the number does not change, a single thread is the limit and further processors are of no use:",
            report.table(["processors", *(place.name for place, _ in verdicts)], sizes),
            "What the model starts from, CPU time in µs; what cannot be told from noise is 0:",
            report.table(["part", "an event", "a cube", "a further dimension of a cube", "a cube of 100,000 combinations instead of 60", "a further stream", "a request"], parts),
            f"""An event takes {costs.journal_bytes:.0f} bytes of the journal and {costs.event_bytes:.1f} of history, a remembered id {costs.id_bytes:.1f} bytes of memory, a state row {costs.row_bytes:.0f} bytes of memory and \
{costs.stored_row_bytes:.1f} of the disk (medians over numbers of combinations), a judged slice {costs.judge_us:.1f} µs, a flush {costs.flush_ms:.1f} ms whatever it writes, {costs.flush_cube_ms:.1f} ms more with every cube and {costs.flush_stream_ms:.1f} with every stream and its cube, \
a started server with a question answered {costs.memory_mib:,.0f} MiB.""",
        ]
    )


def _off(cost, measured):
    """By how much of what was measured; time is counted in hundredths of a second, so few events may cost none."""
    return f"{cost / measured - 1:+.0%}" if measured > 0 else "too little to tell"


def validation(costs, points):
    """How far the model is off where it was not fitted."""
    found = kept.of_axis(points, mixed.AXIS)
    expected = mixed.expected(costs, found)
    rows = []
    for part, cost in expected.items():
        values = [point.figures[f"{part}_us_per_event"] for point in found]
        middle = statistics.median(values)
        rows.append([capacity.SERIAL.get(part, "all other threads"), f"{cost:.2f}", report.spread(values, "{:.2f}"), _off(cost, middle)])
    whole = [sum(point.figures[f"{part}_us_per_event"] for part in expected) for point in found]
    middle = statistics.median(whole)
    rows.append(["whole server", f"{sum(expected.values()):.2f}", report.spread(whole, "{:.2f}"), _off(sum(expected.values()), middle)])
    return "\n\n".join(
        [
            "## How far the model is off",
            f"A point that no curve was fitted to: {mixed.WHAT}; the server counted {found[0].figures['combinations']:,.0f} combinations of a cube. CPU time, µs per event:",
            report.table(["", "model", "measured", "model ÷ measured − 1"], rows),
        ]
    )
