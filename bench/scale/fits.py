"""How a cost grows: least squares of a line, a logarithm and a power, and which of them says it best."""

import dataclasses
import math

import numpy

# Residuals below this share of the mean are rounding; without a floor a perfect fit would have no AIC.
RESIDUAL_SHARE_MIN = 1e-9
# A power is looked for between these exponents.
EXPONENTS = (-2.0, 4.0)
NORMAL_975 = 1.959964


def student_975(freedom):
    """The 97.5 % quantile of Student's t, by the expansion of Cornish and Fisher; off by less than 1 % from four degrees on."""
    z, n = NORMAL_975, float(max(freedom, 1))
    terms = [
        (z**3 + z) / (4 * n),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3),
    ]
    return z + sum(terms)


@dataclasses.dataclass
class Fit:
    """cost = a + b·x ("linear"), a + b·ln x ("log"), a·x^b ("power") or a ("flat")."""

    kind: str
    a: float
    b: float
    # The 95 % confidence interval of b.
    b_least: float
    b_most: float
    aic: float
    # Whether a parabola through the same points bends upwards beyond doubt.
    bends_up: bool = False

    def __call__(self, x):
        x = numpy.asarray(x, dtype=float)
        if self.kind == "linear":
            return self.a + self.b * x
        if self.kind == "log":
            return self.a + self.b * numpy.log(x)
        if self.kind == "power":
            return self.a * x**self.b
        return numpy.full_like(x, self.a)

    @property
    def certain(self):
        """Whether it grows or falls at all, as far as the measurements tell."""
        return self.b_least > 0 or self.b_most < 0

    @property
    def superlinear(self):
        return self.bends_up or (self.kind == "power" and self.b_least > 1)

    def text(self, raised="x^{}"):
        """The formula; `raised` is how an exponent is written."""
        if self.kind == "flat":
            return f"flat at {number(self.a)}"
        if self.kind == "power":
            return f"{number(self.a)} · {raised.format(number(self.b))}"
        sign, term = ("−" if self.b < 0 else "+"), ("x" if self.kind == "linear" else "ln x")
        return f"{number(self.a)} {sign} {number(abs(self.b))} · {term}"


def number(value):
    """Three digits that count."""
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return (f"{value:,.{digits}f}" if digits < 7 else f"{value:.2e}").replace("-", "−")


def _aic(residuals, y):
    # The least mean is one whose square is still a number: costs may all be nothing.
    floor = (RESIDUAL_SHARE_MIN * max(abs(y).mean(), 1e-100)) ** 2
    return len(y) * math.log(max((residuals**2).mean(), floor)) + 2 * 3


def _line(kind, x, y):
    """A line through the points, b with its interval."""
    design = numpy.column_stack([numpy.ones_like(x), x])
    (a, b), *_ = numpy.linalg.lstsq(design, y, rcond=None)
    residuals, freedom = y - a - b * x, max(len(y) - 2, 1)
    spread = ((x - x.mean()) ** 2).sum()
    half = student_975(freedom) * math.sqrt((residuals**2).sum() / freedom / spread)
    return Fit(kind, float(a), float(b), b - half, b + half, _aic(residuals, y))


def _power(x, y):
    """a·x^k: for every k the best a is known, and k is looked for by halving."""

    def best(k):
        # Divided by the largest, so that no power overflows.
        shape = (x / x.max()) ** k
        a = (y * shape).sum() / (shape**2).sum()
        return a, ((y - a * shape) ** 2).sum()

    grid = numpy.linspace(*EXPONENTS, 241)
    middle = grid[numpy.argmin([best(k)[1] for k in grid])]
    low, high, golden = middle - 0.025, middle + 0.025, (math.sqrt(5) - 1) / 2
    for _ in range(60):
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if best(left)[1] < best(right)[1] else (left, high)
    k = (low + high) / 2
    scaled, squares = best(k)
    shape = (x / x.max()) ** k
    slopes = numpy.column_stack([shape, scaled * shape * numpy.log(x / x.max())])
    freedom = max(len(y) - 2, 1)
    inverse = numpy.linalg.pinv(slopes.T @ slopes)
    half = student_975(freedom) * math.sqrt(max(squares / freedom * inverse[1, 1], 0.0))
    return Fit("power", float(scaled / x.max() ** k), k, k - half, k + half, _aic(y - scaled * shape, y))


def _bends_up(x, y):
    """Whether the square's coefficient in a parabola is above zero with 97.5 %."""
    if len(set(x)) < 4:
        return False
    scaled = x / x.max()
    design = numpy.column_stack([numpy.ones_like(x), scaled, scaled**2])
    found, *_ = numpy.linalg.lstsq(design, y, rcond=None)
    freedom = max(len(y) - 3, 1)
    variance = ((y - design @ found) ** 2).sum() / freedom
    half = student_975(freedom) * math.sqrt(variance * numpy.linalg.pinv(design.T @ design)[2, 2])
    # What bends by less than a twentieth of the cost is nothing to worry about.
    return bool(found[2] - half > 0 and found[2] > 0.05 * y.max())


def line(x, y):
    """The line alone, for a cost that is asked for per piece whatever curve says it best."""
    return _line("linear", numpy.asarray(x, dtype=float), numpy.asarray(y, dtype=float))


def all_of(x, y):
    """Every curve that can be drawn through the points."""
    x, y = numpy.asarray(x, dtype=float), numpy.asarray(y, dtype=float)
    found = [_line("linear", x, y)]
    # Neither a logarithm nor a power tells of nothing at all.
    if (x > 0).all():
        found.append(_line("log", numpy.log(x), y))
        found.append(_power(x, y))
    return found


def best(x, y):
    """The curve with the least AIC, or "flat" when its slope may as well be zero."""
    x, y = numpy.asarray(x, dtype=float), numpy.asarray(y, dtype=float)
    chosen = min(all_of(x, y), key=lambda fit: fit.aic)
    # Nothing at all fits any power of nothing.
    if not chosen.certain or not y.any():
        return dataclasses.replace(chosen, kind="flat", a=float(y.mean()), b=0.0)
    # A curve that flattens or falls has another shape than a parabola and may seem to bend where it does not.
    return dataclasses.replace(chosen, bends_up=chosen.kind == "linear" and chosen.b > 0 and _bends_up(x, y))
