"""The systems that are compared, a file each. Every one has the same parts:

`name`, `version()`, `promises` (what it guarantees and what not, in a sentence), perhaps a `remark` on its figures, and a function
a question, which takes the workload and an empty folder and gives its runs. A system without the function is not asked.
"""

import dataclasses
import importlib
import pathlib

from measure import Cost

NAMES = ("tillwatch", "flink", "chdb", "duckdb", "prometheus")

# Who should be here and is not, and why.
NOT_MEASURED = {
    "LaminarDB 0.33.0 (crate `laminar-db`)": "Q1 is not expressible: its streaming state refuses `count(distinct …)` with “DISTINCT aggregates are not supported by managed "
    "streaming state”, in windows as well. So says its source (`aggregate_state/compile.rs`, and its test `distinct_aggregates_are_rejected_at_create`); it was not run",
}


def load(name):
    """The module of a system."""
    return importlib.import_module(f"systems.{name}")


class NotExpressible(Exception):
    """The question cannot be put to this system; the text says what it answered."""


@dataclasses.dataclass
class Run:
    """One run of one system over the whole file."""

    variant: str
    cost: Cost
    answer: pathlib.Path | None = None
    # Sketches may be off by their published error; everything else has to be exact.
    sketches: bool = False
    # Further figures to show, by name.
    more: dict = dataclasses.field(default_factory=dict)
