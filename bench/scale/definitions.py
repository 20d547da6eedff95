"""Definitions as text, made to measure: so many streams, cubes, dimensions, monitors."""

import place

# The dimensions of a cube where their number is not what is measured: some sixty combinations.
DIMENSIONS = ("method", "status", "psp")
# Fields that a stream may have besides those of the workload; see the axis of dimensions.
FURTHER = tuple(f"region_{number}" for number in range(2, 9))


def stream(name="payments", further=()):
    """The stream of workload W under another name, perhaps with further fields."""
    text = (place.DEFINITIONS / "streams.yaml").read_text()
    text = text.split("streams:\n", 1)[1].replace("  payments:", f"  {name}:", 1)
    return text + "".join(f"      {field}: string\n" for field in further)


def cube(number, source="payments", dimensions=DIMENSIONS, bucket="1m"):
    """A cube of four measures. One of them is its own, because what cubes have in common is computed once for all of them."""
    return f"""  cube_{number}:
    from: {source}
    bucket: {bucket}
    dimensions: [{", ".join(dimensions)}]
    measures:
      taken: count(*)
      from_bank: count(*) filter (where issuer = 'bank_{1 + number % 40:02}')
      volume: sum(amount) filter (where currency = 'EUR')
      latency: quantile(latency_ms)
"""


def metric(number):
    return f"""  attempts_{number}: {{of: cube_{number}, expr: taken}}
  bank_share_{number}: {{of: cube_{number}, expr: from_bank / taken, unit: percent}}
"""


def monitor(number, by, window):
    """One that judges every slice and never fires, because no share is above one."""
    return f"""  monitor_{number}:
    metric: bank_share_0
    by: [{", ".join(by)}]
    detect: {{threshold: {{above: {2 + number}, min_samples: 1, window: {window}}}}}
    direction: up
    severity: warning
"""


def whole(cubes, streams=("payments",), monitors=(), further=()):
    """A file: streams by name, with further fields; cubes and monitors as text."""
    numbers = range(len(cubes))
    text = "streams:\n" + "".join(stream(name, further) for name in streams) + "cubes:\n" + "".join(cubes)
    text += "metrics:\n" + "".join(metric(number) for number in numbers)
    return text + ("monitors:\n" + "".join(monitors) if monitors else "")
