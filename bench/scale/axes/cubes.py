"""How many cubes a stream feeds."""

import definitions
import loading
from axes import TAKING

title = "Number of cubes"
x_label = "cubes"
says = "One stream feeds so many cubes of minutes, each by method, status and PSP (60 combinations) with four measures: two counts, a sum of money and a quantile sketch."
PLACES = (1, 2, 4, 8, 16, 32)
PANELS = (TAKING,)
LOG_X = False
SPAN = "10m"


def measure(place, settings, folder):
    text = definitions.whole([definitions.cube(number) for number in range(place)])
    figures = loading.load(folder, text, [("payments", settings.file(settings.events, SPAN))], settings)
    return {"x": place, **figures}
