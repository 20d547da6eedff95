"""How many combinations of dimension values a cube meets in a minute."""

import definitions
import loading
from axes import TAKING

title = "Distinct combinations in a minute"
x_label = "distinct combinations in a minute (logarithmic)"
says = (
    "One cube of minutes, all events in one minute, its three dimensions chosen so that they have from a dozen to about as many combinations as there are events; where a field has to be left out, "
    "a constant stands in its place. The place of a point is the number of combinations the server counted."
)
# What the cube is by, with the number of combinations to expect of a million events.
CHOICES = {
    12: ("psp", "status", "{none: \"'x'\"}"),
    60: ("method", "psp", "status"),
    480: ("psp", "status", "issuer"),
    2_400: ("method", "{psp_status: \"psp || status\"}", "issuer"),
    5_000: ("merchant_id", "{none: \"'x'\"}", "{nothing: \"'y'\"}"),
    60_000: ("merchant_id", "method", "status"),
    300_000: ("merchant_id", "issuer", "method"),
    1_000_000: ("customer_id", "method", "issuer"),
}
PLACES = tuple(CHOICES)
PANELS = (TAKING,)
LOG_X = True
SPAN = "1m"


def measure(place, settings, folder):
    text = definitions.whole([definitions.cube(0, dimensions=CHOICES[place])])
    figures = loading.load(folder, text, [("payments", settings.file(settings.events, SPAN))], settings)
    return {"x": figures["combinations"], **figures}
