"""How many dimensions a cube has, with the same number of combinations."""

import definitions
import loading
from axes import TAKING

title = "Dimensions of a cube"
x_label = "dimensions"
says = (
    "One cube of minutes by so many dimensions. Every event has, besides those of workload W, seven fields that follow from its merchant, so that the number of combinations stays what it is and only the key gets wider; "
    "all of them are decoded at every point."
)
PLACES = (1, 2, 3, 4, 5, 6, 7, 8)
PANELS = (TAKING,)
LOG_X = False
SPAN = "10m"
# A merchant stands in these columns after its field's name, as "m00459".
MERCHANT = b'"merchant_id":"m'
MERCHANTS = 5_000
# A field each. None has a divisor in common with the number of merchants, so no two of them share a region.
FACTORS = (4_099, 4_101, 4_103, 4_107, 4_109, 4_111, 4_113)


def widened(source):
    """The file with the further fields, made once."""
    file = source.with_suffix(".wide.ndjson")
    if file.exists():
        return file
    added = [
        "".join(f',"{field}":"r{rank * factor % MERCHANTS:05}"' for field, factor in zip(definitions.FURTHER, FACTORS, strict=True)).encode() + b"}\n"
        for rank in range(MERCHANTS + 1)
    ]
    unfinished = file.with_suffix(".unfinished")
    with source.open("rb") as lines, unfinished.open("wb") as out:
        for line in lines:
            at = line.index(MERCHANT) + len(MERCHANT)
            out.write(line.rstrip()[:-1] + added[int(line[at : at + 5])])
    unfinished.rename(file)
    return file


def measure(place, settings, folder):
    dimensions = ("merchant_id", *definitions.FURTHER)[:place]
    text = definitions.whole([definitions.cube(0, dimensions=dimensions)], further=definitions.FURTHER)
    file = widened(settings.file(settings.events, SPAN))
    return {"x": place, **loading.load(folder, text, [("payments", file)], settings)}
