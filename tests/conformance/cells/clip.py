"""Cells of `clip`."""

from tests.conformance.cell import Bad, Cell, noise, ties
from tests.conformance.cells._arithmetic import whole

CELLS = (
    Cell("x -> clip(-0.5, 0.5)", x=ties(2, 5)),
    *(
        Cell(text, x=x)
        for x in (ties(2, 3, 4), ties(2, 3, 4, 5), ties(1, 2, 3, 4, 2))
        for text in ("x -> clip(-0.5, 0.5)", "x -> clip(min = 0)", "x -> clip(max = 0.5)")
    ),
    Cell("x -> clip(0.1, 0.3)", x=noise(2, 3, 4), types={"x": "float32[N, 3, h]"}),
    Cell("x -> clip(0.5, 0.5)", x=ties(2, 3, 4)),
    Cell("x -> clip(-1, 1)", x=whole(2, 3), gradients=False),
    Cell("x -> clip(min = 0)", x=whole(2, 3, dtype="int32"), gradients=False),
)

BAD = (
    Bad("min", "x -> clip(0.5, 1)", "CNN037", "a whole number", "not 0.5", x="int64[N, 4]"),
    Bad("max", "x -> clip(1, 0)", "CNN045", "at least `min`, 1", "not 0", x="float32[N, 4]"),
    Bad("", "x -> clip", "CNN041", "`min`, `max` or both", x="float32[N, 4]"),
)
