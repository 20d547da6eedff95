"""What is varied, a file an axis: where it is measured, how, and what is drawn of it.

An axis has `title`, `x_label`, `LOG_X`, `PLACES` (where it is measured), `PANELS` (what is drawn of it), `says` (how it is set up, in a sentence), and
`measure(place, settings, folder)`, which gives the figures of one run, "x" among them.
"""

import dataclasses
import importlib

NAMES = ("cubes", "dimensions", "combinations", "monitors", "streams", "history")


@dataclasses.dataclass
class Panel:
    """One drawing of an axis."""

    title: str
    y_label: str
    # Figure -> what the legend calls it. The fit of the first stands in the title.
    costs: dict


TAKING = Panel(
    "",
    "CPU time, µs per event",
    {
        "cpu_us_per_event": "taking it, whole server",
        "process_us_per_event": "of that, processing (one at a time)",
        "journal_us_per_event": "of that, thread `journal-writer`",
        "history_us_per_event": "writing history afterwards",
    },
)


def load(name):
    """The module of an axis."""
    return importlib.import_module(f"axes.{name}")
