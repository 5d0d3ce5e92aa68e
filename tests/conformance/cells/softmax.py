"""Cells of `softmax`."""

from tests.conformance.cell import Bad, Cell
from tests.conformance.cells._kinks import kinks

CELLS = (
    Cell("x -> softmax", x=kinks(2, 14)),
    Cell("x -> softmax", x=kinks(2, 3, 8)),
    Cell("x -> softmax(axis = length)", x=kinks(2, 3, 8)),
    Cell("x -> softmax", x=kinks(2, 3, 4, 5)),
    Cell("x -> softmax(axis = height)", x=kinks(2, 3, 4, 5)),
    Cell("x -> softmax(axis = -1)", x=kinks(2, 3, 4, 5)),
    Cell("x -> softmax", x=kinks(1, 2, 3, 4, 2)),
    Cell("x -> softmax(axis = depth)", x=kinks(1, 2, 3, 4, 2)),
    Cell("x -> softmax(axis = 3)", x=kinks(1, 2, 3, 4, 2)),
)
BAD = (
    Bad("axis", "x -> softmax(axis = length)", "CNN045", "rank 4 has no length", "height", x="float32[N, 4, 7, 7]"),
    Bad("axis", "x -> softmax(axis = 0)", "CNN045", "cannot be the batch", x="float32[N, 4, 7, 7]"),
    Bad("axis", "x -> softmax(axis = 4)", "CNN044", "no axis 4", "0 to 3", x="float32[N, 4, 7, 7]"),
)
