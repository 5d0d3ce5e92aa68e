"""Cells of `log_softmax`."""

from tests.conformance.cell import Bad, Cell
from tests.conformance.cells._kinks import kinks

CELLS = (
    Cell("x -> log_softmax", x=kinks(2, 14)),
    Cell("x -> log_softmax", x=kinks(2, 3, 8)),
    Cell("x -> log_softmax(axis = length)", x=kinks(2, 3, 8)),
    Cell("x -> log_softmax", x=kinks(2, 3, 4, 5)),
    Cell("x -> log_softmax(axis = height)", x=kinks(2, 3, 4, 5)),
    Cell("x -> log_softmax(axis = -1)", x=kinks(2, 3, 4, 5)),
    Cell("x -> log_softmax", x=kinks(1, 2, 3, 4, 2)),
    Cell("x -> log_softmax(axis = depth)", x=kinks(1, 2, 3, 4, 2)),
    Cell("x -> log_softmax(axis = 3)", x=kinks(1, 2, 3, 4, 2)),
)
BAD = (
    Bad("axis", "x -> log_softmax(axis = length)", "CNN045", "rank 4 has no length", "height", x="float32[N, 4, 7, 7]"),
    Bad("axis", "x -> log_softmax(axis = 0)", "CNN045", "cannot be the batch", x="float32[N, 4, 7, 7]"),
    Bad("axis", "x -> log_softmax(axis = 4)", "CNN044", "no axis 4", "0 to 3", x="float32[N, 4, 7, 7]"),
)
