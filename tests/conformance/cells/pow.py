"""Cells of `pow`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise, ties
from tests.conformance.cells._arithmetic import positive
from tests.conformance.cells._kinks import kinks

_EXPONENTS = np.array([[0.0, 2.0, 0.5, -1.0, 1.0, 3.0, 1.5]])

CELLS = (
    Cell("x ** y", x=positive(2, 5), y=noise(2, 5)),
    Cell("x ** y", x=positive(2, 3, 4), y=noise(2, 1, 4)),
    Cell("x ** y", x=positive(2, 3, 4, 5), y=noise(2, 1, 4, 1), types={"x": "float32[N, 3, h, w]", "y": "float32[N, 1, h, 1]"}),
    Cell("x ** y", x=positive(1, 2, 3, 4, 2), y=noise(1, 2, 3, 4, 2)),
    *(Cell("x ** y", x=np.full((1, 7), base), y=_EXPONENTS) for base in (0.0, 1.0, -1.0, -2.0, 2.0)),
    *(Cell(f"x ** {exponent}", x=ties(2, 3, 4)) for exponent in ("0", "1", "2", "3", "0.5", "1.5", "2.5", "-1", "-0.5", "-2")),
    Cell("x ** 2", x=ties(2, 3, 4, 5), types={"x": "float32[N, 3, h, w]"}),
    Cell("x ** 0", x=ties(2, 3, 4, 5)),
    Cell("x ** 3", x=noise(1, 2, 3, 4, 2)),
    Cell("2 ** x", x=ties(2, 3, 4)),
    Cell("0.1 ** x", x=noise(2, 3, 4, 5)),
    Cell("1.5 ** x", x=noise(1, 2, 3, 4, 2)),
    Cell("x ** 3", x=kinks(2, 14)),
)

BAD = (
    Bad("left", "(-2) ** x", "CNN045", "must be above 0", "not -2", x="float32[N, 4]"),
    Bad("right", "x ** 2", "CNN037", "not on int64", x="int64[N, 4]"),
    Bad("", "x ** y", "CNN031", "differ in channels", "channels 4", "channels 5", x="float32[N, 4]", y="float32[N, 5]"),
)
