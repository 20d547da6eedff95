"""A point that no curve was fitted to: several of the things that the axes vary at once, to see how far the model is off."""

import capacity
import definitions
import loading
from axes.streams import spread

AXIS = "mixed"
SPAN = "1m"
STREAMS = 2
EVENTS_PER_REQUEST = 10_000
CUBES_OF_STREAM = 4
DIMENSIONS = ("merchant_id", "method", "status", "psp")
WHAT = f"{STREAMS} streams with {CUBES_OF_STREAM} cubes each, by {', '.join(DIMENSIONS)}, all events in one minute"


def measure(settings, folder):
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"payments_{number}" for number in range(STREAMS)]
    parts = [folder / f"{name}.ndjson" for name in names]
    spread(settings.file(settings.events, SPAN), parts)
    cubes = [definitions.cube(number, names[number % STREAMS], DIMENSIONS) for number in range(STREAMS * CUBES_OF_STREAM)]
    text = definitions.whole(cubes, names)
    return loading.load(folder / "server", text, list(zip(names, parts, strict=True)), settings)


def expected(costs, points):
    """What the model says of it, by part."""
    combinations = points[0].figures["combinations"]
    work = capacity.Work(cubes=CUBES_OF_STREAM, dimensions=len(DIMENSIONS), combinations=combinations, streams=STREAMS)
    # The client sends megabytes at a time.
    place = capacity.Installation("", 1, 1, EVENTS_PER_REQUEST, work, 0, 0, 60)
    found = {part: costs.us_per_event(part, place) for part in capacity.PARTS}
    found["history"] += 1e6 * costs.flush_s(work) / points[0].figures["events"]
    return found
