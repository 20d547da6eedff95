"""The part of bench/RESULTS.md that this benchmark writes, between two marks; what stands around it is kept."""

import datetime
import os
import pathlib
import statistics

BEGIN = "<!-- bench-peers: written by `make bench-peers`; edits here are lost -->"
END = "<!-- bench-peers: end -->"


def machine():
    """Processors, their model, memory, and how busy others keep them."""
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = next((line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith("model name")), "unknown")
    memory_gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{os.cpu_count()} processors ({model}), {memory_gib:.0f} GiB"


def load():
    return os.getloadavg()[0]


def spread(values, form="{:,.0f}"):
    """The median, and the least and the most when there are several."""
    middle = form.format(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({form.format(min(values))}–{form.format(max(values))})"


def write(path, text):
    """Puts the text between the marks, or at the end when they are not there yet."""
    old = path.read_text() if path.exists() else "# Measurements\n"
    section = f"{BEGIN}\n\n{text.strip()}\n\n{END}\n"
    if BEGIN in old and END in old:
        before, rest = old.split(BEGIN, 1)
        after = rest.split(END, 1)[1].removeprefix("\n")
        new = before + section + after
    else:
        new = old.rstrip() + "\n\n" + section
    path.write_text(new)


def today():
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])
