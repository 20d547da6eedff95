"""The parts of bench/RESULTS.md that this benchmark writes, each between two marks; what stands around them is kept."""

import datetime
import os
import pathlib
import statistics
import time

# In the order in which they come when they are not there yet.
SECTIONS = ("head", "q1", "windows", "q6", "q2", "promises")


def marks(section):
    """The lines around a section."""
    return f"<!-- bench-peers, {section}: written by `make bench-peers`; edits here are lost -->", f"<!-- bench-peers, {section}: end -->"


def machine():
    """Processors, their model, memory, and how busy others keep them."""
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = next((line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith("model name")), "unknown")
    memory_gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{os.cpu_count()} processors ({model}), {memory_gib:.0f} GiB"


def load():
    return os.getloadavg()[0]


def _used_ticks():
    """What all processors together did so far; waiting, and what the host gave to others, left out."""
    user, nice, system, _idle, _waiting, irq, soft, *_ = (int(word) for word in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:])
    return user + nice + system + irq + soft


def others(seconds=2.0):
    """How many processors other programs keep busy. Takes that long, and this one does nothing meanwhile."""
    before, began = _used_ticks(), time.monotonic()
    time.sleep(seconds)
    return (_used_ticks() - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began)


def spread(values, form="{:,.0f}"):
    """The median, and the least and the most when there are several."""
    middle = form.format(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({form.format(min(values))}–{form.format(max(values))})"


def write(path, texts):
    """Puts each text between its marks. A section that is not there yet comes after the one that goes before it, or at the end."""
    page = path.read_text() if path.exists() else "# Measurements\n"
    for number, section in enumerate(SECTIONS):
        if section not in texts:
            continue
        begin, end = marks(section)
        text = f"{begin}\n\n{texts[section].strip()}\n\n{end}"
        before = [mark for other in SECTIONS[:number] if (mark := marks(other)[1]) in page]
        after = [mark for other in SECTIONS[number + 1 :] if (mark := marks(other)[0]) in page]
        if begin in page and end in page:
            head, rest = page.split(begin, 1)
            page = head + text + rest.split(end, 1)[1]
        elif before:
            page = page.replace(before[-1], f"{before[-1]}\n\n{text}")
        elif after:
            page = page.replace(after[0], f"{text}\n\n{after[0]}")
        else:
            page = f"{page.rstrip()}\n\n{text}\n"
    path.write_text(page)


def today():
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])
