"""Curves as pictures."""

import matplotlib

matplotlib.use("Agg")

import numpy
from matplotlib import pyplot

import capacity
import fits
import points as kept

# Told apart by those who do not see colours as well: dark to light, each with a mark of its own.
STYLES = (("#1f3a5f", "o"), ("#c8553d", "s"), ("#588157", "^"), ("#8d99ae", "D"))
INK, GRID = "#222222", "#e4e4e4"
PANEL_INCHES = (6.4, 4.3)
DOTS_PER_INCH = 130
# An exponent as matplotlib raises it.
RAISED = "$x^{{{}}}$"
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.edgecolor": "#999999",
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GRID,
    "axes.axisbelow": True,
    "axes.titlesize": 11,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


def _plain(axes, x):
    """Whole places on a plain scale, and thousands with a comma."""
    axes.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:,.0f}"))
    if axes.get_xscale() == "linear":
        axes.set_xticks(sorted(set(x)) if len(set(x)) < 9 else axes.get_xticks())
        # Of places that stand close together only every other is named.
        span = max(x) - min(x) or 1
        ticks, shown = sorted(set(x)), []
        for tick in ticks:
            if not shown or tick - shown[-1] >= span * 0.045:
                shown.append(tick)
        axes.set_xticks(shown)
    axes.yaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:,.6g}"))


def _curve(axes, points, figure, label, style, log_x):
    """Medians with the range of the runs, and the fit through all runs."""
    colour, marker = style
    spread = kept.spreads(points, figure)
    if not spread:
        return []
    x, middle, least, most = (numpy.array(column) for column in zip(*spread, strict=True))
    fit = fits.best(*kept.columns(points, figure)) if len(set(x)) > 2 else None
    told = f"{label}: {fit.text(RAISED)}" if fit else label
    axes.errorbar(x, middle, yerr=[middle - least, most - middle], fmt=marker, color=colour, markersize=5, capsize=3, elinewidth=1, label=told)
    if fit:
        fine = numpy.geomspace(max(min(x), 1e-9), max(x), 200) if log_x else numpy.linspace(min(x), max(x), 200)
        axes.plot(fine, fit(fine), color=colour, linewidth=1.2, linestyle="--", alpha=0.8)
    return list(x)


def axis(file, module, points):
    """All panels of an axis."""
    panels = module.PANELS
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    with pyplot.rc_context(STYLE):
        figure, grid = pyplot.subplots(rows, columns, figsize=(PANEL_INCHES[0] * columns, PANEL_INCHES[1] * rows), squeeze=False, layout="constrained")
        for axes, panel in zip(grid.flat, panels, strict=True):
            _panel(axes, module, panel, points)
        figure.savefig(file, dpi=DOTS_PER_INCH, metadata={"Software": None})
        pyplot.close(figure)


def _panel(axes, module, panel, points):
    if module.LOG_X:
        axes.set_xscale("log")
    seen = []
    for style, (cost, label) in zip(STYLES, panel.costs.items(), strict=False):
        seen += _curve(axes, points, cost, label.replace("`", ""), style, module.LOG_X)
    first = next(iter(panel.costs))
    fit = fits.best(*kept.columns(points, first)) if len(set(seen)) > 2 else None
    head = panel.title or module.title
    if fit:
        head = f"{head}: {panel.costs[first].replace('`', '')}{', ' if fit.kind == 'flat' else ' = '}{fit.text(RAISED)}"
    axes.set_title(head, loc="left")
    axes.set_xlabel(module.x_label)
    axes.set_ylabel(panel.y_label)
    low, high = axes.get_ylim()
    # From zero, or a small growth looks like a large one; above is room for the legend.
    axes.set_ylim(min(0, low), high * (1.12 + 0.07 * len(panel.costs)))
    axes.legend(loc="upper left")
    if seen:
        _plain(axes, seen)


def machine(file, costs, model, work_of, cubes):
    """Events a second at which each resource of a machine is full, against the number of cubes."""
    with pyplot.rc_context(STYLE):
        figure, all_axes = pyplot.subplots(1, len(work_of), figsize=(PANEL_INCHES[0] * len(work_of), PANEL_INCHES[1]), layout="constrained", sharey=True)
        for axes, (title, make) in zip(numpy.atleast_1d(all_axes), work_of.items(), strict=True):
            verdicts = [capacity.verdict(costs, model, make(number)) for number in cubes]
            names = ["processing", "thread `history-keeper`", "all processors", "thread `journal-writer`"]
            for (colour, _), name in zip(STYLES, names, strict=True):
                axes.plot(cubes, [verdict.most[name] for verdict in verdicts], color=colour, linewidth=1.8, label=name.replace("`", ""))
            axes.fill_between(cubes, [verdict.most_events_per_s for verdict in verdicts], 1, color="#1f3a5f", alpha=0.07, linewidth=0)
            axes.set_yscale("log")
            axes.set_ylim(1e4, 2e7)
            axes.set_xlim(min(cubes), max(cubes))
            axes.set_title(title, loc="left")
            axes.set_xlabel("cubes that an event feeds")
            axes.yaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:,.0f}"))
            axes.legend(loc="upper right", ncols=2)
        numpy.atleast_1d(all_axes)[0].set_ylabel(f"events per second at {model.share_max:.0%} of the resource")
        figure.savefig(file, dpi=DOTS_PER_INCH, metadata={"Software": None})
        pyplot.close(figure)
