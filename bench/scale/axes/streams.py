"""Over how many streams the same events are spread."""

import contextlib
import zlib

import definitions
import loading
from axes import TAKING

title = "Number of streams"
x_label = "streams"
says = "The same events spread over so many streams by their ids, each with one cube and a client of its own; all clients send at the same time."
PLACES = (1, 2, 4, 8, 16, 32)
PANELS = (TAKING,)
LOG_X = False
SPAN = "10m"
# An id stands between these columns of a line of workload W; a repeated event stays with its first.
ID = slice(13, 32)


def spread(file, parts):
    """Deals the lines of a file to others."""
    with contextlib.ExitStack() as stack:
        outs = [stack.enter_context(part.open("wb")) for part in parts]
        for line in stack.enter_context(file.open("rb")):
            outs[zlib.crc32(line[ID]) % len(outs)].write(line)


def measure(place, settings, folder):
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"payments_{number}" for number in range(place)]
    parts = [folder / f"{name}.ndjson" for name in names]
    spread(settings.file(settings.events, SPAN), parts)
    text = definitions.whole([definitions.cube(number, name) for number, name in enumerate(names)], names)
    figures = loading.load(folder / "server", text, list(zip(names, parts, strict=True)), settings)
    return {"x": place, **figures}
